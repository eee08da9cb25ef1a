//! The first digit of an enhanced status code.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};
use core::str::FromStr;

use crate::ParseError;

/// The class of an enhanced status code: its first digit (RFC 3463 §2).
///
/// The class must be the first digit of the reply code too (RFC 2034 §4). There are three classes. Class 3 does
/// not exist, because a 3yz reply has no enhanced status code.
///
/// ```
/// use smtp_enhanced_status::Class;
///
/// assert_eq!(Class::try_from(5_u8), Ok(Class::Permanent));
/// assert_eq!("4".parse(), Ok(Class::Transient));
/// assert_eq!(u8::from(Class::Success), 2);
/// assert!(Class::try_from(3_u8).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 2.y.z, "Success".
    Success = 2,
    /// 4.y.z, "Persistent Transient Failure": a temporary condition; trying again later may succeed.
    Transient = 4,
    /// 5.y.z, "Permanent Failure": sending the same message again is unlikely to succeed; something has to change.
    Permanent = 5,
}

impl Class {
    /// The three classes, in ascending order.
    pub const ALL: [Class; 3] = [Class::Success, Class::Transient, Class::Permanent];

    /// Returns the class with this digit, or `None` if the digit is not 2, 4 or 5.
    ///
    /// ```
    /// # use smtp_enhanced_status::Class;
    /// assert_eq!(Class::from_digit(4), Some(Class::Transient));
    /// assert_eq!(Class::from_digit(9), None);
    /// ```
    #[must_use]
    pub const fn from_digit(digit: u8) -> Option<Class> {
        match digit {
            2 => Some(Class::Success),
            4 => Some(Class::Transient),
            5 => Some(Class::Permanent),
            _ => None,
        }
    }

    /// Returns the digit: 2, 4 or 5.
    ///
    /// ```
    /// # use smtp_enhanced_status::Class;
    /// assert_eq!(Class::Permanent.digit(), 5);
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

impl TryFrom<u8> for Class {
    type Error = ParseError;

    /// Converts the number 2, 4 or 5.
    fn try_from(digit: u8) -> Result<Class, ParseError> {
        Class::from_digit(digit).ok_or(ParseError::CLASS)
    }
}

impl From<Class> for u8 {
    fn from(class: Class) -> u8 {
        class.digit()
    }
}

impl FromStr for Class {
    type Err = ParseError;

    /// Parses the digit: `"5"`.
    fn from_str(text: &str) -> Result<Class, ParseError> {
        crate::parse::whole_class(text.as_bytes())
    }
}

/// A set of classes.
///
/// ```
/// use smtp_enhanced_status::{Class, Classes};
///
/// let failures = Class::Transient | Class::Permanent;
/// assert!(failures.contains(Class::Permanent));
/// assert!(!failures.contains(Class::Success));
/// for class in failures | Class::Success {
///     assert!(Class::ALL.contains(&class));
/// }
/// assert_eq!([Class::Permanent, Class::Transient].into_iter().collect::<Classes>(), failures);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Classes(u8);

impl Classes {
    /// The empty set.
    pub const NONE: Classes = Classes(0);

    /// The set of all three classes.
    pub const ALL: Classes = Classes(7);

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

    /// Returns the number of classes in the set, 0 to 3.
    ///
    /// ```
    /// # use smtp_enhanced_status::Classes;
    /// assert_eq!(Classes::ALL.len(), 3);
    /// ```
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns the classes in the set, in ascending order.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Classes};
    /// assert_eq!(Classes::ALL.iter().map(Class::digit).collect::<Vec<_>>(), [2, 4, 5]);
    /// ```
    #[must_use]
    pub const fn iter(self) -> ClassesIter {
        ClassesIter(self)
    }

    /// Returns the set that a bit mask stands for: 1 for 2.y.z, 2 for 4.y.z, 4 for 5.y.z.
    pub(crate) const fn from_bits(bits: u8) -> Classes {
        Classes(bits & 7)
    }

    const fn bit(class: Class) -> u8 {
        match class {
            Class::Success => 1,
            Class::Transient => 2,
            Class::Permanent => 4,
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

impl From<Class> for Classes {
    fn from(class: Class) -> Classes {
        Classes::NONE.with(class)
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Classes {
        classes.into_iter().fold(Classes::NONE, Classes::with)
    }
}

impl Extend<Class> for Classes {
    fn extend<I: IntoIterator<Item = Class>>(&mut self, classes: I) {
        *self |= classes.into_iter().collect::<Classes>();
    }
}

impl IntoIterator for Classes {
    type Item = Class;
    type IntoIter = ClassesIter;

    fn into_iter(self) -> ClassesIter {
        self.iter()
    }
}

/// The union of two sets, or of a set and a class.
impl<T: Into<Classes>> BitOr<T> for Classes {
    type Output = Classes;

    fn bitor(self, other: T) -> Classes {
        Classes(self.0 | other.into().0)
    }
}

impl<T: Into<Classes>> BitOrAssign<T> for Classes {
    fn bitor_assign(&mut self, other: T) {
        *self = *self | other;
    }
}

/// The set of two classes, or of a class and a set.
impl<T: Into<Classes>> BitOr<T> for Class {
    type Output = Classes;

    fn bitor(self, other: T) -> Classes {
        Classes::from(self) | other
    }
}

/// The classes of a set, in ascending order: see [`Classes::iter`].
///
/// ```
/// use smtp_enhanced_status::{Class, Classes};
///
/// let mut classes = Classes::ALL.into_iter();
/// assert_eq!((classes.next(), classes.next_back()), (Some(Class::Success), Some(Class::Permanent)));
/// assert_eq!(classes.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct ClassesIter(Classes);

impl ClassesIter {
    fn take(&mut self, class: Option<Class>) -> Option<Class> {
        let class = class?;
        self.0 = Classes(self.0.0 & !Classes::bit(class));
        Some(class)
    }
}

impl Iterator for ClassesIter {
    type Item = Class;

    fn next(&mut self) -> Option<Class> {
        let first = Class::ALL.into_iter().find(|&class| self.0.contains(class));
        self.take(first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl DoubleEndedIterator for ClassesIter {
    fn next_back(&mut self) -> Option<Class> {
        let last = Class::ALL.into_iter().rfind(|&class| self.0.contains(class));
        self.take(last)
    }
}

impl ExactSizeIterator for ClassesIter {}

impl core::iter::FusedIterator for ClassesIter {}
