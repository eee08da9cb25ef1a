//! Rules about bounces (RFC 3464).

mod fields;
mod meaning;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::dsn::{Group, Name, Origin, Reply, Report};
use crate::limits::quoted;
use crate::rules::catalogue::{Level, RuleId};

/// A violation of a rule by a bounce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportFinding {
    /// The rule.
    pub rule: RuleId,
    /// The level: that of the rule, or of the condition.
    pub level: Level,
    /// The condition that lowered the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// The number of the line in the message, from 1.
    pub line: usize,
    /// What was observed, as a short clause.
    pub detail: String,
}

/// Judges a bounce. A bounce that has only a text breaks no rule.
///
/// The findings are about the server that wrote the bounce, and not about the server whose reply it shows. They are in the
/// order of the recipients, and come before those about the message.
#[must_use]
pub fn judge_report(report: &Report) -> Vec<ReportFinding> {
    let Some(part) = &report.status_part else { return Vec::new() };
    let mut replies = report.replies.iter().filter(|reply| reply.group.is_some()).peekable();
    let mut findings = Vec::new();
    for (index, fields) in report.recipients.iter().enumerate() {
        let reply = replies.next_if(|reply| reply.group == Some(index));
        let mut found = Found::default();
        let recipient = Recipient { fields, reply };
        fields::judge(&recipient, &mut found);
        meaning::judge(&recipient, &mut found);
        findings.extend(found.settled());
    }
    let mut found = Found::default();
    fields::judge_message(part, &report.message, &mut found);
    findings.extend(found.settled());
    findings
}

/// What a bounce says about a recipient.
struct Recipient<'r> {
    fields: &'r Group,
    reply: Option<&'r Reply>,
}

impl<'r> Recipient<'r> {
    /// Returns the reply of the other server.
    fn remote(&self) -> Option<&'r Reply> {
        self.reply.filter(|reply| reply.origin == Origin::Remote)
    }

    /// Returns the action in lower case.
    fn action(&self) -> Option<String> {
        Some(self.fields.get(Name::Action)?.without_comment().to_ascii_lowercase())
    }

    /// Returns the number of the line of a field, or of the first field if there is none of this name.
    fn line(&self, name: Name) -> usize {
        self.fields.get(name).map_or(self.fields.line, |field| field.line)
    }
}

/// What the rules find about a recipient, or about the message.
#[derive(Default)]
struct Found(Vec<ReportFinding>);

impl Found {
    fn add(&mut self, rule: RuleId, line: usize, detail: impl Into<String>) {
        self.add_if(false, rule, "", line, detail);
    }

    /// Adds a violation, under one of the rule's conditions if it holds.
    fn add_if(
        &mut self,
        holds: bool,
        rule: RuleId,
        condition: &'static str,
        line: usize,
        detail: impl Into<String>,
    ) {
        let condition = rule.rule().conditions.iter().find(|known| holds && known.name == condition);
        let level = condition.map(|condition| condition.level).or(rule.rule().level).unwrap_or(Level::Note);
        let condition = condition.map(|condition| condition.name);
        self.0.push(ReportFinding { rule, level, condition, line, detail: quoted(detail.into()) });
    }

    /// Returns the findings without those of rules that yield to another that was broken too.
    fn settled(self) -> Vec<ReportFinding> {
        let broken: Vec<RuleId> = self.0.iter().map(|finding| finding.rule).collect();
        let yields = |finding: &ReportFinding| {
            finding.rule.rule().yields_to.iter().any(|other| broken.contains(other))
        };
        self.0.into_iter().filter(|finding| !yields(finding)).collect()
    }
}
