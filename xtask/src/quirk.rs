//! `registry/quirks.toml`: irregular cells of the registry, and how they are read.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::code::Status;
use crate::data_file::DataFile;

/// The quirks, each with whether a registry has needed it.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    path: PathBuf,
    quirks: Vec<Quirk>,
}

#[derive(Clone, Debug)]
struct Quirk {
    entry: Entry,
    line: usize,
    used: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    row: Status,
    cells: Vec<String>,
    raw: Option<String>,
    raw_prefix: Option<String>,
    reads_as: String,
    why: String,
    since: String,
    historical: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quirk: Vec<toml::Spanned<Entry>>,
}

/// The cells that may be irregular.
const CELLS: [&str; 6] =
    ["sample", "basic_code", "description", "reference", "submitter", "change_controller"];

impl Quirks {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Quirks> {
        Quirks::read(&DataFile::read(path)?)
    }

    /// Parses a file that has been read.
    pub fn read(file: &DataFile) -> Result<Quirks> {
        let mut quirks = Vec::new();
        for entry in file.parse::<File>()?.quirk {
            let line = file.line(entry.span().start);
            let entry = entry.into_inner();
            check(&entry).map_err(|error| file.error(line, &error))?;
            quirks.push(Quirk { entry, line, used: false });
        }
        Ok(Quirks { path: file.path().to_owned(), quirks })
    }

    /// Returns what to read instead of a cell's text, whose white space must be collapsed, if a quirk covers it.
    pub fn reading(&mut self, row: &str, cell: &str, text: &str) -> Option<String> {
        let quirk = self.quirks.iter_mut().find(|quirk| quirk.entry.covers(row, cell, text))?;
        quirk.used = true;
        Some(quirk.entry.reads_as.clone())
    }

    /// Returns the quirks that no cell needed and that are not marked historical: each position in the file, counted
    /// from 0, and row.
    pub fn unused(&self) -> Vec<(usize, Status)> {
        let quirks = self.quirks.iter().enumerate();
        let unused = quirks.filter(|(_, quirk)| !quirk.used && !quirk.entry.historical);
        unused.map(|(position, quirk)| (position, quirk.entry.row)).collect()
    }

    /// Says which quirks no cell needed, although they are not marked historical.
    pub fn unneeded(&self) -> Vec<String> {
        let unneeded = self.quirks.iter().filter(|quirk| !quirk.used && !quirk.entry.historical);
        let unneeded = unneeded.map(|quirk| {
            format!(
                "{}:{}: no cell of row {} needs this quirk any more; set `historical = true`",
                self.path.display(),
                quirk.line,
                quirk.entry.row
            )
        });
        unneeded.collect()
    }
}

impl Entry {
    fn covers(&self, row: &str, cell: &str, text: &str) -> bool {
        let same_text = match (&self.raw, &self.raw_prefix) {
            (Some(raw), _) => raw == text,
            (None, Some(prefix)) => text.starts_with(prefix.as_str()),
            (None, None) => false,
        };
        same_text && self.row.to_string() == row && self.cells.iter().any(|name| name == cell)
    }
}

fn check(entry: &Entry) -> Result<()> {
    ensure!(
        entry.raw.is_some() != entry.raw_prefix.is_some(),
        "a quirk needs either raw or raw-prefix; write `raw = \"...\"` with the cell's whole text"
    );
    ensure!(
        entry.raw_prefix.as_deref() != Some(""),
        "an empty raw-prefix matches every text; write the first words of the cell"
    );
    ensure!(!entry.cells.is_empty(), "a quirk must name its cells, as in `cells = [\"basic_code\"]`");
    if let Some(cell) = entry.cells.iter().find(|cell| !CELLS.contains(&cell.as_str())) {
        bail!("there is no cell {cell:?}; write one of {CELLS:?}");
    }
    let reads = entry.cells.iter().all(|cell| cell == "basic_code");
    ensure!(
        reads || (entry.raw.as_deref() == Some("") && entry.reads_as.is_empty()),
        "only basic_code can be read as another text; a quirk of another cell says that the cell is empty: write \
         `raw = \"\"` and `reads-as = \"\"`"
    );
    ensure!(!entry.why.is_empty(), "a quirk needs a reason; write `why = \"...\"`");
    let is_date =
        entry.since.len() == 10 && entry.since.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-');
    ensure!(
        is_date,
        "a quirk needs the date since which the cell has the text, as in `since = \"2024-12-06\"`"
    );
    Ok(())
}
