//! The shape of an act: its text without the parts that differ between machines and runs.

use crate::dialogue::Act;
use crate::protocol::command::{Command, Verb};

/// The length of a shape, in characters.
const LENGTH: usize = 100;

/// Returns the shape of an act: the beginning of its text, with `host` for each host name and `0` for each number.
///
/// All messages have the same shape, because they contain dates. So do all responses to challenges, because they
/// contain secrets.
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

/// Returns the index of the initial response in an AUTH command.
fn initial_response(line: &[u8]) -> Option<usize> {
    if Command::read(line).verb() != Verb::Auth {
        return None;
    }
    let blank = memchr::memchr_iter(b' ', line).nth(1)?;
    Some(blank + 1)
}

fn text_shape(text: &[u8]) -> String {
    // Host names are shorter than this, so the cut changes none within the length that is kept.
    let text = text[..text.len().min(4 * LENGTH)].escape_ascii().to_string();
    let is_part = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    let words = text.split_inclusive(|character| !is_part(character)).map(|piece| {
        let end = piece.find(|character| !is_part(character)).unwrap_or(piece.len());
        let (word, rest) = piece.split_at(end);
        format!("{}{rest}", if is_host(word) { "host".to_owned() } else { without_numbers(word) })
    });
    words.collect::<String>().chars().take(LENGTH).collect()
}

/// Returns whether a word consists of labels with dots between them, of which at least one has a letter.
fn is_host(word: &str) -> bool {
    let label = |label: &str| !label.is_empty();
    word.contains('.')
        && word.split('.').all(label)
        && word.contains(|character: char| character.is_ascii_alphabetic())
}

fn without_numbers(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for character in word.chars() {
        if !character.is_ascii_digit() {
            text.push(character);
        } else if !text.ends_with('0') {
            text.push('0');
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
    fn differences_between_runs_do_not_change_the_shape() {
        assert_eq!(command("EHLO a.example.org\r\n"), command("EHLO mx-12.example.net\r\n"));
        assert_eq!(command("EHLO [127.0.0.1]\r\n"), command("EHLO [192.0.2.10]\r\n"));
        assert_eq!(command("RCPT TO:<u12@example.org>\r\n"), command("RCPT TO:<u7@test.example>\r\n"));
        assert_eq!(
            command(&format!("NOOP {}\r\n", "x".repeat(500))),
            command(&format!("NOOP {}", "x".repeat(900)))
        );
    }

    #[test]
    fn different_acts_have_different_shapes() {
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
}
