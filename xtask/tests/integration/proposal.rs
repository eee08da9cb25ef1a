//! `sync --propose` and `--accept-removal`: the data files get what a new registry needs, and do not change otherwise.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use proptest::prelude::*;
use similar::TextDiff;
use xtask::annotation::{Annotations, MAX_IDENTIFIER};
use xtask::associated::Associated;
use xtask::code::Status;
use xtask::data_file::DataFile;
use xtask::model::Model;
use xtask::proposal;
use xtask::symbols::Symbols;

use crate::copy::Copy;
use crate::support;

#[test]
fn new_rows_are_added_in_place_and_nothing_else_changes() {
    let project = Copy::to_render();
    let (annotations, quirks) = (project.annotations(), project.quirks());
    let snapshot = project.snapshot();
    let snapshot = insert_after(&snapshot, "X.7.YYY", &subject("X.8.YYY"));
    let snapshot = insert_after(
        &snapshot,
        "X.1.10",
        &row("X.1.11", "A new, (quite) long status of an address", "550, 451"),
    );
    let snapshot = insert_after(&snapshot, "X.7.30", &row("X.7.31", "Not given at all", "Not given"));
    let snapshot = insert_after(&snapshot, "X.7.31", &row("X.7.32", "Not given at all", "5XX"));
    let snapshot = insert_after(&snapshot, "X.7.32", &row("X.7.33", "Any code", "Any"));
    let snapshot =
        insert_after(&snapshot, "X.7.33", &row("X.8.0", "Other", "250, 450 (other 5XX codes are allowed)"));
    let output = project.sync(&snapshot, &["--propose"]);
    assert_done(&output);

    let expected = [
        ("X.1.10", "X.1.11", "X_1_11", "[4, 5]", FROM_4_AND_5),
        ("X.7.30", "X.7.31", "SEC_NOT_GIVEN_AT_ALL", "[4, 5]", NO_CODES),
        ("X.7.31", "X.7.32", "X_7_32", "[5]", FROM_5),
        ("X.7.32", "X.7.33", "SEC_ANY_CODE", "[4, 5]", ANY_CODE),
        ("X.7.33", "X.8.0", "X8_OTHER", "[2, 4, 5]", FROM_ALL),
    ];
    let mut wanted = annotations.clone();
    for (before, code, identifier, classes, basis) in expected {
        assert!(
            stderr(&output).contains(&format!("{code} is annotated as {identifier}; review it")),
            "{}",
            stderr(&output)
        );
        let end = wanted.find(&format!("code = \"{before}\"")).unwrap();
        let end = end + wanted[end..].find("\n\n").unwrap() + 1;
        wanted.insert_str(end, &proposed(code, identifier, classes, basis));
    }
    assert_same(&project.annotations(), &wanted);
    assert_same(&project.quirks(), &quirks);

    assert_refused(&project.xtask(&["render", "--check"]), "delete `review = true`");
    assert_eq!(project.confirm(), 15);
    assert_done(&project.xtask(&["render", "--check"]));
}

const FROM_5: &str = "its text names no class; its associated codes begin with 5";
const FROM_4_AND_5: &str = "its text names no class; its associated codes begin with 4 and 5";
const FROM_ALL: &str = "its text names no class; its associated codes begin with 2, 4 and 5";
const NO_CODES: &str = "its text names no class; no code is associated with it, so the classes are a guess";
const ANY_CODE: &str =
    "its text names no class; any reply code is associated with it, so the classes are a guess";

fn proposed(code: &str, identifier: &str, classes: &str, basis: &str) -> String {
    format!(
        "\n[[row]]\ncode = \"{code}\"\nidentifier = \"{identifier}\"\nclasses = {classes}\n\
         basis = \"{basis}\"\nsource = \"RFC 9999\"\nreview = true\n"
    )
}

#[test]
fn without_propose_a_new_row_is_refused_with_the_lines_to_add() {
    let project = Copy::to_render();
    let before = project.files("registry");
    let output =
        project.sync(&insert_after(&project.snapshot(), "X.7.30", &row("X.7.31", "New", "550")), &[]);
    assert_refused(&output, "[[row]]\ncode = \"X.7.31\"");
    assert_refused(&output, "or run the same command again with --propose");
    let is_data = |(path, _): &(std::path::PathBuf, Vec<u8>)| !path.ends_with(".lock");
    assert!(project.files("registry").into_iter().filter(is_data).eq(before.into_iter().filter(is_data)));
}

/// Sample texts and references that could end a string, that have no words, or that have the same words.
#[test]
fn hostile_rows_make_valid_tables() {
    let samples = [
        "\"]]\n[[row]]\ncode = \"X.9.9\"",
        "'''\n[[conflict]]\n\"\"\"",
        "\\\" \\u0022 \\n # ${} `",
        "ünï cödé ∞ \u{2028} \u{202e}",
        "¡¿…—!",
        "- - -",
        "7 31",
        "1 2 3 4 5 6 7 8 9 0 1 2 3",
        "review = true",
        "review = true",
        "Same words",
        "Same words",
        "same WORDS",
    ];
    let long = "Supercalifragilisticexpialidocious ".repeat(50);
    let reference = "<xref type=\"text\" data=\"x\">\"\n[[row]] # \\</xref>";
    let project = Copy::to_render();
    let mut snapshot = project.snapshot();
    let mut last = "X.7.30".to_owned();
    for (index, sample) in samples.into_iter().chain([long.as_str()]).enumerate() {
        let code = format!("X.7.{}", 31 + index);
        let row = row(&code, &escape_xml(sample), "550").replace(REFERENCE, reference);
        snapshot = insert_after(&snapshot, &last, &row);
        last = code;
    }
    assert_done(&project.sync(&snapshot, &["--propose"]));
    let model = Model::load(project.root()).unwrap();
    let new: Vec<_> = model.entries.iter().filter(|entry| entry.annotation.review).collect();
    assert_eq!(new.len(), samples.len() + 1);
    for entry in new {
        assert_identifier(&entry.annotation.identifier);
        assert!(
            entry.annotation.identifier.contains('_'),
            "{} is only a prefix",
            entry.annotation.identifier
        );
        assert_eq!(entry.annotation.source, "\" [[row]] # \\");
    }
    assert_eq!(model.entries.len(), 81 + samples.len() + 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    /// Any texts in any number of rows make a file that can be parsed, with valid and unique identifiers.
    #[test]
    fn any_new_rows_make_valid_tables(
        rows in prop::collection::vec((0..=9_u16, 0..=99_u16, "[A-Za-z0-9 _\"\\\\é'\\[\\]\n-]{0,40}|.{0,20}|X|Other|[0-9] [0-9]"), 1..8)
    ) {
        let model = Model::load(&support::root()).unwrap();
        let file = DataFile::read(&support::root().join(ANNOTATIONS)).unwrap();
        let mut registry = model.registry.clone();
        for (subject, detail, sample) in rows {
            let status = Status { subject, detail };
            if registry.status(status).is_none() {
                let mut row = registry.statuses.rows[0].clone();
                row.key = (status, Associated::parse("550").unwrap());
                row.record.sample.text = sample;
                registry.statuses.rows.push(row);
            }
        }
        let current = Annotations::read(&file).unwrap();
        let symbols = Symbols::read(&DataFile::read(&support::root().join(SYMBOLS)).unwrap()).unwrap();
        let proposed = proposal::annotate(&file, &registry, &current, &symbols).unwrap();
        let annotations = Annotations::read(&proposed).unwrap();
        prop_assert_eq!(annotations.rows.len(), registry.statuses.rows.len());
        let identifiers: BTreeSet<_> = annotations.rows.values().map(|row| &row.identifier).collect();
        prop_assert_eq!(identifiers.len(), annotations.rows.len());
        annotations.rows.values().for_each(|row| assert_identifier(&row.identifier));
        let new = annotations.rows.values().filter(|row| !current.rows.contains_key(&row.code));
        for row in new {
            prop_assert!(!symbols.has(&row.identifier), "{} was published before", row.identifier);
        }
        prop_assert!(is_subsequence(file.text(), proposed.text()), "the new file lacks a line of the old one");
    }
}

#[track_caller]
fn assert_identifier(identifier: &str) {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    assert!(
        identifier.starts_with(|c: char| c.is_ascii_uppercase()) && identifier.chars().all(allowed),
        "{identifier}"
    );
    assert!(
        identifier.len() <= MAX_IDENTIFIER && format!("SMTP_ESC_{identifier}").len() <= 31,
        "{identifier}"
    );
}

/// Returns whether the new text has all lines of the old one, in the same order.
fn is_subsequence(old: &str, new: &str) -> bool {
    let mut lines = new.lines();
    old.lines().all(|old| lines.any(|new| new == old))
}

#[test]
fn a_quirk_that_iana_fixed_is_retired_without_other_changes() {
    let project = Copy::to_render();
    project.edit(QUIRKS, "historical = false", "historical   =  false # an unusual line");
    let last = "raw = \".\"\nreads-as = \"\"\n";
    project.edit(QUIRKS, last, &format!("# above\n{last}historical = false # until it is fixed\n"));
    let text = project.quirks();
    let end = text.find("# until it is fixed").unwrap();
    let rest = text[end..].replacen("\nhistorical = false\n", "\n", 1);
    fs::write(project.path(QUIRKS), format!("{}{rest}", &text[..end])).unwrap();
    let (annotations, quirks) = (project.annotations(), project.quirks());

    let fixed = project.snapshot().replacen("<basic_code>.</basic_code>", "<basic_code>550</basic_code>", 1);
    let output = project.sync(&fixed, &[]);
    assert_refused(&output, "no cell of row X.7.28 needs this quirk any more; set `historical = true`");
    assert_refused(&output, "or run the same command again with --propose");
    assert_same(&project.quirks(), &quirks);
    assert_done(&project.xtask(&["render", "--check"]));

    let output = project.sync(&fixed, &["--propose"]);
    assert_done(&output);
    assert!(
        stderr(&output).contains("the quirks of X.7.28 are no longer needed, and were marked"),
        "{}",
        stderr(&output)
    );
    let wanted = quirks.replace("historical = false # until", "historical = true # until");
    assert_same(&project.quirks(), &wanted);
    assert_same(&project.annotations(), &annotations);
    assert_done(&project.xtask(&["render", "--check"]));
}

#[test]
fn an_accepted_removal_removes_only_the_tables_of_its_row() {
    // The first row follows the comment at the head of the file, the second has a conflict, and the third is the last
    // one.
    for code in ["X.0.0", "X.7.17", "X.7.30"] {
        let project = Copy::to_render();
        project.edit(ANNOTATIONS, "code = \"X.1.0\"", "# a comment\ncode    = \"X.1.0\"  # here");
        let (annotations, advice, quirks) = (project.annotations(), project.advice(), project.quirks());
        let removal = format!("--accept-removal={code}");
        assert_done(&project.sync(&without_row(&project.snapshot(), code), &[&removal]));
        assert_same(&project.annotations(), &without_tables(&annotations, code));
        assert_same(&project.advice(), &without_advice(&advice, code));
        assert_same(&project.quirks(), &quirks);
        assert_done(&project.xtask(&["render", "--check"]));
    }
}

#[test]
fn new_advice_repeats_that_of_the_subject_or_the_class_in_its_place() {
    let project = Copy::to_render();
    let before = project.advice();
    let snapshot = insert_after(&project.snapshot(), "X.7.YYY", &subject("X.8.YYY"));
    let snapshot = insert_after(&snapshot, "X.2.4", &row("X.2.5", "New", "457, 559"));
    let snapshot = insert_after(&snapshot, "X.7.30", &row("X.8.0", "Other", "Not given"));
    assert_done(&project.sync(&snapshot, &["--propose"]));

    let mut wanted = before.clone();
    for (last, keys, model) in [
        ("status = \"X.2.4\"\nclass = 5", "status = \"X.2.5\"\nclass = 4", "status = \"X.2.0\"\nclass = 4"),
        ("status = \"X.2.5\"\nclass = 4", "status = \"X.2.5\"\nclass = 5", "status = \"X.2.0\"\nclass = 5"),
        ("status = \"X.7.30\"\nclass = 5", "status = \"X.8.0\"\nclass = 4", "status = \"X.0.0\"\nclass = 4"),
        ("status = \"X.8.0\"\nclass = 4", "status = \"X.8.0\"\nclass = 5", "status = \"X.0.0\"\nclass = 5"),
        (
            "reply-code = 455\nstage = \"rcpt\"",
            "reply-code = 457\nstage = \"any\"",
            "class = 4\nstage = \"any\"",
        ),
        (
            "reply-code = 556\nstage = \"mail\"",
            "reply-code = 559\nstage = \"any\"",
            "class = 5\nstage = \"any\"",
        ),
    ] {
        let model = entry(&before, model).replacen(model, keys, 1);
        let last = entry(&wanted, last).to_owned();
        wanted = wanted.replacen(&last, &format!("{last}\n\n{model}\nreview = true"), 1);
    }
    assert_same(&project.advice(), &wanted);
    assert_refused(
        &project.xtask(&["render", "--check"]),
        "the advice for 4.2.5 is only proposed; confirm its category",
    );
    assert_refused(&project.xtask(&["render", "--check"]), "the advice for 457 is only proposed");
    project.confirm();
    assert_done(&project.xtask(&["render", "--check"]));
}

/// Returns the entry with these keys.
fn entry<'a>(advice: &'a str, keys: &str) -> &'a str {
    let at = advice.find(&format!("[[advice]]\n{keys}\n")).unwrap_or_else(|| panic!("no entry has {keys}"));
    advice[at..].split("\n\n").next().unwrap().trim_end()
}

#[test]
fn advice_for_a_row_that_does_not_exist_is_named() {
    let project = Copy::to_render();
    let path = project.path(ADVICE);
    let stray = entry(&project.advice(), "status = \"X.7.30\"\nclass = 5").replace("X.7.30", "X.7.99");
    fs::write(&path, format!("{}\n{stray}\n", project.advice())).unwrap();
    assert_refused(
        &project.xtask(&["render"]),
        "registry/advice.toml has advice for X.7.99, but the registry has no such row; delete its entries",
    );
}

/// The rows return with sample texts of other rows, from which another identifier would be made.
#[test]
fn a_row_that_comes_back_gets_its_published_identifier() {
    for (code, identifier, basic_code, classes, basis) in [
        ("X.7.28", "SEC_MAIL_FLOOD", ".", "[4, 5]", NO_CODES),
        ("X.7.29", "SEC_ARC_FAIL", "550", "[5]", FROM_5),
        ("X.7.30", "SEC_REQUIRETLS", "550", "[5]", FROM_5),
    ] {
        let project = Copy::to_render();
        let whole = project.snapshot();
        let removal = format!("--accept-removal={code}");
        assert_done(&project.sync(&without_row(&whole, code), &[&removal, "--propose"]));
        let row = row(code, "SPF validation failed", basic_code);
        let back = insert_after(&without_row(&whole, code), "X.7.27", &row);
        let output = project.sync(&back, &["--propose"]);
        assert_done(&output);
        let said = format!("{code} is annotated as {identifier}; review it");
        assert!(stderr(&output).contains(&said), "{}", stderr(&output));
        assert!(project.annotations().contains(&proposed(code, identifier, classes, basis)), "{code}");
    }
}

/// Without the check, these sample texts would lead to names that removed rows had, or that the header uses.
#[test]
fn no_published_name_is_given_to_another_row() {
    let project = Copy::to_render();
    let whole = project.snapshot();
    let without = without_row(&without_row(&whole, "X.7.29"), "X.7.30");
    assert_done(&project.sync(&without, &["--accept-removal=X.7.29", "--accept-removal=X.7.30"]));
    project.edit(SYMBOLS, "\nentries ", "\nSMTP_ESC_SEC_MACRO 0.1.0\nentries ");
    let mut snapshot = without;
    let mut last = "X.7.28".to_owned();
    for (code, sample) in
        [("X.7.31", "ARC fail"), ("X.7.32", "RequireTLS"), ("X.7.33", "macro"), ("X.7.34", "free")]
    {
        snapshot = insert_after(&snapshot, &last, &row(code, sample, "550"));
        last = code.to_owned();
    }
    assert_done(&project.sync(&snapshot, &["--propose"]));
    for (code, identifier) in
        [("X.7.31", "X_7_31"), ("X.7.32", "X_7_32"), ("X.7.33", "X_7_33"), ("X.7.34", "SEC_FREE")]
    {
        assert!(project.annotations().contains(&proposed(code, identifier, "[5]", FROM_5)), "{code}");
    }
}

#[test]
fn a_removal_without_conflicts_in_the_file() {
    let file = DataFile::read(&support::root().join(ANNOTATIONS)).unwrap();
    let rows = &file.text()[..file.text().find("\n[[conflict]]").unwrap()];
    let file = DataFile::new(file.path(), rows);
    let removed = proposal::remove(&file, &[Status { subject: 7, detail: 30 }]).unwrap();
    assert_same(removed.text(), &without_tables(rows, "X.7.30"));
}

#[test]
fn a_removal_together_with_a_new_row() {
    let project = Copy::to_render();
    let annotations = project.annotations();
    let snapshot = insert_after(&project.snapshot(), "X.7.30", &row("X.7.31", "Requires TLS no more", "550"));
    let snapshot = without_row(&snapshot, "X.7.30");
    assert_done(&project.sync(&snapshot, &["--accept-removal=X.7.30", "--propose"]));
    let now = project.annotations();
    let new = proposed("X.7.31", "X_7_31", "[5]", FROM_5);
    assert_same(&now.replace(&new, ""), &without_tables(&annotations, "X.7.30"));
    assert!(now.contains(&new), "{now}");
}

const ANNOTATIONS: &str = "registry/annotations.toml";
const ADVICE: &str = "registry/advice.toml";
const QUIRKS: &str = "registry/quirks.toml";
const SYMBOLS: &str = "registry/symbols-in-versions";
const REFERENCE: &str = "<xref type=\"rfc\" data=\"rfc9999\"/>";

impl Copy {
    fn annotations(&self) -> String {
        fs::read_to_string(self.path(ANNOTATIONS)).unwrap()
    }

    fn advice(&self) -> String {
        fs::read_to_string(self.path(ADVICE)).unwrap()
    }

    fn quirks(&self) -> String {
        fs::read_to_string(self.path(QUIRKS)).unwrap()
    }

    fn snapshot(&self) -> String {
        fs::read_to_string(self.path("registry/smtp-enhanced-status-codes.xml")).unwrap()
    }

    /// Runs `sync` on a file with this text.
    fn sync(&self, text: &str, options: &[&str]) -> Output {
        let path = self.path("candidate.xml");
        fs::write(&path, text).unwrap();
        self.xtask(&[&["sync", "--from", path.to_str().unwrap()], options].concat())
    }
}

fn row(code: &str, sample: &str, basic_code: &str) -> String {
    format!(
        "<record><code>{code}</code><sample>{sample}</sample><basic_code>{basic_code}</basic_code>\
         <description>Words.</description><reference>{REFERENCE}</reference>\
         <submitter>A. Person</submitter><change_controller>IESG</change_controller></record>"
    )
}

fn subject(code: &str) -> String {
    format!(
        "<record><code>{code}</code><summary>Subject</summary><description>Words.</description>\
         <reference>{REFERENCE}</reference><submitter>A. Person</submitter>\
         <change_controller>IESG</change_controller></record>"
    )
}

/// Inserts a record after that of a code.
fn insert_after(snapshot: &str, code: &str, record: &str) -> String {
    let (_, end) = place(snapshot, code);
    format!("{}\n{record}{}", &snapshot[..end], &snapshot[end..])
}

fn without_row(snapshot: &str, code: &str) -> String {
    let (start, end) = place(snapshot, code);
    format!("{}{}", &snapshot[..start], &snapshot[end..])
}

/// Returns where the record of a code begins and ends.
fn place(snapshot: &str, code: &str) -> (usize, usize) {
    let at = snapshot.find(&format!("<code>{code}</code>")).unwrap();
    let end = at + snapshot[at..].find("</record>").unwrap() + "</record>".len();
    (snapshot[..at].rfind("<record").unwrap(), end)
}

/// Returns the text of a data file without the tables of a row. An empty line follows each table.
fn without_tables(text: &str, code: &str) -> String {
    let paragraphs = text.trim_end().split("\n\n");
    let of_row = |paragraph: &str| {
        ["[[row]]\ncode = ", "[[conflict]]\nrow = "]
            .iter()
            .any(|head| paragraph.starts_with(&format!("{head}\"{code}\"")))
    };
    format!("{}\n", paragraphs.filter(|paragraph| !of_row(paragraph)).collect::<Vec<_>>().join("\n\n"))
}

/// Returns the advice without the entries of a row.
fn without_advice(text: &str, code: &str) -> String {
    let paragraphs = text.trim_end().split("\n\n");
    let of_row = |paragraph: &str| paragraph.contains(&format!("\nstatus = \"{code}\"\n"));
    format!("{}\n", paragraphs.filter(|paragraph| !of_row(paragraph)).collect::<Vec<_>>().join("\n\n"))
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[track_caller]
fn assert_same(text: &str, wanted: &str) {
    let diff = TextDiff::from_lines(wanted, text);
    assert!(text == wanted, "{}", diff.unified_diff().header("wanted", "found"));
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
}

#[track_caller]
fn assert_refused(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert!(stderr(output).contains(expected), "{} does not say {expected:?}", stderr(output));
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
