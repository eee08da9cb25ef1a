//! `cargo xtask diff`: shows what changed between two registries.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use similar::TextDiff;

use super::Outcome;
use crate::annotation::Annotations;
use crate::diff::Facts;
use crate::diff_report::{Format, Report, normalised};
use crate::impact::changed_products;
use crate::model::Model;
use crate::quirk::Quirks;
use crate::revision::Revision;
use crate::source::Data;
use crate::terminal::say;
use crate::tree::{ANNOTATIONS, QUIRKS, Tree};

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask diff
      Show how the snapshot in the working tree differs from the committed one.
  cargo xtask diff git:v0.1.0
      Show what changed since a tag.
  cargo xtask diff snapshot https://example.org/registry.xml
      Show how a published registry differs from the snapshot.
  cargo xtask diff old.xml new.xml --format markdown
      Compare two files, and write the report for a pull request.";

#[derive(Args)]
pub(super) struct Options {
    /// The old registry: a file, `git:REV`, `snapshot`, or an address: https, or http on this machine.
    #[arg(default_value = "git:HEAD")]
    old: Revision,
    /// The new registry: likewise.
    #[arg(default_value = "snapshot")]
    new: Revision,
    /// The format of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also show a line-by-line diff of the normalised registries. JSON has none.
    #[arg(long)]
    text: bool,
    /// Exit with status 3 if the registries differ.
    #[arg(long)]
    exit_code: bool,
}

/// Reads both registries and prints the report.
pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let tree = Tree::at(root);
    let quirks = Quirks::read(&tree.data_file(QUIRKS)?)?;
    let old = options.old.registry(root, &mut quirks.clone())?;
    let new = options.new.registry(root, &mut quirks.clone())?;
    let annotations = Annotations::read(&tree.data_file(ANNOTATIONS)?)?;
    let products = changed_products(&Model::with_placeholders(Data::read(&tree)?), &old, &new)?;
    let report = Report::new(&old, &new, &annotations, products);
    say(report.render(options.format));
    if options.text && options.format != Format::Json && !report.is_empty() {
        let (before, after) = (normalised(&Facts::of(&old)), normalised(&Facts::of(&new)));
        let diff = TextDiff::from_lines(&before, &after);
        let mut diff = diff.unified_diff();
        let diff = diff.header(&options.old.to_string(), &options.new.to_string()).to_string();
        match options.format {
            Format::Markdown => {
                let fence = fence(&diff);
                say(format_args!("\n{fence}diff\n{diff}{fence}"));
            }
            _ => say(format_args!("\n{diff}")),
        }
    }
    Ok(if options.exit_code && !report.is_empty() { Outcome::Different } else { Outcome::Done })
}

/// Returns a fence with more backticks than the text has in a row.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}
