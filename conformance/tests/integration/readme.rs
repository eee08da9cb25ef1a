//! README shows what the program prints.

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_judged_session_is_as_shown() {
    is_as_shown(&["judge", "conformance/examples/session.txt"], 1);
}

#[test]
fn the_explained_reply_is_as_shown() {
    is_as_shown(&["explain", "550 5.7.27 SPF did not pass - gsmtp"], 0);
}

/// Runs the program in the project's root, and compares what it prints with the block that README has for the command.
fn is_as_shown(arguments: &[&str], status: i32) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project's root");
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| if argument.contains(' ') { format!("'{argument}'") } else { (*argument).to_owned() })
        .collect();
    let (before, after) = README.split_once(&quoted.join(" ")).expect("README has the command");
    let shown = match before.rsplit_once("```").is_some_and(|(_, opened)| opened.starts_with("text\n$ ")) {
        // The command is the first line of the block.
        true => after.trim_start().split("```").next(),
        false => after.split("```text\n").nth(1).and_then(|block| block.split("```").next()),
    };
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let output = Command::new(program).current_dir(root).args(arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(status));
    assert_eq!(shown.expect("README has a block"), String::from_utf8_lossy(&output.stdout));
}
