//! Attempts at cases: which of them share a connection, and what is tried next.

use std::collections::VecDeque;

use crate::case::{Action, Case, Happened, Safety, Start, Step};
use crate::protocol::command::{Command, Verb};
use crate::record::outcome::Reason;

/// The most cases that share a connection.
const SHARED: usize = 12;
/// The longest line of a case that shares one.
const SHORT: usize = 400;

/// A case to be driven, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'c> {
    pub(super) case: &'c Case,
    pub(super) readiness: Readiness,
    /// Whether it has a connection of its own.
    pub(super) alone: bool,
}

/// How far a session is taken before a case begins, beside what the case asks for: a server that answers 530 wants
/// one of these first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Readiness {
    /// As the case says.
    Plain,
    /// Under TLS, where that is offered.
    Tls,
    /// Under TLS, where that is offered, and logged in.
    Login,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Attempted<'c> {
    pub(super) attempt: Attempt<'c>,
    pub(super) happened: Happened,
    pub(super) reason: Option<Reason>,
    /// Whether the server seems to want TLS or a login first.
    pub(super) unready: bool,
    /// Whether other cases had used the connection before.
    pub(super) used: bool,
    /// The outcomes of the case that came about, from 0.
    pub(super) outcomes: Vec<usize>,
}

impl<'c> Attempt<'c> {
    pub(super) fn first(case: &'c Case) -> Attempt<'c> {
        Attempt { case, readiness: Readiness::Plain, alone: !is_sociable(case) }
    }

    /// Whether more than the case asks for can be done before it begins.
    pub(super) fn is_prepared(&self) -> bool {
        matches!(self.case.start, Start::Hello | Start::Transaction | Start::Recipient)
    }
}

impl<'c> Attempted<'c> {
    /// What to try before anything is concluded. What went wrong where others had been is done again on a connection of
    /// its own; what the server wants more for is done again behind that, as far as `best` allows.
    pub(super) fn next(&self, best: Readiness) -> Option<Attempt<'c>> {
        let attempt = self.attempt;
        if self.used && !matches!(self.happened, Happened::Expected | Happened::Withheld | Happened::Error) {
            return Some(Attempt { alone: true, ..attempt });
        }
        (self.unready && attempt.is_prepared() && attempt.readiness < best)
            .then(|| Attempt { readiness: best, ..Attempt::first(attempt.case) })
    }
}

/// The attempts in batches, each for one connection, in their order.
pub(super) fn batches(attempts: Vec<Attempt<'_>>) -> Vec<Vec<Attempt<'_>>> {
    let mut batches: VecDeque<Vec<Attempt<'_>>> = VecDeque::new();
    for attempt in attempts {
        let fits = |batch: &&mut Vec<Attempt<'_>>| {
            batch.len() < SHARED
                && batch.iter().all(|other| !other.alone && other.readiness == attempt.readiness)
        };
        match batches.iter_mut().find(fits).filter(|_| !attempt.alone) {
            Some(batch) => batch.push(attempt),
            None => batches.push_back(vec![attempt]),
        }
    }
    batches.into()
}

/// Whether a case needs no fresh connection and leaves none that others cannot use: it sends a few short commands after
/// EHLO that neither open nor close anything which RSET would not end.
fn is_sociable(case: &Case) -> bool {
    let start = matches!(case.start, Start::Hello | Start::Transaction | Start::Recipient);
    let plain = |step: &Step| match &step.action {
        Action::Send(line) => step.repeat == 1 && line.len() < SHORT && is_harmless(line),
        _ => false,
    };
    case.safety == Safety::Safe && case.id != "canary" && start && case.steps.iter().all(plain)
}

fn is_harmless(line: &str) -> bool {
    let verb = Command::read(format!("{line}\r\n").as_bytes()).verb();
    matches!(
        verb,
        Verb::Mail | Verb::Rcpt | Verb::Rset | Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Etrn
    )
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Attempted, Readiness, batches};
    use crate::case::{Case, Happened, built_in};

    fn cases() -> Vec<Case> {
        built_in().expect("the cases follow the form")
    }

    #[test]
    fn cases_that_end_or_open_something_are_alone() {
        let cases = cases();
        let alone = |id: &str| cases.iter().find(|case| case.id == id).map(|case| Attempt::first(case).alone);
        for id in ["canary", "quit", "auth-right-password", "message"] {
            assert_eq!(alone(id), Some(true), "{id}");
        }
        for id in ["noop", "mail", "rcpt-unknown", "vrfy-unknown"] {
            assert_eq!(alone(id), Some(false), "{id}");
        }
        let batches = batches(cases.iter().map(Attempt::first).collect());
        assert!(batches.len() < cases.len() * 2 / 3, "{} connections", batches.len());
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), cases.len());
        assert!(batches.iter().all(|batch| batch.len() == 1 || batch.iter().all(|attempt| !attempt.alone)));
    }

    #[test]
    fn what_went_wrong_in_company_is_done_again_alone_and_530_with_more_done_before() {
        let cases = cases();
        let case = cases.iter().find(|case| case.id == "rcpt-unknown").expect("it is built in");
        let attempt = Attempt::first(case);
        let mut attempted = Attempted {
            attempt,
            happened: Happened::Blocked,
            reason: None,
            unready: true,
            used: true,
            outcomes: Vec::new(),
        };
        let next = attempted.next(Readiness::Login).expect("it is tried again");
        assert!(next.alone && next.readiness == Readiness::Plain);
        attempted.used = false;
        let next = attempted.next(Readiness::Login).expect("it is tried again");
        assert!(!next.alone && next.readiness == Readiness::Login);
        assert!(attempted.next(Readiness::Plain).is_none());
        attempted.attempt = next;
        assert!(attempted.next(Readiness::Login).is_none());
    }
}
