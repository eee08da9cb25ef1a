//! The matrix of behaviours and clients: what each client made of each behaviour.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::outcome::{CaseOutcome, Verdict};

/// A row, for one behaviour.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: String,
    /// One cell per client, in the order of the runs. `None` if the run did not have the behaviour.
    pub(super) cells: Vec<Option<Cell>>,
}

/// A cell, for one behaviour and one client.
pub(super) struct Cell {
    pub(super) verdict: Verdict,
    /// What the client reported, in a word, or an empty string if it was not run.
    pub(super) reported: String,
    /// What the client reported, and why it was not judged.
    pub(super) detail: String,
}

/// Returns whether a run tested a client.
pub(super) fn is_client(index: &RecordIndex<'_>) -> bool {
    matches!(index.header.and_then(|header| header.origin.as_ref()), Some(Origin::Client(_)))
}

/// Returns a row for each behaviour of the runs that tested clients, in the order of the first run that has it.
pub(super) fn rows(indexes: &[RecordIndex<'_>]) -> Vec<Row> {
    let columns: Vec<BTreeMap<&str, &CaseOutcome>> = indexes
        .iter()
        .map(|index| index.cases.iter().map(|case| (case.id.as_str(), *case)).collect())
        .collect();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    let cases = indexes.iter().filter(|index| is_client(index)).flat_map(|index| &index.cases);
    let first = cases.filter(|case| listed.insert(&case.id));
    first
        .map(|case| Row {
            id: case.id.clone(),
            title: case.title.clone(),
            cells: columns
                .iter()
                .map(|column| column.get(case.id.as_str()).map(|case| Cell::of(case)))
                .collect(),
        })
        .collect()
}

impl Cell {
    fn of(case: &CaseOutcome) -> Cell {
        let reported = case.reported.clone().unwrap_or_default();
        let detail = [reported.clone(), case.reason_text()];
        Cell {
            verdict: case.verdict,
            reported: reported.split(' ').next().unwrap_or_default().to_owned(),
            detail: detail.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "),
        }
    }

    /// Returns the verdict and what the client reported, in a few words.
    pub(super) fn in_words(&self) -> String {
        format!("{} {}", self.verdict, self.reported).trim_end().to_owned()
    }

    /// Returns the class of the cell's style.
    pub(super) fn style(&self) -> &'static str {
        match self.verdict {
            Verdict::Pass => "kept",
            Verdict::Fail => "error",
            Verdict::Warn => "warning",
            _ => "silent",
        }
    }
}
