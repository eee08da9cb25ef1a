//! `cargo xtask conformance` runs the suite with the arguments as they are.

use crate::copy::Copy;

#[test]
fn help_is_that_of_the_suite() {
    let copy = Copy::of(&["Cargo.toml"]);
    for (arguments, passed) in [
        (&["--help"][..], "--help"),
        (&["-h"], "-h"),
        (&["smtp://127.0.0.1", "--help"], "smtp://127.0.0.1 --help"),
        (&["--", "--help"], "--help"),
    ] {
        let mut command = copy.command(&[&["conformance"], arguments].concat());
        let output = command.env("CARGO", "/bin/echo").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let run = format!("run --quiet --package smtp-conformance -- run {passed}");
        assert_eq!(said.lines().last(), Some(run.as_str()), "{said}");
        assert_eq!(output.status.code(), Some(0));
    }
}
