//! Challenges a pass: would a rule of the case have found something if the server had answered otherwise?
//!
//! A rule that does not apply where a case ends finds nothing there, whatever the server says. To pass, a case needs a rule
//! that could have failed it, so its replies, and what arrived, are exchanged for others, and judged again.

mod arrival;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use crate::case::Case;
use crate::dialogue::{Answer, Dialogue, End};
use crate::knowledge::Knowledge;
use crate::record::outcome::Reason;
use crate::rules::catalogue::RuleId;
use crate::rules::{compares_connections, judge_where};

/// Replies to put in the place of the one that came: of each kind with and without an enhanced status code.
const REPLIES: [&str; 42] = [
    "250 2.0.0 Ok",
    "550 5.0.0 No",
    "500 5.5.1 What?",
    "501 5.5.4 No",
    "250 Ok",
    "550 No",
    "450 4.0.0 Later",
    "354 Go ahead",
    "250 5.0.0 Ok",
    "650 No",
    "502 5.5.1 No",
    "503 5.5.1 No",
    "504 5.5.4 No",
    "530 5.7.0 Log in first",
    "535 5.7.8 No",
    "551 5.1.6 No",
    "552 5.2.2 No",
    "553 5.1.3 No",
    "554 5.0.0 No",
    "555 5.5.4 No",
    "235 2.7.0 Ok",
    "220 2.0.0 Go",
    "421 4.0.0 Bye",
    "452 4.5.3 Too many recipients",
    "550 5.7.1 Not \u{fc}ser, \u{7}",
    "250 2.99.99 Ok",
    "334 not base64",
    "500 5.5.2 Line too long",
    "552 5.3.4 Too big",
    "554 5.6.0 The Resent fields are wrong",
    "550 5.5.3 Too many recipients",
    "250-2.0.0 One\r\n550 5.0.0 Two",
    "550-5.0.0 One\r\n550 Two",
    "250-2.1.5 Ok\r\n250 2.1.5 CONNEG (color=Binary)",
    "355 Go on where you were",
    "554 5.0.0 That submitter may not send",
    "538 5.7.0 Encryption required",
    "554 5.7.0 Must issue a STARTTLS command first",
    "554 5.5.2 Too long",
    "554 5.6.3 No 8-bit data here",
    "550 5.7.17 It had another owner",
    "554 5.6.0 Malformed Received header field",
];

/// How a reply is exchanged for another.
#[derive(Clone, Copy)]
enum Change {
    /// It has another text.
    Reply(&'static str),
    /// Another one follows it.
    Added,
    /// It lacks, and the server closes.
    Missing,
    /// The server closes after it.
    Closed,
    /// It takes longer than any server may take.
    Slow,
    /// It comes only after the client has sent more.
    Kept,
}

/// A case that went as expected, and the run that it belongs to.
pub(super) struct Challenge<'a> {
    pub(super) case: &'a Case,
    /// The connections of the run, and the index of the one that the case used.
    pub(super) dialogues: &'a [Dialogue],
    pub(super) position: usize,
    pub(super) knowledge: &'a Knowledge,
}

/// The octets of replies beyond which a connection is not judged again and again. Such a case stays observed.
const MOST_OCTETS: usize = 128 << 10;

/// The octets of replies in a run beyond which its connections are not compared again and again. A case that only such a
/// comparison could fail stays observed.
const MOST_OCTETS_OF_RUN: usize = 1 << 20;

/// What is judged again after a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The connection alone.
    Connection,
    /// All connections of the run, for rules that compare them.
    Run,
}

/// The changes that showed something last. They are tried first.
static SHOWN: Mutex<Shown> = Mutex::new(Shown { cases: BTreeMap::new(), rules: BTreeMap::new() });

/// Changes that showed something.
struct Shown {
    /// For each case and subject: runs against other servers ask about them again.
    cases: BTreeMap<(String, usize), (Change, Extent)>,
    /// For each rule: several cases have it.
    rules: BTreeMap<RuleId, (Change, Extent)>,
}

impl Challenge<'_> {
    /// Returns `Ok` if a rule of the case could have found something at each of these subjects, in any of its exchanges, and
    /// otherwise why this is not shown.
    pub(super) fn could_fail(&self, subjects: &[Range<usize>]) -> Result<(), Reason> {
        let dialogue = self.dialogues.get(self.position);
        if dialogue.is_none_or(|dialogue| dialogue.received_octets() > MOST_OCTETS) {
            return Err(Reason::TooLong);
        }
        let could_fail = |(nth, subject): (usize, &Range<usize>)| {
            let shown = self.shown(nth);
            subject.clone().rev().any(|exchange| self.finds_after(exchange, nth, shown.iter().copied()))
                || subject.clone().rev().any(|exchange| self.could_fail_at(exchange, nth))
        };
        if !subjects.is_empty() && subjects.iter().enumerate().all(could_fail) {
            return Ok(());
        }
        Err(if self.compares() && self.is_long_run() { Reason::TooLong } else { Reason::Unjudged })
    }

    /// Returns whether a rule of the case compares connections.
    fn compares(&self) -> bool {
        self.case.rules.iter().any(|rule| compares_connections(*rule))
    }

    /// Returns whether the connections of the run are too long to be compared many times.
    fn is_long_run(&self) -> bool {
        let octets: usize = self.dialogues.iter().map(Dialogue::received_octets).sum();
        octets > MOST_OCTETS_OF_RUN
    }

    /// Returns whether a rule of the case could have found something in an exchange of the subject with this number.
    fn could_fail_at(&self, exchange: usize, nth: usize) -> bool {
        let within = |extent| changes().map(move |change| (change, extent));
        self.finds_after(exchange, nth, within(Extent::Connection))
            || self.finds_in_arrivals(exchange)
            || self.finds_after(exchange, nth, within(Extent::Run))
    }

    /// Returns whether a rule of the case finds something after one of the changes to an exchange, and remembers which.
    fn finds_after(
        &self,
        exchange: usize,
        nth: usize,
        changes: impl Iterator<Item = (Change, Extent)>,
    ) -> bool {
        let Some(dialogue) = self.dialogues.get(self.position) else { return false };
        let mut run = Vec::new();
        for (change, extent) in changes {
            let other = changed(dialogue, exchange, change);
            let found = match extent {
                Extent::Connection => self.finds(&[other], 0),
                Extent::Run if !self.compares() || self.is_long_run() => None,
                Extent::Run => {
                    if run.is_empty() {
                        run = self.dialogues.to_vec();
                    }
                    run[self.position] = other;
                    self.finds(&run, self.position)
                }
            };
            if let Some(rule) = found {
                self.remember(nth, rule, (change, extent));
                return true;
            }
        }
        false
    }

    /// Returns whether a rule of the case finds something if another message had arrived.
    fn finds_in_arrivals(&self, exchange: usize) -> bool {
        let Some(dialogue) = self.dialogues.get(self.position) else { return false };
        arrival::others(dialogue, exchange).into_iter().any(|other| self.finds(&[other], 0).is_some())
    }

    /// Returns the changes that showed something for this subject, and for the rules of the case.
    fn shown(&self, nth: usize) -> Vec<(Change, Extent)> {
        let Ok(shown) = SHOWN.lock() else { return Vec::new() };
        let of_case = shown.cases.get(&(self.case.id.clone(), nth));
        of_case
            .into_iter()
            .chain(self.case.rules.iter().filter_map(|rule| shown.rules.get(rule)))
            .copied()
            .collect()
    }

    fn remember(&self, nth: usize, rule: RuleId, shown_by: (Change, Extent)) {
        if let Ok(mut shown) = SHOWN.lock() {
            shown.cases.insert((self.case.id.clone(), nth), shown_by);
            shown.rules.insert(rule, shown_by);
        }
    }

    /// Returns a rule of the case that finds something in its exchanges, or in those that belong to no case.
    fn finds(&self, dialogues: &[Dialogue], position: usize) -> Option<RuleId> {
        let is_own = |dialogue: usize, exchange: usize| {
            let owner = || dialogues.get(position)?.case(exchange);
            dialogue == position && owner().is_none_or(|owner| owner == self.case.id)
        };
        let findings = judge_where(dialogues, self.knowledge, is_own).findings;
        findings.into_iter().map(|finding| finding.rule).find(|rule| self.case.rules.contains(rule))
    }
}

fn changes() -> impl Iterator<Item = Change> {
    let others = [Change::Added, Change::Missing, Change::Closed, Change::Slow, Change::Kept];
    REPLIES.iter().map(|text| Change::Reply(text)).chain(others)
}

/// Returns a dialogue in which the server answers one act otherwise.
fn changed(dialogue: &Dialogue, subject: usize, change: Change) -> Dialogue {
    let mut other = dialogue.clone();
    let Some(exchange) = other.exchanges.get_mut(subject) else { return other };
    match change {
        Change::Reply(text) => exchange.answers = vec![answer(text); exchange.answers.len().max(1)],
        Change::Added => exchange.answers.push(answer("250 2.0.0 Ok")),
        Change::Missing => {
            exchange.answers.clear();
            exchange.end = End::Closed;
        }
        Change::Closed => exchange.end = End::Closed,
        Change::Slow => {
            exchange.answers.iter_mut().for_each(|answer| answer.millis = u64::from(u32::MAX));
        }
        Change::Kept => {
            let kept = std::mem::take(&mut exchange.answers);
            exchange.end = End::TimedOut;
            if let Some(next) = other.exchanges.get_mut(subject + 1) {
                next.answers.splice(0..0, kept);
            }
            return other;
        }
    }
    if exchange.end == End::Closed {
        other.exchanges.truncate(subject + 1);
    }
    other
}

fn answer(text: &str) -> Answer {
    Answer { octets: format!("{text}\r\n").into_bytes(), millis: 0 }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, MOST_OCTETS, MOST_OCTETS_OF_RUN};
    use crate::case::built_in;
    use crate::dialogue::{Act, Answer, Dialogue, Exchange};
    use crate::knowledge::Knowledge;
    use crate::readers::testing::dialogues;
    use crate::record::outcome::Reason;

    fn long(octets: usize) -> Dialogue {
        let answers = vec![Answer { octets: vec![b'x'; octets], millis: 0 }];
        Dialogue {
            exchanges: vec![Exchange { answers, ..Exchange::new(Act::Connect) }],
            ..Dialogue::default()
        }
    }

    /// What a rule finds in a reply after HELO depends on the replies of other connections.
    #[test]
    fn long_runs_are_not_compared_again_and_again() {
        let cases = built_in().expect("the cases follow the form");
        let case = cases.iter().find(|case| case.id == "helo-session").expect("it is built in");
        let text = "#: connected\nS: 220 mx.example.org\nC: HELO me\nS: 250 mx.example.org\nC: NOOP\nS: 250 2.0.0 Ok\n\
                    #: connected\nS: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\n\
                    S: 250 ENHANCEDSTATUSCODES\nC: NOOP\nS: 250 2.0.0 Ok";
        let could_fail = |more: &[Dialogue]| {
            let dialogues = [&dialogues(text), more].concat();
            let knowledge = &Knowledge::default();
            let subject = 2..3;
            Challenge { case, dialogues: &dialogues, position: 0, knowledge }.could_fail(&[subject])
        };
        assert_eq!(could_fail(&[]), Ok(()));
        assert_eq!(could_fail(&[long(MOST_OCTETS_OF_RUN / 2)]), Ok(()));
        let part = long(MOST_OCTETS_OF_RUN / 2);
        assert_eq!(could_fail(&[part.clone(), part]), Err(Reason::TooLong));
    }

    #[test]
    fn long_connections_are_not_judged_again_and_again() {
        let cases = built_in().expect("the cases follow the form");
        let case = cases.iter().find(|case| case.id == "noop").expect("it is built in");
        let mut dialogues = dialogues(
            "#: connected\nS: 220 mx.example.org\nC: EHLO me\nS: 250 mx.example.org\nC: NOOP\nS: 250 Ok",
        );
        let knowledge = Knowledge::default();
        let could_fail = |dialogues: &[Dialogue]| {
            let subject = 2..3;
            Challenge { case, dialogues, position: 0, knowledge: &knowledge }.could_fail(&[subject])
        };
        assert_eq!(could_fail(&dialogues), Ok(()));
        assert_eq!(could_fail(&[]), Err(Reason::TooLong));
        dialogues[0].exchanges.extend(long(MOST_OCTETS).exchanges);
        assert_eq!(could_fail(&dialogues), Err(Reason::TooLong));
    }
}
