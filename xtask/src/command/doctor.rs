//! `cargo xtask doctor`: lists what some tests need and this machine lacks.

use clap::Args;

use super::{Outcome, say};
use crate::prerequisite::{self, Prerequisite};

#[derive(Args)]
pub(super) struct Options {
    /// Print only the names of the missing Debian packages, for `apt-get install`.
    #[arg(long)]
    packages: bool,
}

/// Looks for everything that tests need, and prints how to get what is missing. It is not a failure if something is.
pub(super) fn run(options: &Options) -> Outcome {
    let missing: Vec<Prerequisite> =
        prerequisite::ALL.iter().copied().filter(|prerequisite| !prerequisite.is_met()).collect();
    let packages = Vec::from_iter(prerequisite::packages(&missing)).join(" ");
    if options.packages {
        say(packages);
        return Outcome::Done;
    }
    if missing.is_empty() {
        say("Nothing is missing; all tests can run.");
        return Outcome::Done;
    }
    say("Tests are skipped if they need one of these:\n");
    for prerequisite in &missing {
        say(format_args!("  {:<35} {}", prerequisite.name, prerequisite::remedy(&[*prerequisite])));
    }
    if !packages.is_empty() {
        say(format_args!("\nTo install all missing Debian packages:\n\n  apt-get install {packages}"));
    }
    Outcome::Done
}
