//! The enhanced status code: class, subject, detail.

use core::fmt;

use crate::{Class, Entry, LenientCode, ParseError, Status};

/// An enhanced status code such as `5.1.1` (RFC 3463 §2): a class (2, 4 or 5), and a subject and a detail from
/// 0 to 999.
///
/// It can hold every code that the syntax allows, registered or not. Codes are ordered numerically: 5.7.2 comes
/// before 5.7.10. An `Option<EnhancedStatusCode>` is as small as an `EnhancedStatusCode`.
///
/// ```
/// use smtp_enhanced_status::{EnhancedStatusCode, Status};
///
/// let code: EnhancedStatusCode = "5.7.26".parse()?;
/// assert_eq!(code, Status::SEC_MULTIPLE_AUTH.permanent());
/// assert_eq!(code.entry().map(|entry| entry.sample_text), Some("Multiple authentication checks failed"));
/// assert!("5.07.1".parse::<EnhancedStatusCode>().is_err());
/// # Ok::<(), smtp_enhanced_status::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatusCode {
    class: Class,
    status: Status,
}

impl EnhancedStatusCode {
    /// The length of the longest code, `5.999.999`, in octets.
    pub const MAX_LEN: usize = 9;

    /// Returns the code with this class, subject and detail, or `None` if a sub-code is above 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, EnhancedStatusCode};
    /// let code = EnhancedStatusCode::new(Class::Permanent, 1, 351).expect("both are at most 999");
    /// assert_eq!(code.to_string(), "5.1.351");
    /// assert_eq!(EnhancedStatusCode::new(Class::Success, 1000, 0), None);
    /// ```
    #[must_use]
    pub const fn new(class: Class, subject: u16, detail: u16) -> Option<EnhancedStatusCode> {
        match Status::new(subject, detail) {
            Some(status) => Some(EnhancedStatusCode { class, status }),
            None => None,
        }
    }

    /// Returns the code with this class and status.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, EnhancedStatusCode, Status};
    /// let code = EnhancedStatusCode::from_parts(Class::Success, Status::ADDR_DEST_VALID);
    /// assert_eq!(code.to_string(), "2.1.5");
    /// ```
    #[must_use]
    pub const fn from_parts(class: Class, status: Status) -> EnhancedStatusCode {
        EnhancedStatusCode { class, status }
    }

    /// Parses a code strictly: a class of 2, 4 or 5, and two sub-codes of one to three digits without a leading
    /// zero (RFC 3463 §2). Nothing may precede or follow it.
    ///
    /// # Errors
    ///
    /// Returns the first thing that is wrong, and its position.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, ParseErrorKind};
    /// assert!(EnhancedStatusCode::from_bytes(b"4.7.1").is_ok());
    /// let error = EnhancedStatusCode::from_bytes(b"3.0.0").unwrap_err();
    /// assert_eq!((error.kind(), error.position()), (ParseErrorKind::Class, 0));
    /// ```
    pub const fn from_bytes(octets: &[u8]) -> Result<EnhancedStatusCode, ParseError> {
        crate::parse::enhanced_status_code(octets)
    }

    /// Parses the code at the start of a reply's text, and returns it with the rest of the text.
    ///
    /// Pass the text that follows the reply code and its separator, without the line end: `5.1.1 No such user`.
    ///
    /// After the code must come a space, as RFC 2034 §3 (4) requires, or the end of the text, which servers send
    /// too. This keeps IP addresses and version numbers from being mistaken for codes. The rest is empty or begins
    /// with that space.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, Status};
    /// let text = b"5.1.1 No such user";
    /// let (code, rest) = EnhancedStatusCode::parse_prefix(text).expect("the text begins with a code");
    /// assert_eq!(code, Status::ADDR_DEST_MAILBOX.permanent());
    /// assert_eq!(rest, b" No such user");
    /// assert_eq!(EnhancedStatusCode::parse_prefix(b"5.6.7.8 is blocked"), None);
    /// assert_eq!(EnhancedStatusCode::parse_prefix(b"5.1.1: unknown"), None);
    /// ```
    #[must_use]
    #[inline]
    pub const fn parse_prefix(octets: &[u8]) -> Option<(EnhancedStatusCode, &[u8])> {
        crate::parse::prefix(octets)
    }

    /// Parses as [`parse_prefix`](Self::parse_prefix) does, and returns the rest as a string.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, Status};
    /// let (code, rest) = EnhancedStatusCode::parse_prefix_str("5.1.1 No such user").expect("there is a code");
    /// assert_eq!((code, rest), (Status::ADDR_DEST_MAILBOX.permanent(), " No such user"));
    /// ```
    #[must_use]
    #[inline]
    pub fn parse_prefix_str(text: &str) -> Option<(EnhancedStatusCode, &str)> {
        let (code, rest) = Self::parse_prefix(text.as_bytes())?;
        // A code is ASCII, so that the rest begins at a character.
        Some((code, text.get(text.len() - rest.len()..)?))
    }

    /// Parses the code at the start of a reply's text, even if it is malformed in one of the ways that servers are
    /// known for, and names the defects.
    ///
    /// It accepts blanks before the code, an opening `(` or `#`, leading zeros, blanks after one of the dots, and
    /// after the code any of `:;,.)-`, a tab or a line end. It never guesses a number: it returns `None` if the class
    /// is not 2, 4 or 5, a sub-code is above 999 or has a sign, a part is missing, there is a fourth part, or other
    /// text follows the code without a blank.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, Forgiven, Status};
    /// let read = EnhancedStatusCode::parse_lenient(b"(#5.1.01) unknown").expect("the code is readable");
    /// assert_eq!(read.code, Status::ADDR_DEST_MAILBOX.permanent());
    /// assert!(read.forgiven.contains(Forgiven::LEADING_ZERO));
    /// assert!(read.forgiven.contains(Forgiven::OPENING));
    /// assert_eq!(read.rest, b" unknown");
    /// assert_eq!(EnhancedStatusCode::parse_lenient(b"5.7.1.4 x"), None);
    /// ```
    #[must_use]
    pub const fn parse_lenient(octets: &[u8]) -> Option<LenientCode<&[u8]>> {
        crate::parse::lenient(octets)
    }

    /// Parses as [`parse_lenient`](Self::parse_lenient) does, and returns the rest as a string.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, Status};
    /// let read = EnhancedStatusCode::parse_lenient_str("5.7.1: denied").expect("the code is readable");
    /// assert_eq!((read.code, read.rest), (Status::SEC_UNAUTHORIZED.permanent(), " denied"));
    /// ```
    #[must_use]
    pub fn parse_lenient_str(text: &str) -> Option<LenientCode<&str>> {
        let LenientCode { code, forgiven, rest } = Self::parse_lenient(text.as_bytes())?;
        Some(LenientCode { code, forgiven, rest: text.get(text.len() - rest.len()..)? })
    }

    /// Returns whether the class is 2: success.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert!(Status::OTHER.success().is_success());
    /// ```
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self.class, Class::Success)
    }

    /// Returns whether the class is 4: persistent transient failure.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert!(Status::OTHER.transient().is_transient());
    /// ```
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self.class, Class::Transient)
    }

    /// Returns whether the class is 5: permanent failure.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert!(Status::OTHER.permanent().is_permanent());
    /// ```
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self.class, Class::Permanent)
    }

    /// Returns the class.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, Status};
    /// assert_eq!(Status::OTHER.transient().class(), Class::Transient);
    /// ```
    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    /// Returns the subject and detail, which identify a row of the registry.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::OTHER.transient().status(), Status::OTHER);
    /// ```
    #[must_use]
    pub const fn status(self) -> Status {
        self.status
    }

    /// Returns the subject sub-code, 0 to 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::MBOX_FULL.transient().subject(), 2);
    /// ```
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.status.subject()
    }

    /// Returns the detail sub-code, 0 to 999.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::MBOX_MSG_TOO_LONG.permanent().detail(), 3);
    /// ```
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.status.detail()
    }

    /// Returns the registry's row for this code, or `None` if it is not registered.
    ///
    /// ```
    /// # use smtp_enhanced_status::Status;
    /// assert_eq!(Status::MBOX_FULL.transient().entry(), Status::MBOX_FULL.entry());
    /// ```
    #[must_use]
    pub const fn entry(self) -> Option<&'static Entry> {
        self.status.entry()
    }

    /// Writes the code to the buffer and returns it as text.
    ///
    /// ```
    /// # use smtp_enhanced_status::{EnhancedStatusCode, Status};
    /// let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
    /// assert_eq!(Status::SEC_REQUIRETLS.permanent().encode(&mut buffer), "5.7.30");
    /// ```
    pub fn encode(self, buffer: &mut [u8; Self::MAX_LEN]) -> &str {
        crate::format::encode(b'0' + self.class.digit(), self.status, buffer)
    }
}

/// Writes `EnhancedStatusCode(5.1.1)`.
impl fmt::Debug for EnhancedStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnhancedStatusCode").field(&format_args!("{self}")).finish()
    }
}

/// Writes the code: `5.1.1`.
impl fmt::Display for EnhancedStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; Self::MAX_LEN]))
    }
}

crate::parse::from_text!(EnhancedStatusCode);
