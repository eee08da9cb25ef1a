//! What stands where the enhanced status code belongs.

use memchr::memchr;
use smtp_enhanced_status::EnhancedStatusCode;

use super::{Defect, DefectSet};

/// What stands where the enhanced status code belongs: at the beginning of a line's text (RFC 2034 §4).
///
/// Of several readings the first that fits is taken, so that one fault has one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A code and SP.
    Code(EnhancedStatusCode),
    /// A code at the end of the line.
    Ending(EnhancedStatusCode),
    /// A code behind more than one SP; it begins at that octet of the text.
    Indented(EnhancedStatusCode, usize),
    /// A code that is followed by something other than SP.
    Unspaced(EnhancedStatusCode),
    /// Something that was meant for a code; it begins at that octet of the text.
    Damaged(Damage, usize),
    /// A code later in the text; it begins at that octet of the text.
    Late(EnhancedStatusCode, usize),
    /// No code.
    Absent,
}

/// How a code is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A sub-code has a leading zero.
    LeadingZero,
    /// The letter X stands for the class.
    LetterClass,
    /// Any other form.
    Form,
}

impl Token {
    /// Reads the text of a line whose reply code begins with `first`.
    pub(super) fn read(first: u8, text: &[u8]) -> Token {
        // Every form of it has dots.
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

    /// The code, wherever it stands and whatever is around it.
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

    /// The code, if it stands where it should.
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
            Token::Damaged(Damage::Form, _) => Defect::EnhancedForm.into(),
            Token::Late(..) => Defect::EnhancedLate.into(),
        }
    }

    /// The octet of the text at which it begins.
    pub(super) fn position(self) -> usize {
        match self {
            Token::Indented(_, position) | Token::Damaged(_, position) | Token::Late(_, position) => position,
            Token::Code(_) | Token::Ending(_) | Token::Unspaced(_) | Token::Absent => 0,
        }
    }
}

/// A word that was meant for a code. `rest` is what follows it.
fn broken(word: &[u8], rest: &[u8], position: usize) -> Option<Token> {
    let bare = bare(word);
    let opened = bare.as_ptr() != word.as_ptr();
    if let Ok(code) = EnhancedStatusCode::from_bytes(bare) {
        // Neither opened nor closed is left to HT behind the word.
        return Some(if opened { Token::Damaged(Damage::Form, position) } else { Token::Unspaced(code) });
    }
    damage(bare).or_else(|| parted(word, rest)).map(|damage| Token::Damaged(damage, position))
}

/// A code whose parts are damaged: `5.07.1`, `5.7`, `X.3.6`, `5.+7.1`, `5..1`, `3.0.0`, `5.7.1000`.
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
    // A class has one digit: `10.0.0` is a version, or an address cut short.
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
        // `5.7`, but not `3.5` of "3.5 seconds".
        2 if matches!(class, b"2" | b"4" | b"5") && !subject.is_empty() => Some(Damage::Form),
        _ => None,
    }
}

/// A code that a blank behind one of its dots breaks: `5. 7.1`.
fn parted(word: &[u8], rest: &[u8]) -> Option<Damage> {
    if !word.ends_with(b".") {
        return None;
    }
    let blanks = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let whole = [word, self::word(&rest[blanks..])].concat();
    EnhancedStatusCode::from_bytes(bare(&whole)).is_ok().then_some(Damage::Form)
}

/// A complete code that stands later as a word of its own, of the reply's class, and not behind another reply code.
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

/// A word without an opening `(`, `#` or `(#` and without `:;,.)-` behind.
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
