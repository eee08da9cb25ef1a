//! The rules and cases of the conformance suite, as far as the register of requirements refers to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::data_file::DataFile;

/// The catalogue of rules, relative to the project's root.
const RULES: &str = "conformance/rules.toml";
/// The folder of the cases.
const CASES: &str = "conformance/cases";
/// Keywords of rules that no RFC demands.
const WITHOUT_SOURCE: [&str; 2] = ["registry", "practice"];

/// What the suite judges and sends.
#[derive(Debug, Default)]
pub struct Suite {
    /// The rules, in the order of the catalogue.
    pub rules: Vec<Rule>,
    /// The rules that each case names, by the case's id.
    pub cases: BTreeMap<String, BTreeSet<String>>,
}

/// A rule of the catalogue.
#[derive(Debug, Deserialize)]
pub struct Rule {
    /// The rule's slug.
    pub id: String,
    keyword: String,
    kind: String,
}

impl Rule {
    /// Returns whether it is judged. The others only explain something.
    pub fn is_judged(&self) -> bool {
        self.kind != "none"
    }

    /// Returns whether an RFC demands it.
    pub fn has_source(&self) -> bool {
        !WITHOUT_SOURCE.contains(&self.keyword.as_str())
    }
}

impl Suite {
    /// Reads the rules and cases below a project's root.
    pub fn load(root: &Path) -> Result<Suite> {
        #[derive(Deserialize)]
        struct Catalogue {
            rule: Vec<Rule>,
        }
        let catalogue: Catalogue = DataFile::read(&root.join(RULES))?.parse()?;
        let mut cases = BTreeMap::new();
        for path in case_files(&root.join(CASES))? {
            cases.extend(cases_of(&DataFile::read(&path)?)?);
        }
        Ok(Suite { rules: catalogue.rule, cases })
    }

    /// Returns the cases that name a rule.
    pub fn cases_of<'s>(&'s self, rule: &'s str) -> impl Iterator<Item = &'s str> {
        self.cases.iter().filter(move |(_, rules)| rules.contains(rule)).map(|(id, _)| id.as_str())
    }
}

fn case_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn cases_of(file: &DataFile) -> Result<impl Iterator<Item = (String, BTreeSet<String>)> + use<>> {
    #[derive(Deserialize)]
    struct Cases {
        case: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        id: String,
        #[serde(default)]
        rules: BTreeSet<String>,
    }
    let Cases { case } = file.parse()?;
    Ok(case.into_iter().map(|case| (case.id, case.rules)))
}
