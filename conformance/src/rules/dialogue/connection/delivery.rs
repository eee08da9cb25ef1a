//! Rules about what arrived: the message, its envelope, and how many copies there are.

mod body;
mod envelope;
mod header;
mod message;
mod release;
mod stamp;
mod trace;

use crate::dialogue::Exchange;
use crate::dialogue::arrival::{Arrival, Arrived};
use crate::dialogue::content::{content, interrupted, lines};
use crate::dialogue::octets::is_shortened;
use crate::dialogue::session::Step;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;

use super::{Connection, LocatedFindings};
use envelope::Envelope;
use message::{Ends, Message};

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let exchanges: Vec<&Exchange> = connection.steps.iter().map(|step| step.exchange).collect();
    for (index, step) in connection.steps.iter().enumerate() {
        let Some(arrived) = step.exchange.arrived.as_ref().filter(|arrived| !arrived.copies.is_empty())
        else {
            continue;
        };
        let Some(content) = content(&exchanges, index) else {
            if interrupted(&exchanges, index).is_some() {
                release::interrupted(step, arrived, findings.at(connection.location(index, None)));
            }
            continue;
        };
        if step.exchange.act.parts().into_iter().flat_map(lines).any(is_shortened) {
            continue;
        }
        let Some(envelope) = Envelope::of(connection.steps, index) else { continue };
        let delivered = Delivered { step, arrived, content: &content, client: client(connection, index) };
        let found = findings.at(connection.location(index, None));
        release::judge(&delivered, found);
        if delivered.are_different() {
            found.add(RuleId::ONE_MESSAGE_DELIVERED, "the copies that arrived have different bodies");
            continue;
        }
        envelope.judge(&delivered, found);
        for copy in &arrived.copies {
            delivered.judge(copy, found);
        }
    }
}

/// A message that was sent and has arrived.
struct Delivered<'a> {
    step: &'a Step<'a>,
    arrived: &'a Arrived,
    /// What the client sent.
    content: &'a [u8],
    /// The name that the client gave in EHLO, LHLO or HELO.
    client: Option<String>,
}

/// Returns the name in the last EHLO, LHLO or HELO that was accepted before an exchange.
fn client(connection: &Connection<'_>, index: usize) -> Option<String> {
    let is_hello = |step: &&Step<'_>| {
        matches!(step.verb(), Some(Verb::Ehlo | Verb::Lhlo | Verb::Helo))
            && step.number().is_some_and(|number| (200..300).contains(&number))
    };
    let hello = connection.steps.get(..index)?.iter().rfind(is_hello)?;
    Some(String::from_utf8_lossy(hello.command?.argument()).trim().to_owned())
}

impl<'a> Delivered<'a> {
    fn protocol(&self) -> Protocol {
        self.step.session.protocol
    }

    /// Returns whether MAIL had a parameter.
    fn has_parameter(&self, keyword: &str) -> bool {
        self.step.session.transaction.as_ref().is_some_and(|transaction| transaction.has(keyword))
    }

    fn sent(&self) -> Message<'a> {
        Message::read(self.content, Ends::CrLf)
    }

    fn read(&self, copy: &'a Arrival) -> Message<'a> {
        Message::read(&copy.octets, if self.arrived.by.is_mailbox() { Ends::Local } else { Ends::CrLf })
    }

    /// Returns whether the copies have different bodies, so that they are not copies of one message.
    fn are_different(&self) -> bool {
        let mut bodies = self.arrived.copies.iter().map(|copy| self.read(copy).body);
        let first = bodies.next();
        bodies.any(|body| Some(body) != first)
    }

    fn judge(&self, copy: &'a Arrival, findings: &mut Findings) {
        let (sent, arrived) = (self.sent(), self.read(copy));
        header::judge(self, &sent, &arrived, findings);
        body::judge(self, &sent, &arrived, findings);
    }
}

#[cfg(test)]
mod tests;
