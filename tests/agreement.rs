//! Checks the library against xtask's model and against the data it was rendered from.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use smtp_enhanced_status::{
    Class, ConflictKind, Listing, Pairing, ReplyCode, Status, entries, judge, known_conflict, reply_codes,
};
use xtask::code::{self, Pair};
use xtask::model::Model;
use xtask::quirk::Quirks;
use xtask::registry::Registry;

use crate::{grid, support};

#[test]
fn the_model_judges_as_the_library() {
    let registry = model().registry;
    let verdicts: Vec<u8> = grid::pairs()
        .map(|(reply_code, code)| {
            grid::letter(as_library(registry.judge(Pair {
                reply_code: code::ReplyCode::new(reply_code.as_u16()).unwrap(),
                class: code::Class::new(code.class().digit()).unwrap(),
                status: code::Status { subject: code.subject(), detail: code.detail() },
            })))
        })
        .collect();
    grid::assert_agree("xtask's model", &verdicts);
}

/// Writes the precedence of the verdicts down once more, using no table of the library or the model.
#[test]
fn both_judge_as_a_plain_reading_of_the_cells() {
    let cells = plain_cells();
    let rows: Vec<Option<&String>> =
        grid::statuses().map(|(subject, detail)| cells.get(&format!("X.{subject}.{detail}"))).collect();
    let verdicts: Vec<u8> = grid::pairs()
        .zip(rows.iter().cycle())
        .map(|((reply_code, code), cell)| {
            let (reply, digit) = (reply_code.to_string(), code.class().to_string());
            match cell.map(String::as_str) {
                _ if !reply.starts_with(&digit) => b'C',
                None => b'U',
                Some("" | "." | "Not given") => b'-',
                Some("Any") => b'L',
                Some(cell) if cell.contains(&reply) || cell.contains(&format!("{digit}XX")) => b'L',
                Some(_) => b'N',
            }
        })
        .collect();
    grid::assert_agree("a plain reading of the cells", &verdicts);
}

#[test]
fn every_version_of_the_registry_can_be_judged() {
    let Some(files) = support::history() else { return };
    let verdict = |registry: &Registry, pair: &str| registry.judge(Pair::parse(pair).unwrap());
    for path in files {
        let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
        let registry = Registry::read(&fs::read(&path).unwrap(), &mut quirks).unwrap();
        let listed_since_2015 = verdict(&registry, "521 5.3.2") == code::Pairing::Listed;
        assert_eq!(listed_since_2015, registry.updated.as_str() >= "2015-05-18", "{}", path.display());
        let registered_since_2019 = verdict(&registry, "550 5.7.30") != code::Pairing::Unregistered;
        assert_eq!(registered_since_2019, registry.updated.as_str() >= "2019-08-05", "{}", path.display());
        assert_eq!(verdict(&registry, "450 5.7.1"), code::Pairing::ClassMismatch);
        assert_eq!(verdict(&registry, "554 5.7.1"), code::Pairing::Unlisted);
        assert_eq!(verdict(&registry, "550 5.1.2"), code::Pairing::NoList);
    }
}

#[test]
fn entries_are_the_rows_of_the_model() {
    let model = model();
    assert_eq!(entries().len(), model.entries.len());
    for (ours, row) in entries().iter().zip(&model.entries) {
        let record = &row.record;
        assert_eq!(ours.status.to_string(), row.status.to_string());
        assert_eq!(ours.identifier, row.annotation.identifier);
        assert_eq!(ours.sample_text, record.sample.text);
        assert_eq!(ours.description, record.description.text);
        assert_eq!(ours.reference, record.reference.text);
        assert_eq!(ours.references.len(), record.reference.references().count());
        assert_eq!(ours.submitter, record.submitter.text);
        assert_eq!(ours.change_controller, record.change_controller.text);
        assert_eq!((ours.date, ours.updated), (record.date.as_deref(), record.updated.as_deref()));
        assert_eq!(format!("{:?}", ours.associated.form), format!("{:?}", row.associated.form));
        let codes: Vec<u16> = ours.associated.codes.iter().map(|code| code.as_u16()).collect();
        assert_eq!(codes, row.associated.codes.iter().map(|code| code.number()).collect::<Vec<_>>());
        assert_eq!(ours.conflicts.len(), row.conflicts.len());
        let raw = [
            ours.raw.code,
            ours.raw.sample_text,
            ours.raw.associated,
            ours.raw.description,
            ours.raw.reference,
            ours.raw.submitter,
            ours.raw.change_controller,
        ];
        assert_eq!(raw, record.cells().map(|(_, cell)| cell.raw.as_str()));
    }
}

#[test]
fn every_entry_is_found_by_code_and_by_identifier() {
    for entry in entries() {
        assert!(entry.status.entry().is_some_and(|found| found == entry), "{}", entry.status);
        assert_eq!(Status::from_identifier(entry.identifier), Some(entry.status));
        let code = entry.status.permanent();
        assert_eq!(code.entry(), Some(entry), "{code}");
    }
    let registered: BTreeSet<Status> = entries().iter().map(|entry| entry.status).collect();
    for subject in 0..=999 {
        for detail in 0..=999 {
            let status = Status::new(subject, detail).unwrap();
            assert_eq!(status.entry().is_some(), registered.contains(&status), "{status}");
        }
    }
    assert_eq!(Status::from_identifier(""), None);
    assert_eq!(Status::from_identifier("ZZZ"), None);
}

#[test]
fn the_inverse_lists_what_the_entries_list() {
    for number in 200..=599 {
        let reply_code = ReplyCode::new(number).unwrap();
        let listed: Vec<(Status, Listing)> =
            reply_code.listed_in().map(|(entry, listing)| (entry.status, listing)).collect();
        for entry in entries() {
            let expected = entry.associated.listing(reply_code).map(|listing| (entry.status, listing));
            assert_eq!(listed.iter().find(|(status, _)| *status == entry.status), expected.as_ref());
        }
    }
}

#[test]
fn every_reply_code_of_the_registry_is_in_the_table() {
    assert!(reply_codes().is_sorted_by_key(|entry| entry.code));
    for code in entries().iter().flat_map(|entry| entry.associated.codes) {
        assert!(code.entry().is_some_and(|entry| entry.code == *code), "{code}");
    }
    for number in 200..=599 {
        let found = ReplyCode::new(number).unwrap().entry();
        assert_eq!(found.is_some(), reply_codes().iter().any(|entry| entry.code.as_u16() == number));
    }
}

/// Each list with a class that the text excludes is a known conflict, and each such conflict is about such a list.
#[test]
fn lists_with_an_excluded_class_are_the_known_conflicts() {
    for entry in entries().iter().filter(|entry| entry.deprecated.is_none()) {
        for &reply_code in entry.associated.codes {
            let Some(class) = reply_code.class() else { continue };
            let conflict = known_conflict(reply_code, entry.status.with_class(class));
            let exceeds = conflict.is_some_and(|conflict| conflict.kind == ConflictKind::ListExceedsText);
            assert_eq!(exceeds, !entry.classes.contains(class), "{reply_code} {}", entry.status);
        }
        for conflict in entry.conflicts {
            let lacking =
                |class: &Class| !entry.associated.codes.iter().any(|code| code.class() == Some(*class));
            assert!(conflict.classes.iter().all(|class| entry.classes.contains(class) && lacking(&class)));
        }
    }
}

/// What a conflict's summary in `annotations.toml` says about a pair is what the registry says.
#[test]
fn summaries_of_conflicts_agree_with_the_registry() {
    for entry in entries() {
        for conflict in entry.conflicts.iter().filter(|conflict| conflict.kind == ConflictKind::RfcAgainstRow)
        {
            for &(reply_code, code) in conflict.pairs {
                let summary = conflict.summary;
                assert!(
                    summary.contains(&reply_code.to_string())
                        || summary.contains("wildcard")
                        || summary.contains("listed, with"),
                    "{summary}"
                );
                let said = (summary.contains("The pair is listed"), summary.contains("The pair is unlisted"));
                let listed = judge(reply_code, code) == Pairing::Listed;
                assert_eq!(said, (listed, !listed), "{reply_code} {code}: {summary}");
            }
        }
        let mut kinds: Vec<_> = entry.conflicts.iter().flat_map(|conflict| conflict.pairs).collect();
        kinds.sort();
        assert!(
            kinds.windows(2).all(|pair| pair[0] != pair[1]),
            "{} has a pair in two conflicts",
            entry.status
        );
    }
}

/// If IANA's description uses one of its set phrases about classes, `annotations.toml` has the same classes.
#[test]
fn classes_agree_with_ianas_phrases() {
    let Some(newest) = support::history().and_then(|files| files.into_iter().next_back()) else { return };
    let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
    let registry = Registry::read(&fs::read(newest).unwrap(), &mut quirks).unwrap();
    let mut held = 0;
    for row in &registry.statuses.rows {
        let text = row.record.description.text.to_lowercase();
        let says = |phrase: &str| text.contains(phrase);
        let classes = if says("both permanent and persistent transient")
            || says("permanent or persistent temporary")
        {
            "4 5"
        } else if says("only useful for permanent")
            || says("useful only as a permanent")
            || says("as a permanent failure")
        {
            "5"
        } else if says("useful only as a persistent transient") || says("used as a persistent transient") {
            "4"
        } else {
            continue;
        };
        let entry = Status::from_bytes(row.record.code.text.as_bytes()).unwrap().entry().unwrap();
        assert_eq!(entry.classes.to_string(), classes, "{}: {text}", entry.status);
        held += 1;
    }
    assert!(held > 20, "only {held} rows use IANA's phrases; have the phrases changed?");
}

/// A row is deprecated if and only if IANA's description says so, and its successor is the row that IANA names.
#[test]
fn deprecated_rows_are_those_that_iana_deprecates() {
    let Some(newest) = support::history().and_then(|files| files.into_iter().next_back()) else { return };
    let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
    let registry = Registry::read(&fs::read(newest).unwrap(), &mut quirks).unwrap();
    for row in &registry.statuses.rows {
        let text = &row.record.description.text;
        let entry = Status::from_bytes(row.record.code.text.as_bytes()).unwrap().entry().unwrap();
        assert_eq!(entry.deprecated.is_some(), text.contains("deprecated"), "{}", entry.status);
        if let Some(deprecation) = entry.deprecated {
            assert!(
                text.contains(&deprecation.successor.to_string()),
                "IANA does not name {} as the successor of {}",
                deprecation.successor,
                entry.status
            );
        }
    }
}

fn model() -> Model {
    Model::load(&support::root()).unwrap()
}

/// The codes and basic codes of the third table, as plain strings.
fn plain_cells() -> HashMap<String, String> {
    let xml = fs::read_to_string(support::root().join("registry/smtp-enhanced-status-codes.xml")).unwrap();
    let cell = |record: &str, tag: &str| {
        let rest = record.split(&format!("<{tag}>")).nth(1)?;
        Some(rest.split(&format!("</{tag}>")).next()?.to_owned())
    };
    let records =
        xml.split("<record").filter(|record| record.contains("<code>X.") && record.contains("<basic_code"));
    records
        .map(|record| (cell(record, "code").unwrap(), cell(record, "basic_code").unwrap_or_default()))
        .collect()
}

fn as_library(pairing: code::Pairing) -> Pairing {
    match pairing {
        code::Pairing::ClassMismatch => Pairing::ClassMismatch,
        code::Pairing::Unregistered => Pairing::Unregistered,
        code::Pairing::Listed => Pairing::Listed,
        code::Pairing::Unlisted => Pairing::Unlisted,
        code::Pairing::NoList => Pairing::NoList,
    }
}
