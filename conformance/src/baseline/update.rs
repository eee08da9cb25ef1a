//! Updates the text of a baseline.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use toml_edit::{ArrayOfTables, DocumentMut, Item, RawString, Table, value};

use crate::dialogue::shape::shape;
use crate::record::outcome::Outcome;
use crate::rules::catalogue::Level;

/// The result of updating a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The new text of the file.
    pub text: String,
    /// The number of entries that were added.
    pub added: usize,
    /// The number of entries that were removed.
    pub gone: usize,
}

/// If the same act breaks a rule in more cases than this, one entry is written for all cases.
const EVERYWHERE: usize = 3;

/// Returns the text of a baseline without the entries at the `stale` positions, and with entries for the findings at or
/// above `level` that are not accepted.
pub(super) fn updated(
    text: &str,
    stale: &BTreeSet<usize>,
    target: &str,
    today: Date,
    level: Option<Level>,
    outcome: &Outcome,
) -> Result<Update> {
    let is_crlf = text.contains("\r\n");
    let mut document: DocumentMut = text.replace("\r\n", "\n").parse().context("the baseline")?;
    let old = document.remove("accepted").map(Item::into_array_of_tables);
    let mut old: Vec<Table> = old.and_then(Result::ok).into_iter().flatten().collect();
    let head = match old.first_mut() {
        Some(first) => {
            let head = take_apart(first);
            // New entries may be inserted before it.
            put_apart(first, "\n");
            head
        }
        None => take_trailing(&mut document),
    };
    // Comments that a blank line separates from a removed entry move to the next entry.
    let (mut tables, mut left) = (Vec::new(), String::new());
    for (place, mut table) in old.into_iter().enumerate() {
        if stale.contains(&place) {
            left.push_str(&take_apart(&mut table));
        } else {
            put_apart(&mut table, &mem::take(&mut left));
            tables.push(table);
        }
    }
    document.set_trailing(left + document.trailing().as_str().unwrap_or_default());
    let new = missing(target, today, level, outcome);
    let added = new.len();
    for table in new {
        let place = tables.iter().position(|other| order(other, &table) == Ordering::Greater);
        tables.insert(place.unwrap_or(tables.len()), table);
    }
    match tables.first_mut() {
        Some(first) => put_apart(first, &head),
        None => document.set_trailing(head + document.trailing().as_str().unwrap_or_default()),
    }
    // toml_edit writes tables in the order of their positions in the original file.
    let mut accepted = ArrayOfTables::new();
    for (position, mut table) in tables.into_iter().enumerate() {
        table.set_position(Some(isize::try_from(position)?));
        accepted.push(table);
    }
    document.insert("accepted", Item::ArrayOfTables(accepted));
    let text = document.to_string().trim_start_matches('\n').to_owned();
    let text = if is_crlf { text.replace('\n', "\r\n") } else { text };
    Ok(Update { text, added, gone: stale.len() })
}

/// Returns an entry for each rule and case with a finding that is not accepted, or one entry for all cases of a rule if
/// there are [many](EVERYWHERE).
fn missing(target: &str, today: Date, level: Option<Level>, outcome: &Outcome) -> Vec<Table> {
    let mut acts: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    let mut sections: BTreeMap<&str, &str> = BTreeMap::new();
    let weighs = |one: &Level| level.is_some_and(|level| *one >= level);
    let findings = outcome.judgement.findings.iter();
    for finding in findings.filter(|one| one.accepted.is_none() && weighs(&one.level)) {
        let rule = finding.rule.rule();
        let exchange = outcome
            .dialogues
            .get(finding.location.dialogue)
            .and_then(|one| one.exchanges.get(finding.location.exchange));
        let act = exchange.map(|exchange| shape(&exchange.act)).unwrap_or_default();
        acts.entry((rule.id, act)).or_default().insert(outcome.case_of(finding.location));
        sections.insert(rule.id, rule.sources.first().copied().unwrap_or_default());
    }
    let mut entries: BTreeSet<(&str, &str)> = BTreeSet::new();
    for ((rule, _), cases) in acts {
        if cases.len() > EVERYWHERE {
            entries.insert((rule, "*"));
        } else {
            entries.extend(cases.into_iter().map(|case| (rule, case)));
        }
    }
    let everywhere: BTreeSet<&str> =
        entries.iter().filter(|(_, case)| *case == "*").map(|(rule, _)| *rule).collect();
    entries.retain(|(rule, case)| *case == "*" || !everywhere.contains(rule));
    let table = |(rule, case): (&str, &str)| {
        let mut table = Table::new();
        table.insert("target", value(globset::escape(target)));
        table.insert("rule", value(rule));
        table.insert("case", value(case));
        table.insert("section", value(sections.get(rule).copied().unwrap_or_default()));
        table.insert("reason", value(format!("Found on {today}, not yet reviewed.")));
        table.decor_mut().set_prefix("\n");
        table
    };
    entries.into_iter().map(table).collect()
}

/// Removes and returns the comments before a table that a blank line separates from it, such as the comment at the head
/// of a file. The comment directly before the table stays.
fn take_apart(table: &mut Table) -> String {
    let prefix = table.decor().prefix().and_then(RawString::as_str).unwrap_or_default();
    let (mut apart, mut own) = (String::new(), String::new());
    for line in prefix.split_inclusive('\n') {
        own.push_str(line);
        if line.trim().is_empty() {
            apart.push_str(&mem::take(&mut own));
        }
    }
    let is_blank = apart.trim().is_empty();
    table.decor_mut().set_prefix(format!("{}{own}", if is_blank { apart.as_str() } else { "" }));
    if is_blank { String::new() } else { apart }
}

/// Inserts comments before a table and its own comment.
fn put_apart(table: &mut Table, apart: &str) {
    let own = table.decor().prefix().and_then(RawString::as_str).unwrap_or_default();
    let own = if apart.is_empty() { own } else { own.trim_start_matches('\n') };
    let prefix = format!("{apart}{own}");
    table.decor_mut().set_prefix(prefix);
}

/// Removes and returns the comment of a file that has no table.
fn take_trailing(document: &mut DocumentMut) -> String {
    let comment = document.trailing().as_str().unwrap_or_default().trim_end().to_owned();
    document.set_trailing("");
    if comment.is_empty() { comment } else { comment + "\n\n" }
}

fn order(one: &Table, other: &Table) -> Ordering {
    let key = |table: &Table| {
        ["target", "rule", "case"]
            .map(|name| table.get(name).and_then(Item::as_str).unwrap_or_default().to_owned())
    };
    key(one).cmp(&key(other))
}
