//! Reads the log of Haraka.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use smtp_enhanced_status::explain::Stage;

use super::Sink;
use super::code::is_reply;
use crate::readers::mention::{Direction, Mention};

static PART: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"] [outbound] "));

/// How far from the start of a line its message begins.
const REACH: usize = 200;

/// Returns where the message of Haraka's outbound part begins: `2026-11-28T14:52:16.835Z [NOTICE] [ID] [outbound] ..`.
pub(super) fn message(line: &[u8]) -> Option<usize> {
    let head = &line[..line.len().min(REACH)];
    // The level comes first.
    let is_leveled = head.iter().take(80).any(|octet| *octet == b'[');
    if is_leveled { PART.find(head).map(|position| position + PART.needle().len()) } else { None }
}

/// Reads a message. Haraka joins the lines of a reply by a space, and removes their codes as far as it understands
/// them.
pub(super) fn read<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = recipient(message).or_else(|| failure(message)) {
        sink.push(mention);
    }
}

/// Reads `recipient <u@example.org> rejected: 550 5.1.1 ..`.
fn recipient(message: &[u8]) -> Option<Mention<'_>> {
    message.strip_prefix(b"recipient <")?;
    let words = [&b"> rejected: "[..], b"> deferred: "];
    let text = words.into_iter().find_map(|words| Some(memmem::find(message, words)? + words.len()))?;
    Some(Mention { stage: Some(Stage::Rcpt), ..mention(message, text, false)? })
}

/// Reads what ended an attempt: `bouncing mail: 550 ..`, `Temp failing FILE for 15 seconds: Upstream error: 421 ..`.
/// Haraka says a second time why it bounces after the last attempt, and that it did not understand a reply.
fn failure(message: &[u8]) -> Option<Mention<'_>> {
    const BOUNCING: &[u8] = b"bouncing mail: ";
    const ERROR: &[u8] = b"Upstream error: ";
    const UNRECOGNIZED: &[u8] = b"Unrecognized response from upstream server: ";
    if message.starts_with(UNRECOGNIZED) {
        return mention(message, UNRECOGNIZED.len(), false);
    }
    if message.starts_with(BOUNCING) {
        let rest = &message[BOUNCING.len()..];
        if is_reply(rest) {
            return mention(message, BOUNCING.len(), false);
        }
        let words = [ERROR, UNRECOGNIZED];
        let text = words.into_iter().find_map(|words| Some(memmem::find(rest, words)? + words.len()))?;
        return mention(message, BOUNCING.len() + text, true);
    }
    if message.starts_with(b"Temp failing ") {
        return mention(message, memmem::find(message, ERROR)? + ERROR.len(), false);
    }
    // `Too many failures (Upstream error: 421 ..)`
    mention(message, memmem::find(message, ERROR)? + ERROR.len(), true)
}

fn mention(message: &[u8], text: usize, is_repeat: bool) -> Option<Mention<'_>> {
    let reply = &message[text..];
    let reply = if is_repeat { reply.strip_suffix(b")").unwrap_or(reply) } else { reply };
    let reply = reply.trim_ascii_end();
    is_reply(reply).then_some(Mention {
        reply: Cow::Borrowed(reply),
        direction: Direction::Received,
        stage: None,
        host: None,
        status: None,
        offset: text,
        is_repeat,
    })
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_are_read() {
        for (rest, expected) in [
            ("recipient <u@example.org> rejected: 550 5.1.1 a b ", &["received rcpt | 550 5.1.1 a b"][..]),
            ("recipient <u@example.org> deferred: 452 4.2.2 full", &["received rcpt | 452 4.2.2 full"]),
            ("bouncing mail: 554 5.7.9 no", &["received | 554 5.7.9 no"]),
            ("bouncing mail: Some recipients failed: <u@example.org>", &[]),
            (
                "Temp failing 1795877536853_1795877536853_0_7_FiLfLC_6_mx for 15 seconds: Upstream error: 421 4.7.0 no",
                &["received | 421 4.7.0 no"],
            ),
            (
                "bouncing mail: Too many failures (Upstream error: 421 4.7.0 no)",
                &["received again | 421 4.7.0 no"],
            ),
            ("Unrecognized response from upstream server: 550  ", &["received | 550"]),
            ("bouncing mail: Unrecognized response from upstream server: 550  ", &["received again | 550"]),
            (
                " delivered file=1795877536842_0_7_crOWdu_4_mx domain=example.org host=mx.example.org response=\"Ok: queued\" delay=0.056",
                &[],
            ),
        ] {
            check(&[
                (
                    &format!(
                        "2026-11-28T14:52:16.835Z [NOTICE] [7A229565-4448-4735-A9AC-75418D410FF1.1.1] [outbound] {rest}"
                    ),
                    expected,
                ),
                (
                    &format!(
                        "Nov 28 14:52:16 mx haraka[1]: [NOTICE] [7A229565-4448-4735-A9AC-75418D410FF1.1.1] [outbound] {rest}"
                    ),
                    expected,
                ),
            ]);
        }
    }
}
