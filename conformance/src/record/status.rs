//! The exit status that a run or a judgement ends with.

use crate::record::index::RecordIndex;
use crate::rules::catalogue::Level;

/// What a run or the judgement of recordings came to, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// No finding fails it.
    Expected,
    /// No case could be judged.
    NothingJudged,
    /// An entry of the baseline has expired or matches nothing any more.
    Stale,
    /// A finding that is not accepted has a level that fails.
    Fails,
    /// A case went wrong through a fault of this program.
    Faulty,
}

impl Status {
    /// What the records of a run or of recordings came to. `fail_on` is the lowest level that fails.
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

    /// The exit status of the program.
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
