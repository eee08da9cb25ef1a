//! The parts that reports share: provenance, broken rules, accepted findings, cases that were not judged, and limits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::escape::escaped;
use crate::counted::counted;
use crate::dialogue::Excess;
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::outcome::Verdict;
use crate::record::{FindingRecord, Header, Summary};
use crate::rules::catalogue::{Level, Rule};
use crate::rules::finding::Accepted;

/// Returns sentences, without their full stops, about the date and the server of a run, or about the files that were
/// judged.
pub(super) fn provenance(header: &Header) -> Vec<String> {
    match &header.origin {
        Some(Origin::Run(run)) => {
            let version = header.server_version.as_ref().map(|version| format!(", version {version}"));
            vec![
                format!("Run of {}, server {run}{}", run.date, version.unwrap_or_default()),
                format!("TLS: {}", run.tls_or_none()),
            ]
        }
        Some(Origin::Recordings(files)) if *files == [header.target.as_str()] => Vec::new(),
        Some(Origin::Recordings(files)) => {
            let mut named: Vec<&str> = files.iter().take(FILES).map(String::as_str).collect();
            let more = files.len().checked_sub(FILES).filter(|more| *more > 0);
            let more = more.map(|more| format!("{more} more"));
            named.extend(more.as_deref());
            let recordings = if files.len() == 1 { "Recording" } else { "Recordings" };
            vec![format!("{recordings}: {}", named.join(", "))]
        }
        Some(Origin::Client(client)) => {
            let version = header.server_version.as_ref().map(|version| format!(", version {version}"));
            let mut lines = vec![format!("Run of {}{}", client.date, version.unwrap_or_default())];
            lines.extend(client.commands.iter().map(|(name, command)| format!("Template {name}: {command}")));
            lines
        }
        None => Vec::new(),
    }
}

/// The maximum number of recordings that are named.
const FILES: usize = 10;

/// Returns the server's product and the rule's advice for it, or `None` if the product is unknown or the rule has no
/// advice for it.
pub(super) fn fix_for(header: Option<&Header>, rule: &Rule) -> Option<(&'static str, &'static str)> {
    let product = header?.product?;
    rule.fixes.iter().copied().find(|(server, _)| *server == product.name())
}

/// Returns how many rules are broken, and how often: `6 rules broken (errors), 10 warned; 101 errors in all`.
pub(super) fn by_rule(index: &RecordIndex<'_>) -> String {
    let of_level = |level: Level| {
        let found =
            index.findings.iter().filter(move |found| found.level == level && found.accepted.is_none());
        found.map(|found| found.rule.as_str()).collect::<BTreeSet<&str>>()
    };
    let (broken, mut warned) = (of_level(Level::Error), of_level(Level::Warning));
    warned.retain(|rule| !broken.contains(rule));
    let errors = index.findings.iter().filter(|found| found.level == Level::Error);
    let errors = errors.map(|found| found.times()).sum();
    let accepted = accepted_by_level(index).remove(&Level::Error);
    let accepted = accepted.map(|times| format!(", {times} of them accepted")).unwrap_or_default();
    let broken = match broken.len() {
        0 => "no rule broken".to_owned(),
        count => format!("{} broken (errors)", counted(count, "rule")),
    };
    let in_all = match errors {
        0 => String::new(),
        count => format!("; {} in all{accepted}", counted(count, "error")),
    };
    format!("{broken}, {} warned{in_all}", warned.len())
}

/// Returns the number of accepted findings at each level.
pub(super) fn accepted_by_level(index: &RecordIndex<'_>) -> BTreeMap<Level, usize> {
    let mut times = BTreeMap::new();
    for found in index.findings.iter().filter(|found| found.accepted.is_some()) {
        *times.entry(found.level).or_default() += found.times();
    }
    times
}

/// Returns the findings that are not accepted by level and rule, worst first.
pub(super) fn broken<'a>(
    index: &RecordIndex<'a>,
) -> BTreeMap<(Reverse<Level>, &'a str), Vec<&'a FindingRecord>> {
    let mut broken: BTreeMap<_, Vec<&FindingRecord>> = BTreeMap::new();
    for found in index.findings.iter().filter(|found| found.accepted.is_none()) {
        broken.entry((Reverse(found.level), found.rule.as_str())).or_default().push(found);
    }
    broken
}

/// Returns the number of accepted findings by level, rule and reason, worst first.
pub(super) fn accepted<'a>(
    index: &RecordIndex<'a>,
) -> BTreeMap<(Reverse<Level>, &'a str, &'a Accepted), usize> {
    let mut times = BTreeMap::new();
    for found in &index.findings {
        if let Some(accepted) = &found.accepted {
            *times.entry((Reverse(found.level), found.rule.as_str(), accepted)).or_default() += found.times();
        }
    }
    times
}

/// Returns the cases that were not judged by verdict and reason, so that a reader sees which flag would enable them.
pub(super) fn not_judged<'a>(index: &RecordIndex<'a>) -> BTreeMap<(Verdict, String), Vec<&'a str>> {
    let mut not_judged: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for case in &index.cases {
        if case.verdict.is_not_judged() {
            let reason = case.reason_text();
            not_judged.entry((case.verdict, reason)).or_default().push(&case.id);
        }
    }
    not_judged
}

/// Returns the number of findings that some records represent.
pub(super) fn times(found: &[&FindingRecord]) -> usize {
    found.iter().map(|found| found.times()).sum()
}

/// Returns a clause about what exceeded the limits, or `None` if nothing did.
pub(super) fn cut(summary: &Summary) -> Option<String> {
    let Summary { excess: Excess { replies, octets }, overflows, .. } = summary;
    let (replies, octets) = (counted(*replies, "reply"), counted(*octets, "octet"));
    let not_kept = format!("{replies}, {octets}, counted but not kept");
    let ended = counted(*overflows, "connection");
    let ended = format!("the client ended {ended} on which the server sent too much");
    match (summary.excess.is_none(), *overflows) {
        (true, 0) => None,
        (true, _) => Some(ended),
        (false, 0) => Some(not_kept),
        (false, _) => Some(format!("{not_kept}; {ended}")),
    }
}

/// Returns the first few names, followed by `...` if there are more.
pub(super) fn few(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let mut names = names.to_vec();
    names.dedup();
    let shown = names.iter().take(SHOWN).map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { shown + ", ..." } else { shown }
}
