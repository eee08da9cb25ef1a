//! What a rule found.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dialogue::{Dialogue, Part};
use crate::limits::{FINDINGS, quoted};
use crate::rules::catalogue::{Level, RuleId};

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Its weight: the rule's, or that of the condition.
    pub level: Level,
    /// The condition of the rule that lowers the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// Where it was seen.
    pub location: Location,
    /// What was seen, in a clause.
    pub detail: String,
    /// Why it is accepted, if a baseline has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Further findings of this rule and level in the same case or connection, which were counted but not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
}

impl Finding {
    /// How many findings it stands for: itself and those that were only counted.
    #[must_use]
    pub fn times(&self) -> usize {
        self.more.saturating_add(1)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Findings as the rules bring them, of which each case or connection [keeps some](FINDINGS) of a rule and level and
/// counts the rest.
#[derive(Debug)]
pub(crate) struct Gathered<'d> {
    dialogues: &'d [Dialogue],
    findings: Vec<Finding>,
    /// How many were kept of each, and where the last of them is.
    kept: HashMap<(usize, usize, RuleId, Level), (usize, usize)>,
}

impl<'d> Gathered<'d> {
    /// Nothing yet, of these connections.
    pub(crate) fn of(dialogues: &'d [Dialogue]) -> Gathered<'d> {
        Gathered { dialogues, findings: Vec::new(), kept: HashMap::new() }
    }

    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.add(finding);
        }
    }

    fn add(&mut self, finding: Finding) {
        let Location { dialogue, exchange, .. } = finding.location;
        let part =
            self.dialogues.get(dialogue).map_or(0, |dialogue| Part::position(&dialogue.cases, exchange));
        let (kept, last) = self.kept.entry((dialogue, part, finding.rule, finding.level)).or_default();
        if *kept < FINDINGS {
            *kept += 1;
            *last = self.findings.len();
            self.findings.push(finding);
        } else if let Some(last) = self.findings.get_mut(*last) {
            last.more = last.more.saturating_add(finding.times());
        }
    }

    /// The findings that were kept, in the order of their locations, then of the catalogue.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|one| (one.location, one.rule));
        self.findings
    }
}

/// Why a finding is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Accepted {
    /// What the server breaks: an RFC and its section.
    pub section: String,
    /// Why that is left as it is.
    pub reason: String,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Where a finding was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The dialogue, from 0.
    pub dialogue: usize,
    /// The exchange in it, from 0.
    pub exchange: usize,
    /// The reply of the exchange, from 0; `None` if the finding is about something else than one reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<usize>,
}

/// `3.7.0`: dialogue, exchange and reply, each from 0.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dialogue, self.exchange)?;
        self.reply.map_or(Ok(()), |reply| write!(f, ".{reply}"))
    }
}

/// What the rules find at one location.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<(RuleId, Option<&'static str>, String)>,
}

impl Findings {
    /// Notes that a rule is broken.
    pub(crate) fn add(&mut self, rule: RuleId, detail: impl Into<String>) {
        self.found.push((rule, None, detail.into()));
    }

    /// Notes that a rule is broken, under a condition that its entry in the catalogue names.
    pub(crate) fn add_under(&mut self, rule: RuleId, condition: &'static str, detail: impl Into<String>) {
        self.found.push((rule, Some(condition), detail.into()));
    }

    /// As [`Findings::add_under`] if the condition holds, else as [`Findings::add`].
    pub(crate) fn add_if(
        &mut self,
        holds: bool,
        rule: RuleId,
        condition: &'static str,
        detail: impl Into<String>,
    ) {
        self.found.push((rule, holds.then_some(condition), detail.into()));
    }

    /// The findings, without those that yield to a more exact rule.
    pub(crate) fn at(self, location: Location) -> Vec<Finding> {
        let broken: Vec<RuleId> = self.found.iter().map(|(rule, ..)| *rule).collect();
        let stands = |rule: &RuleId| !rule.rule().yields_to.iter().any(|other| broken.contains(other));
        let finding = |(rule, condition, detail): (RuleId, Option<&'static str>, String)| {
            let entry = rule.rule();
            let lowered =
                condition.and_then(|name| entry.conditions.iter().find(|condition| condition.name == name));
            debug_assert!(condition.is_none() || lowered.is_some(), "{rule} has no condition {condition:?}");
            let level = lowered.map(|condition| condition.level).or(entry.level).unwrap_or(Level::Note);
            Finding {
                rule,
                level,
                condition: lowered.map(|condition| condition.name),
                location,
                detail: quoted(detail),
                accepted: None,
                more: 0,
            }
        };
        let mut findings: Vec<Finding> =
            self.found.into_iter().filter(|(rule, ..)| stands(rule)).map(finding).collect();
        findings.sort();
        findings.dedup_by_key(|finding| (finding.rule, finding.location));
        findings
    }
}
