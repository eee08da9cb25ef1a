//! A run: cases against a target, judged.

mod drive;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::capabilities::Capabilities;
use crate::case::{Case, Happened, Need, Safety, Start};
use crate::catalogue::Level;
use crate::client::{Connection, Encryption, Patience, Template, encoded};
use crate::dialogue::{Act, Dialogue, Protocol};
use crate::profile::Profile;
use crate::rules::{Judgement, Strictness, judge};
use crate::target::Target;

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What a case may do beside what is safe.
    pub allowed: Vec<Safety>,
    /// How long to wait.
    pub patience: Patience,
    /// How long everything may take.
    pub limit: Duration,
    /// How many connections at once, on this machine.
    pub parallel: usize,
    /// How strictly to judge.
    pub strictness: Strictness,
    /// What findings weigh.
    pub profile: Profile,
}

impl Default for Plan {
    /// Safe cases, 4 connections at once, 10 minutes.
    fn default() -> Plan {
        Plan {
            allowed: Vec::new(),
            patience: Patience::default(),
            limit: Duration::from_secs(600),
            parallel: 4,
            strictness: Strictness::default(),
            profile: Profile { name: "rfc".to_owned(), levels: Vec::new() },
        }
    }
}

/// What a run brought.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The cases, in their order, the canary's repetitions among them.
    pub cases: Vec<CaseOutcome>,
    /// The connections.
    pub dialogues: Vec<Dialogue>,
    /// What the rules say of them.
    pub judgement: Judgement,
}

impl Outcome {
    /// Whether a case went wrong through a fault of ours.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Error)
    }

    /// Whether nothing can be said: no case passed, failed, warned or was observed.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        let says =
            |verdict| matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Observed);
        !self.cases.iter().any(|case| says(case.verdict))
    }
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseOutcome {
    /// The case's slug.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, where the verdict does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The number of its connection, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<usize>,
    /// The rules that decide it.
    pub rules: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went as foreseen, and none of its rules is broken.
    Pass,
    /// One of its rules is broken, at level error.
    Fail,
    /// One of its rules is broken, at level warning.
    Warn,
    /// It went as foreseen; there is a note, or it names no rule.
    Observed,
    /// The server does not promise what the case is about.
    Unsupported,
    /// The server wants something first, or a canary failed before.
    Blocked,
    /// The run does not allow it, or does not know enough.
    Skipped,
    /// Something else came in the way.
    Inconclusive,
    /// The fault is ours.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Observed => "observed",
            Verdict::Unsupported => "unsupported",
            Verdict::Blocked => "blocked",
            Verdict::Skipped => "skipped",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Error => "error",
        })
    }
}

/// Runs cases against a target.
///
/// # Errors
///
/// Where TLS cannot be set up at all. What goes wrong with a server is part of the outcome.
pub async fn run(target: &Target, cases: &[Case], plan: &Plan) -> Result<Outcome> {
    let encryption = Encryption::of_any_certificate().context("TLS")?;
    let runner = Runner { target, plan, encryption, until: Instant::now() + plan.limit };
    let mut outcome = runner.run(cases).await;
    outcome.judgement = judge(&outcome.dialogues, &target.knowledge, plan.strictness);
    plan.profile.weigh(&mut outcome.judgement.findings);
    decide(&mut outcome, cases);
    if let Some(credentials) = &target.credentials {
        let secrets = encoded(credentials);
        outcome.dialogues.iter_mut().for_each(|dialogue| redact(dialogue, &secrets));
    }
    Ok(outcome)
}

/// What is offered, in clear and under TLS.
#[derive(Clone, Debug, Default)]
struct Offers {
    clear: Capabilities,
    tls: Option<Capabilities>,
}

struct Runner<'a> {
    target: &'a Target,
    plan: &'a Plan,
    encryption: Encryption,
    until: Instant,
}

/// What came of driving a case.
struct Driven {
    happened: Happened,
    reason: String,
    dialogue: Option<Dialogue>,
}

impl Runner<'_> {
    async fn run(&self, cases: &[Case]) -> Outcome {
        let mut outcome = Outcome::default();
        let canary = cases.iter().find(|case| case.id == "canary");
        let offers = match self.look(&mut outcome).await {
            Ok(offers) => offers,
            Err(error) => {
                let all = cases
                    .iter()
                    .map(|case| idle(case, Verdict::Inconclusive, &format!("no session: {error}")));
                outcome.cases.extend(all);
                return outcome;
            }
        };
        let groups = cases.iter().filter(|case| case.id != "canary").fold(
            Vec::<Vec<&Case>>::new(),
            |mut groups, case| {
                match groups
                    .last_mut()
                    .filter(|group| group.last().map(|last| last.safety) == Some(case.safety))
                {
                    Some(group) => group.push(case),
                    None => groups.push(vec![case]),
                }
                groups
            },
        );
        let mut alive = self.sing(canary, &offers, &mut outcome).await;
        for group in groups {
            let start = outcome.cases.len();
            if !alive {
                outcome.cases.extend(
                    group.iter().map(|case| idle(case, Verdict::Blocked, "the canary failed before")),
                );
                continue;
            }
            self.run_group(&group, &offers, &mut outcome).await;
            if group.iter().any(|case| case.safety != Safety::Safe) {
                alive = self.sing(canary, &offers, &mut outcome).await;
                if !alive {
                    let since = outcome.cases.get_mut(start..).unwrap_or_default();
                    since.iter_mut().filter(|case| case.id != "canary" && case.dialogue.is_some()).for_each(
                        |case| {
                            case.verdict = Verdict::Blocked;
                            "the canary failed afterwards".clone_into(&mut case.reason);
                        },
                    );
                }
            }
        }
        if alive {
            self.sing(canary, &offers, &mut outcome).await;
        }
        outcome
    }

    /// What the server promises, in clear and, where STARTTLS is promised, under TLS.
    async fn look(&self, outcome: &mut Outcome) -> std::io::Result<Offers> {
        let me = Template::me();
        let hello = if self.target.protocol == Protocol::Lmtp { "LHLO" } else { "EHLO" };
        let mut connection =
            Connection::open("capabilities", self.target, &self.encryption, self.plan.patience).await?;
        connection.greet().await;
        connection.command(&format!("{hello} {me}")).await;
        let mut offers =
            Offers { clear: connection.session().offered.as_deref().cloned().unwrap_or_default(), tls: None };
        if offers.clear.has("STARTTLS")
            && connection.command("STARTTLS").await == Some(220)
            && connection.begin_tls().await
        {
            connection.command(&format!("{hello} {me}")).await;
            offers.tls = connection.session().offered.as_deref().cloned();
        }
        outcome.dialogues.push(connection.finish().await);
        Ok(offers)
    }

    /// Runs the canary; tells whether the server is well.
    async fn sing(&self, canary: Option<&Case>, offers: &Offers, outcome: &mut Outcome) -> bool {
        let Some(canary) = canary else { return true };
        let driven = self.drive(canary, offers).await;
        let well = driven.happened == Happened::Foreseen;
        keep(canary, driven, outcome);
        well
    }

    /// Runs cases that do not depend on each other: several at once on this machine, one after the other elsewhere.
    async fn run_group(&self, group: &[&Case], offers: &Offers, outcome: &mut Outcome) {
        let parallel = if self.target.is_loopback() { self.plan.parallel.max(1) } else { 1 };
        let shut_down = Cell::new(0);
        let driving = stream::iter(group).map(|case| {
            let shut_down = &shut_down;
            async move {
                if let Some((verdict, reason)) = self.prevents(case, offers, shut_down.get() >= 2) {
                    return (case, Err(idle(case, verdict, &reason)));
                }
                let driven = self.drive(case, offers).await;
                shut_down.set(shut_down.get() + usize::from(driven.dialogue.as_ref().is_some_and(has_421)));
                (case, Ok(driven))
            }
        });
        let mut driven = std::pin::pin!(driving.buffered(parallel));
        while let Some((case, driven)) = driven.next().await {
            match driven {
                Ok(driven) => keep(case, driven, outcome),
                Err(idle) => outcome.cases.push(idle),
            }
        }
    }

    /// What stands in the way of a case before it is begun.
    fn prevents(&self, case: &Case, offers: &Offers, shut_down: bool) -> Option<(Verdict, String)> {
        if case.safety != Safety::Safe && !self.plan.allowed.contains(&case.safety) {
            return Some((Verdict::Skipped, format!("--allow {}", case.safety)));
        }
        if Instant::now() >= self.until {
            return Some((Verdict::Inconclusive, "the time for the run is over".to_owned()));
        }
        if shut_down && !self.target.is_loopback() {
            return Some((Verdict::Inconclusive, "the server answered 421 twice".to_owned()));
        }
        let implied = match case.start {
            Start::Recipient => Some(Need::Known("valid".to_owned())),
            Start::Authenticated => Some(Need::Credentials),
            Start::Tls if !self.target.implicit_tls => Some(Need::Tls),
            _ => None,
        };
        case.needs.iter().chain(&implied).find_map(|need| self.lacks(need, case, offers))
    }

    fn lacks(&self, need: &Need, case: &Case, offers: &Offers) -> Option<(Verdict, String)> {
        let (target, known) = (self.target, &self.target.knowledge);
        let after_tls = matches!(case.start, Start::Tls | Start::Authenticated);
        let offered = offers.tls.as_ref().filter(|_| after_tls).unwrap_or(&offers.clear);
        let (there, verdict) = match need {
            Need::Smtp => (target.protocol != Protocol::Lmtp, Verdict::Unsupported),
            Need::Mx => (target.protocol == Protocol::Smtp, Verdict::Unsupported),
            Need::Submission => (target.protocol == Protocol::Submission, Verdict::Unsupported),
            Need::Lmtp => (target.protocol == Protocol::Lmtp, Verdict::Unsupported),
            Need::Tls => (target.implicit_tls || offers.clear.has("STARTTLS"), Verdict::Unsupported),
            // Under TLS it is offered no more.
            Need::Offers(keyword) if keyword == "STARTTLS" => {
                (offers.clear.has(keyword), Verdict::Unsupported)
            }
            Need::Offers(keyword) => (offered.has(keyword), Verdict::Unsupported),
            Need::Mechanism(mechanism) => (offered.has_mechanism(mechanism), Verdict::Unsupported),
            Need::SizeLimit => (self.size_limit(Some(offers)).is_some(), Verdict::Unsupported),
            Need::Credentials => (target.credentials.is_some(), Verdict::Skipped),
            Need::Known(name) => {
                let known = match name.as_str() {
                    "valid" => &known.valid,
                    "unknown" => &known.unknown,
                    "foreign" => &known.foreign,
                    "forwarded" => &known.forwarded,
                    _ => &known.full,
                };
                (known.is_some(), Verdict::Skipped)
            }
        };
        (!there).then(|| (verdict, format!("needs {need}")))
    }

    fn size_limit(&self, offers: Option<&Offers>) -> Option<u64> {
        self.target.knowledge.size_limit.or_else(|| offers?.clear.size_limit())
    }
}

fn has_421(dialogue: &Dialogue) -> bool {
    dialogue
        .exchanges
        .iter()
        .flat_map(super::dialogue::Exchange::replies)
        .any(|reply| reply.number() == Some(421))
}

fn idle(case: &Case, verdict: Verdict, reason: &str) -> CaseOutcome {
    CaseOutcome {
        id: case.id.clone(),
        title: case.title.clone(),
        verdict,
        reason: reason.to_owned(),
        dialogue: None,
        rules: case.rules.iter().map(ToString::to_string).collect(),
    }
}

fn keep(case: &Case, driven: Driven, outcome: &mut Outcome) {
    let verdict = match driven.happened {
        Happened::Foreseen => Verdict::Observed,
        Happened::Unsupported => Verdict::Unsupported,
        Happened::Blocked => Verdict::Blocked,
        Happened::Inconclusive => Verdict::Inconclusive,
        Happened::Error => Verdict::Error,
    };
    let mut kept = idle(case, verdict, &driven.reason);
    if let Some(dialogue) = driven.dialogue {
        kept.dialogue = Some(outcome.dialogues.len());
        outcome.dialogues.push(dialogue);
    }
    outcome.cases.push(kept);
}

/// Cases that went as foreseen pass, warn or fail by the findings of the rules that they name. A finding at level error
/// counts also where something came in the way: what was seen was seen.
fn decide(outcome: &mut Outcome, cases: &[Case]) {
    let mut worst: HashMap<(usize, &str), Level> = HashMap::new();
    for finding in &outcome.judgement.findings {
        let level = worst.entry((finding.place.dialogue, finding.rule.rule().id)).or_insert(finding.level);
        *level = finding.level.max(*level);
    }
    for kept in &mut outcome.cases {
        let Some(dialogue) = kept.dialogue else { continue };
        let Some(case) = cases.iter().find(|case| case.id == kept.id) else { continue };
        let levels = case.rules.iter().filter_map(|rule| worst.get(&(dialogue, rule.rule().id)));
        match (levels.max(), kept.verdict) {
            (Some(Level::Error), Verdict::Observed | Verdict::Blocked | Verdict::Inconclusive) => {
                kept.verdict = Verdict::Fail;
            }
            (Some(Level::Warning), Verdict::Observed) => kept.verdict = Verdict::Warn,
            (None, Verdict::Observed) if !case.rules.is_empty() => kept.verdict = Verdict::Pass,
            _ => {}
        }
    }
}

/// Takes what is secret out of what was sent and of what came.
fn redact(dialogue: &mut Dialogue, secrets: &[String]) {
    let hide = |octets: &mut Vec<u8>| {
        for secret in secrets {
            while let Some(at) = octets.windows(secret.len()).position(|window| window == secret.as_bytes()) {
                octets.splice(at..at + secret.len(), *b"[redacted]");
            }
        }
    };
    for exchange in &mut dialogue.exchanges {
        match &mut exchange.act {
            Act::Command(octets) | Act::Response(octets) | Act::Message(octets) => hide(octets),
            Act::Chunk { command, octets } => {
                hide(command);
                hide(octets);
            }
            Act::Connect | Act::Handshake | Act::Wait => {}
        }
        exchange.answers.iter_mut().for_each(|answer| hide(&mut answer.octets));
    }
}
