//! What `run` and `clients` do with an outcome: compare it with a baseline, print it, and write files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use super::output::OutputFile;
use super::terminal::{self, remark};
use super::{FailOn, Form};
use crate::baseline::{Baseline, Update};
use crate::record::index::RecordIndex;
use crate::record::outcome::{Outcome, Reviewed};
use crate::record::status::Status;
use crate::record::{self, Record, Subject};
use crate::report::{Source, junit};

const OUTPUT: &str = "Output";
const JUDGING: &str = "Judging";

/// The options that say what becomes of an outcome.
#[derive(Args)]
pub(super) struct Review {
    #[command(flatten)]
    pub(super) form: Form,
    /// Also write the records of the run to FILE, one JSON object per line.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    jsonl: Option<PathBuf>,
    /// Also write a JUnit report to FILE.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    junit: Option<PathBuf>,
    /// Print what client and server said, case by case, on standard error: `->` for the client, `<-` for the server,
    /// `<**` for a refusal, `===` for what happened. Octets that are not printable are escaped, passwords masked.
    #[arg(long, short, help_heading = OUTPUT)]
    verbose: bool,
    /// Lowest level at which a finding fails the run.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Error, help_heading = JUDGING)]
    pub(super) fail_on: FailOn,
    /// File of accepted findings, which do not fail the run. An entry that has expired or no longer matches anything
    /// fails it with exit status 3.
    #[arg(long, value_name = "FILE", help_heading = JUDGING)]
    pub(super) baseline: Option<PathBuf>,
    /// Update the baseline: add the findings at or above --fail-on that it lacks, and remove entries that have expired
    /// or no longer match anything.
    #[arg(long, requires = "baseline", help_heading = JUDGING)]
    update_baseline: bool,
    /// Profile that lowers the level of some rules: rfc (changes nothing), interop (stresses what makes clients fail),
    /// or postmaster (stresses what a site can configure).
    #[arg(long, value_name = "NAME", default_value = "rfc", help_heading = JUDGING)]
    pub(super) profile: String,
}

impl Review {
    /// Reads the baseline, if there is one.
    pub(super) fn baseline(&self) -> Result<Option<Baseline>> {
        let Some(file) = &self.baseline else { return Ok(None) };
        ensure!(
            self.update_baseline || file.exists(),
            "{}: no such file; --update-baseline creates it",
            file.display()
        );
        Baseline::read(file).map(Some)
    }

    /// Opens the files to write, so that one that cannot be written is reported before the run.
    pub(super) fn open(&self) -> Result<Outputs> {
        let open = |path: Option<&PathBuf>| path.map(|path| OutputFile::open(path)).transpose();
        Ok(Outputs {
            jsonl: open(self.jsonl.as_ref())?,
            junit: open(self.junit.as_ref())?,
            baseline: if self.update_baseline { open(self.baseline.as_ref())? } else { None },
        })
    }

    /// Compares an outcome with the baseline, prints the report, writes the files, and returns the status. `is_narrow` says
    /// whether only some cases were run.
    pub(super) fn conclude(
        &self,
        subject: &Subject,
        outcome: Outcome,
        is_narrow: bool,
        baseline: Option<&Baseline>,
        outputs: Outputs,
    ) -> Result<Status> {
        let mut remarks: Vec<String> = outcome.obstacle().iter().map(ToString::to_string).collect();
        if !self.form.format.shows_hints() {
            remarks.extend_from_slice(&outcome.hints);
        }
        let (reviewed, new_baseline) = self.reviewed(outcome, &subject.target, is_narrow, baseline)?;
        let stale = reviewed.stale.clone();
        let records = record::records(subject, reviewed);
        if self.verbose {
            terminal::print_conversations(&records);
        }
        // The report is printed even if a file cannot be written.
        let written = outputs.write(&records, new_baseline.as_deref(), self.fail_on);
        self.form.print(&[Source { name: "", records: &records }], self.fail_on)?;
        written?;
        for entry in &stale {
            remark!("{entry}");
        }
        for remark in &remarks {
            remark!("{}: {remark}", subject.target);
        }
        Ok(Status::of(&RecordIndex::of(&records), self.fail_on.level()))
    }

    /// Compares an outcome with the baseline. Returns the reviewed outcome, and the new text of the baseline if it is to be
    /// updated.
    fn reviewed(
        &self,
        outcome: Outcome,
        target: &str,
        is_narrow: bool,
        baseline: Option<&Baseline>,
    ) -> Result<(Reviewed, Option<String>)> {
        let Some(baseline) = baseline else { return Ok((outcome.without_baseline(), None)) };
        let today = Baseline::today();
        if !self.update_baseline {
            if let Some(message) = baseline.is_for_others(target) {
                remark!("{message}");
            }
            return Ok((baseline.review(target, today, is_narrow, outcome), None));
        }
        let update = baseline.updated(target, today, is_narrow, self.fail_on.level(), &outcome)?;
        let Update { added, gone, text } = update;
        let path: &Path = baseline.path();
        remark!("{}: entries for {target}: {added} added, {gone} removed", path.display());
        let updated = baseline.with_text(&text)?;
        Ok((updated.review(target, today, is_narrow, outcome), Some(text)))
    }
}

/// The files that a run writes in addition to its report.
pub(super) struct Outputs {
    jsonl: Option<OutputFile>,
    junit: Option<OutputFile>,
    baseline: Option<OutputFile>,
}

impl Outputs {
    fn write(self, records: &[Record], baseline: Option<&str>, fail_on: FailOn) -> Result<()> {
        if let Some(file) = self.jsonl {
            file.write(|to| Ok(record::write(records, to)?))?;
        }
        if let Some(file) = self.junit {
            let report = junit::render(records, fail_on.level())?;
            file.write(|to| Ok(to.write_all(report.as_bytes())?))?;
        }
        if let (Some(file), Some(text)) = (self.baseline, baseline) {
            file.write(|to| Ok(to.write_all(text.as_bytes())?))?;
        }
        Ok(())
    }
}
