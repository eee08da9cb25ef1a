//! The matrix of rules and servers: what each run shows about each rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::behaviours::is_client;
use super::digest::times;
use super::evidence::Evidence;
use super::reproduction::Reproduction;
use crate::record::FindingRecord;
use crate::record::fingerprint::Fingerprint;
use crate::record::index::RecordIndex;
use crate::record::outcome::Verdict;
use crate::rules::catalogue::{Kind, Level, Rule, RuleId, rules};
use crate::rules::finding::Accepted;

/// The maximum number of exchanges that a cell shows.
const EXAMPLES: usize = 3;

/// Returns one row for each rule that a run judges, and for each broken rule of another version. Rows are sorted by level,
/// worst first, then by the number of servers that break the rule, then in the catalogue's order.
pub(super) fn rows(indexes: &[RecordIndex<'_>]) -> Vec<Row> {
    let columns: Vec<Column<'_>> = indexes.iter().map(Column::of).collect();
    // A run reads no bounces. It tests a server or a client.
    let (clients, servers): (Vec<_>, Vec<_>) = indexes.iter().partition(|index| is_client(index));
    let is_judged = |rule: &&Rule| match rule.kind {
        Kind::Reply | Kind::Dialogue => !servers.is_empty() && rule.level.is_some(),
        Kind::Client => !clients.is_empty(),
        Kind::Report | Kind::None => false,
    };
    let mut ids: Vec<&str> = rules().iter().filter(is_judged).map(|rule| rule.id).collect();
    let mut listed: HashSet<&str> = ids.iter().copied().collect();
    let found = columns.iter().flat_map(|column| column.found.keys().copied());
    ids.extend(found.filter(|id| listed.insert(id)));
    let mut rows: Vec<Row> = ids.into_iter().map(|id| Row::of(id, &columns)).collect();
    rows.sort_by_key(|row| {
        (Reverse(row.worst), Reverse(row.cells.iter().filter(|cell| cell.is_broken()).count()))
    });
    rows
}

/// A row, for one rule.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) rule: Option<&'static Rule>,
    pub(super) statement: String,
    pub(super) sources: String,
    /// The highest level of a finding of any server.
    pub(super) worst: Option<Level>,
    /// One cell per server, in the order of the runs.
    pub(super) cells: Vec<Cell>,
}

/// A cell, for one rule and one server.
pub(super) enum Cell {
    /// The server broke the rule.
    Broken(Violations),
    /// A case tested the rule, and the server followed it.
    Kept,
    /// The cases that would test the rule were not judged.
    NotJudged(Verdict),
    /// There is no finding, but no case shows that the server follows the rule either.
    Silent,
}

/// The findings of one server about one rule.
pub(super) struct Violations {
    /// The number of findings at each level, worst first.
    pub(super) levels: Vec<(Level, usize)>,
    /// The levels of the findings that are not accepted, worst first.
    pub(super) fresh: Vec<Level>,
    /// The number of accepted findings.
    pub(super) accepted: usize,
    /// Examples, sorted by level (worst first), with accepted findings last in each level, then by case and act.
    pub(super) examples: Vec<Example>,
    /// The number of findings that are not shown.
    pub(super) more: usize,
    /// How to see the first example again.
    pub(super) reproduction: Option<Reproduction>,
}

/// A finding that is shown.
pub(super) struct Example {
    pub(super) level: Level,
    /// The case, or the connection if there is no case.
    pub(super) case: String,
    pub(super) detail: String,
    pub(super) accepted: Option<Accepted>,
    pub(super) evidence: Evidence,
}

/// The findings and the verdicts of one run, by rule.
struct Column<'a> {
    index: &'a RecordIndex<'a>,
    found: BTreeMap<&'a str, Vec<&'a FindingRecord>>,
    cases: BTreeMap<&'a str, Vec<Verdict>>,
}

impl<'a> Column<'a> {
    fn of(index: &'a RecordIndex<'a>) -> Column<'a> {
        let mut column = Column { index, found: BTreeMap::new(), cases: BTreeMap::new() };
        for found in &index.findings {
            column.found.entry(&found.rule).or_default().push(found);
        }
        for case in &index.cases {
            for rule in &case.rules {
                column.cases.entry(rule).or_default().push(case.verdict);
            }
        }
        column
    }

    fn cell(&self, rule: &str) -> Cell {
        if let Some(found) = self.found.get(rule) {
            return Cell::Broken(Violations::of(found, self.index));
        }
        let verdicts = self.cases.get(rule).map_or(&[][..], Vec::as_slice);
        // A case that failed because of another rule may not have tested this one.
        let kept = |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Observed);
        match verdicts {
            verdicts if verdicts.iter().any(kept) => Cell::Kept,
            [first, ..] if verdicts.iter().all(|verdict| verdict.is_not_judged()) => Cell::NotJudged(*first),
            _ => Cell::Silent,
        }
    }
}

impl Row {
    fn of(id: &str, columns: &[Column<'_>]) -> Row {
        let found = columns.iter().find_map(|column| column.found.get(id)?.first());
        let rule = RuleId::find(id).map(RuleId::rule).filter(|rule| rule.id == id);
        let cells: Vec<Cell> = columns.iter().map(|column| column.cell(id)).collect();
        Row {
            id: id.to_owned(),
            rule,
            statement: match (rule, found) {
                (Some(rule), _) => rule.statement.to_owned(),
                (None, Some(found)) => found.statement.clone(),
                (None, None) => String::new(),
            },
            sources: match (rule, found) {
                (Some(rule), _) => rule.sources.join("; "),
                (None, Some(found)) => found.sources.join("; "),
                (None, None) => String::new(),
            },
            worst: cells.iter().filter_map(Cell::level).max(),
            cells,
        }
    }
}

impl Cell {
    pub(super) fn is_broken(&self) -> bool {
        self.level().is_some()
    }

    /// Returns the highest level of a finding.
    pub(super) fn level(&self) -> Option<Level> {
        match self {
            Cell::Broken(violation) => violation.levels.first().map(|(level, _)| *level),
            Cell::Kept | Cell::NotJudged(_) | Cell::Silent => None,
        }
    }
}

impl Violations {
    fn of(found: &[&FindingRecord], index: &RecordIndex<'_>) -> Violations {
        let mut levels: BTreeMap<Reverse<Level>, usize> = BTreeMap::new();
        for found in found {
            *levels.entry(Reverse(found.level)).or_default() += found.times();
        }
        let mut worst: Vec<&FindingRecord> = found.to_vec();
        worst.sort_by_cached_key(|found| {
            (Reverse(found.level), found.accepted.is_some(), Fingerprint::of(found, index))
        });
        let fresh: BTreeSet<Reverse<Level>> =
            found.iter().filter(|found| found.accepted.is_none()).map(|found| Reverse(found.level)).collect();
        let example = |found: &FindingRecord| Example {
            level: found.level,
            case: Fingerprint::of(found, index).dialogue,
            detail: found.detail.clone(),
            accepted: found.accepted.clone(),
            evidence: Evidence::of(found, index),
        };
        Violations {
            reproduction: worst.first().map(|found| Reproduction::of(found, index)),
            levels: levels.into_iter().map(|(level, times)| (level.0, times)).collect(),
            fresh: fresh.into_iter().map(|level| level.0).collect(),
            accepted: found.iter().filter(|found| found.accepted.is_some()).map(|found| found.times()).sum(),
            examples: worst.iter().take(EXAMPLES).map(|found| example(found)).collect(),
            more: times(found).saturating_sub(EXAMPLES.min(found.len())),
        }
    }
}
