//! Reads mailboxes: files in mbox format, or with a single message. A Maildir is a folder of the latter.

use std::io::{self, BufRead};

use crate::limits::MESSAGE_OCTETS;

/// The messages of a mailbox. Never more than one of them is in memory.
#[derive(Debug)]
pub struct Mailbox<R> {
    input: R,
    limit: usize,
    /// The line that was read last: the `From ` line of the next message, or the first line of a single message.
    next: Vec<u8>,
    is_mbox: Option<bool>,
    /// The number of lines that were read.
    lines: usize,
    /// The number of octets that were read.
    octets: u64,
    message: Vec<u8>,
}

/// A message of a mailbox.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its octets, without the `From ` line. Cut off if it is too long.
    pub octets: &'a [u8],
    /// The number of its first line, from 1.
    pub line: usize,
    /// Where it begins, in octets from the start of the mailbox.
    pub offset: u64,
    /// Whether it is longer than [`MESSAGE_OCTETS`].
    pub is_too_long: bool,
}

impl<R: BufRead> Mailbox<R> {
    /// Reads a mailbox.
    pub fn new(input: R) -> Mailbox<R> {
        Mailbox::with_limit(input, MESSAGE_OCTETS)
    }

    fn with_limit(input: R, limit: usize) -> Mailbox<R> {
        Mailbox { input, limit, next: Vec::new(), is_mbox: None, lines: 0, octets: 0, message: Vec::new() }
    }

    /// Reads the next message. `None` at the end.
    ///
    /// # Errors
    ///
    /// If reading fails.
    pub fn next_message(&mut self) -> io::Result<Option<Message<'_>>> {
        self.message.clear();
        if self.is_mbox.is_none() && self.read_line()? == 0 {
            return Ok(None);
        }
        let is_mbox = *self.is_mbox.get_or_insert(is_separator(&self.next));
        if self.next.is_empty() {
            return Ok(None);
        }
        let (line, offset) = if is_mbox { (self.lines + 1, self.octets) } else { (1, 0) };
        let mut is_too_long = !is_mbox && self.keep_line();
        let mut was_empty = false;
        while self.read_line()? > 0 {
            if is_mbox && was_empty && is_separator(&self.next) {
                break;
            }
            was_empty = self.next.trim_ascii_end().is_empty();
            is_too_long |= self.keep_line();
        }
        Ok(Some(Message { octets: &self.message, line, offset, is_too_long }))
    }

    /// The number of lines that were read.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// The number of octets that were read.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Reads a line, of which it keeps no more than the limit, and returns its length.
    fn read_line(&mut self) -> io::Result<usize> {
        self.next.clear();
        let mut length = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', buffer).map(|end| end + 1);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (self.limit + 1).saturating_sub(self.next.len());
            self.next.extend_from_slice(&part[..part.len().min(room)]);
            let read = part.len();
            length += read;
            self.input.consume(read);
            if end.is_some() || read == 0 {
                break;
            }
        }
        self.octets += length as u64;
        self.lines += usize::from(length > 0);
        Ok(length)
    }

    /// Adds the line to the message, and returns whether there was no room for it.
    fn keep_line(&mut self) -> bool {
        let room = self.limit - self.message.len();
        let is_too_long = self.next.len() > room;
        self.message.extend_from_slice(&self.next[..self.next.len().min(room)]);
        is_too_long
    }
}

/// Returns whether a line is one that separates messages: `From a@example.org Sun Nov 29 05:00:00 2026`. The time tells it
/// from a sentence, which some programs do not quote.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    rest.windows(5)
        .any(|window| matches!(window, [a, b, b':', c, d] if [a, b, c, d].iter().all(|o| o.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::{Mailbox, Message};

    /// Returns the messages: line, offset, whether it is too long, and text.
    fn messages(text: &str, limit: usize) -> Vec<(usize, u64, bool, String)> {
        // Lines go through several buffers.
        let mut mailbox = Mailbox::with_limit(BufReader::with_capacity(3, text.as_bytes()), limit);
        let mut all = Vec::new();
        while let Some(message) = mailbox.next_message().unwrap() {
            let Message { octets, line, offset, is_too_long } = message;
            all.push((line, offset, is_too_long, String::from_utf8(octets.to_vec()).unwrap()));
        }
        all
    }

    #[test]
    fn a_file_is_one_message_or_a_mailbox() {
        let one = "Subject: x\n\nFrom a@b.test Sun Nov 29 05:00:00 2026\nx\n";
        assert_eq!(messages(one, 100), [(1, 0, false, one.to_owned())]);
        assert_eq!(messages("", 100), []);
        assert_eq!(messages("\nx", 100), [(1, 0, false, "\nx".to_owned())]);
        let from = "From a@b.test Sun Nov 29 05:00:00 2026\n";
        assert_eq!(messages(from, 100), [(2, 39, false, String::new())]);
        let mbox = format!("{from}A: b\n\nFrom here on\n\n>{from}{from}\n{from}C: d\r\n\r\n{from}E: f");
        let first = format!("A: b\n\nFrom here on\n\n>{from}{from}\n");
        assert_eq!(
            messages(&mbox, 1000),
            [
                (2, 39, false, first.clone()),
                (10, 39 + first.len() as u64 + 39, false, "C: d\r\n\r\n".to_owned()),
                (13, 39 + first.len() as u64 + 39 + 8 + 39, false, "E: f".to_owned()),
            ]
        );
    }

    #[test]
    fn a_long_message_is_cut_and_the_next_one_read() {
        let from = "From a@b.test Sun Nov 29 05:00:00 2026\n";
        let mbox = format!("{from}12345\n678\n\n{from}{}\n\n{from}12345678\n\n", "9".repeat(100));
        let found = messages(&mbox, 40);
        assert_eq!(
            found.iter().map(|one| (one.2, one.3.len())).collect::<Vec<_>>(),
            [(false, 11), (true, 40), (false, 10)]
        );
    }
}
