//! `cargo xtask doctor`: what this machine lacks for some of the tests.

use clap::Args;

use super::{Outcome, say};
use crate::prerequisite::{self, Prerequisite};

#[derive(Args)]
pub(super) struct Options {
    /// Prints the names of Debian's missing packages alone, for `apt-get install`.
    #[arg(long)]
    packages: bool,
}

/// Looks for everything that tests ask for, and says how to get what is missing. That something is, is no failure.
pub(super) fn run(options: &Options) -> Outcome {
    let missing: Vec<Prerequisite> =
        prerequisite::ALL.iter().copied().filter(|prerequisite| !prerequisite.is_met()).collect();
    let packages = Vec::from_iter(prerequisite::packages(&missing)).join(" ");
    if options.packages {
        say(packages);
        return Outcome::Done;
    }
    if missing.is_empty() {
        say("Nothing is missing: every test runs here.");
        return Outcome::Done;
    }
    say("Every test runs here but those that need\n");
    for prerequisite in &missing {
        say(format_args!("  {:<35} {}", prerequisite.name, prerequisite::remedy(&[*prerequisite])));
    }
    if !packages.is_empty() {
        say(format_args!("\nAll of Debian's packages at once:\n\n  apt-get install {packages}"));
    }
    Outcome::Done
}
