//! The exit status that a run or a judgement ends with.

use crate::record::index::RecordIndex;
use crate::rules::catalogue::Level;

/// The status of a run or of judged recordings, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// No finding fails the run.
    Expected,
    /// No case could be judged.
    NothingJudged,
    /// An entry of the baseline has expired or no longer matches anything.
    Stale,
    /// A finding that is not accepted is at or above the level that fails the run.
    Fails,
    /// A case has the verdict error, because the case or this program is at fault.
    Faulty,
}

impl Status {
    /// Returns the status of a run or of judged recordings. `fail_on` is the lowest level that fails.
    #[must_use]
    pub fn of(index: &RecordIndex<'_>, fail_on: Option<Level>) -> Status {
        if index.is_faulty() {
            Status::Faulty
        } else if fail_on.is_some_and(|level| index.fails(level)) {
            Status::Fails
        } else if index.header.is_some_and(|header| header.stale_entries > 0) {
            Status::Stale
        } else if index.says_nothing() {
            Status::NothingJudged
        } else {
            Status::Expected
        }
    }

    /// Returns the exit status of the program.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Status::Expected => 0,
            Status::Fails => 1,
            Status::Stale => 3,
            Status::NothingJudged => 4,
            Status::Faulty => 5,
        }
    }
}
