//! A stream of records with its parts at hand.

use std::collections::BTreeMap;

use crate::dialogue::Exchange;
use crate::record::outcome::CaseOutcome;
use crate::record::{Found, Header, Opening, Record, Summary};
use crate::rules::finding::Place;

/// The parts of a stream of records. A stream may be cut short or written by hand, so any part may be missing.
#[derive(Debug, Default)]
pub struct Stream<'a> {
    /// What was run, against what.
    pub header: Option<&'a Header>,
    /// The breaches, in their order.
    pub findings: Vec<&'a Found>,
    /// What came of the cases, in their order.
    pub cases: Vec<&'a CaseOutcome>,
    /// The end.
    pub summary: Option<&'a Summary>,
    dialogues: BTreeMap<usize, &'a Opening>,
    exchanges: BTreeMap<(usize, usize), &'a Exchange>,
}

impl<'a> Stream<'a> {
    /// Sorts the records of a stream.
    #[must_use]
    pub fn of(records: &'a [Record]) -> Stream<'a> {
        let mut stream = Stream::default();
        for record in records {
            match record {
                Record::Header(header) => stream.header = Some(header),
                Record::Dialogue(opening) => {
                    stream.dialogues.insert(opening.dialogue, opening);
                }
                Record::Exchange(spoken) => {
                    stream.exchanges.insert((spoken.dialogue, spoken.number), &spoken.exchange);
                }
                Record::Finding(found) => stream.findings.push(found),
                Record::Case(case) => stream.cases.push(case),
                Record::Summary(summary) => stream.summary = Some(summary),
            }
        }
        stream
    }

    /// What was run against; empty without a header.
    #[must_use]
    pub fn target(&self) -> &'a str {
        self.header.map_or("", |header| &header.target)
    }

    /// The connection of a place.
    #[must_use]
    pub fn dialogue(&self, place: Place) -> Option<&'a Opening> {
        self.dialogues.get(&place.dialogue).copied()
    }

    /// The exchange of a place.
    #[must_use]
    pub fn exchange(&self, place: Place) -> Option<&'a Exchange> {
        self.exchanges.get(&(place.dialogue, place.exchange)).copied()
    }

    /// Every exchange with its place.
    pub fn exchanges(&self) -> impl Iterator<Item = (Place, &'a Exchange)> {
        let placed =
            |((dialogue, exchange), spoken): (&(usize, usize), &&'a Exchange)| -> (Place, &'a Exchange) {
                (Place { dialogue: *dialogue, exchange: *exchange, reply: None }, *spoken)
            };
        self.exchanges.iter().map(placed)
    }
}
