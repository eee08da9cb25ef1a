//! `cargo xtask render`: renders generated/ from registry/.

use std::path::Path;

use anyhow::{Result, bail};
use similar::TextDiff;

use super::Outcome;
use crate::check::{self, Checked};
use crate::gap::Proposals;
use crate::model::Model;
use crate::render::{ALL_KINDS, Kind, Product, render};
use crate::terminal::say;
use crate::tree::Tree;

/// Writes the products that have changed.
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
    say(format_args!("{written} of {} products written", products.len()));
    Ok(Outcome::Done)
}

/// Writes nothing. If a product would change, prints the difference and fails.
pub(super) fn check(root: &Path, kinds: &[Kind]) -> Result<Outcome> {
    let products = verify(root, kinds)?;
    say(format_args!("{products} products are up to date"));
    Ok(Outcome::Done)
}

/// Checks that the products of these kinds are up to date, and returns their number.
pub(super) fn verify(root: &Path, kinds: &[Kind]) -> Result<usize> {
    let tree = Tree::at(root);
    let Checked { products, .. } = check::sources(&tree, kinds, Proposals::Refused)?;
    let mut stale = 0;
    for product in &products {
        if product.is_stale(&tree)? {
            say(difference(&tree, product)?);
            stale += 1;
        }
    }
    if stale > 0 {
        bail!(
            "{stale} of {} products not up to date; run `cargo xtask render` and commit the result",
            products.len()
        );
    }
    if kinds.len() == ALL_KINDS.len() {
        check::orphans(&tree, &products)?;
    }
    Ok(products.len())
}

/// Returns a unified diff from the file to the product.
fn difference(tree: &Tree, product: &Product) -> Result<String> {
    let current = product.current(tree)?.unwrap_or_default();
    let current = String::from_utf8_lossy(&current);
    let path = product.path.display();
    let diff = TextDiff::from_lines(&*current, product.contents.as_str());
    Ok(diff.unified_diff().header(&format!("{path} (now)"), &format!("{path} (rendered)")).to_string())
}
