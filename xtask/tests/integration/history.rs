//! Every file of IANA's history is parsed as expected.
//!
//! `history/expected.txt` has all lines of the oldest file, and the lines of each later one that differ from the file
//! before: the codes and facts as they are, and a hash and a word count of each description. `SMTP_TEST_BLESS=1` writes
//! it again.

use std::fmt::Write as _;
use std::fs;

use similar::{ChangeTag, TextDiff};
use xtask::associated::Associated;
use xtask::quirk::Quirks;
use xtask::registry::{Record, Registry};
use xtask::snapshot::sha256;

use crate::support;

#[test]
fn every_version_is_parsed_as_expected() {
    let Some(files) = support::history() else { return };
    let mut report = String::new();
    let mut before = String::new();
    for path in files {
        let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
        let registry = Registry::read(&fs::read(&path).unwrap(), &mut quirks)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(path.ends_with(format!("{}.xml", registry.updated)), "{} has another date", path.display());
        let now = listing(&registry);
        for change in TextDiff::from_lines(&before, &now).iter_all_changes() {
            let _ = match change.tag() {
                ChangeTag::Equal => Ok(()),
                ChangeTag::Delete => write!(report, "{} - {change}", registry.updated),
                ChangeTag::Insert => write!(report, "{} + {change}", registry.updated),
            };
        }
        before = now;
    }
    let expected = support::root().join("xtask/tests/integration/history/expected.txt");
    if std::env::var_os("SMTP_TEST_BLESS").is_some() {
        fs::write(&expected, &report).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap();
    let diff = TextDiff::from_lines(&expected, &report).unified_diff().to_string();
    assert!(
        diff.is_empty(),
        "the history is not parsed as expected (to accept this, set SMTP_TEST_BLESS=1):\n{diff}"
    );
}

fn listing(registry: &Registry) -> String {
    let mut lines =
        format!("{} | created {} | updated {}\n", registry.title, registry.created, registry.updated);
    let mut push = |record: &Record, associated: Option<&Associated>| {
        let cell = |text: &str| text.replace('\n', "\\n");
        let description = &record.description.text;
        let _ = writeln!(
            lines,
            "{} | {} | {}{} | {} words {} | {} | {} | {} | {} {}",
            record.code.raw,
            cell(&record.sample.raw),
            cell(&record.basic_code.raw),
            associated.map(|associated| format!(" = {}", in_short(associated))).unwrap_or_default(),
            description.split(' ').count(),
            &sha256(description.as_bytes())[..8],
            cell(&record.reference.raw),
            record.submitter.raw,
            record.change_controller.raw,
            record.date.as_deref().unwrap_or("-"),
            record.updated.as_deref().unwrap_or("-"),
        );
    };
    registry.classes.rows.iter().for_each(|row| push(&row.record, None));
    registry.subjects.rows.iter().for_each(|row| push(&row.record, None));
    registry.statuses.rows.iter().for_each(|row| push(&row.record, Some(&row.key.1)));
    lines
}

fn in_short(associated: &Associated) -> String {
    let codes: Vec<String> = associated.codes.iter().map(ToString::to_string).collect();
    let wildcards: Vec<String> =
        associated.class_wildcards.iter().map(|class| format!("{class}XX")).collect();
    format!("{:?} {}", associated.form, [codes, wildcards].concat().join(" ")).trim_end().to_owned()
}
