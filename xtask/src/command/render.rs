//! `cargo xtask render`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use super::Outcome;
use crate::model::Model;
use crate::render::{ALL_KINDS, FOLDER, Kind, Product, render};
use crate::terminal::say;

/// Writes the products that change.
pub(super) fn run(root: &Path, kinds: &[Kind]) -> Result<Outcome> {
    let model = Model::load(root)?;
    let products = render(&model, kinds)?;
    let mut written = 0;
    for product in &products {
        if product.write(root)? {
            say(format_args!("wrote {}", product.path.display()));
            written += 1;
        }
    }
    say(format_args!("{written} of {} products changed", products.len()));
    Ok(Outcome::Done)
}

/// Writes nothing, and fails with the difference if a product would change.
pub(super) fn check(root: &Path, kinds: &[Kind]) -> Result<Outcome> {
    let products = verify(root, kinds)?;
    say(format_args!("{products} products are as registry/ makes them"));
    Ok(Outcome::Done)
}

/// Holds the products of some kinds against `registry/` and gives their number.
pub(super) fn verify(root: &Path, kinds: &[Kind]) -> Result<usize> {
    let model = Model::load(root)?;
    model.check_quirks(root)?;
    model.check_reviewed()?;
    let products = render(&model, kinds)?;
    let mut stale = 0;
    for difference in products.iter().filter_map(|product| difference(root, product).transpose()) {
        say(difference?);
        stale += 1;
    }
    if stale > 0 {
        bail!(
            "{stale} of {} products are stale; run `cargo xtask render` and commit the result",
            products.len()
        );
    }
    if kinds.len() == ALL_KINDS.len() {
        check_orphans(root, &products)?;
    }
    Ok(products.len())
}

/// Nothing stands in `generated/` that is not rendered.
fn check_orphans(root: &Path, products: &[Product]) -> Result<()> {
    let mut folders = vec![root.join(FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !products.iter().any(|product| root.join(&product.path) == path) {
                bail!("{} is no product; delete it", path.display());
            }
        }
    }
    Ok(())
}

/// The unified diff from the file to the product, if they differ.
fn difference(root: &Path, product: &Product) -> Result<Option<String>> {
    let current = product.current(root)?;
    if current == product.contents {
        return Ok(None);
    }
    let path = product.path.display();
    let diff = TextDiff::from_lines(&current, &product.contents);
    let diff =
        diff.unified_diff().header(&format!("{path} (now)"), &format!("{path} (rendered)")).to_string();
    Ok(Some(diff))
}
