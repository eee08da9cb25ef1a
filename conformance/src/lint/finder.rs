//! The finder: where in a text a code may begin.
//!
//! Reading a text's lines takes much longer than reading its octets, and most lines of a log mention no reply. The finder
//! looks at all octets, many at a time, and names the few places that readers have to look at.
//!
//! ```
//! use smtp_conformance::lint::finder::find;
//!
//! let log = b"20:15:22 connect from mx[192.0.2.1], size=2345\n20:15:23 said: 550 5.1.1 Who?\n";
//! assert_eq!(find(log, 0), Some(62));
//! assert_eq!(find(log, log.len()), None);
//! ```

use multiversion::multiversion;

/// How many octets are looked at together.
const BLOCK: usize = 64;

/// How many octets after a place decide whether a code may begin there.
const AHEAD: usize = 3;

/// A block, the octet before it, and those that decide about its last octets.
type Window = [u8; 1 + BLOCK + AHEAD];

/// Returns the first place from an offset on where a code may begin: the offset of its first digit.
///
/// The digit is 2, 4 or 5. It begins an enhanced status code if a dot and a digit follow; it begins a reply code if two
/// digits follow, and after them a space, a tab, a hyphen, a closing quote or parenthesis, or the end of the line or of
/// the text. A letter, a digit or a dot before it makes it a part of something else, such as an IP address, unless the
/// letter is an escape, as in `\n550 5.1.1`. So all codes are found, and some numbers that are no codes, such as
/// `delay=2.5`.
///
/// The octets before the offset count as what comes before the place. Offsets after the end of the text are allowed.
#[must_use]
pub fn find(text: &[u8], from: usize) -> Option<usize> {
    // SSE2 and NEON are always there on x86-64 and ARM64. AVX2 is used if the processor has it.
    #[multiversion(targets("x86_64+avx2"))]
    fn with_vectors(text: &[u8], from: usize) -> Option<usize> {
        search(text, from)
    }
    with_vectors(text, from)
}

/// Searches as [`find`] does. The compiler makes vector instructions of it, for the processor of the function that it is
/// a part of.
#[inline(always)]
#[expect(clippy::inline_always, reason = "otherwise it is compiled for any processor")]
fn search(text: &[u8], from: usize) -> Option<usize> {
    if from == 0 && begins(text, 0) {
        return Some(0);
    }
    let mut start = from.max(1);
    while let Some(window) = text.get(start - 1..).and_then(|rest| rest.first_chunk()) {
        let suspects = eights(&suspects(window));
        if suspects.iter().fold(0, |any, eight| any | eight) != 0 {
            let mut bits = bits(&suspects);
            while bits != 0 {
                let place = start + bits.trailing_zeros() as usize;
                if begins(text, place) {
                    return Some(place);
                }
                bits &= bits - 1;
            }
        }
        start += BLOCK;
    }
    (start..text.len()).find(|place| begins(text, *place))
}

/// Returns whether a code may begin at a place.
fn begins(text: &[u8], place: usize) -> bool {
    let is_class = matches!(text.get(place), Some(b'2' | b'4' | b'5'));
    if !is_class || !is_free(text, place) {
        return false;
    }
    // In JSON, a reply code may be a number: `"code":550,`.
    let is_number = text[..place].ends_with(b":");
    text.get(place + 1..).is_some_and(|rest| goes_on(rest, is_number))
}

/// Returns whether what comes before a place allows that a code begins there.
fn is_free(text: &[u8], place: usize) -> bool {
    match text.get(..place) {
        Some([.., b'\\', b'n' | b'r' | b't']) => true,
        Some([.., octet]) => !octet.is_ascii_alphanumeric() && *octet != b'.',
        _ => true,
    }
}

/// Returns whether a class is followed by what follows it in a code.
fn goes_on(rest: &[u8], is_number: bool) -> bool {
    match rest {
        [b'.', digit, ..] => digit.is_ascii_digit(),
        [tens, ones, rest @ ..] => {
            // qmail writes `_` for a space.
            let is_end = match rest.first() {
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'-' | b'"' | b'\'' | b')' | b'_') => true,
                Some(octet) => is_number && *octet == b',',
            };
            tens.is_ascii_digit() && ones.is_ascii_digit() && is_end
        }
        _ => false,
    }
}

/// Returns 1 for each octet of a block that [`begins`] has to look at, and 0 for the others. It refuses some of them, but
/// accepts none of the others.
///
/// There are no branches, and few operations on each octet.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for `search`")]
fn suspects(window: &Window) -> [u8; BLOCK] {
    // A dot and the digits come together if the lowest bit of each octet is flipped, which takes the slash away.
    let is_free = each(window, 0, |before| !is_within(before ^ 1, b'/', b'9'));
    let is_class = each(window, 1, |octet| is_within(octet, b'2', b'5'));
    let is_dot = each(window, 2, |octet| octet == b'.');
    let is_digit = each(window, 3, |octet| is_within(octet, b'0', b'9'));
    let is_mark = each(window, 4, |octet| is_below(octet, b'.'));
    let is_underscore = each(window, 4, |octet| octet == b'_');
    let mut suspects = [0; BLOCK];
    for (index, suspect) in suspects.iter_mut().enumerate() {
        *suspect = is_free[index]
            & is_class[index]
            & is_digit[index]
            & (is_dot[index] | is_mark[index] | is_underscore[index]);
    }
    suspects
}

/// Returns 1 for each octet of a block if the octet at an offset from it meets a condition, and 0 if not.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for `search`")]
fn each(window: &Window, offset: usize, condition: impl Fn(u8) -> bool) -> [u8; BLOCK] {
    let mut met = [0; BLOCK];
    for (met, octet) in met.iter_mut().zip(&window[offset..]) {
        *met = u8::from(condition(*octet));
    }
    met
}

/// Returns the octets of a block in numbers of eight octets, the lowest first.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for `search`")]
fn eights(octets: &[u8; BLOCK]) -> [u64; BLOCK / 8] {
    let mut eights = [0; BLOCK / 8];
    for (eight, octets) in eights.iter_mut().zip(octets.as_chunks().0) {
        *eight = u64::from_le_bytes(*octets);
    }
    eights
}

/// Returns a bit for each octet that is 1, the lowest for the first.
#[inline]
fn bits(eights: &[u64; BLOCK / 8]) -> u64 {
    // The highest octet of the product has the lowest bit of each octet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    eights.iter().rev().fold(0, |bits, eight| bits << 8 | eight.wrapping_mul(GATHER) >> 56)
}

/// Returns whether an octet is in a range.
///
/// Vector units compare signed octets in one step, unlike unsigned ones. So the range is moved to the lowest numbers.
#[inline]
const fn is_within(octet: u8, first: u8, last: u8) -> bool {
    (octet.wrapping_sub(first) ^ 0x80).cast_signed() <= (last.wrapping_sub(first) ^ 0x80).cast_signed()
}

/// Returns whether an octet is below a limit in ASCII, or not in ASCII.
#[inline]
const fn is_below(octet: u8, limit: u8) -> bool {
    octet.cast_signed() < limit.cast_signed()
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;

    /// Lines, and the places where codes may begin.
    const LINES: [(&str, &[usize]); 23] = [
        ("250", &[0]),
        ("250 2.0.0 Ok", &[0, 4]),
        ("550-5.7.26 no", &[0, 4]),
        ("450\r\n", &[0]),
        ("(250 2.0.0 Ok)", &[1, 5]),
        ("dsn=5.0.0, #4.1.1 '5.01.1' [4.7.1]", &[4, 12, 19, 28]),
        ("said: 550 nobody", &[6]),
        (r"no\n550 5.1.1 nobody\r\n452-\t4.2.2 \450 \x450 ", &[4, 8, 24, 30, 37]),
        ("4.", &[]),
        ("25", &[]),
        ("2", &[]),
        ("", &[]),
        ("354 go on, 150 220x 55 2500 450# 450* 450(", &[]),
        ("250:no 250,no 250.", &[]),
        ("\"code\":550,\"size\":2500, said:_550_No", &[7, 30]),
        ("192.0.2.1 10.4.250 ", &[]),
        ("size=2345, 20:15:22 1.250 ", &[]),
        ("mx250 A5.1 z4.2 Z421 a450-", &[]),
        ("é250 \u{0}4.1\u{7f}5.1\u{10}250 /450 :2.1 -2.1", &[2, 7, 11, 15, 20, 25, 30]),
        ("@450 [450 `450 {450 !450 ;450 ~450 ", &[1, 6, 11, 16, 21, 26, 31]),
        ("450\t(450) '450' stat=\"450\"", &[0, 5, 11, 22]),
        ("2.x 2.. 2-0 ", &[]),
        ("delay=2.5", &[6]),
    ];

    /// Searches with the vectors of this processor, and with those that each processor has.
    fn find_both(text: &[u8], from: usize) -> Option<usize> {
        let place = find(text, from);
        assert_eq!(place, search(text, from), "{} from {from}", text.escape_ascii());
        place
    }

    /// Returns all places that the finder finds.
    fn all(text: &[u8]) -> Vec<usize> {
        let mut places = vec![];
        while let Some(place) = find_both(text, places.last().map_or(0, |last| last + 1)) {
            places.push(place);
        }
        places
    }

    #[test]
    fn codes_are_found_at_their_first_digit() {
        for (line, places) in LINES {
            assert_eq!(all(line.as_bytes()), places, "{line:?}");
        }
    }

    #[test]
    fn codes_are_found_wherever_a_block_begins() {
        for (line, places) in LINES {
            for shift in 0..2 * BLOCK {
                for after in [0, 1, 2, AHEAD, BLOCK, 3 * BLOCK] {
                    let text = [&vec![b'\n'; shift], line.as_bytes(), &vec![b'\n'; after]].concat();
                    let places: Vec<_> = places.iter().map(|place| place + shift).collect();
                    assert_eq!(all(&text), places, "{line:?} after {shift} octets, before {after}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_finds_the_same_in_any_text() {
        // The octets that anything depends on, and their neighbours.
        const OCTETS: &[u8] = b"\0\t\n\r\x10\x1f !\"'),-./0123569:;@AZ[_`az{\\nrt\x7f\x80\xff";
        // By how many octets are looked at before a place.
        let patterns = [("", "$^"), ("[^0-9A-Za-z.]", ":"), (r"(?:.[^0-9A-Za-z.]|\\[nrt])", ".:")].map(
            |(before, colon)| {
                let code = r#"[245](?:\.[0-9]|[0-9][0-9](?:[ \t\r\n"')_-]|\z))"#;
                let number = "[245][0-9][0-9],";
                Regex::new(&format!(r"\A(?s-u)(?:{before}{code}|{colon}{number})")).expect("a pattern")
            },
        );
        let mut random = Random(1);
        for _ in 0..1000 {
            let text: Vec<u8> =
                (0..random.below(4 * BLOCK)).map(|_| OCTETS[random.below(OCTETS.len())]).collect();
            let is_code = |place: &usize| {
                let before = (*place).min(2);
                patterns[before].is_match(&text[place - before..])
            };
            let places: Vec<usize> = (0..text.len()).filter(is_code).collect();
            for from in 0..=text.len() + 1 {
                let next = places.iter().copied().find(|place| *place >= from);
                assert_eq!(find_both(&text, from), next, "{} from {from}", text.escape_ascii());
            }
        }
    }

    /// A linear congruential generator, so that each run tests the same texts.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).expect("31 bits") % bound
        }
    }

    /// Five octets at a time: the one before, the class, and the three after it.
    #[test]
    fn no_combination_of_octets_is_missed() {
        let mut window = [b'x'; 1 + BLOCK + AHEAD];
        for before in 0..=u8::MAX {
            for end in 0..=u8::MAX {
                for middle in [*b"2.0", *b"4.9", *b"5.5", *b"200", *b"599", *b"450"] {
                    let [class, dot, digit] = middle;
                    window[..5].copy_from_slice(&[before, class, dot, digit, end]);
                    assert!(
                        !begins(&window, 1) || suspects(&window)[0] == 1,
                        "{:?}",
                        window.escape_ascii().to_string()
                    );
                }
            }
        }
    }
}
