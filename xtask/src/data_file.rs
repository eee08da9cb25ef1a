//! Data files kept by hand: TOML with errors that name file and line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow};
use serde::de::DeserializeOwned;

/// A data file's path and text.
#[derive(Clone, Debug)]
pub struct DataFile {
    path: PathBuf,
    text: String,
}

impl DataFile {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<DataFile> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(DataFile { path: path.to_owned(), text })
    }

    /// A file whose text is at hand.
    pub fn new(path: &Path, text: &str) -> DataFile {
        DataFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// Parses the text; unknown keys, missing keys and wrong values are errors with their line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(&self.text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            let written = self.text.lines().nth(line - 1).unwrap_or_default().trim();
            let written: String = written.chars().take(120).collect();
            self.error(line, &anyhow!("{} (the line reads `{written}`)", error.message()))
        })
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.text.get(..offset).unwrap_or(&self.text).matches('\n').count()
    }

    /// An error of a line of this file.
    pub fn error(&self, line: usize, error: &Error) -> Error {
        anyhow!("{}:{line}: {error:#}", self.path.display())
    }
}
