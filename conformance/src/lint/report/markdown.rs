//! The report as Markdown.

use anyhow::Result;
use askama::Template;

use super::console::{detail, no_pairing, short};
use super::{Extent, read};
use crate::lint::summary::{Broken, Pair, Summary};
use crate::report::escape::Markdown;

#[derive(Template)]
#[template(path = "lint.md")]
struct Page {
    read: Vec<Markdown>,
    tables: Vec<Table>,
}

struct Table {
    title: Markdown,
    columns: Vec<Markdown>,
    rows: Vec<Vec<Markdown>>,
    more: Option<Markdown>,
}

/// Returns the report.
///
/// # Errors
///
/// Fails if the template prints text that is not escaped, which would be a fault of this program.
pub fn render(summary: &Summary, extent: Extent) -> Result<String> {
    let tables = [
        Table::of("Codes", &["Count", "Codes", "Pairing", "Example"], &summary.pairs, extent, pair),
        Table::of("Categories", &["Count", "Category", "Meaning"], &summary.categories, extent, |row| {
            vec![row.1.to_string(), row.0.id().to_owned(), row.0.meaning().to_owned()]
        }),
        Table::of("Vendors that refused", &["Count", "Vendor"], &summary.vendors, extent, |row| {
            vec![row.1.to_string(), row.0.name().to_owned()]
        }),
        Table::of(
            "Rules broken",
            &["Count", "Level", "Rule", "Seen", "Where", "Example"],
            &summary.rules,
            extent,
            rule,
        ),
        Table::of(
            "Where",
            &["Place", "Level", "Rule", "Reply"],
            summary.places.as_ref().map_or(&[][..], |(_, places)| places),
            Extent { top: usize::MAX },
            |one| {
                let rule = one.key.rule.to_string();
                vec![one.place.to_string(), one.key.level.to_string(), rule, short(&one.text)]
            },
        ),
        Table::of(
            "Groups",
            &["Name", "Replies", "Accepted", "Temporary", "Permanent"],
            summary.groups.as_ref().map_or(&[][..], |grouped| &grouped.groups),
            extent,
            |(name, tally)| {
                let counts = [tally.replies, tally.accepted, tally.transient, tally.permanent];
                std::iter::once(name.clone()).chain(counts.map(|count| count.to_string())).collect()
            },
        ),
        Table::of("Not read", &["Place", "Why"], &summary.troubles.1, extent, |(at, what)| {
            vec![at.to_string(), what.clone()]
        }),
    ];
    let tables = tables.into_iter().filter(|table| !table.rows.is_empty()).collect();
    Ok(Page { read: read(summary).iter().map(Markdown::text).collect(), tables }.render()?)
}

fn pair(pair: &Pair) -> Vec<String> {
    let pairing = pair.pairing.map_or_else(|| no_pairing(pair).to_owned(), |pairing| pairing.to_string());
    let example = pair.example.as_ref().map(|example| example.text.clone()).unwrap_or_default();
    vec![pair.count.to_string(), pair.head.to_string(), pairing, example]
}

fn rule(broken: &Broken) -> Vec<String> {
    let (at, text) = match &broken.example {
        Some(example) => (example.place.to_string(), example.text.clone()),
        None => (String::new(), String::new()),
    };
    let accepted = if broken.accepted.is_some() { " (accepted)" } else { "" };
    let level = format!("{}{accepted}", broken.key.level);
    vec![broken.count.to_string(), level, broken.key.rule.to_string(), detail(broken), at, text]
}

impl Table {
    fn of<R>(
        title: &str,
        columns: &[&str],
        rows: &[R],
        extent: Extent,
        cells: impl Fn(&R) -> Vec<String>,
    ) -> Table {
        let more = rows.len().checked_sub(extent.top).filter(|more| *more > 0);
        Table {
            title: Markdown::text(title),
            columns: columns.iter().map(Markdown::text).collect(),
            rows: rows
                .iter()
                .take(extent.top)
                .map(|row| cells(row).iter().map(Markdown::text).collect())
                .collect(),
            more: more.map(|more| Markdown::text(format!("{more} more"))),
        }
    }
}
