//! Kinds of input, as content and name show them.

use std::path::Path;

use memchr::memchr;

use crate::readers::is_recording;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text log, or any other text with a reply in some lines.
    Log,
    /// A message, which may be a bounce.
    Message,
    /// Messages in mbox format.
    Mailbox,
    /// A recorded session of a client with a server.
    Recording,
    /// Source code or configuration.
    Source,
}

/// The ends of the names of files with source code or configuration.
const SOURCE_NAMES: [&str; 46] = [
    "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "rs", "go", "py", "pl", "pm", "rb", "js", "mjs", "cjs", "ts",
    "java", "kt", "scala", "cs", "php", "lua", "swift", "ex", "exs", "erl", "hs", "ml", "sh", "sieve",
    "conf", "cf", "cfg", "ini", "toml", "yaml", "yml", "mc", "m4", "in", "tmpl", "t", "pcre", "regexp",
    "json",
];

impl Kind {
    /// Tells what a file holds by its name and its first octets; `None` if it is no text.
    pub(crate) fn of(name: &Path, start: &[u8]) -> Option<Kind> {
        if start.starts_with(b"From ") && is_header(after_line(start)) {
            return Some(Kind::Mailbox);
        }
        if is_header(start) {
            return Some(Kind::Message);
        }
        if is_recording(start) {
            return Some(Kind::Recording);
        }
        if is_binary(start) {
            return None;
        }
        let is_source =
            name.extension().and_then(|end| end.to_str()).is_some_and(|end| SOURCE_NAMES.contains(&end));
        Some(if is_source { Kind::Source } else { Kind::Log })
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr(b'\n', text).and_then(|end| text.get(end + 1..)).unwrap_or_default()
}

/// Returns whether a text begins with two fields of a message's header (RFC 5322 §3.6), of which one is usual.
fn is_header(text: &[u8]) -> bool {
    const USUAL: [&[u8]; 12] = [
        b"return-path",
        b"received",
        b"delivered-to",
        b"from",
        b"to",
        b"date",
        b"subject",
        b"message-id",
        b"mime-version",
        b"x-original-to",
        b"envelope-to",
        b"content-type",
    ];
    let Some(first) = field_name(text) else { return false };
    let mut rest = after_line(text);
    while matches!(rest.first(), Some(b' ' | b'\t')) {
        rest = after_line(rest);
    }
    let Some(second) = field_name(rest) else { return false };
    let is_usual = |name: &[u8]| USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual));
    is_usual(first) || is_usual(second)
}

/// Returns the name of the field that a line has (RFC 5322 §2.2).
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().take(80).position(|octet| !matches!(octet, b'!'..=b'9' | b';'..=b'~'))?;
    (end > 0 && line[end] == b':').then(|| &line[..end])
}

/// Returns whether octets are no text: NUL is among the first ones.
fn is_binary(start: &[u8]) -> bool {
    memchr(0, start.get(..1024).unwrap_or(start)).is_some()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Kind;

    #[test]
    fn a_file_is_known_by_its_content() {
        let of = |name: &str, start: &str| Kind::of(Path::new(name), start.as_bytes());
        let header = "Return-Path: <>\nReceived: from x\n by y\n";
        assert_eq!(of("a.eml", header), Some(Kind::Message));
        assert_eq!(of("a", "X-A: b\n c\nSubject: x\n\n"), Some(Kind::Message));
        assert_eq!(
            of("mbox", &format!("From MAILER-DAEMON Sat Nov 28 07:00:00 2026\n{header}")),
            Some(Kind::Mailbox)
        );
        assert_eq!(of("a", "#: connected\nS: 220 mx\n"), Some(Kind::Recording));
        assert_eq!(of("a.c", "reply(\"550 5.1.1 No\");\n"), Some(Kind::Source));
        assert_eq!(of("main.cf", "a = b\n"), Some(Kind::Source));
        assert_eq!(of("mail.log", "Nov 28 07:42:13 mx postfix/smtp[1]: x\n"), Some(Kind::Log));
        assert_eq!(of("mail.log", "Nov: 28\nx: y\n"), Some(Kind::Log));
        assert_eq!(of("mail.log", ""), Some(Kind::Log));
        assert_eq!(of("a", "\u{7f}ELF\0\0"), None);
    }
}
