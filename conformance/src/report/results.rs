//! The results of many servers as one Markdown page, which stays the same from run to run if the servers do.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use askama::Template;

use super::Source;
use super::behaviours::{self, is_client};
use super::escape::Markdown;
use super::matrix::{self, Violations, rows};
use super::normalise::normalise;
use crate::record::Header;
use crate::record::index::RecordIndex;
use crate::rules::catalogue::Level;

/// Returns the page: a table of servers, a matrix of rules and servers, and one exchange for each cell. Queue ids,
/// times and other text that differs from run to run are replaced by placeholders.
///
/// # Errors
///
/// Returns an error if two runs have the same target, because each target is one column. Any other error is a bug in
/// this program.
pub fn render(sources: &[Source<'_>]) -> Result<String> {
    let indexes: Vec<RecordIndex<'_>> =
        sources.iter().map(|source| RecordIndex::of(source.records)).collect();
    let mut targets = BTreeSet::new();
    for index in &indexes {
        let target = index.target();
        ensure!(
            targets.insert(target),
            "two runs have the target {target:?}; give only one of them, or set another `name` in a target file and \
             run it again"
        );
    }
    let of_all = |text: fn(&Header) -> &str| {
        let all: BTreeSet<&str> = indexes.iter().filter_map(|index| index.header.map(text)).collect();
        Markdown::text(all.into_iter().collect::<Vec<_>>().join(", "))
    };
    let is_about_clients = !indexes.is_empty() && indexes.iter().all(is_client);
    let page = Page {
        is_about_clients,
        noun: Markdown::text(if is_about_clients { "client" } else { "server" }),
        behaviours: behaviours::rows(&indexes).iter().map(BehaviourRow::of).collect(),
        version: of_all(|header| &header.version),
        registry: of_all(|header| &header.registry_updated),
        servers: indexes.iter().map(Server::of).collect(),
        rows: rows(&indexes)
            .iter()
            .filter(|row| row.worst.is_some())
            .map(|row| Row::of(row, &indexes))
            .collect(),
    };
    Ok(format!("{}\n", page.render().context("the page of results")?))
}

#[derive(Template)]
#[template(path = "results.md")]
struct Page {
    /// Whether the columns are clients, and not servers.
    is_about_clients: bool,
    noun: Markdown,
    behaviours: Vec<BehaviourRow>,
    version: Markdown,
    registry: Markdown,
    servers: Vec<Server>,
    rows: Vec<Row>,
}

struct Server {
    target: Markdown,
    version: Markdown,
    /// The numbers of errors, warnings, notes, accepted findings, entries of the baseline, and pairs of each pairing.
    counts: Vec<Markdown>,
}

/// What each client made of a behaviour.
struct BehaviourRow {
    id: Markdown,
    title: Markdown,
    cells: Vec<Markdown>,
}

impl BehaviourRow {
    fn of(row: &behaviours::Row) -> BehaviourRow {
        let cell = |cell: &Option<behaviours::Cell>| {
            Markdown::text(cell.as_ref().map(behaviours::Cell::in_words).unwrap_or_default())
        };
        BehaviourRow {
            id: Markdown::text(&row.id),
            title: Markdown::text(&row.title),
            cells: row.cells.iter().map(cell).collect(),
        }
    }
}

struct Row {
    id: Markdown,
    anchor: Markdown,
    statement: Markdown,
    sources: Markdown,
    /// One cell per server, or `None` if the server does not break the rule.
    cells: Vec<Option<Cell>>,
}

struct Cell {
    anchor: Markdown,
    counts: Markdown,
    target: Markdown,
    level: Markdown,
    case: Markdown,
    detail: Markdown,
    lines: Markdown,
}

impl Server {
    fn of(index: &RecordIndex<'_>) -> Server {
        let unknown = || "–".to_owned();
        let of_level = |level: Level| -> usize {
            let found = index.findings.iter().filter(|found| found.level == level);
            found.map(|found| found.times()).sum()
        };
        let accepted = index.findings.iter().filter(|found| found.accepted.is_some());
        let mut counts: Vec<String> =
            [Level::Error, Level::Warning, Level::Note].map(|level| of_level(level).to_string()).into();
        counts.push(accepted.map(|found| found.times()).sum::<usize>().to_string());
        let entries = index.header.and_then(|header| header.baseline_entries);
        counts.push(entries.map_or_else(unknown, |entries| entries.to_string()));
        match index.summary {
            Some(summary) => {
                counts.extend(summary.agreement.by_pairing().map(|(_, pairs)| pairs.len().to_string()));
            }
            None => counts.extend(std::iter::repeat_with(unknown).take(5)),
        }
        let version = index.header.and_then(|header| header.server_version.clone());
        Server {
            target: Markdown::text(index.target()),
            version: Markdown::text(version.unwrap_or_else(unknown)),
            counts: counts.into_iter().map(Markdown::text).collect(),
        }
    }
}

impl Row {
    fn of(row: &matrix::Row, indexes: &[RecordIndex<'_>]) -> Row {
        let cell = |(cell, index): (&matrix::Cell, &RecordIndex<'_>)| match cell {
            matrix::Cell::Broken(violation) => Cell::of(violation, &row.id, index.target()),
            matrix::Cell::Kept | matrix::Cell::NotJudged(_) | matrix::Cell::Silent => None,
        };
        Row {
            id: Markdown::text(&row.id),
            anchor: Markdown::anchor(&row.id),
            statement: Markdown::text(&row.statement),
            sources: Markdown::text(&row.sources),
            cells: row.cells.iter().zip(indexes).map(cell).collect(),
        }
    }

    fn shown(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().flatten()
    }
}

impl Cell {
    fn of(violation: &Violations, rule: &str, target: &str) -> Option<Cell> {
        let example = violation.examples.first()?;
        let count = |(level, times): &(Level, usize)| match level {
            Level::Error => format!("{times}E"),
            Level::Warning => format!("{times}W"),
            Level::Note => format!("{times}N"),
        };
        let lines = example.evidence.lines.iter().map(|line| normalise(&line.to_string()));
        Some(Cell {
            anchor: Markdown::anchor(&format!("{rule}--{target}")),
            counts: Markdown::text(violation.levels.iter().map(count).collect::<Vec<_>>().join(" ")),
            target: Markdown::text(target),
            level: Markdown::text(example.level),
            case: Markdown::text(&example.case),
            detail: Markdown::text(normalise(&example.detail)),
            lines: Markdown::block(lines),
        })
    }
}
