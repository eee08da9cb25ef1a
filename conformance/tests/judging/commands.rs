//! The commands that connect nowhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use smtp_enhanced_status::suggest::situations;
use smtp_enhanced_status::{ReplyCode, Status};

const QUIET: &str = "#: connected\nS: 220 mx.example.org\nC: QUIT\nS: 221 Bye\n#: closed by server\n";

/// Runs the program, and returns its standard output. Fails unless it ends with this status.
fn output(folder: &Path, arguments: &[&str], status: i32) -> String {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let output = Command::new(program).current_dir(folder).args(arguments).output();
    let output = output.expect("the program can be run");
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

#[test]
fn recordings_are_judged_reported_and_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (name, text) in [("quiet", QUIET.to_owned()), ("broken", QUIET.replace("221 Bye", "250 Bye"))] {
        let transcript = format!("{name}.txt");
        fs::write(folder.join(&transcript), text).expect("a file");
        let status = i32::from(name == "broken");
        let records = output(folder, &["judge", &transcript, "--format", "jsonl"], status);
        fs::write(folder.join(format!("{name}.jsonl")), records).expect("a file");
    }
    assert!(output(folder, &["report", "broken.jsonl"], 0).contains("error quit-answered-221"));
    assert!(!output(folder, &["report", "quiet.jsonl"], 0).contains("quit-answered-221"));
    output(folder, &["compare", "quiet.jsonl", "quiet.jsonl"], 0);
    assert!(output(folder, &["compare", "quiet.jsonl", "broken.jsonl"], 1).contains("quit-answered-221"));
}

#[test]
fn a_rule_is_explained() {
    let text = output(Path::new("."), &["rules", "enhanced-code-present"], 0);
    assert!(text.contains("RFC 2034 §3"), "{text}");
    let text = output(Path::new("."), &["rules", "greeting-names-domain"], 0);
    assert!(text.contains("Level:   warning\n  because RFC 5321 §4.2: "), "{text}");
}

/// `/dev/full` takes no octets, as a full disk.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported() {
    for arguments in [&["suggest"][..], &["suggest", "--situation", "unknown-user"], &["rules"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let program = env!("CARGO_BIN_EXE_smtp-conformance");
        let output =
            Command::new(program).args(arguments).stdout(full).output().expect("the program can be run");
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("cannot write to standard output"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_situation_is_explained() {
    let text = output(Path::new("."), &["suggest", "--situation", "unknown-user"], 0);
    assert!(
        text.starts_with("unknown-user: the domain is right, but the mailbox does not exist\n"),
        "{text}"
    );
    let send = "
In reply to RCPT

Send
  550 5.1.1    should, RFC 5321 §3.3
    Rust  ReplyCode::MAILBOX_UNAVAIL, Status::ADDR_DEST_MAILBOX.permanent()
    C     SMTP_ESC_REPLY_MAILBOX_UNAVAIL, SMTP_ESC_PERMANENT(SMTP_ESC_ADDR_DEST_MAILBOX)
";
    assert!(text.contains(send), "{text}");
    assert!(text.contains("\nAvoid\n  450 4.1.1    The text of X.1.1 reserves it"), "{text}");
    let text = output(Path::new("."), &["suggest", "--situation", "ready"], 0);
    assert!(
        text.contains("  220          must, RFC 5321 §4.2; no enhanced status code (RFC 2034 §4)\n"),
        "{text}"
    );
    assert!(text.contains("    Rust  ReplyCode::READY\n    C     SMTP_ESC_REPLY_READY\n"), "{text}");
}

#[test]
fn the_page_about_suggestions_shows_what_is_printed() {
    let page = include_str!("../../../docs/suggest.md");
    let blocks: Vec<&str> = page.split("```console\n$ smtp-conformance ").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (command, rest) = block.split_once('\n').expect("a command");
        let (shown, _) = rest.split_once("```").expect("the end of the block");
        let arguments: Vec<&str> = command.split(' ').collect();
        assert_eq!(output(Path::new("."), &arguments, 0), shown, "{command}");
    }
}

#[test]
fn situations_are_listed_by_command() {
    let all = output(Path::new("."), &["suggest"], 0);
    let rows = |text: &str| text.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(rows(&all), situations().len(), "{all}");
    let of_rcpt = output(Path::new("."), &["suggest", "--command", "RCPT"], 0);
    assert!(
        of_rcpt.starts_with("In reply to RCPT\n") && of_rcpt.contains("\nIn reply to any command\n"),
        "{of_rcpt}"
    );
    assert!(
        of_rcpt.lines().any(|line| line.starts_with("  mailbox-full ") && line.contains(" 452 4.2.2 ")),
        "{of_rcpt}"
    );
    assert!(!of_rcpt.contains("In reply to MAIL") && rows(&of_rcpt) < rows(&all));
    let of_ehlo = output(Path::new("."), &["suggest", "--command", "ehlo"], 0);
    assert_eq!(output(Path::new("."), &["suggest", "--command", "LHLO"], 0), of_ehlo);
}

#[test]
fn situations_are_printed_as_json() {
    let text = output(Path::new("."), &["suggest", "--situation", "data-accepted", "--format", "json"], 0);
    let situation: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(situation["send"]["reply_code"], 354);
    assert_eq!(situation["send"]["enhanced_status_code"], serde_json::Value::Null);
    assert_eq!(situation["avoid"][0]["enhanced_status_code"], "2.0.0");
    let text = output(Path::new("."), &["suggest", "--format", "json"], 0);
    let all: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let all = all.as_array().expect("an array");
    assert_eq!(all.len(), situations().len());
    // The names are those of the constants, so that no situation has an empty one.
    for pair in all.iter().flat_map(|one| {
        std::iter::once(&one["send"]).chain(one["alternatives"].as_array().expect("an array"))
    }) {
        let name = pair["c"]["reply_code"].as_str().and_then(|name| name.strip_prefix("SMTP_ESC_REPLY_"));
        let code = name.and_then(ReplyCode::from_identifier).expect("a constant");
        assert_eq!(pair["reply_code"], code.as_u16());
        assert_eq!(pair["rust"]["reply_code"], format!("ReplyCode::{}", name.expect("a name")));
        let Some(written) = pair["enhanced_status_code"].as_str() else { continue };
        let rust = pair["rust"]["enhanced_status_code"].as_str().expect("a constant");
        let (row, method) =
            rust.strip_prefix("Status::").and_then(|rest| rest.split_once('.')).expect("a method");
        let status = Status::from_identifier(row).expect("a row");
        let code = match method {
            "success()" => status.success(),
            "transient()" => status.transient(),
            "permanent()" => status.permanent(),
            other => panic!("{other}"),
        };
        assert_eq!(code.to_string(), written);
        let class = method.trim_end_matches("()").to_uppercase();
        assert_eq!(pair["c"]["enhanced_status_code"], format!("SMTP_ESC_{class}(SMTP_ESC_{row})"));
    }
}

#[test]
fn unknown_situations_and_commands_are_refused_with_advice() {
    for (arguments, said) in [
        (
            &["--situation", "mailbox-ful"][..],
            "there is no situation \"mailbox-ful\" (did you mean mailbox-full?)",
        ),
        (&["--situation", "user-unknown"], "(similar: unknown-user, "),
        (&["--situation", "zzz"], "\"zzz\"; `smtp-conformance suggest` lists the situations"),
        (&["--situation", "unknown-user", "--command", "MAIL"], "or write --command rcpt"),
        (&["--command", "TURN"], "write one of connect, ehlo, starttls,"),
    ] {
        let program = env!("CARGO_BIN_EXE_smtp-conformance");
        let output = Command::new(program).arg("suggest").args(arguments).output();
        let output = output.expect("the program can be run");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

#[test]
fn logs_of_mailkit_are_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = "Connected to smtp://mx.example.org:25/\nS: 220 mx.example.org\nC: QUIT\nS: 250 Bye\n";
    fs::write(folder.path().join("smtp.log"), log).expect("a file");
    let text = output(folder.path(), &["judge", "smtp.log"], 1);
    assert!(text.contains("error quit-answered-221") && text.contains("smtp.log:3"), "{text}");
}

#[test]
fn other_recordings_are_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = "2026-11-29T09:00:00.000Z [PROTOCOL] [A1] [core] S: 220 mx.example.org\n";
    fs::write(folder.path().join("haraka.log"), log).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .current_dir(folder.path())
        .args(["judge", "haraka.log"])
        .output()
        .expect("the program can be run");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(0));
    assert!(error.contains("haraka.log:1: expected") && error.contains("after other columns"), "{error}");
}

#[test]
fn commands_that_connect_need_the_feature_run() {
    let help = output(Path::new("."), &["--help"], 0);
    let names = |line: &str| line.trim_start().split("  ").next().unwrap_or_default().to_owned();
    let commands: Vec<String> = help.lines().filter(|line| line.starts_with("  ")).map(names).collect();
    for (command, is_there) in [
        ("rules", true),
        ("suggest", true),
        ("judge", true),
        ("report", true),
        ("compare", true),
        ("run", cfg!(feature = "run")),
        ("serve", cfg!(feature = "run")),
    ] {
        assert_eq!(commands.iter().any(|name| name == command), is_there, "{command}: {help}");
    }
}
