//! Replies that a server keeps back until the client sends more (RFC 2920 §3.2).

use crate::counted::counted;
use crate::dialogue::batch::{Batch, due, is_plain, is_wait};
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End, Exchange};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings};

/// The milliseconds within which a reply comes at once.
const AT_ONCE: u64 = 1000;

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    for (nth, batch) in connection.batches().iter().enumerate() {
        let after = connection.batches().get(nth + 1..).unwrap_or_default();
        if let Some((act, shown)) = released(connection, *batch, after) {
            let missing = batch.least().saturating_sub(batch.answers());
            let is_split = batch.acts().last().is_some_and(|(_, last)| !last.exchange.ahead.is_empty());
            let more = if is_split { "the rest of the next command" } else { "another command" };
            let detail = format!("{}, only after the client sent {more}", counted(missing, "reply"));
            let location = connection.location(act, None);
            findings.at(location).add_shown(RuleId::PIPELINED_REPLIES_SENT_AT_ONCE, detail, shown);
        }
    }
}

/// Returns the first act of a batch whose reply the server kept back, and the exchange whose act made the server send it.
///
/// A slow server is no proof. So the client must have waited in vain, the reply must have come as soon as the client sent
/// more, and the server must have answered the same command at once before.
fn released(connection: &Connection<'_>, batch: Batch<'_>, after: &[Batch<'_>]) -> Option<(usize, usize)> {
    let (_, last) = batch.acts().last()?;
    let is_group = batch.is_pipelined() || !last.exchange.ahead.is_empty();
    let is_proper = batch.acts().all(|(_, step)| !step.exchange.pipelined || step.exchange.may_be_followed());
    let (act, _) = batch.unanswered()?;
    let before = connection.steps.get(..batch.start).unwrap_or_default();
    let is_quick = |step: &Step<'_>| before.iter().any(|earlier| is_answered_at_once(earlier, step));
    let (shown, next) = after.first()?.all().next()?;
    let is_released = next.exchange.end == End::Answered && is_at_once(next.exchange);
    let is_kept = is_group
        && is_proper
        && batch.offers_pipelining()
        && last.exchange.end == End::TimedOut
        && batch.acts().all(|(at, step)| at < act || is_quick(step))
        && is_released
        && are_all_answered(batch, after);
    is_kept.then_some((act, shown))
}

/// Returns whether an earlier command was the same as another, the client awaited its reply, and the reply came at once.
fn is_answered_at_once(earlier: &Step<'_>, step: &Step<'_>) -> bool {
    let is_same = match step.verb() {
        Some(Verb::Other) => earlier.exchange.act == step.exchange.act,
        verb => verb.is_some() && earlier.verb() == verb,
    };
    let exchange = earlier.exchange;
    let is_awaited = exchange.end == End::Answered && !exchange.pipelined && exchange.ahead.is_empty();
    is_same && is_awaited && is_at_once(exchange)
}

fn is_at_once(exchange: &Exchange) -> bool {
    exchange.answers.first().is_some_and(|answer| answer.millis <= AT_ONCE)
}

/// Returns whether as many replies as are due came up to a QUIT, the last of them its 221. As replies come in the order of
/// commands, those that a batch lacked came after the client sent more.
fn are_all_answered(batch: Batch<'_>, after: &[Batch<'_>]) -> bool {
    let ends = |batch: &Batch<'_>| batch.acts().any(|(_, step)| step.verb() == Some(Verb::Quit));
    let Some(quit) = after.iter().position(ends) else { return false };
    let batches = || [batch].into_iter().chain(after.iter().copied().take(quit + 1));
    let mut numbers = batches().flat_map(Batch::replies).map(|(.., reply)| reply.number());
    let closes = |number: Option<u16>| number == Some(421);
    let is_command = |step: &Step<'_>| matches!(step.exchange.act, Act::Command(_)) && is_plain(step);
    let mut steps = batches().flat_map(Batch::all);
    let due: usize = batches().flat_map(Batch::acts).map(|(_, step)| *due(step).end()).sum();
    let came: usize = batches().map(Batch::answers).sum();
    came == due
        && steps.all(|(_, step)| is_wait(step) || is_command(step))
        && batches().flat_map(Batch::replies).last().and_then(|(.., reply)| reply.number()) == Some(221)
        && !numbers.any(closes)
}
