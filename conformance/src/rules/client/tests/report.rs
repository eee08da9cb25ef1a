//! What clients report.

use super::attempt::{
    AGAIN, Attempt, BARE, DATA, MAIL, OK, OPEN, QUIT, RCPT, Row, SENT, broken, kept, nothing, smtp,
};
use crate::rules::client::Reported::{
    Failed, Hung, Looped, Ok, Partial, PartialPermanent, PartialTemporary, Permanent, Temporary,
};

const REFUSED: &str = "S: 554 No";
const LATER: &str = "S: 451 Later";

pub(super) fn rows() -> Vec<Row> {
    [codes(), forms(), classes(), login(), lost(), acceptance(), unclear(), quit(), ends()].concat()
}

/// An attempt that comes to the end of the message.
fn sends(pieces: &[&str]) -> Attempt {
    smtp(&[&[OPEN, MAIL, RCPT, DATA], pieces].concat())
}

fn codes() -> Vec<Row> {
    const CODE: &str = "client-decides-by-reply-code";
    const FATAL: &str = "client-fatal-first-digit";
    const INTERMEDIATE: &str = "client-intermediate-is-not-success";
    const NONE: &str = "C: RCPT TO:<r1@example.org>\nS: 650 What";
    let rare = |pieces: &[&str]| sends(pieces).right(&[Ok]).breaks(CODE);
    let fatal = |pieces: &[&str]| {
        smtp(&[&[OPEN, MAIL, NONE], pieces].concat()).right(&[Permanent, Temporary]).breaks(FATAL)
    };
    let not_yet = |pieces: &[&str]| sends(pieces).right(&[Permanent, Temporary]).breaks(INTERMEDIATE);
    vec![
        broken(CODE, "client-decides-by-reply-code error", rare(&["S: 299 Fine", QUIT]).reports(Failed)),
        broken(
            CODE,
            "client-decides-by-reply-code error",
            sends(&["S: 450 5.1.1 No", QUIT]).right(&[Temporary]).breaks(CODE).reports(Permanent),
        ),
        kept(CODE, rare(&["S: 299 Fine", QUIT])),
        nothing(CODE, rare(&[LATER, QUIT]).unreached().reports(Failed)),
        broken(
            FATAL,
            "client-fatal-first-digit warning, client-counts-replies/no-recipient note",
            fatal(&[DATA, OK, QUIT]),
        ),
        kept(FATAL, fatal(&[QUIT]).reports(Failed)),
        // The more precise rule alone.
        broken(INTERMEDIATE, "client-intermediate-is-not-success error", not_yet(&["S: 354 Go on", QUIT])),
        kept(INTERMEDIATE, not_yet(&["S: 354 Go on", QUIT]).reports(Permanent)),
    ]
}

fn forms() -> Vec<Row> {
    let cases = [
        ("client-accepts-bare-code", "client-accepts-bare-code error", "S: 250"),
        ("client-accepts-long-reply", "client-accepts-long-reply warning", "S: 250-Line 1\nS: 250 Line 2"),
        ("client-accepts-split-reply", "client-accepts-split-reply error", OK),
        ("client-counts-replies", "client-counts-replies error", OK),
    ];
    let mut rows = Vec::new();
    for (rule, found, reply) in cases {
        let sends = |pieces: &[&str]| sends(pieces).right(&[Ok]).breaks(rule);
        rows.extend([
            broken(rule, found, sends(&[reply, QUIT]).reports(Failed)),
            // It waits for more of the reply.
            broken(rule, found, sends(&[reply]).reports(Hung)),
            kept(rule, sends(&[reply, QUIT])),
        ]);
    }
    rows
}

fn classes() -> Vec<Row> {
    const RULE: &str = "client-temporary-is-not-permanent";
    let later = |pieces: &[&str]| {
        smtp(pieces).right(&[Temporary]).breaks(RULE).but(Ok, "client-success-needs-acceptance")
    };
    let never = |pieces: &[&str]| smtp(pieces).right(&[Permanent]).breaks(RULE);
    let mail = "C: MAIL FROM:<amy@example.net>\nS: 451 Later";
    let some_later = || {
        let second = "C: RCPT TO:<r2@example.org>\nS: 450 Later";
        smtp(&[OPEN, MAIL, RCPT, second, DATA, OK, QUIT])
            .recipients(&["r1@example.org", "r2@example.org"])
            .right(&[PartialTemporary, Temporary])
            .breaks(RULE)
    };
    vec![
        broken(
            RULE,
            "client-temporary-is-not-permanent warning",
            later(&[OPEN, mail, QUIT]).reports(Permanent),
        ),
        broken(
            RULE,
            "client-temporary-is-not-permanent/end-of-data note",
            later(&[OPEN, MAIL, RCPT, DATA, LATER, QUIT]).reports(Permanent),
        ),
        broken(
            RULE,
            "client-temporary-is-not-permanent warning",
            never(&[OPEN, MAIL, RCPT, DATA, REFUSED, QUIT]).reports(Temporary),
        ),
        kept(RULE, later(&[OPEN, mail, QUIT]).reports(Temporary)),
        kept(RULE, later(&[OPEN, mail, QUIT]).reports(Failed)),
        kept(RULE, never(&[OPEN, MAIL, RCPT, DATA, REFUSED, QUIT]).reports(Permanent)),
        // These are no failures of another class.
        broken(
            "client-success-needs-acceptance",
            "client-success-needs-acceptance error",
            later(&[OPEN, mail, QUIT]).reports(Partial),
        ),
        broken(
            "client-success-needs-acceptance",
            "client-success-needs-acceptance error",
            later(&[OPEN, mail, QUIT]).reports(PartialPermanent),
        ),
        // The class of the recipients that are left.
        broken(RULE, "client-temporary-is-not-permanent warning", some_later().reports(PartialPermanent)),
        kept(RULE, some_later().reports(PartialTemporary)),
        kept(RULE, some_later().reports(Partial)),
        broken("client-terminates", "client-terminates warning", later(&[OPEN, mail]).reports(Hung)),
        // It tries again, and succeeds.
        nothing(RULE, later(&[OPEN, mail, QUIT, AGAIN, OPEN, SENT])),
    ]
}

fn login() -> Vec<Row> {
    const RULE: &str = "client-auth-failure-action";
    const FAILED: &str = "C: AUTH PLAIN AGEAYg==\nS: 454 Later";
    let later = |pieces: &[&str]| smtp(pieces).right(&[Temporary]).breaks(RULE);
    vec![
        broken(RULE, "client-auth-failure-action note", later(&[OPEN, FAILED, QUIT]).reports(Permanent)),
        kept(RULE, later(&[OPEN, FAILED, QUIT]).reports(Temporary)),
        nothing(RULE, later(&[OPEN, FAILED, FAILED, "C: AUTH PLAIN AGEAYg==\nS: 235 Ok", SENT])),
    ]
}

fn lost() -> Vec<Row> {
    const RULE: &str = "client-lost-connection";
    let lost = |pieces: &[&str]| {
        sends(pieces).right(&[Temporary]).breaks(RULE).but(Ok, "client-success-needs-acceptance")
    };
    vec![
        broken(RULE, "client-lost-connection warning", lost(&["#: closed by server"]).reports(Permanent)),
        broken(
            "client-success-needs-acceptance",
            "client-success-needs-acceptance error",
            lost(&["#: closed by server"]),
        ),
        broken(
            "client-terminates",
            "client-terminates warning",
            lost(&["#: closed by server"]).reports(Hung),
        ),
        kept(RULE, lost(&["#: closed by server"]).reports(Temporary)),
        kept(RULE, lost(&["#: closed by server"]).reports(Failed)),
        nothing(RULE, lost(&["#: closed by server", AGAIN, OPEN, SENT])),
        // It tries again, and the other recipient is left.
        nothing(
            RULE,
            lost(&["#: closed by server", AGAIN, OPEN, SENT])
                .recipients(&["r1@example.org", "r2@example.org"])
                .reports(PartialTemporary),
        ),
    ]
}

fn acceptance() -> Vec<Row> {
    const RULE: &str = "client-success-needs-acceptance";
    const DIFFERENT: &str = "C: RCPT TO:<r1@example.org>\nS: 550 No\nC: RCPT TO:<r2@example.org>\nS: 450 No";
    const FOUND: &str = "client-success-needs-acceptance error";
    vec![
        broken(RULE, FOUND, sends(&[REFUSED, QUIT])),
        broken(RULE, FOUND, smtp(&[OPEN, MAIL, "C: RCPT TO:<r1@example.org>\nS: 550 No", QUIT])),
        broken(RULE, FOUND, sends(&["S: 354 Go on", QUIT])),
        broken(RULE, FOUND, smtp(&["#: closed by server"])),
        // Accepted, but for nobody.
        broken(
            RULE,
            FOUND,
            smtp(&[
                OPEN,
                MAIL,
                "C: RCPT TO:<r1@example.org>\nC: DATA\nS: 550 No\nS: 354 Go on\nC: .\nS: 250 Ok",
                QUIT,
            ]),
        ),
        kept(RULE, smtp(&[OPEN, SENT])),
        kept(RULE, sends(&[REFUSED, QUIT]).reports(Failed)),
        kept(RULE, sends(&[LATER, "C: RSET\nS: 250 Ok", SENT])),
        kept(RULE, sends(&[LATER, QUIT, AGAIN, OPEN, SENT])),
        kept(RULE, sends(&["S: 250 Ok\n#: closed by server"])),
        kept(RULE, sends(&["S: 250", QUIT])),
        kept(RULE, sends(&["S: 250 Ok\\n", QUIT])),
        kept(
            RULE,
            smtp(&[OPEN, MAIL, RCPT, "C: BDAT 6\nC: Text\nS: 250 Ok\nC: BDAT 0 LAST\nS: 250 Ok", QUIT]),
        ),
        kept(RULE, smtp(&[BARE, MAIL, "C: rcpt to: r1@example.org \nS: 251 Ok", DATA, OK, QUIT])),
        // All recipients were refused, but for different reasons.
        kept(
            RULE,
            smtp(&[OPEN, MAIL, DIFFERENT, QUIT]).right(&[Permanent, Temporary]).breaks(RULE).reports(Failed),
        ),
        // The recipient that was accepted gets no message, and is given up without a word.
        broken(
            RULE,
            "client-success-needs-acceptance error",
            smtp(&[OPEN, MAIL, RCPT, "C: RCPT TO:<r2@example.org>\nS: 450 Later", QUIT])
                .recipients(&["r1@example.org", "r2@example.org"])
                .right(&[PartialTemporary, Temporary])
                .breaks("client-temporary-is-not-permanent")
                .reports(PartialTemporary),
        ),
        nothing(RULE, sends(&[OK, QUIT]).reports(Failed)),
    ]
}

/// Replies to the message whose meaning nobody can tell.
fn unclear() -> Vec<Row> {
    const RULE: &str = "client-success-needs-acceptance";
    let replies = [
        "S: 250 Acc\\+\n#: closed by server",
        "S: 25\\+\n#: closed by server",
        "S: 250-One\n#: closed by server",
        "S: 25 Accepted\n#: closed by server",
        "S: 250Accepted\n#: closed by server",
        "S: 250: Accepted\n#: closed by server",
        "S: Hello\n#: closed by server",
        "S: 550-No\nS: 250 Yes",
        "S: 250-Yes\nS: 550 No",
    ];
    replies
        .iter()
        .flat_map(|reply| [Ok, Failed].map(|one| nothing(RULE, sends(&[reply]).reports(one))))
        .collect()
}

fn quit() -> Vec<Row> {
    const RULE: &str = "client-quit-does-not-matter";
    const UNKNOWN: &str = "C: QUIT\nS: 500 What?";
    let quits = |pieces: &[&str]| sends(pieces).right(&[Ok]).breaks(RULE);
    vec![
        broken(RULE, "client-quit-does-not-matter note", quits(&[OK, UNKNOWN]).reports(Failed)),
        broken("client-terminates", "client-terminates warning", quits(&[OK, "C: QUIT"]).reports(Hung)),
        kept(RULE, quits(&[OK, UNKNOWN])),
        kept(RULE, quits(&[OK, "C: QUIT\n#: closed by server"])),
    ]
}

fn ends() -> Vec<Row> {
    const RULE: &str = "client-terminates";
    const FOUND: &str = "client-terminates warning";
    vec![
        broken(RULE, FOUND, smtp(&[OPEN, MAIL]).reports(Hung)),
        broken(RULE, FOUND, smtp(&[OPEN, MAIL]).reports(Looped)),
        // It was stopped, so it could neither report nor send QUIT.
        broken(
            RULE,
            FOUND,
            sends(&[LATER])
                .right(&[Temporary])
                .breaks("client-decides-by-reply-code")
                .tests("client-quits")
                .reports(Looped),
        ),
        kept(RULE, smtp(&[OPEN, SENT])),
        kept(RULE, sends(&[LATER, QUIT]).reports(Failed)),
    ]
}
