//! What makes a finding of one run the same finding in another.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::command::{Command, Verb};
use crate::dialogue::{Act, Part};
use crate::finding::Place;
use crate::record::Found;
use crate::stream::Stream;

/// How much of an act's shape counts, in characters.
const LENGTH: usize = 100;

/// The identity of a finding: the rule, the case or else the connection's name, and the shape of the act.
///
/// Findings that share it are one finding that was seen several times. Nothing that a server sent is part of it, and no
/// number of a connection, exchange or reply. So it stays the same where texts, queue ids, dates or counts differ, and
/// where exchanges or cases were put before it. Levels and reply codes are no part of it either: they are what may
/// change about a finding.
///
/// A rule about several exchanges or connections is reported where it is first seen. Where that moves to an act of
/// another shape, or to another connection, it counts as another finding.
///
/// ```
/// use smtp_conformance::dialogue::Act;
/// use smtp_conformance::fingerprint::shape;
///
/// assert_eq!(shape(&Act::Command("MAIL FROM:<me@mx1.example.org> SIZE=1000\r\n".into())), "MAIL FROM:<me@host> SIZE=0");
/// assert_eq!(shape(&Act::Message("Date: today\r\n.\r\n".into())), "a message");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Fingerprint {
    /// The rule's slug.
    pub rule: String,
    /// The case's slug; of what no case brought about, the connection's name: a file's without its folders.
    pub dialogue: String,
    /// The shape of the act, as [`shape`] has it; empty if the stream lacks the exchange.
    pub act: String,
}

impl Fingerprint {
    /// The identity of a finding of a stream.
    #[must_use]
    pub fn of(found: &Found, stream: &Stream<'_>) -> Fingerprint {
        let act = stream.exchange(found.place).map(|exchange| shape(&exchange.act));
        Fingerprint {
            rule: found.rule.clone(),
            dialogue: owner(stream, found.place).to_owned(),
            act: act.unwrap_or_default(),
        }
    }

    /// The identity as 32 hexadecimal digits: half of the SHA-256 of the three parts as a JSON array of strings.
    #[must_use]
    pub fn digest(&self) -> String {
        let parts = serde_json::json!([self.rule, self.dialogue, self.act]).to_string();
        Sha256::digest(parts).iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }
}

/// The case that brought a place about. Where none did, the name of its connection without folders, so that recordings
/// may lie anywhere.
#[must_use]
pub fn owner<'a>(stream: &Stream<'a>, place: Place) -> &'a str {
    let Some(opening) = stream.dialogue(place) else { return "" };
    let file = || opening.name.rsplit(['/', '\\']).next().unwrap_or_default();
    Part::owner(&opening.cases, place.exchange).unwrap_or_else(file)
}

/// An act without what differs between machines and runs: host names are `host`, numbers `0`, and only the beginning
/// counts. Messages, which hold dates, and responses to challenges, which hold secrets, are all alike.
#[must_use]
pub fn shape(act: &Act) -> String {
    match act {
        Act::Connect => "connecting".to_owned(),
        Act::Handshake => "TLS".to_owned(),
        Act::Wait => "waiting".to_owned(),
        Act::Response(_) => "a response".to_owned(),
        Act::Message(_) => "a message".to_owned(),
        Act::Command(line) | Act::Chunk { command: line, .. } => line_shape(line),
    }
}

fn line_shape(line: &[u8]) -> String {
    match initial_response(line) {
        Some(start) => format!("{}a response", text_shape(&line[..start])),
        None => text_shape(line.strip_suffix(b"\r\n").unwrap_or(line)),
    }
}

/// Where the response begins that stands in an AUTH command itself.
fn initial_response(line: &[u8]) -> Option<usize> {
    let is_authentication = Command::read(line).verb() == Verb::Auth;
    let blank = memchr::memchr_iter(b' ', line).nth(1).filter(|_| is_authentication)?;
    Some(blank + 1)
}

fn text_shape(text: &[u8]) -> String {
    // A host name is shorter than this, so none is cut in two within what counts.
    let text = text[..text.len().min(4 * LENGTH)].escape_ascii().to_string();
    let is_part = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    let words = text.split_inclusive(|character| !is_part(character)).map(|piece| {
        let end = piece.find(|character| !is_part(character)).unwrap_or(piece.len());
        let (word, rest) = piece.split_at(end);
        format!("{}{rest}", if is_host(word) { "host".to_owned() } else { without_numbers(word) })
    });
    words.collect::<String>().chars().take(LENGTH).collect()
}

/// Whether it is labels with dots between them, not all of them numbers.
fn is_host(word: &str) -> bool {
    let label = |label: &str| !label.is_empty();
    word.contains('.')
        && word.split('.').all(label)
        && word.contains(|character: char| character.is_ascii_alphabetic())
}

fn without_numbers(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for character in word.chars() {
        match character.is_ascii_digit() {
            true if text.ends_with('0') => {}
            true => text.push('0'),
            false => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> String {
        shape(&Act::Command(line.into()))
    }

    #[test]
    fn what_differs_between_runs_is_left_out() {
        assert_eq!(command("EHLO a.example.org\r\n"), command("EHLO mx-12.example.net\r\n"));
        assert_eq!(command("EHLO [127.0.0.1]\r\n"), command("EHLO [192.0.2.10]\r\n"));
        assert_eq!(command("RCPT TO:<u12@example.org>\r\n"), command("RCPT TO:<u7@test.example>\r\n"));
        assert_eq!(
            command(&format!("NOOP {}\r\n", "x".repeat(500))),
            command(&format!("NOOP {}", "x".repeat(900)))
        );
    }

    #[test]
    fn what_tells_acts_apart_is_kept() {
        let acts = [
            "NOOP\r\n",
            "noop\r\n",
            "NOOP\n",
            "NOOP x\r\n",
            "RSET\r\n",
            "\r\n",
            "MAIL FROM:<>\r\n",
            "A..B\r\n",
        ];
        let shapes: std::collections::BTreeSet<String> = acts.iter().map(|act| command(act)).collect();
        assert_eq!(shapes.len(), acts.len());
    }

    #[test]
    fn digests_never_change() {
        let fingerprint = |rule: &str, act: &str| Fingerprint {
            rule: rule.to_owned(),
            dialogue: "noop".to_owned(),
            act: act.to_owned(),
        };
        // Files that people keep have it.
        assert_eq!(fingerprint("lines-end-crlf", "NOOP").digest(), "39458c1af4b462930a6b018e53c9d122");
        assert_ne!(fingerprint("a", "b\",\"c").digest(), fingerprint("a\",\"b", "c").digest());
    }
}
