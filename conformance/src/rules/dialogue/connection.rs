//! Rules about the exchanges of one connection: counts, order, closing.

mod clear_text;
mod closing;
mod counts;
mod delivery;
mod kept;
mod line_ends;
mod parameters;
mod promises;
mod spelling;
mod transaction;
mod verification;

use std::collections::BTreeMap;

use crate::counted::counted;
use crate::dialogue::Act;
use crate::dialogue::batch::{Batch, Count, is_wait};
use crate::dialogue::matching::{Match, Matching};
use crate::dialogue::session::{self, Step};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::rules::finding::{Findings, Location};
use crate::rules::observation::Observation;

pub(crate) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    counts::judge(connection, findings);
    kept::judge(connection, findings);
    clear_text::judge(connection, findings);
    line_ends::judge(connection, findings);
    closing::judge(connection, findings);
    promises::judge(connection, findings);
    spelling::judge(connection, findings);
    parameters::judge(connection, findings);
    verification::judge(connection, findings);
    transaction::judge(connection, findings);
    delivery::judge(connection, findings);
}

/// A connection, and how far its replies match its acts one to one.
pub(crate) struct Connection<'a> {
    index: usize,
    steps: &'a [Step<'a>],
    knowledge: &'a Knowledge,
    matching: Matching<'a>,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(index: usize, steps: &'a [Step<'a>], knowledge: &'a Knowledge) -> Connection<'a> {
        Connection { index, steps, knowledge, matching: Matching::of(steps) }
    }

    /// The replies to an exchange, each with what it answers.
    pub(crate) fn replies(&self, exchange: usize) -> impl Iterator<Item = Observation<'a>> {
        let (matched, knowledge) = (self.matching.at(exchange), self.knowledge);
        let step = self.steps.get(exchange);
        step.into_iter().flat_map(move |step| Observation::all(step, matched, knowledge))
    }

    /// The first batch whose replies do not match its acts one to one, or may not.
    fn odd(&self) -> Option<(Batch<'a>, Count)> {
        self.matching.odd
    }

    fn batches(&self) -> &[Batch<'a>] {
        &self.matching.batches
    }

    /// The exchanges whose replies certainly belong to their acts, each with its index.
    fn sure(&self) -> impl Iterator<Item = (usize, &'a Step<'a>)> + Clone {
        self.steps.iter().enumerate().filter(|(exchange, _)| self.matching.at(*exchange) == Match::Certain)
    }

    /// The replies that certainly answer an act, each with its location.
    pub(super) fn observations(&self) -> impl Iterator<Item = (Location, Observation<'a>)> {
        let dialogue = self.index;
        self.sure().filter(|(_, step)| !is_wait(step)).flat_map(move |(exchange, _)| {
            self.replies(exchange).map(move |observation| {
                (Location { dialogue, exchange, reply: Some(observation.nth) }, observation)
            })
        })
    }

    /// What tells the server apart from others in a recording.
    pub(super) fn server(&self) -> Vec<u8> {
        session::server(self.steps)
    }

    /// The protocol that the server speaks.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        self.steps.first().map(|step| step.session.protocol)
    }

    /// The number of exchanges.
    pub(crate) fn length(&self) -> usize {
        self.steps.len()
    }

    fn location(&self, exchange: usize, reply: Option<usize>) -> Location {
        Location { dialogue: self.index, exchange, reply }
    }
}

/// Findings by location.
#[derive(Default)]
pub(crate) struct LocatedFindings {
    findings: BTreeMap<Location, Findings>,
}

impl LocatedFindings {
    pub(super) fn at(&mut self, location: Location) -> &mut Findings {
        self.findings.entry(location).or_default()
    }

    /// Takes the findings about an exchange and its replies, and drops those about earlier ones.
    pub(crate) fn take(&mut self, dialogue: usize, exchange: usize) -> BTreeMap<Location, Findings> {
        let next = Location { dialogue, exchange: exchange + 1, reply: None };
        let rest = self.findings.split_off(&next);
        let mut taken = std::mem::replace(&mut self.findings, rest);
        taken.split_off(&Location { dialogue, exchange, reply: None })
    }
}

/// Returns how many acts a group has: `3 commands`, or `a message and 3 commands`.
fn counted_acts(batch: Batch<'_>) -> String {
    let count = batch.acts().count();
    match batch.steps.first().map(|step| &step.exchange.act) {
        Some(Act::Message(_)) => format!("a message and {}", counted(count.saturating_sub(1), "command")),
        _ => counted(count, "command"),
    }
}

/// Returns whether the client sent more only after acts that may be followed by others in a group (RFC 2920 §3.1).
fn is_proper(batch: Batch<'_>) -> bool {
    let is_followed = |step: &Step<'_>| step.exchange.pipelined || !step.exchange.ahead.is_empty();
    batch.acts().all(|(_, step)| !is_followed(step) || step.exchange.may_be_followed())
}

/// Returns whether rules about enhanced status codes look at a reply: it has a reply code, is not exempt, and is not
/// 421, which may come from something in front of the server.
pub(super) fn is_coded(observation: &Observation<'_>) -> bool {
    observation.reply.code().is_some() && !observation.is_exempt() && !observation.is(&[421])
}

#[cfg(test)]
pub(crate) mod tests;
