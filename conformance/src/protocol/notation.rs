//! Octets in the notation of transcripts, for findings and evidence.

use std::fmt::Write as _;

/// Returns octets as a transcript writes them: printable ASCII as it is, a backslash twice, any other octet as `\xHH`.
pub(crate) fn shown(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'\\' => shown.push_str("\\\\"),
            b' '..=b'~' => shown.push(char::from(*octet)),
            octet => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\x{octet:02x}");
            }
        }
    }
    shown
}

/// Returns octets in quotes, as [`shown`] writes them.
pub(crate) fn quoted(octets: &[u8]) -> String {
    format!("\"{}\"", shown(octets))
}

/// Returns one line as [`shown`] writes it, without CRLF at its end. Another end is marked: `\n` for LF alone, `\+` for
/// none.
pub(crate) fn shown_line(line: &[u8]) -> String {
    match line {
        [line @ .., b'\r', b'\n'] => shown(line),
        [line @ .., b'\n'] => shown(line) + "\\n",
        line => shown(line) + "\\+",
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted, shown, shown_line};

    #[test]
    fn octets_look_as_in_a_transcript() {
        assert_eq!(shown(b"500 Unrecognized command 'unknown'"), "500 Unrecognized command 'unknown'");
        assert_eq!(shown(b"a\\b \"c\"\t\xc3\x1b"), "a\\\\b \"c\"\\x09\\xc3\\x1b");
        assert_eq!(quoted(b"a_b"), "\"a_b\"");
        assert_eq!(shown_line(b"250 Ok\r\n"), "250 Ok");
        assert_eq!(shown_line(b"250 Ok\n"), "250 Ok\\n");
        assert_eq!(shown_line(b"250 O"), "250 O\\+");
    }
}
