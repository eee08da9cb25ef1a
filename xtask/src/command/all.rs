//! `cargo xtask all`: README's first command.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum as _};

use super::{Outcome, conformance, render, sync};
use crate::model::Model;
use crate::render::Kind;
use crate::terminal::say;

/// What a user looks for first.
const PRODUCTS: [(&str, &str); 6] = [
    ("src/, generated/rust/", "the Rust library smtp-enhanced-status"),
    ("generated/c/smtp_enhanced_status.h", "the C header, with Makefile, pkg-config and CMake files"),
    ("generated/tables/registry.md", "tables to read"),
    ("generated/tables/smtp-enhanced-status.json", "the same for every other language, with its schema"),
    ("generated/tables/*.csv", "the same for spreadsheets and databases"),
    ("cargo xtask conformance [SERVER]", "holds a server's replies against the RFCs and the registry"),
];

/// IANA has this long to answer, looking up its name included.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct Options {
    /// Asks here instead of IANA: https, or http on this machine.
    #[arg(long, default_value = sync::IANA)]
    url: String,
}

/// Checks everything and says where the products lie. That IANA has news, or cannot be reached, is no failure.
pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let model = Model::load(root)?;
    let registry = &model.registry;
    say(format_args!(
        "registry/   {}: {} classes, {} subjects, {} statuses; {} reply codes",
        model.snapshot.provenance(),
        registry.classes.rows.len(),
        registry.subjects.rows.len(),
        model.entries.len(),
        model.reply_codes.len()
    ));
    say(format_args!("IANA        {}", sync::news(root, &model.snapshot, &options.url, PATIENCE)));
    let products = render::verify(root, Kind::value_variants())?;
    say(format_args!("generated/  {products} products are as registry/ makes them"));
    match conformance::summary(root)? {
        Some(summary) => say(format_args!("conformance {summary}")),
        None => say("conformance is not there; the rest is"),
    }
    say("");
    for (path, what) in PRODUCTS {
        say(format_args!("  {path:<43} {what}"));
    }
    Ok(Outcome::Done)
}
