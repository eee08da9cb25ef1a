//! Reads the replies that lines of logs mention.
//!
//! Each product has a reader of its own, chosen by the program that a line names. What no product is known to have
//! written is read by the generic reader.

mod code;
mod command;
mod courier;
mod dma;
mod envelope;
mod events;
mod exim;
mod folding;
mod generic;
mod haraka;
mod journal;
mod json;
mod mapped;
mod opensmtpd;
mod other;
mod postfix;
mod powermta;
mod qmail;
mod repeated;
mod sendmail;
#[cfg(test)]
mod testing;

use memchr::memchr;

use super::mention::Mention;
use envelope::Envelope;
use repeated::Repeated;

/// Reads the replies that the line at the start of `text` mentions, and returns how many octets it read: that line, or
/// several if one reply takes several lines.
///
/// `text` may go on after the line: what follows is read only if it belongs to the same reply. The offset of a mention
/// counts from the start of `text`.
pub fn read<'a>(text: &'a [u8], mentions: &mut impl FnMut(Mention<'a>)) -> usize {
    read_nested(text, &mut Sink { base: 0, mentions }, DEPTH)
}

/// Returns whether one reply may go on from one line to the next, so that a text is not to be cut between them.
#[must_use]
pub fn joins(line: &[u8], next: &[u8]) -> bool {
    let (line, next) = (first_line(line), first_line(next));
    exim::joins(line, next) || courier::joins(line, next) || generic::joins(line, next)
}

/// A form of logs that is read exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The product, and which of its logs.
    pub name: &'static str,
    /// Whether it was tested with logs that the product wrote. Otherwise the reader was made from the documentation
    /// alone.
    pub is_tested: bool,
}

/// All forms that are read exactly. They may be in the lines of syslog, of journald's JSON, or in files of their own.
/// In all other lines, replies are found by their codes and by the words before them.
pub const FORMATS: &[Format] = &[
    Format { name: "Postfix", is_tested: true },
    Format { name: "Exim: main log and reject log", is_tested: true },
    Format { name: "Sendmail", is_tested: true },
    Format { name: "OpenSMTPD", is_tested: true },
    Format { name: "Courier", is_tested: true },
    Format { name: "Haraka", is_tested: true },
    Format { name: "dma", is_tested: false },
    Format { name: "qmail-send", is_tested: false },
    Format { name: "KumoMTA: log records", is_tested: false },
    Format { name: "PowerMTA: accounting files", is_tested: false },
    Format { name: "Amazon SES: events", is_tested: false },
    Format { name: "Mailgun: events", is_tested: false },
];

/// How often a line may be a string in the JSON of another line.
const DEPTH: u8 = 2;

/// Reads a line that may be the content of another one.
fn read_nested<'a>(text: &'a [u8], sink: &mut Sink<'a, '_>, depth: u8) -> usize {
    let line = first_line(text);
    let length = text.len().min(line.len() + 1);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.starts_with(b"{") && depth > 0 && journal::read(line, sink, depth) {
        return length;
    }
    let envelope = Envelope::read(line);
    let end = length.max(read_message(text, line, envelope, sink));
    end.min(text.len())
}

/// Reads the message of a line, and returns where the text goes on that was not read.
fn read_message<'a>(
    text: &'a [u8],
    line: &'a [u8],
    envelope: Envelope<'_>,
    sink: &mut Sink<'a, '_>,
) -> usize {
    let Some(repeated) = Repeated::read(line, envelope) else {
        return read_once(text, line, envelope, sink);
    };
    let inner = repeated.line;
    let mentions = &mut |mention: Mention<'a>| {
        for _ in 0..repeated.times {
            (sink.mentions)(mention.clone());
        }
    };
    read_once(inner, inner, repeated.envelope, &mut Sink { base: sink.base, mentions });
    line.len()
}

/// Reads a message that syslog did not wrap.
fn read_once<'a>(text: &'a [u8], line: &'a [u8], envelope: Envelope<'_>, sink: &mut Sink<'a, '_>) -> usize {
    let Envelope { program, message, .. } = envelope;
    if postfix::is_program(program) {
        postfix::read(program, &line[message..], &mut sink.at(message));
    } else if exim::is_program(program) {
        return exim::read_syslog(text, line, envelope, sink);
    } else if sendmail::is_program(program) {
        sendmail::read(&line[message..], &mut sink.at(message));
    } else if opensmtpd::is_program(program) {
        opensmtpd::read(&line[message..], &mut sink.at(message));
    } else if courier::is_program(program) {
        return courier::read(text, envelope, sink);
    } else if dma::is_program(program) {
        dma::read(&line[message..], &mut sink.at(message));
    } else if !other::is_other(program, &line[message..]) {
        return read_file(text, line, sink);
    }
    line.len()
}

/// Reads a line of a program that writes files of its own, or that is not known.
fn read_file<'a>(text: &'a [u8], line: &'a [u8], sink: &mut Sink<'a, '_>) -> usize {
    if exim::is_main_log(line) {
        exim::read(line, sink);
    } else if powermta::is_record(line) && powermta::read(line, sink) {
        return line.len();
    } else if let Some(message) = haraka::message(line) {
        haraka::read(&line[message..], &mut sink.at(message));
    } else if let Some(message) = qmail::message(line) {
        qmail::read(&line[message..], &mut sink.at(message));
    } else {
        return generic::read(text, line, sink);
    }
    line.len()
}

/// Returns the text up to the first line end, without it.
fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr(b'\n', text).unwrap_or(text.len())]
}

/// Takes the mentions of a reader whose text begins somewhere in the text of its caller.
struct Sink<'a, 's> {
    base: usize,
    mentions: &'s mut dyn FnMut(Mention<'a>),
}

impl<'a> Sink<'a, '_> {
    /// Returns a sink for a reader whose text begins at this offset.
    fn at(&mut self, offset: usize) -> Sink<'a, '_> {
        Sink { base: self.base + offset, mentions: &mut *self.mentions }
    }

    fn push(&mut self, mention: Mention<'a>) {
        let offset = mention.offset + self.base;
        (self.mentions)(Mention { offset, ..mention });
    }
}
