//! Reads the log of Courier, which has a line for each line of a reply.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use smtp_enhanced_status::explain::Stage;

use super::code::is_reply;
use super::command::stage;
use super::envelope::Envelope;
use super::{Sink, first_line, read_nested};
use crate::readers::mention::{Direction, Mention};

static ADDRESS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",addr=<"));
static RECIPIENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",to=<"));
static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b">: "));
static QUOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",msg=\""));
static COMMAND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\",cmd: "));

/// How many lines further on the next line of a reply may be: other deliveries go on at the same time.
const REACH: usize = 32;
/// How many lines are read at a time at most.
const LINES: usize = 512;
/// How many replies may be open at a time.
const OPEN: usize = 16;

/// Returns whether a tag is that of a program of Courier.
pub(super) fn is_program(tag: &[u8]) -> bool {
    tag.starts_with(b"courier")
}

/// Reads the line at the start of a text, and the lines that go on with its reply. The lines between them are read too.
/// Returns where the text goes on.
pub(super) fn read<'a>(text: &'a [u8], first: Envelope<'_>, sink: &mut Sink<'a, '_>) -> usize {
    let mut open: Vec<Gathered<'a>> = Vec::new();
    let mut position = 0;
    for number in 0..LINES {
        let line = without_end(&text[position..]);
        let envelope = if number == 0 { first } else { Envelope::read(line) };
        if is_program(envelope.program) {
            let message = &line[envelope.message..];
            let offset = position + envelope.message;
            match Line::read(message) {
                Some(line) => add(&mut open, line, Place { offset, number }, sink),
                None => close(&mut open, sink, |gathered| is_status_of(message, gathered.first.delivery)),
            }
            position += first_line(&text[position..]).len() + 1;
        } else {
            position += read_nested(&text[position..], &mut sink.at(position), 0);
        }
        close(&mut open, sink, |gathered| gathered.number + REACH < number);
        if open.is_empty() || position >= text.len() {
            break;
        }
    }
    close(&mut open, sink, |_| true);
    position.min(text.len())
}

fn without_end(text: &[u8]) -> &[u8] {
    let line = first_line(text);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A line of a reply.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// What is before the reply: the message, the sender and the recipient.
    delivery: &'a [u8],
    reply: &'a [u8],
    /// Where the reply begins in the message.
    start: usize,
    direction: Direction,
    stage: Option<Stage>,
}

impl<'a> Line<'a> {
    /// Reads a line about a delivery, `id=..,from=<..>,addr=<u@example.org>: 550-5.1.1 ..`, or about a client,
    /// `error,relay=..,from=<..>,to=<..>: 513 ..` and `error,relay=..,msg="534 ..",cmd: ..`.
    fn read(message: &'a [u8]) -> Option<Line<'a>> {
        let (start, end, direction, stage) = if message.starts_with(b"id=") {
            (after_address(message, &ADDRESS)?, message.len(), Direction::Received, None)
        } else if !message.starts_with(b"error,") {
            return None;
        } else if let Some(quote) = QUOTE.find(message) {
            let start = quote + QUOTE.needle().len();
            let end = start + COMMAND.find(&message[start..])?;
            (start, end, Direction::Sent, stage(&message[end + COMMAND.needle().len()..]))
        } else {
            (after_address(message, &RECIPIENT)?, message.len(), Direction::Sent, Some(Stage::Rcpt))
        };
        let reply = &message[start..end];
        is_reply(reply).then_some(Line { delivery: &message[..start], reply, start, direction, stage })
    }

    fn is_last(&self) -> bool {
        self.reply.get(3) != Some(&b'-')
    }
}

/// Returns where the text after the address that a name begins with begins.
fn after_address(message: &[u8], name: &Finder<'_>) -> Option<usize> {
    let address = name.find(message)?;
    Some(address + END.find(&message[address..])? + END.needle().len())
}

/// Returns whether a message tells the outcome of a delivery: its reply is over.
fn is_status_of(message: &[u8], delivery: &[u8]) -> bool {
    let delivery = delivery.strip_suffix(b": ").unwrap_or(delivery);
    message.strip_prefix(delivery).is_some_and(|rest| rest.starts_with(b",status: "))
}

/// Where a line is.
#[derive(Clone, Copy)]
struct Place {
    /// Where its message begins in the text.
    offset: usize,
    number: usize,
}

/// A reply of which there are more lines to come.
struct Gathered<'a> {
    first: Line<'a>,
    /// Where it begins in the text.
    offset: usize,
    lines: Vec<&'a [u8]>,
    /// The number of its last line.
    number: usize,
}

impl<'a> Gathered<'a> {
    fn report(self, sink: &mut Sink<'a, '_>) {
        let reply = match self.lines[..] {
            [line] => Cow::Borrowed(line),
            _ => Cow::Owned(self.lines.join(&b'\n')),
        };
        let Line { direction, stage, .. } = self.first;
        let offset = self.offset;
        sink.push(Mention { reply, direction, stage, host: None, status: None, offset, is_repeat: false });
    }
}

/// Adds a line to the reply that it goes on with, or begins one.
fn add<'a>(open: &mut Vec<Gathered<'a>>, line: Line<'a>, place: Place, sink: &mut Sink<'a, '_>) {
    let is_next = |gathered: &Gathered<'_>| gathered.first.delivery == line.delivery;
    if let Some(index) = open.iter().position(is_next) {
        if open[index].first.reply[..3] == line.reply[..3] {
            open[index].lines.push(line.reply);
            open[index].number = place.number;
            if line.is_last() {
                open.remove(index).report(sink);
            }
            return;
        }
        open.remove(index).report(sink);
    }
    let offset = place.offset + line.start;
    let gathered = Gathered { first: line, offset, lines: vec![line.reply], number: place.number };
    if line.is_last() || open.len() == OPEN { gathered.report(sink) } else { open.push(gathered) }
}

/// Reports the replies that are over.
fn close<'a>(open: &mut Vec<Gathered<'a>>, sink: &mut Sink<'a, '_>, is_over: impl Fn(&Gathered<'a>) -> bool) {
    let mut index = 0;
    while index < open.len() {
        if is_over(&open[index]) {
            open.remove(index).report(sink);
        } else {
            index += 1;
        }
    }
}

/// Returns whether the next line may go on with a reply that this line or one before it began.
pub(super) fn joins(line: &[u8], next: &[u8]) -> bool {
    let reply = |line: &[u8]| {
        let envelope = Envelope::read(line);
        let message = line.get(envelope.message..).unwrap_or_default();
        is_program(envelope.program).then(|| Line::read(message).map(|line| line.is_last()))
    };
    match (reply(line), reply(next)) {
        (Some(Some(is_last)), _) if !is_last => true,
        (_, Some(Some(is_last))) => !is_last || is_courier(line),
        _ => false,
    }
}

fn is_courier(line: &[u8]) -> bool {
    is_program(Envelope::read(line).program)
}

#[cfg(test)]
mod tests {
    use crate::readers::log::joins;
    use crate::readers::log::testing::check;

    const HEAD: &str = "Nov 28 14:53:19 mx mail.info courieresmtp: id=0001.0002,from=<a@example.org>,addr=";

    #[test]
    fn the_lines_of_a_reply_are_gathered() {
        check(&[
            (
                &format!(
                    "{HEAD}<u@example.org>: 550-5.1.1 a\n{HEAD}<u@example.org>: 550-5.1.1 b\r\n\
                     {HEAD}<u@example.org>: 550 5.1.1 c\n{HEAD}<u@example.org>,status: failure\n"
                ),
                &["received | 550-5.1.1 a\n550-5.1.1 b\n550 5.1.1 c"],
            ),
            (
                &format!("{HEAD}<u@example.org>: 550 \n{HEAD}<u@example.org>: 503 5.5.1 no\n"),
                &["received | 550 ", "received | 503 5.5.1 no"],
            ),
            // The end is missing.
            (
                &format!(
                    "{HEAD}<u@example.org>: 550-5.1.1 a\n{HEAD}<u@example.org>,status: failure\n{HEAD}<u@example.org>: 550 b\n"
                ),
                &["received | 550-5.1.1 a", "received | 550 b"],
            ),
            // Lines of others are between them.
            (
                &format!(
                    "{HEAD}<u@example.org>: 550-5.1.1 a\n{HEAD}<v@example.org>: 450-4.2.2 x\n\
                     Nov 28 14:53:19 mx postfix/smtp[1]: B5: host mx.example.org[192.0.2.1] said: 451 4.3.0 x (in reply to DATA command)\n\
                     {HEAD}<u@example.org>: 550 5.1.1 b\n{HEAD}<v@example.org>: 450 4.2.2 y\n"
                ),
                &[
                    "received data mx.example.org | 451 4.3.0 x",
                    "received | 550-5.1.1 a\n550 5.1.1 b",
                    "received | 450-4.2.2 x\n450 4.2.2 y",
                ],
            ),
        ]);
        let [first, other, last] =
            ["<u@example.org>: 550-a", "<v@example.org>,status: deferred", "<u@example.org>: 550 b"]
                .map(|rest| format!("{HEAD}{rest}"));
        assert!(joins(first.as_bytes(), other.as_bytes()) && joins(other.as_bytes(), last.as_bytes()));
        assert!(!joins(last.as_bytes(), other.as_bytes()));
    }

    #[test]
    fn own_replies_are_read() {
        check(&[
            (
                "Nov 28 14:53:19 mx courieresmtpd: error,relay=::ffff:192.0.2.1,port=1,msg=\"534 too big\",cmd: MAIL FROM:<a@example.org>",
                &["sent mail | 534 too big"],
            ),
            (
                "Nov 28 14:53:19 mx courieresmtpd: error,relay=::ffff:192.0.2.1,from=<a@example.org>,to=<u@example.org>: 513 Relaying denied.",
                &["sent rcpt | 513 Relaying denied."],
            ),
            ("Nov 28 14:53:19 mx courieresmtpd: started,ip=[::ffff:192.0.2.1],port=[550]", &[]),
        ]);
    }
}
