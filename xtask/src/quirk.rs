//! `registry/quirks.toml`: cells IANA left odd, and how we read them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::code::Status;
use crate::data_file::DataFile;

/// The quirks and which of them a registry has needed.
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

/// The cells that may be odd.
const CELLS: [&str; 6] =
    ["sample", "basic_code", "description", "reference", "submitter", "change_controller"];

impl Quirks {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Quirks> {
        Quirks::read(&DataFile::read(path)?)
    }

    /// Reads a file that is at hand.
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

    /// What to read instead of an odd cell's text (white space collapsed), if a quirk covers it.
    pub fn reading(&mut self, row: &str, cell: &str, text: &str) -> Option<String> {
        let quirk = self.quirks.iter_mut().find(|quirk| quirk.entry.covers(row, cell, text))?;
        quirk.used = true;
        Some(quirk.entry.reads_as.clone())
    }

    /// The quirks that no cell needed and that are not marked historical: position in the file from 0, and row.
    pub fn unused(&self) -> Vec<(usize, Status)> {
        let quirks = self.quirks.iter().enumerate();
        let unused = quirks.filter(|(_, quirk)| !quirk.used && !quirk.entry.historical);
        unused.map(|(position, quirk)| (position, quirk.entry.row)).collect()
    }

    /// Fails on a quirk that no cell needed and that is not marked historical.
    pub fn check_all_used(&self) -> Result<()> {
        match self.quirks.iter().find(|quirk| !quirk.used && !quirk.entry.historical) {
            None => Ok(()),
            Some(quirk) => bail!(
                "{}:{}: no cell of row {} needs this quirk any more; write `historical = true` in it",
                self.path.display(),
                quirk.line,
                quirk.entry.row
            ),
        }
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
        "a quirk has one of raw and raw-prefix; write `raw = \"...\"` with the cell's whole text"
    );
    ensure!(
        entry.raw_prefix.as_deref() != Some(""),
        "an empty raw-prefix fits every text; write its first words"
    );
    ensure!(!entry.cells.is_empty(), "a quirk names its cells; write `cells = [\"basic_code\"]`");
    if let Some(cell) = entry.cells.iter().find(|cell| !CELLS.contains(&cell.as_str())) {
        bail!("no cell is called {cell:?}; write one of {CELLS:?}");
    }
    let reads = entry.cells.iter().all(|cell| cell == "basic_code");
    ensure!(
        reads || (entry.raw.as_deref() == Some("") && entry.reads_as.is_empty()),
        "only basic_code can be read as something else; another cell is odd when it is empty: write `raw = \"\"` \
         and `reads-as = \"\"`"
    );
    ensure!(!entry.why.is_empty(), "a quirk has a reason; write `why = \"...\"`");
    let is_date =
        entry.since.len() == 10 && entry.since.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-');
    ensure!(is_date, "a quirk says since when; write `since = \"2024-12-06\"` or another date");
    Ok(())
}
