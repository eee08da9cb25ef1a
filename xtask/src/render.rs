//! Renders the model into products, in memory.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use askama::Template;
use clap::ValueEnum;

use crate::code::Class;
use crate::file::MAX_PRODUCT;
use crate::model::Model;
use crate::tree::{
    ADVICE, CATEGORIES, FOLDER as FOLDER_OF_SOURCES, REPLY_CODES, Replacement, SITUATIONS, SNAPSHOT, Tree,
};
use escape::{Escaped, Place};

mod c;
mod csv;
pub mod escape;
mod explain;
mod json;
mod kumomta;
mod markdown;
mod rust;
mod site;
mod suggest;
mod yaml;

/// The folder of the products, relative to the project's root.
pub const FOLDER: &str = "generated";

/// The kinds of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The tables of the Rust library.
    Rust,
    /// The C header and its build files.
    C,
    /// The tables as a page for people.
    Markdown,
    /// The tables as one JSON file, with its schema.
    Json,
    /// The tables as CSV files.
    Csv,
    /// The categories of codes as YAML files.
    Yaml,
    /// The rules of KumoMTA's bounce classifier.
    Kumomta,
    /// The page that explains a reply, and has the tables.
    Site,
}

/// All kinds, in the order of their folders.
pub const ALL_KINDS: [Kind; 8] =
    [Kind::Rust, Kind::C, Kind::Markdown, Kind::Json, Kind::Csv, Kind::Yaml, Kind::Kumomta, Kind::Site];

/// A rendered file.
#[derive(Clone, Debug)]
pub struct Product {
    /// The path relative to the project's root.
    pub path: PathBuf,
    /// The whole contents.
    pub contents: String,
}

/// Renders all products of these kinds, and writes nothing.
pub fn render(model: &Model, kinds: &[Kind]) -> Result<Vec<Product>> {
    let mut products = Vec::new();
    for kind in kinds {
        products.extend(match kind {
            Kind::Rust => rust::products(model)?,
            Kind::C => c::products(model)?,
            Kind::Markdown => markdown::products(model)?,
            Kind::Json => json::products(model)?,
            Kind::Csv => csv::products(model)?,
            Kind::Yaml => yaml::products(model)?,
            Kind::Kumomta => kumomta::products(model)?,
            Kind::Site => site::products(model)?,
        });
    }
    Ok(products)
}

impl Product {
    /// Renders a template. The path is relative to `generated/`.
    fn new(path: &str, template: &impl Template) -> Result<Product> {
        let mut contents = template.render().with_context(|| {
            format!("the template of {FOLDER}/{path} printed text that is not escaped for its format")
        })?;
        // askama removes the last line break of a template.
        if !contents.ends_with('\n') {
            contents.push('\n');
        }
        ensure!(
            contents.len() <= MAX_PRODUCT,
            "{FOLDER}/{path} would have {} octets, but a product may have {MAX_PRODUCT} at most; is the snapshot right?",
            contents.len()
        );
        Ok(Product { path: Path::new(FOLDER).join(path), contents })
    }

    /// Returns the file as it has to be, for a transaction.
    pub fn replacement(&self) -> Replacement {
        Replacement { path: self.path.clone(), contents: self.contents.clone().into_bytes() }
    }

    /// Reads the file's current contents; `None` if there is no file.
    pub fn current(&self, tree: &Tree) -> Result<Option<Vec<u8>>> {
        match tree.read(&self.path, MAX_PRODUCT) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("cannot read {}", tree.path(&self.path).display()))
            }
        }
    }

    /// Returns whether the file is missing or has other contents.
    pub fn is_stale(&self, tree: &Tree) -> Result<bool> {
        Ok(self.current(tree)?.is_none_or(|current| current != self.contents.as_bytes()))
    }

    /// Writes the file if it is missing or has other contents. Returns whether it did.
    pub fn write(&self, root: &Path) -> Result<bool> {
        if !self.is_stale(&Tree::at(root))? {
            return Ok(false);
        }
        let path = root.join(&self.path);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let write = || -> std::io::Result<()> {
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
            let mut file = builder.tempfile_in(folder)?;
            std::io::Write::write_all(&mut file, self.contents.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(true)
    }
}

/// The lines at the start of every product: what made it, from what, and under which licence.
///
/// Only a product with rows of the registry has the registry's hash. Otherwise every change of a word in the registry
/// would touch every file.
struct Head<P: Place> {
    lines: Vec<Escaped<P>>,
}

impl<P: Place> Head<P> {
    /// Returns the head of a product with rows of the registry.
    fn of_registry(model: &Model, kind: &str) -> Self {
        let snapshot = &model.snapshot;
        let source = [
            format!("Source: {FOLDER_OF_SOURCES}/{SNAPSHOT}, {}.", snapshot.provenance()),
            format!("SHA-256 of the source: {}", snapshot.sha256),
        ];
        Head::new(kind, source, "; registry data: CC0-1.0")
    }

    /// Returns the head of a product with the reply codes alone.
    fn of_reply_codes(kind: &str) -> Self {
        Head::new(kind, [format!("Source: {FOLDER_OF_SOURCES}/{REPLY_CODES}.")], "")
    }

    /// Returns the head of a product with the categories and the advice.
    fn of_advice(kind: &str) -> Self {
        let source = format!("Source: {FOLDER_OF_SOURCES}/{CATEGORIES} and {FOLDER_OF_SOURCES}/{ADVICE}.");
        Head::new(kind, [source], "")
    }

    /// Returns the head of a product with the advice for pairs that the registry lists.
    fn of_listed_advice(kind: &str) -> Self {
        let [categories, advice, snapshot] =
            [CATEGORIES, ADVICE, SNAPSHOT].map(|name| format!("{FOLDER_OF_SOURCES}/{name}"));
        Head::new(kind, [format!("Source: {categories}, {advice}, and the pairs of {snapshot}.")], "")
    }

    /// Returns the head of a product with the situations alone.
    fn of_situations(kind: &str) -> Self {
        Head::new(kind, [format!("Source: {FOLDER_OF_SOURCES}/{SITUATIONS}.")], "")
    }

    /// Returns the head of a product that says nothing of the registry.
    fn of_template(kind: &str) -> Self {
        Head::new(kind, [], "")
    }

    fn new<const N: usize>(kind: &str, source: [String; N], data_licence: &str) -> Self {
        let command = format!("\x40generated by `cargo xtask render --only {kind}`; do not edit.");
        let licence = format!("{LICENCE}{data_licence}");
        let lines = [command].into_iter().chain(source).chain([licence]);
        Head { lines: lines.map(Escaped::new).collect() }
    }
}

// In two parts, so that tools do not mistake it for the licence of this file.
const LICENCE: &str = concat!("SPDX-License-", "Identifier: MIT OR Apache-2.0");

fn escape_all<P: Place>(items: impl IntoIterator<Item = impl std::fmt::Display>) -> Vec<Escaped<P>> {
    items.into_iter().map(Escaped::new).collect()
}

/// Returns the name of a class in Rust.
fn class_name(class: Class) -> &'static str {
    match class.digit() {
        2 => "Success",
        4 => "Transient",
        _ => "Permanent",
    }
}
