//! Readers that turn recordings of other tools into dialogues.

#[cfg(test)]
pub(crate) mod testing;
pub mod transcript;

use anyhow::Result;

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

fn dialogues(protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    const BEGINNING: &str = "#: connected";
    if text.lines().any(|line| line.starts_with(BEGINNING)) {
        transcript::read("transcript", protocol, text)
    } else {
        transcript::read_connected("transcript", protocol, text)
    }
}
