//! Values of parameters and of arguments: base64, numbers, xtext.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Decodes strictly, except for the bits after the last octet, which a decoder may ignore (RFC 4648 §3.5).
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Decodes base64 with padding (RFC 4648 §4). `None` if the text is not base64.
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Returns whether octets are a decimal number of at most `digits` digits.
pub(super) fn is_number(octets: &[u8], digits: usize) -> bool {
    (1..=digits).contains(&octets.len()) && octets.iter().all(u8::is_ascii_digit)
}

/// Reads a decimal number of at most 20 digits.
pub(super) fn number(octets: &[u8]) -> Option<u128> {
    if !is_number(octets, 20) {
        return None;
    }
    str::from_utf8(octets).ok()?.parse().ok()
}

/// Returns whether octets are a list of solicitation classes: words of letters, digits and some signs that begin with a
/// letter, with commas between them, and at most 1000 characters in all (RFC 3865 §2.2).
pub(crate) fn is_class_list(octets: &[u8]) -> bool {
    let is_sign = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_:".contains(octet);
    let is_class =
        |word: &[u8]| word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().all(is_sign);
    octets.len() <= 1000 && octets.split(|octet| *octet == b',').all(is_class)
}

/// Returns whether octets are a value of RRVS: a date and a time without a fraction of a second, and perhaps an action
/// (RFC 7293 §3.1).
pub(crate) fn is_since(octets: &[u8]) -> bool {
    let mut parts = octets.splitn(2, |octet| *octet == b';');
    let time = parts.next().unwrap_or_default();
    let action = parts.next().unwrap_or(b"C");
    is_time(time) && [&b"C"[..], b"R"].iter().any(|known| action.eq_ignore_ascii_case(known))
}

/// Returns whether octets have the form of a `date-time` of RFC 3339 §5.6 without a fraction.
fn is_time(octets: &[u8]) -> bool {
    let has_form = |octets: &[u8], form: &[u8]| {
        let fits =
            |(octet, sign): (&u8, &u8)| if *sign == b'0' { octet.is_ascii_digit() } else { octet == sign };
        octets.len() == form.len() && octets.iter().zip(form).all(fits)
    };
    let upper = octets.to_ascii_uppercase();
    let forms: [&[u8]; 3] =
        [b"0000-00-00T00:00:00Z", b"0000-00-00T00:00:00+00:00", b"0000-00-00T00:00:00-00:00"];
    forms.iter().any(|form| has_form(&upper, form))
}

/// Whether octets follow the grammar of xtext (RFC 3461 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Xtext {
    Valid,
    /// With lower-case hexadecimal digits, which the grammar does not allow and readers tolerate.
    Lax,
    Invalid,
}

/// Reads octets as xtext.
pub(super) fn xtext(octets: &[u8]) -> Xtext {
    let mut found = Xtext::Valid;
    let mut rest = octets.iter();
    while let Some(octet) = rest.next() {
        match octet {
            b'+' => match (rest.next(), rest.next()) {
                (Some(one), Some(two)) if [one, two].iter().all(|digit| digit.is_ascii_hexdigit()) => {
                    if one.is_ascii_lowercase() || two.is_ascii_lowercase() {
                        found = Xtext::Lax;
                    }
                }
                _ => return Xtext::Invalid,
            },
            b'=' => return Xtext::Invalid,
            octet if octet.is_ascii_graphic() => {}
            _ => return Xtext::Invalid,
        }
    }
    found
}

/// Decodes xtext. `None` if it does not follow the grammar strictly.
pub(super) fn decode_xtext(octets: &[u8]) -> Option<Vec<u8>> {
    if xtext(octets) != Xtext::Valid {
        return None;
    }
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets.iter();
    while let Some(octet) = rest.next() {
        if *octet == b'+' {
            let digits = [*rest.next()?, *rest.next()?];
            decoded.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            decoded.push(*octet);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::{Xtext, decode_base64, decode_xtext, is_class_list, is_number, is_since, xtext};

    #[test]
    fn class_lists_and_times_are_checked() {
        for good in ["a", "org.example:ADV", "a-b_c.d:e,f9"] {
            assert!(is_class_list(good.as_bytes()), "{good}");
        }
        for bad in ["", "1", "a,,b", "a,", "a b", "a=b", &"a".repeat(1001)] {
            assert!(!is_class_list(bad.as_bytes()), "{bad}");
        }
        for good in ["2014-04-03T23:01:00Z", "2014-04-03t23:01:00-08:00;C", "2014-04-03T23:01:00z;r"] {
            assert!(is_since(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "yesterday", "2014-04-03T23:01:00", "2014-04-03T23:01:00.5Z", "2014-04-03T23:01:00Z;X"]
        {
            assert!(!is_since(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn base64_is_read_strictly() {
        for good in ["", "eA==", "eHk=", "eHl6", "eB=="] {
            assert!(decode_base64(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["eA", "eA=", "=AAA", "AAA=BBB", "!!!!", "eA== ", "e A=", "eA==eA=="] {
            assert!(decode_base64(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn xtext_is_checked() {
        assert_eq!(xtext(b"a+2Bb"), Xtext::Valid);
        assert_eq!(xtext(b"a+2bb"), Xtext::Lax);
        for bad in [&b"a+ZZ"[..], b"a+2", b"a=b", b"a b", b"\xC3\xA4"] {
            assert_eq!(xtext(bad), Xtext::Invalid);
        }
        assert_eq!(decode_xtext(b"e+3Dmc2@example.com").as_deref(), Some(&b"e=mc2@example.com"[..]));
        assert_eq!(decode_xtext(b"a+2bb"), None);
    }

    #[test]
    fn numbers_have_only_digits() {
        assert!(is_number(b"0", 20) && !is_number(b"", 20) && !is_number(b"-1", 20) && !is_number(b"123", 2));
    }
}
