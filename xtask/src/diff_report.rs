//! Reports of what changed between two registries: a summary, the facts, and the impact.

use std::fmt::{self, Write as _};

use serde::Serialize;
use similar::{DiffTag, TextDiff};

use crate::annotation::Annotations;
use crate::code::Status;
use crate::diff::{Change, Facts, Field, FieldChange, Subject, associated_codes, changes};
use crate::impact::{Impact, PairingChange};
use crate::registry::Registry;
use crate::render::escape::{MarkdownText, Place, visible_json};
use crate::terminal::visible;

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for a terminal.
    Text,
    /// Markdown for the body of a pull request.
    Markdown,
    /// JSON for programs, described by `xtask/schemas/diff.schema.json`.
    Json,
}

/// What changed between two registries, and what that means.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The date of the old registry.
    pub old: String,
    /// The date of the new registry.
    pub new: String,
    /// A summary in one line.
    pub summary: String,
    /// Rows that only the new registry has.
    pub added: Vec<Row>,
    /// Rows that only the old registry has.
    pub removed: Vec<Row>,
    /// Rows that only the new registry calls deprecated.
    pub newly_deprecated: Vec<String>,
    /// Fields with facts that differ.
    pub facts: Vec<Difference>,
    /// Fields with prose that differ.
    pub wording: Vec<Difference>,
    /// Set if one of the two registries is a transcription and the other is IANA's. `wording` is empty then.
    pub summaries: Option<String>,
    /// What the changes mean.
    pub impact: Impact,
    /// The products whose content changes. A change of the head does not count.
    pub products: Vec<String>,
    /// What the data files lack for the new registry, each with the lines to add. Only `sync --check` fills it.
    pub missing: Vec<String>,
    /// What a person has to do next. Only `sync` fills it.
    pub next: Vec<String>,
}

/// A row that is added or removed.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The row's code.
    pub row: String,
    /// The row's fields.
    pub fields: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The row's code, `table 3`, or `registry`.
    pub row: String,
    /// The field, with its old and new text.
    #[serde(flatten)]
    pub change: FieldChange,
    /// Associated codes that are added; empty for other fields.
    pub codes_added: Vec<String>,
    /// Associated codes that are removed; empty for other fields.
    pub codes_removed: Vec<String>,
}

impl Report {
    /// Compares two registries. `products` are the files that differ when rendered.
    pub fn new(old: &Registry, new: &Registry, annotations: &Annotations, products: Vec<String>) -> Report {
        let changes = changes(&Facts::of(old), &Facts::of(new));
        let summaries = match (old.is_transcribed(), new.is_transcribed()) {
            (true, false) => Some("summaries replaced by IANA's text".to_owned()),
            (false, true) => Some("IANA's text replaced by summaries".to_owned()),
            _ => None,
        };
        let impact = Impact::of(old, new, &changes, annotations);
        let mut report = Report {
            old: old.updated.clone(),
            new: new.updated.clone(),
            summary: String::new(),
            added: Vec::new(),
            removed: Vec::new(),
            newly_deprecated: Vec::new(),
            facts: Vec::new(),
            wording: Vec::new(),
            summaries,
            impact,
            products,
            missing: Vec::new(),
            next: Vec::new(),
        };
        for change in changes {
            report.take(old, new, change);
        }
        report.summary = report.in_one_line();
        report
    }

    /// Returns whether no fact and no wording differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.facts.is_empty()
            && self.wording.is_empty()
            && self.summaries.is_none()
    }

    /// Formats the report, without a line break at its end.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Markdown => self.markdown(),
            Format::Json => visible_json(&serde_json::to_string_pretty(self).unwrap_or_default()),
        }
    }

    fn take(&mut self, old: &Registry, new: &Registry, change: Change) {
        let row = name(change.subject);
        let (before, after) = (is_there(old, change.subject), is_there(new, change.subject));
        match (before, after) {
            (false, _) => self.added.push(Row { row, fields: change.fields }),
            (_, false) => self.removed.push(Row { row, fields: change.fields }),
            _ => {
                let status = match change.subject {
                    Subject::Status(status) => Some(status),
                    _ => None,
                };
                let is_new = |status: &Status| !is_deprecated(old, *status) && is_deprecated(new, *status);
                if status.as_ref().is_some_and(is_new) {
                    self.newly_deprecated.push(row.clone());
                }
                for field in change.fields {
                    let wording = field.field.is_wording();
                    if wording && self.summaries.is_some() {
                        continue;
                    }
                    let list = if wording { &mut self.wording } else { &mut self.facts };
                    list.push(Difference::new(row.clone(), field));
                }
            }
        }
    }

    fn in_one_line(&self) -> String {
        let count =
            |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let mut parts: Vec<String> = Vec::new();
        for (sign, rows) in [('+', &self.added), ('-', &self.removed)] {
            if !rows.is_empty() {
                parts.push(format!("{sign}{}", count(rows.len(), "row", "rows")));
            }
        }
        // Each fact is counted once.
        let of =
            |fields: &[Field]| self.facts.iter().filter(|fact| fields.contains(&fact.change.field)).count();
        let references = of(&[Field::Reference]);
        let lists = of(&[Field::AssociatedCodes]);
        let dates = of(&[Field::Created, Field::Date, Field::Updated]);
        let others = self.facts.len() - references - lists - dates;
        for (number, one, many) in [
            (references, "reference", "references"),
            (lists, "list of associated codes", "lists of associated codes"),
            (dates, "date", "dates"),
            (others, "other fact", "other facts"),
            (self.wording.len(), "text", "texts"),
        ] {
            if number > 0 {
                parts.push(count(number, one, many));
            }
        }
        parts.extend(self.summaries.clone());
        if self.is_empty() { "no semantic change".to_owned() } else { parts.join(", ") }
    }

    fn text(&self) -> String {
        let mut text = Lines::default();
        text.line(format_args!("{} -> {}: {}", self.old, self.new, self.summary));
        if self.is_empty() && self.missing.is_empty() {
            return text.0;
        }
        for (sign, rows) in [('+', &self.added), ('-', &self.removed)] {
            for row in rows {
                text.line(format_args!("\n{sign} {}", row.row));
                for field in &row.fields {
                    let value = field.new.as_ref().or(field.old.as_ref());
                    text.line(format_args!(
                        "    {:<18} {}",
                        field.field.name(),
                        value.map_or("", |value| value)
                    ));
                }
            }
        }
        text.section("Deprecated", self.newly_deprecated.iter().map(Clone::clone));
        text.section("Facts", self.facts.iter().map(Difference::in_one_line));
        text.section("Wording", self.wording.iter().map(Difference::in_one_line));
        text.section("Impact", self.impact_lines());
        if !self.missing.is_empty() {
            text.line(format_args!("\nMissing\n\n{}", self.missing.join("\n\n")));
        }
        text.section("Next", self.next.iter().map(|step| format!("* {step}")));
        text.0
    }

    fn impact_lines(&self) -> impl Iterator<Item = String> {
        let impact = &self.impact;
        let semver = format!("version: {}, because {}", impact.semver.name(), impact.reason);
        let identifiers = impact.identifiers.iter().map(|new| match &new.identifier {
            Some(identifier) => format!("{} appears as {identifier}", new.row),
            None => format!("{} needs an identifier in registry/annotations.toml", new.row),
        });
        let pairings = impact.pairings.iter().map(PairingChange::in_one_line);
        let products = match self.products.as_slice() {
            [] => "products: only their heads change".to_owned(),
            products => format!("products: {}", products.join(", ")),
        };
        [semver]
            .into_iter()
            .chain(identifiers)
            .chain(pairings)
            .chain([products])
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn markdown(&self) -> String {
        let cell = |text: &str| MarkdownText::escape(text);
        let mut text = Lines::default();
        text.line(format_args!(
            "**Registry of {} → {}**: {}",
            cell(&self.old),
            cell(&self.new),
            cell(&self.summary)
        ));
        if self.is_empty() && self.missing.is_empty() {
            return text.0;
        }
        for (heading, rows) in [("Rows added", &self.added), ("Rows removed", &self.removed)] {
            for row in rows {
                text.line(format_args!(
                    "\n### {heading}: {}\n\n| Field | Value |\n| :--- | :--- |",
                    cell(&row.row)
                ));
                for field in &row.fields {
                    let value = field.new.as_ref().or(field.old.as_ref());
                    text.line(format_args!(
                        "| {} | {} |",
                        field.field.name(),
                        cell(value.map_or("", |value| value))
                    ));
                }
            }
        }
        if !self.newly_deprecated.is_empty() {
            text.line(format_args!("\nNewly deprecated: {}", self.newly_deprecated.join(", ")));
        }
        for (heading, differences) in [("Facts", &self.facts), ("Wording", &self.wording)] {
            if differences.is_empty() {
                continue;
            }
            text.line(format_args!(
                "\n### {heading}\n\n| Row | Field | Before | After |\n| :--- | :--- | :--- | :--- |"
            ));
            for Difference { row, change, .. } in differences {
                let (old, new) = (change.old.as_deref().unwrap_or(""), change.new.as_deref().unwrap_or(""));
                text.line(format_args!(
                    "| {} | {} | {} | {} |",
                    cell(row),
                    change.field.name(),
                    cell(old),
                    cell(new)
                ));
            }
        }
        text.line(format_args!("\n### Impact\n"));
        self.impact_lines().for_each(|line| text.line(format_args!("* {}", cell(&line))));
        if !self.missing.is_empty() {
            text.line(format_args!("\n### Missing"));
            self.missing.iter().for_each(|gap| text.line(format_args!("\n{}", indented(gap))));
        }
        if !self.next.is_empty() {
            text.line(format_args!("\n### Next\n"));
            self.next.iter().for_each(|step| text.line(format_args!("* {step}")));
        }
        text.0
    }
}

impl Difference {
    fn new(row: String, change: FieldChange) -> Difference {
        let codes = |cell: &Option<String>| match change.field {
            Field::AssociatedCodes => associated_codes(cell.as_deref().unwrap_or_default()),
            _ => std::collections::BTreeSet::new(),
        };
        let (old, new) = (codes(&change.old), codes(&change.new));
        Difference {
            row,
            codes_added: new.difference(&old).cloned().collect(),
            codes_removed: old.difference(&new).cloned().collect(),
            change,
        }
    }

    fn in_one_line(&self) -> String {
        let FieldChange { field, old, new } = &self.change;
        let (old, new) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
        let what = format!("{} {}", self.row, field.name());
        if field.is_wording() {
            return format!("{what}: {}", words(old, new));
        }
        let mut line = format!("{what}: {} -> {}", or_empty(old), or_empty(new));
        let signed = |sign: char, codes: &[String]| {
            codes.iter().map(|code| format!(" {sign}{code}")).collect::<String>()
        };
        let codes = signed('+', &self.codes_added) + &signed('-', &self.codes_removed);
        if !codes.is_empty() {
            let _ = write!(line, " ({})", codes.trim_start());
        }
        line
    }
}

impl PairingChange {
    /// Returns a line such as `550 5.7.30: Unregistered -> Listed`.
    fn in_one_line(&self) -> String {
        format!("{} {}: {:?} -> {:?}", self.reply_codes_in_words(), self.code, self.old, self.new)
    }
}

/// Lines that may contain text from outside. They are escaped so that every character is visible.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(&visible(line));
    }

    fn section(&mut self, heading: &str, lines: impl Iterator<Item = String>) {
        for (index, line) in lines.enumerate() {
            if index == 0 {
                self.line(format_args!("\n{heading}"));
            }
            self.line(format_args!("  {}", line.replace('\n', " ")));
        }
    }
}

/// Returns the facts as lines, one per field, for a line-by-line comparison.
pub fn normalised(facts: &Facts) -> String {
    let mut lines = Lines::default();
    for (subject, fields) in &facts.0 {
        for (field, text) in fields {
            lines.line(format_args!("{} {}: {}", name(*subject), field.name(), text.replace('\n', " ")));
        }
    }
    lines.0 + "\n"
}

/// Marks the words that differ, and keeps a few words around them: `... a [-b-]{+c+} d ...`.
fn words(old: &str, new: &str) -> String {
    let diff = TextDiff::from_words(old, new);
    let mut marked = String::new();
    let operations = diff.ops();
    for (index, operation) in operations.iter().enumerate() {
        let before: Vec<&str> = operation.old_range().filter_map(|at| diff.old_slice(at)).collect();
        let after: Vec<&str> = operation.new_range().filter_map(|at| diff.new_slice(at)).collect();
        if operation.tag() == DiffTag::Equal {
            let (first, last) = (index == 0, index + 1 == operations.len());
            marked.push_str(&shortened(&before, first, last));
            continue;
        }
        for (slices, open, close) in [(&before, "[-", "-]"), (&after, "{+", "+}")] {
            if !slices.is_empty() {
                marked.extend([open, &slices.concat(), close]);
            }
        }
    }
    marked
}

/// Shortens words that did not change to those next to a change, with dots for the rest.
fn shortened(slices: &[&str], first: bool, last: bool) -> String {
    // Counts words and the blanks between them.
    const CONTEXT: usize = 6;
    let (head, tail) = (if first { 0 } else { CONTEXT }, if last { 0 } else { CONTEXT });
    if slices.len() <= head + tail + 1 {
        return slices.concat();
    }
    let middle = match (first, last) {
        (true, _) => "... ",
        (_, true) => " ...",
        _ => " ... ",
    };
    format!(
        "{}{middle}{}",
        slices[..head].concat().trim_end(),
        slices[slices.len() - tail..].concat().trim_start()
    )
}

/// Indents every line, which makes a block of code in Markdown, whatever the text has in it.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn or_empty(text: &str) -> &str {
    if text.is_empty() { "(empty)" } else { text }
}

fn name(subject: Subject) -> String {
    match subject {
        Subject::Registry => "registry".to_owned(),
        Subject::Table(number) => format!("table {number}"),
        Subject::Class(class) => format!("{class}.XXX.YYY"),
        Subject::Subject(subject) => format!("X.{subject}.YYY"),
        Subject::Status(status) => status.to_string(),
    }
}

fn is_there(registry: &Registry, subject: Subject) -> bool {
    match subject {
        Subject::Registry | Subject::Table(_) => true,
        Subject::Class(class) => registry.classes.rows.iter().any(|row| row.key == class),
        Subject::Subject(subject) => registry.subjects.rows.iter().any(|row| row.key == subject),
        Subject::Status(status) => registry.status(status).is_some(),
    }
}

/// Returns whether the description says so or the sample text is missing. The registry has no column for deprecation.
fn is_deprecated(registry: &Registry, status: Status) -> bool {
    let row = registry.status(status).map(|row| &row.record);
    row.is_some_and(|record| record.sample.text.is_empty() || record.description.text.contains("deprecated"))
}
