//! Runs cases against a target, in their order and within what it is due.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, sleep};

use super::attempt::{Attempt, Attempted, batches};
use super::offers::Offers;
use super::requirements::{Requirements, first, is_about_offers};
use super::secrecy::Secrecy;
use super::{Plan, Politeness};
use crate::case::{Case, Happened, Safety, Start};
use crate::client::{Connection, Encryption};
use crate::dialogue::Dialogue;
use crate::dialogue::wrong_service::wrong_service;
use crate::limits::{RUN_OCTETS, RUN_SENT_OCTETS};
use crate::record::outcome::{CaseOutcome, Outcome, Reason, Verdict};
use crate::target::Target;

/// Runs cases against one target.
pub(super) struct Runner<'a> {
    pub(super) target: &'a Target,
    pub(super) plan: &'a Plan,
    pub(super) politeness: Politeness,
    pub(super) encryption: Encryption,
    pub(super) secrecy: Secrecy,
    pub(super) until: Instant,
    /// Octets of replies that are kept so far.
    pub(super) received: Cell<usize>,
    /// Octets that were sent so far.
    pub(super) sent: Cell<usize>,
}

/// What came of the attempts that were to have one connection.
pub(super) struct Driven<'c> {
    pub(super) attempted: Vec<Attempted<'c>>,
    /// Those for which it was no longer good.
    pub(super) left: Vec<Attempt<'c>>,
    /// The connection, if it came about.
    pub(super) dialogue: Option<Dialogue>,
}

impl Driven<'_> {
    pub(super) fn none<'c>(batch: &[Attempt<'c>], reason: impl Into<Reason>) -> Driven<'c> {
        let reason = reason.into();
        let attempted = |attempt: &Attempt<'c>| Attempted {
            attempt: *attempt,
            happened: Happened::Inconclusive,
            reason: Some(reason.clone()),
            unready: false,
            used: false,
            outcomes: Vec::new(),
        };
        Driven { attempted: batch.iter().map(attempted).collect(), left: Vec::new(), dialogue: None }
    }
}

/// How long to wait at least before a server that takes no connections is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long to wait for what a server of another kind says to a line.
const ANSWER: Duration = Duration::from_secs(1);

impl Runner<'_> {
    pub(super) fn requirements(&self) -> Requirements<'_> {
        Requirements { target: self.target, allowed: &self.plan.allowed, secrecy: self.secrecy }
    }

    /// Waits for a server that is about to start, as long as the plan says.
    pub(super) async fn wait(&self) {
        let until = Instant::now() + self.plan.wait;
        let waiting = async {
            while Instant::now() < until && self.connect("waiting").await.is_err() {
                sleep(self.politeness.between.max(AGAIN)).await;
            }
        };
        tokio::select! {
            () = waiting => {}
            () = self.plan.interruption.happened() => {}
        }
    }

    pub(super) async fn run(&self, cases: &[Case]) -> Outcome {
        let mut outcome = Outcome::default();
        if let [case] = cases
            && self.run_alone(case, &mut outcome).await
        {
            return outcome;
        }
        let canary = cases.iter().find(|case| case.id == "canary");
        let looking = async {
            tokio::select! {
                offers = self.probe(&mut outcome) => offers,
                () = self.plan.interruption.happened() => Err(Reason::Interrupted),
            }
        };
        let offers = match looking.await {
            Ok(offers) => offers,
            Err(reason) => {
                let is_kept = reason == Reason::Interrupted || !self.is_out_of_time();
                let reason = if is_kept { reason } else { Reason::OutOfTime };
                let idle = |case| not_judged(case, Verdict::Inconclusive, reason.clone());
                outcome.cases.extend(cases.iter().map(idle));
                return outcome;
            }
        };
        let mut alive = self.run_canary(canary, &offers, &mut outcome).await;
        let others: Vec<&Case> = cases.iter().filter(|case| case.id != "canary").collect();
        for group in others.chunk_by(|one, other| one.safety == other.safety) {
            if !alive {
                let idle = |case: &&Case| not_judged(case, Verdict::Blocked, Reason::CanaryFailed);
                outcome.cases.extend(group.iter().map(idle));
                continue;
            }
            let start = outcome.cases.len();
            self.run_group(group, &offers, &mut outcome).await;
            if group.iter().any(|case| case.safety != Safety::Safe) {
                alive = self.run_canary(canary, &offers, &mut outcome).await;
                if !alive {
                    block(outcome.cases.get_mut(start..).unwrap_or_default());
                }
            }
        }
        if alive {
            self.run_canary(canary, &offers, &mut outcome).await;
        }
        outcome
    }

    /// Runs the only case on the one connection that it needs. False where more has to be known first: the case is about
    /// what is offered, or shows too little of what the server is, or the server wants TLS or a login.
    async fn run_alone(&self, case: &Case, outcome: &mut Outcome) -> bool {
        if is_about_offers(case) || matches!(case.start, Start::Early | Start::Connect | Start::Helo) {
            return false;
        }
        let offers = Offers::default();
        if let Some((verdict, reason)) = self.requirements().obstacle(case, &offers, &[]) {
            outcome.cases.push(not_judged(case, verdict, reason));
            return true;
        }
        let driven = self.drive(&[Attempt { alone: true, ..Attempt::first(case) }], &offers).await;
        let dialogue = driven.dialogue.as_ref().map(|_| outcome.dialogues.len());
        let sight = driven.dialogue.as_ref().and_then(wrong_service);
        outcome.dialogues.extend(driven.dialogue);
        if let Some(sight) = sight {
            let case = not_judged(case, Verdict::Inconclusive, no_session(sight));
            outcome.cases.push(CaseOutcome { dialogue, ..case });
            return true;
        }
        let Some(attempted) = driven.attempted.first().filter(|attempted| !attempted.unready) else {
            return false;
        };
        outcome.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
        self.plan.progress.inc(1);
        true
    }

    /// What the server promises, in clear and, where STARTTLS is promised, under TLS.
    async fn probe(&self, outcome: &mut Outcome) -> Result<Offers, Reason> {
        let mut connection = self.connect("capabilities").await.map_err(no_session)?;
        connection.greet().await;
        let in_time = |connection: &Connection| match connection.is_over() {
            true => Err(self.stop_reason_of_connection()),
            false => Ok(()),
        };
        in_time(&connection)?;
        if connection.is_silent() {
            // Servers of HTTP and of TLS wait for the client.
            connection.speak_first("NOOP", ANSWER).await;
            let service = wrong_service(connection.dialogue()).map(str::to_owned);
            return Err(no_session(service.unwrap_or_else(|| self.silence())));
        }
        connection.hello().await;
        in_time(&connection)?;
        if let Some(service) = wrong_service(connection.dialogue()) {
            outcome.dialogues.push(connection.dialogue().clone());
            return Err(no_session(service));
        }
        let mut offers = Offers {
            clear: connection.session().offered.as_deref().cloned().unwrap_or_default(),
            tls: None,
            is_local: connection.is_local(),
        };
        if offers.clear.has("STARTTLS")
            && connection.command("STARTTLS").await == Some(220)
            && connection.begin_tls().await
        {
            connection.hello().await;
            offers.tls = connection.session().offered.as_deref().cloned();
        }
        in_time(&connection)?;
        outcome.dialogues.push(self.finish(connection).await);
        Ok(offers)
    }

    /// What to say where no greeting comes.
    pub(super) fn silence(&self) -> String {
        let seconds = self.plan.timeouts.reply.as_secs();
        let tls = if self.target.implicit_tls { "" } else { "; a server that begins with TLS has smtps://" };
        format!("no greeting within {seconds} s; --timeout waits longer{tls}")
    }

    /// A connection that ends with the run at the latest.
    pub(super) async fn connect(&self, name: &str) -> io::Result<Connection> {
        let mut timeouts = self.plan.timeouts;
        timeouts.connection = timeouts.connection.min(self.until.saturating_duration_since(Instant::now()));
        Connection::open(name, self.target, &self.encryption, timeouts).await
    }

    /// Which time is over where that of a connection is.
    pub(super) fn stop_reason_of_connection(&self) -> Reason {
        if self.is_out_of_time() { Reason::OutOfTime } else { Reason::ConnectionTooLong }
    }

    pub(super) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Why nothing more is begun.
    fn stop_reason(&self) -> Option<Reason> {
        if self.plan.interruption.status().is_some() {
            return Some(Reason::Interrupted);
        }
        if self.is_out_of_time() {
            return Some(Reason::OutOfTime);
        }
        let is_out_of_room = self.received.get() > RUN_OCTETS || self.sent.get() > RUN_SENT_OCTETS;
        is_out_of_room.then_some(Reason::OutOfRoom)
    }

    /// Ends a connection, and counts what is kept of it.
    pub(super) async fn finish(&self, connection: Connection) -> Dialogue {
        let dialogue = connection.finish().await;
        self.received.set(self.received.get().saturating_add(dialogue.received_octets()));
        self.sent.set(self.sent.get().saturating_add(dialogue.sent_octets()));
        dialogue
    }

    /// Runs the canary; tells whether the server is well, as far as there is time for it.
    async fn run_canary(&self, canary: Option<&Case>, offers: &Offers, outcome: &mut Outcome) -> bool {
        let Some(canary) = canary else { return true };
        if let Some(reason) = self.stop_reason() {
            outcome.cases.push(not_judged(canary, Verdict::Inconclusive, reason));
            return true;
        }
        let mut attempt = Attempt::first(canary);
        loop {
            let driven = self.drive(&[attempt], offers).await;
            let dialogue = driven.dialogue.as_ref().map(|_| outcome.dialogues.len());
            outcome.dialogues.extend(driven.dialogue);
            let Some(attempted) = driven.attempted.first() else { return false };
            if let Some(next) = attempted.next(self.requirements().best_readiness(offers)) {
                attempt = next;
                continue;
            }
            outcome.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
            return attempted.happened == Happened::Expected || self.stop_reason().is_some();
        }
    }

    /// Runs the cases of one kind of safety, those that come after others in a later round.
    async fn run_group(&self, group: &[&Case], offers: &Offers, outcome: &mut Outcome) {
        let shut_down = Cell::new(0);
        let start = outcome.cases.len();
        let mut waiting = group.to_vec();
        while !waiting.is_empty() {
            let waits = |case: &&Case| waiting.iter().any(|other| case.after.contains(&other.id));
            let (later, now): (Vec<&Case>, Vec<&Case>) = waiting.iter().partition(|case| waits(case));
            let mut attempts = Vec::new();
            for case in now {
                match self.requirements().obstacle(case, offers, &outcome.cases) {
                    None => attempts.push(first(case, offers)),
                    Some((verdict, reason)) => {
                        self.plan.progress.inc(1);
                        outcome.cases.push(not_judged(case, verdict, reason));
                    }
                }
            }
            while !attempts.is_empty() {
                attempts = self.run_round(attempts, offers, &shut_down, outcome).await;
            }
            waiting = later;
        }
        let position = |result: &CaseOutcome| group.iter().position(|case| case.id == result.id);
        outcome.cases.get_mut(start..).unwrap_or_default().sort_by_key(position);
    }

    /// Makes attempts that do not depend on each other, as many at once as the target is due; gives those to make next.
    async fn run_round<'c>(
        &self,
        attempts: Vec<Attempt<'c>>,
        offers: &Offers,
        shut_down: &Cell<usize>,
        outcome: &mut Outcome,
    ) -> Vec<Attempt<'c>> {
        let driving = stream::iter(batches(attempts)).map(|batch| async move {
            if shut_down.get() >= self.politeness.shutdowns {
                return Driven::none(&batch, "the server answered 421 twice");
            }
            if let Some(reason) = self.stop_reason() {
                return Driven::none(&batch, reason);
            }
            let driven = self.drive(&batch, offers).await;
            shut_down.set(shut_down.get() + usize::from(driven.dialogue.as_ref().is_some_and(has_421)));
            driven
        });
        let mut driving = std::pin::pin!(driving.buffered(self.politeness.connections));
        let mut next = Vec::new();
        while let Some(driven) = driving.next().await {
            for attempted in &driven.attempted {
                if let Some(attempt) = attempted.next(self.requirements().best_readiness(offers)) {
                    next.push(attempt);
                    continue;
                }
                self.plan.progress.inc(1);
                let dialogue = driven.dialogue.as_ref().map(|_| outcome.dialogues.len());
                outcome.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
            }
            next.extend(driven.left);
            outcome.dialogues.extend(driven.dialogue);
        }
        next
    }
}

fn no_session(why: impl Display) -> Reason {
    Reason::from(format!("no session: {why}"))
}

fn has_421(dialogue: &Dialogue) -> bool {
    let mut answers = dialogue.exchanges.iter().flat_map(|exchange| &exchange.answers);
    answers.any(|answer| answer.number() == Some(421))
}

/// A case that was not judged.
fn not_judged(case: &Case, verdict: Verdict, reason: impl Into<Reason>) -> CaseOutcome {
    CaseOutcome {
        id: case.id.clone(),
        title: case.title.clone(),
        verdict,
        reason: Some(reason.into()),
        dialogue: None,
        rules: case.rules.iter().map(ToString::to_string).collect(),
        outcomes: Vec::new(),
    }
}

/// The outcome as far as it is known before anything is judged.
fn outcome_of(attempted: &Attempted<'_>) -> CaseOutcome {
    let verdict = match attempted.happened {
        Happened::Expected => Verdict::Observed,
        Happened::Unsupported => Verdict::Unsupported,
        Happened::Blocked => Verdict::Blocked,
        Happened::Inconclusive => Verdict::Inconclusive,
        Happened::Withheld => Verdict::Skipped,
        Happened::Error => Verdict::Error,
    };
    CaseOutcome {
        outcomes: attempted.outcomes.clone(),
        reason: attempted.reason.clone(),
        ..not_judged(attempted.attempt.case, verdict, "")
    }
}

/// What came since the canary last ran says nothing.
fn block(since: &mut [CaseOutcome]) {
    for case in since.iter_mut().filter(|case| case.id != "canary" && case.dialogue.is_some()) {
        case.verdict = Verdict::Blocked;
        case.reason = Some("the canary failed afterwards".into());
    }
}
