//! Reads the log of dma, the DragonFly Mail Agent. Made from its documentation: untested against real logs.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::memrchr;

use super::Sink;
use super::code::{is_reply, rfind};
use super::command::stage;
use super::folding::split_at;
use crate::readers::mention::{Direction, Mention};

static FAILED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" failed after "));
static COLON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b": "));
/// CR and LF, as busybox's syslogd shows them.
static CARET: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"^M "));
/// CR and LF, as rsyslog shows them.
static OCTAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"#015#012"));

/// Returns whether a tag is dma's: `dma`, `dma[QUEUE-ID]`.
pub(super) fn is_program(tag: &[u8]) -> bool {
    tag == b"dma" || tag.starts_with(b"dma[")
}

/// Reads `remote delivery deferred: mx.example.org [192.0.2.1] failed after RCPT TO: 450 4.2.0 ..`.
pub(super) fn read<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = mention(message) {
        sink.push(mention);
    }
}

fn mention(message: &[u8]) -> Option<Mention<'_>> {
    let failed = FAILED.find(message)?;
    let command = failed + FAILED.needle().len();
    let colon =
        COLON.find_iter(&message[command..]).find(|colon| is_reply(&message[command + colon + 2..]))?;
    let text = command + colon + 2;
    let reply = &message[text..];
    let reply =
        reply.strip_suffix(b"^M").or(reply.strip_suffix(b"#015#012")).unwrap_or(reply).trim_ascii_end();
    let reply = match split_at(reply, &CARET) {
        Cow::Borrowed(reply) => split_at(reply, &OCTAL),
        lines @ Cow::Owned(_) => lines,
    };
    let (direction, stage) = (Direction::Received, stage(&message[command..text - 2]));
    let host = host(&message[..failed]);
    Some(Mention { reply, direction, stage, host, status: None, offset: text, is_repeat: false })
}

/// Returns the name in `mx.example.org [192.0.2.1]` at the end of a text.
fn host(before: &[u8]) -> Option<&[u8]> {
    let end = rfind(before, b' ', b" [")?;
    let start = memrchr(b' ', &before[..end]).map_or(0, |space| space + 1);
    (start < end).then(|| &before[start..end])
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_are_read() {
        for (rest, expected) in [
            (
                "remote delivery to mx.example.org [192.0.2.1] failed after RCPT TO: 550-5.1.1 a^M 550 5.1.1 b^M",
                &["received rcpt mx.example.org | 550-5.1.1 a\n550 5.1.1 b"][..],
            ),
            (
                "remote delivery deferred: mx.example.org [192.0.2.1] failed after final DATA: 450-a#015#012450 b#015#012",
                &["received message mx.example.org | 450-a\n450 b"],
            ),
            (
                "remote delivery deferred: mx.example.org [192.0.2.1] failed after connect: 421 no",
                &["received connect mx.example.org | 421 no"],
            ),
            ("delivery deferred: connection timed out", &[]),
        ] {
            for tag in ["dma[v1a2b3.7f0c]", "dma[v1a2b3.7f0c][12]", "dma"] {
                check(&[(&format!("Nov 28 14:53:19 mx {tag}: {rest}"), expected)]);
            }
        }
    }
}
