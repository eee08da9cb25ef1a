//! Findings: violations of rules, with their locations.

use std::cmp::Reverse;
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
    /// The level: that of the rule, or of the condition.
    pub level: Level,
    /// The condition that lowered the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// Where it was observed.
    pub location: Location,
    /// The index of the exchange that shows it, if that is another one: a reply that belongs to one act may come after
    /// the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<usize>,
    /// What was observed, as a short clause.
    pub detail: String,
    /// Why it is accepted, if a baseline accepts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// The number of further findings of this rule and level in the same case or connection that were not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
}

impl Finding {
    /// Returns a violation of a rule, under one of the rule's conditions or none.
    pub(crate) fn new(
        rule: RuleId,
        condition: Option<&'static str>,
        location: Location,
        detail: String,
    ) -> Finding {
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
            shown: None,
            detail: quoted(detail),
            accepted: None,
            more: 0,
        }
    }

    /// The number of findings it represents: itself and those that were only counted.
    #[must_use]
    pub fn times(&self) -> usize {
        self.more.saturating_add(1)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Collects findings. For each case or connection, rule and level, it [keeps a limited number](FINDINGS) and counts
/// the rest.
#[derive(Debug)]
pub(crate) struct Gathered<'d> {
    dialogues: &'d [Dialogue],
    findings: Vec<Finding>,
    /// For each connection, case, rule and level: how many findings were kept, and the index of the last.
    kept: HashMap<(usize, usize, RuleId, Level), (usize, usize)>,
}

impl<'d> Gathered<'d> {
    /// Creates an empty collection for these connections.
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

    /// Returns the findings that were kept, in the order of their locations, then of the catalogue.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|one| (one.location, one.rule));
        self.findings
    }
}

/// Why a finding is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Accepted {
    /// The RFC and section that the server breaks.
    pub section: String,
    /// Why that is not fixed.
    pub reason: String,
    /// Where to read more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Where a finding was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The index of the dialogue, from 0.
    pub dialogue: usize,
    /// The index of the exchange in the dialogue, from 0.
    pub exchange: usize,
    /// The index of the reply in the exchange, from 0. `None` if the finding is not about a single reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<usize>,
}

/// Formats a location as `3.7.0`: dialogue, exchange and reply, each from 0.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dialogue, self.exchange)?;
        self.reply.map_or(Ok(()), |reply| write!(f, ".{reply}"))
    }
}

/// What the rules find at one location.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Violation>,
}

#[derive(Debug)]
struct Violation {
    rule: RuleId,
    condition: Option<&'static str>,
    shown: Option<usize>,
    detail: String,
}

impl Findings {
    /// Adds a violation of a rule.
    pub(crate) fn add(&mut self, rule: RuleId, detail: impl Into<String>) {
        self.found.push(Violation { rule, condition: None, shown: None, detail: detail.into() });
    }

    /// Adds a violation of a rule that another exchange shows.
    pub(crate) fn add_shown(&mut self, rule: RuleId, detail: impl Into<String>, exchange: usize) {
        self.found.push(Violation { rule, condition: None, shown: Some(exchange), detail: detail.into() });
    }

    /// Adds a violation of a rule under one of the rule's conditions.
    pub(crate) fn add_under(&mut self, rule: RuleId, condition: &'static str, detail: impl Into<String>) {
        self.add_if(true, rule, condition, detail);
    }

    /// Adds a violation of a rule, under one of the rule's conditions or none.
    pub(crate) fn add_with(
        &mut self,
        rule: RuleId,
        condition: Option<&'static str>,
        detail: impl Into<String>,
    ) {
        self.found.push(Violation { rule, condition, shown: None, detail: detail.into() });
    }

    /// Adds a violation as [`Findings::add_under`] does if the condition holds, otherwise as [`Findings::add`] does.
    pub(crate) fn add_if(
        &mut self,
        holds: bool,
        rule: RuleId,
        condition: &'static str,
        detail: impl Into<String>,
    ) {
        let condition = holds.then_some(condition);
        self.found.push(Violation { rule, condition, shown: None, detail: detail.into() });
    }

    /// Adds a remark to what was said of a pair.
    pub(crate) fn remark_on(&mut self, pair: &str, remark: &str) {
        for violation in self.found.iter_mut().filter(|violation| violation.detail.contains(pair)) {
            violation.detail.push_str("; ");
            violation.detail.push_str(remark);
        }
    }

    /// Returns whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl Violation {
    fn at(self, location: Location) -> Finding {
        let Violation { rule, condition, shown, detail } = self;
        let shown = shown.filter(|exchange| *exchange != location.exchange);
        Finding { shown, ..Finding::new(rule, condition, location, detail) }
    }
}

/// Returns what was found in one exchange, without the findings that yield to a more precise rule about the same reply
/// or about the exchange.
pub(crate) fn settle(found: Vec<(Location, Findings)>) -> Vec<Finding> {
    let broken: Vec<(Option<usize>, RuleId)> = found
        .iter()
        .flat_map(|(location, findings)| {
            findings.found.iter().map(|violation| (location.reply, violation.rule))
        })
        .collect();
    let yields = |location: Location, rule: RuleId| {
        let is_here =
            |reply: Option<usize>| reply == location.reply || reply.is_none() || location.reply.is_none();
        let yields_to = rule.rule().yields_to;
        broken.iter().any(|(reply, other)| yields_to.contains(other) && is_here(*reply))
    };
    let mut kept = Vec::new();
    for (location, findings) in found {
        let violations = findings.found.into_iter().filter(|violation| !yields(location, violation.rule));
        kept.extend(violations.map(|violation| violation.at(location)));
    }
    // Of several findings of a rule about the same reply, the first of the highest level is kept.
    kept.sort_by_key(|finding| (finding.location, finding.rule, Reverse(finding.level)));
    kept.dedup_by_key(|finding| (finding.rule, finding.location));
    kept
}
