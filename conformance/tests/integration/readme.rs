//! README shows what the program prints.

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_judged_session_is_as_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project's root");
    let arguments = ["judge", "conformance/examples/session.txt"];
    let (_, after) = README.split_once(&arguments.join(" ")).expect("README has the command");
    let shown = after.split("```text\n").nth(1).and_then(|block| block.split("```").next());
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let output = Command::new(program).current_dir(root).args(arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(shown.expect("README has a block"), String::from_utf8_lossy(&output.stdout));
}
