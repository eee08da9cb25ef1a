//! `registry/phrases.toml`: words in the text of a reply that tell what it means, that it quotes another reply, or which
//! command it answers, whoever sends it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::advice::Stage;
use crate::category::Category;
use crate::code::Class;
use crate::data_file::DataFile;
use crate::vendor::check_pattern;

/// The contents of the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// Words that tell what a reply means. Earlier ones take precedence.
    #[serde(rename = "phrase")]
    pub meanings: Vec<Phrase>,
    /// Words after which the reply of another server is quoted.
    pub quotations: Vec<String>,
    /// Words before which a quoted reply is over.
    pub ends: Vec<String>,
    /// Words before a quotation that is about something else than the delivery.
    pub asides: Vec<String>,
    /// Words in a line of a log that say of which class the failure is.
    pub outcomes: Outcomes,
    /// Words that name the command that was answered.
    pub commands: BTreeMap<Stage, Vec<String>>,
}

/// Words that say of which class a failure is, for lines without a reply.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// The server tries again.
    pub transient: Vec<String>,
    /// The server has given up.
    pub permanent: Vec<String>,
}

/// Words that tell what a reply means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// The id of the category.
    pub category: String,
    /// The class that the reply has to have; any if `None`.
    pub class: Option<Class>,
    /// The stages at which they count, if the stage is known; all if empty.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// The patterns, as in a mark of a vendor.
    pub texts: Vec<String>,
}

/// Parses and checks a file that has been read.
pub fn read(file: &DataFile, categories: &[Category]) -> Result<Phrases> {
    let phrases: Phrases = file.parse()?;
    check(&phrases, categories).map_err(|(text, error)| {
        let place = file.text().find(&format!("\"{text}\"")).unwrap_or_default();
        file.error(file.line(place), &error)
    })?;
    Ok(phrases)
}

/// Returns the text or category that is wrong, and what is wrong with it.
fn check(phrases: &Phrases, categories: &[Category]) -> Result<(), (String, anyhow::Error)> {
    let Phrases { meanings, quotations, ends, asides, outcomes, commands } = phrases;
    let lists = [quotations, ends, asides, &outcomes.transient, &outcomes.permanent];
    for text in lists.into_iter().chain(commands.values()).flatten() {
        check_pattern(text).map_err(|error| (text.clone(), error))?;
    }
    let mut seen = BTreeSet::new();
    for phrase in meanings {
        if !categories.iter().any(|known| known.id == phrase.category) {
            return Err((phrase.category.clone(), anyhow!("there is no category {:?}", phrase.category)));
        }
        for text in &phrase.texts {
            let mut check = || {
                check_pattern(text)?;
                if !seen.insert((text.to_ascii_lowercase(), phrase.class)) {
                    bail!("{text:?} is there already: remove one of them, or give them different classes");
                }
                Ok(())
            };
            check().map_err(|error| (text.clone(), error))?;
        }
    }
    Ok(())
}
