//! The command line of `cargo xtask`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::live::choice::Unknown;
use crate::render::Kind;
use crate::terminal::{remark, say};
use crate::transaction::{self, RealDisk, Recovery};

mod accuracy;
mod all;
mod conformance;
mod diff;
mod doctor;
mod live;
mod render;
mod requirements;
mod sync;

/// Maintains registry/ and generated/ of smtp-enhanced-status, and runs the conformance suite.
///
/// Exit status: 0 if all went well, 1 if something failed or was refused, 2 if the command line is wrong, 3 if
/// `sync --check` finds something new or `diff --exit-code` finds a difference.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    /// The project's root.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = default_root())]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures how often `explain` finds the right category of a recorded reply, and renders docs/accuracy.md.
    #[command(after_long_help = accuracy::EXAMPLES)]
    Accuracy(accuracy::Options),
    /// Checks the registry, the products and the conformance suite, and lists the products. Changes nothing.
    All(all::Options),
    /// Builds and runs the conformance suite, and ends with its exit status. `--help` is the suite's own.
    #[command(after_long_help = conformance::EXAMPLES, disable_help_flag = true)]
    Conformance {
        /// The arguments of `smtp-conformance run`: a server and options, or nothing to test the built-in reference
        /// server. `cargo xtask conformance --help` builds the suite and lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Lists what some tests need and this machine lacks, and how to get it.
    Doctor(doctor::Options),
    /// Sets up real servers on loopback, tests them, and removes them again. Must run as root.
    #[command(after_long_help = live::EXAMPLES)]
    Live(live::Options),
    /// Downloads IANA's registry, validates it, and updates all products, or nothing.
    #[command(after_long_help = sync::EXAMPLES)]
    Sync(sync::Options),
    /// Shows what changed between two registries, and what that means for pairings and the version.
    #[command(after_long_help = diff::EXAMPLES)]
    Diff(diff::Options),
    /// Checks the register of requirements, and renders docs/coverage.md from it.
    #[command(after_long_help = requirements::EXAMPLES)]
    Requirements(requirements::Options),
    /// Renders generated/ from registry/.
    Render {
        /// Write nothing, and fail if a file would change.
        #[arg(long)]
        check: bool,
        /// Render only one kind of product.
        #[arg(long, value_enum)]
        only: Option<Kind>,
    },
}

/// How a command ended that did not fail.
enum Outcome {
    /// It succeeded.
    Done,
    /// It succeeded, and found something new or different that the user asked for.
    Different,
    /// It ran another program, which ended with this status.
    Status(u8),
}

/// Runs the command line and reports errors.
#[must_use]
pub fn run() -> ExitCode {
    let Arguments { root, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let outcome = recover(&root).and_then(|()| match command {
        Command::Accuracy(options) => accuracy::run(&root, &options),
        Command::All(options) => all::run(&root, &options),
        Command::Conformance { arguments } => conformance::run(&root, &arguments),
        Command::Doctor(options) => Ok(doctor::run(&options)),
        Command::Live(options) => live::run(&root, &options),
        Command::Sync(options) => sync::run(&root, &options),
        Command::Diff(options) => diff::run(&root, &options),
        Command::Requirements(options) => requirements::run(&root, &options),
        Command::Render { check, only } => {
            let kinds = only.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
            if check { render::check(&root, &kinds) } else { render::run(&root, &kinds) }
        }
    });
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Different) => ExitCode::from(3),
        Ok(Outcome::Status(status)) => ExitCode::from(status),
        Err(error) => {
            remark(format_args!("error: {error:#}"));
            ExitCode::from(if error.is::<Unknown>() { 2 } else { 1 })
        }
    }
}

/// Prints clap's help, version or error. An error may quote an argument.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        remark(text.trim_end());
    } else {
        say(text.trim_end());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Finishes or undoes a sync that was interrupted.
fn recover(root: &Path) -> anyhow::Result<()> {
    match transaction::recover(&RealDisk, root)? {
        Recovery::Clean => {}
        Recovery::Finished => remark("an earlier sync was interrupted; it has been finished"),
        Recovery::Undone => remark("an earlier sync was interrupted; it has been undone"),
    }
    Ok(())
}

/// Returns the parent of xtask's folder, as cargo knows it.
fn default_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}
