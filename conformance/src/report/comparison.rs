//! The report of a comparison, as text for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::console;
use super::digest::few;
use super::escape::escaped;
use super::style::Style;
use crate::record::comparison::{Comparison, Difference, Sighting};
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;

/// Returns the report of a comparison of two runs. What a server sent is shown escaped.
#[must_use]
pub fn render(
    comparison: &Comparison<'_>,
    first: &RecordIndex<'_>,
    second: &RecordIndex<'_>,
    style: Style,
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(comparison, first, second, style, &mut text);
    style.wrapped(&text)
}

fn write(
    comparison: &Comparison<'_>,
    first: &RecordIndex<'_>,
    second: &RecordIndex<'_>,
    style: Style,
    text: &mut String,
) -> fmt::Result {
    write_run("Before", first, text)?;
    write_run("After", second, text)?;
    writeln!(text)?;
    for group in groups(&comparison.new) {
        let remark = if group.first.tried { "" } else { " (nothing like it was tried before)" };
        write_head("new", &group, remark, style, text)?;
        write_codes(&group.first.after, text)?;
        writeln!(text, "  {}", escaped(&group.first.found.detail))?;
        writeln!(text, "{}", console::evidence(second, group.first.found))?;
    }
    for group in groups(&comparison.changed) {
        let what = if group.first.is_raised() { "raised" } else { "changed" };
        write_head(what, &group, "", style, text)?;
        write_sightings("before", &group.first.before, text)?;
        write_sightings("after", &group.first.after, text)?;
        writeln!(text, "{}", console::evidence(second, group.first.found))?;
    }
    for group in groups(&comparison.gone) {
        let remark = if group.first.tried { "" } else { " (nothing like it was tried after)" };
        write_head("gone", &group, remark, style, text)?;
        write_codes(&group.first.before, text)?;
        writeln!(text)?;
    }
    let raised = comparison.changed.iter().filter(|difference| difference.is_raised()).count();
    let untried = comparison.gone.iter().filter(|difference| !difference.tried).count();
    let Comparison { new, changed, gone, same } = comparison;
    writeln!(
        text,
        "{} new, {} changed ({raised} raised), {} gone ({untried} not tried again), {same} as before",
        new.len(),
        changed.len(),
        gone.len()
    )
}

fn write_run(when: &str, index: &RecordIndex<'_>, text: &mut String) -> fmt::Result {
    let Some(header) = index.header else { return writeln!(text, "{when}: no header") };
    let (target, version) = (escaped(&header.target), escaped(&header.version));
    let registry = escaped(&header.registry_updated);
    let date = match &header.origin {
        Some(Origin::Run(run)) => format!("{}, ", run.date),
        Some(Origin::Client(client)) => format!("{}, ", client.date),
        Some(Origin::Recordings(_)) | None => String::new(),
    };
    let when = format!("{when}:");
    writeln!(text, "{when:<7} {target} ({date}smtp-conformance {version}, registry of {registry})")
}

/// Differences that say the same about a rule.
struct Group<'c, 'a> {
    first: &'c Difference<'a>,
    others: Vec<&'c Difference<'a>>,
}

/// Groups differences that have the same rule, level, sightings and `tried`.
fn groups<'c, 'a>(differences: &'c [Difference<'a>]) -> Vec<Group<'c, 'a>> {
    let mut groups: Vec<Group<'c, 'a>> = Vec::new();
    let mut positions = BTreeMap::new();
    for difference in differences {
        let Difference { identity, before, after, tried, .. } = difference;
        let key = (identity.rule.as_str(), difference.level(), before, after, *tried);
        let position = *positions.entry(key).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.others.push(difference),
            None => groups.push(Group { first: difference, others: Vec::new() }),
        }
    }
    groups
}

fn write_head(
    what: &str,
    group: &Group<'_, '_>,
    remark: &str,
    style: Style,
    text: &mut String,
) -> fmt::Result {
    let Group { first, others } = group;
    let (identity, level) = (&first.identity, first.level());
    let head = style.level(level, &format!("{what} {level} {}", escaped(&identity.rule)));
    let often = match others.len() {
        0 => String::new(),
        more => format!(", {} times", more + 1),
    };
    writeln!(text, "{head}{often}{remark}")?;
    writeln!(text, "  in {}, on {}", escaped(&identity.dialogue), escaped(&identity.act))?;
    let cases: BTreeSet<&str> = others.iter().map(|other| other.identity.dialogue.as_str()).collect();
    let cases: Vec<&str> = cases.into_iter().filter(|case| *case != identity.dialogue).collect();
    if cases.is_empty() { Ok(()) } else { writeln!(text, "  and in {}", few(&cases)) }
}

/// Writes the codes of the replies in which a finding was seen, if it is about single replies.
fn write_codes(sightings: &BTreeSet<Sighting>, text: &mut String) -> fmt::Result {
    let codes: BTreeSet<String> = sightings.iter().filter_map(Sighting::codes).collect();
    if codes.is_empty() {
        return Ok(());
    }
    writeln!(text, "  reply was {}", codes.into_iter().collect::<Vec<_>>().join(", "))
}

fn write_sightings(when: &str, sightings: &BTreeSet<Sighting>, text: &mut String) -> fmt::Result {
    let all: Vec<String> = sightings.iter().map(ToString::to_string).collect();
    writeln!(text, "  {when}: {}", all.join(", "))
}
