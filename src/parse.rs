//! The parsers of codes: strict, at the start of a text, and lenient.

use core::fmt;

use crate::{Class, EnhancedStatusCode, ReplyCode, Status};

/// Why a text or a number is not a code, and where the problem is.
///
/// ```
/// use smtp_enhanced_status::{EnhancedStatusCode, ParseErrorKind};
///
/// let error = "5.07.1".parse::<EnhancedStatusCode>().unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::LeadingZero);
/// assert_eq!(error.position(), 2);
/// assert_eq!(error.to_string(), "a sub-code has a leading zero, at octet 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    kind: ParseErrorKind,
    position: usize,
}

impl ParseError {
    pub(crate) const CLASS: ParseError = ParseError::at(ParseErrorKind::Class, 0);
    pub(crate) const REPLY_CODE: ParseError = ParseError::at(ParseErrorKind::ReplyCode, 0);

    /// Returns what is wrong.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, ParseErrorKind};
    /// let error = EnhancedStatusCode::from_bytes(b"9.1.1").unwrap_err();
    /// assert_eq!(error.kind(), ParseErrorKind::Class);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Returns where it is wrong, in octets from the start of the text. For a number it is 0.
    ///
    /// ```
    /// # use smtp_enhanced_status::EnhancedStatusCode;
    /// assert_eq!(EnhancedStatusCode::from_bytes(b"5..1").unwrap_err().position(), 2);
    /// ```
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    const fn at(kind: ParseErrorKind, position: usize) -> ParseError {
        ParseError { kind, position }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ParseErrorKind::Class => "the class is not 2, 4 or 5",
            ParseErrorKind::NoX => "a status without a class must begin with X",
            ParseErrorKind::Dot => "a dot is missing",
            ParseErrorKind::Digit => "a sub-code begins with something other than a digit",
            ParseErrorKind::LeadingZero => "a sub-code has a leading zero",
            ParseErrorKind::TooManyDigits => "a sub-code has more than three digits",
            ParseErrorKind::Trailing => "something follows the code",
            ParseErrorKind::ReplyCode => "a reply code must be three digits, 200 to 599",
        };
        match self.kind {
            // Always the start.
            ParseErrorKind::Class | ParseErrorKind::NoX | ParseErrorKind::ReplyCode => f.write_str(what),
            _ => write!(f, "{what}, at octet {}", self.position),
        }
    }
}

impl core::error::Error for ParseError {}

/// The kinds of [`ParseError`].
///
/// ```
/// use smtp_enhanced_status::{EnhancedStatusCode, ParseErrorKind};
///
/// let kind = |text: &[u8]| EnhancedStatusCode::from_bytes(text).unwrap_err().kind();
/// assert_eq!(kind(b"5.7"), ParseErrorKind::Dot);
/// assert_eq!(kind(b"5.7.1000"), ParseErrorKind::TooManyDigits);
/// assert_eq!(kind(b"5.7.1.4"), ParseErrorKind::Trailing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The class is not 2, 4 or 5 (RFC 3463 §2), or there is none.
    Class,
    /// A [`Status`] does not begin with `X`.
    NoX,
    /// Something other than a dot, or nothing, is where a dot belongs.
    Dot,
    /// Something other than a digit, or nothing, is where a sub-code belongs.
    Digit,
    /// A sub-code of more than one digit begins with 0 (RFC 3463 §2).
    LeadingZero,
    /// A sub-code has more than three digits.
    TooManyDigits,
    /// Something follows the code: a fourth part, punctuation, text.
    Trailing,
    /// A [`ReplyCode`] is not three digits from 200 to 599.
    ReplyCode,
}

/// The result of [`EnhancedStatusCode::parse_lenient`] and [`EnhancedStatusCode::parse_lenient_str`].
///
/// ```
/// use smtp_enhanced_status::{EnhancedStatusCode, Forgiven};
///
/// let read = EnhancedStatusCode::parse_lenient(b"5.7.1: denied").expect("the code is readable");
/// assert_eq!(read.forgiven.iter().collect::<Vec<_>>(), [Forgiven::CLOSING]);
/// assert_eq!(read.rest, b" denied");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LenientCode<T> {
    /// The code.
    pub code: EnhancedStatusCode,
    /// The defects of the code; empty if [`EnhancedStatusCode::parse_prefix`] accepts the text too.
    pub forgiven: Forgiven,
    /// What follows the code and its closing punctuation.
    pub rest: T,
}

/// A set of defects that the lenient parser accepts. Each breaks RFC 2034 §3 (4), RFC 2034 §4 or RFC 3463 §2.
///
/// ```
/// use smtp_enhanced_status::Forgiven;
///
/// assert!(Forgiven::NOTHING.is_empty());
/// assert_eq!(Forgiven::LEADING_ZERO.to_string(), "leading zero");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Forgiven(u8);

impl Forgiven {
    /// The empty set.
    pub const NOTHING: Forgiven = Forgiven(0);
    /// A space or a tab before the code.
    pub const LEADING_BLANK: Forgiven = Forgiven(1);
    /// `(`, `#` or `(#` before the code.
    pub const OPENING: Forgiven = Forgiven(2);
    /// A sub-code such as `07`.
    pub const LEADING_ZERO: Forgiven = Forgiven(4);
    /// Blanks after one of the dots: `5. 7.1`.
    pub const INNER_BLANK: Forgiven = Forgiven(8);
    /// One or more of `:;,.)-` after the code.
    pub const CLOSING: Forgiven = Forgiven(16);
    /// A tab instead of a space after the code.
    pub const TAB: Forgiven = Forgiven(32);
    /// CR or LF after the code: the line end was not removed.
    pub const LINE_END: Forgiven = Forgiven(64);

    const NAMES: [(Forgiven, &'static str); 7] = [
        (Forgiven::LEADING_BLANK, "leading blank"),
        (Forgiven::OPENING, "opening punctuation"),
        (Forgiven::LEADING_ZERO, "leading zero"),
        (Forgiven::INNER_BLANK, "inner blank"),
        (Forgiven::CLOSING, "closing punctuation"),
        (Forgiven::TAB, "tab"),
        (Forgiven::LINE_END, "line end"),
    ];

    /// Returns whether the set is empty.
    ///
    /// ```
    /// # use smtp_enhanced_status::EnhancedStatusCode;
    /// assert!(EnhancedStatusCode::parse_lenient(b"2.0.0 ok").is_some_and(|read| read.forgiven.is_empty()));
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether every member of `other` is in this set.
    ///
    /// ```
    /// # use smtp_enhanced_status::Forgiven;
    /// assert!(Forgiven::TAB.contains(Forgiven::TAB));
    /// ```
    #[must_use]
    pub const fn contains(self, other: Forgiven) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the members, each as a set of one.
    ///
    /// ```
    /// # use smtp_enhanced_status::Forgiven;
    /// assert_eq!(Forgiven::TAB.iter().next(), Some(Forgiven::TAB));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Forgiven> {
        Self::NAMES.into_iter().map(|(member, _)| member).filter(move |&member| self.contains(member))
    }

    const fn with(self, other: Forgiven) -> Forgiven {
        Forgiven(self.0 | other.0)
    }
}

/// Writes `Forgiven(leading zero, tab)`.
impl fmt::Debug for Forgiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forgiven").field(&format_args!("{self}")).finish()
    }
}

/// Writes the names of the members: `leading zero, tab`.
impl fmt::Display for Forgiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.into_iter().filter(|&(member, _)| self.contains(member));
        names.enumerate().try_for_each(|(index, (_, name))| match index {
            0 => f.write_str(name),
            _ => write!(f, ", {name}"),
        })
    }
}

/// Implements the conversions from text by the strict parser of a type.
macro_rules! from_text {
    ($type:ty) => {
        impl core::str::FromStr for $type {
            type Err = $crate::ParseError;

            fn from_str(text: &str) -> Result<Self, $crate::ParseError> {
                Self::from_bytes(text.as_bytes())
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $crate::ParseError;

            fn try_from(text: &str) -> Result<Self, $crate::ParseError> {
                Self::from_bytes(text.as_bytes())
            }
        }

        impl TryFrom<&[u8]> for $type {
            type Error = $crate::ParseError;

            fn try_from(octets: &[u8]) -> Result<Self, $crate::ParseError> {
                Self::from_bytes(octets)
            }
        }
    };
}
pub(crate) use from_text;

pub(crate) const fn enhanced_status_code(octets: &[u8]) -> Result<EnhancedStatusCode, ParseError> {
    match class(octets) {
        None => Err(ParseError::CLASS),
        Some(class) => match sub_codes(octets) {
            Err(error) => Err(error),
            Ok((_, end)) if end < octets.len() => Err(ParseError::at(ParseErrorKind::Trailing, end)),
            Ok((status, _)) => Ok(EnhancedStatusCode::from_parts(class, status)),
        },
    }
}

pub(crate) const fn status(octets: &[u8]) -> Result<Status, ParseError> {
    if octets.is_empty() || octets[0] != b'X' {
        return Err(ParseError::at(ParseErrorKind::NoX, 0));
    }
    match sub_codes(octets) {
        Err(error) => Err(error),
        Ok((_, end)) if end < octets.len() => Err(ParseError::at(ParseErrorKind::Trailing, end)),
        Ok((status, _)) => Ok(status),
    }
}

#[inline]
pub(crate) const fn prefix(octets: &[u8]) -> Option<(EnhancedStatusCode, &[u8])> {
    if let Some(first) = octets.first_chunk() {
        if let Some((code, end)) = common_prefix(*first) {
            return Some((code, octets.split_at(end).1));
        }
    }
    any_prefix(octets)
}

/// Parses the form that nearly every code has: a subject of one digit, a detail of one to three, then a space.
/// It does not branch on the number of digits. [`any_prefix`] decides about everything else, right or wrong.
#[inline]
const fn common_prefix(octets: [u8; 8]) -> Option<(EnhancedStatusCode, usize)> {
    let [class, b'.', subject @ b'0'..=b'9', b'.', first, second, third, fourth] = octets else {
        return None;
    };
    let Some(class) = Class::from_digit(class ^ b'0') else { return None };
    // XOR with '0' turns digits into 0 to 9, and a space into 16. After adding 6, the high half of an octet is zero
    // for digits only.
    let detail = u32::from_le_bytes([first, second, third, fourth]) ^ 0x3030_3030;
    let others = (detail.wrapping_add(0x0606_0606) | detail) & 0xf0f0_f0f0;
    let length = others.trailing_zeros() / 8;
    if length < 1 || length > 3 || (detail >> (8 * length)) & 0xff != 0x10 || (length > 1 && first == b'0') {
        return None;
    }
    // Moves the last digit into the highest octet, and zeros into the lowest.
    let [_, hundreds, tens, ones] = (detail << (8 * (4 - length))).to_le_bytes();
    let detail = hundreds as u16 * 100 + tens as u16 * 10 + ones as u16;
    let status = Status::registered(digit(subject), detail);
    Some((EnhancedStatusCode::from_parts(class, status), 4 + length as usize))
}

const fn any_prefix(octets: &[u8]) -> Option<(EnhancedStatusCode, &[u8])> {
    let Some(class) = class(octets) else { return None };
    match sub_codes(octets) {
        Ok((status, end)) if end == octets.len() || octets[end] == b' ' => {
            Some((EnhancedStatusCode::from_parts(class, status), octets.split_at(end).1))
        }
        _ => None,
    }
}

pub(crate) const fn reply_code(octets: &[u8]) -> Result<ReplyCode, ParseError> {
    if let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = octets {
        let number = digit(*hundreds) * 100 + digit(*tens) * 10 + digit(*ones);
        if let Some(code) = ReplyCode::new(number) {
            return Ok(code);
        }
    }
    Err(ParseError::REPLY_CODE)
}

pub(crate) const fn lenient(octets: &[u8]) -> Option<LenientCode<&[u8]>> {
    let mut forgiven = Forgiven::NOTHING;
    let mut at = skip_blanks(octets, 0);
    if at > 0 {
        forgiven = forgiven.with(Forgiven::LEADING_BLANK);
    }
    let opening = at;
    at = skip_one(octets, at, b'(');
    at = skip_one(octets, at, b'#');
    if at > opening {
        forgiven = forgiven.with(Forgiven::OPENING);
    }
    let Some(class) = class(octets.split_at(at).1) else { return None };
    at += 1;
    let mut sub_codes = [0; 2];
    let mut index = 0;
    while index < 2 {
        if at >= octets.len() || octets[at] != b'.' {
            return None;
        }
        at += 1;
        let digits = skip_blanks(octets, at);
        if digits > at {
            // `4. 5. 6 items` is a list, not a code.
            if forgiven.contains(Forgiven::INNER_BLANK) {
                return None;
            }
            forgiven = forgiven.with(Forgiven::INNER_BLANK);
        }
        let significant = skip_zeros(octets, digits);
        if significant > digits {
            forgiven = forgiven.with(Forgiven::LEADING_ZERO);
        }
        let (number, end) = number(octets, significant);
        if end == significant || end - significant > 3 {
            return None;
        }
        sub_codes[index] = number;
        at = end;
        index += 1;
    }
    let Some(status) = Status::new(sub_codes[0], sub_codes[1]) else { return None };
    let closing = at;
    while at < octets.len() && matches!(octets[at], b':' | b';' | b',' | b'.' | b')' | b'-') {
        at += 1;
    }
    if at > closing {
        forgiven = forgiven.with(Forgiven::CLOSING);
        let next = skip_blanks(octets, at);
        if next < octets.len() && octets[next].is_ascii_digit() && octets[closing] == b'.' {
            // A fourth part, separated by a blank.
            return None;
        }
    }
    if at < octets.len() {
        match octets[at] {
            b' ' => {}
            b'\t' => forgiven = forgiven.with(Forgiven::TAB),
            b'\r' | b'\n' => forgiven = forgiven.with(Forgiven::LINE_END),
            _ => return None,
        }
    }
    let code = EnhancedStatusCode::from_parts(class, status);
    Some(LenientCode { code, forgiven, rest: octets.split_at(at).1 })
}

pub(crate) const fn whole_class(octets: &[u8]) -> Result<Class, ParseError> {
    match class(octets) {
        None => Err(ParseError::CLASS),
        Some(_) if octets.len() > 1 => Err(ParseError::at(ParseErrorKind::Trailing, 1)),
        Some(class) => Ok(class),
    }
}

const fn class(octets: &[u8]) -> Option<Class> {
    match octets {
        [b'2', ..] => Some(Class::Success),
        [b'4', ..] => Some(Class::Transient),
        [b'5', ..] => Some(Class::Permanent),
        _ => None,
    }
}

/// Parses `.y.z` after the first octet, and returns it with the position after it.
const fn sub_codes(octets: &[u8]) -> Result<(Status, usize), ParseError> {
    let (subject, end) = match sub_code(octets, 1) {
        Ok(read) => read,
        Err(error) => return Err(error),
    };
    match sub_code(octets, end) {
        Ok((detail, end)) => Ok((Status::registered(subject, detail), end)),
        Err(error) => Err(error),
    }
}

/// Parses a dot and one to three digits without a leading zero.
const fn sub_code(octets: &[u8], dot: usize) -> Result<(u16, usize), ParseError> {
    if dot >= octets.len() || octets[dot] != b'.' {
        return Err(ParseError::at(ParseErrorKind::Dot, dot));
    }
    let start = dot + 1;
    let (number, end) = number(octets, start);
    match end - start {
        0 => Err(ParseError::at(ParseErrorKind::Digit, start)),
        2.. if octets[start] == b'0' => Err(ParseError::at(ParseErrorKind::LeadingZero, start)),
        1..=3 => Ok((number, end)),
        _ => Err(ParseError::at(ParseErrorKind::TooManyDigits, start)),
    }
}

/// Parses up to four digits, one more than a sub-code may have, and returns the position after them.
const fn number(octets: &[u8], start: usize) -> (u16, usize) {
    let mut number = 0;
    let mut at = start;
    while at < octets.len() && at < start + 4 && octets[at].is_ascii_digit() {
        number = number * 10 + digit(octets[at]);
        at += 1;
    }
    (number, at)
}

const fn digit(octet: u8) -> u16 {
    (octet - b'0') as u16
}

const fn skip_blanks(octets: &[u8], mut at: usize) -> usize {
    while at < octets.len() && matches!(octets[at], b' ' | b'\t') {
        at += 1;
    }
    at
}

const fn skip_one(octets: &[u8], at: usize, octet: u8) -> usize {
    if at < octets.len() && octets[at] == octet { at + 1 } else { at }
}

/// Skips zeros that precede another digit.
const fn skip_zeros(octets: &[u8], mut at: usize) -> usize {
    while at + 1 < octets.len() && octets[at] == b'0' && octets[at + 1].is_ascii_digit() {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{any_prefix, prefix};

    /// Changes every two octets of a code to every value. The fast path must not change the result.
    #[test]
    fn common_prefix_reads_as_any_prefix() {
        for text in [*b"5.7.1 ab", *b"2.0.26 a", *b"4.1.999 "] {
            for (first, second) in (0..8).flat_map(|first| (0..first).map(move |second| (first, second))) {
                for pair in 0..=u16::MAX {
                    let mut text = text;
                    [text[first], text[second]] = pair.to_le_bytes();
                    assert_eq!(prefix(&text), any_prefix(&text), "{text:?}");
                }
            }
        }
    }
}
