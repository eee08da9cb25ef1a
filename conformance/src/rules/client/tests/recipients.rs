//! Several recipients, of whom some are refused, and LMTP.

use super::attempt::{
    AGAIN, Attempt, DATA, MAIL, OK, OPEN, QUIT, RCPT, Row, broken, kept, lmtp, nothing, smtp,
};
use crate::rules::client::Reported::{
    Failed, Hung, Ok, Partial, PartialPermanent, PartialTemporary, Permanent, Temporary,
};

const ALL: [&str; 2] = ["r1@example.org", "r2@example.org"];
const SECOND: &str = "C: RCPT TO:<r2@example.org>\nS: 250 Ok";
const LIMITED: &str = "C: RCPT TO:<r2@example.org>\nS: 452 Too many";
const LHLO: &str = "S: 220 mx\nC: LHLO me\nS: 250-mx\nS: 250 CHUNKING";

pub(super) fn rows() -> Vec<Row> {
    [resent(), old_limit(), partial(), per_recipient(), missing_replies()].concat()
}

fn two(pieces: &[&str]) -> Attempt {
    smtp(&[&[OPEN, MAIL, RCPT], pieces].concat()).recipients(&ALL)
}

fn local(pieces: &[&str]) -> Attempt {
    lmtp(&[&[LHLO, MAIL, RCPT], pieces].concat()).recipients(&ALL)
}

/// As the built-in behaviour says it.
fn limit(attempt: Attempt) -> Attempt {
    attempt
        .right(&[Partial, Temporary])
        .breaks("client-temporary-is-not-permanent")
        .but(Ok, "client-partial-acceptance")
}

fn resent() -> Vec<Row> {
    const RULE: &str = "client-452-recipients-resent";
    const FOUND: &str = "client-452-recipients-resent note";
    vec![
        broken(RULE, FOUND, two(&[LIMITED, QUIT]).reports(Temporary)),
        broken(RULE, FOUND, two(&[LIMITED, "C: RSET\nS: 250 Ok", QUIT]).reports(Failed)),
        broken(
            "client-temporary-is-not-permanent",
            "client-temporary-is-not-permanent warning",
            limit(two(&[LIMITED, DATA, OK, QUIT])).reports(Permanent),
        ),
        kept(RULE, limit(two(&[LIMITED, DATA, OK, QUIT])).reports(Partial)),
        kept(RULE, limit(two(&[LIMITED, DATA, OK, QUIT])).reports(Failed)),
        // To the rest in another transaction, or on another connection.
        kept(RULE, limit(two(&[LIMITED, DATA, OK, MAIL, SECOND, DATA, OK, QUIT]))),
        kept(RULE, limit(two(&[LIMITED, DATA, OK, QUIT, AGAIN, OPEN, MAIL, SECOND, DATA, OK, QUIT]))),
        kept(RULE, two(&[LIMITED, "C: RSET\nS: 250 Ok", MAIL, RCPT, DATA, OK, MAIL, SECOND, DATA, OK, QUIT])),
        kept(RULE, two(&[LIMITED, "C: DATA\nS: 451 Later", QUIT]).reports(Temporary)),
        kept(RULE, two(&[LIMITED, "C: BDAT 0 LAST\nS: 250 Ok", QUIT]).reports(Partial)),
        nothing(
            RULE,
            two(&["C: RCPT TO:<r2@example.org>\nS: 452 Too many\n#: closed by server"]).reports(Failed),
        ),
        nothing(RULE, two(&["C: RCPT TO:<r2@example.org>\nS: 550 No", QUIT]).reports(Failed)),
        nothing(RULE, smtp(&[OPEN, MAIL, "C: RCPT TO:<r1@example.org>\nS: 452 No", QUIT]).reports(Failed)),
        broken("client-terminates", "client-terminates warning", two(&[LIMITED]).reports(Hung)),
    ]
}

fn old_limit() -> Vec<Row> {
    const RULE: &str = "client-552-recipient-limit";
    const OLD: &str = "C: RCPT TO:<r2@example.org>\nS: 552 Too many";
    let limited = |pieces: &[&str]| {
        two(pieces).right(&[PartialTemporary, Temporary]).breaks(RULE).but(Ok, "client-partial-acceptance")
    };
    vec![
        broken(
            RULE,
            "client-552-recipient-limit note",
            limited(&[OLD, DATA, OK, QUIT]).reports(PartialPermanent),
        ),
        kept(RULE, limited(&[OLD, DATA, OK, QUIT]).reports(PartialTemporary)),
        broken(RULE, "client-552-recipient-limit note", limited(&[OLD, DATA, OK, QUIT]).reports(Permanent)),
        broken(
            "client-partial-acceptance",
            "client-partial-acceptance note",
            limited(&[OLD, DATA, OK, QUIT]),
        ),
        kept(RULE, limited(&[OLD, DATA, OK, QUIT]).reports(Partial)),
        nothing(RULE, limited(&[OLD, DATA, OK, MAIL, SECOND, DATA, OK, QUIT])),
        nothing(RULE, limited(&[OLD, DATA, OK, QUIT]).unreached().reports(Permanent)),
    ]
}

fn partial() -> Vec<Row> {
    const RULE: &str = "client-partial-acceptance";
    const FOUND: &str = "client-partial-acceptance note";
    const REFUSED: &str = "C: RCPT TO:<r2@example.org>\nS: 550 No";
    vec![
        broken(RULE, FOUND, two(&[REFUSED, DATA, OK, QUIT])),
        // The same recipient twice is no other one.
        broken(RULE, FOUND, two(&[REFUSED, DATA, OK, MAIL, RCPT, DATA, OK, QUIT])),
        kept(RULE, two(&[REFUSED, DATA, OK, QUIT]).reports(Partial)),
        kept(RULE, two(&[REFUSED, DATA, OK, QUIT]).reports(Permanent)),
        nothing(RULE, two(&[LIMITED, DATA, OK, MAIL, SECOND, DATA, OK, QUIT])),
        nothing(RULE, two(&[SECOND, DATA, OK, QUIT])),
        // It was only given the first one.
        nothing(RULE, two(&[DATA, OK, QUIT])),
        nothing(RULE, two(&[DATA, OK, QUIT, AGAIN, OPEN, MAIL, SECOND, DATA, OK, QUIT])),
        // Another form of the address is accepted.
        nothing(
            RULE,
            smtp(&[OPEN, MAIL, "C: RCPT TO:<\"r1\"@example.org>\nS: 553 No", RCPT, DATA, OK, QUIT]),
        ),
        nothing(RULE, two(&[REFUSED, DATA, "S: 250 O\\+\n#: closed by server"])),
    ]
}

fn per_recipient() -> Vec<Row> {
    const RULE: &str = "client-lmtp-per-recipient";
    let mixed = |pieces: &[&str]| local(pieces).right(&[Partial, Permanent, Temporary]).breaks(RULE);
    let both = |pieces: &[&str]| local(pieces).right(&[Ok]).breaks(RULE);
    vec![
        broken(RULE, "client-lmtp-per-recipient error", mixed(&[SECOND, DATA, OK, "S: 550 No", QUIT])),
        broken(RULE, "client-lmtp-per-recipient error", mixed(&[SECOND, DATA, "S: 550 No", OK, QUIT])),
        // It waits for a reply that does not come.
        broken(RULE, "client-lmtp-per-recipient error", both(&[SECOND, DATA, OK, OK]).reports(Hung)),
        kept(RULE, mixed(&[SECOND, DATA, OK, "S: 550 No", QUIT]).reports(Partial)),
        kept(RULE, both(&[SECOND, DATA, OK, OK, QUIT])),
        kept(RULE, both(&[SECOND, DATA, "S: 250-One\nS: 250 line more\nS: 250 Ok", QUIT])),
        kept(
            "client-success-needs-acceptance",
            both(&[SECOND, "C: BDAT 0 LAST\nS: 250 Ok\nS: 250 Ok", QUIT]),
        ),
        // The refused recipient has no reply to the message.
        kept(
            "client-partial-acceptance",
            local(&["C: RCPT TO:<r2@example.org>\nS: 550 No", DATA, OK, QUIT]).reports(Partial),
        ),
    ]
}

fn missing_replies() -> Vec<Row> {
    const RULE: &str = "client-lmtp-missing-replies";
    const FIRST: &str = "S: 250 Ok\n#: closed by server";
    let closed = |pieces: &[&str]| local(pieces).right(&[Partial, Temporary]).breaks(RULE);
    vec![
        broken(RULE, "client-lmtp-missing-replies error", closed(&[SECOND, DATA, FIRST])),
        broken(RULE, "client-lmtp-missing-replies error", closed(&[SECOND, DATA, FIRST]).reports(Permanent)),
        kept(RULE, closed(&[SECOND, DATA, FIRST]).reports(Partial)),
        kept(RULE, closed(&[SECOND, DATA, FIRST]).reports(Failed)),
        // It tries the second one again.
        nothing(RULE, closed(&[SECOND, DATA, FIRST, AGAIN, LHLO, MAIL, SECOND, DATA, OK, QUIT])),
    ]
}
