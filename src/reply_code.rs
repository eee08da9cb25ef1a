//! The basic reply code.

use core::fmt;
use core::num::NonZeroU16;

use crate::generated::reply_codes::REPLY_CODES;
use crate::{Class, Entry, Listing, ParseError, entries};

/// A basic reply code, 200 to 599 (RFC 5321 §4.2).
///
/// The first digit is 2 to 5. The second may be any digit: RFC 5321's grammar allows only 0 to 5, but servers
/// send codes such as 571. An `Option<ReplyCode>` is as small as a `ReplyCode`.
///
/// ```
/// use smtp_enhanced_status::{Class, ReplyCode};
///
/// let code: ReplyCode = "550".parse()?;
/// assert_eq!(code, ReplyCode::MAILBOX_UNAVAIL);
/// assert_eq!(code.class(), Some(Class::Permanent));
/// assert_eq!(code.entry().map(|entry| entry.sources), Some(&["RFC 5321 §4.2.3"][..]));
/// # Ok::<(), smtp_enhanced_status::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(NonZeroU16);

impl ReplyCode {
    /// Returns the reply code with this number, or `None` if it is not 200 to 599.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert_eq!(ReplyCode::new(571).map(ReplyCode::as_u16), Some(571));
    /// assert_eq!(ReplyCode::new(199), None);
    /// assert_eq!(ReplyCode::new(600), None);
    /// ```
    #[must_use]
    pub const fn new(number: u16) -> Option<ReplyCode> {
        match NonZeroU16::new(number) {
            Some(nonzero) if number >= 200 && number <= 599 => Some(ReplyCode(nonzero)),
            _ => None,
        }
    }

    /// Returns the reply code whose constant has this name, or `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert_eq!(ReplyCode::from_identifier("MAILBOX_UNAVAIL"), Some(ReplyCode::MAILBOX_UNAVAIL));
    /// assert_eq!(ReplyCode::from_identifier("mailbox_unavail"), None);
    /// ```
    #[must_use]
    pub fn from_identifier(identifier: &str) -> Option<ReplyCode> {
        REPLY_CODES.iter().find(|entry| entry.identifier == identifier).map(|entry| entry.code)
    }

    /// Parses exactly three digits, the first of them 2 to 5.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ReplyCode`](crate::ParseErrorKind::ReplyCode) for anything else.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert_eq!(ReplyCode::from_bytes(b"250"), Ok(ReplyCode::OK));
    /// assert!(ReplyCode::from_bytes(b"250 ok").is_err());
    /// assert!(ReplyCode::from_bytes(b"150").is_err());
    /// ```
    pub const fn from_bytes(octets: &[u8]) -> Result<ReplyCode, ParseError> {
        crate::parse::reply_code(octets)
    }

    /// Returns the number, 200 to 599.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert_eq!(ReplyCode::OK.as_u16(), 250);
    /// assert!(ReplyCode::OK == 250);
    /// ```
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0.get()
    }

    /// Returns whether the code is 2yz: the action was completed (RFC 5321 §4.2.1, "Positive Completion").
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::OK.is_success());
    /// ```
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.as_u16() / 100 == 2
    }

    /// Returns whether the code is 3yz: the server waits for more (RFC 5321 §4.2.1, "Positive Intermediate").
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::START_MAIL_INPUT.is_intermediate());
    /// ```
    #[must_use]
    pub const fn is_intermediate(self) -> bool {
        self.as_u16() / 100 == 3
    }

    /// Returns whether the code is 4yz: the same command may succeed later (RFC 5321 §4.2.1, "Transient Negative
    /// Completion").
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::LOCAL_ERROR.is_transient());
    /// ```
    #[must_use]
    pub const fn is_transient(self) -> bool {
        self.as_u16() / 100 == 4
    }

    /// Returns whether the code is 5yz: the same command should not be repeated (RFC 5321 §4.2.1, "Permanent Negative
    /// Completion").
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::MAILBOX_UNAVAIL.is_permanent());
    /// ```
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        self.as_u16() / 100 == 5
    }

    /// Returns whether the code is 2yz or 3yz: the command was accepted.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::OK.is_positive() && ReplyCode::START_MAIL_INPUT.is_positive());
    /// ```
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.as_u16() < 400
    }

    /// Returns whether the code is 4yz or 5yz: the command was not accepted.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert!(ReplyCode::LOCAL_ERROR.is_negative() && ReplyCode::FAILED.is_negative());
    /// ```
    #[must_use]
    pub const fn is_negative(self) -> bool {
        !self.is_positive()
    }

    /// Returns the class that an enhanced status code in the same reply must have (RFC 2034 §4), or `None` for a
    /// 3yz reply, which has no enhanced status code.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, ReplyCode};
    /// assert_eq!(ReplyCode::OK.class(), Some(Class::Success));
    /// assert_eq!(ReplyCode::START_MAIL_INPUT.class(), None);
    /// ```
    #[must_use]
    pub const fn class(self) -> Option<Class> {
        match self.as_u16() / 100 {
            2 => Some(Class::Success),
            4 => Some(Class::Transient),
            5 => Some(Class::Permanent),
            _ => None,
        }
    }

    /// Returns what is known about the code: its identifier, its meaning, what a client does, and where it is defined.
    ///
    /// ```
    /// # use smtp_enhanced_status::ReplyCode;
    /// assert_eq!(ReplyCode::OK.entry().map(|entry| entry.identifier), Some("OK"));
    /// assert_eq!(ReplyCode::new(571).and_then(ReplyCode::entry), None);
    /// ```
    #[must_use]
    pub const fn entry(self) -> Option<&'static ReplyCodeEntry> {
        let mut index = 0;
        while index < REPLY_CODES.len() {
            if REPLY_CODES[index].code.as_u16() == self.as_u16() {
                return Some(&REPLY_CODES[index]);
            }
            index += 1;
        }
        None
    }

    /// Returns the registry's rows that list this code, and how they do: the code itself, its class, or `Any`.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Listing, ReplyCode, Status};
    /// let mut rows = ReplyCode::DOMAIN_NO_MAIL.listed_in().filter(|(_, listing)| *listing == Listing::Exact);
    /// assert_eq!(rows.next().map(|(row, _)| row.status), Some(Status::ADDR_DEST_NULL_MX));
    /// assert!(rows.next().is_none());
    /// ```
    pub fn listed_in(self) -> impl Iterator<Item = (&'static Entry, Listing)> {
        entries().iter().filter_map(move |entry| Some((entry, entry.associated.listing(self)?)))
    }

    /// Returns a reply code of the generated tables. There, a number out of range does not compile.
    #[expect(clippy::panic, reason = "called at compile time only")]
    pub(crate) const fn defined(number: u16) -> ReplyCode {
        match ReplyCode::new(number) {
            Some(code) => code,
            None => panic!("reply codes are 200 to 599"),
        }
    }
}

/// Writes `ReplyCode(550)`.
impl fmt::Debug for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReplyCode").field(&self.as_u16()).finish()
    }
}

/// Writes the three digits: `550`.
impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_u16(), f)
    }
}

crate::parse::from_text!(ReplyCode);

impl TryFrom<u16> for ReplyCode {
    type Error = ParseError;

    fn try_from(number: u16) -> Result<Self, ParseError> {
        ReplyCode::new(number).ok_or(ParseError::REPLY_CODE)
    }
}

impl From<ReplyCode> for u16 {
    fn from(code: ReplyCode) -> u16 {
        code.as_u16()
    }
}

/// Compares with a number: `reply_code == 550`.
impl PartialEq<u16> for ReplyCode {
    fn eq(&self, number: &u16) -> bool {
        self.as_u16() == *number
    }
}

impl PartialEq<ReplyCode> for u16 {
    fn eq(&self, code: &ReplyCode) -> bool {
        code == self
    }
}

/// A basic reply code as the RFCs define it. IANA has no registry of them; this table is the project's own.
///
/// ```
/// use smtp_enhanced_status::ReplyCode;
///
/// let entry = ReplyCode::HOST_NO_MAIL.entry().expect("521 is in the table");
/// assert_eq!((entry.code.as_u16(), entry.identifier), (521, "HOST_NO_MAIL"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyCodeEntry {
    /// The code.
    pub code: ReplyCode,
    /// The name of the code's constant, which never changes.
    pub identifier: &'static str,
    /// What a server means by it.
    pub meaning: &'static str,
    /// What a client does when it receives the code.
    pub client: &'static str,
    /// The RFCs and sections that define it for SMTP; empty if no RFC does.
    pub sources: &'static [&'static str],
}

/// Returns the table of basic reply codes, in ascending order.
///
/// ```
/// assert!(smtp_enhanced_status::reply_codes().iter().any(|entry| entry.code.as_u16() == 250));
/// ```
#[must_use]
pub const fn reply_codes() -> &'static [ReplyCodeEntry] {
    REPLY_CODES
}
