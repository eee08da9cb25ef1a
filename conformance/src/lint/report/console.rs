//! The report for people.

use std::fmt::Write as _;

use super::{Extent, read, share};
use crate::lint::counts::By;
use crate::lint::summary::{Broken, Grouped, Pair, Summary};
use crate::report::Style;
use crate::report::escape::escaped;

/// Returns the report.
#[must_use]
pub fn render(summary: &Summary, extent: Extent, style: Style) -> String {
    let mut text = String::new();
    for sentence in read(summary) {
        let _ = writeln!(text, "{sentence}");
    }
    let sections = [
        ("Codes", pairs(summary, extent)),
        ("Categories", categories(summary, extent)),
        ("Vendors that refused", vendors(summary, extent)),
        ("Rules broken", rules(summary, extent, style)),
        ("Where", places(summary, extent)),
        (groups_title(summary), groups(summary, extent)),
        ("Not read", troubles(summary, extent)),
    ];
    for (title, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = writeln!(text, "\n{}", style.bold(title));
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn pairs(summary: &Summary, extent: Extent) -> Vec<String> {
    let line = |pair: &Pair| {
        let pairing = pair.pairing.map_or_else(|| no_pairing(pair).to_owned(), |pairing| pairing.to_string());
        let example = pair.example.as_ref().map_or("", |example| example.text.as_str());
        format!(
            "{:>9}  {:<13} {pairing:<14}  {}",
            pair.count,
            escaped(&pair.head.to_string()),
            short(example)
        )
    };
    top(summary.pairs.iter().map(line), summary.pairs.len(), extent)
}

/// Says why codes have no pairing.
pub(super) fn no_pairing(pair: &Pair) -> &'static str {
    match (pair.head.reply_code(), pair.head.as_octets().len()) {
        (None, _) => "no reply code",
        (Some(_), 3) => "no enhanced",
        (Some(_), _) => "damaged",
    }
}

fn categories(summary: &Summary, extent: Extent) -> Vec<String> {
    let whole = summary.categories.iter().map(|(_, count)| count).sum();
    let line = |(category, count): &(smtp_enhanced_status::explain::Category, u64)| {
        format!("{count:>9}  {:>4}  {:<23} {}", short_share(*count, whole), category.id(), category.meaning())
    };
    top(summary.categories.iter().map(line), summary.categories.len(), extent)
}

fn short_share(part: u64, whole: u64) -> String {
    share(part, whole).replace("less than 1%", "<1%")
}

fn vendors(summary: &Summary, extent: Extent) -> Vec<String> {
    let lines = summary.vendors.iter().map(|(vendor, count)| format!("{count:>9}  {}", vendor.name()));
    top(lines, summary.vendors.len(), extent)
}

fn rules(summary: &Summary, extent: Extent, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for broken in summary.rules.iter().take(extent.top) {
        let level = format!("{:<7}", broken.key.level.to_string());
        let accepted = if broken.accepted.is_some() { " (accepted)" } else { "" };
        lines.push(format!(
            "{:>9}  {} {}: {}{accepted}",
            broken.count,
            style.level(broken.key.level, &level),
            broken.key.rule,
            short(&detail(broken)),
        ));
        if let Some(example) = &broken.example {
            let place = &example.place;
            lines.push(format!("           {place}: {}", short(&example.text)));
        }
    }
    lines.extend(more(summary.rules.len(), extent));
    lines
}

/// Returns what was seen, or what the rule demands.
pub(super) fn detail(broken: &Broken) -> String {
    broken.detail.clone().unwrap_or_else(|| broken.key.rule.rule().statement.to_owned())
}

fn places(summary: &Summary, extent: Extent) -> Vec<String> {
    let Some((count, places)) = &summary.places else { return Vec::new() };
    let lines = places
        .iter()
        .map(|one| format!("{}: {} {}: {}", one.place, one.key.level, one.key.rule, short(&one.text)));
    // Who asks for places wants all of them.
    let _ = extent;
    top(lines, usize::try_from(*count).unwrap_or(usize::MAX), Extent { top: places.len() })
}

fn groups_title(summary: &Summary) -> &'static str {
    match summary.groups.as_ref().map(|grouped| grouped.by) {
        Some(By::Hour) => "By hour",
        Some(By::Category) => "By category",
        Some(By::Pair) => "By codes",
        Some(By::Host) | None => "By host",
    }
}

fn groups(summary: &Summary, extent: Extent) -> Vec<String> {
    let Some(Grouped { by, groups, others }) = &summary.groups else { return Vec::new() };
    let extent = if *by == By::Hour { Extent { top: groups.len() } } else { extent };
    let mut lines = vec![format!("{:>9} {:>9} {:>9} {:>9}", "replies", "accepted", "temporary", "permanent")];
    let line = |name: &str, tally: &crate::lint::counts::Tally| {
        let crate::lint::counts::Tally { replies, accepted, transient, permanent, .. } = tally;
        format!("{replies:>9} {accepted:>9} {transient:>9} {permanent:>9}  {}", escaped(name))
    };
    lines.extend(top(groups.iter().map(|(name, tally)| line(name, tally)), groups.len(), extent));
    if others.replies > 0 {
        lines.push(line("(others, counted together)", others));
    }
    lines
}

fn troubles(summary: &Summary, extent: Extent) -> Vec<String> {
    let (count, troubles) = &summary.troubles;
    let lines = troubles.iter().map(|(at, what)| format!("{at}: {}", escaped(what)));
    top(lines, usize::try_from(*count).unwrap_or(usize::MAX), extent)
}

/// Returns the first lines, and how many more there are.
fn top(lines: impl Iterator<Item = String>, all: usize, extent: Extent) -> Vec<String> {
    let mut lines: Vec<String> = lines.take(extent.top).collect();
    lines.extend(more(all, extent));
    lines
}

fn more(all: usize, extent: Extent) -> Option<String> {
    let more = all.checked_sub(extent.top).filter(|more| *more > 0)?;
    Some(format!("{:>9}  more", format!("{more}")))
}

/// Returns the start of a text that fits into a line.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(90) {
        Some((end, _)) => format!("{}...", escaped(&text[..end])),
        None => escaped(text),
    }
}
