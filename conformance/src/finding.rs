//! What a rule found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::baseline::Known;
use crate::catalogue::{Level, RuleId};

/// A breach of a rule.
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
    pub place: Place,
    /// What was seen, in a clause.
    pub detail: String,
    /// Why it is known, if a baseline has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// Where a finding was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The dialogue, from 0.
    pub dialogue: usize,
    /// The exchange in it, from 0.
    pub exchange: usize,
    /// The reply of the exchange, from 0; `None` if the finding is about something else than one reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<usize>,
}

/// `3.7.0`: dialogue, exchange and reply, each from 0.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dialogue, self.exchange)?;
        self.reply.map_or(Ok(()), |reply| write!(f, ".{reply}"))
    }
}

/// What the rules find at one place.
#[derive(Debug, Default)]
pub(crate) struct Breaches {
    found: Vec<(RuleId, Option<&'static str>, String)>,
}

impl Breaches {
    /// Notes that a rule is broken.
    pub(crate) fn add(&mut self, rule: RuleId, detail: impl Into<String>) {
        self.found.push((rule, None, detail.into()));
    }

    /// Notes that a rule is broken, under a condition that its entry in the catalogue names.
    pub(crate) fn add_under(&mut self, rule: RuleId, condition: &'static str, detail: impl Into<String>) {
        self.found.push((rule, Some(condition), detail.into()));
    }

    /// As [`Breaches::add_under`] if the condition holds, else as [`Breaches::add`].
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
    pub(crate) fn findings(self, place: Place) -> Vec<Finding> {
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
                place,
                detail,
                known: None,
            }
        };
        let mut findings: Vec<Finding> =
            self.found.into_iter().filter(|(rule, ..)| stands(rule)).map(finding).collect();
        findings.sort();
        findings.dedup_by_key(|finding| (finding.rule, finding.place));
        findings
    }
}
