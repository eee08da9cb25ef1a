//! Recognizes reply codes and enhanced status codes in running text.

use memchr::memrchr_iter;

/// Returns whether a text begins with a reply code, 200 to 599, which neither a letter nor another digit follows.
pub(super) fn is_reply(text: &[u8]) -> bool {
    let [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', rest @ ..] = text else { return false };
    match rest {
        [b'.', next, ..] => !next.is_ascii_alphanumeric(),
        [next, ..] => !next.is_ascii_alphanumeric() && *next < 0x80,
        [] => true,
    }
}

/// Returns whether a text begins with an enhanced status code. Zeros may lead a sub-code: it was meant as a code.
pub(super) fn is_enhanced(text: &[u8]) -> bool {
    let [b'2' | b'4' | b'5', b'.', rest @ ..] = text else { return false };
    let Some(rest) = after_sub_code(rest) else { return false };
    let [b'.', rest @ ..] = rest else { return false };
    let Some(rest) = after_sub_code(rest) else { return false };
    match rest {
        [b'.' | b'-' | b'/', next, ..] | [next, ..] => !next.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Returns what follows one to three digits.
fn after_sub_code(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
    if (1..=3).contains(&digits) { text.get(digits..) } else { None }
}

/// Returns whether a text begins with a reply code and an enhanced status code after it: at its place, after a number
/// sign, or in brackets.
pub(super) fn is_pair(text: &[u8]) -> bool {
    if !is_reply(text) {
        return false;
    }
    let [b' ' | b'-' | b'\t', rest @ ..] = &text[3..] else { return false };
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"(").or(rest.strip_prefix(b"[")).unwrap_or(rest);
    is_enhanced(rest.strip_prefix(b"#").unwrap_or(rest))
}

/// Returns whether a text begins with a reply code, or with an enhanced status code.
pub(super) fn is_code(text: &[u8]) -> bool {
    is_reply(text) || is_enhanced(text)
}

/// Returns whether a number may begin at this position: no letter or digit touches it, and it does not go on a number
/// such as a time, an address or an identifier.
pub(super) fn may_begin(text: &[u8], position: usize) -> bool {
    let Some(before) = position.checked_sub(1) else { return true };
    match text[before] {
        b'_' | b'@' | b'%' | b'+' | b'$' | b'\\' => false,
        b'.' | b'-' | b'/' | b':' | b',' => before == 0 || !text[before - 1].is_ascii_digit(),
        octet => !octet.is_ascii_alphanumeric() && octet < 0x80,
    }
}

/// Finds the first reply code with an enhanced status code.
pub(super) fn find_pair(text: &[u8]) -> Option<usize> {
    (0..text.len()).find(|&position| {
        text[position].is_ascii_digit() && may_begin(text, position) && is_pair(&text[position..])
    })
}

/// Finds the last occurrence of words that begin with an octet. Replies are searched from their end for what follows
/// them, and that is near: looking for the octet is faster than looking for the words.
pub(super) fn rfind(text: &[u8], octet: u8, words: &[u8]) -> Option<usize> {
    memrchr_iter(octet, text).find(|position| text[*position..].starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::{find_pair, is_enhanced, is_pair, is_reply};

    #[test]
    fn codes_are_told_from_other_numbers() {
        for text in ["550", "550 x", "550-x", "550: x", "550.", "250\"", "354 go"] {
            assert!(is_reply(text.as_bytes()), "{text}");
        }
        for text in ["", "55", "5500", "550x", "650 x", "150 x", "550.1", "199"] {
            assert!(!is_reply(text.as_bytes()), "{text}");
        }
        for text in ["5.1.1", "4.7.500 x", "2.0.0)", "5.1.1. x", "5.01.1 x", "5.1.1-"] {
            assert!(is_enhanced(text.as_bytes()), "{text}");
        }
        for text in ["3.1.1", "5.1", "5.1.1.2", "5.1.1a", "5.1000.1", "10.0.0.1", "5..1", "5.1.1-rc1"] {
            assert!(!is_enhanced(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn pairs_are_found_at_their_place_and_after_a_sign() {
        for text in
            ["550 5.1.1 x", "550-5.1.1", "550 (5.1.1)", "550 #5.1.0 x", "550 (#5.1.1)", "450 [4.7.1] x"]
        {
            assert!(is_pair(text.as_bytes()), "{text}");
        }
        for text in ["250 10.0.0.1 x", "550 x 5.1.1", "550  ", "250 2.0.0.1", "550"] {
            assert!(!is_pair(text.as_bytes()), "{text}");
        }
        assert_eq!(find_pair(b"no codes 503 5.5.1 x"), Some(9));
        assert_eq!(find_pair(b"10:550 5.5.1 x, 1.550 5.5.1, a550 5.5.1"), None);
    }
}
