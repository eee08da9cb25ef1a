//! The rules of KumoMTA's bounce classifier.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, Toml, TomlComment, TomlString, Word};
use super::{Head, Product, escape_all};
use crate::advice::Subject;
use crate::category::Category;
use crate::code::{Class, Status};
use crate::meaning::Meanings;
use crate::model::Model;

/// The taxonomy of the labels.
const TAXONOMY: &str = "kumomta";
/// The label that KumoMTA gives to a reply that no rule matches. A rule with it would hide the rules of later files.
const NO_LABEL: &str = "Uncategorized";

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    Ok(vec![Product::new("kumomta/iana.toml", &Rules::new(model))?])
}

#[derive(Template)]
#[template(path = "kumomta/iana.toml")]
struct Rules {
    head: Head<TomlComment>,
    labels: Vec<Label>,
}

struct Label {
    name: Escaped<Word<Toml>>,
    patterns: Vec<Escaped<TomlString>>,
}

impl Rules {
    fn new(model: &Model) -> Self {
        let mut patterns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let meanings = Meanings::new(&model.explanation);
        for meaning in meanings.iter() {
            let Subject::Row(status, class) = meaning.subject else { continue };
            for (label, codes) in labels(&meanings, status, class, meaning.category) {
                patterns.entry(label).or_default().push(pattern(&codes, status, class));
            }
        }
        let labels = patterns
            .into_iter()
            .map(|(name, patterns)| Label { name: Escaped::new(name), patterns: escape_all(patterns) });
        Rules { head: Head::of_advice("kumomta"), labels: labels.collect() }
    }
}

/// Returns the labels of a row with a class, each with the last two digits of its reply codes. No reply code has two
/// labels.
fn labels<'a>(
    meanings: &Meanings<'a>,
    status: Status,
    class: Class,
    category: &'a Category,
) -> BTreeMap<&'a str, BTreeSet<u16>> {
    let mut by_code: BTreeMap<u16, Option<&str>> = (0..100).map(|digits| (digits, label(category))).collect();
    for meaning in meanings.iter() {
        if let Subject::Pair(code, of, _) = meaning.subject
            && of == status
            && code.class() == Some(class)
        {
            by_code.insert(code.number() % 100, label(meaning.category));
        }
    }
    let mut labels: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for (digits, label) in by_code {
        if let Some(label) = label {
            labels.entry(label).or_default().insert(digits);
        }
    }
    labels
}

fn label(category: &Category) -> Option<&str> {
    category.names.get(TAXONOMY).map(String::as_str).filter(|label| *label != NO_LABEL)
}

/// Returns the pattern of replies with one of the reply codes, given by their last two digits, and the enhanced status
/// code. KumoMTA has a space after the enhanced status code, unless the reply has no text.
fn pattern(codes: &BTreeSet<u16>, status: Status, class: Class) -> String {
    format!(r"^{class}{} {class}\.{}\.{}( |$)", digits(codes), status.subject, status.detail)
}

/// Returns the pattern of the last two digits of reply codes.
fn digits(codes: &BTreeSet<u16>) -> String {
    // The last digits, and the digits before them that have these.
    let mut tens: BTreeMap<Vec<u16>, Vec<u16>> = BTreeMap::new();
    for ten in 0..10 {
        let last: Vec<u16> = (0..10).filter(|last| codes.contains(&(ten * 10 + last))).collect();
        if !last.is_empty() {
            tens.entry(last).or_default().push(ten);
        }
    }
    let alternatives: Vec<String> =
        tens.iter().map(|(last, tens)| format!("{}{}", one_of(tens), one_of(last))).collect();
    match alternatives.as_slice() {
        [alternative] => alternative.clone(),
        alternatives => format!("({})", alternatives.join("|")),
    }
}

/// Returns the pattern of one of these digits, which are in ascending order.
fn one_of(digits: &[u16]) -> String {
    match digits {
        [digit] => digit.to_string(),
        digits if digits.len() == 10 => r"\d".to_owned(),
        digits => {
            let runs: Vec<String> = digits.chunk_by(|before, after| before + 1 == *after).map(run).collect();
            format!("[{}]", runs.concat())
        }
    }
}

fn run(digits: &[u16]) -> String {
    match digits {
        [first, _, .., last] => format!("{first}-{last}"),
        digits => digits.iter().map(u16::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_short() {
        let without =
            |codes: &[u16]| -> BTreeSet<u16> { (0..100).filter(|code| !codes.contains(code)).collect() };
        assert_eq!(digits(&without(&[])), r"\d\d");
        assert_eq!(digits(&[52].into()), "52");
        assert_eq!(digits(&[50, 52].into()), "5[02]");
        assert_eq!(digits(&without(&[52])), r"([0-46-9]\d|5[013-9])");
    }
}
