//! When a client may send more before it has the reply (RFC 2920).

use super::{Connection, Opinion};
use crate::dialogue::Act;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    for (index, step) in connection.steps.iter().enumerate() {
        if !step.exchange.pipelined {
            continue;
        }
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
