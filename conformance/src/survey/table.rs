//! What came of each target, in a line.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use crate::baseline::Stale;
use crate::record::outcome::Verdict;
use crate::record::{Record, Summary};
use crate::rules::catalogue::Level;
use crate::target::Target;
use crate::visible::visible;

/// What came of each target, worst first.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The targets.
    pub rows: Vec<TargetRow>,
    /// The entries of the baseline that are no longer true.
    pub stale: Vec<Stale>,
}

/// What came of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// The target's name.
    pub target: String,
    /// What was done.
    pub state: TargetState,
    /// The exit status of a run against it alone; 0 where it was left out.
    pub status: u8,
    /// How many connections were made.
    pub connections: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level note.
    pub notes: usize,
    /// How many cases came to each verdict.
    pub cases: BTreeMap<Verdict, usize>,
}

/// What was done with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// It was run.
    Run,
    /// It was run, and an entry of the baseline is no longer true.
    Stale,
    /// It had been run before.
    Kept,
    /// It was not contacted: it is on the list of those who want none of it.
    LeftOut,
}

impl Table {
    /// The exit status of all: that of the worst target. From the worst: 5 a fault of ours, 1 a finding that fails, 3 an
    /// entry of the baseline that is no longer true, 4 nothing could be said, 0 as expected. 4, too, where every target
    /// was left out.
    #[must_use]
    pub fn status(&self) -> u8 {
        let tried = self.rows.iter().filter(|row| row.state != TargetState::LeftOut);
        tried.map(|row| row.status).max_by_key(|status| weight(*status)).unwrap_or(4)
    }

    pub(super) fn sort(&mut self) {
        let order = |row: &TargetRow| {
            (
                row.state == TargetState::LeftOut,
                Reverse(weight(row.status)),
                Reverse(row.errors),
                row.target.clone(),
            )
        };
        self.rows.sort_by_cached_key(order);
        self.stale.sort();
        self.stale.dedup();
    }
}

/// How bad an exit status is.
fn weight(status: u8) -> u8 {
    match status {
        0 => 0,
        4 => 1,
        3 => 2,
        1 => 3,
        _ => 4,
    }
}

impl TargetRow {
    pub(super) fn left_out(target: &Target) -> TargetRow {
        TargetRow {
            target: target.name.clone(),
            state: TargetState::LeftOut,
            status: 0,
            connections: 0,
            errors: 0,
            warnings: 0,
            notes: 0,
            cases: BTreeMap::new(),
        }
    }

    /// What the records of a run say.
    pub(super) fn of(
        target: &Target,
        state: TargetState,
        records: &[Record],
        fail_on: Option<Level>,
    ) -> TargetRow {
        let (mut is_faulty, mut fails, mut says_nothing) = (false, false, true);
        let mut summary = Summary::default();
        for record in records {
            match record {
                Record::Finding(found) => {
                    fails |= found.accepted.is_none() && fail_on.is_some_and(|level| found.level >= level);
                }
                Record::Case(case) => {
                    is_faulty |= case.verdict == Verdict::Error;
                    says_nothing &= case.verdict.is_not_judged();
                }
                Record::Summary(end) => summary = end.clone(),
                Record::Header(_) | Record::Dialogue(_) | Record::Exchange(_) => {}
            }
        }
        let status = match () {
            () if is_faulty => 5,
            () if fails => 1,
            () if state == TargetState::Stale => 3,
            () if says_nothing => 4,
            () => 0,
        };
        let Summary { dialogues: connections, errors, warnings, notes, cases, .. } = summary;
        TargetRow { target: target.name.clone(), state, status, connections, errors, warnings, notes, cases }
    }
}

/// For people.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| visible(&row.target).len()).max().unwrap_or_default();
        writeln!(f, "{:width$}  exit status  errors  warnings  notes  cases", "target")?;
        for row in &self.rows {
            let target = visible(&row.target);
            if row.state == TargetState::LeftOut {
                writeln!(f, "{target:width$}            -       -         -      -  left out")?;
                continue;
            }
            let TargetRow { status, errors, warnings, notes, .. } = row;
            let kept = if row.state == TargetState::Kept { " (run before)" } else { "" };
            let cases = cases(&row.cases);
            writeln!(
                f,
                "{target:width$}  {status:>11}  {errors:>6}  {warnings:>8}  {notes:>5}  {cases}{kept}"
            )?;
        }
        let count = |wanted: fn(&TargetRow) -> bool| self.rows.iter().filter(|row| wanted(row)).count();
        writeln!(
            f,
            "\n{} targets: {} as expected, {} run before, {} left out; {} connections",
            self.rows.len(),
            count(|row| row.state != TargetState::LeftOut && row.status == 0),
            count(|row| row.state == TargetState::Kept),
            count(|row| row.state == TargetState::LeftOut),
            self.rows
                .iter()
                .filter(|row| row.state != TargetState::Kept)
                .map(|row| row.connections)
                .sum::<usize>(),
        )
    }
}

fn cases(verdicts: &BTreeMap<Verdict, usize>) -> String {
    verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Table, TargetRow, TargetState};
    use crate::target::Target;

    #[test]
    fn the_worst_exit_status_is_that_of_all() {
        let target = Target::read("smtp://a").expect("a URL");
        let row = |status| TargetRow { state: TargetState::Run, status, ..TargetRow::left_out(&target) };
        let status = |statuses: &[u8]| {
            Table { rows: statuses.iter().copied().map(row).collect(), stale: Vec::new() }.status()
        };
        let order = [0, 4, 3, 1, 5];
        for (index, worse) in order.iter().enumerate() {
            for better in &order[..=index] {
                assert_eq!(status(&[*worse, *better]), *worse);
                assert_eq!(status(&[*better, *worse]), *worse);
            }
        }
        assert_eq!(status(&[]), 4);
        assert_eq!(Table { rows: vec![TargetRow::left_out(&target)], stale: Vec::new() }.status(), 4);
    }
}
