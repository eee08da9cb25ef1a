//! The table of a survey, with one row per target.

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

/// The results of a survey, worst first.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// One row per target.
    pub rows: Vec<TargetRow>,
    /// A message for each entry of the baseline that has expired or no longer matches anything.
    pub stale: Vec<String>,
    /// Sentences about what may be wrong in the descriptions of the targets, each with the target's name.
    pub hints: Vec<String>,
}

/// The results of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// The target's name.
    pub target: String,
    /// Whether the target was tested, and when.
    pub state: TargetState,
    /// The status that a run against this target alone would have.
    pub status: Status,
    /// The number of connections.
    pub connections: usize,
    /// The number of findings at level error.
    pub errors: usize,
    /// The number of findings at level warning.
    pub warnings: usize,
    /// The number of findings at level note.
    pub notes: usize,
    /// The number of cases with each verdict.
    pub cases: BTreeMap<Verdict, usize>,
}

/// Whether a target was tested, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// It was tested by this survey.
    Run,
    /// It has records from an earlier run, which were kept.
    Kept,
    /// It was not contacted, because it is on the opt-out list.
    LeftOut,
}

impl Table {
    /// Returns the status of the worst target. If every target was left out, nothing was judged.
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

    /// Returns the row of a target that has records.
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

/// Formats the table with aligned columns and a line of totals.
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
    fn the_status_is_that_of_the_worst_target() {
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
