//! Batches of acts that were sent together, and whether their replies match them one to one.

use std::ops::RangeInclusive;

use crate::dialogue::octets::is_shortened;
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{Defect, DefectSet, Reply};

/// The octets of the longest command line that every server must read as one (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;

/// The octets of the longest line allowed in an AUTH exchange (RFC 4954 §4), including its line end.
const LONGEST_RESPONSE: usize = 12288 + 2;

/// Acts that were sent without waiting for replies in between, and the unrequested replies after them.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// The index of the first exchange.
    pub(crate) start: usize,
    pub(crate) steps: &'a [Step<'a>],
}

/// How the number of replies compares with the acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Each act has the replies it is due.
    Even,
    More,
    Fewer,
    /// The reply to an act came before that to an earlier one.
    Swapped {
        /// The exchange where it came.
        came: usize,
        /// The exchange of the act that it answers.
        act: usize,
    },
    /// Unknown, because the octets can be read as a different number of acts, or because the server shuts down.
    Unknown,
}

pub(crate) fn batches<'a>(steps: &'a [Step<'a>]) -> Vec<Batch<'a>> {
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
    /// The acts, each with its index.
    pub(crate) fn acts(self) -> impl Iterator<Item = (usize, &'a Step<'a>)> {
        self.all().filter(|(_, step)| !is_wait(step))
    }

    /// The exchanges, each with its index, including those with unrequested replies.
    pub(crate) fn all(self) -> impl Iterator<Item = (usize, &'a Step<'a>)> {
        self.steps.iter().enumerate().map(move |(offset, step)| (self.start + offset, step))
    }

    /// The replies in order, each with the index of its exchange and its index there.
    pub(crate) fn replies(self) -> impl Iterator<Item = (usize, usize, Reply<'a>)> {
        self.all().flat_map(|(exchange, step)| {
            step.replies.iter().enumerate().map(move |(nth, reply)| (exchange, nth, *reply))
        })
    }

    /// The number of replies.
    pub(crate) fn answers(self) -> usize {
        self.steps.iter().map(|step| step.exchange.received()).sum()
    }

    /// The smallest number of replies that are due.
    pub(crate) fn least(self) -> usize {
        self.steps.iter().map(|step| *due(step).start()).sum()
    }

    /// The largest number of replies that are due.
    pub(crate) fn most(self) -> usize {
        self.steps.iter().map(|step| *due(step).end()).sum()
    }

    /// Returns whether several acts were sent together, as PIPELINING allows.
    pub(crate) fn is_pipelined(self) -> bool {
        self.acts().nth(1).is_some()
    }

    /// Returns whether the server announced PIPELINING before the batch.
    pub(crate) fn offers_pipelining(self) -> bool {
        self.steps.first().is_some_and(|step| step.session.offers("PIPELINING"))
    }

    /// The first act with fewer replies than are due.
    pub(crate) fn unanswered(self) -> Option<(usize, &'a Step<'a>)> {
        self.acts().find(|(_, step)| step.exchange.received() < *due(step).start())
    }

    /// The first surplus reply: the index of its exchange and its index there.
    pub(crate) fn surplus(self) -> Option<(usize, usize)> {
        self.all().find_map(|(exchange, step)| {
            let due = *due(step).end();
            (step.exchange.received() > due).then_some((exchange, due))
        })
    }

    /// Returns whether the batch ends with a QUIT whose 221 follows other replies, which then belong to earlier acts.
    pub(crate) fn ends_late(self) -> bool {
        let quit = self.acts().last().is_some_and(|(_, step)| step.verb() == Some(Verb::Quit));
        let numbers = || self.replies().map(|(.., reply)| reply.number());
        quit && numbers().last() == Some(Some(221)) && numbers().next() != Some(Some(221))
    }

    /// Compares the number of replies with the acts. `next` is what follows the batch.
    pub(crate) fn count(self, next: Option<&Step<'_>>) -> Count {
        let closes = self.steps.iter().any(|step| step.session.shut_down)
            || self.replies().any(|(.., reply)| reply.number() == Some(421));
        // A reply that is cut short may continue.
        let cut = DefectSet::from(Defect::Incomplete) | Defect::Endless.into();
        let whole = !self.replies().any(|(.., reply)| reply.defects().intersects(cut));
        let proper = !self.is_pipelined() || self.offers_pipelining() && !self.switches();
        let open = self.acts().any(|(_, step)| self.is_opening(step, next)) && self.answers() > self.most();
        if closes || open || !whole || !proper || !self.steps.iter().all(is_plain) {
            return Count::Unknown;
        }
        // If one of several acts has no reply, no match is certain, even if the octets are unambiguous.
        let sure = self.acts().all(|(_, step)| step.exchange.sure);
        if let Some((came, act)) = self.swapped() {
            return Count::Swapped { came, act };
        }
        match self.answers() {
            answers if answers < self.least() && (sure || self.is_pipelined()) => Count::Fewer,
            _ if !sure => Count::Unknown,
            answers if answers > self.most() => Count::More,
            _ => Count::Even,
        }
    }

    /// Returns whether what follows the reply to a step need not be another reply to it. After 354, it may be a reply
    /// to a message whose end only the server saw. After STARTTLS, it may be octets of a handshake. In TLS the client
    /// speaks first, so anything that has the form of a reply is not part of a handshake.
    fn is_opening(self, step: &Step<'_>, next: Option<&Step<'_>>) -> bool {
        let formed =
            |reply: Reply<'_>| reply.number().is_some() && !reply.defects().intersects(DefectSet::FRAMING);
        match step.number() {
            Some(354) => {
                let follows = next.is_some_and(|next| matches!(next.exchange.act, Act::Message(_)));
                step.verb() == Some(Verb::Data) && !follows
            }
            Some(220) => {
                step.verb() == Some(Verb::Starttls) && !self.replies().all(|(.., reply)| formed(reply))
            }
            _ => false,
        }
    }

    /// Finds a reply that came too early, in a group that was sent together. 354 answers only DATA, and 221 only QUIT. If
    /// one of them is the reply to an earlier command, replies are out of order or one is lost.
    fn swapped(self) -> Option<(usize, usize)> {
        if !self.is_pipelined() {
            return None;
        }
        [(Verb::Data, 354), (Verb::Quit, 221)].into_iter().find_map(|(wanted, number)| {
            let (act, step) = self.acts().find(|(_, step)| step.verb() == Some(wanted))?;
            let (came, _) = self.acts().find(|(at, step)| *at < act && step.number() == Some(number))?;
            // A server that closes of its own accord may say 221, and then does not answer QUIT.
            let own = step.number();
            (own != Some(number) && (own.is_some() || wanted == Verb::Data)).then_some((came, act))
        })
    }

    /// Returns whether something was pipelined after an act that may be followed by something other than commands.
    fn switches(self) -> bool {
        let switches = |step: &Step<'_>| match (&step.exchange.act, step.verb()) {
            (Act::Chunk { .. }, _) => false,
            // The end of a message may be the first of a group (RFC 2920 §3.1).
            (act @ Act::Message(_), _) => step.session.leaves_message_open(act),
            (_, Some(verb)) => {
                verb.is_hello() || matches!(verb, Verb::Data | Verb::Auth | Verb::Starttls | Verb::Quit)
            }
            (_, None) => true,
        };
        self.steps.iter().any(|step| step.exchange.pipelined && switches(step))
    }
}

/// Returns whether the client sent nothing.
pub(crate) fn is_wait(step: &Step<'_>) -> bool {
    step.exchange.act == Act::Wait
}

/// Returns the number of replies that are due to an act.
pub(crate) fn due(step: &Step<'_>) -> RangeInclusive<usize> {
    match &step.exchange.act {
        Act::Wait | Act::Handshake => 0..=0,
        act if step.session.leaves_message_open(act) => 0..=0,
        // A server may ignore an empty line.
        Act::Command(octets) if octets.trim_ascii().is_empty() => 0..=1,
        _ if is_for_recipients(step) => match step.session.recipients() {
            // RFC 2033 §4.3: there must be no reply. Another rule judges a refusal of the command.
            0 => 0..=1,
            recipients => recipients..=recipients,
        },
        _ => 1..=1,
    }
}

/// Returns whether each recipient gets a reply: at the end of the data in LMTP (RFC 2033 §4.2, §4.3).
pub(crate) fn is_for_recipients(step: &Step<'_>) -> bool {
    step.session.protocol == Protocol::Lmtp
        && match &step.exchange.act {
            act @ Act::Message(_) => !step.session.leaves_message_open(act),
            Act::Chunk { .. } => step.command.is_some_and(|command| command.is_last_chunk()),
            _ => false,
        }
}

/// Returns whether the octets of an act can only be read as that one act, and the client waited for a reply.
pub(crate) fn is_plain(step: &Step<'_>) -> bool {
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
        act @ Act::Message(octets) => {
            (waited_for || step.session.leaves_message_open(act)) && is_plain_message(octets)
        }
        Act::Chunk { octets, .. } => {
            waited_for && step.command.is_some_and(|command| is_plain_chunk(step, &command, octets))
        }
    }
}

/// Returns whether a command is one line that no server may read as two. BDAT here has an unreadable length, after
/// which a server may read anything as its chunk.
fn is_plain_command(command: &Command<'_>) -> bool {
    let longest = match command.verb() {
        Verb::Bdat => return false,
        Verb::Auth => LONGEST_RESPONSE,
        _ => LONGEST_COMMAND,
    };
    command.is_plain() && command.octets().len() <= longest && !is_shortened(command.octets())
}

/// Returns whether a message, or a part of one, consists of lines without a bare CR or LF.
fn is_plain_message(octets: &[u8]) -> bool {
    let ends = octets.ends_with(b"\r\n");
    let pairs = octets.windows(2).all(|pair| (pair[0] == b'\r') == (pair[1] == b'\n'));
    ends && pairs && octets.first() != Some(&b'\n')
}

/// Returns whether a chunk is well-formed with its true length, and the server supports BDAT.
fn is_plain_chunk(step: &Step<'_>, command: &Command<'_>, octets: &[u8]) -> bool {
    let formed = match command.words().count() {
        1 => true,
        2 => command.is_last_chunk(),
        _ => false,
    };
    let whole = command.chunk_length() == Some(octets.len());
    formed && command.is_plain() && whole && step.session.offers("CHUNKING")
}
