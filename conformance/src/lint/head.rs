//! Heads: the codes of a reply as they are written.

use std::fmt;

use memchr::memchr;
use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

use crate::protocol::reply::{Line, Reply, Token};

/// The codes of a reply as they are written: `550 5.1.1`, `550`, `5.1.1`, `550 5.01.1`. If its lines have different
/// codes, those of the first line and of the last, with LF between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Head {
    octets: [u8; Head::LENGTH],
    length: u8,
}

impl Head {
    /// The maximum number of octets: two lines with the longest codes. A damaged code may be cut.
    const LENGTH: usize = 31;

    /// Reads the head of a reply.
    #[inline]
    pub(crate) fn of(reply: &[u8]) -> Head {
        match plain_length(reply) {
            Some(length) => Head::new(&reply[..length]),
            None => Head::of_any(reply),
        }
    }

    fn of_any(reply: &[u8]) -> Head {
        let mut head = Head::new(b"");
        let reply = Reply::read(reply);
        let mut lines = reply.lines().filter(|line| !line.is_broken_off());
        let Some(first) = lines.next() else { return head };
        head.append_line(&first);
        if let Some(last) = lines.last() {
            let mut end = Head::new(b"");
            end.append_line(&last);
            if end != head {
                head.append(b"\n");
                head.append(end.as_octets());
            }
        }
        head
    }

    pub(crate) fn new(octets: &[u8]) -> Head {
        let mut head = Head { octets: [0; Head::LENGTH], length: 0 };
        head.append(octets);
        head
    }

    fn append_line(&mut self, line: &Line<'_>) {
        let octets = line.octets();
        if line.number().is_none() {
            if let Some((code, _)) = EnhancedStatusCode::parse_prefix(octets) {
                self.append(code.encode(&mut [0; EnhancedStatusCode::MAX_LEN]).as_bytes());
            }
            return;
        }
        self.append(&octets[..3]);
        let text = line.text();
        let start = match line.token() {
            Token::Code(_) | Token::Ending(_) | Token::Unspaced(_) => 0,
            Token::Indented(_, start) | Token::Damaged(_, start) => start,
            Token::Late(..) | Token::Absent => return,
        };
        let word = text.get(start..).unwrap_or_default();
        let end = word.iter().position(|octet| matches!(octet, b' ' | b'\t')).unwrap_or(word.len());
        self.append(b" ");
        self.append(&word[..end.min(Head::LENGTH / 2 - 4)]);
    }

    fn append(&mut self, octets: &[u8]) {
        let start = usize::from(self.length);
        let length = octets.len().min(Head::LENGTH - start);
        self.octets[start..start + length].copy_from_slice(&octets[..length]);
        self.length += u8::try_from(length).unwrap_or_default();
    }

    pub(crate) fn as_octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// Returns the reply code, as the last line has it.
    pub(crate) fn reply_code(&self) -> Option<ReplyCode> {
        ReplyCode::from_bytes(self.last().get(..3)?).ok()
    }

    /// Returns the enhanced status code, as the last line has it; `None` if it is damaged.
    pub(crate) fn enhanced(&self) -> Option<EnhancedStatusCode> {
        let last = self.last();
        let code = if last.get(1) == Some(&b'.') { last } else { last.get(4..)? };
        EnhancedStatusCode::from_bytes(code).ok()
    }

    /// Returns the first digit of the reply code, or else of the enhanced status code.
    pub(crate) fn digit(&self) -> Option<u8> {
        self.as_octets().first().copied()
    }

    fn last(&self) -> &[u8] {
        self.as_octets().rsplit(|octet| *octet == b'\n').next().unwrap_or_default()
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(self.as_octets()).replace('\n', " / "))
    }
}

/// Returns the length of the head of a reply on one line, if its form is plain: a reply code, and then an enhanced status
/// code or a word without dots.
#[inline]
fn plain_length(reply: &[u8]) -> Option<usize> {
    let [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ', text @ ..] = reply else { return None };
    if memchr(b'\n', reply).is_some_and(|end| end + 1 < reply.len()) {
        return None;
    }
    if let Some((_, rest)) = EnhancedStatusCode::parse_prefix(text) {
        return Some(reply.len() - rest.len());
    }
    let is_plain = text.first().is_some_and(u8::is_ascii_alphabetic) && memchr(b'.', text).is_none();
    is_plain.then_some(3)
}

#[cfg(test)]
mod tests {
    use smtp_enhanced_status::ReplyCode;

    use super::Head;

    #[test]
    fn a_head_has_the_codes_as_they_are_written() {
        for (reply, head) in [
            ("550 5.1.1 No such user", "550 5.1.1"),
            ("550 5.1.1", "550 5.1.1"),
            ("550 No such user", "550"),
            ("550 No such user.", "550"),
            ("550", "550"),
            ("5.7.1 Spam", "5.7.1"),
            ("550-5.7.26 a\n550 5.7.26 b", "550 5.7.26"),
            ("550-5.7.26 a\r\n550 5.7.26 b\r\n", "550 5.7.26"),
            ("550-Mailbox unknown\n550 5.1.1 User unknown", "550 / 550 5.1.1"),
            ("550-5.7.1 a", "550 5.7.1"),
            ("550 5.01.1 a", "550 5.01.1"),
            ("550 #5.1.0 a", "550 #5.1.0"),
            ("550 5.1.1: a", "550 5.1.1:"),
            ("550  5.1.1 a", "550 5.1.1"),
            ("550 [4.7.1] a", "550"),
            ("550 4.16.55.1 a", "550"),
            ("550 a (5.1.1)", "550"),
            ("250 10.0.0.1 a", "250"),
            ("550-5.999.999 a\n559 5.998.998 b", "550 5.999.999 / 559 5.998.998"),
            ("no code", ""),
            ("", ""),
        ] {
            assert_eq!(Head::of(reply.as_bytes()).to_string(), head, "{reply}");
        }
    }

    #[test]
    fn the_last_line_has_the_codes() {
        let head = Head::of(b"550-Mailbox unknown\n550 5.1.1 User unknown");
        assert_eq!(head.reply_code().map(ReplyCode::as_u16), Some(550));
        assert_eq!(head.enhanced().map(|code| code.to_string()).as_deref(), Some("5.1.1"));
        assert_eq!(Head::of(b"5.7.1 Spam").reply_code(), None);
        assert_eq!(Head::of(b"5.7.1 Spam").enhanced().map(|code| code.to_string()).as_deref(), Some("5.7.1"));
        assert_eq!(Head::of(b"550 5.01.1 x").enhanced(), None);
        assert_eq!(Head::of(b"550 5.01.1 x").digit(), Some(b'5'));
    }
}
