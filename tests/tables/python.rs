//! The tables, read with Python's standard library.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::{grid, support};

#[test]
fn python_judges_by_the_json_as_the_library() {
    judge("json");
}

#[test]
fn python_judges_by_the_csv_as_the_library() {
    judge("csv");
}

/// Runs the example of `docs/tables.md`, and expects what its comments say.
#[test]
fn the_example_of_the_page_prints_what_it_says() {
    if !support::has(["python3"]) {
        return;
    }
    let page = std::fs::read_to_string(support::root().join("docs/tables.md")).unwrap();
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let expected: Vec<&str> =
        example.lines().filter_map(|line| line.split_once("  # ")).map(|(_, said)| said).collect();
    let mut python = Command::new("python3");
    python.args(["-c", example]).current_dir(support::root());
    let printed = String::from_utf8(output(python, "")).unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty());
}

fn judge(format: &str) {
    if !support::has(["python3"]) {
        return;
    }
    let root = support::root();
    let mut python = Command::new("python3");
    python.arg(root.join("tests/tables/judge.py")).arg(format).arg(root.join("generated/tables"));
    let statuses = grid::statuses().fold(String::new(), |mut lines, (subject, detail)| {
        writeln!(lines, "X.{subject}.{detail}").unwrap();
        lines
    });
    let verdicts = output(python, &statuses);
    grid::assert_agree(&format!("Python with the {format}"), verdicts.trim_ascii_end());
}

fn output(mut command: Command, input: &str) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    output.stdout
}
