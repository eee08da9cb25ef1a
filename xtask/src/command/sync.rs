//! `cargo xtask sync`: takes a new registry from IANA.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, ensure};
use clap::Args;

use super::Outcome;
use crate::annotation::Annotations;
use crate::code::Status;
use crate::diff_report::{Format, Report};
use crate::fetch::{Fetched, Request, Validators, fetch};
use crate::gap;
use crate::gate::Allowances;
use crate::model::Model;
use crate::registry::Registry;
use crate::revision::Revision;
use crate::snapshot::{Snapshot, sha256};
use crate::source::Source;
use crate::sync::{Candidate, Plan, plan};
use crate::terminal::{remark, say};
use crate::transaction::{Lock, RealDisk, replace};
use crate::tree::Tree;
use crate::xml::MAX_OCTETS;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask sync
      Take IANA's current registry.
  cargo xtask sync --check
      Write nothing, and exit with status 3 if IANA has something new.
  cargo xtask sync --propose
      Take a registry with new rows or reply codes, and add entries for a person to review.
  cargo xtask sync --from registry.xml --dry-run
      Show what a file would change.";

/// The URL where IANA publishes the registry.
pub(super) const IANA: &str =
    "https://www.iana.org/assignments/smtp-enhanced-status-codes/smtp-enhanced-status-codes.xml";

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Options {
    /// Download from this address: https, or http on this machine.
    #[arg(long, default_value = IANA, conflicts_with_all = ["from", "offline"])]
    pub(super) url: String,
    /// Read the registry from a file, or from standard input if it is `-`.
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    from: Option<String>,
    /// Download nothing. Verify the snapshot, and render from it.
    #[arg(long)]
    offline: bool,
    /// Write nothing, and exit with status 3 if something is new. Also list what the data files lack for it.
    #[arg(long)]
    check: bool,
    /// Write nothing, and otherwise do the same: exit with status 0 even if something is new.
    #[arg(long)]
    dry_run: bool,
    /// Accept that this row disappears. May be given several times.
    #[arg(long, value_name = "X.y.z", value_parser = status)]
    accept_removal: Vec<Status>,
    /// Accept a registry that is older than the snapshot.
    #[arg(long)]
    allow_older: bool,
    /// Add what the data files lack: annotations of new rows, conflicts, reply codes and advice, marked for review. Mark
    /// quirks that are no longer needed as historical.
    #[arg(long)]
    propose: bool,
    /// Time limit for the whole download, in seconds, including name lookups.
    #[arg(long, value_name = "S", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// The format of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Takes the registry if it is new, and prints the report.
pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let writes = !options.check && !options.dry_run;
    let lock = writes.then(|| Lock::acquire(root)).transpose()?;
    let Source { record, registry, .. } = Source::read(&Tree::at(root))?;
    let Some(candidate) = candidate(root, &record, options)? else {
        // Even if there is nothing to take, `registry/` must be consistent.
        Model::load(root)?;
        say(unchanged(&registry).render(options.format));
        return Ok(Outcome::Done);
    };
    let allowances = Allowances { removals: options.accept_removal.clone(), older: options.allow_older };
    let Plan { mut report, remarks, gaps, is_proposable, files } =
        plan(root, &candidate, &allowances, options.propose).context(REFUSED)?;
    if options.check {
        report.missing.clone_from(&gaps);
        report.missing.extend(is_proposable.then(|| PROPOSE.to_owned()));
    }
    say(report.render(options.format));
    if options.check && !gaps.is_empty() {
        remark(
            "nothing was written; `cargo xtask sync` would refuse the registry, because of what is missing",
        );
        return Ok(Outcome::Different);
    }
    gap::refuse(&gaps).map_err(|error| with_advice(&error, is_proposable)).context(REFUSED)?;
    remarks.iter().for_each(remark);
    match lock {
        _ if files.is_empty() => Ok(Outcome::Done),
        Some(lock) => {
            replace(&RealDisk, root, &files, &lock)?;
            remark(format_args!("files replaced: {}", files.len()));
            Ok(Outcome::Done)
        }
        None => {
            remark(format_args!("nothing was written; files that would be replaced: {}", files.len()));
            Ok(if options.check { Outcome::Different } else { Outcome::Done })
        }
    }
}

const REFUSED: &str = "the registry was refused, and nothing was changed";
const PROPOSE: &str = "or run the same command again with --propose";

fn with_advice(error: &Error, is_proposable: bool) -> Error {
    if is_proposable { anyhow!("{error:#}\n\n{PROPOSE}") } else { anyhow!("{error:#}") }
}

/// Says in a sentence whether the address has a new registry, as `sync --check` would find.
pub(super) fn news(root: &Path, record: &Snapshot, url: &str, timeout: Duration) -> String {
    let candidate = match download(root, record, url, timeout) {
        Ok(Some(candidate)) => candidate,
        Ok(None) => return "nothing new".to_owned(),
        Err(error) => {
            let (date, reason) = (&record.updated, error.root_cause());
            return format!("not reached, so the snapshot of {date} is used ({reason})");
        }
    };
    let taken = |propose: bool| plan(root, &candidate, &Allowances::default(), propose);
    match taken(false) {
        Ok(plan) if !plan.is_new() => "nothing new".to_owned(),
        Ok(plan) => {
            let advice = match (plan.gaps.is_empty(), plan.is_proposable) {
                (true, _) => "run `cargo xtask sync` to take it",
                (false, true) => "run `cargo xtask sync --propose` to take it",
                (false, false) => "`cargo xtask sync --check` lists what is missing for it",
            };
            format!("new registry: {}; {advice}", plan.report.summary)
        }
        Err(error) => format!("has a registry that `cargo xtask sync` refuses: {error:#}"),
    }
}

/// Returns the registry to take, or `None` if it is the snapshot.
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

/// Downloads the registry. Sends the recorded validators only if they are from this address.
fn download(root: &Path, record: &Snapshot, url: &str, timeout: Duration) -> Result<Option<Candidate>> {
    // The record belongs to the snapshot: both were read and compared before.
    let validators = if record.url == url { validators(record) } else { Validators::default() };
    match fetch(&Request { url: url.to_owned(), validators, timeout })? {
        Fetched::NotModified => Ok(None),
        Fetched::Body(octets, _) if octets == Revision::Snapshot.octets(root)? => Ok(None),
        Fetched::Body(octets, validators) => Ok(Some(Candidate { octets, url: url.to_owned(), validators })),
    }
}

/// Returns the validators in the record, which may have been edited by hand.
fn validators(record: &Snapshot) -> Validators {
    Validators::new(record.etag.clone(), record.last_modified.clone())
}

/// Reads a file or standard input, up to the maximum size of a registry.
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
    Status::parse(text).ok_or_else(|| format!("{text:?} is not a row such as X.7.30"))
}
