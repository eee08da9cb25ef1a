//! Why a session ends before the message is accepted.

use super::fault::{Event, Faults};
use super::outcome::Meaning;

/// Why a session ends, and what that means for the recipients that nothing is known about yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) meaning: Meaning,
    pub(super) reason: String,
    /// Whether a reply ends it that is whole, so that those to further commands can still be read.
    pub(super) is_answered: bool,
}

impl Stop {
    pub(super) fn temporary(reason: impl Into<String>) -> Stop {
        Stop { meaning: Meaning::Temporary, reason: reason.into(), is_answered: false }
    }

    /// Returns the end of a session in which a reply is not understood.
    pub(super) fn misunderstood(reason: String) -> Stop {
        Stop { is_answered: true, ..Stop::temporary(reason) }
    }

    /// Returns the end of a session whose connection is lost, which is like 451 (RFC 5321 §3.8).
    pub(super) fn lost(faults: &Faults, reason: impl Into<String>) -> Stop {
        let meaning = faults.takes(Event::LostConnection).unwrap_or(Meaning::Temporary);
        Stop { meaning, reason: reason.into(), is_answered: false }
    }
}
