//! registry.md, for people who run mail servers.

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, Markdown, MarkdownComment, MarkdownText, MarkdownUrl, Word};
use super::{Head, Product, escape_all};
use crate::advice;
use crate::annotation::{Conflict, ConflictKind};
use crate::associated::{Form, Listing};
use crate::category::{Action, Category};
use crate::code::{ReplyCode, Status};
use crate::meaning::{Meaning, Meanings};
use crate::model::{Entry, Model};
use crate::registry::Record;
use crate::reply_code::ReplyCodeEntry;
use crate::snapshot::Origin;
use crate::text::{Piece, Reference, RichText};

type Text = Escaped<MarkdownText>;
type Url = Escaped<MarkdownUrl>;
/// For code spans, anchors and links only: in text, Markdown would interpret `_`.
type MarkdownWord = Escaped<Word<Markdown>>;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    Ok(vec![Product::new("tables/registry.md", &Page::new(model))?])
}

#[derive(Template)]
#[template(path = "tables/registry.md")]
struct Page {
    head: Head<MarkdownComment>,
    title: Text,
    updated: Text,
    url: Url,
    sha256: MarkdownWord,
    transcribed: bool,
    notes: Vec<Text>,
    classes: Vec<ClassRow>,
    subjects: Vec<Subject>,
    with_any: Vec<Row>,
    by_reply_code: Vec<ListedRows>,
    reply_codes: Vec<ReplyCodeRow>,
    conflicts: Vec<ConflictRow>,
    categories: Vec<CategoryRow>,
    advice: Vec<AdviceRow>,
    advice_without_code: Vec<AdviceRow>,
}

/// A link to a row.
struct Row {
    name: Text,
    anchor: MarkdownWord,
}

struct ClassRow {
    code: Text,
    summary: Text,
    description: Vec<Span>,
    references: Vec<RemarkedReference>,
}

struct Subject {
    number: Text,
    anchor: MarkdownWord,
    cells: Option<ClassRow>,
    rows: Vec<StatusRow>,
}

struct StatusRow {
    row: Row,
    sample: Option<Text>,
    associated: Vec<Span>,
    classes: Vec<Text>,
    has_conflict: bool,
    description: Vec<Span>,
    references: Vec<RemarkedReference>,
    identifier: MarkdownWord,
    successor: Option<Row>,
}

/// Text or a link, perhaps with a blank before it.
struct Span {
    gap: bool,
    words: Text,
    link: Option<Url>,
}

struct RemarkedReference {
    name: Span,
    remark: Option<Text>,
}

struct ListedRows {
    reply_code: Text,
    anchor: MarkdownWord,
    meaning: Text,
    exact: Vec<Row>,
    by_class: Vec<Row>,
}

struct ReplyCodeRow {
    code: Text,
    anchor: MarkdownWord,
    name: MarkdownWord,
    meaning: Text,
    client: Text,
    sources: Vec<Span>,
}

struct ConflictRow {
    row: Row,
    is_first_of_row: bool,
    kind: Text,
    pairs: Vec<Text>,
    missing_classes: Vec<Text>,
    source: Span,
    summary: Text,
}

struct CategoryRow {
    name: Text,
    anchor: MarkdownWord,
    meaning: Text,
    matter: Text,
    transient: Option<ActionCells>,
    permanent: Option<ActionCells>,
    wait: Option<Text>,
}

struct ActionCells {
    retry: Text,
    list: Text,
}

struct AdviceRow {
    code: Span,
    stage: Option<Text>,
    category: Row,
    action: ActionCells,
    happened: Text,
    sender: Text,
    administrator: Text,
}

impl Page {
    fn new(model: &Model) -> Self {
        let Model { snapshot, registry, entries, explanation, .. } = model;
        let meanings = Meanings::new(explanation);
        let (advice_without_code, advice) =
            meanings.iter().partition::<Vec<_>, _>(|meaning| meaning.subject.stage().is_some());
        let with_any = entries.iter().filter(|entry| entry.associated.form == Form::Any);
        let conflicts = entries.iter().flat_map(|entry| entry.conflicts.iter().enumerate());
        Page {
            head: Head::of_registry(model, "markdown"),
            title: Escaped::new(&registry.title),
            updated: Escaped::new(&snapshot.updated),
            url: Escaped::new(&snapshot.url),
            sha256: Escaped::new(&snapshot.sha256),
            transcribed: snapshot.origin == Origin::Transcribed,
            notes: registry.notes.iter().map(|note| Escaped::new(&note.text)).collect(),
            classes: registry.classes.rows.iter().map(|row| ClassRow::new(&row.record)).collect(),
            subjects: subjects(model),
            with_any: with_any.map(|entry| Row::new(entry.status)).collect(),
            by_reply_code: model.reply_codes.iter().filter_map(|code| ListedRows::new(model, code)).collect(),
            reply_codes: model.reply_codes.iter().map(ReplyCodeRow::new).collect(),
            conflicts: conflicts.map(|(index, conflict)| ConflictRow::new(conflict, index == 0)).collect(),
            categories: explanation.categories.iter().map(CategoryRow::new).collect(),
            advice: advice.into_iter().map(|meaning| AdviceRow::new(meaning, model)).collect(),
            advice_without_code: advice_without_code
                .into_iter()
                .map(|meaning| AdviceRow::new(meaning, model))
                .collect(),
        }
    }
}

impl Row {
    fn new(status: Status) -> Self {
        Row { name: Escaped::new(status), anchor: anchor(status) }
    }

    /// Names the row with the class of a reply code (RFC 2034 §4).
    fn with_class_of(reply_code: ReplyCode, status: Status) -> Self {
        let class = reply_code.number() / 100;
        let name = format!("{class}.{}.{}", status.subject, status.detail);
        Row { name: Escaped::new(name), anchor: anchor(status) }
    }
}

fn anchor(status: Status) -> MarkdownWord {
    Escaped::new(format!("x-{}-{}", status.subject, status.detail))
}

impl ClassRow {
    fn new(record: &Record) -> Self {
        ClassRow {
            code: Escaped::new(&record.code.text),
            summary: Escaped::new(&record.sample.text),
            description: linked_text(&record.description),
            references: references(&record.reference),
        }
    }
}

/// Groups the rows by subject: first the subjects of the registry's table, then any that it lacks.
fn subjects(model: &Model) -> Vec<Subject> {
    let table = &model.registry.subjects.rows;
    let mut numbers: Vec<u16> = table.iter().map(|row| row.key).collect();
    for entry in &model.entries {
        if !numbers.contains(&entry.status.subject) {
            numbers.push(entry.status.subject);
        }
    }
    let subject = |number| Subject {
        number: Escaped::new(format!("X.{number}")),
        anchor: Escaped::new(format!("x-{number}")),
        cells: table.iter().find(|row| row.key == number).map(|row| ClassRow::new(&row.record)),
        rows: model
            .entries
            .iter()
            .filter(|entry| entry.status.subject == number)
            .map(StatusRow::new)
            .collect(),
    };
    numbers.into_iter().map(subject).collect()
}

impl StatusRow {
    fn new(entry: &Entry) -> Self {
        let Entry { status, record, annotation, conflicts, .. } = entry;
        let sample = Some(&record.sample.text).filter(|text| !text.is_empty());
        StatusRow {
            row: Row::new(*status),
            sample: sample.map(Escaped::new),
            associated: associated(entry),
            classes: escape_all(&annotation.classes),
            has_conflict: !conflicts.is_empty(),
            description: linked_text(&record.description),
            references: references(&record.reference),
            identifier: Escaped::new(&annotation.identifier),
            successor: annotation.deprecated.as_ref().map(|deprecation| Row::new(deprecation.successor)),
        }
    }
}

/// Returns the cell as IANA prints it, with links for reply codes; empty if it says nothing.
fn associated(entry: &Entry) -> Vec<Span> {
    if entry.associated.form == Form::NoData {
        return Vec::new();
    }
    let mut pieces = Vec::new();
    let mut rest = entry.record.basic_code.text.as_str();
    for code in &entry.associated.codes {
        let digits = code.to_string();
        if let Some((before, after)) = rest.split_once(&digits) {
            pieces.push((before.to_owned(), None));
            pieces.push((digits, Some(format!("#r-{code}"))));
            rest = after;
        }
    }
    pieces.push((rest.to_owned(), None));
    spans(pieces)
}

/// Returns a cell with links for its references.
fn linked_text(text: &RichText) -> Vec<Span> {
    let pieces = text.pieces.iter().map(|piece| match piece {
        Piece::Text(words) => (words.clone(), None),
        Piece::Reference(reference) => (reference.to_string(), reference.link(None)),
    });
    spans(pieces)
}

/// Trims the blanks at the edges of the pieces. The template prints those that are between words.
fn spans(pieces: impl IntoIterator<Item = (String, Option<String>)>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut gap = false;
    for (text, link) in pieces {
        let words = text.trim_matches(' ');
        gap |= text.starts_with(' ');
        if !words.is_empty() {
            spans.push(Span { gap, words: Escaped::new(words), link: link.map(Escaped::new) });
            gap = text.ends_with(' ');
        }
    }
    spans
}

fn references(text: &RichText) -> Vec<RemarkedReference> {
    let remarked = |(reference, remark): (&Reference, String)| RemarkedReference {
        name: Span {
            gap: false,
            words: Escaped::new(reference.name()),
            link: reference.link(Reference::section_in(&remark)).map(Escaped::new),
        },
        remark: Some(remark).filter(|remark| !remark.is_empty()).map(Escaped::new),
    };
    text.annotated_references().into_iter().map(remarked).collect()
}

impl ListedRows {
    /// Returns the rows that list a code by itself or by its class, or `None` if there are none.
    fn new(model: &Model, entry: &ReplyCodeEntry) -> Option<Self> {
        let code = entry.code;
        let rows = |listing| {
            let listed = model.entries.iter().filter(|row| row.associated.listing(code) == Some(listing));
            listed.map(|row| Row::with_class_of(code, row.status)).collect::<Vec<_>>()
        };
        let (exact, by_class) = (rows(Listing::Exact), rows(Listing::ClassWildcard));
        let named = !exact.is_empty() || !by_class.is_empty();
        named.then(|| ListedRows {
            reply_code: Escaped::new(code),
            anchor: reply_code_anchor(code),
            meaning: Escaped::new(&entry.meaning),
            exact,
            by_class,
        })
    }
}

impl ReplyCodeRow {
    fn new(entry: &ReplyCodeEntry) -> Self {
        ReplyCodeRow {
            code: Escaped::new(entry.code),
            anchor: reply_code_anchor(entry.code),
            name: Escaped::new(&entry.name),
            meaning: Escaped::new(&entry.meaning),
            client: Escaped::new(&entry.client),
            sources: entry.sources.iter().map(|source| linked_source(source)).collect(),
        }
    }
}

fn reply_code_anchor(code: ReplyCode) -> MarkdownWord {
    Escaped::new(format!("r-{code}"))
}

impl ConflictRow {
    fn new(conflict: &Conflict, is_first_of_row: bool) -> Self {
        let kind = match conflict.kind {
            ConflictKind::ListExceedsText => "The list has a code of a class that the text excludes",
            ConflictKind::TextExceedsList => "The list lacks a class that the text allows",
            ConflictKind::RfcAgainstRow => "An RFC contradicts the row",
        };
        ConflictRow {
            row: Row::new(conflict.row),
            is_first_of_row,
            kind: Escaped::new(kind),
            pairs: escape_all(&conflict.pairs),
            missing_classes: escape_all(&conflict.classes),
            source: linked_source(&conflict.source),
            summary: Escaped::new(&conflict.summary),
        }
    }
}

impl CategoryRow {
    fn new(category: &Category) -> Self {
        CategoryRow {
            name: Escaped::new(&category.id),
            anchor: category_anchor(&category.id),
            meaning: Escaped::new(&category.meaning),
            matter: Escaped::new(category.matter.name()),
            transient: category.transient.map(ActionCells::new),
            permanent: category.permanent.map(ActionCells::new),
            wait: category.wait.as_ref().map(Escaped::new),
        }
    }
}

fn category_anchor(id: &str) -> MarkdownWord {
    Escaped::new(format!("c-{id}"))
}

impl ActionCells {
    fn new(action: Action) -> Self {
        ActionCells { retry: Escaped::new(action.retry.name()), list: Escaped::new(action.list.name()) }
    }
}

impl AdviceRow {
    fn new(meaning: &Meaning<'_>, model: &Model) -> Self {
        let Meaning { subject, advice, action, .. } = meaning;
        let is_known = |code: &ReplyCode| model.reply_codes.iter().any(|entry| entry.code == *code);
        let link = match (subject.status(), subject.reply_code().filter(is_known)) {
            (Some(status), _) if model.registry.status(status).is_some() => {
                Some(format!("#x-{}-{}", status.subject, status.detail))
            }
            (None, Some(code)) => Some(format!("#r-{code}")),
            _ => None,
        };
        let other = if matches!(subject, advice::Subject::Class(..)) { "other " } else { "" };
        AdviceRow {
            code: Span {
                gap: false,
                words: Escaped::new(format!("{other}{}", subject.codes())),
                link: link.map(Escaped::new),
            },
            stage: subject.stage().map(Escaped::new),
            category: Row { name: Escaped::new(&advice.category), anchor: category_anchor(&advice.category) },
            action: ActionCells::new(*action),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
        }
    }
}

/// Links a source such as `RFC 5321 §4.2.3`; other sources are plain text.
fn linked_source(source: &str) -> Span {
    Span { gap: false, words: Escaped::new(source), link: source_link(source).map(Escaped::new) }
}

pub(super) fn source_link(source: &str) -> Option<String> {
    let rfc = source.strip_prefix("RFC ")?;
    let (number, section) =
        rfc.split_once(" §").map_or((rfc, None), |(number, section)| (number, Some(section)));
    let reference = Reference {
        kind: "rfc".to_owned(),
        data: format!("rfc{number}"),
        fragment: None,
        label: String::new(),
    };
    let numeric = |section: &str| section.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    if section.is_none_or(numeric) { reference.link(section) } else { None }
}
