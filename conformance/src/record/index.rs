//! An index of the records of a run.

use std::collections::BTreeMap;

use crate::dialogue::Exchange;
use crate::record::outcome::{CaseOutcome, Verdict};
use crate::record::{DialogueRecord, FindingRecord, Header, Record, Summary};
use crate::rules::catalogue::Level;
use crate::rules::finding::Location;

/// The records of a run, sorted by kind. Records may be cut short or written by hand, so any part may be missing.
#[derive(Debug, Default)]
pub struct RecordIndex<'a> {
    /// The header.
    pub header: Option<&'a Header>,
    /// The findings, in the order of the records.
    pub findings: Vec<&'a FindingRecord>,
    /// The outcomes of the cases, in the order of the records.
    pub cases: Vec<&'a CaseOutcome>,
    /// The summary.
    pub summary: Option<&'a Summary>,
    dialogues: BTreeMap<usize, &'a DialogueRecord>,
    exchanges: BTreeMap<(usize, usize), &'a Exchange>,
}

impl<'a> RecordIndex<'a> {
    /// Indexes records.
    #[must_use]
    pub fn of(records: &'a [Record]) -> RecordIndex<'a> {
        let mut index = RecordIndex::default();
        for record in records {
            match record {
                Record::Header(header) => index.header = Some(header),
                Record::Dialogue(opening) => {
                    index.dialogues.insert(opening.dialogue, opening);
                }
                Record::Exchange(spoken) => {
                    index.exchanges.insert((spoken.dialogue, spoken.number), &spoken.exchange);
                }
                Record::Finding(found) => index.findings.push(found),
                Record::Case(case) => index.cases.push(case),
                Record::Summary(summary) => index.summary = Some(summary),
            }
        }
        index
    }

    /// Returns the name of the target, or an empty string without a header.
    #[must_use]
    pub fn target(&self) -> &'a str {
        self.header.map_or("", |header| &header.target)
    }

    /// Returns whether there is a finding at or above a level that is not accepted.
    #[must_use]
    pub fn fails(&self, level: Level) -> bool {
        self.findings.iter().any(|found| found.level >= level && found.accepted.is_none())
    }

    /// Returns whether a case has the verdict [`Verdict::Error`].
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Error)
    }

    /// Returns whether there are cases and none of them was judged. A recording has no cases.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        !self.cases.is_empty() && self.cases.iter().all(|case| case.verdict.is_not_judged())
    }

    /// Returns the connection of a location.
    #[must_use]
    pub fn dialogue(&self, location: Location) -> Option<&'a DialogueRecord> {
        self.dialogues.get(&location.dialogue).copied()
    }

    /// Returns the exchange of a location.
    #[must_use]
    pub fn exchange(&self, location: Location) -> Option<&'a Exchange> {
        self.exchanges.get(&(location.dialogue, location.exchange)).copied()
    }

    /// Returns every exchange with its location.
    pub fn exchanges(&self) -> impl Iterator<Item = (Location, &'a Exchange)> {
        let placed =
            |((dialogue, exchange), spoken): (&(usize, usize), &&'a Exchange)| -> (Location, &'a Exchange) {
                (Location { dialogue: *dialogue, exchange: *exchange, reply: None }, *spoken)
            };
        self.exchanges.iter().map(placed)
    }
}
