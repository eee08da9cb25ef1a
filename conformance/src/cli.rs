//! The command line.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Parser, Subcommand, ValueEnum};
use globset::Glob;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;

use crate::baseline::{Baseline, Stale};
use crate::case::{self, Action, Case, Safety, Start};
use crate::catalogue::{Level, Rule, RuleId, rules};
use crate::client::Certificates;
use crate::comparison::Comparison;
use crate::dialogue::{Dialogue, Protocol};
use crate::knowledge::Knowledge;
use crate::profile::Profile;
use crate::record::{self, Record};
use crate::reference::{Fault, Options, Reference, Tls, faults};
use crate::report::{Format, Source, comparison, junit, sarif};
use crate::rules::{Strictness, judge};
use crate::run::{self, Outcome, Plan};
use crate::stream::Stream;
use crate::survey::{self, OptOut, Survey};
use crate::target::Target;
use crate::transcript;

/// Prints a line. A reader that has gone, as `head` does, wants no more of it, and that is no fault.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = writeln!(anstream::stdout(), $($text)*);
    }};
}

/// Holds the replies of SMTP, submission and LMTP servers against the RFCs and IANA's registry.
///
/// Exit status: 0 as expected, 1 a finding at or above --fail-on, 2 usage, 3 an entry of the baseline that is no longer
/// true, 4 nothing could be said, 5 a fault of ours or an input that cannot be read. Of many targets it is that of the
/// worst: 5 before 1 before 3 before 4 before 0. SIGINT and SIGTERM end a run early: it reports what it has, and ends with
/// 130 or 143; a second one ends it at once.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the cases against a server, and reports what its replies break.
    Run(Box<Run>),
    /// Serves as a mail server that keeps every rule, or breaks those that its faults name: for tests of clients.
    Serve(Serve),
    /// Prints the rules, or one in full.
    Rules {
        /// A rule's id, or its label.
        id: Option<String>,
    },
    /// Judges recorded connections: transcripts, or records of a run.
    Judge(Judge),
    /// Makes a report of records again. Several files make one report after the other, one page, or one SARIF log;
    /// JUnit and JSONL take one file.
    Report {
        /// Records, one JSON object a line; `-` reads standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The form of the report.
        #[arg(long, value_enum, default_value_t = Format::Console)]
        format: Format,
        /// The file in the repository that SARIF locates findings in; the target's name without it.
        #[arg(long, value_name = "PATH")]
        sarif_base: Option<String>,
        /// The lowest level that is a failure in JUnit.
        #[arg(long, value_enum, default_value_t = FailOn::Error)]
        fail_on: FailOn,
    },
    /// Compares the findings of two runs: which are new, changed, gone.
    ///
    /// A finding is the same in both if it is of the same rule, of the same case (in a recording: of a file of the same name,
    /// without its folders), and of an act of the same shape: what the client sent, without its host names and numbers. What the
    /// server sent, and how often and at which place it was seen, do not count. It has changed if its levels, reply
    /// codes or enhanced status codes are others.
    ///
    /// Exit status: 0 nothing new or raised, 1 a new finding, or one whose level rose, at or above --fail-on, 2 usage,
    /// 5 a file that cannot be read.
    #[command(verbatim_doc_comment)]
    Compare {
        /// The records before, one JSON object a line; `-` reads standard input.
        before: PathBuf,
        /// The records after.
        after: PathBuf,
        /// The form of the report.
        #[arg(long, value_enum, default_value_t = ComparisonFormat::Console)]
        format: ComparisonFormat,
        /// The lowest level of a new or raised finding that fails.
        #[arg(long, value_enum, default_value_t = FailOn::Note)]
        fail_on: FailOn,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum ComparisonFormat {
    /// For people.
    Console,
    /// One JSON object.
    Json,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(clap::Args)]
struct Run {
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
    /// Only cases whose id fits, and the canary; one that is named in full runs alone.
    #[arg(long, value_name = "GLOB")]
    case: Option<Glob>,
    /// Only cases that name a rule that fits.
    #[arg(long, value_name = "GLOB")]
    rule: Option<Glob>,
    /// A folder with cases of your own, added to those built in.
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Prints the cases instead of running them.
    #[arg(long)]
    list: bool,
    /// Prints what the cases would send instead of running them.
    #[arg(long = "dry-run")]
    printed: bool,
    /// The form of the report on standard output.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// The file in the repository that SARIF locates findings in; the target's name without it.
    #[arg(long, value_name = "PATH")]
    sarif_base: Option<String>,
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

#[derive(clap::Args)]
struct Serve {
    /// What it does wrong; may be given several times.
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// Prints the faults, with the rules that each breaks.
    #[arg(long)]
    list: bool,
    /// The port, on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 2525)]
    port: u16,
    /// What it speaks.
    #[arg(long, value_enum)]
    protocol: Option<ProtocolName>,
    /// Begins TLS with the connection.
    #[arg(long)]
    implicit_tls: bool,
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

#[derive(clap::Args)]
struct Judge {
    /// Transcripts (see the documentation of the module `transcript`), or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What the recorded server speaks.
    #[arg(long, value_enum, default_value_t = ProtocolName::Smtp)]
    protocol: ProtocolName,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// The file in the repository that SARIF locates findings in; the target's name without it.
    #[arg(long, value_name = "PATH")]
    sarif_base: Option<String>,
    /// Takes a pair that the registry does not list for an error.
    #[arg(long)]
    strict_registry: bool,
    /// The lowest level that fails.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProtocolName {
    Smtp,
    Submission,
    Lmtp,
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Protocol {
        match name {
            ProtocolName::Smtp => Protocol::Smtp,
            ProtocolName::Submission => Protocol::Submission,
            ProtocolName::Lmtp => Protocol::Lmtp,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    fn level(self) -> Option<Level> {
        match self {
            FailOn::Error => Some(Level::Error),
            FailOn::Warning => Some(Level::Warning),
            FailOn::Note => Some(Level::Note),
            FailOn::Never => None,
        }
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Run(options) => run_cases(&options),
        Command::Serve(options) => serve(&options).map(|()| 0),
        Command::Rules { id } => print_rules(id.as_deref()).map(|()| 0),
        Command::Judge(options) => judge_recordings(&options),
        Command::Report { files, format, sarif_base, fail_on } => {
            print_report(&files, format, sarif_base.as_deref(), fail_on)
        }
        Command::Compare { before, after, format, fail_on } => compare(&before, &after, format, fail_on),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            anstream::eprintln!("smtp-conformance: {error:#}");
            ExitCode::from(5)
        }
    }
}

/// Says what was wrong with the command line; the exit status of that.
fn misused(error: &anyhow::Error) -> u8 {
    anstream::eprintln!("smtp-conformance: {error:#}");
    2
}

fn print_rules(id: Option<&str>) -> Result<()> {
    let Some(id) = id else {
        for rule in rules() {
            let level = rule.level.map_or("-".to_owned(), |level| level.to_string());
            let left_out = if rule.left_out.is_some() { " (left out)" } else { "" };
            say!("{:<11} {level:<8} {:<9} {}{left_out}", rule.label, rule.keyword, rule.id);
        }
        return Ok(());
    };
    let Some(rule) = RuleId::find(id) else {
        bail!("there is no rule {id:?}: `smtp-conformance rules` lists them");
    };
    print_rule(rule.rule());
    Ok(())
}

fn print_rule(rule: &Rule) {
    let level = rule.level.map_or("explains, is never broken".to_owned(), |level| level.to_string());
    say!("{} ({})\n\n{}\n", rule.id, rule.label, rule.statement);
    say!("Level:   {level}\nKeyword: {}\nSources: {}", rule.keyword, rule.sources.join("; "));
    for condition in rule.conditions {
        say!("  {} where {} ({})", condition.level, condition.when, condition.name);
    }
    if let Some(reason) = rule.left_out {
        say!("Left out: {reason}");
    }
    for other in rule.yields_to {
        say!("Yields to: {other}");
    }
    say!("\nWhy: {}", rule.why);
    if !rule.mend.is_empty() {
        say!("Mend: {}", rule.mend);
    }
    for (server, mend) in rule.mends {
        say!("  {server}: {mend}");
    }
}

fn run_cases(options: &Run) -> Result<u8> {
    let cases = chosen(options)?;
    if options.list {
        for case in &cases {
            say!("{:<9} {:<40} {}", case.safety, case.id, case.title);
        }
        return Ok(0);
    }
    if options.printed {
        cases.iter().for_each(print_case);
        return Ok(0);
    }
    let target = match options.target.as_deref().map(Target::read).transpose() {
        Ok(target) => target,
        Err(error) => return Ok(misused(&error)),
    };
    let profile = match Profile::find(&options.profile) {
        Ok(profile) => profile,
        Err(error) => return Ok(misused(&error)),
    };
    let mut plan = Plan {
        allowed: options.allow.iter().map(|safety| (*safety).into()).collect(),
        parallel: options.parallel.unwrap_or(4).into(),
        strictness: Strictness { registry: options.strict_registry },
        profile,
        ..Plan::default()
    };
    plan.patience.reply = Duration::from_secs(options.timeout);
    plan.patience.connection = Duration::from_secs(options.connection_timeout);
    plan.limit = Duration::from_secs(options.limit);
    plan.certificates = if options.verify_tls { Certificates::Demanded } else { Certificates::Observed };
    let baseline = match options.baseline.as_deref().map(Baseline::read).transpose() {
        Ok(baseline) => baseline,
        Err(error) => return Ok(misused(&error)),
    };
    if let (Some(list), Some(folder)) = (&options.targets, &options.out) {
        return run_survey(list, folder, options, baseline, cases, plan);
    }
    if plan.parallel > 64 {
        return Ok(misused(&anyhow!(
            "--parallel {}: to one server 64 connections are the most",
            plan.parallel
        )));
    }
    plan.progress = progress(cases.len(), "cases");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let (name, mut outcome) = runtime.block_on(async {
        plan.interruption.heed_signals().context("signals")?;
        match target {
            Some(target) => {
                Ok::<_, anyhow::Error>((target.name.clone(), run::run(&target, &cases, &plan).await?))
            }
            None => run_reference(&cases, &plan).await,
        }
    })?;
    plan.progress.finish_and_clear();
    let stale = match &baseline {
        Some(baseline) => hold_against(baseline, &name, options, &mut outcome)?,
        None => Vec::new(),
    };
    let mut records = record::records(&name, &outcome);
    if let Some(Record::Header(header)) = records.first_mut() {
        header.server_version.clone_from(&options.server_version);
        header.baseline_entries = baseline.as_ref().map(|baseline| baseline.entries(&name));
    }
    if let Some(file) = &options.jsonl {
        let mut octets = Vec::new();
        record::write(&records, &mut octets)?;
        fs::write(file, octets).with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &options.junit {
        let text = junit::render(&records, options.fail_on.level())?;
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    print(
        &[Source { name: "", records: &records }],
        options.format,
        options.sarif_base.as_deref(),
        options.fail_on,
    )?;
    for entry in &stale {
        anstream::eprintln!("{entry}");
    }
    if let Some(status) = plan.interruption.status() {
        return Ok(status);
    }
    Ok(match options.fail_on.level() {
        _ if outcome.is_faulty() => 5,
        Some(level) if outcome.fails(level) => 1,
        _ if !stale.is_empty() => 3,
        _ if outcome.says_nothing() => 4,
        _ => 0,
    })
}

/// Runs the targets of a list, each with its own records.
fn run_survey(
    list: &Path,
    folder: &Path,
    options: &Run,
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
        narrowed: options.case.is_some() || options.rule.is_some(),
        fail_on: options.fail_on.level(),
    };
    // One thread: the servers are what takes time, and it spares the passing of each reply from one thread to another.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
    let (asked, interruption) = (survey.targets.len(), plan.interruption.clone());
    let table = runtime.block_on(async {
        interruption.heed_signals().context("signals")?;
        survey.run(cases, plan).await
    })?;
    bar.finish_and_clear();
    write!(std::io::stdout().lock(), "{table}").context("standard output")?;
    for entry in &table.stale {
        anstream::eprintln!("{entry}");
    }
    if let Some(status) = interruption.status() {
        let left = asked.saturating_sub(table.rows.len());
        anstream::eprintln!(
            "interrupted: {left} targets are not done; the same command with --resume goes on"
        );
        return Ok(status);
    }
    Ok(table.status())
}

/// Marks what is known, and gives the entries that are no longer true. An update leaves none, and nothing unknown.
fn hold_against(
    baseline: &Baseline,
    target: &str,
    options: &Run,
    outcome: &mut Outcome,
) -> Result<Vec<Stale>> {
    let today = Baseline::today();
    let narrowed = options.case.is_some() || options.rule.is_some();
    if !options.update_baseline {
        return Ok(baseline.mark(target, today, narrowed, outcome));
    }
    let text = baseline.updated(target, today, narrowed, options.fail_on.level(), outcome)?;
    fs::write(baseline.path(), text).with_context(|| baseline.path().display().to_string())?;
    Ok(Baseline::read(baseline.path())?.mark(target, today, narrowed, outcome))
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
    let server = Reference::start(Options { tls: Tls::StartTls, ..Options::default() }).await?;
    let target = server.target();
    let outcome = run::run(&target, cases, &plan).await?;
    Ok((target.name, outcome))
}

/// Serves until the process is ended.
fn serve(options: &Serve) -> Result<()> {
    if options.list {
        for fault in faults()? {
            let trips: Vec<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
            say!("{:<40} {} [{}]", fault.name, fault.about, trips.join(", "));
        }
        return Ok(());
    }
    let faults = options.fault.iter().map(|name| Fault::find(name)).collect::<Result<Vec<_>>>()?;
    let first = faults.first();
    let protocol =
        options.protocol.map_or_else(|| first.map_or(Protocol::Smtp, |fault| fault.protocol), Into::into);
    let tls = first.map_or(Tls::StartTls, |fault| fault.tls);
    let server = Options {
        protocol,
        tls: if options.implicit_tls { Tls::Implicit } else { tls },
        faults,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
        let listener = listener.with_context(|| format!("port {}", options.port))?;
        say!("listening on {}", listener.local_addr().context("no address")?);
        Reference::serve(listener, server).await
    })
}

/// The cases that the options choose, the canary among them unless one case is named.
fn chosen(options: &Run) -> Result<Vec<Case>> {
    let mut cases = case::built_in()?;
    if let Some(folder) = &options.cases {
        for file in transcripts(folder)? {
            cases.extend(case::read(&file.display().to_string(), &text(&file)?)?);
        }
        case::check(&cases)?;
    }
    let case_glob = options.case.as_ref().map(Glob::compile_matcher);
    let rule_glob = options.rule.as_ref().map(Glob::compile_matcher);
    let named = options.case.as_ref().is_some_and(|glob| cases.iter().any(|case| case.id == glob.glob()));
    cases.retain(|case| {
        let rules = || case.rules.iter().map(|rule| rule.rule().id);
        (case.id == "canary" && !named)
            || (case_glob.as_ref().is_none_or(|glob| glob.is_match(&case.id))
                && rule_glob.as_ref().is_none_or(|glob| rules().any(|rule| glob.is_match(rule))))
    });
    cases.sort_by_key(|case| case.safety);
    Ok(cases)
}

fn print_case(case: &Case) {
    let start = match case.start {
        Start::Early | Start::Connect => "",
        Start::Helo => " after HELO",
        Start::Hello => " after EHLO or LHLO",
        Start::Transaction => " after MAIL",
        Start::Recipient => " after RCPT",
        Start::Tls => " under TLS",
        Start::Authenticated => " after AUTH",
    };
    say!("# {} ({}): {}{start}", case.id, case.safety, case.title);
    for step in &case.steps {
        let times = if step.repeat > 1 { format!(" ({} times)", step.repeat) } else { String::new() };
        let line = |text: &str| say!("C: {}{times}", text.as_bytes().escape_ascii());
        match &step.action {
            Action::Send(text) | Action::Response(text) => line(&format!("{text}\r\n")),
            Action::Raw(text, _) | Action::RawMessage(text) => line(text),
            Action::Message(text) => line(&format!("{text}.\r\n")),
            Action::Pipeline(lines) => {
                line(&lines.iter().map(|text| format!("{text}\r\n")).collect::<String>());
            }
            Action::Chunk(text, last) => {
                line(&format!("BDAT {}{}\r\n{text}", text.len(), if *last { " LAST" } else { "" }));
            }
            Action::StartTls => say!("# TLS handshake"),
            Action::Pause(seconds) => say!("# {seconds} s pause"),
            Action::Listen(seconds) => say!("# {seconds} s listening"),
        }
    }
}

fn judge_recordings(options: &Judge) -> Result<u8> {
    let mut dialogues: Vec<Dialogue> = Vec::new();
    for path in &options.paths {
        for file in transcripts(path)? {
            let name = file.display().to_string();
            dialogues.extend(transcript::read(&name, options.protocol.into(), &text(&file)?)?);
        }
    }
    let strictness = Strictness { registry: options.strict_registry };
    let judgement = judge(&dialogues, &Knowledge::default(), strictness);
    let target = options.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let outcome = Outcome { dialogues, judgement, ..Outcome::default() };
    let records = record::records(&target, &outcome);
    print(
        &[Source { name: "", records: &records }],
        options.format,
        options.sarif_base.as_deref(),
        options.fail_on,
    )?;
    Ok(u8::from(options.fail_on.level().is_some_and(|level| outcome.fails(level))))
}

/// The file itself, or the files of a folder by name.
fn transcripts(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn print_report(files: &[PathBuf], format: Format, sarif_base: Option<&str>, fail_on: FailOn) -> Result<u8> {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let records = files.iter().map(|file| read_records(file)).collect::<Result<Vec<_>>>()?;
    let sources: Vec<Source<'_>> =
        names.iter().zip(&records).map(|(name, records)| Source { name, records }).collect();
    match print(&sources, format, sarif_base, fail_on) {
        Err(error) if sources.len() > 1 && !format.takes_several() => Ok(misused(&error)),
        printed => printed.map(|()| 0),
    }
}

fn compare(before: &Path, after: &Path, format: ComparisonFormat, fail_on: FailOn) -> Result<u8> {
    let (before, after) = (read_records(before)?, read_records(after)?);
    let (before, after) = (Stream::of(&before), Stream::of(&after));
    let compared = Comparison::of(&before, &after);
    match format {
        ComparisonFormat::Console => {
            say!("{}", comparison::render(&compared, &before, &after).trim_end_matches('\n'));
        }
        ComparisonFormat::Json => say!("{}", serde_json::to_string_pretty(&compared)?),
    }
    let fails = |level| compared.worst().is_some_and(|worst| worst >= level);
    Ok(u8::from(fail_on.level().is_some_and(fails)))
}

fn read_records(file: &Path) -> Result<Vec<Record>> {
    record::read(&file.display().to_string(), &text(file)?)
}

fn print(sources: &[Source<'_>], format: Format, sarif_base: Option<&str>, fail_on: FailOn) -> Result<()> {
    let text = match format {
        Format::Sarif => sarif::render(sources, sarif_base)?,
        format => format.render(sources, fail_on.level())?,
    };
    std::io::stdout().lock().write_all(text.as_bytes()).context("standard output")
}

fn text(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| file.display().to_string())
}
