//! Octets as text: printable ASCII as it is, everything else as an escape such as `\r`, `\n`, `\t` or `\x1b`.

use std::ascii;

use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

pub(crate) use crate::protocol::notation::{shown, shown_line};

pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let escaped = escaped(octets);
    serializer.serialize_str(str::from_utf8(&escaped).map_err(ser::Error::custom)?)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    unescape(&text).ok_or_else(|| de::Error::custom(format_args!("invalid escape in {text:?}")))
}

/// Escapes as [`slice::escape_ascii`] does, but is fast for the octets that need no escape, which most do not.
fn escaped(octets: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(octets.len() + 8);
    for &octet in octets {
        match octet {
            b'\\' | b'\'' | b'"' => escaped.extend([b'\\', octet]),
            b' '..=b'~' => escaped.push(octet),
            octet => escaped.extend(ascii::escape_default(octet)),
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'\\' => match rest.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other @ (b'\\' | b'\'' | b'"') => other,
                _ => return None,
            },
            octet => octet,
        });
    }
    Some(octets)
}

/// What a recording has in place of a line that was sent but is not in it.
pub(crate) const NOT_SHOWN: &[u8] = b"... (not shown)\r\n";

/// Returns whether a recording shortened a line that was sent, or left it out: `... (900 octets)`, `... (40 lines)`,
/// `... (not shown)`.
pub(crate) fn is_shortened(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line.trim_ascii_end());
    let Some((_, count)) = line.rsplit_once("... (") else { return false };
    if count == "not shown)" {
        return true;
    }
    let count = count.strip_suffix(" octets)").or_else(|| count.strip_suffix(" lines)"));
    count.is_some_and(|count| count.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_octet_survives_escaping() {
        let octets: Vec<u8> = (0..=255).collect();
        let escaped = String::from_utf8(super::escaped(&octets)).expect("it is ASCII");
        assert_eq!(escaped, octets.escape_ascii().to_string());
        assert_eq!(super::unescape(&escaped), Some(octets));
        assert_eq!(super::unescape("\\q"), None);
    }
}
