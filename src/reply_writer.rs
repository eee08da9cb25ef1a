//! Writes the reply that a server sends.

use core::fmt::{self, Write as _};

use crate::{EnhancedStatusCode, ReplyCode};

/// A reply to send: a reply code, an enhanced status code if it has one, and text.
///
/// It writes one line or several. Both codes are on every line (RFC 2034 §4), and no line has more than 512 octets with
/// its CR LF (RFC 5321 §4.5.3.1.5). Nothing is allocated: write it with [`Display`](fmt::Display), or into a buffer with
/// [`encode`](Self::encode).
///
/// Any text gives a well-formed reply:
///
/// * LF and CR LF end a line of the text. One at the end of the text is ignored.
/// * A line that is too long is continued on the next: after its last space that fits, or within a word that is too long
///   itself.
/// * A character other than HT and printable ASCII becomes `?` (RFC 5321 §4.2), so that text from outside can neither end
///   the reply nor begin another.
///
/// Do not leave the text empty: servers should not send bare codes (RFC 5321 §4.2).
///
/// ```
/// use smtp_enhanced_status::{ReplyCode, ReplyWriter, Status};
///
/// let reply = ReplyWriter::new(ReplyCode::MAILBOX_UNAVAIL, "Refused by policy\nSee https://example.com/")
///     .with_enhanced(Status::SEC_UNAUTHORIZED.permanent())?;
/// assert_eq!(
///     reply.to_string(),
///     "550-5.7.1 Refused by policy\r\n\
///      550 5.7.1 See https://example.com/\r\n"
/// );
/// # Ok::<(), smtp_enhanced_status::ClassMismatch>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyWriter<'a> {
    reply_code: ReplyCode,
    enhanced: Option<EnhancedStatusCode>,
    text: &'a str,
}

impl<'a> ReplyWriter<'a> {
    /// The length of the longest line, in octets with CR LF (RFC 5321 §4.5.3.1.5).
    pub const MAX_LINE_LEN: usize = 512;

    /// Returns a reply without an enhanced status code: the greeting, a reply to HELO or EHLO, or a 3yz reply. A server
    /// that offers ENHANCEDSTATUSCODES sends one in every other reply (RFC 2034 §4).
    ///
    /// ```
    /// # use smtp_enhanced_status::{ReplyCode, ReplyWriter};
    /// let greeting = ReplyWriter::new(ReplyCode::READY, "mx.example ESMTP");
    /// assert_eq!(greeting.to_string(), "220 mx.example ESMTP\r\n");
    /// ```
    #[must_use]
    pub const fn new(reply_code: ReplyCode, text: &'a str) -> ReplyWriter<'a> {
        ReplyWriter { reply_code, enhanced: None, text }
    }

    /// Returns the reply with this enhanced status code on every line.
    ///
    /// # Errors
    ///
    /// Returns an error if the first digits of the codes differ. That is always so for a 3yz reply, which has no enhanced
    /// status code (RFC 2034 §4).
    ///
    /// ```
    /// # use smtp_enhanced_status::{ReplyCode, ReplyWriter, Status};
    /// let reply = ReplyWriter::new(ReplyCode::OK, "Recipient accepted");
    /// assert!(reply.with_enhanced(Status::ADDR_DEST_VALID.success()).is_ok());
    /// assert!(reply.with_enhanced(Status::ADDR_DEST_VALID.permanent()).is_err());
    /// ```
    pub const fn with_enhanced(self, code: EnhancedStatusCode) -> Result<ReplyWriter<'a>, ClassMismatch> {
        if self.reply_code.as_u16() / 100 == code.class().digit() as u16 {
            Ok(ReplyWriter { enhanced: Some(code), ..self })
        } else {
            Err(ClassMismatch { reply_code: self.reply_code, code })
        }
    }

    /// Returns the length of the reply in octets, with all line ends.
    ///
    /// ```
    /// # use smtp_enhanced_status::{ReplyCode, ReplyWriter};
    /// assert_eq!(ReplyWriter::new(ReplyCode::OK, "ok").encoded_len(), "250 ok\r\n".len());
    /// ```
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let mut count = Count(0);
        let _ = write!(count, "{self}");
        count.0
    }

    /// Writes the reply to the buffer and returns it as text, or `None` if the buffer is shorter than
    /// [`encoded_len`](Self::encoded_len).
    ///
    /// ```
    /// # use smtp_enhanced_status::{ReplyCode, ReplyWriter};
    /// let reply = ReplyWriter::new(ReplyCode::OK, "ok");
    /// assert_eq!(reply.encode(&mut [0; 8]), Some("250 ok\r\n"));
    /// assert_eq!(reply.encode(&mut [0; 7]), None);
    /// ```
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b str> {
        let mut slice = Slice { buffer: &mut *buffer, length: 0 };
        write!(slice, "{self}").ok()?;
        let length = slice.length;
        core::str::from_utf8(&buffer[..length]).ok()
    }
}

/// Writes the whole reply, with its line ends.
impl fmt::Display for ReplyWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
        let (enhanced, space) = match self.enhanced {
            Some(code) => (code.encode(&mut buffer), " "),
            None => ("", ""),
        };
        let overhead = "550 ".len() + enhanced.len() + space.len() + "\r\n".len();
        let mut pieces = Pieces { rest: Some(self.text), width: Self::MAX_LINE_LEN - overhead };
        while let Some(piece) = pieces.next() {
            let separator = if pieces.rest.is_some() { '-' } else { ' ' };
            write!(f, "{}{separator}{enhanced}{space}", self.reply_code)?;
            piece.chars().try_for_each(|c| f.write_char(printable(c)))?;
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

/// The error of [`ReplyWriter::with_enhanced`]: the first digits of the codes differ.
///
/// ```
/// use smtp_enhanced_status::{ReplyCode, ReplyWriter, Status};
///
/// let go_on = ReplyWriter::new(ReplyCode::START_MAIL_INPUT, "Go on");
/// let error = go_on.with_enhanced(Status::OTHER.success()).unwrap_err();
/// assert_eq!(error.to_string(), "354 2.0.0: the first digits of the codes differ");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassMismatch {
    reply_code: ReplyCode,
    code: EnhancedStatusCode,
}

impl fmt::Display for ClassMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: the first digits of the codes differ", self.reply_code, self.code)
    }
}

impl core::error::Error for ClassMismatch {}

/// The lines of a text, folded so that none has more characters than a width above 0.
struct Pieces<'a> {
    /// What is left of the text. An empty text is one empty line.
    rest: Option<&'a str>,
    width: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let mut after_space = None;
        for (count, (at, c)) in text.char_indices().enumerate() {
            let line_end = match c {
                '\n' => "\n".len(),
                '\r' if text[at..].starts_with("\r\n") => "\r\n".len(),
                _ => 0,
            };
            if line_end > 0 {
                let rest = &text[at + line_end..];
                self.rest = (!rest.is_empty()).then_some(rest);
                return Some(&text[..at]);
            }
            if count == self.width {
                let (line, rest) = text.split_at(after_space.unwrap_or(at));
                self.rest = Some(rest);
                return Some(line);
            }
            if c == ' ' {
                after_space = Some(at + 1);
            }
        }
        self.rest = None;
        Some(text)
    }
}

/// Returns the character if a reply's text may contain it (RFC 5321 §4.2), or else a question mark.
const fn printable(c: char) -> char {
    if matches!(c, '\t' | ' '..='~') { c } else { '?' }
}

/// Counts octets.
struct Count(usize);

impl fmt::Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Writes to a slice, and fails if it is full.
struct Slice<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl fmt::Write for Slice<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.buffer.get_mut(self.length..).unwrap_or_default();
        free.get_mut(..text.len()).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}
