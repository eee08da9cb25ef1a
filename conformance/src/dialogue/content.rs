//! The content of a message: what the client wants to have delivered.

use super::{Act, Exchange};
use crate::protocol::command::Verb;

/// Returns the content of the message that an exchange completes, or `None` if it completes none.
///
/// After DATA, the content ends before the first line with a single dot, and the dots that transparency adds are
/// removed (RFC 5321 §4.5.2). A message may be sent in parts; the last one completes it. After BDAT, it consists of the chunks since MAIL (RFC 3030 §2).
#[must_use]
pub fn content(exchanges: &[&Exchange], index: usize) -> Option<Vec<u8>> {
    match &exchanges.get(index)?.act {
        Act::Message(_) => {
            let (content, has_end) = without_dots(&parts(exchanges, index));
            has_end.then_some(content)
        }
        act @ Act::Chunk { .. } if act.command().is_some_and(|command| command.is_last_chunk()) => {
            let verb = |exchange: &&Exchange| exchange.command().map(|command| command.verb());
            let before = exchanges.get(..=index)?;
            let start = before.iter().rposition(|exchange| verb(exchange) == Some(Verb::Mail))?;
            let chunks = before.get(start..)?.iter().filter_map(|exchange| match &exchange.act {
                Act::Chunk { octets, .. } => Some(octets.as_slice()),
                _ => None,
            });
            Some(chunks.collect::<Vec<_>>().concat())
        }
        _ => None,
    }
}

/// Returns what was sent of a message if its end was not, and the connection ended with this exchange.
#[must_use]
pub(crate) fn interrupted(exchanges: &[&Exchange], index: usize) -> Option<Vec<u8>> {
    let is_last = index + 1 == exchanges.len();
    if !is_last || !matches!(exchanges.get(index)?.act, Act::Message(_)) {
        return None;
    }
    let (content, has_end) = without_dots(&parts(exchanges, index));
    (!has_end).then_some(content)
}

/// Returns the octets of a message up to an exchange, which may have sent a part of it.
fn parts(exchanges: &[&Exchange], index: usize) -> Vec<u8> {
    let before = exchanges.get(..=index).unwrap_or_default().iter().rev();
    let mut parts: Vec<&[u8]> = before
        .map_while(|exchange| match &exchange.act {
            Act::Message(octets) => Some(octets.as_slice()),
            _ => None,
        })
        .collect();
    parts.reverse();
    parts.concat()
}

/// Returns the lines up to the one with a single dot, without a dot at their beginning, and whether there is such a line.
fn without_dots(octets: &[u8]) -> (Vec<u8>, bool) {
    let mut content = Vec::with_capacity(octets.len());
    for line in lines(octets) {
        if line == b".\r\n" {
            return (content, true);
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    (content, false)
}

/// Returns the lines of a text, each with its CR LF. Only CR LF ends a line (RFC 5321 §2.3.8).
pub(crate) fn lines(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if octets.is_empty() {
            return None;
        }
        let end = memchr::memmem::find(octets, b"\r\n").map_or(octets.len(), |end| end + 2);
        let (line, rest) = octets.split_at(end);
        octets = rest;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::{content, interrupted};
    use crate::dialogue::{Act, Exchange};

    #[test]
    fn a_message_ends_at_its_final_dot_and_loses_a_dot_on_each_line() {
        let content = |octets: &[u8]| {
            let exchange = Exchange::new(Act::Message(octets.to_vec()));
            content(&[&exchange], 0).map(|content| content.escape_ascii().to_string())
        };
        assert_eq!(content(b"a\r\n..\r\n..b\r\n.\r\n").as_deref(), Some(r"a\r\n.\r\n.b\r\n"));
        assert_eq!(content(b"a\n.\nb\r\n.\r\nMAIL\r\n").as_deref(), Some(r"a\n.\nb\r\n"));
        assert_eq!(content(b".\r\n").as_deref(), Some(""));
        assert_eq!(content(b"a\r\n").as_deref(), None);
    }

    #[test]
    fn a_message_may_be_sent_in_parts() {
        let parts = ["a\r", "\nb\r\n.\r\n"].map(|part| Exchange::new(Act::Message(part.into())));
        let exchanges: Vec<&Exchange> = parts.iter().collect();
        assert_eq!(content(&exchanges, 0), None);
        assert_eq!(content(&exchanges, 1), Some(b"a\r\nb\r\n".to_vec()));
        assert_eq!(interrupted(&exchanges, 1), None);
        assert_eq!(interrupted(&exchanges[..1], 0), Some(b"a\r".to_vec()));
        assert_eq!(interrupted(&exchanges, 0), None);
    }

    #[test]
    fn chunks_are_joined() {
        let chunk = |command: &str, octets: &str| {
            Exchange::new(Act::Chunk { command: command.into(), octets: octets.into() })
        };
        let exchanges = [
            chunk("BDAT 1 LAST\r\n", "x"),
            Exchange::new(Act::Command(b"MAIL FROM:<>\r\n".to_vec())),
            chunk("BDAT 3\r\n", "..a"),
            chunk("BDAT 2 LAST\r\n", "\r\n"),
        ];
        let exchanges: Vec<&Exchange> = exchanges.iter().collect();
        assert_eq!(content(&exchanges, 0), None);
        assert_eq!(content(&exchanges, 2), None);
        assert_eq!(content(&exchanges, 3), Some(b"..a\r\n".to_vec()));
    }
}
