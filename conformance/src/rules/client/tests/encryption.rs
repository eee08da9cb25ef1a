//! STARTTLS, and what may be sent without it.

use super::attempt::{AGAIN, MAIL, OPEN, QUIT, RCPT, Row, SENT, broken, kept, nothing, smtp};
use crate::rules::client::Reported::Failed;

const OFFERED: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-STARTTLS\nS: 250 AUTH PLAIN LOGIN";
const TLS: &str = "C: STARTTLS\nS: 220 Go on\n#: tls\nC: EHLO me\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN";
const REFUSED: &str = "C: STARTTLS\nS: 454 Later";

pub(super) fn rows() -> Vec<Row> {
    [required(), password(), clear_text(), capabilities(), letter_case()].concat()
}

fn required() -> Vec<Row> {
    const RULE: &str = "client-tls-required";
    vec![
        broken(RULE, "client-tls-required error", smtp(&[OFFERED, REFUSED, SENT]).demands_tls()),
        broken(RULE, "client-tls-required error", smtp(&[OPEN, SENT]).demands_tls()),
        broken(
            RULE,
            "client-tls-required error",
            smtp(&[OFFERED, "C: STARTTLS\nS: 220 Go on\n#: tls failed", AGAIN, OPEN, SENT]).demands_tls(),
        ),
        kept(RULE, smtp(&[OFFERED, TLS, SENT]).demands_tls()),
        kept(RULE, smtp(&[OFFERED, REFUSED, QUIT]).demands_tls().reports(Failed)),
        // RFC 3207 §4: a client whose handshake failed may try again, or close.
        kept(
            RULE,
            smtp(&[OFFERED, "C: STARTTLS\nS: 220 Go on\n#: tls failed", AGAIN, OFFERED, TLS, SENT])
                .demands_tls()
                .tests("client-quits"),
        ),
        kept(RULE, smtp(&["#: connected\n#: tls\nS: 220 mx\nC: EHLO me\nS: 250 mx", SENT]).demands_tls()),
        nothing(RULE, smtp(&[OFFERED, REFUSED, SENT])),
    ]
}

fn password() -> Vec<Row> {
    const RULE: &str = "client-no-password-in-clear";
    const FOUND: &str = "client-no-password-in-clear error";
    const PLAIN: &str = "C: AUTH PLAIN AGEAYg==\nS: 235 Ok";
    let refused = |pieces: &[&str]| smtp(pieces).demands_tls().reports(Failed);
    vec![
        broken(RULE, FOUND, refused(&[OFFERED, "C: AUTH PLAIN AGEAYg==\nS: 535 No", QUIT])),
        broken(RULE, FOUND, refused(&[OFFERED, "C: AUTH PLAIN\nS: 334\nC: AGEAYg==\nS: 535 No", QUIT])),
        broken(
            RULE,
            FOUND,
            refused(&[OFFERED, "C: AUTH LOGIN\nS: 334\nC: YQ==\nS: 334\nC: Yg==\nS: 535 No", QUIT]),
        ),
        broken(RULE, FOUND, refused(&[OFFERED, "C: auth login YQ==\nS: 334\nC: Yg==\nS: 535 No", QUIT])),
        // The more precise rule alone.
        broken(RULE, FOUND, smtp(&[OFFERED, PLAIN, SENT]).demands_tls()),
        kept(RULE, smtp(&[OFFERED, TLS, PLAIN, SENT]).demands_tls()),
        kept(RULE, refused(&[OFFERED, QUIT])),
        // Nothing of the password was sent.
        kept(RULE, refused(&[OFFERED, "C: AUTH PLAIN\nS: 538 No", QUIT])),
        kept(RULE, refused(&[OFFERED, "C: AUTH PLAIN\nS: 334\nC: *\nS: 501 Cancelled", QUIT])),
        kept(RULE, refused(&[OFFERED, "C: AUTH LOGIN\nS: 334\nC: YQ==\nS: 535 No", QUIT])),
        kept(RULE, refused(&[OFFERED, "C: AUTH CRAM-MD5\nS: 334 PDE+\nC: YSBi\nS: 535 No", QUIT])),
        nothing(RULE, smtp(&[OFFERED, PLAIN, SENT])),
    ]
}

fn clear_text() -> Vec<Row> {
    const RULE: &str = "client-discards-clear-text";
    const INJECTED: &str = "C: STARTTLS\nS: 220 Go on\nS: 250 mx\n#: tls";
    vec![
        broken(
            RULE,
            "client-discards-clear-text error",
            smtp(&[OFFERED, INJECTED, "C: EHLO me\nC: MAIL FROM:<amy@example.net>\nS: 250 mx\nS: 550 No", QUIT])
                .demands_tls()
                .reports(Failed),
        ),
        // A forged session makes it report success.
        broken(
            RULE,
            "client-discards-clear-text error",
            smtp(&[OFFERED, INJECTED, "C: EHLO me\nC: MAIL FROM:<amy@example.net>\nS: 250 mx\nS: 550 No", QUIT])
                .demands_tls()
                .right(&[Failed])
                .breaks(RULE),
        ),
        kept(RULE, smtp(&[OFFERED, INJECTED, "C: EHLO me\nS: 250 mx", SENT])),
        kept(RULE, smtp(&[OFFERED, "C: STARTTLS\nS: 220 Go on\nS: 250 mx\n#: tls failed"]).reports(Failed)),
        // It waits for the reply to EHLO, but not for every other one.
        kept(
            RULE,
            smtp(&[OFFERED, INJECTED, "C: EHLO me\nS: 250 mx\nC: NOOP\nC: QUIT\nS: 250 Ok\nS: 221 Bye"])
                .reports(Failed),
        ),
        // It waits for the reply to EHLO, and may then send groups.
        kept(
            RULE,
            smtp(&[OFFERED, INJECTED, "C: EHLO me\nS: 250-mx\nS: 250 PIPELINING\nC: MAIL FROM:<amy@example.net>\nC: QUIT\nS: 550 No\nS: 221 Bye"])
                .reports(Failed),
        ),
        nothing(RULE, smtp(&[OFFERED, TLS, SENT])),
    ]
}

fn capabilities() -> Vec<Row> {
    const RULE: &str = "client-asks-capabilities-again";
    const BEGUN: &str = "C: STARTTLS\nS: 220 Go on\n#: tls";
    vec![
        broken(RULE, "client-asks-capabilities-again warning", smtp(&[OFFERED, BEGUN, SENT])),
        kept(RULE, smtp(&[OFFERED, TLS, SENT])),
        // It does not trust the certificate.
        kept(RULE, smtp(&[OFFERED, BEGUN, QUIT]).reports(Failed)),
        nothing(RULE, smtp(&[OFFERED, BEGUN]).reports(Failed)),
        nothing(RULE, smtp(&[OFFERED, "C: STARTTLS\nS: 220 Go on\n#: tls failed"]).reports(Failed)),
        // TLS without STARTTLS changes nothing.
        nothing(
            RULE,
            smtp(&["#: connected\n#: tls\nS: 220 mx\nC: NOOP\nS: 250 Ok\nC: EHLO me\nS: 250 mx", SENT]),
        ),
    ]
}

fn letter_case() -> Vec<Row> {
    const RULE: &str = "client-keywords-in-any-case";
    const LOWER: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 starttls";
    vec![
        broken(RULE, "client-keywords-in-any-case error", smtp(&[LOWER, QUIT]).demands_tls().reports(Failed)),
        kept(RULE, smtp(&[LOWER, TLS, SENT]).demands_tls()),
        kept(RULE, smtp(&[LOWER, REFUSED, QUIT]).demands_tls().reports(Failed)),
        // By a parameter of MAIL.
        kept(
            "client-unoffered-parameter",
            smtp(&[
                "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 size 100",
                "C: MAIL FROM:<amy@example.net> SIZE=9\nS: 250 Ok",
                RCPT,
                QUIT,
            ])
            .reports(Failed),
        ),
        nothing(RULE, smtp(&[LOWER, SENT])),
        nothing(RULE, smtp(&[OFFERED, QUIT]).demands_tls().reports(Failed)),
        nothing(RULE, smtp(&[LOWER, "#: closed by server"]).demands_tls().reports(Failed)),
        nothing(RULE, smtp(&[LOWER, MAIL, QUIT]).reports(Failed)),
    ]
}
