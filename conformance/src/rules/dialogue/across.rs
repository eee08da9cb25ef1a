//! Rules about all connections of a run together.

use std::collections::HashSet;

use crate::dialogue::Act;
use crate::protocol::Protocol;
use crate::protocol::command::{Verb, is_domain};
use crate::protocol::reply::Token;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use super::connection::{Connection, LocatedFindings, is_coded};

/// A reply and its location.
type Seen<'a> = (Location, Observation<'a>);

/// The rules that compare connections.
pub(crate) const RULES: [RuleId; 5] = [
    RuleId::ENHANCED_CODE_WITHOUT_EHLO,
    RuleId::ENHANCED_CODES_ADVERTISED,
    RuleId::ENHANCED_CODE_PRECISE,
    RuleId::HELLO_MISMATCH_NOT_REFUSED,
    RuleId::STARTTLS_FORGETS_SESSION,
];

pub(crate) fn judge(connections: &[Connection<'_>], findings: &mut LocatedFindings) {
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        let speaking = connections.iter().filter(|connection| connection.protocol() == Some(protocol));
        let seen: Vec<Seen<'_>> = speaking.flat_map(Connection::observations).collect();
        codes_without_ehlo(&seen, findings);
        codes_unannounced(&seen, findings);
        codes_are_vague(&seen, findings);
        hello_mismatch(&seen, findings);
        hello_outlives_tls(&seen, findings);
    }
}

/// RFC 2034 §4, §5: the server sends codes whether or not the client said EHLO. The keyword on another connection, in
/// the same TLS state, shows that it supports them.
fn codes_without_ehlo(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let shows = |tls: bool| move |(_, reply): &&Seen<'_>| reply.session.tls == tls && is_announcement(reply);
    for tls in [false, true] {
        let showing: HashSet<usize> =
            seen.iter().filter(shows(tls)).map(|(location, _)| location.dialogue).collect();
        let without = |(location, reply): &&Seen<'_>| {
            let old = matches!(reply.session.hello, None | Some(Verb::Helo));
            is_coded(reply) && old && reply.session.tls == tls && !showing.contains(&location.dialogue)
        };
        let replies: Vec<&Seen<'_>> = seen.iter().filter(without).collect();
        let silent = replies.chunk_by(|one, other| one.0.dialogue == other.0.dialogue).find(|replies| {
            replies.len() >= 3 && replies.iter().all(|(_, reply)| first_token(reply) == Some(Token::Absent))
        });
        if !showing.is_empty()
            && let Some([(location, _), ..]) = silent
        {
            let detail = "no reply on this connection has a code, but EHLO announces codes on another";
            findings.at(*location).add(RuleId::ENHANCED_CODE_WITHOUT_EHLO, detail);
            return;
        }
    }
}

/// Returns whether a reply to EHLO or LHLO announces codes.
fn is_announcement(reply: &Observation<'_>) -> bool {
    is_extended(reply)
        && crate::protocol::capabilities::Capabilities::read(&reply.reply).has("ENHANCEDSTATUSCODES")
}

/// Returns whether a reply accepts EHLO or LHLO.
fn is_extended(reply: &Observation<'_>) -> bool {
    matches!(reply.verb(), Some(Verb::Ehlo | Verb::Lhlo)) && reply.is(&[250])
}

fn first_token(reply: &Observation<'_>) -> Option<Token> {
    reply.reply.lines().next().map(|line| line.token())
}

/// RFC 2034 §2: the keyword tells clients that replies have codes.
fn codes_unannounced(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let extended = seen.iter().any(|(_, reply)| is_extended(reply));
    let announced = seen.iter().any(|(_, reply)| is_announcement(reply));
    let replies = seen.iter().filter(|(_, reply)| is_coded(reply));
    let coded: Vec<&Seen<'_>> = replies.clone().filter(|(_, reply)| reply.enhanced().is_some()).collect();
    let (count, all) = (coded.len(), replies.count());
    if extended
        && !announced
        && all >= 3
        && 2 * count > all
        && let Some((location, _)) = coded.first()
    {
        let detail = format!("{count} of {all} replies have a code, but no reply to EHLO announces codes");
        findings.at(*location).add(RuleId::ENHANCED_CODES_ADVERTISED, detail);
    }
}

/// RFC 3463 §2, §3.1: X.0.0 is for errors of which only the class is known.
fn codes_are_vague(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let refusal = |(_, reply): &&Seen<'_>| {
        is_coded(reply) && matches!(reply.digit(), Some(4 | 5)) && reply.enhanced().is_some()
    };
    let refusals: Vec<&Seen<'_>> = seen.iter().filter(refusal).collect();
    let vague = |(_, reply): &&Seen<'_>| {
        reply.enhanced().is_some_and(|code| (code.subject(), code.detail()) == (0, 0))
    };
    let kind = |(_, reply): &&Seen<'_>| {
        (reply.verb(), matches!(reply.exchange.act, Act::Message(_)), reply.number())
    };
    let kinds: HashSet<_> = refusals.iter().copied().map(|refusal| kind(&refusal)).collect();
    if kinds.len() >= 5
        && refusals.iter().all(vague)
        && let Some((location, _)) = refusals.first()
    {
        let detail = format!("all {} kinds of refusal have X.0.0", kinds.len());
        findings.at(*location).add(RuleId::ENHANCED_CODE_PRECISE, detail);
    }
}

/// RFC 5321 §4.1.4: a server must not refuse a message because the name does not match the client's address. Only the
/// server's own words show that this is the reason.
fn hello_mismatch(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let named = |(_, reply): &&Seen<'_>| {
        let name = reply.command.map(|command| command.argument()).unwrap_or_default();
        reply.is_hello() && is_domain(name) && name.contains(&b'.')
    };
    let refused = |(_, reply): &&Seen<'_>| {
        reply.digit() == Some(5) && !reply.is(&[530]) && says_mismatch(&reply.reply.text())
    };
    for tls in [false, true] {
        let hellos = seen.iter().filter(named).filter(|(_, reply)| reply.session.tls == tls);
        let accepted = hellos.clone().filter(|(_, reply)| reply.is(&[250]));
        let accepted: HashSet<usize> = accepted.map(|(location, _)| location.dialogue).collect();
        for (location, reply) in hellos.filter(refused) {
            let elsewhere = accepted.len() > usize::from(accepted.contains(&location.dialogue));
            if !elsewhere {
                continue;
            }
            let name = reply.command.map(|command| command.argument().escape_ascii().to_string());
            let detail =
                format!("{} was refused because it does not match the address", name.unwrap_or_default());
            findings.at(*location).add(RuleId::HELLO_MISMATCH_NOT_REFUSED, detail);
            return;
        }
    }
}

/// RFC 3207 §4.2: the EHLO before TLS no longer counts. A server that accepts MAIL without any EHLO need not have
/// kept it, so MAIL before the first EHLO must have been refused.
fn hello_outlives_tls(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let unopened = |(_, reply): &&Seen<'_>| reply.verb() == Some(Verb::Mail) && reply.session.hello.is_none();
    let after_tls = |reply: &Observation<'_>| reply.session.offered_before_tls.is_some();
    let mails = seen.iter().filter(unopened);
    if !mails.clone().any(|(_, reply)| !after_tls(reply) && reply.is(&[503])) {
        return;
    }
    for (location, reply) in mails.filter(|(_, reply)| after_tls(reply) && reply.digit() == Some(2)) {
        let number = reply.number().unwrap_or_default();
        let detail = format!("{number} to MAIL without EHLO under TLS, but 503 before the first EHLO");
        findings.at(*location).add_under(RuleId::STARTTLS_FORGETS_SESSION, "mail-without-hello", detail);
    }
}

/// Returns whether a text says that a name does not match an address.
fn says_mismatch(text: &str) -> bool {
    const MISMATCHES: [&str; 6] =
        ["not match", "n't match", "mismatch", "not resolve to", "n't resolve to", "not verify"];
    const ADDRESSES: [&str; 7] = ["address", " ip", "reverse", "rdns", "ptr", "client", "["];
    let any = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    any(&MISMATCHES) && any(&ADDRESSES)
}

#[cfg(test)]
mod tests {
    use crate::readers::testing::Row;
    use crate::rules::dialogue::connection::tests::{EHLO, table};

    /// A new connection.
    const GREETING: &str = "#: connected\nS: 220 mx.example.org";
    const HELO: &str = "C: HELO me.example.org\nS: 250 mx.example.org";
    /// A reply without an enhanced status code, and one with it.
    const PLAIN: &str = "C: NOOP\nS: 250 Ok";
    const CODED: &str = "C: NOOP\nS: 250 2.0.0 Ok";

    fn check(rows: &[Row<'_>]) {
        table().check(rows);
    }

    #[test]
    fn codes_are_sent_without_ehlo() {
        let tls = "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls";
        check(&[
            (
                &[GREETING, EHLO, CODED, GREETING, HELO, PLAIN, PLAIN, PLAIN],
                "enhanced-code-without-ehlo warning at 1:2",
            ),
            (
                &[GREETING, PLAIN, PLAIN, PLAIN, GREETING, EHLO, CODED],
                "enhanced-code-without-ehlo warning at 0:1",
            ),
            (&[GREETING, EHLO, CODED, GREETING, HELO, PLAIN, CODED, PLAIN, PLAIN], ""),
            (&[GREETING, EHLO, CODED, GREETING, HELO, PLAIN, PLAIN], ""),
            (&[GREETING, HELO, PLAIN, PLAIN, PLAIN], ""),
            (&[GREETING, EHLO, CODED, GREETING, HELO, PLAIN, PLAIN, "C: NOOP", "S: 421 Busy"], ""),
            (&[GREETING, EHLO, CODED, GREETING, EHLO, tls, HELO, PLAIN, PLAIN, PLAIN], ""),
        ]);
    }

    #[test]
    fn codes_are_announced() {
        let silent = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 DSN";
        let refused = "C: FOO\nS: 500 5.5.1 What?";
        check(&[
            (&[GREETING, silent, PLAIN, CODED, refused], "enhanced-codes-advertised note at 3"),
            (&[GREETING, silent, CODED, refused], ""),
            (&[GREETING, silent, PLAIN, PLAIN, CODED, refused], ""),
            (&[GREETING, HELO, CODED, CODED, refused], ""),
            (&[GREETING, silent, CODED, CODED, refused, GREETING, EHLO], ""),
        ]);
    }

    #[test]
    fn codes_are_not_all_vague() {
        let four = "\
C: FOO
S: 500 5.0.0 What?
C: MAIL FROM:<
S: 501 5.0.0 What?
C: RCPT TO:<bob@example.org>
S: 503 5.0.0 No
C: DATA
S: 503 5.0.0 No";
        let fifth = "C: VRFY bob\nS: 450 4.0.0 Later";
        check(&[
            (&[GREETING, EHLO, four, fifth], "enhanced-code-precise note at 2"),
            (&[GREETING, EHLO, four], ""),
            (&[GREETING, EHLO, four, fifth, "C: BAR", "S: 500 5.5.1 What?"], ""),
        ]);
    }

    #[test]
    fn a_mismatched_name_is_not_refused() {
        let other = "C: EHLO other.example.org";
        let mismatch = "S: 550 5.7.1 EHLO does not match your IP";
        check(&[
            (&[GREETING, other, mismatch, GREETING, EHLO], "hello-mismatch-not-refused warning at 0:1"),
            (&[GREETING, other, mismatch], ""),
            (&[GREETING, other, "S: 550 5.7.1 Your IP is listed", GREETING, EHLO], ""),
            (&[GREETING, other, "S: 450 4.7.1 EHLO does not match your IP", GREETING, EHLO], ""),
            (
                &[GREETING, "C: EHLO [192.0.2.1]", "S: 550 5.7.1 It does not match your IP", GREETING, EHLO],
                "",
            ),
        ]);
    }

    #[test]
    fn tls_discards_the_hello() {
        let mail = "C: MAIL FROM:<bob@example.org>";
        let (taken, refused) = ("S: 250 2.1.0 Ok", "S: 503 5.5.1 EHLO first");
        let tls = "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls";
        check(&[
            (
                &[GREETING, mail, refused, GREETING, EHLO, tls, mail, taken],
                "starttls-forgets-session/mail-without-hello warning at 1:4",
            ),
            (
                &[GREETING, EHLO, tls, mail, taken, GREETING, mail, refused],
                "starttls-forgets-session/mail-without-hello warning at 0:4",
            ),
            (&[GREETING, mail, refused, GREETING, EHLO, tls, mail, refused], ""),
            (&[GREETING, mail, taken, GREETING, EHLO, tls, mail, taken], ""),
            (&[GREETING, EHLO, tls, mail, taken], ""),
        ]);
    }
}
