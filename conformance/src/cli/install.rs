//! `smtp-conformance completions` and `smtp-conformance manual`: what is installed with the program.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Command};
use clap_complete::{Shell, generate};

pub(super) const COMPLETION_EXAMPLES: &str = "\
Example:
  smtp-conformance completions bash > ~/.local/share/bash-completion/completions/smtp-conformance";

pub(super) const MANUAL_EXAMPLES: &str = "\
Example:
  smtp-conformance manual ~/.local/share/man/man1";

#[derive(Args)]
pub(super) struct Completions {
    /// Shell that the script is for.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
pub(super) struct Manual {
    /// Folder to write the pages to. It is created if it does not exist.
    folder: PathBuf,
}

/// Prints the completion script of a shell.
pub(super) fn print_completions(options: &Completions, program: &mut Command) {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    generate(options.shell, program, name, &mut script);
    // A closed pipe is not an error: the reader has seen enough.
    let _ = io::stdout().write_all(&script);
}

/// Writes the manual page of the program and of each of its commands.
pub(super) fn write_manual(options: &Manual, program: Command) -> Result<()> {
    let written =
        fs::create_dir_all(&options.folder).and_then(|()| clap_mangen::generate_to(program, &options.folder));
    written.with_context(|| format!("cannot write manual pages to {}", options.folder.display()))
}
