//! What tests need from outside the project, and what happens where it is missing.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's root.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if manifest.join("registry").is_dir() { manifest } else { manifest.parent().unwrap() };
    root.to_owned()
}

/// A program of the machine; without it the test is skipped, or fails under `SMTP_TEST_ALL=1`.
pub fn program(name: &str) -> Option<Command> {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(name).is_file());
    if found { Some(Command::new(name)) } else { missing(&format!("the program {name}")) }
}

/// IANA's registry files by date, `2015-02-04.xml` and so on, from the folder that `IANA_HISTORY` names. An empty
/// `IANA_HISTORY` says that they are not at hand, and skips their tests even under `SMTP_TEST_ALL=1`.
pub fn history() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("IANA_HISTORY") else {
        return missing("a folder of IANA's files (IANA_HISTORY)");
    };
    if folder.is_empty() {
        eprintln!("skipped: IANA_HISTORY is empty");
        return None;
    }
    let folder = PathBuf::from(folder);
    let files = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("IANA_HISTORY={}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    assert!(!files.is_empty(), "IANA_HISTORY={} has no .xml file", folder.display());
    Some(files)
}

/// Says that something is missing; under `SMTP_TEST_ALL=1` that is a failure.
pub fn missing<T>(what: &str) -> Option<T> {
    let all = std::env::var_os("SMTP_TEST_ALL").is_some_and(|value| value == "1");
    assert!(!all, "{what} is missing, and SMTP_TEST_ALL=1 asks for every test");
    eprintln!("skipped: {what} is missing");
    None
}
