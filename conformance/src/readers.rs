//! Readers that turn recordings of other tools into dialogues.

mod foreign;
pub mod mention;
mod recording;
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

/// Reads a recording: a [transcript], or what one of the mail clients prints that `docs/transcripts.md` lists.
///
/// # Errors
///
/// If a line does not follow the notation, with its number. If the form of the recording is known but not read, the error
/// says how to make a transcript of it.
pub fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let beginning = beginning(text);
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
    !foreign::is_message(text) && (is_transcript(text) || recording::find(text).is_some())
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
