//! What a server has accepted, by its replies.

use std::collections::BTreeSet;

use super::Connection;
use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{DefectSet, Reply};

/// What a server has accepted from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acceptance {
    /// The paths of the recipients that the client named.
    named: BTreeSet<Vec<u8>>,
    /// The paths of those for whom a message was accepted.
    served: BTreeSet<Vec<u8>>,
    /// Whether a reply to a message has a form by which nobody can tell what it means.
    pub(super) is_unclear: bool,
}

impl Acceptance {
    /// Returns what was accepted on some connections.
    pub(super) fn of(connections: &[Connection<'_>]) -> Acceptance {
        let mut acceptance = Acceptance::default();
        for step in connections.iter().flat_map(|connection| &connection.steps) {
            if let Some(command) = step.command.filter(|command| command.verb() == Verb::Rcpt) {
                acceptance.named.insert(path(&command));
            }
            if completes_message(step) {
                acceptance.add(step);
            }
        }
        acceptance
    }

    /// The number of recipients for whom a message was accepted, each counted once.
    pub(super) fn recipients(&self) -> usize {
        self.served.len()
    }

    /// Returns whether the client named a recipient for whom no message was accepted.
    pub(super) fn leaves_some(&self) -> bool {
        self.served.len() < self.named.len()
    }

    fn add(&mut self, step: &Step<'_>) {
        self.is_unclear |= step.replies.iter().any(is_unclear);
        let Some(transaction) = &step.session.transaction else { return };
        let recipients = transaction.recipients.iter().map(|line| path(&Command::read(line)));
        match step.session.protocol {
            // RFC 2033 §4.2: one reply for each recipient that was accepted, in order.
            Protocol::Lmtp => {
                let replies = recipients.zip(&step.replies);
                let served = replies.filter(|(_, reply)| is_positive(reply)).map(|(path, _)| path);
                self.served.extend(served);
            }
            _ if step.replies.first().is_some_and(is_positive) => self.served.extend(recipients),
            _ => {}
        }
    }
}

/// Returns whether an act is a message, or its last chunk.
pub(super) fn completes_message(step: &Step<'_>) -> bool {
    match &step.exchange.act {
        Act::Message(_) => step.session.is_in_data(),
        Act::Chunk { .. } => step.command.is_some_and(|command| command.is_last_chunk()),
        _ => false,
    }
}

/// Returns the path of RCPT, or else what stands for it.
fn path(command: &Command<'_>) -> Vec<u8> {
    let path = command.envelope().and_then(|envelope| envelope.path());
    path.unwrap_or(command.argument()).to_ascii_lowercase()
}

fn is_positive(reply: &Reply<'_>) -> bool {
    reply.number().is_some_and(|number| (200..300).contains(&number))
}

/// Returns whether a reply has a form by which nobody can tell where it ends or what its code is.
fn is_unclear(reply: &Reply<'_>) -> bool {
    reply.defects().intersects(DefectSet::FRAMING)
}
