//! CSV files, for spreadsheets and scripts.

use anyhow::Result;
use askama::Template;

use super::escape::{CsvComment, CsvField, Escaped};
use super::json::form_name;
use super::{Head, Product, escape_all};
use crate::associated::Form;
use crate::category::{Action, Category, TAXONOMIES};
use crate::code::{Class, Classes};
use crate::meaning::{Meaning, Meanings};
use crate::model::{Entry, Model};
use crate::reply_code::ReplyCodeEntry;
use crate::text::Reference;

type Field = Escaped<CsvField>;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    let head = || Head::of_registry(model, "csv");
    let entries = || model.entries.iter();
    let reply_codes = model.reply_codes.iter();
    let meanings = Meanings::new(&model.explanation);
    Ok(vec![
        Product::new(
            "tables/statuses.csv",
            &Statuses { head: head(), rows: entries().map(StatusRow::new).collect() },
        )?,
        Product::new("tables/pairs.csv", &Pairs { head: head(), rows: entries().flat_map(pairs).collect() })?,
        Product::new(
            "tables/reply-codes.csv",
            &ReplyCodes {
                head: Head::of_reply_codes("csv"),
                rows: reply_codes.map(ReplyCodeRow::new).collect(),
            },
        )?,
        Product::new(
            "tables/categories.csv",
            &Categories {
                head: Head::of_advice("csv"),
                taxonomies: escape_all(TAXONOMIES),
                rows: model.explanation.categories.iter().map(CategoryRow::new).collect(),
            },
        )?,
        Product::new(
            "tables/advice.csv",
            &Advice {
                head: Head::of_advice("csv"),
                rows: meanings.iter().filter_map(AdviceRow::new).collect(),
            },
        )?,
        Product::new("tables/by-code.csv", &Map { key: Escaped::new("code"), rows: by_code(&meanings) })?,
        Product::new(
            "tables/by-pair.csv",
            &Map { key: Escaped::new("pair"), rows: by_pair(&meanings, model) },
        )?,
    ])
}

#[derive(Template)]
#[template(path = "tables/statuses.csv")]
struct Statuses {
    head: Head<CsvComment>,
    rows: Vec<StatusRow>,
}

struct StatusRow {
    code: Field,
    subject: Field,
    detail: Field,
    identifier: Field,
    sample: Field,
    form: Field,
    codes: Field,
    class_wildcards: Field,
    raw_associated: Field,
    description: Field,
    reference: Field,
    links: Field,
    submitter: Field,
    change_controller: Field,
    date: Field,
    updated: Field,
    classes: Field,
    basis: Field,
    source: Field,
    successor: Field,
    deprecation_source: Field,
}

#[derive(Template)]
#[template(path = "tables/pairs.csv")]
struct Pairs {
    head: Head<CsvComment>,
    rows: Vec<PairRow>,
}

struct PairRow {
    status: Field,
    identifier: Field,
    kind: Field,
    reply_code: Field,
}

#[derive(Template)]
#[template(path = "tables/reply-codes.csv")]
struct ReplyCodes {
    head: Head<CsvComment>,
    rows: Vec<ReplyCodeRow>,
}

struct ReplyCodeRow {
    code: Field,
    identifier: Field,
    meaning: Field,
    client: Field,
    sources: Field,
}

#[derive(Template)]
#[template(path = "tables/categories.csv")]
struct Categories {
    head: Head<CsvComment>,
    taxonomies: Vec<Field>,
    rows: Vec<CategoryRow>,
}

struct CategoryRow {
    id: Field,
    meaning: Field,
    matter: Field,
    wait: Field,
    sender: Field,
    administrator: Field,
    transient: ActionCells,
    permanent: ActionCells,
    names: Vec<Field>,
}

struct ActionCells {
    retry: Field,
    list: Field,
}

#[derive(Template)]
#[template(path = "tables/advice.csv")]
struct Advice {
    head: Head<CsvComment>,
    rows: Vec<AdviceRow>,
}

struct AdviceRow {
    reply_code: Field,
    code: Field,
    class: Field,
    stage: Field,
    category: Field,
    action: ActionCells,
    happened: Field,
    sender: Field,
    administrator: Field,
}

/// A table for log pipelines. It has no head, because their readers know no comments.
#[derive(Template)]
#[template(path = "tables/map.csv")]
struct Map {
    key: Field,
    rows: Vec<MapRow>,
}

struct MapRow {
    key: Field,
    category: Field,
    action: ActionCells,
    matter: Field,
}

impl StatusRow {
    fn new(entry: &Entry) -> Self {
        let Entry { status, associated, record, annotation, .. } = entry;
        let references = record.reference.annotated_references();
        let links =
            references.iter().filter_map(|(reference, remark)| reference.link(Reference::section_in(remark)));
        let (successor, deprecation_source) = match &annotation.deprecated {
            Some(deprecation) => (deprecation.successor.to_string(), deprecation.source.as_str()),
            None => (String::new(), ""),
        };
        StatusRow {
            code: Escaped::new(status),
            subject: Escaped::new(status.subject),
            detail: Escaped::new(status.detail),
            identifier: Escaped::new(&annotation.identifier),
            sample: Escaped::new(&record.sample.text),
            form: Escaped::new(form_name(associated.form)),
            codes: joined(&associated.codes),
            class_wildcards: joined(associated.class_wildcards.iter()),
            raw_associated: Escaped::new(&record.basic_code.raw),
            description: Escaped::new(&record.description.text),
            reference: Escaped::new(&record.reference.text),
            links: joined(links),
            submitter: Escaped::new(&record.submitter.text),
            change_controller: Escaped::new(&record.change_controller.text),
            date: Escaped::new(record.date.as_deref().unwrap_or_default()),
            updated: Escaped::new(record.updated.as_deref().unwrap_or_default()),
            classes: joined(set(&annotation.classes).iter()),
            basis: Escaped::new(&annotation.basis),
            source: Escaped::new(&annotation.source),
            successor: Escaped::new(successor),
            deprecation_source: Escaped::new(deprecation_source),
        }
    }
}

/// Returns the associated codes of a row, each as the digits that the reply codes begin with.
fn pairs(entry: &Entry) -> Vec<PairRow> {
    let row = |kind: &str, digits: String| PairRow {
        status: Escaped::new(entry.status),
        identifier: Escaped::new(&entry.annotation.identifier),
        kind: Escaped::new(kind),
        reply_code: Escaped::new(digits),
    };
    let associated = &entry.associated;
    let any = (associated.form == Form::Any).then(|| row("any", String::new()));
    let exact = associated.codes.iter().map(|code| row("exact", code.to_string()));
    let by_class = associated.class_wildcards.iter().map(|class| row("class", class.to_string()));
    any.into_iter().chain(exact).chain(by_class).collect()
}

impl ReplyCodeRow {
    fn new(entry: &ReplyCodeEntry) -> Self {
        ReplyCodeRow {
            code: Escaped::new(entry.code),
            identifier: Escaped::new(&entry.name),
            meaning: Escaped::new(&entry.meaning),
            client: Escaped::new(&entry.client),
            sources: Escaped::new(entry.sources.join("; ")),
        }
    }
}

impl CategoryRow {
    fn new(category: &Category) -> Self {
        let name = |taxonomy: &&str| category.names.get(*taxonomy).map_or("", String::as_str);
        CategoryRow {
            id: Escaped::new(&category.id),
            meaning: Escaped::new(&category.meaning),
            matter: Escaped::new(category.matter.name()),
            wait: Escaped::new(category.wait.as_deref().unwrap_or_default()),
            sender: Escaped::new(&category.sender),
            administrator: Escaped::new(&category.administrator),
            transient: ActionCells::new(category.transient),
            permanent: ActionCells::new(category.permanent),
            names: escape_all(TAXONOMIES.iter().map(name)),
        }
    }
}

impl ActionCells {
    fn new(action: Option<Action>) -> Self {
        ActionCells {
            retry: Escaped::new(action.map_or("", |action| action.retry.name())),
            list: Escaped::new(action.map_or("", |action| action.list.name())),
        }
    }
}

impl AdviceRow {
    fn new(meaning: &Meaning<'_>) -> Option<Self> {
        let Meaning { subject, advice, action, .. } = meaning;
        Some(AdviceRow {
            reply_code: joined(subject.reply_code()),
            code: joined(subject.enhanced_code()),
            class: Escaped::new(subject.class()?),
            stage: joined(subject.stage()),
            category: Escaped::new(&advice.category),
            action: ActionCells::new(Some(*action)),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
        })
    }
}

impl MapRow {
    fn new(key: impl std::fmt::Display, meaning: &Meaning<'_>) -> Self {
        MapRow {
            key: Escaped::new(key),
            category: Escaped::new(&meaning.category.id),
            action: ActionCells::new(Some(meaning.action)),
            matter: Escaped::new(meaning.category.matter.name()),
        }
    }
}

fn by_code(meanings: &Meanings<'_>) -> Vec<MapRow> {
    meanings.rows().map(|(code, meaning)| MapRow::new(code, meaning)).collect()
}

fn by_pair(meanings: &Meanings<'_>, model: &Model) -> Vec<MapRow> {
    meanings.pairs(model).into_iter().map(|(pair, meaning)| MapRow::new(pair, meaning)).collect()
}

/// Returns the classes as a set, which sorts them.
fn set(classes: &[Class]) -> Classes {
    classes.iter().copied().collect()
}

fn joined(items: impl IntoIterator<Item = impl ToString>) -> Field {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    Escaped::new(items.join(" "))
}
