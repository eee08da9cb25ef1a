//! Reads generated/tables/ with other parsers, and compares it with the library.

use crate::support;

mod advice;
mod csv_files;
mod hostile;
mod json;
mod markdown;
mod python;

/// Returns a committed product.
fn product(name: &str) -> String {
    let path = support::root().join("generated/tables").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the model of the committed registry.
fn model() -> xtask::model::Model {
    xtask::model::Model::load(&support::root()).unwrap()
}
