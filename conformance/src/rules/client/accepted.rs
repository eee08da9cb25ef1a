//! What a server has accepted, by its replies.

use crate::dialogue::session::{Session, Step};
use crate::dialogue::{Act, Dialogue};
use crate::protocol::Protocol;
use crate::protocol::reply::{DefectSet, Reply};

/// What a server has accepted from a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// For how many recipients a message was accepted. A recipient that was accepted twice counts twice.
    pub recipients: usize,
    /// Whether a reply to a message has a form by which nobody can tell what it means.
    pub is_unclear: bool,
}

/// Returns what was accepted on some connections.
#[must_use]
pub fn acceptance(dialogues: &[Dialogue]) -> Acceptance {
    let mut acceptance = Acceptance::default();
    for dialogue in dialogues {
        for step in Session::steps(dialogue) {
            if completes_message(&step) {
                acceptance.add(&step);
            }
        }
    }
    acceptance
}

impl Acceptance {
    fn add(&mut self, step: &Step<'_>) {
        self.is_unclear |= step.replies.iter().any(is_unclear);
        let is_positive =
            |reply: &&Reply<'_>| reply.number().is_some_and(|number| (200..300).contains(&number));
        let recipients = step.session.recipients();
        self.recipients += match step.session.protocol {
            // RFC 2033 §4.2: one reply for each recipient that was accepted.
            Protocol::Lmtp => step.replies.iter().take(recipients).filter(is_positive).count(),
            _ if step.replies.first().as_ref().is_some_and(is_positive) => recipients,
            _ => 0,
        };
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

/// Returns whether a reply has a form by which nobody can tell where it ends or what its code is.
fn is_unclear(reply: &Reply<'_>) -> bool {
    reply.defects().intersects(DefectSet::FRAMING)
}
