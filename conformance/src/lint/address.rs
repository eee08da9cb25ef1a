//! Addresses whose form hides where they begin, or that they are addresses.

use std::ops::Range;

/// How an at sign is written: as it is, in URLs, HTML, quoted-printable, JSON and source code, and as wide letters.
const SIGNS: [&str; 12] = [
    "@", "%40", "%2540", "&#64;", "&#064;", "&#x40;", "&commat;", "=40", "\\u0040", "\\x40", "\u{ff20}",
    "\u{fe6b}",
];

const BLANKS: [char; 2] = [' ', '\t'];
/// How many octets a comment or a quoted string has at most.
const QUOTED: usize = 256;
/// How many comments and strings a local part has at most.
const PARTS: usize = 8;
/// How many octets a local part has at most, with its comments.
const LOCAL_PART: usize = 1024;
/// How many addresses of a text are looked for.
const ADDRESSES: usize = 32;

/// Where an address is in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The address, with the angle brackets around it.
    pub(crate) whole: Range<usize>,
    pub(crate) local_part: Range<usize>,
}

/// Returns the addresses of a text whose local part is quoted or has comments (RFC 5322 §3.4.1), or whose at sign is encoded.
pub(crate) fn addresses(text: &str) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let mut position = 0;
    while found.len() < ADDRESSES
        && let Some((at, sign)) = next_sign(text, position)
    {
        position = at + sign.len();
        let before = text[..at].trim_end_matches(BLANKS);
        let start = local_start(before, LOCAL_PART).max(found.last().map_or(0, |last| last.whole.end));
        let local_part = start..at;
        let domain = text.len() - text[position..].trim_start_matches(BLANKS).len();
        let end = domain + domain_length(&text[domain..]);
        let is_hidden = if sign == "@" {
            let is_apart = before.len() < at || domain > position;
            is_apart && start < before.len() && text[domain..end].contains('.')
                || text[local_part.clone()].contains(['"', ')'])
                || text[position..].starts_with('(')
        } else {
            // The same characters mean something else in other places.
            before.len() == at && start < at && domain == position && text[domain..end].contains('.')
        };
        if is_hidden {
            let in_brackets = text[..start].ends_with('<') && text[end..].starts_with('>');
            let whole = if in_brackets { start - 1..end + 1 } else { start..end };
            position = whole.end;
            found.push(Address { whole, local_part });
        }
    }
    found
}

/// Finds the next at sign, and returns where it is and how it is written.
fn next_sign(text: &str, from: usize) -> Option<(usize, &'static str)> {
    let starts = ['@', '%', '&', '=', '\\', '\u{ff20}', '\u{fe6b}'];
    text[from..].match_indices(starts).find_map(|(at, _)| {
        let rest = &text[from + at..];
        SIGNS.iter().find(|sign| rest.starts_with(**sign)).map(|sign| (from + at, *sign))
    })
}

/// Returns where the local part begins that a text ends with. It is looked for in the last octets.
fn local_start(text: &str, octets: usize) -> usize {
    let mut skipped = text.len().saturating_sub(octets);
    while !text.is_char_boundary(skipped) {
        skipped += 1;
    }
    let text = &text[skipped..];
    let mut start = text.len();
    for _ in 0..PARTS {
        let before = &text[..start];
        if let Some(opening) = comment_start(before) {
            start = before[..opening].trim_end_matches(BLANKS).len();
            continue;
        }
        if let Some(opening) = string_start(before) {
            start = opening;
        }
        start = text[..start].trim_end_matches(is_atom).len();
        if !text[..start].ends_with([')', '"']) || start == before.len() {
            break;
        }
    }
    skipped + start
}

/// Returns whether a character may be in a local part that is not quoted. Those that separate the parts of a URL are no part
/// of it, although RFC 5321 §4.1.2 allows them.
fn is_atom(character: char) -> bool {
    character.is_alphanumeric() || !character.is_ascii() || "!#$%'*+-^_`{|}~.".contains(character)
}

/// Returns where the comment begins that a text ends with.
fn comment_start(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    if !text.ends_with(')') {
        return None;
    }
    for (at, octet) in text.bytes().enumerate().rev().take(QUOTED) {
        match octet {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns where the quoted string begins that a text ends with. Its quotes may be escaped, as in JSON.
fn string_start(text: &str) -> Option<usize> {
    let content = text.strip_suffix('"')?;
    let is_escaped = content.ends_with('\\');
    let quotes = content.bytes().enumerate().rev().take(QUOTED).filter(|(_, octet)| *octet == b'"');
    let mut starts = quotes.map(|(at, _)| at).filter(|at| content[..*at].ends_with('\\') == is_escaped);
    starts.next().map(|at| if is_escaped { at - 1 } else { at })
}

/// Returns how much of a text is a domain, with comments in it.
fn domain_length(text: &str) -> usize {
    let mut end = 0;
    for _ in 0..PARTS {
        let rest = &text[end..];
        if rest.starts_with(['(', '[']) {
            let Some(length) = rest.bytes().take(QUOTED).position(|octet| octet == b')' || octet == b']')
            else {
                break;
            };
            end += length + 1;
            continue;
        }
        let is_part = |character: char| character.is_alphanumeric() || matches!(character, '-' | '.' | '_');
        let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        if length == 0 {
            break;
        }
        end += length;
    }
    text[..end].trim_end_matches('.').len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::addresses;

    #[test]
    fn hidden_addresses_are_found() {
        for (text, found) in [
            ("550 5.1.1 bob(x)@example.org unknown", &["bob(x)@example.org"][..]),
            ("550 <bob(x)@example.org>... no", &["<bob(x)@example.org>"]),
            ("no bob.(a(b)c)brown (d)@(e)example.org(f), x", &["bob.(a(b)c)brown (d)@(e)example.org(f)"]),
            ("no \"bob brown\"@example.org.", &["\"bob brown\"@example.org"]),
            ("no <\"bob>brown\"@example.org>", &["<\"bob>brown\"@example.org>"]),
            ("no \"bob \\\"x\\\" brown\"@example.org", &["\"bob \\\"x\\\" brown\"@example.org"]),
            ("{\"a\":\"to \\\"bob b\\\"@example.org\"}", &["\\\"bob b\\\"@example.org"]),
            ("no bob&#64;example.org; x", &["bob&#64;example.org"]),
            ("see https://example.org/u?u=bob%40example.org&x", &["bob%40example.org"]),
            ("no bob=40example.org", &["bob=40example.org"]),
            ("no bob\u{ff20}example.org", &["bob\u{ff20}example.org"]),
            ("no bob @ example.org or bob@ example.org", &["bob @ example.org", "bob@ example.org"]),
            ("a@example.org @ 5 o'clock @ home", &[]),
            ("no bob(x)@[192.0.2.1] x", &["bob(x)@[192.0.2.1]"]),
            ("no bob@example.org, said \"x\" and size=40, delay=40.", &[]),
            (") \" @", &[]),
            ("", &[]),
        ] {
            let shown: Vec<&str> = addresses(text).into_iter().map(|one| &text[one.whole]).collect();
            assert_eq!(shown, found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched(text in "([()\"\\\\@<> .a\u{ff20}é\\[\\]]|%40|=40){0,60}") {
            let mut end = 0;
            for one in addresses(&text) {
                prop_assert!(one.whole.start >= end && one.local_part.start >= one.whole.start);
                prop_assert!(text.get(one.whole.clone()).is_some() && text.get(one.local_part.clone()).is_some());
                end = one.whole.end;
            }
        }
    }
}
