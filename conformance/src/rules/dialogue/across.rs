//! Rules about all connections of a run together.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::dialogue::Act;
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Verb, is_domain, is_literal};
use crate::protocol::notation::shown;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use super::connection::{Connection, LocatedFindings, is_coded};

/// A reply and its location.
type Seen<'a> = (Location, Observation<'a>);

/// The rules that compare connections.
#[cfg(feature = "run")]
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
        codes_unannounced(&seen, findings);
        codes_are_vague(&seen, findings);
        hello_mismatch(&seen, findings);
        mail_refused_for_name(&seen, findings);
        unknown_deferred(&seen, findings);
        if protocol == Protocol::Smtp {
            eight_bit_mime(&seen, findings);
        }
        hello_outlives_tls(&seen, findings);
    }
    hello_differs(connections, findings);
}

/// Returns whether a reply to EHLO or LHLO announces codes.
fn is_announcement(reply: &Observation<'_>) -> bool {
    is_extended(reply) && Capabilities::read(&reply.reply).has("ENHANCEDSTATUSCODES")
}

/// Returns whether a reply accepts EHLO or LHLO.
fn is_extended(reply: &Observation<'_>) -> bool {
    matches!(reply.verb(), Some(Verb::Ehlo | Verb::Lhlo)) && reply.is(&[250])
}

/// RFC 2034 §2: the keyword tells clients that replies have codes. A single kind of reply may have its code from
/// elsewhere, such as a filter.
fn codes_unannounced(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let extended = seen.iter().any(|(_, reply)| is_extended(reply));
    let announced = seen.iter().any(|(_, reply)| is_announcement(reply));
    if !extended || announced {
        return;
    }
    let is_plausible = |reply: &Observation<'_>| {
        reply.enhanced().is_some_and(|code| Some(u16::from(code.class().digit())) == reply.digit())
    };
    let replies = seen.iter().filter(|(_, reply)| is_coded(reply));
    let coded: Vec<&Seen<'_>> = replies.clone().filter(|(_, reply)| is_plausible(reply)).collect();
    let kinds: HashSet<_> = coded.iter().map(|(_, reply)| (reply.verb(), act_of(reply))).collect();
    if kinds.len() >= 2
        && let Some((location, _)) = coded.first()
    {
        let (count, all) = (coded.len(), replies.count());
        let detail = format!("{count} of {all} replies have a code, but no reply to EHLO announces codes");
        findings.at(*location).add(RuleId::ENHANCED_CODES_ADVERTISED, detail);
    }
}

/// Returns which of the acts without a command a reply answers.
fn act_of(reply: &Observation<'_>) -> (bool, bool) {
    (matches!(reply.exchange.act, Act::Message(_)), matches!(reply.exchange.act, Act::Response(_)))
}

/// A client relies on what the first EHLO of a connection lists, so it should be the same on each. What it lists after a
/// login, or after another EHLO, may differ.
fn hello_differs(connections: &[Connection<'_>], findings: &mut LocatedFindings) {
    let mut expected = HashMap::new();
    for connection in connections {
        for (location, reply) in first_hellos(connection) {
            let session = reply.session;
            let state =
                (connection.server(), session.protocol, session.port, session.implicit_tls, session.tls);
            let keywords = keywords(&reply);
            let (first, expected) =
                expected.entry(state).or_insert_with(|| (location.dialogue, keywords.clone()));
            if *expected != keywords {
                let detail = differences(*first, expected, &keywords);
                return findings.at(location).add(RuleId::EHLO_SAME_ON_CONNECTIONS, detail);
            }
        }
    }
}

/// Returns the replies that accept the first EHLO or LHLO of a connection in clear and under TLS.
fn first_hellos<'a>(connection: &Connection<'a>) -> impl Iterator<Item = Seen<'a>> {
    let mut begun = HashSet::new();
    connection.observations().filter(move |(_, reply)| {
        let own = if reply.is_lmtp() { Verb::Lhlo } else { Verb::Ehlo };
        let fresh = reply.session.hello.is_none() && !reply.session.authenticated;
        let name = reply.command.map(|command| command.argument()).unwrap_or_default();
        let is_proper = is_domain(name) || is_literal(name);
        reply.verb() == Some(own) && reply.is(&[250]) && is_proper && fresh && begun.insert(reply.session.tls)
    })
}

fn keywords(reply: &Observation<'_>) -> BTreeSet<String> {
    let capabilities = Capabilities::read(&reply.reply);
    capabilities.keywords().map(str::to_ascii_uppercase).collect()
}

fn differences(first: usize, expected: &BTreeSet<String>, other: &BTreeSet<String>) -> String {
    let listed = |keywords: Vec<&str>| keywords.join(", ");
    let more = listed(other.difference(expected).map(String::as_str).collect());
    let less = listed(expected.difference(other).map(String::as_str).collect());
    let first = first + 1;
    match (more.as_str(), less.as_str()) {
        (more, "") => format!("lists {more}, which connection {first} lacks"),
        ("", less) => format!("lacks {less}, which connection {first} lists"),
        (more, less) => format!("lists {more} and lacks {less}, unlike connection {first}"),
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
            let name = reply.command.map(|command| shown(command.argument()));
            let detail =
                format!("{} was refused because it does not match the address", name.unwrap_or_default());
            findings.at(*location).add(RuleId::HELLO_MISMATCH_NOT_REFUSED, detail);
            return;
        }
    }
}

/// RFC 5321 §4.1.4, for MAIL, RCPT, DATA and the message: a server that accepted EHLO may have verified the name, and must
/// not refuse mail for it either. The text names EHLO or HELO.
fn mail_refused_for_name(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let is_mail = |reply: &Observation<'_>| {
        matches!(reply.verb(), Some(Verb::Mail | Verb::Rcpt | Verb::Data)) || reply.is_end_of_data()
    };
    let refused = seen.iter().find(|(_, reply)| {
        let text = reply.reply.text();
        let named = ["helo", "ehlo", "greeting name"].iter().any(|word| text.contains(word));
        let refused = reply.digit() == Some(5) && !reply.is(&[503, 530]);
        is_mail(reply) && refused && named && says_mismatch(&text) && !text.contains("spf")
    });
    if let Some((location, reply)) = refused {
        let detail = format!("{} because the name in EHLO does not match the address", reply.codes());
        findings.at(*location).add(RuleId::HELLO_MISMATCH_NOT_REFUSED, detail);
    }
}

/// RFC 5321 §3.3: a server that knows its mailboxes refuses an unknown one for good. Greylisting would put off the valid
/// mailbox as well.
fn unknown_deferred(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    let path = |reply: &Observation<'_>| {
        let envelope = reply.command.filter(|command| command.verb() == Verb::Rcpt)?.envelope()?;
        Some(String::from_utf8_lossy(envelope.path()?).to_ascii_lowercase())
    };
    let to = |wanted: Option<&String>| {
        let wanted = wanted.map(|mailbox| mailbox.to_ascii_lowercase());
        let named = move |(_, reply): &&Seen<'_>| wanted.is_some() && path(reply) == wanted;
        seen.iter().filter(named).filter(|(_, reply)| reply.session.transaction.is_some())
    };
    let Some((_, first)) = seen.first() else { return };
    let unknown: Vec<&Seen<'_>> = to(first.knowledge.unknown.as_ref()).collect();
    let valid_is_taken = to(first.knowledge.valid.as_ref()).any(|(_, reply)| reply.is_accepted());
    let deferred = |(_, reply): &&Seen<'_>| {
        reply.digit() == Some(4) && !reply.is(&[421]) && !reply.has_detail(&[(5, 3)])
    };
    let connections: HashSet<usize> = unknown.iter().map(|(location, _)| location.dialogue).collect();
    if valid_is_taken
        && connections.len() >= 2
        && unknown.iter().copied().all(|reply| deferred(&reply))
        && let Some((location, reply)) = unknown.last()
    {
        let detail = format!(
            "{} for a mailbox that does not exist, on {} connections",
            reply.codes(),
            connections.len()
        );
        findings.at(*location).add(RuleId::UNKNOWN_RECIPIENT_DECIDED, detail);
    }
}

/// RFC 5321 §2.4: a server supports 8BITMIME. Other rules judge submission and LMTP. A single recording may be an excerpt,
/// and a server may offer less before TLS (RFC 3207 §4.2), so several connections have to agree.
fn eight_bit_mime(seen: &[Seen<'_>], findings: &mut LocatedFindings) {
    const CONNECTIONS: usize = 5;
    let listed = |reply: &Observation<'_>, keyword| Capabilities::read(&reply.reply).has(keyword);
    let replies = || seen.iter().filter(|(_, reply)| is_extended(reply));
    let whole = || replies().filter(|(_, reply)| reply.session.tls || !listed(reply, "STARTTLS"));
    let connections: HashSet<usize> = whole().map(|(location, _)| location.dialogue).collect();
    if connections.len() >= CONNECTIONS
        && !replies().any(|(_, reply)| listed(reply, "8BITMIME"))
        && let Some((location, _)) = whole().next()
    {
        let detail = format!("EHLO does not list 8BITMIME on any of {} connections", connections.len());
        findings.at(*location).add(RuleId::EIGHT_BIT_MIME_OFFERED, detail);
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
    fn codes_are_announced() {
        let silent = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 DSN";
        let refused = "C: FOO\nS: 500 5.5.1 What?";
        let login = "C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 535 5.7.8 No";
        let note = "enhanced-codes-advertised note at";
        check(&[
            (&[GREETING, silent, PLAIN, CODED, refused], &format!("{note} 3")),
            (&[GREETING, silent, PLAIN, PLAIN, PLAIN, PLAIN, login, refused], &format!("{note} 6")),
            (&[GREETING, silent, CODED, CODED, CODED], ""),
            (&[GREETING, silent, PLAIN, PLAIN, refused, "C: NOOP\nS: 250 5.0.0 Ok"], ""),
            (&[GREETING, HELO, CODED, CODED, refused], ""),
            (
                &[GREETING, silent, CODED, CODED, refused, GREETING, EHLO],
                "ehlo-same-on-connections note at 1:1",
            ),
        ]);
    }

    #[test]
    fn ehlo_lists_the_same_on_all_connections() {
        let hello = |keywords: &str| {
            format!("C: EHLO me.example.org\nS: 250-mx.example.org{keywords}\nS: 250 8BITMIME")
        };
        let (one, other, bigger) = (hello(""), hello("\nS: 250-PIPELINING"), hello("\nS: 250-SIZE 7"));
        let size = hello("\nS: 250-size 9");
        let tls = "C: STARTTLS\nS: 220 Go\n#: tls";
        check(&[
            (&[GREETING, &one, GREETING, &one, GREETING, &other], "ehlo-same-on-connections note at 2:1"),
            (&[GREETING, &bigger, GREETING, &size], ""),
            (&[GREETING, &one, &other], ""),
            (&[GREETING, &one, GREETING, HELO, &one], ""),
            (&[GREETING, &one, tls, &other, GREETING, &one, tls, &other], ""),
            (
                &[GREETING, &one, tls, &other, GREETING, &one, tls, &one],
                "ehlo-same-on-connections note at 1:4",
            ),
            (&[GREETING, "C: EHLO me.example.org\nS: 421 Busy", GREETING, &one, GREETING, &one], ""),
            (&[GREETING, &one, "#: connected\nS: 220 other.example.org", &other], ""),
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
            (&[GREETING, other, mismatch, GREETING, EHLO], "hello-mismatch-not-refused error at 0:1"),
            (&[GREETING, other, mismatch], ""),
            (
                &[
                    GREETING,
                    EHLO,
                    "C: MAIL FROM:<a@example.org>",
                    "S: 550 5.7.1 HELO name does not match your IP address",
                ],
                "hello-mismatch-not-refused error at 2",
            ),
            (
                &[
                    GREETING,
                    EHLO,
                    "C: MAIL FROM:<a@example.org>",
                    "S: 550 5.7.1 Reverse DNS does not match your IP",
                ],
                "",
            ),
            (
                &[GREETING, EHLO, "C: MAIL FROM:<a@example.org>", "S: 450 4.7.1 HELO does not match your IP"],
                "",
            ),
            (
                &[
                    GREETING,
                    EHLO,
                    "C: MAIL FROM:<a@example.org>",
                    "S: 550 5.7.23 SPF: HELO does not match the client",
                ],
                "",
            ),
            (&[GREETING, other, "S: 550 5.7.1 Your IP is listed", GREETING, EHLO], ""),
            (&[GREETING, other, "S: 450 4.7.1 EHLO does not match your IP", GREETING, EHLO], ""),
            (
                &[GREETING, "C: EHLO [192.0.2.1]", "S: 550 5.7.1 It does not match your IP", GREETING, EHLO],
                "",
            ),
        ]);
    }

    #[test]
    fn an_unknown_recipient_is_not_put_off_for_ever() {
        let begun = [GREETING, EHLO, "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok"].join("\n");
        let later = "C: RCPT TO:<nosuch@example.test>\nS: 451 4.3.0 Try later";
        let unknown = "C: RCPT TO:<nosuch@example.test>\nS: 550 5.1.1 No";
        let valid = "C: RCPT TO:<alice@example.test>\nS: 250 2.1.5 Ok";
        let greylisted = "C: RCPT TO:<alice@example.test>\nS: 450 4.7.1 Later";
        let knowledge = crate::Knowledge {
            valid: Some("alice@example.test".to_owned()),
            unknown: Some("nosuch@example.test".to_owned()),
            ..crate::Knowledge::default()
        };
        let known = crate::readers::testing::Table { knowledge, ..table() };
        known.check(&[
            (&[&begun, later, &begun, valid, later], "unknown-recipient-decided note at 1:4"),
            (&[&begun, later, &begun, greylisted, later], ""),
            (&[&begun, valid, later], ""),
            (&[&begun, later, &begun, valid, unknown], ""),
        ]);
    }

    #[test]
    fn a_server_offers_8bitmime() {
        let other = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 8BITMIME";
        let tls = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 STARTTLS";
        let none = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 SIZE";
        let times = |hello: &str, count: usize| vec![[GREETING, hello].join("\n"); count].join("\n");
        check(&[
            (&[&times(none, 5)], "eight-bit-mime-offered warning at 0:1"),
            (&[&times(none, 4)], ""),
            (&[&times(other, 5)], ""),
            (&[&times(tls, 5)], ""),
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
