//! `registry/annotations.toml`: what this project adds to each row, and the known conflicts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::code::{Class, Pair, Status};
use crate::data_file::DataFile;

/// C89 guarantees 31 significant characters, and `SMTP_ESC_` takes nine of them.
pub const MAX_IDENTIFIER: usize = 31 - "SMTP_ESC_".len();

/// The checked contents of the file.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    /// The annotation of each row.
    pub rows: BTreeMap<Status, Annotation>,
    /// The conflicts, in file order.
    pub conflicts: Vec<Conflict>,
}

/// What this project adds to a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// The row.
    pub code: Status,
    /// The stable name in Rust and C.
    pub identifier: String,
    /// The classes that the row's text or its defining RFC allows.
    pub classes: Vec<Class>,
    /// Why those classes.
    pub basis: String,
    /// The RFC and section that define the row.
    pub source: String,
    /// The row to use instead, if the registry deprecates this one.
    pub deprecated: Option<Deprecation>,
    /// Set by `sync --propose`: a person has to confirm the annotation, and then delete this key.
    #[serde(default)]
    pub review: bool,
}

/// The row to use instead of a deprecated one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The row to use.
    pub successor: Status,
    /// The document that says so.
    pub source: String,
}

/// A contradiction between the registry's list and a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The row.
    pub row: Status,
    /// What contradicts what.
    pub kind: ConflictKind,
    /// The pairs concerned.
    pub pairs: Vec<Pair>,
    /// For `text-exceeds-list`: the classes that the list lacks.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// The text that contradicts the list.
    pub source: String,
    /// What each side says.
    pub summary: String,
    /// Set by `sync --propose`, as for an annotation.
    #[serde(default)]
    pub review: bool,
}

/// The kinds of conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// The list has a code of a class that the row's text excludes.
    ListExceedsText,
    /// The list lacks a class that the row's text allows.
    TextExceedsList,
    /// An RFC contradicts the row.
    RfcAgainstRow,
}

impl Annotation {
    /// Returns a placeholder for a row without an annotation.
    pub fn empty(code: Status) -> Annotation {
        Annotation {
            code,
            identifier: format!("X_{}_{}", code.subject, code.detail),
            classes: Vec::new(),
            basis: String::new(),
            source: String::new(),
            deprecated: None,
            review: false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<toml::Spanned<Annotation>>,
    #[serde(default)]
    conflict: Vec<toml::Spanned<Conflict>>,
}

impl Annotations {
    /// Reads and checks the file.
    pub fn load(path: &Path) -> Result<Annotations> {
        Annotations::read(&DataFile::read(path)?)
    }

    /// Parses and checks a file that has been read.
    pub fn read(file: &DataFile) -> Result<Annotations> {
        let content = file.parse::<File>()?;
        let mut rows: BTreeMap<Status, Annotation> = BTreeMap::new();
        for row in content.row {
            let line = file.line(row.span().start);
            let row = row.into_inner();
            check_row(&row, &rows).map_err(|error| file.error(line, &error))?;
            rows.insert(row.code, row);
        }
        let mut conflicts = Vec::new();
        for conflict in content.conflict {
            let line = file.line(conflict.span().start);
            let conflict = conflict.into_inner();
            check_conflict(&conflict, &rows).map_err(|error| file.error(line, &error))?;
            conflicts.push(conflict);
        }
        Ok(Annotations { rows, conflicts })
    }
}

fn check_row(row: &Annotation, before: &BTreeMap<Status, Annotation>) -> Result<()> {
    let (code, name) = (row.code, &row.identifier);
    ensure!(!before.contains_key(&code), "row {code} is annotated twice; delete one of the annotations");
    if let Some(other) = before.values().find(|other| other.identifier == *name) {
        bail!("row {} already has the identifier {name}; choose another one for {code}", other.code);
    }
    ensure!(
        is_identifier(name),
        "{name:?} is not an identifier; write `identifier = \"{}\"`, in upper case, {MAX_IDENTIFIER} characters at most",
        name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    );
    ensure!(
        row.classes.windows(2).all(|pair| pair[0] < pair[1]),
        "the classes of {code} must be in ascending order, each once, as in `classes = [4, 5]`"
    );
    ensure!(
        row.classes.is_empty() == row.deprecated.is_some(),
        "{code}: a deprecated row must have `classes = []`, and no other row may"
    );
    let successor = row.deprecated.as_ref().map(|deprecation| deprecation.successor);
    ensure!(successor != Some(code), "{code} is its own successor; write another `successor`");
    ensure!(
        !row.source.is_empty() && !row.basis.is_empty(),
        "row {code} needs `basis = \"...\"` and `source = \"...\"`"
    );
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    name.len() <= MAX_IDENTIFIER
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn check_conflict(conflict: &Conflict, rows: &BTreeMap<Status, Annotation>) -> Result<()> {
    let row = conflict.row;
    ensure!(rows.contains_key(&row), "row {row} is not annotated; write the [[row]] first");
    for pair in &conflict.pairs {
        ensure!(
            pair.status == row && pair.reply_code.class() == Some(pair.class),
            "{pair} is not a pair of row {row}; write a pair such as \"{} {}.{}.{}\"",
            pair.reply_code,
            pair.reply_code.number() / 100,
            row.subject,
            row.detail
        );
    }
    let by_class = conflict.kind == ConflictKind::TextExceedsList;
    ensure!(
        by_class != conflict.classes.is_empty(),
        "a conflict of kind text-exceeds-list must have `classes = [...]`, and no other may"
    );
    ensure!(
        conflict.kind != ConflictKind::ListExceedsText || !conflict.pairs.is_empty(),
        "a conflict of kind list-exceeds-text needs pairs, as in `pairs = [\"451 4.1.1\"]`"
    );
    ensure!(
        !conflict.source.is_empty() && !conflict.summary.is_empty(),
        "a conflict needs `source = \"...\"` and `summary = \"...\"`"
    );
    Ok(())
}
