//! What tests need from outside the project, and what they do if it is missing.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, thread};

use prerequisite::Prerequisite;

#[path = "../../xtask/src/prerequisite.rs"]
mod prerequisite;

/// Returns the project's root.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if manifest.join("registry").is_dir() { manifest } else { manifest.parent().unwrap() };
    root.to_owned()
}

/// Returns whether this machine has all of these prerequisites. If not, reports what the running test skips.
pub fn has<const N: usize>(names: [&str; N]) -> bool {
    present(&names).len() == N
}

/// Returns those of these prerequisites that this machine has, and reports what the running test skips because the
/// others are missing.
pub fn present<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let (present, missing): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| find(name).is_met());
    if !missing.is_empty() {
        skip_without(&missing);
    }
    present
}

/// Returns an `unshare` command with the options of a prerequisite. It runs the arguments that are appended to it.
pub fn unshare(name: &str) -> Option<Command> {
    has([name]).then(|| prerequisite::unshare(name)).flatten()
}

/// Returns the path in an environment variable.
pub fn path(variable: &str) -> Option<PathBuf> {
    has([variable]).then(|| env::var_os(variable).unwrap_or_default().into())
}

/// Returns IANA's registry files in the folder `IANA_HISTORY`, sorted by date: `2015-02-04.xml` and so on.
pub fn history() -> Option<Vec<PathBuf>> {
    let folder = path("IANA_HISTORY")?;
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("IANA_HISTORY={}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    assert!(!files.is_empty(), "IANA_HISTORY={} has no .xml file", folder.display());
    Some(files)
}

/// Reports that the running test skips the checks that need something. With `SMTP_TEST_ALL=1`, fails instead.
pub fn skip(what: &str, remedy: &str) {
    let all = env::var_os("SMTP_TEST_ALL").is_some_and(|value| value == "1");
    assert!(!all, "SMTP_TEST_ALL=1 is set, but {what} is missing: {remedy}");
    report_skip(what, remedy);
}

/// Skips checks because prerequisites are missing. Those listed in `SMTP_TEST_WITHOUT` may be missing even with
/// `SMTP_TEST_ALL=1`.
fn skip_without(missing: &[&str]) {
    let without = env::var("SMTP_TEST_WITHOUT").unwrap_or_default();
    let excused: Vec<&str> =
        without.split(',').filter(|name| !name.is_empty()).map(|name| find(name).name).collect();
    let is_excused = missing.iter().all(|name| excused.contains(name));
    let prerequisites: Vec<Prerequisite> = missing.iter().map(|name| find(name)).collect();
    let report = if is_excused { report_skip } else { skip };
    report(&missing.join(", "), &prerequisite::remedy(&prerequisites));
}

fn find(name: &str) -> Prerequisite {
    Prerequisite::find(name).unwrap_or_else(|| panic!("xtask/src/prerequisite.rs has no {name:?}"))
}

/// Writes to standard error directly, because libtest hides what a passing test prints with macros.
fn report_skip(what: &str, remedy: &str) {
    let thread = thread::current();
    let line =
        format!("skipped in {}: checks that need {what} ({remedy})\n", thread.name().unwrap_or("a test"));
    let _ = io::stderr().write_all(line.as_bytes());
}
