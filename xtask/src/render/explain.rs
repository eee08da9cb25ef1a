//! The tables of the Rust library's module `explain`: categories, advice, patterns and vendors.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use askama::Template;

use super::escape::{Escaped, Rust, RustComment, RustDoc, RustLiteral, Word};
use super::{Head, Product};
use crate::advice::{Advice, Stage, Subject};
use crate::category::{Action, Category, ListAction, Retry};
use crate::code::{Class, Status};
use crate::explanation::Explanation;
use crate::model::Model;
use crate::phrase::Phrase;
use crate::vendor::{Place, StatusRange, Vendor, VendorReply};

type RustWord = Escaped<Word<Rust>>;
type Literal = Escaped<RustLiteral>;

pub(super) fn product(model: &Model) -> Result<Product> {
    Product::new("rust/explain.rs", &Explain::new(model)?)
}

#[derive(Template)]
#[template(path = "rust/explain.rs")]
struct Explain {
    head: Head<RustComment>,
    categories: Vec<CategoryRow>,
    advice: Vec<AdviceRow>,
    rows: Vec<[RustWord; 2]>,
    pairs: Vec<[RustWord; 4]>,
    reply_codes: Vec<StageRow>,
    classes: Vec<StageRow>,
    patterns: Vec<PatternRow>,
    phrases: Vec<PhraseRow>,
    quotations: Vec<RustWord>,
    ends: Vec<RustWord>,
    asides: Vec<RustWord>,
    outcomes: Vec<[RustWord; 2]>,
    commands: Vec<[RustWord; 2]>,
    vendors: Vec<VendorRow>,
    marks: Vec<[RustWord; 3]>,
}

struct CategoryRow {
    variant: RustWord,
    meaning_doc: Escaped<RustDoc>,
    id: Literal,
    meaning: Literal,
    sender: Literal,
    administrator: Literal,
    matter: RustWord,
    wait: Option<Literal>,
    transient: Option<[RustWord; 2]>,
    permanent: Option<[RustWord; 2]>,
    names: Vec<[Literal; 2]>,
}

struct AdviceRow {
    category: RustWord,
    retry: Option<RustWord>,
    list: Option<RustWord>,
    disputed: RustWord,
    happened: Literal,
    sender: Literal,
    administrator: Literal,
}

/// Advice for a reply code or a class at a stage.
struct StageRow {
    subject: RustWord,
    stage: Option<RustWord>,
    position: RustWord,
}

struct PatternRow {
    text: Literal,
    place: RustWord,
}

struct PhraseRow {
    pattern: RustWord,
    rank: RustWord,
    category: RustWord,
    class: Option<RustWord>,
    stages: RustWord,
}

struct VendorRow {
    id: Literal,
    name: Literal,
    source: Literal,
    seen: Literal,
    hosts: Vec<Literal>,
    replies: Vec<ReplyRow>,
}

struct ReplyRow {
    reply_code: Option<RustWord>,
    status: Option<[RustWord; 4]>,
    pattern: Option<RustWord>,
    category: RustWord,
    meaning: Literal,
    source: Literal,
    seen: Literal,
}

impl Explain {
    fn new(model: &Model) -> Result<Explain> {
        let Explanation { categories, advice, vendors, phrases } = &model.explanation;
        let index = Index::new(advice)?;
        let mut patterns = Patterns::default();
        // The patterns are numbered in this order, so that the first phrase has the lowest number.
        let phrase_rows = phrase_rows(&phrases.meanings, &mut patterns);
        let quotations = numbers(&phrases.quotations, &mut patterns);
        let ends = numbers(&phrases.ends, &mut patterns);
        let asides = numbers(&phrases.asides, &mut patterns);
        let mut outcomes = Vec::new();
        for (class, texts) in
            [("Transient", &phrases.outcomes.transient), ("Permanent", &phrases.outcomes.permanent)]
        {
            let numbers = numbers(texts, &mut patterns).into_iter();
            outcomes.extend(numbers.map(|number| [number, Escaped::new(class)]));
        }
        let mut commands = Vec::new();
        for (stage, texts) in &phrases.commands {
            let numbers = numbers(texts, &mut patterns).into_iter();
            commands.extend(numbers.map(|number| [number, stage_name(*stage)]));
        }
        let marks = marks(vendors, &mut patterns);
        let vendors_rows = vendors.iter().map(|vendor| VendorRow::new(vendor, &mut patterns)).collect();
        Ok(Explain {
            head: Head::new(
                "rust",
                ["Source: registry/categories.toml, advice.toml, phrases.toml, vendors.toml.".to_owned()],
                "",
            ),
            categories: categories.iter().map(CategoryRow::new).collect(),
            advice: advice.iter().map(|advice| AdviceRow::new(advice, vendors)).collect(),
            rows: model.entries.iter().map(|entry| index.row(entry.status)).collect::<Result<_>>()?,
            pairs: index.pairs(),
            reply_codes: index.reply_codes(),
            classes: index.classes(),
            phrases: phrase_rows,
            quotations,
            ends,
            asides,
            outcomes,
            commands,
            vendors: vendors_rows,
            marks,
            patterns: patterns.rows,
        })
    }
}

/// The positions of the entries of advice, by what they are about.
struct Index(BTreeMap<Subject, usize>);

impl Index {
    fn new(advice: &[Advice]) -> Result<Index> {
        let entries = advice.iter().enumerate();
        Ok(Index(entries.map(|(position, advice)| Ok((advice.subject()?, position))).collect::<Result<_>>()?))
    }

    /// Returns the advice for the classes 4 and 5 of a row.
    fn row(&self, status: Status) -> Result<[RustWord; 2]> {
        let position = |class: Class| {
            let position = self.0.get(&Subject::Row(status, class));
            position.with_context(|| format!("{status} has no advice for class {class}"))
        };
        let [_, transient, permanent] = Class::ALL;
        Ok([Escaped::new(position(transient)?), Escaped::new(position(permanent)?)])
    }

    fn pairs(&self) -> Vec<[RustWord; 4]> {
        let mut rows = Vec::new();
        for (subject, position) in &self.0 {
            if let Subject::Pair(code, status, _) = subject {
                let cells = [code.number(), status.subject, status.detail];
                let [code, subject, detail] = cells.map(Escaped::new);
                rows.push([code, subject, detail, Escaped::new(position)]);
            }
        }
        rows
    }

    fn reply_codes(&self) -> Vec<StageRow> {
        let mut rows = Vec::new();
        for (subject, position) in &self.0 {
            if let Subject::ReplyCode(code, stage) = subject {
                rows.push(StageRow::new(Escaped::new(code), *stage, *position));
            }
        }
        rows
    }

    fn classes(&self) -> Vec<StageRow> {
        let mut rows = Vec::new();
        for (subject, position) in &self.0 {
            if let Subject::Class(class, stage) = subject {
                rows.push(StageRow::new(Escaped::new(class_name(*class)), *stage, *position));
            }
        }
        rows
    }
}

impl StageRow {
    fn new(subject: RustWord, stage: Stage, position: usize) -> StageRow {
        let stage = (stage != Stage::Any).then(|| stage_name(stage));
        StageRow { subject, stage, position: Escaped::new(position) }
    }
}

/// The distinct patterns, in lower case, in the order in which they were numbered.
#[derive(Default)]
struct Patterns {
    numbers: BTreeMap<(String, Place), usize>,
    rows: Vec<PatternRow>,
}

impl Patterns {
    fn number(&mut self, text: &str, place: Place) -> usize {
        let text = text.to_ascii_lowercase();
        let next = self.rows.len();
        let number = *self.numbers.entry((text.clone(), place)).or_insert(next);
        if number == next {
            self.rows
                .push(PatternRow { text: Escaped::new(text), place: Escaped::new(format!("{place:?}")) });
        }
        number
    }
}

fn numbers(texts: &[String], patterns: &mut Patterns) -> Vec<RustWord> {
    texts.iter().map(|text| Escaped::new(patterns.number(text, Place::Anywhere))).collect()
}

/// Returns the phrases by pattern, each with its rank.
fn phrase_rows(phrases: &[Phrase], patterns: &mut Patterns) -> Vec<PhraseRow> {
    let mut rows = Vec::new();
    for phrase in phrases {
        // The library has no stage for any command.
        let stages = phrase.stages.iter().filter(|stage| **stage != Stage::Any);
        let stages: u16 = stages.map(|stage| 1 << (*stage as u8 - 1)).sum();
        for text in &phrase.texts {
            let (pattern, rank) = (patterns.number(text, Place::Anywhere), rows.len());
            let row = PhraseRow {
                pattern: Escaped::new(pattern),
                rank: Escaped::new(rank),
                category: Escaped::new(variant(&phrase.category)),
                class: phrase.class.map(|class| Escaped::new(class_name(class))),
                stages: Escaped::new(stages),
            };
            rows.push((pattern, row));
        }
    }
    rows.sort_by_key(|(pattern, _)| *pattern);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Returns the marks of all vendors, by pattern: pattern, vendor, and whether the mark is sure.
fn marks(vendors: &[Vendor], patterns: &mut Patterns) -> Vec<[RustWord; 3]> {
    let mut marks = Vec::new();
    for (index, vendor) in vendors.iter().enumerate() {
        let of_vendor = vendor.marks.iter();
        marks.extend(of_vendor.map(|mark| (patterns.number(&mark.text, mark.place), index, mark.sure)));
    }
    marks.sort_unstable();
    let row = |(pattern, vendor, sure)| [Escaped::new(pattern), Escaped::new(vendor), Escaped::new(sure)];
    marks.into_iter().map(row).collect()
}

impl CategoryRow {
    fn new(category: &Category) -> CategoryRow {
        let action = |action: Action| [Escaped::new(retry(action.retry)), Escaped::new(list(action.list))];
        CategoryRow {
            variant: Escaped::new(variant(&category.id)),
            meaning_doc: Escaped::new(&category.meaning),
            id: Escaped::new(&category.id),
            meaning: Escaped::new(&category.meaning),
            sender: Escaped::new(&category.sender),
            administrator: Escaped::new(&category.administrator),
            matter: Escaped::new(format!("{:?}", category.matter)),
            wait: category.wait.as_ref().map(Escaped::new),
            transient: category.transient.map(action),
            permanent: category.permanent.map(action),
            names: category.names.iter().map(|(key, name)| [Escaped::new(key), Escaped::new(name)]).collect(),
        }
    }
}

impl AdviceRow {
    fn new(advice: &Advice, vendors: &[Vendor]) -> AdviceRow {
        AdviceRow {
            category: Escaped::new(variant(&advice.category)),
            retry: advice.retry.map(|action| Escaped::new(retry(action))),
            list: advice.list.map(|action| Escaped::new(list(action))),
            disputed: Escaped::new(is_disputed(advice, vendors)),
            happened: Escaped::new(&advice.happened),
            sender: Escaped::new(&advice.sender),
            administrator: Escaped::new(&advice.administrator),
        }
    }
}

/// Returns whether a vendor means another category by the row and class, whatever its reply says.
pub(super) fn is_disputed(advice: &Advice, vendors: &[Vendor]) -> bool {
    let Ok(Subject::Row(status, class) | Subject::Pair(_, status, class)) = advice.subject() else {
        return false;
    };
    let mut replies = vendors.iter().flat_map(|vendor| &vendor.replies);
    replies.any(|reply| {
        let range = reply.status.as_deref().and_then(StatusRange::parse);
        reply.text.is_none()
            && reply.category != advice.category
            && range.is_some_and(|range| {
                range.class == class
                    && range.subject == status.subject
                    && (range.first..=range.last).contains(&status.detail)
            })
    })
}

impl VendorRow {
    fn new(vendor: &Vendor, patterns: &mut Patterns) -> VendorRow {
        VendorRow {
            id: Escaped::new(&vendor.id),
            name: Escaped::new(&vendor.name),
            source: Escaped::new(&vendor.source),
            seen: Escaped::new(&vendor.seen),
            hosts: vendor.hosts.iter().map(|host| Escaped::new(host.to_ascii_lowercase())).collect(),
            replies: vendor.replies.iter().map(|reply| ReplyRow::new(reply, patterns)).collect(),
        }
    }
}

impl ReplyRow {
    fn new(reply: &VendorReply, patterns: &mut Patterns) -> ReplyRow {
        let range = reply.status.as_deref().and_then(StatusRange::parse);
        let cells = |range: StatusRange| {
            let [subject, first, last] = [range.subject, range.first, range.last].map(Escaped::new);
            [Escaped::new(class_name(range.class)), subject, first, last]
        };
        ReplyRow {
            reply_code: reply.reply_code.map(Escaped::new),
            status: range.map(cells),
            pattern: reply.text.as_ref().map(|text| Escaped::new(patterns.number(text, Place::Anywhere))),
            category: Escaped::new(variant(&reply.category)),
            meaning: Escaped::new(&reply.meaning),
            source: Escaped::new(&reply.source),
            seen: Escaped::new(&reply.seen),
        }
    }
}

/// Returns the name of a category's variant: `no-such-recipient` is `NoSuchRecipient`.
fn variant(id: &str) -> String {
    let mut name = String::new();
    for word in id.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

fn retry(retry: Retry) -> String {
    format!("{retry:?}")
}

fn list(list: ListAction) -> String {
    format!("{list:?}")
}

fn stage_name(stage: Stage) -> RustWord {
    Escaped::new(format!("{stage:?}"))
}

fn class_name(class: Class) -> &'static str {
    match class.digit() {
        2 => "Success",
        4 => "Transient",
        _ => "Permanent",
    }
}
