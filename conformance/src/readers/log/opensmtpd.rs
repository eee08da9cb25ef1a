//! Reads the log of OpenSMTPD.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use smtp_enhanced_status::explain::Stage;

use super::Sink;
use super::code::is_reply;
use super::command::stage;
use crate::readers::mention::{Direction, Mention};

static DELIVERY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" result=\""));
static STATUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\" stat=\""));
static RELAY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" relay=\""));
static REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"error reason="));
static COMMAND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"failed-command command=\""));

/// Returns whether a tag is OpenSMTPD's.
pub(super) fn is_program(tag: &[u8]) -> bool {
    tag == b"smtpd"
}

/// Reads the message of a line.
///
/// The lines of a reply are joined without a separator and without their reply codes, so that a reply of several lines
/// is one line with a hyphen. Quotes in it are not escaped. A cut line has no closing quote.
pub(super) fn read<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = delivery(message).or_else(|| error(message)).or_else(|| failed_command(message)) {
        sink.push(mention);
    }
}

/// Reads `mta delivery .. relay="192.0.2.1 (mx.example.org)" delay=0s result="PermFail" stat="550 5.1.1 .."`.
fn delivery(message: &[u8]) -> Option<Mention<'_>> {
    let result = DELIVERY.find(message)?;
    let status = result + STATUS.find(&message[result..])?;
    let (text, reply) = quoted(message, status + STATUS.needle().len())?;
    // What was accepted was accepted at its end.
    let stage = message[result + DELIVERY.needle().len()..].starts_with(b"Ok").then_some(Stage::Message);
    Some(Mention { stage, host: host(&message[..result]), ..mention(reply, text, Direction::Received) })
}

/// Returns the name in `relay="192.0.2.1 (mx.example.org)"`.
fn host(head: &[u8]) -> Option<&[u8]> {
    let start = RELAY.find(head)? + RELAY.needle().len();
    let relay = &head[start..start + memchr(b'"', &head[start..])?];
    let name = match memchr(b'(', relay) {
        Some(open) => relay[open + 1..].strip_suffix(b")")?,
        None => relay,
    };
    (!name.is_empty()).then_some(name)
}

/// Reads `mta error reason=BANNER rejected: 554 5.7.1 ..`.
fn error(message: &[u8]) -> Option<Mention<'_>> {
    const REJECTED: &[u8] = b" rejected: ";
    let reason = REASON.find(message)? + REASON.needle().len();
    let space = reason + memchr(b' ', &message[reason..])?;
    let text = space + message[space..].starts_with(REJECTED).then_some(REJECTED.len())?;
    let reply = &message[text..];
    let stage = stage(&message[reason..space]);
    is_reply(reply).then(|| Mention { stage, ..mention(reply, text, Direction::Received) })
}

/// Reads `smtp failed-command command="rcpt TO:<..>" result="550 .."`.
fn failed_command(message: &[u8]) -> Option<Mention<'_>> {
    let command = COMMAND.find(message)? + COMMAND.needle().len();
    let result = command + DELIVERY.find(&message[command..])?;
    let (text, reply) = quoted(message, result + DELIVERY.needle().len())?;
    Some(Mention { stage: stage(&message[command..result]), ..mention(reply, text, Direction::Sent) })
}

/// Returns the reply from a position to the last quote.
fn quoted(message: &[u8], start: usize) -> Option<(usize, &[u8])> {
    let end = memrchr(b'"', message)
        .filter(|end| *end + 1 == message.len() && *end >= start)
        .unwrap_or(message.len());
    let reply = &message[start..end];
    is_reply(reply).then_some((start, reply))
}

fn mention(reply: &[u8], offset: usize, direction: Direction) -> Mention<'_> {
    let reply = Cow::Borrowed(reply);
    Mention { reply, direction, stage: None, host: None, status: None, offset, is_repeat: false }
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_are_read() {
        let delivery = "mta delivery evpid=990a38c004fbd798 from=<a@example.org> to=<u@example.org> rcpt=<-> source=\"192.0.2.3\" \
                        relay=\"192.0.2.1 (mx.example.org)\" delay=0s ";
        for (rest, expected) in [
            (
                &format!("{delivery}result=\"Ok\" stat=\"250 2.0.0 Ok\"")[..],
                &["received message mx.example.org | 250 2.0.0 Ok"][..],
            ),
            (
                &format!("{delivery}result=\"PermFail\" stat=\"550 5.7.1 a \"b\" c\""),
                &["received mx.example.org | 550 5.7.1 a \"b\" c"],
            ),
            (
                &format!("{delivery}result=\"PermFail\" stat=\"550 5.7.1 a \"b\" cu"),
                &["received mx.example.org | 550 5.7.1 a \"b\" cu"],
            ),
            (&format!("{delivery}result=\"TempFail\" stat=\"Network error on destination MXs\""), &[]),
            ("mta error reason=BANNER rejected: 554 5.7.1 no", &["received connect | 554 5.7.1 no"]),
            ("mta error reason=STARTTLS rejected: 454 4.7.0 no", &["received starttls | 454 4.7.0 no"]),
            ("mta error reason=Connection closed unexpectedly", &[]),
            (
                "smtp failed-command command=\"rcpt TO:<u@example.org>\" result=\"550 Invalid\"",
                &["sent rcpt | 550 Invalid"],
            ),
        ] {
            check(&[(&format!("Nov 28 14:44:04 mx mail.info smtpd[36]: 7c7741dd52734f44 {rest}"), expected)]);
        }
    }
}
