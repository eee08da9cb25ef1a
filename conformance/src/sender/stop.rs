//! Why a session ends before the message is accepted.

use super::answer::Answer;
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

    /// Returns the end of a session in which a command was refused. A reply with 2yz or 3yz that does not belong there is
    /// an error of the server, and may be gone next time.
    pub(super) fn refused(command: &str, answer: &Answer) -> Stop {
        let meaning = match answer.meaning() {
            Meaning::Permanent => Meaning::Permanent,
            Meaning::Accepted | Meaning::Temporary => Meaning::Temporary,
        };
        Stop { meaning, reason: format!("{command}: {}", answer.text()) }
    }
}
