//! The command line: exit statuses, and a report whatever happens.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    Command::new(program).current_dir(folder).args(arguments).output().expect("the program can be run")
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn exit_statuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    let quiet = "#: connected\nS: 220 mx.example.org\nC: QUIT\nS: 221 Bye\n#: closed by server\n";
    fs::write(folder.path().join("quiet.txt"), quiet).expect("a file");
    fs::write(folder.path().join("broken.txt"), quiet.replace("221 Bye", "250 Bye")).expect("a file");
    fs::write(folder.path().join("bad.txt"), "hello\n").expect("a file");
    fs::create_dir(folder.path().join("cases")).expect("a folder");
    let case = "[[case]]\nid = \"a\"\ntitle = \"A\"\nsituations = []\nsafety = \"safe\"\nrules = []\n\
                steps = [{ send = \"{nonsense}\" }]\n";
    fs::write(folder.path().join("cases/a.toml"), case).expect("a file");

    assert_eq!(status(&run(&["judge", "quiet.txt"])), Some(0));
    assert_eq!(status(&run(&["judge", "broken.txt"])), Some(1));
    assert_eq!(status(&run(&["judge", "broken.txt", "--fail-on", "never"])), Some(0));
    assert_eq!(status(&run(&["run", "no-such-target"])), Some(2));
    assert_eq!(status(&run(&["run", "--profile", "lenient"])), Some(2));
    assert_eq!(status(&run(&["run", "--colour"])), Some(2));
    assert_eq!(status(&run(&["judge", "bad.txt"])), Some(5));
    assert_eq!(status(&run(&["run", "--cases", "cases", "--case", "a"])), Some(5));
    assert_eq!(status(&run(&["run", "--case", "noop"])), Some(0));
}

#[test]
fn a_report_is_written_although_nobody_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    // Bound and dropped, a port of this machine refuses.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let target = format!("smtp://{}", port.expect("a port"));
    let output = run(folder.path(), &["run", &target, "--jsonl", "run.jsonl", "--junit", "run.xml"]);
    assert_eq!(status(&output), Some(4));
    let report = run(folder.path(), &["report", "run.jsonl"]);
    assert_eq!(report.stdout, output.stdout);
    assert!(fs::read_to_string(folder.path().join("run.xml")).expect("a file").contains("<skipped"));
}

#[test]
fn rules_and_cases_can_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |arguments: &[&str]| String::from_utf8(run(folder.path(), arguments).stdout).expect("UTF-8");
    assert!(text(&["rules", "ES-05"]).starts_with("enhanced-code-class-agrees (ES-05)\n"));
    assert_eq!(text(&["rules"]).lines().count(), smtp_conformance::rules().len());
    assert!(text(&["run", "--list"]).contains("noop-argument"));
    assert!(text(&["run", "--dry-run", "--case", "noop"]).contains(r"C: NOOP\r\n"));
    assert!(text(&["serve", "--list"]).contains("[enhanced-code-class-agrees]"));
}
