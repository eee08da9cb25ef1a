//! The report as GitHub-flavoured Markdown for the summary of a CI run.

use anyhow::{Context as _, Result};
use askama::Template;

use super::behaviours::is_client;
use super::digest::{accepted, broken, by_rule, cut, fix_for, not_judged, provenance, times};
use super::escape::Markdown;
use super::evidence::Evidence;
use crate::record::index::RecordIndex;
use crate::record::{FindingRecord, Record, Summary};
use crate::rules::catalogue::{Level, RuleId};

/// Returns the report: counts, a table of the broken rules, the first exchange that shows each error and warning, the
/// agreement with the registry, and the cases that were not judged. Everything that a server sent appears as code.
///
/// # Errors
///
/// Returns an error only if the template prints text that is not escaped, which is a bug in this program.
pub fn render(records: &[Record]) -> Result<String> {
    let text = Report::of(&RecordIndex::of(records)).render().context("the Markdown report")?;
    Ok(format!("{text}\n"))
}

#[derive(Template)]
#[template(path = "report.md")]
struct Report {
    target: Markdown,
    version: Markdown,
    registry: Markdown,
    /// The date and the server of the run, or the files that were judged.
    provenance: Vec<Markdown>,
    counts: Option<Counts>,
    rules: Vec<Rule>,
    accepted: Vec<Accepted>,
    accepted_times: Markdown,
    not_judged: Vec<NotJudged>,
    not_judged_cases: Markdown,
}

struct Counts {
    errors: Markdown,
    warnings: Markdown,
    notes: Markdown,
    exchanges: Markdown,
    dialogues: Markdown,
    cases: Option<Markdown>,
    cut: Option<Markdown>,
    hints: Vec<Markdown>,
    /// `6 rules broken (errors), 10 warned; 101 errors in all`.
    by_rule: Markdown,
    /// None if a client was tested.
    agreement: Vec<Agreement>,
}

struct Agreement {
    pairing: Markdown,
    pairs: Markdown,
    replies: Markdown,
}

struct Rule {
    level: Markdown,
    id: Markdown,
    times: Markdown,
    detail: Markdown,
    statement: Markdown,
    sources: Markdown,
    /// The first exchange that shows the violation. Notes have none, because there are many of them.
    exchange: Option<Exchange>,
    fix: Option<Markdown>,
    /// The advice for the server's product.
    product_fix: Option<Fix>,
}

struct Exchange {
    location: Markdown,
    lines: Markdown,
}

struct Fix {
    server: Markdown,
    text: Markdown,
}

struct Accepted {
    level: Markdown,
    id: Markdown,
    times: Markdown,
    section: Markdown,
    reason: Markdown,
}

struct NotJudged {
    verdict: Markdown,
    times: Markdown,
    reason: Markdown,
    cases: Markdown,
}

impl Report {
    fn of(index: &RecordIndex<'_>) -> Report {
        let header = |text: fn(&crate::record::Header) -> &str| index.header.map_or("unknown", text);
        let (broken, accepted, not_judged) = (broken(index), accepted(index), not_judged(index));
        Report {
            target: Markdown::text(header(|header| &header.target)),
            version: Markdown::text(header(|header| &header.version)),
            registry: Markdown::text(header(|header| &header.registry_updated)),
            provenance: index.header.map(provenance).unwrap_or_default().iter().map(Markdown::text).collect(),
            counts: index.summary.map(|summary| Counts::of(summary, index)),
            rules: broken
                .iter()
                .filter_map(|((level, id), found)| Rule::of(index, level.0, id, found))
                .collect(),
            accepted_times: Markdown::text(accepted.values().sum::<usize>()),
            accepted: accepted
                .into_iter()
                .map(|((level, id, accepted), times)| Accepted {
                    level: Markdown::text(level.0),
                    id: Markdown::text(id),
                    times: Markdown::text(times),
                    section: Markdown::text(&accepted.section),
                    reason: Markdown::text(&accepted.reason),
                })
                .collect(),
            not_judged_cases: Markdown::text(not_judged.values().map(Vec::len).sum::<usize>()),
            not_judged: not_judged
                .into_iter()
                .map(|((verdict, reason), cases)| NotJudged {
                    verdict: Markdown::text(verdict),
                    times: Markdown::text(cases.len()),
                    reason: Markdown::text(reason),
                    cases: Markdown::text(cases.join(", ")),
                })
                .collect(),
        }
    }
}

impl Counts {
    fn of(summary: &Summary, index: &RecordIndex<'_>) -> Counts {
        let cases: Vec<String> =
            summary.cases.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        Counts {
            errors: Markdown::text(summary.errors),
            warnings: Markdown::text(summary.warnings),
            notes: Markdown::text(summary.notes),
            exchanges: Markdown::text(summary.exchanges),
            dialogues: Markdown::text(summary.dialogues),
            cases: (!cases.is_empty()).then(|| Markdown::text(cases.join(", "))),
            cut: cut(summary).map(Markdown::text),
            hints: summary.hints.iter().map(Markdown::text).collect(),
            by_rule: Markdown::text(by_rule(index)),
            agreement: summary
                .agreement
                .by_pairing()
                .into_iter()
                .filter(|_| !is_client(index))
                .map(|(pairing, pairs)| Agreement {
                    pairing: Markdown::text(pairing),
                    pairs: Markdown::text(pairs.len()),
                    replies: Markdown::text(pairs.values().sum::<usize>()),
                })
                .collect(),
        }
    }
}

impl Rule {
    fn of(index: &RecordIndex<'_>, level: Level, id: &str, found: &[&FindingRecord]) -> Option<Rule> {
        let first = found.first()?;
        let catalogued = if level > Level::Note { first.catalogued().map(RuleId::rule) } else { None };
        let Evidence { location, lines } = Evidence::of(first, index);
        Some(Rule {
            level: Markdown::text(level),
            id: Markdown::text(id),
            times: Markdown::text(times(found)),
            detail: Markdown::text(&first.detail),
            statement: Markdown::text(&first.statement),
            sources: Markdown::text(first.sources.join("; ")),
            exchange: (level > Level::Note)
                .then(|| Exchange { location: Markdown::text(location), lines: Markdown::block(lines) }),
            fix: catalogued.filter(|rule| !rule.fix.is_empty()).map(|rule| Markdown::text(rule.fix)),
            product_fix: catalogued
                .and_then(|rule| fix_for(index.header, rule))
                .map(|(server, text)| Fix { server: Markdown::text(server), text: Markdown::text(text) }),
        })
    }
}
