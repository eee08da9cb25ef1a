//! When a client may send more before it has the reply (RFC 2920).

use super::accepted::completes_message;
use super::{Connection, Opinion};
use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    for (index, step) in connection.steps.iter().enumerate() {
        // After a reply too many, a client that counts replies is ahead of the server.
        if index > 0 && has_surplus(&connection.steps[index - 1]) {
            break;
        }
        // The server has taken the rest of a message for commands.
        if step.session.leaves_message_open(&step.exchange.act) {
            break;
        }
        if !step.exchange.pipelined {
            continue;
        }
        replies_for_each(connection, index, opinion);
        let is_offered = step.session.offers("PIPELINING");
        if is_offered && step.exchange.may_be_followed() {
            continue;
        }
        let what = match (&step.exchange.act, step.command) {
            (Act::Connect, _) => "the greeting".to_owned(),
            (Act::Message(_), _) => "the reply to the message".to_owned(),
            (_, Some(command)) if command.verb() != Verb::Other => {
                format!("the reply to {}", command.verb().name())
            }
            _ => continue,
        };
        let why = if is_offered { "" } else { ", and PIPELINING is not offered" };
        let detail = format!("the client sent more before {what}{why}");
        let condition = (step.exchange.act == Act::Connect).then_some("greeting");
        let rule = RuleId::CLIENT_WAITS_FOR_REPLIES;
        opinion.violate_under(condition, rule, connection.location(index), detail);
    }
    if connection.steps.len() > 1 {
        opinion.keep(RuleId::CLIENT_WAITS_FOR_REPLIES);
    }
}

/// RFC 2033 §4.2: after a message there is a reply for each recipient. A client that goes on after the first takes it for
/// the reply to all of them.
fn replies_for_each(connection: &Connection<'_>, index: usize, opinion: &mut Opinion) {
    let step = &connection.steps[index];
    let due = step.session.recipients();
    let is_local = step.session.protocol == Protocol::Lmtp && completes_message(step);
    if let Some(sent) = step.exchange.ahead_of.filter(|sent| is_local && (1..due).contains(sent)) {
        let detail = format!("the client went on after {sent} of {due} replies to the message");
        opinion.violate(RuleId::CLIENT_LMTP_PER_RECIPIENT, connection.location(index), detail);
    }
}

/// Returns whether an act has more replies than it asked for.
fn has_surplus(step: &Step<'_>) -> bool {
    // RFC 2033 §4.2: one reply for each recipient that was accepted.
    let due = match step.session.protocol {
        Protocol::Lmtp if completes_message(step) => step.session.recipients().max(1),
        _ => 1,
    };
    step.exchange.received() > due
}
