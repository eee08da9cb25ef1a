//! What a line has where the enhanced status code belongs.

use memchr::memchr;
use smtp_enhanced_status::EnhancedStatusCode;

use super::{Defect, DefectSet};

/// What a line has where the enhanced status code belongs: at the start of its text (RFC 2034 §4).
///
/// If several variants fit, the first one is used, so that each fault has one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A code followed by SP.
    Code(EnhancedStatusCode),
    /// A code at the end of the line.
    Ending(EnhancedStatusCode),
    /// A code after additional blanks, and the index in the text at which it begins.
    Indented(EnhancedStatusCode, usize),
    /// A code followed by something other than SP.
    Unspaced(EnhancedStatusCode),
    /// Something that was meant as a code, and the index in the text at which it begins.
    Damaged(Damage, usize),
    /// A code later in the text, and the index at which it begins.
    Late(EnhancedStatusCode, usize),
    /// No code.
    Absent,
}

/// How a code is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A sub-code has a leading zero.
    LeadingZero,
    /// The class is the letter X.
    LetterClass,
    /// It is two numbers, `5.7`.
    Short,
    /// Any other form.
    Form,
}

impl Token {
    /// Reads the text of a line whose reply code begins with `first`.
    pub(super) fn read(first: u8, text: &[u8]) -> Token {
        // Every form of a code, damaged or not, has dots.
        if memchr(b'.', text).is_none() {
            return Token::Absent;
        }
        if let Some((code, rest)) = EnhancedStatusCode::parse_prefix(text) {
            return if rest.is_empty() { Token::Ending(code) } else { Token::Code(code) };
        }
        let blanks = text.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let word = word(&text[blanks..]);
        if blanks > 0
            && let Ok(code) = EnhancedStatusCode::from_bytes(word)
        {
            return Token::Indented(code, blanks);
        }
        if let Some(token) = broken(word, &text[blanks + word.len()..], blanks) {
            return token;
        }
        late(first, text).unwrap_or(Token::Absent)
    }

    /// The code, wherever it is and whatever is around it.
    #[must_use]
    pub fn code(self) -> Option<EnhancedStatusCode> {
        match self {
            Token::Code(code)
            | Token::Ending(code)
            | Token::Indented(code, _)
            | Token::Unspaced(code)
            | Token::Late(code, _) => Some(code),
            Token::Damaged(..) | Token::Absent => None,
        }
    }

    /// The code, if it is where it belongs.
    #[must_use]
    pub fn exact(self) -> Option<EnhancedStatusCode> {
        match self {
            Token::Code(code) | Token::Ending(code) => Some(code),
            _ => None,
        }
    }

    pub(super) fn defects(self) -> DefectSet {
        match self {
            Token::Code(_) | Token::Absent => DefectSet::NONE,
            Token::Ending(_) => Defect::EnhancedEndsLine.into(),
            Token::Indented(..) => Defect::EnhancedIndented.into(),
            Token::Unspaced(_) => Defect::EnhancedNoSpace.into(),
            Token::Damaged(Damage::LeadingZero, _) => Defect::LeadingZero.into(),
            Token::Damaged(Damage::LetterClass, _) => Defect::LetterClass.into(),
            Token::Damaged(Damage::Form | Damage::Short, _) => Defect::EnhancedForm.into(),
            Token::Late(..) => Defect::EnhancedLate.into(),
        }
    }

    /// The index in the text at which it begins.
    pub(super) fn position(self) -> usize {
        match self {
            Token::Indented(_, position) | Token::Damaged(_, position) | Token::Late(_, position) => position,
            Token::Code(_) | Token::Ending(_) | Token::Unspaced(_) | Token::Absent => 0,
        }
    }
}

/// Reads a word that was meant as a code. `rest` is the text after the word.
fn broken(word: &[u8], rest: &[u8], position: usize) -> Option<Token> {
    let bare = bare(word);
    let opened = bare.as_ptr() != word.as_ptr();
    if let Ok(code) = EnhancedStatusCode::from_bytes(bare) {
        // Without an opening sign, the code is good and something other than SP follows it.
        return Some(if opened { Token::Damaged(Damage::Form, position) } else { Token::Unspaced(code) });
    }
    let damage = damage(bare).or_else(|| parted(word, rest));
    let damage = damage.filter(|damage| *damage != Damage::Short || !is_measured(rest));
    damage.map(|damage| Token::Damaged(damage, position))
}

/// Returns whether a unit follows a number: `2.0 kB`, `4.5 seconds`.
fn is_measured(rest: &[u8]) -> bool {
    const UNITS: [&[u8]; 26] = [
        b"b", b"byte", b"bytes", b"octets", b"k", b"kb", b"kib", b"m", b"mb", b"mib", b"g", b"gb", b"gib",
        b"tb", b"%", b"percent", b"ms", b"msec", b"s", b"sec", b"secs", b"seconds", b"min", b"minutes",
        b"hours", b"days",
    ];
    let rest = rest.trim_ascii_start();
    let unit = word(rest).trim_ascii();
    let end = unit.iter().rposition(|octet| !b".,;:)".contains(octet)).map_or(0, |last| last + 1);
    UNITS.iter().any(|known| unit[..end].eq_ignore_ascii_case(known))
}

/// Finds what is wrong with the parts of a code: `5.07.1`, `5.7`, `X.3.6`, `5.+7.1`, `5..1`, `3.0.0`, `5.7.1000`.
fn damage(word: &[u8]) -> Option<Damage> {
    let mut parts = [&[][..]; 3];
    let mut count = 0;
    for part in word.split(|octet| *octet == b'.') {
        *parts.get_mut(count)? = part;
        count += 1;
    }
    let numeric = |part: &[u8]| unsigned(part).iter().all(u8::is_ascii_digit);
    let [class, subject, detail] = parts;
    let letter = matches!(class, b"X" | b"x");
    // A class has one digit: `10.0.0` is a version or part of an address.
    let class_like = letter || matches!(unsigned(class), [b'0'..=b'9'] | [b'0', b'0'..=b'9']);
    if !class_like || !numeric(subject) || !numeric(detail) {
        return None;
    }
    match count {
        3 if letter => Some(Damage::LetterClass),
        3 if subject.is_empty() && detail.is_empty() => None,
        3 => {
            let zeros = [class, subject, detail].iter().any(|part| matches!(part, [b'0', b'0'..=b'9', ..]));
            let otherwise_right = matches!(class, [.., b'2' | b'4' | b'5'])
                && [class, subject, detail].iter().all(|part| {
                    let digits = part.iter().skip_while(|octet| **octet == b'0').count();
                    !part.is_empty() && part[0].is_ascii_digit() && digits <= 3
                });
            Some(if zeros && otherwise_right { Damage::LeadingZero } else { Damage::Form })
        }
        // `5.7`, but not the `3.5` of "3.5 seconds".
        2 if matches!(class, b"2" | b"4" | b"5") && !subject.is_empty() => Some(Damage::Short),
        _ => None,
    }
}

/// Recognizes a code that is broken by a blank after one of its dots: `5. 7.1`.
fn parted(word: &[u8], rest: &[u8]) -> Option<Damage> {
    if !word.ends_with(b".") {
        return None;
    }
    let blanks = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let whole = [word, self::word(&rest[blanks..])].concat();
    EnhancedStatusCode::from_bytes(bare(&whole)).is_ok().then_some(Damage::Form)
}

/// Finds a complete code of the reply's class later in the text, as a word of its own and not after another reply code.
fn late(first: u8, text: &[u8]) -> Option<Token> {
    if !matches!(first, b'2' | b'4' | b'5') {
        return None;
    }
    let mut position = 0;
    for word in text.split(|octet| matches!(octet, b' ' | b'\t')) {
        let bare = bare(word);
        if position > 0
            && bare.first() == Some(&first)
            && let Ok(code) = EnhancedStatusCode::from_bytes(bare)
        {
            return Some(Token::Late(code, position));
        }
        if let [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9'] = bare {
            return None;
        }
        position += word.len() + 1;
    }
    None
}

fn word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|octet| matches!(octet, b' ' | b'\t'));
    &text[..end.unwrap_or(text.len())]
}

/// Strips an opening `(`, `#` or `(#` and any of `:;,.)-` at the end from a word.
fn bare(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"(").unwrap_or(word);
    let word = word.strip_prefix(b"#").unwrap_or(word);
    let closing = word
        .iter()
        .rev()
        .take_while(|octet| matches!(octet, b':' | b';' | b',' | b'.' | b')' | b'-'))
        .count();
    &word[..word.len() - closing]
}

fn unsigned(part: &[u8]) -> &[u8] {
    part.strip_prefix(b"+").or_else(|| part.strip_prefix(b"-")).unwrap_or(part)
}
