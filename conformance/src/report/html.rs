//! The report as one page of HTML: servers against rules, with the exchanges behind each cell.
//!
//! The page needs no network and no other file. What a server sent is in it as text alone: the template escapes all it
//! prints, the script gets no data but the page itself, and a Content-Security-Policy lets nothing run or load but the
//! script and the style of this folder, which it names by their hashes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Source;
use super::console::idle;
use super::evidence::{Evidence, Speaker};
use crate::catalogue::{Level, Rule, RuleId, rules};
use crate::record::{Found, Summary};
use crate::run::Verdict;
use crate::stream::Stream;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");
/// How many exchanges a cell shows.
const EXAMPLES: usize = 3;

/// The page of some runs, a column each.
///
/// # Errors
///
/// Those of the template, which are faults of ours.
pub fn render(sources: &[Source<'_>]) -> Result<String> {
    let streams: Vec<Stream<'_>> = sources.iter().map(|source| Stream::of(source.records)).collect();
    let names = sources.iter().map(|source| source.name);
    let mut servers: Vec<Server> =
        streams.iter().zip(names).map(|(stream, name)| Server::of(stream, name)).collect();
    name_apart(&mut servers);
    let rows = rows(&streams);
    let page = Page {
        policy: policy(),
        broken: rows.iter().filter(|row| row.worst.is_some()).count(),
        servers,
        rows,
        style: STYLE,
        script: SCRIPT,
    };
    page.render().context("the HTML report")
}

/// Gives the servers names that tell them apart: without folders if that will do, else with the file.
fn name_apart(servers: &mut [Server]) {
    let is_apart =
        |name: fn(&Server) -> &str| servers.iter().map(name).collect::<BTreeSet<_>>().len() == servers.len();
    let (short, whole) = (is_apart(Server::short_name), is_apart(|server| &server.target));
    for server in servers {
        server.name = match (short, whole) {
            (true, _) => server.short_name().to_owned(),
            (false, true) => server.target.clone(),
            (false, false) => format!("{}, {}", server.target, server.file),
        };
    }
}

/// What the page may do: nothing but its own style and script.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; \
         form-action 'none'"
    )
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    policy: String,
    servers: Vec<Server>,
    rows: Vec<Row>,
    broken: usize,
    style: &'static str,
    script: &'static str,
}

/// A column.
struct Server {
    /// What was run against.
    target: String,
    /// What tells it from the others.
    name: String,
    /// The file of its records; empty for a run.
    file: String,
    version: String,
    registry: String,
    summary: Option<Counts>,
    idle: Vec<Idle>,
}

struct Counts {
    levels: [usize; 3],
    dialogues: usize,
    exchanges: usize,
    cases: Vec<String>,
    /// Pairs and replies, of each pairing.
    agreement: [(usize, usize); 5],
}

/// Cases that were not judged, for one reason.
struct Idle {
    verdict: Verdict,
    reason: String,
    cases: String,
}

/// A rule.
struct Row {
    id: String,
    rule: Option<&'static Rule>,
    statement: String,
    sources: String,
    /// The highest level of a finding of any server.
    worst: Option<Level>,
    cells: Vec<Cell>,
}

/// What a server did with a rule.
enum Cell {
    Broken(Breach),
    /// A case provoked it, and it was kept.
    Kept,
    /// The cases that would provoke it were not judged.
    Idle(Verdict),
    /// Nothing was found; whether anything provoked it is not known.
    Silent,
}

struct Breach {
    /// How often, by level, worst first.
    levels: Vec<(Level, usize)>,
    examples: Vec<Example>,
    /// How many findings are not shown.
    more: usize,
}

struct Example {
    level: Level,
    detail: String,
    evidence: Evidence,
}

impl Server {
    fn of(stream: &Stream<'_>, file: &str) -> Server {
        let idle = idle(stream).into_iter().map(|((verdict, reason), cases)| Idle {
            verdict,
            reason: reason.to_owned(),
            cases: cases.join(", "),
        });
        let header =
            |text: fn(&crate::record::Header) -> &str| stream.header.map_or("unknown", text).to_owned();
        let target = header(|header| &header.target);
        Server {
            name: String::new(),
            target,
            file: file.to_owned(),
            version: header(|header| &header.version),
            registry: header(|header| &header.registry_updated),
            summary: stream.summary.map(Counts::of),
            idle: idle.collect(),
        }
    }

    /// The target without its folders, if it is one path.
    fn short_name(&self) -> &str {
        match self.target.contains("://") || self.target.contains(", ") {
            true => &self.target,
            false => self.target.rsplit('/').find(|name| !name.is_empty()).unwrap_or(&self.target),
        }
    }
}

impl Counts {
    fn of(summary: &Summary) -> Counts {
        let agreement = summary.agreement.by_pairing();
        Counts {
            levels: [summary.errors, summary.warnings, summary.notes],
            dialogues: summary.dialogues,
            exchanges: summary.exchanges,
            cases: summary.cases.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect(),
            agreement: agreement.map(|(_, pairs)| (pairs.len(), pairs.values().sum())),
        }
    }
}

/// The rules that are judged, and those of other versions that are broken; the worst first, then those that most servers
/// break, then in the catalogue's order.
fn rows(streams: &[Stream<'_>]) -> Vec<Row> {
    let columns: Vec<Column<'_>> = streams.iter().map(Column::of).collect();
    let judged =
        rules().iter().filter(|rule| rule.left_out.is_none() && rule.level.is_some()).map(|rule| rule.id);
    let mut ids: Vec<&str> = judged.collect();
    for id in columns.iter().flat_map(|column| column.found.keys()) {
        if !ids.contains(id) {
            ids.push(id);
        }
    }
    let mut rows: Vec<Row> = ids.into_iter().map(|id| Row::of(id, &columns)).collect();
    rows.sort_by_key(|row| {
        (Reverse(row.worst), Reverse(row.cells.iter().filter(|cell| cell.is_broken()).count()))
    });
    rows
}

/// What a stream says of each rule.
struct Column<'a> {
    stream: &'a Stream<'a>,
    found: BTreeMap<&'a str, Vec<&'a Found>>,
    cases: BTreeMap<&'a str, Vec<Verdict>>,
}

impl<'a> Column<'a> {
    fn of(stream: &'a Stream<'a>) -> Column<'a> {
        let mut column = Column { stream, found: BTreeMap::new(), cases: BTreeMap::new() };
        for found in &stream.findings {
            column.found.entry(&found.rule).or_default().push(found);
        }
        for case in &stream.cases {
            for rule in &case.rules {
                column.cases.entry(rule).or_default().push(case.verdict);
            }
        }
        column
    }

    fn cell(&self, rule: &str) -> Cell {
        if let Some(found) = self.found.get(rule) {
            return Cell::Broken(Breach::of(found, self.stream));
        }
        let verdicts = self.cases.get(rule).map_or(&[][..], Vec::as_slice);
        // A case that failed by another rule may not have come to this one.
        let kept = |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Observed);
        match verdicts {
            verdicts if verdicts.iter().any(kept) => Cell::Kept,
            [first, ..] if verdicts.iter().all(|verdict| verdict.is_idle()) => Cell::Idle(*first),
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
    fn is_broken(&self) -> bool {
        self.level().is_some()
    }

    fn level(&self) -> Option<Level> {
        match self {
            Cell::Broken(breach) => breach.levels.first().map(|(level, _)| *level),
            Cell::Kept | Cell::Idle(_) | Cell::Silent => None,
        }
    }
}

impl Breach {
    fn of(found: &[&Found], stream: &Stream<'_>) -> Breach {
        let mut levels: BTreeMap<Reverse<Level>, usize> = BTreeMap::new();
        for found in found {
            *levels.entry(Reverse(found.level)).or_default() += 1;
        }
        let mut worst: Vec<&Found> = found.to_vec();
        worst.sort_by_key(|found| Reverse(found.level));
        let example = |found: &Found| Example {
            level: found.level,
            detail: found.detail.clone(),
            evidence: Evidence::of(found, stream),
        };
        Breach {
            levels: levels.into_iter().map(|(level, times)| (level.0, times)).collect(),
            examples: worst.iter().take(EXAMPLES).map(|found| example(found)).collect(),
            more: found.len().saturating_sub(EXAMPLES),
        }
    }
}
