//! Each rule with bounces that break it, and with the nearest that do not. The fields are written as a bounce has them;
//! the texts are those of servers, with names of their own.

use std::collections::BTreeSet;

use super::{ReportFinding, judge_report};
use crate::readers::dsn::read;
use crate::rules::catalogue::{Kind, RuleId};

const SOUND: &str = "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\n\
                     Diagnostic-Code: smtp; 550 5.1.1 No such user\n";

/// Returns a bounce in which these fields are about a recipient.
fn bounce(text: &str, fields: &str) -> String {
    format!(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\n\n{text}\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.c.test\n\n{fields}\n--b--\n"
    )
}

fn findings(message: &str) -> Vec<ReportFinding> {
    judge_report(&read(message.as_bytes()).expect("a bounce"))
}

/// Returns `RULE LEVEL` for each finding, with the condition.
fn judged(message: &str) -> Vec<String> {
    let shown = |finding: ReportFinding| {
        let condition = finding.condition.map_or_else(String::new, |condition| format!(" {condition}"));
        format!("{} {}{condition}", finding.rule, finding.level)
    };
    findings(message).into_iter().map(shown).collect()
}

/// What is replaced in a sound bounce, by what, and what is found then.
type Row = (&'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("x", "x", &[]),
    // dsn-status-present
    ("Status: 5.1.1\n", "", &["dsn-status-present error"]),
    ("Status: 5.1.1", "STATUS:\n 5.1.1", &[]),
    // dsn-status-form
    ("Status: 5.1.1", "Status: 5.01.1", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5.1", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 550", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5.1.1.1", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5.1.1000", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5. 1.1", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5.1.1 No such user", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status:", &["dsn-status-form error"]),
    ("Status: 5.1.1", "Status: 5.1.1 (No such user)", &[]),
    ("Status: 5.1.1", "Status:5.1.1(No (such) user)", &[]),
    // dsn-status-class
    ("Status: 5.1.1", "Status: 3.1.1", &["dsn-status-class error"]),
    ("Status: 5.1.1", "Status: 0.0.0", &["dsn-status-class error"]),
    // dsn-status-general
    ("Status: 5.1.1", "Status: 5.9.9", &["dsn-status-general error", "dsn-status-from-remote note"]),
    (
        "Status: 5.1.1",
        "Status: 5.1.99",
        &["dsn-status-general note newer-than-snapshot", "dsn-status-from-remote note"],
    ),
    ("5.1.1", "5.1.351", &[]),
    ("smtp; 550 5.1.1 No such user", "smtp; 550 No such user", &[]),
    ("smtp; 550 5.1.1 No such user", "X-Tool; no such user 5.9.9", &[]),
    // dsn-action-fits-status
    ("Status: 5.1.1", "Status: 2.0.0", &["dsn-action-fits-status note", "dsn-status-from-remote note"]),
    ("failed", "delayed", &["dsn-action-fits-status note"]),
    ("failed", "delivered", &["dsn-action-fits-status note"]),
    ("failed", "expanded", &["dsn-action-fits-status note"]),
    ("failed", "relayed", &["dsn-action-fits-status note"]),
    (
        "failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "relayed\nStatus: 4.6.4\nX: x",
        &[],
    ),
    (
        "failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "Delivered\nStatus: 2.1.5\nX: x",
        &[],
    ),
    (
        "failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "expanded\nStatus: 2.0.0\nX: x",
        &[],
    ),
    // A failure may have class 4: the server gave up.
    (
        "Status: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "Status: 4.4.1\nX: x",
        &[],
    ),
    // dsn-relayed-code
    (
        "failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "delivered\nStatus: 2.1.9\nX: x",
        &["dsn-relayed-code error"],
    ),
    (
        "failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No",
        "relayed\nStatus: 2.1.9\nX: x",
        &[],
    ),
    // dsn-expiry-names-cause
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "4.4.7\nDiagnostic-Code: smtp; 451 4.7.1",
        &["dsn-expiry-names-cause warning"],
    ),
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "4.4.7\nDiagnostic-Code: smtp; 451 4.4.7",
        &[],
    ),
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "4.4.7\nDiagnostic-Code: smtp; 451",
        &[],
    ),
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "4.4.7\nDiagnostic-Code: X-Tool; expired",
        &[],
    ),
    // The sender may have set the time (RFC 2852).
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "5.4.7\nDiagnostic-Code: smtp; 450 5.7.1",
        &["dsn-status-from-remote note"],
    ),
    // dsn-status-from-remote
    ("Status: 5.1.1", "Status: 5.0.0", &["dsn-status-from-remote note"]),
    ("550 5.1.1", "451 4.7.1", &["dsn-status-from-remote note"]),
    ("smtp; 550 5.1.1", "smtp; 550-No\n 550 5.1.1", &[]),
    ("smtp; 550 5.1.1", "smtp; 550", &[]),
    ("smtp; 550 5.1.1", "smtp; 450", &["dsn-status-from-remote note"]),
    // A code that contradicts the reply code is not copied.
    ("smtp; 550 5.1.1", "smtp; 550 4.2.2", &[]),
    ("smtp; 550 5.1.1", "X-Tool; 450 4.2.2", &[]),
    // dsn-domain-failure-codes
    ("smtp; 550 5.1.1 No such user", "X-Tool; b.test has a null MX", &["dsn-domain-failure-codes note"]),
    (
        "5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1 No such user",
        "5.1.10\nDiagnostic-Code: X-Tool; b.test has a nullMX",
        &[],
    ),
    ("No such user", "b.test has a null MX", &[]),
    // dsn-fields-present
    ("Final-Recipient: rfc822; a@b.test\n", "", &["dsn-fields-present error"]),
    ("Action: failed\n", "", &["dsn-fields-present error"]),
    ("Reporting-MTA: dns; mx.c.test", "X: x", &["dsn-fields-present error"]),
    // dsn-action-known
    ("failed", "failure", &["dsn-action-known error"]),
    ("failed", "FAILED (gave up)", &[]),
    // dsn-fields-typed
    ("dns; mx.b.test", "192.0.2.1", &["dsn-fields-typed error"]),
    ("smtp; 550", "550", &["dsn-fields-typed error"]),
    ("rfc822; a@b.test", "a@b.test", &["dsn-fields-typed error"]),
    ("dns; mx.c.test", "mx.c.test", &["dsn-fields-typed error"]),
    ("smtp; 550", "SMTP ;550", &[]),
    ("rfc822; a@b.test", "rfc822;\n\ta@b.test", &[]),
    // dsn-lines-folded
    ("550 5.1.1 No", "550-5.1.1 No\n550 5.1.1", &["dsn-lines-folded error"]),
    ("550 5.1.1 No", "550-5.1.1 No\n550 5.1.1 https://b.test/", &["dsn-lines-folded error"]),
    ("550 5.1.1 No", "550-5.1.1 No\n\t550 5.1.1", &[]),
    ("user\n\n--b--\n", "user\n--", &[]),
    // dsn-in-report
    ("multipart/report; report-type=delivery-status", "multipart/mixed", &["dsn-in-report error"]),
    ("; report-type=delivery-status", "", &["dsn-in-report error"]),
    ("report-type=delivery-status", "report-type=disposition-notification", &["dsn-in-report error"]),
    ("report-type=delivery-status", "report-type=\"Delivery-Status\"", &[]),
    // A list may add a footer to it (RFC 6522 §1).
    (
        "Content-Type: multipart/report",
        "Content-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: multipart/report",
        &[],
    ),
    // dsn-seven-bit
    ("No such user", "Boîte inconnue", &["dsn-seven-bit error"]),
    ("No such user", "Bo\\303\\256te inconnue", &[]),
    // dsn-retry-while-delayed
    (
        "Action: failed",
        "Action: failed\nWill-Retry-Until: Sun, 29 Nov 2026 05:00:00 +0000",
        &["dsn-retry-while-delayed error"],
    ),
    (
        "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\nDiagnostic-Code: smtp; 550 5.1.1",
        "Action: delayed\nWill-Retry-Until: Sun, 29 Nov 2026 05:00:00 +0000\nStatus: 4.2.2\nDiagnostic-Code: smtp; 450 4.2.2",
        &[],
    ),
];

#[test]
fn rows() {
    for (from, to, expected) in ROWS {
        let sound = bounce("", SOUND);
        assert!(sound.contains(from), "{from:?} is not in the bounce");
        let message = sound.replacen(from, to, if *from == "5.1.1" { 2 } else { 1 });
        assert_eq!(&judged(&message), expected, "{from:?} -> {to:?}");
    }
}

#[test]
fn a_text_shows_what_the_fields_lack() {
    let text = "<a@b.test>:\n >>> RCPT TO:<a@b.test>\n <<< 550-5.1.1 No\n <<< 550 5.1.1 such user\n";
    let field = |value: &str| SOUND.replace("Diagnostic-Code: smtp; 550 5.1.1 No such user", value);
    for (fields, expected) in [
        (field("X: x"), &["dsn-diagnostic-verbatim warning"][..]),
        (field("Diagnostic-Code: smtp; 550-5.1.1 No"), &["dsn-diagnostic-verbatim warning"]),
        (field("Diagnostic-Code: smtp; 550-5.1.1 No\n 550 5.1.1 such user"), &[]),
        // Joined in one way or another, the lines are all there.
        (field("Diagnostic-Code: smtp; 550-5.1.1 No 550 5.1.1 such user"), &[]),
        (field("Diagnostic-Code: smtp; 550 5.1.1 No such user"), &[]),
    ] {
        assert_eq!(judged(&bounce(text, &fields)), expected, "{fields}");
    }
    assert_eq!(judged(&bounce("", &field("X: x"))), [""; 0]);
    assert_eq!(judged(&bounce("", &field("Diagnostic-Code: smtp; 550-5.1.1 No"))), [""; 0]);
}

#[test]
fn utf8_has_a_type_of_its_own() {
    let message = bounce("", SOUND).replace("No such user", "Boîte inconnue");
    let global = message.replace("message/delivery-status", "message/global-delivery-status");
    assert_eq!(judged(&global), [""; 0]);
}

#[test]
fn a_finding_names_its_line() {
    let second = SOUND.replace("Status: 5.1.1\n", "").replace("a@b.test", "c@b.test");
    let found = findings(&bounce("", &format!("{SOUND}\n{second}")));
    let found: Vec<(usize, &str)> =
        found.iter().map(|finding| (finding.line, finding.detail.as_str())).collect();
    assert_eq!(found, [(17, "no Status for c@b.test")]);
    let dma = "From: <>\n\nThere was an error delivering your mail to <a@b.test>.\n\nmx.b.test did not like our RCPT TO:\n550 No\n";
    assert_eq!(judged(dma), [""; 0]);
}

/// The reference server sends no bounces, so no fault proves these rules: this table does, and `rows` runs it.
#[test]
fn every_rule_is_broken_and_kept() {
    assert_eq!(judged(&bounce("", SOUND)), [""; 0]);
    let breaks = |rule: &RuleId| {
        let id = format!("{rule} ");
        ROWS.iter().any(|(_, _, found)| found.iter().any(|found| found.starts_with(&id)))
    };
    let by_text = [RuleId::DSN_DIAGNOSTIC_VERBATIM];
    let unproved: BTreeSet<&str> = RuleId::all()
        .filter(|rule| rule.rule().kind == Kind::Report && !breaks(rule) && !by_text.contains(rule))
        .map(|rule| rule.rule().id)
        .collect();
    assert_eq!(unproved, BTreeSet::new());
}
