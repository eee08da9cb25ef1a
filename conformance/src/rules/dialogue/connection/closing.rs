//! When a server may close, and when it must (RFC 5321 §3.8, §4.1.1.10).

use crate::counted::counted;
use crate::dialogue::batch::{Batch, Count, due, is_wait};
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings, counted_acts, is_proper};

/// From this number of refusals on, a server may assume an attack and defend itself (RFC 5321 §7.8). Exim tolerates
/// three.
const MANY_REFUSALS: usize = 4;

/// From this number of unknown commands on, a server may assume an attack. Below it, RFC 5321 §3.8 wants it to be tolerant
/// of them.
const MANY_UNKNOWN: usize = 10;

/// The number of failed logins that a server should allow (RFC 4954 §9).
const LEAST_ATTEMPTS: usize = 3;

/// Words of servers that defend themselves or close an idle connection.
const DEFENCES: [&str; 6] = ["too many", "synchroni", "pipelin", "timeout", "timed out", "idle"];

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    answers_after_refusal(connection, findings);
    stays_open(connection, findings);
    let Some(closing) = Closing::find(connection) else { return };
    if connection.steps.first().is_some_and(|step| step.number() == Some(554)) {
        refused_opening(connection, &closing, findings);
    } else if closing.last.is_some_and(|(.., number)| number == 535) {
        failed_logins(connection, &closing, findings);
    } else if closing.is_unexplained(connection) {
        closes(connection, &closing, findings);
    }
}

/// A server's closing that the client did not ask for and no 421 announced.
struct Closing<'a> {
    /// The index of the exchange in which it happened.
    at: usize,
    step: &'a Step<'a>,
    batch: Batch<'a>,
    /// The last reply: the index of its exchange, its index there, and its code.
    last: Option<(usize, usize, u16)>,
    /// The number of unknown commands that were refused before.
    unknown: usize,
}

impl<'a> Closing<'a> {
    fn find(connection: &Connection<'a>) -> Option<Closing<'a>> {
        let steps = connection.steps;
        let broken = steps.iter().position(|step| matches!(step.exchange.end, End::Closed | End::Failed))?;
        let batch = *connection.batches().iter().rfind(|batch| batch.start <= broken)?;
        // The number of replies is not known after an act that can be read otherwise, after QUIT, and after 421.
        let known = match connection.odd() {
            None => true,
            Some((odd, Count::Fewer)) => odd.start >= batch.start,
            Some((odd, _)) => odd.start > batch.start,
        };
        let until = steps.get(..=broken)?;
        let step = until.last().filter(|step| step.exchange.end == End::Closed)?;
        let quit = until.iter().any(|step| step.verb() == Some(Verb::Quit));
        let numbers = |(exchange, step): (usize, &'a Step<'a>)| {
            let replies = step.replies.iter().enumerate();
            replies.filter_map(move |(nth, reply)| Some((exchange, nth, reply.number()?)))
        };
        let replies: Vec<(usize, usize, u16)> = until.iter().enumerate().flat_map(numbers).collect();
        let last = replies.last().copied();
        let refused = || replies.iter().filter(|(.., number)| *number >= 400);
        let refusals = refused().count();
        let unknown = refused().filter(|(exchange, ..)| until.get(*exchange).is_some_and(is_unknown)).count();
        let limit = if unknown == refusals { MANY_UNKNOWN } else { MANY_REFUSALS };
        let closing = Closing { at: broken, step, batch, last, unknown };
        (known && !quit && refusals < limit && !closing.is_defence(connection)).then_some(closing)
    }

    /// Returns whether the last reply answers an unknown command.
    fn is_after_unknown(&self, connection: &Connection<'_>) -> bool {
        let step = self.last.and_then(|(exchange, ..)| connection.steps.get(exchange));
        step.is_some_and(is_unknown) && self.last.is_some_and(|(.., number)| number >= 500)
    }

    /// Returns the RSET, alone in its packet, at which the server closed: it has no reply, or the last one. A NOOP without
    /// a reply after it only shows that the connection was closed before.
    fn reset(&self, connection: &Connection<'_>) -> Option<usize> {
        let probes = self.step.verb() == Some(Verb::Noop);
        let at =
            if self.is_pending() && !probes { self.at } else { self.last.map(|(exchange, ..)| exchange)? };
        let step = connection.steps.get(at)?;
        let bare = step.command.is_some_and(|command| command.argument().is_empty());
        (bare && !self.batch.is_pipelined() && step.verb() == Some(Verb::Rset)).then_some(at)
    }

    /// Returns whether the text or the code of the last reply explains the closing.
    fn is_defence(&self, connection: &Connection<'_>) -> bool {
        let Some((exchange, nth, number)) = self.last else { return false };
        let reply = connection.steps.get(exchange).and_then(|step| step.replies.get(nth));
        matches!(number, 221 | 421 | 521) || number >= 400 && reply.is_some_and(|reply| reply.says(&DEFENCES))
    }

    /// Returns whether the act has no reply.
    fn is_unanswered(&self) -> bool {
        self.step.exchange.answers.is_empty()
    }

    /// Returns whether the client sent something and got no reply.
    fn is_pending(&self) -> bool {
        self.is_unanswered() && !is_wait(self.step)
    }

    /// Returns whether only the act or its reply can be the reason for the closing.
    fn is_unexplained(&self, connection: &Connection<'_>) -> bool {
        let before = connection.steps.get(..=self.at).unwrap_or_default();
        let greeted = before.first().and_then(Step::number).is_some_and(|number| number < 400);
        // At the end of the data in LMTP, the missing replies are the fault.
        let counted = !self.is_unanswered() && self.step.exchange.answers.len() < *due(self.step).start();
        greeted
            && !self.may_be_idle(connection)
            && !is_handshake(before)
            && before.iter().filter(|step| is_failed_login(step)).count() < LEAST_ATTEMPTS
            && !before.iter().any(is_foreign)
            && is_proper(self.batch)
            && !counted
    }

    /// Returns whether the server may have closed an idle connection: no act is pending, and none was refused.
    fn may_be_idle(&self, connection: &Connection<'_>) -> bool {
        let next = connection.steps.get(self.at + 1);
        // A client that finds the connection closed at its next act had continued at once.
        let goes_on = next.is_some_and(|next| !is_wait(next) && next.exchange.end == End::Closed);
        match self.last {
            Some((exchange, _, number)) => !self.is_pending() && (exchange == 0 || number < 400 && !goes_on),
            None => true,
        }
    }
}

/// Returns whether the last thing to happen was a handshake. It may be incomplete, or the other side may have refused a
/// certificate, which shows only afterwards.
fn is_handshake(before: &[Step<'_>]) -> bool {
    let encrypts = |step: &Step<'_>| match &step.exchange.act {
        Act::Handshake => true,
        _ => step.verb() == Some(Verb::Starttls) && step.number() == Some(220),
    };
    let last = before.iter().rev().find(|step| !step.exchange.answers.is_empty() || encrypts(step));
    last.is_some_and(encrypts)
}

fn is_failed_login(step: &Step<'_>) -> bool {
    let login = step.verb() == Some(Verb::Auth) || matches!(step.exchange.act, Act::Response(_));
    login && step.number().is_some_and(|number| number >= 400)
}

/// RFC 5321 §3.1: after a 554 greeting, the server waits for QUIT.
fn refused_opening(connection: &Connection<'_>, closing: &Closing<'_>, findings: &mut LocatedFindings) {
    let detail = match closing.at {
        0 => "closed at once",
        _ => "closed before QUIT",
    };
    findings.at(connection.location(0, Some(0))).add(RuleId::REFUSED_OPENING_WAITS_FOR_QUIT, detail);
}

/// RFC 4954 §9: a client gets at least three attempts.
fn failed_logins(connection: &Connection<'_>, closing: &Closing<'_>, findings: &mut LocatedFindings) {
    let Some((exchange, nth, _)) = closing.last else { return };
    let attempts = connection.steps.iter().take(exchange + 1).filter(|step| is_failed_login(step)).count();
    if (1..LEAST_ATTEMPTS).contains(&attempts) {
        let detail = format!("closed after {}", counted(attempts, "failed attempt"));
        findings.at(connection.location(exchange, Some(nth))).add(RuleId::AUTH_THREE_ATTEMPTS, detail);
    }
}

/// RFC 5321 §3.8, and RFC 2920 §3.2 if pipelined commands lost their replies.
fn closes(connection: &Connection<'_>, closing: &Closing<'_>, findings: &mut LocatedFindings) {
    let Some((exchange, nth, number)) = closing.last else { return };
    // RFC 5321 §4.1.1.5: closing is for QUIT, never for RSET.
    // After a refusal, that may be the reason.
    if number < 400
        && let Some(reset) = closing.reset(connection)
    {
        let detail = if reset == exchange { "closed after this reply" } else { "closed instead of replying" };
        return findings.at(connection.location(reset, None)).add(RuleId::RSET_ANSWERED_250, detail);
    }
    let rule = RuleId::CLOSES_ONLY_WHEN_ALLOWED;
    let condition = match closing.unknown {
        _ if !closing.is_after_unknown(connection) => Some("other-command"),
        0..MANY_REFUSALS => None,
        _ => Some("several-unknown"),
    };
    if !closing.is_pending() {
        let location = connection.location(exchange, Some(nth));
        findings.at(location).add_with(rule, condition, "closed after this reply");
        return;
    }
    let findings = findings.at(connection.location(closing.at, None));
    // A closing at the end of a message has nothing to do with what comes after the message.
    let is_at_message = matches!(closing.step.exchange.act, Act::Message(_));
    if number < 400 && closing.batch.is_pipelined() && !is_at_message {
        let (replies, acts) = (closing.batch.answers(), counted_acts(closing.batch));
        let detail = format!("closed after {} to {acts}", counted(replies, "reply"));
        findings.add(RuleId::PIPELINED_REPLIES_IN_ORDER, detail);
    } else {
        let detail = format!("closed instead of replying, after {number} to the previous act");
        findings.add_with(rule, condition, detail);
    }
}

/// Returns whether an act is a command that servers do not know.
fn is_unknown(step: &Step<'_>) -> bool {
    step.verb() == Some(Verb::Other) && !is_foreign(step)
}

/// RFC 5321 §3.1: after a 554 greeting, commands other than QUIT get 503.
fn answers_after_refusal(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let mut steps = connection.sure();
    if steps.next().is_none_or(|(_, first)| first.exchange.act != Act::Connect || first.number() != Some(554))
    {
        return;
    }
    let intervening =
        |step: &Step<'_>| step.verb().is_some_and(|verb| !matches!(verb, Verb::Quit | Verb::Other));
    let answered = steps.find(|(_, step)| {
        intervening(step) && step.number().is_some_and(|number| !matches!(number, 421 | 503))
    });
    if let Some((exchange, step)) = answered {
        let detail = format!("{} after the greeting 554", step.number().unwrap_or_default());
        let findings = findings.at(connection.location(exchange, Some(0)));
        findings.add_under(RuleId::REFUSED_OPENING_WAITS_FOR_QUIT, "other-reply", detail);
    }
}

/// RFC 5321 §3.8, §4.1.1.10: the server closes after 221 to QUIT and after 421. What it says to the next command shows
/// that it did not.
fn stays_open(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let is_last = |step: &Step<'_>| step.exchange.sure && !step.exchange.pipelined;
    let steps = || connection.steps.iter().enumerate();
    let quit = steps()
        .find(|(_, step)| step.verb() == Some(Verb::Quit) && step.number() == Some(221) && is_last(step));
    if let Some((at, _)) = quit
        && let Some((exchange, next)) = next_command(connection, at)
        && let Some(number) = next.number()
    {
        let detail = format!("{number} to a command after 221 to QUIT");
        findings.at(connection.location(exchange, Some(0))).add(RuleId::CLOSES_AFTER_QUIT, detail);
    }
    let down = steps().find(|(_, step)| step.number() == Some(421) && is_last(step));
    if let Some((at, _)) = down
        && let Some((exchange, next)) = next_command(connection, at)
        && next.verb() != Some(Verb::Quit)
        && let Some(number) = next.number().filter(|number| *number != 421)
    {
        let detail = format!("{number} to a command after 421");
        findings.at(connection.location(exchange, Some(0))).add(RuleId::CLOSES_AFTER_421, detail);
    }
}

/// Returns the act after an exchange, if it is a command.
fn next_command<'a>(connection: &Connection<'a>, at: usize) -> Option<(usize, &'a Step<'a>)> {
    let next = connection.steps.get(at + 1)?;
    matches!(next.exchange.act, Act::Command(_)).then_some((at + 1, next))
}

/// Returns whether an act is not from a mail client but a header field or a request of another protocol.
fn is_foreign(step: &Step<'_>) -> bool {
    const OTHERS: [&[u8]; 6] = [b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"CONNECT"];
    let Act::Command(octets) = &step.exchange.act else { return false };
    let word = octets.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    !word.iter().all(u8::is_ascii_alphanumeric) || OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other))
}
