//! Reads the accounting files of PowerMTA: CSV. Made from its documentation: untested against real logs.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use smtp_enhanced_status::EnhancedStatusCode;

use super::Sink;
use super::code::is_reply;
use super::events::without_type;
use crate::readers::mention::{Direction, Mention};

/// Returns whether a line is a record of a delivery, a bounce, or a deferral.
pub(super) fn is_record(line: &[u8]) -> bool {
    [&b"d,"[..], b"b,", b"t,", b"tq,", b"rb,", b"rs,"].iter().any(|kind| line.starts_with(kind))
}

/// Reads a record, and returns whether it has a reply. Its columns depend on the configuration, so that `dsnDiag` is
/// known by its type, `smtp;`. In the default order, `dsnStatus` is before it, and `dsnMta` after it.
pub(super) fn read<'a>(line: &'a [u8], sink: &mut Sink<'a, '_>) -> bool {
    let mut before: Option<Field<'a>> = None;
    let mut position = 0;
    while let Some(field) = Field::at(line, position) {
        position = field.end + 1;
        let text = field.content;
        let reply = without_type(text);
        if reply.len() < text.len() && is_reply(reply) {
            let mta = Field::at(line, position);
            sink.push(Mention {
                reply: field.unquoted(reply),
                direction: Direction::Received,
                stage: None,
                host: mta.and_then(Field::host),
                status: before.and_then(Field::verdict),
                offset: field.start + (text.len() - reply.len()),
                is_repeat: false,
            });
            return true;
        }
        before = Some(field);
    }
    false
}

/// A field of a record.
#[derive(Clone, Copy)]
struct Field<'a> {
    /// Where the content begins in the line.
    start: usize,
    /// The content, without the quotes around it.
    content: &'a [u8],
    is_quoted: bool,
    /// Where the comma after it is.
    end: usize,
}

impl<'a> Field<'a> {
    /// Reads the field that begins at a position (RFC 4180 §2).
    fn at(line: &'a [u8], position: usize) -> Option<Field<'a>> {
        let rest = line.get(position..)?;
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            let length = memchr(b',', rest).unwrap_or(rest.len());
            let content = &rest[..length];
            return Some(Field { start: position, content, is_quoted: false, end: position + length });
        };
        let mut length = 0;
        loop {
            length += memchr(b'"', &quoted[length..]).unwrap_or(quoted.len() - length);
            if quoted.get(length + 1) != Some(&b'"') {
                break;
            }
            length += 2;
        }
        let start = position + 1;
        let after = quoted.get(length + 1..).unwrap_or_default();
        let end = start + (quoted.len() - after.len()) + memchr(b',', after).unwrap_or(after.len());
        Some(Field { start, content: &quoted[..length], is_quoted: true, end })
    }

    /// Returns a part of the content without the doubling of its quotes.
    fn unquoted(self, part: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.is_quoted || memmem::find(part, b"\"\"").is_none() {
            return Cow::Borrowed(part);
        }
        let mut octets = Vec::with_capacity(part.len());
        let mut rest = part;
        while let Some(quote) = memmem::find(rest, b"\"\"") {
            octets.extend_from_slice(&rest[..=quote]);
            rest = &rest[quote + 2..];
        }
        octets.extend_from_slice(rest);
        Cow::Owned(octets)
    }

    /// Returns the code in `5.1.1 (bad destination mailbox address)`.
    fn verdict(self) -> Option<EnhancedStatusCode> {
        EnhancedStatusCode::parse_prefix(self.content).map(|(code, _)| code)
    }

    /// Returns the name in `mx.example.org (192.0.2.1)`.
    fn host(self) -> Option<&'a [u8]> {
        let name = &self.content[..memchr(b' ', self.content).unwrap_or(self.content.len())];
        (!name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn records_are_read() {
        check(&[
            (
                "b,2026-11-28 14:53:19+0000,a@example.org,u@example.org,failed,5.1.1 (bad destination),\"smtp;550 5.1.1 no \"\"user\"\", none\",mx.example.org (192.0.2.1),bad-mailbox",
                &["received mx.example.org dsn=5.1.1 | 550 5.1.1 no \"user\", none"],
            ),
            (
                "d,1178807903,relayed,2.0.0 (success),smtp;250 2.0.0 OK,mx.example.org (192.0.2.1),",
                &["received mx.example.org dsn=2.0.0 | 250 2.0.0 OK"],
            ),
            ("t,1178807903,delayed,4.4.7 (delivery time expired),,,", &[]),
            ("type,timeLogged,orig,rcpt,dsnDiag", &[]),
        ]);
    }
}
