//! Takes replies apart whose lines a log joined.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

use super::code::is_pair;

/// Separates the lines of a reply that were joined by a space: `550-5.7.1 a 550-5.7.1 b 550 5.7.1 c`.
///
/// A space, the reply code and a hyphen begin a line. So does a space, the reply code and a space, once: the last line
/// has no hyphen. If the text quotes the code as well, the last line is the one with the enhanced status code of the
/// first, or else what begins last.
pub(super) fn split_at_spaces(reply: &[u8]) -> Cow<'_, [u8]> {
    let Some((code, b"-")) = reply.get(..4).map(|head| head.split_at(3)) else { return Cow::Borrowed(reply) };
    let mut seams = Vec::new();
    let mut ends = Vec::new();
    for space in memchr_iter(b' ', reply) {
        let next = &reply[space + 1..];
        if !next.starts_with(code) {
            continue;
        }
        match next.get(3) {
            Some(b'-') => {
                seams.push(space);
                ends.clear();
            }
            None | Some(b' ') => ends.push(space),
            Some(_) => {}
        }
    }
    let enhanced = is_pair(reply).then(|| word(&reply[4..]));
    let end = match enhanced {
        Some(first) => ends.iter().find(|&&end| reply.get(end + 5..).is_some_and(|text| word(text) == first)),
        None => None,
    };
    seams.extend(end.or(ends.last()));
    // If the log cut the reply inside the codes of a line, the rest of that line says nothing.
    let mut reply = reply;
    if let (Some(first), Some(&last)) = (enhanced, seams.last())
        && let Some(rest) = reply[last + 4..].strip_prefix(b"-")
        && first.len() > rest.len()
        && first.starts_with(rest)
    {
        reply = &reply[..last];
        seams.pop();
    }
    if seams.is_empty() {
        return Cow::Borrowed(reply);
    }
    let mut lines = reply.to_vec();
    for seam in seams {
        lines[seam] = b'\n';
    }
    Cow::Owned(lines)
}

fn word(text: &[u8]) -> &[u8] {
    &text[..memchr(b' ', text).unwrap_or(text.len())]
}

/// Separates the lines of a reply that were joined by a separator, which the reply code follows.
pub(super) fn split_at<'a>(reply: &'a [u8], separator: &memmem::Finder<'_>) -> Cow<'a, [u8]> {
    let Some((code, b"-")) = reply.get(..4).map(|head| head.split_at(3)) else { return Cow::Borrowed(reply) };
    let size = separator.needle().len();
    let mut lines = Vec::new();
    let mut start = 0;
    for seam in separator.find_iter(reply) {
        if reply[seam + size..].starts_with(code) {
            lines.extend_from_slice(reply[start..seam].trim_ascii_end());
            lines.push(b'\n');
            start = seam + size;
        }
    }
    if start == 0 {
        return Cow::Borrowed(reply);
    }
    lines.extend_from_slice(&reply[start..]);
    Cow::Owned(lines)
}

/// Replaces octal escapes by the octets that they mean: `\303\256` is an `î`. Only octets that are not printable are
/// escaped, so that other digits after a backslash are the reply's own.
pub(super) fn unescape_octal(reply: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', &reply) else { return reply };
    let mut octets = reply[..first].to_vec();
    let mut rest = &reply[first..];
    while let Some((octet, after)) = rest.split_first() {
        let (octet, after) = octal(rest).map_or((*octet, after), |escaped| (escaped, &rest[4..]));
        octets.push(octet);
        rest = after;
    }
    Cow::Owned(octets)
}

/// Replaces the escapes of Sendmail: octal ones, `\\` and `\t`.
pub(super) fn unescape(reply: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', reply) else { return Cow::Borrowed(reply) };
    let mut octets = reply[..first].to_vec();
    let mut rest = &reply[first..];
    while let Some((octet, after)) = rest.split_first() {
        let (octet, after) = match (octal(rest), rest) {
            (Some(escaped), _) => (escaped, &rest[4..]),
            (None, [b'\\', b'\\', after @ ..]) => (b'\\', after),
            (None, [b'\\', b't', after @ ..]) => (b'\t', after),
            _ => (*octet, after),
        };
        octets.push(octet);
        rest = after;
    }
    Cow::Owned(octets)
}

fn octal(text: &[u8]) -> Option<u8> {
    let [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', ..] = text else { return None };
    let octet = (high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0');
    // A line end would make another line of it.
    (!matches!(octet, b' '..=b'~' | b'\n' | b'\r')).then_some(octet)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use memchr::memmem;

    use super::{split_at, split_at_spaces, unescape_octal};

    #[test]
    fn lines_joined_by_spaces_are_taken_apart() {
        for (joined, expected) in [
            ("550 5.1.1 one", "550 5.1.1 one"),
            ("550-5.7.1 a 550-5.7.1 b 550 5.7.1 c", "550-5.7.1 a\n550-5.7.1 b\n550 5.7.1 c"),
            ("550-5.7.1   550-5.7.1 550 5.7.1", "550-5.7.1  \n550-5.7.1\n550 5.7.1"),
            ("550-5.7.1 cut off 550-5.7.1 he", "550-5.7.1 cut off\n550-5.7.1 he"),
            ("550-a 550-it said 550 5.1.1 there 550 no", "550-a\n550-it said 550 5.1.1 there\n550 no"),
            ("550-a 550-b 550 5.1.1 no", "550-a\n550-b\n550 5.1.1 no"),
            ("550-5.1.1 a 550 5.1.1 b, not 550 5.2.1 c", "550-5.1.1 a\n550 5.1.1 b, not 550 5.2.1 c"),
            ("550-a 550", "550-a\n550"),
            ("550-5.7.1 a 550-5.7.1 b 550-5", "550-5.7.1 a\n550-5.7.1 b"),
            ("550-5.7.1 a 550-", "550-5.7.1 a"),
            ("550-mx.example.org 551 no", "550-mx.example.org 551 no"),
            ("", ""),
        ] {
            let lines = split_at_spaces(joined.as_bytes());
            assert_eq!(String::from_utf8_lossy(&lines), expected, "{joined}");
        }
    }

    #[test]
    fn lines_joined_by_a_separator_are_taken_apart() {
        let separator = memmem::Finder::new(b"\\n");
        for (joined, expected) in [
            ("550-5.7.1 a\\n550 5.7.1 b", "550-5.7.1 a\n550 5.7.1 b"),
            ("550 C:\\new", "550 C:\\new"),
            ("550-C:\\new\\n550 b", "550-C:\\new\n550 b"),
            ("550", "550"),
        ] {
            assert_eq!(
                String::from_utf8_lossy(&split_at(joined.as_bytes(), &separator)),
                expected,
                "{joined}"
            );
        }
    }

    #[test]
    fn octal_escapes_become_octets() {
        for (escaped, expected) in [
            ("550 Bo\\303\\256te", "550 Boîte"),
            ("550 \\033[31m", "550 \x1b[31m"),
            ("550 C:\\101 \\012 \\9 \\", "550 C:\\101 \\012 \\9 \\"),
        ] {
            let octets = unescape_octal(Cow::Borrowed(escaped.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&octets), expected, "{escaped}");
        }
    }
}
