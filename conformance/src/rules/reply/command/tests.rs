//! Tables of commands and replies in each state, with the rules that they break.

use crate::protocol::Protocol;
use crate::readers::testing::{Place, Row, Table, dialogue};
use crate::{Kind, Knowledge, Policy};

pub(in crate::rules) const GREETING: &str = "S: 220 mx.example.test";
pub(in crate::rules) const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
pub(in crate::rules) const RCPT: &str = "C: RCPT TO:<alice@example.test>\nS: 250 2.1.5 Ok";
/// A second recipient, whose mailbox is full.
pub(in crate::rules) const FULL: &str = "C: RCPT TO:<full@example.test>\nS: 250 2.1.5 Ok";
pub(in crate::rules) const DATA: &str = "C: DATA\nS: 354 Go on";
const EHLO: &str = "C: EHLO me.example.org\nS: 250-mx.example.test\nS: 250 ENHANCEDSTATUSCODES";

/// A table of replies after the greeting, about the rules of commands.
fn table(protocol: Protocol) -> Table<'static> {
    Table {
        protocol,
        knowledge: knowledge(),
        before: &[GREETING],
        rules: |rule| rule.kind == Kind::Reply && rule.label.starts_with("CM"),
        place: Place::Last,
    }
}

/// Checks rows of what comes after the greeting.
#[track_caller]
pub(in crate::rules) fn check(protocol: Protocol, rows: &[Row<'_>]) {
    table(protocol).check(rows);
}

pub(in crate::rules) fn knowledge() -> Knowledge {
    let mailbox = |name: &str| Some(format!("{name}@example.test"));
    Knowledge {
        valid: mailbox("alice"),
        unknown: mailbox("nosuch"),
        foreign: Some("someone@elsewhere.test".to_owned()),
        forwarded: mailbox("moved"),
        full: mailbox("full"),
        ..Knowledge::default()
    }
}

#[test]
fn openings_and_hellos() {
    Table { before: &[], ..table(Protocol::Smtp) }.check(&[
        (&["S: 220 mx"], ""),
        (&["S: 421 busy"], ""),
        (&["S: 521 no"], ""),
        (&["S: 554 no"], ""),
        (&["S: 550 no"], "opening-codes warning"),
    ]);
    check(
        Protocol::Smtp,
        &[
            (&["C: EHLO me", "S: 250 mx"], ""),
            (&["C: EHLO me", "S: 550 5.7.1 no"], ""),
            (&["C: EHLO me", "S: 450 4.7.0 later"], ""),
            (&["C: EHLO me", "S: 421 4.3.2 later"], ""),
            (&["C: EHLO @@", "S: 501 5.5.4 no"], ""),
            (&["C: EHLO @@", "S: 500 no"], ""),
            (&["C: EHLO me", "S: 553 no"], "hello-codes warning"),
            (&["C: EHLO me", "S: 521 no"], "hello-codes warning"),
            (&["C: HELO me", "S: 502 use EHLO"], "hello-implemented error"),
            (&["C: EHLO me", "S: 500 what"], "hello-implemented error"),
            (&["C: LHLO me", "S: 500 what"], ""),
            (&[EHLO, "C: EHLO me", "S: 503 already"], "hello-codes warning"),
            (&[EHLO, "C: NOOP", "S: 521 5.7.1 no"], "no-521-after-opening note, noop-answered-250 error"),
        ],
    );
}

#[test]
fn commands_that_work_at_any_time() {
    check(
        Protocol::Smtp,
        &[
            (&["C: NOOP", "S: 250 Ok"], ""),
            (&["C: NOOP", "S: 503 hello?"], "works-before-hello warning"),
            (&["C: RSET", "S: 503 hello?"], "works-before-hello warning"),
            (&["C: HELP", "S: 503 hello?"], "works-before-hello warning"),
            (&["C: RSET", "S: 530 5.7.0 TLS"], ""),
            (&[EHLO, "C: RSET", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: RSET", "S: 421 4.3.2 bye"], ""),
            (&[EHLO, "C: RSET", "S: 450 4.3.2 busy"], ""),
            (&[EHLO, "C: RSET", "S: 503 5.5.1 no"], "rset-answered-250 error"),
            (&[EHLO, MAIL, "C: RSET", "S: 221 bye"], "rset-answered-250 error"),
            (&[EHLO, "C: RSET x", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: RSET x", "S: 250 2.0.0 Ok"], "argument-refused-501 warning"),
            (&[EHLO, "C: RSET x", "S: 500 5.5.2 no"], "argument-refused-501 warning"),
            (&[EHLO, "C: NOOP", "S: 251 Ok"], "noop-answered-250 error"),
            (&[EHLO, "C: NOOP x", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: NOOP x", "S: 501 5.5.4 no"], "noop-answered-250/argument-refused warning"),
            (&[EHLO, "C: NOOP ", "S: 500 5.5.4 no"], "noop-answered-250/argument-refused warning"),
            (&[EHLO, "C: NOOP", "S: 554 Too many nonmail commands"], ""),
            (&[EHLO, "C: RSET", "S: 554 SMTP synchronization error"], ""),
            (&["C: QUIT", "S: 221 2.0.0 Bye"], ""),
            (&[EHLO, MAIL, "C: QUIT", "S: 421 4.3.2 Bye"], ""),
            (&[EHLO, MAIL, "C: QUIT", "S: 250 2.0.0 Bye"], "quit-answered-221 error"),
            (&[EHLO, "C: QUIT x", "S: 221 2.0.0 Bye"], "argument-refused-501 warning"),
            (&[EHLO, "C: QUIT x", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: NOOP", "S: 504 no"], "noop-answered-250 error"),
        ],
    );
}

#[test]
fn mail() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 530 5.7.0 TLS"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 451 4.1.8 later"], ""),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 450 4.1.8 later"],
                "mail-codes/base-list-lacks note",
            ),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 554 5.7.1 no"], "mail-codes/base-list-lacks note"),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 551 no"], "mail-codes warning"),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 556 5.1.10 no"], "mail-codes warning"),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> CONPERM", "S: 504 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> MT-PRIORITY=3", "S: 450 4.7.15 no"], ""),
            (&["C: MAIL FROM:<bob@example.org>", "S: 503 5.5.1 hello?"], ""),
            (&["C: MAIL FROM:<bob@example.org>", "S: 550 5.7.1 no"], ""),
            (
                &["C: MAIL FROM:<bob@example.org>", "S: 250 2.1.0 Ok"],
                "bad-sequence-503/mail-before-hello note",
            ),
            (&["C: MAIL FROM:<bob@example.org>", "S: 501 hello?"], "bad-sequence-503/other-refusal warning"),
            (&["C: MAIL FROM:bob", "S: 501 hello?"], ""),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 503 5.5.1 no"], ""),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 250 2.1.0 Ok"], "bad-sequence-503 warning"),
            (
                &[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 501 5.5.1 no"],
                "bad-sequence-503/other-refusal warning",
            ),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org> FOO", "S: 555 5.5.4 no"], ""),
            (&[EHLO, MAIL, "C: MAIL FROM:<eve@example.org>", "S: 550 5.7.1 no"], ""),
            (&[EHLO, "C: MAIL FROM:bob@example.org", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob>", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org", "S: 250 2.1.0 Ok"], "mail-syntax-501 warning"),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 250 2.1.0 Ok"], "mail-syntax-501 warning"),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 501 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 553 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 550 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>x", "S: 555 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL", "S: 500 what"], "mail-syntax-501/refused-otherwise warning"),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 500 5.5.2 no"], "space-after-colon note"),
            (
                &[EHLO, "C: MAIL FROM:<b\u{f6}b@example.org>", "S: 250 2.1.0 Ok"],
                "non-ascii-command-refused warning",
            ),
            (&[EHLO, "C: MAIL FROM:<b\u{f6}b@example.org> SMTPUTF8", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<b\u{f6}b@example.org>", "S: 553 5.6.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 502 5.5.1 no"], "required-commands error"),
        ],
    );
}

#[test]
fn parameters() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 555 5.5.4 no"], ""),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 250 2.1.0 Ok"],
                "unknown-parameter-555 error",
            ),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 501 5.5.4 no"],
                "unknown-parameter-555/other-refusal warning",
            ),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 503 5.5.4 no"],
                "unknown-parameter-555/other-refusal warning",
            ),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 550 5.7.1 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> BY=9;N", "S: 455 4.5.0 not now"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> BY=9;N", "S: 451 4.3.0 not now"], ""),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org> BY=9;N", "S: 451 4.5.4 not now"],
                "parameter-unavailable-455 note",
            ),
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org> BY=9;N", "S: 555 5.5.4 temporarily not available"],
                "parameter-unavailable-455 note",
            ),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> SIZE=9", "S: 452 4.5.4 try again later"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<alice@example.test> NOTIFY=NEVER", "S: 451 4.5.4 later"],
                "parameter-unavailable-455 note",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 451 4.5.4 later"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 451 4.3.0 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1 SIZE=-1", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> XFOO=1", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> HOLDFOR=1", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob> FOO=1", "S: 501 5.1.7 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<alice@example.test> FOO", "S: 503 no"],
                "unknown-parameter-555/other-refusal warning",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<alice@example.test> FOO", "S: 250 2.1.5 Ok"],
                "unknown-parameter-555 error",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test> CONNEG", "S: 504 no"], ""),
        ],
    );
    let helo = "C: HELO me\nS: 250 mx";
    check(Protocol::Smtp, &[(&[helo, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 501 no"], "")]);
}

#[test]
fn rcpt() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 251 2.1.5 will forward to <a@b.org>"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 450 4.7.1 greylisted"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 556 5.1.10 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 554 5.7.1 no"],
                "rcpt-codes/base-list-lacks note",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 571 no"], "rcpt-codes warning"),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 503 5.5.1 no"], ""),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 250 2.1.5 Ok"], "rcpt-needs-mail error"),
            (
                &[EHLO, "C: RCPT TO:<alice@example.test>", "S: 500 no"],
                "rcpt-needs-mail/other-refusal warning",
            ),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 550 5.7.1 no"], ""),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 450 4.3.2 no"], ""),
            (&[EHLO, "C: RCPT TO:alice", "S: 501 5.1.3 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 550 5.1.1 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 250 2.1.5 Ok"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 450 4.2.0 later"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 553 5.1.1 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 554 5.1.1 no"],
                "unknown-recipient-550 warning",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 554 5.7.1 no"],
                "rcpt-codes/base-list-lacks note",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<moved@example.test>", "S: 551 5.1.6 try <a@b.org>"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<moved@example.test>", "S: 553 5.1.6 no"], "forwarding-codes note"),
            (&[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 550 5.7.1 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 530 5.7.0 login"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 454 4.7.1 no"],
                "relay-refusal-550 note",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 553 5.7.1 no"],
                "relay-refusal-550 note",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<PostMaster>", "S: 250 2.1.5 Ok"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<PostMaster>", "S: 450 4.7.1 later"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<PostMaster>", "S: 550 5.1.1 no"], "postmaster-accepted error"),
            (
                &[EHLO, MAIL, "C: RCPT TO:<postmaster@example.test>", "S: 501 5.1.3 no"],
                "postmaster-accepted error",
            ),
            (&[EHLO, MAIL, "C: RCPT TO:<postmaster@elsewhere.test>", "S: 550 5.1.1 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<postmaster2@example.test>", "S: 550 5.1.1 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<postmaster>", "S: 554 5.7.1 client blocked"],
                "rcpt-codes/base-list-lacks note",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<\u{e4}lice@example.test>", "S: 250 2.1.5 Ok"],
                "non-ascii-command-refused warning",
            ),
        ],
    );
    check(
        Protocol::Submission,
        &[
            (&[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 554 5.7.1 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<postmaster>", "S: 550 5.1.1 no"], ""),
        ],
    );
}

#[test]
fn recipient_limits() {
    let accepted =
        |count| [GREETING, EHLO, MAIL].into_iter().chain(std::iter::repeat_n(RCPT, count)).collect();
    let (fifty, hundred): (Vec<&str>, Vec<&str>) = (accepted(50), accepted(100));
    let rcpt = "C: RCPT TO:<alice@example.test>";
    let table = Table { rules: |rule| rule.id == "recipient-limit-452", ..table(Protocol::Smtp) };
    Table { before: &fifty, ..table.clone() }.check(&[
        (&[rcpt, "S: 452 4.5.3 Too many"], "recipient-limit-452 error"),
        (&[rcpt, "S: 452 4.3.1 No space"], ""),
        (&[rcpt, "S: 452 4.7.1 Too many recipients today"], ""),
    ]);
    let table = Table { before: &hundred, ..table };
    table.check(&[
        (&[rcpt, "S: 452 4.5.3 Too many"], ""),
        (&[rcpt, "S: 451 4.5.3 Too many"], "recipient-limit-452/registry-code warning"),
        (&[rcpt, "S: 552 5.5.3 Too many"], "recipient-limit-452 error"),
        (&[rcpt, "S: 552 Too many recipients"], "recipient-limit-452 error"),
    ]);
    let policy = Knowledge { policies: vec![Policy::Recipients], ..knowledge() };
    Table { knowledge: policy, ..table }
        .check(&[(&[rcpt, "S: 552 5.5.3 Too many"], "recipient-limit-452/site-policy note")]);
}

#[test]
fn data_and_its_end() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 354 Go on"], ""),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 451 4.3.0 later"], ""),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 250 2.0.0 Ok"], "data-answered-354 error"),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 553 no"], "end-of-data-codes warning"),
            (&[EHLO, MAIL, RCPT, "C: DATA x", "S: 354 Go on"], "argument-refused-501 warning"),
            (&[EHLO, MAIL, RCPT, "C: DATA x", "S: 501 5.5.4 no"], ""),
            (&[EHLO, MAIL, "C: DATA x", "S: 554 5.5.1 no recipients"], ""),
            (&[EHLO, MAIL, "C: DATA", "S: 503 5.5.1 no"], ""),
            (&[EHLO, MAIL, "C: DATA", "S: 554 5.5.1 no"], ""),
            (&[EHLO, "C: DATA", "S: 503 5.5.1 no"], ""),
            (&[EHLO, "C: DATA", "S: 554 5.5.1 no"], ""),
            (&[EHLO, MAIL, "C: DATA", "S: 354 Go on"], "data-needs-recipient note"),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 550 5.7.1 spam"], ""),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 553 5.1.1 no"],
                "end-of-data-codes warning",
            ),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 501 5.6.0 no"],
                "end-of-data-codes warning",
            ),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 500 5.4.6 loop"],
                "end-of-data-codes warning",
            ),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 500 line too long"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 550 5.1.1 no"], ""),
            (
                &[EHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 550 5.1.1 no"],
                "late-recipient-failure note",
            ),
            (&[EHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 550 5.7.1 no"], ""),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Resent-To: x\nC: .", "S: 550 5.6.0 bad Resent"],
                "resent-fields-not-refused error",
            ),
            (&[EHLO, MAIL, RCPT, DATA, "C: Resent-To: x\nC: .", "S: 550 5.6.0 not as represented"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 552 5.3.4 big"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 550 5.3.4 big"], "limit-codes note"),
            (
                &[EHLO, MAIL, RCPT, "C: BDAT 12 LAST\nC: Subject: x", "S: 250 2.0.0 Ok"],
                "supported-command-listed warning",
            ),
            (&[EHLO, MAIL, RCPT, "C: BDAT 12 LAST\nC: Subject: x", "S: 502 5.5.1 no"], ""),
        ],
    );
    check(
        Protocol::Submission,
        &[(
            &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 501 5.6.0 no"],
            "end-of-data-codes/message-submission note",
        )],
    );
}

#[test]
fn inquiries() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: VRFY alice@example.test", "S: 250 2.1.5 Alice <alice@example.test>"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 252 2.5.0 try it"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 550 5.1.1 no"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 450 4.3.2 later"], ""),
            (&[EHLO, "C: VRFY", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: VRFY nosuch@example.test", "S: 250 <nosuch@example.test>"], "vrfy-truthful error"),
            (&[EHLO, "C: VRFY alice@example.test", "S: 250 2.0.0 Ok"], "vrfy-names-mailbox warning"),
            (&[EHLO, "C: VRFY alice@example.test", "S: 554 5.7.1 no"], "vrfy-expn-codes note"),
            (&[EHLO, "C: EXPN staff", "S: 500 5.5.2 what"], ""),
            (&[EHLO, "C: EXPN staff", "S: 250 <a@b.org>"], "supported-command-listed warning"),
            (&[EHLO, "C: HELP", "S: 214 2.0.0 help"], "supported-command-listed/help note"),
            (&[EHLO, "C: HELP", "S: 502 5.5.1 no"], ""),
            (&[EHLO, "C: HELP", "S: 250 2.0.0 help"], "help-codes note"),
        ],
    );
}

#[test]
fn vocabulary() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: FOOBAR", "S: 500 5.5.2 what"], ""),
            (&[EHLO, "C: FOOBAR", "S: 502 5.5.2 what"], "unknown-command-500/unimplemented-502 warning"),
            (&[EHLO, "C: FOOBAR", "S: 503 5.5.2 what"], "unknown-command-500 warning"),
            (&["C: FOOBAR", "S: 503 5.5.1 hello?"], ""),
            (&[EHLO, "C: FOOBAR", "S: 250 Ok"], "unknown-command-500 warning"),
            (&[EHLO, "C: XCLIENT A=B", "S: 550 5.7.0 no"], ""),
            (&[EHLO, "C: GET / HTTP/1.1", "S: 221 2.7.0 bye"], ""),
            (&[EHLO, "C: Subject: hi", "S: 221 2.7.0 bye"], ""),
            (&[EHLO, "C: TURN", "S: 502 5.5.1 no"], ""),
            (&[EHLO, "C: STARTTLS", "S: 220 2.0.0 go"], "supported-command-listed warning"),
            (
                &[EHLO, "C: NOOP xxxxxxxxxxxxxxxxxxxx", "S: 500 5.5.2 line too long"],
                "command-length-limit error",
            ),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 500 5.5.2 what"], "required-commands error"),
        ],
    );
}

#[test]
fn listed_commands_are_implemented() {
    let ehlo = "C: EHLO me\nS: 250-mx\nS: 250-HELP\nS: 250 AUTH=LOGIN";
    check(
        Protocol::Smtp,
        &[
            (&[ehlo, "C: HELP MAIL", "S: 214 help"], ""),
            (&[ehlo, "C: HELP MAIL", "S: 504 no"], ""),
            (&[ehlo, "C: HELP MAIL", "S: 500 no"], "unimplemented-parameter-504 note"),
            (&[ehlo, "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6"], ""),
        ],
    );
}

#[test]
fn servers_that_accept_no_mail_are_not_judged() {
    let table = Table { before: &[], ..table(Protocol::Smtp) };
    let refused = "S: 554 no\nC: EHLO me\nS: 503 no";
    table.check(&[
        (&[refused, "C: RSET", "S: 503 no"], ""),
        (&[refused], ""),
        (&["S: 521 no", "C: EHLO me", "S: 521 no"], ""),
        (&["S: 521 no", "C: QUIT", "S: 521 no"], "quit-answered-221 error"),
        (&["S: 220 mx\n#: tls", "C: EHLO me", "S: 554 5.7.0 weak"], ""),
    ]);
    // No transcript lacks the greeting.
    let mut recorded_late = dialogue(&[GREETING, MAIL].join("\n"));
    recorded_late.exchanges.remove(0);
    assert_eq!(table.found_in(&[recorded_late]), "");
}

/// RFC 5321 §3.3, §4.1.4 do not say whether a refused DATA ends the transaction, and servers differ.
#[test]
fn a_refused_data_leaves_the_transaction_in_doubt() {
    for refusal in
        ["S: 451 4.3.0 not now", "S: 503 5.5.1 no", "S: 554 5.5.1 no valid recipients", "S: 550 5.7.1 no"]
    {
        let table =
            Table { before: &[GREETING, EHLO, MAIL, RCPT, "C: DATA", refusal], ..table(Protocol::Smtp) };
        let again = "C: MAIL FROM:<bob@example.org>";
        table.check(&[
            (&[again, "S: 250 2.1.0 Ok"], ""),
            (&[again, "S: 503 5.5.1 nested"], ""),
            (&[again, "S: 501 5.5.1 nested"], ""),
        ]);
    }
}
