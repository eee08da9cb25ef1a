//! `smtp-conformance compare`: compares the findings of two runs.

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::terminal::{self, print_report};
use super::{FailOn, input};
use crate::record::comparison::Comparison;
use crate::record::index::RecordIndex;
use crate::report::comparison;
use crate::visible::visible_json;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance compare before.jsonl after.jsonl
  smtp-conformance compare before.jsonl after.jsonl --fail-on error --format json";

pub(super) const EXIT_STATUS: &str = "\
Exit status:
  0  No new finding and none with a raised level, at or above --fail-on
  1  A new finding, or one with a raised level, at or above --fail-on
  2  Invalid command line
  5  Internal error, or a file is unreadable";

#[derive(Args)]
pub(super) struct Options {
    /// Records of the earlier run, as --jsonl wrote them. `-` reads standard input.
    before: PathBuf,
    /// Records of the later run.
    after: PathBuf,
    /// Format of the report on standard output.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// Lowest level at which a new or raised finding fails.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Note)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Text for people.
    Console,
    /// One JSON object.
    Json,
}

/// Compares the findings, prints the result and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let (before, after) = (input::records(&options.before)?, input::records(&options.after)?);
    let (before, after) = (RecordIndex::of(&before), RecordIndex::of(&after));
    let compared = Comparison::of(&before, &after);
    match options.format {
        Format::Console => {
            let style = terminal::style(&io::stdout());
            print_report(&comparison::render(&compared, &before, &after, style))?;
        }
        Format::Json => {
            let json = serde_json::to_string_pretty(&compared)? + "\n";
            print_report(&visible_json(&json))?;
        }
    }
    let fails = |level| compared.worst().is_some_and(|worst| worst >= level);
    Ok(u8::from(options.fail_on.level().is_some_and(fails)))
}
