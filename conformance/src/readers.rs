//! Readers that turn recordings of other tools into dialogues.

pub mod dsn;
mod foreign;
pub mod log;
pub mod mailbox;
mod mailkit;
pub mod mention;
mod seam;
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

/// Reads a recording: a [transcript], or a protocol log of MailKit.
///
/// # Errors
///
/// If a line does not follow the notation, with its number. If the form of the recording is known but not read, the error
/// says how to make a transcript of it.
pub fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    if mailkit::is_log(text) {
        return mailkit::read(name, protocol, text);
    }
    transcript::read(name, protocol, text).map_err(|error| match foreign::advice(text) {
        Some(advice) if !text.contains("#: connected") => anyhow!("{error:#}: {advice}"),
        _ => error,
    })
}

fn dialogues(protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    const BEGINNING: &str = "#: connected";
    if text.lines().any(|line| line.starts_with(BEGINNING)) {
        transcript::read("transcript", protocol, text)
    } else {
        transcript::read_connected("transcript", protocol, text)
    }
}
pub fn is_recording(text: &[u8]) -> bool {
    text.starts_with(b"#: connected")
}
