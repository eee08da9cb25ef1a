//! The command line of `cargo xtask`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::live::choice::Unknown;
use crate::render::Kind;
use crate::terminal::{remark, say};
use crate::transaction::{self, RealDisk, Recovery};

mod all;
mod conformance;
mod diff;
mod doctor;
mod live;
mod render;
mod sync;

/// Keeps registry/ and generated/ of smtp-enhanced-status, and runs the conformance suite.
///
/// Exit status: 0 done or nothing new, 1 refused or failed, 2 usage, 3 something new or different
/// (sync --check, diff --exit-code).
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    /// The project's root.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = default_root())]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks everything and says where the products lie.
    All(all::Options),
    /// Builds the conformance suite and runs it: `smtp-conformance run`, whose exit status this has.
    Conformance {
        /// A server, and options; `--help` lists them. Without a server, the built-in reference server.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Lists what this machine lacks for some of the tests, and how to get it.
    Doctor(doctor::Options),
    /// Tests real servers, set up on loopback and removed again. Needs root.
    Live(live::Options),
    /// Takes IANA's registry: through the gates, with every product, or not at all.
    Sync(sync::Options),
    /// Says what changed between two registries, and what it means.
    Diff(diff::Options),
    /// Renders generated/ from registry/.
    Render {
        /// Writes nothing; fails if a file would change.
        #[arg(long)]
        check: bool,
        /// Renders one kind of product alone.
        #[arg(long, value_enum)]
        only: Option<Kind>,
    },
}

/// How a command that did not fail ended.
enum Outcome {
    /// Done, or nothing new.
    Done,
    /// Something is new or different, and that was asked for.
    Different,
    /// As another program ended.
    Status(u8),
}

/// Runs the command line and reports its error.
#[must_use]
pub fn run() -> ExitCode {
    let Arguments { root, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let outcome = recover(&root).and_then(|()| match command {
        Command::All(options) => all::run(&root, &options),
        Command::Conformance { arguments } => conformance::run(&root, &arguments),
        Command::Doctor(options) => Ok(doctor::run(&options)),
        Command::Live(options) => live::run(&root, &options),
        Command::Sync(options) => sync::run(&root, &options),
        Command::Diff(options) => diff::run(&root, &options),
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

/// Prints what clap has to say: help, a version, or an error that quotes an argument.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.use_stderr() {
        true => remark(text.trim_end()),
        false => say(text.trim_end()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Finishes or undoes what a killed command left over.
fn recover(root: &Path) -> anyhow::Result<()> {
    match transaction::recover(&RealDisk, root)? {
        Recovery::Clean => {}
        Recovery::Finished => remark("an earlier sync was interrupted; it is finished now"),
        Recovery::Undone => remark("an earlier sync was interrupted before it counted; it is undone"),
    }
    Ok(())
}

/// The folder above xtask's own, where cargo ran it.
fn default_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}
