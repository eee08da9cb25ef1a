//! An entry of a baseline.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use jiff::civil::Date;

use crate::record::outcome::{Outcome, Verdict};
use crate::rules::finding::Accepted;

/// An entry: which findings are accepted, and why.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) target: GlobMatcher,
    pub(super) rule: GlobMatcher,
    pub(super) case: GlobMatcher,
    pub(super) accepted: Accepted,
    pub(super) expires: Option<Date>,
}

impl Entry {
    /// Returns whether the name of any case or connection matches `case`.
    pub(super) fn is_about(&self, outcome: &Outcome) -> bool {
        outcome.cases.iter().any(|case| self.case.is_match(&case.id))
            || outcome.dialogues.iter().any(|dialogue| self.case.is_match(&dialogue.name))
    }

    /// Returns whether at least one matching case was judged, and no matching case is inconclusive, blocked or in
    /// error. An entry that matches no case is about a connection, which was tried unless the run was cut short.
    pub(super) fn was_tried(&self, outcome: &Outcome) -> bool {
        let mut fitting = outcome.cases.iter().filter(|case| self.case.is_match(&case.id)).peekable();
        let open = [Verdict::Inconclusive, Verdict::Blocked, Verdict::Error];
        let concluded = [Verdict::Pass, Verdict::Fail, Verdict::Warn, Verdict::Observed];
        if fitting.peek().is_none() {
            return !outcome.is_cut_short();
        }
        let verdicts: BTreeSet<Verdict> = fitting.map(|case| case.verdict).collect();
        !open.iter().any(|verdict| verdicts.contains(verdict))
            && concluded.iter().any(|verdict| verdicts.contains(verdict))
    }
}
