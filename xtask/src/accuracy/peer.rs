//! The labels that KumoMTA's rules give to the recorded replies.
//!
//! Its rules are not part of this project. `cargo xtask accuracy --peer FILE` runs them, and keeps the labels.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use regex::RegexSet;
use toml_edit::DocumentMut;

use super::recorded::Recorded;
use crate::category::{Category, ListAction};
use crate::file::{self, MAX_PRODUCT};

/// The file with the labels, relative to the project's root.
pub const PATH: &str = "tests/explain/kumomta-labels.tsv";

/// Labels that say the same as the name of a category, for categories that KumoMTA has several labels for.
const OTHER_LABELS: [(&str, &[&str]); 6] = [
    ("spam-content", &["SpamRelated", "ContentRelated"]),
    ("bad-reputation", &["SpamRelated"]),
    ("malware", &["ProhibitedAttachment"]),
    ("relay-denied", &["RelayingIssues"]),
    ("unreachable", &["NoAnswerFromHost", "DNSFailure", "RoutingErrors"]),
    ("receiver-fault", &["BadConfiguration"]),
];

/// A label for each recorded reply; `None` if no rule has it.
pub struct Labels {
    /// The version of KumoMTA that the rules are from.
    pub version: String,
    labels: Vec<Option<String>>,
}

impl Labels {
    /// Reads the file with the labels, which has to be about these replies.
    pub fn read(root: &Path, replies: &[Recorded]) -> Result<Labels> {
        let text =
            file::read(&root.join(PATH), MAX_PRODUCT).with_context(|| format!("cannot read {PATH}"))?;
        let text = String::from_utf8(text).context(PATH)?;
        let (head, rows) = text.split_once('\n').unwrap_or_default();
        let version = head.strip_prefix("# KumoMTA ").unwrap_or_default();
        let (version, _) = version.split_once(':').unwrap_or_default();
        let mut labels = Vec::new();
        for (row, recorded) in rows.lines().zip(replies) {
            let (label, reply) = row.split_once('\t').unwrap_or_default();
            if reply != recorded.reply {
                break;
            }
            labels.push((label != "-").then(|| label.to_owned()));
        }
        ensure!(
            labels.len() == replies.len() && rows.lines().count() == replies.len(),
            "{PATH} has other replies than {}: run `cargo xtask accuracy` with --peer and --peer-version",
            super::recorded::PATH
        );
        Ok(Labels { version: version.to_owned(), labels })
    }

    /// Runs the rules of files in KumoMTA's form, in their order: the first pattern that matches decides.
    pub fn new(files: &[PathBuf], version: &str, replies: &[Recorded]) -> Result<Labels> {
        let mut names = Vec::new();
        let mut patterns = Vec::new();
        for path in files {
            for (name, pattern) in rules(path).with_context(|| path.display().to_string())? {
                names.push(name);
                patterns.push(pattern);
            }
        }
        let set = RegexSet::new(&patterns).context("cannot compile the rules")?;
        let label = |recorded: &Recorded| {
            // Some patterns want a space after the codes: a reply has a text, which the recorded one may have lost.
            let matches = set.matches(&format!("{} ", recorded.reply));
            matches.iter().next().and_then(|first| names.get(first)).cloned()
        };
        Ok(Labels { version: version.to_owned(), labels: replies.iter().map(label).collect() })
    }

    /// Returns the contents of the file.
    pub fn text(&self, replies: &[Recorded]) -> String {
        let mut text = format!(
            "# KumoMTA {}: the label that its rules give to each recorded reply, or -. Made by `cargo xtask accuracy --peer`.\n",
            self.version
        );
        for (label, recorded) in self.labels.iter().zip(replies) {
            let _ = writeln!(text, "{}\t{}", label.as_deref().unwrap_or("-"), recorded.reply);
        }
        text
    }

    /// Returns the label of a reply.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.labels.get(index).and_then(Option::as_deref)
    }
}

/// Returns whether a label says the same as a category.
pub fn says_the_same(label: &str, category: &Category) -> bool {
    let others = OTHER_LABELS.iter().find(|(id, _)| *id == category.id).map_or(&[][..], |(_, labels)| labels);
    category.names.get("kumomta").is_some_and(|name| name == label) || others.contains(&label)
}

/// Returns whether a label tells to remove the address: whether a category has it for which that is right.
pub fn removes(label: &str, categories: &[Category]) -> bool {
    categories.iter().any(|category| {
        category.permanent.is_some_and(|action| action.list == ListAction::Remove)
            && says_the_same(label, category)
    })
}

/// Reads the rules of a file, in their order.
fn rules(path: &Path) -> Result<Vec<(String, String)>> {
    let text = String::from_utf8(file::read(path, MAX_PRODUCT)?)?;
    let document: DocumentMut = text.parse()?;
    let table =
        document.get("rules").and_then(|rules| rules.as_table()).context("there is no table [rules]")?;
    let mut rules = Vec::new();
    for (label, patterns) in table {
        let patterns = patterns.as_array().with_context(|| format!("{label} has to be an array"))?;
        for pattern in patterns {
            let pattern =
                pattern.as_str().with_context(|| format!("{label} has to be an array of strings"))?;
            rules.push((label.to_owned(), pattern.to_owned()));
        }
    }
    Ok(rules)
}
