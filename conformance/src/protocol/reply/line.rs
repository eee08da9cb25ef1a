//! One line of a reply.

use super::token::Token;
use super::{Defect, DefectSet};

/// The octets of the longest line that a server should send, including its line end (RFC 5321 §4.5.3.1.5).
pub(super) const LONGEST: usize = 512;

/// One line of a reply: code, separator, text, line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    octets: &'a [u8],
    end: LineEnd,
    broken_off: bool,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// CR LF.
    CrLf,
    /// LF alone.
    Lf,
    /// The line has no end.
    None,
}

impl<'a> Line<'a> {
    pub(super) fn new(octets: &'a [u8], broken_off: bool) -> Line<'a> {
        let (octets, end) = match octets {
            [octets @ .., b'\r', b'\n'] => (octets, LineEnd::CrLf),
            [octets @ .., b'\n'] => (octets, LineEnd::Lf),
            octets => (octets, LineEnd::None),
        };
        Line { octets, end, broken_off }
    }

    /// Returns whether it is the rest of a line that LF without CR broke off. It has no code, and needs none.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        self.broken_off
    }

    /// The octets without the line end.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// How the line ends.
    #[must_use]
    pub fn end(&self) -> LineEnd {
        self.end
    }

    /// The number that the first three digits give. `None` if the line begins otherwise or with a fourth digit.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        match *self.octets {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ref rest @ ..]
                if !rest.first().is_some_and(u8::is_ascii_digit) =>
            {
                let digit = |octet: u8| u16::from(octet - b'0');
                Some(digit(a) * 100 + digit(b) * 10 + digit(c))
            }
            _ => None,
        }
    }

    /// The fourth octet, which should be SP or a hyphen.
    #[must_use]
    pub fn separator(&self) -> Option<u8> {
        self.octets.get(3).copied()
    }

    /// The text after the separator, or the whole line if it has no code.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        match self.number() {
            Some(_) => self.octets.get(4..).unwrap_or_default(),
            None => self.octets,
        }
    }

    /// The text without the enhanced status code, if that is where it belongs, and without blanks around it.
    pub(crate) fn text_after_code(&self) -> &'a [u8] {
        let text = self.text();
        let after = match self.token().exact() {
            Some(_) => text.splitn(2, |octet| *octet == b' ').nth(1).unwrap_or_default(),
            None => text,
        };
        after.trim_ascii()
    }

    /// What the line has where the enhanced status code belongs.
    #[must_use]
    pub fn token(&self) -> Token {
        match (self.number(), self.octets.first()) {
            (Some(_), Some(&first)) => Token::read(first, self.text()),
            _ => Token::Absent,
        }
    }

    /// Returns whether the reply ends with this line. `within` a reply of several lines, a line without a code counts
    /// as text that a stray line end broke off.
    pub(super) fn ends_reply(&self, within: bool) -> bool {
        match self.number() {
            Some(_) => self.separator() != Some(b'-'),
            None => !within,
        }
    }

    /// The defects of the line by itself, apart from those of its enhanced status code.
    pub(super) fn defects(&self) -> DefectSet {
        let end = match self.end {
            LineEnd::CrLf => 2,
            LineEnd::Lf => 1,
            LineEnd::None => 0,
        };
        let mut defects = DefectSet::NONE
            .with(Defect::LongLine, self.octets.len() + end > LONGEST)
            .with(Defect::BareLf, self.end == LineEnd::Lf)
            .with(Defect::Incomplete, self.end == LineEnd::None);
        let unprintable = self.octets.iter().fold(false, |any, octet| any | !is_text(*octet));
        if unprintable {
            defects = defects
                .with(Defect::BareCr, self.inside().contains(&b'\r'))
                .with(Defect::Control, self.octets.iter().any(|octet| is_control(*octet)))
                .with(Defect::EightBit, !self.octets.is_ascii());
        }
        match *self.octets {
            [first @ b'0'..=b'9', second @ b'0'..=b'9', b'0'..=b'9', ref rest @ ..]
                if !rest.first().is_some_and(u8::is_ascii_digit) =>
            {
                defects
                    .with(Defect::FirstDigit, !(b'2'..=b'5').contains(&first))
                    .with(Defect::SecondDigit, second > b'5')
                    .with(Defect::BareCode, rest.is_empty() && self.end != LineEnd::None)
                    .with(Defect::Separator, !matches!(rest.first(), None | Some(b' ' | b'-')))
            }
            _ if self.broken_off => defects,
            [b'0'..=b'9', ..] => defects.with(Defect::DigitCount, true),
            [] => defects.with(Defect::BlankLine, true),
            _ => defects.with(Defect::NoCode, true),
        }
    }

    /// The octets, without a final CR whose LF has not arrived.
    fn inside(&self) -> &'a [u8] {
        match (self.end, self.octets) {
            (LineEnd::None, [inside @ .., b'\r']) => inside,
            _ => self.octets,
        }
    }

    /// The index of the octet that a defect of this line is about, or the line's length if that octet is missing.
    pub(super) fn position(&self, defect: Defect) -> usize {
        let first = |wanted: fn(u8) -> bool| self.octets.iter().position(|octet| wanted(*octet));
        let position = match defect {
            Defect::BlankLine
            | Defect::NoCode
            | Defect::DigitCount
            | Defect::FirstDigit
            | Defect::MixedCodes => 0,
            Defect::SecondDigit => 1,
            Defect::Separator | Defect::BareCode => 3,
            Defect::BareCr => first(|octet| octet == b'\r').unwrap_or(0),
            Defect::Control => first(is_control).unwrap_or(0),
            Defect::EightBit => first(|octet| !octet.is_ascii()).unwrap_or(0),
            Defect::LongLine => LONGEST,
            Defect::BareLf | Defect::Endless | Defect::Incomplete => self.octets.len(),
            Defect::LeadingZero
            | Defect::EnhancedForm
            | Defect::LetterClass
            | Defect::EnhancedNoSpace
            | Defect::EnhancedEndsLine
            | Defect::EnhancedIndented
            | Defect::EnhancedLate
            | Defect::MixedEnhancedCodes => 4 + self.token().position(),
        };
        position.min(self.octets.len())
    }
}

/// Returns whether a text may contain an octet: HT or a printable character of ASCII (RFC 5321 §4.2).
fn is_text(octet: u8) -> bool {
    matches!(octet, b'\t' | b' '..=b'~')
}

fn is_control(octet: u8) -> bool {
    octet.is_ascii_control() && !matches!(octet, b'\t' | b'\r')
}
