//! Reads octets as replies. Anything that a server sends can be read as a reply with named defects.

mod defect;
mod line;
mod plain;
mod reader;
mod token;

use memchr::memchr;
use smtp_enhanced_status::{EnhancedStatusCode, Pairing, ReplyCode, judge};

use plain::PlainLine;

pub use defect::{Defect, DefectSet};
pub use line::{Line, LineEnd};
pub use reader::{Limits, Reader};
pub use token::{Damage, Token};

/// One reply: one or more lines, where a hyphen marks each line but the last (RFC 5321 §4.2.1).
///
/// Reading never fails. [`defects`](Reply::defects) says what is wrong, [`positions`](Reply::positions) says where, and
/// [`octets`](Reply::octets) returns the reply as it was received.
///
/// ```
/// use smtp_conformance::protocol::reply::{Defect, Reply};
///
/// let reply = Reply::read(b"550-5.7.1 Go\r\n550 5.7.1 away\n");
/// assert_eq!(reply.code().map(|code| code.as_u16()), Some(550));
/// assert_eq!(reply.enhanced().map(|code| code.to_string()).as_deref(), Some("5.7.1"));
/// assert_eq!(reply.defects().iter().collect::<Vec<_>>(), [Defect::BareLf]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    octets: &'a [u8],
    number: Option<u16>,
    enhanced: Option<EnhancedStatusCode>,
    defects: DefectSet,
}

impl<'a> Reply<'a> {
    /// Reads the octets of one reply, as a [`Reader`] cuts them out of a stream. If the octets end before the reply
    /// does, the reply is [`Incomplete`](Defect::Incomplete). Anything after the first reply is ignored.
    #[must_use]
    #[inline]
    pub fn read(octets: &'a [u8]) -> Reply<'a> {
        Reply::read_plain(octets).unwrap_or_else(|| Reply::read_any(octets))
    }

    /// Reads a reply that has no defects and the same enhanced status code in all lines, in one pass over its octets.
    /// Most replies are like that; [`Reply::read_any`] reads the others.
    #[inline]
    fn read_plain(octets: &'a [u8]) -> Option<Reply<'a>> {
        let line = PlainLine::read(octets)?;
        let length = if line.last { line.length } else { line.read_rest(octets)? };
        Some(Reply {
            octets: octets.get(..length)?,
            number: Some(line.number),
            enhanced: Some(line.code),
            defects: DefectSet::NONE,
        })
    }

    #[cold]
    fn read_any(octets: &'a [u8]) -> Reply<'a> {
        let mut lines = Lines::of(octets);
        let Some(first) = lines.next() else {
            return Reply { octets, number: None, enhanced: None, defects: Defect::Incomplete.into() };
        };
        let number = first.number();
        let token = first.token();
        let mut defects = first.defects() | token.defects();
        let mut line = first;
        let mut ends = line.ends_reply(false);
        while !ends || lines.is_broken_off() {
            let Some(next) = lines.next() else {
                defects |= Defect::Incomplete.into();
                break;
            };
            line = next;
            ends = if line.is_broken_off() { ends } else { line.ends_reply(true) };
            defects |= line.defects();
            if line.number().is_none() {
                continue;
            }
            if line.number() != number {
                defects |= Defect::MixedCodes.into();
            }
            let other = line.token();
            defects |= other.defects();
            if other.code() != token.code() {
                defects |= Defect::MixedEnhancedCodes.into();
            }
        }
        let octets = &octets[..octets.len() - lines.rest.len()];
        Reply { octets, number, enhanced: token.exact(), defects }
    }

    /// The octets, including line ends.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The reply code. `None` if the first line does not begin with three digits or the first digit is not 2 to 5.
    #[must_use]
    pub fn code(&self) -> Option<ReplyCode> {
        self.number.and_then(ReplyCode::new)
    }

    /// The number that the first three digits give, whatever it is. `None` if the first line has no such number.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.number
    }

    /// The enhanced status code at the start of the first line's text, if its form and its place are right.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        self.enhanced
    }

    /// The pairing of its codes in the registry. `None` if it has no reply code or no enhanced status code.
    ///
    /// ```
    /// use smtp_conformance::protocol::reply::Reply;
    /// use smtp_enhanced_status::Pairing;
    ///
    /// assert_eq!(Reply::read(b"550 5.1.1 Unknown\r\n").pairing(), Some(Pairing::Listed));
    /// assert_eq!(Reply::read(b"550 Unknown\r\n").pairing(), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn pairing(&self) -> Option<Pairing> {
        let enhanced = self.enhanced?;
        Some(judge(self.code()?, enhanced))
    }

    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> {
        Lines::of(self.octets)
    }

    /// The text of the reply in lower case: that of its lines, without their codes, joined by spaces.
    ///
    /// Line breaks have no meaning in the text of a reply (RFC 5321 §4.2.1), so it is searched as a whole.
    ///
    /// ```
    /// use smtp_conformance::protocol::reply::Reply;
    ///
    /// let reply = Reply::read(b"530-5.7.0 Authentication\r\n530 5.7.0 required\r\n");
    /// assert_eq!(reply.text(), "authentication required");
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let line = String::from_utf8_lossy(line.text_after_code()).to_lowercase();
            if !text.is_empty() && !line.is_empty() {
                text.push(' ');
            }
            text.push_str(&line);
        }
        text
    }

    /// Returns whether the [text](Reply::text) contains one of `words`, which are in lower case.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        let text = self.text();
        words.iter().any(|word| text.contains(word))
    }

    /// The defects. A missing enhanced status code is not one: whether it is a fault depends on the session.
    #[must_use]
    pub fn defects(&self) -> DefectSet {
        self.defects
    }

    /// Every defect with the index of its line and of its octet in that line, both from 0.
    pub fn positions(&self) -> impl Iterator<Item = (Defect, usize, usize)> {
        let (number, enhanced) = (self.number, self.lines().next().and_then(|line| line.token().code()));
        let inside = self.lines().enumerate().flat_map(move |(index, line)| {
            let token = line.token();
            let mut defects = line.defects();
            if line.number().is_some() {
                defects |= token.defects();
                if index > 0 && line.number() != number {
                    defects |= Defect::MixedCodes.into();
                }
                if index > 0 && token.code() != enhanced {
                    defects |= Defect::MixedEnhancedCodes.into();
                }
            }
            defects.iter().map(move |defect| (defect, index, line.position(defect)))
        });
        // If the last line is whole, the end of the reply is missing after it.
        let last = self.lines().enumerate().last().filter(|(_, line)| line.end() != LineEnd::None);
        let missing = last.map(|(index, line)| (Defect::Incomplete, index, line.octets().len()));
        inside.chain(missing.filter(|_| self.defects.contains(Defect::Incomplete)))
    }
}

/// Returns whether octets begin like a TLS record (RFC 8446 §5.1), as no reply does.
pub(crate) fn is_tls_record(octets: &[u8]) -> bool {
    matches!(octets, [0x14..=0x17, 3, ..])
}

/// Returns the number of a reply without reading the rest of it.
pub(crate) fn number(octets: &[u8]) -> Option<u16> {
    Lines::of(octets).next()?.number()
}

struct Lines<'a> {
    rest: &'a [u8],
    /// Whether the line before ended in LF without CR, and had a reply code or was broken off itself.
    stray: bool,
}

impl<'a> Lines<'a> {
    fn of(octets: &'a [u8]) -> Lines<'a> {
        Lines { rest: octets, stray: false }
    }

    /// Returns whether the next line is the rest of a line that LF without CR broke off.
    fn is_broken_off(&self) -> bool {
        self.stray && self.rest.first().is_some_and(|first| !first.is_ascii_digit())
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let broken_off = self.is_broken_off();
        let length = memchr(b'\n', self.rest).map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(length);
        self.rest = rest;
        let line = Line::new(line, broken_off);
        self.stray = line.end() == LineEnd::Lf && (broken_off || line.number().is_some());
        Some(line)
    }
}

#[cfg(test)]
mod tests;
