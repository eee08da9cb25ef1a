//! Tests of the dialogue rules on dialogues built by hand.

mod closing;
mod counts;
mod state;

use crate::dialogue::{Act, Answer, Dialogue, End, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::rules::catalogue::RuleId;
use crate::rules::{Strictness, judge};

const RULES: [RuleId; 20] = [
    RuleId::ONE_REPLY_PER_COMMAND,
    RuleId::CONTINUATION_BY_HYPHEN,
    RuleId::CLOSES_ONLY_WHEN_ALLOWED,
    RuleId::LISTED_CAPABILITY_WORKS,
    RuleId::ENHANCED_CODE_WITHOUT_EHLO,
    RuleId::ENHANCED_CODES_ADVERTISED,
    RuleId::ENHANCED_CODE_AFTER_TLS,
    RuleId::ENHANCED_CODE_PRECISE,
    RuleId::REFUSED_OPENING_WAITS_FOR_QUIT,
    RuleId::END_OF_DATA_ONE_REPLY,
    RuleId::HELLO_RESETS_STATE,
    RuleId::FAILED_CHUNK_DISCARDED,
    RuleId::PIPELINED_REPLIES_IN_ORDER,
    RuleId::DSN_PARAMETER_NEUTRAL,
    RuleId::AUTH_THREE_ATTEMPTS,
    RuleId::LMTP_REPLY_PER_RECIPIENT,
    RuleId::LMTP_BDAT_REPLY_PER_RECIPIENT,
    RuleId::SUBMISSION_TWO_MINUTES,
    RuleId::HELLO_MISMATCH_NOT_REFUSED,
    RuleId::STARTTLS_FORGETS_SESSION,
];

/// The reply of the tested servers to EHLO.
pub(in crate::rules) const OFFERS: &str = "250-mx.example.org\n250-PIPELINING\n250-CHUNKING\n250-DSN\n\
     250-SIZE 1000\n250-VRFY\n250-AUTH PLAIN\n250-STARTTLS\n250 ENHANCEDSTATUSCODES";

/// An act and its replies, which are given without line ends.
pub(in crate::rules) fn said(act: Act, replies: &[&str]) -> Exchange {
    let answer =
        |reply: &&str| Answer { octets: format!("{}\r\n", reply.replace('\n', "\r\n")).into(), millis: 0 };
    Exchange { answers: replies.iter().map(answer).collect(), ..Exchange::new(act) }
}

pub(in crate::rules) fn connect(replies: &[&str]) -> Exchange {
    said(Act::Connect, replies)
}

pub(in crate::rules) fn command(line: &str, replies: &[&str]) -> Exchange {
    said(Act::Command(format!("{line}\r\n").into()), replies)
}

fn message(text: &str, replies: &[&str]) -> Exchange {
    said(Act::Message(format!("{text}.\r\n").into()), replies)
}

fn chunk(text: &str, last: &str, replies: &[&str]) -> Exchange {
    let command = format!("BDAT {}{last}\r\n", text.len()).into();
    said(Act::Chunk { command, octets: text.into() }, replies)
}

fn wait(replies: &[&str]) -> Exchange {
    Exchange { sure: false, ..said(Act::Wait, replies) }
}

pub(in crate::rules) fn handshake() -> Exchange {
    Exchange::new(Act::Handshake)
}

fn closed(exchange: Exchange) -> Exchange {
    Exchange { end: End::Closed, ..exchange }
}

fn timed_out(exchange: Exchange) -> Exchange {
    Exchange { end: End::TimedOut, ..exchange }
}

fn unsure(exchange: Exchange) -> Exchange {
    Exchange { sure: false, ..exchange }
}

/// Acts that were sent together. As in the client, an act without a reply makes all of them unsure.
fn pipeline(mut exchanges: Vec<Exchange>) -> Vec<Exchange> {
    let missing = exchanges.iter().any(|exchange| exchange.answers.is_empty());
    let last = exchanges.len() - 1;
    for (position, exchange) in exchanges.iter_mut().enumerate() {
        exchange.pipelined = position < last;
        exchange.sure &= !missing;
    }
    exchanges
}

/// A session with the exchanges that follow EHLO, which is exchange 1.
fn session(rest: Vec<Exchange>) -> Vec<Exchange> {
    begun("EHLO me.example.org", rest)
}

fn begun(hello: &str, rest: Vec<Exchange>) -> Vec<Exchange> {
    let mut exchanges = vec![connect(&["220 mx.example.org"]), command(hello, &[OFFERS])];
    exchanges.extend(rest);
    exchanges
}

/// A session with a transaction of `recipients`; `rest` begins at exchange 3 + `recipients`.
fn transaction(hello: &str, recipients: usize, rest: Vec<Exchange>) -> Vec<Exchange> {
    let mut exchanges = vec![command("MAIL FROM:<bob@example.org>", &["250 2.1.0 Ok"])];
    let recipient = |n| command(&format!("RCPT TO:<u{n}@example.org>"), &["250 2.1.5 Ok"]);
    exchanges.extend((0..recipients).map(recipient));
    exchanges.extend(rest);
    begun(hello, exchanges)
}

fn data() -> Exchange {
    command("DATA", &["354 Go"])
}

fn quit() -> Exchange {
    closed(command("QUIT", &["221 2.0.0 Bye"]))
}

/// What the dialogue rules find: the rule, the condition, and the index of the exchange.
pub(in crate::rules) fn found(dialogues: &[Dialogue]) -> Vec<(RuleId, Option<&'static str>, usize)> {
    let judgement = judge(dialogues, &Knowledge::default(), Strictness::default());
    let ours = judgement.findings.into_iter().filter(|finding| RULES.contains(&finding.rule));
    ours.map(|finding| (finding.rule, finding.condition, finding.location.exchange)).collect()
}

/// A name, the exchanges of a dialogue, and the rule that it breaks, with the index of the exchange.
type Example = (&'static str, Vec<Exchange>, Option<(RuleId, usize)>);

fn check(protocol: Protocol, examples: Vec<Example>) {
    for (name, exchanges, expected) in examples {
        let found = found(&[Dialogue { protocol, exchanges, ..Dialogue::default() }]);
        let found: Vec<(RuleId, usize)> =
            found.into_iter().map(|(rule, _, exchange)| (rule, exchange)).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}
