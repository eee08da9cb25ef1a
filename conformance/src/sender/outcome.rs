//! What became of a message for each recipient.

use std::fmt;

use serde::Deserialize;

/// What became of a message for one recipient, or what a reply says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// The server is responsible for it now.
    Accepted,
    /// It can be sent again later.
    Temporary,
    /// It must not be sent again as it is.
    Permanent,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Meaning::Accepted => "accepted",
            Meaning::Temporary => "temporary failure",
            Meaning::Permanent => "permanent failure",
        })
    }
}

/// A recipient, what became of the message for them, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The recipient's address.
    pub recipient: String,
    /// What became of the message.
    pub meaning: Meaning,
    /// The reply that decided, or what else did.
    pub reason: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.recipient, self.meaning, self.reason)
    }
}

/// What became of a message for all recipients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All were accepted.
    Accepted,
    /// Some were accepted, and at least one of the others may be later.
    PartialTemporary,
    /// Some were accepted, and none of the others will be.
    PartialPermanent,
    /// None was accepted, and at least one may be later.
    Temporary,
    /// None was accepted, and none will be.
    Permanent,
}

impl Status {
    /// Returns the status of some outcomes.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Status {
        let has = |meaning| outcomes.iter().any(|outcome| outcome.meaning == meaning);
        match (has(Meaning::Accepted), has(Meaning::Temporary), has(Meaning::Permanent)) {
            (true, false, false) => Status::Accepted,
            (true, true, _) => Status::PartialTemporary,
            (true, false, true) => Status::PartialPermanent,
            (false, true, _) => Status::Temporary,
            (false, false, _) => Status::Permanent,
        }
    }

    /// Returns the exit status that reports it: 0, and otherwise those of `sysexits.h` where it has one.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Status::Accepted => 0,
            Status::PartialPermanent => 70,
            Status::PartialTemporary => 71,
            Status::Temporary => 75,
            Status::Permanent => 69,
        }
    }
}

/// What is known so far about each recipient.
pub(super) struct Ledger {
    rows: Vec<(String, Option<(Meaning, String)>)>,
}

impl Ledger {
    pub(super) fn new(recipients: &[String]) -> Ledger {
        Ledger { rows: recipients.iter().map(|recipient| (recipient.clone(), None)).collect() }
    }

    pub(super) fn address(&self, index: usize) -> &str {
        self.rows.get(index).map_or("", |(recipient, _)| recipient)
    }

    /// Returns the recipients that nothing is known about.
    pub(super) fn undecided(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, (_, decision))| decision.is_none()).map(|(index, _)| index).collect()
    }

    /// Decides about a recipient, unless that has been done.
    pub(super) fn decide(&mut self, index: usize, meaning: Meaning, reason: &str) {
        if let Some((_, decision)) = self.rows.get_mut(index) {
            decision.get_or_insert_with(|| (meaning, reason.to_owned()));
        }
    }

    pub(super) fn decide_all(&mut self, indexes: &[usize], meaning: Meaning, reason: &str) {
        for index in indexes {
            self.decide(*index, meaning, reason);
        }
    }

    /// Decides about all recipients that nothing is known about.
    pub(super) fn decide_rest(&mut self, meaning: Meaning, reason: &str) {
        self.decide_all(&self.undecided(), meaning, reason);
    }

    /// Takes back every acceptance.
    pub(super) fn revoke(&mut self, meaning: Meaning, reason: &str) {
        for (_, decision) in &mut self.rows {
            if decision.as_ref().is_some_and(|(known, _)| *known == Meaning::Accepted) {
                *decision = Some((meaning, reason.to_owned()));
            }
        }
    }

    /// Returns the outcomes. What is undecided even now can be sent again.
    pub(super) fn close(self) -> Vec<Outcome> {
        let outcome = |(recipient, decision): (String, Option<(Meaning, String)>)| {
            let (meaning, reason) =
                decision.unwrap_or_else(|| (Meaning::Temporary, "the message was not sent".to_owned()));
            Outcome { recipient, meaning, reason }
        };
        self.rows.into_iter().map(outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Meaning, Outcome, Status};

    #[test]
    fn the_status_follows_from_the_outcomes() {
        let (ok, later, never) = (Meaning::Accepted, Meaning::Temporary, Meaning::Permanent);
        for (meanings, status, code) in [
            (&[ok, ok][..], Status::Accepted, 0),
            (&[ok, later], Status::PartialTemporary, 71),
            (&[later, never, ok], Status::PartialTemporary, 71),
            (&[never, ok], Status::PartialPermanent, 70),
            (&[never, later], Status::Temporary, 75),
            (&[never], Status::Permanent, 69),
        ] {
            let outcome = |meaning: &Meaning| Outcome {
                recipient: "a@example.org".to_owned(),
                meaning: *meaning,
                reason: String::new(),
            };
            let found = Status::of(&meanings.iter().map(outcome).collect::<Vec<_>>());
            assert_eq!((found, found.code()), (status, code), "{meanings:?}");
        }
    }

    #[test]
    fn the_first_decision_stays() {
        let mut ledger = Ledger::new(&["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        ledger.decide(0, Meaning::Accepted, "250 Ok");
        ledger.decide(1, Meaning::Permanent, "550 No");
        ledger.decide_rest(Meaning::Temporary, "closed");
        let shown: Vec<String> = ledger.close().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["a: accepted: 250 Ok", "b: permanent failure: 550 No", "c: temporary failure: closed"]
        );
    }
}
