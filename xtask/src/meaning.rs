//! Advice joined with its category: what a code means to whoever gets it, and what to do.

use std::collections::BTreeMap;

use crate::advice::{Advice, Subject};
use crate::category::{Action, Category};
use crate::code::{Class, Pair, Status};
use crate::explanation::Explanation;
use crate::model::Model;

/// An entry of the advice with its category.
#[derive(Clone, Copy, Debug)]
pub struct Meaning<'a> {
    /// What the entry is about.
    pub subject: Subject,
    /// The entry.
    pub advice: &'a Advice,
    /// The entry's category.
    pub category: &'a Category,
    /// What to do: what the entry says, or else what its category says for the class.
    pub action: Action,
}

/// The meanings of all codes.
#[derive(Clone, Debug)]
pub struct Meanings<'a> {
    meanings: BTreeMap<Subject, Meaning<'a>>,
}

impl<'a> Meanings<'a> {
    /// Joins the advice with the categories.
    pub fn new(explanation: &'a Explanation) -> Self {
        let meanings =
            explanation.advice.iter().filter_map(|advice| meaning(advice, &explanation.categories));
        Meanings { meanings: meanings.map(|meaning| (meaning.subject, meaning)).collect() }
    }

    /// Returns the meaning of a row with a class.
    pub fn row(&self, status: Status, class: Class) -> Option<&Meaning<'a>> {
        self.meanings.get(&Subject::Row(status, class))
    }

    /// Returns the meaning of a pair: its own, or else that of the row.
    pub fn pair(&self, pair: Pair) -> Option<&Meaning<'a>> {
        let own = self.meanings.get(&Subject::Pair(pair.reply_code, pair.status, pair.class));
        own.or_else(|| self.row(pair.status, pair.class))
    }

    /// Returns all meanings: rows, then pairs, then reply codes, then classes.
    pub fn iter(&self) -> impl Iterator<Item = &Meaning<'a>> {
        self.meanings.values()
    }

    /// Returns the meanings of rows with a class, each with its enhanced status code.
    pub fn rows(&self) -> impl Iterator<Item = (String, &Meaning<'a>)> {
        let rows = self.iter().filter(|meaning| matches!(meaning.subject, Subject::Row(..)));
        rows.filter_map(|meaning| Some((meaning.subject.enhanced_code()?, meaning)))
    }

    /// Returns the pairs of refusals that the registry lists, and those that mean something else than their row, in
    /// ascending order.
    pub fn pairs(&self, model: &Model) -> Vec<(Pair, &Meaning<'a>)> {
        let mut pairs = BTreeMap::new();
        for entry in &model.entries {
            for &reply_code in &entry.associated.codes {
                let Some(class) = reply_code.class() else { continue };
                let pair = Pair { reply_code, class, status: entry.status };
                if let Some(meaning) = self.pair(pair) {
                    pairs.insert((reply_code, entry.status), (pair, meaning));
                }
            }
        }
        for meaning in self.iter() {
            if let Subject::Pair(reply_code, status, class) = meaning.subject {
                pairs.insert((reply_code, status), (Pair { reply_code, class, status }, meaning));
            }
        }
        pairs.into_values().collect()
    }
}

fn meaning<'a>(advice: &'a Advice, categories: &'a [Category]) -> Option<Meaning<'a>> {
    let subject = advice.subject().ok()?;
    let category = categories.iter().find(|category| category.id == advice.category)?;
    let action = if subject.class()?.digit() == 4 { category.transient } else { category.permanent }?;
    let retry = advice.retry.unwrap_or(action.retry);
    let list = advice.list.unwrap_or(action.list);
    Some(Meaning { subject, advice, category, action: Action { retry, list } })
}
