//! The C header, and the files that install it: pkg-config, CMake, make.

use std::fmt::{Display, Write as _};

use anyhow::{Context, Result, ensure};
use askama::Template;

use super::escape::{Build, BuildComment, C, CCells, CComment, CLiteral, Escaped, Word};
use super::{Head, Product};
use crate::advice::Subject;
use crate::associated::Form;
use crate::category::{ListAction, Retry};
use crate::code::{Class, Classes, Status};
use crate::meaning::{Meaning, Meanings};
use crate::model::{Entry, Model};
use crate::registry::Table;
use crate::situation::{Level, Situation};
use crate::terminal::excerpt;

/// C89 guarantees 509 characters per string literal (ANSI X3.159 §2.2.4.1).
const MAX_LITERAL: usize = 480;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    let header = Product::new("c/smtp_enhanced_status.h", &Header::new(model)?)?;
    check_names(&header.contents, model)?;
    let head = &Head::of_template("c");
    let version = &Escaped::new(&model.version);
    Ok(vec![
        header,
        Product::new("c/smtp-enhanced-status.pc.in", &PkgConfig { head, version })?,
        Product::new("c/smtp-enhanced-status-config.cmake", &CMakeConfig { head })?,
        Product::new("c/smtp-enhanced-status-config-version.cmake", &CMakeVersion { head, version })?,
        Product::new("c/CMakeLists.txt", &CMakeLists { head, version })?,
        Product::new("c/Makefile", &Makefile { head })?,
    ])
}

/// Fails if the header defines the name of a row or a reply code as something else too.
fn check_names(header: &str, model: &Model) -> Result<()> {
    let defines = |name: &str| header.lines().filter(|line| defined_name(line) == Some(name)).count();
    for entry in &model.entries {
        let identifier = &entry.annotation.identifier;
        ensure!(
            defines(&format!("SMTP_ESC_{identifier}")) == 1,
            "the header already defines SMTP_ESC_{identifier} as something else; choose another identifier for \
             {} in registry/annotations.toml",
            entry.status
        );
    }
    for entry in &model.reply_codes {
        let name = &entry.name;
        ensure!(
            defines(&format!("SMTP_ESC_REPLY_{name}")) == 1,
            "the header already defines SMTP_ESC_REPLY_{name} as something else; choose another name for {} in \
             registry/reply-codes.toml",
            entry.code
        );
    }
    Ok(())
}

fn defined_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix('#')?.trim_start().strip_prefix("define ")?;
    name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
}

#[derive(Template)]
#[template(path = "c/smtp_enhanced_status.h")]
struct Header {
    head: Head<CComment>,
    version: Literal,
    version_number: CWord,
    updated: Literal,
    date: CWord,
    sha256: Literal,
    origin: Literal,
    rows: Vec<Row>,
    pairs: Vec<Cells>,
    classes: Vec<(CWord, Literal)>,
    subjects: Vec<(CWord, Literal)>,
    replies: Vec<Reply>,
    descriptions: Vec<(Cells, Literal)>,
    categories: Vec<CategoryRow>,
    advice: Vec<AdviceRow>,
    /// Id, command and title.
    situations: Vec<[Literal; 3]>,
    /// Id, rank with codes and level, and source.
    suggestions: Vec<(Literal, Cells, Literal)>,
}

type CWord = Escaped<Word<C>>;
type Cells = Escaped<CCells>;
type Comment = Escaped<CComment>;
type Literal = Escaped<CLiteral>;

impl Header {
    fn new(model: &Model) -> Result<Self> {
        let snapshot = &model.snapshot;
        let columns = Columns::new(model);
        let mut descriptions = Vec::new();
        for entry in &model.entries {
            descriptions.extend(columns.descriptions(entry)?);
        }
        Ok(Header {
            head: Head::of_registry(model, "c"),
            version: Escaped::new(&model.version),
            version_number: Escaped::new(version_number(&model.version)?),
            updated: Escaped::new(&snapshot.updated),
            date: Escaped::new(date_number(&snapshot.updated)),
            sha256: Escaped::new(&snapshot.sha256),
            origin: Escaped::new(snapshot.provenance()),
            rows: columns.rows(model),
            pairs: model.entries.iter().flat_map(|entry| columns.pairs(entry)).collect(),
            classes: summaries(&model.registry.classes, Class::digit),
            subjects: summaries(&model.registry.subjects, |subject| subject),
            replies: columns.replies(model),
            descriptions,
            categories: categories(model),
            advice: advice(model)?,
            situations: model.situations.iter().map(situation).collect(),
            suggestions: model.situations.iter().flat_map(suggestions).collect(),
        })
    }
}

/// A row, as a constant and as a line of the X-macro.
struct Row {
    heading: Option<Comment>,
    constant: Cells,
    comment: Comment,
    cells: Cells,
    sample: Literal,
    reference: Literal,
}

/// A reply code, as a constant and as a line of the X-macro.
struct Reply {
    constant: Cells,
    comment: Comment,
    cells: Cells,
    meaning: Literal,
}

/// A category, as a constant and as a line of the X-macro.
struct CategoryRow {
    constant: Cells,
    comment: Comment,
    cells: Cells,
    name: Literal,
    meaning: Literal,
}

/// The advice for a code or a pair.
struct AdviceRow {
    cells: Cells,
    happened: Literal,
    sender: Literal,
    administrator: Literal,
}

/// The widths that align the tables.
struct Columns {
    identifier: usize,
    name: usize,
    status: usize,
    form: usize,
}

impl Columns {
    fn new(model: &Model) -> Self {
        let width = |cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or_default();
        Columns {
            identifier: width(&mut model.entries.iter().map(|entry| entry.annotation.identifier.len())),
            name: width(&mut model.reply_codes.iter().map(|entry| entry.name.len())),
            status: width(&mut model.entries.iter().map(|entry| number(entry.status).to_string().len())),
            form: width(&mut model.entries.iter().map(|entry| form(entry.associated.form).len())),
        }
    }

    fn rows(&self, model: &Model) -> Vec<Row> {
        let mut subject = None;
        let mut rows = Vec::new();
        for entry in &model.entries {
            let heading =
                (subject != Some(entry.status.subject)).then(|| heading(model, entry.status.subject));
            subject = Some(entry.status.subject);
            rows.push(Row { heading, ..self.row(model, entry) });
        }
        rows
    }

    fn row(&self, model: &Model, entry: &Entry) -> Row {
        let number = number(entry.status);
        let constant = format!(
            "{:<width$} {number:>status$}L",
            entry.annotation.identifier,
            width = self.identifier,
            status = self.status
        );
        let classes: Classes = entry.annotation.classes.iter().copied().collect();
        let cells = format!(
            "{} {}, {:<width$} {}",
            self.key(entry),
            classes.bits(),
            format!("{},", form(entry.associated.form)),
            successor(entry),
            width = self.form + 1
        );
        Row {
            heading: None,
            constant: Escaped::new(constant),
            comment: Escaped::new(comment(model, entry)),
            cells: Escaped::new(cells),
            sample: Escaped::new(&entry.record.sample.text),
            reference: Escaped::new(&entry.record.reference.text),
        }
    }

    fn pairs(&self, entry: &Entry) -> Vec<Cells> {
        let associated = &entry.associated;
        let exact = associated.codes.iter().map(|code| ("SMTP_ESC_PAIR_EXACT,", code.number()));
        let class =
            associated.class_wildcards.iter().map(|class| ("SMTP_ESC_PAIR_CLASS,", class.digit().into()));
        let any = (associated.form == Form::Any).then_some(("SMTP_ESC_PAIR_ANY,", 0));
        exact
            .chain(class)
            .chain(any)
            .map(|(kind, reply)| Escaped::new(format!("{} {kind:<20} {reply:>3}", self.key(entry))))
            .collect()
    }

    fn replies(&self, model: &Model) -> Vec<Reply> {
        let width = self.name;
        let replies = model.reply_codes.iter().map(|entry| Reply {
            constant: Escaped::new(format!("{:<width$} {}", entry.name, entry.code)),
            comment: Escaped::new(&entry.meaning),
            cells: Escaped::new(format!(
                "{}, {:<width$}",
                entry.code,
                format!("{},", entry.name),
                width = width + 1
            )),
            meaning: Escaped::new(&entry.meaning),
        });
        replies.collect()
    }

    fn descriptions(&self, entry: &Entry) -> Result<Vec<(Cells, Literal)>> {
        let parts = parts(&entry.record.description.text);
        ensure!(
            parts.len() <= 1000,
            "the description of {} has {} octets, which is too long for the header; is the snapshot right?",
            entry.status,
            entry.record.description.text.len()
        );
        let cells = |part| Escaped::new(format!("{} {part}", self.key(entry)));
        Ok(parts.into_iter().enumerate().map(|(part, text)| (cells(part), Escaped::new(text))).collect())
    }

    /// Returns the first three columns of every table: identifier, subject, detail.
    fn key(&self, entry: &Entry) -> String {
        let Status { subject, detail } = entry.status;
        let identifier = format!("{},", entry.annotation.identifier);
        format!("{identifier:<width$} {subject}, {:<3}", format!("{detail},"), width = self.identifier + 1)
    }
}

/// Returns the key and the summary of every row of a table.
fn summaries<K: Copy, D: Display>(table: &Table<K>, key: impl Fn(K) -> D) -> Vec<(CWord, Literal)> {
    let rows = table.rows.iter();
    rows.map(|row| (Escaped::new(key(row.key)), Escaped::new(&row.record.sample.text))).collect()
}

/// Returns the categories of refusals.
fn categories(model: &Model) -> Vec<CategoryRow> {
    let refusals = || model.explanation.categories.iter().filter(|category| category.transient.is_some());
    let width = refusals().map(|category| category.identifier().len()).max().unwrap_or_default();
    let rows = refusals().enumerate().map(|(index, category)| {
        let identifier = category.identifier();
        CategoryRow {
            constant: Escaped::new(format!("{identifier:<width$} {:>2}", index + 1)),
            comment: Escaped::new(&category.meaning),
            cells: Escaped::new(format!("SMTP_ESC_CAT_{identifier},")),
            name: Escaped::new(&category.id),
            meaning: Escaped::new(&category.meaning),
        }
    });
    rows.collect()
}

/// Returns the advice for codes, then that for pairs.
fn advice(model: &Model) -> Result<Vec<AdviceRow>> {
    let mut rows = Vec::new();
    for meaning in Meanings::new(&model.explanation).iter() {
        let (reply, status) = match meaning.subject {
            Subject::Row(status, class) => (u16::from(class.digit()), status),
            Subject::Pair(code, status, _) => (code.number(), status),
            Subject::ReplyCode(..) | Subject::Class(..) => continue,
        };
        rows.push(AdviceRow::new(reply, status, meaning)?);
    }
    Ok(rows)
}

impl AdviceRow {
    fn new(reply: u16, status: Status, meaning: &Meaning<'_>) -> Result<Self> {
        let Meaning { subject, advice, category, action } = meaning;
        let Status { subject: number, detail } = status;
        let cells = format!(
            "{reply}, {number}, {detail}, SMTP_ESC_CAT_{}, {}, {}",
            category.identifier(),
            retry(action.retry),
            list(action.list)
        );
        for text in [&advice.happened, &advice.sender, &advice.administrator] {
            ensure!(
                text.len() <= MAX_LITERAL,
                "registry/advice.toml: a text for {} has {} octets; write {MAX_LITERAL} at most",
                subject.codes(),
                text.len()
            );
        }
        Ok(AdviceRow {
            cells: Escaped::new(cells),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
        })
    }
}

fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "SMTP_ESC_RETRY_NEVER",
        Retry::AfterFix => "SMTP_ESC_RETRY_AFTER_FIX",
        Retry::LaterAndFix => "SMTP_ESC_RETRY_LATER_AND_FIX",
        Retry::Later => "SMTP_ESC_RETRY_LATER",
    }
}

fn list(action: ListAction) -> &'static str {
    match action {
        ListAction::Remove => "SMTP_ESC_LIST_REMOVE",
        ListAction::Pause => "SMTP_ESC_LIST_PAUSE",
        ListAction::Keep => "SMTP_ESC_LIST_KEEP",
    }
}

fn situation(situation: &Situation) -> [Literal; 3] {
    let command = format!("{:?}", situation.command).to_lowercase();
    [&situation.id, &command, &situation.title].map(Escaped::new)
}

/// Returns the pairs that are right in a situation, best first.
fn suggestions(situation: &Situation) -> Vec<(Literal, Cells, Literal)> {
    let suggestions = situation.suggestions().enumerate().map(|(rank, suggestion)| {
        let level = match suggestion.level {
            Level::Must => "SMTP_ESC_LEVEL_MUST",
            Level::Should => "SMTP_ESC_LEVEL_SHOULD",
            Level::May => "SMTP_ESC_LEVEL_MAY",
            Level::Seen => "SMTP_ESC_LEVEL_SEEN",
        };
        let reply = suggestion.codes.reply_code;
        let code = suggestion.codes.enhanced.map_or(0, |(class, status)| code_number(class, status));
        let cells = format!("{rank}, {reply}, {code}L, {level}");
        let source = suggestion.source.replace('§', "section ");
        (Escaped::new(&situation.id), Escaped::new(cells), Escaped::new(source))
    });
    suggestions.collect()
}

/// Returns the number of the row to use instead of a deprecated one, or 0.
fn successor(entry: &Entry) -> String {
    let successor = entry.annotation.deprecated.as_ref().map(|deprecation| number(deprecation.successor));
    format!("{}L", successor.unwrap_or_default())
}

fn heading(model: &Model, subject: u16) -> Comment {
    let row = model.registry.subjects.rows.iter().find(|row| row.key == subject);
    let summary = row.map_or("", |row| row.record.sample.text.as_str());
    Escaped::new(format!("X.{subject}.z {summary}").trim_end())
}

fn comment(model: &Model, entry: &Entry) -> String {
    let mut comment = format!("{} {}", entry.status, entry.record.sample.text).trim_end().to_owned();
    if let Some(deprecation) = &entry.annotation.deprecated {
        let successor = model.entries.iter().find(|entry| entry.status == deprecation.successor);
        let identifier = successor.map_or("OTHER", |entry| entry.annotation.identifier.as_str());
        let _ = write!(comment, " (deprecated: use SMTP_ESC_{identifier}, {})", deprecation.successor);
    }
    comment
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Any => "SMTP_ESC_FORM_ANY",
        Form::NotGiven => "SMTP_ESC_FORM_NOT_GIVEN",
        Form::NoData => "SMTP_ESC_FORM_NO_DATA",
        Form::List => "SMTP_ESC_FORM_LIST",
        Form::OpenList => "SMTP_ESC_FORM_OPEN_LIST",
    }
}

/// Returns the number of a status in the header.
fn number(status: Status) -> u32 {
    10_000_000 + u32::from(status.subject) * 1000 + u32::from(status.detail)
}

/// Returns the number of a code in the header.
fn code_number(class: Class, status: Status) -> u32 {
    u32::from(class.digit()) * 1_000_000 + u32::from(status.subject) * 1000 + u32::from(status.detail)
}

/// Splits a text after blanks into parts that fit into a literal. Concatenated, they are the text.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > MAX_LITERAL {
        let end = (1..=MAX_LITERAL).rev().find(|&end| rest.is_char_boundary(end)).unwrap_or(rest.len());
        let end = rest[..end].rfind(' ').map_or(end, |blank| blank + 1);
        let (part, tail) = rest.split_at(end);
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}

/// Turns `0.1.0` into `0x000100L`.
fn version_number(version: &str) -> Result<String> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Option<Vec<u8>> = core.split('.').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([major, minor, patch]) => Some(format!("0x{major:02X}{minor:02X}{patch:02X}L")),
        _ => None,
    }
    .with_context(|| {
        let version = excerpt(version);
        format!("the version {version:?} in Cargo.toml is not three numbers up to 255, such as 0.1.0")
    })
}

/// Turns `2024-12-06` into `20241206L`; a month without a day ends with 00.
fn date_number(date: &str) -> String {
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    format!("{digits:0<8}L")
}

#[derive(Template)]
#[template(path = "c/smtp-enhanced-status.pc.in")]
struct PkgConfig<'a> {
    head: &'a Head<BuildComment>,
    version: &'a Escaped<Word<Build>>,
}

#[derive(Template)]
#[template(path = "c/smtp-enhanced-status-config.cmake")]
struct CMakeConfig<'a> {
    head: &'a Head<BuildComment>,
}

#[derive(Template)]
#[template(path = "c/smtp-enhanced-status-config-version.cmake")]
struct CMakeVersion<'a> {
    head: &'a Head<BuildComment>,
    version: &'a Escaped<Word<Build>>,
}

#[derive(Template)]
#[template(path = "c/CMakeLists.txt")]
struct CMakeLists<'a> {
    head: &'a Head<BuildComment>,
    version: &'a Escaped<Word<Build>>,
}

#[derive(Template)]
#[template(path = "c/Makefile.mk")]
struct Makefile<'a> {
    head: &'a Head<BuildComment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fit_a_literal_and_concatenate_to_the_text() {
        let words = "word ".repeat(300);
        let unbroken = "\u{e9}".repeat(1000);
        for text in ["", "short", words.as_str(), unbroken.as_str()] {
            let parts = parts(text);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.len() <= MAX_LITERAL), "{parts:?}");
        }
        assert!(parts(&words)[0].ends_with(' '));
    }

    #[test]
    fn versions_and_dates_are_numbers() {
        assert_eq!(version_number("1.12.3-rc.1").unwrap(), "0x010C03L");
        assert!(version_number("1.300.0").is_err());
        assert_eq!(date_number("2024-12-06"), "20241206L");
        assert_eq!(date_number("2024-12"), "20241200L");
    }
}
