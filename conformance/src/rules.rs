//! The rules: pure functions that turn what was observed into findings.
//!
//! A reply rule looks at one [`Observation`](observation::Observation). A dialogue rule looks at the ordered exchanges
//! of one connection, or of all connections of a run. Rules do no I/O, so a live run and a recording of it are judged
//! alike.

pub mod catalogue;
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
    let steps =
        |dialogue| if wrong_service(dialogue).is_some() { Vec::new() } else { Session::steps(dialogue) };
    let mut steps: Vec<Vec<Step<'_>>> = dialogues.iter().map(steps).collect();
    share_announcements(&mut steps);
    let connection = |(index, steps)| Connection::new(index, steps, knowledge);
    let connections: Vec<Connection<'_>> =
        steps.iter().map(Vec::as_slice).enumerate().map(connection).collect();
    let mut located = LocatedFindings::default();
    for connection in &connections {
        dialogue::connection::judge(connection, &mut located);
    }
    dialogue::across::judge(&connections, &mut located);
    let mut agreement = Agreement::default();
    let mut gathered = Gathered::of(dialogues);
    for (dialogue, connection) in connections.iter().enumerate() {
        for exchange in 0..connection.length() {
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
    let mut findings = gathered.finish();
    if strictness.registry {
        const UNLISTED: [RuleId; 2] = [RuleId::PAIR_UNLISTED, RuleId::PAIR_CLASS_WILDCARD];
        let unlisted = findings.iter_mut().filter(|finding| UNLISTED.contains(&finding.rule));
        unlisted.for_each(|finding| finding.level = Level::Error);
    }
    Judgement { findings, agreement }
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
