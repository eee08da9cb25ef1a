//! Words that tell what a reply means, whoever sends it.

use crate::Class;
use crate::explain::Stage;
use crate::explain::category::Category;
use crate::explain::pattern::{Match, Matches};
use crate::generated::explain::PHRASES;

/// A pattern that tells a category.
#[derive(Debug)]
pub(crate) struct Phrase {
    pub(crate) pattern: u16,
    /// Phrases of lower ranks take precedence.
    pub(crate) rank: u16,
    pub(crate) category: Category,
    /// The class that the reply has to have; any if `None`.
    pub(crate) class: Option<Class>,
    /// A bit for each stage at which it counts; all if 0.
    pub(crate) stages: u16,
}

impl Phrase {
    /// Returns the phrase of the lowest rank that a text has, outside of addresses.
    pub(crate) fn first(
        text: &[u8],
        matches: &Matches,
        class: Option<Class>,
        stage: Option<Stage>,
    ) -> Option<&'static Phrase> {
        let mut first: Option<&Phrase> = None;
        for found in matches.iter() {
            let index = PHRASES.partition_point(|phrase| phrase.pattern < found.pattern);
            let of_pattern =
                PHRASES.get(index..)?.iter().take_while(|phrase| phrase.pattern == found.pattern);
            for phrase in of_pattern {
                let is_better = first.is_none_or(|first| phrase.rank < first.rank);
                if is_better && phrase.counts(class, stage) && !is_in_address(text, found) {
                    first = Some(phrase);
                }
            }
        }
        first
    }

    fn counts(&self, class: Option<Class>, stage: Option<Stage>) -> bool {
        let has_class = self.class.is_none() || class.is_none() || self.class == class;
        let has_stage = self.stages == 0 || stage.is_none_or(|stage| self.stages >> stage as u16 & 1 == 1);
        has_class && has_stage
    }
}

/// Returns whether a pattern is within a word that has an at sign.
fn is_in_address(text: &[u8], found: Match) -> bool {
    let (start, end) = (usize::from(found.start), usize::from(found.end));
    let (Some(before), Some(within), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return false;
    };
    if within.contains(&b' ') {
        return false;
    }
    let head = before.iter().rev().take_while(|octet| **octet != b' ');
    let tail = after.iter().take_while(|octet| **octet != b' ');
    head.chain(within).chain(tail).any(|octet| *octet == b'@')
}
