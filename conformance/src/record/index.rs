//! A stream of records with its parts at hand.

use std::collections::BTreeMap;

use crate::dialogue::Exchange;
use crate::record::outcome::{CaseOutcome, Verdict};
use crate::record::{DialogueRecord, FindingRecord, Header, Record, Summary};
use crate::rules::catalogue::Level;
use crate::rules::finding::Location;

/// The parts of a stream of records. A stream may be cut short or written by hand, so any part may be missing.
#[derive(Debug, Default)]
pub struct RecordIndex<'a> {
    /// What was run, against what.
    pub header: Option<&'a Header>,
    /// The violations, in their order.
    pub findings: Vec<&'a FindingRecord>,
    /// What came of the cases, in their order.
    pub cases: Vec<&'a CaseOutcome>,
    /// The end.
    pub summary: Option<&'a Summary>,
    dialogues: BTreeMap<usize, &'a DialogueRecord>,
    exchanges: BTreeMap<(usize, usize), &'a Exchange>,
}

impl<'a> RecordIndex<'a> {
    /// Sorts the records of a stream.
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

    /// What was run against; empty without a header.
    #[must_use]
    pub fn target(&self) -> &'a str {
        self.header.map_or("", |header| &header.target)
    }

    /// Returns whether a finding at a level or above is not accepted.
    #[must_use]
    pub fn fails(&self, level: Level) -> bool {
        self.findings.iter().any(|found| found.level >= level && found.accepted.is_none())
    }

    /// Returns whether a case went wrong through a fault of ours.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Error)
    }

    /// Returns whether there are cases and none of them was judged. A recording has no cases.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        !self.cases.is_empty() && self.cases.iter().all(|case| case.verdict.is_not_judged())
    }

    /// The connection of a location.
    #[must_use]
    pub fn dialogue(&self, location: Location) -> Option<&'a DialogueRecord> {
        self.dialogues.get(&location.dialogue).copied()
    }

    /// The exchange of a location.
    #[must_use]
    pub fn exchange(&self, location: Location) -> Option<&'a Exchange> {
        self.exchanges.get(&(location.dialogue, location.exchange)).copied()
    }

    /// Every exchange with its location.
    pub fn exchanges(&self) -> impl Iterator<Item = (Location, &'a Exchange)> {
        let placed =
            |((dialogue, exchange), spoken): (&(usize, usize), &&'a Exchange)| -> (Location, &'a Exchange) {
                (Location { dialogue: *dialogue, exchange: *exchange, reply: None }, *spoken)
            };
        self.exchanges.iter().map(placed)
    }
}
