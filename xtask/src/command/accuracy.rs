//! `cargo xtask accuracy`: measures how often the category of a recorded reply is right, and writes `docs/accuracy.md`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::Outcome;
use super::requirements::write_page;
use crate::accuracy::peer::{self, Labels};
use crate::accuracy::{self, recorded};
use crate::model::Model;
use crate::terminal::say;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask accuracy
      Measure, and write docs/accuracy.md.
  cargo xtask accuracy --peer bounces.toml --peer iana.toml --peer-version 3ebc1e85
      Run KumoMTA's rules on the recorded replies first.";

#[derive(Args)]
pub(super) struct Options {
    /// Write nothing, and fail if docs/accuracy.md would change.
    #[arg(long)]
    check: bool,
    /// A file of KumoMTA's rules. Several are tried in this order. Writes the labels that they give.
    #[arg(long, value_name = "FILE", requires = "peer_version", conflicts_with = "check")]
    peer: Vec<PathBuf>,
    /// The version or commit of KumoMTA that the rules are from.
    #[arg(long, value_name = "VERSION", requires = "peer")]
    peer_version: Option<String>,
}

pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    if let Some(version) = &options.peer_version {
        let replies = recorded::read(root, &Model::load(root)?.explanation.categories)?;
        let labels = Labels::new(&options.peer, version, &replies)?;
        std::fs::write(root.join(peer::PATH), labels.text(&replies))
            .with_context(|| format!("cannot write {}", peer::PATH))?;
        say(format_args!("wrote {}", peer::PATH));
    }
    write_page(root, accuracy::PATH, &accuracy::render_page(root)?, options.check, "accuracy")
}
