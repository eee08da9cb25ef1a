//! Comparisons: when two findings are the same, and which are new, changed or gone.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use smtp_conformance::dialogue::Part;
use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::record::comparison::Comparison;
use smtp_conformance::record::index::RecordIndex;
use smtp_conformance::record::outcome::Outcome;
use smtp_conformance::record::{self, Record, Subject};
use smtp_conformance::report::{self, Style};
use smtp_conformance::{Knowledge, Level, Strictness, judge};

/// The reply to NOOP has no enhanced status code, although the reply to EHLO announces them.
const SPOKEN: &str = "\
#: connected
S: 220 mx1.example.org ESMTP, 2026-01-02 03:04:05
C: EHLO client-1.example.org
S: 250-mx1.example.org
S: 250 ENHANCEDSTATUSCODES
C: NOOP 17
S: 250 Ok, queued as 4F2A81, 3 messages
C: QUIT
S: 221 2.0.0 Bye
#: closed by server
";

fn records(name: &str, text: &str) -> Vec<Record> {
    let dialogues = transcript::read(name, Protocol::Smtp, text).expect("a transcript");
    let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
    record::records(
        &Subject::named("target"),
        Outcome::of_recordings(dialogues, judgement).without_baseline(),
    )
}

/// Returns the rules of the new, changed and gone findings, and how many findings are the same.
fn compared(before: &[Record], after: &[Record]) -> (Vec<String>, Vec<String>, Vec<String>, usize) {
    let (before, after) = (RecordIndex::of(before), RecordIndex::of(after));
    let comparison = Comparison::of(&before, &after);
    let rules = |list: &[smtp_conformance::record::comparison::Difference<'_>]| {
        list.iter().map(|difference| difference.identity.rule.clone()).collect::<Vec<_>>()
    };
    (rules(&comparison.new), rules(&comparison.changed), rules(&comparison.gone), comparison.same)
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_finding_is_the_same_if_only_texts_hosts_counts_or_locations_differ() {
    let before = records("runs/monday/noop.txt", SPOKEN);
    let findings = RecordIndex::of(&before).findings.len();
    assert!(findings > 0);
    let same = (none(), none(), none(), findings);
    let other = SPOKEN
        .replace("mx1.example.org", "mail-7.example.net")
        .replace("client-1.example.org", "localhost.localdomain")
        .replace("2026-01-02 03:04:05", "Tue, 3 Feb 2026")
        .replace("NOOP 17", "NOOP 4711")
        .replace("4F2A81, 3 messages", "BBB000, 1 message");
    assert_eq!(compared(&before, &records(r"D:\tuesday\noop.txt", &other)), same);
    let noop = "C: NOOP 17\nS: 250 Ok, queued as 4F2A81, 3 messages\n";
    let moved = SPOKEN.replace(noop, &format!("C: RSET\nS: 250 2.0.0 Ok\n{noop}{noop}"));
    assert_eq!(compared(&before, &records("noop.txt", &moved)), same);
    let quiet = SPOKEN.replace("250 Ok", "250 2.0.0 Ok");
    let second = records("noop.txt", &format!("{quiet}{SPOKEN}"));
    assert_eq!(compared(&before, &second), same);
}

#[test]
fn a_different_act_connection_or_code_makes_a_different_finding() {
    let before = records("noop.txt", SPOKEN);
    let rule = vec!["enhanced-code-present".to_owned()];
    let coded = records("noop.txt", &SPOKEN.replace("250 Ok", "250 2.0.0 Ok"));
    assert_eq!(compared(&coded, &before), (rule.clone(), none(), none(), 0));
    assert_eq!(compared(&before, &coded), (none(), none(), rule.clone(), 0));
    let elsewhere = records("other.txt", SPOKEN);
    assert_eq!(compared(&before, &elsewhere), (rule.clone(), none(), rule.clone(), 0));
    let other = records("noop.txt", &SPOKEN.replace("NOOP 17", "RSET"));
    assert_eq!(compared(&before, &other), (rule.clone(), none(), rule.clone(), 0));
    let refused = records("noop.txt", &SPOKEN.replace("250 Ok", "500 No"));
    let (_, changed, gone, _) = compared(&before, &refused);
    assert_eq!((changed, gone), (rule, none()));
}

/// Several cases can share a connection.
#[test]
fn acts_of_a_case_on_a_shared_connection_count_as_tried() {
    let shared = |spoken: &str| {
        let mut records = records("noop.txt", spoken);
        for record in &mut records {
            match record {
                Record::Dialogue(opening) => {
                    opening.name = "session".to_owned();
                    opening.cases = vec![Part { case: "noop".to_owned(), first: 0 }];
                }
                Record::Finding(found) => found.case = Some("noop".to_owned()),
                _ => {}
            }
        }
        records
    };
    let (before, after) = (shared(SPOKEN), shared(&SPOKEN.replace("250 Ok", "250 2.0.0 Ok")));
    let comparison = Comparison::of(&RecordIndex::of(&before), &RecordIndex::of(&after));
    assert_eq!(comparison.gone.iter().map(|gone| gone.tried).collect::<Vec<_>>(), [true]);
}

#[test]
fn findings_not_tried_again_differ_from_fixed_ones() {
    let before = records("noop.txt", SPOKEN);
    for (after, tried) in [
        (records("noop.txt", &SPOKEN.replace("250 Ok", "250 2.0.0 Ok")), true),
        (
            records("noop.txt", &SPOKEN.replace("C: NOOP 17\nS: 250 Ok, queued as 4F2A81, 3 messages\n", "")),
            false,
        ),
    ] {
        let (before, after) = (RecordIndex::of(&before), RecordIndex::of(&after));
        let comparison = Comparison::of(&before, &after);
        assert_eq!(comparison.gone.iter().map(|gone| gone.tried).collect::<Vec<_>>(), [tried]);
        assert_eq!(comparison.worst(), None);
        let text = report::comparison::render(&comparison, &before, &after, Style::default());
        assert!(text.ends_with(" not tried again), 0 as before\n"), "{text}");
        assert_eq!(text.contains("(nothing like it was tried after)"), !tried, "{text}");
    }
}

#[test]
fn a_raised_level_counts_like_a_new_finding() {
    let error = records("noop.txt", SPOKEN);
    let mut note = error.clone();
    for record in &mut note {
        if let Record::Finding(found) = record {
            found.level = Level::Note;
        }
    }
    let (error, note) = (RecordIndex::of(&error), RecordIndex::of(&note));
    let raised = Comparison::of(&note, &error);
    assert_eq!((raised.changed.len(), raised.worst()), (1, Some(Level::Error)));
    let lowered = Comparison::of(&error, &note);
    assert_eq!((lowered.changed.len(), lowered.worst()), (1, None));
}

#[test]
fn incomplete_or_forged_records_can_be_compared() {
    let whole = records("\u{1b}[2J\u{202e}noop.txt", &SPOKEN.replace("NOOP 17", r"NOOP \x1b[2J"));
    for records in [&whole[..0], &whole[1..], &whole[whole.len() - 3..]] {
        for (before, after) in [(records, &whole[..]), (&whole[..], records)] {
            let (before, after) = (RecordIndex::of(before), RecordIndex::of(after));
            let comparison = Comparison::of(&before, &after);
            let text = report::comparison::render(&comparison, &before, &after, Style::default());
            let mut controls = text.chars().filter(|character| character.is_control() && *character != '\n');
            assert_eq!(controls.next(), None, "{text:?}");
            assert!(!text.contains('\u{202e}'));
        }
    }
}

#[test]
fn equal_differences_are_one_block() {
    let spoken = |names: &[&str]| {
        let part = |name: &&str| transcript::read(name, Protocol::Smtp, SPOKEN).expect("a transcript");
        let dialogues: Vec<_> = names.iter().flat_map(part).collect();
        let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
        record::records(
            &Subject::named("target"),
            Outcome::of_recordings(dialogues, judgement).without_baseline(),
        )
    };
    let (before, after) = (spoken(&["a", "b", "c", "d"]), spoken(&[]));
    let (before, after) = (RecordIndex::of(&before), RecordIndex::of(&after));
    for (first, second) in [(&before, &after), (&after, &before)] {
        let text =
            report::comparison::render(&Comparison::of(first, second), first, second, Style::default());
        assert!(text.contains("error enhanced-code-present, 4 times"), "{text}");
        assert!(text.contains("\n  in a, on NOOP 0\n  and in b, c, d\n"), "{text}");
        assert_eq!(text.matches("reply was 250").count(), 1, "{text}");
    }
}

#[test]
fn exit_statuses_of_compare() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, records: &[Record]| {
        let mut octets = Vec::new();
        record::write(records, &mut octets).expect("octets");
        fs::write(folder.path().join(name), octets).expect("a file");
    };
    write("broken.jsonl", &records("noop.txt", SPOKEN));
    write("fixed.jsonl", &records("noop.txt", &SPOKEN.replace("250 Ok", "250 2.0.0 Ok")));
    let run = |arguments: &str| {
        let program = env!("CARGO_BIN_EXE_smtp-conformance");
        let arguments = arguments.split(' ');
        let output = Command::new(program).current_dir(folder.path()).arg("compare").args(arguments).output();
        output.expect("the program can be run")
    };
    let mut statuses = String::new();
    for arguments in [
        "broken.jsonl broken.jsonl",
        "broken.jsonl fixed.jsonl",
        "fixed.jsonl broken.jsonl",
        "fixed.jsonl broken.jsonl --fail-on never",
        "fixed.jsonl",
        "fixed.jsonl none.jsonl",
    ] {
        let status = run(arguments).status.code().unwrap_or(-1);
        writeln!(statuses, "{status} {arguments}").expect("a string takes all");
    }
    assert_eq!(
        statuses,
        "0 broken.jsonl broken.jsonl\n0 broken.jsonl fixed.jsonl\n1 fixed.jsonl broken.jsonl\n\
         0 fixed.jsonl broken.jsonl --fail-on never\n2 fixed.jsonl\n5 fixed.jsonl none.jsonl\n"
    );
    let output = run("fixed.jsonl broken.jsonl --format json").stdout;
    let json: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
    assert_eq!(json["new"][0]["rule"], "enhanced-code-present");
    assert_eq!(json["new"][0]["after"][0]["reply-code"], 250);
    assert_eq!(json["new"][0]["fingerprint"].as_str().map(str::len), Some(32));
}
