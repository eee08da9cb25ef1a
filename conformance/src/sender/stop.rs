//! Why a session ends before the message is accepted.

use super::fault::{Event, Faults};
use super::outcome::Meaning;

/// Why a session ends, and what that means for the recipients that nothing is known about yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) meaning: Meaning,
    pub(super) reason: String,
}

impl Stop {
    pub(super) fn temporary(reason: impl Into<String>) -> Stop {
        Stop { meaning: Meaning::Temporary, reason: reason.into() }
    }

    /// Returns the end of a session whose connection is lost, which is like 451 (RFC 5321 §3.8).
    pub(super) fn lost(faults: &Faults, reason: impl Into<String>) -> Stop {
        let meaning = faults.takes(Event::LostConnection).unwrap_or(Meaning::Temporary);
        Stop { meaning, reason: reason.into() }
    }
}
