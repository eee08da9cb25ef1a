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
