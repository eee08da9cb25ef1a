//! What makes a finding of one run the same finding in another.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::dialogue::Part;
use crate::dialogue::shape::shape;
use crate::record::FindingRecord;
use crate::record::index::RecordIndex;
use crate::rules::finding::Location;

/// The identity of a finding: the rule, the case or else the connection's name, and the shape of the act.
///
/// Findings that share it are one finding that was seen several times. Nothing that a server sent is part of it, and no
/// number of a connection, exchange or reply. So it stays the same where texts, queue ids, dates or counts differ, and
/// where exchanges or cases were put before it. Levels and reply codes are no part of it either: they are what may
/// change about a finding.
///
/// A rule about several exchanges or connections is reported where it is first seen. Where that moves to an act of
/// another shape, or to another connection, it counts as another finding.
///
/// ```
/// use smtp_conformance::dialogue::Act;
/// use smtp_conformance::dialogue::shape::shape;
///
/// assert_eq!(shape(&Act::Command("MAIL FROM:<me@mx1.example.org> SIZE=1000\r\n".into())), "MAIL FROM:<me@host> SIZE=0");
/// assert_eq!(shape(&Act::Message("Date: today\r\n.\r\n".into())), "a message");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Fingerprint {
    /// The rule's slug.
    pub rule: String,
    /// The case's slug; of what no case brought about, the connection's name: a file's without its folders.
    pub dialogue: String,
    /// The shape of the act, as [`shape`] has it; empty if the stream lacks the exchange.
    pub act: String,
}

impl Fingerprint {
    /// The identity of a finding of a stream.
    #[must_use]
    pub fn of(found: &FindingRecord, index: &RecordIndex<'_>) -> Fingerprint {
        let act = index.exchange(found.location).map(|exchange| shape(&exchange.act));
        Fingerprint {
            rule: found.rule.clone(),
            dialogue: owner(index, found.location).to_owned(),
            act: act.unwrap_or_default(),
        }
    }

    /// The identity as 32 hexadecimal digits: half of the SHA-256 of the three parts as a JSON array of strings.
    #[must_use]
    pub fn digest(&self) -> String {
        let parts = serde_json::json!([self.rule, self.dialogue, self.act]).to_string();
        Sha256::digest(parts).iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }
}

/// The case that brought a location about. Where none did, the name of its connection without folders, so that
/// recordings may lie anywhere.
#[must_use]
pub fn owner<'a>(index: &RecordIndex<'a>, location: Location) -> &'a str {
    let Some(opening) = index.dialogue(location) else { return "" };
    let file = || opening.name.rsplit(['/', '\\']).next().unwrap_or_default();
    Part::owner(&opening.cases, location.exchange).unwrap_or_else(file)
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn digests_never_change() {
        let fingerprint = |rule: &str, act: &str| Fingerprint {
            rule: rule.to_owned(),
            dialogue: "noop".to_owned(),
            act: act.to_owned(),
        };
        // Files that people keep have it.
        assert_eq!(fingerprint("lines-end-crlf", "NOOP").digest(), "39458c1af4b462930a6b018e53c9d122");
        assert_ne!(fingerprint("a", "b\",\"c").digest(), fingerprint("a\",\"b", "c").digest());
    }
}
