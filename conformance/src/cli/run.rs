//! `smtp-conformance run`: runs the cases against one server or many.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::cases::{Choice, print_line, print_octets};
use super::misused;
use super::review::Review;
use super::terminal::{print_text, remark};
use crate::baseline::Baseline;
use crate::case::{Case, Safety};
use crate::client::Certificates;
use crate::record::Subject;
use crate::record::origin::{Origin, RunOrigin};
use crate::record::outcome::Outcome;
use crate::reference::{self, Reference, Tls};
use crate::rules::Strictness;
use crate::rules::profile::Profile;
use crate::run::{self, Plan};
use crate::survey::{self, OptOut, Survey};
use crate::target::Target;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance run smtp://127.0.0.1:2525
  smtp-conformance run target.toml --allow auth,delivers --jsonl run.jsonl
  smtp-conformance run --targets servers.txt --out records --opt-out opt-out.txt";

const CHOICE: &str = "Target and cases";
const OUTPUT: &str = "Output";
const JUDGING: &str = "Judging";
const LIMITS: &str = "Limits and timing";
const SURVEYS: &str = "Surveys";

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args)]
pub(super) struct Options {
    /// Server to test: smtp://HOST[:PORT], smtps://, submission://, lmtp://, unix:PATH, or a TOML file that also says
    /// what is known about the server. Without it, the built-in reference server is tested.
    target: Option<String>,
    #[command(flatten)]
    choice: Choice,
    /// Also run cases that use credentials, deliver mail, send what looks like an attack, or send large volumes.
    /// Separate several values by commas.
    #[arg(long, value_delimiter = ',', value_name = "KIND", help_heading = CHOICE)]
    allow: Vec<SafetyName>,
    /// List the cases instead of running them.
    #[arg(long, help_heading = CHOICE)]
    list: bool,
    /// Print what the cases would send instead of running them.
    #[arg(long, help_heading = CHOICE)]
    dry_run: bool,
    /// Begin TLS only if the server's certificate is valid. Otherwise an invalid certificate is only reported.
    #[arg(long, help_heading = CHOICE)]
    verify_tls: bool,
    #[command(flatten)]
    review: Review,
    /// Version of the server, shown in reports.
    #[arg(long, value_name = "VERSION", help_heading = OUTPUT)]
    server_version: Option<String>,
    /// Treat a pair of codes that the registry does not list as an error.
    #[arg(long, help_heading = JUDGING)]
    strict_registry: bool,
    /// Maximum concurrent connections: up to 64 to a local server [default: 4], always 1 to a remote one. With
    /// --targets: servers tested at once [default: 32].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512), help_heading = LIMITS)]
    parallel: Option<u16>,
    /// Time to wait for the server to accept connections, for one that is still starting. Not for --targets.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600), value_name = "SECONDS")]
    #[arg(conflicts_with = "targets", help_heading = LIMITS)]
    wait: u64,
    /// Time to wait for a reply.
    #[arg(long, default_value_t = 20, value_parser = seconds(), value_name = "SECONDS", help_heading = LIMITS)]
    timeout: u64,
    /// Time that one connection may take.
    #[arg(long, default_value_t = 120, value_parser = seconds(), value_name = "SECONDS", help_heading = LIMITS)]
    connection_timeout: u64,
    /// Time that the run may take. Cases that are not finished by then are inconclusive. With --targets: time per
    /// server.
    #[arg(long, default_value_t = 600, value_parser = seconds(), value_name = "SECONDS", help_heading = LIMITS)]
    run_timeout: u64,
    /// File of servers to test instead of TARGET, one per line. Blank lines and lines that begin with # are ignored.
    /// Servers that share an address are tested one after the other, unless they are on this machine.
    #[arg(long, value_name = "FILE", requires = "out", help_heading = SURVEYS)]
    #[arg(conflicts_with_all = ["target", "format", "jsonl", "junit", "update_baseline", "verbose"])]
    targets: Option<PathBuf>,
    /// Folder for the records of --targets, one file per server. A file gets its name once it is complete.
    #[arg(long, value_name = "FOLDER", requires = "targets", help_heading = SURVEYS)]
    out: Option<PathBuf>,
    /// Continue an interrupted run: skip servers whose records in --out are complete and were written by this version.
    /// Give the other options as before.
    #[arg(long, requires = "targets", help_heading = SURVEYS)]
    resume: bool,
    /// File of hosts, domains (subdomains included), addresses and networks that are never contacted, one per line.
    #[arg(long, value_name = "FILE", requires = "targets", help_heading = SURVEYS)]
    opt_out: Option<PathBuf>,
}

fn seconds() -> impl clap::builder::TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(1..=86400)
}

#[derive(Clone, Copy, ValueEnum)]
enum SafetyName {
    /// Use the target's credentials, and one wrong password.
    Auth,
    /// Complete messages, which the server may deliver.
    Delivers,
    /// Send what a server may take for an attack.
    Intrusive,
    /// Send many commands or recipients.
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

/// Runs the cases, prints the report and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let cases = options.choice.cases()?;
    if options.list {
        cases.iter().for_each(print_line);
        return Ok(0);
    }
    if !cases.iter().any(|case| options.choice.fits(case)) {
        return Ok(misused(&anyhow!(
            "no case matches --case and --rule; `smtp-conformance run --list` lists all cases"
        )));
    }
    let read = || {
        let target = options.target.as_deref().map(Target::read).transpose()?;
        Ok((target, plan(options)?, options.review.baseline()?))
    };
    let (target, plan, baseline) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(misused(&error)),
    };
    if options.dry_run {
        for case in &cases {
            print_octets(case, target.as_ref());
        }
        return Ok(0);
    }
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
        profile: Profile::find(&options.review.profile)?,
        wait: Duration::from_secs(options.wait),
        limit: Duration::from_secs(options.run_timeout),
        certificates: if options.verify_tls { Certificates::Demanded } else { Certificates::Observed },
        ..Plan::default()
    };
    plan.timeouts.reply = Duration::from_secs(options.timeout);
    plan.timeouts.connection = Duration::from_secs(options.connection_timeout);
    ensure!(
        options.targets.is_some() || plan.parallel <= 64,
        "--parallel {}: one server gets at most 64 connections at once",
        plan.parallel
    );
    Ok(plan)
}

/// Runs the cases against one target, or without one against the reference server.
fn run_one(
    target: Option<&Target>,
    options: &Options,
    baseline: Option<&Baseline>,
    cases: &[Case],
    mut plan: Plan,
) -> Result<u8> {
    let outputs = match options.review.open() {
        Ok(outputs) => outputs,
        Err(error) => return Ok(misused(&error)),
    };
    plan.progress = progress(cases.len(), "cases");
    let (subject, outcome) = provoke(target, options.server_version.as_deref(), cases, &plan)?;
    let is_narrow = options.choice.is_narrow();
    let status = options.review.conclude(&subject, outcome, is_narrow, baseline, outputs)?;
    Ok(plan.interruption.status().unwrap_or(status.code()))
}

/// Runs the cases, in a runtime that ends with them.
fn provoke(
    target: Option<&Target>,
    server_version: Option<&str>,
    cases: &[Case],
    plan: &Plan,
) -> Result<(Subject, Outcome)> {
    plan.interruption.heed_signals().context("cannot handle signals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the async runtime")?;
    let running = runtime.block_on(async {
        match target {
            Some(target) => Ok((run::subject(target, server_version), run::run(target, cases, plan).await?)),
            None => run_reference(server_version, cases, plan).await,
        }
    });
    // A name lookup that is still running must not delay the end.
    runtime.shutdown_background();
    plan.interruption.run_is_over();
    plan.progress.finish_and_clear();
    running
}

/// Runs the cases against each target of a list.
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
        server_version: options.server_version.clone(),
        narrowed: options.choice.is_narrow(),
        fail_on: options.review.fail_on.level(),
    };
    // The survey's threads have runtimes of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the async runtime")?;
    let (total, interruption) = (survey.targets.len(), plan.interruption.clone());
    interruption.heed_signals().context("cannot handle signals")?;
    let running = runtime.block_on(survey.run(cases, plan));
    runtime.shutdown_background();
    interruption.run_is_over();
    bar.finish_and_clear();
    let table = running?;
    print_text(&table.to_string())?;
    for remark in table.stale.iter().chain(&table.hints) {
        remark!("{remark}");
    }
    if let Some(status) = interruption.status() {
        let left = total.saturating_sub(table.rows.len());
        let targets = if left == 1 { "target" } else { "targets" };
        remark!("interrupted with {left} {targets} left; add --resume to the same command to continue");
        return Ok(status);
    }
    Ok(table.status().code())
}

/// Returns a progress bar on standard error, which is hidden unless that is a terminal.
pub(super) fn progress(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(what);
    let style = ProgressStyle::with_template("{pos:>4} of {len} {msg} {wide_bar} {elapsed}");
    style.map_or(ProgressBar::hidden(), |style| bar.with_style(style))
}

/// Runs the cases against the reference server, with every kind allowed because nothing can harm it.
async fn run_reference(
    server_version: Option<&str>,
    cases: &[Case],
    plan: &Plan,
) -> Result<(Subject, Outcome)> {
    let allowed = vec![Safety::Auth, Safety::Delivers, Safety::Intrusive, Safety::Floods];
    let plan = Plan { allowed, ..plan.clone() };
    let server =
        Reference::start(reference::Options { tls: Tls::StartTls, ..reference::Options::default() }).await?;
    let target = server.target();
    let mut outcome = run::run(&target, cases, &plan).await?;
    if let Origin::Run(RunOrigin { tls: Some(tls), .. }) = &mut outcome.origin
        && plan.certificates == Certificates::Observed
    {
        tls.problem = Some("the built-in server signs its own".to_owned());
    }
    Ok((run::subject(&target, server_version), outcome))
}
