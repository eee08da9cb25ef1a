//! The reply in a field Diagnostic-Code (RFC 3464 §2.3.6, RFC 3461 §9.2).

use memchr::memmem;

use super::reply_code::{find, reply_code};
use crate::dsn::{Field, Origin};
use crate::readers::seam;

/// Returns the reply that a field shows, and who wrote it. `None` if it shows none.
pub(super) fn reply(field: &Field) -> Option<(Vec<u8>, Origin)> {
    let kind = field.typed().map(|(kind, _)| kind);
    let is_smtp = kind.as_deref().is_none_or(|kind| ["smtp", "lmtp"].contains(&kind));
    // The exit status of a program, and what it printed.
    if kind.as_deref() == Some("x-unix") {
        return None;
    }
    let text = field.untyped();
    let first = text.split(|&octet| octet == b'\n').next().unwrap_or_default();
    let (before, reply) = match find(first) {
        Some(start) if has_a_code_on_each_line(&text[start..]) => {
            (text[..start].to_vec(), text[start..].to_vec())
        }
        _ => {
            let joined: Vec<u8> =
                text.iter().map(|&octet| if octet == b'\n' { b' ' } else { octet }).collect();
            let (before, reply) = joined.split_at(find(&joined)?);
            (before.to_vec(), seam::split(reply))
        }
    };
    let is_remote = is_smtp || is_quoted(&before);
    let origin = if is_remote && !is_made_up(&reply) { Origin::Remote } else { Origin::Reporter };
    Some((reply, origin))
}

/// Returns whether the words before a reply say that it is another server's: `host mx.example.net said: `.
fn is_quoted(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    ["said:", "talk to me:", "start TLS:"].into_iter().any(|words| before.ends_with(words.as_bytes()))
}

/// Returns whether the field has the lines of the reply on lines of its own, as RFC 3461 §9.2 asks.
fn has_a_code_on_each_line(text: &[u8]) -> bool {
    let Some((code, _)) = reply_code(text) else { return false };
    text.split(|&octet| octet == b'\n').all(|line| reply_code(line).is_some_and(|(other, _)| other == code))
}

/// Returns whether it is what Sendmail writes of a connection that broke, or was not encrypted well enough.
fn is_made_up(reply: &[u8]) -> bool {
    const OWN: [&[u8]; 4] = [
        b"reply: read error from ",
        b"Connection reset by ",
        b"Connection timed out with ",
        b"encryption too weak ",
    ];
    let after = reply.get(4..).unwrap_or_default();
    let after =
        super::reply_code::enhanced(after).map_or(after, |code| &after[code.len()..]).trim_ascii_start();
    OWN.iter().any(|words| memmem::find(after, words) == Some(0))
}
