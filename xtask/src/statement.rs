//! The statements of an RFC: its sentences with a requirement word.
//!
//! An RFC's plain text is split into sections, paragraphs and sentences. Each sentence with a word such as MUST gets an
//! identifier: `5321#4.1.1.4/3` is the third one of RFC 5321, section 4.1.1.4. The register keeps a [`Statement::hash`]
//! next to each identifier, so that it notices if the splitting, or the text, assigns the identifier to another sentence.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::iter;

use anyhow::Result;
use regex::Regex;
use sha2::{Digest as _, Sha256};

/// The requirement words of RFC 2119.
const WORDS: &str =
    "MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|MAY NOT|MAY|REQUIRED|RECOMMENDED|OPTIONAL";
/// RFCs that write requirements in lower case, although a capital MUST occurs in them.
const LOWER_CASE: [u32; 11] = [821, 1652, 1845, 1846, 1854, 1869, 1870, 1891, 1985, 2033, 2034];
/// The length, in characters, from which a numbered line is text and not the title of a section.
const LONGEST_TITLE: usize = 75;

/// A sentence with a requirement word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The RFC's number, the section, and the number of the statement in that section: `5321#4.1.1.4/3`.
    pub id: String,
    /// The requirement words, each once, in the order of the sentence.
    pub words: Vec<String>,
    /// The sentence on one line. It is the RFC's text: it is shown, and never stored.
    pub sentence: String,
}

impl Statement {
    /// Returns the section: `4.1.1.4`.
    pub fn section(&self) -> &str {
        section_of(&self.id)
    }

    /// Returns 16 hexadecimal digits that depend on the letters and digits of the sentence, and on nothing else.
    pub fn hash(&self) -> String {
        let normalised: String = self.sentence.chars().filter(char::is_ascii_alphanumeric).collect();
        let digest = Sha256::digest(normalised.as_bytes());
        digest.iter().take(8).fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
    }
}

/// Returns the section of an identifier.
pub fn section_of(id: &str) -> &str {
    let place = id.split_once('#').map_or("", |(_, place)| place);
    place.split('/').next().unwrap_or_default()
}

/// Splits RFCs into statements.
#[derive(Debug)]
pub struct Splitter {
    foot: Regex,
    head: Regex,
    top: Regex,
    contents: Regex,
    title: Regex,
    end_of_sentence: Regex,
    must: Regex,
    capitals: Regex,
    any_case: Regex,
}

impl Splitter {
    /// Compiles the patterns.
    pub fn new() -> Result<Splitter> {
        let lower_case = WORDS.to_lowercase();
        Ok(Splitter {
            foot: Regex::new(r"\[Page \d+\]\s*$")?,
            head: Regex::new(r"^RFC \d+ .* (19|20)\d\d\s*$")?,
            top: Regex::new(r"^RFC\s*\d+")?,
            contents: Regex::new(r"(\. ?){4,}\s*\d+\s*$")?,
            title: Regex::new(r"^(\d+(?:\.\d+)*)\.?\s{1,6}(\S.*)$")?,
            end_of_sentence: Regex::new(r#"[a-z0-9)\]>"'][.;] [A-Z"'(<]"#)?,
            must: Regex::new(r"\bMUST\b")?,
            capitals: Regex::new(&format!(r"\b(?:{WORDS})\b"))?,
            any_case: Regex::new(&format!(r"\b(?:{WORDS}|{lower_case})\b"))?,
        })
    }

    /// Returns the statements of an RFC, from its plain text.
    pub fn statements(&self, number: u32, text: &str) -> Vec<Statement> {
        let rows = self.rows(text);
        let has_capitals = rows.iter().any(|row| self.must.is_match(row));
        let word =
            if has_capitals && !LOWER_CASE.contains(&number) { &self.capitals } else { &self.any_case };
        let mut found = Vec::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut section = "0";
        let mut paragraph = String::new();
        for row in rows.into_iter().chain(iter::once("")) {
            let title = self.section(row);
            if title.is_none() && !row.trim().is_empty() {
                paragraph.push_str(row);
                paragraph.push('\n');
                continue;
            }
            for sentence in self.sentences(&paragraph) {
                let words = words(word, &sentence);
                // The paragraph that explains the words.
                if words.is_empty() || sentence.contains("key words") {
                    continue;
                }
                let count = counts.entry(section).or_default();
                *count += 1;
                found.push(Statement { id: format!("{number}#{section}/{count}"), words, sentence });
            }
            paragraph.clear();
            section = title.unwrap_or(section);
        }
        found
    }

    /// Returns the lines of the text without the heads and feet of pages, and without the table of contents.
    fn rows<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut rows: Vec<&str> = Vec::new();
        for (position, page) in text.split('\u{c}').enumerate() {
            let is_first = position == 0;
            let mut body: Vec<&str> = page.lines().collect();
            if !is_first && body.first().is_some_and(|row| self.top.is_match(row.trim())) {
                body.remove(0);
            }
            body.retain(|row| !self.foot.is_match(row) && (is_first || !self.head.is_match(row)));
            let begin = body.iter().position(|row| !row.is_empty()).unwrap_or(body.len());
            let end = body.iter().rposition(|row| !row.is_empty()).map_or(begin, |last| last + 1);
            // A paragraph that a page break cuts goes on without a blank line.
            let is_cut = rows
                .last()
                .is_some_and(|last| !last.trim().is_empty() && !last.trim_end().ends_with(['.', ':', ';']));
            if !is_cut {
                rows.push("");
            }
            rows.extend(&body[begin..end]);
        }
        rows.retain(|row| !self.contents.is_match(row));
        rows
    }

    /// Returns the number of the section that begins with this line, if one does.
    fn section<'t>(&self, row: &'t str) -> Option<&'t str> {
        let title = self.title.captures(row)?;
        let (number, words) = (title.get(1)?.as_str(), title.get(2)?.as_str());
        let is_title = words.chars().count() < LONGEST_TITLE && !words.starts_with(char::is_lowercase);
        is_title.then_some(number)
    }

    /// Splits a paragraph after a full stop or a semicolon that follows a word and precedes what can begin a sentence.
    fn sentences(&self, paragraph: &str) -> Vec<String> {
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut sentences = Vec::new();
        let mut begin = 0;
        while let Some(end) = self.end_of_sentence.find_at(&text, begin) {
            // A match ends with the blank and the first character of the next sentence.
            sentences.push(text[begin..end.end() - 2].to_owned());
            begin = end.end() - 1;
        }
        sentences.push(text[begin..].to_owned());
        sentences
    }
}

/// Returns the words of a sentence, each once.
fn words(word: &Regex, sentence: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for found in word.find_iter(sentence) {
        if !words.iter().any(|word| word == found.as_str()) {
            words.push(found.as_str().to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    /// Returns the identifier, the words and the sentence of each statement.
    fn of(text: &str) -> Vec<(String, String, String)> {
        let statements = Splitter::new().unwrap().statements(9999, text);
        statements.into_iter().map(|found| (found.id, found.words.join(", "), found.sentence)).collect()
    }

    fn row(id: &str, words: &str, sentence: &str) -> (String, String, String) {
        (id.to_owned(), words.to_owned(), sentence.to_owned())
    }

    #[test]
    fn sentences_with_a_requirement_word_are_numbered_in_their_section() {
        let text = "\
1.  Introduction .................... 2

1.  Introduction

   The key words \"MUST\" and \"MAY\" have a meaning.  A cat MUST purr.
   It is grey.

2.1.  Dogs

   A dog MUST NOT purr; It SHOULD bark (loudly).  It MAY
   sleep, and it MUST eat, and MUST drink.
";
        let found = [
            row("9999#1/1", "MUST", "A cat MUST purr."),
            row("9999#2.1/1", "MUST NOT", "A dog MUST NOT purr;"),
            row("9999#2.1/2", "SHOULD", "It SHOULD bark (loudly)."),
            row("9999#2.1/3", "MAY, MUST", "It MAY sleep, and it MUST eat, and MUST drink."),
        ];
        assert_eq!(of(text), found);
    }

    #[test]
    fn a_paragraph_goes_on_after_a_page_break() {
        let text = "\
3.  Pages

   A page that ends within a sentence

Doe                  Standards Track           [Page 1]
\u{c}
RFC 9999             Pages                April 2026

   MUST go on.  It MUST NOT
   be cut.
";
        let found = [
            row("9999#3/1", "MUST", "A page that ends within a sentence MUST go on."),
            row("9999#3/2", "MUST NOT", "It MUST NOT be cut."),
        ];
        assert_eq!(of(text), found);
    }

    #[test]
    fn lower_case_counts_only_in_texts_without_capitals() {
        let lower = "1. Old\n\n   A server must answer.  It may be late.\n";
        let found =
            [row("9999#1/1", "must", "A server must answer."), row("9999#1/2", "may", "It may be late.")];
        assert_eq!(of(lower), found);
        let upper = "1. New\n\n   A server MUST answer.  It may be late.\n";
        assert_eq!(of(upper), [row("9999#1/1", "MUST", "A server MUST answer.")]);
    }

    #[test]
    fn a_hash_depends_on_letters_and_digits_only() {
        let hash = |text: &str| {
            let text = format!("1. A\n\n   {text}\n");
            Splitter::new().unwrap().statements(9999, &text)[0].hash()
        };
        assert_eq!(hash("A less-capable server MUST wait."), hash("A less-\n   capable server, MUST wait"));
        assert_ne!(hash("A server MUST wait."), hash("A server must wait, and MUST go."));
        assert_eq!(hash("A server MUST wait."), "bd0455bd4ce07d55");
    }
}
