//! Runs cases against a target within the limits of its [`Politeness`]. The results are in the order of the cases.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::fmt::Display;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::attempt::{Attempt, Attempted, Batch, Placed, batches, is_sociable};
use super::offers::Offers;
use super::requirements::{Requirements, first, is_about_offers};
use super::secrecy::Secrecy;
use super::{Plan, Politeness, Unjudged};
use crate::case::marker::Markers;
use crate::case::{Case, Happened, Safety, Start};
use crate::client::{Connection, Encryption};
use crate::dialogue::wrong_service::wrong_service;
use crate::dialogue::{Dialogue, Exchange};
use crate::limits::{RUN_OCTETS, RUN_SENT_OCTETS};
use crate::record::outcome::{CaseOutcome, Reason, Verdict};
use crate::target::Target;

/// Runs cases against one target.
pub(super) struct Runner<'a> {
    pub(super) target: &'a Target,
    pub(super) plan: &'a Plan,
    pub(super) politeness: Politeness,
    pub(super) encryption: Encryption,
    pub(super) secrecy: Secrecy,
    pub(super) until: Instant,
    /// The number of octets of replies that were received and kept so far.
    pub(super) received: Cell<usize>,
    /// The number of octets sent so far.
    pub(super) sent: Cell<usize>,
    /// Marks the messages that are recognized when they arrive.
    pub(super) markers: Markers,
    /// The IP addresses that connections were made to, each once.
    pub(super) addresses: RefCell<Vec<IpAddr>>,
}

/// The results of the attempts that share one connection.
pub(super) struct Driven<'c> {
    pub(super) attempted: Vec<Attempted<'c>>,
    /// The attempts that were not made because the connection was no longer usable.
    pub(super) left: Vec<Attempt<'c>>,
    /// The dialogue, if there was a connection.
    pub(super) dialogue: Option<Dialogue>,
}

impl Driven<'_> {
    /// Makes every attempt of a batch inconclusive, for one reason.
    pub(super) fn none<'c>(batch: &[Attempt<'c>], reason: impl Into<Reason>) -> Driven<'c> {
        let reason = reason.into();
        let attempted = |attempt: &Attempt<'c>| Attempted {
            attempt: *attempt,
            happened: Happened::Inconclusive,
            reason: Some(reason.clone()),
            unready: false,
            used: false,
            outcomes: Vec::new(),
            subjects: Vec::new(),
        };
        Driven { attempted: batch.iter().map(attempted).collect(), left: Vec::new(), dialogue: None }
    }
}

/// The result of a batch, and its place in the order of results.
type Done<'c> = (Vec<usize>, Driven<'c>);

/// What the batches of a group share.
#[derive(Clone, Copy)]
struct Limits<'a> {
    /// Has a permit for each connection that may be made.
    free: &'a Semaphore,
    /// The number of connections with a 421.
    shut_down: &'a Cell<usize>,
}

/// The shortest pause between attempts to connect to a server that does not accept connections yet.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a server of another protocol has to answer a line.
const ANSWER: Duration = Duration::from_secs(1);

impl Runner<'_> {
    pub(super) fn requirements(&self) -> Requirements<'_> {
        Requirements { target: self.target, allowed: &self.plan.allowed, secrecy: self.secrecy }
    }

    /// Waits until the server accepts connections, at most as long as the plan says.
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

    pub(super) async fn run(&self, cases: &[Case], unjudged: &mut Unjudged) {
        if let [case] = cases
            && self.run_alone(case, unjudged).await
        {
            return;
        }
        let canary = cases.iter().find(|case| case.id == "canary");
        let probing = async {
            tokio::select! {
                offers = self.probe(unjudged) => offers,
                () = self.plan.interruption.happened() => Err(Reason::Interrupted),
            }
        };
        let offers = match probing.await {
            Ok(offers) => offers,
            Err(reason) => {
                let is_kept = reason == Reason::Interrupted || !self.is_out_of_time();
                let reason = if is_kept { reason } else { Reason::OutOfTime };
                let inconclusive = |case| not_judged(case, Verdict::Inconclusive, reason.clone());
                unjudged.cases.extend(cases.iter().map(inconclusive));
                return;
            }
        };
        let mut alive = self.run_canary(canary, &offers, unjudged).await;
        let others: Vec<&Case> = cases.iter().filter(|case| case.id != "canary").collect();
        for group in others.chunk_by(|one, other| one.safety == other.safety) {
            if !alive {
                let blocked = |case: &&Case| not_judged(case, Verdict::Blocked, Reason::CanaryFailed);
                unjudged.cases.extend(group.iter().map(blocked));
                continue;
            }
            let start = unjudged.cases.len();
            self.run_group(group, &offers, unjudged).await;
            if group.iter().any(|case| case.safety != Safety::Safe) {
                alive = self.run_canary(canary, &offers, unjudged).await;
                if !alive {
                    block(unjudged.cases.get_mut(start..).unwrap_or_default());
                }
            }
        }
        if alive {
            self.run_canary(canary, &offers, unjudged).await;
        }
    }

    /// Runs a single case on a single connection, without probing the server first.
    ///
    /// Returns false if the server has to be probed: because the case depends on what the server offers, because its
    /// dialogue is too short to show which protocol the server speaks, or because the server demands TLS or a login.
    async fn run_alone(&self, case: &Case, unjudged: &mut Unjudged) -> bool {
        if is_about_offers(case) || matches!(case.start, Start::Early | Start::Connect | Start::Helo) {
            return false;
        }
        let offers = Offers::default();
        if let Some((verdict, reason)) = self.requirements().obstacle(case, &offers, &[]) {
            unjudged.cases.push(not_judged(case, verdict, reason));
            return true;
        }
        let driven = self.drive(&[Attempt { alone: true, ..Attempt::first(case) }], &offers).await;
        let dialogue = driven.dialogue.as_ref().map(|_| unjudged.dialogues.len());
        let sight = driven.dialogue.as_ref().and_then(wrong_service);
        unjudged.dialogues.extend(driven.dialogue);
        if let Some(sight) = sight {
            let case = not_judged(case, Verdict::Inconclusive, no_session(sight));
            unjudged.cases.push(CaseOutcome { dialogue, ..case });
            return true;
        }
        let Some(attempted) = driven.attempted.first().filter(|attempted| !attempted.unready) else {
            return false;
        };
        unjudged.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
        self.plan.progress.inc(1);
        true
    }

    /// Finds out which capabilities the server offers, in clear and, if it offers STARTTLS, under TLS.
    async fn probe(&self, unjudged: &mut Unjudged) -> Result<Offers, Reason> {
        let mut connection = self.connect("capabilities").await.map_err(no_session)?;
        connection.greet().await;
        let in_time = |connection: &Connection| {
            if connection.is_over() { Err(self.stop_reason_of_connection()) } else { Ok(()) }
        };
        in_time(&connection)?;
        if connection.is_silent() {
            // An HTTP server, or one that expects TLS, waits for the client to speak first.
            connection.speak_first("NOOP", ANSWER).await;
            let service = wrong_service(connection.dialogue()).map(str::to_owned);
            return Err(no_session(service.unwrap_or_else(|| self.silence())));
        }
        connection.hello().await;
        in_time(&connection)?;
        if let Some(service) = wrong_service(connection.dialogue()) {
            unjudged.dialogues.push(connection.dialogue().clone());
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
        unjudged.dialogues.push(self.finish(connection).await);
        Ok(offers)
    }

    /// Returns the reason for a missing greeting.
    pub(super) fn silence(&self) -> String {
        let seconds = self.plan.timeouts.reply.as_secs();
        let tls =
            if self.target.implicit_tls { "" } else { ", or use smtps:// if the server begins with TLS" };
        format!("no greeting within {seconds} s; raise --timeout{tls}")
    }

    /// Opens a connection that ends with the run at the latest.
    pub(super) async fn connect(&self, name: &str) -> io::Result<Connection> {
        let mut timeouts = self.plan.timeouts;
        timeouts.connection = timeouts.connection.min(self.until.saturating_duration_since(Instant::now()));
        let connection = Connection::open(name, self.target, &self.encryption, timeouts).await?;
        if let Some(address) = connection.peer() {
            let mut addresses = self.addresses.borrow_mut();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(connection)
    }

    /// Returns why the time for a connection has run out: its own limit, or that of the run.
    pub(super) fn stop_reason_of_connection(&self) -> Reason {
        if self.is_out_of_time() { Reason::OutOfTime } else { Reason::ConnectionTooLong }
    }

    pub(super) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Returns why the run must not begin anything more, if so.
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

    /// Ends a connection and counts its octets.
    pub(super) async fn finish(&self, connection: Connection) -> Dialogue {
        let dialogue = connection.finish().await;
        self.received.set(self.received.get().saturating_add(dialogue.received_octets()));
        self.sent.set(self.sent.get().saturating_add(dialogue.sent_octets()));
        dialogue
    }

    /// Runs the canary. Returns whether the server still works, or true if the run must stop before that is known.
    async fn run_canary(&self, canary: Option<&Case>, offers: &Offers, unjudged: &mut Unjudged) -> bool {
        let Some(canary) = canary else { return true };
        if let Some(reason) = self.stop_reason() {
            unjudged.cases.push(not_judged(canary, Verdict::Inconclusive, reason));
            return true;
        }
        let mut attempt = Attempt::first(canary);
        loop {
            let driven = self.drive(&[attempt], offers).await;
            let dialogue = driven.dialogue.as_ref().map(|_| unjudged.dialogues.len());
            unjudged.dialogues.extend(driven.dialogue);
            let Some(attempted) = driven.attempted.first() else { return false };
            if let Some(next) = self.next(attempted, offers) {
                attempt = next;
                continue;
            }
            unjudged.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
            // Its own rules judge what the server answers. Here it only matters that a session can be opened.
            let greets = |dialogue: &Dialogue| dialogue.exchanges.iter().any(is_accepted_hello);
            let is_alive = dialogue.and_then(|dialogue| unjudged.dialogues.get(dialogue)).is_some_and(greets);
            return is_alive || self.stop_reason().is_some();
        }
    }

    /// Runs the cases of one kind of safety. Cases that depend on others run in a later round.
    async fn run_group(&self, group: &[&Case], offers: &Offers, unjudged: &mut Unjudged) {
        let shut_down = Cell::new(0);
        let start = unjudged.cases.len();
        let mut waiting = group.to_vec();
        while !waiting.is_empty() {
            let waits = |case: &&Case| waiting.iter().any(|other| case.after.contains(&other.id));
            let (later, now): (Vec<&Case>, Vec<&Case>) = waiting.iter().partition(|case| waits(case));
            let mut attempts = Vec::new();
            for case in now {
                match self.requirements().obstacle(case, offers, &unjudged.cases) {
                    None => attempts.push(first(case, offers)),
                    Some((verdict, reason)) => {
                        self.plan.progress.inc(1);
                        unjudged.cases.push(not_judged(case, verdict, reason));
                    }
                }
            }
            self.run_attempts(attempts, offers, &shut_down, unjudged).await;
            waiting = later;
        }
        let position = |result: &CaseOutcome| group.iter().position(|case| case.id == result.id);
        unjudged.cases.get_mut(start..).unwrap_or_default().sort_by_key(position);
    }

    /// Makes attempts that do not depend on each other until their results are final, with as many concurrent connections as
    /// the target may get. Which connections are made, and the order of the results, do not depend on which ends first.
    async fn run_attempts(
        &self,
        attempts: Vec<Attempt<'_>>,
        offers: &Offers,
        shut_down: &Cell<usize>,
        unjudged: &mut Unjudged,
    ) {
        let free = Semaphore::new(self.politeness.connections.clamp(1, Semaphore::MAX_PERMITS));
        let limits = Limits { free: &free, shut_down };
        let placed = attempts.into_iter().enumerate().map(|(place, attempt)| (vec![place], attempt));
        let (shared, own): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
            placed.partition(|(_, attempt)| is_sociable(attempt.case));
        let (mut done, others) =
            tokio::join!(self.run_shared(shared, offers, limits), self.run_own(own, offers, limits));
        done.extend(others);
        // A place is longer by one for each batch before it.
        done.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
        for (_, driven) in done {
            for attempted in &driven.attempted {
                if self.next(attempted, offers).is_none() {
                    let dialogue = driven.dialogue.as_ref().map(|_| unjudged.dialogues.len());
                    unjudged.cases.push(CaseOutcome { dialogue, ..outcome_of(attempted) });
                }
            }
            unjudged.dialogues.extend(driven.dialogue);
        }
    }

    /// Runs cases that can share connections, in rounds: what is left of one round is grouped for the next.
    async fn run_shared<'c>(
        &self,
        mut attempts: Vec<Placed<'c>>,
        offers: &Offers,
        limits: Limits<'_>,
    ) -> Vec<Done<'c>> {
        let mut all = Vec::new();
        while !attempts.is_empty() {
            let running = stream::iter(batches(attempts)).map(|batch| self.run_batch(batch, offers, limits));
            let running = running.buffered(self.politeness.connections);
            let round: Vec<(Done<'c>, Vec<Placed<'c>>)> = running.collect().await;
            let (done, left): (Vec<Done<'c>>, Vec<Vec<Placed<'c>>>) = round.into_iter().unzip();
            attempts = left.into_iter().flatten().collect();
            all.extend(done);
        }
        all
    }

    /// Runs cases that each have connections of their own. Those that wait longest begin first.
    async fn run_own<'c>(
        &self,
        mut attempts: Vec<Placed<'c>>,
        offers: &Offers,
        limits: Limits<'_>,
    ) -> Vec<Done<'c>> {
        attempts.sort_by_key(|(_, attempt)| Reverse(attempt.case.waits()));
        let running = stream::iter(attempts).map(|attempt| async move {
            let (mut all, mut next) = (Vec::new(), Some(attempt));
            while let Some((place, attempt)) = next {
                let batch = Batch { place, attempts: vec![attempt] };
                let (done, left) = self.run_batch(batch, offers, limits).await;
                all.push(done);
                next = left.into_iter().next();
            }
            all
        });
        let running = running.buffer_unordered(self.politeness.connections);
        running.collect::<Vec<Vec<Done<'c>>>>().await.into_iter().flatten().collect()
    }

    /// Makes the attempts of a batch. Returns its result, and what is left to do: attempts that are made again, and those
    /// that the connection was no longer usable for.
    async fn run_batch<'c>(
        &self,
        batch: Batch<'c>,
        offers: &Offers,
        limits: Limits<'_>,
    ) -> (Done<'c>, Vec<Placed<'c>>) {
        let Batch { place, attempts } = batch;
        let _one_connection = limits.free.acquire().await;
        let driven = if limits.shut_down.get() >= self.politeness.shutdowns {
            Driven::none(&attempts, "the server answered 421 twice")
        } else if let Some(reason) = self.stop_reason() {
            Driven::none(&attempts, reason)
        } else {
            self.drive(&attempts, offers).await
        };
        let is_shut_down = driven.dialogue.as_ref().is_some_and(has_421);
        limits.shut_down.set(limits.shut_down.get() + usize::from(is_shut_down));
        let again: Vec<Attempt<'c>> =
            driven.attempted.iter().filter_map(|attempted| self.next(attempted, offers)).collect();
        self.plan.progress.inc((driven.attempted.len() - again.len()) as u64);
        let left = again.into_iter().chain(driven.left.iter().copied()).enumerate();
        let left = left.map(|(nth, attempt)| ([place.as_slice(), &[nth]].concat(), attempt)).collect();
        ((place, driven), left)
    }

    fn next<'c>(&self, attempted: &Attempted<'c>, offers: &Offers) -> Option<Attempt<'c>> {
        attempted.next(self.requirements().best_readiness(offers))
    }
}

fn no_session(why: impl Display) -> Reason {
    Reason::from(format!("no session: {why}"))
}

fn is_accepted_hello(exchange: &Exchange) -> bool {
    exchange.number() == Some(250) && exchange.command().is_some_and(|command| command.verb().is_hello())
}

fn has_421(dialogue: &Dialogue) -> bool {
    let mut answers = dialogue.exchanges.iter().flat_map(|exchange| &exchange.answers);
    answers.any(|answer| answer.number() == Some(421))
}

/// Returns the outcome of a case that was not judged.
fn not_judged(case: &Case, verdict: Verdict, reason: impl Into<Reason>) -> CaseOutcome {
    CaseOutcome {
        id: case.id.clone(),
        title: case.title.clone(),
        verdict,
        safety: (case.safety != Safety::Safe).then(|| case.safety.to_string()),
        reason: Some(reason.into()),
        reported: None,
        dialogue: None,
        rules: case.rules.iter().map(ToString::to_string).collect(),
        outcomes: Vec::new(),
        subjects: Vec::new(),
    }
}

/// Returns the outcome of an attempt, before the replies are judged.
fn outcome_of(attempted: &Attempted<'_>) -> CaseOutcome {
    let verdict = match attempted.happened {
        Happened::Expected => Verdict::Observed,
        Happened::Unsupported => Verdict::Unsupported,
        Happened::Blocked => Verdict::Blocked,
        Happened::Inconclusive | Happened::Otherwise => Verdict::Inconclusive,
        Happened::Withheld => Verdict::Skipped,
        Happened::Error => Verdict::Error,
    };
    CaseOutcome {
        outcomes: attempted.outcomes.clone(),
        subjects: attempted.subjects.clone(),
        reason: attempted.reason.clone(),
        ..not_judged(attempted.attempt.case, verdict, "")
    }
}

/// Blocks the cases that ran since the last canary, because their results mean nothing after the canary failed.
fn block(since: &mut [CaseOutcome]) {
    for case in since.iter_mut().filter(|case| case.id != "canary" && case.dialogue.is_some()) {
        case.verdict = Verdict::Blocked;
        case.reason = Some("the canary failed afterwards".into());
    }
}
