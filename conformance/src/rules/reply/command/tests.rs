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
/// A reply to EHLO that lists SIZE.
const SIZE: &str =
    "C: EHLO me.example.org\nS: 250-mx.example.test\nS: 250-SIZE 100000\nS: 250 ENHANCEDSTATUSCODES";
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

/// A message with a line of that many octets without its end.
fn text_line(octets: usize) -> String {
    format!("C: Subject: x\nC: \nC: {}\nC: .", "x".repeat(octets))
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
            (&["C: EHLO me.example.org", "S: 501 5.5.4 Syntax error"], "hello-syntax-accepted error"),
            (&["C: HELO me.example.org", "S: 501 Syntax error"], "hello-syntax-accepted error"),
            (&["C: EHLO [127.0.0.1]", "S: 501 Invalid domain name"], "hello-syntax-accepted error"),
            (&["C: EHLO [IPv6:::1]", "S: 501 Invalid domain name"], "hello-syntax-accepted error"),
            (&["C: EHLO me.example.org", "S: 501 5.7.1 Blocked"], ""),
            (&["C: EHLO me.example.org", "S: 501 The name does not resolve"], ""),
            (&["C: EHLO me", "S: 501 5.5.4 Give a full name"], ""),
            (&["C: EHLO me.example.org", "S: 550 No"], ""),
            (&["C: EHLO @@", "S: 500 no"], ""),
            (&["C: EHLO me", "S: 553 no"], "hello-codes error"),
            (&["C: EHLO me", "S: 521 no"], "hello-codes error"),
            (&["C: HELO me", "S: 502 use EHLO"], "hello-implemented error"),
            (&["C: EHLO me", "S: 500 what"], "hello-implemented error"),
            (&["C: LHLO me", "S: 500 what"], ""),
            (&[EHLO, "C: EHLO me", "S: 503 already"], "hello-codes error"),
            (&[EHLO, "C: EHLO me", "S: 500 Expected MAIL or QUIT"], ""),
            (&[EHLO, "C: EHLO me", "S: 502 once is enough"], ""),
            (&[EHLO, "C: HELO me", "S: 502 use EHLO"], "hello-implemented error"),
            (&["C: EHLO me", "S: 220 go on"], "hello-codes/other-success warning"),
            (&[EHLO, "C: NOOP", "S: 521 5.7.1 no"], "no-521-after-opening warning, noop-answered-250 error"),
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
            (&["C: NOOP", "S: 500 Expected EHLO or HELO"], "works-before-hello warning"),
            (&["C: RSET", "S: 503 hello?"], "rset-answered-250 error"),
            (&["C: HELP", "S: 503 hello?"], "works-before-hello warning"),
            (&["C: HELP", "S: 502 Send HELO first"], "works-before-hello warning"),
            (&["C: VRFY bob", "S: 550 Say hello first"], "works-before-hello warning"),
            (&["C: RSET", "S: 530 5.7.0 TLS"], ""),
            (&[EHLO, "C: RSET", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: RSET", "S: 421 4.3.2 bye"], ""),
            (&[EHLO, "C: RSET", "S: 450 4.3.2 busy"], "rset-answered-250/temporary note"),
            (&[EHLO, "C: RSET", "S: 503 5.5.1 no"], "rset-answered-250 error"),
            (&[EHLO, MAIL, "C: RSET", "S: 221 bye"], "rset-answered-250 error"),
            (&[EHLO, "C: RSET x", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: RSET x", "S: 250 2.0.0 Ok"], "argument-refused-501 warning"),
            (&[EHLO, "C: RSET x", "S: 500 5.5.2 no"], "argument-refused-501 warning"),
            (&[EHLO, "C: NOOP", "S: 251 Ok"], "noop-answered-250 error"),
            (&[EHLO, "C: NOOP x", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: NOOP x", "S: 501 5.5.4 no"], "noop-answered-250/argument-refused warning"),
            (&[EHLO, "C: NOOP", "S: 450 4.3.2 busy"], "noop-answered-250/temporary note"),
            (&[EHLO, "C: NOOP x", "S: 450 4.3.2 busy"], ""),
            (&[EHLO, "C: QUIT", "S: 450 4.3.2 busy"], "quit-answered-221/temporary note"),
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
            (
                &[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 530 5.7.0 TLS"],
                "access-denied-530-has-remedy warning",
            ),
            (&["C: HELO me\nS: 250 mx", "C: MAIL FROM:<bob@example.org>", "S: 530 5.7.0 TLS"], ""),
            (
                &[
                    "C: EHLO me\nS: 250-mx\nS: 250 AUTH PLAIN",
                    "C: MAIL FROM:<bob@example.org>",
                    "S: 530 5.7.0 Login",
                ],
                "",
            ),
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
            (&["C: MAIL FROM:<bob@example.org>", "S: 501 hello?"], "bad-sequence-503 error"),
            (&["C: MAIL FROM:bob", "S: 501 hello?"], ""),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 503 5.5.1 no"], ""),
            (
                &[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 250 2.1.0 Ok"],
                "bad-sequence-503/nested-mail note",
            ),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org>", "S: 501 5.5.1 no"], "bad-sequence-503 error"),
            (&[EHLO, MAIL, "C: MAIL FROM:<bob@example.org> FOO", "S: 555 5.5.4 no"], ""),
            (&[EHLO, MAIL, "C: MAIL FROM:<eve@example.org>", "S: 550 5.7.1 no"], ""),
            (
                &[EHLO, "C: MAIL FROM:bob@example.org", "S: 250 2.1.0 Ok"],
                "mail-syntax-501/without-brackets note",
            ),
            (&[EHLO, "C: MAIL FROM:<bob>", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org", "S: 250 2.1.0 Ok"], "mail-syntax-501/accepted warning"),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 250 2.1.0 Ok"], "mail-syntax-501/accepted warning"),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 501 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 553 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 550 5.1.7 no"], "mail-syntax-501/mailbox-refused note"),
            (&[EHLO, "C: MAIL FROM:<a@@b>", "S: 555 5.5.4 no"], "mail-syntax-501 error"),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>x", "S: 555 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL", "S: 500 what"], "mail-syntax-501 error"),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: MAIL FROM: <bob@example.org>", "S: 500 5.5.2 no"], "space-after-colon note"),
            (
                &[EHLO, "C: MAIL FROM:<b\u{f6}b@example.org>", "S: 250 2.1.0 Ok"],
                "non-ascii-command-refused error",
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
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test> FOO", "S: 503 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<alice@example.test> FOO", "S: 503 Unsupported option"],
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
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 500 no"], "rcpt-needs-mail error"),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 550 5.7.1 no"], "rcpt-needs-mail/policy warning"),
            (
                &[EHLO, "C: RCPT TO:<alice@example.test>", "S: 550 5.7.1 relaying denied"],
                "rcpt-needs-mail error",
            ),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 535 Authentication required."], ""),
            (&[EHLO, "C: RCPT TO:<alice@example.test>", "S: 450 4.3.2 no"], "rcpt-needs-mail/temporary note"),
            (&[EHLO, "C: RCPT TO:alice", "S: 501 5.1.3 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 550 5.1.1 no"], ""),
            (
                &[EHLO, MAIL, "C: RCPT TO:<nosuch@example.test>", "S: 250 2.1.5 Ok"],
                "unknown-recipient-refused note",
            ),
            (
                &[EHLO, MAIL, RCPT, "C: RCPT TO:<nosuch@example.test>", "S: 250 2.1.5 Ok"],
                "unknown-recipient-refused note",
            ),
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
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 530 5.7.0 login"],
                "access-denied-530-has-remedy warning",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 250 2.1.5 Ok"],
                "foreign-recipient-refused warning",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 454 4.7.1 no"],
                "relay-refusal-550 warning",
            ),
            (
                &[EHLO, MAIL, "C: RCPT TO:<someone@elsewhere.test>", "S: 553 5.7.1 no"],
                "relay-refusal-550 warning",
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
                "non-ascii-command-refused error",
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
        (&[rcpt, "S: 552 5.5.3 Too many"], "recipient-limit-452 error"),
        (&[rcpt, "S: 451 Will not accept multiple recipients"], "recipient-limit-452 error"),
        (&["C: RCPT TO:<bob@example.org>", "S: 452 4.5.3 One domain at a time"], ""),
    ]);
    Table { before: &fifty, ..table.clone() }.check(&[
        (&["C: DATA", "S: 554 Too many recipients"], "recipient-limit-452 error"),
        (&[DATA, "C: x\nC: .", "S: 550 5.5.3 Too many recipients"], "recipient-limit-452 error"),
        (
            &[
                FULL,
                "C: RCPT TO:<bob@example.test>\nS: 452 4.5.3 No",
                "C: DATA",
                "S: 503 Too many recipients",
            ],
            "",
        ),
    ]);
    // RFC 5321 §4.5.3.1.8 counts the commands, accepted or not.
    let half: Vec<&str> = [GREETING, EHLO, MAIL]
        .into_iter()
        .chain([RCPT, "C: RCPT TO:<nosuch@example.test>\nS: 550 5.1.1 No"].repeat(60))
        .collect();
    Table { before: &half, ..table.clone() }.check(&[(&[rcpt, "S: 452 4.5.3 Too many"], "")]);
    let bounce = [GREETING, EHLO, "C: MAIL FROM:<>\nS: 250 2.1.0 Ok", RCPT];
    Table { before: &bounce, ..table.clone() }
        .check(&[(&[rcpt, "S: 550 5.5.3 Too many recipients for a bounce"], "")]);
    let table = Table { before: &hundred, ..table };
    table.check(&[
        (&[rcpt, "S: 452 4.5.3 Too many"], ""),
        (&[rcpt, "S: 451 4.5.3 Too many"], "recipient-limit-452/registry-code warning"),
        (&[rcpt, "S: 450 4.5.3 Too many"], "recipient-limit-452 error"),
        (&[rcpt, "S: 552 5.5.3 Too many"], "recipient-limit-452/permanent warning"),
        (&[rcpt, "S: 550 5.5.3 Too many recipients, site policy"], "recipient-limit-452/permanent warning"),
        (&[rcpt, "S: 552 Too many recipients"], "recipient-limit-452/permanent warning"),
    ]);
    let policy = Knowledge { policies: vec![Policy::Recipients], ..knowledge() };
    let table = Table { knowledge: policy, ..table };
    table.check(&[(&[rcpt, "S: 552 5.5.3 Too many"], "")]);
    Table { before: &fifty, ..table }
        .check(&[(&[rcpt, "S: 552 5.5.3 Too many"], "recipient-limit-452/site-policy note")]);
}

#[test]
fn data_and_its_end() {
    let large = "C: Subject: x\nC: ... (2000 lines)\nC: .";
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
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 530 5.7.0 Message size limit exceeded"],
                "end-of-data-codes warning",
            ),
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
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 500 line too long"],
                "text-line-limit error",
            ),
            (
                &[EHLO, MAIL, RCPT, DATA, &text_line(998), "S: 554 5.6.0 Line too long"],
                "text-line-limit error",
            ),
            (&[EHLO, MAIL, RCPT, DATA, &text_line(999), "S: 554 5.6.0 Line too long"], ""),
            (&[EHLO, MAIL, RCPT, DATA, &text_line(998), "S: 554 5.6.0 Content rejected"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 550 5.1.1 no"], ""),
            (
                &[EHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 550 5.1.1 no"],
                "late-recipient-failure warning",
            ),
            (&[EHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 550 5.7.1 no"], ""),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Resent-To: x\nC: .", "S: 550 5.6.0 bad Resent"],
                "resent-fields-not-refused error",
            ),
            (&[EHLO, MAIL, RCPT, DATA, "C: Resent-To: x\nC: .", "S: 550 5.6.0 not as represented"], ""),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 552 5.3.4 big"],
                "message-of-64k-accepted error",
            ),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 554 Message size exceeds the limit"],
                "message-of-64k-accepted error",
            ),
            (
                &[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 553 5.3.4 big"],
                "message-of-64k-accepted error",
            ),
            (&[EHLO, MAIL, RCPT, DATA, large, "S: 552 5.3.4 big"], "size-limit-offered warning"),
            (&[EHLO, MAIL, RCPT, DATA, large, "S: 552 Message too large"], "size-limit-offered warning"),
            (&[EHLO, MAIL, RCPT, DATA, large, "S: 552 5.2.2 Too large for the mailbox"], ""),
            (&[SIZE, MAIL, RCPT, DATA, large, "S: 552 5.3.4 big"], ""),
            (&["C: HELO me\nS: 250 mx", MAIL, RCPT, DATA, large, "S: 552 5.3.4 big"], ""),
            (&[EHLO, MAIL, RCPT, DATA, large, "S: 554 5.3.4 big"], "limit-codes note"),
            (&[EHLO, MAIL, RCPT, DATA, large, "S: 553 5.3.4 big"], "end-of-data-codes warning"),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 552 Exceeded storage allocation"], ""),
            (&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 552 5.2.2 Mailbox full"], ""),
            (
                &[EHLO, MAIL, RCPT, "C: BDAT 12 LAST\nC: Subject: x", "S: 250 2.0.0 Ok"],
                "supported-command-listed error",
            ),
            (&[EHLO, MAIL, RCPT, "C: BDAT 12 LAST\nC: Subject: x", "S: 502 5.5.1 no"], ""),
        ],
    );
    check(
        Protocol::Submission,
        &[(&[EHLO, MAIL, RCPT, DATA, "C: Subject: x\nC: .", "S: 501 5.6.0 no"], "end-of-data-codes warning")],
    );
}

#[test]
fn inquiries() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: VRFY alice@example.test", "S: 250 2.1.5 Alice <alice@example.test>"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 252 2.5.0 try it"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 550 5.1.1 no"], "vrfy-truthful/said-to-exist warning"),
            (&[EHLO, "C: VRFY alice@example.test", "S: 550 5.7.1 not for you"], ""),
            (&[EHLO, "C: VRFY carol@example.test", "S: 550 5.1.1 no"], ""),
            (&[EHLO, "C: VRFY alice@example.test", "S: 450 4.3.2 later"], ""),
            (&[EHLO, "C: VRFY", "S: 501 5.5.4 no"], ""),
            (&[EHLO, "C: VRFY nosuch@example.test", "S: 250 <nosuch@example.test>"], "vrfy-truthful error"),
            (
                &[EHLO, "C: VRFY alice@example.test", "S: 250 2.0.0 Ok"],
                "vrfy-names-mailbox/free-form warning",
            ),
            (&[EHLO, "C: VRFY alice@example.test", "S: 554 5.7.1 no"], "vrfy-expn-codes warning"),
            (&[EHLO, "C: EXPN staff", "S: 500 5.5.2 what"], "help-and-expn-supported/expn note"),
            (&[EHLO, "C: EXPN staff", "S: 250 <a@b.org>"], "supported-command-listed error"),
            (&[EHLO, "C: HELP", "S: 214 2.0.0 help"], "supported-command-listed/help note"),
            (&[EHLO, "C: HELP", "S: 502 5.5.1 no"], "help-and-expn-supported warning"),
            (&[EHLO, "C: HELP MAIL", "S: 502 5.5.1 no"], ""),
            (&[EHLO, "C: HELP", "S: 250 2.0.0 help"], "help-codes warning"),
        ],
    );
}

#[test]
fn vocabulary() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: FOOBAR", "S: 500 5.5.2 what"], ""),
            (&[EHLO, "C: LHLO me", "S: 502 5.5.1 what"], ""),
            (&[EHLO, "C: LHLO me", "S: 554 5.5.1 what"], "unknown-command-500 warning"),
            (&[EHLO, "C: FOOBAR", "S: 502 5.5.2 what"], "unknown-command-500 warning"),
            (&[EHLO, "C: FOOBAR", "S: 503 5.5.2 what"], "unknown-command-500 warning"),
            (&["C: FOOBAR", "S: 503 5.5.1 hello?"], ""),
            (&[EHLO, "C: FOOBAR", "S: 250 Ok"], "unknown-command-500 warning"),
            (&[EHLO, "C: XCLIENT A=B", "S: 550 5.7.0 no"], ""),
            (&[EHLO, "C: GET / HTTP/1.1", "S: 221 2.7.0 bye"], ""),
            (&[EHLO, "C: Subject: hi", "S: 221 2.7.0 bye"], ""),
            (&[EHLO, "C: TURN", "S: 502 5.5.1 no"], ""),
            (&[EHLO, "C: STARTTLS", "S: 220 2.0.0 go"], "supported-command-listed error"),
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

/// RFC 5321 §4.1.2: source routes are part of the grammar.
#[test]
fn source_routes_are_not_malformed() {
    let mail = "C: MAIL FROM:<@a.example:joe@example.org>";
    let rcpt = "C: RCPT TO:<@a.example,@b.example:alice@example.test>";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, mail, "S: 552 no"], ""),
            (&[EHLO, mail, "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, mail, "S: 501 5.1.7 no"], "source-route-accepted error"),
            (&[EHLO, mail, "S: 500 5.5.2 no"], "source-route-accepted error"),
            (&[EHLO, MAIL, rcpt, "S: 501 5.1.3 no"], "source-route-accepted error"),
            (&[EHLO, MAIL, rcpt, "S: 550 5.7.1 no"], ""),
            (&[EHLO, MAIL, rcpt, "S: 250 2.1.5 Ok"], ""),
            (&[EHLO, "C: MAIL FROM:<@a.example:>", "S: 501 5.1.7 no"], ""),
        ],
    );
}

/// RFC 5321 §4.5.3.1.
#[test]
fn paths_within_the_limits_are_not_too_long() {
    let local = format!("C: MAIL FROM:<{}@example.org>", "a".repeat(64));
    let longer = format!("C: MAIL FROM:<{}@example.org>", "a".repeat(65));
    let label = format!("C: MAIL FROM:<x@{}.org>", "a".repeat(64));
    let labels = vec!["a".repeat(62); 4].join(".");
    let name = format!("C: EHLO {labels}.abc");
    let domain = format!("C: EHLO {labels}.a");
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, &local, "S: 501 Local part too long"], "path-length-limit error"),
            (&[EHLO, &local, "S: 553 5.1.7 Too long"], "path-length-limit error"),
            (&[EHLO, &local, "S: 501 5.1.7 no"], "path-length-limit/unexplained warning"),
            (&[EHLO, &local, "S: 550 5.7.1 no"], ""),
            (&[EHLO, &local, "S: 552 5.3.4 Message too large"], ""),
            (&[EHLO, &longer, "S: 501 5.1.7 Too long"], ""),
            (&[EHLO, &label, "S: 501 5.1.7 The label is longer than 63 octets"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 501 5.1.7 no"], ""),
            (&[&name, "S: 501 5.5.4 The name is too long"], "path-length-limit error"),
            (&[&name, "S: 501 5.5.4 Invalid domain name"], ""),
            (&[&domain, "S: 501 5.5.4 Invalid domain name"], "path-length-limit/unexplained warning"),
            (&[&name, "S: 250 mx"], ""),
        ],
    );
}

/// RFC 5321 §4.1.1.2, RFC 1123 §5.2.9.
#[test]
fn the_null_sender_is_accepted() {
    let null = "C: MAIL FROM:<>";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, null, "S: 250 2.1.0 Ok"], ""),
            (&[EHLO, null, "S: 501 Was expecting FROM:<address>"], "null-sender-accepted error"),
            (&[EHLO, null, "S: 553 5.1.7 no"], "null-sender-accepted error"),
            (&[EHLO, null, "S: 550 No bounces"], "null-sender-accepted/other-reason warning"),
            (&[EHLO, null, "S: 550 5.7.1 no"], ""),
            (&[EHLO, null, "S: 451 4.3.0 no"], ""),
        ],
    );
    check(Protocol::Submission, &[(&[EHLO, null, "S: 501 5.1.7 no"], "")]);
    check(
        Protocol::Lmtp,
        &[(
            &["C: LHLO me\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES", null, "S: 501 5.1.7 no"],
            "null-sender-accepted error",
        )],
    );
}

#[test]
fn malformed_recipients() {
    let rule = "rcpt-syntax-501 warning";
    let bare = "rcpt-syntax-501/without-brackets note";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, MAIL, "C: RCPT TO:<a@@b>", "S: 250 2.1.5 Ok"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<a@b@example.net>", "S: 250 2.1.5 Ok"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<>", "S: 250 2.1.5 Ok"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<a@c", "S: 250 2.1.5 Ok"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<a@@b>", "S: 501 5.1.3 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<>", "S: 550 5.1.3 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:Postmaster", "S: 250 2.1.5 Ok"], bare),
            (&[EHLO, MAIL, "C: RCPT TO:a@example.test", "S: 250 2.1.5 Ok"], bare),
            (&[EHLO, MAIL, "C: RCPT", "S: 500 5.5.2 no"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<a@@b>", "S: 555 5.5.4 no"], rule),
        ],
    );
}

#[test]
fn rcpt_after_a_refused_mail() {
    let refused = "C: MAIL FROM:<bob@example.org>\nS: 550 blocked";
    let rcpt = "C: RCPT TO:<alice@example.test>";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, refused, rcpt, "S: 550 blocked"], ""),
            (&[EHLO, refused, rcpt, "S: 503 5.5.1 MAIL first"], ""),
            (&[EHLO, refused, rcpt, "S: 250 2.1.5 Ok"], "rcpt-needs-mail/mail-refused warning"),
            (&[EHLO, refused, "C: RSET\nS: 250 2.0.0 Ok", rcpt, "S: 550 no"], "rcpt-needs-mail error"),
            (&[EHLO, refused, EHLO, rcpt, "S: 550 no"], "rcpt-needs-mail error"),
        ],
    );
}

/// RFC 5321 §4.1.4: 503 is about the order of commands.
#[test]
fn commands_in_order_do_not_get_503() {
    let rule = "no-503-in-order error";
    let unexplained = "no-503-in-order/unexplained warning";
    let mail = "C: MAIL FROM:<bob@example.org>";
    let rset = "C: RSET\nS: 250 2.0.0 Ok";
    let binary = "C: MAIL FROM:<bob@example.org> BODY=BINARYMIME\nS: 250 2.1.0 Ok";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, mail, "S: 503 5.5.1 send HELO first"], rule),
            (&[EHLO, rset, mail, "S: 503 5.5.1 Begin with EHLO"], rule),
            (&[EHLO, rset, mail, "S: 503"], unexplained),
            (&[EHLO, mail, "S: 503 5.7.0 Authentication required"], ""),
            (&[EHLO, mail, "S: 503 Please log in"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOOBAR=1", "S: 503 send HELO first"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOOBAR=1", "S: 503"], ""),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 503 5.5.1 No sender"], rule),
            (&[EHLO, MAIL, RCPT, "C: DATA", "S: 503 5.5.3 Too many recipients"], ""),
            (&[EHLO, binary, RCPT, "C: DATA", "S: 503 5.5.1 Use BDAT"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 503 5.5.1 MAIL first"], rule),
            (&[EHLO, MAIL, "C: DATA", "S: 503 5.5.1 No recipient"], ""),
            (&[mail, "S: 503 5.5.1 hello?"], ""),
        ],
    );
}

/// A refusal that asks for a login or for HELO says nothing about syntax, parameters or the command itself.
#[test]
fn refusals_that_ask_for_something_else() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: MAIL FROM:", "S: 502 5.7.0 Please authenticate first"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 502 5.7.0 Please authenticate first"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 501 5.7.0 Login required"], ""),
            (&[EHLO, "C: DATA", "S: 500 5.7.0 Authentication required"], ""),
            (&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 502 5.5.1 no"], "required-commands error"),
            (
                &["C: MAIL FROM:<bob@example.org>", "S: 502 2.5.1 Please introduce yourself first."],
                "bad-sequence-503 error",
            ),
        ],
    );
    check(
        Protocol::Submission,
        &[(&[EHLO, "C: MAIL FROM:<bob@example.org>", "S: 502 5.7.0 Please authenticate first"], "")],
    );
}

/// RFC 5321 §4.1.1.
#[test]
fn trailing_blanks() {
    let rule = "trailing-blanks-tolerated warning";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: NOOP ", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: NOOP ", "S: 500 5.5.4 no"], rule),
            (&[EHLO, "C: RSET  ", "S: 501 5.5.4 no"], rule),
            (&[EHLO, "C: QUIT ", "S: 501 5.5.4 no"], rule),
            (&[EHLO, MAIL, RCPT, "C: DATA ", "S: 501 5.5.4 no"], rule),
            (&["C: EHLO me.example.org ", "S: 501 5.5.4 no"], rule),
            (&[EHLO, "C: MAIL FROM:<bob@example.org> ", "S: 555 5.5.4 no"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test> ", "S: 501 5.5.4 no"], rule),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test> ", "S: 501 5.1.3 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<alice@example.test> ", "S: 550 5.1.1 no"], ""),
        ],
    );
}

/// RFC 5321 §2.4, §4.1.2.
#[test]
fn invalid_characters() {
    const UTF8: &str =
        "C: EHLO me.example.org\nS: 250-mx.example.test\nS: 250-8BITMIME\nS: 250-EXPN\nS: 250 SMTPUTF8";
    let rule = "non-ascii-command-refused error";
    check(
        Protocol::Smtp,
        &[
            (&["C: EHLO m\\xc3\\xa4.example.org", "S: 250 mx"], rule),
            (&["C: EHLO m\\xc3\\xa4.example.org", "S: 501 5.5.4 no"], ""),
            (&["C: EHLO @@", "S: 250 mx"], "non-ascii-command-refused/not-a-name warning"),
            (&["C: EHLO my_host.example.org", "S: 250 mx"], "non-ascii-command-refused/underscore note"),
            (&["C: EHLO [192.0.2.1]", "S: 250 mx"], ""),
            (&["C: EHLO me.example.org.", "S: 250 mx"], ""),
            (&[EHLO, "C: VRFY j\\xc3\\xb6e", "S: 250 <joe@example.test>"], rule),
            (&[EHLO, "C: VRFY j\\xc3\\xb6e", "S: 252 2.5.0 Perhaps"], ""),
            (&[EHLO, "C: VRFY j\\xc3\\xb6e SMTPUTF8", "S: 250 <joe@example.test>"], ""),
            (&[UTF8, "C: VRFY j\\xc3\\xb6e", "S: 250 <joe@example.test>"], ""),
            (&[UTF8, "C: VRFY j\\xb6e", "S: 250 <joe@example.test>"], rule),
            (&[UTF8, "C: EXPN j\\xc3\\xb6e", "S: 250 <joe@example.test>"], ""),
            (&[UTF8, "C: MAIL FROM:<j\\xb6e@example.org> SMTPUTF8", "S: 250 2.1.0 Ok"], rule),
            (&[UTF8, "C: MAIL FROM:<j\\xb6e@example.org> SMTPUTF8", "S: 501 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<a\\x01b@example.org>", "S: 250 2.1.0 Ok"], rule),
            (&[EHLO, "C: MAIL FROM:<a\\x01b@example.org>", "S: 501 5.1.7 no"], ""),
            (&[EHLO, "C: NOOP \\xc3\\xa4", "S: 250 2.0.0 Ok"], ""),
            (&[EHLO, "C: \\x01\\x02\\xff", "S: 250 2.0.0 Ok"], rule),
            (&[EHLO, "C: \\x01\\x02\\xff", "S: 354 Go on"], rule),
            (&[EHLO, "C: \\x01\\x02\\xff", "S: 221 2.7.0 Goodbye"], ""),
            (&[EHLO, "C: \\x01\\x02\\xff", "S: 500 5.5.2 What?"], ""),
            (&[EHLO, "C: XFOO \\xc3\\xa4", "S: 250 2.0.0 Ok"], ""),
        ],
    );
}

/// RFC 5321 §3.3, §6.3.
#[test]
fn headers_are_not_a_reason() {
    let begun = [EHLO, MAIL, RCPT, DATA].join("\n");
    let plain = "C: Subject: x\nC: .";
    let hops = format!("{}\nC: .", vec!["C: Received: x"; 100].join("\n"));
    let with_own = format!("{}\nC: .", vec!["C: Received: x"; 99].join("\n"));
    let few = format!("{}\nC: .", vec!["C: Received: x"; 98].join("\n"));
    let rule = "header-defects-not-refused warning";
    let odd = "C: Received: yesterday\nC: Subject: x\nC: .";
    check(
        Protocol::Smtp,
        &[
            (&[&begun, plain, "S: 554 5.6.0 Missing Date header field"], rule),
            (&[&begun, plain, "S: 550 5.6.0 Message has no valid From: field"], rule),
            (&[&begun, plain, "S: 554 Headers are malformed"], rule),
            (&[&begun, plain, "S: 550 5.7.1 Missing Message-ID"], ""),
            (&[&begun, plain, "S: 550 Invalid sender address"], ""),
            (&[&begun, plain, "S: 554 5.6.0 Bare LF is invalid"], ""),
            (&[&begun, plain, "S: 500 Header line too long"], "text-line-limit error"),
            (&[&begun, &with_own, "S: 554 5.4.6 Too many hops"], ""),
            (&[&begun, &few, "S: 554 5.4.6 Too many hops"], "loop-threshold-100 warning"),
            (&[&begun, "C: Received: x\nC: ... (120 lines)\nC: .", "S: 554 5.4.6 Too many hops"], ""),
            (&[&begun, &hops, "S: 554 5.4.6 Too many hops"], ""),
            (&[&begun, odd, "S: 554 5.6.0 Malformed Received header"], "trace-fields-not-refused error"),
            (&[&begun, odd, "S: 550 5.6.0 Return-Path: bad syntax"], ""),
            (&[&begun, odd, "S: 554 5.4.6 Invalid number of Received headers, loop?"], ""),
            (&[&begun, plain, "S: 554 5.6.0 Malformed Received header"], rule),
        ],
    );
    check(Protocol::Submission, &[(&[&begun, plain, "S: 554 5.6.0 Missing Date header field"], "")]);
}

/// RFC 5321 §4.5.3.1.7.
#[test]
fn messages_of_64k_are_accepted() {
    let begun = [EHLO, MAIL, RCPT, DATA].join("\n");
    let line = format!("C: {}", "x".repeat(62));
    let declared = "C: MAIL FROM:<bob@example.org> SIZE=100\nS: 250 2.1.0 Ok";
    let (most, more) = (vec![line.as_str(); 1024].join("\n"), vec![line.as_str(); 1025].join("\n"));
    check(
        Protocol::Smtp,
        &[
            (&[&begun, &most, "C: .", "S: 552 5.3.4 big"], "message-of-64k-accepted error"),
            (&[&begun, &more, "C: .", "S: 552 5.3.4 big"], "size-limit-offered warning"),
            (&[SIZE, declared, RCPT, DATA, &most, "C: .", "S: 552 5.3.4 big"], ""),
            (&["C: EHLO me\nS: 250-mx\nS: 250 SIZE 1000"], "message-of-64k-accepted error"),
            (&["C: EHLO me\nS: 250-mx\nS: 250 SIZE 65536"], ""),
            (&["C: EHLO me\nS: 250-mx\nS: 250 SIZE 0"], ""),
        ],
    );
}

/// RFC 5321 §3.5.
#[test]
fn replies_to_vrfy_and_expn() {
    let form = "vrfy-names-mailbox/free-form warning";
    let expn = "C: EHLO me\nS: 250-mx\nS: 250 EXPN";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: VRFY joe", "S: 250 <@a.example:joe@b.example>"], "vrfy-names-mailbox error"),
            (&[expn, "C: EXPN joe", "S: 250 <@b.example>"], form),
            (&[EHLO, "C: VRFY joe", "S: 250 joe@b.example is fine"], form),
            (
                &[EHLO, "C: VRFY joe", "S: 250 2.1.5 joe@b.example"],
                "vrfy-names-mailbox/without-brackets note",
            ),
            (&[EHLO, "C: VRFY joe", "S: 252 2.1.5 joe@b.example"], ""),
            (&[EHLO, "C: VRFY joe", "S: 250 2.1.5 Joe Q. Doe <joe@b.example>"], ""),
            (&[EHLO, "C: VRFY joe", "S: 251 User not local; will forward to <joe@b.example>"], ""),
            (&[EHLO, "C: VRFY joe", "S: 551 Not local"], form),
            (&[expn, "C: EXPN joe", "S: 551 User not local; please try <joe@other.example>"], ""),
            (&[expn, "C: EXPN joe", "S: 251 User not local; will forward to <joe@other.example>"], ""),
            (&[expn, "C: EXPN joe", "S: 553 User ambiguous"], ""),
        ],
    );
}

#[test]
fn commands_that_are_not_listed() {
    let rule = "supported-command-listed error";
    check(
        Protocol::Smtp,
        &[
            (
                &[EHLO, "C: TURN", "S: 250 2.0.0 Ok"],
                "supported-command-listed error, turn-needs-login warning",
            ),
            (
                &["C: EHLO me\nS: 250-mx\nS: 250 TURN", "C: TURN", "S: 250 2.0.0 Ok"],
                "turn-needs-login warning",
            ),
            (&["C: EHLO me\nS: 250-mx\nS: 250 TURN", "C: TURN", "S: 554 5.0.0 No"], ""),
            (&[EHLO, "C: TURN", "S: 500 5.5.1 no"], ""),
            (&[EHLO, "C: TURN", "S: 503 5.5.1 Log in first"], ""),
            (&[EHLO, "C: TURN", "S: 554 5.0.0 no"], ""),
            (&[EHLO, "C: TURN", "S: 504 5.5.4 no"], "unimplemented-command-502 warning"),
            (
                &[EHLO, "C: SAML FROM:<bob@example.org>", "S: 554 5.0.0 no"],
                "unimplemented-command-502 warning",
            ),
            (
                &[EHLO, "C: SEND FROM:<bob@example.org>", "S: 501 5.5.2 no"],
                "unimplemented-command-502 warning",
            ),
            (&[EHLO, "C: SEND FROM:<bob@example.org>", "S: 550 5.7.1 Denied"], ""),
            (&["C: SEND FROM:<bob@example.org>", "S: 503 5.5.1 EHLO first"], ""),
            (&[EHLO, "C: SEND FROM:<bob@example.org>", "S: 250 2.1.0 Ok"], rule),
            (&[EHLO, "C: SOML FROM:<bob@example.org>", "S: 502 5.5.1 no"], ""),
            (&[EHLO, "C: XFOOBAR", "S: 502 5.5.1 no"], "unknown-command-500/private note"),
            (&[EHLO, "C: XFOOBAR", "S: 503 5.5.1 no"], "unknown-command-500/private note"),
            (&[EHLO, "C: XFOOBAR", "S: 500 5.5.1 no"], ""),
        ],
    );
}

/// RFC 4954 §3 and others: parameters raise the limit of a line.
#[test]
fn lines_with_parameters_are_longer() {
    let auth = "C: EHLO me\nS: 250-mx\nS: 250 AUTH PLAIN";
    let line = |octets: usize| {
        let start = "MAIL FROM:<bob@example.org> AUTH=";
        format!("C: {start}{}", "x".repeat(octets - start.len() - 2))
    };
    let (longest, longer) = (line(1012), line(1013));
    let refused = "S: 500 Line too long";
    check(
        Protocol::Smtp,
        &[
            (&[auth, &longest, refused], "command-length-limit error"),
            (&[auth, &longer, refused], ""),
            (&[EHLO, &line(540), refused], ""),
        ],
    );
}

/// RFC 2645 §5.4: a server for on-demand relay may answer 502 to all commands but four.
#[test]
fn on_demand_relays_know_few_commands() {
    let relay = "C: EHLO me\nS: 250-mx\nS: 250-AUTH PLAIN\nS: 250 ATRN";
    let rows: &[Row<'_>] = &[
        (&[relay, "C: NOOP", "S: 502 5.5.1 No"], ""),
        (&[relay, "C: RSET", "S: 502 5.5.1 No"], ""),
        (&[relay, "C: HELO me", "S: 502 5.5.1 No"], ""),
        (&[relay, "C: VRFY bob@example.org", "S: 502 5.5.1 No"], ""),
        (&[relay, "C: MAIL FROM:<bob@example.org>", "S: 502 5.5.1 No"], ""),
        (&[relay, "C: NOOP", "S: 500 5.5.1 No"], "required-commands error"),
        (&[relay, "C: QUIT", "S: 502 5.5.1 No"], "required-commands error"),
        (&["C: EHLO me", "S: 502 5.5.1 No"], "hello-implemented error"),
        (&[relay, MAIL, "C: RSET", "S: 502 5.5.1 No"], "required-commands error"),
        (&[EHLO, "C: NOOP", "S: 502 5.5.1 No"], "required-commands error"),
        (&["C: HELO me", "S: 502 5.5.1 No"], "hello-implemented error"),
    ];
    check(Protocol::Smtp, rows);
    let own_port = Table { before: &["#: connected to port 366", GREETING], ..table(Protocol::Smtp) };
    own_port.check(&[(&["C: HELO me", "S: 502 5.5.1 No"], "")]);
}

/// A server that refuses a required command and then closes breaks two rules.
#[test]
fn a_required_command_is_refused_and_the_connection_closed() {
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: NOOP", "S: 500 5.5.1 What?", "#: closed by server"], "required-commands error"),
            (&[EHLO, "C: RSET", "S: 502 5.5.1 What?", "#: closed by server"], "required-commands error"),
            (&[EHLO, "C: NOOP", "S: 554 5.7.1 Go away", "#: closed by server"], ""),
        ],
    );
}

/// RFC 3030 §4.2: after the last chunk, BDAT gets 503; EHLO ends that state as RSET does (RFC 5321 §4.1.4).
#[test]
fn ehlo_resets_what_rset_does() {
    let ehlo = "C: EHLO me\nS: 250-mx\nS: 250 CHUNKING";
    let table = Table { rules: |rule| rule.id == "bdat-after-last-503", ..table(Protocol::Smtp) };
    let chunk = "C: BDAT 7\nC: Hello";
    let refused = "S: 554 no valid recipients";
    let last = "C: BDAT 7 LAST\nC: Hello\nS: 250 Ok";
    table.check(&[
        (&[ehlo, MAIL, RCPT, last, ehlo, chunk, refused], ""),
        (&[ehlo, MAIL, RCPT, last, "C: RSET\nS: 250 Ok", chunk, refused], ""),
        (&[ehlo, MAIL, RCPT, last, chunk, refused], "bdat-after-last-503 error"),
    ]);
}

/// RFC 5321 §4.1.2.
#[test]
fn well_formed_paths_are_not_malformed() {
    let rule = "well-formed-path-accepted error";
    let literal = "well-formed-path-accepted/literal warning";
    let refused = "S: 501 5.1.7 no";
    check(
        Protocol::Smtp,
        &[
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", refused], rule),
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", "S: 555 5.5.4 no"], rule),
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", "S: 553 5.1.7 no"], ""),
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", "S: 501 5.7.1 no"], ""),
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", "S: 501 5.1.8 no"], ""),
            (&[EHLO, "C: MAIL FROM:<\"a b\"@example.org>", "S: 501 domain does not exist"], ""),
            (&[EHLO, "C: MAIL FROM:<a!b@example.org>", refused], rule),
            (&[EHLO, "C: MAIL FROM:<a+b@example.org>", refused], ""),
            (&[EHLO, "C: MAIL FROM:<a..b@example.org>", refused], ""),
            (&[EHLO, "C: MAIL FROM:<a@[192.0.2.1]>", refused], literal),
            (&[EHLO, "C: MAIL FROM:<a@[IPv6:::1]>", refused], literal),
            (&[EHLO, "C: MAIL FROM:<a@[192.0.2.1]>", "S: 550 5.1.7 no"], ""),
            (&[EHLO, MAIL, "C: RCPT TO:<\"a b\"@example.org>", refused], rule),
        ],
    );
}

/// RFC 5321 §4.1.2, and the RFCs of the extensions.
#[test]
fn malformed_parameters_are_refused() {
    let list = "C: EHLO me.example.org\nS: 250-mx.example.test\nS: 250-NO-SOLICITING\nS: 250-REQUIRETLS\n\
                S: 250-CONPERM\nS: 250-CONNEG\nS: 250-RRVS\nS: 250-DSN\nS: 250 ENHANCEDSTATUSCODES";
    let rule = "malformed-parameter-refused warning";
    let taken = "S: 250 2.1.0 Ok";
    for parameter in
        ["=1", "FOO=", "A_B=1", "SOLICIT", "SOLICIT=1", "SOLICIT=a,,b", "REQUIRETLS=1", "conperm=x"]
    {
        let mail = format!("C: MAIL FROM:<bob@example.org> {parameter}");
        check(
            Protocol::Smtp,
            &[
                (&[list, &mail, taken], rule),
                (&[list, &mail, "S: 500 5.5.2 no"], rule),
                (&[list, &mail, "S: 501 5.5.4 no"], ""),
                (&[list, &mail, "S: 555 5.5.4 no"], ""),
            ],
        );
    }
    for parameter in ["X_MINE=", "SOLICIT=a,b", "REQUIRETLS", "CONPERM", "ENVID="] {
        let mail = format!("C: MAIL FROM:<bob@example.org> {parameter}");
        check(Protocol::Smtp, &[(&[list, &mail, taken], "")]);
    }
    for parameter in ["RRVS", "RRVS=yesterday", "RRVS=2026-11-23T12:00:00Z;X", "CONNEG=1"] {
        let rcpt = format!("C: RCPT TO:<alice@example.test> {parameter}");
        check(Protocol::Smtp, &[(&[list, MAIL, &rcpt, "S: 250 2.1.5 Ok"], rule)]);
        check(Protocol::Smtp, &[(&[list, MAIL, &rcpt, "S: 550 5.1.1 no"], "")]);
    }
    let rcpt = "C: RCPT TO:<alice@example.test> RRVS=2026-11-23T12:00:00Z";
    check(Protocol::Smtp, &[(&[list, MAIL, rcpt, "S: 250 2.1.5 Ok"], "")]);
}
