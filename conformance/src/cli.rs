//! The command line, with a module for each command.

#[cfg(feature = "run")]
mod cases;
mod classify;
#[cfg(feature = "run")]
mod clients;
mod compare;
mod explain;
mod input;
mod install;
mod judge;
mod lint;
mod metrics;
#[cfg(feature = "run")]
mod output;
mod report;
#[cfg(feature = "run")]
mod review;
mod rules;
#[cfg(feature = "run")]
mod run;
#[cfg(feature = "run")]
mod send;
#[cfg(feature = "run")]
mod serve;
mod suggest;
#[cfg_attr(not(feature = "run"), allow(dead_code, unused_imports, unused_macros))]
mod terminal;

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use globset::{Glob, GlobMatcher};

use crate::protocol::Protocol;
use crate::report::{Format, Source, console, sarif};
use crate::rules::catalogue::Level;

/// Lists the exit statuses in the help.
const EXIT_STATUS: &str = "\
Exit status:
  0    No finding at or above --fail-on
  1    A finding at or above --fail-on
  2    Invalid command line, target, profile, baseline or list of targets, or an output file that cannot be written
  3    A baseline entry has expired or no longer matches anything
  4    No case could be judged
  5    Internal error, or a file of cases, records or transcripts is unreadable
  130  Interrupted by SIGINT (Ctrl-C)
  143  Interrupted by SIGTERM

With --targets, the exit status is that of the worst target, from worst to best \
5, 1, 3, 4, 0. An interrupted run still reports what it has; a second signal ends it at once.";

/// Check the replies of SMTP, submission and LMTP servers against the RFCs and IANA's registry.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_STATUS}"))]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = if cfg!(feature = "run") {
    "\
Examples:
  smtp-conformance run                            Test the built-in reference server
  smtp-conformance run smtp://127.0.0.1:2525      Test a server on this machine
  smtp-conformance rules enhanced-code-present    Explain a rule"
} else {
    "\
Examples:
  smtp-conformance judge session.txt              Judge a recorded connection
  smtp-conformance rules enhanced-code-present    Explain a rule"
};

#[derive(Subcommand)]
enum Command {
    /// Run the cases against a server and report which rules its replies break.
    ///
    /// By default a run delivers nothing and sends no user name or password. It completes a message only after the
    /// server has refused every recipient, and that message is empty. No line is longer than 513 octets. Some lines are
    /// malformed on purpose: an empty line, lines that end in CR or LF alone, arguments that are missing, superfluous or
    /// misspelled, and addresses that are invalid, too long or not ASCII. SECURITY.md lists them all.
    ///
    /// Against other hosts it opens one connection at a time, two seconds apart, and gives up a connection after eight
    /// refusals.
    #[cfg(feature = "run")]
    #[command(after_help = run::EXAMPLES, after_long_help = format!("{}\n\n{EXIT_STATUS}", run::EXAMPLES))]
    Run(Box<run::Options>),
    /// Serve as a mail server that follows every rule, or breaks some on purpose, to test clients against.
    #[cfg(feature = "run")]
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Options),
    /// Send one message as a mail client that follows every rule, or breaks some on purpose.
    ///
    /// For each recipient it prints a line that says what became of the message: accepted, temporary failure or permanent
    /// failure, and the reply that decided. The suite's tests of clients are tested with it.
    #[cfg(feature = "run")]
    #[command(after_help = send::EXAMPLES)]
    #[command(after_long_help = format!("{}\n\n{}", send::EXAMPLES, send::EXIT_STATUS))]
    Send(Box<send::Options>),
    /// Run a mail client against servers that behave in many ways, and judge what it sends and what it reports.
    ///
    /// For each behaviour, a server starts on this machine, and the client is started by the template to send a message to
    /// it. What the client sends is judged by what the server has seen, and what it reports by its exit status or its
    /// output. What seems wrong is tried twice.
    #[cfg(feature = "run")]
    #[command(after_help = clients::EXAMPLES, after_long_help = format!("{}\n\n{EXIT_STATUS}", clients::EXAMPLES))]
    Clients(Box<clients::Options>),
    /// Say what a reply means, who meant it, and what to do.
    ///
    /// The registry alone does not tell: many servers use its codes otherwise. This looks at the codes, at the words, and
    /// at the marks of known vendors, and says what decided. A reply may quote that of another server, as a log or the
    /// report of a failed delivery does: then the quoted one is explained.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Options),
    /// Say what category each of many replies is, a reply on each line.
    #[command(after_help = classify::EXAMPLES)]
    Classify(classify::Options),
    /// List the rules, or explain one.
    #[command(after_help = rules::EXAMPLES)]
    Rules(rules::Options),
    /// Say which reply code and which enhanced status code a server should send in a situation.
    #[command(after_help = suggest::EXAMPLES)]
    Suggest(suggest::Options),
    /// Judge recorded connections.
    #[command(after_help = judge::EXAMPLES)]
    Judge(judge::Options),
    /// Judge and count the replies in logs, bounces, recordings and source code.
    ///
    /// The content of a file shows what it holds. Compressed files are read as they are. Personal data is masked in all
    /// output.
    ///
    /// A log shows the codes of replies, but not their octets, nor what a server announced. So replies in logs are judged by
    /// their codes alone, and recordings by all rules, as `judge` does.
    #[command(after_help = lint::EXAMPLES)]
    #[command(after_long_help = format!("{}\n\n{}", lint::EXAMPLES, lint::EXIT_STATUS))]
    Lint(Box<lint::Options>),
    /// Make a report from the records of earlier runs.
    ///
    /// Given several files, the console, Markdown and issue formats print one report after the other, HTML and results make
    /// one page, and SARIF makes one log. JUnit and JSONL accept a single file.
    #[command(after_help = report::EXAMPLES)]
    Report(report::Options),
    /// Compare the findings of two runs: which are new, changed or gone.
    ///
    /// A finding is the same in both runs if the rule, the case and the shape of what the client sent are the same. The
    /// shape leaves out host names and numbers. In recordings, the name of the file, without its folders, takes the
    /// place of the case. What the server sent, how often, and in which place do not count. A finding has changed if
    /// its levels, reply codes or enhanced status codes differ.
    #[command(after_help = compare::EXAMPLES)]
    #[command(after_long_help = format!("{}\n\n{}", compare::EXAMPLES, compare::EXIT_STATUS))]
    Compare(compare::Options),
    /// Print a completion script for a shell.
    #[command(after_help = install::COMPLETION_EXAMPLES)]
    Completions(install::Completions),
    /// Write a manual page for each command.
    #[command(after_help = install::MANUAL_EXAMPLES)]
    Manual(install::Manual),
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
    /// Errors fail.
    Error,
    /// Warnings and errors fail.
    Warning,
    /// Notes, warnings and errors fail.
    Note,
    /// Nothing fails.
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

/// The options that control how a report is printed.
#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Form {
    /// Format of the report on standard output.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// File of the repository that SARIF findings are located in. By default it is the target's name.
    #[arg(long, value_name = "PATH")]
    sarif_base: Option<String>,
}

impl Form {
    fn print(&self, sources: &[Source<'_>], fail_on: FailOn) -> Result<()> {
        let text = match self.format {
            Format::Console => {
                let style = terminal::style(&io::stdout());
                let reports = sources.iter().map(|source| console::render(source.records, style));
                reports.collect::<Vec<_>>().join("\n")
            }
            Format::Sarif => sarif::render(sources, self.sarif_base.as_deref())?,
            format => format.render(sources, fail_on.level())?,
        };
        terminal::print_report(&text)
    }
}

/// Reads a pattern such as `starttls-*`.
fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(Glob::new(text)?.compile_matcher())
}

/// Runs the command line of this process and returns its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(terminal::print_usage(&error)),
    };
    let outcome = match arguments.command {
        #[cfg(feature = "run")]
        Command::Run(options) => run::run(&options),
        #[cfg(feature = "run")]
        Command::Serve(options) => serve::run(&options),
        #[cfg(feature = "run")]
        Command::Send(options) => send::run(&options),
        #[cfg(feature = "run")]
        Command::Clients(options) => clients::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Classify(options) => classify::run(&options),
        Command::Rules(options) => Ok(rules::run(&options)),
        Command::Suggest(options) => suggest::run(&options),
        Command::Judge(options) => judge::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Completions(options) => {
            install::print_completions(&options, &mut Arguments::command());
            Ok(0)
        }
        Command::Manual(options) => install::write_manual(&options, Arguments::command()).map(|()| 0),
    };
    match outcome.and_then(|status| terminal::failure().map(|()| status)) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            terminal::print_error(&error);
            ExitCode::from(5)
        }
    }
}

/// Prints what was wrong with the command line and returns the exit status for wrong usage.
fn misused(error: &anyhow::Error) -> u8 {
    terminal::print_error(error);
    2
}
