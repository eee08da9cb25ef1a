//! An enumerated status: subject and detail without a class.

use core::fmt;
use core::str::FromStr;

use crate::generated::entries::{BY_IDENTIFIER, ENTRIES, INDEX};
use crate::{Class, EnhancedStatusCode, Entry, ParseError};

/// An enumerated status, `X.1.1`: the subject and detail sub-codes of an enhanced status code, each 0 to 999,
/// without its class (RFC 3463 §2). This is what a row of IANA's registry is about.
///
/// There is a constant for each registered row; a value that is not registered is a value all the same.
///
/// ```
/// use smtp_enhanced_status::Status;
///
/// assert_eq!(Status::ADDR_DEST_MAILBOX.permanent().to_string(), "5.1.1");
/// assert_eq!(Status::ADDR_DEST_MAILBOX.to_string(), "X.1.1");
/// let vendor = Status::new(7, 606).expect("both are at most 999");
/// assert_eq!(vendor.entry(), None);
/// ```
// The sub-codes share a word, subject first, which a processor moves at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u32);

impl Status {
    /// The status of two sub-codes; `None` if one is above 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::new(7, 1), Some(Status::SEC_UNAUTHORIZED));
    /// assert_eq!(Status::new(7, 1000), None);
    /// ```
    #[must_use]
    pub const fn new(subject: u16, detail: u16) -> Option<Status> {
        if subject <= 999 && detail <= 999 { Some(Status::registered(subject, detail)) } else { None }
    }

    /// Reads `X.1.1`: a capital X, then two sub-codes of one to three digits without a leading zero.
    ///
    /// # Errors
    ///
    /// Anything else is refused with the reason and its place.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::from_bytes(b"X.7.30"), Ok(Status::SEC_REQUIRETLS));
    /// assert!(Status::from_bytes(b"5.7.30").is_err());
    /// ```
    pub const fn from_bytes(octets: &[u8]) -> Result<Status, ParseError> {
        crate::parse::status(octets)
    }

    /// The status whose constant has this name.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::from_identifier("MBOX_FULL"), Some(Status::MBOX_FULL));
    /// assert_eq!(Status::from_identifier("mbox_full"), None);
    /// ```
    #[must_use]
    pub fn from_identifier(identifier: &str) -> Option<Status> {
        let index = BY_IDENTIFIER.binary_search_by_key(&identifier, |(name, _)| name).ok()?;
        BY_IDENTIFIER.get(index).map(|(_, status)| *status)
    }

    /// The subject sub-code, 0 to 999; the registry has 0 to 7.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_REQUIRETLS.subject(), 7);
    /// ```
    #[must_use]
    pub const fn subject(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The detail sub-code, 0 to 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_REQUIRETLS.detail(), 30);
    /// ```
    #[must_use]
    pub const fn detail(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The code of this status in a class.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Status};
    /// assert_eq!(Status::MBOX_FULL.with_class(Class::Success).to_string(), "2.2.2");
    /// ```
    #[must_use]
    pub const fn with_class(self, class: Class) -> EnhancedStatusCode {
        EnhancedStatusCode::from_parts(class, self)
    }

    /// The code as a success: `2.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::ADDR_DEST_VALID.success().to_string(), "2.1.5");
    /// ```
    #[must_use]
    pub const fn success(self) -> EnhancedStatusCode {
        self.with_class(Class::Success)
    }

    /// The code as a persistent transient failure: `4.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::MBOX_FULL.transient().to_string(), "4.2.2");
    /// ```
    #[must_use]
    pub const fn transient(self) -> EnhancedStatusCode {
        self.with_class(Class::PersistentTransientFailure)
    }

    /// The code as a permanent failure: `5.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_SPF_FAIL.permanent().to_string(), "5.7.23");
    /// ```
    #[must_use]
    pub const fn permanent(self) -> EnhancedStatusCode {
        self.with_class(Class::PermanentFailure)
    }

    /// The registry's row; `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// let entry = Status::MBOX_FULL.entry().expect("the row is registered");
    /// assert_eq!(entry.sample_text, "Mailbox full");
    /// ```
    #[must_use]
    pub const fn entry(self) -> Option<&'static Entry> {
        match self.position() {
            Some(position) => Some(&ENTRIES[position]),
            None => None,
        }
    }

    /// Where the row stands among the entries.
    #[inline]
    pub(crate) const fn position(self) -> Option<usize> {
        let (subject, detail) = (self.subject() as usize, self.detail() as usize);
        if subject >= INDEX.len() || detail >= INDEX[subject].len() {
            return None;
        }
        match INDEX[subject][detail] {
            0 => None,
            position => Some(position as usize - 1),
        }
    }

    /// A status known to be in range, for the generated tables.
    pub(crate) const fn registered(subject: u16, detail: u16) -> Status {
        Status((subject as u32) << 16 | detail as u32)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status").field("subject", &self.subject()).field("detail", &self.detail()).finish()
    }
}

/// The registry's notation: `X.1.1`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
        f.pad(crate::format::encode(b'X', *self, &mut buffer))
    }
}

impl FromStr for Status {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Status::from_bytes(text.as_bytes())
    }
}

impl From<EnhancedStatusCode> for Status {
    fn from(code: EnhancedStatusCode) -> Status {
        code.status()
    }
}
