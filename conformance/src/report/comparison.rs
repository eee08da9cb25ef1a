//! A comparison as people read it.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::console;
use super::escape::escaped;
use crate::record::comparison::{Comparison, Difference, Sighting};
use crate::record::index::RecordIndex;

/// The report of a comparison of two streams. What a server sent is shown escaped.
#[must_use]
pub fn render(comparison: &Comparison<'_>, first: &RecordIndex<'_>, second: &RecordIndex<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(comparison, first, second, &mut text);
    text
}

fn write(
    comparison: &Comparison<'_>,
    first: &RecordIndex<'_>,
    second: &RecordIndex<'_>,
    text: &mut String,
) -> fmt::Result {
    write_stream("Before", first, text)?;
    write_stream("After", second, text)?;
    writeln!(text)?;
    for difference in &comparison.new {
        let untried = if difference.tried { "" } else { " (nothing like it was tried before)" };
        write_head("new", difference, untried, text)?;
        write_sightings("seen", &difference.after, text)?;
        writeln!(text, "  {}", escaped(&difference.found.detail))?;
        writeln!(text, "{}", console::evidence(second, difference.found))?;
    }
    for difference in &comparison.changed {
        write_head(if difference.is_raised() { "raised" } else { "changed" }, difference, "", text)?;
        write_sightings("before", &difference.before, text)?;
        write_sightings("after", &difference.after, text)?;
        writeln!(text, "{}", console::evidence(second, difference.found))?;
    }
    for difference in &comparison.gone {
        let untried = if difference.tried { "" } else { " (nothing like it was tried after)" };
        write_head("gone", difference, untried, text)?;
        write_sightings("seen", &difference.before, text)?;
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

fn write_stream(when: &str, stream: &RecordIndex<'_>, text: &mut String) -> fmt::Result {
    let Some(header) = stream.header else { return writeln!(text, "{when}: no header") };
    let (target, version) = (escaped(&header.target), escaped(&header.version));
    let registry = escaped(&header.registry_updated);
    writeln!(text, "{:<7} {target} (smtp-conformance {version}, registry of {registry})", format!("{when}:"))
}

fn write_head(what: &str, difference: &Difference<'_>, remark: &str, text: &mut String) -> fmt::Result {
    let identity = &difference.identity;
    let (rule, dialogue, act) = (&identity.rule, &identity.dialogue, &identity.act);
    writeln!(text, "{what} {} {}{remark}", difference.level(), escaped(rule))?;
    writeln!(text, "  in {}, on {}", escaped(dialogue), escaped(act))
}

fn write_sightings(when: &str, sightings: &BTreeSet<Sighting>, text: &mut String) -> fmt::Result {
    let all: Vec<String> = sightings.iter().map(ToString::to_string).collect();
    writeln!(text, "  {when}: {}", all.join(", "))
}
