//! A sync leaves a tree that `render --check` accepts, or it changes nothing and gives advice that works.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use proptest::prelude::*;
use xtask::check;
use xtask::code::Status;
use xtask::fetch::Validators;
use xtask::gap::Proposals;
use xtask::gate::Allowances;
use xtask::model::Model;
use xtask::render::ALL_KINDS;
use xtask::sync::{Candidate, plan};
use xtask::tree::Tree;

use crate::copy::Copy;
use crate::history::{History, histories};
use crate::support;

const SNAPSHOT: &str = "registry/smtp-enhanced-status-codes.xml";
const ANNOTATIONS: &str = "registry/annotations.toml";
const QUIRKS: &str = "registry/quirks.toml";
const ADVICE: &str = "registry/advice.toml";
const REPLY_CODES: &str = "registry/reply-codes.toml";

// ---- Registries ---------------------------------------------------------------------------------------------------

#[test]
fn every_registry_is_taken_whole_or_not_at_all() {
    let project = Copy::to_render();
    let start = files(&project);
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for (name, registry, removals) in registries(&text) {
        let removals: Vec<String> = removals.iter().map(|row| format!("--accept-removal={row}")).collect();
        let removals: Vec<&str> = removals.iter().map(String::as_str).collect();
        for options in [&removals[..], &[&["--propose"], &removals[..]].concat()] {
            restore(&project, &start);
            let output = sync(&project, &registry, options);
            if output.status.success() {
                confirm(&project, &output);
                taken += 1;
            } else {
                assert!(files(&project) == start, "{name}, {options:?}: refused, and something changed");
                refused += 1;
            }
            assert_done(name, &project.xtask(&["render", "--check"]));
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken >= 25 && refused >= 20, "{taken} taken, {refused} refused");
}

#[test]
fn the_history_is_taken_whole_or_not_at_all() {
    for History { files, .. } in histories() {
        back_and_forth(&files);
    }
}

fn back_and_forth(files: &[PathBuf]) {
    let project = Copy::to_render();
    for file in files.iter().rev().chain(files) {
        let text = fs::read_to_string(file).unwrap();
        let missing: Vec<String> = rows(&fs::read_to_string(project.path(SNAPSHOT)).unwrap())
            .into_iter()
            .filter(|row| !rows(&text).contains(row))
            .map(|row| format!("--accept-removal={row}"))
            .collect();
        let removals: Vec<&str> = missing.iter().map(String::as_str).collect();
        let options = [&["--allow-older"], &removals[..]].concat();
        if !sync(&project, &text, &options).status.success() {
            let output = sync(&project, &text, &[&["--propose"], &options[..]].concat());
            assert_done(&file.display().to_string(), &output);
            confirm(&project, &output);
        }
        assert!(fs::read_to_string(project.path(SNAPSHOT)).unwrap() == text, "{}", file.display());
        assert_done(&file.display().to_string(), &project.xtask(&["render", "--check"]));
    }
}

/// Registries with the rows that they lose.
fn registries(text: &str) -> Vec<(&'static str, String, Vec<&'static str>)> {
    let new =
        |code: &str, sample: &str, basic_code: &str| with_row(text, "X.7.30", &row(code, sample, basic_code));
    let cell = |code: &str, from: &str, to: &str| with_cell(text, code, from, to);
    let subject = |code: &str| row(code, "Subject", "").replace("<basic_code></basic_code>", "");
    let subject = |code: &str| subject(code).replace("sample>", "summary>");
    vec![
        ("another octet", format!("{text}\n"), vec![]),
        ("another date", text.replacen("<updated>2024-12-06<", "<updated>2024-12-07<", 1), vec![]),
        ("another text", cell("X.2.2", "Mailbox full", "Mailbox is full"), vec![]),
        ("another list", cell("X.2.2", "<basic_code>552<", "<basic_code>452, 552<"), vec![]),
        ("a list of a conflict", cell("X.5.3", "<basic_code>451<", "<basic_code>451, 452<"), vec![]),
        ("Any", cell("X.2.2", "<basic_code>552<", "<basic_code>Any<"), vec![]),
        ("the full stop becomes a code", cell("X.7.28", ">.<", ">550<"), vec![]),
        ("the full stop becomes prose", cell("X.7.28", ">.<", ">The message appears to be spam.<"), vec![]),
        ("the full stop becomes Not given", cell("X.7.28", ">.<", ">Not given<"), vec![]),
        (
            "an empty cell is filled",
            cell("X.6.10", "<submitter/>", "<submitter>A. Person</submitter>"),
            vec![],
        ),
        ("an odd cell", cell("X.2.2", "<basic_code>552<", "<basic_code>!<"), vec![]),
        ("an unknown reply code", cell("X.2.2", "<basic_code>552<", "<basic_code>559<"), vec![]),
        ("a new row", new("X.7.31", "New", "550"), vec![]),
        ("a new row without codes", new("X.7.31", "New", "Not given"), vec![]),
        ("a new row of an old name", new("X.7.31", "Other", "550"), vec![]),
        ("a new row with an unknown reply code", new("X.7.31", "New", "559"), vec![]),
        ("a new row without a subject", new("X.8.0", "New", "550"), vec![]),
        (
            "a new row with its subject",
            with_row(&new("X.8.0", "New", "550"), "X.7.YYY", &subject("X.8.YYY")),
            vec![],
        ),
        ("a subject without rows", with_row(text, "X.7.YYY", &subject("X.8.YYY")), vec![]),
        (
            "a long description",
            cell("X.2.2", "<description>", &format!("<description>{}", "x".repeat(600_000))),
            vec![],
        ),
        ("a row goes", without_row(text, "X.7.30"), vec!["X.7.30"]),
        ("a row with a conflict goes", without_row(text, "X.7.17"), vec!["X.7.17"]),
        ("a row with a quirk goes", without_row(text, "X.7.28"), vec!["X.7.28"]),
        ("the deprecated row goes", without_row(text, "X.6.10"), vec!["X.6.10"]),
        ("its successor goes", without_row(text, "X.6.8"), vec!["X.6.8"]),
        ("a row goes and another comes", without_row(&new("X.7.31", "New", "550"), "X.7.30"), vec!["X.7.30"]),
        ("a row goes unaccepted", without_row(text, "X.7.30"), vec![]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    /// Whatever the edits, a plan leaves a consistent tree and, without --propose, nothing to review.
    #[test]
    fn any_plan_leaves_a_whole_tree(edits in edits()) {
        let root = support::root();
        let mut text = fs::read_to_string(root.join(SNAPSHOT)).unwrap();
        let mut removals = Vec::new();
        for edit in edits {
            edit.apply(&mut text, &mut removals);
        }
        let url = "https://www.iana.org/".to_owned();
        let candidate = Candidate { octets: text.into_bytes(), url, validators: Validators::default() };
        let allowances = Allowances { removals, older: false };
        for (propose, proposals) in [(false, Proposals::Refused), (true, Proposals::Allowed)] {
            let Ok(plan) = plan(&root, &candidate, &allowances, propose) else { continue };
            let tree = Tree::at(&root).with(&plan.files);
            let checked = check::sources(&tree, &ALL_KINDS, proposals).unwrap();
            for product in &checked.products {
                prop_assert!(!product.is_stale(&tree).unwrap(), "{} is stale", product.path.display());
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Remove(usize),
    Add(u16, &'static str),
    List(usize, &'static str),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let cells = || prop::sample::select(vec!["Any", "Not given", "550", "450, 551", "5XX", "559", "."]);
    let edit = prop_oneof![
        (0_usize..81).prop_map(Edit::Remove),
        (28_u16..40, cells()).prop_map(|(detail, cell)| Edit::Add(detail, cell)),
        (0_usize..81, cells()).prop_map(|(row, cell)| Edit::List(row, cell)),
        // The row with the irregular cell, more often than the others.
        cells().prop_map(|cell| Edit::List(78, cell)),
    ];
    prop::collection::vec(edit, 0..5)
}

impl Edit {
    fn apply(&self, text: &mut String, removals: &mut Vec<Status>) {
        let rows = rows(text);
        match self {
            Edit::Remove(index) => {
                let row = &rows[index % rows.len()];
                *text = without_row(text, row);
                removals.push(Status::parse(row).unwrap());
            }
            Edit::Add(detail, cell) => {
                let code = format!("X.7.{detail}");
                if !rows.contains(&code) {
                    *text = with_row(text, rows.last().unwrap(), &row(&code, "New words", cell));
                }
            }
            Edit::List(index, cell) => {
                let (start, end) = place(text, &rows[index % rows.len()]);
                let record = text[start..end].to_owned();
                let list =
                    record.split_once("<basic_code>").and_then(|(_, rest)| rest.split_once("</basic_code>"));
                if let Some((list, _)) = list {
                    let from = format!("<basic_code>{list}<");
                    text.replace_range(
                        start..end,
                        &record.replacen(&from, &format!("<basic_code>{cell}<"), 1),
                    );
                }
            }
        }
    }
}

// ---- Advice -------------------------------------------------------------------------------------------------------

#[test]
fn a_row_that_was_annotated_before_is_taken() {
    let project = Copy::to_render();
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let registry = with_row(&text, "X.7.30", &row("X.7.31", "New", "550"));
    let refused = sync(&project, &registry, &[]);
    let advice = stderr(&refused);
    assert_refused(
        &refused,
        "fill in these lines and add them to registry/annotations.toml:\n\n[[row]]\ncode = \"X.7.31\"",
    );
    assert!(advice.ends_with("\nor run the same command again with --propose\n"), "{advice}");
    let row = &advice[advice.find("[[row]]").unwrap()..advice.find("\n\nregistry/advice.toml").unwrap()];
    let row = row.replacen("\"...\"", "\"SEC_NEW\"", 1).replace("...", "words");
    project.edit(ANNOTATIONS, "\n[[conflict]]", &format!("\n{row}\n\n[[conflict]]"));
    add_advice(&project, &advice);
    let output = sync(&project, &registry, &[]);
    assert_done("annotated by hand", &output);
    assert!(stdout(&output).contains("X.7.31 appears as SEC_NEW"), "{}", stdout(&output));
    assert_done("annotated by hand", &project.xtask(&["render", "--check"]));
}

#[test]
fn a_reply_code_that_was_added_before_is_taken() {
    let project = Copy::to_render();
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let registry = with_cell(&text, "X.2.4", "<basic_code>450, 452<", "<basic_code>450, 452, 559<");
    let refused = sync(&project, &registry, &[]);
    assert_refused(
        &refused,
        "registry/reply-codes.toml does not have: 559 (of X.2.4); fill in these lines and add them in numerical order:\n\n\
         [[reply-code]]\ncode = 559",
    );
    assert_refused(&refused, "or run the same command again with --propose");
    add_advice(&project, &stderr(&refused));
    let entry = "\n[[reply-code]]\ncode = 559\nname = \"NEW\"\nmeaning = \"m\"\nclient = \"c\"\nsources = [\"RFC 9999\"]\n";
    let path = project.path(REPLY_CODES);
    fs::write(&path, format!("{}{entry}", fs::read_to_string(&path).unwrap())).unwrap();
    assert_done("added by hand", &sync(&project, &registry, &[]));
    assert_done("added by hand", &project.xtask(&["render", "--check"]));
}

#[test]
fn a_quirk_that_was_retired_before_is_taken() {
    let project = Copy::to_render();
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let registry = with_cell(&text, "X.7.28", ">.<", ">550<");
    assert_refused(&sync(&project, &registry, &[]), "needs this quirk any more; set `historical = true`");
    let quirks = fs::read_to_string(project.path(QUIRKS)).unwrap();
    let end = quirks.find("raw = \".\"").unwrap();
    let (before, after) = quirks.split_at(end);
    fs::write(project.path(QUIRKS), format!("{before}{}", after.replacen("= false", "= true", 1))).unwrap();
    assert_done("retired by hand", &sync(&project, &registry, &[]));
    assert_done("retired by hand", &project.xtask(&["render", "--check"]));
}

#[test]
fn proposals_must_be_reviewed_before_the_next_sync() {
    let project = Copy::to_render();
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let first = with_row(&text, "X.7.30", &row("X.7.31", "New", "550"));
    let second = with_cell(&first, "X.2.2", "Mailbox full", "Mailbox is full");
    assert_done("the first", &sync(&project, &first, &["--propose"]));
    let refused = sync(&project, &second, &[]);
    assert_refused(&refused, "X.7.31 (SEC_NEW) is only proposed; confirm its identifier");
    assert_refused(&refused, "or run the same command again with --propose");
    let output = sync(&project, &second, &["--propose"]);
    assert_done("the second", &output);
    confirm(&project, &output);
    assert_done("reviewed", &project.xtask(&["render", "--check"]));
}

#[test]
fn a_file_that_is_not_a_product_is_named() {
    let project = Copy::to_render();
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let registry = with_cell(&text, "X.2.2", "Mailbox full", "Mailbox is full");
    fs::write(project.path("generated/tables/old.csv"), "").unwrap();
    let refused = sync(&project, &registry, &[]);
    assert_refused(&refused, "old.csv is not a product; delete it");
    assert!(!stderr(&refused).contains("--propose"), "--propose does not help: {}", stderr(&refused));
    fs::remove_file(project.path("generated/tables/old.csv")).unwrap();
    fs::remove_dir_all(project.path("generated")).unwrap();
    assert_done("without generated/", &sync(&project, &registry, &[]));
    assert_done("without generated/", &project.xtask(&["render", "--check"]));
}

/// The products that the report names are the files that change, apart from the hash of the snapshot in them.
#[test]
fn the_products_that_change_are_named() {
    let project = Copy::to_render();
    let start = files(&project);
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let sha256 = |project: &Copy| Model::load(project.root()).unwrap().snapshot.sha256;
    let cases = [
        (with_row(&text, "X.7.30", &row("X.7.31", "New", "550")), "--propose"),
        (with_row(&text, "X.7.30", &row("X.7.31", "New", "Not given")), "--propose"),
        (with_row(&text, "X.7.30", &row("X.7.31", "New", "450, 557")), "--propose"),
        (without_row(&text, "X.7.30"), "--accept-removal=X.7.30"),
        (with_cell(&text, "X.2.2", "Mailbox full", "Mailbox is full"), "--timeout=1"),
    ];
    for (registry, option) in cases {
        restore(&project, &start);
        let before = sha256(&project);
        let output = sync(&project, &registry, &[option, "--format=json"]);
        assert_done(option, &output);
        let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        let mut named: Vec<&str> =
            report["products"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
        named.sort_unstable();
        let after = sha256(&project);
        let mut changed = Vec::new();
        for (path, contents) in project.files("generated") {
            let (_, old) = start.iter().find(|(old, _)| *old == path).unwrap();
            let old = String::from_utf8(old.clone()).unwrap().replace(&before, &after);
            if old.as_bytes() != contents {
                changed.push(path.strip_prefix(project.root()).unwrap().to_str().unwrap().to_owned());
            }
        }
        assert_eq!(named, changed, "{option}");
        assert!(changed.len() < 18, "{changed:?}");
    }
}

/// Adds the entries that a refusal asks for to the advice.
fn add_advice(project: &Copy, refusal: &str) {
    let lines = &refusal[refusal.find("[[advice]]").unwrap()..refusal.find("\n\nor run").unwrap()];
    let lines = lines.replace("category = \"...\"", "category = \"policy\"").replace("...", "Words.");
    let path = project.path(ADVICE);
    fs::write(&path, format!("{}\n{lines}\n", fs::read_to_string(&path).unwrap())).unwrap();
}

// ---- Helpers ------------------------------------------------------------------------------------------------------

/// Runs `sync` on a file with this text.
fn sync(project: &Copy, text: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candidate.xml");
    fs::write(&path, text).unwrap();
    project.xtask(&[&["sync", "--from", path.to_str().unwrap()], options].concat())
}

/// Confirms the entries that a sync asked to review. Fails if there are others.
fn confirm(project: &Copy, output: &Output) {
    let asked = stderr(output).matches("review it and delete `review = true`").count();
    if asked > 0 {
        assert_refused(&project.xtask(&["render", "--check"]), "delete `review = true`");
    }
    assert_eq!(project.confirm(), asked, "{}", stderr(output));
}

type Files = Vec<(PathBuf, Vec<u8>)>;

/// Returns the files in `registry/` and `generated/`, except the lock.
fn files(project: &Copy) -> Files {
    let mut files = [project.files("registry"), project.files("generated")].concat();
    files.retain(|(path, _)| !path.ends_with("registry/.lock"));
    files
}

fn restore(project: &Copy, files: &Files) {
    for folder in ["registry", "generated"] {
        fs::remove_dir_all(project.path(folder)).unwrap();
    }
    for (path, contents) in files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
}

/// Returns the codes of the rows of the third table.
fn rows(text: &str) -> Vec<String> {
    let third = &text[text.find("smtp-enhanced-status-codes-3").unwrap()..];
    let codes = third.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    codes.collect()
}

fn row(code: &str, sample: &str, basic_code: &str) -> String {
    format!(
        "<record><code>{code}</code><sample>{sample}</sample><basic_code>{basic_code}</basic_code>\
         <description>Words.</description><reference><xref type=\"rfc\" data=\"rfc9999\"/></reference>\
         <submitter>A. Person</submitter><change_controller>IESG</change_controller></record>"
    )
}

fn with_row(text: &str, before: &str, record: &str) -> String {
    let (_, end) = place(text, before);
    format!("{}\n{record}{}", &text[..end], &text[end..])
}

fn without_row(text: &str, code: &str) -> String {
    let (start, end) = place(text, code);
    format!("{}{}", &text[..start], &text[end..])
}

#[track_caller]
fn with_cell(text: &str, code: &str, from: &str, to: &str) -> String {
    let (start, end) = place(text, code);
    assert!(text[start..end].contains(from), "{code} has no {from}: {}", &text[start..end]);
    format!("{}{}{}", &text[..start], text[start..end].replacen(from, to, 1), &text[end..])
}

/// Returns where the record of a code begins and ends.
fn place(text: &str, code: &str) -> (usize, usize) {
    let at = text.find(&format!("<code>{code}</code>")).unwrap();
    let end = at + text[at..].find("</record>").unwrap() + "</record>".len();
    (text[..at].rfind("<record").unwrap(), end)
}

#[track_caller]
fn assert_done(name: &str, output: &Output) {
    assert!(output.status.success(), "{name}: {}{}", stdout(output), stderr(output));
}

#[track_caller]
fn assert_refused(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert!(stderr(output).contains(expected), "{} does not say {expected:?}", stderr(output));
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
