//! The table of the library's module `suggest`.

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, Rust, RustComment, RustLiteral, Word};
use super::{Head, Product, class_name, escape_all};
use crate::model::Model;
use crate::situation::{self, Codes, Situation};

type RustWord = Escaped<Word<Rust>>;
type Literal = Escaped<RustLiteral>;

pub(super) fn product(model: &Model) -> Result<Product> {
    let rows = model.situations.iter().map(SituationRow::new).collect();
    Product::new("rust/suggest.rs", &Suggest { head: Head::of_situations("rust"), rows })
}

#[derive(Template)]
#[template(path = "rust/suggest.rs")]
struct Suggest {
    head: Head<RustComment>,
    rows: Vec<SituationRow>,
}

struct SituationRow {
    id: Literal,
    command: RustWord,
    title: Literal,
    best: SuggestionRow,
    alternatives: Vec<SuggestionRow>,
    avoid: Vec<MistakeRow>,
    note: Option<Literal>,
    sources: Vec<Literal>,
}

struct SuggestionRow {
    codes: CodesRow,
    level: RustWord,
    source: Literal,
}

struct MistakeRow {
    codes: CodesRow,
    reason: Literal,
}

struct CodesRow {
    reply_code: RustWord,
    /// Class, subject and detail.
    enhanced: Option<[RustWord; 3]>,
}

impl SituationRow {
    fn new(situation: &Situation) -> Self {
        let mistakes = situation.avoid.iter();
        SituationRow {
            id: Escaped::new(&situation.id),
            // The variants have the same names in both enumerations.
            command: Escaped::new(format!("{:?}", situation.command)),
            title: Escaped::new(&situation.title),
            best: SuggestionRow::new(&situation.send),
            alternatives: situation.alternatives.iter().map(SuggestionRow::new).collect(),
            avoid: mistakes
                .map(|mistake| MistakeRow {
                    codes: CodesRow::new(mistake.codes),
                    reason: Escaped::new(&mistake.reason),
                })
                .collect(),
            note: situation.note.as_ref().map(Escaped::new),
            sources: escape_all(&situation.sources),
        }
    }
}

impl SuggestionRow {
    fn new(suggestion: &situation::Suggestion) -> Self {
        SuggestionRow {
            codes: CodesRow::new(suggestion.codes),
            level: Escaped::new(format!("{:?}", suggestion.level)),
            source: Escaped::new(&suggestion.source),
        }
    }
}

impl CodesRow {
    fn new(codes: Codes) -> Self {
        CodesRow {
            reply_code: Escaped::new(codes.reply_code),
            enhanced: codes.enhanced.map(|(class, status)| {
                [Escaped::new(class_name(class)), Escaped::new(status.subject), Escaped::new(status.detail)]
            }),
        }
    }
}
