//! Reads what a server delivers, where the target says how.
//!
//! Only messages with a [marker](crate::case::marker) of the run in their header section are kept. A bounce that quotes
//! such a message in its body is not one of them.

mod mailbox;
mod sink;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::case::marker::{self, Markers};
use crate::dialogue::arrival::{Arrival, Arrived, By};
use crate::dialogue::content::{content, interrupted};
use crate::dialogue::session::{Session, Step};
use crate::dialogue::{Answer, Dialogue, Exchange};
use crate::limits::{ARRIVALS, ARRIVALS_OCTETS};
use crate::protocol::Protocol;
use crate::target::{Delivery, Destination};

use mailbox::Mailbox;
use sink::Sink;

/// How often to look for messages.
const AGAIN: Duration = Duration::from_millis(100);
/// How long to wait for further copies after all messages have arrived.
const SETTLING: Duration = Duration::from_millis(500);

/// Waits for what a server delivers.
pub(crate) struct Reader {
    by: By,
    wait: Duration,
    nonce: String,
    source: Source,
}

enum Source {
    Mailbox(Mailbox),
    Sink(Sink),
}

/// A message that was sent, and what is known about it before it arrives.
struct Sent {
    dialogue: usize,
    exchange: usize,
    marker: Vec<u8>,
    /// The number of deliveries that the server took responsibility for.
    due: usize,
}

/// A message with a marker, and how much of it arrived.
pub(crate) struct Looked {
    pub(crate) dialogue: usize,
    pub(crate) exchange: usize,
    /// The number of copies that arrived.
    pub(crate) arrived: usize,
    /// The number of recipients for which the server accepted the message.
    pub(crate) due: usize,
}

impl Reader {
    /// Begins to listen, or notes what is in the mailbox already.
    ///
    /// # Errors
    ///
    /// If the address is in use, or if the mailbox cannot be read.
    pub(crate) async fn begin(delivery: &Delivery, markers: &Markers) -> Result<Reader> {
        let nonce = markers.nonce().to_owned();
        let source = match &delivery.destination {
            Destination::Maildir(path) => Source::Mailbox(Mailbox::maildir(path)?),
            Destination::Mbox(path) => Source::Mailbox(Mailbox::mbox(path)?),
            Destination::Lmtp(address) => Source::Sink(Sink::start(*address, Protocol::Lmtp, &nonce).await?),
            Destination::Smtp(address) => Source::Sink(Sink::start(*address, Protocol::Smtp, &nonce).await?),
        };
        Ok(Reader { by: delivery.destination.by(), wait: delivery.wait, nonce, source })
    }

    /// Waits for the messages of the dialogues and adds what arrived to their exchanges. Returns the messages.
    ///
    /// # Errors
    ///
    /// If the mailbox cannot be read.
    pub(crate) async fn collect(&self, dialogues: &mut [Dialogue]) -> Result<Vec<Looked>> {
        let sent = self.sent(dialogues);
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let until = Instant::now() + self.wait;
        let arrived = |arrivals: &[Arrival], sent: &Sent| {
            let own = arrivals.iter().filter(|arrival| self.marker(&arrival.octets) == Some(&sent.marker));
            Arrived { by: self.by, copies: own.cloned().collect() }
        };
        while Instant::now() < until {
            let arrivals = self.arrivals()?;
            if sent.iter().all(|sent| arrived(&arrivals, sent).deliveries() >= sent.due) {
                break;
            }
            sleep(AGAIN).await;
        }
        sleep(SETTLING).await;
        let arrivals = self.arrivals()?;
        let mut looked = Vec::new();
        for sent in &sent {
            let found = arrived(&arrivals, sent);
            let (dialogue, exchange, due) = (sent.dialogue, sent.exchange, sent.due);
            looked.push(Looked { dialogue, exchange, arrived: found.deliveries(), due });
            let exchanges = dialogues.get_mut(dialogue).map(|dialogue| &mut dialogue.exchanges);
            if let Some(exchange) = exchanges.and_then(|exchanges| exchanges.get_mut(exchange)) {
                exchange.arrived = Some(found);
            }
        }
        Ok(looked)
    }

    /// The time that it waits for messages.
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    /// Returns the messages of the dialogues that have a marker.
    fn sent(&self, dialogues: &[Dialogue]) -> Vec<Sent> {
        let mut sent = Vec::new();
        for (index, dialogue) in dialogues.iter().enumerate() {
            let exchanges: Vec<&Exchange> = dialogue.exchanges.iter().collect();
            for (exchange, step) in Session::steps(dialogue).iter().enumerate() {
                let content = content(&exchanges, exchange).or_else(|| interrupted(&exchanges, exchange));
                let Some(content) = content else { continue };
                let Some(marker) = marker::find(&self.nonce, &content) else { continue };
                let numbers = step.exchange.answers.iter().filter_map(Answer::number);
                let positive = numbers.filter(|number| (200..300).contains(number)).count();
                let due = match dialogue.protocol {
                    _ if positive == 0 || is_withheld(step, self.by) => 0,
                    // Surplus replies are those to something else.
                    Protocol::Lmtp => positive.min(step.session.recipients()),
                    _ => step.session.recipients(),
                };
                sent.push(Sent { dialogue: index, exchange, marker: marker.to_vec(), due });
            }
        }
        sent
    }

    /// Returns the messages with a marker that have arrived so far, within the limits.
    fn arrivals(&self) -> Result<Vec<Arrival>> {
        match &self.source {
            Source::Sink(sink) => Ok(sink.arrivals()),
            Source::Mailbox(mailbox) => mailbox.arrivals(&self.nonce),
        }
    }

    /// Returns the marker in the header section of a message that arrived.
    fn marker<'m>(&self, message: &'m [u8]) -> Option<&'m [u8]> {
        marker::find(&self.nonce, header(message))
    }
}

/// Returns whether a server keeps a message back: because of its time (RFC 4865 §4.2), or because it is to be returned
/// rather than relayed to a server without DELIVERBY, which the sink is (RFC 2852 §4.1.4.1).
fn is_withheld(step: &Step<'_>, by: By) -> bool {
    let Some(transaction) = &step.session.transaction else { return false };
    let has_mode = |mail: &[u8]| mail.to_ascii_uppercase().windows(2).any(|part| part == b";R");
    transaction.has("HOLDFOR")
        || transaction.has("HOLDUNTIL")
        || by == By::Smtp && transaction.has("BY") && has_mode(&transaction.mail)
}

/// Returns the lines before the first empty one.
fn header(message: &[u8]) -> &[u8] {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"].map(|end| memchr::memmem::find(message, end));
    let end = ends.into_iter().flatten().min().unwrap_or(message.len());
    message.get(..end).unwrap_or(message)
}

/// The messages that are kept, within the limits.
#[derive(Debug, Default)]
struct Kept {
    arrivals: Vec<Arrival>,
    octets: usize,
}

impl Kept {
    /// Keeps a message if its header section has a marker and there is room.
    fn add(&mut self, nonce: &str, arrival: Arrival) {
        let octets = self.octets + arrival.octets.len();
        let has_room = self.arrivals.len() < ARRIVALS && octets <= ARRIVALS_OCTETS;
        if has_room && marker::find(nonce, header(&arrival.octets)).is_some() {
            self.octets = octets;
            self.arrivals.push(arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ARRIVALS, Kept};
    use crate::dialogue::arrival::Arrival;

    #[test]
    fn only_messages_with_a_marker_in_the_header_are_kept_and_not_too_many() {
        let mut kept = Kept::default();
        let mut add = |text: &str| {
            kept.add("nonce-", Arrival { octets: text.as_bytes().to_vec(), ..Arrival::default() });
            kept.arrivals.len()
        };
        assert_eq!(add("A: b\r\n\r\nnonce-000001"), 0);
        assert_eq!(add("A: b\n\nnonce-000001"), 0);
        assert_eq!(add("A: nonce-000001\r\n\r\n"), 1);
        assert_eq!(add("A: nonce-000001"), 2);
        for _ in 0..2 * ARRIVALS {
            add("A: nonce-000001\r\n\r\n");
        }
        assert_eq!(kept.arrivals.len(), ARRIVALS);
    }
}
