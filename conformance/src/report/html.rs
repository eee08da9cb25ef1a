//! The report as one HTML page: a matrix of rules and servers, with the exchanges of each cell.
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
use super::digest::{cut, fix_for, not_judged, provenance};
use super::escape::{Html, quoted};
use super::evidence::Speaker;
use super::matrix::{Cell, Row, rows};
use crate::record::index::RecordIndex;
use crate::record::outcome::Verdict;
use crate::record::{Header, Summary};
use crate::rules::catalogue::Rule;

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
    let names = sources.iter().map(|source| source.name);
    let mut servers: Vec<Server> =
        indexes.iter().zip(names).map(|(index, name)| Server::of(index, name)).collect();
    name_apart(&mut servers);
    let rows = rows(&indexes);
    let page = Page {
        policy: policy(),
        has_accepted: indexes.iter().any(|index| index.findings.iter().any(|found| found.accepted.is_some())),
        broken: rows.iter().filter(|row| row.worst.is_some()).count(),
        servers,
        rows,
        style: STYLE,
        script: SCRIPT,
    };
    page.render().context("the HTML report")
}

/// Gives the servers distinct names: the target without its folders if these are distinct, else the whole target, else
/// the target and the file.
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
    servers: Vec<Server>,
    rows: Vec<Row>,
    broken: usize,
    /// Whether any finding is accepted.
    has_accepted: bool,
    style: &'static str,
    script: &'static str,
}

/// A column.
struct Server {
    /// The name of the target.
    target: String,
    /// A name that distinguishes it from the other columns.
    name: String,
    /// The file of its records, or an empty string if they come straight from a run.
    file: String,
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
    agreement: [(usize, usize); 5],
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
    fn of(index: &RecordIndex<'_>, file: &str) -> Server {
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
            file: file.to_owned(),
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

    /// Returns the target without its folders if it is a single path, or else the whole target.
    fn short_name(&self) -> &str {
        if self.target.contains("://") || self.target.contains(", ") {
            &self.target
        } else {
            self.target.rsplit('/').find(|name| !name.is_empty()).unwrap_or(&self.target)
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
            cut: cut(summary),
            hints: summary.hints.clone(),
        }
    }
}
