//! Units of work: files and standard input, cut into parts that can be read one by one, on any thread.

use std::io::{BufReader, Cursor, Read as _};
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::buffer::Buffer;
use super::counts::{Counts, Place};
use super::counts_file::COUNTS_START;
use super::input::{Decompression, Input, Source};
use super::kind::Kind;
use crate::limits::{LOG_LINE_OCTETS, MESSAGE_OCTETS, RECORDING_OCTETS, SOURCE_OCTETS};
use crate::readers::log;
use crate::readers::mailbox::Mailbox;

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
    decompression: Decompression,
    current: Option<Current>,
    next_number: u64,
}

/// The file that is being read.
struct Current {
    file: Arc<str>,
    kind: Kind,
    /// The number of the first line that was not read yet.
    line: u64,
    content: Content,
}

enum Content {
    Text(Text),
    Mailbox(Box<Mailbox<BufReader<Input>>>),
}

/// A text that is read in parts or as a whole.
struct Text {
    input: Input,
    /// What was read, and belongs to the next unit.
    rest: Buffer,
    is_at_end: bool,
}

/// How many octets of a log make a unit. It fits into the cache of a core.
const BLOCK: usize = 256 << 10;

impl<'a> Units<'a> {
    pub(crate) fn new(
        inputs: impl Iterator<Item = Source> + Send + 'a,
        forced: Option<Kind>,
        decompression: Decompression,
    ) -> Units<'a> {
        Units { inputs: Box::new(inputs), forced, decompression, current: None, next_number: 0 }
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
            let Some(first_line) = current.fill(buffer, counts) else {
                self.current = None;
                continue;
            };
            let number = self.next_number;
            self.next_number += 1;
            return Some(Unit { number, file: Arc::clone(&current.file), kind: current.kind, first_line });
        }
    }

    fn begin(&self, source: Source, counts: &mut Counts) -> Option<Current> {
        let name = source.name();
        let file: Arc<str> = Arc::from(name.as_str());
        let input = match source.open(self.decompression) {
            Ok(input) => input,
            Err(error) => {
                counts.troubles.add((Place::of_file(&file), error.to_string()));
                return None;
            }
        };
        counts.totals.files += 1;
        let mut text = Text { input, rest: Buffer::default(), is_at_end: false };
        let mut start = Buffer::default();
        if let Err(what) = text.read_to(&mut start, BLOCK) {
            counts.troubles.add((Place::of_file(&file), what));
        }
        if self.forced.is_none() && start.octets().starts_with(COUNTS_START) {
            let what = "these are counts, not a text with replies; `smtp-conformance lint merge` reads them";
            counts.troubles.add((Place::of_file(&file), what.to_owned()));
            return None;
        }
        let Some(kind) = self.forced.or_else(|| Kind::of(Path::new(&name), start.octets())) else {
            counts.totals.binary_files += 1;
            return None;
        };
        let content = if matches!(kind, Kind::Message | Kind::Mailbox) {
            let input: Input = Box::new(Cursor::new(start.octets().to_vec()).chain(text.input));
            Content::Mailbox(Box::new(Mailbox::new(BufReader::with_capacity(BLOCK, input))))
        } else {
            Content::Text(Text { rest: start, ..text })
        };
        Some(Current { file, kind, line: 1, content })
    }
}

impl Current {
    /// Puts the next unit into the buffer, and returns the number of its first line; `None` at the end.
    fn fill(&mut self, buffer: &mut Buffer, counts: &mut Counts) -> Option<u64> {
        buffer.clear();
        let first_line = match &mut self.content {
            Content::Mailbox(mailbox) => {
                let (octets, lines) = (mailbox.octets(), mailbox.lines());
                let line = fill_with_message(mailbox, &self.file, buffer, counts);
                counts.totals.octets += mailbox.octets() - octets;
                counts.totals.lines += (mailbox.lines() - lines) as u64;
                return line;
            }
            Content::Text(text) => {
                let first_line = self.line;
                let result = match self.kind {
                    Kind::Recording => text.fill_with_all(buffer, RECORDING_OCTETS),
                    Kind::Source => text.fill_with_all(buffer, SOURCE_OCTETS),
                    _ => text.fill_with_lines(buffer, &mut counts.totals.octets),
                };
                let lines = memchr_iter(b'\n', buffer.octets()).count() as u64;
                if let Err(what) = result {
                    // It is about the last line.
                    let ends_line = buffer.octets().last() == Some(&b'\n');
                    let line = first_line + lines - u64::from(ends_line);
                    counts.troubles.add((Place { file: Arc::clone(&self.file), line, column: None }, what));
                }
                self.line += lines;
                let has_end = buffer.octets().last().is_none_or(|last| *last == b'\n');
                counts.totals.lines += lines + u64::from(!has_end);
                counts.totals.octets += buffer.len() as u64;
                first_line
            }
        };
        (buffer.len() > 0).then_some(first_line)
    }
}

/// Puts the next message into the buffer, or its start, and returns the number of its first line.
fn fill_with_message(
    mailbox: &mut Mailbox<BufReader<Input>>,
    file: &Arc<str>,
    buffer: &mut Buffer,
    counts: &mut Counts,
) -> Option<u64> {
    let line = mailbox.lines() as u64 + 1;
    match mailbox.next_message() {
        Ok(message) => {
            let message = message?;
            buffer.extend(message.octets);
            if message.is_too_long && lacks_report(message.octets) {
                let place = Place { file: Arc::clone(file), line: message.line as u64, column: None };
                let what = format!("the report is not in the first {MESSAGE_OCTETS} octets of the message");
                counts.troubles.add((place, what));
            }
            Some(message.line as u64)
        }
        Err(error) => {
            let place = Place { file: Arc::clone(file), line, column: None };
            counts.troubles.add((place, format!("{error}; the rest is not read")));
            None
        }
    }
}

/// Returns whether a message announces a report that is not in what was read of it. Of other long messages nothing is lost:
/// what was cut off is an attachment, or the message that a bounce returns.
fn lacks_report(octets: &[u8]) -> bool {
    let octets = octets.to_ascii_lowercase();
    let has = |what: &str| memmem::find(&octets, what.as_bytes()).is_some();
    has("multipart/report") && !has("message/delivery-status") && !has("message/global-delivery-status")
}

impl Text {
    /// Reads on, until there are at least so many octets or the input ends. If that fails, what was read before is kept.
    fn read_to(&mut self, buffer: &mut Buffer, length: usize) -> Result<(), String> {
        let missing = length.saturating_sub(buffer.len());
        if self.is_at_end || missing == 0 {
            return Ok(());
        }
        match buffer.read(self.input.as_mut(), missing) {
            Ok(read) => self.is_at_end = read < missing,
            Err(error) => {
                self.is_at_end = true;
                return Err(format!("{error}; the rest is not read"));
            }
        }
        Ok(())
    }

    /// Puts whole lines into the buffer, none of which continues in the next unit. Octets that are left out are counted.
    fn fill_with_lines(&mut self, buffer: &mut Buffer, left_out: &mut u64) -> Result<(), String> {
        std::mem::swap(buffer, &mut self.rest);
        self.rest.clear();
        self.read_to(buffer, BLOCK)?;
        if self.is_at_end {
            return Ok(());
        }
        match cut(buffer.octets()) {
            Some(end) => {
                buffer.split_off(end, &mut self.rest);
                Ok(())
            }
            None => self.skip_line(buffer, left_out),
        }
    }

    /// Keeps the start of a line that is longer than a unit, and leaves out its rest.
    fn skip_line(&mut self, buffer: &mut Buffer, left_out: &mut u64) -> Result<(), String> {
        *left_out += (buffer.len() - LOG_LINE_OCTETS) as u64;
        buffer.truncate(LOG_LINE_OCTETS);
        buffer.extend(b"\n");
        let mut skipped = Buffer::default();
        while !self.is_at_end {
            skipped.clear();
            self.read_to(&mut skipped, BLOCK)?;
            let end = memchr(b'\n', skipped.octets()).map_or(skipped.len(), |end| end + 1);
            *left_out += end as u64;
            if end < skipped.len() {
                skipped.split_off(end, &mut self.rest);
                break;
            }
        }
        Err(format!("the line has more than {LOG_LINE_OCTETS} octets; its rest is not read"))
    }

    /// Puts all that is left into the buffer, if it is not too long.
    fn fill_with_all(&mut self, buffer: &mut Buffer, limit: usize) -> Result<(), String> {
        std::mem::swap(buffer, &mut self.rest);
        self.rest.clear();
        let result = self.read_to(buffer, limit + 1);
        if buffer.len() > limit {
            buffer.clear();
            self.is_at_end = true;
            return Err(format!("the file has more than {limit} octets, and is not read"));
        }
        result
    }
}

/// How many lines a reply of a log is expected to take at most.
const JOINED: usize = 100;

/// Returns where a text can be cut: after a line that ends no later than the text does, and whose reply does not continue
/// on the next line.
pub(super) fn cut(text: &[u8]) -> Option<usize> {
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
