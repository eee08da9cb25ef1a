//! Edits the data files for a new registry, and keeps everything else in them unchanged.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use crate::annotation::{Annotations, MAX_IDENTIFIER};
use crate::associated::{Associated, Form};
use crate::code::Status;
use crate::data_file::DataFile;
use crate::registry::{Registry, Row};
use crate::symbols::Symbols;

/// Adds a `[[row]]`, marked for review, for each row without one, after that of the preceding row.
pub fn annotate(
    file: &DataFile,
    registry: &Registry,
    annotations: &Annotations,
    symbols: &Symbols,
) -> Result<DataFile> {
    let mut document = file.document()?;
    let rows = tables(&mut document, "row")?;
    let mut names = Names::new(annotations, symbols);
    let mut before = None;
    for row in &registry.statuses.rows {
        let status = row.key.0;
        if !annotations.rows.contains_key(&status) {
            let identifier = names.give(status, &row.record.sample.text);
            let place = rows.iter().position(|table| before.is_some() && code(table, "code") == before);
            rows.insert(place.map_or(rows.len(), |place| place + 1), proposed(row, identifier));
        }
        before = Some(status);
    }
    Ok(file.edited(&document))
}

/// Removes the annotations and conflicts of rows whose removal was accepted.
pub fn remove(file: &DataFile, removals: &[Status], annotations: &Annotations) -> Result<DataFile> {
    if !removals.iter().any(|status| annotations.rows.contains_key(status)) {
        return Ok(file.clone());
    }
    let mut document = file.document()?;
    for (array, key) in [("row", "code"), ("conflict", "row")] {
        // The file may have no conflicts.
        let Ok(tables) = tables(&mut document, array) else { continue };
        let is_removed = |table: &Table| code(table, key).is_some_and(|status| removals.contains(&status));
        let above = tables.get(0).filter(|table| is_removed(table)).map(|table| table.decor().clone());
        tables.retain(|table| !is_removed(table));
        // The comment above the first table is about all of them.
        if let (Some(above), Some(first)) = (above, tables.get_mut(0)) {
            *first.decor_mut() = above;
        }
    }
    Ok(file.edited(&document))
}

/// Marks the quirks at these positions in the file, counted from 0, as historical.
pub fn retire(file: &DataFile, positions: &[usize]) -> Result<DataFile> {
    if positions.is_empty() {
        return Ok(file.clone());
    }
    let mut document = file.document()?;
    for (position, table) in tables(&mut document, "quirk")?.iter_mut().enumerate() {
        if !positions.contains(&position) {
            continue;
        }
        if let Some(historical) = table.get_mut("historical").and_then(Item::as_value_mut) {
            // Keeps the comment after the value.
            let decor = historical.decor().clone();
            *historical = Value::from(true);
            *historical.decor_mut() = decor;
        }
    }
    Ok(file.edited(&document))
}

fn tables<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut ArrayOfTables> {
    let item = document.get_mut(name).and_then(|item| item.as_array_of_tables_mut());
    item.with_context(|| format!("there is no [[{name}]]"))
}

fn code(table: &Table, key: &str) -> Option<Status> {
    table.get(key).and_then(Item::as_str).and_then(Status::parse)
}

fn proposed(row: &Row<(Status, Associated)>, identifier: String) -> Table {
    let (status, associated) = &row.key;
    let (classes, basis) = classes(associated);
    let mut table = Table::new();
    table["code"] = value(status.to_string());
    table["identifier"] = value(identifier);
    table["classes"] = value(classes);
    table["basis"] = value(basis);
    table["source"] = value(source(&row.record.reference));
    table["review"] = value(true);
    table.decor_mut().set_prefix("\n");
    table
}

/// Returns the classes of the associated codes, or both classes of failures, and the basis.
fn classes(associated: &Associated) -> (Array, &'static str) {
    let named: Array = associated.classes().iter().map(|class| i64::from(class.digit())).collect();
    if !named.is_empty() {
        return (named, "proposed from its associated codes");
    }
    let basis = match associated.form {
        Form::Any => "a guess, because any reply code is associated with it",
        _ => "a guess, because it has no associated codes",
    };
    (Array::from_iter([4, 5]), basis)
}

/// The identifiers that are taken, and those given to new rows.
struct Names<'a> {
    annotations: &'a Annotations,
    symbols: &'a Symbols,
    given: BTreeSet<String>,
}

impl Names<'_> {
    fn new<'a>(annotations: &'a Annotations, symbols: &'a Symbols) -> Names<'a> {
        Names { annotations, symbols, given: BTreeSet::new() }
    }

    /// Returns the identifier that the row was published with, or one that was never used.
    fn give(&mut self, status: Status, sample: &str) -> String {
        let name = match self.symbols.identifier(status) {
            Some(published) => published.to_owned(),
            None => self.new_name(status, sample),
        };
        self.given.insert(name.clone());
        name
    }

    /// Makes an identifier of the prefix of the subject's other identifiers, and those words of the sample text that
    /// fit.
    fn new_name(&self, status: Status, sample: &str) -> String {
        let sibling = self.annotations.rows.values().find(|row| row.code.subject == status.subject);
        let prefix = sibling.and_then(|row| row.identifier.split_once('_'));
        let mut name = prefix.map_or_else(|| format!("X{}", status.subject), |(prefix, _)| prefix.to_owned());
        for word in sample.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            if name.len() + 1 + word.len() <= MAX_IDENTIFIER {
                name = format!("{name}_{}", word.to_ascii_uppercase());
            }
        }
        // A prefix alone does not identify a row.
        if !name.contains('_') || self.is_taken(&name) {
            name = format!("X_{}_{}", status.subject, status.detail);
        }
        while self.is_taken(&name) {
            name.push('_');
        }
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        self.given.contains(name)
            || self.symbols.has(name)
            || self.annotations.rows.values().any(|row| row.identifier == name)
    }
}

/// Returns the document, such as `RFC 8689`. A person has to add the section.
fn source(reference: &crate::text::RichText) -> String {
    let name = reference.references().next().map(crate::text::Reference::name).unwrap_or_default();
    match name.strip_prefix("RFC") {
        Some(number) if number.bytes().all(|octet| octet.is_ascii_digit()) => format!("RFC {number}"),
        _ if name.is_empty() => "none given".to_owned(),
        _ => name,
    }
}
