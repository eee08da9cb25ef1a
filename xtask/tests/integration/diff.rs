//! Reports of differences: IANA's history against expectations written by hand, and properties that hold for any two
//! registries.

use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use xtask::annotation::Annotations;
use xtask::diff::{Facts, changes};
use xtask::diff_report::{Format, Report};
use xtask::impact::Semver;
use xtask::quirk::Quirks;
use xtask::registry::Registry;

use crate::copy::Copy;
use crate::history::{History, histories};
use crate::support;

/// Two adjacent dates of the history, the summary, the pairings that change (without groups of many reply codes), and
/// the part of the version. The summary and the part are for the way forward, then for the way back.
type Step = (&'static str, &'static str, [&'static str; 2], &'static [&'static str], [Semver; 2]);

const STEPS: [Step; 6] = [
    (
        "2015-02-04",
        "2015-05-18",
        ["2 references, 1 list of associated codes, 3 dates, 2 other facts, 1 text"; 2],
        &["521 5.3.2: Unlisted -> Listed"],
        [Semver::Patch; 2],
    ),
    ("2015-05-18", "2015-08-24", ["4 references, 2 dates, 1 text"; 2], &[], [Semver::Patch; 2]),
    (
        "2015-08-24",
        "2019-02-25",
        ["+2 rows, 1 reference, 1 date", "-2 rows, 1 reference, 1 date"],
        &["550 5.7.29: Unregistered -> Listed"],
        [Semver::Minor, Semver::Major],
    ),
    (
        "2019-02-25",
        "2019-08-05",
        ["+1 row, 1 reference, 1 date, 1 text", "-1 row, 1 reference, 1 date, 1 text"],
        &["550 5.7.30: Unregistered -> Listed"],
        [Semver::Minor, Semver::Major],
    ),
    ("2019-08-05", "2019-11-27", ["1 reference, 1 date"; 2], &[], [Semver::Patch; 2]),
    ("2019-11-27", "2024-12-06", ["1 reference, 1 date"; 2], &[], [Semver::Patch; 2]),
];

#[test]
fn the_history_changes_as_expected() {
    for (History { files, .. }, step) in
        histories().iter().flat_map(|history| STEPS.map(|step| (history, step)))
    {
        let (old, new, summaries, pairings, semver) = step;
        let find =
            |date: &str| read(files.iter().find(|path| path.ends_with(format!("{date}.xml"))).unwrap());
        let (old, new) = (find(old), find(new));
        let (forth, back) = (report(&old, &new), report(&new, &old));
        assert_eq!([forth.summary.as_str(), &back.summary], summaries, "{} {}", old.updated, new.updated);
        assert_eq!([forth.impact.semver, back.impact.semver], semver);
        let few = |report: &Report| -> Vec<String> {
            let changes = report.impact.pairings.iter().filter(|change| change.reply_codes.len() < 50);
            changes
                .map(|change| {
                    format!(
                        "{} {}: {:?} -> {:?}",
                        change.reply_codes_in_words(),
                        change.code,
                        change.old,
                        change.new
                    )
                })
                .collect()
        };
        assert_eq!(few(&forth), pairings);
        let turned: Vec<String> = few(&back)
            .iter()
            .map(|line| {
                let (pair, verdicts) = line.split_once(": ").unwrap();
                let (old, new) = verdicts.split_once(" -> ").unwrap();
                format!("{pair}: {new} -> {old}")
            })
            .collect();
        assert_eq!(turned, pairings);
    }
}

#[test]
fn a_new_row_is_reported_with_its_identifier_and_pairings() {
    for History { files, .. } in histories() {
        let find = |date: &str| read(files.iter().find(|path| path.ends_with(date)).unwrap());
        let report = report(&find("2019-02-25.xml"), &find("2019-08-05.xml"));
        let text = report.render(Format::Text);
        for line in [
            "2019-02-25 -> 2019-08-05: +1 row, 1 reference, 1 date, 1 text",
            "+ X.7.30",
            "  registry updated: 2019-02-25 -> 2019-08-05",
            "  X.7.29 reference: [RFC-ietf-dmarc-arc-protocol-23] -> [RFC8617]",
            "  version: minor, because X.7.30 gets an identifier",
            "  X.7.30 appears as SEC_REQUIRETLS",
            "  every 4yz 4.7.30: Unregistered -> Unlisted",
            "  every other 5yz 5.7.30: Unregistered -> Unlisted",
        ] {
            assert!(text.lines().any(|printed| printed == line), "{line:?} is not in\n{text}");
        }
    }
}

#[test]
fn the_summary_counts_each_fact_of_the_history_once() {
    for History { files, .. } in histories() {
        let registries: Vec<Registry> = files.iter().map(read).collect();
        for old in &registries {
            for new in &registries {
                assert_counted(&report(old, new));
            }
        }
    }
}

/// The cells of 2019-02-08 and 2019-02-25 are not lists, so no code is added or removed.
#[test]
fn an_irregular_cell_is_counted_too() {
    let xml = snapshot_text();
    let prose = "<basic_code>The message appears to be part of a mail flood.</basic_code>";
    let report = report(&parse(&xml.replacen("<basic_code>.</basic_code>", prose, 1)), &parse(&xml));
    assert_eq!(report.facts.len(), 1);
    assert_eq!(report.summary, "1 list of associated codes");
    assert_counted(&report);
}

/// Fails unless the summary counts as many rows, facts and texts as the report lists, as text and as JSON.
#[track_caller]
fn assert_counted(report: &Report) {
    let json: serde_json::Value = serde_json::from_str(&report.render(Format::Json)).unwrap();
    let listed = |name: &str| json[name].as_array().unwrap().len();
    let summary = json["summary"].as_str().unwrap();
    let text = report.render(Format::Text);
    let headline = text.lines().next().unwrap();
    assert!(headline.ends_with(&format!(": {summary}")), "{headline:?} is not {summary:?}");
    let lines = |heading: &str| {
        let lines = text.lines().skip_while(|line| *line != heading).skip(1);
        lines.take_while(|line| line.starts_with("  ")).count()
    };
    assert_eq!((lines("Facts"), lines("Wording")), (listed("facts"), listed("wording")), "{text}");
    let mut counted = [0; 4];
    for part in summary.split(", ") {
        let Some((number, what)) = part.split_once(' ').filter(|(number, _)| number.parse::<i64>().is_ok())
        else {
            continue;
        };
        let place = match (what.trim_end_matches('s'), number.as_bytes()[0]) {
            ("row", b'+') => 0,
            ("row", _) => 1,
            ("text", _) => 3,
            _ => 2,
        };
        counted[place] += number.trim_start_matches(['+', '-']).parse::<usize>().unwrap();
    }
    assert_eq!(counted, ["added", "removed", "facts", "wording"].map(listed), "{summary}");
}

#[test]
fn a_transcription_is_one_line() {
    let snapshot = read(&support::root().join("registry/smtp-enhanced-status-codes.xml"));
    let name = format!("{}.xml", snapshot.updated);
    for History { files, is_ianas, .. } in histories() {
        // A new snapshot may come before the facts of its version.
        let Some(iana) = files.iter().find(|path| path.ends_with(&name)) else { continue };
        let report = report(&snapshot, &read(iana));
        assert_eq!(report.facts.len(), 0);
        let expected = snapshot.is_transcribed().then_some("summaries replaced by IANA's text");
        assert_eq!(report.summaries.as_deref(), expected);
        // IANA's own words differ from the hashes of the facts.
        assert!(report.wording.is_empty() || (!is_ianas && !snapshot.is_transcribed()));
    }
}

#[test]
fn reports_are_valid_by_their_schema() {
    let schema = std::fs::read_to_string(support::root().join("xtask/schemas/diff.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let histories = histories();
    for pair in histories.iter().flat_map(|history| history.files.windows(2)) {
        for (old, new) in [(0, 1), (1, 0), (0, 0)] {
            let json = report(&read(&pair[old]), &read(&pair[new])).render(Format::Json);
            let json = serde_json::from_str(&json).unwrap();
            let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}

#[test]
fn changes_of_layout_are_not_reported() {
    let xml = snapshot_text();
    let decorated = xml
        .replace("<registry xmlns", "<!-- a comment --><registry xmlns")
        .replace('\n', "\n  ")
        .replace("Vaudreuil", "Vau<!-- -->dreuil")
        .replace("IESG", "<![CDATA[IESG]]>")
        .replace("Sub-Codes", "Sub&#45;Codes");
    let report = report(&parse(&xml), &parse(&decorated));
    assert!(report.is_empty(), "{}", report.render(Format::Text));
    for format in [Format::Text, Format::Markdown, Format::Json] {
        assert!(report.render(format).contains("no semantic change"));
    }
}

#[test]
fn text_of_the_registry_cannot_forge_a_line() {
    let xml = snapshot_text();
    let hostile = xml.replacen("Mailbox full", "\u{202e}\u{9b}2J `x` | &lt;b> &amp;\n+ X.9.9", 1);
    let report = report(&parse(&xml), &parse(&hostile));
    let text = report.render(Format::Text);
    assert!(
        text.contains("\\u{202e}\\u{9b}2J") && !text.lines().any(|line| line.starts_with("+ X.9.9")),
        "{text}"
    );
    let markdown = report.render(Format::Markdown);
    assert!(markdown.contains("\\`x\\` \\| &lt;b> &amp;"), "{markdown}");
}

#[test]
fn the_command_compares_files_revisions_and_the_snapshot() {
    if !support::has(["git"]) {
        return;
    }
    let copy = Copy::to_render();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let output =
            Command::new("git").args(identity).args(arguments).current_dir(copy.root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "snapshot"]);
    let same = copy.xtask(&["diff", "--exit-code"]);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stderr));
    let updated = parse(&snapshot_text()).updated;
    copy.replace_snapshot(
        &snapshot_text().replacen("Mailbox full", "Mailbox is full", 1),
        &updated,
        "transcribed",
    );
    for arguments in
        [&["diff", "--exit-code", "--text"][..], &["diff", "git:HEAD", "snapshot", "--exit-code", "--text"]]
    {
        let output = copy.xtask(arguments);
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("X.2.2 sample text: Mailbox full -> Mailbox is full"), "{said}");
        assert!(said.contains("\n+X.2.2 sample text: Mailbox is full\n"), "{said}");
    }
    let file = copy.path("registry/smtp-enhanced-status-codes.xml");
    assert_eq!(copy.xtask(&["diff", "snapshot", file.to_str().unwrap()]).status.code(), Some(0));
    for (bad, status) in [("git:nothing", 1), ("missing.xml", 1), ("git:--output=x", 2), ("git:", 2)] {
        let output = copy.xtask(&["diff", bad]);
        assert_eq!(output.status.code(), Some(status), "{bad}");
        assert!(!output.stderr.is_empty(), "{bad}");
    }
}

/// A change of a record in a registry file.
#[derive(Clone, Debug)]
enum Edit {
    Remove,
    MoveToFront,
    Renumber(u16),
    Replace(&'static str, String),
    Date(bool),
}

fn edits() -> impl Strategy<Value = Vec<(usize, Edit)>> {
    let text = "[a-z ]{1,12}";
    let codes =
        prop::sample::select(vec!["Any", "Not given", "550", "450, 551", "5XX", "250 or 251", "451/550"]);
    let edit = prop_oneof![
        Just(Edit::Remove),
        Just(Edit::MoveToFront),
        (100_u16..900).prop_map(Edit::Renumber),
        text.prop_map(|text| Edit::Replace("sample", format!("s{text}"))),
        text.prop_map(|text| Edit::Replace("description", format!("d{text}"))),
        text.prop_map(|text| Edit::Replace("submitter", format!("p{text}"))),
        codes.prop_map(|codes| Edit::Replace("basic_code", codes.to_owned())),
        any::<bool>().prop_map(Edit::Date),
    ];
    prop::collection::vec((0_usize..100, edit), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Applying the changes to the old facts returns the new ones, and a registry does not differ from itself.
    #[test]
    fn a_difference_loses_nothing(first in edits(), second in edits()) {
        let (old, new) = (mutated(&first), mutated(&second));
        let (before, after) = (Facts::of(&old), Facts::of(&new));
        let forth = changes(&before, &after);
        prop_assert_eq!(before.clone().with(&forth), after.clone());
        prop_assert_eq!(after.clone().with(&changes(&after, &before)), before.clone());
        prop_assert!(changes(&before, &before).is_empty());
        prop_assert_eq!(forth.is_empty(), before == after);
        assert_counted(&report(&old, &new));
    }

    /// The order of the rows does not matter.
    #[test]
    fn rows_may_be_in_any_order(order in Just((0..100).collect::<Vec<usize>>()).prop_shuffle(), edits in edits()) {
        let fronts: Vec<(usize, Edit)> = order.into_iter().map(|index| (index, Edit::MoveToFront)).collect();
        let shuffled = mutated(&fronts);
        let plain = mutated(&[]);
        let other = mutated(&edits);
        prop_assert!(changes(&Facts::of(&plain), &Facts::of(&shuffled)).is_empty());
        let reports = [report(&plain, &other), report(&shuffled, &other)].map(|report| report.render(Format::Text));
        prop_assert_eq!(&reports[0], &reports[1]);
    }
}

/// Returns the snapshot with some edits of its enumerated statuses.
fn mutated(edits: &[(usize, Edit)]) -> Registry {
    let xml = snapshot_text();
    let third = xml.find("smtp-enhanced-status-codes-3").unwrap();
    let start = third + xml[third..].find("<record").unwrap();
    let end = xml.rfind("</record>").unwrap() + "</record>".len();
    let mut records: Vec<String> =
        xml[start..end].split_inclusive("</record>").map(|record| record.trim_start().to_owned()).collect();
    for (index, edit) in edits {
        let index = index % records.len();
        match edit {
            Edit::Remove if records.len() > 1 => drop(records.remove(index)),
            Edit::Remove => {}
            Edit::MoveToFront => {
                let record = records.remove(index);
                records.insert(0, record);
            }
            Edit::Renumber(detail) => {
                let code = format!("<code>X.7.{detail}</code>");
                if !records.iter().any(|record| record.contains(&code))
                    && !records[index].contains("<sample/>")
                {
                    records[index] = replace_cell(&records[index], "code", &format!("X.7.{detail}"));
                }
            }
            Edit::Replace(tag, text) => records[index] = replace_cell(&records[index], tag, text),
            Edit::Date(updated) => {
                let attribute = if *updated { "updated" } else { "date" };
                if records[index].starts_with("<record>") {
                    records[index] = records[index].replacen(
                        "<record>",
                        &format!("<record {attribute}=\"2025-01-02\">"),
                        1,
                    );
                }
            }
        }
    }
    parse(&format!("{}{}{}", &xml[..start], records.join("\n"), &xml[end..]))
}

fn replace_cell(record: &str, tag: &str, text: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let Some((before, rest)) = record.split_once(&open) else { return record.to_owned() };
    let (_, after) = rest.split_once(&close).unwrap();
    // A row with an irregular cell must not change, because its quirk would no longer match.
    if record.contains("<basic_code>.</basic_code>") {
        record.to_owned()
    } else {
        format!("{before}{open}{text}{close}{after}")
    }
}

fn report(old: &Registry, new: &Registry) -> Report {
    let annotations = Annotations::load(&support::root().join("registry/annotations.toml")).unwrap();
    Report::new(old, new, &annotations, Vec::new())
}

fn snapshot_text() -> String {
    std::fs::read_to_string(support::root().join("registry/smtp-enhanced-status-codes.xml")).unwrap()
}

fn read(path: &PathBuf) -> Registry {
    parse(&std::fs::read_to_string(path).unwrap())
}

fn parse(xml: &str) -> Registry {
    let mut quirks = Quirks::load(&support::root().join("registry/quirks.toml")).unwrap();
    Registry::read(xml.as_bytes(), &mut quirks).unwrap()
}
