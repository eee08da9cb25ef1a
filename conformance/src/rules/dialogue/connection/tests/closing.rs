use super::*;

#[test]
fn servers_close_only_when_allowed() {
    let rule = RuleId::CLOSES_ONLY_WHEN_ALLOWED;
    let unknown = || command("FOO", &["500 5.5.1 What?"]);
    let cut = |line: &str| closed(command(line, &[]));
    let refused = |greeting: &str| vec![closed(connect(&[greeting]))];
    check(
        Protocol::Smtp,
        vec![
            ("QUIT", session(vec![quit()]), None),
            ("after 500", session(vec![closed(unknown())]), Some((rule, 2))),
            ("after 500, seen later", session(vec![unknown(), cut("NOOP")]), Some((rule, 3))),
            ("after 500, listening", session(vec![unknown(), closed(wait(&[]))]), Some((rule, 2))),
            ("instead of a reply", session(vec![cut("NOOP")]), Some((rule, 2))),
            (
                "after 250, client continues",
                session(vec![closed(command("NOOP", &["250 2.0.0 Ok"])), cut("NOOP")]),
                Some((rule, 2)),
            ),
            ("after 250, maybe idle", session(vec![closed(command("NOOP", &["250 2.0.0 Ok"]))]), None),
            ("idle", session(vec![command("NOOP", &["250 2.0.0 Ok"]), closed(wait(&[]))]), None),
            ("421", session(vec![closed(command("FOO", &["421 4.7.0 Enough"]))]), None),
            ("221", session(vec![closed(command("FOO", &["221 2.7.0 Goodbye"]))]), None),
            ("521", session(vec![closed(command("FOO", &["521 5.5.1 No"]))]), None),
            (
                "too many",
                session(vec![closed(command("FOO", &["500 Too many unrecognized commands"]))]),
                None,
            ),
            ("many", session(vec![unknown(), unknown(), unknown(), closed(unknown())]), None),
            ("a reply cut short", session(vec![command("HELP", &["214-Help"]), cut("NOOP")]), None),
            (
                "another protocol",
                session(vec![command("GET / HTTP/1.1", &["500 What?"]), cut("Host: x")]),
                None,
            ),
            ("doubtful octets", session(vec![unsure(unknown()), cut("NOOP")]), None),
            ("TLS", session(vec![command("STARTTLS", &["220 2.0.0 Go"]), closed(handshake())]), None),
            (
                "TLS failed",
                session(vec![
                    command("STARTTLS", &["220 2.0.0 Go"]),
                    Exchange { end: End::Failed, ..handshake() },
                    cut("QUIT"),
                ]),
                None,
            ),
            (
                "TLS, certificate",
                session(vec![command("STARTTLS", &["220 2.0.0 Go"]), handshake(), cut(HELLO)]),
                None,
            ),
            ("not TLS", session(vec![command("STARTTLS", &["220 2.0.0 Go"]), cut("hello")]), None),
            ("greeting 521", refused("521 mx.example.org"), None),
            ("greeting 550", refused("550 mx.example.org"), None),
            ("no greeting", vec![closed(connect(&[]))], None),
            (
                "a length it cannot read",
                session(vec![command("BDAT x", &["501 5.5.4 What?"]), cut("RSET")]),
                None,
            ),
            (
                "pipelined and refused",
                session(pipeline(vec![
                    command("MAIL FROM:<bob@example.org>", &["550 5.7.1 No"]),
                    closed(command("RCPT TO:<bob@example.org>", &[])),
                ])),
                Some((rule, 3)),
            ),
            (
                "pipelined although not allowed",
                session(pipeline(vec![command("NOOP", &["250 2.0.0 Ok"]), cut("NOOP")])),
                None,
            ),
        ],
    );
}

const HELLO: &str = "EHLO me.example.org";

#[test]
fn a_refused_opening_waits_for_quit() {
    let rule = RuleId::REFUSED_OPENING_WAITS_FOR_QUIT;
    let greeting = || connect(&["554 mx.example.org No"]);
    check(
        Protocol::Smtp,
        vec![
            ("at once", vec![closed(greeting())], Some((rule, 0))),
            ("at EHLO", vec![greeting(), closed(command(HELLO, &[]))], Some((rule, 0))),
            ("at QUIT", vec![greeting(), quit()], None),
            ("after 503 and QUIT", vec![greeting(), command(HELLO, &["503 No"]), quit()], None),
            ("421", vec![greeting(), closed(command(HELLO, &["421 No"]))], None),
            ("early talk", pipeline(vec![closed(greeting()), closed(command(HELLO, &[]))]), None),
        ],
    );
}

#[test]
fn three_logins_are_allowed() {
    let rule = RuleId::AUTH_THREE_ATTEMPTS;
    let wrong = || command("AUTH PLAIN AGEAYg==", &["535 5.7.8 No"]);
    let cut = || closed(command("AUTH PLAIN AGEAYg==", &[]));
    check(
        Protocol::Smtp,
        vec![
            ("after one", session(vec![closed(wrong())]), Some((rule, 2))),
            ("after two, seen later", session(vec![wrong(), wrong(), cut()]), Some((rule, 3))),
            ("after three", session(vec![wrong(), wrong(), wrong(), cut()]), None),
            ("with 421", session(vec![wrong(), closed(command("NOOP", &["421 4.7.0 Enough"]))]), None),
            (
                "a response",
                session(vec![
                    command("AUTH PLAIN", &["334 "]),
                    closed(said(Act::Response(b"AGEAYg==\r\n".to_vec()), &["535 5.7.8 No"])),
                ]),
                Some((rule, 3)),
            ),
        ],
    );
}
