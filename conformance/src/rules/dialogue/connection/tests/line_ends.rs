use super::*;
use crate::readers::testing::LIVE;

#[test]
fn only_crlf_ends_a_command() {
    check(
        Protocol::Smtp,
        &[
            (&["#: LF alone", EHLO, "C: NOOP\\n", "S: 250 2.0.0 Ok"], "command-ends-at-crlf error at 2"),
            (&["#: CR alone", EHLO, "C: NOOP\\x0d\\+", "S: 250 2.0.0 Ok"], "command-ends-at-crlf error at 2"),
            (&["#: refused", EHLO, "C: NOOP\\n", "S: 500 5.5.2 Bare LF", QUIT], ""),
            (&["#: silence", EHLO, "C: NOOP\\n", TIMEOUT], ""),
            (&["#: 421", EHLO, "C: NOOP\\n", "S: 421 4.5.0 Bare LF", CLOSED], ""),
            (&["#: DATA", EHLO, MAIL, RCPT, "C: DATA\\n", "S: 354 Go"], "command-ends-at-crlf error at 4"),
            // After the first line, nobody knows what the server has read.
            (
                &["#: twice", EHLO, "C: NOOP\\n", TIMEOUT, "C: NOOP\\n", "S: 250 2.0.0 Ok\nS: 250 2.0.0 Ok"],
                "",
            ),
        ],
    );
}

/// A message up to an end that is none, and the rest.
const FIRST: &str = "C: Subject: x\nC: ";
const REST: &str = "C: more\nC: .";

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    let taken = "S: 250 2.0.0 Taken";
    let unknown = "S: 500 5.5.1 What?";
    let rule = "message-ends-at-crlf-dot-crlf error at 5";
    let sent = [GREETING, EHLO, MAIL, RCPT, DATA];
    let message = Table { before: &sent, ..table() };
    for end in [
        "C: x\\n\nC: .\\n",
        "C: x\\n\nC: .",
        "C: x\nC: .\\n",
        "C: x\\x0d.\\x0d\\+",
        "C: x\\x0d.",
        "C: x\nC: .\\x0d\\+",
        "C: x\nC: .\\x00",
        "C: x\nC: .\\x0d\\x00\\n",
        "C: x\nC: . ",
        "C: x\nC: .\\x09",
        "C: x\\n\nC: ..\\n",
        "C: x\\n\nC: ..",
    ] {
        message.check(&[
            (&["#: taken at once", FIRST, end, taken, REST, unknown, unknown, QUIT], rule),
            (&["#: taken, and the rest obeyed", LIVE, FIRST, end, REST, taken, unknown, unknown, QUIT], rule),
            (
                &[
                    "#: taken, and seen late",
                    LIVE,
                    FIRST,
                    end,
                    REST,
                    taken,
                    "C: QUIT",
                    unknown,
                    "S: 221 2.0.0 Bye",
                ],
                rule,
            ),
            (&["#: part of the text", FIRST, end, REST, taken, QUIT], ""),
            (&["#: refused at the end", FIRST, end, REST, "S: 554 5.6.0 Bare LF", QUIT], ""),
            (&["#: refused and closed", FIRST, end, "S: 521 5.5.2 Bare LF", CLOSED], ""),
            (&["#: 421", FIRST, end, "S: 421 4.5.0 Bare LF", CLOSED], ""),
            (
                &["#: refused at once, and open", FIRST, end, "S: 554 5.6.0 Bare LF", REST, unknown],
                "message-read-to-its-end error at 5",
            ),
        ]);
    }
    message.check(&[
        (&["#: a dot is doubled", FIRST, "C: x\nC: ..", REST, taken, QUIT], ""),
        (
            &["#: two messages, two replies", FIRST, REST, taken, MAIL, RCPT, DATA, FIRST, REST, taken, QUIT],
            "",
        ),
    ]);
}

#[test]
fn a_message_is_read_to_its_end() {
    let sent = [GREETING, EHLO, MAIL, RCPT, DATA];
    let unknown = "S: 500 5.5.1 What?";
    Table { before: &sent, ..table() }.check(&[
        (
            &[
                "#: taken early",
                "C: Subject: x",
                "S: 250 2.0.0 early",
                "C: \nC: text\nC: .\nC: QUIT",
                "S: 221 2.0.0 Bye",
            ],
            "message-read-to-its-end error at 5",
        ),
        (
            &["#: refused early", "C: Subject: x", "S: 552 5.3.4 Big", "C: \nC: text\nC: .", unknown, QUIT],
            "message-read-to-its-end error at 5",
        ),
        (&["#: refused early, and closed", "C: Subject: x", "S: 552 5.3.4 Big", CLOSED], ""),
        (&["#: 421", "C: Subject: x", "S: 421 4.3.2 Down", CLOSED], ""),
        (
            &[
                "#: the rest is obeyed",
                LIVE,
                FIRST,
                REST,
                "S: 552 5.3.4 Big",
                unknown,
                unknown,
                unknown,
                QUIT,
            ],
            "message-read-to-its-end error at 5",
        ),
        (
            &[
                "#: the rest is obeyed, seen late",
                LIVE,
                FIRST,
                REST,
                "S: 552 5.3.4 Big",
                "C: QUIT",
                unknown,
                unknown,
                "S: 221 2.0.0 Bye",
            ],
            "message-read-to-its-end error at 5",
        ),
        (
            &["#: before the message", "S: 250 2.0.0 Already", FIRST, REST, "S: 250 2.0.0 Ok", QUIT],
            "one-reply-per-command error at 5",
        ),
    ]);
}

#[test]
fn clear_text_is_not_obeyed_under_tls() {
    let ok = "S: 250 2.0.0 Ok";
    let mail = "C: MAIL FROM:<bob@example.org>";
    let under_tls = "C: EHLO me.example.org\nS: 250 mx.example.org";
    check(
        Protocol::Smtp,
        &[
            (
                &["#: NOOP", EHLO, "C: STARTTLS\nC: NOOP", "S: 220 2.0.0 Go", TLS, ok],
                "starttls-discards-clear-text error at 5",
            ),
            (&["#: MAIL", LIVE, EHLO, STARTTLS, mail, TLS, ok], "starttls-discards-clear-text error at 4"),
            (&["#: discarded", EHLO, "C: STARTTLS\nC: NOOP", "S: 220 2.0.0 Go", TLS, under_tls, QUIT], ""),
            (
                &["#: unasked, and nothing was sent", EHLO, STARTTLS, TLS, ok],
                "one-reply-per-command error at 4",
            ),
            (
                &[
                    "#: a TLS alert",
                    EHLO,
                    "C: STARTTLS\nC: NOOP",
                    "S: 220 2.0.0 Go",
                    "S: \\x15\\x03\\x03\\x00\\x02\\x02P\\+",
                    CLOSED,
                ],
                "",
            ),
        ],
    );
}
