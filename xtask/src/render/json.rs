//! The JSON file, for every other language, and its schema.

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, Json, JsonString, JsonStringPart, Word};
use super::{Head, Product, escape_all};
use crate::annotation::{Annotation, Conflict, ConflictKind};
use crate::associated::Form;
use crate::category::{Action, Category, TAXONOMIES};
use crate::code::Class;
use crate::meaning::{Meaning, Meanings};
use crate::model::{Entry, Model};
use crate::registry::{self, Record, Table};
use crate::reply_code::ReplyCodeEntry;
use crate::snapshot::{Origin, Snapshot};
use crate::text::{Piece, Reference, RichText};

type Text = Escaped<JsonString>;
type Number = Escaped<Word<Json>>;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    Ok(vec![
        Product::new("tables/smtp-enhanced-status.json", &Data::new(model))?,
        Product::new("tables/smtp-enhanced-status.schema.json", &Schema { head: Head::of_template("json") })?,
    ])
}

/// Returns the word for a form of the associated codes, in JSON and CSV.
pub(super) fn form_name(form: Form) -> &'static str {
    match form {
        Form::Any => "any",
        Form::NotGiven => "not-given",
        Form::NoData => "no-data",
        Form::List => "list",
        Form::OpenList => "open-list",
    }
}

#[derive(Template)]
#[template(path = "tables/smtp-enhanced-status.schema.json")]
struct Schema {
    head: Head<JsonStringPart>,
}

#[derive(Template)]
#[template(path = "tables/smtp-enhanced-status.json")]
struct Data {
    head: Head<JsonString>,
    provenance: Vec<(Text, Text)>,
    notes: Vec<Text>,
    tables: Vec<TableMeta>,
    classes: Vec<ClassRow>,
    subjects: Vec<SubjectRow>,
    statuses: Vec<StatusRow>,
    reply_codes: Vec<ReplyCodeRow>,
    categories: Vec<CategoryRow>,
    advice: Vec<AdviceRow>,
}

struct TableMeta {
    key: Text,
    title: Text,
    reference: Text,
    registration_rule: Text,
    expert: Text,
    notes: Vec<Text>,
}

struct ClassRow {
    class: Number,
    cells: Cells,
}

struct SubjectRow {
    subject: Number,
    cells: Cells,
}

/// The cells that the three tables have in common.
struct Cells {
    code: Text,
    sample: Text,
    description: Text,
    pieces: Vec<PieceRow>,
    reference: Text,
    references: Vec<ReferenceRow>,
    submitter: Text,
    change_controller: Text,
    date: Option<Text>,
    updated: Option<Text>,
}

struct StatusRow {
    cells: Cells,
    subject: Number,
    detail: Number,
    identifier: Text,
    form: Text,
    codes: Vec<Number>,
    class_wildcards: Vec<Number>,
    classes: Vec<Number>,
    basis: Text,
    source: Text,
    deprecated: Option<(Text, Text)>,
    conflicts: Vec<ConflictRow>,
    raw: Vec<(Text, Text)>,
}

enum PieceRow {
    Text(Text),
    Reference(ReferenceRow),
}

struct ReferenceRow {
    kind: Text,
    name: Text,
    remark: Text,
    link: Option<Text>,
}

struct ConflictRow {
    kind: Text,
    pairs: Vec<(Number, Text)>,
    classes: Vec<Number>,
    source: Text,
    summary: Text,
}

struct ReplyCodeRow {
    code: Number,
    identifier: Text,
    meaning: Text,
    client: Text,
    sources: Vec<Text>,
}

struct CategoryRow {
    id: Text,
    meaning: Text,
    matter: Text,
    wait: Option<Text>,
    sender: Text,
    administrator: Text,
    transient: Option<ActionRow>,
    permanent: Option<ActionRow>,
    names: Vec<(Text, Option<Text>)>,
}

struct ActionRow {
    retry: Text,
    list: Text,
}

struct AdviceRow {
    reply_code: Option<Number>,
    code: Option<Text>,
    class: Number,
    stage: Option<Text>,
    category: Text,
    action: ActionRow,
    happened: Text,
    sender: Text,
    administrator: Text,
}

impl Data {
    fn new(model: &Model) -> Self {
        let registry = &model.registry;
        let classes = registry.classes.rows.iter();
        let subjects = registry.subjects.rows.iter();
        Data {
            head: Head::of_registry(model, "json"),
            provenance: provenance(model),
            notes: texts(&registry.notes),
            tables: vec![
                TableMeta::new("classes", &registry.classes),
                TableMeta::new("subjects", &registry.subjects),
                TableMeta::new("statuses", &registry.statuses),
            ],
            classes: classes
                .map(|row| ClassRow { class: Escaped::new(row.key), cells: Cells::new(&row.record) })
                .collect(),
            subjects: subjects
                .map(|row| SubjectRow { subject: Escaped::new(row.key), cells: Cells::new(&row.record) })
                .collect(),
            statuses: model.entries.iter().map(StatusRow::new).collect(),
            reply_codes: model.reply_codes.iter().map(ReplyCodeRow::new).collect(),
            categories: model.explanation.categories.iter().map(CategoryRow::new).collect(),
            advice: Meanings::new(&model.explanation).iter().filter_map(AdviceRow::new).collect(),
        }
    }
}

fn provenance(model: &Model) -> Vec<(Text, Text)> {
    let Model { version, snapshot, registry, .. } = model;
    let (origin, description) = origin(snapshot);
    let members = [
        ("version", version.as_str()),
        ("registry", registry::ID),
        ("title", &registry.title),
        ("created", &registry.created),
        ("updated", &registry.updated),
        ("origin", origin),
        ("description", description),
        ("url", &snapshot.url),
        ("sha256", &snapshot.sha256),
        ("licence", "this file: MIT OR Apache-2.0; registry data: CC0-1.0"),
    ];
    members.map(|(key, value)| (Escaped::new(key), Escaped::new(value))).into()
}

fn origin(snapshot: &Snapshot) -> (&'static str, &'static str) {
    match snapshot.origin {
        Origin::Transcribed => (
            "transcribed",
            "The facts are transcribed from IANA's registry; the descriptions are summaries in this project's words.",
        ),
        Origin::Iana => ("iana", "The registry as IANA publishes it, in IANA's own words."),
    }
}

fn texts(texts: &[RichText]) -> Vec<Text> {
    texts.iter().map(|text| Escaped::new(&text.text)).collect()
}

impl TableMeta {
    fn new<K>(key: &str, table: &Table<K>) -> Self {
        TableMeta {
            key: Escaped::new(key),
            title: Escaped::new(&table.title),
            reference: Escaped::new(&table.reference.text),
            registration_rule: Escaped::new(&table.registration_rule.text),
            expert: Escaped::new(&table.expert),
            notes: texts(&table.notes),
        }
    }
}

impl Cells {
    fn new(record: &Record) -> Self {
        let references = record.reference.annotated_references();
        Cells {
            code: Escaped::new(&record.code.text),
            sample: Escaped::new(&record.sample.text),
            description: Escaped::new(&record.description.text),
            pieces: record.description.pieces.iter().map(PieceRow::new).collect(),
            reference: Escaped::new(&record.reference.text),
            references: references
                .iter()
                .map(|(reference, remark)| ReferenceRow::new(reference, remark))
                .collect(),
            submitter: Escaped::new(&record.submitter.text),
            change_controller: Escaped::new(&record.change_controller.text),
            date: record.date.as_ref().map(Escaped::new),
            updated: record.updated.as_ref().map(Escaped::new),
        }
    }
}

impl StatusRow {
    fn new(entry: &Entry) -> Self {
        let Entry { status, associated, record, annotation, conflicts } = entry;
        StatusRow {
            cells: Cells::new(record),
            subject: Escaped::new(status.subject),
            detail: Escaped::new(status.detail),
            identifier: Escaped::new(&annotation.identifier),
            form: Escaped::new(form_name(associated.form)),
            codes: escape_all(&associated.codes),
            class_wildcards: escape_all(associated.class_wildcards.iter()),
            classes: classes(&annotation.classes),
            basis: Escaped::new(&annotation.basis),
            source: Escaped::new(&annotation.source),
            deprecated: deprecation(annotation),
            conflicts: conflicts.iter().map(ConflictRow::new).collect(),
            raw: raw(record),
        }
    }
}

fn deprecation(annotation: &Annotation) -> Option<(Text, Text)> {
    let deprecation = annotation.deprecated.as_ref()?;
    Some((Escaped::new(deprecation.successor), Escaped::new(&deprecation.source)))
}

fn raw(record: &Record) -> Vec<(Text, Text)> {
    let cells = record.cells().map(|(name, cell)| {
        let key = match name {
            "sample" => "sample_text",
            "basic_code" => "associated",
            name => name,
        };
        (Escaped::new(key), Escaped::new(&cell.raw))
    });
    cells.into()
}

/// Returns the classes in ascending order.
fn classes(classes: &[Class]) -> Vec<Number> {
    escape_all(classes.iter().copied().collect::<crate::code::Classes>().iter())
}

impl PieceRow {
    fn new(piece: &Piece) -> Self {
        match piece {
            Piece::Text(text) => PieceRow::Text(Escaped::new(text)),
            Piece::Reference(reference) => PieceRow::Reference(ReferenceRow::new(reference, "")),
        }
    }
}

impl ReferenceRow {
    fn new(reference: &Reference, remark: &str) -> Self {
        ReferenceRow {
            kind: Escaped::new(&reference.kind),
            name: Escaped::new(reference.name()),
            remark: Escaped::new(remark),
            link: reference.link(Reference::section_in(remark)).map(Escaped::new),
        }
    }
}

impl ConflictRow {
    fn new(conflict: &Conflict) -> Self {
        let kind = match conflict.kind {
            ConflictKind::ListExceedsText => "list-exceeds-text",
            ConflictKind::TextExceedsList => "text-exceeds-list",
            ConflictKind::RfcAgainstRow => "rfc-against-row",
        };
        let pair = |pair: &crate::code::Pair| {
            let code = format!("{}.{}.{}", pair.class, pair.status.subject, pair.status.detail);
            (Escaped::new(pair.reply_code), Escaped::new(code))
        };
        ConflictRow {
            kind: Escaped::new(kind),
            pairs: conflict.pairs.iter().map(pair).collect(),
            classes: classes(&conflict.classes),
            source: Escaped::new(&conflict.source),
            summary: Escaped::new(&conflict.summary),
        }
    }
}

impl ReplyCodeRow {
    fn new(entry: &ReplyCodeEntry) -> Self {
        ReplyCodeRow {
            code: Escaped::new(entry.code),
            identifier: Escaped::new(&entry.name),
            meaning: Escaped::new(&entry.meaning),
            client: Escaped::new(&entry.client),
            sources: escape_all(&entry.sources),
        }
    }
}

impl CategoryRow {
    fn new(category: &Category) -> Self {
        let name =
            |taxonomy: &&str| (Escaped::new(*taxonomy), category.names.get(*taxonomy).map(Escaped::new));
        CategoryRow {
            id: Escaped::new(&category.id),
            meaning: Escaped::new(&category.meaning),
            matter: Escaped::new(category.matter.name()),
            wait: category.wait.as_ref().map(Escaped::new),
            sender: Escaped::new(&category.sender),
            administrator: Escaped::new(&category.administrator),
            transient: category.transient.map(ActionRow::new),
            permanent: category.permanent.map(ActionRow::new),
            names: TAXONOMIES.iter().map(name).collect(),
        }
    }
}

impl ActionRow {
    fn new(action: Action) -> Self {
        ActionRow { retry: Escaped::new(action.retry.name()), list: Escaped::new(action.list.name()) }
    }
}

impl AdviceRow {
    fn new(meaning: &Meaning<'_>) -> Option<Self> {
        let Meaning { subject, advice, action, .. } = meaning;
        Some(AdviceRow {
            reply_code: subject.reply_code().map(Escaped::new),
            code: subject.enhanced_code().map(Escaped::new),
            class: Escaped::new(subject.class()?),
            stage: subject.stage().map(Escaped::new),
            category: Escaped::new(&advice.category),
            action: ActionRow::new(*action),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
        })
    }
}
