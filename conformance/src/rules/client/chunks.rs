//! BDAT (RFC 3030).

use super::message::changed_dots;
use super::{Connection, Opinion};
use crate::dialogue::content::content;
use crate::dialogue::session::Step;
use crate::dialogue::{Act, Exchange};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// A reply that the server held back for this long, in milliseconds, came after what the client had sent ahead. Otherwise
/// a chunk that arrives after the reply may have been on its way.
const HELD_BACK: u64 = 250;

pub(super) fn judge(connection: &Connection<'_>, message: &[u8], opinion: &mut Opinion) {
    offered(connection, opinion);
    dots(connection, message, opinion);
    refused(connection, opinion);
}

/// RFC 3030 §2: BDAT is illegal if the server does not offer CHUNKING.
fn offered(connection: &Connection<'_>, opinion: &mut Opinion) {
    for (index, step) in connection.steps.iter().enumerate() {
        if step.verb() != Some(Verb::Bdat) {
            continue;
        }
        if step.session.offers("CHUNKING") {
            opinion.keep(RuleId::CLIENT_UNOFFERED_PARAMETER);
        } else {
            let detail = "BDAT though CHUNKING is not offered";
            opinion.violate(RuleId::CLIENT_UNOFFERED_PARAMETER, connection.location(index), detail);
        }
    }
}

/// RFC 3030 §2: a chunk has its length, so nothing in it is escaped.
fn dots(connection: &Connection<'_>, message: &[u8], opinion: &mut Opinion) {
    let chunks = || connection.steps.iter().filter(|step| step.verb() == Some(Verb::Bdat));
    if !chunks().all(is_whole) {
        return;
    }
    let exchanges: Vec<&Exchange> = connection.steps.iter().map(|step| step.exchange).collect();
    for (index, step) in connection.steps.iter().enumerate() {
        if step.verb() != Some(Verb::Bdat) {
            continue;
        }
        let Some(sent) = content(&exchanges, index) else { continue };
        match changed_dots(message, &sent) {
            Some(true) => {
                let detail =
                    "the lines that begin with a dot are not the given ones, as in a chunk they should be";
                opinion.violate(RuleId::CLIENT_DOT_TRANSPARENCY, connection.location(index), detail);
            }
            Some(false) => opinion.keep(RuleId::CLIENT_DOT_TRANSPARENCY),
            None => {}
        }
    }
}

/// Returns whether all of a chunk is known, and was not refused.
fn is_whole(step: &Step<'_>) -> bool {
    let Act::Chunk { octets, .. } = &step.exchange.act else { return false };
    let length = step.command.and_then(|command| command.chunk_length());
    length == Some(octets.len()) && step.number().is_none_or(|number| number < 400)
}

/// RFC 3030 §2: after a chunk that failed, RSET comes before anything else of the message. Chunks that were sent before the
/// reply are exempt.
fn refused(connection: &Connection<'_>, opinion: &mut Opinion) {
    for (index, step) in connection.steps.iter().enumerate() {
        let has_failed = step.verb() == Some(Verb::Bdat) && step.number().is_some_and(|number| number >= 400);
        if !has_failed || step.exchange.pipelined {
            continue;
        }
        let mut after = connection.steps.iter().skip(index + 1);
        match after.find_map(Step::verb) {
            Some(Verb::Bdat | Verb::Data) if has_seen_reply(step) => {
                let detail = "another chunk after one that failed";
                opinion.violate(
                    RuleId::CLIENT_STOPS_AFTER_FAILED_BDAT,
                    connection.location(index + 1),
                    detail,
                );
            }
            Some(Verb::Rset | Verb::Quit) | None => opinion.keep(RuleId::CLIENT_STOPS_AFTER_FAILED_BDAT),
            _ => {}
        }
    }
}

/// Returns whether what came after the reply was also sent after it.
fn has_seen_reply(step: &Step<'_>) -> bool {
    let millis = step.exchange.answers.first().map_or(0, |answer| answer.millis);
    !step.session.offers("PIPELINING") || millis >= HELD_BACK
}
