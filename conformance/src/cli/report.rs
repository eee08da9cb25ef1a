//! `smtp-conformance report`: makes a report from the records of earlier runs.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use globset::GlobMatcher;

use super::{FailOn, Form, input, misused};
use crate::record::Record;
use crate::report::{Format, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance report run.jsonl
  smtp-conformance report a.jsonl b.jsonl --format html > servers.html
  smtp-conformance report run.jsonl --format issue --rule 'starttls-*' > issue.md
  smtp-conformance report run.jsonl --format markdown >> \"$GITHUB_STEP_SUMMARY\"";

#[derive(Args)]
pub(super) struct Options {
    /// Files of records, as --jsonl or --out wrote them. `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    form: Form,
    /// Report to maintainers only on rules whose ids match. Needs --format issue.
    #[arg(long, value_name = "GLOB", value_parser = super::glob, help_heading = "Output")]
    rule: Option<GlobMatcher>,
    /// Lowest level at which a finding is a failure in the JUnit report, or is reported to maintainers.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Error, help_heading = "Output")]
    fail_on: FailOn,
}

/// Prints the report and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let names: Vec<String> = options.files.iter().map(|file| file.display().to_string()).collect();
    if options.rule.is_some() && options.form.format != Format::Issue {
        return Ok(misused(&anyhow!("--rule needs --format issue")));
    }
    let mut records = options.files.iter().map(|file| input::records(file)).collect::<Result<Vec<_>>>()?;
    if let Some(glob) = &options.rule {
        for run in &mut records {
            run.retain(|record| !matches!(record, Record::Finding(found) if !glob.is_match(&found.rule)));
        }
    }
    let sources: Vec<Source<'_>> =
        names.iter().zip(&records).map(|(name, records)| Source { name, records }).collect();
    match options.form.print(&sources, options.fail_on) {
        Err(error) if sources.len() > 1 && !options.form.format.takes_several() => Ok(misused(&error)),
        printed => printed.map(|()| 0),
    }
}
