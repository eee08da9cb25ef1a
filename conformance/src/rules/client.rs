//! Rules about clients: what a client sends, and what it reports, when a server replies to it.

mod accepted;
mod authentication;
mod chunks;
mod encryption;
mod envelope;
mod message;
mod opening;
mod pace;
mod recipients;
mod report;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dialogue::session::{Session, Step};
use crate::dialogue::{Dialogue, End, Exchange};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::{Finding, Location};

/// One attempt of a client to send a message.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// The connections that the client made, as the server saw them.
    pub dialogues: &'a [Dialogue],
    /// What the client reported.
    pub reported: Reported,
    /// What a client may report.
    pub expected: &'a Expected,
    /// Whether the server has sent the replies that `expected` is about.
    pub is_reached: bool,
    /// The sender and the recipients that the client was given.
    pub envelope: &'a Envelope,
    /// The message that the client was given, with CR LF at the ends of its lines unless it has others on purpose.
    pub message: &'a [u8],
    /// Whether the client was told to send nothing without TLS.
    pub demands_tls: bool,
    /// Whether the client was told to use something that only EHLO offers, such as TLS or a login.
    pub needs_extension: bool,
}

/// The sender and the recipients that a client is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The sender.
    pub sender: String,
    /// The recipients.
    pub recipients: Vec<String>,
    /// The argument of a command that is hidden in one of the addresses.
    pub injected: Option<String>,
}

/// What a client may report about an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The reports that are right. If there are none, the report is not judged.
    pub right: Vec<Reported>,
    /// The rule that other reports break.
    pub breaks: Option<RuleId>,
    /// Rules that certain other reports break instead.
    pub but: Vec<(Reported, RuleId)>,
    /// The rules that the attempt tests by what the client sends.
    pub rules: Vec<RuleId>,
}

/// What a client reported about its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reported {
    /// It was sent.
    Ok,
    /// It may be tried again.
    Temporary,
    /// It must not be tried again.
    Permanent,
    /// It was sent to some of the recipients. The client does not say whether to try again for the others.
    Partial,
    /// It was sent to some of the recipients, and may be tried again for others.
    PartialTemporary,
    /// It was sent to some of the recipients, and must not be tried again for the others.
    PartialPermanent,
    /// It was not sent. The client does not say whether to try again.
    Failed,
    /// Nothing: it did not end in time.
    Hung,
    /// Nothing: it was stopped because it sent more than any attempt needs.
    Looped,
}

impl Reported {
    /// Returns whether it counts as one of the reports that are right. `failed` does wherever `temporary` or `permanent` is
    /// right, `partial` wherever one of its two classes is, and these two wherever `partial` is.
    #[must_use]
    pub fn satisfies(self, right: &[Reported]) -> bool {
        let is_failure = |one: &Reported| matches!(one, Reported::Temporary | Reported::Permanent);
        right.contains(&self)
            || match self {
                Reported::Failed => right.iter().any(is_failure),
                Reported::Partial => right.iter().any(|one| one.is_partial()),
                Reported::PartialTemporary | Reported::PartialPermanent => right.contains(&Reported::Partial),
                _ => false,
            }
    }

    /// Returns whether it was sent to some of the recipients.
    #[must_use]
    pub fn is_partial(self) -> bool {
        matches!(self, Reported::Partial | Reported::PartialTemporary | Reported::PartialPermanent)
    }
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reported::Ok => "ok",
            Reported::Temporary => "temporary",
            Reported::Permanent => "permanent",
            Reported::Partial => "partial",
            Reported::PartialTemporary => "partial-temporary",
            Reported::PartialPermanent => "partial-permanent",
            Reported::Failed => "failed",
            Reported::Hung => "hung",
            Reported::Looped => "looped",
        })
    }
}

impl Expected {
    /// Returns every rule that the attempt tests, each once.
    #[must_use]
    pub fn tests(&self) -> Vec<RuleId> {
        let outcome = self.breaks.iter().chain(self.but.iter().map(|(_, rule)| rule));
        let all: BTreeSet<RuleId> = outcome.chain(&self.rules).copied().collect();
        all.into_iter().collect()
    }
}

/// What the rules say about an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// The rules that applied, whether they were kept or not.
    pub judged: BTreeSet<RuleId>,
    /// The violations, in the order of their locations, then of the catalogue.
    pub findings: Vec<Finding>,
}

/// Judges an attempt.
///
/// What the client sent is judged by all rules that apply. What it reported is judged only if the server has sent the
/// replies that the attempt is about.
#[must_use]
pub fn judge_client(sending: &Sending<'_>) -> Opinion {
    let connections: Vec<Connection<'_>> = sending
        .dialogues
        .iter()
        .enumerate()
        .map(|(index, dialogue)| Connection { index, steps: Session::steps(dialogue) })
        .collect();
    let mut opinion = Opinion::default();
    for connection in &connections {
        opening::judge(connection, sending, &mut opinion);
        encryption::judge(connection, sending, &mut opinion);
        authentication::judge(connection, &mut opinion);
        envelope::judge(connection, sending, &mut opinion);
        message::judge(connection, sending, &mut opinion);
        chunks::judge(connection, sending.message, &mut opinion);
        pace::judge(connection, &mut opinion);
    }
    if connections.is_empty() && sending.envelope.injected.is_some() && sending.reports_failure() {
        // The client refused the address before it connected.
        opinion.keep(RuleId::CLIENT_ADDRESS_INJECTION);
    }
    recipients::judge(&connections, sending, &mut opinion);
    report::judge(&connections, sending, &mut opinion);
    opinion.settle();
    opinion
}

impl Sending<'_> {
    fn reports_failure(&self) -> bool {
        matches!(self.reported, Reported::Temporary | Reported::Permanent | Reported::Failed)
    }

    /// Returns whether the client has sent a command on any connection.
    fn has_sent(&self, verb: Verb) -> bool {
        let exchanges = || self.dialogues.iter().flat_map(|dialogue| &dialogue.exchanges);
        exchanges().filter_map(Exchange::command).any(|command| command.verb() == verb)
    }
}

/// A connection of the client.
struct Connection<'a> {
    index: usize,
    steps: Vec<Step<'a>>,
}

impl Connection<'_> {
    fn location(&self, step: usize) -> Location {
        Location { dialogue: self.index, exchange: step, reply: None }
    }

    /// Returns whether the client hung up after a reply with which the server goes on. If there is no reply, the client may
    /// have waited for it, or have given up a message that it cannot take back otherwise.
    fn ended_by_client(&self) -> bool {
        self.steps.last().is_some_and(|last| {
            let shuts_down = last.replies.iter().any(|reply| reply.number() == Some(421));
            let is_open = last.exchange.end == End::Answered && !last.session.shut_down && !shuts_down;
            is_open && !last.replies.is_empty()
        })
    }
}

impl Opinion {
    /// Notes that a rule applied, and that it was kept.
    fn keep(&mut self, rule: RuleId) {
        self.judged.insert(rule);
    }

    /// Notes that a rule was broken.
    fn violate(&mut self, rule: RuleId, location: Location, detail: impl Into<String>) {
        self.violate_under(None, rule, location, detail);
    }

    /// Notes that a rule was broken, under one of its conditions.
    fn violate_under(
        &mut self,
        condition: Option<&'static str>,
        rule: RuleId,
        location: Location,
        detail: impl Into<String>,
    ) {
        self.judged.insert(rule);
        self.findings.push(Finding::new(rule, condition, location, detail.into()));
    }

    /// Keeps the gravest finding for each rule, and none for rules that yield to another one that was broken.
    fn settle(&mut self) {
        let broken: Vec<RuleId> = self.findings.iter().map(|finding| finding.rule).collect();
        self.findings
            .retain(|finding| !finding.rule.rule().yields_to.iter().any(|other| broken.contains(other)));
        self.findings.sort_by_key(|finding| (finding.rule, Reverse(finding.level), finding.location));
        self.findings.dedup_by_key(|finding| finding.rule);
        self.findings.sort_by_key(|finding| (finding.location, finding.rule));
    }
}
