//! MAIL and RCPT, DATA and BDAT, and the message.

use super::attempt::{
    Attempt, BARE, CHUNKING, DATA, MAIL, OK, OPEN, QUIT, RCPT, Row, SENT, broken, kept, nothing, smtp,
};
use crate::rules::client::Reported::{Failed, Ok, Permanent, Temporary};

pub(super) fn rows() -> Vec<Row> {
    [
        parameters(),
        addresses(),
        injection(),
        refused_data(),
        lone_dot(),
        chunks(),
        eight_bits(),
        dots(),
        other_forms(),
        dots_in_chunks(),
        line_ends(),
    ]
    .concat()
}

fn parameters() -> Vec<Row> {
    const RULE: &str = "client-unoffered-parameter";
    const FOUND: &str = "client-unoffered-parameter error";
    let sends =
        |opening: &str, mail: &str| smtp(&[opening, &format!("C: {mail}\nS: 250 Ok"), RCPT, DATA, OK, QUIT]);
    let from = |parameters: &str| format!("MAIL FROM:<amy@example.net>{parameters}");
    vec![
        broken(RULE, FOUND, sends(BARE, &from(" SIZE=100"))),
        broken(RULE, FOUND, sends("S: 220 mx\nC: HELO me\nS: 250 mx", &from(" BODY=7BIT"))),
        broken(RULE, FOUND, sends(OPEN, &from(" BODY=BINARYMIME"))),
        broken(RULE, FOUND, sends(OPEN, &from(" RET=HDRS"))),
        broken(RULE, FOUND, sends(OPEN, &from(" FOO"))),
        broken(
            RULE,
            FOUND,
            smtp(&[BARE, MAIL, RCPT, "C: BDAT 6 LAST\nS: 500 What?\nC: Text\nS: 500 What?", QUIT])
                .reports(Failed),
        ),
        // The refusal of a parameter says nothing about what the attempt is about.
        broken(
            RULE,
            FOUND,
            smtp(&[BARE, "C: MAIL FROM:<amy@example.net> SIZE=100\nS: 555 No", QUIT])
                .right(&[Ok])
                .breaks("client-decides-by-reply-code")
                .reports(Permanent),
        ),
        kept(RULE, sends(OPEN, &from(" SIZE=100 BODY=8BITMIME"))),
        kept(RULE, sends(OPEN, &from(" size=100"))),
        kept(RULE, sends(OPEN, &from(" \\x09 "))),
        kept(RULE, sends(OPEN, "MAIL FROM:amy@example.net")),
        kept(RULE, sends("S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 DSN", &from(" ENVID=1"))),
        kept(RULE, sends("S: 220 mx\\n\nC: EHLO me\nS: 250-mx\\n\nS: 250 SIZE\\n", &from(" SIZE=1"))),
        // RFC 5321 §2.2.2: by agreement between the two.
        kept(RULE, sends(BARE, &from(" XFOO=1"))),
    ]
}

fn addresses() -> Vec<Row> {
    const RULE: &str = "client-utf8-needs-smtputf8";
    const FOUND: &str = "client-utf8-needs-smtputf8 error";
    const OFFERED: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 SMTPUTF8";
    const TO: &str = "C: RCPT TO:<k\\xc3\\xa4the@example.org>\nS: 250 Ok";
    const WITH: &str = "C: MAIL FROM:<amy@example.net> SMTPUTF8\nS: 250 Ok";
    let sends = |pieces: &[&str]| smtp(pieces).recipients(&["käthe@example.org"]);
    vec![
        broken(RULE, FOUND, sends(&[OPEN, MAIL, TO, DATA, OK, QUIT])),
        broken(RULE, FOUND, sends(&[OFFERED, MAIL, TO, DATA, OK, QUIT])),
        broken(
            RULE,
            "client-unoffered-parameter error, client-utf8-needs-smtputf8 error",
            sends(&[OPEN, WITH, TO, DATA, OK, QUIT]),
        ),
        kept(RULE, sends(&[OFFERED, WITH, TO, DATA, OK, QUIT])),
        kept(RULE, sends(&[OPEN, QUIT]).reports(Permanent)),
        kept(
            RULE,
            sends(&[OPEN, MAIL, "C: RCPT TO:<xn--kthe-loa@example.org>\nS: 550 No", QUIT]).reports(Failed),
        ),
        // MAIL was refused, so RCPT belongs to no transaction.
        kept(
            RULE,
            sends(&[
                OFFERED,
                "C: MAIL FROM:<amy@example.net> SMTPUTF8\nS: 550 No",
                "C: RCPT TO:<k\\xc3\\xa4the@example.org>\nS: 503 No",
                QUIT,
            ])
            .reports(Failed),
        ),
        nothing(RULE, smtp(&[OPEN, SENT])),
    ]
}

fn injection() -> Vec<Row> {
    const RULE: &str = "client-address-injection";
    let sends = |pieces: &[&str]| smtp(pieces).injected("injected-1").reports(Failed);
    vec![
        broken(
            RULE,
            "client-address-injection error",
            sends(&[
                OPEN,
                MAIL,
                "C: RCPT TO:<r1@example.org>\nS: 250 Ok\nC: NOOP injected-1>\nS: 250 Ok",
                QUIT,
            ]),
        ),
        // In one write, which looks like a group.
        broken(
            RULE,
            "client-address-injection error",
            sends(&[BARE, "C: MAIL FROM:<amy@example.net>\nC: NOOP injected-1>\nS: 250 Ok\nS: 250 Ok", QUIT]),
        ),
        kept(RULE, sends(&[OPEN, "C: MAIL FROM:<amy@example.net>NOOP injected-1>\nS: 501 No", QUIT])),
        kept(RULE, sends(&[OPEN, "C: NOOP\nS: 250 Ok", QUIT])),
        kept(RULE, sends(&["S: 220 mx", QUIT])),
        // It refuses the address before it connects.
        kept(RULE, Attempt::default().injected("injected-1").reports(Failed)),
        broken(
            RULE,
            "client-address-injection error",
            sends(&[OPEN, MAIL, "C: RCPT TO:<r1@example.org>\\x0dNOOP injected-1>\nS: 501 No", QUIT]),
        ),
        nothing(RULE, smtp(&[OPEN, SENT])),
    ]
}

fn refused_data() -> Vec<Row> {
    const RULE: &str = "client-sends-data-after-354";
    const FOUND: &str = "client-sends-data-after-354 error";
    const REFUSED: &str = "C: DATA\nS: 451 Later";
    const ANSWERED: &str = "S: 500 What?\nS: 500 What?\nS: 500 What?";
    let sends = |pieces: &[&str]| smtp(&[&[OPEN, MAIL, RCPT], pieces].concat()).reports(Failed);
    vec![
        broken(RULE, FOUND, sends(&["C: DATA\nS: 250 Ok\nC: Subject: Hi\nC: Text\nC: .", ANSWERED, QUIT])),
        broken(RULE, FOUND, sends(&[REFUSED, "C: Received: from me", "S: 500 What?", QUIT])),
        broken(RULE, FOUND, sends(&["C: DATA\nC: Subject: Hi\nC: Text\nC: .\nS: 451 Later", ANSWERED, QUIT])),
        // It believes that it was sent.
        broken(
            RULE,
            FOUND,
            sends(&["C: DATA\nS: 250 Ok\nC: Subject: Hi\nC: Text\nC: .", ANSWERED, QUIT])
                .right(&[Failed])
                .breaks(RULE)
                .reports(Ok),
        ),
        kept(RULE, sends(&[REFUSED, "C: RSET\nS: 250 Ok", QUIT])),
        kept(RULE, sends(&[REFUSED, "C: RSET\nS: 250 Ok", SENT]).reports(Ok)),
        kept(RULE, sends(&["C: DATA\nS: 250 Ok", QUIT])),
        kept(RULE, sends(&[REFUSED, "C: XCLIENT ADDR=192.0.2.1\nS: 500 What?", QUIT])),
        kept(RULE, sends(&[REFUSED, "C: \nS: 500 What?", QUIT])),
        nothing(RULE, sends(&[DATA, OK, QUIT]).reports(Ok)),
        nothing(RULE, sends(&["C: DATA\nS: 421 Later\n#: closed by server"])),
    ]
}

fn lone_dot() -> Vec<Row> {
    const RULE: &str = "client-counts-replies";
    const REFUSED: &str = "C: RCPT TO:<r1@example.org>\nC: DATA\nS: 550 No\nS: 354 Go on";
    let sends = |pieces: &[&str]| smtp(&[&[OPEN, MAIL], pieces].concat()).reports(Failed);
    vec![
        broken(
            RULE,
            "client-counts-replies/no-recipient note",
            sends(&[REFUSED, "C: Subject: Hi\nC: .\nS: 554 No", QUIT]),
        ),
        // Worse if it believes that it was sent.
        broken(
            RULE,
            "client-counts-replies error, client-success-needs-acceptance error",
            sends(&[REFUSED, "C: Subject: Hi\nC: .\nS: 250 Ok", QUIT])
                .right(&[Permanent])
                .breaks("client-temporary-is-not-permanent")
                .but(Ok, RULE)
                .reports(Ok),
        ),
        kept(RULE, sends(&[REFUSED, "C: .\nS: 554 No", QUIT])),
        kept(RULE, sends(&[REFUSED, "C: \nC: .\nS: 554 No", QUIT])),
        nothing(RULE, sends(&[REFUSED]).cut(b"")),
        nothing(RULE, sends(&[REFUSED]).cut(b"QUIT\r\n")),
        nothing(RULE, sends(&["C: RCPT TO:<r1@example.org>\nS: 550 No", RCPT, DATA, OK, QUIT]).reports(Ok)),
    ]
}

fn chunks() -> Vec<Row> {
    const RULE: &str = "client-stops-after-failed-bdat";
    const FOUND: &str = "client-stops-after-failed-bdat error";
    const FAILED: &str = "C: BDAT 6\nC: Text\nS: 554 No";
    const LAST: &str = "C: BDAT 0 LAST\nS: 503 No";
    const GROUP: &str = "C: BDAT 6\nC: Text\nC: BDAT 0 LAST\nS: 554 No\nS: 503 No";
    let sends =
        |opening: &str, pieces: &[&str]| smtp(&[&[opening, MAIL, RCPT], pieces].concat()).reports(Failed);
    vec![
        broken(RULE, FOUND, sends(CHUNKING, &[FAILED, LAST, QUIT])),
        broken(RULE, FOUND, sends(OPEN, &[FAILED, LAST, QUIT]).slowly()),
        broken(RULE, FOUND, sends(CHUNKING, &[FAILED, "C: DATA\nS: 503 No", QUIT])),
        kept(RULE, sends(OPEN, &[FAILED, QUIT])),
        kept(RULE, sends(OPEN, &[FAILED, "C: RSET\nS: 250 Ok", SENT]).reports(Ok)),
        kept(RULE, sends(OPEN, &[GROUP, "C: RSET\nS: 250 Ok", QUIT])),
        // It closes.
        kept(RULE, sends(OPEN, &[FAILED])),
        // The last chunk may have been on its way.
        nothing(RULE, sends(OPEN, &[FAILED, "C: BDAT 0 LAST\nS: 250 Ok", QUIT]).reports(Ok)),
        nothing(RULE, sends(OPEN, &["C: BDAT 6 LAST\nC: Text\nS: 250 Ok", QUIT]).reports(Ok)),
    ]
}

fn eight_bits() -> Vec<Row> {
    const RULE: &str = "client-8bit-needs-8bitmime";
    const TEXT: &str = "C: DATA\nS: 354 Go on\nC: Subject: Hi\nC: \nC: K\\xc3\\xb6ln\nC: .";
    const ENCODED: &str =
        "C: DATA\nS: 354 Go on\nC: Content-Transfer-Encoding: quoted-printable\nC: \nC: K=C3=B6ln\nC: .";
    let sends = |pieces: &[&str]| smtp(pieces).message("Subject: Hi\r\n\r\nKöln\r\n");
    vec![
        broken(RULE, "client-8bit-needs-8bitmime error", sends(&[BARE, MAIL, RCPT, TEXT, OK, QUIT])),
        broken(
            RULE,
            "client-8bit-needs-8bitmime error",
            sends(&["S: 220 mx\nC: HELO me\nS: 250 mx", MAIL, RCPT, TEXT, OK, QUIT]),
        ),
        kept(RULE, sends(&[BARE, MAIL, RCPT, ENCODED, OK, QUIT])),
        kept(RULE, sends(&[BARE, QUIT]).reports(Permanent)),
        nothing(RULE, sends(&[OPEN, MAIL, RCPT, TEXT, OK, QUIT])),
        nothing(RULE, smtp(&[BARE, SENT])),
    ]
}

const DOTS: &str = "Subject: Hi\r\n\r\n.\r\n.One\r\n..Two\r\nThe end\r\n";

fn dotted(pieces: &[&str]) -> Attempt {
    smtp(&[&[OPEN, MAIL, RCPT, "C: DATA\nS: 354 Go on"], pieces].concat()).message(DOTS)
}

fn dots() -> Vec<Row> {
    const RULE: &str = "client-dot-transparency";
    const FOUND: &str = "client-dot-transparency error";
    const EARLY: &str = "C: Subject: Hi\nC: \nC: .\nC: .One\nC: ..Two\nC: The end\nC: .\n\
                         S: 250 Ok\nS: 500 What?\nS: 500 What?\nS: 500 What?\nS: 500 What?";
    vec![
        broken(RULE, FOUND, dotted(&[EARLY, QUIT])),
        // What follows the dot may be a command, and looks like a group.
        broken(
            RULE,
            FOUND,
            smtp(&[BARE, MAIL, RCPT, "C: DATA\nS: 354 Go on\nC: .\nC: NOOP\nC: The end\nC: .\nS: 250 Ok\nS: 250 Ok\nS: 500 What?\nS: 500 What?", QUIT])
                .message(".\r\nNOOP\r\nThe end\r\n"),
        ),
        broken(RULE, FOUND, dotted(&["C: ..\nC: .One\nC: ..Two\nC: The end\nC: .", OK, QUIT])),
        broken(RULE, FOUND, dotted(&["C: ..\nC: ..One\nC: ..Two\nC: The end\nC: .", OK, QUIT])),
        broken(RULE, FOUND, dotted(&["C: Content-Transfer-Encoding: quoted-printable\nC: \nC: .One\nC: .", OK, QUIT])),
        kept(RULE, dotted(&["C: Subject: Hi\nC: \nC: ..\nC: ..One\nC: ...Two\nC: The end\nC: .", OK, QUIT])),
    ]
}

/// Messages that a client has changed, or not sent to the end.
fn other_forms() -> Vec<Row> {
    const RULE: &str = "client-dot-transparency";
    vec![
        kept(
            RULE,
            dotted(&[
                "C: X-Mailer: me\nC: Subject: Hi\nC: \nC: .. \nC: ..One\nC: ...Two \nC: The end\nC: .",
                OK,
                QUIT,
            ]),
        ),
        kept(
            RULE,
            dotted(&[
                "C: Content-Transfer-Encoding: quoted-printable (8bit)\nC: \nC: =2E\nC: ..One\nC: ...Two\nC: .",
                OK,
                QUIT,
            ]),
        ),
        nothing(RULE, dotted(&["C: Content-Transfer-Encoding: base64\nC: \nC: Lg0K\nC: .", OK, QUIT])),
        nothing(RULE, dotted(&["C: Subject: Another\nC: \nC: Text\nC: .", OK, QUIT])),
        nothing(RULE, dotted(&[]).cut(b"Subject: Hi\r\n\r\n..\r\n..One\r\n").reports(Temporary)),
        nothing(RULE, dotted(&[]).cut(b"").reports(Temporary)),
        nothing(RULE, smtp(&[OPEN, SENT])),
    ]
}

fn dots_in_chunks() -> Vec<Row> {
    const RULE: &str = "client-dot-transparency";
    let sends = |pieces: &[&str]| smtp(&[&[OPEN, MAIL, RCPT], pieces, &[OK, QUIT]].concat()).message(DOTS);
    vec![
        broken(
            RULE,
            "client-dot-transparency error",
            sends(&["C: BDAT 4\nC: ..\nS: 250 Ok\nC: BDAT 15 LAST\nC: ..One\nC: ...Two"]),
        ),
        kept(RULE, sends(&["C: BDAT 3\nC: .\nS: 250 Ok\nC: BDAT 13 LAST\nC: .One\nC: ..Two"])),
        nothing(RULE, sends(&["C: BDAT 6 LAST\nC: Text"])),
        // Some of the lines have another dot.
        broken(
            RULE,
            "client-dot-transparency error",
            sends(&["C: BDAT 4\nC: ..\nS: 250 Ok\nC: BDAT 13 LAST\nC: .One\nC: ..Two"]),
        ),
        nothing(RULE, sends(&["C: BDAT 39 LAST\nC: Content-Transfer-Encoding: base64\nC: .x"])),
    ]
}

fn line_ends() -> Vec<Row> {
    const RULE: &str = "client-lines-end-crlf";
    const FOUND: &str = "client-lines-end-crlf error";
    let sends = |text: &str| smtp(&[OPEN, MAIL, RCPT, "C: DATA\nS: 354 Go on", text, OK, QUIT]);
    vec![
        broken(RULE, FOUND, sends("C: Subject: Hi\\n\nC: \nC: .")),
        broken(RULE, FOUND, sends("C: A\\x0dB\nC: .")),
        broken(RULE, FOUND, smtp(&["S: 220 mx\nC: EHLO me\\n\nS: 250 mx", SENT])),
        kept(RULE, smtp(&[OPEN, SENT])),
        kept(RULE, sends("C: \nC: \nC: .")),
        // BINARYMIME has other line ends, and chunks are not looked at.
        nothing(RULE, smtp(&[OPEN, MAIL, RCPT, "C: BDAT 2 LAST\nC: a\\n", OK, QUIT])),
    ]
}
