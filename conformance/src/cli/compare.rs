//! `smtp-conformance compare`: the findings of two runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::terminal::{print_report, say};
use super::{FailOn, input};
use crate::record::comparison::Comparison;
use crate::record::index::RecordIndex;
use crate::report::comparison;
use crate::visible::visible_json;

#[derive(Args)]
pub(super) struct Options {
    /// The records before, one JSON object a line; `-` reads standard input.
    before: PathBuf,
    /// The records after.
    after: PathBuf,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// The lowest level of a new or raised finding that fails.
    #[arg(long, value_enum, default_value_t = FailOn::Note)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Console,
    /// One JSON object.
    Json,
}

/// Compares, prints, and gives the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let (before, after) = (input::records(&options.before)?, input::records(&options.after)?);
    let (before, after) = (RecordIndex::of(&before), RecordIndex::of(&after));
    let compared = Comparison::of(&before, &after);
    match options.format {
        Format::Console => {
            say!("{}", comparison::render(&compared, &before, &after).trim_end_matches('\n'));
        }
        Format::Json => {
            let json = serde_json::to_string_pretty(&compared)? + "\n";
            print_report(&visible_json(&json))?;
        }
    }
    let fails = |level| compared.worst().is_some_and(|worst| worst >= level);
    Ok(u8::from(options.fail_on.level().is_some_and(fails)))
}
