//! The report as text for people: the broken rules, worst first, each with an exchange that shows the violation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::behaviours::is_client;
use super::digest::{
    accepted, accepted_by_level, broken, by_rule, cut, few, fix_for, not_judged, provenance, times,
};
use super::escape::escaped;
use super::evidence::Evidence;
use super::style::Style;
use crate::counted::counted;
use crate::record::index::RecordIndex;
use crate::record::{FindingRecord, Header, Record, Summary};
use crate::rules::catalogue::{Level, Rule};

/// Returns the report. What a server sent is shown escaped, so that no reply can move the cursor or forge a line.
#[must_use]
pub fn render(records: &[Record], style: Style) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&RecordIndex::of(records), style, &mut text);
    style.wrapped(&text)
}

fn write(index: &RecordIndex<'_>, style: Style, text: &mut String) -> fmt::Result {
    if let Some(header) = index.header {
        write_header(header, style, text)?;
    }
    for ((level, rule), found) in &broken(index) {
        write_rule(index, level.0, rule, found, style, text)?;
    }
    write_accepted(index, style, text)?;
    write_cases(index, text)?;
    if let Some(summary) = index.summary {
        if !is_client(index) {
            write_agreement(summary, text)?;
        }
        write_summary(summary, &accepted_by_level(index), text)?;
        writeln!(text, "{}", style.bold(&by_rule(index)))?;
        write_verdicts(summary, text)?;
    }
    Ok(())
}

fn write_accepted(index: &RecordIndex<'_>, style: Style, text: &mut String) -> fmt::Result {
    let accepted = accepted(index);
    for ((level, rule, accepted), times) in &accepted {
        let (rule, reason, section) = (escaped(rule), escaped(&accepted.reason), escaped(&accepted.section));
        let mark = style.good("accepted");
        writeln!(text, "{mark} {} {rule}, {times} x: {reason} [{section}]", level.0)?;
    }
    if accepted.is_empty() { Ok(()) } else { writeln!(text) }
}

fn write_cases(index: &RecordIndex<'_>, text: &mut String) -> fmt::Result {
    let not_judged = not_judged(index);
    for ((verdict, reason), cases) in &not_judged {
        writeln!(text, "{verdict:<12} {:>3}  {} ({})", cases.len(), escaped(reason), few(cases))?;
    }
    if !not_judged.is_empty() {
        writeln!(text)?;
    }
    Ok(())
}

fn write_header(header: &Header, style: Style, text: &mut String) -> fmt::Result {
    let Header { version, registry_updated, target, .. } = header;
    let (version, registry_updated) = (escaped(version), escaped(registry_updated));
    writeln!(text, "{}", style.bold(&escaped(target)))?;
    writeln!(text, "smtp-conformance {version}, registry of {registry_updated}")?;
    for line in provenance(header) {
        writeln!(text, "{}", escaped(&line))?;
    }
    writeln!(text)
}

fn write_rule(
    index: &RecordIndex<'_>,
    level: Level,
    rule: &str,
    found: &[&FindingRecord],
    style: Style,
    text: &mut String,
) -> fmt::Result {
    let Some(first) = found.first() else { return Ok(()) };
    let often = match times(found) {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    let head = style.level(level, &format!("{level} {}", escaped(rule)));
    writeln!(text, "{head}{often}")?;
    writeln!(text, "  {} [{}]", escaped(&first.statement), escaped(&first.sources.join("; ")))?;
    // There are many notes, so each detail is shown once, with its first location.
    if level == Level::Note {
        let mut details: BTreeMap<&str, Vec<&FindingRecord>> = BTreeMap::new();
        for found in found {
            details.entry(&found.detail).or_default().push(found);
        }
        for (detail, found) in details {
            let location = found.first().map(|first| Evidence::of(first, index).location).unwrap_or_default();
            writeln!(text, "  {:>4} x {} ({location})", times(&found), escaped(detail))?;
        }
        return writeln!(text);
    }
    writeln!(text, "  Seen: {}", escaped(&first.detail))?;
    text.push_str(&evidence(index, first));
    text.push_str(&elsewhere(found));
    if let Some(rule) = first.catalogued() {
        write_fix(index.header, rule.rule(), text)?;
    }
    writeln!(text)
}

/// Returns the exchange that shows a violation, with each line indented.
pub(super) fn evidence(index: &RecordIndex<'_>, found: &FindingRecord) -> String {
    let Evidence { location, lines } = Evidence::of(found, index);
    let lines = lines.iter().map(|line| format!("    {line}\n"));
    format!("    {location}\n{}", lines.collect::<String>())
}

/// Returns a line with the other cases in which a rule is broken, or an empty string if there are none.
fn elsewhere(found: &[&FindingRecord]) -> String {
    let first = found.first().and_then(|first| first.case.as_deref());
    let cases: BTreeSet<&str> = found.iter().filter_map(|found| found.case.as_deref()).collect();
    let others: Vec<&str> = cases.into_iter().filter(|case| Some(*case) != first).collect();
    match others.as_slice() {
        [] => String::new(),
        others => format!("    and in {}\n", few(others)),
    }
}

fn write_fix(header: Option<&Header>, rule: &Rule, text: &mut String) -> fmt::Result {
    if !rule.fix.is_empty() {
        writeln!(text, "  Fix: {}", rule.fix)?;
    }
    fix_for(header, rule).map_or(Ok(()), |(server, fix)| writeln!(text, "    {server}: {fix}"))
}

fn write_agreement(summary: &Summary, text: &mut String) -> fmt::Result {
    let pairs = summary
        .agreement
        .by_pairing()
        .map(|(pairing, pairs)| format!("{} ({}) {pairing}", pairs.len(), pairs.values().sum::<usize>()));
    writeln!(text, "Registry agreement, pairs (replies): {}", pairs.join(", "))
}

fn write_summary(summary: &Summary, accepted: &BTreeMap<Level, usize>, text: &mut String) -> fmt::Result {
    let Summary { dialogues, exchanges, errors, warnings, notes, .. } = summary;
    if let Some(cut) = cut(summary) {
        writeln!(text, "Beyond the limits: {cut}")?;
    }
    for hint in &summary.hints {
        writeln!(text, "Hint: {}", escaped(hint))?;
    }
    let count = |number: &usize, level: Level| {
        let found = counted(*number, &level.to_string());
        match accepted.get(&level) {
            Some(accepted) => format!("{found} ({accepted} accepted)"),
            None => found,
        }
    };
    let found = [(errors, Level::Error), (warnings, Level::Warning), (notes, Level::Note)];
    let found = found.map(|(number, level)| count(number, level)).join(", ");
    let (exchanges, dialogues) = (counted(*exchanges, "exchange"), counted(*dialogues, "connection"));
    writeln!(text, "{exchanges} on {dialogues}: {found}")
}

fn write_verdicts(summary: &Summary, text: &mut String) -> fmt::Result {
    if summary.cases.is_empty() {
        return Ok(());
    }
    let verdicts = summary.cases.iter().map(|(verdict, count)| format!("{count} {verdict}"));
    writeln!(text, "Cases: {}", verdicts.collect::<Vec<_>>().join(", "))
}
