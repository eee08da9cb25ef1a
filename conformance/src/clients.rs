//! Runs a client against servers that behave in many ways, and judges what it sends and what it reports.

pub mod behaviour;
pub mod client;
pub mod exit;
mod material;
mod process;
mod schedule;
mod sending;
pub mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use indicatif::ProgressBar;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::dialogue::{Dialogue, Part};
use crate::record::origin::{ClientOrigin, Origin};
use crate::record::outcome::{CaseOutcome, Outcome, Reason, Verdict};
use crate::rules::catalogue::{Level, RuleId};
use crate::rules::client::{Opinion, Reported};
use crate::rules::finding::Finding;
use crate::rules::profile::Profile;
use crate::rules::{Agreement, Judgement};
use crate::run::Interruption;

use behaviour::Behaviour;
use client::Client;
use schedule::Schedule;
use sending::{Attempt, attempt};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether behaviours run for which the client waits until its own time is up.
    pub allows_slow: bool,
    /// How many behaviours run at once.
    pub parallel: usize,
    /// How long the run may take.
    pub limit: Duration,
    /// Ends the run early.
    pub interruption: Interruption,
    /// Adjusts the levels of findings.
    pub profile: Profile,
    /// Advanced by one for each finished behaviour.
    pub progress: ProgressBar,
}

impl Default for Plan {
    /// No slow behaviours, 8 at once, and 10 minutes.
    fn default() -> Plan {
        Plan {
            allows_slow: false,
            parallel: 8,
            limit: Duration::from_secs(600),
            interruption: Interruption::default(),
            profile: Profile { name: "rfc".to_owned(), levels: Vec::new() },
            progress: ProgressBar::hidden(),
        }
    }
}

/// What became of one behaviour.
struct Tried {
    outcome: CaseOutcome,
    dialogues: Vec<Dialogue>,
    findings: Vec<Finding>,
    /// Whether the client reported what is right.
    is_expected: bool,
}

/// Runs a client against servers with these behaviours, and judges it.
///
/// A behaviour's `base` runs first. The others are judged only if it went as expected, because a template that does not
/// work looks like a client that does not. What seems wrong is tried twice, and found only if it happens twice.
///
/// # Errors
///
/// If a file that is handed to the client cannot be written, or if a behaviour is, through others, its own base. A problem with
/// the client is not an error but part of the outcome.
pub async fn run(client: &Client, behaviours: &[Behaviour], plan: &Plan) -> Result<Outcome> {
    let date = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let origin = ClientOrigin { date, commands: client.commands() };
    let until = Instant::now() + plan.limit;
    let trial = Trial { client, plan, until };
    let mut tried: BTreeMap<&str, Tried> = BTreeMap::new();
    let mut schedule = Schedule::new(behaviours)?;
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < plan.parallel.max(1)
            && let Some(behaviour) = schedule.next(|base| tried.contains_key(base))
        {
            let obstacle = obstacle(behaviour, &tried);
            running.push(async move { (behaviour.id.as_str(), trial.run(behaviour, obstacle).await) });
        }
        let Some((id, one)) = running.next().await else { break };
        tried.insert(id, one?);
    }
    Ok(conclude(origin, behaviours, tried, plan))
}

/// Returns why a behaviour cannot be judged, if what it depends on did not go as expected.
fn obstacle(behaviour: &Behaviour, tried: &BTreeMap<&str, Tried>) -> Option<(Verdict, Reason)> {
    let base = behaviour.base.as_deref()?;
    let tried = tried.get(base)?;
    if tried.is_expected {
        None
    } else if tried.outcome.verdict == Verdict::Skipped {
        Some((Verdict::Skipped, format!("{base} was skipped").into()))
    } else {
        Some((Verdict::Blocked, format!("{base} did not go as expected").into()))
    }
}

/// A run.
#[derive(Clone, Copy)]
struct Trial<'a> {
    client: &'a Client,
    plan: &'a Plan,
    until: Instant,
}

impl Trial<'_> {
    async fn run(self, behaviour: &Behaviour, obstacle: Option<(Verdict, Reason)>) -> Result<Tried> {
        let tried = match obstacle.or_else(|| self.skips(behaviour)) {
            Some((verdict, reason)) => Tried::not_judged(behaviour, verdict, reason),
            None => self.try_behaviour(behaviour).await?,
        };
        self.plan.progress.inc(1);
        Ok(tried)
    }

    fn skips(self, behaviour: &Behaviour) -> Option<(Verdict, Reason)> {
        let skipped = |reason: String| Some((Verdict::Skipped, reason.into()));
        if self.plan.interruption.status().is_some() {
            return Some((Verdict::Skipped, Reason::Interrupted));
        }
        if Instant::now() >= self.until {
            return Some((Verdict::Skipped, Reason::OutOfTime));
        }
        if let Some(reason) = self.client.without.get(&behaviour.group) {
            return skipped(reason.clone());
        }
        if !self.client.templates.contains_key(&behaviour.template) {
            return skipped(format!("the client has no template {}", behaviour.template));
        }
        if behaviour.is_slow && !self.plan.allows_slow {
            return skipped("the client waits until its own time is up; --allow slow runs it".to_owned());
        }
        None
    }

    async fn try_behaviour(self, behaviour: &Behaviour) -> Result<Tried> {
        let Some(first) = self.attempt(behaviour).await? else {
            return Ok(Tried::not_judged(behaviour, Verdict::Skipped, Reason::Interrupted));
        };
        let opinion = first.judged(behaviour);
        let is_sent = first.reported == Reported::Ok && !first.dialogues.is_empty();
        if behaviour.is_base && !behaviour.has_obstacle() && !is_sent {
            return Ok(Tried::faulty_base(behaviour, first));
        }
        if opinion.findings.is_empty() {
            return Ok(Tried::new(behaviour, first, opinion, Repeated::Not));
        }
        let Some(second) = self.attempt(behaviour).await? else {
            return Ok(Tried::not_judged(behaviour, Verdict::Skipped, Reason::Interrupted));
        };
        let again: BTreeSet<RuleId> =
            second.judged(behaviour).findings.iter().map(|finding| finding.rule).collect();
        let mut opinion = opinion;
        let before = opinion.findings.len();
        opinion.findings.retain(|finding| again.contains(&finding.rule));
        let repeated = if opinion.findings.len() < before { Repeated::Partly } else { Repeated::Wholly };
        Ok(Tried::new(behaviour, first, opinion, repeated))
    }

    /// Runs the client once. Returns `None` if the run was interrupted meanwhile.
    async fn attempt(self, behaviour: &Behaviour) -> Result<Option<Attempt>> {
        tokio::select! {
            attempt = attempt(self.client, behaviour) => attempt.map(Some),
            () = self.plan.interruption.happened() => Ok(None),
        }
    }
}

/// Whether what seemed wrong was seen again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    /// Nothing seemed wrong.
    Not,
    /// All of it.
    Wholly,
    /// Some of it was not.
    Partly,
}

impl Tried {
    fn not_judged(behaviour: &Behaviour, verdict: Verdict, reason: Reason) -> Tried {
        let outcome = CaseOutcome { reason: Some(reason), ..outcome(behaviour, verdict) };
        Tried { outcome, dialogues: Vec::new(), findings: Vec::new(), is_expected: false }
    }

    /// A template that does not work looks like a client that does not, so nothing is found.
    fn faulty_base(behaviour: &Behaviour, attempt: Attempt) -> Tried {
        let reason = format!(
            "the client does not send even without any obstacle: it reported {}",
            attempt.described()
        );
        let reported = Some(attempt.described());
        let outcome = CaseOutcome {
            reason: Some(reason.into()),
            reported,
            ..outcome(behaviour, Verdict::Inconclusive)
        };
        Tried { outcome, dialogues: attempt.dialogues, findings: Vec::new(), is_expected: false }
    }

    fn new(behaviour: &Behaviour, attempt: Attempt, opinion: Opinion, repeated: Repeated) -> Tried {
        let tested = behaviour.expected.tests();
        let is_tested = |rule: RuleId| tested.contains(&rule) || rule == RuleId::CLIENT_TERMINATES;
        let worst = opinion.findings.iter().filter(|finding| is_tested(finding.rule));
        let worst = worst.map(|finding| finding.level).max();
        let is_judged = tested.iter().any(|rule| opinion.judged.contains(rule));
        let (verdict, reason) = match worst {
            Some(Level::Error) => (Verdict::Fail, None),
            Some(Level::Warning) => (Verdict::Warn, None),
            Some(Level::Note) => (Verdict::Observed, None),
            None if repeated == Repeated::Partly => {
                (Verdict::Inconclusive, Some("it went wrong once, and right the second time".into()))
            }
            None if tested.is_empty() && !attempt.dialogues.is_empty() => (Verdict::Observed, None),
            None if is_judged && attempt.is_reached => (Verdict::Pass, None),
            None => (Verdict::Inconclusive, Some(unjudged(&attempt).into())),
        };
        let right = &behaviour.expected.right;
        let is_expected = right.is_empty() || attempt.is_reached && attempt.reported.satisfies(right);
        let reported = Some(attempt.described());
        let outcome = CaseOutcome { reason, reported, ..outcome(behaviour, verdict) };
        Tried { outcome, dialogues: attempt.dialogues, findings: opinion.findings, is_expected }
    }
}

/// Returns why none of the rules of a behaviour could be judged.
fn unjudged(attempt: &Attempt) -> &'static str {
    if attempt.dialogues.is_empty() {
        "the client did not connect"
    } else if attempt.is_reached {
        "what its rules are about did not happen"
    } else {
        "the client did not come to the reply that is tested"
    }
}

fn outcome(behaviour: &Behaviour, verdict: Verdict) -> CaseOutcome {
    CaseOutcome {
        id: behaviour.id.clone(),
        title: behaviour.title.clone(),
        verdict,
        safety: behaviour.is_slow.then(|| "slow".to_owned()),
        reason: None,
        reported: None,
        dialogue: None,
        rules: behaviour.expected.tests().iter().map(ToString::to_string).collect(),
        outcomes: Vec::new(),
        subjects: Vec::new(),
    }
}

/// Puts what was tried into the order of the behaviours.
fn conclude(
    origin: ClientOrigin,
    behaviours: &[Behaviour],
    mut tried: BTreeMap<&str, Tried>,
    plan: &Plan,
) -> Outcome {
    let (mut cases, mut dialogues, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for behaviour in behaviours {
        let Some(mut one) = tried.remove(behaviour.id.as_str()) else { continue };
        let first = dialogues.len();
        one.outcome.dialogue = (!one.dialogues.is_empty()).then_some(first);
        for finding in &mut one.findings {
            finding.location.dialogue += first;
        }
        for dialogue in &mut one.dialogues {
            dialogue.name.clone_from(&behaviour.id);
            dialogue.cases = vec![Part { case: behaviour.id.clone(), first: 0 }];
        }
        cases.push(one.outcome);
        dialogues.append(&mut one.dialogues);
        findings.append(&mut one.findings);
    }
    plan.profile.weigh(&mut findings);
    let judgement = Judgement { findings, agreement: Agreement::default() };
    Outcome { origin: Origin::Client(origin), cases, dialogues, judgement, hints: Vec::new() }
}
