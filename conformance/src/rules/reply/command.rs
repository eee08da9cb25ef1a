//! What the commands of SMTP may be answered (RFC 5321 §4.3.2, and the section of each command).

mod address;
mod control;
mod inquiry;
mod limit;
mod message;
mod opening;
mod parameter;
mod recipient;
mod sender;
mod vocabulary;

use crate::dialogue::End;
use crate::protocol::command::Verb;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_greeting() {
        return opening::greeting(observation, findings);
    }
    opening::stays_open(observation, findings);
    if observation.verb() == Some(Verb::Quit) {
        control::quit(observation, findings);
    }
    if !is_about_act(observation) {
        return;
    }
    match observation.verb() {
        Some(Verb::Ehlo | Verb::Helo | Verb::Lhlo) => opening::hello(observation, findings),
        Some(Verb::Mail) => sender::judge(observation, findings),
        Some(Verb::Rcpt) => recipient::judge(observation, findings),
        Some(Verb::Data) => message::data(observation, findings),
        Some(Verb::Rset) => control::rset(observation, findings),
        Some(Verb::Noop) => control::noop(observation, findings),
        Some(Verb::Vrfy | Verb::Expn | Verb::Help) => inquiry::judge(observation, findings),
        _ => {}
    }
    if observation.is_end_of_data() {
        message::end(observation, findings);
    }
    control::arguments(observation, findings);
    vocabulary::judge(observation, findings);
}

/// Whether the reply tells what the server thinks of the act. One of a server that takes no mail at all, that
/// shuts down, that wants TLS or a login first, or that has had enough of the client does not.
pub(super) fn is_about_act(observation: &Observation<'_>) -> bool {
    let session = observation.session;
    let refused_opening = session.greeting.is_some_and(|number| number / 100 != 2);
    // RFC 3207 §4.1: with too weak a TLS, everything but QUIT gets 554.
    let weak_tls = session.tls && session.hello.is_none() && observation.is(&[554]);
    observation.is_about_command()
        && answers_it(observation)
        && !(refused_opening || session.shut_down || weak_tls || is_about_client(observation))
}

/// Whether a refusal is about what the client did before: it sent too much, or too soon, or it must go.
fn is_about_client(observation: &Observation<'_>) -> bool {
    let recipients = || has_detail(observation, &[(5, 3)]) || says(observation, &["recipient"]);
    let too_much = || says(observation, &["too many"]) && !recipients();
    let too_soon = || says(observation, &["pipelin", "synchroni"]);
    let refused = observation.digit() >= Some(4);
    let closed = observation.exchange.end == End::Closed;
    refused && (closed || observation.verb().is_some() && (too_much() || too_soon()))
}

/// Whether it is the reply that is due: the first, or of those to a message any.
fn answers_it(observation: &Observation<'_>) -> bool {
    observation.nth == 0 || observation.is_end_of_data()
}

/// Whether the session is known from its start.
pub(super) fn is_followed(observation: &Observation<'_>) -> bool {
    observation.session.greeting.is_some()
}

/// 2yz.
fn accepts(observation: &Observation<'_>) -> bool {
    observation.digit() == Some(2)
}

/// 5yz.
fn refuses_for_good(observation: &Observation<'_>) -> bool {
    observation.digit() == Some(5)
}

/// Whether the code is in no list; 3yz is judged by what the command needs.
fn is_outside(observation: &Observation<'_>, lists: &[&[u16]]) -> bool {
    observation.digit() != Some(3) && !lists.iter().any(|list| observation.is(list))
}

/// Whether the enhanced status code has one of these subjects and details.
pub(super) fn has_detail(observation: &Observation<'_>, details: &[(u16, u16)]) -> bool {
    observation.enhanced().is_some_and(|code| details.contains(&(code.subject(), code.detail())))
}

/// Whether the enhanced status code names security or policy, which explains a refusal of anything (RFC 3463
/// §3.8).
fn is_policy(observation: &Observation<'_>) -> bool {
    observation.enhanced().is_some_and(|code| code.subject() == 7)
}

/// Whether the text holds one of these words, given in small letters.
fn says(observation: &Observation<'_>, words: &[&str]) -> bool {
    let text = String::from_utf8_lossy(observation.reply.octets()).to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The reply's codes and what it answers: `550 5.1.1 to RCPT`.
pub(super) fn seen(observation: &Observation<'_>) -> String {
    let number = observation.number().unwrap_or_default();
    let codes = match observation.enhanced() {
        Some(code) => format!("{number} {code}"),
        None => number.to_string(),
    };
    match observation.verb() {
        _ if observation.is_greeting() => format!("{codes} as greeting"),
        _ if observation.is_end_of_data() => format!("{codes} to the message"),
        Some(Verb::Other) => format!("{codes} to an unknown command"),
        Some(verb) => format!("{codes} to {}", verb.name()),
        None => codes,
    }
}

#[cfg(test)]
pub(super) mod tests;
