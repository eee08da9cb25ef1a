//! Tests of the rules about what arrived.

use crate::protocol::Protocol;
use crate::readers::testing::{Place, Table};
use crate::rules::catalogue::Rule;

const EHLO: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-CHUNKING\nS: 250 8BITMIME";
const LHLO: &str = "S: 220 mx\nC: LHLO me\nS: 250-mx\nS: 250 8BITMIME";
const MAIL: &str = "C: MAIL FROM:<Bob@example.net>\nS: 250 Ok";
const RCPT: &str = "C: RCPT TO:<amy@example.org>\nS: 250 Ok";
const DATA: &str = "C: DATA\nS: 354 Go";
const END: &str = "C: .\nS: 250 Ok";
const LMTP: &str = "#: arrived by lmtp from <Bob@example.net> for <amy@example.org>";
const RECEIVED: &str = "A: Received: from me ([127.0.0.1]) by mx with ESMTP;\nA:  29 Nov 2026 03:04:05 +0000";

fn table(protocol: Protocol) -> Table<'static> {
    let rules = |rule: &Rule| rule.label.starts_with("DL-") || rule.id == "refused-not-delivered";
    Table { protocol, knowledge: crate::Knowledge::default(), before: &[], rules, place: Place::Anywhere }
}

/// Checks messages by their lines as they are sent and as they arrive after a Received field.
#[track_caller]
fn check(arrived: &str, rows: &[(&str, &str, &str)]) {
    check_over(Protocol::Smtp, EHLO, arrived, rows);
}

#[track_caller]
fn check_over(protocol: Protocol, hello: &str, arrived: &str, rows: &[(&str, &str, &str)]) {
    let lines = |mark: &str, text: &str| {
        text.split('|').map(|line| format!("{mark}: {line}")).collect::<Vec<_>>().join("\n")
    };
    for (sent, came, expected) in rows {
        let (sent, came) = (lines("C", sent), lines("A", came));
        let pieces = [hello, MAIL, RCPT, DATA, &sent, END, arrived, RECEIVED, &came];
        table(protocol).check(&[(&pieces, expected)]);
    }
}

#[test]
fn the_body_arrives_as_it_was_sent() {
    let long = format!("A: b||{}", "x".repeat(999));
    let split = format!("A: b||{}|{}", "x".repeat(500), "x".repeat(499));
    check(
        LMTP,
        &[
            ("A: b||text", "A: b||text", ""),
            ("A: b", "A: b|", ""),
            ("A: b||..|...x|y.", "A: b||.|..x|y.", ""),
            ("A: b||..|...x|y.", "A: b||..|...x|y.", "delivered-dots-unstuffed error at 5"),
            ("A: b||..|...x|y.", "A: b|||x|y.", "delivered-dots-unstuffed error at 5"),
            ("A: b||..x|text", "A: b||.x", "delivered-lines-kept error at 5"),
            ("A: b||text", "A: b||text|", "delivered-lines-kept error at 5"),
            ("A: b||text", "A: b|||text", "delivered-lines-kept error at 5"),
            ("A: b||a||b", "A: b||a|b", "delivered-lines-kept error at 5"),
            ("A: b||a b", "A: b||a|b", "delivered-lines-kept error at 5"),
            (&long, &split, ""),
            (&long[..long.len() - 1], &split[..split.len() - 1], "delivered-lines-kept error at 5"),
            ("A: b||a\\x0a", "A: b||a", ""),
            ("A: b||text", "A: b||te\\x0dxt", "delivered-line-ends-crlf error at 5"),
            ("A: b||text|more", "A: b||text\\n|more", "delivered-line-ends-crlf error at 5"),
            ("A: b||a\\x0ab|c", "A: b||a|b|c", "bare-line-end-not-recognized error at 5"),
            ("A: b||a\\x0db|c", "A: b||a|b|c", "bare-line-end-not-recognized error at 5"),
            ("A: b||a\\x0ab|c", "A: b||a\\x0ab|c", ""),
            ("A: b||a\\x0ab|c", "A: b||a b|c", ""),
            ("A: b||x  |\t", "A: b||x|", "delivered-octets-kept error at 5"),
            ("A: b||\\x07x\\x00", "A: b||x", "delivered-octets-kept error at 5"),
            ("A: b||\\xe9", "A: b||i", "delivered-8bit-kept error at 5"),
            ("A: b||\\xe9", "A: b||\\xe9", ""),
        ],
    );
}

#[test]
fn without_8bitmime_a_server_may_clear_bits() {
    let rows = [("A: b||\\xe9", "A: b||i", "")];
    check_over(Protocol::Smtp, "S: 220 mx\nC: EHLO me\nS: 250 mx", LMTP, &rows);
}

#[test]
fn how_a_mailbox_ends_lines_is_not_known() {
    let maildir = "#: arrived by maildir\nA: Return-Path: <Bob@example.net>\\n";
    check(
        maildir,
        &[
            ("A: b||text|", "A: b\\n|\\n|text\\n|\\n", ""),
            ("A: b||text", "A: b||text", ""),
            ("A: b||a\\x0ab", "A: b\\n|\\n|a\\n|b\\n", ""),
            ("A: b||From x|>From y", "A: b||>From x|>From y", "delivered-octets-kept error at 5"),
            ("A: b||text", "A: b\\n|\\n|te\\x0dxt\\n", "delivered-line-ends-crlf error at 5"),
        ],
    );
    check(
        &maildir.replace("maildir", "mbox"),
        &[
            ("A: b||From x|>From y", "A: b||>From x|>>From y", ""),
            ("A: b||From x|>From y", "A: b||>From x|>From y", ""),
            ("A: b||>x", "A: b||x", "delivered-octets-kept error at 5"),
        ],
    );
}

#[test]
fn an_encoded_body_is_not_compared() {
    let encoded = "A: b|Content-Transfer-Encoding: quoted-printable||=E9";
    check(LMTP, &[("A: b||\\xe9", encoded, "")]);
}

#[test]
fn header_fields_arrive_as_they_were_sent() {
    check(
        LMTP,
        &[
            ("A: b|B: c|", "X-Spam: no|A: b|B: c|", ""),
            ("A: b|B: c|", "B: c|A: b|", ""),
            ("A: b| c|", "A:|\tb c|", ""),
            ("A: b|B: c|", "A: b|", "delivered-fields-kept error at 5"),
            ("A: b|B: c|", "A: b|B: d|", "delivered-fields-kept error at 5"),
            ("A: b|A: b|", "A: b|", "delivered-fields-kept error at 5"),
            ("A: b|Bcc: c|Return-Path: <x@y>|", "A: b|", ""),
            ("A: b|no field|", "A: c|", ""),
            ("Received: 2|Received: 1|A: b|", "Received: 2|Received: 1|A: b|", ""),
            ("Received: 2|Received: 1|A: b|", "Received: 1|Received: 2|A: b|", "received-kept error at 5"),
            ("Received: 2|Received: 1|A: b|", "Received: 1|A: b|", "received-kept error at 5"),
        ],
    );
    let rows = [("A: b|Date: c|From: d|", "A: c|Date: e|From: d|Message-ID: <f@g>|", "")];
    check_over(Protocol::Submission, EHLO, LMTP, &rows);
}

#[test]
fn received_is_added_above_the_message() {
    let none = "A: A: b\nA: \nA: x";
    let complete = "A: A: b\nA: Date: c\nA: From: d\nA: Message-ID: <e@f>\nA: \nA: x";
    let below = "A: A: b\nA: Received: from me\nA: \nA: x";
    let above = "A: Return-Path: <Bob@example.net>\nA: Received: from me (127.0.0.1) by mx; 9 Nov 2026 03:04 +0000\nA: A: b\nA: \nA: x";
    let sent = "C: A: b\nC: \nC: x";
    for (hello, protocol, content, expected) in [
        (EHLO, Protocol::Smtp, none, "received-added error at 5"),
        (EHLO, Protocol::Submission, complete, "received-added error at 5"),
        (EHLO, Protocol::Smtp, below, "received-added error at 5"),
        (EHLO, Protocol::Smtp, above, ""),
        (LHLO, Protocol::Lmtp, none, "received-added/lmtp warning at 5"),
        (LHLO, Protocol::Lmtp, above, ""),
    ] {
        table(protocol).check(&[(&[hello, MAIL, RCPT, DATA, sent, END, LMTP, content], expected)]);
    }
}

#[test]
fn a_mailbox_has_the_return_path() {
    let received = "A: Received: from me (127.0.0.1) by mx; 9 Nov 2026 03:04 +0000\nA: A: b\nA: \nA: x";
    let sent = "C: A: b\nC: \nC: x";
    let null = "C: MAIL FROM:<>\nS: 250 Ok";
    for (mail, paths, expected) in [
        (MAIL, "A: Return-Path: <Bob@example.net>", ""),
        (MAIL, "A: Return-path: <Bob@EXAMPLE.net>", ""),
        (MAIL, "A: Return-Path: <prvs=1=Bob@example.net>", ""),
        (MAIL, "A: Return-Path: <bob@example.net>", "local-part-case-kept error at 5"),
        (MAIL, "A: X: y", "return-path-added error at 5"),
        (MAIL, "A: Return-Path: <>\nA: Return-Path: <>", "return-path-added/several warning at 5"),
        (null, "A: Return-Path: <>", ""),
        (null, "A: Return-Path: <MAILER-DAEMON>", "null-sender-kept warning at 5"),
    ] {
        let pieces = [EHLO, mail, RCPT, DATA, sent, END, "#: arrived by mbox", paths, received];
        table(Protocol::Smtp).check(&[(&pieces, expected)]);
    }
}

/// What arrives is right; the envelope and the number of copies may not be.
#[test]
fn each_recipient_gets_one_copy_with_the_right_envelope() {
    let sent = "C: A: b\nC: \nC: x";
    let came = "A: Received: from me (127.0.0.1) by mx; 9 Nov 2026 03:04 +0000\nA: A: b\nA: \nA: x";
    let other = "A: Received: from me (127.0.0.1) by mx; 9 Nov 2026 03:04 +0000\nA: A: b\nA: \nA: y";
    let refused = "C: RCPT TO:<eve@example.org>\nS: 550 No";
    let both = "C: RCPT TO:<amy@example.org>\nS: 250 Ok\nC: RCPT TO:<Cid@example.org>\nS: 250 Ok";
    let null = "C: MAIL FROM:<>\nS: 250 Ok";
    let to = |by: &str, from: &str, paths: &str| format!("#: arrived by {by} from <{from}> for {paths}");
    let smtp = |paths: &str| to("smtp", "Bob@example.net", paths);
    let amy = smtp("<amy@example.org>");
    let rows: &[(&[&str], &str)] = &[
        (&[MAIL, both, DATA, sent, END, &smtp("<amy@example.org> <Cid@example.org>"), came], ""),
        (&[MAIL, both, DATA, sent, END, &amy, came], ""),
        (&[MAIL, RCPT, DATA, sent, END, &amy, came, &amy, came], "one-copy-per-recipient note at 5"),
        (&[MAIL, RCPT, RCPT, DATA, sent, END, &amy, came, &amy, came], ""),
        (&[MAIL, RCPT, DATA, sent, END, &amy, came, &amy, other], "one-message-delivered error at 5"),
        (&[MAIL, RCPT, refused, DATA, sent, END, &amy, came], ""),
        (
            &[MAIL, RCPT, refused, DATA, sent, END, &smtp("<amy@example.org> <eve@example.org>"), came],
            "refused-recipient-not-delivered error at 6",
        ),
        (&[MAIL, RCPT, DATA, sent, "C: .\nS: 550 No", &amy, came], "refused-not-delivered error at 5"),
        (&[MAIL, RCPT, DATA, sent, "C: .\nS: 451 No", &amy, came], "refused-not-delivered error at 5"),
        (&[MAIL, RCPT, DATA, sent, "C: .\nS: 451 No", "#: nothing arrived by smtp"], ""),
        (&[null, RCPT, DATA, sent, END, &to("smtp", "", "<amy@example.org>"), came], ""),
        (&[null, RCPT, DATA, sent, END, &amy, came], "null-sender-kept warning at 5"),
        (
            &[MAIL, RCPT, DATA, sent, END, &to("lmtp", "BOB@example.net", "<amy@example.org>"), came],
            "local-part-case-kept error at 5",
        ),
        (
            &[MAIL, both, DATA, sent, END, &smtp("<amy@example.org> <cid@example.org>"), came],
            "local-part-case-kept error at 6",
        ),
        (
            &[MAIL, both, DATA, sent, END, &to("lmtp", "Bob@example.net", "<cid@example.org>"), came],
            "local-part-case-kept/own-domain note at 6",
        ),
        (
            &[
                "C: MAIL FROM:<Bob@example.org>\nS: 250 Ok",
                RCPT,
                DATA,
                sent,
                END,
                &to("lmtp", "bob@example.org", "<amy@example.org>"),
                came,
            ],
            "local-part-case-kept/own-domain note at 5",
        ),
    ];
    Table { before: &[EHLO], ..table(Protocol::Smtp) }.check(rows);
    let maildir = "#: arrived by maildir\nA: Return-Path: <Bob@example.net>";
    let rows: &[(&[&str], &str)] = &[
        (&[MAIL, both, DATA, sent, END, maildir, came, maildir, came], ""),
        (&[MAIL, RCPT, DATA, sent, END, maildir, came, maildir, came], "one-copy-per-recipient note at 5"),
        (&[MAIL, RCPT, DATA, sent, "C: .\nS: 552 No", maildir, came], "refused-not-delivered error at 5"),
    ];
    Table { before: &[EHLO], ..table(Protocol::Smtp) }.check(rows);
    let halves = "C: .\nS: 250 Ok\nS: 452 Full";
    let rows: &[(&[&str], &str)] = &[
        (&[MAIL, both, DATA, sent, halves, &amy, came], ""),
        (
            &[MAIL, both, DATA, sent, halves, &smtp("<amy@example.org> <Cid@example.org>"), came],
            "refused-not-delivered error at 6",
        ),
    ];
    Table { before: &[LHLO], ..table(Protocol::Lmtp) }.check(rows);
}

#[test]
fn the_received_field_is_right() {
    const DATE: &str = "9 Nov 2026 03:04 +0000";
    let sent = "C: A: b\nC: \nC: x";
    let login = "C: AUTH PLAIN eA==\nS: 235 Ok";
    let list = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-SMTPUTF8\nS: 250 MT-PRIORITY";
    let utf8 = "C: MAIL FROM:<Bob@example.net> SMTPUTF8\nS: 250 Ok";
    let urgent = "C: MAIL FROM:<Bob@example.net> MT-PRIORITY=3\nS: 250 Ok";
    for (hello, mail, received, expected) in [
        (EHLO, MAIL, "from me (127.0.0.1) by mx", ""),
        (EHLO, MAIL, "by mx", "received-well-formed error at 5"),
        (EHLO, MAIL, "from me (127.0.0.1) with ESMTP", "received-well-formed error at 5"),
        (EHLO, MAIL, "from me by mx", "received-well-formed/client warning at 5"),
        (EHLO, MAIL, "from you (127.0.0.1) by mx", "received-well-formed/client warning at 5"),
        (EHLO, MAIL, "from me (127.0.0.1) by mx with X", "received-well-formed/unregistered warning at 5"),
        (LHLO, MAIL, "by mx", ""),
        (LHLO, MAIL, "from me", "received-well-formed/lmtp warning at 5"),
        (list, utf8, "from me (127.0.0.1) by mx with UTF8SMTPS", ""),
        (list, utf8, "from me (127.0.0.1) by mx with ESMTPS", "received-names-protocol warning at 5"),
        (list, urgent, "from me (127.0.0.1) by mx priority 3", ""),
        (list, urgent, "from me (127.0.0.1) by mx", "received-names-priority/missing warning at 5"),
        (list, urgent, "from me (127.0.0.1) by mx priority 12", "received-names-priority error at 5"),
    ] {
        let protocol = if hello == LHLO { Protocol::Lmtp } else { Protocol::Smtp };
        let came = format!("A: Received: {received}; {DATE}\nA: A: b\nA: \nA: x");
        table(protocol).check(&[(&[hello, mail, RCPT, DATA, sent, END, LMTP, &came], expected)]);
    }
    for (with, expected) in [("ESMTPA", ""), ("ESMTP", "received-names-protocol warning at 6")] {
        let came = format!("A: Received: from me ([::1]) by mx with {with}; {DATE}\nA: A: b\nA: \nA: x");
        table(Protocol::Smtp).check(&[(&[EHLO, login, MAIL, RCPT, DATA, sent, END, LMTP, &came], expected)]);
    }
    let zone = "A: Received: from me ([::1]) by mx; 9 Nov 2026 03:04 EST\nA: A: b\nA: \nA: x";
    let expected = "received-well-formed/zone warning at 5";
    table(Protocol::Smtp).check(&[(&[EHLO, MAIL, RCPT, DATA, sent, END, LMTP, zone], expected)]);
    // The one that was added first is the server's; a program that the message passed later added the other.
    let two = "A: Received: (local 7 invoked by uid 8)\nA: Received: from me ([::1]) by mx; 9 Nov 2026 03:04 +0000\nA: A: b\nA: \nA: x";
    table(Protocol::Smtp).check(&[(&[EHLO, MAIL, RCPT, DATA, sent, END, LMTP, two], "")]);
}

#[test]
fn return_path_is_first_and_in_angle_brackets() {
    let sent = "C: A: b\nC: \nC: x";
    let received = "A: Received: from me ([::1]) by mx; 9 Nov 2026 03:04 +0000";
    for (lines, expected) in [
        (["A: Return-Path: <Bob@example.net>", received, "A: A: b\nA: \nA: x"], ""),
        (
            [received, "A: Return-Path: <Bob@example.net>", "A: A: b\nA: \nA: x"],
            "return-path-added/below warning at 5",
        ),
        (["A: Return-Path: Bob@example.net", received, "A: A: b\nA: \nA: x"], "return-path-added error at 5"),
        (["A: Return-Path: <Bob@example.net> (x)", received, "A: A: b\nA: \nA: x"], ""),
    ] {
        let pieces = [&[EHLO, MAIL, RCPT, DATA, sent, END, "#: arrived by mbox"][..], &lines].concat();
        table(Protocol::Smtp).check(&[(&pieces, expected)]);
    }
}

#[test]
fn addresses_stay_where_they_belong() {
    let to = |from: &str, paths: &str| format!("#: arrived by smtp from <{from}> for {paths}");
    let came = "A: A: b\nA: \nA: x";
    let sent = "C: A: b\nC: \nC: x";
    let named = "C: To: <cid@example.org>\nC: \nC: x";
    let came_named = "A: To: <cid@example.org>\nA: \nA: x";
    let both = "C: RCPT TO:<amy@example.org>\nS: 250 Ok\nC: RCPT TO:<cid@example.org>\nS: 250 Ok";
    let short = "C: MAIL FROM:<a@nodots>\nS: 250 Ok";
    let part = "C: MAIL FROM:<a@no.dots>\nS: 250 Ok";
    let bob = "Bob@example.net";
    let (routed, added) =
        (to(bob, "<@example.org:amy@example.org>"), to("@mx:Bob@example.net", "<amy@example.org>"));
    let far = to(bob, "<@else.example:amy@example.org>");
    let (completed, kept) =
        (to("a@nodots.example", "<amy@example.org>"), to("a@nodots", "<amy@example.org>"));
    let longer = to("a@no.dots.example", "<amy@example.org>");
    let (amy, two) = (to(bob, "<amy@example.org>"), to(bob, "<amy@example.org> <cid@example.org>"));
    let apparent = "A: Apparently-To: amy@example.org\nA: A: b\nA: \nA: x";
    let all = "A: X-To: <amy@example.org>, <cid@example.org>\nA: A: b\nA: \nA: x";
    let rows: &[(Protocol, &[&str], &str)] = &[
        (
            Protocol::Smtp,
            &[MAIL, RCPT, DATA, sent, END, &routed, RECEIVED, came],
            "source-route-not-passed-on error at 5",
        ),
        (
            Protocol::Smtp,
            &[MAIL, RCPT, DATA, sent, END, &added, RECEIVED, came],
            "source-route-not-passed-on error at 5",
        ),
        (
            Protocol::Smtp,
            &[MAIL, RCPT, DATA, sent, END, &far, RECEIVED, came],
            "source-route-not-passed-on/recipient warning at 5",
        ),
        (Protocol::Smtp, &[short, RCPT, DATA, sent, END, &kept, RECEIVED, came], ""),
        (
            Protocol::Smtp,
            &[short, RCPT, DATA, sent, END, &completed, RECEIVED, came],
            "sender-domain-completed warning at 5",
        ),
        (
            Protocol::Smtp,
            &[part, RCPT, DATA, sent, END, &longer, RECEIVED, came],
            "sender-domain-completed warning at 5",
        ),
        (
            Protocol::Smtp,
            &[MAIL, RCPT, DATA, sent, END, &amy, RECEIVED, apparent],
            "recipients-not-disclosed warning at 5",
        ),
        (
            Protocol::Smtp,
            &[MAIL, both, DATA, sent, END, &two, RECEIVED, all],
            "recipients-not-disclosed warning at 6",
        ),
        (Protocol::Smtp, &[MAIL, both, DATA, named, END, &two, RECEIVED, came_named], ""),
        (Protocol::Smtp, &[MAIL, RCPT, DATA, named, END, &amy, RECEIVED, came_named], ""),
        (
            Protocol::Smtp,
            &[MAIL, RCPT, DATA, named, END, &two, RECEIVED, came_named],
            "header-does-not-route error at 5",
        ),
    ];
    for (protocol, pieces, expected) in rows {
        Table { before: &[EHLO], ..table(*protocol) }.check(&[(pieces, expected)]);
    }
    let whole = "C: Date: a\nC: From: b\nC: \nC: x";
    let (dated, whole_came) =
        ("A: From: b\nA: \nA: x", "A: Date: a\nA: From: b\nA: Message-ID: <c@d>\nA: \nA: x");
    let nameless = "A: From: b\nA: Date: a\nA: \nA: x";
    let odd = "A: Sender: b\nA: From: b\nA: Date: a\nA: Message-ID: <c@d>\nA: \nA: x";
    let rows: &[(&[&str], &str)] = &[
        (&[short, RCPT, DATA, whole, END, &completed, RECEIVED, whole_came], ""),
        (
            &[short, RCPT, DATA, whole, END, &kept, RECEIVED, whole_came],
            "sender-domain-completed warning at 5",
        ),
        (
            &[part, RCPT, DATA, whole, END, &longer, RECEIVED, whole_came],
            "sender-domain-completed warning at 5",
        ),
        (
            &[MAIL, RCPT, DATA, whole, END, &amy, RECEIVED, nameless],
            "submitted-header-complete/message-id warning at 5",
        ),
        (&[MAIL, RCPT, DATA, whole, END, &amy, RECEIVED, odd], "submitted-header-complete error at 5"),
        (&[MAIL, RCPT, DATA, whole, END, &amy, RECEIVED, dated], "submitted-header-complete error at 5"),
    ];
    Table { before: &[EHLO], ..table(Protocol::Submission) }.check(rows);
}

/// The server adds Date and Message-ID.
#[test]
fn submitted_addresses_are_complete() {
    let amy = "#: arrived by smtp from <Bob@example.net> for <amy@example.org>";
    let came = |fields: &str| format!("A: {fields}\nA: From: b\nA: Date: a\nA: Message-ID: <c@d>\nA: \nA: x");
    let domain = "submitted-header-complete/incomplete-domain warning at 5";
    for (protocol, sent, more, arrived, expected) in [
        (Protocol::Submission, "To: <eve@nodots>", "From: b", "To: <eve@nodots>", domain),
        (Protocol::Submission, "To: <eve@nodots>", "From: b", "To: <eve@nodots.example.org>", ""),
        (Protocol::Submission, "To: Eve <eve@nodots>", "From: b", "To: Eve <eve@nodots>", ""),
        (Protocol::Submission, "To: <eve@no.dots>", "From: b", "To: <eve@no.dots>", ""),
        (
            Protocol::Submission,
            "Cc: eve@@a.example",
            "From: b",
            "Cc: eve@@a.example",
            "submitted-header-complete/address-syntax warning at 5",
        ),
        // Nothing was added.
        (
            Protocol::Submission,
            "To: <eve@nodots>",
            "From: b\nC: Date: a\nC: Message-ID: <c@d>",
            "To: <eve@nodots>",
            "",
        ),
        (Protocol::Smtp, "To: <eve@nodots>", "From: b", "To: <eve@nodots>", ""),
    ] {
        let sent = format!("C: {sent}\nC: {more}\nC: \nC: x");
        let pieces = [EHLO, MAIL, RCPT, DATA, &sent, END, amy, RECEIVED, &came(arrived)];
        table(protocol).check(&[(&pieces, expected)]);
    }
}

#[test]
fn what_is_held_or_to_be_returned_does_not_arrive() {
    let smtp = "#: arrived by smtp from <a@example.net> for <amy@example.org>";
    let sent = "C: A: b\nC: \nC: x";
    let came = "A: A: b\nA: \nA: x";
    for (parameter, arrived, expected) in [
        ("HOLDFOR=3600", smtp, "held-until-due error at 5"),
        ("HOLDFOR=60", smtp, ""),
        ("BY=1000;R", smtp, "deliver-by-return-not-relayed error at 5"),
        ("BY=1000;rt", smtp, "deliver-by-return-not-relayed error at 5"),
        ("BY=1000;N", smtp, ""),
        ("BY=1000;R", "#: nothing arrived by smtp", ""),
    ] {
        let mail = format!("C: MAIL FROM:<a@example.net> {parameter}\nS: 250 Ok");
        let mut pieces = vec![EHLO, &mail, RCPT, DATA, sent, END, arrived];
        if arrived == smtp {
            pieces.extend([RECEIVED, came]);
        }
        table(Protocol::Smtp).check(&[(&pieces, expected)]);
    }
}

#[test]
fn require_recipient_valid_since_may_be_removed() {
    let sent = "C: Require-Recipient-Valid-Since: a@b; c\nC: A: b\nC: \nC: x";
    let list = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 RRVS";
    let path = "#: arrived by maildir\nA: Return-Path: <Bob@example.net>";
    for (came, expected) in [
        ("A: A: b\nA: \nA: x", ""),
        ("A: Require-Recipient-Valid-Since: a@b; c\nA: A: b\nA: \nA: x", "rrvs-field-removed note at 5"),
    ] {
        table(Protocol::Smtp)
            .check(&[(&[list, MAIL, RCPT, DATA, sent, END, path, RECEIVED, came], expected)]);
    }
}

#[test]
fn a_declared_solicitation_does_not_arrive() {
    let expected = "declared-solicitation-not-delivered warning at 5";
    for (list, field, expected) in [
        ("org.example:ADV", "org.example:adv", expected),
        ("a:b,c:d", "x:y, c:d", expected),
        ("a:b", "x:y", ""),
        ("", "a:b", ""),
    ] {
        let hello = format!("S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 NO-SOLICITING {list}");
        let sent = format!("C: Solicitation: {field}\nC: \nC: x");
        let came = format!("A: Solicitation: {field}\nA: \nA: x");
        let pieces = [hello.trim_end(), MAIL, RCPT, DATA, &sent, END, LMTP, RECEIVED, &came];
        table(Protocol::Smtp).check(&[(&pieces, expected)]);
    }
}

#[test]
fn a_message_without_its_end_does_not_arrive() {
    let part = "C: A: b\nC: \nC: x\n#: the client sends no more";
    let came = "A: A: b\nA: \nA: x";
    for (pieces, expected) in [
        (&[EHLO, MAIL, RCPT, DATA, part, LMTP, RECEIVED, came][..], "refused-not-delivered error at 5"),
        (&[EHLO, MAIL, RCPT, DATA, part, "#: nothing arrived by lmtp"], ""),
    ] {
        table(Protocol::Smtp).check(&[(pieces, expected)]);
    }
}

#[test]
fn dots_are_not_removed_from_chunks() {
    let chunk = "C: BDAT 12 LAST\nC: A: b\nC: \nC: ..x\\+\nS: 250 Ok";
    for (came, expected) in [("..x", ""), (".x", "delivered-dots-unstuffed error at 4")] {
        let came = format!("A: A: b\nA: \nA: {came}");
        let pieces = [EHLO, MAIL, RCPT, chunk, LMTP, RECEIVED, &came];
        table(Protocol::Smtp).check(&[(&pieces, expected)]);
    }
}

#[test]
fn shortened_messages_and_those_without_envelope_are_not_compared() {
    let came = "A: A: c\nA: \nA: y";
    let pieces = [EHLO, MAIL, RCPT, DATA, "C: A: b\nC: \nC: ... (40 lines)", END, LMTP, came];
    table(Protocol::Smtp).check(&[(&pieces, "")]);
    let pieces = [EHLO, DATA, "C: A: b\nC: \nC: x", END, LMTP, came];
    table(Protocol::Smtp).check(&[(&pieces, "")]);
}
