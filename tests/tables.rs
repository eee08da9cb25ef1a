//! generated/tables/ read back by other parsers and held against the library.

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

/// A product as it stands in the tree.
fn product(name: &str) -> String {
    let path = support::root().join("generated/tables").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The model of the tree's registry.
fn model() -> xtask::model::Model {
    xtask::model::Model::load(&support::root()).unwrap()
}
