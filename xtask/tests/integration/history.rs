//! IANA's registry, version by version.
//!
//! `history/facts.txt` has the facts of each version, without IANA's prose. [`histories`] makes registry files of them,
//! so that every test of the history runs everywhere. If `IANA_HISTORY` is set, the tests run on IANA's own files too,
//! and the facts are compared with these.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use similar::TextDiff;
use tempfile::TempDir;
use xtask::associated::Associated;
use xtask::code::{Status, parse_class_pattern, parse_subject_pattern};
use xtask::quirk::Quirks;
use xtask::registry::{Record, Registry, Table};
use xtask::snapshot::sha256;
use xtask::text::{Piece, Reference, RichText};

use crate::support;

/// The files of some versions, by date: `2015-02-04.xml` and so on.
pub(crate) struct History {
    /// The paths, sorted by date.
    pub(crate) files: Vec<PathBuf>,
    /// Whether these are IANA's own files. Otherwise each description is a word count, a hash and its references.
    pub(crate) is_ianas: bool,
    _folder: Option<TempDir>,
}

/// Returns the versions made of the facts and, if `IANA_HISTORY` is set, IANA's own.
pub(crate) fn histories() -> Vec<History> {
    let folder = TempDir::new().unwrap();
    let mut files = Vec::new();
    for (date, lines) in versions(&facts()) {
        let path = folder.path().join(format!("{date}.xml"));
        fs::write(&path, to_xml(&date, &lines)).unwrap();
        files.push(path);
    }
    let mut histories = vec![History { files, is_ianas: false, _folder: Some(folder) }];
    if std::env::var_os("IANA_HISTORY").is_some() {
        let files = support::history().unwrap();
        histories.push(History { files, is_ianas: true, _folder: None });
    }
    histories
}

/// With `SMTP_TEST_BLESS=1`, the facts are written again.
#[test]
fn the_facts_are_those_of_ianas_files() {
    let Some(files) = support::history() else { return };
    for path in files {
        let registry = read(&path);
        assert!(path.ends_with(format!("{}.xml", registry.updated)), "{} has another date", path.display());
        bless(&registry);
        let versions = versions(&facts());
        let facts = versions.get(&registry.updated).map(|lines| whole(&registry.updated, lines));
        let found = whole(&registry.updated, &lines(&registry, true));
        let diff =
            TextDiff::from_lines(facts.as_deref().unwrap_or_default(), &found).unified_diff().to_string();
        assert!(diff.is_empty(), "history/facts.txt (to accept this, set SMTP_TEST_BLESS=1):\n{diff}");
    }
}

/// Writes a version to the facts, if that is asked for. Works with each file by itself, so that a person who has only
/// the newest one can add it.
fn bless(registry: &Registry) {
    if std::env::var_os("SMTP_TEST_BLESS").is_some() && !registry.is_transcribed() {
        let mut versions = versions(&facts());
        versions.insert(registry.updated.clone(), lines(registry, true));
        fs::write(path_of_facts(), to_facts(&versions)).unwrap();
    }
}

#[test]
fn the_facts_are_in_the_notation_that_is_written() {
    assert_eq!(to_facts(&versions(&facts())), facts());
}

#[test]
fn every_version_is_parsed_as_expected() {
    let versions = versions(&facts());
    assert!(versions.len() >= 7);
    for history in histories() {
        assert!(history.is_ianas || history.files.len() == versions.len());
        for path in &history.files {
            let registry = read(path);
            let found = whole(&registry.updated, &lines(&registry, history.is_ianas));
            assert_eq!(found, whole(&registry.updated, &versions[&registry.updated]), "{}", path.display());
            assert!(is_in_order(&registry), "{} has its rows in another order", path.display());
        }
    }
}

/// If the snapshot is IANA's own file and its version is new, `SMTP_TEST_BLESS=1` adds the facts.
#[test]
fn the_snapshot_has_the_facts_of_its_version() {
    let snapshot = read(&support::root().join("registry/smtp-enhanced-status-codes.xml"));
    bless(&snapshot);
    let versions = versions(&facts());
    // A new version may come before its facts.
    let Some(expected) = versions.get(&snapshot.updated) else { return };
    let found = lines(&snapshot, false);
    let facts = |line: &String| {
        let mut fields: Vec<String> = line.split(" | ").map(str::to_owned).collect();
        if fields.len() > 5 {
            // Of the description, only the references.
            let references = fields[1].split("<xref").skip(1).map(|rest| rest.split('>').next().unwrap());
            fields[1] = references.collect();
        }
        fields
    };
    assert_eq!(found.len(), expected.len());
    for (key, line) in expected {
        assert_eq!(found.get(key).map(facts), Some(facts(line)), "{}", name(*key));
    }
}

const HEAD: &str = "\
# The facts of IANA's registry of SMTP enhanced status codes, version by version. The test
# the_facts_are_those_of_ianas_files compares them with IANA's own files, and writes them.
#
# A version has the lines that differ from the version before: all of them in the first version, and `- KEY` for a line
# that is gone. The fields are separated by \" | \":
#   registry | title | created
#   table N | title | references | registration rule | expert
#   CODE | sample text | description | references | submitter | change controller | date | updated | basic code = how it is read
# A description is only counted and hashed, because its words are IANA's: words, the beginning of its SHA-256, references.
";

/// The place of a line: the registry, a table, or a row of it.
type Key = (u8, u16, u16);

/// The fields of each line, joined.
type Lines = BTreeMap<Key, String>;

fn path_of_facts() -> PathBuf {
    support::root().join("xtask/tests/integration/history/facts.txt")
}

fn facts() -> String {
    fs::read_to_string(path_of_facts()).unwrap()
}

/// Returns all lines of each version, by date.
fn versions(facts: &str) -> BTreeMap<String, Lines> {
    let mut versions = BTreeMap::new();
    let (mut date, mut lines) = (None, Lines::new());
    for line in facts.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(next) = line.strip_prefix("version ") {
            versions.extend(date.replace(next.to_owned()).map(|date: String| (date, lines.clone())));
        } else if let Some(gone) = line.strip_prefix("- ") {
            assert!(lines.remove(&key(gone)).is_some(), "{line}");
        } else {
            let (name, fields) = line.split_once(" | ").unwrap();
            lines.insert(key(name), fields.to_owned());
        }
    }
    versions.extend(date.map(|date| (date, lines)));
    versions
}

/// Writes the notation: of each version, what differs from the one before.
fn to_facts(versions: &BTreeMap<String, Lines>) -> String {
    let mut facts = HEAD.to_owned();
    let mut before = &Lines::new();
    for (date, now) in versions {
        let _ = writeln!(facts, "\nversion {date}");
        let changed: Lines = now
            .iter()
            .filter(|(key, line)| before.get(key) != Some(line))
            .map(|(key, line)| (*key, line.clone()))
            .collect();
        facts.push_str(&whole("", &changed));
        for key in before.keys().filter(|key| !now.contains_key(key)) {
            let _ = writeln!(facts, "- {}", name(*key));
        }
        before = now;
    }
    facts
}

/// Returns the lines with their names, after the date.
fn whole(date: &str, lines: &Lines) -> String {
    let mut text = if date.is_empty() { String::new() } else { format!("{date}\n") };
    for (key, fields) in lines {
        let _ = writeln!(text, "{} | {fields}", name(*key));
    }
    text
}

fn key(name: &str) -> Key {
    let table = || name.strip_prefix("table ")?.parse().ok().map(|number: u8| (number, 0, 0));
    let class = || parse_class_pattern(name).map(|class| (1, 1, class.digit().into()));
    let subject = || parse_subject_pattern(name).map(|subject| (2, 1, subject));
    // The subject 0 comes after the line of the table.
    let status = || Status::parse(name).map(|status| (3, status.subject + 1, status.detail));
    let registry = || (name == "registry").then_some((0, 0, 0));
    registry()
        .or_else(table)
        .or_else(class)
        .or_else(subject)
        .or_else(status)
        .unwrap_or_else(|| panic!("{name:?}"))
}

fn name(key: Key) -> String {
    match key {
        (0, ..) => "registry".to_owned(),
        (table, 0, _) => format!("table {table}"),
        (1, _, class) => format!("{class}.XXX.YYY"),
        (2, _, subject) => format!("X.{subject}.YYY"),
        (_, subject, detail) => format!("X.{}.{detail}", subject - 1),
    }
}

/// Makes a file in IANA's schema.
fn to_xml(date: &str, lines: &Lines) -> String {
    let mut xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<registry xmlns=\"http://www.iana.org/assignments\" \
                   id=\"smtp-enhanced-status-codes\">\n"
            .to_owned();
    for (key, line) in lines {
        let fields: Vec<String> = line.split(" | ").map(|field| field.replace("\\n", "\n")).collect();
        let _ = match (key, fields.as_slice()) {
            ((0, ..), [title, created]) => {
                writeln!(xml, "<title>{title}</title><created>{created}</created><updated>{date}</updated>")
            }
            ((number, 0, _), [title, references, rule, expert]) => {
                xml.push_str(if *number > 1 { "</registry>\n" } else { "" });
                writeln!(
                    xml,
                    "<registry id=\"smtp-enhanced-status-codes-{number}\"><title>{title}</title>{references}\
                     <registration_rule>{rule}</registration_rule><expert>{expert}</expert>"
                )
            }
            (_, [sample, description, references, submitter, controller, date, updated, rest @ ..]) => {
                let attribute = |name: &str, value: &String| match value.as_str() {
                    "-" => String::new(),
                    value => format!(" {name}=\"{value}\""),
                };
                let (tag, basic_code) = match rest {
                    [cell] => (
                        "sample",
                        format!(
                            "<basic_code>{}</basic_code>",
                            cell.split(" = ").next().unwrap().trim_end_matches(" =")
                        ),
                    ),
                    _ => ("summary", String::new()),
                };
                writeln!(
                    xml,
                    "<record{}{}><code>{}</code><{tag}>{sample}</{tag}>{basic_code}<description>{description}</description>\
                     <reference>{references}</reference><submitter>{submitter}</submitter>\
                     <change_controller>{controller}</change_controller></record>",
                    attribute("date", date),
                    attribute("updated", updated),
                    name(*key)
                )
            }
            _ => panic!("{}: {line}", name(*key)),
        };
    }
    xml + "</registry>\n<people/>\n</registry>\n"
}

/// Returns the lines of a registry. IANA's descriptions are counted and hashed; others are taken as they are.
fn lines(registry: &Registry, is_ianas: bool) -> Lines {
    let mut lines =
        Lines::from([((0, 0, 0), [escaped(&registry.title), registry.created.clone()].join(" | "))]);
    insert_table(&mut lines, 1, &registry.classes);
    insert_table(&mut lines, 2, &registry.subjects);
    insert_table(&mut lines, 3, &registry.statuses);
    let classes = registry.classes.rows.iter().map(|row| (&row.record, None));
    let subjects = registry.subjects.rows.iter().map(|row| (&row.record, None));
    let statuses = registry.statuses.rows.iter().map(|row| (&row.record, Some(&row.key.1)));
    for (record, associated) in classes.chain(subjects).chain(statuses) {
        lines.insert(key(&record.code.text), row(record, associated, is_ianas));
    }
    lines
}

fn insert_table<K>(lines: &mut Lines, number: u8, table: &Table<K>) {
    let fields = [
        escaped(&table.title),
        markup(&table.reference),
        markup(&table.registration_rule),
        escaped(&table.expert),
    ];
    lines.insert((number, 0, 0), fields.join(" | "));
}

fn row(record: &Record, associated: Option<&Associated>, is_ianas: bool) -> String {
    let date = |date: &Option<String>| date.clone().unwrap_or_else(|| "-".to_owned());
    let description = if is_ianas { counted(&record.description) } else { markup(&record.description) };
    let mut fields = vec![
        escaped(&record.sample.raw),
        description,
        markup(&record.reference),
        escaped(&record.submitter.raw),
        escaped(&record.change_controller.raw),
        date(&record.date),
        date(&record.updated),
    ];
    let read = |read: &Associated| format!("{} = {}", escaped(&record.basic_code.raw), in_short(read));
    fields.extend(associated.map(read));
    fields.join(" | ")
}

/// Returns what may be said of a description without its words.
fn counted(description: &RichText) -> String {
    let text = &description.text;
    if text.is_empty() {
        return String::new();
    }
    let mut counted = format!("{} words {}", text.split(' ').count(), &sha256(text.as_bytes())[..8]);
    description.references().for_each(|reference| counted.extend([" ", &xref(reference)]));
    counted
}

fn markup(text: &RichText) -> String {
    let pieces = text.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => escaped(text),
        Piece::Reference(reference) => xref(reference),
    });
    pieces.collect()
}

fn xref(reference: &Reference) -> String {
    let Reference { kind, data, fragment, label } = reference;
    assert!(fragment.is_none(), "the notation has no fragments");
    match label.as_str() {
        "" => format!("<xref type=\"{kind}\" data=\"{}\"/>", escaped(data)),
        label => format!("<xref type=\"{kind}\" data=\"{}\">{}</xref>", escaped(data), escaped(label)),
    }
}

fn escaped(text: &str) -> String {
    assert!(!text.contains(" | "), "{text:?} has a separator");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "\\n")
}

fn in_short(associated: &Associated) -> String {
    let codes: Vec<String> = associated.codes.iter().map(ToString::to_string).collect();
    let wildcards: Vec<String> =
        associated.class_wildcards.iter().map(|class| format!("{class}XX")).collect();
    format!("{:?} {}", associated.form, [codes, wildcards].concat().join(" ")).trim_end().to_owned()
}

/// Returns whether the rows are in the order of their numbers.
fn is_in_order(registry: &Registry) -> bool {
    registry.classes.rows.is_sorted_by_key(|row| row.key)
        && registry.subjects.rows.is_sorted_by_key(|row| row.key)
        && registry.statuses.rows.is_sorted_by_key(|row| row.key.0)
}

fn read(path: &Path) -> Registry {
    let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
    Registry::read(&fs::read(path).unwrap(), &mut quirks)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
