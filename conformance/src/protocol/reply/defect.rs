//! What can be wrong with a reply.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use serde::Serialize;

/// Something wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Defect {
    /// A line is empty.
    BlankLine,
    /// A line begins with something other than a digit.
    NoCode,
    /// A line begins with fewer or more than three digits.
    DigitCount,
    /// The first digit is not 2 to 5 (RFC 5321 §4.2).
    FirstDigit,
    /// The second digit is not 0 to 5 (RFC 5321 §4.2, the grammar).
    SecondDigit,
    /// The code is followed by neither SP nor a hyphen (RFC 5321 §4.2).
    Separator,
    /// Nothing follows the code, not even the SP that should (RFC 5321 §4.2).
    BareCode,
    /// The lines do not all have the same code (RFC 5321 §4.2.1).
    MixedCodes,
    /// A line ends in LF without CR (RFC 5321 §2.3.8).
    BareLf,
    /// A line contains CR before its end (RFC 5321 §2.3.8).
    BareCr,
    /// A line contains a control character: 127, or an octet below 32 other than HT (RFC 5321 §4.2).
    Control,
    /// A line contains an octet above 127 (RFC 5321 §4.2).
    EightBit,
    /// A line has more than 512 octets, including its line end (RFC 5321 §4.5.3.1.5).
    LongLine,
    /// The reply exceeds the reader's limits and was cut.
    Endless,
    /// The stream ends before the reply does.
    Incomplete,
    /// A sub-code of the enhanced status code has a leading zero (RFC 3463 §2).
    LeadingZero,
    /// The enhanced status code is not a class of 2, 4 or 5 with two sub-codes of one to three digits (RFC 3463 §2).
    EnhancedForm,
    /// The class of the enhanced status code is the letter X (RFC 3463 §2).
    LetterClass,
    /// The enhanced status code is followed by something other than SP (RFC 2034 §3).
    EnhancedNoSpace,
    /// Nothing follows the enhanced status code (RFC 2034 §3).
    EnhancedEndsLine,
    /// More than one SP precedes the enhanced status code (RFC 2034 §4).
    EnhancedIndented,
    /// The enhanced status code comes later in the text (RFC 2034 §4).
    EnhancedLate,
    /// The lines do not all begin with the same enhanced status code (RFC 2034 §4).
    MixedEnhancedCodes,
}

impl Defect {
    const ALL: [Defect; 23] = [
        Defect::BlankLine,
        Defect::NoCode,
        Defect::DigitCount,
        Defect::FirstDigit,
        Defect::SecondDigit,
        Defect::Separator,
        Defect::BareCode,
        Defect::MixedCodes,
        Defect::BareLf,
        Defect::BareCr,
        Defect::Control,
        Defect::EightBit,
        Defect::LongLine,
        Defect::Endless,
        Defect::Incomplete,
        Defect::LeadingZero,
        Defect::EnhancedForm,
        Defect::LetterClass,
        Defect::EnhancedNoSpace,
        Defect::EnhancedEndsLine,
        Defect::EnhancedIndented,
        Defect::EnhancedLate,
        Defect::MixedEnhancedCodes,
    ];
}

/// A set of defects.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct DefectSet(u32);

impl DefectSet {
    /// The empty set.
    pub const NONE: DefectSet = DefectSet(0);

    /// The defects after which the rest of a reply is not judged, because its bounds or its code are in doubt.
    pub const FRAMING: DefectSet = DefectSet(
        1 << Defect::BlankLine as u8
            | 1 << Defect::NoCode as u8
            | 1 << Defect::DigitCount as u8
            | 1 << Defect::Separator as u8
            | 1 << Defect::MixedCodes as u8
            | 1 << Defect::Endless as u8
            | 1 << Defect::Incomplete as u8,
    );

    /// Returns whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether the set contains a defect.
    #[must_use]
    pub const fn contains(self, defect: Defect) -> bool {
        self.0 & 1 << defect as u8 != 0
    }

    /// Returns whether the sets have a defect in common.
    #[must_use]
    pub const fn intersects(self, others: DefectSet) -> bool {
        self.0 & others.0 != 0
    }

    /// Returns the members in the order of [`Defect`].
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::ALL.into_iter().filter(move |&defect| self.contains(defect))
    }

    /// Adds a defect to the set if a condition holds.
    #[must_use]
    pub(super) const fn with(self, defect: Defect, holds: bool) -> DefectSet {
        DefectSet(self.0 | (holds as u32) << defect as u8)
    }
}

impl From<Defect> for DefectSet {
    fn from(defect: Defect) -> DefectSet {
        DefectSet::NONE.with(defect, true)
    }
}

impl BitOr for DefectSet {
    type Output = DefectSet;

    fn bitor(self, other: DefectSet) -> DefectSet {
        DefectSet(self.0 | other.0)
    }
}

impl BitOrAssign for DefectSet {
    fn bitor_assign(&mut self, other: DefectSet) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for DefectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Defect, DefectSet};

    #[test]
    fn every_defect_has_a_bit_of_its_own() {
        for (position, defect) in Defect::ALL.into_iter().enumerate() {
            assert_eq!(defect as usize, position);
            assert_eq!(DefectSet::from(defect).iter().collect::<Vec<_>>(), [defect]);
        }
    }
}
