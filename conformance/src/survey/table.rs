//! What came of each target, in a line.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use crate::counted::counted;
use crate::record::index::RecordIndex;
use crate::record::outcome::Verdict;
use crate::record::status::Status;
use crate::record::{Record, Summary};
use crate::rules::catalogue::Level;
use crate::target::Target;
use crate::visible::visible;

/// What came of each target, worst first.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The targets.
    pub rows: Vec<TargetRow>,
    /// The entries of the baseline that have expired or match nothing any more.
    pub stale: Vec<String>,
    /// What may be wrong with what is said of the targets, each with the target's name.
    pub hints: Vec<String>,
}

/// What came of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// The target's name.
    pub target: String,
    /// What was done.
    pub state: TargetState,
    /// What a run against it alone comes to.
    pub status: Status,
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
    /// It had been run before.
    Kept,
    /// It was not contacted: it is on the list of those who want none of it.
    LeftOut,
}

impl Table {
    /// What all of it comes to: the status of the worst target. If every target was left out, nothing was judged.
    #[must_use]
    pub fn status(&self) -> Status {
        let tried = self.rows.iter().filter(|row| row.state != TargetState::LeftOut);
        tried.map(|row| row.status).max().unwrap_or(Status::NothingJudged)
    }

    pub(super) fn sort(&mut self) {
        let order = |row: &TargetRow| {
            (row.state == TargetState::LeftOut, Reverse(row.status), Reverse(row.errors), row.target.clone())
        };
        self.rows.sort_by_cached_key(order);
        self.stale.sort();
        self.stale.dedup();
        self.hints.sort();
    }
}

impl TargetRow {
    pub(super) fn left_out(target: &Target) -> TargetRow {
        TargetRow {
            target: target.name.clone(),
            state: TargetState::LeftOut,
            status: Status::Expected,
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
        let index = RecordIndex::of(records);
        let status = Status::of(&index, fail_on);
        let summary = index.summary.cloned().unwrap_or_default();
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
            let TargetRow { errors, warnings, notes, .. } = row;
            let status = row.status.code();
            let kept = if row.state == TargetState::Kept { " (run before)" } else { "" };
            let cases = cases(&row.cases);
            writeln!(
                f,
                "{target:width$}  {status:>11}  {errors:>6}  {warnings:>8}  {notes:>5}  {cases}{kept}"
            )?;
        }
        let made = self.rows.iter().filter(|row| row.state != TargetState::Kept);
        let connections = made.map(|row| row.connections).sum();
        let count = |wanted: fn(&TargetRow) -> bool| self.rows.iter().filter(|row| wanted(row)).count();
        writeln!(
            f,
            "\n{}: {} as expected, {} run before, {} left out; {}",
            counted(self.rows.len(), "target"),
            count(|row| row.state != TargetState::LeftOut && row.status == Status::Expected),
            count(|row| row.state == TargetState::Kept),
            count(|row| row.state == TargetState::LeftOut),
            counted(connections, "connection"),
        )
    }
}

fn cases(verdicts: &BTreeMap<Verdict, usize>) -> String {
    verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Status, Table, TargetRow, TargetState};
    use crate::target::Target;

    #[test]
    fn the_worst_exit_status_is_that_of_all() {
        let target = Target::read("smtp://a").expect("a URL");
        let row = |status| TargetRow { state: TargetState::Run, status, ..TargetRow::left_out(&target) };
        let status = |statuses: &[Status]| {
            Table { rows: statuses.iter().copied().map(row).collect(), ..Table::default() }.status()
        };
        let order = [Status::Expected, Status::NothingJudged, Status::Stale, Status::Fails, Status::Faulty];
        assert_eq!(order.map(Status::code), [0, 4, 3, 1, 5]);
        for (index, worse) in order.iter().enumerate() {
            for better in &order[..=index] {
                assert_eq!(status(&[*worse, *better]), *worse);
                assert_eq!(status(&[*better, *worse]), *worse);
            }
        }
        assert_eq!(status(&[]), Status::NothingJudged);
        let left_out = Table { rows: vec![TargetRow::left_out(&target)], ..Table::default() };
        assert_eq!(left_out.status(), Status::NothingJudged);
    }
}
