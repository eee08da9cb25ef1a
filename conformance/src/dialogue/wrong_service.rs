//! Recognizes servers that speak a protocol other than the one they are tested for.

use crate::dialogue::{Dialogue, Exchange};
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::protocol::reply;

/// How other services begin their answers, and what is reported. A reply begins with three digits (RFC 5321 §4.2).
const BEGINNINGS: [(&[u8], &str); 8] = [
    (b"HTTP/", "an HTTP server answers"),
    (b"* OK", "an IMAP server answers"),
    (b"* PREAUTH", "an IMAP server answers"),
    (b"* BYE", "an IMAP server answers"),
    (b"+OK", "a POP3 server answers"),
    (b"-ERR", "a POP3 server answers"),
    (b"SSH-", "an SSH server answers"),
    // An alert; RFC 8446 §5.1.
    (b"\x15\x03", "the server answers in TLS: use smtps:// if it begins with TLS"),
];

/// Returns what shows with certainty that the server speaks another protocol, so that no rule applies to it.
#[must_use]
pub(crate) fn wrong_service(dialogue: &Dialogue) -> Option<&'static str> {
    let mut answers = dialogue.exchanges.iter().flat_map(|exchange| &exchange.answers);
    let first = answers.next()?.octets.as_slice();
    if let Some((_, sight)) = BEGINNINGS.iter().find(|(beginning, _)| first.starts_with(beginning)) {
        return Some(sight);
    }
    if reply::number(first).is_none() && first.contains(&0) {
        return Some("the answer is not text; it may come from a database server");
    }
    let answers_to = |wanted: Verb| {
        let is_wanted = move |exchange: &&Exchange| {
            exchange.sure && exchange.command().is_some_and(|command| command.verb() == wanted)
        };
        dialogue.exchanges.iter().filter(is_wanted).filter_map(Exchange::number)
    };
    let knows = |verb| answers_to(verb).any(|number| number == 250);
    let lacks = |verb| {
        let mut numbers = answers_to(verb).peekable();
        numbers.peek().is_some() && numbers.all(|number| matches!(number, 500 | 502))
    };
    // RFC 3977 §5.1.1.
    let other = if dialogue.protocol == Protocol::Lmtp { Verb::Lhlo } else { Verb::Helo };
    if matches!(reply::number(first), Some(200 | 201)) && lacks(Verb::Ehlo) && lacks(other) {
        return Some("an NNTP server answers");
    }
    match dialogue.protocol {
        Protocol::Lmtp if lacks(Verb::Lhlo) && knows(Verb::Ehlo) => {
            Some("the server accepts EHLO and not LHLO: use smtp:// or submission://")
        }
        // RFC 2033 §4.1: an LMTP server accepts neither EHLO nor HELO.
        Protocol::Smtp | Protocol::Submission
            if lacks(Verb::Ehlo) && lacks(Verb::Helo) && knows(Verb::Lhlo) =>
        {
            Some("the server accepts LHLO and not EHLO: use lmtp://")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::wrong_service;
    use crate::dialogue::{Act, Answer, Dialogue, Exchange};
    use crate::protocol::Protocol;

    /// A dialogue of acts and replies. An empty act means connecting.
    fn dialogue(protocol: Protocol, said: &[(&str, &[u8])]) -> Dialogue {
        let exchange = |(act, reply): &(&str, &[u8])| {
            let act = if act.is_empty() { Act::Connect } else { Act::Command(format!("{act}\r\n").into()) };
            let answers = if reply.is_empty() {
                Vec::new()
            } else {
                vec![Answer { octets: reply.to_vec(), millis: 0 }]
            };
            Exchange { answers, ..Exchange::new(act) }
        };
        Dialogue { protocol, exchanges: said.iter().map(exchange).collect(), ..Dialogue::default() }
    }

    #[test]
    fn other_services_are_recognized() {
        let lmtp: [(&str, &[u8]); 4] = [
            ("", b"220 a\r\n"),
            ("EHLO b", b"502 5.5.1\r\n"),
            ("HELO b", b"500 5.5.1\r\n"),
            ("LHLO b", b"250 a\r\n"),
        ];
        let [greeted, without_ehlo, without_helo, lhlo] = lmtp;
        let (ehlo, refused) =
            (("EHLO b", b"250 a\r\n".as_slice()), ("LHLO b", b"500 5.5.1 what?\r\n".as_slice()));
        for (protocol, said, sight) in [
            (Protocol::Smtp, [("", b"* OK IMAP4rev1\r\n".as_slice())].as_slice(), "IMAP"),
            (Protocol::Smtp, &[("", b"* BYE\r\n")], "IMAP"),
            (Protocol::Submission, &[("", b"+OK ready\r\n")], "POP3"),
            (Protocol::Submission, &[("", b"-ERR busy\r\n")], "POP3"),
            (Protocol::Lmtp, &[("", b"SSH-2.0-OpenSSH_9.2\r\n")], "SSH"),
            (Protocol::Smtp, &[("", b""), ("EHLO b", b"HTTP/1.1 400 Bad Request\r\n")], "HTTP"),
            (Protocol::Smtp, &[("", b""), ("EHLO b", b"\x15\x03\x01\x00\x02\x02\x16")], "smtps://"),
            (Protocol::Smtp, &[("", b"J\0\0\0\x0a8.0.36\0")], "not text"),
            (Protocol::Smtp, &[("", b"200 news\r\n"), without_ehlo, without_helo], "NNTP"),
            (Protocol::Lmtp, &[("", b"201 news\r\n"), refused, without_ehlo], "NNTP"),
            (Protocol::Smtp, &lmtp, "lmtp://"),
            (Protocol::Submission, &lmtp, "lmtp://"),
            (Protocol::Lmtp, &[greeted, refused, ehlo], "smtp://"),
        ] {
            let seen = wrong_service(&dialogue(protocol, said));
            assert!(seen.is_some_and(|seen| seen.contains(sight)), "{said:?}: {seen:?}");
        }
        for (protocol, said) in [
            // Bad servers that nevertheless speak the protocol.
            (Protocol::Smtp, [greeted, ehlo, lhlo].as_slice()),
            (Protocol::Smtp, &[greeted, without_ehlo, ("HELO b", b"250 a\r\n"), lhlo]),
            (Protocol::Smtp, &[greeted, without_ehlo, lhlo]),
            (Protocol::Smtp, &[greeted, without_ehlo, without_helo, refused]),
            (Protocol::Lmtp, &lmtp),
            (Protocol::Lmtp, &[greeted, refused]),
            (Protocol::Lmtp, &[greeted, refused, without_ehlo]),
            (Protocol::Lmtp, &[greeted, refused, lhlo, ehlo]),
            (Protocol::Lmtp, &[greeted, ("LHLO b", b"421 4.3.2\r\n")]),
            (Protocol::Smtp, &[("", b"200 mx\r\n"), ehlo]),
            (Protocol::Smtp, &[("", b"200 mx\r\n")]),
            (Protocol::Smtp, &[("", b"220 mx\0\r\n")]),
            (Protocol::Smtp, &[("", b"OK 220\r\n")]),
            (Protocol::Smtp, &[("", b"")]),
            (Protocol::Smtp, &[]),
        ] {
            assert_eq!(wrong_service(&dialogue(protocol, said)), None, "{said:?}");
        }
    }
}
