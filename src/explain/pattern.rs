//! Patterns, and a scanner that finds all of them in one pass.
//!
//! Each pattern has a window: four octets that occur in every text that it matches, save that any digit may be in the
//! place of a digit. The scanner moves over the text, and looks a window of the text up in a bit set. Only if the bit
//! is set does it compare whole patterns.

use crate::generated::explain::PATTERNS;

/// A pattern: lower case letters for themselves, `#` for a digit, `#+` for one or more digits, `@` for a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    pub(crate) place: Place,
}

/// Where a pattern has to be in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Start,
    End,
    Anywhere,
}

impl Pattern {
    /// Returns where the pattern ends in the text if it begins at this position.
    fn end(self, text: &[u8], start: usize) -> Option<usize> {
        let mut position = start;
        let mut pattern = self.text.as_bytes();
        while let [expected, rest @ ..] = pattern {
            let octet = *text.get(position)?;
            let is_match = match expected {
                b'#' => octet.is_ascii_digit(),
                b'@' => octet.is_ascii_lowercase(),
                expected => octet == *expected,
            };
            if !is_match {
                return None;
            }
            position += 1;
            pattern = rest;
            if let (b'#', [b'+', rest @ ..]) = (expected, rest) {
                pattern = rest;
                while text.get(position).is_some_and(u8::is_ascii_digit) {
                    position += 1;
                }
            }
        }
        let is_in_place = match self.place {
            Place::Anywhere => true,
            // The text has a space at both ends.
            Place::Start => start <= 1,
            Place::End => position + 1 >= text.len(),
        };
        is_in_place.then_some(position)
    }
}

/// The patterns that a text has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matches {
    found: [Match; Matches::MOST],
    length: usize,
}

/// A pattern in a text: its number, and where it begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) pattern: u16,
    pub(crate) start: u16,
    pub(crate) end: u16,
}

impl Matches {
    /// The number of matches that are kept. A text with more of them is not a reply that somebody meant.
    const MOST: usize = 48;

    /// Finds the patterns in a text of at most 65,535 octets, in the order in which they occur.
    #[inline]
    pub(crate) fn find(text: &[u8]) -> Matches {
        let mut matches = Matches { found: [Match::default(); Matches::MOST], length: 0 };
        let mut window = 0;
        for (index, octet) in text.iter().enumerate() {
            window = window << 8 | u32::from(FOLDED[usize::from(*octet)]);
            let hash = hash(window);
            if SCANNER.has(hash) && index + 1 >= WINDOW {
                matches.compare(text, index + 1 - WINDOW, window);
            }
        }
        matches
    }

    /// Returns the matches.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Match> {
        self.found.iter().take(self.length).copied()
    }

    /// Returns whether the text has this pattern.
    pub(crate) fn has(&self, pattern: u16) -> bool {
        self.iter().any(|found| found.pattern == pattern)
    }

    /// Compares the patterns that have this window.
    fn compare(&mut self, text: &[u8], position: usize, window: u32) {
        let mut next = SCANNER.first[(hash(window) >> BUCKET_SHIFT) as usize];
        while let Some(number) = next.checked_sub(1) {
            let link = SCANNER.links[usize::from(number)];
            next = link.next;
            if link.window != window {
                continue;
            }
            let Some(start) = position.checked_sub(usize::from(link.offset)) else { continue };
            let Some(end) = PATTERNS[usize::from(number)].end(text, start) else { continue };
            let Some(place) = self.found.get_mut(self.length) else { return };
            *place = Match { pattern: number, start: short(start), end: short(end) };
            self.length += 1;
        }
    }
}

/// The length of a window in octets.
const WINDOW: usize = 4;
const HASH_BITS: u32 = 16;
const BUCKET_BITS: u32 = 11;
const BUCKET_SHIFT: u32 = HASH_BITS - BUCKET_BITS;

static SCANNER: Scanner = Scanner::new();

/// Each octet, with 0 for any digit and for the sign of a digit.
static FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut octet: u8 = 0;
    loop {
        folded[octet as usize] = fold(octet);
        match octet.checked_add(1) {
            Some(next) => octet = next,
            None => break folded,
        }
    }
};

const fn fold(octet: u8) -> u8 {
    match octet {
        b'0'..=b'9' | b'#' => b'0',
        octet => octet,
    }
}

const fn hash(window: u32) -> u32 {
    window.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)
}

/// Returns a position in a text or in a table, neither of which is that long.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a text has 1,539 octets at most, and the table fewer patterns"
)]
const fn short(number: usize) -> u16 {
    number as u16
}

/// The windows of all patterns.
struct Scanner {
    /// A bit for each hash that some window has.
    bits: [u64; 1 << (HASH_BITS - 6)],
    /// The number of the first pattern in each bucket, counted from 1; 0 if the bucket is empty.
    first: [u16; 1 << BUCKET_BITS],
    links: [Link; PATTERNS.len()],
}

/// A pattern in its bucket.
#[derive(Clone, Copy)]
struct Link {
    window: u32,
    /// The number of the next pattern in the bucket, counted from 1.
    next: u16,
    /// Where the window begins in the pattern.
    offset: u16,
}

impl Scanner {
    const fn new() -> Scanner {
        let mut scanner = Scanner {
            bits: [0; 1 << (HASH_BITS - 6)],
            first: [0; 1 << BUCKET_BITS],
            links: [Link { window: 0, next: 0, offset: 0 }; PATTERNS.len()],
        };
        // From the last to the first, so that each bucket begins with its first pattern.
        let mut number = PATTERNS.len();
        while number > 0 {
            let index = number - 1;
            let text = PATTERNS[index].text.as_bytes();
            let offset = best_window(text);
            let window = window(text, offset);
            let hash = hash(window);
            scanner.bits[(hash >> 6) as usize] |= 1 << (hash & 63);
            let bucket = (hash >> BUCKET_SHIFT) as usize;
            scanner.links[index] = Link { window, next: scanner.first[bucket], offset: short(offset) };
            scanner.first[bucket] = short(number);
            number -= 1;
        }
        scanner
    }

    #[inline]
    fn has(&self, hash: u32) -> bool {
        self.bits[(hash >> 6) as usize] >> (hash & 63) & 1 == 1
    }
}

/// Returns the octets of a pattern from an offset, as the scanner sees them in a text.
const fn window(text: &[u8], offset: usize) -> u32 {
    u32::from_be_bytes([
        fold(text[offset]),
        fold(text[offset + 1]),
        fold(text[offset + 2]),
        fold(text[offset + 3]),
    ])
}

/// Returns the offset of the window that occurs least often in other texts.
#[expect(clippy::panic, reason = "the table is made at compile time")]
const fn best_window(text: &[u8]) -> usize {
    let (mut best, mut best_weight) = (None, 0);
    let mut offset = 0;
    // Beyond `#+`, the distance from the start of the pattern is not fixed.
    while offset + WINDOW <= text.len()
        && (offset == 0 || text[offset - 1] != b'+' || !is_repeated(text, offset - 1))
    {
        let (mut weight, mut index) = (0, offset);
        while index < offset + WINDOW {
            match weight_of(text, index) {
                // A window across two words is as rare as the words.
                Some(_) if text[index] == b' ' && index > offset && index + 1 < offset + WINDOW => {
                    weight += 4;
                }
                Some(more) => weight += more,
                None => break,
            }
            index += 1;
        }
        if index == offset + WINDOW && weight > best_weight {
            (best, best_weight) = (Some(offset), weight);
        }
        offset += 1;
    }
    match best {
        Some(offset) => offset,
        None => panic!("a pattern needs four octets in a row that are no @, before any #+"),
    }
}

/// Returns how seldom an octet of a pattern is, or `None` if it does not stand for one octet.
const fn weight_of(text: &[u8], index: usize) -> Option<u32> {
    Some(match text[index] {
        b'@' => return None,
        b'+' if is_repeated(text, index) => return None,
        b' ' | b'a' | b'c' | b'd' | b'e' | b'i' | b'l' | b'm' | b'n' | b'o' | b'r' | b's' | b't' | b'u' => 1,
        b'a'..=b'z' | b'0'..=b'9' | b'#' | b'.' => 2,
        _ => 4,
    })
}

/// Returns whether the plus at this place repeats a digit.
const fn is_repeated(text: &[u8], index: usize) -> bool {
    index > 0 && text[index - 1] == b'#'
}
