//! Which replies certainly answer which act.
//!
//! Only their order tells which reply belongs to which act (RFC 5321 §4.3.1). A reply that is missing, unasked for or
//! too early shifts all that follow. From there on no reply is judged as the answer to an act, until an act gets a
//! reply that can only be its own.

use crate::dialogue::Act;
use crate::dialogue::batch::{Batch, Count, batches, is_plain};
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::protocol::reply::Reply;

/// The batches of a connection, and how surely the replies of each exchange answer its act.
pub(crate) struct Matching<'a> {
    steps: &'a [Step<'a>],
    pub(crate) batches: Vec<Batch<'a>>,
    /// The first batch whose replies do not match its acts one to one, or may not.
    pub(crate) odd: Option<(Batch<'a>, Count)>,
    matches: Vec<Match>,
}

/// How surely the replies of an exchange answer its act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// They do, as far as replies are due.
    Certain,
    /// They do if the server read the octets before as the client meant them.
    Assumed,
    /// The last one does. The others answer nothing, or an earlier act.
    Last,
    /// No reply is known to.
    Lost,
}

impl<'a> Matching<'a> {
    pub(crate) fn of(steps: &'a [Step<'a>]) -> Matching<'a> {
        let batches = batches(steps);
        let mut matching =
            Matching { steps, batches: Vec::new(), odd: None, matches: Vec::with_capacity(steps.len()) };
        // The first reply to an act before the greeting is the greeting.
        let mut is_over = steps.first().is_none_or(|step| step.exchange.act != Act::Connect);
        let mut state = Match::Certain;
        for batch in &batches {
            let next = steps.get(batch.start + batch.steps.len());
            let count = if is_over { Count::Unknown } else { batch.count(next) };
            is_over |= batch.acts().any(|(_, step)| step.verb() == Some(Verb::Quit));
            if count != Count::Even && matching.odd.is_none() {
                matching.odd = Some((*batch, count));
            }
            let matched = match (state, count) {
                (Match::Certain, Count::Even) => Match::Certain,
                (Match::Assumed, _) | (Match::Certain, Count::Unknown) => Match::Assumed,
                (Match::Certain, _) => at_fault(*batch, count),
                (Match::Last | Match::Lost, _) => matching.again(*batch),
            };
            if state == Match::Certain && count == Count::More {
                matching.doubt_back();
            }
            state = match (matched, count) {
                (Match::Certain, Count::Fewer) => Match::Lost,
                (matched, _) => matched,
            };
            matching.matches.extend(batch.steps.iter().map(|_| matched));
        }
        matching.batches = batches;
        matching
    }

    /// Returns how surely the replies of an exchange answer its act.
    pub(crate) fn at(&self, exchange: usize) -> Match {
        self.matches.get(exchange).copied().unwrap_or(Match::Lost)
    }

    /// Doubts the matches since the last reply that can only be its act's own, because a client that reads one reply per
    /// act reads a surplus one as the answer to the next act, and so on.
    fn doubt_back(&mut self) {
        let steps = self.steps;
        let before = self.matches.iter_mut().zip(steps).rev();
        for (matched, _) in before.take_while(|(_, step)| !is_distinctive(step)) {
            *matched = Match::Lost;
        }
    }

    /// Returns the match of a batch after a reply was lost or too many came.
    fn again(&self, batch: Batch<'_>) -> Match {
        let mut acts = batch.acts();
        let (Some((_, step)), None) = (acts.next(), acts.next()) else { return Match::Lost };
        if batch.ends_late() {
            return if batch.steps.len() == 1 { Match::Last } else { Match::Lost };
        }
        let is_only = batch.answers() == 1 && step.exchange.sure && is_plain(step);
        let is_own = match step.verb() {
            _ if !is_only => false,
            Some(Verb::Quit) => step.number() == Some(221),
            Some(Verb::Ehlo | Verb::Lhlo) => step.number() == Some(250) && has_lines(step),
            Some(Verb::Noop) => step.number() == Some(250) && self.is_drained(State::Transaction),
            Some(Verb::Rset) => step.number() == Some(250) && self.is_drained(State::Nothing),
            _ => false,
        };
        if is_own { Match::Certain } else { Match::Lost }
    }

    /// Returns whether no reply is outstanding, and the surplus ones cannot have left in doubt what `needed` says.
    fn is_drained(&self, needed: State) -> bool {
        let Some((batch, Count::More)) = self.odd else { return false };
        let mut digits = batch.replies().map(|(.., reply)| reply.number().map(|number| number / 100));
        let first = digits.next();
        let are_alike = digits.all(|digit| Some(digit) == first);
        batch.acts().all(|(_, step)| match changes(step) {
            State::Nothing => true,
            State::Transaction => are_alike || needed == State::Nothing,
            State::Session => false,
        })
    }
}

/// What an act may change, or what has to be known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    Transaction,
    Session,
}

fn changes(step: &Step<'_>) -> State {
    match (&step.exchange.act, step.verb()) {
        (Act::Connect | Act::Wait, _)
        | (_, Some(Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Quit | Verb::Other)) => {
            State::Nothing
        }
        (Act::Message(_) | Act::Chunk { .. }, _)
        | (_, Some(Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Rset)) => State::Transaction,
        _ => State::Session,
    }
}

/// Returns the match of a batch with too many or too few replies, or replies in the wrong order.
fn at_fault(batch: Batch<'_>, count: Count) -> Match {
    match count {
        // The replies that have come answer the act, because none is outstanding before it.
        Count::Fewer if !batch.is_pipelined() => Match::Certain,
        Count::More if batch.steps.len() == 1 && batch.ends_late() => Match::Last,
        _ => Match::Lost,
    }
}

/// Returns whether the first reply to an act can only be its own, or needs no act.
fn is_distinctive(step: &Step<'_>) -> bool {
    match (&step.exchange.act, step.verb(), step.number()) {
        (Act::Connect | Act::Handshake, ..)
        | (_, Some(Verb::Data), Some(354))
        | (_, Some(Verb::Starttls), Some(220))
        | (_, Some(Verb::Quit), Some(221))
        | (_, Some(Verb::Auth), Some(235 | 334))
        | (Act::Response(_), _, Some(235 | 334)) => true,
        (_, Some(Verb::Ehlo | Verb::Lhlo), Some(250)) => has_lines(step),
        _ => false,
    }
}

/// Returns whether a reply has several lines, as only those that list keywords or texts do.
fn has_lines(step: &Step<'_>) -> bool {
    step.replies.first().is_some_and(|reply: &Reply<'_>| reply.lines().nth(1).is_some())
}
