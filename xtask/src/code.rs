//! Reply codes and enhanced status codes, parsed from the registry's notation.
//!
//! These types duplicate the library's, because xtask must work even if the library's generated code does not
//! compile. Tests compare the two.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The first digit of an enhanced status code (RFC 3463 §2): 2, 4 or 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

impl Class {
    /// The three classes: success, persistent transient failure, permanent failure.
    pub const ALL: [Class; 3] = [Class(2), Class(4), Class(5)];

    /// Returns the class with this digit, if there is one.
    pub fn new(digit: u8) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.0 == digit)
    }

    /// Parses one digit and nothing else.
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| text == class.to_string())
    }

    /// Returns the digit: 2, 4 or 5.
    pub fn digit(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let digit = u8::deserialize(input)?;
        Class::new(digit)
            .ok_or_else(|| D::Error::custom(format!("{digit} is not a class; classes are 2, 4 and 5")))
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(output)
    }
}

/// A set of classes, as a bit mask: 1 for 2.y.z, 2 for 4.y.z, 4 for 5.y.z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u8);

impl Classes {
    /// Returns whether the class is in the set.
    pub fn contains(self, class: Class) -> bool {
        self.0 & Self::bit(class) != 0
    }

    /// Adds a class.
    pub fn insert(&mut self, class: Class) {
        self.0 |= Self::bit(class);
    }

    /// Returns whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the classes, in ascending order.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |&class| self.contains(class))
    }

    /// Returns the bit mask, 0 to 7.
    pub fn bits(self) -> u8 {
        self.0
    }

    fn bit(class: Class) -> u8 {
        match class.0 {
            2 => 1,
            4 => 2,
            _ => 4,
        }
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        let mut set = Classes::default();
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }
}

/// A basic reply code (RFC 5321 §4.2): first digit 2 to 5, any second and third digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// Returns the reply code with this number, if it is 200 to 599.
    pub fn new(number: u16) -> Option<ReplyCode> {
        (200..=599).contains(&number).then_some(ReplyCode(number))
    }

    /// Parses three digits and nothing else.
    pub fn parse(text: &str) -> Option<ReplyCode> {
        let digits = text.len() == 3 && text.bytes().all(|octet| octet.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(ReplyCode::new)
    }

    /// Returns the number, 200 to 599.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Returns the class with the same first digit, or `None` for 3yz.
    pub fn class(self) -> Option<Class> {
        u8::try_from(self.0 / 100).ok().and_then(Class::new)
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for ReplyCode {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let number = u16::deserialize(input)?;
        ReplyCode::new(number).ok_or_else(|| {
            D::Error::custom(format!("{number} is not a reply code; reply codes are 200 to 599"))
        })
    }
}

impl Serialize for ReplyCode {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(output)
    }
}

/// An enumerated status, `X.1.1`: subject and detail, each 0 to 999, without a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    /// The subject, 0 to 999.
    pub subject: u16,
    /// The detail, 0 to 999.
    pub detail: u16,
}

impl Status {
    /// Parses `X.1.10`.
    pub fn parse(text: &str) -> Option<Status> {
        let (subject, detail) = text.strip_prefix("X.")?.split_once('.')?;
        Some(Status { subject: sub_code(subject)?, detail: sub_code(detail)? })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X.{}.{}", self.subject, self.detail)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Status::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a status such as \"X.1.1\"")))
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

/// Parses the registry's notation for a class, `2.XXX.YYY`.
pub fn parse_class_pattern(text: &str) -> Option<Class> {
    Class::parse(text.strip_suffix(".XXX.YYY")?)
}

/// Parses the registry's notation for a subject, `X.7.YYY`.
pub fn parse_subject_pattern(text: &str) -> Option<u16> {
    sub_code(text.strip_prefix("X.")?.strip_suffix(".YYY")?)
}

/// Parses one to three digits without a leading zero (RFC 3463 §2).
fn sub_code(text: &str) -> Option<u16> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    (digits && plain).then(|| text.parse().ok()).flatten()
}

/// A reply code and an enhanced status code in one reply: `550 5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The basic reply code.
    pub reply_code: ReplyCode,
    /// The class of the enhanced status code.
    pub class: Class,
    /// The subject and detail of the enhanced status code.
    pub status: Status,
}

impl Pair {
    /// Parses `550 5.1.1`.
    pub fn parse(text: &str) -> Option<Pair> {
        let (reply_code, code) = text.split_once(' ')?;
        let (class, rest) = code.split_at_checked(1)?;
        Some(Pair {
            reply_code: ReplyCode::parse(reply_code)?,
            class: Class::parse(class)?,
            status: Status::parse(&format!("X{rest}"))?,
        })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}.{}.{}", self.reply_code, self.class, self.status.subject, self.status.detail)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Pair::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a pair such as \"550 5.1.1\"")))
    }
}

/// What the registry says about a pair. If several variants apply, it is the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Pairing {
    /// The first digits differ (RFC 2034 §4).
    ClassMismatch,
    /// The registry has no such row.
    Unregistered,
    /// The row lists the reply code: by itself, by its class, or by `Any`.
    Listed,
    /// The row has a list, and the reply code is not on it. The list is not exclusive (RFC 5248 §2.1).
    Unlisted,
    /// The row has no list: the cell says `Not given` or nothing.
    NoList,
}
