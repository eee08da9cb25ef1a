//! Acts that were sent in one go, and whether the replies are one to an act.

use std::ops::RangeInclusive;

use crate::dialogue::octets::is_shortened;
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{Defect, DefectSet, Reply};

/// The longest command line that no server may take for two (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;

/// The longest line of an AUTH exchange that fits (RFC 4954 §4), its end included.
const LONGEST_RESPONSE: usize = 12288 + 2;

/// Acts that were sent without waiting for replies between them, and what came unasked behind them.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The position of the first exchange.
    pub(super) start: usize,
    pub(super) steps: &'a [Step<'a>],
}

/// How many replies there are, beside the acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// One to an act.
    Even,
    More,
    Fewer,
    /// It cannot be told: the octets can be taken for more or fewer acts, or the server closes down.
    Unknown,
}

pub(super) fn batches<'a>(steps: &'a [Step<'a>]) -> Vec<Batch<'a>> {
    let mut batches = Vec::new();
    let mut start = 0;
    while let Some(rest) = steps.get(start..).filter(|rest| !rest.is_empty()) {
        let acts = rest.iter().take_while(|step| step.exchange.pipelined).count() + 1;
        let waits = rest.iter().skip(acts).take_while(|step| is_wait(step)).count();
        let length = (acts + waits).min(rest.len());
        let (steps, _) = rest.split_at(length);
        batches.push(Batch { start, steps });
        start += length;
    }
    batches
}

impl<'a> Batch<'a> {
    /// The acts, each with its position.
    pub(super) fn acts(self) -> impl Iterator<Item = (usize, &'a Step<'a>)> {
        self.all().filter(|(_, step)| !is_wait(step))
    }

    /// The exchanges, those that brought something unasked among them.
    pub(super) fn all(self) -> impl Iterator<Item = (usize, &'a Step<'a>)> {
        self.steps.iter().enumerate().map(move |(offset, step)| (self.start + offset, step))
    }

    /// The replies in order, each with its exchange and its number there.
    pub(super) fn replies(self) -> impl Iterator<Item = (usize, usize, Reply<'a>)> {
        self.all().flat_map(|(exchange, step)| {
            step.replies.iter().enumerate().map(move |(nth, reply)| (exchange, nth, *reply))
        })
    }

    /// How many replies there are.
    pub(super) fn answers(self) -> usize {
        self.steps.iter().map(|step| step.exchange.received()).sum()
    }

    /// The fewest that are due.
    pub(super) fn least(self) -> usize {
        self.steps.iter().map(|step| *due(step).start()).sum()
    }

    /// The most that are due.
    pub(super) fn most(self) -> usize {
        self.steps.iter().map(|step| *due(step).end()).sum()
    }

    /// Whether several acts were sent in one go, as PIPELINING allows.
    pub(super) fn is_pipelined(self) -> bool {
        self.acts().nth(1).is_some()
    }

    /// Whether the server promised PIPELINING before it.
    pub(super) fn offers_pipelining(self) -> bool {
        self.steps.first().is_some_and(|step| step.session.offers("PIPELINING"))
    }

    /// The first act that got fewer replies than it should.
    pub(super) fn unanswered(self) -> Option<(usize, &'a Step<'a>)> {
        self.acts().find(|(_, step)| step.exchange.received() < *due(step).start())
    }

    /// The first reply that is one too many.
    pub(super) fn surplus(self) -> Option<(usize, usize)> {
        self.all().find_map(|(exchange, step)| {
            let due = *due(step).end();
            (step.exchange.received() > due).then_some((exchange, due))
        })
    }

    /// Whether it is a QUIT whose 221 stands behind other replies, so that these belong to acts before.
    pub(super) fn ends_late(self) -> bool {
        let quit = self.acts().last().is_some_and(|(_, step)| step.verb() == Some(Verb::Quit));
        let numbers = || self.replies().map(|(.., reply)| reply.number());
        quit && numbers().last() == Some(Some(221)) && numbers().next() != Some(Some(221))
    }

    pub(super) fn count(self) -> Count {
        let closes = self.steps.iter().any(|step| step.session.shut_down)
            || self.replies().any(|(.., reply)| reply.number() == Some(421));
        // What is cut short may go on.
        let cut = DefectSet::from(Defect::Incomplete) | Defect::Endless.into();
        let whole = !self.replies().any(|(.., reply)| reply.defects().intersects(cut));
        let proper = !self.is_pipelined() || self.offers_pipelining() && !self.switches();
        let open = self.acts().any(|(_, step)| self.is_opening(step)) && self.answers() > self.most();
        if closes || open || !whole || !proper || !self.steps.iter().all(is_plain) {
            return Count::Unknown;
        }
        // Among several acts one without a reply makes every match doubtful, whatever the octets are.
        let sure = self.acts().all(|(_, step)| step.exchange.sure);
        match self.answers() {
            answers if answers < self.least() && (sure || self.is_pipelined()) => Count::Fewer,
            _ if !sure => Count::Unknown,
            answers if answers > self.most() => Count::More,
            _ => Count::Even,
        }
    }

    /// Whether what comes behind its reply need not be a reply to it: behind 354 one to a message whose end is
    /// seen only by the server, behind STARTTLS octets of a handshake. These are no reply, since TLS lets the
    /// client speak first, and what has the form of a reply is none of them.
    fn is_opening(self, step: &Step<'_>) -> bool {
        let formed =
            |reply: Reply<'_>| reply.number().is_some() && !reply.defects().intersects(DefectSet::FRAMING);
        match step.number() {
            Some(354) => true,
            Some(220) => {
                step.verb() == Some(Verb::Starttls) && !self.replies().all(|(.., reply)| formed(reply))
            }
            _ => false,
        }
    }

    /// Whether something follows a command behind which other things than commands may be meant.
    fn switches(self) -> bool {
        let switches = |step: &Step<'_>| match (&step.exchange.act, step.verb()) {
            (Act::Chunk { .. }, _) => false,
            (_, Some(verb)) => {
                verb.is_hello() || matches!(verb, Verb::Data | Verb::Auth | Verb::Starttls | Verb::Quit)
            }
            (_, None) => true,
        };
        self.steps.iter().any(|step| step.exchange.pipelined && switches(step))
    }
}

/// Whether nothing was sent.
pub(super) fn is_wait(step: &Step<'_>) -> bool {
    step.exchange.act == Act::Wait
}

/// How many replies an act is due.
pub(super) fn due(step: &Step<'_>) -> RangeInclusive<usize> {
    match &step.exchange.act {
        Act::Wait | Act::Handshake => 0..=0,
        // A server may pass over an empty line.
        Act::Command(octets) if octets.trim_ascii().is_empty() => 0..=1,
        _ if is_for_recipients(step) => match step.session.recipients() {
            // RFC 2033 §4.3 wants no reply; a refusal of the command is judged by itself.
            0 => 0..=1,
            recipients => recipients..=recipients,
        },
        _ => 1..=1,
    }
}

/// Whether each recipient has its reply: at the end of the data in LMTP (RFC 2033 §4.2, §4.3).
pub(super) fn is_for_recipients(step: &Step<'_>) -> bool {
    step.session.protocol == Protocol::Lmtp
        && match &step.exchange.act {
            Act::Message(_) => true,
            Act::Chunk { .. } => step.command.is_some_and(|command| command.is_last_chunk()),
            _ => false,
        }
}

/// Whether the octets of an act cannot be taken for more or fewer acts than it is, and a reply was waited
/// for.
pub(super) fn is_plain(step: &Step<'_>) -> bool {
    let exchange = step.exchange;
    let waited_for = exchange.end != End::Answered || !exchange.answers.is_empty();
    match &exchange.act {
        Act::Connect | Act::Wait => true,
        Act::Handshake => exchange.end != End::Failed,
        Act::Command(_) => waited_for && step.command.is_some_and(|command| is_plain_command(&command)),
        Act::Response(octets) => {
            let fits = octets.len() <= LONGEST_RESPONSE && !is_shortened(octets);
            waited_for && fits && Command::read(octets).is_plain()
        }
        Act::Message(octets) => waited_for && is_plain_message(octets),
        Act::Chunk { octets, .. } => {
            waited_for && step.command.is_some_and(|command| is_plain_chunk(step, &command, octets))
        }
    }
}

/// Whether it is one line that no server need take for two. Behind a BDAT whose length cannot be read,
/// anything may be taken for its chunk.
fn is_plain_command(command: &Command<'_>) -> bool {
    let longest = match command.verb() {
        Verb::Bdat => return false,
        Verb::Auth => LONGEST_RESPONSE,
        _ => LONGEST_COMMAND,
    };
    command.is_plain() && command.octets().len() <= longest && !is_shortened(command.octets())
}

/// Whether a message ends once, with a line of one dot, and no CR or LF stands alone in it.
fn is_plain_message(octets: &[u8]) -> bool {
    let ends = octets == b".\r\n" || octets.ends_with(b"\r\n.\r\n");
    let pairs = octets.windows(2).all(|pair| (pair[0] == b'\r') == (pair[1] == b'\n'));
    ends && pairs && octets.first() != Some(&b'\n')
}

/// Whether the server knows BDAT, and is told the length as it is.
fn is_plain_chunk(step: &Step<'_>, command: &Command<'_>, octets: &[u8]) -> bool {
    let formed = match command.words().count() {
        1 => true,
        2 => command.is_last_chunk(),
        _ => false,
    };
    let whole = command.chunk_length() == Some(octets.len());
    formed && command.is_plain() && whole && step.session.offers("CHUNKING")
}
