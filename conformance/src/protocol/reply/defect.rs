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
    /// Behind the code stands neither SP nor a hyphen (RFC 5321 §4.2).
    Separator,
    /// Nothing stands behind the code, not even the SP that should (RFC 5321 §4.2).
    BareCode,
    /// The lines do not share one code (RFC 5321 §4.2.1).
    MixedCodes,
    /// A line ends in LF without CR (RFC 5321 §2.3.8).
    BareLf,
    /// CR stands inside a line (RFC 5321 §2.3.8).
    BareCr,
    /// An octet below 32 other than HT, or 127 (RFC 5321 §4.2).
    Control,
    /// An octet above 127 (RFC 5321 §4.2).
    EightBit,
    /// A line has more than 512 octets, its end included (RFC 5321 §4.5.3.1.5).
    LongLine,
    /// The reply passes the reader's limits and was cut.
    Endless,
    /// The octets end before the reply does.
    Incomplete,
    /// A sub-code of the enhanced status code has a leading zero (RFC 3463 §2).
    LeadingZero,
    /// The enhanced status code is no class of 2, 4 or 5 with two sub-codes of one to three digits (RFC 3463 §2).
    EnhancedForm,
    /// The letter X stands for the class (RFC 3463 §2).
    LetterClass,
    /// Behind the enhanced status code stands something other than SP (RFC 2034 §3).
    EnhancedNoSpace,
    /// Nothing stands behind the enhanced status code (RFC 2034 §3).
    EnhancedEndsLine,
    /// More than one SP stands before the enhanced status code (RFC 2034 §4).
    EnhancedIndented,
    /// The enhanced status code stands later in the text (RFC 2034 §4).
    EnhancedLate,
    /// The lines do not begin with one enhanced status code (RFC 2034 §4).
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

    /// Those after which the rest of the reply is not judged, since its limits or its code are in doubt.
    pub const FRAMING: DefectSet = DefectSet(
        1 << Defect::BlankLine as u8
            | 1 << Defect::NoCode as u8
            | 1 << Defect::DigitCount as u8
            | 1 << Defect::Separator as u8
            | 1 << Defect::MixedCodes as u8
            | 1 << Defect::Endless as u8
            | 1 << Defect::Incomplete as u8,
    );

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a defect is among them.
    #[must_use]
    pub const fn contains(self, defect: Defect) -> bool {
        self.0 & 1 << defect as u8 != 0
    }

    /// Whether any of the others is among them.
    #[must_use]
    pub const fn intersects(self, others: DefectSet) -> bool {
        self.0 & others.0 != 0
    }

    /// The members, in the order of [`Defect`].
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::ALL.into_iter().filter(move |&defect| self.contains(defect))
    }

    /// The set with a defect, if a condition holds.
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
    fn every_defect_is_a_member_of_its_own() {
        for (position, defect) in Defect::ALL.into_iter().enumerate() {
            assert_eq!(defect as usize, position);
            assert_eq!(DefectSet::from(defect).iter().collect::<Vec<_>>(), [defect]);
        }
    }
}
