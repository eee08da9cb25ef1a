//! Vendors whose replies can be recognized, and the replies that they use otherwise than the registry.

use crate::explain::category::Category;
use crate::explain::pattern::Matches;
use crate::generated::explain::{MARKS, VENDORS};
use crate::{Class, EnhancedStatusCode, ReplyCode};

/// A provider, or a product that filters mail.
///
/// ```
/// use smtp_enhanced_status::explain::Question;
///
/// let answer = Question::new(b"550 5.7.1 no words").from_host("gmail-smtp-in.l.google.com").explain();
/// assert_eq!(answer.vendor().map(|vendor| vendor.name()), Some("Google"));
/// ```
#[derive(Debug)]
pub struct Vendor {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) seen: &'static str,
    pub(crate) hosts: &'static [&'static str],
    pub(crate) replies: &'static [VendorReply],
}

impl Vendor {
    /// Returns all vendors.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Vendor;
    /// assert!(Vendor::all().any(|vendor| vendor.name() == "Google"));
    /// ```
    pub fn all() -> impl Iterator<Item = &'static Vendor> {
        VENDORS.iter()
    }

    /// Returns the stable name: lower case letters, digits and hyphens.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the name for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns where its marks are known from.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Returns the month in which its marks were last seen: `2026-11`.
    #[must_use]
    pub fn seen(&self) -> &'static str {
        self.seen
    }

    /// Returns the reply of the vendor that fits best: a text counts more than a code.
    pub(crate) fn reply(
        &'static self,
        matches: &Matches,
        reply_code: Option<ReplyCode>,
        code: Option<EnhancedStatusCode>,
    ) -> Option<&'static VendorReply> {
        let mut best = None;
        let mut most = 0;
        for reply in self.replies {
            if let Some(weight) = reply.weight(matches, reply_code, code)
                && weight > most
            {
                (best, most) = (Some(reply), weight);
            }
        }
        best
    }

    /// Returns what the vendor means by an enhanced status code, whatever else the reply has.
    fn meaning(&self, code: EnhancedStatusCode) -> Option<Category> {
        let is_about = |reply: &&VendorReply| {
            reply.pattern.is_none() && reply.status.is_some_and(|range| range.contains(code))
        };
        self.replies.iter().find(is_about).map(|reply| reply.category)
    }

    fn has_host(&self, host: &[u8]) -> bool {
        self.hosts.iter().any(|pattern| is_like(host, pattern.as_bytes()))
    }
}

/// A vendor that a reply looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recognized {
    pub(crate) vendor: &'static Vendor,
    /// Whether the host or a sure mark shows it. If not, it takes two marks, or the text or code of a reply.
    pub(crate) is_sure: bool,
    /// Whether a sure mark shows a vendor, and the host is that of another one or of nobody known.
    pub(crate) is_contradicted: bool,
    /// How many marks the text has.
    pub(crate) marks: usize,
}

/// Recognizes the vendor by the name of the host, or else by the marks in the text, or else by a code that the
/// registry does not have.
pub(crate) fn recognize(
    matches: &Matches,
    host: Option<&[u8]>,
    code: Option<EnhancedStatusCode>,
) -> Option<Recognized> {
    let marked = by_marks(matches);
    let Some(host) = host else { return marked.or_else(|| by_code(code?)) };
    let host = host.strip_suffix(b".").unwrap_or(host);
    // A server without hosts of its own is a program or a list that anybody may use.
    let shown = marked.filter(|marked| marked.is_sure && !marked.vendor.hosts.is_empty());
    let Some(vendor) = VENDORS.iter().find(|vendor| vendor.has_host(host)) else {
        let is_contradicted = shown.is_some();
        return marked.map(|marked| Recognized { is_contradicted, ..marked }).or_else(|| by_code(code?));
    };
    let is_contradicted = shown.is_some_and(|shown| shown.vendor.id != vendor.id);
    Some(Recognized { vendor, is_sure: true, is_contradicted, marks: 0 })
}

/// Recognizes the vendor by an enhanced status code that the registry does not have. All vendors that use it have to mean
/// the same; the last of them is the most general one.
fn by_code(code: EnhancedStatusCode) -> Option<Recognized> {
    if code.entry().is_some() {
        return None;
    }
    let mut known: Option<(&Vendor, Category)> = None;
    for vendor in VENDORS {
        if let Some(category) = vendor.meaning(code) {
            if known.is_some_and(|(_, other)| other != category) {
                return None;
            }
            known = Some((vendor, category));
        }
    }
    let (vendor, _) = known?;
    Some(Recognized { vendor, is_sure: false, is_contradicted: false, marks: 0 })
}

/// Recognizes the vendor by the marks in the text. A sure mark counts more than any number of others.
fn by_marks(matches: &Matches) -> Option<Recognized> {
    let mut best: Option<(bool, usize, u8)> = None;
    for &(_, number, is_sure) in marks(matches) {
        let of_vendor = marks(matches).filter(|(_, other, _)| *other == number).count();
        let is_better = match best {
            None => true,
            // Among equals, the vendor that comes first in the file.
            Some((sure, most, first)) => {
                (is_sure, of_vendor) > (sure, most)
                    || ((is_sure, of_vendor) == (sure, most) && number < first)
            }
        };
        if is_better {
            best = Some((is_sure, of_vendor, number));
        }
    }
    let (is_sure, marks, number) = best?;
    Some(Recognized { vendor: VENDORS.get(usize::from(number))?, is_sure, is_contradicted: false, marks })
}

/// Returns the marks of all vendors that a text has.
fn marks(matches: &Matches) -> impl Iterator<Item = &'static (u16, u8, bool)> {
    matches.iter().flat_map(|found| {
        let first = MARKS.partition_point(|(pattern, ..)| *pattern < found.pattern);
        MARKS[first..].iter().take_while(move |(pattern, ..)| *pattern == found.pattern)
    })
}

/// A reply that a vendor uses otherwise than the registry, or beyond it.
#[derive(Debug)]
pub(crate) struct VendorReply {
    pub(crate) reply_code: Option<u16>,
    pub(crate) status: Option<StatusRange>,
    pub(crate) pattern: Option<u16>,
    pub(crate) category: Category,
    pub(crate) meaning: &'static str,
    pub(crate) source: &'static str,
    pub(crate) seen: &'static str,
}

/// Codes that differ in their details only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusRange {
    pub(crate) class: Class,
    pub(crate) subject: u16,
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl VendorReply {
    /// Returns how much the entry says about a reply, or `None` if it is not about it.
    fn weight(
        &self,
        matches: &Matches,
        reply_code: Option<ReplyCode>,
        code: Option<EnhancedStatusCode>,
    ) -> Option<u32> {
        let mut weight = 0;
        if let Some(expected) = self.reply_code {
            if reply_code?.as_u16() != expected {
                return None;
            }
            weight += 1;
        }
        if let Some(range) = self.status {
            if !range.contains(code?) {
                return None;
            }
            weight += 2;
        }
        if let Some(pattern) = self.pattern {
            if !matches.has(pattern) {
                return None;
            }
            weight += 4;
        }
        Some(weight)
    }
}

impl StatusRange {
    fn contains(self, code: EnhancedStatusCode) -> bool {
        code.class() == self.class
            && code.subject() == self.subject
            && (self.first..=self.last).contains(&code.detail())
    }
}

/// Returns whether a name in any case has the form of a pattern in lower case, in which `*` is any number of octets.
fn is_like(name: &[u8], pattern: &[u8]) -> bool {
    let Some(star) = pattern.iter().position(|octet| *octet == b'*') else {
        return name.eq_ignore_ascii_case(pattern);
    };
    let (head, tail) = (&pattern[..star], &pattern[star + 1..]);
    let Some((start, mut rest)) = name.split_at_checked(head.len()) else { return false };
    if !start.eq_ignore_ascii_case(head) {
        return false;
    }
    if !tail.contains(&b'*') {
        return rest.len() >= tail.len() && rest[rest.len() - tail.len()..].eq_ignore_ascii_case(tail);
    }
    loop {
        if is_like(rest, tail) {
            return true;
        }
        match rest {
            [_, after @ ..] => rest = after,
            [] => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_is_any_number_of_octets() {
        for (name, pattern, expected) in [
            ("mx.example.test", "*.example.test", true),
            ("MX.Example.Test", "*.example.test", true),
            ("example.test", "*.example.test", false),
            ("mx01.example.test", "mx*.example.test", true),
            ("smtp01.example.test", "mx*.example.test", false),
            ("mx.ionos.de", "*.ionos.*", true),
            ("ionos.de", "*.ionos.*", false),
            ("mail.example.test", "mail.example.test", true),
            ("", "*.example.test", false),
        ] {
            assert_eq!(is_like(name.as_bytes(), pattern.as_bytes()), expected, "{name} {pattern}");
        }
    }
}
