//! The command line: a module a command.

mod cases;
mod compare;
mod input;
mod judge;
mod output;
mod report;
mod rules;
mod run;
mod serve;
mod terminal;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::protocol::Protocol;
use crate::report::{Format, Source, sarif};
use crate::rules::catalogue::Level;

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
    ///
    /// By default a run delivers nothing and sends no user name or password. It completes a message only after the server
    /// has refused every recipient, and that message is empty. No line is longer than 513 octets. Some lines are malformed
    /// on purpose: an empty line, arguments that are missing, superfluous or misspelled, and addresses that are invalid,
    /// too long or not ASCII. SECURITY.md lists them all.
    ///
    /// Against other hosts it opens one connection at a time, two seconds apart, and gives up a connection after eight
    /// refusals.
    Run(Box<run::Options>),
    /// Serves as a mail server that keeps every rule, or breaks those that its faults name: for tests of clients.
    Serve(serve::Options),
    /// Prints the rules, or one in full.
    Rules(rules::Options),
    /// Judges recorded connections.
    Judge(judge::Options),
    /// Makes a report of records again. Several files make one report after the other, one page, or one SARIF log;
    /// JUnit and JSONL take one file.
    Report(report::Options),
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
    Compare(compare::Options),
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

/// How a report is printed.
#[derive(Args)]
struct Form {
    /// The form of the report on standard output.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// The file in the repository that SARIF locates findings in; the target's name without it.
    #[arg(long, value_name = "PATH")]
    sarif_base: Option<String>,
}

impl Form {
    fn print(&self, sources: &[Source<'_>], fail_on: FailOn) -> Result<()> {
        let text = match self.format {
            Format::Sarif => sarif::render(sources, self.sarif_base.as_deref())?,
            format => format.render(sources, fail_on.level())?,
        };
        terminal::print_report(&text)
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(terminal::print_usage(&error)),
    };
    let outcome = match arguments.command {
        Command::Run(options) => run::run(&options),
        Command::Serve(options) => serve::run(&options).map(|()| 0),
        Command::Rules(options) => rules::run(&options).map(|()| 0),
        Command::Judge(options) => judge::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Compare(options) => compare::run(&options),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            terminal::print_error(&error);
            ExitCode::from(5)
        }
    }
}

/// Says what was wrong with the command line; the exit status of that.
fn misused(error: &anyhow::Error) -> u8 {
    terminal::print_error(error);
    2
}
