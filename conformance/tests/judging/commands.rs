//! The commands that connect nowhere.

use std::fs;
use std::path::Path;
use std::process::Command;

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
    fs::write(folder.path().join("swaks.txt"), "=== Trying mx:25...\n=== Connected to mx.\n<-  220 mx\n")
        .expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .current_dir(folder.path())
        .args(["judge", "swaks.txt"])
        .output()
        .expect("the program can be run");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(0));
    assert!(error.contains("swaks.txt:1: expected") && error.contains("this is output of swaks"), "{error}");
}

#[test]
fn commands_that_connect_need_the_feature_run() {
    let help = output(Path::new("."), &["--help"], 0);
    let names = |line: &str| line.trim_start().split("  ").next().unwrap_or_default().to_owned();
    let commands: Vec<String> = help.lines().filter(|line| line.starts_with("  ")).map(names).collect();
    for (command, is_there) in [
        ("rules", true),
        ("judge", true),
        ("report", true),
        ("compare", true),
        ("run", cfg!(feature = "run")),
        ("serve", cfg!(feature = "run")),
    ] {
        assert_eq!(commands.iter().any(|name| name == command), is_there, "{command}: {help}");
    }
}
