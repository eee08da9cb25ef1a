//! The page that explains replies and bounces, and has the tables: one file, for a browser without a network.

use anyhow::{Context as _, Result};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::escape::{Escaped, Html, HtmlComment, HtmlJson, HtmlSource, HtmlText, HtmlUrl, Place as _, Word};
use super::explain::is_disputed;
use super::json::form_name;
use super::markdown::source_link;
use super::{Head, Product};
use crate::advice::{Advice, Stage, Subject};
use crate::associated::Form;
use crate::category::Category;
use crate::code::{Class, ReplyCode, Status};
use crate::model::{Entry, Model};
use crate::phrase::Phrases;
use crate::reply_code::ReplyCodeEntry;
use crate::text::{Reference, RichText};
use crate::tree::{ADVICE, CATEGORIES, FOLDER as FOLDER_OF_SOURCES, PHRASES, REPLY_CODES, SNAPSHOT, VENDORS};
use crate::vendor::Vendor;

type Text = Escaped<HtmlText>;
type HtmlWord = Escaped<Word<Html>>;

const STYLE: &str = include_str!("../../templates/site/style.css");
const EXPLAIN: &str = concat!(
    include_str!("../../templates/site/explain.js"),
    "\n",
    include_str!("../../templates/site/bounce.js")
);
const PAGE: &str = include_str!("../../templates/site/page.js");

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    Ok(vec![Product::new("site/index.html", &Page::new(model)?)?])
}

#[derive(Template)]
#[template(path = "site/index.html")]
struct Page {
    head: Head<HtmlComment>,
    policy: Text,
    style: Escaped<HtmlSource>,
    url: Escaped<HtmlUrl>,
    updated: Text,
    version: Text,
    subjects: Vec<SubjectRows>,
    reply_codes: Vec<ReplyCodeRow>,
    tables: Escaped<HtmlJson>,
    explain: Escaped<HtmlSource>,
    script: Escaped<HtmlSource>,
}

/// The rows with the same subject.
struct SubjectRows {
    title: Text,
    rows: Vec<StatusRow>,
}

struct StatusRow {
    anchor: HtmlWord,
    code: Text,
    name: Text,
    description: Text,
    identifier: Text,
    classes: Text,
    associated: Text,
    references: Vec<ReferenceCell>,
    successor: Option<(HtmlWord, Text)>,
    advice: Vec<AdviceCell>,
}

struct ReplyCodeRow {
    anchor: HtmlWord,
    code: Text,
    name: Text,
    meaning: Text,
    client: Text,
    sources: Vec<ReferenceCell>,
    advice: Vec<AdviceCell>,
}

struct ReferenceCell {
    name: Text,
    link: Option<Escaped<HtmlUrl>>,
    remark: Option<Text>,
}

struct AdviceCell {
    title: Text,
    happened: Text,
    sender: Text,
    administrator: Text,
    category: Text,
}

impl Page {
    fn new(model: &Model) -> Result<Page> {
        let snapshot = &model.snapshot;
        let source = [
            format!("Source: {FOLDER_OF_SOURCES}/{SNAPSHOT}, {}.", snapshot.provenance()),
            format!("SHA-256 of the source: {}", snapshot.sha256),
            format!("Other sources: {REPLY_CODES}, {CATEGORIES}, {ADVICE}, {VENDORS}, {PHRASES}."),
        ];
        Ok(Page {
            head: Head::new("site", source, "; registry data: CC0-1.0"),
            policy: Escaped::new(policy()),
            style: Escaped::new(STYLE),
            url: Escaped::new(&snapshot.url),
            updated: Escaped::new(&model.registry.updated),
            version: Escaped::new(&model.version),
            subjects: subjects(model),
            reply_codes: model.reply_codes.iter().map(|entry| ReplyCodeRow::new(entry, model)).collect(),
            tables: Escaped::new(tables(model)?),
            explain: Escaped::new(EXPLAIN),
            script: Escaped::new(PAGE),
        })
    }
}

/// Returns the Content-Security-Policy, which allows only the page's own style and scripts.
fn policy() -> String {
    let hash = |source: &str| STANDARD.encode(Sha256::digest(HtmlSource::escape(source)));
    let (style, explain, page) = (hash(STYLE), hash(EXPLAIN), hash(PAGE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{explain}' 'sha256-{page}'; \
         base-uri 'none'; form-action 'none'"
    )
}

/// Groups the rows by subject, in the order of the registry.
fn subjects(model: &Model) -> Vec<SubjectRows> {
    let mut numbers: Vec<u16> = model.entries.iter().map(|entry| entry.status.subject).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let subject = |number: u16| {
        let row = model.registry.subjects.rows.iter().find(|row| row.key == number);
        let name = row.map(|row| format!(": {}", row.record.sample.text)).unwrap_or_default();
        let rows = model.entries.iter().filter(|entry| entry.status.subject == number);
        SubjectRows {
            title: Escaped::new(format!("X.{number}{name}")),
            rows: rows.map(|entry| StatusRow::new(entry, model)).collect(),
        }
    };
    numbers.into_iter().map(subject).collect()
}

impl StatusRow {
    fn new(entry: &Entry, model: &Model) -> StatusRow {
        let Entry { status, associated, record, annotation, .. } = entry;
        let codes = match associated.form {
            Form::NoData => "No data",
            _ => &record.basic_code.text,
        };
        let advice = [("permanent", 5), ("temporary", 4)].into_iter().filter_map(|(word, digit)| {
            let advice = find_advice(model, Subject::Row(*status, Class::new(digit)?))?;
            let code = format!("{digit}.{}.{}", status.subject, status.detail);
            Some(AdviceCell::new(&format!("{code}, a {word} refusal"), advice))
        });
        let successor = annotation.deprecated.as_ref().map(|deprecation| deprecation.successor);
        StatusRow {
            anchor: anchor(*status),
            code: Escaped::new(status),
            name: Escaped::new(name(entry)),
            description: Escaped::new(&record.description.text),
            identifier: Escaped::new(&annotation.identifier),
            classes: Escaped::new(list(&annotation.classes)),
            associated: Escaped::new(codes),
            references: references(&record.reference),
            successor: successor.map(|successor| (anchor(successor), Escaped::new(successor))),
            advice: advice.collect(),
        }
    }
}

/// Returns the row's sample text; a row may have none.
fn name(entry: &Entry) -> &str {
    match entry.record.sample.text.as_str() {
        "" => &entry.annotation.identifier,
        sample => sample,
    }
}

fn anchor(status: Status) -> HtmlWord {
    Escaped::new(format!("x-{}-{}", status.subject, status.detail))
}

fn list(classes: &[Class]) -> String {
    let digits: Vec<String> = classes.iter().map(ToString::to_string).collect();
    if digits.is_empty() { "none".to_owned() } else { digits.join(", ") }
}

fn references(text: &RichText) -> Vec<ReferenceCell> {
    let cell = |(reference, remark): (&Reference, String)| ReferenceCell {
        name: Escaped::new(reference.name()),
        link: reference.link(Reference::section_in(&remark)).map(Escaped::new),
        remark: (!remark.is_empty()).then(|| Escaped::new(remark)),
    };
    text.annotated_references().into_iter().map(cell).collect()
}

fn find_advice(model: &Model, subject: Subject) -> Option<&Advice> {
    model.explanation.advice.iter().find(|advice| advice.subject().is_ok_and(|other| other == subject))
}

impl ReplyCodeRow {
    fn new(entry: &ReplyCodeEntry, model: &Model) -> ReplyCodeRow {
        let source = |source: &String| ReferenceCell {
            name: Escaped::new(source),
            link: source_link(source).map(Escaped::new),
            remark: None,
        };
        ReplyCodeRow {
            anchor: Escaped::new(format!("r-{}", entry.code)),
            code: Escaped::new(entry.code),
            name: Escaped::new(&entry.name),
            meaning: Escaped::new(&entry.meaning),
            client: Escaped::new(&entry.client),
            sources: entry.sources.iter().map(source).collect(),
            advice: advice_by_stage(entry.code, model),
        }
    }
}

fn advice_by_stage(code: ReplyCode, model: &Model) -> Vec<AdviceCell> {
    let entries = model.explanation.advice.iter().filter_map(|advice| match advice.subject() {
        Ok(Subject::ReplyCode(other, stage)) if other == code => {
            Some(AdviceCell::new(stage_title(stage), advice))
        }
        _ => None,
    });
    entries.collect()
}

fn stage_title(stage: Stage) -> &'static str {
    match stage {
        Stage::Any => "Without an enhanced status code",
        Stage::Connect => "Instead of the greeting",
        Stage::Hello => "After EHLO, HELO or LHLO",
        Stage::StartTls => "After STARTTLS",
        Stage::Auth => "After AUTH",
        Stage::Mail => "After MAIL",
        Stage::Rcpt => "After RCPT",
        Stage::Data => "After DATA or BDAT",
        Stage::Message => "After the end of the message",
    }
}

impl AdviceCell {
    fn new(title: &str, advice: &Advice) -> AdviceCell {
        AdviceCell {
            title: Escaped::new(title),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
            category: Escaped::new(&advice.category),
        }
    }
}

/// The tables that the script reads. Members have the names that they have in `registry/`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Tables<'a> {
    categories: &'a [Category],
    advice: Vec<JudgedAdvice<'a>>,
    vendors: &'a [Vendor],
    phrases: &'a Phrases,
    rows: Vec<TableRow<'a>>,
    reply_codes: Vec<TableReplyCode<'a>>,
}

#[derive(Serialize)]
struct JudgedAdvice<'a> {
    #[serde(flatten)]
    advice: &'a Advice,
    /// Whether some vendor means another category by the same code.
    disputed: bool,
}

#[derive(Serialize)]
struct TableRow<'a> {
    code: Status,
    identifier: &'a str,
    name: &'a str,
    classes: &'a [Class],
    associated: TableAssociated<'a>,
    references: Vec<TableReference>,
    successor: Option<Status>,
}

#[derive(Serialize)]
struct TableAssociated<'a> {
    form: &'static str,
    codes: &'a [ReplyCode],
    classes: Vec<Class>,
}

#[derive(Serialize)]
struct TableReference {
    name: String,
    remark: String,
    link: Option<String>,
}

#[derive(Serialize)]
struct TableReplyCode<'a> {
    code: ReplyCode,
    meaning: &'a str,
}

/// Returns the tables as JSON, with a line for each row, so that a difference of two pages is readable.
fn tables(model: &Model) -> Result<String> {
    let explanation = &model.explanation;
    let disputed = |advice| JudgedAdvice { advice, disputed: is_disputed(advice, &explanation.vendors) };
    let reply_codes = model.reply_codes.iter();
    let tables = Tables {
        categories: &explanation.categories,
        advice: explanation.advice.iter().map(disputed).collect(),
        vendors: &explanation.vendors,
        phrases: &explanation.phrases,
        rows: model.entries.iter().map(TableRow::new).collect(),
        reply_codes: reply_codes
            .map(|entry| TableReplyCode { code: entry.code, meaning: &entry.meaning })
            .collect(),
    };
    let value = serde_json::to_value(tables).context("the tables cannot be written as JSON")?;
    Ok(lines(&without_nulls(value), 2))
}

/// Writes a value on a line of its own, and so down to a depth.
fn lines(value: &Value, depth: usize) -> String {
    let (open, items, close) = match value {
        Value::Array(items) if depth > 0 => {
            ("[", items.iter().map(|item| lines(item, depth - 1)).collect::<Vec<_>>(), "]")
        }
        Value::Object(members) if depth > 0 => {
            let member =
                |(key, member)| format!("{}:{}", Value::from(String::as_str(key)), lines(member, depth - 1));
            ("{", members.iter().map(member).collect(), "}")
        }
        value => return value.to_string(),
    };
    format!("{open}\n{}\n{close}", items.join(",\n"))
}

impl<'a> TableRow<'a> {
    fn new(entry: &'a Entry) -> TableRow<'a> {
        let Entry { status, associated, record, annotation, .. } = entry;
        let reference = |(reference, remark): (&Reference, String)| TableReference {
            name: reference.name(),
            link: reference.link(Reference::section_in(&remark)),
            remark,
        };
        TableRow {
            code: *status,
            identifier: &annotation.identifier,
            name: name(entry),
            classes: &annotation.classes,
            associated: TableAssociated {
                form: form_name(associated.form),
                codes: &associated.codes,
                classes: associated.class_wildcards.iter().collect(),
            },
            references: record.reference.annotated_references().into_iter().map(reference).collect(),
            successor: annotation.deprecated.as_ref().map(|deprecation| deprecation.successor),
        }
    }
}

/// Leaves out the members that are null, which most optional ones are.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, member)| !member.is_null());
            present.map(|(key, member)| (key, without_nulls(member))).collect()
        }
        value => value,
    }
}
