//! A reply's text in the form that patterns are compared with.

use crate::explain::code::{self, Codes};

/// The text of a reply: in lower case, on one line, with one space instead of several and at both ends, and without the
/// reply code and the enhanced status code that lines begin with.
///
/// Of a longer reply it has the first [`HEAD`] and the last [`TAIL`] octets.
pub(crate) struct Text<const SIZE: usize> {
    octets: [u8; SIZE],
    length: usize,
    pub(crate) codes: Codes,
}

/// The size of a text for a reply of at most [`SHORT`] octets, which most are. It is much faster to fill.
pub(crate) const SHORT_SIZE: usize = SHORT + 3;
pub(crate) const SHORT: usize = 253;
/// The size of a text for any reply: with a space at the start, one between head and tail, and one at the end.
pub(crate) const LONG_SIZE: usize = HEAD + TAIL + 3;

/// How many octets are read at the start of a long reply. A line of a reply has 512 at most (RFC 5321 §4.5.3.1.5).
const HEAD: usize = 1024;
/// How many octets are read at its end.
const TAIL: usize = 512;

impl<const SIZE: usize> Text<SIZE> {
    // Inlined, so that the octets are written where they stay.
    #[inline]
    pub(crate) fn new(reply: &[u8]) -> Text<SIZE> {
        let (codes, rest) = Codes::read(reply);
        let mut text = Text { octets: [b' '; SIZE], length: 1, codes };
        if rest.len() <= HEAD + TAIL {
            text.push(rest);
        } else {
            text.push(&rest[..HEAD]);
            text.push_space();
            text.push(&rest[rest.len() - TAIL..]);
        }
        text.push_space();
        text
    }

    /// Returns the text.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    fn push(&mut self, mut rest: &[u8]) {
        // The codes at the start of the first line were read already.
        let mut is_start = false;
        while let [octet, after @ ..] = rest {
            let folded = LOWER[usize::from(*octet)];
            if folded == b' ' {
                self.push_space();
                is_start |= matches!(octet, b'\n' | b'\r');
                rest = after;
                if let Some(after) = code::strip_repeated(rest, &self.codes, is_start) {
                    rest = after;
                }
            } else {
                self.octets[self.length] = folded;
                self.length += 1;
                is_start = false;
                rest = after;
            }
        }
    }

    /// Adds a space, unless there is one.
    fn push_space(&mut self) {
        if self.octets[self.length - 1] != b' ' {
            self.octets[self.length] = b' ';
            self.length += 1;
        }
    }
}

/// Each octet in lower case, with a space for white space and control characters.
static LOWER: [u8; 256] = {
    let mut lower = [0; 256];
    let mut octet: u8 = 0;
    loop {
        lower[octet as usize] = if octet.is_ascii_control() { b' ' } else { octet.to_ascii_lowercase() };
        match octet.checked_add(1) {
            Some(next) => octet = next,
            None => break lower,
        }
    }
};

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString as _};

    use super::{HEAD, LONG_SIZE, SHORT, SHORT_SIZE, TAIL, Text};

    fn text(reply: &str) -> String {
        let long = Text::<LONG_SIZE>::new(reply.as_bytes()).octets().escape_ascii().to_string();
        if reply.len() <= SHORT {
            assert_eq!(Text::<SHORT_SIZE>::new(reply.as_bytes()).octets().escape_ascii().to_string(), long);
        }
        long
    }

    #[test]
    fn lines_are_joined() {
        for (reply, expected) in [
            ("550 5.1.1 No such  User\r\n", " no such user "),
            ("550-5.1.1 No such\r\n550 5.1.1 user\r\n", " no such user "),
            ("550-5.1.1 No such\n550 5.1.1 user\n", " no such user "),
            ("550-5.1.1 No such 550 5.1.1 user", " no such user "),
            ("550-No such\r\n550 user\r\n", " no such user "),
            ("550-No such 550-user", " no such user "),
            ("5.1.1 No such user", " no such user "),
            ("smtp; 550 5.1.1 No such user", " no such user "),
            ("550 for 550 users", " for 550 users "),
            ("no code", " no code "),
            ("550", " "),
            ("", " "),
        ] {
            assert_eq!(text(reply), expected, "{reply}");
        }
    }

    #[test]
    fn of_a_long_reply_both_ends_are_kept() {
        let long = format!("550 start {} end", "x".repeat(100_000));
        let text = text(&long);
        assert!(text.starts_with(" start x") && text.ends_with("x end "), "{text}");
        assert_eq!(text.len(), LONG_SIZE);
        assert_eq!(Text::<LONG_SIZE>::new(&[0; HEAD + TAIL + 1]).octets(), b" ");
        assert_eq!(Text::<LONG_SIZE>::new(&[b'x'; HEAD + TAIL + 1]).octets().len(), LONG_SIZE);
        assert_eq!(Text::<SHORT_SIZE>::new(&[b'x'; SHORT]).octets().len(), SHORT + 2);
    }
}
