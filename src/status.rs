//! The enumerated status: subject and detail, without a class.

use core::fmt;

use crate::generated::entries::{BY_IDENTIFIER, ENTRIES, INDEX};
use crate::{Class, EnhancedStatusCode, Entry, ParseError};

/// An enumerated status such as `X.1.1`: the subject and the detail of an enhanced status code, each 0 to 999,
/// without its class (RFC 3463 §2). Each row of IANA's registry has one.
///
/// There is a constant for each row. Unregistered values are valid too.
///
/// ```
/// use smtp_enhanced_status::Status;
///
/// assert_eq!(Status::ADDR_DEST_MAILBOX.permanent().to_string(), "5.1.1");
/// assert_eq!(Status::ADDR_DEST_MAILBOX.to_string(), "X.1.1");
/// let vendor = Status::new(7, 606).expect("both are at most 999");
/// assert_eq!(vendor.entry(), None);
/// ```
// Both sub-codes are in one word, with the subject in the high half, so that a processor copies them at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u32);

impl Status {
    /// Returns the status with this subject and detail, or `None` if one is above 999.
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

    /// Parses `X.1.1`: a capital X, then two sub-codes of one to three digits without a leading zero.
    ///
    /// # Errors
    ///
    /// Returns the first thing that is wrong, and its position.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::from_bytes(b"X.7.30"), Ok(Status::SEC_REQUIRETLS));
    /// assert!(Status::from_bytes(b"5.7.30").is_err());
    /// ```
    pub const fn from_bytes(octets: &[u8]) -> Result<Status, ParseError> {
        crate::parse::status(octets)
    }

    /// Returns the status whose constant has this name, or `None` if there is none.
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

    /// Returns the subject sub-code, 0 to 999. The registry has subjects 0 to 7.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_REQUIRETLS.subject(), 7);
    /// ```
    #[must_use]
    pub const fn subject(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Returns the detail sub-code, 0 to 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_REQUIRETLS.detail(), 30);
    /// ```
    #[must_use]
    pub const fn detail(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// Returns the code with this status and a class.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Status};
    /// assert_eq!(Status::MBOX_FULL.with_class(Class::Success).to_string(), "2.2.2");
    /// ```
    #[must_use]
    pub const fn with_class(self, class: Class) -> EnhancedStatusCode {
        EnhancedStatusCode::from_parts(class, self)
    }

    /// Returns the code for a success: `2.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::ADDR_DEST_VALID.success().to_string(), "2.1.5");
    /// ```
    #[must_use]
    pub const fn success(self) -> EnhancedStatusCode {
        self.with_class(Class::Success)
    }

    /// Returns the code for a persistent transient failure: `4.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::MBOX_FULL.transient().to_string(), "4.2.2");
    /// ```
    #[must_use]
    pub const fn transient(self) -> EnhancedStatusCode {
        self.with_class(Class::Transient)
    }

    /// Returns the code for a permanent failure: `5.y.z`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::SEC_SPF_FAIL.permanent().to_string(), "5.7.23");
    /// ```
    #[must_use]
    pub const fn permanent(self) -> EnhancedStatusCode {
        self.with_class(Class::Permanent)
    }

    /// Returns the registry's row, or `None` if the status is not registered.
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

    /// Returns the index of the row in `ENTRIES`.
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

    /// Returns a status whose sub-codes are known to be in range, for the generated tables.
    pub(crate) const fn registered(subject: u16, detail: u16) -> Status {
        Status((subject as u32) << 16 | detail as u32)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status").field("subject", &self.subject()).field("detail", &self.detail()).finish()
    }
}

/// Writes the registry's notation: `X.1.1`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
        f.pad(crate::format::encode(b'X', *self, &mut buffer))
    }
}

crate::parse::from_text!(Status);

impl From<EnhancedStatusCode> for Status {
    fn from(code: EnhancedStatusCode) -> Status {
        code.status()
    }
}
