//! `cargo xtask sync`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::Outcome;
use crate::annotation::Annotations;
use crate::code::Status;
use crate::diff_report::{Format, Report};
use crate::fetch::{Fetched, Request, Validators, fetch};
use crate::gate::Allowances;
use crate::model::{Model, Source};
use crate::registry::Registry;
use crate::revision::Revision;
use crate::snapshot::{Snapshot, sha256};
use crate::sync::{Candidate, plan};
use crate::terminal::{remark, say};
use crate::transaction::{Lock, RealDisk, replace};
use crate::tree::Tree;
use crate::xml::MAX_OCTETS;

/// Where IANA publishes the registry.
pub(super) const IANA: &str =
    "https://www.iana.org/assignments/smtp-enhanced-status-codes/smtp-enhanced-status-codes.xml";

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Options {
    /// Downloads from here: https, or http on this machine.
    #[arg(long, default_value = IANA, conflicts_with_all = ["from", "offline"])]
    pub(super) url: String,
    /// Takes the registry from a file, or from standard input (-).
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    from: Option<String>,
    /// Asks nobody: verifies the snapshot and renders from it.
    #[arg(long)]
    offline: bool,
    /// Writes nothing; ends with status 3 if something is new.
    #[arg(long)]
    check: bool,
    /// Writes nothing; ends with status 0.
    #[arg(long)]
    dry_run: bool,
    /// Accepts that this row disappears (repeatable).
    #[arg(long, value_name = "X.y.z", value_parser = status)]
    accept_removal: Vec<Status>,
    /// Accepts a registry that is older than the snapshot.
    #[arg(long)]
    allow_older: bool,
    /// Adds annotations for new rows, marked for review, and retires quirks that are no longer needed.
    #[arg(long)]
    propose: bool,
    /// Seconds for the whole download, looking up names included.
    #[arg(long, value_name = "S", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// The form of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Takes what is new, or says that nothing is.
pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let writes = !options.check && !options.dry_run;
    let lock = writes.then(|| Lock::acquire(root)).transpose()?;
    let Source { record, registry, .. } = Source::read(&Tree::at(root))?;
    let Some(candidate) = candidate(root, &record, options)? else {
        // Nothing is taken; what is there has to fit together all the same.
        Model::load(root)?;
        say(unchanged(&registry).render(options.format));
        return Ok(Outcome::Done);
    };
    let allowances = Allowances { removals: options.accept_removal.clone(), older: options.allow_older };
    let plan = plan(root, &candidate, &allowances, options.propose)
        .context("the registry was not taken, and nothing was changed")?;
    say(plan.report.render(options.format));
    plan.remarks.iter().for_each(remark);
    let is_new = !plan.files.is_empty();
    match lock {
        Some(lock) if is_new => {
            replace(&RealDisk, root, &plan.files, &lock)?;
            remark(format_args!("{} files were replaced", plan.files.len()));
            Ok(Outcome::Done)
        }
        None if is_new => {
            remark(format_args!("{} files would be replaced; nothing was written", plan.files.len()));
            Ok(if options.check { Outcome::Different } else { Outcome::Done })
        }
        _ => Ok(Outcome::Done),
    }
}

/// What the address has that the snapshot has not, asked as `sync --check` does: a sentence for people.
pub(super) fn news(root: &Path, record: &Snapshot, url: &str, timeout: Duration) -> String {
    let candidate = match download(root, record, url, timeout) {
        Ok(Some(candidate)) => candidate,
        Ok(None) => return "nothing new".to_owned(),
        Err(error) => {
            let (date, reason) = (&record.updated, error.root_cause());
            return format!("not reached, the snapshot of {date} is used ({reason})");
        }
    };
    let taken = |propose: bool| plan(root, &candidate, &Allowances::default(), propose);
    let (command, plan) = match taken(false) {
        Ok(plan) => ("cargo xtask sync", Ok(plan)),
        Err(_) => ("cargo xtask sync --propose", taken(true)),
    };
    match plan {
        Ok(plan) if plan.files.is_empty() => "nothing new".to_owned(),
        Ok(plan) => format!("news: {}; `{command}` takes it", plan.report.summary),
        Err(error) => format!("something that `cargo xtask sync` refuses: {error:#}"),
    }
}

/// The registry to take; none if the snapshot is what there is.
fn candidate(root: &Path, record: &Snapshot, options: &Options) -> Result<Option<Candidate>> {
    match &options.from {
        _ if options.offline => Ok(Some(Candidate {
            octets: Revision::Snapshot.octets(root)?,
            url: record.url.clone(),
            validators: validators(record),
        })),
        Some(path) => {
            let octets = read(path)?;
            let is_new = sha256(&octets) != record.sha256;
            let url = IANA.to_owned();
            Ok(is_new.then(|| Candidate { octets, url, validators: Validators::default() }))
        }
        None => download(root, record, &options.url, Duration::from_secs(options.timeout)),
    }
}

/// Asks a server, with the validators only if they were recorded for this address.
fn download(root: &Path, record: &Snapshot, url: &str, timeout: Duration) -> Result<Option<Candidate>> {
    // The record was read with the snapshot, and is that of it.
    let validators = if record.url == url { validators(record) } else { Validators::default() };
    match fetch(&Request { url: url.to_owned(), validators, timeout })? {
        Fetched::NotModified => Ok(None),
        Fetched::Body(octets, _) if octets == Revision::Snapshot.octets(root)? => Ok(None),
        Fetched::Body(octets, validators) => Ok(Some(Candidate { octets, url: url.to_owned(), validators })),
    }
}

/// The validators in the record, which a person may have written.
fn validators(record: &Snapshot) -> Validators {
    Validators::new(record.etag.clone(), record.last_modified.clone())
}

/// A file, or standard input, up to the size that a registry may have.
fn read(path: &str) -> Result<Vec<u8>> {
    let mut octets = Vec::new();
    let limit = MAX_OCTETS as u64 + 1;
    if path == "-" {
        std::io::stdin().take(limit).read_to_end(&mut octets).context("cannot read standard input")?;
        ensure!(!octets.is_empty(), "standard input is empty");
    } else {
        let file = File::open(path);
        file.and_then(|file| file.take(limit).read_to_end(&mut octets))
            .with_context(|| format!("cannot read {path}"))?;
    }
    Ok(octets)
}

fn unchanged(registry: &Registry) -> Report {
    let report = Report::new(registry, registry, &Annotations::default(), Vec::new());
    Report { summary: format!("up to date; {}", report.summary), ..report }
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| format!("{text:?} is no row; write one such as X.7.30"))
}
