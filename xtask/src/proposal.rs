//! Edits of the hand-kept data files that a new registry asks for, with everything else in them left as it is.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use toml_edit::{ArrayOfTables, DocumentMut, Table, value};

use crate::annotation::{Annotations, MAX_IDENTIFIER};
use crate::code::Status;
use crate::model::Model;
use crate::registry::Registry;

/// Adds a `[[row]]` marked for review for each row that has none.
pub fn annotate(text: &str, registry: &Registry, current: &Model) -> Result<String> {
    let mut document: DocumentMut = text.parse().context("annotations.toml")?;
    let rows = tables(&mut document, "row")?;
    let mut taken: BTreeSet<String> =
        current.entries.iter().map(|entry| entry.annotation.identifier.clone()).collect();
    for row in &registry.statuses.rows {
        let (status, associated) = &row.key;
        if current.entries.iter().any(|entry| entry.status == *status) {
            continue;
        }
        let identifier = identifier(*status, &row.record.sample.text, current, &taken);
        taken.insert(identifier.clone());
        let mut classes: toml_edit::Array =
            associated.classes().iter().map(|class| i64::from(class.digit())).collect();
        if classes.is_empty() {
            classes.extend([4, 5]);
        }
        let mut table = Table::new();
        table["code"] = value(status.to_string());
        table["identifier"] = value(identifier);
        table["classes"] = value(classes);
        table["basis"] = value("proposed from its associated codes");
        table["source"] = value(source(&row.record.reference));
        table["review"] = value(true);
        table.decor_mut().set_prefix("\n");
        rows.push(table);
    }
    Ok(document.to_string())
}

/// Removes the annotations and conflicts of rows whose removal was accepted by name.
pub fn remove(text: &str, removals: &[Status], annotations: &Annotations) -> Result<String> {
    if !removals.iter().any(|status| annotations.rows.contains_key(status)) {
        return Ok(text.to_owned());
    }
    let mut document: DocumentMut = text.parse().context("annotations.toml")?;
    for (array, key) in [("row", "code"), ("conflict", "row")] {
        let is_removed = |table: &Table| {
            let status = table.get(key).and_then(|item| item.as_str()).and_then(Status::parse);
            status.is_some_and(|status| removals.contains(&status))
        };
        tables(&mut document, array)?.retain(|table| !is_removed(table));
    }
    Ok(document.to_string())
}

/// Marks the quirks of some positions in the file, counted from 0, as historical.
pub fn retire(text: &str, positions: &[usize]) -> Result<String> {
    let mut document: DocumentMut = text.parse().context("quirks.toml")?;
    for (position, table) in tables(&mut document, "quirk")?.iter_mut().enumerate() {
        if positions.contains(&position) {
            table["historical"] = value(true);
        }
    }
    Ok(document.to_string())
}

fn tables<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut ArrayOfTables> {
    let item = document.get_mut(name).and_then(|item| item.as_array_of_tables_mut());
    item.with_context(|| format!("there is no [[{name}]]"))
}

/// The prefix of the subject's other identifiers, then the words of the sample text as far as they fit.
fn identifier(status: Status, sample: &str, current: &Model, taken: &BTreeSet<String>) -> String {
    let sibling = current.entries.iter().find(|entry| entry.status.subject == status.subject);
    let prefix = sibling.and_then(|entry| entry.annotation.identifier.split_once('_'));
    let mut name = prefix.map_or_else(|| format!("X{}", status.subject), |(prefix, _)| prefix.to_owned());
    for word in sample.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.len() + 1 + word.len() <= MAX_IDENTIFIER {
            name = format!("{name}_{}", word.to_ascii_uppercase());
        }
    }
    match taken.contains(&name) {
        false => name,
        true => format!("X_{}_{}", status.subject, status.detail),
    }
}

/// `RFC 8689`, for the reader to add a section.
fn source(reference: &crate::text::RichText) -> String {
    let name = reference.references().next().map(crate::text::Reference::name).unwrap_or_default();
    match name.strip_prefix("RFC") {
        Some(number) if number.bytes().all(|octet| octet.is_ascii_digit()) => format!("RFC {number}"),
        _ if name.is_empty() => "none given".to_owned(),
        _ => name,
    }
}
