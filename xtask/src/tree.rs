//! The project's files, as they are or with some of them replaced in memory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::data_file::DataFile;
use crate::file;

/// The folder of the registry, relative to the project's root.
pub const FOLDER: &str = "registry";
/// The snapshot of IANA's registry.
pub const SNAPSHOT: &str = "smtp-enhanced-status-codes.xml";
/// The record of where the snapshot came from.
pub const RECORD: &str = "snapshot.toml";
/// The annotations of the rows, and the known conflicts.
pub const ANNOTATIONS: &str = "annotations.toml";
/// The irregular cells, and how they are read.
pub const QUIRKS: &str = "quirks.toml";
/// The basic reply codes.
pub const REPLY_CODES: &str = "reply-codes.toml";
/// What a refusal can be about.
pub const CATEGORIES: &str = "categories.toml";
/// What happened and what to do, for rows, pairs and reply codes.
pub const ADVICE: &str = "advice.toml";
/// Who uses codes otherwise.
pub const VENDORS: &str = "vendors.toml";
/// Words that tell what a reply means.
pub const PHRASES: &str = "phrases.toml";
/// What to send in which situation.
pub const SITUATIONS: &str = "situations.toml";
/// Every identifier that was ever published.
pub const SYMBOLS: &str = "symbols-in-versions";

/// The files below a root.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    replaced: BTreeMap<PathBuf, Vec<u8>>,
}

/// A file and its new contents.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The path relative to the project's root.
    pub path: PathBuf,
    /// The whole contents.
    pub contents: Vec<u8>,
}

impl Tree {
    /// Returns the files as they are.
    pub fn at(root: &Path) -> Tree {
        Tree { root: root.to_owned(), replaced: BTreeMap::new() }
    }

    /// Returns the same tree with some files replaced.
    #[must_use]
    pub fn with(&self, files: &[Replacement]) -> Tree {
        let mut tree = self.clone();
        tree.replaced.extend(files.iter().map(|file| (file.path.clone(), file.contents.clone())));
        tree
    }

    /// Returns the full path of a file.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Reads a file. Fails if it has more octets than the limit.
    pub fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        match self.replaced.get(path) {
            Some(contents) => file::within(contents.clone(), limit),
            None => file::read(&self.path(path), limit),
        }
    }

    /// Reads a file in `registry/`.
    pub fn data(&self, name: &str) -> Result<Vec<u8>> {
        let path = Path::new(FOLDER).join(name);
        self.read(&path, file::MAX_DATA).with_context(|| format!("cannot read {}", self.path(path).display()))
    }

    /// Reads a data file in `registry/`.
    pub fn data_file(&self, name: &str) -> Result<DataFile> {
        self.text(&Path::new(FOLDER).join(name))
    }

    /// Reads a data file.
    pub fn text(&self, path: &Path) -> Result<DataFile> {
        let octets = self.read(path, file::MAX_DATA);
        let path = self.path(path);
        let text = octets.and_then(file::text).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(DataFile::new(&path, &text))
    }
}
