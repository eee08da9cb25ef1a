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
    use crate::dialogue::Dialogue;
    use crate::protocol::Protocol;
    use crate::protocol::Protocol::{Lmtp, Smtp, Submission};
    use crate::readers::testing::spoken;

    const GREETING: &str = "S: 220 a";
    const EHLO: &str = "C: EHLO b\nS: 250 a";
    const NO_EHLO: &str = "C: EHLO b\nS: 502 5.5.1";
    const NO_HELO: &str = "C: HELO b\nS: 500 5.5.1";
    const LHLO: &str = "C: LHLO b\nS: 250 a";
    const NO_LHLO: &str = "C: LHLO b\nS: 500 5.5.1 what?";

    fn seen(protocol: Protocol, pieces: &[&str]) -> Option<&'static str> {
        let dialogues = spoken(protocol, &pieces.join("\n"));
        dialogues.first().and_then(wrong_service)
    }

    #[test]
    fn other_services_are_recognized() {
        let rows: &[(Protocol, &[&str], &str)] = &[
            (Smtp, &["S: * OK IMAP4rev1"], "IMAP"),
            (Smtp, &["S: * BYE"], "IMAP"),
            (Submission, &["S: +OK ready"], "POP3"),
            (Submission, &["S: -ERR busy"], "POP3"),
            (Lmtp, &["S: SSH-2.0-OpenSSH_9.2"], "SSH"),
            (Smtp, &["#: timeout", "C: EHLO b", "S: HTTP/1.1 400 Bad Request"], "HTTP"),
            (Smtp, &["#: timeout", "C: EHLO b", "S: \\x15\\x03\\x01\\x00\\x02\\x02\\x16\\+"], "smtps://"),
            (Smtp, &["S: J\\x00\\x00\\x00\\n", "S: 8.0.36\\x00\\+"], "not text"),
            (Smtp, &["S: 200 news", NO_EHLO, NO_HELO], "NNTP"),
            (Lmtp, &["S: 201 news", NO_LHLO, NO_EHLO], "NNTP"),
            (Smtp, &[GREETING, NO_EHLO, NO_HELO, LHLO], "lmtp://"),
            (Submission, &[GREETING, NO_EHLO, NO_HELO, LHLO], "lmtp://"),
            (Lmtp, &[GREETING, NO_LHLO, EHLO], "smtp://"),
        ];
        for (protocol, pieces, sight) in rows {
            let seen = seen(*protocol, pieces);
            assert!(seen.is_some_and(|seen| seen.contains(sight)), "{pieces:?}: {seen:?}");
        }
    }

    #[test]
    fn bad_servers_that_nevertheless_speak_the_protocol_are_not() {
        let rows: &[(Protocol, &[&str])] = &[
            (Smtp, &[GREETING, EHLO, LHLO]),
            (Smtp, &[GREETING, NO_EHLO, "C: HELO b\nS: 250 a", LHLO]),
            (Smtp, &[GREETING, NO_EHLO, LHLO]),
            (Smtp, &[GREETING, NO_EHLO, NO_HELO, NO_LHLO]),
            (Lmtp, &[GREETING, NO_EHLO, NO_HELO, LHLO]),
            (Lmtp, &[GREETING, NO_LHLO]),
            (Lmtp, &[GREETING, NO_LHLO, NO_EHLO]),
            (Lmtp, &[GREETING, NO_LHLO, LHLO, EHLO]),
            (Lmtp, &[GREETING, "C: LHLO b", "S: 421 4.3.2"]),
            (Smtp, &["S: 200 mx", EHLO]),
            (Smtp, &["S: 200 mx"]),
            (Smtp, &["S: 220 mx\\x00"]),
            (Smtp, &["S: OK 220"]),
            (Smtp, &["#: connected"]),
        ];
        for (protocol, pieces) in rows {
            assert_eq!(seen(*protocol, pieces), None, "{pieces:?}");
        }
        assert_eq!(wrong_service(&Dialogue::default()), None);
    }
}
