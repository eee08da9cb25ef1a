//! Helpers for the tests of these rules.

use crate::dialogue::{Act, Answer, Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::rules::reply::command::tests::parted;
use crate::rules::{Strictness, judge};

/// An act and the reply, whose lines are separated by LF. Line ends are added. An empty act is connecting, `TLS` is
/// the handshake, and `>` begins a response to a challenge. `|` begins a message with its line ends or, after a BDAT
/// line, the octets of the chunk.
pub(super) type Line<'a> = (&'a str, &'a str);

/// Returns the EHLO reply of a server that offers these keywords and enhanced status codes.
pub(super) fn offers(keywords: &str) -> String {
    format!("250-mx.example.org\n250-{}\n250 ENHANCEDSTATUSCODES", keywords.replace('\n', "\n250-"))
}

/// Returns the rules of this module that the last reply breaks: `rule` or `rule/condition`.
pub(super) fn broken(protocol: Protocol, lines: &[Line<'_>], knowledge: &Knowledge) -> Vec<String> {
    let exchanges: Vec<Exchange> = lines.iter().map(|line| exchange(*line)).collect();
    let last = exchanges.len() - 1;
    let dialogue = Dialogue { protocol, exchanges, ..Dialogue::default() };
    let judgement = judge(&[dialogue], knowledge, Strictness::default());
    let ours = |finding: &&Finding| finding.location.exchange == last && is_ours(finding.rule);
    judgement.findings.iter().filter(ours).map(name).collect()
}

/// Checks which rules the last reply of each script breaks, separated by blanks. `before` precedes each script.
pub(super) fn check(protocol: Protocol, before: &[Line<'_>], cases: &[(&[Line<'_>], &str)]) {
    for (lines, expected) in cases {
        let script = [before, lines].concat();
        let found = broken(protocol, &script, &Knowledge::default());
        assert_eq!(found.join(" "), *expected, "{lines:?}");
        let Some((sent, reply)) = script.last() else { continue };
        for parted in parted(reply, "\n") {
            let parted = [&script[..script.len() - 1], &[(*sent, parted.as_str())]].concat();
            let found = broken(protocol, &parted, &Knowledge::default());
            assert_eq!(found.join(" "), *expected, "the same reply on two lines: {parted:?}");
        }
    }
}

fn is_ours(rule: RuleId) -> bool {
    let label = rule.rule().label;
    label.starts_with("EX-") || matches!(label, "RG-07" | "RG-08" | "RG-09" | "RG-13" | "RG-14")
}

fn name(finding: &Finding) -> String {
    match finding.condition {
        Some(condition) => format!("{}/{condition}", finding.rule),
        None => finding.rule.to_string(),
    }
}

fn exchange((sent, reply): Line<'_>) -> Exchange {
    let line = |text: &str| format!("{text}\r\n").into_bytes();
    let act = match (sent, sent.split_once('|')) {
        ("", _) => Act::Connect,
        ("TLS", _) => Act::Handshake,
        (_, Some(("", message))) => Act::Message(message.into()),
        (_, Some((command, octets))) => Act::Chunk { command: line(command), octets: octets.into() },
        _ => match sent.strip_prefix('>') {
            Some(response) => Act::Response(line(response)),
            None => command(line(sent)),
        },
    };
    let answers = match reply {
        "" => Vec::new(),
        reply => vec![Answer { octets: format!("{}\r\n", reply.replace('\n', "\r\n")).into(), millis: 0 }],
    };
    Exchange { answers, ..Exchange::new(act) }
}

fn command(octets: Vec<u8>) -> Act {
    let command = Command::read(&octets);
    if command.verb() == Verb::Bdat && command.words().next() == Some(b"0") {
        Act::Chunk { command: octets, octets: Vec::new() }
    } else {
        Act::Command(octets)
    }
}
