//! `cargo xtask requirements`: the project's own register and page, and what is said if they do not agree.

use std::fs;

use crate::copy::Copy;

const FILES: [&str; 4] =
    ["conformance/requirements.toml", "conformance/rules.toml", "conformance/cases", "docs/coverage.md"];

#[test]
fn register_rules_cases_and_page_agree() {
    let output = Copy::of(&FILES).xtask(&["requirements", "--check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_stale_page_is_refused_and_rendered_again() {
    let copy = Copy::of(&FILES);
    let page = fs::read_to_string(copy.path("docs/coverage.md")).unwrap();
    copy.edit("docs/coverage.md", "# What the suite covers", "# What the suite does");
    let output = copy.xtask(&["requirements", "--check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("docs/coverage.md is not up to date; run `cargo xtask requirements`"), "{said}");
    assert!(copy.xtask(&["requirements"]).status.success());
    assert_eq!(fs::read_to_string(copy.path("docs/coverage.md")).unwrap(), page);
}

#[test]
fn a_rule_that_is_gone_is_named_with_its_line() {
    let copy = Copy::of(&FILES);
    copy.edit("conformance/rules.toml", "id = \"data-answered-354\"", "id = \"data-answered-355\"");
    let output = copy.xtask(&["requirements", "--check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("requirements.toml:") && said.contains("[\"data-answered-354\"]: no such rule"),
        "{said}"
    );
}

/// The statements of a text can be listed, and have to be in the register.
#[test]
fn texts_are_listed_and_compared() {
    let copy = Copy::of(&FILES);
    let folder = copy.path("texts");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("rfc5321.txt"), "1. Mail\n\n   Mail MUST arrive.\n").unwrap();
    let texts = folder.display().to_string();
    let output = copy.xtask(&["requirements", "--texts", &texts, "--list", "5321"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("5321#1/1 ") && said.ends_with(" MUST | Mail MUST arrive.\n"), "{said}");
    let output = copy.xtask(&["requirements", "--check", "--texts", &texts]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("has no such statement; remove the row"), "{said}");
}
