//! The places of broken rules as SARIF, for code scanning services and editors.

use std::collections::BTreeMap;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::lint::summary::Summary;
use crate::report::sarif::{self, PlacedFinding};

/// Returns the report. Each place of a broken rule is a result, unless there are more than are kept.
///
/// # Errors
///
/// Returns an error only if the JSON cannot be written, which is a bug in this program.
pub fn render(summary: &Summary) -> Result<String> {
    let places = summary.places.as_ref().map_or(&[][..], |(_, places)| places);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let findings: Vec<PlacedFinding<'_>> = places
        .iter()
        .map(|one| {
            let digest = fingerprint([one.key.rule.rule().id, &one.place.file, &one.text]);
            let nth = seen.entry(digest.clone()).or_default();
            *nth += 1;
            PlacedFinding {
                rule: one.key.rule,
                level: one.key.level,
                file: &one.place.file,
                line: one.place.line.max(1),
                column: one.place.column,
                detail: &one.detail,
                text: &one.text,
                accepted: one.accepted.as_ref(),
                // The same text may be in a file several times.
                fingerprint: format!("{digest}:{nth}"),
            }
        })
        .collect();
    let all = summary.places.as_ref().map_or(0, |(count, _)| *count);
    let missing = all.saturating_sub(places.len() as u64);
    sarif::render_placed(findings.iter(), summary.is_whole, missing)
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
