//! `cargo xtask requirements`: checks the register of requirements, and renders `docs/coverage.md`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::Outcome;
use crate::coverage;
use crate::file::{self, MAX_PRODUCT};
use crate::register::{Register, path_of, text_of};
use crate::statement::Splitter;
use crate::suite::Suite;
use crate::terminal::say;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask requirements
      Check the register against the rules and cases, and write docs/coverage.md.
  scripts/rfc-texts ~/rfc && cargo xtask requirements --texts ~/rfc
      Compare it with the RFCs too.
  cargo xtask requirements --texts ~/rfc --list 5321
      List the statements of RFC 5321, and the identifier and hash of each.";

#[derive(Args)]
pub(super) struct Options {
    /// Write nothing, and fail if docs/coverage.md would change.
    #[arg(long)]
    check: bool,
    /// A folder with the RFCs' plain texts, as rfc5321.txt. Compares the register's identifiers, words and hashes with
    /// them. `scripts/rfc-texts DIR` fetches the texts.
    #[arg(long, env = "RFC_TEXTS", value_name = "DIR")]
    texts: Option<PathBuf>,
    /// Only list the statements of these RFCs.
    #[arg(long, value_name = "RFC", num_args = 1.., requires = "texts")]
    list: Vec<u32>,
}

pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    if let Some(folder) = &options.texts
        && !options.list.is_empty()
    {
        return list(folder, &options.list);
    }
    let register = Register::load(root)?;
    let suite = Suite::load(root)?;
    register.check_suite(&suite)?;
    say(format_args!(
        "{} requirements, {} rules and {} cases fit together",
        register.requirements.len(),
        suite.rules.len(),
        suite.cases.len()
    ));
    match &options.texts {
        Some(folder) => {
            let statements = register.check_texts(folder)?;
            say(format_args!("the register has each of the {statements} statements in the RFCs' texts"));
        }
        None => {
            say(
                "not compared with the RFCs' texts, because neither --texts nor RFC_TEXTS names their folder",
            );
        }
    }
    write_page(root, coverage::PATH, &coverage::render(&register, &suite)?, options.check, "requirements")
}

/// Writes the page of a command if it has changed, or fails.
pub(super) fn write_page(
    root: &Path,
    name: &str,
    contents: &str,
    only_check: bool,
    command: &str,
) -> Result<Outcome> {
    let path = root.join(name);
    if file::read(&path, MAX_PRODUCT).is_ok_and(|current| current == contents.as_bytes()) {
        say(format_args!("{name} is up to date"));
    } else if only_check {
        bail!("{name} is not up to date; run `cargo xtask {command}` and commit the result");
    } else {
        std::fs::write(&path, contents).with_context(|| format!("cannot write {}", path.display()))?;
        say(format_args!("wrote {name}"));
    }
    Ok(Outcome::Done)
}

fn list(folder: &Path, numbers: &[u32]) -> Result<Outcome> {
    let splitter = Splitter::new()?;
    for number in numbers {
        for statement in splitter.statements(*number, &text_of(&path_of(folder, *number))?) {
            let words = statement.words.join(", ");
            say(format_args!("{} {} {words} | {}", statement.id, statement.hash(), statement.sentence));
        }
    }
    Ok(Outcome::Done)
}
