use super::*;
use crate::readers::testing::LIVE;

const RSET: &str = "C: RSET\nS: 250 2.0.0 Flushed";
const GROUP: &str = "C: MAIL FROM:<bob@example.org>\nC: RCPT TO:<u0@example.org>\nC: RSET";
const REPLIES: [&str; 3] = ["S: 250 2.1.0 Ok", "S: 250 2.1.5 Ok", "S: 250 2.0.0 Flushed"];
const OK: &str = "S: 250 2.0.0 Ok";

#[test]
fn replies_to_a_group_are_not_kept_back() {
    let kept = [REPLIES.as_slice(), &[OK]].concat().join("\n");
    let replies = REPLIES.join("\n");
    let finding = "pipelined-replies-sent-at-once error at 5";
    let before = [GREETING, EHLO, MAIL, RCPT, RSET];
    let rows: &[Row<'_>] = &[
        (&["#: at once", GROUP, &replies, NOOP, QUIT], ""),
        (&["#: after another command", GROUP, TIMEOUT, "C: NOOP", &kept, QUIT], finding),
        (&["#: after QUIT", GROUP, TIMEOUT, "C: QUIT", &replies, "S: 221 2.0.0 Bye"], finding),
        (
            &["#: the last one", GROUP, REPLIES[0], REPLIES[1], TIMEOUT, "C: NOOP", REPLIES[2], OK, QUIT],
            "pipelined-replies-sent-at-once error at 7",
        ),
        (&["#: with a part", GROUP, "C: NO\\+", &replies, "C: OP", OK, QUIT], ""),
        (&["#: after the rest", GROUP, "C: NO\\+", TIMEOUT, "C: OP", &kept, QUIT], finding),
        (&["#: never", GROUP, TIMEOUT, NOOP, QUIT], "pipelined-replies-in-order error at 5"),
        (&["#: perhaps none", GROUP, TIMEOUT, "C: NOOP", &kept], ""),
        (&["#: slow", GROUP, TIMEOUT, "C: NOOP", TIMEOUT, "C: QUIT", &kept, "S: 221 2.0.0 Bye"], ""),
        (&["#: shutting down", GROUP, TIMEOUT, "C: NOOP", &replies, "S: 421 4.3.2 Down", CLOSED], ""),
    ];
    Table { before: &before, ..table() }.check(rows);
    let live = [[LIVE].as_slice(), &before].concat();
    Table { before: &live, ..table() }.check(rows);
}

#[test]
fn a_server_that_was_slow_before_may_be_slow_again() {
    let kept = [REPLIES.as_slice(), &[OK]].concat().join("\n");
    let released = [GROUP, TIMEOUT, "C: NOOP", &kept, QUIT].join("\n");
    check(
        Protocol::Smtp,
        &[
            (&["#: RCPT was never answered before", EHLO, MAIL, RSET, &released], ""),
            (
                &[
                    "#: without PIPELINING",
                    "C: EHLO me\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES",
                    MAIL,
                    RCPT,
                    RSET,
                    &released,
                ],
                "",
            ),
            (&["#: a single command", EHLO, NOOP, "C: NOOP", TIMEOUT, "C: RSET", OK, OK, QUIT], ""),
        ],
    );
    let text = [GREETING, EHLO, MAIL, RCPT, RSET, &released].join("\n");
    let found = |exchange: usize, millis: u64| {
        let mut slow = dialogue(&text);
        slow.exchanges[exchange].answers[0].millis = millis;
        table().found_in(&[slow])
    };
    let finding = "pipelined-replies-sent-at-once error at 5";
    assert_eq!(found(3, 900), finding);
    assert_eq!(found(3, 5000), "");
    assert_eq!(found(8, 900), finding);
    assert_eq!(found(8, 5000), "");
}

#[test]
fn the_reply_to_the_last_of_a_group_is_not_kept_back() {
    let reset = "C: OP\nS: 250 2.0.0 Ok";
    let none = "C: OP";
    for (command, reply) in [
        ("C: NOOP", "S: 250 2.0.0 Ok"),
        ("C: VRFY bob", "S: 252 2.0.0 Perhaps"),
        ("C: FOOB", "S: 500 5.5.1 What?"),
        ("C: EHLO me", "S: 250-mx\nS: 250-PIPELINING\nS: 250 ENHANCEDSTATUSCODES"),
    ] {
        let finding = "pipelined-replies-sent-at-once error at 3";
        check(
            Protocol::Smtp,
            &[
                (&["#: at once", EHLO, command, reply, command, "C: NO\\+", reply, reset, QUIT], ""),
                (
                    &["#: kept", EHLO, command, reply, command, "C: NO\\+", TIMEOUT, none, reply, OK, QUIT],
                    finding,
                ),
                (
                    &[
                        "#: refused",
                        EHLO,
                        command,
                        reply,
                        command,
                        "C: NO\\+",
                        "S: 554 5.5.0 Too early",
                        CLOSED,
                    ],
                    "",
                ),
                (&["#: closed", EHLO, command, reply, command, "C: NO\\+", CLOSED], ""),
            ],
        );
    }
}
