//! `explain` and `classify`, as their users run them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Runs the program with this standard input, and returns its output.
fn output(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    child.stdin.take().expect("a pipe").write_all(input).expect("the program reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn answers(arguments: &[&str], input: &[u8]) -> Vec<serde_json::Value> {
    let text = output(&[&["explain", "--format", "jsonl"], arguments].concat(), input);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_reply_is_explained_for_people() {
    let text = output(&["explain", "550", "5.7.27", "SPF did not pass - gsmtp"], b"");
    for expected in [
        "550 5.7.27: sender-unauthenticated\n",
        "  Looks like     Google\n",
        "  Decided by     what this vendor means by the code; this is sure\n",
        "Sender address has null MX",
        "The reply means something else than the row.",
        "  On a list      Keep the address.\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let text = output(&["explain", "550 Invalid recipient <b@example.net> (#5.1.1)"], b"");
    assert!(text.contains("most programs do not see it"), "{text}");
    assert!(text.contains("  Breaks         enhanced-code-first (error)"), "{text}");
}

#[test]
fn near_misses_are_named() {
    for (typed, read_as) in
        [("5.1.l", "5.1.1"), ("5.71", "5.7.1"), ("550 511", "550 5.1.1"), ("SMTP Error 221", "221")]
    {
        let answers = answers(&[typed], b"");
        assert_eq!(answers[0]["read-as"], format!("read as {read_as}"), "{typed}");
    }
    assert_eq!(answers(&["441"], b"")[0]["without-dots"], "4.4.1");
    let classes: Vec<_> =
        answers(&["X.1.01"], b"").iter().map(|one| one["enhanced-status-code"].clone()).collect();
    assert_eq!(classes, ["4.1.1", "5.1.1"]);
}

#[test]
fn a_report_has_an_answer_for_each_recipient() {
    let report = b"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; a@example.net\r\n\
        Action: failed\r\nStatus: 5.7.27\r\nRemote-MTA: dns; aspmx.l.google.com\r\n\
        Diagnostic-Code: smtp; 550 5.7.27 No SPF\r\n\r\nFinal-Recipient: rfc822; b@example.net\r\n\
        Action: delayed\r\nStatus: 4.0.0\r\nDiagnostic-Code: smtp; 554 Blocked by our list\r\n";
    let answers = answers(&[], report);
    let seen: Vec<_> =
        answers.iter().map(|one| [&one["recipient"], &one["category"], &one["retry"]]).collect();
    assert_eq!(
        seen,
        [
            ["a@example.net", "sender-unauthenticated", "after-fix"],
            ["b@example.net", "bad-reputation", "later-and-fix"],
        ]
    );
}

#[test]
fn hostile_text_is_shown_harmlessly() {
    let text =
        output(&["explain", "--format", "markdown"], b"Final-Recipient: x; \x1b[2J<b>`|\nStatus: 5.1.1\n");
    assert!(!text.contains('\x1b') && !text.contains("<b>"), "{text}");
    let text = output(&["explain"], b"Final-Recipient: x; \x1b[2J\nStatus: 5.1.1\n");
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn nothing_to_explain_is_a_wrong_command_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
    let status = command.arg("explain").stdin(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn text_in_utf_16_is_read() {
    let text = "550 5.1.1 No such user\r\n421 4.7.0 [TSS04] Deferred\r\n";
    let input: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let categories: Vec<_> = answers(&[], &input).iter().map(|one| one["category"].clone()).collect();
    assert_eq!(categories, ["no-such-recipient", "rate-limited"]);
    let csv = output(&["classify", "--format", "csv"], &input);
    assert!(csv.contains("\n1,550,5.1.1,") && csv.contains("\n2,421,4.7.0,"), "{csv}");
}

#[test]
fn a_report_that_is_cut_says_so() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(&file, "Final-Recipient: rfc822; a@example.net\nStatus: 5.1.1\n\n".repeat(1001))
        .expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
    let command =
        command.args(["explain", "--format", "jsonl"]).stdin(fs::File::open(&file).expect("the file"));
    let output = command.output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1000);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("only the first 1000 replies are explained"), "{error}");
}

#[test]
fn many_replies_are_classified() {
    let input = b"550 5.1.1 No such user\n421 4.7.0 [TSS04] Deferred\n";
    let csv = output(&["classify", "--format", "csv", "--taxonomy", "sisimai", "-"], input);
    assert_eq!(
        csv,
        "line,reply-code,enhanced-status-code,category,retry,list,matter,vendor,evidence,certainty,name\n\
         1,550,5.1.1,no-such-recipient,never,remove,recipient-address,,enhanced-code,sure,userunknown\n\
         2,421,4.7.0,rate-limited,later,keep,sender-reputation,yahoo,vendor-text,sure,speeding\n"
    );
}
