//! Edits the data files for a new registry, and keeps everything else in them unchanged.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use crate::advice::{Advice, Stage, Subject};
use crate::annotation::Annotations;
use crate::associated::{Associated, Form};
use crate::claim::Claim;
use crate::code::{Class, Classes, Pair, ReplyCode, Status};
use crate::data_file::DataFile;
use crate::identifier::Names;
use crate::registry::{Registry, Row};
use crate::reply_code;
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

/// Adds a `[[conflict]]`, marked for review, for each associated code of a class that its row's classes exclude.
pub fn record_conflicts(
    file: &DataFile,
    missing: &[(Status, Vec<Pair>)],
    annotations: &Annotations,
) -> Result<DataFile> {
    if missing.is_empty() {
        return Ok(file.clone());
    }
    let mut document = file.document()?;
    // The file may have no conflicts.
    let conflicts = document.entry("conflict").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let conflicts = conflicts.as_array_of_tables_mut().context("`conflict` is not a list of tables")?;
    for (status, pairs) in missing {
        let Some(annotation) = annotations.rows.get(status) else { continue };
        let allowed = digits(annotation.classes.iter().copied().collect());
        let classes = if annotation.classes.len() == 1 { "class" } else { "the classes" };
        let codes: Vec<String> = pairs.iter().map(|pair| pair.reply_code.to_string()).collect();
        let mut table = Table::new();
        table["row"] = value(status.to_string());
        table["kind"] = value("list-exceeds-text");
        table["pairs"] = value(pairs.iter().map(Pair::to_string).collect::<Array>());
        table["source"] = value(annotation.source.as_str());
        table["summary"] = value(format!(
            "The row is annotated for {classes} {allowed}. The associated codes include {}.",
            codes.join(", ")
        ));
        conflicts.push(marked(table));
    }
    Ok(file.edited(&document))
}

/// Adds a `[[reply-code]]`, marked for review, for each code that the table lacks, in numerical order.
pub fn describe_reply_codes(
    file: &DataFile,
    missing: &BTreeMap<ReplyCode, Vec<Status>>,
    registry: &Registry,
    annotations: &Annotations,
) -> Result<DataFile> {
    if missing.is_empty() {
        return Ok(file.clone());
    }
    let names: BTreeSet<String> = reply_code::read(file)?.into_iter().map(|entry| entry.name).collect();
    let mut document = file.document()?;
    let tables = tables(&mut document, "reply-code")?;
    for (code, rows) in missing {
        let is_after = |table: &Table| {
            table.get("code").and_then(Item::as_integer).is_some_and(|other| other > i64::from(code.number()))
        };
        let place = tables.iter().position(is_after).unwrap_or(tables.len());
        let mut name = format!("CODE_{code}");
        while names.contains(&name) {
            name.push('_');
        }
        // A new row's document is likely to define the code; an old row's is not.
        let new = rows.iter().filter(|row| !annotations.rows.contains_key(row));
        let records = new.filter_map(|row| registry.status(*row));
        let sources = records.map(|row| source(&row.record.reference)).collect();
        tables.insert(place, reply_code_table(*code, &name, rows, &sources));
    }
    Ok(file.edited(&document))
}

fn reply_code_table(code: ReplyCode, name: &str, rows: &[Status], sources: &BTreeSet<String>) -> Table {
    let client = match code.number() / 100 {
        2 => "Goes on, as after any reply that begins with 2.",
        4 => "Tries again later, as after any reply that begins with 4.",
        _ => "Does not send the same again, as after any reply that begins with 5.",
    };
    let names: Vec<String> = rows.iter().map(Status::to_string).collect();
    let rfcs: Array = sources.iter().filter(|source| source.starts_with("RFC ")).collect();
    let mut table = Table::new();
    table["code"] = value(i64::from(code.number()));
    table["name"] = value(name);
    table["meaning"] =
        value(format!("Not described yet; the registry associates it with {}", names.join(", ")));
    table["client"] = value(client);
    let is_undefined = rfcs.is_empty();
    table["sources"] = value(rfcs);
    if is_undefined {
        table["no-definition"] = value(true);
    }
    marked(table)
}

/// Adds an `[[advice]]`, marked for review, for each row and reply code without one. It repeats the entry of X.n.0 or
/// X.0.0 for a row, and that of the other reply codes of its class for a reply code.
pub fn advise(file: &DataFile, missing: &[Subject], entries: &[Advice]) -> Result<DataFile> {
    if missing.is_empty() {
        return Ok(file.clone());
    }
    let mut subjects: Vec<Subject> = entries.iter().map(Advice::subject).collect::<Result<_>>()?;
    let mut document = file.document()?;
    let tables = tables(&mut document, "advice")?;
    for subject in missing {
        let Some(model) = models(*subject).into_iter().find_map(|model| {
            let place = subjects.iter().position(|other| *other == model)?;
            tables.get(place).cloned()
        }) else {
            continue;
        };
        let is_before = |other: &Subject| {
            std::mem::discriminant(other) == std::mem::discriminant(subject) && other < subject
        };
        let place = subjects.iter().rposition(is_before).map_or(subjects.len(), |place| place + 1);
        tables.insert(place, advice_table(*subject, &model));
        subjects.insert(place, *subject);
    }
    Ok(file.edited(&document))
}

/// Returns the entries that say most about something without advice, the best one first.
fn models(subject: Subject) -> Vec<Subject> {
    match subject {
        Subject::Row(status, class) | Subject::Pair(_, status, class) => {
            let rows = [Status { detail: 0, ..status }, Status { subject: 0, detail: 0 }];
            rows.map(|row| Subject::Row(row, class)).into()
        }
        Subject::ReplyCode(code, _) => {
            code.class().map(|class| Subject::Class(class, Stage::Any)).into_iter().collect()
        }
        Subject::Class(class, _) => vec![Subject::Row(Status { subject: 0, detail: 0 }, class)],
    }
}

/// Returns the table of an entry, with the values of another one.
fn advice_table(subject: Subject, model: &Table) -> Table {
    let mut table = Table::new();
    match subject {
        Subject::Row(status, class) | Subject::Pair(_, status, class) => {
            table["status"] = value(status.to_string());
            table["class"] = value(i64::from(class.digit()));
        }
        Subject::ReplyCode(code, stage) => {
            table["reply-code"] = value(i64::from(code.number()));
            table["stage"] = value(stage.to_string());
        }
        Subject::Class(class, stage) => {
            table["class"] = value(i64::from(class.digit()));
            table["stage"] = value(stage.to_string());
        }
    }
    for key in ["category", "happened", "sender", "administrator", "retry", "list"] {
        if let Some(text) = model.get(key).and_then(Item::as_str) {
            table[key] = value(text);
        }
    }
    marked(table)
}

/// Removes the annotations, conflicts and advice of rows whose removal was accepted.
pub fn remove(file: &DataFile, removals: &[Status]) -> Result<DataFile> {
    if removals.is_empty() {
        return Ok(file.clone());
    }
    let mut document = file.document()?;
    for (array, key) in [("row", "code"), ("conflict", "row"), ("advice", "status")] {
        // Annotations and advice are in different files, and there may be no conflicts.
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
    let (classes, basis) = classes(associated, Claim::read(&row.record.description.text));
    let mut table = Table::new();
    table["code"] = value(status.to_string());
    table["identifier"] = value(identifier);
    table["classes"] = value(classes.iter().map(|class| i64::from(class.digit())).collect::<Array>());
    table["basis"] = value(basis);
    table["source"] = value(source(&row.record.reference));
    marked(table)
}

/// Returns the table as a proposal: marked for review, after an empty line.
fn marked(mut table: Table) -> Table {
    table["review"] = value(true);
    table.decor_mut().set_prefix("\n");
    table
}

/// Returns the classes that the row's text names, or else those of the associated codes, or else both classes of
/// failures. The second part is the basis.
pub fn classes(associated: &Associated, claim: Option<Claim>) -> (Classes, String) {
    let listed = associated.classes();
    let failures: Classes = Class::ALL.into_iter().filter(|class| class.digit() != 2).collect();
    let other = if listed.is_empty() { failures } else { listed };
    let classes = match claim {
        Some(claim) if claim.is_open => claim.named.iter().chain(other.iter()).collect(),
        Some(claim) => claim.named,
        None => other,
    };
    let text = claim.map_or_else(|| "names no class".to_owned(), Claim::in_words);
    if claim.is_some_and(|claim| !claim.is_open) {
        return (classes, format!("its text {text}"));
    }
    let list = match associated.form {
        _ if !listed.is_empty() => format!("its associated codes begin with {}", digits(listed)),
        Form::Any => "any reply code is associated with it, so the classes are a guess".to_owned(),
        _ => "no code is associated with it, so the classes are a guess".to_owned(),
    };
    (classes, format!("its text {text}; {list}"))
}

/// Returns the digits in words: `4`, `4 and 5`, `2, 4 and 5`.
fn digits(classes: Classes) -> String {
    let digits: Vec<String> = classes.iter().map(|class| class.to_string()).collect();
    match digits.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => digits.concat(),
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
