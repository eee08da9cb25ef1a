//! Finds the codes of a reply, also where they should not be.

use super::category::named;
use crate::{Class, EnhancedStatusCode, Forgiven, ReplyCode};

named! {
    /// Where the enhanced status code of a reply is.
    ///
    /// RFC 2034 §4 asks for it at the start of the text of each line. Programs look for it nowhere else.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::{CodePlace, explain};
    ///
    /// assert_eq!(explain(b"550 5.1.1 No such user").place(), Some(CodePlace::Start));
    /// assert_eq!(explain(b"550 No such user (#5.1.1)").place(), Some(CodePlace::Marked));
    /// ```
    CodePlace {
        /// At the start of the text, where it belongs.
        Start = "start",
        /// After a number sign or `dsn=`, or in brackets: `#5.1.0`, `dsn=5.1.1`, `(5.1.1)`, `(#5.1.1)`, `[5.7.1]`.
        Marked = "marked",
        /// After a word that the text begins with: `cuda_nsu 4.7.1`.
        AfterTag = "after-tag",
        /// At the end of the text.
        End = "end",
    }
}

/// The codes at the start of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Codes {
    pub(crate) reply_code: Option<ReplyCode>,
    pub(crate) enhanced: Option<EnhancedStatusCode>,
}

impl Codes {
    /// Returns the class of the reply code, or else that of the enhanced status code.
    pub(crate) fn class(self) -> Option<Class> {
        match self.reply_code {
            Some(code) => code.class(),
            None => self.enhanced.map(EnhancedStatusCode::class),
        }
    }

    /// Reads the codes, and returns them with the rest of the reply.
    pub(crate) fn read(reply: &[u8]) -> (Codes, &[u8]) {
        let mut rest = reply.trim_ascii_start();
        // The type of a diagnostic code (RFC 3464 §2.3.6).
        if let Some((kind, after)) = rest.split_at_checked(5)
            && kind.eq_ignore_ascii_case(b"smtp;")
        {
            rest = after.trim_ascii_start();
        }
        // Exchange writes `#550 5.1.1`.
        if let [b'#', b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', ..] = rest {
            rest = &rest[1..];
        }
        let mut codes = Codes::default();
        if let Some((reply_code, after)) = reply_code(rest) {
            codes.reply_code = Some(reply_code);
            rest = after.trim_ascii_start();
        }
        // A code after a number sign or in brackets is found in the text.
        if let Some(read) = EnhancedStatusCode::parse_lenient(rest)
            && !read.forgiven.contains(Forgiven::OPENING)
        {
            codes.enhanced = Some(read.code);
            rest = read.rest;
        }
        (codes, rest)
    }
}

/// Reads a reply code and the separator after it.
fn reply_code(octets: &[u8]) -> Option<(ReplyCode, &[u8])> {
    let (digits, rest) = octets.split_at_checked(3)?;
    let code = ReplyCode::from_bytes(digits).ok()?;
    match rest {
        [b' ' | b'-' | b'\t', rest @ ..] => Some((code, rest)),
        [] | [b'\r' | b'\n' | b':' | b',' | b';' | b'_' | b'"', ..] => Some((code, rest)),
        _ => None,
    }
}

/// Removes the codes that another line of the same reply begins with. The lines may have been joined to one.
pub(crate) fn strip_repeated<'a>(octets: &'a [u8], codes: &Codes, is_start: bool) -> Option<&'a [u8]> {
    let mut rest = octets;
    if let Some(code) = codes.reply_code {
        let (digits, after) = octets.split_at_checked(3)?;
        if ReplyCode::from_bytes(digits) != Ok(code) {
            return None;
        }
        rest = match after {
            [b'-', rest @ ..] => rest,
            [b' ', rest @ ..]
                if is_start || (codes.enhanced.is_some() && same_code(rest, codes).is_some()) =>
            {
                rest
            }
            [] if is_start => after,
            _ => return None,
        };
    } else if !is_start {
        return None;
    }
    match same_code(rest, codes) {
        Some(rest) => Some(rest),
        None => codes.reply_code.is_some().then_some(rest),
    }
}

/// Removes the enhanced status code, if it is the same.
fn same_code<'a>(octets: &'a [u8], codes: &Codes) -> Option<&'a [u8]> {
    let (code, rest) = EnhancedStatusCode::parse_prefix(octets)?;
    (Some(code) == codes.enhanced).then_some(rest)
}

/// Finds an enhanced status code that is not at the start of a text. The text begins and ends with a space.
pub(crate) fn find(text: &[u8], class: Option<Class>) -> Option<(EnhancedStatusCode, CodePlace)> {
    let mut last = None;
    let mut position = 1;
    while position + 3 < text.len() {
        if text[position] == b'.' && text[position - 1].is_ascii_digit() {
            let start = position - 1;
            if let Some((code, end)) = code_at(text, start)
                && class.is_none_or(|class| class == code.class())
                && code.class() != Class::Success
            {
                if let Some(place) = place(text, start, end) {
                    if place != CodePlace::End {
                        return Some((code, place));
                    }
                    last = Some((code, place));
                }
                position = end;
            }
        }
        position += 1;
    }
    last
}

/// Reads a code at this position, which neither letters, digits nor dots surround.
fn code_at(text: &[u8], start: usize) -> Option<(EnhancedStatusCode, usize)> {
    let before = start.checked_sub(1).and_then(|before| text.get(before));
    if before.is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'/'))
    {
        return None;
    }
    let candidate = text.get(start..)?;
    let length =
        candidate.iter().take(9).take_while(|octet| octet.is_ascii_digit() || **octet == b'.').count();
    let (candidate, rest) = candidate.split_at_checked(length)?;
    let candidate = candidate.strip_suffix(b".").unwrap_or(candidate);
    if rest.first().is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'/'))
    {
        return None;
    }
    let code = EnhancedStatusCode::from_bytes(candidate).ok()?;
    Some((code, start + candidate.len()))
}

fn place(text: &[u8], start: usize, end: usize) -> Option<CodePlace> {
    let head = text.get(1..start)?;
    // The logs of Postfix and sendmail have `dsn=5.1.1`.
    if head.ends_with(b"dsn=") || matches!(text.get(start.checked_sub(1)?)?, b'#' | b'(' | b'[') {
        return Some(CodePlace::Marked);
    }
    let head = head.trim_ascii_end();
    if !head.is_empty() && !head.contains(&b' ') {
        return Some(CodePlace::AfterTag);
    }
    let is_end = text.get(end..)?.iter().all(|octet| !octet.is_ascii_alphanumeric());
    is_end.then_some(CodePlace::End)
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;

    use super::{CodePlace, Codes, find};
    use crate::{Class, ReplyCode};

    #[test]
    fn codes_are_found_where_they_should_not_be() {
        for (text, expected) in [
            (" no such user (#5.1.1) ", Some(("5.1.1", CodePlace::Marked))),
            (" no such user [5.1.1]. ", Some(("5.1.1", CodePlace::Marked))),
            (" #5.1.0 address rejected ", Some(("5.1.0", CodePlace::Marked))),
            (" cuda_nsu 5.1.1 no such user ", Some(("5.1.1", CodePlace::AfterTag))),
            (" to=<a@example.net>, dsn=5.1.1, stat=no ", Some(("5.1.1", CodePlace::Marked))),
            (" no such user: 5.1.1. ", Some(("5.1.1", CodePlace::End))),
            (" no such user 4.1.1 ", None),
            (" the version 5.1.1 of it ", None),
            (" address 5.1.1.2 ", None),
            (" libc-5.1.1 ", None),
            (" exim 5.1.1-rc ", None),
            (" ", None),
        ] {
            let found = find(text.as_bytes(), Some(Class::Permanent));
            let found = found.map(|(code, place)| (code.to_string(), place));
            assert_eq!(found, expected.map(|(code, place)| (code.to_string(), place)), "{text}");
        }
    }

    #[test]
    fn the_codes_at_the_start_are_read() {
        for (reply, code, enhanced) in [
            ("550 5.1.1 x", Some(550), Some("5.1.1")),
            ("550-5.1.1 x", Some(550), Some("5.1.1")),
            ("550 x", Some(550), None),
            ("550", Some(550), None),
            ("550: x", Some(550), None),
            ("5.1.1 x", None, Some("5.1.1")),
            ("smtp; 550 5.1.1 x", Some(550), Some("5.1.1")),
            ("SMTP;550 5.1.1: x", Some(550), Some("5.1.1")),
            ("5500 x", None, None),
            ("650 x", None, None),
            ("x", None, None),
        ] {
            let (codes, _) = Codes::read(reply.as_bytes());
            assert_eq!(codes.reply_code.map(ReplyCode::as_u16), code, "{reply}");
            let read = codes.enhanced.map(|code| code.to_string());
            assert_eq!(read.as_deref(), enhanced, "{reply}");
        }
    }
}
