//! Whether a tree is whole: `registry/` fits together, every quirk in it is needed, every annotation confirmed, and
//! `generated/` holds what it makes and nothing else.
//!
//! `render --check` asks this of the tree as it is, `sync` of the tree that it would leave.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail};

use crate::model::Model;
use crate::render::{FOLDER, Kind, Product, render};
use crate::tree::Tree;

/// What `registry/` makes.
pub struct Checked {
    /// What was read.
    pub model: Model,
    /// What has to stand in `generated/`.
    pub products: Vec<Product>,
}

/// Annotations that `sync --propose` wrote and nobody has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposals {
    /// An error.
    Refused,
    /// To be confirmed later.
    Allowed,
}

/// Reads and checks `registry/`, and renders products of some kinds from it.
pub fn sources(tree: &Tree, kinds: &[Kind], proposals: Proposals) -> Result<Checked> {
    let model = Model::read(tree)?;
    model.check_quirks()?;
    if proposals == Proposals::Refused {
        model.check_reviewed()?;
    }
    let products = render(&model, kinds)?;
    Ok(Checked { model, products })
}

/// Fails on a file in `generated/` that is none of the products.
pub fn orphans(tree: &Tree, products: &[Product]) -> Result<()> {
    let mut folders = vec![tree.path(FOLDER)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            // What is missing is rendered.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !products.iter().any(|product| tree.path(&product.path) == path) {
                bail!("{} is no product; delete it", path.display());
            }
        }
    }
    Ok(())
}
