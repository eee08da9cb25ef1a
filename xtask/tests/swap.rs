//! The suite holds no more than it must to the snapshot of the day: with IANA's newest file in its place, in a
//! copy of the project, everything passes as well.

mod copy;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::Command;

use copy::Copy;

/// Set for the suite in the copy, which does not swap again.
const SWAPPED: &str = "SMTP_TEST_SWAPPED";

#[test]
fn the_suite_passes_with_ianas_own_file() {
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
