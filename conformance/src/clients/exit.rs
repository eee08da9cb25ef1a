//! What the end of a client's process and its output say about the message.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use regex::bytes::Regex;

use crate::rules::client::Reported;

/// What exit statuses and output say.
///
/// ```
/// use smtp_conformance::clients::exit::Exits;
///
/// let exits = Exits::read("ok=0,temporary=75,permanent=65+69")?;
/// assert!(Exits::read("ok=0,gone=1").unwrap_err().to_string().starts_with("there is no outcome \"gone\""));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exits {
    statuses: BTreeMap<i32, Reported>,
    patterns: Vec<(Reported, Regex)>,
}

impl Default for Exits {
    /// 0 is ok, and any other status a failure of no class.
    fn default() -> Exits {
        Exits { statuses: BTreeMap::from([(0, Reported::Ok)]), patterns: Vec::new() }
    }
}

impl Exits {
    /// Reads a list such as `ok=0,temporary=75,permanent=65+69`. Statuses that it does not name are failures of no class.
    ///
    /// # Errors
    ///
    /// If an outcome is not known, if a status is not a number, or if it has two outcomes.
    pub fn read(text: &str) -> Result<Exits> {
        let mut exits = Exits { statuses: BTreeMap::new(), patterns: Vec::new() };
        for part in text.split(',') {
            let Some((name, statuses)) = part.split_once('=') else {
                bail!("{part:?}: expected OUTCOME=STATUS, such as temporary=75");
            };
            let outcome = outcome(name.trim())?;
            for status in statuses.split('+') {
                let number =
                    status.trim().parse().with_context(|| format!("{status:?} is not an exit status"))?;
                exits.add(outcome, number)?;
            }
        }
        Ok(exits)
    }

    /// Adds an exit status.
    ///
    /// # Errors
    ///
    /// If it has another outcome already.
    pub fn add(&mut self, outcome: Reported, status: i32) -> Result<()> {
        let before = self.statuses.insert(status, outcome);
        ensure!(before.is_none(), "status {status} has two outcomes: choose one");
        Ok(())
    }

    /// Returns a map without any status.
    #[must_use]
    pub fn none() -> Exits {
        Exits { statuses: BTreeMap::new(), patterns: Vec::new() }
    }

    /// Adds a regular expression. If it matches the output of the client, its outcome comes before the exit status.
    ///
    /// # Errors
    ///
    /// If it is not a regular expression.
    pub fn add_pattern(&mut self, outcome: Reported, pattern: &str) -> Result<()> {
        self.patterns.push((outcome, Regex::new(pattern).with_context(|| format!("{pattern:?}"))?));
        Ok(())
    }

    /// Returns what a client reported that ended with a status, or `None` if a signal ended it.
    pub(super) fn reported(&self, status: Option<i32>, output: &[u8]) -> Reported {
        let found = self.patterns.iter().find(|(_, pattern)| pattern.is_match(output));
        let by_status = || status.and_then(|status| self.statuses.get(&status).copied());
        found.map(|(outcome, _)| *outcome).or_else(by_status).unwrap_or(Reported::Failed)
    }
}

/// Finds an outcome that a client can report.
///
/// # Errors
///
/// If there is no such outcome, with those that there are.
pub fn outcome(name: &str) -> Result<Reported> {
    Ok(match name {
        "ok" => Reported::Ok,
        "temporary" => Reported::Temporary,
        "permanent" => Reported::Permanent,
        "partial" => Reported::Partial,
        "partial-temporary" => Reported::PartialTemporary,
        "partial-permanent" => Reported::PartialPermanent,
        "failed" => Reported::Failed,
        _ => bail!(
            "there is no outcome {name:?}: use ok, temporary, permanent, partial, partial-temporary, partial-permanent or failed"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_comes_before_the_status() {
        let mut exits = Exits::read("ok=0,temporary=75,permanent=65+69").expect("it is well-formed");
        exits.add_pattern(Reported::Partial, "(?i)some recipients").expect("a pattern");
        let reported = |status, output: &str| exits.reported(status, output.as_bytes());
        assert_eq!(reported(Some(0), ""), Reported::Ok);
        assert_eq!(reported(Some(69), "no"), Reported::Permanent);
        assert_eq!(reported(Some(0), "Some recipients were refused"), Reported::Partial);
        assert_eq!(reported(Some(1), ""), Reported::Failed);
        assert_eq!(reported(None, ""), Reported::Failed);
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, expected) in [
            ("0", "\"0\": expected OUTCOME=STATUS, such as temporary=75"),
            ("ok=0,temporary=0", "status 0 has two outcomes: choose one"),
            ("ok=zero", "\"zero\" is not an exit status"),
        ] {
            assert_eq!(Exits::read(text).expect_err(text).to_string(), expected);
        }
    }
}
