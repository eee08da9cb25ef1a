//! Rules about the exchanges of one connection: counts, order, closing.

mod batch;
mod closing;
mod counts;
mod delivery;
mod promises;
mod transaction;

use std::collections::BTreeMap;

use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::rules::finding::{Finding, Findings, Location};
use crate::rules::observation::Observation;

use batch::{Batch, Count};

pub(crate) fn judge(connection: &Connection<'_>) -> Vec<Finding> {
    let mut findings = LocatedFindings::default();
    counts::judge(connection, &mut findings);
    closing::judge(connection, &mut findings);
    promises::judge(connection, &mut findings);
    transaction::judge(connection, &mut findings);
    delivery::judge(connection, &mut findings);
    findings.findings()
}

/// A connection, and how far its replies match its acts one to one.
pub(crate) struct Connection<'a> {
    index: usize,
    steps: &'a [Step<'a>],
    knowledge: &'a Knowledge,
    batches: Vec<Batch<'a>>,
    /// The first batch whose replies may not match its acts one to one. After it, no reply certainly belongs to its
    /// act.
    odd: Option<(Batch<'a>, Count)>,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(index: usize, steps: &'a [Step<'a>], knowledge: &'a Knowledge) -> Connection<'a> {
        let batches = batch::batches(steps);
        // The first reply to an act before the greeting is the greeting.
        let mut over = steps.first().is_none_or(|step| step.exchange.act != Act::Connect);
        let mut count = |batch: &Batch<'a>| {
            let count = if over { Count::Unknown } else { batch.count() };
            over |= batch.acts().any(|(_, step)| step.verb() == Some(Verb::Quit));
            (*batch, count)
        };
        let odd = batches.iter().map(&mut count).find(|(_, count)| *count != Count::Even);
        Connection { index, steps, knowledge, batches, odd }
    }

    /// The exchanges whose replies certainly belong to their acts, each with its index.
    fn sure(&self) -> impl Iterator<Item = (usize, &'a Step<'a>)> + Clone {
        // Even with too many or too few replies, the first reply to an act that was sent alone is its own.
        let sure = match &self.odd {
            None => self.steps.len(),
            Some((batch, count)) if *count == Count::Unknown || batch.is_pipelined() => batch.start,
            Some((batch, Count::More)) if batch.ends_late() => 0,
            Some((batch, _)) => batch.start + 1,
        };
        self.steps.iter().enumerate().take(sure)
    }

    /// The replies that certainly answer an act, each with its location.
    pub(super) fn observations(&self) -> impl Iterator<Item = (Location, Observation<'a>)> {
        let (dialogue, knowledge) = (self.index, self.knowledge);
        self.sure().filter(|(_, step)| !batch::is_wait(step)).flat_map(move |(exchange, step)| {
            Observation::all(step, knowledge).map(move |observation| {
                (Location { dialogue, exchange, reply: Some(observation.nth) }, observation)
            })
        })
    }

    /// The protocol that the server speaks.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        self.steps.first().map(|step| step.session.protocol)
    }

    fn location(&self, exchange: usize, reply: Option<usize>) -> Location {
        Location { dialogue: self.index, exchange, reply }
    }
}

/// Findings by location.
#[derive(Default)]
pub(super) struct LocatedFindings {
    findings: BTreeMap<Location, Findings>,
}

impl LocatedFindings {
    pub(super) fn at(&mut self, location: Location) -> &mut Findings {
        self.findings.entry(location).or_default()
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        self.findings.into_iter().flat_map(|(location, findings)| findings.at(location)).collect()
    }
}

/// Returns whether rules about enhanced status codes look at a reply: it has a reply code, is not exempt, and is not
/// 421, which may come from something in front of the server.
pub(super) fn is_coded(observation: &Observation<'_>) -> bool {
    observation.reply.code().is_some() && !observation.is_exempt() && !observation.is(&[421])
}

#[cfg(test)]
pub(crate) mod tests;
