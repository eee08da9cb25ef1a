//! The first digit of an enhanced status code.

use core::fmt;

/// Class of an enhanced status code: its first digit (RFC 3463 §2).
///
/// A class agrees with the first digit of the basic reply code beside it (RFC 2034 §4). There are three;
/// 3.y.z does not exist, since a 3yz reply carries no enhanced status code.
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
    /// 2.y.z: a positive report.
    Success = 2,
    /// 4.y.z: the condition may pass; trying again may succeed.
    PersistentTransientFailure = 4,
    /// 5.y.z: the same message will not get through without a change.
    PermanentFailure = 5,
}

impl Class {
    /// The three classes, ascending.
    pub const ALL: [Class; 3] = [Class::Success, Class::PersistentTransientFailure, Class::PermanentFailure];

    /// The class of a digit; `None` unless it is 2, 4 or 5.
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

    /// 2, 4 or 5.
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

/// The digit: `5`.
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

    /// The set with one more class.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert!(Classes::NONE.with(Class::Success).contains(Class::Success));
    /// ```
    #[must_use]
    pub const fn with(self, class: Class) -> Classes {
        Classes(self.0 | Self::bit(class))
    }

    /// Whether the class is in the set.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert!(!Classes::NONE.contains(Class::Success));
    /// ```
    #[must_use]
    pub const fn contains(self, class: Class) -> bool {
        self.0 & Self::bit(class) != 0
    }

    /// Whether the set has no class.
    ///
    /// ```
    /// # use smtp_enhanced_status::Classes;
    /// assert!(Classes::NONE.is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes of the set, ascending.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert_eq!(Classes::NONE.with(Class::Success).iter().next(), Some(Class::Success));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |&class| self.contains(class))
    }

    /// The set of three bits: 1 for 2.y.z, 2 for 4.y.z, 4 for 5.y.z.
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

/// `Classes(4 5)`.
impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Classes").field(&format_args!("{self}")).finish()
    }
}

/// The digits with blanks between: `4 5`.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(index, class)| match index {
            0 => write!(f, "{class}"),
            _ => write!(f, " {class}"),
        })
    }
}
