//! `smtp-conformance report`: a report of records, made again.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{FailOn, Form, input, misused};
use crate::report::Source;

#[derive(Args)]
pub(super) struct Options {
    /// Records, one JSON object a line; `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    form: Form,
    /// The lowest level that is a failure in JUnit.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

/// Prints the report, and gives the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let names: Vec<String> = options.files.iter().map(|file| file.display().to_string()).collect();
    let records = options.files.iter().map(|file| input::records(file)).collect::<Result<Vec<_>>>()?;
    let sources: Vec<Source<'_>> =
        names.iter().zip(&records).map(|(name, records)| Source { name, records }).collect();
    match options.form.print(&sources, options.fail_on) {
        Err(error) if sources.len() > 1 && !options.form.format.takes_several() => Ok(misused(&error)),
        printed => printed.map(|()| 0),
    }
}
