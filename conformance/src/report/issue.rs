//! Reports to the maintainers of a server: for each broken rule, a text that they can act on.

use anyhow::{Context as _, Result};
use askama::Template;

use super::Source;
use super::digest::{fix_for, times};
use super::escape::Markdown;
use super::evidence::Evidence;
use super::reproduction::Reproduction;
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::{FindingRecord, Header};
use crate::rules::catalogue::{Level, Requirement, Rule, RuleId};

/// The maximum number of other cases that a report names.
const CASES: usize = 10;

/// Returns a report for each rule that each run breaks at or above a level, worst first, in GitHub-flavoured Markdown.
/// What a baseline accepts is reported too, because accepting it does not mend it.
///
/// # Errors
///
/// Returns an error only if the template prints text that is not escaped, which is a bug in this program.
pub fn render(sources: &[Source<'_>], level: Option<Level>) -> Result<String> {
    let mut text = String::new();
    for source in sources {
        let index = RecordIndex::of(source.records);
        for (rule, found) in broken(&index, level) {
            let issue = Issue::of(&index, rule, &found).map(|issue| issue.render()).transpose();
            if let Some(issue) = issue.context("the report to maintainers")? {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&issue);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// Returns the findings at or above a level by rule, in the order of the worst finding of each rule.
fn broken<'a>(index: &RecordIndex<'a>, level: Option<Level>) -> Vec<(&'a str, Vec<&'a FindingRecord>)> {
    let mut rules: Vec<(&str, Vec<&FindingRecord>)> = Vec::new();
    let mut findings = index.findings.clone();
    findings.retain(|found| level.is_some_and(|level| found.level >= level));
    findings.sort_by_key(|found| std::cmp::Reverse(found.level));
    for found in findings {
        match rules.iter_mut().find(|(rule, _)| *rule == found.rule) {
            Some((_, others)) => others.push(found),
            None => rules.push((&found.rule, vec![found])),
        }
    }
    rules
}

#[derive(Template)]
#[template(path = "issue.md")]
struct Issue {
    rule: Markdown,
    level: Markdown,
    statement: Markdown,
    detail: Markdown,
    location: Markdown,
    exchange: Markdown,
    times: Option<Markdown>,
    others: Option<Markdown>,
    sources: Markdown,
    requirements: Vec<Asked>,
    why: Option<Markdown>,
    suite: Option<Markdown>,
    plain: Option<Plain>,
    is_masked: bool,
    fix: Option<Markdown>,
    product_fix: Option<Markdown>,
    server: Markdown,
    origin: Option<Markdown>,
    version: Markdown,
}

/// A requirement that the rule judges.
struct Asked {
    id: Markdown,
    section: Markdown,
    url: Markdown,
    words: Markdown,
    text: Markdown,
}

/// Commands for a shell.
struct Plain {
    program: Markdown,
    commands: Markdown,
}

impl Issue {
    fn of(index: &RecordIndex<'_>, rule: &str, found: &[&FindingRecord]) -> Option<Issue> {
        let first = found.first()?;
        let catalogued = first.catalogued().map(RuleId::rule);
        let Evidence { location, lines } = Evidence::of(first, index);
        let Reproduction { suite, plain, is_masked } = Reproduction::of(first, index);
        let header = index.header;
        Some(Issue {
            rule: Markdown::text(rule),
            level: Markdown::text(first.level),
            statement: Markdown::coded(&first.statement),
            detail: Markdown::text(&first.detail),
            location: Markdown::text(location),
            exchange: Markdown::block(lines),
            times: Some(times(found)).filter(|times| *times > 1).map(Markdown::text),
            others: others(found),
            sources: Markdown::text(first.sources.join("; ")),
            requirements: catalogued
                .map(|rule| rule.requirements.iter().map(Asked::of).collect())
                .unwrap_or_default(),
            why: catalogued.map(|rule| Markdown::coded(rule.why)),
            suite: suite.map(|command| Markdown::shell(&command)),
            plain: plain.map(|(program, commands)| Plain {
                program: Markdown::text(program),
                commands: Markdown::shell(&commands),
            }),
            is_masked,
            fix: catalogued.map(|rule| rule.fix).filter(|fix| !fix.is_empty()).map(Markdown::coded),
            product_fix: catalogued.and_then(|rule| product_fix(header, rule)),
            server: Markdown::text(header.map_or("unknown", |header| &header.target)),
            origin: header.and_then(origin).map(Markdown::text),
            version: Markdown::text(header.map_or("", |header| &header.version)),
        })
    }
}

impl Asked {
    fn of(requirement: &Requirement) -> Asked {
        Asked {
            id: Markdown::text(requirement.id),
            section: Markdown::text(requirement.place()),
            url: Markdown::url(&requirement.url()),
            words: Markdown::text(requirement.words),
            text: Markdown::coded(requirement.asks),
        }
    }
}

/// Returns the other cases that break the rule.
fn others(found: &[&FindingRecord]) -> Option<Markdown> {
    let first = found.first()?.case.as_deref();
    let mut cases: Vec<&str> = Vec::new();
    for case in found.iter().filter_map(|found| found.case.as_deref()) {
        if Some(case) != first && !cases.contains(&case) {
            cases.push(case);
        }
    }
    let more = if cases.len() > CASES { ", ..." } else { "" };
    cases.truncate(CASES);
    (!cases.is_empty()).then(|| Markdown::text(format!("{}{more}", cases.join(", "))))
}

fn product_fix(header: Option<&Header>, rule: &Rule) -> Option<Markdown> {
    let (_, fix) = fix_for(header, rule)?;
    Some(Markdown::coded(fix))
}

/// Returns the version of the server and the date of the run.
fn origin(header: &Header) -> Option<String> {
    let version = header.server_version.as_ref().map(|version| format!("version {version}"));
    let date = match &header.origin {
        Some(Origin::Run(run)) => Some(format!("tested on {}", run.date.strftime("%Y-%m-%d"))),
        Some(Origin::Client(client)) => Some(format!("tested on {}", client.date.strftime("%Y-%m-%d"))),
        Some(Origin::Recordings(_)) | None => None,
    };
    let parts: Vec<String> = version.into_iter().chain(date).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
