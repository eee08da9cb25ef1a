//! Compares the snapshot with IANA's own files: it has the same facts and different words, and is valid by IANA's
//! schema. A scanner that works differently finds the same cells.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use xtask::model::Model;
use xtask::quirk::Quirks;
use xtask::registry::{Record, Registry};
use xtask::snapshot::Origin;

use crate::history::histories;
use crate::{line_scan, support};

#[test]
fn every_fact_cell_equals_ianas() {
    let Some(iana) = iana_file_of_the_snapshot() else { return };
    let (ours, iana) = (snapshot(), read(&iana));
    assert_eq!((&ours.title, &ours.created, &ours.updated), (&iana.title, &iana.created, &iana.updated));
    let table = |registry: &Registry| {
        let classes = &registry.classes;
        let subjects = &registry.subjects;
        let statuses = &registry.statuses;
        [
            format!(
                "{} {:?} {:?} {}",
                classes.title, classes.reference, classes.registration_rule, classes.expert
            ),
            format!(
                "{} {:?} {:?} {}",
                subjects.title, subjects.reference, subjects.registration_rule, subjects.expert
            ),
            format!(
                "{} {:?} {:?} {}",
                statuses.title, statuses.reference, statuses.registration_rule, statuses.expert
            ),
        ]
    };
    assert_eq!(table(&ours), table(&iana));
    let (ours, iana) = (records(&ours), records(&iana));
    assert_eq!(ours.len(), iana.len());
    for (ours, iana) in ours.iter().zip(&iana) {
        assert_eq!((&ours.date, &ours.updated), (&iana.date, &iana.updated), "{}", ours.code.raw);
        for ((name, our_cell), (_, iana_cell)) in ours.cells().into_iter().zip(iana.cells()) {
            if name == "description" {
                let references =
                    |cell: &xtask::text::RichText| cell.references().cloned().collect::<Vec<_>>();
                assert_eq!(references(our_cell), references(iana_cell), "description of {}", ours.code.raw);
            } else {
                assert_eq!(our_cell, iana_cell, "{name} of {}", ours.code.raw);
            }
        }
    }
}

#[test]
fn transcribed_descriptions_are_in_our_words() {
    let Some(iana) = iana_file_of_the_snapshot() else { return };
    if Model::load(&support::root()).unwrap().snapshot.origin == Origin::Iana {
        return;
    }
    let (ours, iana) = (snapshot(), read(&iana));
    for (ours, iana) in records(&ours).into_iter().zip(records(&iana)) {
        let theirs: HashSet<Vec<String>> = runs_of_words(&iana.description.text, 6).collect();
        let shared = runs_of_words(&ours.description.text, 6).find(|run| theirs.contains(run));
        assert_eq!(shared, None, "{} shares words with IANA's description", ours.code.text);
        assert!(ours.description.text.len() <= 400, "{} is too long for a summary", ours.code.text);
    }
}

#[test]
fn the_snapshot_says_that_it_is_transcribed() {
    let model = Model::load(&support::root()).unwrap();
    let noted = model.registry.notes.iter().any(|note| note.text.contains("transcription"));
    assert_eq!(noted, model.snapshot.origin == Origin::Transcribed);
}

#[test]
fn the_snapshot_is_valid_by_ianas_schema() {
    if !support::has(["IANA_HISTORY", "xmllint"]) {
        return;
    }
    let history = support::path("IANA_HISTORY").unwrap();
    let schema = history.join("../smtp-enhanced-status-codes/smtp-enhanced-status-codes.rng");
    if !schema.is_file() {
        return support::skip(&format!("IANA's schema {}", schema.display()), "get it from IANA");
    }
    let mut xmllint = Command::new("xmllint");
    let output = xmllint.args(["--noout", "--relaxng"]).arg(schema).arg(snapshot_path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_line_scan_finds_the_same_cells() {
    let mut files = vec![snapshot_path()];
    let histories = histories();
    files.extend(histories.iter().flat_map(|history| history.files.clone()));
    for path in files {
        let scanned = line_scan::records(&fs::read_to_string(&path).unwrap());
        let registry = read(&path);
        let parsed = records(&registry);
        assert_eq!(scanned.len(), parsed.len(), "{}", path.display());
        for (scanned, parsed) in scanned.iter().zip(parsed) {
            let mut cells = vec![("date", parsed.date.clone()), ("updated", parsed.updated.clone())];
            cells.extend(parsed.cells().map(|(name, cell)| (name, Some(cell.raw.clone()))));
            for (name, cell) in cells {
                let cell = cell.filter(|cell| !cell.is_empty());
                let found = scanned.get(name).filter(|cell| !cell.is_empty()).cloned();
                assert_eq!(found, cell, "{}, {name} of {}", path.display(), parsed.code.raw);
            }
        }
    }
}

fn snapshot_path() -> PathBuf {
    support::root().join("registry/smtp-enhanced-status-codes.xml")
}

fn snapshot() -> Registry {
    read(&snapshot_path())
}

fn read(path: &std::path::Path) -> Registry {
    let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
    Registry::read(&fs::read(path).unwrap(), &mut quirks)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns IANA's file with the snapshot's date.
fn iana_file_of_the_snapshot() -> Option<PathBuf> {
    let name = format!("{}.xml", snapshot().updated);
    let found = support::history()?.into_iter().find(|path| path.ends_with(&name));
    if found.is_none() {
        support::skip(&format!("IANA's file {name}"), "add it to IANA_HISTORY");
    }
    found
}

fn records(registry: &Registry) -> Vec<&Record> {
    let classes = registry.classes.rows.iter().map(|row| &row.record);
    let subjects = registry.subjects.rows.iter().map(|row| &row.record);
    classes.chain(subjects).chain(registry.statuses.rows.iter().map(|row| &row.record)).collect()
}

fn runs_of_words(text: &str, length: usize) -> impl Iterator<Item = Vec<String>> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.windows(length).map(<[String]>::to_vec).collect::<Vec<_>>().into_iter()
}
