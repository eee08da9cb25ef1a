//! The tables of the Rust library: constants, rows, reply codes, provenance.

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, Rust, RustComment, RustDoc, RustLiteral, RustUrl, Word};
use super::{Head, Product, class_name, escape_all, explain, suggest};
use crate::annotation::{Conflict, ConflictKind};
use crate::associated::{Associated, Form};
use crate::code::{Class, Classes};
use crate::model::{Entry, Model};
use crate::reply_code::ReplyCodeEntry;
use crate::text::{Piece, Reference, RichText};

type RustWord = Escaped<Word<Rust>>;
type Literal = Escaped<RustLiteral>;
type Doc = Escaped<RustDoc>;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    let head = || Head::of_registry(model, "rust");
    Ok(vec![
        Product::new("rust/mod.rs", &Module { head: Head::of_template("rust") })?,
        Product::new(
            "rust/statuses.rs",
            &Statuses {
                head: head(),
                rows: model.entries.iter().map(|entry| Constant::new(model, entry)).collect(),
            },
        )?,
        Product::new("rust/entries.rs", &Entries::new(head(), model))?,
        Product::new(
            "rust/reply_codes.rs",
            &ReplyCodes {
                head: Head::of_reply_codes("rust"),
                rows: model.reply_codes.iter().map(ReplyCodeRow::new).collect(),
            },
        )?,
        explain::product(model)?,
        suggest::product(model)?,
        Product::new(
            "rust/provenance.rs",
            &Provenance {
                head: head(),
                updated: Escaped::new(&model.snapshot.updated),
                sha256: Escaped::new(&model.snapshot.sha256),
                origin: Escaped::new(model.snapshot.provenance()),
            },
        )?,
    ])
}

#[derive(Template)]
#[template(path = "rust/mod.rs")]
struct Module {
    head: Head<RustComment>,
}

#[derive(Template)]
#[template(path = "rust/provenance.rs")]
struct Provenance {
    head: Head<RustComment>,
    updated: Literal,
    sha256: Literal,
    origin: Literal,
}

#[derive(Template)]
#[template(path = "rust/statuses.rs")]
struct Statuses {
    head: Head<RustComment>,
    rows: Vec<Constant>,
}

/// A constant and its documentation.
struct Constant {
    identifier: RustWord,
    code: RustWord,
    subject: RustWord,
    detail: RustWord,
    sample: Doc,
    description: Doc,
    associated: Doc,
    classes: Doc,
    references: Vec<DocReference>,
    aliases: Vec<Literal>,
    successor: Option<Literal>,
}

struct DocReference {
    name: Doc,
    link: Option<Escaped<RustUrl>>,
    remark: Option<Doc>,
}

impl Constant {
    fn new(model: &Model, entry: &Entry) -> Self {
        let status = entry.status;
        let sample = match entry.record.sample.text.as_str() {
            "" => "no sample text",
            text => text,
        };
        let classes: Vec<String> = entry.annotation.classes.iter().map(Class::to_string).collect();
        let classes = if classes.is_empty() { "none".to_owned() } else { classes.join(", ") };
        let codes = [
            Class::ALL.map(|class| format!("{class}.{}.{}", status.subject, status.detail)).to_vec(),
            vec![status.to_string()],
        ];
        Constant {
            identifier: Escaped::new(&entry.annotation.identifier),
            code: Escaped::new(status),
            subject: Escaped::new(status.subject),
            detail: Escaped::new(status.detail),
            sample: Escaped::new(sample),
            description: Escaped::new(&entry.record.description.text),
            associated: Escaped::new(associated_in_words(entry)),
            classes: Escaped::new(format!(
                "{classes} ({}; {})",
                entry.annotation.basis, entry.annotation.source
            )),
            references: entry
                .record
                .reference
                .annotated_references()
                .into_iter()
                .map(|(reference, remark)| DocReference {
                    name: Escaped::new(reference.name()),
                    link: link(reference, &remark).map(Escaped::new),
                    remark: (!remark.is_empty()).then(|| Escaped::new(remark)),
                })
                .collect(),
            aliases: escape_all(codes.into_iter().flatten()),
            successor: entry.annotation.deprecated.as_ref().map(|deprecation| {
                let identifier = identifier_of(model, deprecation.successor);
                Escaped::new(format!("use `Status::{identifier}` ({})", deprecation.successor))
            }),
        }
    }
}

fn identifier_of(model: &Model, status: crate::code::Status) -> &str {
    let entry = model.entries.iter().find(|entry| entry.status == status);
    entry.map_or("OTHER", |entry| entry.annotation.identifier.as_str())
}

fn associated_in_words(entry: &Entry) -> String {
    match entry.associated.form {
        Form::NoData => "no data".to_owned(),
        _ => entry.record.basic_code.text.clone(),
    }
}

#[derive(Template)]
#[template(path = "rust/entries.rs")]
struct Entries {
    head: Head<RustComment>,
    classes: Vec<TableRow>,
    subjects: Vec<TableRow>,
    rows: Vec<Row>,
    index: Vec<Vec<RustWord>>,
    by_identifier: Vec<(Literal, RustWord, RustWord)>,
}

/// A row of the tables of classes and subjects.
struct TableRow {
    key: RustWord,
    summary: Literal,
    description: Literal,
    reference: Literal,
}

struct Row {
    subject: RustWord,
    detail: RustWord,
    identifier: Literal,
    sample: Literal,
    associated: AssociatedRow,
    description: Literal,
    pieces: Vec<PieceRow>,
    reference: Literal,
    references: Vec<ReferenceRow>,
    submitter: Literal,
    change_controller: Literal,
    date: Option<Literal>,
    updated: Option<Literal>,
    classes: RustWord,
    basis: Literal,
    source: Literal,
    deprecated: Option<(RustWord, RustWord, Literal)>,
    conflicts: Vec<ConflictRow>,
    raw: Vec<(RustWord, Literal)>,
}

struct AssociatedRow {
    form: RustWord,
    codes: Vec<RustWord>,
    class_wildcards: RustWord,
}

struct PieceRow {
    text: Option<Literal>,
    reference: Vec<ReferenceRow>,
}

struct ReferenceRow {
    kind: Literal,
    name: Literal,
    remark: Literal,
    link: Option<Literal>,
}

struct ConflictRow {
    kind: RustWord,
    pairs: Vec<[RustWord; 4]>,
    classes: RustWord,
    source: Literal,
    summary: Literal,
}

impl Entries {
    fn new(head: Head<RustComment>, model: &Model) -> Self {
        let registry = &model.registry;
        let table_row = |key: String, record: &crate::registry::Record| TableRow {
            key: Escaped::new(key),
            summary: Escaped::new(&record.sample.text),
            description: Escaped::new(&record.description.text),
            reference: Escaped::new(&record.reference.text),
        };
        let class_rows = registry.classes.rows.iter();
        let subject_rows = registry.subjects.rows.iter();
        let mut by_identifier: Vec<&Entry> = model.entries.iter().collect();
        by_identifier.sort_by_key(|entry| &entry.annotation.identifier);
        Entries {
            head,
            classes: class_rows.map(|row| table_row(class_name(row.key).to_owned(), &row.record)).collect(),
            subjects: subject_rows.map(|row| table_row(row.key.to_string(), &row.record)).collect(),
            rows: model.entries.iter().map(Row::new).collect(),
            index: index(model).into_iter().map(escape_all).collect(),
            by_identifier: by_identifier
                .into_iter()
                .map(|entry| {
                    let (subject, detail) = (entry.status.subject, entry.status.detail);
                    (Escaped::new(&entry.annotation.identifier), Escaped::new(subject), Escaped::new(detail))
                })
                .collect(),
        }
    }
}

/// Returns the position of the row of each subject and detail, counted from 1, or 0 if there is none.
fn index(model: &Model) -> Vec<Vec<usize>> {
    let mut index: Vec<Vec<usize>> = Vec::new();
    for (position, entry) in model.entries.iter().enumerate() {
        let (subject, detail) = (usize::from(entry.status.subject), usize::from(entry.status.detail));
        if index.len() <= subject {
            index.resize(subject + 1, Vec::new());
        }
        if index[subject].len() <= detail {
            index[subject].resize(detail + 1, 0);
        }
        index[subject][detail] = position + 1;
    }
    index
}

impl Row {
    fn new(entry: &Entry) -> Self {
        let Entry { status, associated, record, annotation, conflicts } = entry;
        let raw = record.cells().map(|(name, cell)| {
            let field = match name {
                "sample" => "sample_text",
                "basic_code" => "associated",
                name => name,
            };
            (Escaped::new(field), Escaped::new(&cell.raw))
        });
        Row {
            subject: Escaped::new(status.subject),
            detail: Escaped::new(status.detail),
            identifier: Escaped::new(&annotation.identifier),
            sample: Escaped::new(&record.sample.text),
            associated: AssociatedRow::new(associated),
            description: Escaped::new(&record.description.text),
            pieces: pieces(&record.description),
            reference: Escaped::new(&record.reference.text),
            references: record
                .reference
                .annotated_references()
                .into_iter()
                .map(|(reference, remark)| ReferenceRow::new(reference, &remark))
                .collect(),
            submitter: Escaped::new(&record.submitter.text),
            change_controller: Escaped::new(&record.change_controller.text),
            date: record.date.as_ref().map(Escaped::new),
            updated: record.updated.as_ref().map(Escaped::new),
            classes: bits(&annotation.classes),
            basis: Escaped::new(&annotation.basis),
            source: Escaped::new(&annotation.source),
            deprecated: annotation.deprecated.as_ref().map(|deprecation| {
                let successor = deprecation.successor;
                (
                    Escaped::new(successor.subject),
                    Escaped::new(successor.detail),
                    Escaped::new(&deprecation.source),
                )
            }),
            conflicts: conflicts.iter().map(ConflictRow::new).collect(),
            raw: raw.into(),
        }
    }
}

impl AssociatedRow {
    fn new(associated: &Associated) -> Self {
        let form = match associated.form {
            Form::Any => "Any",
            Form::NotGiven => "NotGiven",
            Form::NoData => "NoData",
            Form::List => "List",
            Form::OpenList => "OpenList",
        };
        AssociatedRow {
            form: Escaped::new(form),
            codes: escape_all(&associated.codes),
            class_wildcards: Escaped::new(associated.class_wildcards.bits()),
        }
    }
}

impl ConflictRow {
    fn new(conflict: &Conflict) -> Self {
        let kind = match conflict.kind {
            ConflictKind::ListExceedsText => "ListExceedsText",
            ConflictKind::TextExceedsList => "TextExceedsList",
            ConflictKind::RfcAgainstRow => "RfcAgainstRow",
        };
        let pair = |pair: &crate::code::Pair| {
            [
                Escaped::new(pair.reply_code),
                Escaped::new(class_name(pair.class)),
                Escaped::new(pair.status.subject),
                Escaped::new(pair.status.detail),
            ]
        };
        ConflictRow {
            kind: Escaped::new(kind),
            pairs: conflict.pairs.iter().map(pair).collect(),
            classes: bits(&conflict.classes),
            source: Escaped::new(&conflict.source),
            summary: Escaped::new(&conflict.summary),
        }
    }
}

impl ReferenceRow {
    fn new(reference: &Reference, remark: &str) -> Self {
        ReferenceRow {
            kind: Escaped::new(&reference.kind),
            name: Escaped::new(reference.name()),
            remark: Escaped::new(remark),
            link: link(reference, remark).map(Escaped::new),
        }
    }
}

fn pieces(text: &RichText) -> Vec<PieceRow> {
    let pieces = text.pieces.iter().map(|piece| match piece {
        Piece::Text(words) => PieceRow { text: Some(Escaped::new(words)), reference: Vec::new() },
        Piece::Reference(reference) => {
            PieceRow { text: None, reference: vec![ReferenceRow::new(reference, "")] }
        }
    });
    pieces.collect()
}

fn link(reference: &Reference, remark: &str) -> Option<String> {
    reference.link(Reference::section_in(remark))
}

fn bits(classes: &[Class]) -> RustWord {
    Escaped::new(classes.iter().copied().collect::<Classes>().bits())
}

#[derive(Template)]
#[template(path = "rust/reply_codes.rs")]
struct ReplyCodes {
    head: Head<RustComment>,
    rows: Vec<ReplyCodeRow>,
}

struct ReplyCodeRow {
    code: RustWord,
    name: RustWord,
    identifier: Literal,
    alias: Literal,
    meaning: Literal,
    meaning_doc: Doc,
    client: Literal,
    client_doc: Doc,
    sources: Vec<Literal>,
    sources_doc: Doc,
}

impl ReplyCodeRow {
    fn new(entry: &ReplyCodeEntry) -> Self {
        let sources = match entry.sources.as_slice() {
            [] => "no RFC defines it for SMTP".to_owned(),
            sources => sources.join(", "),
        };
        ReplyCodeRow {
            code: Escaped::new(entry.code),
            name: Escaped::new(&entry.name),
            identifier: Escaped::new(&entry.name),
            alias: Escaped::new(entry.code),
            meaning: Escaped::new(&entry.meaning),
            meaning_doc: Escaped::new(&entry.meaning),
            client: Escaped::new(&entry.client),
            client_doc: Escaped::new(&entry.client),
            sources: escape_all(&entry.sources),
            sources_doc: Escaped::new(sources),
        }
    }
}
