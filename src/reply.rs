//! Reads the reply that a server sent.

use core::fmt;
use core::iter::FusedIterator;

use crate::{EnhancedStatusCode, ReplyCode};

/// A reply as a server sent it: one line or several, with the same reply code on each (RFC 5321 §4.2).
///
/// It borrows the octets that it was read from, and allocates nothing. It accepts what a client needs to accept: any
/// text of any length, and a line that has only a reply code. It does not limit the size of a reply; whoever reads from
/// the network must do that.
///
/// ```
/// use smtp_enhanced_status::{Reply, ReplyCode, Status};
///
/// let reply = Reply::from_bytes(b"550-5.7.1 Refused by policy\r\n550 5.7.1 See https://example.com/\r\n")?;
/// assert_eq!(reply.code(), ReplyCode::MAILBOX_UNAVAIL);
/// assert_eq!(reply.enhanced(), Some(Status::SEC_UNAUTHORIZED.permanent()));
/// let texts: Vec<&[u8]> = reply.lines().map(|line| line.text_after_code()).collect();
/// assert_eq!(texts, [&b"Refused by policy"[..], b"See https://example.com/"]);
/// # Ok::<(), smtp_enhanced_status::ReplyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reply<'a> {
    code: ReplyCode,
    octets: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a whole reply. Nothing may follow it.
    ///
    /// # Errors
    ///
    /// Returns the first thing that is wrong, and its position.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Reply, ReplyErrorKind};
    /// assert!(Reply::from_bytes(b"250 ok\r\n").is_ok());
    /// let error = Reply::from_bytes(b"250-ok\r\n").unwrap_err();
    /// assert_eq!((error.kind(), error.position()), (ReplyErrorKind::Incomplete, 8));
    /// ```
    pub fn from_bytes(octets: &'a [u8]) -> Result<Reply<'a>, ReplyError> {
        match Reply::parse_prefix(octets)? {
            (reply, []) => Ok(reply),
            (reply, _) => Err(ReplyError { kind: ReplyErrorKind::Trailing, position: reply.octets.len() }),
        }
    }

    /// Reads the reply at the start of the octets, and returns it with what follows it: the next replies, if commands
    /// were pipelined.
    ///
    /// # Errors
    ///
    /// Returns the first thing that is wrong, and its position. [`Incomplete`](ReplyErrorKind::Incomplete) means that
    /// the lines before the unfinished one are right: read more octets and try again.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// let (reply, rest) = Reply::parse_prefix(b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n")?;
    /// assert_eq!(reply.octets(), b"250 2.1.0 ok\r\n");
    /// assert_eq!(rest, b"250 2.1.5 ok\r\n");
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    pub fn parse_prefix(octets: &'a [u8]) -> Result<(Reply<'a>, &'a [u8]), ReplyError> {
        let (first, mut rest) = ReplyLine::read(octets)?;
        let mut line = first;
        while !line.is_last {
            let position = octets.len() - rest.len();
            (line, rest) = ReplyLine::read(rest).map_err(|error| error.after(position))?;
            if line.code != first.code {
                return Err(ReplyError { kind: ReplyErrorKind::MixedCodes, position });
            }
        }
        let (octets, rest) = octets.split_at(octets.len() - rest.len());
        Ok((Reply { code: first.code, octets }, rest))
    }

    /// Returns the reply code.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert!(Reply::from_bytes(b"354 Go on\r\n")?.code() == 354);
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn code(&self) -> ReplyCode {
        self.code
    }

    /// Returns the enhanced status code at the start of the first line's text. The other lines should have the same
    /// (RFC 2034 §4); [`ReplyLine::enhanced`] returns theirs.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert_eq!(Reply::from_bytes(b"250 ok\r\n")?.enhanced(), None);
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.lines().next().and_then(|line| line.enhanced())
    }

    /// Returns the lines, of which there is at least one.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// let reply = Reply::from_bytes(b"250-mx.example\r\n250-SIZE 1000\r\n250 HELP\r\n")?;
    /// assert!(reply.lines().any(|line| line.text().starts_with(b"SIZE")));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn lines(&self) -> ReplyLines<'a> {
        ReplyLines { rest: self.octets }
    }

    /// Returns the octets, with all line ends.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert_eq!(Reply::from_bytes(b"250 ok\r\n")?.octets(), b"250 ok\r\n");
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }
}

impl<'a> TryFrom<&'a [u8]> for Reply<'a> {
    type Error = ReplyError;

    fn try_from(octets: &'a [u8]) -> Result<Reply<'a>, ReplyError> {
        Reply::from_bytes(octets)
    }
}

impl<'a> TryFrom<&'a str> for Reply<'a> {
    type Error = ReplyError;

    fn try_from(text: &'a str) -> Result<Reply<'a>, ReplyError> {
        Reply::from_bytes(text.as_bytes())
    }
}

/// Writes `Reply("250 ok\r\n")`.
impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply(\"{}\")", self.octets.escape_ascii())
    }
}

/// The lines of a reply: see [`Reply::lines`].
///
/// ```
/// use smtp_enhanced_status::Reply;
///
/// let mut lines = Reply::from_bytes(b"214-one\r\n214 two\r\n")?.lines();
/// assert_eq!(lines.next().map(|line| line.text()), Some(&b"one"[..]));
/// assert_eq!(lines.next().map(|line| line.is_last()), Some(true));
/// assert!(lines.next().is_none());
/// # Ok::<(), smtp_enhanced_status::ReplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReplyLines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ReplyLines<'a> {
    type Item = ReplyLine<'a>;

    fn next(&mut self) -> Option<ReplyLine<'a>> {
        // All lines were read before, so that an error only means that none is left.
        let (line, rest) = ReplyLine::read(self.rest).ok()?;
        self.rest = rest;
        Some(line)
    }
}

impl FusedIterator for ReplyLines<'_> {}

/// One line of a reply: the reply code, a hyphen or a space, text.
///
/// ```
/// use smtp_enhanced_status::{Reply, Status};
///
/// let reply = Reply::from_bytes(b"452 4.2.2 Mailbox full\r\n")?;
/// let line = reply.lines().next().expect("a reply has at least one line");
/// assert_eq!(line.text(), b"4.2.2 Mailbox full");
/// assert_eq!(line.enhanced(), Some(Status::MBOX_FULL.transient()));
/// assert_eq!(line.text_after_code(), b"Mailbox full");
/// # Ok::<(), smtp_enhanced_status::ReplyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyLine<'a> {
    code: ReplyCode,
    is_last: bool,
    text: &'a [u8],
}

impl<'a> ReplyLine<'a> {
    /// Returns the reply code.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert!(Reply::from_bytes(b"250 ok\r\n")?.lines().all(|line| line.code() == 250));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn code(&self) -> ReplyCode {
        self.code
    }

    /// Returns whether the reply ends with this line. A hyphen follows the reply code of each other line.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert!(Reply::from_bytes(b"250 ok\r\n")?.lines().all(|line| line.is_last()));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.is_last
    }

    /// Returns the text after the reply code and the separator, without the line end. It may be empty, and may have any
    /// octets but CR and LF.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert!(Reply::from_bytes(b"250 2.0.0 ok\r\n")?.lines().all(|line| line.text() == b"2.0.0 ok"));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Returns the enhanced status code at the start of the text, as [`EnhancedStatusCode::parse_prefix`] reads it.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Reply, Status};
    /// let code = Some(Status::OTHER.success());
    /// assert!(Reply::from_bytes(b"250 2.0.0 ok\r\n")?.lines().all(|line| line.enhanced() == code));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn enhanced(&self) -> Option<EnhancedStatusCode> {
        match EnhancedStatusCode::parse_prefix(self.text) {
            Some((code, _)) => Some(code),
            None => None,
        }
    }

    /// Returns the text without the enhanced status code and the space after it. If the text has no such code, this is
    /// [`text`](Self::text).
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert!(Reply::from_bytes(b"250 2.0.0 ok\r\n")?.lines().all(|line| line.text_after_code() == b"ok"));
    /// # Ok::<(), smtp_enhanced_status::ReplyError>(())
    /// ```
    #[must_use]
    pub const fn text_after_code(&self) -> &'a [u8] {
        match EnhancedStatusCode::parse_prefix(self.text) {
            None => self.text,
            Some((_, [_space, text @ ..])) => text,
            Some((_, [])) => &[],
        }
    }

    /// Reads the line at the start of the octets, and returns it with what follows its line end.
    fn read(octets: &'a [u8]) -> Result<(ReplyLine<'a>, &'a [u8]), ReplyError> {
        let at = |kind, position| ReplyError { kind, position };
        let incomplete = at(ReplyErrorKind::Incomplete, octets.len());
        let (line, end) = match octets.iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
            Some(end) => octets.split_at(end),
            None => (octets, &[][..]),
        };
        let digits = line.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
        let code = match (digits, line.first()) {
            (..3, _) if digits == octets.len() => return Err(incomplete),
            (_, None) => return Err(at(ReplyErrorKind::BlankLine, 0)),
            (0, _) => return Err(at(ReplyErrorKind::NoCode, 0)),
            (3, _) => ReplyCode::from_bytes(&line[..3]).map_err(|_| at(ReplyErrorKind::FirstDigit, 0))?,
            _ => return Err(at(ReplyErrorKind::DigitCount, 0)),
        };
        let is_last = match line.get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(at(ReplyErrorKind::Separator, 3)),
        };
        match end {
            [b'\r', b'\n', rest @ ..] => {
                Ok((ReplyLine { code, is_last, text: line.get(4..).unwrap_or_default() }, rest))
            }
            [] | [b'\r'] => Err(incomplete),
            [b'\r', ..] => Err(at(ReplyErrorKind::BareCr, line.len())),
            _ => Err(at(ReplyErrorKind::BareLf, line.len())),
        }
    }
}

/// Why octets are not a reply, and where the problem is.
///
/// ```
/// use smtp_enhanced_status::{Reply, ReplyErrorKind};
///
/// let error = Reply::from_bytes(b"250-one\r\n251 two\r\n").unwrap_err();
/// assert_eq!(error.kind(), ReplyErrorKind::MixedCodes);
/// assert_eq!(error.position(), 9);
/// assert_eq!(error.to_string(), "the lines of the reply have different reply codes, at octet 9");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyError {
    kind: ReplyErrorKind,
    position: usize,
}

impl ReplyError {
    /// Returns what is wrong.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Reply, ReplyErrorKind};
    /// assert_eq!(Reply::from_bytes(b"hello\r\n").unwrap_err().kind(), ReplyErrorKind::NoCode);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ReplyErrorKind {
        self.kind
    }

    /// Returns where it is wrong, in octets from the start of the reply.
    ///
    /// ```
    /// # use smtp_enhanced_status::Reply;
    /// assert_eq!(Reply::from_bytes(b"250 ok\n").unwrap_err().position(), 6);
    /// ```
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Moves an error from a line to its reply.
    const fn after(self, position: usize) -> ReplyError {
        ReplyError { position: self.position + position, ..self }
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ReplyErrorKind::Incomplete => "the reply is incomplete",
            ReplyErrorKind::BlankLine => "a line is empty",
            ReplyErrorKind::NoCode => "a line does not begin with a reply code",
            ReplyErrorKind::DigitCount => "a line begins with fewer or more than three digits",
            ReplyErrorKind::FirstDigit => "the first digit of the reply code is not 2 to 5",
            ReplyErrorKind::Separator => "neither a space nor a hyphen follows the reply code",
            ReplyErrorKind::MixedCodes => "the lines of the reply have different reply codes",
            ReplyErrorKind::BareCr => "a line contains CR without LF",
            ReplyErrorKind::BareLf => "a line ends in LF without CR",
            ReplyErrorKind::Trailing => "something follows the reply",
        };
        write!(f, "{what}, at octet {}", self.position)
    }
}

impl core::error::Error for ReplyError {}

/// The kinds of [`ReplyError`].
///
/// ```
/// use smtp_enhanced_status::{Reply, ReplyErrorKind};
///
/// let kind = |octets| Reply::from_bytes(octets).unwrap_err().kind();
/// assert_eq!(kind(b"2500 ok\r\n"), ReplyErrorKind::DigitCount);
/// assert_eq!(kind(b"250_ok\r\n"), ReplyErrorKind::Separator);
/// assert_eq!(kind(b"250 ok\r\n250 ok\r\n"), ReplyErrorKind::Trailing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyErrorKind {
    /// The octets end before the reply does.
    Incomplete,
    /// A line is empty.
    BlankLine,
    /// A line begins with something other than a digit.
    NoCode,
    /// A line begins with fewer or more than three digits.
    DigitCount,
    /// The first digit of the reply code is not 2 to 5 (RFC 5321 §4.2).
    FirstDigit,
    /// The reply code is followed by neither a space nor a hyphen (RFC 5321 §4.2).
    Separator,
    /// The lines do not all have the same reply code (RFC 5321 §4.2.1).
    MixedCodes,
    /// A line contains CR without LF (RFC 5321 §2.3.8).
    BareCr,
    /// A line ends in LF without CR (RFC 5321 §2.3.8).
    BareLf,
    /// Something follows the reply.
    Trailing,
}
