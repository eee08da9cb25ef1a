use super::*;

#[test]
fn listed_capabilities_work() {
    let unknown = "S: 502 5.5.1 What?";
    check(
        Protocol::Smtp,
        &[
            (&["#: VRFY", EHLO, "C: VRFY bob", unknown], "listed-capability-works error at 2"),
            (&["#: VRFY without its argument", EHLO, "C: VRFY", "S: 500 5.5.2 Syntax"], ""),
            (&["#: EXPN is not listed", EHLO, "C: EXPN staff", unknown], ""),
            (&["#: VRFY refused", EHLO, "C: VRFY bob", "S: 550 5.1.1 No"], ""),
            (&["#: STARTTLS", EHLO, "C: STARTTLS", unknown], "listed-capability-works error at 2"),
            (&["#: STARTTLS within a transaction", EHLO, MAIL, "C: STARTTLS", unknown], ""),
            (
                &[
                    "#: STARTTLS under TLS",
                    EHLO,
                    STARTTLS,
                    TLS,
                    "C: EHLO me.example.org",
                    "S: 250 mx.example.org",
                    "C: STARTTLS",
                    unknown,
                ],
                "",
            ),
            (&["#: AUTH", EHLO, "C: AUTH PLAIN", unknown], "listed-capability-works error at 2"),
            (&["#: another mechanism", EHLO, "C: AUTH GSSAPI", unknown], ""),
            (
                &["#: BDAT", EHLO, MAIL, RCPT, "C: BDAT 3\nC: x", unknown],
                "listed-capability-works error at 4",
            ),
            (&["#: before EHLO", "C: VRFY bob", unknown], ""),
        ],
    );
}

#[test]
fn a_hello_in_a_transaction() {
    let bad = "C: EHLO @\nS: 501 5.5.4 What?";
    let rcpt = "C: RCPT TO:<bob@example.org>";
    let (kept, reset) = ("S: 250 2.1.5 Ok", "S: 503 5.5.1 MAIL first");
    check(
        Protocol::Smtp,
        &[
            (&["#: refused, and kept", EHLO, MAIL, RCPT, bad, rcpt, kept], ""),
            (&["#: refused, and reset", EHLO, MAIL, RCPT, bad, rcpt, reset], "hello-resets-state error at 5"),
            (
                &[
                    "#: with NOOP between",
                    EHLO,
                    MAIL,
                    RCPT,
                    "C: EHLO @\nS: 501 What?",
                    NOOP,
                    rcpt,
                    "S: 503 5.5.1 No",
                ],
                "hello-resets-state error at 6",
            ),
            (&["#: DATA", EHLO, MAIL, RCPT, bad, "C: DATA", reset], "hello-resets-state error at 5"),
            (
                &[
                    "#: DATA for nobody",
                    EHLO,
                    MAIL,
                    "C: EHLO @\nS: 501 What?",
                    "C: DATA",
                    "S: 503 5.5.1 RCPT first",
                ],
                "",
            ),
            (&["#: login", EHLO, MAIL, RCPT, bad, rcpt, "S: 503 5.5.1 AUTH first"], ""),
            (&["#: accepted, and reset", EHLO, MAIL, RCPT, EHLO, rcpt, reset], ""),
            (&["#: accepted, and kept", EHLO, MAIL, RCPT, EHLO, rcpt, kept], "hello-resets-state error at 5"),
            (
                &["#: MAIL between", EHLO, MAIL, RCPT, EHLO, "C: MAIL FROM:<>\nS: 250 2.1.0 Ok", rcpt, kept],
                "",
            ),
            (
                &[
                    "#: after a refused DATA, which may end it",
                    EHLO,
                    MAIL,
                    RCPT,
                    "C: DATA\nS: 451 4.3.0 Not now",
                    bad,
                    rcpt,
                    reset,
                ],
                "",
            ),
            (&["#: no transaction", EHLO, bad, rcpt, reset], ""),
        ],
    );
}

#[test]
fn notification_parameters_are_neutral() {
    let plain = "C: RCPT TO:<bob@example.org>";
    let never = "C: RCPT TO:<bob@example.org> NOTIFY=NEVER";
    let rset = "C: RSET\nS: 250 2.0.0 Ok";
    // Two transactions with the same sender: the first recipient is in exchange 3, the second in exchange 6.
    let again = "C: RSET\nS: 250 2.0.0 Ok\nC: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    let (ok, no) = ("S: 250 2.1.5 Ok", "S: 501 5.7.1 No");
    check(
        Protocol::Smtp,
        &[
            (&["#: both", EHLO, MAIL, plain, ok, again, never, ok], ""),
            (
                &[
                    "#: refused with",
                    EHLO,
                    MAIL,
                    plain,
                    ok,
                    again,
                    "C: RCPT TO:<bob@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.org",
                    no,
                ],
                "dsn-parameter-neutral error at 6",
            ),
            (
                &["#: refused without", EHLO, MAIL, plain, no, again, never, ok],
                "dsn-parameter-neutral error at 3",
            ),
            (
                &[
                    "#: a bad value",
                    EHLO,
                    MAIL,
                    plain,
                    ok,
                    again,
                    "C: RCPT TO:<bob@example.org> NOTIFY=NEVER,DELAY",
                    no,
                ],
                "",
            ),
            (
                &[
                    "#: repeated",
                    EHLO,
                    MAIL,
                    plain,
                    ok,
                    again,
                    "C: RCPT TO:<bob@example.org> NOTIFY=NEVER NOTIFY=NEVER",
                    no,
                ],
                "",
            ),
            (
                &[
                    "#: a bad address",
                    EHLO,
                    MAIL,
                    plain,
                    ok,
                    again,
                    "C: RCPT TO:<bob@example.org> ORCPT=bob@example.org",
                    no,
                ],
                "",
            ),
            (&["#: later", EHLO, MAIL, plain, ok, again, never, "S: 450 4.7.1 Later"], ""),
            (
                &["#: in one transaction", EHLO, MAIL, plain, ok, never, no],
                "dsn-parameter-neutral error at 4",
            ),
            (&["#: the second time", EHLO, MAIL, plain, ok, again, never, "S: 550 5.5.0 Duplicate"], ""),
            (&["#: inconsistent without parameters", EHLO, MAIL, plain, no, never, no, plain, ok], ""),
            (
                &[
                    "#: another sender",
                    EHLO,
                    MAIL,
                    plain,
                    ok,
                    rset,
                    "C: MAIL FROM:<bob@example.org> SIZE=1\nS: 250 2.1.0 Ok",
                    never,
                    no,
                ],
                "",
            ),
            (
                &[
                    "#: MAIL",
                    EHLO,
                    "C: MAIL FROM:<bob@example.org> RET=HDRS ENVID=x+2B",
                    no,
                    "C: MAIL FROM:<bob@example.org>",
                    ok,
                ],
                "dsn-parameter-neutral error at 2",
            ),
        ],
    );
}

/// A transcript has no times.
#[test]
fn submission_servers_reply_within_two_minutes() {
    let found = |protocol, millis: u64| {
        let mut slow = dialogue(&[GREETING, EHLO, NOOP].join("\n"));
        slow.protocol = protocol;
        slow.exchanges[2].answers[0].millis = millis;
        table().found_in(&[slow])
    };
    assert_eq!(found(Protocol::Submission, 120_000), "");
    assert_eq!(found(Protocol::Submission, 121_000), "submission-two-minutes warning at 2");
    assert_eq!(found(Protocol::Smtp, 121_000), "");
}

#[test]
fn etrn_is_answered_at_once() {
    let ehlo = "C: EHLO me.example.org\nS: 250-mx\nS: 250 ETRN";
    let found = |millis| {
        let mut slow = dialogue(&[GREETING, ehlo, "C: ETRN example.org\nS: 250 2.0.0 Ok"].join("\n"));
        slow.exchanges[2].answers[0].millis = millis;
        table().found_in(&[slow])
    };
    assert_eq!(found(30_000), "");
    assert_eq!(found(31_000), "etrn-answered-at-once note at 2");
}

#[test]
fn replies_show_their_commands() {
    let alike = ["MAIL FROM:<bob@example.org>", "RCPT TO:<amy@example.org>", "RSET"];
    let alike = alike.map(|command| format!("C: {command}\nS: 250 2.0.0 Ok")).join("\n");
    let plain = "C: EHLO me.example.org\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES";
    check(
        Protocol::Smtp,
        &[
            (&["#: alike", EHLO, &alike], "replies-tell-commands note at 4"),
            (&["#: not pipelining", plain, &alike], ""),
            (&["#: different", EHLO, MAIL, RCPT, "C: RSET\nS: 250 2.0.0 Ok"], ""),
            (
                &[
                    "#: no recipient",
                    EHLO,
                    "C: MAIL FROM:<bob@example.org>\nS: 250 2.0.0 Ok",
                    "C: RSET\nS: 250 2.0.0 Ok",
                ],
                "",
            ),
        ],
    );
}

/// RFC 5321 §2.4, and the RFCs of the extensions.
#[test]
fn listed_parameters_of_all_extensions_are_accepted() {
    let list = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250-DSN\n\
                S: 250-MT-PRIORITY\nS: 250-REQUIRETLS\nS: 250-NO-SOLICITING\nS: 250-CONPERM\nS: 250-RRVS\n\
                S: 250-CONNEG\nS: 250-ENHANCEDSTATUSCODES\nS: 250 SIZE 1000";
    let no = "S: 555 5.5.4 No";
    let rule = |at: usize| format!("listed-parameter-accepted error at {at}");
    for parameters in [
        "size=100",
        "body=8bitmime",
        "SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS",
        "MT-PRIORITY=0",
        "SOLICIT=org.example:ADV",
        "conperm",
    ] {
        let mail = format!("C: MAIL FROM:<a@example.org> {parameters}");
        check(Protocol::Smtp, &[(&["#: refused", list, &mail, no], &rule(2))]);
        let other = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 PIPELINING";
        check(Protocol::Smtp, &[(&["#: not listed", other, &mail, no], "")]);
        check(Protocol::Smtp, &[(&["#: accepted", list, &mail, "S: 250 Ok"], "")]);
    }
    for parameters in ["FOO=1", "SIZE=100 FOO=1", "SIZE=1 SIZE=1", "MT-PRIORITY=5", "SOLICIT=1", "REQUIRETLS"]
    {
        let mail = format!("C: MAIL FROM:<a@example.org> {parameters}");
        check(Protocol::Smtp, &[(&["#: not valid", list, &mail, no], "")]);
    }
    let solicit = "C: MAIL FROM:<a@example.org> SOLICIT=org.example:ADV";
    check(Protocol::Smtp, &[(&["#: a class", list, solicit, "S: 550 5.5.4 SOLICIT=org.example:ADV"], "")]);
    let later = "S: 555 5.5.4 BODY is temporarily unavailable";
    check(
        Protocol::Smtp,
        &[(&["#: for now", list, "C: MAIL FROM:<a@example.org> SIZE=1 BODY=8BITMIME", later], "")],
    );
    let plain = "C: RCPT TO:<u0@example.org>";
    for parameter in ["RRVS=2026-11-23T12:00:00Z", "RRVS=2026-11-23T12:00:00Z;r", "CONNEG"] {
        let rcpt = format!("{plain} {parameter}");
        check(
            Protocol::Smtp,
            &[
                (&["#: refused", list, MAIL, &rcpt, no], &rule(3)),
                (&["#: compared", list, MAIL, plain, "S: 250 Ok", &rcpt, "S: 501 No"], &rule(4)),
                (&["#: not compared", list, MAIL, &rcpt, "S: 501 No"], ""),
                (&["#: a second time", list, MAIL, plain, "S: 250 Ok", &rcpt, "S: 550 Duplicate"], ""),
            ],
        );
    }
    let since = "C: RCPT TO:<u0@example.org> RRVS=1990-01-01T00:00:00Z";
    check(
        Protocol::Smtp,
        &[(&["#: another owner", list, MAIL, plain, "S: 250 Ok", since, "S: 550 5.1.6 Not hers"], "")],
    );
}

/// RFC 6531 §3.1, §3.7.4.2.
#[test]
fn verification_takes_utf8() {
    let list = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250-8BITMIME\nS: 250 SMTPUTF8";
    let served = "C: VRFY alice\nS: 252 Perhaps";
    let whole = "C: VRFY alice@example.org\nS: 252 Perhaps";
    let name = "C: VRFY \\xc3\\xbcser";
    let parameter = "C: VRFY alice SMTPUTF8";
    let rule = "utf8-vrfy-served error at 3";
    check(
        Protocol::Smtp,
        &[
            (&["#: a name", list, served, name, "S: 501 No"], rule),
            (&["#: the parameter", list, served, parameter, "S: 504 No"], rule),
            (&["#: not UTF-8", list, served, "C: VRFY \\xbcser", "S: 501 No"], ""),
            (&["#: no domain", list, whole, name, "S: 504 Give a domain"], ""),
            (&["#: unknown", list, served, name, "S: 550 No"], ""),
            (
                &["#: after an unknown name", list, served, "C: VRFY bob\nS: 550 No", name, "S: 501 No"],
                "utf8-vrfy-served error at 4",
            ),
            (&["#: sometimes", list, served, "C: VRFY bob\nS: 502 No", name, "S: 501 No"], ""),
            (&["#: a policy", list, served, name, "S: 501 5.7.1 No"], ""),
            (&["#: a value", list, served, "C: VRFY alice SMTPUTF8=1", "S: 501 No"], ""),
            (&["#: not served", list, "C: VRFY alice\nS: 502 No", name, "S: 502 No"], ""),
            (&["#: not listed", EHLO, served, name, "S: 501 No"], ""),
            (
                &[
                    "#: EXPN",
                    list,
                    "C: EXPN staff\nS: 250 <a@example.org>",
                    "C: EXPN staff SMTPUTF8",
                    "S: 501 No",
                ],
                "utf8-vrfy-served/expn warning at 3",
            ),
        ],
    );
}

/// RFC 1870 §4, RFC 6152 §2, RFC 6531 §3.1.
#[test]
fn listed_parameters_are_accepted() {
    let list =
        "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250 SIZE 1000";
    let plain = "C: MAIL FROM:<a@example.org>\nS: 250 Ok";
    let rule = |at: usize| format!("listed-parameter-accepted error at {at}");
    check(
        Protocol::Smtp,
        &[
            (
                &["#: compared", list, "C: MAIL FROM:<a@example.org> BODY=8BITMIME", "S: 501 No", plain],
                &rule(2),
            ),
            (&["#: not compared", list, "C: MAIL FROM:<a@example.org> BODY=8BITMIME", "S: 501 No"], ""),
            (&["#: 555", list, "C: MAIL FROM:<a@example.org> SIZE=100", "S: 555 5.5.4 No"], &rule(2)),
            (&["#: 5.5.4", list, "C: MAIL FROM:<a@example.org> SMTPUTF8", "S: 501 5.5.4 No"], &rule(2)),
            (&["#: not listed", EHLO, "C: MAIL FROM:<a@example.org> SMTPUTF8", "S: 555 5.5.4 No"], ""),
            (&["#: too big", list, "C: MAIL FROM:<a@example.org> SIZE=2000", "S: 555 5.5.4 No"], ""),
            (&["#: no number", list, "C: MAIL FROM:<a@example.org> SIZE=x", "S: 501 5.5.4 No"], ""),
            (&["#: 552", list, "C: MAIL FROM:<a@example.org> SIZE=100", "S: 552 5.3.4 No", plain], ""),
            (&["#: a policy", list, "C: MAIL FROM:<a@example.org> SIZE=100", "S: 550 5.7.1 No", plain], ""),
            (
                &[
                    "#: in any case",
                    list,
                    "C: MAIL FROM:<a@example.org> SIZE=100",
                    "S: 550 No",
                    "C: MAIL FROM:<a@example.org>\nS: 550 No",
                ],
                "",
            ),
        ],
    );
}
