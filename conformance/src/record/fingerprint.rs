//! The identity of findings, by which two runs are compared.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::dialogue::Part;
use crate::dialogue::shape::shape;
use crate::record::FindingRecord;
use crate::record::index::RecordIndex;
use crate::rules::finding::Location;

/// The identity of a finding: the rule, the case (or the name of the connection if there is no case), and the shape of
/// the act.
///
/// Findings that share an identity count as one finding that was seen several times. The identity contains nothing that
/// the server sent, and no number of a connection, exchange or reply. It therefore stays the same if texts, queue ids,
/// dates or counts differ, or if exchanges or cases are inserted before it. It does not contain the level or the reply
/// code either, because a comparison reports changes of these.
///
/// A violation that spans several exchanges or connections is reported where it is first seen. If that place moves to
/// an act of another shape, or to another connection, it counts as another finding.
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
    /// The id of the rule.
    pub rule: String,
    /// The id of the case. If no case provoked the finding, the name of the connection, without the folders of a file.
    pub dialogue: String,
    /// The shape of the act, as [`shape`] returns it, or an empty string if the records lack the exchange.
    pub act: String,
}

impl Fingerprint {
    /// Returns the identity of a finding in the records of a run.
    #[must_use]
    pub fn of(found: &FindingRecord, index: &RecordIndex<'_>) -> Fingerprint {
        let act = index.exchange(found.location).map(|exchange| shape(&exchange.act));
        Fingerprint {
            rule: found.rule.clone(),
            dialogue: owner(index, found.location).to_owned(),
            act: act.unwrap_or_default(),
        }
    }

    /// Returns the identity as 32 hexadecimal digits: the first half of the SHA-256 of the three parts as a JSON array
    /// of strings.
    #[must_use]
    pub fn digest(&self) -> String {
        let parts = serde_json::json!([self.rule, self.dialogue, self.act]).to_string();
        Sha256::digest(parts).iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }
}

/// Returns the case that provoked an exchange. If no case did, returns the name of the connection without folders, so
/// that recordings can be moved.
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
        // SARIF logs and comparisons that users keep contain it.
        assert_eq!(fingerprint("lines-end-crlf", "NOOP").digest(), "39458c1af4b462930a6b018e53c9d122");
        assert_ne!(fingerprint("a", "b\",\"c").digest(), fingerprint("a\",\"b", "c").digest());
    }
}
