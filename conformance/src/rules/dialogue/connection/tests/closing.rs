use super::*;
use crate::dialogue::{Act, End, Exchange};
use crate::readers::testing::LIVE;

const UNKNOWN: &str = "C: FOO\nS: 500 5.5.1 What?";

#[test]
fn servers_close_only_when_allowed() {
    check(
        Protocol::Smtp,
        &[
            (&["#: QUIT", EHLO, QUIT], ""),
            (&["#: after 500", EHLO, UNKNOWN, CLOSED], "closes-only-when-allowed error at 2"),
            (
                &["#: after 500, seen later", EHLO, UNKNOWN, "C: NOOP", CLOSED],
                "closes-only-when-allowed error at 3",
            ),
            (
                &["#: instead of a reply", EHLO, "C: NOOP", CLOSED],
                "closes-only-when-allowed/other-command warning at 2",
            ),
            (
                &["#: after 250, client continues", EHLO, NOOP, CLOSED, "C: NOOP", CLOSED],
                "closes-only-when-allowed/other-command warning at 2",
            ),
            (&["#: after 250, maybe idle", EHLO, NOOP, CLOSED], ""),
            (
                &["#: after RSET", EHLO, "C: RSET\nS: 250 2.0.0 Ok", "C: NOOP", CLOSED],
                "rset-answered-250 error at 2",
            ),
            (
                &["#: instead of an answer to RSET", EHLO, MAIL, "C: RSET", CLOSED],
                "rset-answered-250 error at 3",
            ),
            (
                &["#: at RSET after a refusal", EHLO, "C: BDAT 0\nS: 554 5.5.1 No", "C: RSET", CLOSED],
                "closes-only-when-allowed/other-command warning at 3",
            ),
            (&["#: idle after RSET", EHLO, "C: RSET\nS: 250 2.0.0 Ok", CLOSED], ""),
            (
                &["#: at MAIL after RSET", EHLO, "C: RSET\nS: 250 2.0.0 Ok", "C: MAIL FROM:<>", CLOSED],
                "closes-only-when-allowed/other-command warning at 3",
            ),
            (&["#: 421", EHLO, "C: FOO", "S: 421 4.7.0 Enough", CLOSED], ""),
            (&["#: 221", EHLO, "C: FOO", "S: 221 2.7.0 Goodbye", CLOSED], ""),
            (&["#: 521", EHLO, "C: FOO", "S: 521 5.5.1 No", CLOSED], ""),
            (&["#: too many", EHLO, "C: FOO", "S: 500 Too many unrecognized commands", CLOSED], ""),
            (
                &["#: several", EHLO, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, CLOSED],
                "closes-only-when-allowed/several-unknown warning at 5",
            ),
            (&["#: many", EHLO, &[UNKNOWN; 10].join("\n"), CLOSED], ""),
            (&["#: several others", EHLO, &["C: RSET x\nS: 501 5.5.4 What?"; 4].join("\n"), CLOSED], ""),
            (
                &["#: another command", EHLO, "C: RSET x", "S: 501 5.5.4 What?", CLOSED],
                "closes-only-when-allowed/other-command warning at 2",
            ),
            (&["#: a reply cut short", EHLO, "C: HELP", "S: 214-Help", "C: NOOP", CLOSED], ""),
            (&["#: another protocol", EHLO, "C: GET / HTTP/1.1", "S: 500 What?", "C: Host: x", CLOSED], ""),
            (&["#: TLS", EHLO, STARTTLS, TLS, CLOSED], ""),
            (&["#: TLS, certificate", EHLO, STARTTLS, TLS, "C: EHLO me.example.org", CLOSED], ""),
            (&["#: not TLS", EHLO, STARTTLS, "C: hello", CLOSED], ""),
            (&["#: a length it cannot read", EHLO, "C: BDAT x", "S: 501 5.5.4 What?", "C: RSET", CLOSED], ""),
        ],
    );
    let pipelined: &[Row<'_>] = &[
        (
            &[
                "#: pipelined and refused",
                EHLO,
                "C: MAIL FROM:<bob@example.org>\nC: RCPT TO:<bob@example.org>",
                "S: 550 5.7.1 No",
                CLOSED,
            ],
            "closes-only-when-allowed/other-command warning at 3",
        ),
        (&["#: pipelined although not allowed", EHLO, "C: NOOP\nC: NOOP", "S: 250 2.0.0 Ok", CLOSED], ""),
    ];
    check(Protocol::Smtp, pipelined);
    Table { before: &[LIVE, GREETING], ..table() }.check(pipelined);
    // From what is sent before the greeting on, no reply is sure.
    let early = "C: EHLO me.example.org\nS: 220 mx.example.org\nS: 250 mx.example.org";
    table().check(&[
        (&["#: early talk", early, UNKNOWN, "C: NOOP", CLOSED], ""),
        (&["#: greeting 521", "S: 521 mx.example.org", CLOSED], ""),
        (&["#: greeting 550", "S: 550 mx.example.org", CLOSED], ""),
        (&["#: no greeting", CLOSED], ""),
    ]);
}

/// A client that listens may see only then that the server closed. It knows best whether a reply is sure, and whether
/// TLS failed.
#[test]
fn what_a_transcript_does_not_say() {
    let found = |dialogue| table().found_in(&[dialogue]);
    let listening = |last: &str| {
        let mut dialogue = dialogue(&[GREETING, EHLO, last].join("\n"));
        dialogue.exchanges.push(Exchange { end: End::Closed, sure: false, ..Exchange::new(Act::Wait) });
        dialogue
    };
    assert_eq!(found(listening(UNKNOWN)), "closes-only-when-allowed error at 2");
    assert_eq!(found(listening(NOOP)), "");
    let mut doubtful = dialogue(&[GREETING, EHLO, UNKNOWN, "C: NOOP", CLOSED].join("\n"));
    doubtful.exchanges[2].sure = false;
    assert_eq!(found(doubtful), "");
    let mut failed = dialogue(&[GREETING, EHLO, STARTTLS, TLS, "C: QUIT", CLOSED].join("\n"));
    failed.exchanges[3].end = End::Failed;
    assert_eq!(found(failed), "");
}

#[test]
fn a_refused_opening_waits_for_quit() {
    let table = Table { before: &["S: 554 mx.example.org No"], ..table() };
    table.check(&[
        (&["#: at once", CLOSED], "refused-opening-waits-for-quit error at 0"),
        (&["#: at EHLO", "C: EHLO me.example.org", CLOSED], "refused-opening-waits-for-quit error at 0"),
        (&["#: at QUIT", QUIT], ""),
        (&["#: after 503 and QUIT", "C: EHLO me.example.org", "S: 503 No", QUIT], ""),
        (&["#: 421", "C: EHLO me.example.org", "S: 421 No", CLOSED], ""),
        (&["#: accepted", EHLO, MAIL, QUIT], "refused-opening-waits-for-quit/other-reply warning at 1"),
        (
            &["#: 554 again", "C: EHLO me.example.org", "S: 503 No", "C: MAIL FROM:<>", "S: 554 No", QUIT],
            "refused-opening-waits-for-quit/other-reply warning at 2",
        ),
        (&["#: an unknown command", "C: FOO", "S: 500 What?", QUIT], ""),
    ]);
    let early = "C: EHLO me.example.org";
    let table = Table { before: &[], ..table };
    table.check(&[
        (&["#: early talk", early, "S: 554 mx.example.org No", CLOSED], ""),
        (&["#: early talk, live", LIVE, early, "S: 554 mx.example.org No", CLOSED], ""),
    ]);
}

#[test]
fn three_logins_are_allowed() {
    let wrong = "C: AUTH PLAIN AGEAYg==\nS: 535 5.7.8 No";
    check(
        Protocol::Smtp,
        &[
            (&["#: after one", EHLO, wrong, CLOSED], "auth-three-attempts warning at 2"),
            (
                &["#: after two, seen later", EHLO, wrong, wrong, "C: AUTH PLAIN AGEAYg==", CLOSED],
                "auth-three-attempts warning at 3",
            ),
            (&["#: after three", EHLO, wrong, wrong, wrong, "C: AUTH PLAIN AGEAYg==", CLOSED], ""),
            (&["#: with 421", EHLO, wrong, "C: NOOP", "S: 421 4.7.0 Enough", CLOSED], ""),
            (
                &[
                    "#: a response",
                    EHLO,
                    "C: AUTH PLAIN",
                    "S: 334 ",
                    "C: AGEAYg==",
                    "S: 535 5.7.8 No",
                    CLOSED,
                ],
                "auth-three-attempts warning at 3",
            ),
        ],
    );
}

#[test]
fn the_server_closes_after_quit_and_421() {
    let quit = "C: QUIT\nS: 221 2.0.0 Bye";
    let down = "C: RCPT TO:<b@example.org>\nS: 421 Recipient not in route list.";
    let again = "C: RCPT TO:<c@example.org>";
    check(
        Protocol::Smtp,
        &[
            (&["#: closed", EHLO, QUIT], ""),
            (&["#: seen at the next command", EHLO, quit, "C: NOOP", CLOSED], ""),
            (&["#: the client closed", EHLO, quit], ""),
            (&["#: answered", EHLO, quit, NOOP], "closes-after-quit error at 3"),
            (&["#: neither, or the recording ends", EHLO, quit, "C: NOOP", TIMEOUT], ""),
            (&["#: QUIT was refused", EHLO, "C: QUIT x\nS: 501 5.5.4 What?", NOOP], ""),
            (&["#: 421 and closed", EHLO, MAIL, down, CLOSED], ""),
            (&["#: 421 and 250", EHLO, MAIL, down, again, "S: 250 2.1.5 Ok"], "closes-after-421 error at 4"),
            (&["#: 421 and 503", EHLO, MAIL, down, again, "S: 503 5.5.1 No"], "closes-after-421 error at 4"),
            (&["#: 421 again", EHLO, MAIL, down, again, "S: 421 4.3.2 No"], ""),
            (&["#: 421 and QUIT", EHLO, MAIL, down, QUIT], ""),
        ],
    );
}
