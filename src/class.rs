//! The first digit of an enhanced status code.

use core::fmt;

/// The class of an enhanced status code: its first digit (RFC 3463 §2).
///
/// The class must be the first digit of the reply code too (RFC 2034 §4). There are three classes. Class 3 does
/// not exist, because a 3yz reply has no enhanced status code.
///
/// ```
/// use smtp_enhanced_status::Class;
///
/// assert_eq!(Class::from_digit(5), Some(Class::PermanentFailure));
/// assert_eq!(Class::from_digit(3), None);
/// assert_eq!(Class::Success.digit(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 2.y.z: success.
    Success = 2,
    /// 4.y.z: a temporary condition; trying again later may succeed.
    PersistentTransientFailure = 4,
    /// 5.y.z: sending the same message again is unlikely to succeed; something has to change.
    PermanentFailure = 5,
}

impl Class {
    /// The three classes, in ascending order.
    pub const ALL: [Class; 3] = [Class::Success, Class::PersistentTransientFailure, Class::PermanentFailure];

    /// Returns the class with this digit, or `None` if the digit is not 2, 4 or 5.
    ///
    /// ```
    /// # use smtp_enhanced_status::Class;
    /// assert_eq!(Class::from_digit(4), Some(Class::PersistentTransientFailure));
    /// assert_eq!(Class::from_digit(9), None);
    /// ```
    #[must_use]
    pub const fn from_digit(digit: u8) -> Option<Class> {
        match digit {
            2 => Some(Class::Success),
            4 => Some(Class::PersistentTransientFailure),
            5 => Some(Class::PermanentFailure),
            _ => None,
        }
    }

    /// Returns the digit: 2, 4 or 5.
    ///
    /// ```
    /// # use smtp_enhanced_status::Class;
    /// assert_eq!(Class::PermanentFailure.digit(), 5);
    /// ```
    #[must_use]
    pub const fn digit(self) -> u8 {
        self as u8
    }
}

/// Writes the digit: `5`.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.digit(), f)
    }
}

/// A set of classes.
///
/// ```
/// use smtp_enhanced_status::{Class, Classes};
///
/// let classes = Classes::NONE.with(Class::PermanentFailure).with(Class::Success);
/// assert!(classes.contains(Class::Success));
/// assert!(!classes.contains(Class::PersistentTransientFailure));
/// assert_eq!(classes.iter().map(Class::digit).collect::<Vec<_>>(), [2, 5]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Classes(u8);

impl Classes {
    /// The empty set.
    pub const NONE: Classes = Classes(0);

    /// Returns the set with this class added.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert!(Classes::NONE.with(Class::Success).contains(Class::Success));
    /// ```
    #[must_use]
    pub const fn with(self, class: Class) -> Classes {
        Classes(self.0 | Self::bit(class))
    }

    /// Returns whether the class is in the set.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert!(!Classes::NONE.contains(Class::Success));
    /// ```
    #[must_use]
    pub const fn contains(self, class: Class) -> bool {
        self.0 & Self::bit(class) != 0
    }

    /// Returns whether the set is empty.
    ///
    /// ```
    /// # use smtp_enhanced_status::Classes;
    /// assert!(Classes::NONE.is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the classes in the set, in ascending order.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert_eq!(Classes::NONE.with(Class::Success).iter().next(), Some(Class::Success));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |&class| self.contains(class))
    }

    /// Returns the set that a bit mask stands for: 1 for 2.y.z, 2 for 4.y.z, 4 for 5.y.z.
    pub(crate) const fn from_bits(bits: u8) -> Classes {
        Classes(bits & 7)
    }

    const fn bit(class: Class) -> u8 {
        match class {
            Class::Success => 1,
            Class::PersistentTransientFailure => 2,
            Class::PermanentFailure => 4,
        }
    }
}

/// Writes `Classes(4 5)`.
impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Classes").field(&format_args!("{self}")).finish()
    }
}

/// Writes the digits, separated by spaces: `4 5`.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(index, class)| match index {
            0 => write!(f, "{class}"),
            _ => write!(f, " {class}"),
        })
    }
}
