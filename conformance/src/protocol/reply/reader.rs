//! A stream of octets to replies.

use memchr::memchr;

use super::{Defect, Line, Reply};
use crate::limits;

/// How much of a reply is read before it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a line, its end included.
    pub line: usize,
    /// Lines of a reply.
    pub lines: usize,
    /// Octets of a reply.
    pub octets: usize,
}

impl Default for Limits {
    /// Those of [`limits`], far above what RFC 5321 lets a server send.
    fn default() -> Limits {
        Limits { line: limits::LINE_OCTETS, lines: limits::REPLY_LINES, octets: limits::REPLY_OCTETS }
    }
}

/// Cuts a stream of octets into replies, however the octets come apart.
///
/// A reply that passes the [`Limits`] is given out cut, with [`Defect::Endless`]; no reply can be told from its rest,
/// so whatever follows is dropped.
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
    /// Where the reply begins that is given out next.
    start: usize,
    /// Where its first line begins that has not been looked at.
    line: usize,
    /// How far that line has been searched for its end.
    searched: usize,
    lines: usize,
    cut: bool,
}

impl Reader {
    /// A reader with other limits than the [default](Limits::default).
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        Reader { limits, ..Reader::default() }
    }

    /// Takes octets in. They are kept until the replies they hold have been given out.
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

    /// The next reply that is complete, or cut.
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
                return Some(self.give_cut(self.line));
            }
            if end > limit {
                return Some(self.give_cut(limit));
            }
            self.searched = end;
            found?;
            let line = Line::new(&self.buffer[self.line..end]);
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

    /// What is left when the stream ends: a reply without its end.
    pub fn finish(&mut self) -> Option<Reply<'_>> {
        let start = self.start;
        self.start = self.buffer.len();
        self.cut = true;
        let rest = &self.buffer[start..];
        (!rest.is_empty()).then(|| Reply::read(rest))
    }

    /// Whether octets wait for the rest of their reply.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.cut && self.start < self.buffer.len()
    }

    /// Whether a reply was cut, so that nothing more is read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    fn give_cut(&mut self, end: usize) -> Reply<'_> {
        self.cut = true;
        self.buffer.truncate(end);
        let start = std::mem::replace(&mut self.start, end);
        let reply = Reply::read(&self.buffer[start..]);
        Reply { defects: reply.defects | Defect::Endless.into(), ..reply }
    }
}
