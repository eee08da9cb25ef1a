//! `smtp-conformance run`: cases against a server, or against many.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::cases::{Choice, print_line, print_octets};
use super::output::OutputFile;
use super::terminal::{print_text, remark};
use super::{FailOn, Form, misused};
use crate::baseline::{Baseline, Update};
use crate::case::{Case, Safety};
use crate::client::Certificates;
use crate::record::outcome::Outcome;
use crate::record::{self, Record};
use crate::reference::{self, Reference, Tls};
use crate::report::{Source, junit};
use crate::rules::Strictness;
use crate::rules::profile::Profile;
use crate::run::{self, Plan};
use crate::survey::{self, OptOut, Survey};
use crate::target::Target;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args)]
pub(super) struct Options {
    /// The server: smtp://HOST[:PORT], smtps://, submission://, lmtp://, unix:PATH, or a TOML file that also says what
    /// is known of it. Without one, the built-in reference server.
    target: Option<String>,
    /// Many servers instead: a file with a target a line, as above; blank lines and those that begin with # are none.
    /// Those that share an address are run one after the other, unless they are on this machine.
    #[arg(long, value_name = "FILE", requires = "out")]
    #[arg(conflicts_with_all = ["target", "format", "jsonl", "junit", "update_baseline"])]
    targets: Option<PathBuf>,
    /// Where the records of --targets go: a file for each, complete once it has its name.
    #[arg(long, value_name = "FOLDER", requires = "targets")]
    out: Option<PathBuf>,
    /// Goes on with a run of --targets that was interrupted: targets whose records are complete, and of this version,
    /// are left as they are. Give the other options as before.
    #[arg(long, requires = "targets")]
    resume: bool,
    /// Who of --targets is not contacted: a file with a host, a domain (with all below it), an address or a network a line.
    #[arg(long, value_name = "FILE", requires = "targets")]
    opt_out: Option<PathBuf>,
    /// What cases may do beside what is safe: use credentials, have mail delivered, send what looks like an attack,
    /// send much.
    #[arg(long, value_delimiter = ',', value_name = "auth,delivers,intrusive,floods")]
    allow: Vec<SafetyName>,
    #[command(flatten)]
    choice: Choice,
    /// Prints the cases instead of running them.
    #[arg(long)]
    list: bool,
    /// Prints what the cases would send instead of running them.
    #[arg(long = "dry-run")]
    printed: bool,
    #[command(flatten)]
    form: Form,
    /// The server's version, for reports.
    #[arg(long, value_name = "VERSION")]
    server_version: Option<String>,
    /// Also writes the records to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Also writes a JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Findings that are known and do not fail the run; entries that are no longer true do, with exit status 3.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Writes what is not known at the level of --fail-on or above to the baseline, and takes out what is no longer true.
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Takes a pair that the registry does not list for an error.
    #[arg(long)]
    strict_registry: bool,
    /// The lowest level that fails.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// What findings weigh: rfc, interop, postmaster.
    #[arg(long, default_value = "rfc")]
    profile: String,
    /// How many connections at once: to a server on this machine up to 64, 4 if not said, elsewhere always one; with
    /// --targets to how many servers, 32 if not said, each by one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=512))]
    parallel: Option<u16>,
    /// Seconds to wait for a server that is about to start; not for --targets.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600), value_name = "SECONDS")]
    #[arg(conflicts_with = "targets")]
    wait: u64,
    /// Seconds to wait for a reply.
    #[arg(long, default_value_t = 20, value_parser = seconds(), value_name = "SECONDS")]
    timeout: u64,
    /// Seconds that a connection may take.
    #[arg(long, default_value_t = 120, value_parser = seconds(), value_name = "SECONDS")]
    connection_timeout: u64,
    /// Seconds that the run may take; what is not done then is inconclusive.
    #[arg(long = "run-timeout", default_value_t = 600, value_parser = seconds(), value_name = "SECONDS")]
    limit: u64,
    /// Begins no TLS where the certificate is not good; otherwise that is only reported.
    #[arg(long)]
    verify_tls: bool,
}

fn seconds() -> impl clap::builder::TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(1..=86400)
}

#[derive(Clone, Copy, ValueEnum)]
enum SafetyName {
    Auth,
    Delivers,
    Intrusive,
    Floods,
}

impl From<SafetyName> for Safety {
    fn from(name: SafetyName) -> Safety {
        match name {
            SafetyName::Auth => Safety::Auth,
            SafetyName::Delivers => Safety::Delivers,
            SafetyName::Intrusive => Safety::Intrusive,
            SafetyName::Floods => Safety::Floods,
        }
    }
}

/// Runs, reports, and gives the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let cases = options.choice.cases()?;
    if options.list {
        cases.iter().for_each(print_line);
        return Ok(0);
    }
    if options.printed {
        cases.iter().for_each(print_octets);
        return Ok(0);
    }
    if !cases.iter().any(|case| options.choice.fits(case)) {
        return Ok(misused(&anyhow!("no case fits --case and --rule; --list without them names all")));
    }
    let read = || {
        let target = options.target.as_deref().map(Target::read).transpose()?;
        Ok((target, plan(options)?, options.baseline.as_deref().map(Baseline::read).transpose()?))
    };
    let (target, plan, baseline) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(misused(&error)),
    };
    match (&options.targets, &options.out) {
        (Some(list), Some(folder)) => run_survey(list, folder, options, baseline, cases, plan),
        _ => run_one(target.as_ref(), options, baseline.as_ref(), &cases, plan),
    }
}

fn plan(options: &Options) -> Result<Plan> {
    let mut plan = Plan {
        allowed: options.allow.iter().map(|safety| (*safety).into()).collect(),
        parallel: options.parallel.unwrap_or(4).into(),
        strictness: Strictness { registry: options.strict_registry },
        profile: Profile::find(&options.profile)?,
        wait: Duration::from_secs(options.wait),
        limit: Duration::from_secs(options.limit),
        certificates: if options.verify_tls { Certificates::Demanded } else { Certificates::Observed },
        ..Plan::default()
    };
    plan.timeouts.reply = Duration::from_secs(options.timeout);
    plan.timeouts.connection = Duration::from_secs(options.connection_timeout);
    if let Some(file) = options.baseline.as_ref().filter(|_| !options.update_baseline) {
        ensure!(file.exists(), "{}: there is no such file; --update-baseline makes it", file.display());
    }
    ensure!(
        options.targets.is_some() || plan.parallel <= 64,
        "--parallel {}: to one server 64 connections are the most",
        plan.parallel
    );
    Ok(plan)
}

/// Runs a target, without one the built-in server.
fn run_one(
    target: Option<&Target>,
    options: &Options,
    baseline: Option<&Baseline>,
    cases: &[Case],
    mut plan: Plan,
) -> Result<u8> {
    let outputs = match Outputs::open(options) {
        Ok(outputs) => outputs,
        Err(error) => return Ok(misused(&error)),
    };
    plan.progress = progress(cases.len(), "cases");
    plan.interruption.heed_signals().context("signals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let running = runtime.block_on(async {
        match target {
            Some(target) => Ok((target.name.clone(), run::run(target, cases, &plan).await?)),
            None => run_reference(cases, &plan).await,
        }
    });
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    plan.interruption.run_is_over();
    plan.progress.finish_and_clear();
    let (name, mut outcome) = running?;
    let today = Baseline::today();
    let narrowed = options.choice.is_narrow();
    let mut new_baseline = None;
    let stale = match baseline {
        Some(baseline) if options.update_baseline => {
            let update = baseline.updated(&name, today, narrowed, options.fail_on.level(), &outcome)?;
            let Update { added, gone, .. } = update;
            let path = baseline.path().display();
            remark!("{path}: entries for {name}: {added} added, {gone} taken out");
            let updated = baseline.with_text(&update.text)?;
            new_baseline = Some(update.text);
            updated.mark(&name, today, narrowed, &mut outcome)
        }
        Some(baseline) => {
            if let Some(message) = baseline.is_for_others(&name) {
                remark!("{message}");
            }
            baseline.mark(&name, today, narrowed, &mut outcome)
        }
        None => Vec::new(),
    };
    let status = match (plan.interruption.status(), options.fail_on.level()) {
        (Some(status), _) => status,
        _ if outcome.is_faulty() => 5,
        (_, Some(level)) if outcome.fails(level) => 1,
        _ if !stale.is_empty() => 3,
        _ if outcome.says_nothing() => 4,
        _ => 0,
    };
    let obstacle = outcome.obstacle().map(ToString::to_string);
    let doubts = target
        .map(|target| run::suspect_mailboxes(&target.knowledge, &outcome.dialogues))
        .unwrap_or_default();
    let mut records = record::records(&name, outcome);
    if let Some(Record::Header(header)) = records.first_mut() {
        header.server_version.clone_from(&options.server_version);
        header.baseline_entries = baseline.map(|baseline| baseline.entries(&name));
    }
    // What was found is printed also where a file cannot be written.
    let written = outputs.write(&records, new_baseline.as_deref(), options);
    options.form.print(&[Source { name: "", records: &records }], options.fail_on)?;
    written?;
    for entry in &stale {
        remark!("{entry}");
    }
    if let Some(reason) = obstacle {
        remark!("{name}: {reason}");
    }
    for doubt in doubts {
        remark!("{name}: {doubt}");
    }
    Ok(status)
}

/// The files that a run writes.
struct Outputs {
    jsonl: Option<OutputFile>,
    junit: Option<OutputFile>,
    baseline: Option<OutputFile>,
}

impl Outputs {
    fn open(options: &Options) -> Result<Outputs> {
        let open = |path: Option<&PathBuf>| path.map(|path| OutputFile::open(path)).transpose();
        Ok(Outputs {
            jsonl: open(options.jsonl.as_ref())?,
            junit: open(options.junit.as_ref())?,
            baseline: open(options.baseline.as_ref().filter(|_| options.update_baseline))?,
        })
    }

    fn write(self, records: &[Record], baseline: Option<&str>, options: &Options) -> Result<()> {
        if let Some(file) = self.jsonl {
            file.write(|to| Ok(record::write(records, to)?))?;
        }
        if let Some(file) = self.junit {
            let report = junit::render(records, options.fail_on.level())?;
            file.write(|to| Ok(to.write_all(report.as_bytes())?))?;
        }
        if let (Some(file), Some(text)) = (self.baseline, baseline) {
            file.write(|to| Ok(to.write_all(text.as_bytes())?))?;
        }
        Ok(())
    }
}

/// Runs the targets of a list, each with its own records.
fn run_survey(
    list: &Path,
    folder: &Path,
    options: &Options,
    baseline: Option<Baseline>,
    cases: Vec<Case>,
    mut plan: Plan,
) -> Result<u8> {
    let read = || {
        let opt_out = options.opt_out.as_deref().map(OptOut::read).transpose()?;
        Ok((survey::targets(list)?, opt_out.unwrap_or_default()))
    };
    let (targets, opt_out) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(misused(&error)),
    };
    let bar = progress(targets.len(), "targets");
    plan.progress = bar.clone();
    let survey = Survey {
        targets,
        folder: folder.to_owned(),
        opt_out,
        parallel: options.parallel.unwrap_or(32).into(),
        resume: options.resume,
        baseline,
        narrowed: options.choice.is_narrow(),
        fail_on: options.fail_on.level(),
    };
    // The survey's threads have runtimes of their own.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
    let (asked, interruption) = (survey.targets.len(), plan.interruption.clone());
    interruption.heed_signals().context("signals")?;
    let running = runtime.block_on(survey.run(cases, plan));
    runtime.shutdown_background();
    interruption.run_is_over();
    bar.finish_and_clear();
    let table = running?;
    print_text(&table.to_string())?;
    for entry in &table.stale {
        remark!("{entry}");
    }
    if let Some(status) = interruption.status() {
        let left = asked.saturating_sub(table.rows.len());
        remark!("interrupted: {left} targets are not done; the same command with --resume goes on");
        return Ok(status);
    }
    Ok(table.status())
}

/// A bar on standard error, if that is a terminal.
fn progress(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(what);
    let style = ProgressStyle::with_template("{pos:>4} of {len} {msg} {wide_bar} {elapsed}");
    style.map_or(ProgressBar::hidden(), |style| bar.with_style(style))
}

/// Runs every case against the built-in server; that one nothing can harm.
async fn run_reference(cases: &[Case], plan: &Plan) -> Result<(String, Outcome)> {
    let allowed = vec![Safety::Auth, Safety::Delivers, Safety::Intrusive, Safety::Floods];
    let plan = Plan { allowed, ..plan.clone() };
    let server =
        Reference::start(reference::Options { tls: Tls::StartTls, ..reference::Options::default() }).await?;
    let target = server.target();
    let mut outcome = run::run(&target, cases, &plan).await?;
    if plan.certificates == Certificates::Observed {
        // It is self-signed on purpose.
        outcome.certificate = None;
    }
    Ok((target.name, outcome))
}
