//! The greeting, EHLO and HELO, AUTH, groups of commands, and QUIT.

use super::attempt::{
    AGAIN, BARE, CHUNKING, DATA, MAIL, OK, OPEN, QUIT, RCPT, Row, SENT, broken, kept, lmtp, nothing, smtp,
};
use crate::rules::client::Reported::{Failed, Hung};

pub(super) fn rows() -> Vec<Row> {
    [greeting(), hello(), fallback(), login(), quits(), endings(), waits(), ahead()].concat()
}

fn greeting() -> Vec<Row> {
    const RULE: &str = "client-heeds-refused-greeting";
    vec![
        broken(
            RULE,
            "client-heeds-refused-greeting note",
            smtp(&["S: 554 No\nC: EHLO me\nS: 250 mx", MAIL, RCPT, DATA, OK, QUIT]),
        ),
        kept(RULE, smtp(&["S: 554 No", QUIT]).reports(Failed)),
        // RFC 5321 §3.1: the server answers what comes before QUIT with 503.
        kept(RULE, smtp(&["S: 554 No\nC: EHLO me\nS: 503 No", QUIT]).reports(Failed)),
        kept(RULE, smtp(&["S: 421 Later\n#: closed by server", AGAIN, OPEN, SENT])),
        nothing(RULE, smtp(&[OPEN, SENT])),
    ]
}

fn hello() -> Vec<Row> {
    const RULE: &str = "client-heeds-refused-hello";
    vec![
        broken(
            RULE,
            "client-heeds-refused-hello error",
            smtp(&["S: 220 mx\nC: EHLO me\nS: 550 No", "C: MAIL FROM:<amy@example.net>\nS: 503 No", QUIT])
                .reports(Failed),
        ),
        kept(RULE, smtp(&["S: 220 mx\nC: EHLO me\nS: 550 No", QUIT]).reports(Failed)),
        kept(RULE, smtp(&["S: 220 mx\nC: EHLO me\nS: 451 No\nC: HELO me\nS: 250 mx", SENT])),
        // RFC 5321 §4.1.4: the state stays as it was.
        kept(RULE, smtp(&[OPEN, "C: EHLO me\nS: 451 No", SENT])),
        kept(RULE, smtp(&["S: 220 mx\nC: EHLO me\nS: 421 Later\n#: closed by server", AGAIN, OPEN, SENT])),
        // RFC 5321 §3.2: a client that needs no extension may use HELO.
        nothing(RULE, smtp(&["S: 220 mx\nC: HELO me\nS: 250 mx", SENT])),
    ]
}

fn fallback() -> Vec<Row> {
    const RULE: &str = "client-hello-fallback";
    const UNKNOWN: &str = "S: 220 mx\nC: EHLO me\nS: 500 What?";
    vec![
        broken(RULE, "client-hello-fallback warning", smtp(&[UNKNOWN, QUIT]).reports(Failed)),
        kept(RULE, smtp(&[UNKNOWN, "C: HELO me\nS: 250 mx", SENT])),
        kept(RULE, smtp(&[UNKNOWN, "C: EHLO me\nS: 502 What?\nC: HELO me\nS: 250 mx", SENT])),
        kept(RULE, smtp(&[UNKNOWN, QUIT, AGAIN, "S: 220 mx\nC: HELO me\nS: 250 mx", SENT])),
        nothing(RULE, smtp(&[UNKNOWN, "#: closed by server"]).reports(Failed)),
        nothing(RULE, smtp(&["S: 220 mx\nC: EHLO me\nS: 550 No", QUIT]).reports(Failed)),
        nothing(RULE, smtp(&[UNKNOWN, QUIT]).demands_tls().reports(Failed)),
        nothing(RULE, smtp(&[UNKNOWN, QUIT]).message("Subject: Grüße\r\n").reports(Failed)),
        nothing(RULE, smtp(&[UNKNOWN, QUIT]).recipients(&["käthe@example.org"]).reports(Failed)),
    ]
}

fn login() -> Vec<Row> {
    const RULE: &str = "client-auth-ends";
    const REFUSED: &str = "C: AUTH PLAIN AGEAYg==\nS: 535 No\n";
    const CHALLENGED: &str = "C: AUTH LOGIN\nS: 334\nC: YQ==\nS: 334\nC: Yg==\n";
    let refused_in_the_end = [CHALLENGED, "S: 535 No\n"].concat();
    let challenges = format!("C: AUTH PLAIN\nS: 334\n{}", "C: YQ==\nS: 334\n".repeat(51));
    let times = |text: &str, times: usize| text.repeat(times).trim_end().to_owned();
    vec![
        broken(RULE, "client-auth-ends warning", smtp(&[OPEN, &times(REFUSED, 11), QUIT]).reports(Failed)),
        broken(
            RULE,
            "client-auth-ends warning",
            smtp(&[OPEN, &times(&refused_in_the_end, 11), QUIT]).reports(Failed),
        ),
        broken(
            RULE,
            "client-auth-ends/challenges note",
            smtp(&[OPEN, challenges.trim_end(), QUIT]).reports(Failed),
        ),
        // It waits for the end of the challenges.
        broken(RULE, "client-auth-ends/challenges note", smtp(&[OPEN, challenges.trim_end()]).reports(Hung)),
        kept(RULE, smtp(&[OPEN, &times(REFUSED, 3), QUIT]).reports(Failed)),
        kept(RULE, smtp(&[OPEN, "C: AUTH PLAIN\nS: 334\nC: *\nS: 501 Cancelled", QUIT]).reports(Failed)),
        // RFC 5321 §4.2.1: after 4yz the same command may succeed.
        kept(RULE, smtp(&[OPEN, &times("C: AUTH PLAIN AGEAYg==\nS: 454 Later\n", 11), QUIT]).reports(Failed)),
        nothing(RULE, smtp(&[OPEN, CHALLENGED.trim_end(), "S: 235 Ok", SENT])),
        // RFC 4954 §6: another mechanism may do.
        kept(RULE, smtp(&[OPEN, REFUSED.trim_end(), "C: AUTH LOGIN YQ==\nS: 334\nC: Yg==\nS: 235 Ok", SENT])),
    ]
}

fn quits() -> Vec<Row> {
    const RULE: &str = "client-quits";
    const REFUSED: &str = "C: MAIL FROM:<amy@example.net>\nS: 550 No";
    vec![
        broken(RULE, "client-quits error", smtp(&[OPEN, MAIL, RCPT, DATA, OK]).tests(RULE)),
        broken(RULE, "client-quits error", smtp(&[OPEN, REFUSED]).tests(RULE).reports(Failed)),
        broken(RULE, "client-quits/no-session warning", smtp(&["S: 554 No"]).tests(RULE).reports(Failed)),
        // RFC 5321 §4.1.4: QUIT comes “even when no session opening command was sent and accepted”, by SHOULD.
        broken(RULE, "client-quits/no-session warning", smtp(&["S: 220 mx", AGAIN, OPEN, SENT]).tests(RULE)),
        broken(
            RULE,
            "client-quits error",
            smtp(&["S: 220 mx\nC: EHLO me\nS: 500 What?\nC: HELO me\nS: 250 mx", REFUSED])
                .tests(RULE)
                .reports(Failed),
        ),
        kept(RULE, smtp(&[OPEN, SENT]).tests(RULE)),
        kept(RULE, smtp(&[OPEN, MAIL, RCPT, "C: RSET\nS: 250 Ok", QUIT]).tests(RULE).reports(Failed)),
        kept(RULE, smtp(&[OPEN, MAIL, QUIT]).tests(RULE).reports(Failed)),
        kept(RULE, smtp(&[OPEN, MAIL, RCPT, DATA, OK, "C: QUIT\n#: closed by server"]).tests(RULE)),
        // Nothing is said of the end unless the attempt is about it.
        nothing(RULE, smtp(&[OPEN, MAIL, RCPT, DATA, OK])),
    ]
}

/// Connections that a client cannot end by QUIT.
fn endings() -> Vec<Row> {
    const RULE: &str = "client-quits";
    let failed = |pieces: &[&str]| nothing(RULE, smtp(pieces).tests(RULE).reports(Failed));
    vec![
        failed(&[OPEN, MAIL, "#: closed by server"]),
        failed(&[OPEN, "C: MAIL FROM:<amy@example.net>\nS: 421 Later"]),
        failed(&[OPEN, "C: MAIL FROM:<amy@example.net>\nS: 421 Later\nC: RSET\nS: 503 No"]),
        failed(&["S: 421 Later\n#: closed by server"]),
        failed(&[OPEN, MAIL, RCPT, DATA, "S: 554 No\nS: 421 Enough"]),
        failed(&["#: closed by server"]),
        // RFC 3207 §4: nothing but TLS may follow 220.
        failed(&[OPEN, "C: STARTTLS\nS: 220 Go on\n#: tls failed"]),
        // The client does not trust the certificate.
        failed(&[OPEN, "C: STARTTLS\nS: 220 Go on\n#: tls"]),
        // The server never answers.
        failed(&[OPEN, "C: MAIL FROM:<amy@example.net>"]),
        // Within a message, QUIT is a line of it.
        nothing(
            RULE,
            smtp(&[OPEN, MAIL, RCPT, "C: DATA\nS: 354 Go on"]).tests(RULE).cut(b"Subj").reports(Failed),
        ),
        nothing(
            RULE,
            smtp(&[OPEN, MAIL, RCPT, "C: DATA\nS: 354 Go on"]).tests(RULE).cut(b"").reports(Failed),
        ),
        // It was stopped.
        broken(
            "client-terminates",
            "client-terminates warning",
            smtp(&[OPEN, MAIL]).tests(RULE).reports(Hung),
        ),
    ]
}

fn waits() -> Vec<Row> {
    const RULE: &str = "client-waits-for-replies";
    const GROUP: &str = "C: MAIL FROM:<amy@example.net>\nC: RCPT TO:<r1@example.org>\nC: DATA\n\
                         S: 250 Ok\nS: 250 Ok\nS: 354 Go on\nC: Subject: Hi\nC: \nC: Text\nC: .";
    const FOUND: &str = "client-waits-for-replies error";
    vec![
        broken(RULE, FOUND, smtp(&[BARE, GROUP, OK, QUIT])),
        broken(RULE, FOUND, smtp(&["S: 220 mx\nC: HELO me\nS: 250 mx", GROUP, OK, QUIT])),
        // After TLS, PIPELINING has not been offered again.
        broken(
            RULE,
            FOUND,
            smtp(&[OPEN, "C: STARTTLS\nS: 220 Go on\n#: tls\nC: EHLO me\nS: 250 mx", GROUP, OK, QUIT]),
        ),
        broken(
            RULE,
            FOUND,
            smtp(&[
                "S: 220 mx\nC: EHLO me\nC: MAIL FROM:<amy@example.net>\nS: 250 mx\nS: 250 Ok",
                RCPT,
                DATA,
                OK,
                QUIT,
            ]),
        ),
        broken(
            RULE,
            FOUND,
            smtp(&[OPEN, MAIL, RCPT, "C: NOOP\nC: DATA\nS: 250 Ok\nS: 354 Go on\nC: .", OK, QUIT]),
        ),
        broken(
            RULE,
            FOUND,
            smtp(&[
                OPEN,
                "C: AUTH PLAIN AGEAYg==\nC: MAIL FROM:<amy@example.net>\nS: 235 Ok\nS: 250 Ok",
                RCPT,
                DATA,
                OK,
                QUIT,
            ]),
        ),
        broken(RULE, FOUND, smtp(&[BARE, MAIL, RCPT, DATA, "C: QUIT\nS: 250 Ok\nS: 221 Bye"])),
        broken(
            RULE,
            "client-waits-for-replies/greeting warning",
            smtp(&["C: EHLO me\nS: 220 mx\nS: 250 mx", SENT]),
        ),
        kept(RULE, smtp(&[BARE, SENT])),
        kept(RULE, smtp(&[OPEN, GROUP, OK, QUIT])),
    ]
}

/// Groups that RFC 2920 §3.1 permits, and servers that answer out of turn.
fn ahead() -> Vec<Row> {
    const RULE: &str = "client-waits-for-replies";
    const NEXT: &str = "C: RSET\nC: MAIL FROM:<amy@example.net>\nC: RCPT TO:<r1@example.org>\nC: DATA\n\
                        S: 250 Ok\nS: 250 Ok\nS: 250 Ok\nS: 250 Ok\nS: 354 Go on\nC: Text\nC: .";
    const CHUNKS: &str = "C: BDAT 6\nC: Text\nC: BDAT 0 LAST\nC: QUIT\nS: 250 Ok\nS: 250 Ok\nS: 221 Bye";
    const TWICE: &str = "C: RCPT TO:<r1@example.org>\nS: 550 No\nS: 550 No";
    vec![
        kept(RULE, smtp(&[OPEN, MAIL, RCPT, DATA, "C: QUIT\nS: 250 Ok\nS: 221 Bye"])),
        kept(RULE, smtp(&[OPEN, MAIL, RCPT, DATA, NEXT, OK, QUIT])),
        kept(
            RULE,
            smtp(&[
                OPEN,
                MAIL,
                "C: RCPT TO:<r1@example.org>\nC: RSET\nC: QUIT\nS: 550 No\nS: 250 Ok\nS: 221 Bye",
            ])
            .reports(Failed),
        ),
        kept(RULE, smtp(&[OPEN, MAIL, RCPT, CHUNKS])),
        // RFC 3030 §2: the chunk follows its command at once.
        kept(RULE, smtp(&[CHUNKING, MAIL, RCPT, "C: BDAT 6 LAST\nC: Text", OK, QUIT])),
        // It takes the second 550 for the reply to DATA, as it should.
        kept(RULE, smtp(&[BARE, MAIL, TWICE, "C: DATA\nC: QUIT\nS: 503 No\nS: 221 Bye"]).reports(Failed)),
        kept(
            RULE,
            smtp(&[BARE, MAIL, RCPT, "C: DATA\nS: 354 Go on"])
                .answered_early(b"Subject: Hi\r\n", "552 Too big")
                .reports(Failed),
        ),
        // The server answers within the message.
        kept(
            RULE,
            smtp(&[
                BARE,
                MAIL,
                RCPT,
                "C: DATA\nS: 354 Go on\nC: Subject: Hi\nS: 552 Too big\nC: \nC: Text\nC: .\nS: 500 What?",
                QUIT,
            ])
            .reports(Failed),
        ),
        kept(
            RULE,
            lmtp(&[
                "S: 220 mx\nC: LHLO me\nS: 250-mx\nS: 250 PIPELINING",
                MAIL,
                RCPT,
                "C: RCPT TO:<r2@example.org>\nS: 250 Ok",
                DATA,
                "C: QUIT\nS: 250 Ok\nS: 250 Ok\nS: 221 Bye",
            ]),
        ),
        nothing(RULE, smtp(&["#: closed by server"]).reports(Failed)),
    ]
}
