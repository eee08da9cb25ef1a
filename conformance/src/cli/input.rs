//! Reads input: files, folders and standard input.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::data_file;
use crate::limits::RECORDS_OCTETS;
use crate::record::{self, Record};

/// Reads a file of records. `-` is standard input.
pub(super) fn records(file: &Path) -> Result<Vec<Record>> {
    let name = file.display().to_string();
    let records = record::read(&name, &text(file, RECORDS_OCTETS)?)?;
    ensure!(!records.is_empty(), "{name}: no records in the file; the run that wrote it did not finish");
    Ok(records)
}

/// Returns the path itself, or if it is a folder, its files in the order of their names.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

/// Reads a file of at most `limit` octets. `-` is standard input.
pub(super) fn text(file: &Path, limit: u64) -> Result<String> {
    if file == Path::new("-") {
        data_file::read(std::io::stdin(), limit).context("standard input")
    } else {
        data_file::text(file, limit)
    }
}
