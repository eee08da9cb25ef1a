//! `docs/coverage.md`: what the suite does about each requirement that binds servers.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use askama::Template;

use crate::register::{Answer, Document, Party, Reason, Register, Requirement};
use crate::render::escape::{Escaped, Markdown, MarkdownText, MarkdownUrl, Word};
use crate::suite::Suite;

/// The page, relative to the project's root.
pub const PATH: &str = "docs/coverage.md";
/// The reason of requirements that permit something.
const PERMISSION: &str = "permission";

type Text = Escaped<MarkdownText>;
type Url = Escaped<MarkdownUrl>;
type MarkdownWord = Escaped<Word<Markdown>>;
type Number = MarkdownWord;

/// Renders the page.
pub fn render(register: &Register, suite: &Suite) -> Result<String> {
    let mut page = Page::new(register, suite).render().context("docs/coverage.md cannot be rendered")?;
    page.push('\n');
    Ok(page)
}

#[derive(Template)]
#[template(path = "docs/coverage.md")]
struct Page {
    total: Cells,
    others: Number,
    documents: Vec<Chapter>,
    reasons: Vec<(Text, Text, Number)>,
}

/// An RFC.
struct Chapter {
    name: Text,
    anchor: MarkdownWord,
    title: Text,
    others: Number,
    total: Cells,
    sections: Vec<(Text, Url, Cells)>,
    rows: Vec<Row>,
}

/// A requirement that binds servers.
struct Row {
    id: Text,
    anchor: MarkdownWord,
    url: Url,
    strength: Text,
    asks: Text,
    answer: Vec<Text>,
    remarks: Vec<Text>,
}

/// A tally as it is printed.
struct Cells {
    all: Number,
    judged: Number,
    provoked: Number,
    permissions: Number,
    unseen: Number,
    not_yet: Number,
    /// Why some cannot be seen: `2 inside, 1 time`.
    why: Text,
}

/// How many requirements there are, and what becomes of them.
#[derive(Clone, Default)]
struct Tally {
    all: usize,
    judged: usize,
    provoked: usize,
    permissions: usize,
    not_yet: usize,
    /// How many cannot be seen, by reason.
    unseen: BTreeMap<String, usize>,
}

impl Tally {
    fn of<'r>(answers: impl Iterator<Item = Answer<'r>>) -> Tally {
        let mut tally = Tally::default();
        for answer in answers {
            tally.all += 1;
            match answer {
                Answer::Judged { cases, .. } => {
                    tally.judged += 1;
                    tally.provoked += usize::from(!cases.is_empty());
                }
                Answer::Unseen(PERMISSION) => tally.permissions += 1,
                Answer::Unseen(reason) => *tally.unseen.entry(reason.to_owned()).or_default() += 1,
                Answer::NotYet(_) => tally.not_yet += 1,
            }
        }
        tally
    }

    fn unseen(&self) -> usize {
        self.unseen.values().sum()
    }

    fn cells(&self) -> Cells {
        let why: Vec<String> =
            self.unseen.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        Cells {
            all: Number::new(self.all),
            judged: Number::new(self.judged),
            provoked: Number::new(self.provoked),
            permissions: Number::new(self.permissions),
            unseen: Number::new(self.unseen()),
            not_yet: Number::new(self.not_yet),
            why: Text::new(why.join(", ")),
        }
    }
}

impl Page {
    fn new(register: &Register, suite: &Suite) -> Page {
        let binding: Vec<&Requirement> =
            register.requirements.iter().filter(|row| row.binds(Party::Server)).collect();
        let total = Tally::of(binding.iter().map(|row| register.answer(row, suite)));
        let reasons = register.reasons.iter().filter_map(|Reason { id, text }| {
            let count = if id == PERMISSION { total.permissions } else { *total.unseen.get(id)? };
            Some((Text::new(id), Text::new(text), Number::new(count)))
        });
        Page {
            others: Number::new(register.requirements.len() - binding.len()),
            documents: register.documents.iter().map(|rfc| Chapter::new(rfc, register, suite)).collect(),
            reasons: reasons.collect(),
            total: total.cells(),
        }
    }
}

impl Chapter {
    fn new(document: &Document, register: &Register, suite: &Suite) -> Chapter {
        let all: Vec<&Requirement> =
            register.requirements.iter().filter(|row| row.rfc() == document.rfc).collect();
        let binding: Vec<&Requirement> = all.iter().copied().filter(|row| row.binds(Party::Server)).collect();
        let tally =
            |rows: &[&Requirement]| Tally::of(rows.iter().map(|row| register.answer(row, suite))).cells();
        let sections = binding.chunk_by(|one, other| one.section() == other.section());
        let sections =
            sections.map(|rows| (Text::new(rows[0].section()), url(rows[0]), tally(rows))).collect();
        Chapter {
            name: Text::new(format_args!("RFC {}", document.rfc)),
            anchor: MarkdownWord::new(format_args!("rfc{}", document.rfc)),
            title: Text::new(&document.title),
            others: Number::new(all.len() - binding.len()),
            total: tally(&binding),
            sections,
            rows: binding.iter().map(|row| Row::new(row, register, suite)).collect(),
        }
    }
}

impl Row {
    fn new(requirement: &Requirement, register: &Register, suite: &Suite) -> Row {
        let answer = match register.answer(requirement, suite) {
            Answer::Judged { rules, cases } => {
                let mut parts: Vec<String> = rules.iter().map(ToString::to_string).collect();
                if cases.is_empty() {
                    parts.push("(no case provokes it)".to_owned());
                }
                parts
            }
            Answer::Unseen(reason) => vec![format!("cannot be seen: {reason}")],
            Answer::NotYet(test) => vec![format!("not yet: {test}")],
        };
        let mut remarks = Vec::new();
        if let Some(id) = requirement.same_as() {
            remarks.push(format!("The same as {id}."));
        }
        for remark in [&requirement.strength_reason, &requirement.note].into_iter().flatten() {
            remarks.push(remark.clone());
        }
        if let Some(bis) = &requirement.bis {
            remarks.push(format!("RFC 5321bis: {bis}"));
        }
        Row {
            id: Text::new(&requirement.id),
            anchor: MarkdownWord::new(anchor(&requirement.id)),
            url: url(requirement),
            strength: Text::new(requirement.strength().word()),
            asks: Text::new(&requirement.asks),
            answer: answer.into_iter().map(Text::new).collect(),
            remarks: remarks.into_iter().map(Text::new).collect(),
        }
    }
}

/// Returns the anchor of a requirement on the page: `5321-4.1.1.4-3`.
fn anchor(id: &str) -> String {
    id.replace(['#', '/'], "-")
}

fn url(requirement: &Requirement) -> Url {
    let (rfc, section) = (requirement.rfc(), requirement.section());
    let place = if section == "0" { String::new() } else { format!("#section-{section}") };
    Url::new(format_args!("https://www.rfc-editor.org/rfc/rfc{rfc}{place}"))
}
