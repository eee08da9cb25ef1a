//! Cuts what the server sends into replies.

use super::fault::{Behaviour, Faults};
use super::stop::Stop;
use crate::protocol::reply::{Limits, Reader};

/// What has arrived and is not read yet. Its size is bounded by that of one reply and one packet.
#[derive(Debug)]
pub(super) struct Inbox {
    reader: Reader,
    limits: Limits,
    packet_is_reply: bool,
    reads_one_line: bool,
    /// Lines of a reply that the fault `reads-one-line` left, each as a reply of its own.
    lines: Vec<Vec<u8>>,
}

impl Inbox {
    pub(super) fn new(faults: &Faults) -> Inbox {
        let most = Limits::default();
        let limits = Limits {
            line: faults.limit(Behaviour::LimitsLine).unwrap_or(most.line),
            lines: faults.limit(Behaviour::LimitsLines).unwrap_or(most.lines),
            ..most
        };
        Inbox {
            reader: Reader::new(limits),
            limits,
            packet_is_reply: faults.has(Behaviour::PacketIsReply),
            reads_one_line: faults.has(Behaviour::ReadsOneLine),
            lines: Vec::new(),
        }
    }

    /// Adds what was read at once.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.reader.push(octets);
    }

    /// Returns the octets of the next reply, or `None` if its end has not arrived.
    ///
    /// # Errors
    ///
    /// If a reply is longer than the limits. It may have no end, so the session ends.
    pub(super) fn next(&mut self, is_list: bool) -> Result<Option<Vec<u8>>, Stop> {
        if let Some(line) = self.lines.pop() {
            return Ok(Some(line));
        }
        let reply = self.reader.next().map(|reply| reply.octets().to_vec());
        if self.reader.is_cut() {
            return Err(Stop::temporary("the reply is too long"));
        }
        match reply {
            Some(reply) if self.reads_one_line && !is_list => Ok(self.first_line(&reply)),
            None if self.packet_is_reply && self.reader.is_waiting() => Ok(self.take_packet()),
            reply => Ok(reply),
        }
    }

    /// Forgets everything. Nothing that came in clear may count under TLS (RFC 3207 §4.2).
    pub(super) fn clear(&mut self) {
        self.reader = Reader::new(self.limits);
        self.lines.clear();
    }

    /// Takes each line of a reply for a reply, and returns the first.
    fn first_line(&mut self, reply: &[u8]) -> Option<Vec<u8>> {
        let lines = reply.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::to_vec);
        self.lines = lines.rev().map(as_last_line).collect();
        self.lines.pop()
    }

    fn take_packet(&mut self) -> Option<Vec<u8>> {
        let packet = self.reader.finish().map(|reply| reply.octets().to_vec());
        self.clear();
        packet
    }
}

fn as_last_line(mut line: Vec<u8>) -> Vec<u8> {
    if let Some(separator @ b'-') = line.get_mut(3) {
        *separator = b' ';
    }
    line
}

#[cfg(test)]
mod tests {
    use super::Inbox;
    use crate::sender::fault::{Fault, Faults};

    fn replies(fault: Option<&str>, packets: &[&str]) -> Vec<String> {
        let faults: Vec<_> = fault.iter().map(|name| Fault::find(name).expect("it exists")).collect();
        let mut inbox = Inbox::new(&Faults::new(&faults));
        let mut replies = Vec::new();
        for packet in packets {
            inbox.push(packet.as_bytes());
            loop {
                match inbox.next(false) {
                    Ok(Some(reply)) => replies.push(String::from_utf8(reply).expect("UTF-8")),
                    Ok(None) => break,
                    Err(stop) => return [replies, vec![stop.reason]].concat(),
                }
            }
        }
        replies
    }

    #[test]
    fn replies_may_be_split_and_merged() {
        assert_eq!(replies(None, &["2", "50", "\r", "\n"]), ["250\r\n"]);
        assert_eq!(
            replies(None, &["250-a\r\n25", "0 b\r\n550 c\r\n", "2"]),
            ["250-a\r\n250 b\r\n", "550 c\r\n"]
        );
        let long = format!("250 {}\r\n", "x".repeat(3000));
        assert_eq!(replies(None, &[&long]), [long.as_str()]);
        assert_eq!(replies(Some("limits-line"), &[&long]), ["the reply is too long"]);
        let lines = "250-x\r\n".repeat(100) + "250 y\r\n";
        assert_eq!(replies(None, &[&lines]), [lines.as_str()]);
        assert_eq!(replies(Some("limits-lines"), &[&lines]), ["the reply is too long"]);
    }

    #[test]
    fn a_reply_without_end_ends_the_session() {
        assert_eq!(replies(None, &[&"2".repeat(100_000)]), ["the reply is too long"]);
        assert_eq!(replies(None, &[&"250-x\r\n".repeat(10_000)]), ["the reply is too long"]);
    }

    #[test]
    fn faults_cut_elsewhere() {
        assert_eq!(replies(Some("reads-one-line"), &["250-a\r\n250 b\r\n"]), ["250 a\r\n", "250 b\r\n"]);
        assert_eq!(
            replies(Some("packet-is-reply"), &["250 a\r\n55", "0 b\r\n"]),
            ["250 a\r\n", "55", "0 b\r\n"]
        );
    }
}
