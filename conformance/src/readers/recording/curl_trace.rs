//! Reads the output of `curl --trace-ascii` and `curl --trace`, which shows octets 64 or 16 to a line.
//!
//! ```text
//! == Info: Connected to mx.example.org (192.0.2.1) port 25
//! <= Recv header, 73 bytes (0x49)
//! 0000: 452 4.2.2 <full@mx.example.org>: Recipient address rejected: Mai
//! 0040: lbox full
//! => Send data, 65 bytes (0x41)
//! ```
//!
//! In the first form, CRLF begins a new line, and dots replace other octets that are not printable ASCII. The second form
//! has the octets in hexadecimal before that. There may be a time before the lines that have no octets.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{curl, is_command, is_reply, lines};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

/// Returns whether a text is such output, of a session that speaks SMTP.
pub(super) fn is_log(text: &str) -> bool {
    let (mut received, mut sent) = (None, None);
    each_part(text, |part| match part.kind {
        Kind::Received => _ = received.get_or_insert_with(|| part.first()),
        Kind::Sent => _ = sent.get_or_insert_with(|| part.first()),
        Kind::Info(_) | Kind::Other => {}
    });
    received.is_some_and(|line| is_reply(&line)) && sent.is_none_or(|line| is_command(&line))
}

/// Reads output of one or more connections.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, Sight::default());
    each_part(text, |part| match part.kind {
        Kind::Info(said) => curl::listen(&mut tape, part.line, said),
        Kind::Received => tape.received_octets(part.line, part.octets()),
        // The end of a message is not shown, nor whether dots were added to it.
        Kind::Sent if tape.is_in_message() => {}
        Kind::Sent => tape.sent_octets(part.line, part.octets(), false),
        Kind::Other => {}
    });
    tape.dialogues(name)
}

/// What a line of the trace begins, and the octets that follow it.
struct Part<'a> {
    line: usize,
    kind: Kind<'a>,
    /// The number of octets that curl announces.
    length: usize,
    /// The rows of octets, each with the offset of its first.
    rows: Vec<(usize, &'a str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Info(&'a str),
    Received,
    Sent,
    /// TLS records.
    Other,
}

fn each_part<'a>(text: &'a str, mut take: impl FnMut(Part<'a>)) {
    let mut part: Option<Part<'a>> = None;
    for (number, line) in lines(text) {
        let line = line.trim_end_matches('\r');
        if let Some((kind, length)) = heading(line) {
            let begun = Part { line: number, kind, length, rows: Vec::new() };
            part.replace(begun).map(&mut take);
        } else if let (Some(row), Some(part)) = (row(line), &mut part) {
            part.rows.push(row);
        }
    }
    part.map(take);
}

/// Returns what a line announces, and the number of octets.
fn heading(line: &str) -> Option<(Kind<'_>, usize)> {
    let start = line.find(['=', '<'])?;
    if !line[..start].chars().all(|character| character.is_ascii_digit() || " :.[]-".contains(character)) {
        return None;
    }
    let line = &line[start..];
    let length = || line.split(", ").nth(1)?.split(' ').next()?.parse().ok();
    if let Some(said) = line.strip_prefix("== Info: ") {
        Some((Kind::Info(said), 0))
    } else if line.starts_with("<= Recv SSL data, ") || line.starts_with("=> Send SSL data, ") {
        Some((Kind::Other, length()?))
    } else if line.starts_with("<= Recv ") {
        Some((Kind::Received, length()?))
    } else if line.starts_with("=> Send ") {
        Some((Kind::Sent, length()?))
    } else {
        None
    }
}

/// Returns the offset at the beginning of a line of octets, and what follows it.
fn row(line: &str) -> Option<(usize, &str)> {
    let (offset, row) = line.split_once(':').filter(|(offset, _)| offset.len() >= 4)?;
    let offset = usize::from_str_radix(offset, 16).ok()?;
    Some((offset, row.strip_prefix(' ').unwrap_or(row)))
}

impl Part<'_> {
    /// Returns the octets: exactly, from a hexadecimal trace, or with a line end in place of what the other form does not
    /// show.
    fn octets(&self) -> Vec<u8> {
        self.hexadecimal().unwrap_or_else(|| self.ascii())
    }

    /// Returns the first line.
    fn first(&self) -> String {
        let octets = self.octets();
        String::from_utf8_lossy(octets.split(|octet| *octet == b'\r').next().unwrap_or_default()).into_owned()
    }

    fn hexadecimal(&self) -> Option<Vec<u8>> {
        const DIGITS: usize = 3 * 16;
        let mut octets = Vec::new();
        for (_, row) in &self.rows {
            for pair in row.get(..DIGITS).unwrap_or(row).trim_end().split(' ') {
                octets.push((pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok())??);
            }
        }
        (octets.len() == self.length).then_some(octets)
    }

    /// Joins rows. curl begins a row after 64 octets, and after CRLF, which it does not show.
    fn ascii(&self) -> Vec<u8> {
        let mut text = String::new();
        let ends = self.rows.iter().skip(1).map(|(offset, _)| *offset).chain([self.length]);
        for ((offset, row), end) in self.rows.iter().zip(ends) {
            text.push_str(row);
            if offset.saturating_add(row.len()) < end {
                text.push_str("\r\n");
            }
        }
        // LF without CR is shown as a dot. Whether a line of the server ended so is not to be judged by that.
        if self.kind == Kind::Received && !text.ends_with("\r\n") {
            text.truncate(text.strip_suffix('.').unwrap_or(&text).len());
            text.push_str("\r\n");
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    const EXPECTED: &str = "\
port 25
connect => 220 mx
EHLO me => 250 mx
DATA => 354 Go
... (not shown)|. => 250 2.0.0 Ok";

    #[test]
    fn rows_of_text_are_joined() {
        let long = "x".repeat(64);
        let text = format!(
            "\
14:57:55.873 == Info:   Trying 192.0.2.1:25...
14:57:55.873 == Info: Connected to mx (192.0.2.1) port 25 (#0)
14:57:55.874 <= Recv header, 8 bytes (0x8)
0000: 220 mx
14:57:55.874 => Send header, 9 bytes (0x9)
0000: EHLO me
14:57:55.874 <= Recv header, 7 bytes (0x7)
0000: 250 mx.
14:57:55.874 => Send header, 6 bytes (0x6)
0000: DATA
14:57:55.874 <= Recv header, 8 bytes (0x8)
0000: 354 Go
14:57:55.874 => Send data, 17 bytes (0x11)
0000: Subject: a
000c: 
000e: b
14:57:55.874 <= Recv header, 14 bytes (0xe)
0000: 250 2.0.0 Ok
14:57:55.874 => Send header, 75 bytes (0x4b)
0000: NOOP {long}
0046: abc
14:57:55.875 <= Recv header, 74 bytes (0x4a)
0000: 250 2.0.0 {}
0040: xxxxxxxx
",
            &long[10..]
        )
        .replace(&format!("NOOP {long}"), &format!("NOOP {}", &long[5..]))
        .replace("0046: abc", "0040: xxxxxabc");
        let end = format!("\nNOOP {long}abc => 250 2.0.0 {}", &long[2..]);
        assert_eq!(shown(&text), format!("{EXPECTED}{end}"));
    }

    #[test]
    fn hexadecimal_rows_are_exact() {
        let rows = |octets: &[u8]| -> String {
            let row = |(index, row): (usize, &[u8])| {
                let digits: String = row.iter().map(|octet| format!("{octet:02x} ")).collect();
                format!("{:04x}: {digits:48}text\n", index * 16)
            };
            octets.chunks(16).enumerate().map(row).collect()
        };
        let part =
            |kind: &str, octets: &[u8]| format!("{kind}, {} bytes (0x0)\n{}", octets.len(), rows(octets));
        let text = [
            "== Info: Connected to mx (192.0.2.1) port 25 (#0)\n".to_owned(),
            part("<= Recv header", b"220 mx\r\n"),
            part("=> Send header", b"EHLO me\r\n"),
            part("<= Recv header", b"250 mx\r\n"),
            part("=> Send header", b"DATA\r\n"),
            part("<= Recv header", b"354 Go\r\n"),
            part("=> Send SSL data", b"\x17\x03\x03"),
            part("=> Send data", b"Subject: a\r\n\r\nb\r\n"),
            part("<= Recv header", b"250 2.0.0 Ok\n"),
        ]
        .concat();
        assert_eq!(shown(&text), EXPECTED);
        let answers = super::super::testing::read(&text)[0].exchanges[3].answers[0].octets.clone();
        assert_eq!(answers, b"250 2.0.0 Ok\n");
    }
}
