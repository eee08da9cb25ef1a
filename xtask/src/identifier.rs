//! Proposes identifiers for new rows.
//!
//! The rule: the prefix of the subject's other identifiers, and the words of the sample text without articles and
//! forms of "to be" and "to have". If that is too long, long words get the abbreviations of the existing identifiers,
//! and then prepositions go. If it is still too long, a part of the text that says something by itself is taken: the
//! first clause, or "no" and what follows it. If that does not fit either, or is taken, the identifier is the row's
//! number, as in `X_7_31`. A word or a phrase is never cut.

use std::collections::BTreeSet;

use crate::annotation::{Annotations, MAX_IDENTIFIER};
use crate::code::Status;
use crate::symbols::Symbols;

/// The identifiers that are taken, and those given to new rows.
pub struct Names<'a> {
    annotations: &'a Annotations,
    symbols: &'a Symbols,
    given: BTreeSet<String>,
}

impl Names<'_> {
    /// Starts with the identifiers of the annotations and those ever published.
    pub fn new<'a>(annotations: &'a Annotations, symbols: &'a Symbols) -> Names<'a> {
        Names { annotations, symbols, given: BTreeSet::new() }
    }

    /// Returns the identifier that the row was published with, or one that was never used.
    pub fn give(&mut self, status: Status, sample: &str) -> String {
        let name = match self.symbols.identifier(status) {
            Some(published) => published.to_owned(),
            None => self.new_name(status, sample),
        };
        self.given.insert(name.clone());
        name
    }

    fn new_name(&self, status: Status, sample: &str) -> String {
        let sibling = self.annotations.rows.values().find(|row| row.code.subject == status.subject);
        let prefix = sibling.and_then(|row| row.identifier.split_once('_'));
        let prefix = prefix.map_or_else(|| format!("X{}", status.subject), |(prefix, _)| prefix.to_owned());
        let phrase =
            phrases(sample).into_iter().find(|phrase| prefix.len() + 1 + phrase.len() <= MAX_IDENTIFIER);
        let mut name = match phrase.map(|phrase| format!("{prefix}_{phrase}")) {
            Some(name) if !self.is_taken(&name) => name,
            _ => format!("X_{}_{}", status.subject, status.detail),
        };
        while self.is_taken(&name) {
            name.push('_');
        }
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        self.given.contains(name)
            || self.symbols.has(name)
            || self.annotations.rows.values().any(|row| row.identifier == name)
    }
}

/// Returns what may follow the prefix, the best first.
fn phrases(sample: &str) -> Vec<String> {
    let whole = words(sample);
    let clause = words(sample.split([',', ';', ':', '(']).next().unwrap_or_default());
    let parts = [clause.as_slice(), negation(&clause)];
    // One word of several is not what the text says.
    let parts = parts.into_iter().flat_map(forms).filter(|phrase| phrase.contains('_'));
    forms(&whole).into_iter().filter(|phrase| !phrase.is_empty()).chain(parts).collect()
}

fn words(text: &str) -> Vec<String> {
    let text = text.replace("'s ", " ").replace("n't", "nt").to_ascii_uppercase();
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the words without those that say little, then shorter and shorter.
fn forms(words: &[String]) -> Vec<String> {
    let without = |fillers: &[&str]| -> Vec<String> {
        words.iter().filter(|word| !fillers.contains(&word.as_str())).cloned().collect()
    };
    let plain = without(&ARTICLES_AND_VERBS);
    let bare = without(&[&ARTICLES_AND_VERBS[..], &PREPOSITIONS[..]].concat());
    let short = |words: &[String]| words.iter().map(abbreviated).collect::<Vec<_>>().join("_");
    vec![plain.join("_"), short(&plain), short(&bare)]
}

/// Returns "no" and what it denies, as in "no STARTTLS". "No more" and "no longer" deny what stands before them.
fn negation(clause: &[String]) -> &[String] {
    let at = clause.windows(2).position(|pair| pair[0] == "NO" && pair[1] != "MORE" && pair[1] != "LONGER");
    at.and_then(|at| clause.get(at..)).unwrap_or_default()
}

fn abbreviated(word: &String) -> String {
    let known = ABBREVIATIONS.iter().find(|(long, _)| long == word);
    known.map_or_else(|| word.clone(), |(_, short)| (*short).to_owned())
}

const ARTICLES_AND_VERBS: [&str; 14] =
    ["A", "AN", "THE", "THIS", "THAT", "IS", "ARE", "WAS", "WERE", "BE", "BEEN", "HAS", "HAVE", "CAN"];
const PREPOSITIONS: [&str; 10] = ["OF", "ON", "IN", "FOR", "TO", "BY", "AT", "WITH", "FROM", "AND"];

/// The abbreviations of the existing identifiers.
const ABBREVIATIONS: [(&str, &str); 16] = [
    ("ADDRESS", "ADDR"),
    ("ADDRESSES", "ADDRS"),
    ("AUTHENTICATION", "AUTH"),
    ("CHANGED", "CHG"),
    ("CONVERSION", "CONV"),
    ("CRYPTOGRAPHIC", "CRYPTO"),
    ("DESTINATION", "DEST"),
    ("MAILBOX", "MBOX"),
    ("MESSAGE", "MSG"),
    ("MESSAGES", "MSGS"),
    ("PASSWORD", "PASSWD"),
    ("PRIORITY", "PRIO"),
    ("RECIPIENT", "RCPT"),
    ("RECIPIENTS", "RCPTS"),
    ("SYSTEM", "SYS"),
    ("UNSUPPORTED", "UNSUPP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(subject: u16, sample: &str) -> String {
        let toml = "[[row]]\ncode = \"X.4.1\"\nidentifier = \"NET_NO_ANSWER\"\nclasses = [4]\nbasis = \"b\"\nsource = \"s\"\n";
        let file = crate::data_file::DataFile::new(std::path::Path::new("annotations.toml"), toml);
        let annotations = Annotations::read(&file).unwrap();
        Names::new(&annotations, &Symbols::default()).give(Status { subject, detail: 31 }, sample)
    }

    #[test]
    fn no_phrase_is_cut() {
        for (sample, expected) in [
            ("Mailbox full", "NET_MAILBOX_FULL"),
            ("The address is new", "NET_ADDRESS_NEW"),
            ("Sender address is on a list", "NET_SENDER_ADDR_LIST"),
            ("Message length has changed", "NET_MSG_LENGTH_CHG"),
            ("Next hop offers no STARTTLS", "NET_NO_STARTTLS"),
            ("Next hop offers STARTTLS no longer", "X_4_31"),
            ("Sender's system unknown", "NET_SENDER_SYS_UNKNOWN"),
            ("Routing failed, because of something that nobody knows", "NET_ROUTING_FAILED"),
            ("Supercalifragilistic, no route", "X_4_31"),
            ("A new, very long text that says too much", "X_4_31"),
            ("No answer", "X_4_31"),
            ("\u{221e}", "X_4_31"),
        ] {
            assert_eq!(name(4, sample), expected, "{sample}");
            assert!(name(4, sample).len() <= MAX_IDENTIFIER, "{sample}");
        }
        assert_eq!(name(8, "Other"), "X8_OTHER");
    }
}
