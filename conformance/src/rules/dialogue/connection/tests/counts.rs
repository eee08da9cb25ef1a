use super::*;

const HELLO: &str = "EHLO me.example.org";
const LOCAL: &str = "LHLO me.example.org";

#[test]
fn a_command_has_one_reply() {
    let rule = RuleId::ONE_REPLY_PER_COMMAND;
    let twice = || command("NOOP", &["250 2.0.0 Ok", "500 5.5.1 What?"]);
    check(
        Protocol::Smtp,
        vec![
            ("one each", session(vec![command("NOOP", &["250 2.0.0 Ok"]), quit()]), None),
            ("two to one", session(vec![twice(), quit()]), Some((rule, 2))),
            (
                "one unrequested",
                session(vec![command("NOOP", &["250 2.0.0 Ok"]), wait(&["451 4.4.2 Late"])]),
                Some((rule, 3)),
            ),
            (
                "one too many, seen late",
                session(vec![
                    command("NOOP", &["250 2.0.0 Ok"]),
                    command("VRFY bob", &["502 5.5.1 No"]),
                    command("QUIT", &["252 2.0.0 Bob?", "221 2.0.0 Bye"]),
                ]),
                Some((rule, 4)),
            ),
            (
                "421 unrequested",
                session(vec![command("NOOP", &["250 2.0.0 Ok"]), wait(&["421 4.3.2 Down"])]),
                None,
            ),
            ("two greetings", vec![connect(&["220 mx", "250 hi"]), quit()], Some((rule, 0))),
            ("only the first is reported", session(vec![twice(), twice(), quit()]), Some((rule, 2))),
            ("ambiguous octets", session(vec![unsure(twice()), quit()]), None),
            (
                "before the greeting",
                vec![command("EHLO me", &["220 mx.example.org", "250 mx.example.org"]), quit()],
                None,
            ),
            (
                "a bare LF",
                session(vec![said(Act::Command(b"NOOP\n".to_vec()), &["250 Ok", "500 What?"]), quit()]),
                None,
            ),
            (
                "a shortened line",
                session(vec![command("NOOP xx... (900 octets)", &["500 a", "501 b"]), quit()]),
                None,
            ),
            (
                "a long line",
                session(vec![command(&"x".repeat(600), &["500 5.5.2 Long", "501 5.5.2 What?"]), quit()]),
                None,
            ),
            (
                "after STARTTLS",
                session(vec![command("STARTTLS", &["220 2.0.0 Go", "not TLS"]), handshake()]),
                None,
            ),
            (
                "a reply after STARTTLS",
                session(vec![command("STARTTLS", &["220 2.0.0 Go", "250 2.0.0 Injected"]), handshake()]),
                Some((rule, 2)),
            ),
            (
                "a reply after STARTTLS, in a recording",
                session(vec![
                    command("STARTTLS", &["220 2.0.0 Go"]),
                    wait(&["250 2.0.0 Injected"]),
                    handshake(),
                ]),
                Some((rule, 3)),
            ),
            (
                "a command after STARTTLS",
                session(pipeline(vec![
                    command("STARTTLS", &["220 2.0.0 Go"]),
                    command("NOOP", &["250 2.0.0 Ok", "250 2.0.0 Ok"]),
                ])),
                None,
            ),
            ("after 354", session(vec![data(), wait(&["250 2.0.0 Ok"])]), None),
            (
                "steps of AUTH",
                session(vec![
                    command("AUTH PLAIN", &["334 "]),
                    said(Act::Response(b"AGEAYg==\r\n".to_vec()), &["235 2.7.0 Ok"]),
                    quit(),
                ]),
                None,
            ),
            (
                "a message for one recipient",
                transaction(HELLO, 1, vec![data(), message("x\r\n", &["250 2.0.0 Ok", "451 4.3.0 No"])]),
                Some((rule, 5)),
            ),
        ],
    );
}

#[test]
fn missing_replies() {
    let rule = RuleId::ONE_REPLY_PER_COMMAND;
    check(
        Protocol::Smtp,
        vec![
            (
                "late",
                session(vec![
                    timed_out(command("NOOP", &[])),
                    unsure(command("RSET", &["250 2.0.0 Ok"])),
                    wait(&["250 2.0.0 Ok"]),
                    quit(),
                ]),
                None,
            ),
            (
                "skipped",
                session(vec![
                    timed_out(command("NOOP", &[])),
                    unsure(command("RSET", &["250 2.0.0 Ok"])),
                    unsure(quit()),
                ]),
                Some((rule, 2)),
            ),
            (
                "slow, and 221 late",
                session(vec![timed_out(command("NOOP", &[])), unsure(command("QUIT", &["250 2.0.0 Ok"]))]),
                None,
            ),
            (
                "silence",
                session(vec![timed_out(command("NOOP", &[])), timed_out(unsure(command("QUIT", &[])))]),
                None,
            ),
            ("an empty line", session(vec![timed_out(command("", &[])), unsure(quit())]), None),
        ],
    );
}

#[test]
fn lines_without_hyphens() {
    let rule = RuleId::CONTINUATION_BY_HYPHEN;
    let lines = ["550 5.7.1 Go", "550 5.7.1 away", "550 5.7.1 now"];
    let recipient = |replies: &[&str]| command("RCPT TO:<bob@example.org>", replies);
    check(
        Protocol::Smtp,
        vec![
            ("three lines", session(vec![recipient(&lines), quit()]), Some((rule, 2))),
            (
                "three lines, read later",
                session(vec![recipient(&lines[..1]), wait(&lines[1..2]), wait(&lines[2..]), quit()]),
                Some((rule, 3)),
            ),
            ("two greetings", vec![connect(&["220 mx.example.org", "220 ESMTP"]), quit()], Some((rule, 0))),
            (
                "a list",
                session(vec![command("HELP", &["214 2.0.0 NOOP", "214 2.0.0 QUIT"]), quit()]),
                Some((rule, 2)),
            ),
            (
                "the same again",
                session(vec![recipient(&[lines[0], lines[0]]), quit()]),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 2)),
            ),
            (
                "no list",
                session(vec![command("NOOP", &["250 2.0.0 Ok", "250 2.0.0 Done"]), quit()]),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 2)),
            ),
            ("hyphens", session(vec![recipient(&["550-5.7.1 Go\n550 5.7.1 away"]), quit()]), None),
            (
                "two codes",
                session(vec![recipient(&["550 5.7.1 Go", "250 2.1.5 Ok"]), quit()]),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 2)),
            ),
            (
                "a text after the data",
                transaction(HELLO, 2, vec![data(), message("x\r\n", &lines)]),
                Some((rule, 6)),
            ),
        ],
    );
}

#[test]
fn the_end_of_the_data_has_one_reply() {
    let rule = RuleId::END_OF_DATA_ONE_REPLY;
    let end = |replies: &[&str]| transaction(HELLO, 2, vec![data(), message("x\r\n", replies), quit()]);
    check(
        Protocol::Smtp,
        vec![
            ("one", end(&["250 2.0.0 Ok"]), None),
            ("one per recipient", end(&["250 2.0.0 Ok", "250 2.0.0 Ok"]), Some((rule, 6))),
            ("250 and 550", end(&["250 2.0.0 Ok", "550 5.1.1 No"]), Some((rule, 6))),
            (
                "one per recipient, late",
                transaction(
                    HELLO,
                    2,
                    vec![
                        data(),
                        message("x\r\n", &["250 2.0.0 Ok"]),
                        command("NOOP", &["550 5.1.1 No"]),
                        command("QUIT", &["250 2.0.0 Ok", "221 2.0.0 Bye"]),
                    ],
                ),
                Some((rule, 6)),
            ),
            ("421 after it", end(&["250 2.0.0 Ok", "421 4.3.2 Down"]), None),
        ],
    );
}

#[test]
fn pipelined_replies_are_in_order() {
    let rule = RuleId::PIPELINED_REPLIES_IN_ORDER;
    let group = |replies: [&[&str]; 3], rest: Vec<Exchange>| {
        let lines = ["MAIL FROM:<bob@example.org>", "RCPT TO:<bob@example.org>", "DATA"];
        let mut exchanges =
            pipeline(lines.iter().zip(replies).map(|(line, reply)| command(line, reply)).collect());
        if let Some(last) = exchanges.last_mut().filter(|last| last.answers.is_empty()) {
            last.end = End::TimedOut;
        }
        exchanges.extend(rest);
        exchanges
    };
    let (mail, rcpt, go) = (&["250 2.1.0 Ok"][..], &["250 2.1.5 Ok"][..], &["354 Go"][..]);
    let no = &["503 5.5.1 No"][..];
    let old = |rest: Vec<Exchange>| {
        [vec![connect(&["220 mx.example.org"]), command("HELO me", &["250 mx"])], rest].concat()
    };
    let lost = |end: End| {
        let mut group = group([mail, rcpt, &[]], vec![]);
        group
            .iter_mut()
            .filter(|exchange| exchange.answers.is_empty())
            .for_each(|exchange| exchange.end = end);
        group
    };
    check(
        Protocol::Smtp,
        vec![
            (
                "in order",
                session(group([mail, rcpt, go], vec![message("x\r\n", &["250 2.0.0 Ok"]), quit()])),
                None,
            ),
            ("one lost", session(group([mail, no, &[]], vec![unsure(quit())])), Some((rule, 4))),
            (
                "one late",
                session(group([mail, no, &[]], vec![unsure(command("QUIT", &["503 5.5.1 No"]))])),
                None,
            ),
            ("silence alone", session(lost(End::TimedOut)), None),
            ("closed", session(lost(End::Closed)), Some((rule, 4))),
            ("354 too early", session(group([mail, go, &[]], vec![])), Some((rule, 3))),
            ("swapped", session(group([mail, go, rcpt], vec![])), Some((rule, 3))),
            (
                "221 too early",
                session(pipeline(vec![
                    command("RSET", &["221 2.0.0 Bye"]),
                    command("QUIT", &["250 2.0.0 Ok"]),
                ])),
                Some((rule, 2)),
            ),
            (
                "closing with 221",
                session(pipeline(vec![command("RSET", &["221 2.0.0 Bye"]), closed(command("QUIT", &[]))])),
                None,
            ),
            ("not announced", old(group([mail, no, &[]], vec![unsure(quit())])), None),
            (
                "after STARTTLS",
                session(pipeline(vec![
                    command("STARTTLS", &["220 2.0.0 Go"]),
                    timed_out(command("NOOP", &[])),
                ])),
                None,
            ),
            (
                "one too many",
                session([group([mail, rcpt, no], vec![]), vec![wait(&["250 2.0.0 Ok"])]].concat()),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 5)),
            ),
        ],
    );
}

#[test]
fn refused_chunks_are_discarded() {
    let rule = RuleId::FAILED_CHUNK_DISCARDED;
    let refused = ["554 5.5.1 No recipients", "500 5.5.1 What?", "500 5.5.1 What?"];
    let text = "Subject: x\r\n\r\n";
    let begin = |rest| transaction(HELLO, 0, rest);
    let unknown = |replies: &[&str]| {
        vec![connect(&["220 mx.example.org"]), command("EHLO me", &["250 mx"]), chunk(text, " LAST", replies)]
    };
    check(
        Protocol::Smtp,
        vec![
            ("dropped", begin(vec![chunk(text, " LAST", &["554 5.5.1 No recipients"]), quit()]), None),
            ("obeyed", begin(vec![chunk(text, " LAST", &refused), quit()]), Some((rule, 3))),
            (
                "obeyed, read later",
                begin(vec![
                    chunk(text, "", &refused[..1]),
                    wait(&refused[1..2]),
                    wait(&refused[2..]),
                    quit(),
                ]),
                Some((rule, 4)),
            ),
            (
                "obeyed, pipelined",
                begin(
                    [
                        pipeline(vec![chunk(text, "", &refused[..1]), command("RSET", &refused[1..2])]),
                        vec![wait(&refused[2..])],
                    ]
                    .concat(),
                ),
                Some((rule, 5)),
            ),
            (
                "obeyed, and known",
                begin(vec![chunk("NOOP\r\n", "", &["554 5.5.1 No recipients", "250 2.0.0 Ok"]), quit()]),
                Some((rule, 3)),
            ),
            (
                "obeyed, and late",
                begin(vec![
                    chunk("NOOP\r\nNOOP\r\n", "", &["554 5.5.1 No recipients"]),
                    command("RSET", &["250 2.0.0 Ok", "250 2.0.0 Ok"]),
                    command("QUIT", &["250 2.0.0 Ok", "221 2.0.0 Bye"]),
                ]),
                Some((rule, 3)),
            ),
            (
                "refused twice",
                begin(vec![chunk("NOOP\r\n", "", &["554 5.5.1 No", "554 5.5.1 No"]), quit()]),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 3)),
            ),
            (
                "answered twice",
                begin(vec![chunk(text, "", &["250 2.0.0 Ok", "250 2.0.0 Ok"]), quit()]),
                Some((RuleId::ONE_REPLY_PER_COMMAND, 3)),
            ),
            ("not announced", unknown(&refused), None),
        ],
    );
}

#[test]
fn each_recipient_has_a_reply() {
    let rule = RuleId::LMTP_REPLY_PER_RECIPIENT;
    let ok = "250 2.1.5 Ok";
    let end = |replies: &[&str], rest: Vec<Exchange>| {
        transaction(LOCAL, 2, [vec![data(), message("x\r\n", replies)], rest].concat())
    };
    let last = |ended: fn(Exchange) -> Exchange, replies: &[&str], rest: Vec<Exchange>| {
        let mut exchanges = end(replies, vec![]);
        let message = exchanges.pop().map(ended);
        exchanges.extend(message);
        exchanges.extend(rest);
        exchanges
    };
    check(
        Protocol::Lmtp,
        vec![
            ("one per recipient", end(&[ok, "452 4.2.2 Full"], vec![quit()]), None),
            ("three", end(&[ok, ok, ok], vec![quit()]), Some((rule, 6))),
            ("three, read later", end(&[ok, ok], vec![wait(&[ok]), quit()]), Some((rule, 7))),
            ("one, and too early to tell", last(timed_out, &[ok], vec![]), None),
            (
                "one, and what may be the other",
                last(timed_out, &[ok], vec![unsure(command("NOOP", &[ok]))]),
                None,
            ),
            ("one, then 221", last(timed_out, &[ok], vec![unsure(quit())]), Some((rule, 6))),
            ("one, then closed", last(closed, &[ok], vec![]), Some((rule, 6))),
            ("one, then 421", last(closed, &[ok, "421 4.3.2 Down"], vec![]), None),
            ("none", last(timed_out, &[], vec![unsure(timed_out(command("QUIT", &[])))]), None),
            ("none, but 221", last(timed_out, &[], vec![unsure(quit())]), Some((rule, 6))),
            (
                "one, and 221 to QUIT",
                end(&[ok, "221 2.0.0 Bye"], vec![closed(command("QUIT", &[]))]),
                Some((rule, 6)),
            ),
            ("the end of a recording", end(&[ok], vec![]), None),
            (
                "nobody",
                transaction(LOCAL, 0, vec![data(), message("x\r\n", &["554 5.5.1 No"]), quit()]),
                None,
            ),
        ],
    );
}

#[test]
fn each_recipient_of_a_chunk_has_a_reply() {
    let rule = RuleId::LMTP_BDAT_REPLY_PER_RECIPIENT;
    let ok = "250 2.1.5 Ok";
    let chunks = |recipients, last, replies: &[&str]| {
        transaction(LOCAL, recipients, vec![chunk("x\r\n", last, replies), quit()])
    };
    check(
        Protocol::Lmtp,
        vec![
            ("one per recipient", chunks(2, " LAST", &[ok, ok]), None),
            ("three", chunks(2, " LAST", &[ok, ok, ok]), Some((rule, 5))),
            ("not the last", chunks(2, "", &[ok]), None),
            ("not the last, twice", chunks(2, "", &[ok, ok]), Some((rule, 5))),
            ("nobody", chunks(0, " LAST", &["503 5.5.1 No"]), Some((rule, 3))),
            ("nobody, and 530", chunks(0, " LAST", &["530 5.7.0 TLS first"]), None),
        ],
    );
}
