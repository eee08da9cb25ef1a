//! Records connections as dialogues, as the server sees them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::dialogue::{Act, Answer, Dialogue, End, Exchange};
use crate::limits::{CLIENT_ACT_OCTETS, CLIENT_EXCHANGES};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{Defect, Reply};

/// What a server has seen on all of its connections.
#[derive(Debug, Default)]
pub struct Ledger {
    dialogues: Mutex<Vec<Dialogue>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    exchanges: AtomicUsize,
    octets: AtomicUsize,
    has_sent_choice: AtomicBool,
}

impl Ledger {
    /// Takes the dialogues of the connections that have ended, in the order in which they ended.
    #[must_use]
    pub fn take(&self) -> Vec<Dialogue> {
        std::mem::take(&mut *self.dialogues.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of connections that have not ended.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Returns the number of acts of clients so far.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::Relaxed)
    }

    /// Returns the number of octets that clients have sent so far.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.octets.load(Ordering::Relaxed)
    }

    /// Returns whether the server has sent a reply that its [script](super::Script) chose.
    #[must_use]
    pub fn has_sent_choice(&self) -> bool {
        self.has_sent_choice.load(Ordering::Relaxed)
    }

    pub(super) fn note_choice(&self) {
        self.has_sent_choice.store(true, Ordering::Relaxed);
    }
}

/// One connection. It is added to the ledger when this value is dropped.
pub(super) struct Witness {
    ledger: Arc<Ledger>,
    dialogue: Dialogue,
    /// When the last act was complete.
    acted: Instant,
    /// Whether the next octets of content belong to the last act.
    is_within_content: bool,
}

impl Witness {
    pub(super) fn new(ledger: Arc<Ledger>, protocol: Protocol, implicit_tls: bool) -> Witness {
        ledger.connections.fetch_add(1, Ordering::Relaxed);
        ledger.open.fetch_add(1, Ordering::Relaxed);
        let exchanges = vec![Exchange::new(Act::Connect)];
        Witness {
            ledger,
            dialogue: Dialogue { protocol, implicit_tls, exchanges, ..Dialogue::default() },
            acted: Instant::now(),
            is_within_content: false,
        }
    }

    /// Notes a line that the client sent outside a message.
    pub(super) fn line(&mut self, line: &[u8], is_response: bool) {
        self.count(line.len());
        let line = kept(line);
        self.begin(if is_response { Act::Response(line) } else { Act::Command(line) });
    }

    /// Notes octets of a message or of a chunk.
    pub(super) fn content(&mut self, octets: &[u8]) {
        self.count(octets.len());
        if !self.is_within_content {
            let chunk = self.last().and_then(chunk_after);
            match (chunk, self.dialogue.exchanges.last_mut()) {
                (Some(chunk), Some(last)) => {
                    last.act = chunk;
                    // What came with the line is its chunk.
                    last.pipelined = false;
                }
                _ => self.begin(Act::Message(Vec::new())),
            }
            self.is_within_content = true;
        }
        if let Some(Exchange { act: Act::Message(kept) | Act::Chunk { octets: kept, .. }, .. }) =
            self.dialogue.exchanges.last_mut()
        {
            let room = CLIENT_ACT_OCTETS.saturating_sub(kept.len()).min(octets.len());
            kept.extend_from_slice(octets.get(..room).unwrap_or_default());
        }
        self.acted = Instant::now();
    }

    /// Notes octets that the server sent.
    pub(super) fn received(&mut self, octets: &[u8]) {
        self.is_within_content = false;
        let millis = u64::try_from(self.acted.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(last) = self.dialogue.exchanges.last_mut() else { return };
        let mut rest = match last.answers.pop_if(|answer| is_incomplete(&answer.octets)) {
            Some(Answer { octets: before, .. }) => [&before, octets].concat(),
            None => octets.to_vec(),
        };
        while !rest.is_empty() {
            if last.answers.len() >= CLIENT_EXCHANGES || rest.len() > CLIENT_ACT_OCTETS {
                last.excess.octets = last.excess.octets.saturating_add(rest.len());
                return;
            }
            let length = Reply::read(&rest).octets().len().max(1);
            let after = rest.split_off(length.min(rest.len()));
            last.answers.push(Answer { octets: rest, millis });
            rest = after;
        }
    }

    /// Notes that the client sent more before it could have the reply to the last act.
    pub(super) fn sent_ahead(&mut self) {
        if let Some(last) = self.dialogue.exchanges.last_mut() {
            last.pipelined = true;
            last.ahead_of.get_or_insert(last.answers.len());
        }
    }

    /// Notes a TLS handshake.
    pub(super) fn handshake(&mut self, has_succeeded: bool) {
        self.begin(Act::Handshake);
        if !has_succeeded {
            self.end(End::Failed);
        }
    }

    /// Notes how the last exchange ended.
    pub(super) fn end(&mut self, end: End) {
        if let Some(last) = self.dialogue.exchanges.last_mut() {
            last.end = end;
        }
    }

    fn last(&self) -> Option<&Exchange> {
        self.dialogue.exchanges.last()
    }

    fn begin(&mut self, act: Act) {
        self.is_within_content = false;
        self.acted = Instant::now();
        self.ledger.exchanges.fetch_add(1, Ordering::Relaxed);
        if self.dialogue.exchanges.len() < CLIENT_EXCHANGES {
            self.dialogue.exchanges.push(Exchange::new(act));
        }
    }

    fn count(&self, octets: usize) {
        self.ledger.octets.fetch_add(octets, Ordering::Relaxed);
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let dialogue = std::mem::take(&mut self.dialogue);
        self.ledger.dialogues.lock().unwrap_or_else(PoisonError::into_inner).push(dialogue);
        self.ledger.open.fetch_sub(1, Ordering::Release);
    }
}

/// Returns the chunk that follows a BDAT command, as an act without octets yet.
fn chunk_after(exchange: &Exchange) -> Option<Act> {
    let Act::Command(line) = &exchange.act else { return None };
    let awaits_chunk = Command::read(line).verb() == Verb::Bdat && exchange.answers.is_empty();
    awaits_chunk.then(|| Act::Chunk { command: line.clone(), octets: Vec::new() })
}

fn is_incomplete(octets: &[u8]) -> bool {
    Reply::read(octets).defects().contains(Defect::Incomplete)
}

fn kept(octets: &[u8]) -> Vec<u8> {
    octets.get(..CLIENT_ACT_OCTETS).unwrap_or(octets).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witnessed(record: impl FnOnce(&mut Witness)) -> (Dialogue, Arc<Ledger>) {
        let ledger = Arc::new(Ledger::default());
        record(&mut Witness::new(ledger.clone(), Protocol::Smtp, false));
        (ledger.take().pop().expect("the connection has ended"), ledger)
    }

    #[test]
    fn acts_have_the_replies_that_follow_them() {
        let (dialogue, ledger) = witnessed(|witness| {
            witness.received(b"220 mx");
            witness.received(b".example.org\r\n");
            witness.line(b"DATA\r\n", false);
            witness.received(b"354 Go on\r\n");
            witness.content(b"one\r\n");
            witness.content(b".\r\n");
            witness.received(b"250 Ok\r\n250 Ok\r\n");
            witness.line(b"BDAT 3\r\n", false);
            witness.sent_ahead();
            witness.content(b"ab");
            witness.content(b"c");
            witness.end(End::Closed);
        });
        let acts: Vec<&Act> = dialogue.exchanges.iter().map(|exchange| &exchange.act).collect();
        let chunk = Act::Chunk { command: b"BDAT 3\r\n".to_vec(), octets: b"abc".to_vec() };
        let message = Act::Message(b"one\r\n.\r\n".to_vec());
        assert_eq!(acts, [&Act::Connect, &Act::Command(b"DATA\r\n".to_vec()), &message, &chunk]);
        let answers: Vec<usize> = dialogue.exchanges.iter().map(|exchange| exchange.answers.len()).collect();
        assert_eq!(answers, [1, 1, 2, 0]);
        assert_eq!(dialogue.exchanges[3].end, End::Closed);
        assert!(!dialogue.exchanges[3].pipelined);
        assert_eq!((ledger.connections(), ledger.open(), ledger.exchanges(), ledger.octets()), (1, 0, 3, 25));
    }

    #[test]
    fn what_follows_a_chunk_is_sent_ahead() {
        let (dialogue, _) = witnessed(|witness| {
            witness.line(b"BDAT 1\r\n", false);
            witness.sent_ahead();
            witness.content(b"a");
            witness.sent_ahead();
            witness.received(b"250 Ok\r\n");
            witness.line(b"BDAT 0 LAST\r\n", false);
            witness.content(b"");
            witness.received(b"250 Ok\r\n");
        });
        let pipelined: Vec<bool> = dialogue.exchanges.iter().map(|exchange| exchange.pipelined).collect();
        assert_eq!(pipelined, [false, true, false]);
    }

    #[test]
    fn replies_without_end_are_counted() {
        let (dialogue, _) = witnessed(|witness| {
            witness.received(b"250-");
            witness.received(&vec![b'a'; CLIENT_ACT_OCTETS + 1]);
        });
        assert!(dialogue.exchanges[0].excess.octets > CLIENT_ACT_OCTETS);
    }

    #[test]
    fn a_client_that_loops_takes_no_memory() {
        let (dialogue, ledger) = witnessed(|witness| {
            for _ in 0..CLIENT_EXCHANGES * 2 {
                witness.line(b"NOOP\r\n", false);
                witness.received(b"250 Ok\r\n");
            }
        });
        assert_eq!(dialogue.exchanges.len(), CLIENT_EXCHANGES);
        assert_eq!(ledger.exchanges(), CLIENT_EXCHANGES * 2);
    }
}
