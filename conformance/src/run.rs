//! A run: cases against a target, judged.

mod attempt;
mod drive;
mod interruption;
mod politeness;
mod redaction;
mod runner;
mod secrecy;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::case::{Case, Safety};
use crate::catalogue::{Level, RuleId};
use crate::client::{Certificates, Encryption, Patience};
use crate::dialogue::Dialogue;
use crate::finding::Place;
use crate::limits::quoted;
use crate::profile::Profile;
use crate::rules::{Judgement, Strictness, judge};
use crate::target::Target;

pub use interruption::Interruption;
pub use politeness::Politeness;
use redaction::Redaction;
use runner::{CANARY_FAILED, INTERRUPTED, OUT_OF_ROOM, OUT_OF_TIME, Runner};
use secrecy::Secrecy;

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What a case may do beside what is safe.
    pub allowed: Vec<Safety>,
    /// How long to wait.
    pub patience: Patience,
    /// How long to wait for a server that takes no connections yet.
    pub wait: Duration,
    /// How long everything may take.
    pub limit: Duration,
    /// What ends it before.
    pub interruption: Interruption,
    /// How gently to treat the server; `None` for what [its place](Politeness::towards) asks for.
    pub politeness: Option<Politeness>,
    /// How many connections at once, on this machine.
    pub parallel: usize,
    /// What to do where a certificate is not good.
    pub certificates: Certificates,
    /// How strictly to judge.
    pub strictness: Strictness,
    /// What findings weigh.
    pub profile: Profile,
    /// Told of each case that is done.
    pub progress: ProgressBar,
}

impl Default for Plan {
    /// Safe cases, 4 connections at once, 10 minutes.
    fn default() -> Plan {
        Plan {
            allowed: Vec::new(),
            patience: Patience::default(),
            wait: Duration::ZERO,
            limit: Duration::from_secs(600),
            interruption: Interruption::default(),
            politeness: None,
            parallel: 4,
            certificates: Certificates::Observed,
            strictness: Strictness::default(),
            profile: Profile { name: "rfc".to_owned(), levels: Vec::new() },
            progress: ProgressBar::hidden(),
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
    /// What is wrong with the server's certificate, as far as one was seen.
    pub certificate: Option<String>,
}

impl Outcome {
    /// The case that brought a place about; where none did, the connection's name.
    #[must_use]
    pub fn case_of(&self, place: Place) -> &str {
        let dialogue = self.dialogues.get(place.dialogue);
        dialogue.map_or("", |dialogue| dialogue.case(place.exchange).unwrap_or(&dialogue.name))
    }

    /// Whether a finding at a level or above is not known.
    #[must_use]
    pub fn fails(&self, level: Level) -> bool {
        self.judgement.findings.iter().any(|finding| finding.level >= level && finding.known.is_none())
    }

    /// Whether a case went wrong through a fault of ours.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.cases.iter().any(|case| case.verdict == Verdict::Error)
    }

    /// Why nothing can be said, where that is the same for every case, or what the canary ended with.
    #[must_use]
    pub fn obstacle(&self) -> Option<&str> {
        let first = self.cases.first().filter(|first| !first.reason.is_empty())?;
        let is_same = |case: &CaseOutcome| {
            case.verdict.is_idle() && [first.reason.as_str(), CANARY_FAILED].contains(&case.reason.as_str())
        };
        self.cases.iter().all(is_same).then_some(first.reason.as_str())
    }

    /// Whether it was interrupted, or ran out of time or of room.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.cases.iter().any(|case| [INTERRUPTED, OUT_OF_TIME, OUT_OF_ROOM].contains(&case.reason.as_str()))
    }

    /// Whether nothing can be said: no case passed, failed, warned or was observed.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.cases.iter().all(|case| case.verdict.is_idle())
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
    /// The outcomes that the case tells and that came about, from 0.
    #[serde(skip)]
    pub outcomes: Vec<usize>,
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

impl Verdict {
    /// Whether nothing was judged.
    #[must_use]
    pub fn is_idle(self) -> bool {
        use Verdict::{Blocked, Error, Fail, Inconclusive, Observed, Pass, Skipped, Unsupported, Warn};
        match self {
            Pass | Fail | Warn | Observed => false,
            Unsupported | Blocked | Skipped | Inconclusive | Error => true,
        }
    }
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
/// Where TLS cannot be set up at all, or certificates are to be verified and this machine has no root certificates. What
/// goes wrong with a server is part of the outcome.
pub async fn run(target: &Target, cases: &[Case], plan: &Plan) -> Result<Outcome> {
    conclude(drive(target, cases, plan).await?, target, cases, plan)
}

/// Runs cases against a target, and judges nothing yet.
pub(crate) async fn drive(target: &Target, cases: &[Case], plan: &Plan) -> Result<Outcome> {
    let encryption = Encryption::new(plan.certificates).context("TLS")?;
    let politeness = plan.politeness.unwrap_or_else(|| Politeness::towards(target, plan.parallel));
    let until = Instant::now() + plan.wait + plan.limit;
    let (received, sent) = (Cell::new(0), Cell::new(0));
    let secrecy = Secrecy::of(target, plan);
    let runner = Runner { target, plan, politeness, encryption, secrecy, until, received, sent };
    runner.wait().await;
    let mut outcome = runner.run(cases).await;
    outcome.certificate = runner.encryption.problem().map(quoted);
    Ok(outcome)
}

/// Judges what was driven, and takes the password out of all that is written of it.
///
/// # Errors
///
/// None but faults of ours.
pub(crate) fn conclude(
    mut outcome: Outcome,
    target: &Target,
    cases: &[Case],
    plan: &Plan,
) -> Result<Outcome> {
    outcome.judgement = judge(&outcome.dialogues, &target.knowledge, plan.strictness);
    plan.profile.weigh(&mut outcome.judgement.findings);
    decide(&mut outcome, cases);
    if let Some(credentials) = &target.credentials {
        redact(&mut outcome, &Redaction::of(credentials)?, target, plan);
    }
    Ok(outcome)
}

/// Takes the password out of what was said and of what is said about it. What the rules find is decided before, because a
/// password may be a word of the protocol; what they quote is taken from the same dialogues without the password.
fn redact(outcome: &mut Outcome, redaction: &Redaction, target: &Target, plan: &Plan) {
    if redaction.redact(&mut outcome.dialogues) {
        let again = judge(&outcome.dialogues, &target.knowledge, plan.strictness).findings;
        let mut details: HashMap<(RuleId, Place), String> =
            again.into_iter().map(|finding| ((finding.rule, finding.place), finding.detail)).collect();
        for finding in &mut outcome.judgement.findings {
            let detail = details.remove(&(finding.rule, finding.place));
            finding.detail = detail.unwrap_or_else(|| "not shown, because it holds the password".to_owned());
        }
    }
    for case in &mut outcome.cases {
        case.reason = redaction.redacted(&case.reason);
    }
    outcome.certificate = outcome.certificate.as_deref().map(|problem| redaction.redacted(problem));
}

/// Cases that went as foreseen pass, warn or fail by the findings of the rules that they name. A finding at level error
/// counts also where something came in the way: what was seen was seen.
fn decide(outcome: &mut Outcome, cases: &[Case]) {
    let mut worst: HashMap<(String, RuleId), Level> = HashMap::new();
    for finding in &outcome.judgement.findings {
        let place = finding.place;
        let case = outcome.dialogues.get(place.dialogue).and_then(|dialogue| dialogue.case(place.exchange));
        let Some(case) = case else { continue };
        let level = worst.entry((case.to_owned(), finding.rule)).or_insert(finding.level);
        *level = finding.level.max(*level);
    }
    for kept in outcome.cases.iter_mut().filter(|kept| kept.dialogue.is_some()) {
        let Some(case) = cases.iter().find(|case| case.id == kept.id) else { continue };
        let levels = case.rules.iter().filter_map(|rule| worst.get(&(case.id.clone(), *rule)));
        match (levels.max(), kept.verdict) {
            (
                Some(Level::Error),
                Verdict::Observed | Verdict::Blocked | Verdict::Inconclusive | Verdict::Skipped,
            ) => {
                kept.verdict = Verdict::Fail;
            }
            (Some(Level::Warning), Verdict::Observed) => kept.verdict = Verdict::Warn,
            (None, Verdict::Observed) if !case.rules.is_empty() => kept.verdict = Verdict::Pass,
            _ => {}
        }
    }
}
