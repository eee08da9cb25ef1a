//! `lint`, as its users run it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs the program in the folder of samples, and returns its exit status and its output.
fn lint(arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .arg("lint")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    // It may end without reading.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

fn records(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let (status, text) = lint(&[&["--format", "jsonl"], arguments].concat(), input);
    assert_eq!(status, Some(0), "{arguments:?}");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Returns the codes and categories of all replies, in the order of the input.
fn replies(arguments: &[&str], input: &[u8]) -> Vec<String> {
    let records = records(&[&["--locations"], arguments].concat(), input);
    let of_kind = |record: &&Value| record["kind"] == "reply";
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or("-").to_owned();
    records
        .iter()
        .filter(of_kind)
        .map(|record| format!("{} {} {}", record["line"], text(record, "codes"), text(record, "category")))
        .collect()
}

#[test]
fn the_replies_of_a_log_are_counted() {
    assert_eq!(
        replies(&["mail.log"], b""),
        [
            "2 554 5.7.1 relay-denied",
            "4 250 2.0.0 accepted",
            "5 550 5.1.1 no-such-recipient",
            "6 550 4.2.2 mailbox-full",
            "7 450 greylisted",
            "8 550 5.7.27 sender-unauthenticated",
        ]
    );
    let records = records(&["--by", "host", "mail.log"], b"");
    let whole = &records[0];
    assert_eq!(
        (&whole["replies"], &whole["lines"], &whole["complete"]),
        (&6.into(), &9.into(), &true.into())
    );
    assert_eq!(whole["refusals-without-enhanced-status-code"], 1);
    assert_eq!(whole["other-status"], 1);
    let hosts: Vec<&Value> =
        records.iter().filter(|record| record["kind"] == "group").map(|record| &record["name"]).collect();
    assert_eq!(hosts, ["mx.example.edu", "mx.example.org", "(this server)", "gmail-smtp-in.l.google.com"]);
}

#[test]
fn a_bounce_is_judged_and_the_returned_message_is_not_read() {
    assert_eq!(
        replies(&["bounce.eml"], b""),
        ["34 550 5.1.1 no-such-recipient", "41 550 4.2.2 mailbox-full"]
    );
    let (_, text) = lint(&["--fail-on", "never", "bounce.eml"], b"");
    assert!(text.contains("dsn-status-form"), "{text}");
}

#[test]
fn no_output_has_personal_data() {
    let personal = ["bob.brown", "amy@", "eve@", "A0A7", "7A9C31E5D0", "203.0.113.7", "d2e1a72fcca58"];
    for format in ["human", "jsonl", "csv", "sarif", "markdown", "prometheus"] {
        for file in ["mail.log", "bounce.eml"] {
            let by = if matches!(format, "sarif" | "prometheus") { &[][..] } else { &["--by", "host"] };
            let (status, text) = lint(&[&["--format", format, "--locations"], by, &[file]].concat(), b"");
            assert_eq!(status, Some(0), "{format}");
            for one in personal {
                assert!(!text.contains(one), "{one} in {format} of {file}: {text}");
            }
        }
    }
    let (_, raw) = lint(&["--raw", "mail.log"], b"");
    assert!(raw.contains("bob.brown"), "{raw}");
    let (_, counts) = lint(&["--emit-counts", "mail.log"], b"");
    assert!(personal.iter().all(|one| !counts.contains(one)), "{counts}");
}

#[test]
fn the_exit_status_says_whether_a_finding_fails() {
    let source = b"refuse(\"550 4.7.1 No\");\nrefuse(\"550 5.1.1 No such user\");\n";
    let arguments = ["--as", "source", "--fail-on", "error", "-"];
    assert_eq!(lint(&arguments, source).0, Some(1));
    assert_eq!(lint(&arguments, &source[25..]).0, Some(0));
    assert_eq!(lint(&["--fail-on", "error", "mail.log"], b"").0, Some(0));
    assert_eq!(lint(&["--strict-registry", "--fail-on", "error", "mail.log"], b"").0, Some(1));
    let (status, text) = lint(&["--format", "jsonl", "--fail-on", "error", "mail.log", "nonexistent"], b"");
    assert_eq!(status, Some(5));
    assert!(text.contains("\"complete\":false"), "{text}");
    assert_eq!(lint(&["--emit-counts", "mail.log", "nonexistent"], b"").0, Some(5));
    assert_eq!(lint(&["--baseline", "nonexistent", "mail.log"], b"").0, Some(2));
    assert_eq!(lint(&["--follow", "a", "b"], b"").0, Some(2));
    assert_eq!(lint(&["--by", "host", "--format", "prometheus", "mail.log"], b"").0, Some(2));
    assert_eq!(lint(&["--by", "host", "--format", "sarif", "mail.log"], b"").0, Some(2));
    assert_eq!(lint(&["--by", "host", "--format", "sarif", "--emit-counts", "mail.log"], b"").0, Some(0));
    assert_eq!(lint(&["--exclude", "[", "mail.log"], b"").0, Some(2));
    assert_eq!(lint(&[], b"").0, Some(2));
}

#[test]
fn a_baseline_accepts_findings() {
    let folder = tempfile::tempdir().expect("a folder");
    let baseline = folder.path().join("baseline.toml");
    let entry = |codes: &str| {
        format!(
            "[[accepted]]\ntarget = \"standard input\"\nrule = \"enhanced-code-class-agrees\"\ncase = \"{codes}\"\n\
             section = \"RFC 2034 §4\"\nreason = \"An old text.\"\n"
        )
    };
    let source = b"refuse(\"550 4.7.1 No\");\n";
    let path = baseline.to_str().expect("UTF-8");
    let arguments = ["--as", "source", "--fail-on", "error", "--baseline", path, "-"];
    std::fs::write(&baseline, entry("550 4.7.1")).expect("a file");
    assert_eq!(lint(&arguments, source).0, Some(0));
    std::fs::write(&baseline, entry("550 4.7.2")).expect("a file");
    assert_eq!(lint(&arguments, source).0, Some(1));
    assert_eq!(lint(&arguments, b"refuse(\"550 5.1.1 No\");\n").0, Some(3));
    // Each place is accepted for itself.
    let (old, new) = (folder.path().join("old.c"), folder.path().join("new.c"));
    std::fs::write(&old, source).expect("a file");
    std::fs::write(&new, source).expect("a file");
    let (old, new) = (old.to_str().expect("UTF-8"), new.to_str().expect("UTF-8"));
    std::fs::write(&baseline, entry("550 4.7.1").replace("standard input", old)).expect("a file");
    let arguments = ["--fail-on", "error", "--baseline", path, old];
    assert_eq!(lint(&arguments, b"").0, Some(0));
    assert_eq!(lint(&[&arguments[..], &[new]].concat(), b"").0, Some(1));
}

#[test]
fn the_places_in_source_code_are_listed() {
    let source = b"a\nrefuse(\"550 4.7.1 No\");\n";
    let (_, text) = lint(&["--as", "source", "--locations", "-"], source);
    assert!(text.contains("standard input:2:9: error enhanced-code-class-agrees: 550 4.7.1 No\n"), "{text}");
    let (_, text) = lint(&["--as", "source", "--format", "sarif", "-"], source);
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "enhanced-code-class-agrees");
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &9.into()));
    let arguments = ["--as", "source", "--format", "sarif", "--sarif-base", "src/replies.c", "-"];
    let log: Value = serde_json::from_str(&lint(&arguments, source).1).expect("JSON");
    let result = &log["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "src/replies.c");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&1.into(), &Value::Null));
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "standard input:2:9: 550 4.7.1 No");
}

#[test]
fn what_was_not_read_is_a_notification_in_sarif() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("mail.log.gz");
    std::fs::write(&broken, b"\x1f\x8b\x08 and no more").expect("a file");
    let missing = folder.path().join("missing.log");
    let (broken, missing) = (broken.to_str().expect("UTF-8"), missing.to_str().expect("UTF-8"));
    let (status, text) = lint(&["--format", "sarif", broken, missing], b"");
    assert_eq!(status, Some(5), "{text}");
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let messages: Vec<&str> = invocation["toolExecutionNotifications"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["message"]["text"].as_str())
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].starts_with(broken) && messages[1].starts_with(missing), "{messages:?}");
}

#[test]
fn a_recording_is_judged_as_a_dialogue() {
    let session = include_bytes!("../../examples/session.txt");
    let records = records(&["-"], session);
    let rules: Vec<&Value> = records.iter().filter(|record| record["kind"] == "rule").collect();
    assert_eq!(rules.len(), 1);
    assert_eq!(
        (&rules[0]["rule"], &rules[0]["level"]),
        (&"enhanced-code-class-agrees".into(), &"error".into())
    );
    assert_eq!(rules[0]["example"]["line"], 8);
    assert_eq!((&records[0]["connections"], &records[0]["replies"]), (&1.into(), &5.into()));
}

#[test]
fn records_follow_their_schema() {
    let schema = include_str!("../../schemas/lint.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
    let session: &[u8] = include_bytes!("../../examples/session.txt");
    for (arguments, input) in [
        (&["--by", "hour", "mail.log"][..], &b""[..]),
        (&["--locations", "mail.log", "bounce.eml"], b""),
        (&["-"], session),
    ] {
        for record in records(arguments, input) {
            let errors: Vec<String> = schema.iter_errors(&record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{record}: {errors:?}");
        }
    }
}

#[test]
fn counts_are_merged() {
    let folder = tempfile::tempdir().expect("a folder");
    let counted = |file: &str, by: &[&str]| {
        let (status, counts) = lint(&[&["--emit-counts"], by, &[file]].concat(), b"");
        assert_eq!(status, Some(0));
        let path = folder.path().join(format!("{file}{}.counts", by.concat()));
        std::fs::write(&path, counts).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let merged = |files: &[&str]| lint(&[&["merge", "--format", "csv"], files].concat(), b"");
    for by in [&[][..], &["--by", "host"]] {
        let files = [counted("mail.log", by), counted("bounce.eml", by)];
        let rows = merged(&[&files[0], &files[1]]).1;
        assert_eq!(rows, merged(&[&files[1], &files[0]]).1);
        assert_eq!(rows, lint(&[&["--format", "csv", "mail.log", "bounce.eml"], by].concat(), b"").1);
    }
    assert_eq!(lint(&["merge", "mail.log"], b"").0, Some(5));
    // Counts that have groups are not added to counts that have others, or none.
    let by_host = counted("mail.log", &["--by", "host"]);
    for other in [counted("mail.log", &[]), counted("mail.log", &["--by", "hour"])] {
        assert_eq!(merged(&[&by_host, &other]), (Some(5), String::new()));
        assert_eq!(merged(&[&other, &by_host]), (Some(5), String::new()));
    }
    // A file of counts is no log.
    let (status, text) = lint(&[&by_host], b"");
    assert_eq!(status, Some(5));
    assert!(text.contains("`smtp-conformance lint merge` reads them"), "{text}");
}

#[test]
fn groups_are_written_as_comma_separated_values() {
    let (_, text) = lint(&["--format", "csv", "--by", "host", "mail.log"], b"");
    let lines: Vec<&str> = text.lines().take(2).collect();
    assert_eq!(
        lines,
        [
            "host,replies,accepted,temporary,permanent,refusals-without-enhanced-status-code",
            "mx.example.edu,2,0,1,1,1"
        ]
    );
}

#[test]
fn a_folder_is_walked() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("a file");
    write("a.log", b"said: 550 5.1.1 No such user\n");
    write("b.log", b"said: 550 5.1.1 No such user\n");
    write("c.bin", b"\x7fELF\0\0\0\0 550 5.1.1 No such user\n");
    write(".ignore", b"b.log\n");
    let records = self::records(&[folder.path().to_str().expect("UTF-8")], b"");
    assert_eq!((&records[0]["replies"], &records[0]["binary-files"]), (&1.into(), &1.into()));
    std::fs::create_dir_all(folder.path().join("sub/.git")).expect("a folder");
    write("sub/.git/d.log", b"said: 550 5.1.1 No such user\n");
    write("sub/e.log", b"said: 550 5.1.1 No such user\n");
    let files = |excluded: &[&str]| {
        let path = folder.path().to_str().expect("UTF-8");
        let arguments = [&["--locations", path], excluded].concat();
        let records = self::records(&arguments, b"");
        let names = records.iter().filter_map(|record| record["file"].as_str()?.rsplit('/').next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(files(&[]), ["a.log", "e.log"]);
    assert_eq!(files(&["--exclude", "sub/"]), ["a.log"]);
    assert_eq!(files(&["--exclude", "a.*", "--exclude", "*.bin"]), ["e.log"]);
    assert_eq!(files(&["--exclude", "*.log"]), [""; 0]);
}
