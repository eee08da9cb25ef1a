//! What a server sends on one connection, within the limits.

use tokio::time::Instant;

use crate::dialogue::{Answer, Excess, Exchange};
use crate::limits::{CONNECTION_OCTETS, SURPLUS_REPLIES};
use crate::protocol::reply::Reader;

/// What a server sends on one connection: octets come in, replies go out to the exchanges that they answer. It holds
/// at most one reply and one read's worth of octets, whatever comes.
pub(super) struct Inbox {
    reader: Reader,
    /// Octets that came so far.
    received: usize,
    /// Surplus replies that are still kept.
    room: usize,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox { reader: Reader::default(), received: 0, room: SURPLUS_REPLIES }
    }
}

impl Inbox {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.received = self.received.saturating_add(octets.len());
        self.reader.push(octets);
    }

    /// Whether the server sent so much, or a reply so long, that nothing more is read.
    pub(super) fn is_full(&self) -> bool {
        self.received > CONNECTION_OCTETS || self.reader.is_cut()
    }

    /// Hands out replies until an exchange has as many as it is due.
    pub(super) fn take_due(&mut self, exchange: &mut Exchange, due: usize, start: Instant) {
        while exchange.answers.len() < due {
            let Some(reply) = self.reader.next() else { break };
            let millis = start.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            exchange.answers.push(Answer { octets: reply.octets().to_vec(), millis });
        }
    }

    /// Hands out every other reply that is whole: surplus ones, of which a connection keeps some and counts the rest.
    /// No time is measured for them, because nothing asked for them.
    pub(super) fn take_surplus(&mut self, exchange: &mut Exchange) {
        while let Some(reply) = self.reader.next() {
            if let Some(room) = self.room.checked_sub(1) {
                self.room = room;
                exchange.answers.push(Answer { octets: reply.octets().to_vec(), millis: 0 });
            } else {
                exchange.excess += Excess { replies: 1, octets: reply.octets().len() };
            }
        }
    }

    /// Hands out a reply that ends before it is whole, as the stream does.
    pub(super) fn take_unfinished(&mut self, exchange: &mut Exchange) {
        if let Some(rest) = self.reader.finish() {
            exchange.answers.push(Answer { octets: rest.octets().to_vec(), millis: 0 });
        }
        self.forget();
    }

    /// Counts a reply that is not whole because the client reads no more.
    pub(super) fn count_unfinished(&mut self, exchange: &mut Exchange) {
        if let Some(rest) = self.reader.finish() {
            exchange.excess.octets = exchange.excess.octets.saturating_add(rest.octets().len());
        }
        self.forget();
    }

    /// Forgets a reply that is not whole: TLS begins, or the connection is over.
    pub(super) fn forget(&mut self) {
        self.reader = Reader::default();
    }
}
