use super::*;
use crate::readers::testing::LIVE;

#[test]
fn a_command_has_one_reply() {
    let twice = "C: NOOP\nS: 250 2.0.0 Ok\nS: 500 5.5.1 What?";
    check(
        Protocol::Smtp,
        &[
            (&["#: one each", EHLO, NOOP, QUIT], ""),
            (&["#: two to one", LIVE, EHLO, twice, QUIT], "one-reply-per-command error at 2"),
            (&["#: one unrequested", EHLO, NOOP, "S: 451 4.4.2 Late"], "one-reply-per-command error at 3"),
            (
                &[
                    "#: one too many, seen late",
                    LIVE,
                    EHLO,
                    NOOP,
                    "C: VRFY bob",
                    "S: 502 5.5.1 No",
                    "C: QUIT",
                    "S: 252 2.0.0 Bob?\nS: 221 2.0.0 Bye",
                ],
                "one-reply-per-command error at 3",
            ),
            (
                &[
                    "#: one too many, before 221",
                    EHLO,
                    NOOP,
                    "C: QUIT",
                    "S: 250 2.0.0 Ok\nS: 221 2.0.0 Bye",
                    CLOSED,
                ],
                "one-reply-per-command error at 2",
            ),
            (
                &[
                    "#: one too many, and 221 has its own",
                    EHLO,
                    "C: TURN",
                    "S: 502 5.5.1 No",
                    "C: QUIT",
                    "S: 250 2.0.0 Ok\nS: 221 2.0.0 Bye",
                ],
                "one-reply-per-command error at 2",
            ),
            (&["#: 421 unrequested", EHLO, NOOP, "S: 421 4.3.2 Down"], ""),
            (&["#: two greetings", LIVE, "S: 250 hi", QUIT], "one-reply-per-command error at 0"),
            (
                &["#: only the first is reported", LIVE, EHLO, twice, twice, QUIT],
                "one-reply-per-command error at 2",
            ),
        ],
    );
}

#[test]
fn octets_that_can_be_read_otherwise_are_not_counted() {
    check(
        Protocol::Smtp,
        &[
            (
                &["#: a bare LF", LIVE, EHLO, "C: NOOP\\n", "S: 250 Ok\nS: 500 What?", QUIT],
                "command-ends-at-crlf error at 2",
            ),
            (
                &[
                    "#: a shortened line",
                    LIVE,
                    EHLO,
                    "C: NOOP xx... (900 octets)",
                    "S: 500 a\nS: 501 b",
                    QUIT,
                ],
                "",
            ),
            (
                &[
                    "#: a long line",
                    LIVE,
                    EHLO,
                    &format!("C: {}", "x".repeat(600)),
                    "S: 500 5.5.2 Long\nS: 501 5.5.2 What?",
                    QUIT,
                ],
                "",
            ),
            (&["#: after STARTTLS", LIVE, EHLO, STARTTLS, "S: not TLS", TLS], ""),
            (
                &["#: a reply after STARTTLS", LIVE, EHLO, STARTTLS, "S: 250 2.0.0 Injected", TLS],
                "one-reply-per-command error at 2",
            ),
            (
                &["#: a reply after STARTTLS, in a recording", EHLO, STARTTLS, "S: 250 2.0.0 Injected", TLS],
                "one-reply-per-command error at 3",
            ),
            (
                &[
                    "#: a command after STARTTLS",
                    LIVE,
                    EHLO,
                    "C: STARTTLS\nC: NOOP",
                    "S: 220 2.0.0 Go\nS: 250 2.0.0 Ok\nS: 250 2.0.0 Ok",
                ],
                "",
            ),
            (&["#: after 354", EHLO, DATA, "S: 250 2.0.0 Ok"], ""),
            (
                &["#: steps of AUTH", EHLO, "C: AUTH PLAIN\nS: 334 ", "C: AGEAYg==", "S: 235 2.7.0 Ok", QUIT],
                "",
            ),
            (
                &[
                    "#: a message for one recipient",
                    LIVE,
                    EHLO,
                    MAIL,
                    RCPT,
                    DATA,
                    MESSAGE,
                    "S: 250 2.0.0 Ok\nS: 451 4.3.0 No",
                ],
                "one-reply-per-command error at 5",
            ),
        ],
    );
}

#[test]
fn replies_are_not_counted_in_doubt() {
    let twice = "C: NOOP\nS: 250 2.0.0 Ok\nS: 500 5.5.1 What?";
    // From what is sent before the greeting on, no reply is sure.
    let early = "C: EHLO me.example.org\nS: 220 mx.example.org\nS: 250 mx.example.org";
    table().check(&[(&["#: early talk", LIVE, early, twice, QUIT], "")]);
    // Whatever the reason for doubt is.
    let mut doubtful = dialogue(&[LIVE, GREETING, EHLO, twice, QUIT].join("\n"));
    doubtful.exchanges[2].sure = false;
    assert_eq!(table().found_in(&[doubtful]), "");
    // No transcript lacks the greeting. Here it is read as a reply to EHLO.
    let mut hasty =
        dialogue(&["C: EHLO me", "S: 220 mx.example.org\nS: 250 mx.example.org", QUIT].join("\n"));
    let greeting = hasty.exchanges.remove(0);
    hasty.exchanges[0].answers.splice(0..0, greeting.answers);
    hasty.exchanges[0].sure = true;
    assert_eq!(table().found_in(&[hasty]), "");
}

#[test]
fn missing_replies() {
    check(
        Protocol::Smtp,
        &[
            (
                &["#: late", EHLO, "C: NOOP", TIMEOUT, "C: RSET", "S: 250 2.0.0 Ok", "S: 250 2.0.0 Ok", QUIT],
                "",
            ),
            (
                &["#: skipped", EHLO, "C: NOOP", TIMEOUT, "C: RSET", "S: 250 2.0.0 Ok", QUIT],
                "one-reply-per-command error at 2",
            ),
            (&["#: slow, and 221 late", EHLO, "C: NOOP", TIMEOUT, "C: QUIT", "S: 250 2.0.0 Ok"], ""),
            (&["#: silence", EHLO, "C: NOOP", TIMEOUT, "C: QUIT", TIMEOUT], ""),
            (&["#: an empty line", EHLO, "C: ", TIMEOUT, QUIT], ""),
        ],
    );
}

#[test]
fn lines_without_hyphens() {
    let rcpt = "C: RCPT TO:<bob@example.org>";
    let lines = "S: 550 5.7.1 Go\nS: 550 5.7.1 away\nS: 550 5.7.1 now";
    check(
        Protocol::Smtp,
        &[
            (&["#: three lines", LIVE, EHLO, rcpt, lines, QUIT], "continuation-by-hyphen error at 2"),
            (&["#: three lines, read later", EHLO, rcpt, lines, QUIT], "continuation-by-hyphen error at 3"),
            (&["#: two greetings", LIVE, "S: 220 ESMTP", QUIT], "continuation-by-hyphen error at 0"),
            (
                &["#: a list", LIVE, EHLO, "C: HELP", "S: 214 2.0.0 NOOP\nS: 214 2.0.0 QUIT", QUIT],
                "continuation-by-hyphen error at 2",
            ),
            (
                &["#: the same again", LIVE, EHLO, rcpt, "S: 550 5.7.1 Go\nS: 550 5.7.1 Go", QUIT],
                "one-reply-per-command error at 2",
            ),
            (
                &["#: no list", LIVE, EHLO, "C: NOOP", "S: 250 2.0.0 Ok\nS: 250 2.0.0 Done", QUIT],
                "one-reply-per-command error at 2",
            ),
            (&["#: hyphens", EHLO, rcpt, "S: 550-5.7.1 Go\nS: 550 5.7.1 away", QUIT], ""),
            (
                &["#: two codes", LIVE, EHLO, rcpt, "S: 550 5.7.1 Go\nS: 250 2.1.5 Ok", QUIT],
                "one-reply-per-command error at 2",
            ),
            (
                &["#: a text after the data", LIVE, EHLO, MAIL, RCPT, RCPT_TOO, DATA, MESSAGE, lines],
                "continuation-by-hyphen error at 6",
            ),
        ],
    );
}

#[test]
fn the_end_of_the_data_has_one_reply() {
    let sent = [GREETING, EHLO, MAIL, RCPT, RCPT_TOO, DATA, MESSAGE];
    Table { before: &sent, ..table() }.check(&[
        (&["#: one", "S: 250 2.0.0 Ok", QUIT], ""),
        (
            &["#: one per recipient", LIVE, "S: 250 2.0.0 Ok\nS: 250 2.0.0 Ok", QUIT],
            "end-of-data-one-reply error at 6",
        ),
        (
            &["#: 250 and 550", LIVE, "S: 250 2.0.0 Ok\nS: 550 5.1.1 No", QUIT],
            "end-of-data-one-reply error at 6",
        ),
        (
            &[
                "#: one per recipient, late",
                LIVE,
                "S: 250 2.0.0 Ok",
                "C: NOOP",
                "S: 550 5.1.1 No",
                "C: QUIT",
                "S: 250 2.0.0 Ok\nS: 221 2.0.0 Bye",
            ],
            "end-of-data-one-reply error at 6",
        ),
        (&["#: 421 after it", LIVE, "S: 250 2.0.0 Ok\nS: 421 4.3.2 Down", QUIT], ""),
    ]);
}

#[test]
fn pipelined_replies_are_in_order() {
    let group = "C: MAIL FROM:<bob@example.org>\nC: RCPT TO:<bob@example.org>\nC: DATA";
    let (mail, rcpt, go) = ("S: 250 2.1.0 Ok", "S: 250 2.1.5 Ok", "S: 354 Go");
    let no = "S: 503 5.5.1 No";
    let helo = "C: HELO me\nS: 250 mx";
    let rows: &[Row<'_>] = &[
        (&["#: in order", EHLO, group, mail, rcpt, go, MESSAGE, "S: 250 2.0.0 Ok", QUIT], ""),
        (&["#: one lost", EHLO, group, mail, no, TIMEOUT, QUIT], "pipelined-replies-in-order error at 4"),
        (&["#: one late", EHLO, group, mail, no, TIMEOUT, "C: QUIT", no], ""),
        (&["#: silence alone", EHLO, group, mail, rcpt, TIMEOUT], ""),
        (&["#: closed", EHLO, group, mail, rcpt, CLOSED], "pipelined-replies-in-order error at 4"),
        (&["#: 354 too early", EHLO, group, mail, go, TIMEOUT], "pipelined-replies-in-order error at 3"),
        (&["#: swapped", EHLO, group, mail, go, rcpt], "pipelined-replies-in-order error at 3"),
        (
            &["#: 221 too early", EHLO, "C: RSET\nC: QUIT", "S: 221 2.0.0 Bye", "S: 250 2.0.0 Ok"],
            "pipelined-replies-in-order error at 2",
        ),
        (&["#: closing with 221", EHLO, "C: RSET\nC: QUIT", "S: 221 2.0.0 Bye", CLOSED], ""),
        (&["#: not announced", helo, group, mail, no, TIMEOUT, QUIT], ""),
        (&["#: after STARTTLS", EHLO, "C: STARTTLS\nC: NOOP", "S: 220 2.0.0 Go", TIMEOUT], ""),
    ];
    check(Protocol::Smtp, rows);
    Table { before: &[LIVE, GREETING], ..table() }.check(rows);
    check(
        Protocol::Smtp,
        &[(
            &["#: one too many", EHLO, group, mail, rcpt, no, "S: 250 2.0.0 Ok"],
            "one-reply-per-command error at 5",
        )],
    );
}

#[test]
fn the_end_of_a_message_may_be_the_first_of_a_group() {
    let group = "C: x\nC: .\nC: RSET\nC: MAIL FROM:<bob@example.org>";
    let (ok, rset, mail) = ("S: 250 2.0.0 Ok", "S: 250 2.0.0 Flushed", "S: 250 2.1.0 Ok");
    let lost = "pipelined-replies-in-order error at 6";
    let rows: &[Row<'_>] = &[
        (&["#: all", group, ok, rset, mail, QUIT], ""),
        (&["#: refused", group, "S: 554 5.6.0 No", rset, mail, QUIT], ""),
        (&["#: what came with it is lost", group, ok, TIMEOUT, QUIT], lost),
        (&["#: late", group, ok, TIMEOUT, "C: QUIT", rset, mail, "S: 221 2.0.0 Bye"], ""),
        (&["#: closed", group, ok, CLOSED], lost),
        (&["#: the message itself", group, CLOSED], "closes-only-when-allowed/other-command warning at 5"),
    ];
    let before = [GREETING, EHLO, MAIL, RCPT, DATA];
    Table { before: &before, ..table() }.check(rows);
    Table { before: &[[LIVE].as_slice(), &before].concat(), ..table() }.check(rows);
    let more = [group, ok, rset, mail, "S: 250 2.0.0 Ok", QUIT].join("\n");
    Table { before: &before, ..table() }
        .check(&[(&["#: too many", &more], "one-reply-per-command error at 8")]);
}

#[test]
fn commands_of_a_group_are_not_refused_as_too_early() {
    let (mail, early) = ("S: 250 2.1.0 Ok", "S: 503 5.5.1 Pipelined too early");
    let group = "C: RSET\nC: MAIL FROM:<bob@example.org>";
    let helo = "C: HELO me\nS: 250 mx";
    let finding = "pipelined-replies-in-order/refused warning at 3";
    check(
        Protocol::Smtp,
        &[
            (&["#: refused", EHLO, group, "S: 250 2.0.0 Ok", early, QUIT], finding),
            (&["#: refused for another reason", EHLO, group, mail, "S: 503 5.5.1 Log in", QUIT], ""),
            (&["#: not announced", helo, group, "S: 250 2.0.0 Ok", early, QUIT], ""),
            (&["#: too early", EHLO, "C: NOOP\nC: NOOP", "S: 250 2.0.0 Ok", early, QUIT], ""),
        ],
    );
    let sent = [GREETING, EHLO, MAIL, RCPT, DATA, "C: x\nC: ."];
    Table { before: &sent, ..table() }.check(&[(
        &["#: after a message", group, "S: 250 2.0.0 Ok", early, early, QUIT],
        "pipelined-replies-in-order/refused warning at 6",
    )]);
}

#[test]
fn a_part_of_a_command_is_not_lost() {
    let group = "C: MAIL FROM:<bob@example.org>\nC: RSET\nC: NO\\+\nS: 250 2.1.0 Ok\nS: 250 2.0.0 Flushed";
    let (kept, unknown) = ("C: OP\nS: 250 2.0.0 Ok", "C: OP\nS: 500 5.5.1 What?");
    check(
        Protocol::Smtp,
        &[
            (&["#: kept", EHLO, NOOP, group, kept, QUIT], ""),
            (&["#: lost", EHLO, NOOP, group, unknown, QUIT], "pipelined-replies-in-order error at 5"),
            (&["#: perhaps unknown", EHLO, group, unknown, QUIT], ""),
        ],
    );
}

#[test]
fn refused_chunks_are_discarded() {
    let chunk = "C: BDAT 14\nC: Subject: x\nC: ";
    let last = "C: BDAT 14 LAST\nC: Subject: x\nC: ";
    let refused = "S: 554 5.5.1 No recipients";
    let unknown = "S: 500 5.5.1 What?";
    let noop = "C: BDAT 6\nC: NOOP";
    check(
        Protocol::Smtp,
        &[
            (&["#: dropped", EHLO, MAIL, last, refused, QUIT], ""),
            (
                &["#: obeyed", LIVE, EHLO, MAIL, last, refused, unknown, unknown, QUIT],
                "failed-chunk-discarded error at 3",
            ),
            (
                &["#: obeyed, read later", EHLO, MAIL, chunk, refused, unknown, unknown, QUIT],
                "failed-chunk-discarded error at 4",
            ),
            (
                &["#: obeyed, pipelined", EHLO, MAIL, chunk, "C: RSET", refused, unknown, unknown],
                "failed-chunk-discarded error at 5",
            ),
            (
                &["#: obeyed, and known", LIVE, EHLO, MAIL, noop, refused, "S: 250 2.0.0 Ok", QUIT],
                "failed-chunk-discarded error at 3",
            ),
            (
                &[
                    "#: obeyed, and late",
                    LIVE,
                    EHLO,
                    MAIL,
                    "C: BDAT 12\nC: NOOP\nC: NOOP",
                    refused,
                    "C: RSET",
                    "S: 250 2.0.0 Ok\nS: 250 2.0.0 Ok",
                    "C: QUIT",
                    "S: 250 2.0.0 Ok\nS: 221 2.0.0 Bye",
                ],
                "failed-chunk-discarded error at 3",
            ),
            (
                &["#: refused twice", LIVE, EHLO, MAIL, noop, "S: 554 5.5.1 No\nS: 554 5.5.1 No", QUIT],
                "one-reply-per-command error at 3",
            ),
            (
                &["#: answered twice", LIVE, EHLO, MAIL, chunk, "S: 250 2.0.0 Ok\nS: 250 2.0.0 Ok", QUIT],
                "one-reply-per-command error at 3",
            ),
            (&["#: not announced", LIVE, "C: EHLO me\nS: 250 mx", last, refused, unknown, unknown], ""),
        ],
    );
}

const LHLO: &str = "\
C: LHLO me.example.org
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-CHUNKING
S: 250 ENHANCEDSTATUSCODES";

#[test]
fn each_recipient_has_a_reply() {
    let ok = "S: 250 2.1.5 Ok";
    let sent = [GREETING, LHLO, MAIL, RCPT, RCPT_TOO, DATA, MESSAGE];
    let lmtp = Table { protocol: Protocol::Lmtp, before: &sent, ..table() };
    lmtp.check(&[
        (&["#: one per recipient", ok, "S: 452 4.2.2 Full", QUIT], ""),
        (&["#: three", LIVE, ok, ok, ok, QUIT], "lmtp-reply-per-recipient error at 6"),
        (&["#: three, read later", ok, ok, ok, QUIT], "lmtp-reply-per-recipient error at 7"),
        (&["#: one, and too early to tell", ok, TIMEOUT], ""),
        (&["#: one, and what may be the other", ok, TIMEOUT, "C: NOOP", ok], ""),
        (&["#: one, then 221", ok, TIMEOUT, QUIT], "lmtp-reply-per-recipient error at 6"),
        (&["#: one, then closed", ok, CLOSED], "lmtp-reply-per-recipient error at 6"),
        (&["#: one, then 421", ok, "S: 421 4.3.2 Down", CLOSED], ""),
        (&["#: none", TIMEOUT, "C: QUIT", TIMEOUT], ""),
        (&["#: none, but 221", TIMEOUT, QUIT], "lmtp-reply-per-recipient error at 6"),
        (
            &["#: one, and 221 to QUIT", ok, "C: QUIT", "S: 221 2.0.0 Bye", CLOSED],
            "lmtp-reply-per-recipient error at 6",
        ),
        (
            &["#: one, and the client goes on", ok, "C: RSET", "S: 250 2.0.0 Reset", QUIT],
            "lmtp-reply-per-recipient error at 6",
        ),
        (&["#: one, and the other late", ok, "C: RSET", "S: 250 2.0.0 Ok\nS: 250 2.0.0 Ok", QUIT], ""),
        (&["#: the end of a recording", ok], ""),
    ]);
    let group = "C: x\nC: .\nC: RSET\nC: MAIL FROM:<bob@example.org>";
    let sent = [GREETING, LHLO, MAIL, RCPT, RCPT_TOO, DATA, group];
    Table { before: &sent, ..lmtp.clone() }.check(&[
        (&["#: in a group", ok, ok, "S: 250 2.0.0 Reset", "S: 250 2.1.0 Ok", QUIT], ""),
        (&["#: lost", ok, ok, TIMEOUT, QUIT], "pipelined-replies-in-order error at 7"),
    ]);
    Table { before: &[GREETING, LHLO, MAIL, DATA, MESSAGE], ..lmtp }
        .check(&[(&["#: nobody", "S: 554 5.5.1 No", QUIT], "")]);
}

#[test]
fn each_recipient_of_a_chunk_has_a_reply() {
    let ok = "S: 250 2.1.5 Ok";
    let (chunk, last) = ("C: BDAT 3\nC: x", "C: BDAT 3 LAST\nC: x");
    check(
        Protocol::Lmtp,
        &[
            (&["#: one per recipient", LHLO, MAIL, RCPT, RCPT_TOO, last, ok, ok, QUIT], ""),
            (
                &["#: three", LIVE, LHLO, MAIL, RCPT, RCPT_TOO, last, ok, ok, ok, QUIT],
                "lmtp-bdat-reply-per-recipient error at 5",
            ),
            (&["#: not the last", LHLO, MAIL, RCPT, RCPT_TOO, chunk, ok, QUIT], ""),
            (
                &["#: not the last, twice", LIVE, LHLO, MAIL, RCPT, RCPT_TOO, chunk, ok, ok, QUIT],
                "lmtp-bdat-reply-per-recipient error at 5",
            ),
            (
                &["#: nobody", LHLO, MAIL, last, "S: 503 5.5.1 No", QUIT],
                "lmtp-bdat-reply-per-recipient error at 3",
            ),
            (&["#: nobody, and 530", LHLO, MAIL, last, "S: 530 5.7.0 TLS first", QUIT], ""),
        ],
    );
}
