//! Checks that a tree is consistent: the files in `registry/` fit together without a [gap], every proposal is
//! confirmed, and `generated/` has the products rendered from them and nothing else.
//!
//! This is what `render --check` does. `sync` plans what it leaves with [`crate::gap`], and only looks for stray files
//! here.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail};

use crate::gap::{self, Proposals};
use crate::model::Model;
use crate::render::{FOLDER, Kind, Product, render};
use crate::source::Data;
use crate::tree::Tree;

/// A checked `registry/`, and its products.
pub struct Checked {
    /// The contents of `registry/`.
    pub model: Model,
    /// What `generated/` must contain.
    pub products: Vec<Product>,
}

/// Reads and checks `registry/`, and renders the products of these kinds.
pub fn sources(tree: &Tree, kinds: &[Kind], proposals: Proposals) -> Result<Checked> {
    let data = Data::read(tree)?;
    gap::refuse(&gap::all(&data, proposals))?;
    let model = Model::join(data)?;
    let products = render(&model, kinds)?;
    Ok(Checked { model, products })
}

/// Fails if `generated/` has a file that is not one of the products.
pub fn orphans(tree: &Tree, products: &[Product]) -> Result<()> {
    let mut folders = vec![tree.path(FOLDER)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            // The folder is missing, and so are its products, which the caller reports.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !products.iter().any(|product| tree.path(&product.path) == path) {
                bail!("{} is not a product; delete it", path.display());
            }
        }
    }
    Ok(())
}
