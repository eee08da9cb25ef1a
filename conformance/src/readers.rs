//! Readers that turn recordings of other tools into dialogues.

pub mod dsn;
mod foreign;
pub mod log;
pub mod mailbox;
pub mod mention;
mod recording;
mod records;
mod seam;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
pub mod transcript;

use anyhow::{Result, anyhow};

use crate::dialogue::Dialogue;
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::rules::{Judgement, Strictness, judge};

/// Judges a [transcript] of one connection, or of several that each begin with `#: connected`.
///
/// A text without that line is one connection from its greeting on.
///
/// # Errors
///
/// If a line does not follow the notation, with its number.
pub fn judge_transcript(protocol: Protocol, text: &str) -> Result<Judgement> {
    Ok(judge(&dialogues(protocol, text)?, &Knowledge::default(), Strictness::default()))
}

/// Reads a recording: a [transcript], [records](crate::record), or what one of the mail clients prints that
/// `docs/transcripts.md` lists. Records say themselves which protocol the server speaks.
///
/// # Errors
///
/// If a line does not follow the notation, with its number. If the form of the recording is known but not read, the error
/// says how to make a transcript of it.
pub fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let beginning = beginning(text);
    if records::is_log(beginning) {
        return records::read(name, text);
    }
    if !is_transcript(beginning)
        && let Some(form) = recording::find(beginning)
    {
        return (form.read)(name, protocol, text);
    }
    transcript::read(name, protocol, text).map_err(|error| match foreign::advice(text) {
        Some(advice) if !text.contains(CONNECTED) => anyhow!("{error:#}: {advice}"),
        _ => error,
    })
}

/// Returns whether [`read`] reads a text, by its beginning. A mail log is never one of these, and neither is a message such
/// as a bounce, whatever it quotes.
#[must_use]
pub fn is_recording(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&text[..text.len().min(BEGINNING)]);
    let text = beginning(&text);
    let is_known = records::is_log(text) || is_transcript(text) || recording::find(text).is_some();
    is_known && !foreign::is_message(text)
}

/// The octets by which the form of a recording is recognized. What comes before the first reply is shorter.
const BEGINNING: usize = 64 << 10;

/// Returns the whole lines at the beginning of a text.
fn beginning(text: &str) -> &str {
    let Some(octets) = text.as_bytes().get(..BEGINNING) else { return text };
    let end = memchr::memrchr(b'\n', octets).unwrap_or_default();
    &text[..end]
}

/// The event with which a connection begins in a transcript.
const CONNECTED: &str = "#: connected";

fn is_transcript(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(CONNECTED))
}

fn dialogues(protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    if is_transcript(text) {
        transcript::read("transcript", protocol, text)
    } else {
        transcript::read_connected("transcript", protocol, text)
    }
}

#[cfg(test)]
mod tests {
    use super::{BEGINNING, is_recording};

    #[test]
    fn recordings_are_recognized_by_their_beginning() {
        let long = format!("#: connected\nS: 220 mx\n{}", "C: NOOP\nS: 250 Ok\n".repeat(BEGINNING / 10));
        for text in [
            "#: a remark\n#: connected\nS: 220 mx\n",
            "{\"record\":\"header\",\"format\":1}\n",
            "Connected to smtp://mx.example.org:25/\nS: 220 mx\n",
            "\u{feff}reply: b'220 mx\\r\\n'\n",
            &long,
        ] {
            assert!(is_recording(text.as_bytes()), "{text:.200}");
        }
        assert!(is_recording(b"<-  220 mx\n -> EHLO me\n<-  550 \xe4\n"));
        assert!(!is_recording(b""));
    }

    #[test]
    fn logs_and_messages_are_not_recordings() {
        let quoted =
            "=== Trying mx.example.org:25...\n=== Connected to mx.example.org.\n<-  220 mx\n -> EHLO me\n";
        for text in [
            "Nov 28 12:00:00 mx postfix/smtp[7]: A1: to=<a@example.org>, dsn=5.1.1, status=bounced (host mx.example.net said: \
             550 5.1.1 No (in reply to RCPT TO command))\n",
            "2026-11-28 12:00:00 1abc ** a@example.org R=r T=t: SMTP error from remote mail server after RCPT TO:<a>: 550 No\n",
            "2026-11-28T12:00:00.000Z [PROTOCOL] [A1] [core] S: 220 mx.example.org\n",
            "31 220 mx.example.org ESMTP\n31 550 5.1.1 No\n",
            "   ----- Transcript of session follows -----\n... while talking to mx.example.org.:\n>>> RCPT To:<a@example.org>\n\
             <<< 550 5.1.1 No\n",
            &format!("From MAILER-DAEMON Sat Nov 28 12:00:00 2026\nSubject: Undelivered\n\n{quoted}"),
            &format!("Return-Path: <>\nSubject: Undelivered\n\n{quoted}"),
            &format!("\nReceived: by mx.example.org\n\n{quoted}"),
            "550 5.1.1 No\n550 5.7.1 No\n",
            "fn main() {\n    println!(\"220 mx\");\n}\n",
        ] {
            assert!(!is_recording(text.as_bytes()), "{text}");
        }
        assert!(is_recording(quoted.as_bytes()));
    }
}
