//! Judges recordings of real servers, and compares the findings with those that were checked by hand.
//!
//! `SMTP_TRANSCRIPTS` names a folder that has a folder of transcripts per server. `recordings/expected.txt` has a line
//! for each rule that a server breaks at level error or warning, with the number of findings. `SMTP_TEST_BLESS=1`
//! rewrites that file.

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
    let Some(folder) = support::path("SMTP_TRANSCRIPTS") else { return };
    let mut lines = String::new();
    for server in entries(&folder) {
        let name = server.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let protocol = match &name {
            name if name.contains("lmtp") => Protocol::Lmtp,
            name if name.contains("submission") => Protocol::Submission,
            _ => Protocol::Smtp,
        };
        for ((level, rule), count) in findings(&server, protocol) {
            writeln!(lines, "{name} {level} {rule} {count}").expect("a string takes all");
        }
    }
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/expected.txt");
    if env::var_os("SMTP_TEST_BLESS").is_some() {
        fs::write(&expected, &lines).expect("the expectation can be written");
    }
    let expected = fs::read_to_string(&expected).expect("the expectation can be read");
    for (found, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
}

fn findings(server: &Path, protocol: Protocol) -> BTreeMap<(Level, String), usize> {
    let mut dialogues = Vec::new();
    for file in entries(server) {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        dialogues
            .extend(transcript::read(&name, protocol, &text).unwrap_or_else(|error| panic!("{error:#}")));
    }
    let mut counts = BTreeMap::new();
    for finding in judge(&dialogues, &Knowledge::default(), Strictness::default()).findings {
        if finding.level > Level::Note {
            *counts.entry((finding.level, finding.rule.to_string())).or_default() += 1;
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
