//! Searches any octets for places where codes may begin.
//!
//! The first octet is where the search starts. The places are those that a slow search finds, which looks at each octet,
//! and lines that are searched one by one have the same ones.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::lint::finder::find;

fuzz_target!(|octets: &[u8]| {
    let Some((from, text)) = octets.split_first() else { return };
    let slow: Vec<usize> = (0..text.len()).filter(|place| begins(text, *place)).collect();
    assert_eq!(all(text), slow);
    let from = usize::from(*from);
    assert_eq!(find(text, from), slow.iter().copied().find(|place| *place >= from));
    let mut start = 0;
    let mut by_line = Vec::new();
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        by_line.extend(all(line).iter().map(|place| start + place));
        start += line.len();
    }
    assert_eq!(by_line, slow);
});

fn all(text: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    while let Some(place) = find(text, places.last().map_or(0, |last| last + 1)) {
        places.push(place);
    }
    places
}

fn begins(text: &[u8], place: usize) -> bool {
    let octet = |offset: usize| text.get(place + offset).copied();
    let is_digit = |offset: usize| octet(offset).is_some_and(|octet| octet.is_ascii_digit());
    let before = &text[..place];
    let is_escape = [r"\n", r"\r", r"\t"].iter().any(|escape| before.ends_with(escape.as_bytes()));
    let is_part = before.last().is_some_and(|last| last.is_ascii_alphanumeric() || *last == b'.');
    let is_class = matches!(octet(0), Some(b'2' | b'4' | b'5'));
    let is_enhanced = octet(1) == Some(b'.') && is_digit(2);
    let is_number = before.ends_with(b":") && octet(3) == Some(b',');
    let is_end = is_number || octet(3).is_none_or(|end| b" \t\r\n-\"')_".contains(&end));
    is_class && (is_escape || !is_part) && (is_enhanced || (is_digit(1) && is_digit(2) && is_end))
}
