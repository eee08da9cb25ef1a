//! The files with the records of a survey.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::data_file;
use crate::limits::RECORDS_OCTETS;
use crate::record::{self, Record};
use crate::target::Target;

/// The maximum number of octets of a target's name in a file name.
const SHOWN: usize = 100;

/// Returns a file name for each target, in their order.
///
/// # Errors
///
/// Returns an error if two targets would get the same file name, which takes a collision of 32 bits.
pub(super) fn names(targets: &[Target]) -> Result<Vec<String>> {
    let mut taken: HashMap<String, &str> = HashMap::new();
    let name = |target: &'_ Target| format!("{}.jsonl", stem(&target.name));
    let names: Vec<String> = targets.iter().map(name).collect();
    for (name, target) in names.iter().zip(targets) {
        if let Some(other) = taken.insert(name.clone(), &target.name) {
            bail!("{:?} and {other:?} would share the file {name}: rename one of them", target.name);
        }
    }
    Ok(names)
}

/// Returns the stem of a target's file name.
///
/// It is the name of the target if every file system accepts that unchanged. Otherwise it is the part of the name that
/// is safe, followed by `~`, which no unchanged name contains, and the beginning of the name's SHA-256.
fn stem(name: &str) -> String {
    let is_plain =
        |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_.".contains(&octet);
    let begins = |first: u8| first.is_ascii_lowercase() || first.is_ascii_digit();
    if name.len() <= SHOWN && name.bytes().all(is_plain) && name.bytes().next().is_some_and(begins) {
        return name.to_owned();
    }
    let octets = name.bytes().map(|octet| octet.to_ascii_lowercase());
    let mut stem = String::new();
    for octet in octets.map(|octet| if is_plain(octet) { char::from(octet) } else { '-' }) {
        let is_doubled = octet == '-' && stem.ends_with('-');
        let is_odd_at_first = stem.is_empty() && "-.".contains(octet);
        if !is_doubled && !is_odd_at_first {
            stem.push(octet);
        }
    }
    if stem.is_empty() {
        stem.push_str("target");
    }
    stem.truncate(SHOWN);
    stem.push('~');
    for octet in &Sha256::digest(name.as_bytes())[..4] {
        // Writing to a string cannot fail.
        let _ = write!(stem, "{octet:02x}");
    }
    stem
}

/// Locks a folder for one run, until the returned file is dropped or the process ends.
///
/// # Errors
///
/// Returns an error if another run holds the lock, or if the folder cannot be opened.
pub(super) fn hold(folder: &Path) -> Result<File> {
    let name = || folder.display().to_string();
    let held = File::open(folder).with_context(name)?;
    match held.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!(
                "{}: another run is writing its records there; wait until it ends, or choose another folder",
                name()
            )
        }
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(held),
    }
}

/// Writes records to a file, which gets its final name once it is complete.
pub(super) fn write(records: &[Record], file: &Path) -> Result<()> {
    let part = file.with_extension("jsonl.part");
    let writing = || record::write(records, BufWriter::new(File::create(&part)?));
    writing().with_context(|| part.display().to_string())?;
    fs::rename(&part, file).with_context(|| file.display().to_string())
}

/// Returns the records of a file if they are complete, belong to the target, and were written by this version with the
/// current registry.
pub(super) fn complete(target: &Target, file: &Path) -> Option<Vec<Record>> {
    let text = data_file::text(file, RECORDS_OCTETS).ok()?;
    let records = record::read(&file.display().to_string(), &text).ok()?;
    let is_complete = matches!(
        (records.first(), records.last()),
        (Some(Record::Header(header)), Some(Record::Summary(_))) if header.is_current() && header.target == target.name
    );
    is_complete.then_some(records)
}

#[cfg(test)]
mod tests {
    use super::{hold, names, stem};
    use crate::target::Target;

    #[test]
    fn a_file_name_is_safe_and_shows_the_target() {
        assert_eq!(stem("mx-1.example.org_25"), "mx-1.example.org_25");
        assert!(stem("smtp://mx.example.org:25").starts_with("smtp-mx.example.org-25~"));
        let odd =
            ["", ".", "..", "../../etc/passwd", "/etc/passwd", "MX", "mx\0", "-rf", "è", "mx~1", "a\\b"];
        for name in odd.map(str::to_owned).into_iter().chain(["a".repeat(300)]) {
            let stem = stem(&name);
            assert!(stem.len() < 120 && stem.contains('~') && !stem.starts_with(['.', '-']), "{stem}");
            assert!(
                stem.bytes().all(|octet| octet.is_ascii_lowercase() || b"0123456789-_.~".contains(&octet))
            );
        }
    }

    #[test]
    fn a_folder_is_for_one_run_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = hold(folder.path()).expect("the folder is free");
        let error = hold(folder.path()).expect_err("the folder is locked").to_string();
        assert!(error.ends_with("wait until it ends, or choose another folder"), "{error}");
        drop(held);
        assert!(hold(folder.path()).is_ok());
    }

    #[test]
    fn no_two_names_share_a_file() {
        let target =
            |name: &str| Target { name: name.to_owned(), ..Target::read("smtp://a").expect("a URL") };
        let close = ["a/b", "a-b", "a:b", "A-B", "a//b", "a-b~", ".a-b"];
        let mut files = names(&close.map(target)).expect("they are different");
        files.sort();
        files.dedup();
        assert_eq!(files.len(), close.len());
        assert!(names(&[target("a"), target("a")]).is_err());
    }
}
