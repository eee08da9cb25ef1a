//! The report as one HTML page: what each server breaks, as a picture and as a matrix of rules and servers, with the
//! exchanges of each cell.
//!
//! The page needs no network and no other file. It contains what servers sent only as text. The template escapes
//! everything that it prints, and the script gets no data except the page itself. A Content-Security-Policy allows only
//! the page's own script and style, which it names by their hashes.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context as _, Result};
use askama::Template;
use askama::filters::{Escaper as _, Safe};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Source;
use super::behaviours::{self, is_client};
use super::digest::{cut, fix_for, not_judged, provenance};
use super::escape::{Html, quoted};
use super::evidence::Speaker;
use super::matrix::{Cell, Row, rows};
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::outcome::Verdict;
use crate::record::{Header, Summary};
use crate::rules::catalogue::{Level, Rule};

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// Returns a page with one column per run.
///
/// # Errors
///
/// Returns an error only if the template fails, which is a bug in this program.
pub fn render(sources: &[Source<'_>]) -> Result<String> {
    let indexes: Vec<RecordIndex<'_>> =
        sources.iter().map(|source| RecordIndex::of(source.records)).collect();
    let rows = rows(&indexes);
    let mut servers: Vec<Server> =
        indexes.iter().enumerate().map(|(column, index)| Server::of(index, column, &rows)).collect();
    name_apart(&mut servers);
    draw_bars(&mut servers);
    let page = Page {
        policy: policy(),
        has_accepted: indexes.iter().any(|index| index.findings.iter().any(|found| found.accepted.is_some())),
        noun: if indexes.iter().all(is_client) && !indexes.is_empty() { "client" } else { "server" },
        behaviours: behaviours::rows(&indexes),
        judged: rows.len(),
        servers,
        groups: groups(rows),
        style: STYLE,
        script: SCRIPT,
    };
    page.render().context("the HTML report")
}

/// Gives the servers distinct names: as little of target, version and date as tells them apart, else numbers.
fn name_apart(servers: &mut [Server]) {
    let names: [fn(&Server) -> String; 4] = [
        |server| server.short_name().to_owned(),
        |server| server.target.clone(),
        |server| format!("{} {}", server.target, server.release),
        |server| format!("{} {}, {}", server.target, server.release, server.date),
    ];
    let is_apart = |name: &&fn(&Server) -> String| {
        servers.iter().map(name).collect::<BTreeSet<_>>().len() == servers.len()
    };
    let apart = names.iter().find(is_apart).copied();
    for (position, server) in servers.iter_mut().enumerate() {
        server.name = match apart {
            Some(name) => name(server).trim_end_matches([' ', ',']).to_owned(),
            None => format!("{} ({})", server.target, position + 1),
        };
    }
}

/// Draws the bar of each server, so that the one that breaks most rules has the longest.
fn draw_bars(servers: &mut [Server]) {
    let longest = servers.iter().map(|server| server.broken.iter().sum::<usize>()).max();
    let longest = longest.unwrap_or_default().max(1);
    for server in servers {
        let mut begin = 0;
        for (level, count) in [Level::Error, Level::Warning, Level::Note].into_iter().zip(server.broken) {
            let width = count * 100 / longest;
            server.bar.push((level, begin, width));
            begin += width;
        }
    }
}

/// Sorts rows into what RFCs require, what they recommend, and the rest.
fn groups(rows: Vec<Row>) -> Vec<Group> {
    let titles = [
        (Some(Level::Error), "Required", "the RFC says MUST, or describes the only right answer"),
        (Some(Level::Warning), "Recommended", "the RFC says SHOULD, or permits exceptions"),
        (Some(Level::Note), "Notes", "practice, and what the registry lists"),
        (None, "Not broken", "no server breaks these"),
    ];
    let mut groups: Vec<Group> =
        titles.map(|(level, title, about)| Group { level, title, about, rows: Vec::new() }).into();
    for row in rows {
        if let Some(group) = groups.iter_mut().find(|group| group.level == row.worst) {
            group.rows.push(row);
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// Returns the Content-Security-Policy, which allows only the page's own style and script.
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
    /// What the columns are: servers, unless all are clients.
    noun: &'static str,
    behaviours: Vec<behaviours::Row>,
    servers: Vec<Server>,
    groups: Vec<Group>,
    /// The number of rules that are judged.
    judged: usize,
    /// Whether any finding is accepted.
    has_accepted: bool,
    style: &'static str,
    script: &'static str,
}

/// The rows with the same worst level.
struct Group {
    level: Option<Level>,
    title: &'static str,
    about: &'static str,
    rows: Vec<Row>,
}

/// A column.
struct Server {
    /// The name of the target.
    target: String,
    /// A name that distinguishes it from the other columns.
    name: String,
    /// The version of the server, or an empty string.
    release: String,
    /// The day of the run, or an empty string.
    date: String,
    /// The numbers of rules that it breaks with an error, else with a warning, else with a note.
    broken: [usize; 3],
    /// The parts of its bar: the level, where it begins, and how wide it is, in hundredths of the longest bar.
    bar: Vec<(Level, usize, usize)>,
    version: String,
    registry: String,
    /// The date and the server of the run, or the files that were judged.
    provenance: Vec<String>,
    header: Option<Header>,
    summary: Option<Counts>,
    not_judged: Vec<NotJudged>,
}

struct Counts {
    levels: [usize; 3],
    dialogues: usize,
    exchanges: usize,
    cases: Vec<String>,
    /// The numbers of pairs and of replies for each pairing.
    agreement: [(String, usize, usize); 5],
    /// What exceeded the limits.
    cut: Option<String>,
    hints: Vec<String>,
}

/// The cases that were not judged for one reason.
struct NotJudged {
    verdict: Verdict,
    reason: String,
    cases: String,
}

impl Page {
    /// Returns a text with the parts between backticks as code. All of it is escaped.
    fn coded(text: &str) -> Result<Safe<String>, fmt::Error> {
        let mut page = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, code, after)) = quoted(rest) {
            Html.write_escaped_str(&mut page, before)?;
            page.push_str("<code>");
            Html.write_escaped_str(&mut page, code)?;
            page.push_str("</code>");
            rest = after;
        }
        Html.write_escaped_str(&mut page, rest)?;
        Ok(Safe(page))
    }
}

impl Server {
    fn of(index: &RecordIndex<'_>, column: usize, rows: &[Row]) -> Server {
        let not_judged = not_judged(index).into_iter().map(|((verdict, reason), cases)| NotJudged {
            verdict,
            reason: reason.clone(),
            cases: cases.join(", "),
        });
        let header = |text: fn(&Header) -> &str| index.header.map_or("unknown", text).to_owned();
        let target = header(|header| &header.target);
        Server {
            name: String::new(),
            target,
            release: index.header.and_then(|header| header.server_version.clone()).unwrap_or_default(),
            date: index.header.map(day).unwrap_or_default(),
            broken: [Level::Error, Level::Warning, Level::Note].map(|level| {
                let cells = rows.iter().filter_map(|row| row.cells.get(column));
                cells.filter(|cell| cell.level() == Some(level)).count()
            }),
            bar: Vec::new(),
            version: header(|header| &header.version),
            registry: header(|header| &header.registry_updated),
            provenance: index.header.map(provenance).unwrap_or_default(),
            header: index.header.cloned(),
            summary: index.summary.map(Counts::of),
            not_judged: not_judged.collect(),
        }
    }

    /// Returns the advice that a rule has for the server's product.
    fn fix(&self, rule: &Rule) -> Option<(&'static str, &'static str)> {
        fix_for(self.header.as_ref(), rule)
    }

    /// Returns the name of the cell of a rule, for links.
    fn anchor(&self, rule: &str) -> String {
        let part = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
        };
        format!("{}--{}", part(rule), part(&self.name))
    }

    /// Returns the name of a single recording without its folders, or else the whole target.
    fn short_name(&self) -> &str {
        let is_run =
            matches!(self.header.as_ref().and_then(|header| header.origin.as_ref()), Some(Origin::Run(_)));
        if is_run || self.target.contains("://") || self.target.contains(", ") {
            &self.target
        } else {
            self.target.rsplit('/').find(|name| !name.is_empty()).unwrap_or(&self.target)
        }
    }
}

/// Returns the day of a run, or an empty string for recordings.
fn day(header: &Header) -> String {
    match &header.origin {
        Some(Origin::Run(run)) => run.date.strftime("%Y-%m-%d").to_string(),
        Some(Origin::Client(client)) => client.date.strftime("%Y-%m-%d").to_string(),
        Some(Origin::Recordings(_)) | None => String::new(),
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
            agreement: agreement
                .map(|(pairing, pairs)| (pairing.to_string(), pairs.len(), pairs.values().sum())),
            cut: cut(summary),
            hints: summary.hints.clone(),
        }
    }
}
