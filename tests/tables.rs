//! Reads generated/tables/ with other parsers, and compares it with the library.

#![cfg(unix)]

#[path = "grid/mod.rs"]
mod grid;
#[path = "support/mod.rs"]
mod support;

#[path = "tables/csv.rs"]
mod csv_files;
#[path = "tables/hostile.rs"]
mod hostile;
#[path = "tables/json.rs"]
mod json;
#[path = "tables/markdown.rs"]
mod markdown;
#[path = "tables/python.rs"]
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
