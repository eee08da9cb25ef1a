//! Units of work: files and standard input, cut into parts that can be read one by one, on any thread.

use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::counts::{Counts, Place};
use super::buffer::Buffer;
use super::input::{Input, Source};
use super::kind::Kind;
use crate::limits::{BOUNCE_OCTETS, LOG_LINE_OCTETS, SOURCE_OCTETS, TRANSCRIPT_OCTETS};
use crate::readers::log;

/// A part of the input that is read as a whole. Its octets are in the buffer that it was read into.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Its number, from 0, in the order of the input.
    pub(crate) number: u64,
    pub(crate) file: Arc<str>,
    pub(crate) kind: Kind,
    /// The number of its first line in its file, from 1.
    pub(crate) first_line: u64,
}

/// Cuts the input into units.
pub(crate) struct Units<'a> {
    inputs: Box<dyn Iterator<Item = Source> + Send + 'a>,
    forced: Option<Kind>,
    current: Option<Current>,
    next_number: u64,
}

/// The file that is being read.
struct Current {
    file: Arc<str>,
    input: Input,
    kind: Kind,
    /// What was read, and belongs to the next unit.
    rest: Buffer,
    line: u64,
    is_at_end: bool,
}

/// How many octets of a log make a unit. It fits into the cache of a core.
const BLOCK: usize = 256 << 10;

impl<'a> Units<'a> {
    pub(crate) fn new(inputs: impl Iterator<Item = Source> + Send + 'a, forced: Option<Kind>) -> Units<'a> {
        Units { inputs: Box::new(inputs), forced, current: None, next_number: 0 }
    }

    /// Reads the next unit into the buffer; `None` if there is none. What cannot be read is counted as trouble.
    pub(crate) fn next(&mut self, buffer: &mut Buffer, counts: &mut Counts) -> Option<Unit> {
        loop {
            if self.current.is_none() {
                let source = self.inputs.next()?;
                self.current = self.begin(source, counts);
                continue;
            }
            let current = self.current.as_mut()?;
            let first_line = current.line;
            current.fill(buffer, counts);
            if buffer.len() == 0 {
                self.current = None;
                continue;
            }
            let lines = memchr_iter(b'\n', buffer.octets()).count() as u64;
            let has_end = buffer.octets().last() == Some(&b'\n');
            current.line += lines;
            counts.totals.lines += lines + u64::from(!has_end);
            counts.totals.octets += buffer.len() as u64;
            let number = self.next_number;
            self.next_number += 1;
            return Some(Unit { number, file: Arc::clone(&current.file), kind: current.kind, first_line });
        }
    }

    fn begin(&self, source: Source, counts: &mut Counts) -> Option<Current> {
        let name = source.name();
        let file: Arc<str> = Arc::from(name.as_str());
        let input = match source.open() {
            Ok(input) => input,
            Err(error) => {
                counts.troubles.add((Place::of_file(&file), error.to_string()));
                return None;
            }
        };
        counts.totals.files += 1;
        let (kind, rest) = (Kind::Log, Buffer::default());
        let mut current = Current { file, input, kind, rest, line: 1, is_at_end: false };
        let mut start = Buffer::default();
        current.read_to(&mut start, BLOCK, counts);
        let Some(kind) = self.forced.or_else(|| Kind::of(Path::new(&name), start.octets())) else {
            counts.totals.binary_files += 1;
            return None;
        };
        Some(Current { kind, rest: start, ..current })
    }
}

impl Current {
    /// Puts the next unit into the buffer, or nothing at the end.
    fn fill(&mut self, buffer: &mut Buffer, counts: &mut Counts) {
        buffer.clear();
        match self.kind {
            Kind::Log => self.fill_with_lines(buffer, counts),
            Kind::Mailbox => self.fill_with_message(buffer, counts),
            Kind::Message => self.fill_with_all(buffer, BOUNCE_OCTETS, counts),
            Kind::Recording => self.fill_with_all(buffer, TRANSCRIPT_OCTETS as usize, counts),
            Kind::Source => self.fill_with_all(buffer, SOURCE_OCTETS, counts),
        }
    }

    /// Reads on, until there are at least so many octets or the input ends.
    fn read_to(&mut self, buffer: &mut Buffer, length: usize, counts: &mut Counts) {
        let missing = length.saturating_sub(buffer.len());
        if self.is_at_end || missing == 0 {
            return;
        }
        match buffer.read(self.input.as_mut(), missing) {
            Ok(read) => self.is_at_end = read < missing,
            Err(error) => {
                self.trouble(buffer.octets(), format!("{error}; the rest is not read"), counts);
                self.is_at_end = true;
            }
        }
    }

    fn trouble(&self, buffer: &[u8], what: String, counts: &mut Counts) {
        let line = self.line + memchr_iter(b'\n', buffer).count() as u64;
        counts.troubles.add((Place { file: Arc::clone(&self.file), line, column: None }, what));
    }

    /// Puts whole lines into the buffer, none of which continues in the next unit.
    fn fill_with_lines(&mut self, buffer: &mut Buffer, counts: &mut Counts) {
        std::mem::swap(buffer, &mut self.rest);
        self.rest.clear();
        self.read_to(buffer, BLOCK, counts);
        if self.is_at_end {
            return;
        }
        match cut(buffer.octets()) {
            Some(end) => buffer.split_off(end, &mut self.rest),
            None => self.skip_line(buffer, counts),
        }
    }

    /// Keeps the start of a line that is longer than a unit, and leaves out its rest.
    fn skip_line(&mut self, buffer: &mut Buffer, counts: &mut Counts) {
        let what = format!("the line has more than {LOG_LINE_OCTETS} octets; its rest is not read");
        self.trouble(b"", what, counts);
        buffer.truncate(LOG_LINE_OCTETS);
        buffer.extend(b"\n");
        let mut skipped = Buffer::default();
        while !self.is_at_end {
            skipped.clear();
            self.read_to(&mut skipped, BLOCK, counts);
            if let Some(end) = memchr(b'\n', skipped.octets()) {
                return skipped.split_off(end + 1, &mut self.rest);
            }
        }
    }

    /// Puts all that is left into the buffer, if it is not too long.
    fn fill_with_all(&mut self, buffer: &mut Buffer, limit: usize, counts: &mut Counts) {
        std::mem::swap(buffer, &mut self.rest);
        self.rest.clear();
        self.read_to(buffer, limit + 1, counts);
        if buffer.len() > limit {
            let what = format!("more than {limit} octets; the file is not read");
            self.trouble(b"", what, counts);
            buffer.clear();
            self.is_at_end = true;
        }
    }

    /// Puts the next message of a mailbox into the buffer. Messages that are too long are left out.
    fn fill_with_message(&mut self, buffer: &mut Buffer, counts: &mut Counts) {
        std::mem::swap(buffer, &mut self.rest);
        self.rest.clear();
        let mut searched = 0;
        loop {
            if let Some(next) = next_message(buffer.octets(), searched) {
                return buffer.split_off(next, &mut self.rest);
            }
            if self.is_at_end {
                return;
            }
            if buffer.len() > BOUNCE_OCTETS {
                let what = format!("the message has more than {BOUNCE_OCTETS} octets, and is not read");
                self.trouble(b"", what, counts);
                return self.skip_message(buffer, counts);
            }
            // The line that separates two messages may be cut.
            searched = buffer.len().saturating_sub(SEPARATOR.len());
            let length = buffer.len() + BLOCK;
            self.read_to(buffer, length, counts);
        }
    }

    /// Leaves out the rest of a message, and continues with the next one.
    fn skip_message(&mut self, buffer: &mut Buffer, counts: &mut Counts) {
        let mut end = Buffer::default();
        loop {
            let kept = buffer.len().saturating_sub(SEPARATOR.len());
            self.line += memchr_iter(b'\n', &buffer.octets()[..kept]).count() as u64;
            buffer.split_off(kept, &mut end);
            std::mem::swap(buffer, &mut end);
            let length = buffer.len() + BLOCK;
            self.read_to(buffer, length, counts);
            if let Some(next) = next_message(buffer.octets(), 0) {
                self.line += memchr_iter(b'\n', &buffer.octets()[..next]).count() as u64;
                buffer.split_off(next, &mut self.rest);
                return self.fill_with_message(buffer, counts);
            }
            if self.is_at_end {
                return buffer.clear();
            }
        }
    }
}

/// What is between two messages of a mailbox: an empty line, and the start of the line that begins a message.
const SEPARATOR: &[u8] = b"\n\nFrom ";

/// Returns where the next message of a mailbox begins.
fn next_message(mailbox: &[u8], from: usize) -> Option<usize> {
    let found = memchr::memmem::find(mailbox.get(from..)?, SEPARATOR)?;
    Some(from + found + 2)
}

/// How many lines a reply of a log is expected to take at most.
const JOINED: usize = 100;

/// Returns where a text can be cut: after a line that ends no later than the text does, and whose reply does not continue
/// on the next line.
fn cut(text: &[u8]) -> Option<usize> {
    let last = memrchr(b'\n', text)? + 1;
    let mut end = last;
    for _ in 0..JOINED {
        let Some(start) = line_start(text, end) else { return Some(last) };
        let Some(before) = line_start(text, start) else { return Some(last) };
        if !log::joins(&text[before..start], &text[start..end]) {
            return Some(start);
        }
        end = start;
    }
    Some(last)
}

/// Returns where the line begins that ends before `end`; `None` if there is no line.
fn line_start(text: &[u8], end: usize) -> Option<usize> {
    let line = text.get(..end.checked_sub(1)?)?;
    Some(memrchr(b'\n', line).map_or(0, |before| before + 1))
}
