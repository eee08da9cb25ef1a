//! Data files that are kept by hand: TOML, with errors that name file and line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow};
use serde::de::DeserializeOwned;
use toml_edit::{DocumentMut, TomlError};

use crate::file::{self, MAX_DATA};
use crate::terminal::excerpt;

/// A data file's path and text.
#[derive(Clone, Debug)]
pub struct DataFile {
    path: PathBuf,
    text: String,
}

impl DataFile {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<DataFile> {
        let text =
            file::read_text(path, MAX_DATA).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(DataFile { path: path.to_owned(), text })
    }

    /// Makes a data file from a path and its text.
    pub fn new(path: &Path, text: &str) -> DataFile {
        DataFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the same file with an edited text.
    #[must_use]
    pub fn edited(&self, document: &DocumentMut) -> DataFile {
        DataFile { path: self.path.clone(), text: document.to_string() }
    }

    /// Parses the text. Unknown keys, missing keys and wrong values are errors that name the line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(&self.text)
            .map_err(|error: toml::de::Error| self.syntax_error(error.span(), error.message()))
    }

    /// Parses the text into a document that keeps its layout when it is edited.
    pub fn document(&self) -> Result<DocumentMut> {
        self.text.parse().map_err(|error: TomlError| self.syntax_error(error.span(), error.message()))
    }

    fn syntax_error(&self, span: Option<Range<usize>>, message: &str) -> Error {
        let line = span.map_or(1, |span| self.line(span.start));
        let written = self.text.lines().nth(line - 1).unwrap_or_default().trim();
        let written: String = written.chars().take(120).collect();
        self.error(line, &anyhow!("{message} (the line reads `{written}`)"))
    }

    /// Returns the line of an offset, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.text.get(..offset).unwrap_or(&self.text).matches('\n').count()
    }

    /// Returns an error about a line of this file. It is shortened if it quotes a long value.
    pub fn error(&self, line: usize, error: &Error) -> Error {
        anyhow!("{}:{line}: {}", self.path.display(), excerpt(&format!("{error:#}")))
    }
}
