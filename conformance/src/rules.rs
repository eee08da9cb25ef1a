//! The rules: pure functions that turn what was observed into findings.
//!
//! A reply rule looks at one [`Observation`](observation::Observation). A dialogue rule looks at the ordered exchanges
//! of one connection, or of all connections of a run. Rules do no I/O, so a live run and a recording of it are judged
//! alike.

pub mod catalogue;
pub mod client;
mod dialogue;
pub mod finding;
pub mod observation;
pub mod profile;
pub(crate) mod reply;
pub mod report;

use std::collections::HashSet;

use crate::dialogue::Dialogue;
use crate::dialogue::session::{self, Session, Step};
use crate::dialogue::wrong_service::wrong_service;
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;

use catalogue::{Level, RuleId};
use dialogue::connection::{Connection, LocatedFindings};
use finding::{Finding, Findings, Gathered, Location, settle};

pub use reply::registry::Agreement;

/// How strictly rules judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// Whether pairs that the registry does not list are errors.
    pub registry: bool,
}

/// Returns whether a rule compares the connections of a run.
#[cfg(feature = "run")]
pub(crate) fn compares_connections(rule: RuleId) -> bool {
    dialogue::across::RULES.contains(&rule)
}

/// The judgement of the connections of a run or a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The findings in the order of their locations, then of the catalogue.
    pub findings: Vec<Finding>,
    /// How the observed pairs agree with the registry.
    pub agreement: Agreement,
}

/// Judges the connections of a run or a recording.
///
/// A connection to a server that certainly speaks another protocol, such as HTTP, has no findings.
///
/// ```
/// use smtp_conformance::readers::transcript;
/// use smtp_conformance::{Knowledge, Protocol, Strictness, judge};
///
/// let recorded = "\
/// #: connected
/// S: 220 mx.example.org
/// C: EHLO me
/// S: 250-mx.example.org
/// S: 250 ENHANCEDSTATUSCODES
/// C: NOOP
/// S: 250 Ok
/// ";
/// let dialogues = transcript::read("session.txt", Protocol::Smtp, recorded)?;
/// let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
/// assert_eq!(judgement.findings[0].rule.to_string(), "enhanced-code-present");
/// # Ok::<(), anyhow::Error>(())
/// ```
#[must_use]
pub fn judge(dialogues: &[Dialogue], knowledge: &Knowledge, strictness: Strictness) -> Judgement {
    let mut judgement = judge_where(dialogues, knowledge, |_, _| true);
    if strictness.registry {
        const UNLISTED: [RuleId; 2] = [RuleId::PAIR_UNLISTED, RuleId::PAIR_CLASS_WILDCARD];
        let unlisted = judgement.findings.iter_mut().filter(|finding| UNLISTED.contains(&finding.rule));
        unlisted.for_each(|finding| finding.level = Level::Error);
    }
    judgement
}

/// Judges as [`judge`] does, but finds something only in those exchanges that are wanted, by the indexes of their dialogue
/// and of themselves.
pub(crate) fn judge_where(
    dialogues: &[Dialogue],
    knowledge: &Knowledge,
    is_wanted: impl Fn(usize, usize) -> bool,
) -> Judgement {
    let steps =
        |dialogue| if wrong_service(dialogue).is_some() { Vec::new() } else { Session::steps(dialogue) };
    let mut steps: Vec<Vec<Step<'_>>> = dialogues.iter().map(steps).collect();
    share_announcements(&mut steps);
    let connection = |(index, steps)| Connection::new(index, steps, knowledge);
    let connections: Vec<Connection<'_>> =
        steps.iter().map(Vec::as_slice).enumerate().map(connection).collect();
    let mut located = LocatedFindings::default();
    for (dialogue, connection) in connections.iter().enumerate() {
        if (0..connection.length()).any(|exchange| is_wanted(dialogue, exchange)) {
            dialogue::connection::judge(connection, &mut located);
        }
    }
    dialogue::across::judge(&connections, &mut located);
    let mut agreement = Agreement::default();
    let mut gathered = Gathered::of(dialogues);
    for (dialogue, connection) in connections.iter().enumerate() {
        for exchange in (0..connection.length()).filter(|exchange| is_wanted(dialogue, *exchange)) {
            let mut found: Vec<(Location, Findings)> = located.take(dialogue, exchange).into_iter().collect();
            for observation in connection.replies(exchange) {
                let mut findings = Findings::default();
                reply::judge(&observation, &mut findings);
                agreement.count(&observation);
                if !findings.is_empty() {
                    found.push((Location { dialogue, exchange, reply: Some(observation.nth) }, findings));
                }
            }
            if !found.is_empty() {
                gathered.extend(settle(found));
            }
        }
    }
    Judgement { findings: gathered.finish(), agreement }
}

/// Tells each session what the server announced in its other sessions of the same protocol and TLS state.
fn share_announcements(connections: &mut [Vec<Step<'_>>]) {
    let mut announcing: HashSet<(Vec<u8>, Protocol, bool, &str)> = HashSet::new();
    for steps in connections.iter() {
        let server = session::server(steps);
        for keyword in ["ENHANCEDSTATUSCODES", "ATRN"] {
            for step in steps.iter().filter(|step| step.announces(keyword)) {
                announcing.insert((server.clone(), step.session.protocol, step.session.tls, keyword));
            }
        }
    }
    for steps in connections.iter_mut().filter(|_| !announcing.is_empty()) {
        let server = session::server(steps);
        for step in steps {
            let Session { protocol, tls, .. } = step.session;
            let announced = |keyword| announcing.contains(&(server.clone(), protocol, tls, keyword));
            step.session.run_promises_codes = announced("ENHANCEDSTATUSCODES");
            step.session.run_lists_atrn = announced("ATRN");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::finding::Finding;
    use super::{Strictness, judge, judge_where};
    use crate::knowledge::Knowledge;
    use crate::readers::testing::dialogues;

    /// The findings are of all kinds: about a reply, about one connection, and about several.
    #[test]
    fn what_is_found_in_an_exchange_does_not_depend_on_what_is_wanted() {
        let dialogues = dialogues(
            "#: connected\nS: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES\n\
             C: NOOP\nS: 250 Ok\nC: RSET\nS: 250 2.0.0 Ok\nS: 250 2.0.0 Ok\nC: QUIT\nS: 250 2.0.0 Bye\n\
             #: connected\nS: 220 mx.example.org\nC: EHLO me.example.org\nS: 250-mx.example.org\n\
             S: 250-8BITMIME\nS: 250 ENHANCEDSTATUSCODES\nC: NOOP\nS: 650 No\nC: QUIT\nS: 221 2.0.0 Bye\n\
             #: connected\nS: 220 mx.example.org\nC: HELO me\nS: 250 mx.example.org\nC: NOOP\nS: 250 Ok",
        );
        let knowledge = Knowledge::default();
        let all = judge(&dialogues, &knowledge, Strictness::default()).findings;
        let found = |dialogue| all.iter().filter(|one| one.location.dialogue == dialogue).count();
        assert!((0..3).all(|dialogue| found(dialogue) > 0), "{all:?}");
        for (index, dialogue) in dialogues.iter().enumerate() {
            for exchange in 0..dialogue.exchanges.len() {
                let is_wanted = |other, one| (other, one) == (index, exchange);
                let here =
                    |finding: &&Finding| is_wanted(finding.location.dialogue, finding.location.exchange);
                let expected: Vec<Finding> = all.iter().filter(here).cloned().collect();
                assert_eq!(judge_where(&dialogues, &knowledge, is_wanted).findings, expected);
            }
        }
    }
}
