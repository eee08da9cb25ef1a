//! The places of broken rules as SARIF, for code scanning services and editors.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::lint::summary::Summary;
use crate::report::sarif::{self, PlacedFinding};

/// Writes the report. Each place of a broken rule is a result, unless there are more than are kept. If there is a `base`,
/// results are located in that file, and say where they are. What could not be read is a notification.
///
/// # Errors
///
/// Fails if the output cannot be written.
pub fn write(summary: &Summary, base: Option<&str>, output: &mut dyn Write) -> Result<()> {
    let places = summary.places.as_ref().map_or(&[][..], |(_, places)| places);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let findings: Vec<PlacedFinding<'_>> = places
        .iter()
        .map(|one| {
            let digest = fingerprint([one.key.rule.rule().id, &one.place.file, &one.text]);
            let nth = seen.entry(digest.clone()).or_default();
            *nth += 1;
            // Services that show results in files require a line.
            let (line, column) = match base {
                Some(_) => (1, None),
                None => (one.place.line.max(1), one.place.column),
            };
            PlacedFinding {
                rule: one.key.rule,
                level: one.key.level,
                file: base.unwrap_or(&one.place.file),
                line,
                column,
                detail: &one.detail,
                text: match base {
                    Some(_) => Cow::Owned(format!("{}: {}", one.place, one.text)),
                    None => Cow::Borrowed(&one.text),
                },
                accepted: one.accepted.as_ref(),
                // The same text may be in a file several times.
                fingerprint: format!("{digest}:{nth}"),
            }
        })
        .collect();
    let all = summary.places.as_ref().map_or(0, |(count, _)| *count);
    let missing = all.saturating_sub(places.len() as u64);
    sarif::write_placed(findings.iter(), summary.is_whole, missing, &summary.unread(usize::MAX), output)
}

/// Returns what stays the same if lines are added before a finding.
fn fingerprint(parts: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}
