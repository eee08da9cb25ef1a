//! Attempts at cases: which ones share a connection, and what is tried next.

use std::ops::Range;

use crate::case::{Action, Case, Happened, Safety, Start, Step};
use crate::protocol::command::{Command, Verb};
use crate::record::outcome::Reason;

/// The maximum number of cases that share a connection.
const SHARED: usize = 12;
/// The length in octets that the lines of such a case stay below.
const SHORT: usize = 400;

/// A case to be run, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'c> {
    pub(super) case: &'c Case,
    pub(super) readiness: Readiness,
    /// Whether it has a connection of its own.
    pub(super) alone: bool,
}

/// How a session is prepared before a case begins, in addition to what the case asks for. A server that answers 530
/// demands one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Readiness {
    /// Only as the case asks.
    Plain,
    /// Under TLS, if the server offers it.
    Tls,
    /// Under TLS, if the server offers it, and logged in.
    Login,
}

/// The result of an attempt.
#[derive(Debug)]
pub(super) struct Attempted<'c> {
    pub(super) attempt: Attempt<'c>,
    pub(super) happened: Happened,
    pub(super) reason: Option<Reason>,
    /// Whether the server seems to demand TLS or a login first.
    pub(super) unready: bool,
    /// Whether other cases had used the connection before.
    pub(super) used: bool,
    /// The indexes of the case's outcomes that matched a reply.
    pub(super) outcomes: Vec<usize>,
    /// The exchanges with expected replies to what the case asks, by their indexes.
    pub(super) subjects: Vec<Range<usize>>,
}

impl<'c> Attempt<'c> {
    pub(super) fn first(case: &'c Case) -> Attempt<'c> {
        Attempt { case, readiness: Readiness::Plain, alone: !is_sociable(case) }
    }

    /// Returns whether the session can be prepared beyond what the case asks for.
    pub(super) fn is_prepared(&self) -> bool {
        matches!(self.case.start, Start::Hello | Start::Transaction | Start::Recipient)
    }
}

impl<'c> Attempted<'c> {
    /// Returns what to try before the result is final.
    ///
    /// A case that did not go as expected on a used connection is repeated on a connection of its own. A case for which
    /// the server demands TLS or a login is repeated with the `best` possible preparation.
    pub(super) fn next(&self, best: Readiness) -> Option<Attempt<'c>> {
        let attempt = self.attempt;
        let is_final = matches!(
            self.happened,
            Happened::Expected | Happened::Otherwise | Happened::Withheld | Happened::Error
        );
        if self.used && !is_final {
            return Some(Attempt { alone: true, ..attempt });
        }
        (self.unready && attempt.is_prepared() && attempt.readiness < best)
            .then(|| Attempt { readiness: best, ..Attempt::first(attempt.case) })
    }
}

/// An attempt, and its place in the order of results: that of the batch before it, and its own in what was left of that
/// batch. A first attempt has only its own.
pub(super) type Placed<'c> = (Vec<usize>, Attempt<'c>);

/// Attempts that share a connection, or one that has its own. Its place is that of the first.
#[derive(Debug)]
pub(super) struct Batch<'c> {
    pub(super) place: Vec<usize>,
    pub(super) attempts: Vec<Attempt<'c>>,
}

/// Groups attempts, in order, into batches that share a connection.
pub(super) fn batches(attempts: Vec<Placed<'_>>) -> Vec<Batch<'_>> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for (place, attempt) in attempts {
        let fits = |batch: &&mut Batch<'_>| {
            batch.attempts.len() < SHARED
                && batch.attempts.iter().all(|other| !other.alone && other.readiness == attempt.readiness)
        };
        let shared = if attempt.alone { None } else { batches.iter_mut().find(fits) };
        match shared {
            Some(batch) => batch.attempts.push(attempt),
            None => batches.push(Batch { place, attempts: vec![attempt] }),
        }
    }
    batches
}

/// Returns whether a case can share a connection: it is safe, and after EHLO it sends only short commands whose effects
/// RSET undoes.
pub(super) fn is_sociable(case: &Case) -> bool {
    let start = matches!(case.start, Start::Hello | Start::Transaction | Start::Recipient);
    let plain = |step: &Step| match &step.action {
        Action::Send(line) => step.repeat == 1 && step.early == 0 && line.len() < SHORT && is_harmless(line),
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
        built_in().expect("the cases are valid")
    }

    #[test]
    fn cases_that_change_a_connection_run_alone() {
        let cases = cases();
        let alone = |id: &str| cases.iter().find(|case| case.id == id).map(|case| Attempt::first(case).alone);
        for id in ["canary", "quit", "auth-right-password", "message"] {
            assert_eq!(alone(id), Some(true), "{id}");
        }
        for id in ["noop", "mail", "rcpt-unknown", "vrfy-unknown"] {
            assert_eq!(alone(id), Some(false), "{id}");
        }
        let placed = cases.iter().enumerate().map(|(place, case)| (vec![place], Attempt::first(case)));
        let batches = batches(placed.collect());
        assert!(batches.len() < cases.len() * 2 / 3, "{} connections", batches.len());
        assert_eq!(batches.iter().map(|batch| batch.attempts.len()).sum::<usize>(), cases.len());
        let is_shared = |attempts: &[Attempt<'_>]| attempts.iter().all(|attempt| !attempt.alone);
        assert!(batches.iter().all(|batch| batch.attempts.len() == 1 || is_shared(&batch.attempts)));
    }

    #[test]
    fn a_case_is_repeated_alone_and_then_with_preparation() {
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
            subjects: Vec::new(),
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
