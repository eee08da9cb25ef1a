//! Rules about the replies that each SMTP command may have (RFC 5321 §4.3.2, and the section of each command).

mod address;
mod characters;
mod control;
mod demand;
mod header;
mod inquiry;
mod limit;
mod message;
mod opening;
mod parameter;
mod path;
mod recipient;
mod sender;
mod sequence;
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
    opening::remedy(observation, findings);
    message::access_denied(observation, findings);
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
    characters::judge(observation, findings);
    control::arguments(observation, findings);
    control::trailing_blank(observation, findings);
    sequence::in_order(observation, findings);
    vocabulary::judge(observation, findings);
}

/// Returns whether the reply is about the act itself. It is not if the server accepts no mail at all, shuts down,
/// demands TLS or authentication first, or reacts to what the client did before.
pub(super) fn is_about_act(observation: &Observation<'_>) -> bool {
    let session = observation.session;
    let refused_opening = session.greeting.is_some_and(|number| number / 100 != 2);
    // RFC 3207 §4.1: if the TLS session is too weak, every command but QUIT gets 554.
    let weak_tls = session.tls && session.hello.is_none() && observation.is(&[554]);
    observation.is_about_command()
        && answers_it(observation)
        && !(refused_opening
            || session.shut_down
            || weak_tls
            || observation.refuses_weak_tls()
            || observation.demands_login()
            || is_on_demand_relay(observation)
            || is_about_client(observation))
}

/// RFC 2645 §5.4: a server for on-demand relay may answer 502 to all commands but EHLO, AUTH, ATRN and QUIT. It lists
/// ATRN, or has the port of this service (§4), and takes no message.
fn is_on_demand_relay(observation: &Observation<'_>) -> bool {
    const PORT: u16 = 366;
    let session = observation.session;
    let is_own_port = observation.knowledge.port.or(session.port) == Some(PORT);
    let needed = matches!(observation.verb(), None | Some(Verb::Ehlo | Verb::Auth | Verb::Atrn | Verb::Quit));
    let relays = is_own_port || session.run_lists_atrn;
    relays && observation.is(&[502]) && !needed && session.transaction.is_none()
}

/// Returns whether a refusal is about what the client did before: it sent too much or too soon, or the server closes.
fn is_about_client(observation: &Observation<'_>) -> bool {
    let recipients = || observation.has_detail(&[(5, 3)]) || observation.says(&["recipient"]);
    let too_much = || observation.says(&["too many"]) && !recipients();
    let too_soon = || observation.says(&["pipelin", "synchroni"]);
    let refused = observation.digit() >= Some(4);
    // A command that the server claims not to know is not refused because the server closes.
    let closed = observation.exchange.end == End::Closed && !observation.is(&[500, 502]);
    refused && (closed || observation.verb().is_some() && (too_much() || too_soon()))
}

/// Returns whether the reply is one that is due: the first one, or any of those to a message.
fn answers_it(observation: &Observation<'_>) -> bool {
    observation.is_due() || observation.is_end_of_data() && !observation.is_lost()
}

/// Returns whether the session is known from its greeting on.
pub(super) fn is_followed(observation: &Observation<'_>) -> bool {
    observation.session.greeting.is_some()
}

/// Returns whether the code is in none of the lists. Other rules judge 3yz.
fn is_outside(observation: &Observation<'_>, lists: &[&[u16]]) -> bool {
    observation.digit() != Some(3) && !lists.iter().any(|list| observation.is(list))
}

/// Returns whether the enhanced status code is about security or policy, which can be the reason to refuse anything
/// (RFC 3463 §3.8).
fn is_policy(observation: &Observation<'_>) -> bool {
    observation.enhanced().is_some_and(|code| code.subject() == 7)
}

/// Describes a reply by its codes and what it answers: `550 5.1.1 to RCPT`.
pub(super) fn seen(observation: &Observation<'_>) -> String {
    let codes = observation.codes();
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
