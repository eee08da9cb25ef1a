//! Judges recordings of real servers, and compares the findings with those that were checked by hand.
//!
//! `recordings/servers` has transcripts of one run against each server, and `recordings/README.md` says how they were
//! made. `SMTP_TRANSCRIPTS` names a folder of more: a folder of transcripts per server.
//!
//! `recordings/expected.txt` and `recordings/expected-more.txt` have a line for each rule that a server breaks at level
//! error or warning, with the number of findings. `SMTP_TEST_BLESS=1` rewrites these files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::{Knowledge, Level, Strictness, judge};

use crate::support;

#[test]
fn real_servers_are_judged_as_expected() {
    assert_judged(&recordings().join("servers"), "expected.txt");
}

#[test]
fn more_servers_are_judged_as_expected() {
    if let Some(folder) = support::path("SMTP_TRANSCRIPTS") {
        assert_judged(&folder, "expected-more.txt");
    }
}

/// Judges the recordings in a folder, and compares the findings with a file in `recordings/`.
fn assert_judged(folder: &Path, expected: &str) {
    let mut lines = String::new();
    for server in entries(folder) {
        let name = server.file_name().unwrap_or_default().to_string_lossy().replace(".txt", "");
        let protocol = match &name {
            name if name.contains("lmtp") => Protocol::Lmtp,
            name if name.contains("submission") => Protocol::Submission,
            _ => Protocol::Smtp,
        };
        for ((level, rule), count) in findings(&server, protocol) {
            writeln!(lines, "{name} {level} {rule} {count}").expect("a string takes all");
        }
    }
    let expected = recordings().join(expected);
    if env::var_os("SMTP_TEST_BLESS").is_some() {
        fs::write(&expected, &lines).expect("the expectation can be written");
    }
    let expected = fs::read_to_string(&expected).expect("the expectation can be read");
    for (found, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
}

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

fn findings(server: &Path, protocol: Protocol) -> BTreeMap<(Level, String), usize> {
    let mut dialogues = Vec::new();
    let files = if server.is_dir() { entries(server) } else { vec![server.to_owned()] };
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        dialogues
            .extend(transcript::read(&name, protocol, &text).unwrap_or_else(|error| panic!("{error:#}")));
    }
    let mut counts = BTreeMap::new();
    for finding in judge(&dialogues, &Knowledge::default(), Strictness::default()).findings {
        if finding.level > Level::Note {
            *counts.entry((finding.level, finding.rule.to_string())).or_default() += 1 + finding.more;
        }
    }
    counts
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
