//! Rules that demand one reply per act, in order (RFC 5321 §4.3.1, RFC 2920 §3.2, RFC 2033 §4.2).

use crate::counted::counted;
use crate::dialogue::batch::{Batch, Count, due, is_for_recipients, is_plain, is_wait};
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{DefectSet, Reply};
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings, counted_acts, is_proper};

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    bdat_without_recipient(connection, findings);
    reply_of_quit(connection, findings);
    lost_part(connection, findings);
    refused_as_early(connection, findings);
    match connection.odd() {
        Some((batch, Count::More)) => more(connection, batch, findings),
        Some((batch, Count::Fewer)) => fewer(connection, batch, findings),
        Some((_, Count::Swapped { came, act })) => swapped(connection, came, act, findings),
        _ => {}
    }
}

/// Too many replies to an act.
struct Surplus<'a> {
    /// The index of the exchange where the surplus replies began, and the index of the first of them there.
    at: (usize, usize),
    act: usize,
    step: &'a Step<'a>,
    /// The acts that may have got the surplus replies, up to this one.
    acts: Vec<&'a Step<'a>>,
    /// The replies to the act, including unrequested ones after it.
    replies: Vec<Reply<'a>>,
    /// The number of these replies, including those that were not kept.
    count: usize,
    /// The number of replies to a pipelined group, and its acts.
    group: Option<(usize, String)>,
    /// Whether the replies came before the one to the next act.
    is_late: bool,
}

/// Reports too many replies, by the most precise rule that fits.
fn more(connection: &Connection<'_>, batch: Batch<'_>, findings: &mut LocatedFindings) {
    let is_late = !batch.is_pipelined() && batch.ends_late();
    let surplus = if is_late { Surplus::before(connection, batch) } else { Surplus::within(batch) };
    // A reply before the end of a message has a rule of its own.
    let is_whole = |step: &Step<'_>| !step.session.leaves_message_open(&step.exchange.act);
    let Some(surplus) = surplus.filter(|surplus| is_whole(surplus.step)) else { return };
    let (exchange, nth) = surplus.at;
    // A reply that came late is not among those of the exchange that it belongs to.
    let location = if is_late {
        connection.location(surplus.act, None)
    } else {
        connection.location(exchange, Some(nth))
    };
    let (location, (rule, detail)) = if let Some(exact) = surplus.exact() {
        (location, exact)
    } else if let Some((act, rule, detail)) = cause(connection, surplus.act) {
        (connection.location(act, None), (rule, detail))
    } else {
        (location, surplus.general())
    };
    findings.at(location).add_shown(rule, detail, exchange);
}

impl<'a> Surplus<'a> {
    /// Finds surplus replies within a batch.
    fn within(batch: Batch<'a>) -> Option<Surplus<'a>> {
        let at = batch.surplus()?;
        // Unrequested replies come after the last act.
        let (act, step) = batch.acts().take_while(|(act, _)| *act <= at.0).last()?;
        let own = |exchange: usize| exchange == act || exchange > act && at.0 > act;
        let replies: Vec<Reply<'_>> =
            batch.replies().filter(|(exchange, ..)| own(*exchange)).map(|(.., reply)| reply).collect();
        let lost = batch.all().filter(|(exchange, _)| own(*exchange));
        let lost: usize = lost.map(|(_, step)| step.exchange.excess.replies).sum();
        let count = replies.len().saturating_add(lost);
        let acts = batch.acts().take_while(|(act, _)| *act <= at.0).map(|(_, step)| step).collect();
        let group = batch.is_pipelined().then(|| (batch.answers(), counted_acts(batch)));
        Some(Surplus { at, act, step, acts, replies, count, group, is_late: false })
    }

    /// Finds the act before a QUIT whose 221 follows other replies. They answer that act, or an earlier one.
    fn before(connection: &Connection<'a>, quit: Batch<'a>) -> Option<Surplus<'a>> {
        let before = connection.steps.get(..quit.start)?;
        let (act, step) = before.iter().enumerate().rfind(|(_, step)| !is_wait(step))?;
        let late = quit.answers().saturating_sub(1);
        let strays = quit.replies().map(|(.., reply)| reply).take(late);
        let replies: Vec<Reply<'a>> = step.replies.iter().copied().chain(strays).collect();
        let count = step.exchange.received().saturating_add(late);
        Some(Surplus {
            at: (quit.start, 0),
            act,
            step,
            acts: vec![step],
            replies,
            count,
            group: None,
            is_late: true,
        })
    }

    /// Finds a rule about this kind of act.
    fn exact(&self) -> Option<(RuleId, String)> {
        let (count, recipients) = (self.count, self.step.session.recipients());
        let lmtp = self.step.session.protocol == Protocol::Lmtp;
        Some(match &self.step.exchange.act {
            _ if self.is_obeyed_chunk() => {
                let detail = "the octets of the refused chunk were read as commands";
                (RuleId::FAILED_CHUNK_DISCARDED, detail.to_owned())
            }
            _ if self.is_obeyed_message() => {
                let detail = format!("{}, to lines of the message", counted(count, "reply"));
                (RuleId::MESSAGE_READ_TO_ITS_END, detail)
            }
            _ if is_for_recipients(self.step) => {
                (rule_for_recipients(self.step), for_recipients(count, recipients))
            }
            Act::Chunk { .. } if lmtp => {
                (RuleId::LMTP_BDAT_REPLY_PER_RECIPIENT, format!("{count} replies to BDAT without LAST"))
            }
            Act::Message(_) if recipients > 1 && (count == recipients || !self.are_lines_of_one()) => {
                (RuleId::END_OF_DATA_ONE_REPLY, for_recipients(count, recipients))
            }
            _ => return None,
        })
    }

    /// Returns a rule about any act.
    fn general(&self) -> (RuleId, String) {
        let count = self.count;
        if self.are_lines_of_one() {
            return (RuleId::CONTINUATION_BY_HYPHEN, format!("{count} one-line replies with the same code"));
        }
        let detail = match &self.group {
            Some((answers, acts)) => format!("{} to {acts}", counted(*answers, "reply")),
            None if self.is_late => {
                format!("{}, the last of them before 221 to QUIT", counted(count, "reply"))
            }
            None => counted(count, "reply"),
        };
        (RuleId::ONE_REPLY_PER_COMMAND, detail)
    }

    /// Returns whether the replies look like the lines of one reply without its hyphens: they have the same code, one
    /// line each, and not all the same text. To a command whose success takes one line, they are separate replies.
    fn are_lines_of_one(&self) -> bool {
        let Some(first) = self.replies.first() else { return false };
        let line = |reply: &Reply<'_>| {
            reply.number() == first.number()
                && reply.lines().count() == 1
                && !reply.defects().intersects(DefectSet::FRAMING)
        };
        let long = match self.step.verb() {
            Some(verb) => verb.is_hello() || matches!(verb, Verb::Help | Verb::Expn | Verb::Vrfy),
            None => self.step.exchange.act == Act::Connect,
        };
        let refused = first.number().is_some_and(|number| number >= 400);
        let same = self.replies.iter().all(|reply| reply.octets() == first.octets());
        (long || refused) && !same && self.count == self.replies.len() && self.replies.iter().all(line)
    }

    /// RFC 3030 §2: a server reads and discards the octets of a refused chunk. Replies to commands that nobody sent
    /// show that it did not.
    fn is_obeyed_chunk(&self) -> bool {
        let refused = self.acts.iter().find_map(|step| {
            let Act::Chunk { octets, .. } = &step.exchange.act else { return None };
            let number = step.number().filter(|number| *number >= 400)?;
            (!octets.is_empty()).then_some((octets, number))
        });
        let Some((octets, refusal)) = refused else { return false };
        let mut lines = octets.split(|octet| *octet == b'\n');
        let speaks = lines.any(|line| Command::read(line).verb() != Verb::Other);
        let obeyed = |reply: &Reply<'_>| match reply.number() {
            Some(500 | 502) => true,
            number => speaks && number != Some(refusal),
        };
        self.surplus().any(obeyed)
    }

    /// Returns whether the server took lines of a message as commands, because it ended the message before its end: it
    /// does not know commands that nobody sent.
    fn is_obeyed_message(&self) -> bool {
        let is_unknown = |reply: &Reply<'_>| matches!(reply.number(), Some(500 | 502));
        let mut surplus = self.surplus().peekable();
        matches!(self.step.exchange.act, Act::Message(_))
            && surplus.peek().is_some()
            && surplus.all(is_unknown)
    }

    /// The replies beyond those that are due to the act.
    fn surplus(&self) -> impl Iterator<Item = &Reply<'a>> {
        self.replies.iter().skip(*due(self.step).end())
    }
}

/// Finds the earlier act that caused surplus replies. Late replies appear after later acts. If a 221 to QUIT shows that
/// there are no more and their number fits an earlier act, that act is the cause: a message with a reply per recipient,
/// or a chunk whose lines were obeyed.
fn cause(connection: &Connection<'_>, act: usize) -> Option<(usize, RuleId, String)> {
    let quit = connection
        .steps
        .iter()
        .rfind(|step| !is_wait(step))
        .filter(|step| step.verb() == Some(Verb::Quit))?;
    quit.replies.iter().last().filter(|reply| reply.number() == Some(221))?;
    let before = connection.steps.iter().enumerate().take(act).rev();
    let (position, extra, rule, detail) =
        before.into_iter().find_map(|(position, step)| match &step.exchange.act {
            Act::Message(_) if step.session.recipients() > 1 => {
                let recipients = step.session.recipients();
                let detail = for_recipients(recipients, recipients);
                Some((position, recipients - 1, RuleId::END_OF_DATA_ONE_REPLY, detail))
            }
            Act::Chunk { octets, .. } if step.number() >= Some(400) => {
                let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).count();
                let extra = counted(lines, "extra reply");
                let detail = format!("{extra} after the refused chunk, one for each of its lines");
                Some((position, lines, RuleId::FAILED_CHUNK_DISCARDED, detail))
            }
            _ => None,
        })?;
    let rest = connection.steps.get(position..)?;
    let answers: usize = rest.iter().map(|step| step.exchange.received()).sum();
    let most: usize = rest.iter().map(|step| *due(step).end()).sum();
    (extra > 0 && answers == most + extra && rest.iter().all(is_plain)).then_some((position, rule, detail))
}

fn for_recipients(count: usize, recipients: usize) -> String {
    format!("{} for {}", counted(count, "reply"), counted(recipients, "recipient"))
}

/// Returns the rule that demands a reply for each recipient of a message or of its last chunk.
fn rule_for_recipients(step: &Step<'_>) -> RuleId {
    match step.exchange.act {
        Act::Chunk { .. } => RuleId::LMTP_BDAT_REPLY_PER_RECIPIENT,
        _ => RuleId::LMTP_REPLY_PER_RECIPIENT,
    }
}

/// Reports too few replies. A server may be slow, so later replies must show that it skipped the act.
fn fewer(connection: &Connection<'_>, batch: Batch<'_>, findings: &mut LocatedFindings) {
    let Some((act, step)) = batch.unanswered().filter(|(_, step)| step.exchange.act != Act::Connect) else {
        return;
    };
    let fenced = is_fenced(connection, batch);
    let (count, recipients) = (step.exchange.received(), step.session.recipients());
    if is_for_recipients(step) {
        // A recipient may take long, and its reply may then come after a later command.
        if fenced || count > 0 && step.exchange.end == End::Closed {
            let detail = for_recipients(count, recipients);
            findings.at(connection.location(act, None)).add(rule_for_recipients(step), detail);
        }
    } else if fenced && batch.is_pipelined() {
        let acts = counted_acts(batch);
        let detail = format!("{} to {acts}, then 221 to QUIT", counted(batch.answers(), "reply"));
        findings.at(connection.location(act, None)).add(RuleId::PIPELINED_REPLIES_IN_ORDER, detail);
    } else if fenced {
        findings
            .at(connection.location(act, None))
            .add(RuleId::ONE_REPLY_PER_COMMAND, "no reply, but 221 to QUIT later");
    }
}

/// Returns whether a QUIT after a batch got 221, and fewer replies than are due came before it. 221 answers only QUIT,
/// so no reply is still to come.
fn is_fenced(connection: &Connection<'_>, batch: Batch<'_>) -> bool {
    let rest = connection.steps.get(batch.start..).unwrap_or_default();
    let quit = rest.iter().position(|step| step.verb() == Some(Verb::Quit));
    let Some(until) = quit.and_then(|quit| rest.get(..=quit)) else { return false };
    let answers: usize = until.iter().map(|step| step.exchange.received()).sum();
    let least: usize = until.iter().map(|step| *due(step).start()).sum();
    let closes = |step: &Step<'_>| step.replies.iter().any(|reply| reply.number() == Some(421));
    let fence = until.last().is_some_and(|quit| quit.number() == Some(221) && quit.exchange.received() == 1);
    fence
        && answers < least
        && until.iter().all(|step| is_plain(step) && step.exchange.act != Act::Handshake && !closes(step))
}

/// RFC 2920 §3.2: replies come in the order of the commands.
fn swapped(connection: &Connection<'_>, came: usize, act: usize, findings: &mut LocatedFindings) {
    let number = connection.steps.get(came).and_then(Step::number).unwrap_or_default();
    let verb = connection.steps.get(act).and_then(Step::verb).map_or("", Verb::name);
    let detail = format!("{number} comes before the reply to {verb}");
    findings.at(connection.location(came, Some(0))).add(RuleId::PIPELINED_REPLIES_IN_ORDER, detail);
}

/// RFC 2920 §3.2: a server loses nothing of its input. If it does not know a command that it accepted before, and whose
/// first octets came with the act before, it lost those.
fn lost_part(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let is_answered = |step: &Step<'_>| step.exchange.end == End::Answered && step.exchange.received() == 1;
    for (index, pair) in connection.steps.windows(2).enumerate() {
        let [before, step] = pair else { continue };
        let number = step.number().filter(|number| matches!(number, 500 | 502));
        let Some(number) = number.filter(|_| step.exchange.sure && is_answered(before) && is_answered(step))
        else {
            continue;
        };
        let is_known = |earlier: &Step<'_>| {
            earlier.verb() == step.verb()
                && earlier.exchange.sure
                && matches!(earlier.number(), Some(200..300))
        };
        let earlier = connection.steps.get(..index).unwrap_or_default();
        if !before.exchange.ahead.is_empty() && earlier.iter().any(is_known) {
            let detail = format!("{number} to a command whose first octets came with the command before");
            let location = connection.location(index + 1, Some(0));
            findings.at(location).add(RuleId::PIPELINED_REPLIES_IN_ORDER, detail);
        }
    }
}

/// RFC 2920 §3.1: a client may send a group without waiting, so the server cannot refuse its commands as sent too early.
fn refused_as_early(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let groups =
        connection.batches().iter().filter(|batch| batch.is_pipelined() && batch.offers_pipelining());
    for batch in groups.filter(|batch| is_proper(**batch)) {
        let refusal = batch.acts().skip(1).find_map(|(at, step)| {
            let reply = step.replies.first().filter(|_| step.exchange.sure)?;
            let number = reply.number().filter(|number| *number >= 400)?;
            reply.says(&["pipelin", "synchroni"]).then_some((at, number))
        });
        if let Some((at, number)) = refusal {
            let detail = format!("{number} to a command of a group, because it was pipelined");
            let findings = findings.at(connection.location(at, Some(0)));
            findings.add_under(RuleId::PIPELINED_REPLIES_IN_ORDER, "refused", detail);
        }
    }
}

/// A recording matches replies to acts in order. If the end of a message lacks replies, those to later commands take
/// their place, and the 221 to QUIT shows it (RFC 2033 §4.2, §4.3).
fn reply_of_quit(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    for (position, step) in connection.sure().filter(|(_, step)| is_for_recipients(step)) {
        let next = connection.steps.get(position + 1);
        let quit =
            next.is_some_and(|next| next.verb() == Some(Verb::Quit) && next.exchange.answers.is_empty());
        let count = step.replies.iter().position(|reply| reply.number() == Some(221));
        if quit && let Some(count) = count {
            let detail = for_recipients(count, step.session.recipients());
            findings.at(connection.location(position, Some(count))).add(rule_for_recipients(step), detail);
        }
    }
}

/// RFC 2033 §4.3: BDAT LAST without a successful RCPT gets no reply at all.
fn bdat_without_recipient(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    for (position, step) in connection.sure() {
        let last = matches!(&step.exchange.act, Act::Chunk { .. }) && is_for_recipients(step);
        let nobody =
            step.session.transaction.as_ref().is_some_and(|transaction| transaction.recipients.is_empty());
        let replied = step.number().is_some_and(|number| number != 530);
        if last && nobody && replied {
            let rule = RuleId::LMTP_BDAT_REPLY_PER_RECIPIENT;
            findings
                .at(connection.location(position, Some(0)))
                .add(rule, "a reply, although there is no recipient");
        }
    }
}
