//! The classes that a row's own words name.
//!
//! The registry has no column for classes. Many descriptions end in a sentence such as "useful only as a permanent
//! error"; this module reads those sentences, and leaves every other text to people.

use crate::code::{Class, Classes};

/// What a description says about classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The classes that it names.
    pub named: Classes,
    /// Whether other classes are possible: the text says "also" or "might".
    pub is_open: bool,
}

impl Claim {
    /// Reads a description. Returns `None` if it names no class.
    pub fn read(description: &str) -> Option<Claim> {
        let mut claim = Claim { named: Classes::default(), is_open: true };
        for sentence in description.to_ascii_lowercase().split([';', '.']) {
            let words: Vec<&str> = sentence
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            let named = named(&words);
            // What a negation excludes cannot be told from single words.
            if named.is_empty() || words.iter().any(|word| NEGATIONS.contains(word)) {
                continue;
            }
            named.iter().for_each(|class| claim.named.insert(class));
            claim.is_open &= words.iter().any(|word| OPEN.contains(word));
        }
        (!claim.named.is_empty()).then_some(claim)
    }

    /// Returns the classes on which an annotation and the text disagree.
    pub fn contradictions(self, classes: &[Class]) -> Vec<Class> {
        let differs = |class: &Class| match (self.named.contains(*class), classes.contains(class)) {
            (true, is_annotated) => !is_annotated,
            (false, is_annotated) => is_annotated && !self.is_open,
        };
        Class::ALL.into_iter().filter(differs).collect()
    }

    /// Returns the claim in words, to follow "its text": `names class 4 only`.
    pub fn in_words(self) -> String {
        let digits: Vec<String> = self.named.iter().map(|class| class.to_string()).collect();
        match digits.split_last() {
            Some((last, [])) if self.is_open => format!("names class {last} among others"),
            Some((last, [])) => format!("names class {last} only"),
            Some((last, rest)) => format!("names the classes {} and {last}", rest.join(", ")),
            None => "names no class".to_owned(),
        }
    }
}

const NEGATIONS: [&str; 4] = ["not", "never", "neither", "nor"];
const OPEN: [&str; 4] = ["also", "might", "possibly", "sometimes"];

fn named(words: &[&str]) -> Classes {
    let classes = words.iter().enumerate().filter_map(|(index, word)| {
        let next = words.get(index + 1).copied().unwrap_or_default();
        match *word {
            "permanent" => Class::new(5),
            "transient" | "temporary" => Class::new(4),
            // A success may also be that of a step before, as in "a successful authentication".
            "successful" | "positive" if ["delivery", "outcome", "outcomes"].contains(&next) => Class::new(2),
            _ => None,
        }
    });
    classes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Option<(Vec<u8>, bool)> {
        let claim = Claim::read(text)?;
        Some((claim.named.iter().map(Class::digit).collect(), claim.is_open))
    }

    #[test]
    fn the_phrases_of_the_registry_are_read() {
        for (text, classes, is_open) in [
            ("Only useful for permanent failures.", &[5][..], false),
            ("Words. This is useful only as a persistent transient error. Words.", &[4], false),
            ("Should be used as a persistent transient failure.", &[4], false),
            ("Useful for both permanent and persistent transient errors.", &[4, 5], false),
            ("May be useful as a permanent or persistent temporary notification.", &[4, 5], false),
            ("A permanent, transient persistent, or successful delivery code.", &[2, 4, 5], false),
            ("For positive delivery reports.", &[2], false),
            ("For successful outcomes.", &[2], false),
            ("A warning. This may also be a permanent error if lossy.", &[5], true),
            ("This condition might be temporary, for example.", &[4], true),
            ("Permanent until it is enabled; the client need not ask again.", &[5], false),
        ] {
            assert_eq!(digits(text), Some((classes.to_vec(), is_open)), "{text}");
        }
        for text in [
            "",
            "Not permitted, and temporarily disabled.",
            "This is not a permanent error.",
            "It occurs after a successful authentication.",
        ] {
            assert_eq!(digits(text), None, "{text}");
        }
    }

    #[test]
    fn contradictions_are_the_classes_in_question() {
        let classes =
            |digits: &[u8]| digits.iter().filter_map(|digit| Class::new(*digit)).collect::<Vec<_>>();
        let only = Claim::read("Only a transient error.").unwrap();
        assert_eq!(only.contradictions(&classes(&[4])), []);
        assert_eq!(only.contradictions(&classes(&[4, 5])), classes(&[5]));
        assert_eq!(only.contradictions(&classes(&[5])), classes(&[4, 5]));
        let open = Claim::read("It might be temporary.").unwrap();
        assert_eq!(open.contradictions(&classes(&[4, 5])), []);
        assert_eq!(open.contradictions(&classes(&[5])), classes(&[4]));
        assert_eq!(
            (only.in_words(), open.in_words()),
            ("names class 4 only".into(), "names class 4 among others".into())
        );
    }
}
