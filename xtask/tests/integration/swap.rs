//! The tests do not depend on the current snapshot: they pass in a copy of the project with IANA's newest file instead.

use std::process::Command;

use crate::copy::Copy;
use crate::support;

/// Set for the tests in the copy, so that they do not make another copy.
const SWAPPED: &str = "SMTP_TEST_SWAPPED";

#[test]
fn all_tests_pass_with_ianas_own_file() {
    if std::env::var_os(SWAPPED).is_some() {
        return;
    }
    let Some(newest) = support::history().and_then(|files| files.into_iter().next_back()) else { return };
    let copy = Copy::of(&["."]);
    let taken = copy.xtask(&["sync", "--from", newest.to_str().unwrap(), "--format", "json"]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let output = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--quiet", "--no-fail-fast"])
        .current_dir(copy.root())
        .env("CARGO_TARGET_DIR", support::root().join("target/swap"))
        .env(SWAPPED, "1")
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("test result: ok"), "{said}");
}
