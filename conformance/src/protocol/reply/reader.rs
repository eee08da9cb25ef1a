//! Cuts a stream of octets into replies.

use memchr::memchr;

use super::{Defect, Line, Reply};
use crate::limits;

/// The sizes beyond which a reply is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a line, including its line end.
    pub line: usize,
    /// Lines of a reply.
    pub lines: usize,
    /// Octets of a reply.
    pub octets: usize,
}

impl Default for Limits {
    /// Returns the limits of [`limits`], which are far above what RFC 5321 lets a server send.
    fn default() -> Limits {
        Limits { line: limits::LINE_OCTETS, lines: limits::REPLY_LINES, octets: limits::REPLY_OCTETS }
    }
}

/// Cuts a stream of octets into replies. The octets may arrive in pieces of any size.
///
/// A reply that exceeds the [`Limits`] is returned cut, with [`Defect::Endless`]. Its rest cannot be distinguished
/// from another reply, so everything after it is dropped.
///
/// ```
/// use smtp_conformance::protocol::reply::Reader;
///
/// let mut reader = Reader::default();
/// reader.push(b"250-host\r\n250 SI");
/// assert!(reader.next().is_none());
/// reader.push(b"ZE\r\n250 2.0.0 Ok\r\n");
/// assert_eq!(reader.next().map(|reply| reply.lines().count()), Some(2));
/// assert_eq!(reader.next().map(|reply| reply.lines().count()), Some(1));
/// assert!(reader.finish().is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Reader {
    limits: Limits,
    buffer: Vec<u8>,
    /// The start of the reply that is returned next.
    start: usize,
    /// The start of its first line that has not been read.
    line: usize,
    /// The offset up to which that line has been searched for its end.
    searched: usize,
    lines: usize,
    cut: bool,
}

impl Reader {
    /// Creates a reader with other limits than the [default](Limits::default).
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        Reader { limits, ..Reader::default() }
    }

    /// Adds octets. They are kept until the replies in them have been returned.
    pub fn push(&mut self, octets: &[u8]) {
        if self.cut {
            return;
        }
        self.buffer.drain(..self.start);
        self.line -= self.start;
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// Returns the next reply that is complete or cut.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Reply<'_>> {
        if self.cut {
            return None;
        }
        loop {
            let found = memchr(b'\n', &self.buffer[self.searched..]).map(|end| self.searched + end + 1);
            let end = found.unwrap_or(self.buffer.len());
            let limit = (self.line + self.limits.line).min(self.start + self.limits.octets);
            if self.lines == self.limits.lines && end > self.line {
                return Some(self.cut_at(self.line));
            }
            if end > limit {
                return Some(self.cut_at(limit));
            }
            self.searched = end;
            found?;
            let line = Line::new(&self.buffer[self.line..end], false);
            let ends = line.ends_reply(self.lines > 0);
            self.lines += 1;
            self.line = end;
            if ends {
                let start = std::mem::replace(&mut self.start, end);
                self.lines = 0;
                return Some(Reply::read(&self.buffer[start..end]));
            }
        }
    }

    /// Returns the next line if it has arrived and begins no reply. After a reply that ends in LF without CR, it is the
    /// rest of that reply's last line.
    pub fn next_broken_off(&mut self) -> Option<Reply<'_>> {
        let begins_reply = self.buffer.get(self.start).is_none_or(u8::is_ascii_digit);
        if begins_reply { None } else { self.next() }
    }

    /// Ends the stream and returns what is left: a reply without its end.
    pub fn finish(&mut self) -> Option<Reply<'_>> {
        let start = self.start;
        self.start = self.buffer.len();
        self.cut = true;
        let rest = &self.buffer[start..];
        (!rest.is_empty()).then(|| Reply::read(rest))
    }

    /// Returns the whole lines of a reply that has begun, if its last line is missing.
    #[must_use]
    pub fn unfinished(&self) -> Option<Reply<'_>> {
        let lines = self.buffer.get(self.start..self.line).filter(|lines| !lines.is_empty());
        lines.filter(|_| self.is_waiting() && self.line == self.buffer.len()).map(Reply::read)
    }

    /// Returns the octets of replies that have not been returned.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Returns whether part of a reply has arrived and the rest has not.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.cut && self.start < self.buffer.len()
    }

    /// Returns whether a reply was cut, after which nothing more is read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    fn cut_at(&mut self, end: usize) -> Reply<'_> {
        self.cut = true;
        self.buffer.truncate(end);
        let start = std::mem::replace(&mut self.start, end);
        let reply = Reply::read(&self.buffer[start..]);
        Reply { defects: reply.defects | Defect::Endless.into(), ..reply }
    }
}
