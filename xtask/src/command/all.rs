//! `cargo xtask all`, the first command in README.md.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum as _};

use super::{Outcome, conformance, render, sync};
use crate::model::Model;
use crate::render::Kind;
use crate::terminal::say;

/// What users look for first.
const PRODUCTS: [(&str, &str); 8] = [
    ("src/, generated/rust/", "the Rust library smtp-enhanced-status"),
    ("generated/c/smtp_enhanced_status.h", "the C header, with Makefile, pkg-config and CMake files"),
    ("generated/tables/registry.md", "the tables for people"),
    ("generated/tables/smtp-enhanced-status.json", "the tables for other languages, with a JSON Schema"),
    ("generated/tables/*.csv", "the tables for spreadsheets and databases"),
    ("generated/kumomta/iana.toml", "the rules for KumoMTA's bounce classifier"),
    ("generated/site/index.html", "a page that explains replies and bounces, offline in any browser"),
    ("cargo xtask conformance [SERVER]", "checks a server's replies against the RFCs and the registry"),
];

/// The time limit for IANA's response, including the name lookup.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct Options {
    /// Ask this address instead of IANA: https, or http on this machine.
    #[arg(long, default_value = sync::IANA)]
    url: String,
}

/// Checks everything and lists the products. It is not a failure if IANA has a new registry or cannot be reached.
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
    say(format_args!("generated/  {products} products are up to date"));
    match conformance::summary(root)? {
        Some(summary) => say(format_args!("conformance {summary}")),
        None => say("conformance not tested, because conformance/ is missing"),
    }
    say("");
    for (path, what) in PRODUCTS {
        say(format_args!("  {path:<43} {what}"));
    }
    Ok(Outcome::Done)
}
