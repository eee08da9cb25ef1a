//! Rules about all connections of a run together.

use std::collections::HashSet;

use crate::dialogue::Act;
use crate::protocol::Protocol;
use crate::protocol::command::{Verb, is_domain};
use crate::protocol::reply::Token;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::{Finding, Location};
use crate::rules::observation::Observation;

use super::connection::{Connection, LocatedFindings, is_coded};

/// A reply and its location.
type Seen<'a> = (Location, Observation<'a>);

pub(crate) fn judge(connections: &[Connection<'_>]) -> Vec<Finding> {
    let mut findings = LocatedFindings::default();
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        let speaking = connections.iter().filter(|connection| connection.protocol() == Some(protocol));
        let seen: Vec<Seen<'_>> = speaking.flat_map(Connection::observations).collect();
        codes_without_ehlo(&seen, &mut findings);
        codes_unannounced(&seen, &mut findings);
        codes_are_vague(&seen, &mut findings);
        hello_mismatch(&seen, &mut findings);
        hello_outlives_tls(&seen, &mut findings);
    }
    findings.findings()
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
    use crate::dialogue::{Dialogue, Exchange};
    use crate::protocol::Protocol;
    use crate::rules::catalogue::RuleId;
    use crate::rules::dialogue::connection::tests::{OFFERS, command, connect, found, handshake};

    fn dialogue(lines: &[(&str, &str)]) -> Dialogue {
        let exchange = |(line, reply): &(&str, &str)| match *line {
            "" => connect(&[reply]),
            "TLS" => handshake(),
            line => command(line, &[reply]),
        };
        let exchanges: Vec<Exchange> = lines.iter().map(exchange).collect();
        Dialogue { protocol: Protocol::Smtp, exchanges, ..Dialogue::default() }
    }

    fn rules(dialogues: &[&[(&str, &str)]]) -> Vec<(RuleId, usize)> {
        let dialogues: Vec<Dialogue> = dialogues.iter().map(|lines| dialogue(lines)).collect();
        found(&dialogues).into_iter().map(|(rule, _, exchange)| (rule, exchange)).collect()
    }

    const GREETING: (&str, &str) = ("", "220 mx.example.org");
    const EHLO: (&str, &str) = ("EHLO me.example.org", OFFERS);
    const HELO: (&str, &str) = ("HELO me.example.org", "250 mx.example.org");
    const PLAIN: (&str, &str) = ("NOOP", "250 Ok");

    #[test]
    fn codes_are_sent_without_ehlo() {
        let announcing: &[(&str, &str)] = &[GREETING, EHLO, ("NOOP", "250 2.0.0 Ok")];
        let rule = RuleId::ENHANCED_CODE_WITHOUT_EHLO;
        assert_eq!(rules(&[announcing, &[GREETING, HELO, PLAIN, PLAIN, PLAIN]]), [(rule, 2)]);
        assert_eq!(rules(&[&[GREETING, PLAIN, PLAIN, PLAIN], announcing]), [(rule, 1)]);
        let one = ("NOOP", "250 2.0.0 Ok");
        assert_eq!(rules(&[announcing, &[GREETING, HELO, PLAIN, one, PLAIN, PLAIN]]), []);
        assert_eq!(rules(&[announcing, &[GREETING, HELO, PLAIN, PLAIN]]), []);
        assert_eq!(rules(&[&[GREETING, HELO, PLAIN, PLAIN, PLAIN]]), []);
        let busy = ("NOOP", "421 Busy");
        assert_eq!(rules(&[announcing, &[GREETING, HELO, PLAIN, PLAIN, busy]]), []);
        let begin = ("STARTTLS", "220 2.0.0 Go");
        let tls: &[(&str, &str)] = &[GREETING, EHLO, begin, ("TLS", ""), HELO, PLAIN, PLAIN, PLAIN];
        assert_eq!(rules(&[announcing, tls]), []);
    }

    #[test]
    fn codes_are_announced() {
        let silent = ("EHLO me.example.org", "250-mx.example.org\n250 DSN");
        let (coded, refused) = (("NOOP", "250 2.0.0 Ok"), ("FOO", "500 5.5.1 What?"));
        let rule = RuleId::ENHANCED_CODES_ADVERTISED;
        assert_eq!(rules(&[&[GREETING, silent, PLAIN, coded, refused]]), [(rule, 3)]);
        assert_eq!(rules(&[&[GREETING, silent, coded, refused]]), []);
        assert_eq!(rules(&[&[GREETING, silent, PLAIN, PLAIN, coded, refused]]), []);
        assert_eq!(rules(&[&[GREETING, HELO, coded, coded, refused]]), []);
        assert_eq!(rules(&[&[GREETING, silent, coded, coded, refused], &[GREETING, EHLO]]), []);
    }

    #[test]
    fn codes_are_not_all_vague() {
        let vague = [
            ("FOO", "500 5.0.0 What?"),
            ("MAIL FROM:<", "501 5.0.0 What?"),
            ("RCPT TO:<bob@example.org>", "503 5.0.0 No"),
            ("DATA", "503 5.0.0 No"),
            ("VRFY bob", "450 4.0.0 Later"),
        ];
        let rule = RuleId::ENHANCED_CODE_PRECISE;
        let all = [&[GREETING, EHLO][..], &vague].concat();
        assert_eq!(rules(&[&all]), [(rule, 2)]);
        assert_eq!(rules(&[&all[..6]]), []);
        let precise = [&all[..], &[("BAR", "500 5.5.1 What?")]].concat();
        assert_eq!(rules(&[&precise]), []);
    }

    #[test]
    fn a_mismatched_name_is_not_refused() {
        let refused = |text: &'static str| [GREETING, ("EHLO other.example.org", text)];
        let rule = RuleId::HELLO_MISMATCH_NOT_REFUSED;
        let mismatch = refused("550 5.7.1 EHLO does not match your IP");
        assert_eq!(rules(&[&mismatch, &[GREETING, EHLO]]), [(rule, 1)]);
        assert_eq!(rules(&[&mismatch]), []);
        assert_eq!(rules(&[&refused("550 5.7.1 Your IP is listed"), &[GREETING, EHLO]]), []);
        assert_eq!(rules(&[&refused("450 4.7.1 EHLO does not match your IP"), &[GREETING, EHLO]]), []);
        let literal = [GREETING, ("EHLO [192.0.2.1]", "550 5.7.1 It does not match your IP")];
        assert_eq!(rules(&[&literal, &[GREETING, EHLO]]), []);
    }

    #[test]
    fn tls_discards_the_hello() {
        let (taken, refused) = ("250 2.1.0 Ok", "503 5.5.1 EHLO first");
        let before = |reply| [GREETING, ("MAIL FROM:<bob@example.org>", reply)];
        let after = |reply| {
            [
                GREETING,
                EHLO,
                ("STARTTLS", "220 2.0.0 Go"),
                ("TLS", ""),
                ("MAIL FROM:<bob@example.org>", reply),
            ]
        };
        let rule = RuleId::STARTTLS_FORGETS_SESSION;
        assert_eq!(rules(&[&before(refused), &after(taken)]), [(rule, 4)]);
        assert_eq!(rules(&[&after(taken), &before(refused)]), [(rule, 4)]);
        assert_eq!(rules(&[&before(refused), &after(refused)]), []);
        assert_eq!(rules(&[&before(taken), &after(taken)]), []);
        assert_eq!(rules(&[&after(taken)]), []);
    }
}
