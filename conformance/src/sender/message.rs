//! The message, in the form in which it is sent.

/// A message whose lines all end in CR LF, which is the only line end in SMTP (RFC 5321 §2.3.8).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    octets: Vec<u8>,
}

/// What is done with line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// CR, LF and CR LF each become CR LF.
    CrLf,
    /// They stay as they are, but for the last one. This is a fault.
    Kept,
}

impl Message {
    pub(super) fn new(input: &[u8], line_ends: LineEnds) -> Message {
        let mut octets = Vec::with_capacity(input.len() + input.len() / 16 + 2);
        let mut rest = input;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match first {
                b'\r' | b'\n' if line_ends != LineEnds::Kept => {
                    if *first == b'\r' {
                        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                    }
                    octets.extend_from_slice(b"\r\n");
                }
                octet => octets.push(*octet),
            }
        }
        end_last_line(&mut octets);
        Message { octets }
    }

    /// Its octets, which BDAT sends as they are (RFC 3030 §2). Their number is that of SIZE (RFC 1870 §3).
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(super) fn is_eight_bit(&self) -> bool {
        !self.octets.is_ascii()
    }

    pub(super) fn has_eight_bit_header(&self) -> bool {
        !header(&self.octets).is_ascii()
    }

    /// Returns what is sent after 354: the lines, with another dot before each that begins with a dot, and a lone dot
    /// (RFC 5321 §4.5.2).
    pub(super) fn data(&self, stuffs_dots: bool) -> Vec<u8> {
        let mut data = if stuffs_dots { self.stuffed() } else { self.octets.clone() };
        data.extend_from_slice(b".\r\n");
        data
    }

    /// Returns its octets with another dot before each line that begins with a dot.
    pub(super) fn stuffed(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.octets.len() + 3);
        for line in self.octets.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                octets.push(b'.');
            }
            octets.extend_from_slice(line);
        }
        octets
    }
}

/// Makes the octets end in CR LF. Only then a lone dot ends the message.
fn end_last_line(octets: &mut Vec<u8>) {
    if octets.is_empty() || octets.ends_with(b"\r\n") {
        return;
    }
    if octets.ends_with(b"\n") || octets.ends_with(b"\r") {
        octets.pop();
    }
    octets.extend_from_slice(b"\r\n");
}

/// Returns the lines before the first empty line.
fn header(octets: &[u8]) -> &[u8] {
    let mut length = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        length += line.len();
    }
    octets.get(..length).unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::{LineEnds, Message};

    #[test]
    fn line_ends_become_cr_lf() {
        let input = b"a\nb\rc\r\nd\r\r\ne\n\rf";
        for (line_ends, expected) in [
            (LineEnds::CrLf, &b"a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\nf\r\n"[..]),
            (LineEnds::Kept, b"a\nb\rc\r\nd\r\r\ne\n\rf\r\n"),
        ] {
            assert_eq!(Message::new(input, line_ends).octets(), expected, "{line_ends:?}");
        }
        for (input, expected) in
            [(&b""[..], &b""[..]), (b"a\r\n", b"a\r\n"), (b"a\n", b"a\r\n"), (b"\r", b"\r\n")]
        {
            for line_ends in [LineEnds::CrLf, LineEnds::Kept] {
                assert_eq!(Message::new(input, line_ends).octets(), expected, "{input:?} {line_ends:?}");
            }
        }
    }

    #[test]
    fn dots_are_doubled_at_the_beginning_of_lines_alone() {
        for (input, stuffed, kept) in [
            ("", ".\r\n", ".\r\n"),
            (".", "..\r\n.\r\n", ".\r\n.\r\n"),
            ("a.b\n..c\n.\nd", "a.b\r\n...c\r\n..\r\nd\r\n.\r\n", "a.b\r\n..c\r\n.\r\nd\r\n.\r\n"),
        ] {
            let message = Message::new(input.as_bytes(), LineEnds::CrLf);
            assert_eq!(String::from_utf8_lossy(&message.data(true)), stuffed);
            assert_eq!(String::from_utf8_lossy(&message.data(false)), kept);
        }
    }

    #[test]
    fn eight_bit_octets_are_seen_in_header_and_body() {
        for (input, header, any) in [
            ("Subject: x\n\nbody\n", false, false),
            ("Subject: x\n\nb\u{f6}dy\n", false, true),
            ("Subject: \u{fc}\n\nbody\n", true, true),
            ("\n\u{fc}", false, true),
        ] {
            let message = Message::new(input.as_bytes(), LineEnds::CrLf);
            assert_eq!((message.has_eight_bit_header(), message.is_eight_bit()), (header, any), "{input:?}");
        }
    }
}
