//! `cargo xtask live`, as far as it works without root: known and unknown names.

use crate::copy::Copy;

#[test]
fn an_unknown_name_is_a_usage_error() {
    let copy = Copy::of(&["conformance/live"]);
    for arguments in [&["nosuch", "--list"][..], &["nosuch"], &["postfix", "postfix/nosuch", "--list"]] {
        let output = copy.xtask(&[&["live"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(said(&output.stdout), "", "{arguments:?}");
        let reason = said(&output.stderr);
        assert!(reason.starts_with("error: there is no server, target or client \""), "{reason}");
        assert!(reason.contains("nosuch\"; `cargo xtask live --list` lists them"), "{reason}");
    }
}

#[test]
fn the_list_has_the_named_targets() {
    let copy = Copy::of(&["conformance/live"]);
    let list = |names: &[&str]| {
        let output = copy.xtask(&[&["live", "--list"], names].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
        said(&output.stdout)
    };
    let all = list(&[]);
    assert!(all.contains("\n  postfix/mx ") && all.contains("\n  exim/mx "), "{all}");
    let one = list(&["postfix/mx"]);
    assert!(one.contains("\n  postfix/mx ") && !one.contains("postfix/submission"), "{one}");
    assert!(!one.contains("exim"), "{one}");
    assert!(all.contains("\nclients/smtplib\n"), "{all}");
    assert_eq!(list(&["clients/smtplib"]), "clients/smtplib\n");
}

fn said(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}
