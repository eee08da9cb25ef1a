//! What a server sends on one connection, within limits.

use tokio::time::Instant;

use crate::dialogue::{Answer, Excess, Exchange};
use crate::limits::{CONNECTION_OCTETS, SURPLUS_REPLIES};
use crate::protocol::reply::{Reader, is_tls_record};

/// What a server sends on one connection.
///
/// Octets go in, and replies come out and are added to the exchanges that they answer. It never holds more than one
/// reply and the octets of one read.
pub(super) struct Inbox {
    reader: Reader,
    /// The number of octets received so far.
    received: usize,
    /// The number of further surplus replies that are kept.
    room: usize,
    /// Whether the server has begun to send TLS records in place of replies.
    is_tls: bool,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox { reader: Reader::default(), received: 0, room: SURPLUS_REPLIES, is_tls: false }
    }
}

impl Inbox {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.received = self.received.saturating_add(octets.len());
        if !self.is_tls {
            self.reader.push(octets);
        }
    }

    /// Drops TLS records that come after the reply to STARTTLS: they are not replies.
    fn drop_records(&mut self) {
        if is_tls_record(self.reader.rest()) {
            self.forget();
            self.is_tls = true;
        }
    }

    /// Returns whether the server has exceeded the limit of octets per connection or per reply, so that nothing more is
    /// read.
    pub(super) fn is_full(&self) -> bool {
        self.received > CONNECTION_OCTETS || self.reader.is_cut()
    }

    /// Moves replies to an exchange until it has as many as are due.
    pub(super) fn take_due(&mut self, exchange: &mut Exchange, due: usize, start: Instant) {
        while exchange.answers.len() < due {
            let Some(reply) = self.reader.next() else { break };
            let millis = start.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            exchange.answers.push(Answer { octets: reply.octets().to_vec(), millis });
            self.join_broken_off(exchange);
        }
    }

    /// Appends to the last answer what LF without CR broke off its last line, if that has arrived.
    fn join_broken_off(&mut self, exchange: &mut Exchange) {
        let Some(answer) = exchange.answers.last_mut() else { return };
        while answer.lacks_cr()
            && let Some(rest) = self.reader.next_broken_off()
        {
            answer.octets.extend_from_slice(rest.octets());
        }
    }

    /// Moves all complete replies to an exchange as surplus replies. A connection keeps some of these and counts the
    /// rest.
    ///
    /// Their time is 0, because no act asked for them.
    pub(super) fn take_surplus(&mut self, exchange: &mut Exchange, awaits_handshake: bool) {
        loop {
            if awaits_handshake {
                self.drop_records();
            }
            let Some(reply) = self.reader.next() else { break };
            if let Some(room) = self.room.checked_sub(1) {
                self.room = room;
                exchange.answers.push(Answer { octets: reply.octets().to_vec(), millis: 0 });
                self.join_broken_off(exchange);
            } else {
                exchange.excess += Excess { replies: 1, octets: reply.octets().len() };
            }
        }
    }

    /// Moves the whole lines of a reply without a last line to an exchange, because the client waits no longer.
    pub(super) fn take_lines(&mut self, exchange: &mut Exchange) {
        if let Some(lines) = self.reader.unfinished() {
            exchange.answers.push(Answer { octets: lines.octets().to_vec(), millis: 0 });
            self.forget();
        }
    }

    /// Moves an incomplete reply to an exchange, because the connection has ended.
    pub(super) fn take_unfinished(&mut self, exchange: &mut Exchange) {
        if let Some(rest) = self.reader.finish() {
            exchange.answers.push(Answer { octets: rest.octets().to_vec(), millis: 0 });
        }
        self.forget();
    }

    /// Counts an incomplete reply instead of keeping it, because the client stops reading.
    pub(super) fn count_unfinished(&mut self, exchange: &mut Exchange) {
        if let Some(rest) = self.reader.finish() {
            exchange.excess.octets = exchange.excess.octets.saturating_add(rest.octets().len());
        }
        self.forget();
    }

    /// Drops an incomplete reply, because TLS begins or the connection has ended.
    pub(super) fn forget(&mut self) {
        self.reader = Reader::default();
        self.is_tls = false;
    }
}
