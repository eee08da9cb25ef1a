//! The capabilities that a server announces in its reply to EHLO or LHLO.

use crate::protocol::reply::{Line, Reply};

/// The capabilities of a 250 reply to EHLO or LHLO (RFC 5321 §4.1.1.1).
///
/// ```
/// use smtp_conformance::Capabilities;
/// use smtp_conformance::protocol::reply::Reply;
///
/// let capabilities = Capabilities::read(&Reply::read(b"250-mx.example.org\r\n250-size 1000\r\n250 DSN\r\n"));
/// assert!(capabilities.has("DSN"));
/// assert_eq!(capabilities.parameters("SIZE").unwrap().collect::<Vec<_>>(), ["1000"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    lines: Vec<String>,
}

impl Capabilities {
    /// Reads the capabilities from every line but the first.
    #[must_use]
    pub fn read(reply: &Reply<'_>) -> Capabilities {
        let text = |line: Line<'_>| String::from_utf8_lossy(line.text()).trim_end().to_owned();
        Capabilities { lines: reply.lines().skip(1).map(text).collect() }
    }

    /// Returns whether a keyword is announced.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// The parameters of a keyword. `None` if the keyword is not announced.
    #[must_use]
    pub fn parameters(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        self.lines.iter().find_map(|line| {
            let (word, rest) = line.trim_start_matches(' ').split_at_checked(keyword.len())?;
            let is_it = word.eq_ignore_ascii_case(keyword) && (rest.is_empty() || rest.starts_with(' '));
            is_it.then(|| rest.split(' ').filter(|parameter| !parameter.is_empty()))
        })
    }

    /// The keywords, as they were sent.
    pub fn keywords(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| line.split(' ').next()).filter(|keyword| !keyword.is_empty())
    }

    /// The fixed limit of SIZE in octets. `None` if SIZE is not announced, has no number, or is 0: no fixed limit
    /// (RFC 1870 §3).
    #[must_use]
    pub fn size_limit(&self) -> Option<u64> {
        self.parameters("SIZE")?.next()?.parse().ok().filter(|limit| *limit > 0)
    }

    /// Returns whether AUTH announces a mechanism.
    #[must_use]
    pub fn has_mechanism(&self, mechanism: &str) -> bool {
        self.parameters("AUTH")
            .is_some_and(|mut offered| offered.any(|name| name.eq_ignore_ascii_case(mechanism)))
    }
}
