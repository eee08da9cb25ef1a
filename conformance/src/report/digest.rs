//! What every report says of a run: rules that are broken, what a baseline accepts, what was not judged, what was cut.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::escape::escaped;
use crate::dialogue::Excess;
use crate::record::index::RecordIndex;
use crate::record::outcome::Verdict;
use crate::record::{FindingRecord, Summary};
use crate::rules::catalogue::Level;
use crate::rules::finding::Accepted;

/// How many findings of each level a baseline has.
pub(super) fn accepted_by_level(stream: &RecordIndex<'_>) -> BTreeMap<Level, usize> {
    let mut times = BTreeMap::new();
    for found in stream.findings.iter().filter(|found| found.accepted.is_some()) {
        *times.entry(found.level).or_default() += found.times();
    }
    times
}

/// The findings of each rule and level that no baseline has, worst first.
pub(super) fn broken<'a>(
    stream: &RecordIndex<'a>,
) -> BTreeMap<(Reverse<Level>, &'a str), Vec<&'a FindingRecord>> {
    let mut broken: BTreeMap<_, Vec<&FindingRecord>> = BTreeMap::new();
    for found in stream.findings.iter().filter(|found| found.accepted.is_none()) {
        broken.entry((Reverse(found.level), found.rule.as_str())).or_default().push(found);
    }
    broken
}

/// How often each rule is broken as a baseline has it, worst first, and why.
pub(super) fn accepted<'a>(
    stream: &RecordIndex<'a>,
) -> BTreeMap<(Reverse<Level>, &'a str, &'a Accepted), usize> {
    let mut times = BTreeMap::new();
    for found in &stream.findings {
        if let Some(accepted) = &found.accepted {
            *times.entry((Reverse(found.level), found.rule.as_str(), accepted)).or_default() += found.times();
        }
    }
    times
}

/// The cases that were not judged, by verdict and reason, so that a reader sees which flag would enable them.
pub(super) fn not_judged<'a>(stream: &RecordIndex<'a>) -> BTreeMap<(Verdict, String), Vec<&'a str>> {
    let mut not_judged: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for case in &stream.cases {
        if case.verdict.is_not_judged() {
            let reason = case.reason_text();
            not_judged.entry((case.verdict, reason)).or_default().push(&case.id);
        }
    }
    not_judged
}

/// How many findings some stand for.
pub(super) fn times(found: &[&FindingRecord]) -> usize {
    found.iter().map(|found| found.times()).sum()
}

/// What of a run is beyond the limits; `None` if nothing is.
pub(super) fn cut(summary: &Summary) -> Option<String> {
    let Summary { excess: Excess { replies, octets }, overflows, .. } = summary;
    let counted = format!("{replies} replies, {octets} octets, were counted but not kept");
    let ended = format!("the client ended {overflows} connections on which the server sent too much");
    match (summary.excess.is_none(), *overflows) {
        (true, 0) => None,
        (true, _) => Some(ended),
        (false, 0) => Some(counted),
        (false, _) => Some(format!("{counted}; {ended}")),
    }
}

/// The first of some names.
pub(super) fn few(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let mut names = names.to_vec();
    names.dedup();
    let shown = names.iter().take(SHOWN).map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { shown + ", ..." } else { shown }
}
