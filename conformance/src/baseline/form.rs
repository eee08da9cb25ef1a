//! Reads files of baselines and refuses entries that are invalid.

use anyhow::{Context as _, Result, bail};
use globset::Glob;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::entry::Entry;
use crate::data_file::{self, line_of};
use crate::rules::catalogue::{RuleId, rules};
use crate::rules::finding::Accepted;

/// Reads the entries of a file.
pub(super) fn entries(name: &str, text: &str) -> Result<Vec<Entry>> {
    let file: File = data_file::parse(name, text)?;
    let entry = |raw: RawEntry| {
        let line = line_of(text.as_bytes(), raw.rule.span().start);
        raw.check(line).with_context(|| format!("{name}:{line}"))
    };
    file.accepted.into_iter().map(entry).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    target: String,
    rule: Spanned<String>,
    case: String,
    section: String,
    reason: String,
    link: Option<String>,
    expires: Option<toml::value::Datetime>,
}

impl RawEntry {
    fn check(self, line: usize) -> Result<Entry> {
        let glob = |name: &str, text: &str| {
            Glob::new(text).map(|glob| glob.compile_matcher()).with_context(|| format!("{name} = {text:?}"))
        };
        for (name, text) in [("section", &self.section), ("reason", &self.reason)] {
            if text.trim().is_empty() {
                bail!(
                    "{name} is empty: write what the server breaks (`section`) and why you accept it (`reason`)"
                );
            }
        }
        let expires = self.expires.map(|day| match day {
            toml::value::Datetime { date: Some(date), time: None, offset: None } => {
                let (month, day) = (i8::try_from(date.month)?, i8::try_from(date.day)?);
                Date::new(i16::try_from(date.year)?, month, day).context("expires")
            }
            other => bail!("expires = {other}: write a day, such as 2027-12-31"),
        });
        let rule = glob("rule", self.rule.get_ref())?;
        if !rules().iter().any(|accepted| rule.is_match(accepted.id)) {
            bail!("{}", RuleId::unknown(self.rule.get_ref()));
        }
        Ok(Entry {
            line,
            target: glob("target", &self.target)?,
            rule,
            case: glob("case", &self.case)?,
            accepted: Accepted { section: self.section, reason: self.reason, link: self.link },
            expires: expires.transpose()?,
        })
    }
}
