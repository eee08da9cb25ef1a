//! Runs cases against a target and judges the replies.

mod attempt;
mod challenge;
mod drive;
mod interruption;
mod mailboxes;
mod offers;
mod politeness;
mod redaction;
mod requirements;
mod runner;
mod secrecy;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::case::marker::Markers;
use crate::case::{Case, Need, Safety};
use crate::client::{Certificates, Encryption, Timeouts};
use crate::delivery::{Looked, Reader};
use crate::dialogue::Dialogue;
use crate::limits::quoted;
use crate::record::Subject;
use crate::record::origin::{Origin, RunOrigin, Tls};
use crate::record::outcome::{CaseOutcome, Outcome, Reason, Verdict};
use crate::rules::catalogue::{Level, RuleId};
use crate::rules::finding::Location;
use crate::rules::profile::Profile;
use crate::rules::{Strictness, judge};
use crate::target::{Address, Target};

use challenge::Challenge;
pub use interruption::Interruption;
use mailboxes::suspect_mailboxes;
pub use politeness::Politeness;
use redaction::Redaction;
use runner::Runner;
use secrecy::Secrecy;

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kinds of cases that are allowed besides safe ones.
    pub allowed: Vec<Safety>,
    /// How long to wait for connections and replies.
    pub timeouts: Timeouts,
    /// How long to wait for a server that does not accept connections yet.
    pub wait: Duration,
    /// How long the run may take, not counting `wait`.
    pub limit: Duration,
    /// Ends the run early.
    pub interruption: Interruption,
    /// How gently to treat the server. If `None`, [its address](Politeness::towards) decides.
    pub politeness: Option<Politeness>,
    /// The maximum number of concurrent connections to a server on this machine.
    pub parallel: usize,
    /// What to do about an invalid certificate.
    pub certificates: Certificates,
    /// How strictly to judge.
    pub strictness: Strictness,
    /// Adjusts the levels of findings.
    pub profile: Profile,
    /// Advanced by one for each finished case.
    pub progress: ProgressBar,
}

impl Default for Plan {
    /// Allows safe cases, 4 concurrent connections and 10 minutes.
    fn default() -> Plan {
        Plan {
            allowed: Vec::new(),
            timeouts: Timeouts::default(),
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

/// Runs cases against a target and judges the replies.
///
/// # Errors
///
/// Returns an error if TLS cannot be set up, or if certificates are to be verified and this machine has no root
/// certificates. A problem with the server is not an error but part of the outcome.
pub async fn run(target: &Target, cases: &[Case], plan: &Plan) -> Result<Outcome> {
    conclude(drive(target, cases, plan).await?, target, cases, plan)
}

/// Returns a target as records describe it.
#[must_use]
pub fn subject(target: &Target, server_version: Option<&str>) -> Subject {
    Subject {
        target: target.name.clone(),
        server_version: server_version.map(str::to_owned),
        product: target.server,
    }
}

/// The result of a run before the rules judge it.
#[derive(Debug)]
pub(crate) struct Unjudged {
    origin: RunOrigin,
    /// The cases, with the verdicts that they have without findings.
    cases: Vec<CaseOutcome>,
    dialogues: Vec<Dialogue>,
}

impl Unjudged {
    /// Returns an empty result for a run that begins now.
    fn begin(target: &Target) -> Unjudged {
        let host = match &target.address {
            Address::Tcp(host, _) => host.clone(),
            Address::Unix(path) => format!("unix:{}", path.display()),
        };
        // Reports need no fractions of a second.
        let date = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
        let origin = RunOrigin { date, host, port: target.port(), addresses: Vec::new(), tls: None };
        Unjudged { origin, cases: Vec::new(), dialogues: Vec::new() }
    }

    /// Makes cases inconclusive whose message did not arrive for all recipients.
    ///
    /// That is not a finding. A server may need longer, or report the failure to the sender (RFC 5321 §6.1).
    fn miss(&mut self, looked: &[Looked], wait: Duration) {
        for Looked { dialogue, exchange, arrived, due } in looked.iter().filter(|one| one.arrived < one.due) {
            let case = self.dialogues.get(*dialogue).and_then(|dialogue| dialogue.case(*exchange));
            let is_own = |outcome: &&mut CaseOutcome| {
                outcome.dialogue == Some(*dialogue) && case == Some(outcome.id.as_str())
            };
            if let Some(outcome) = self.cases.iter_mut().find(is_own)
                && outcome.verdict == Verdict::Observed
            {
                outcome.verdict = Verdict::Inconclusive;
                let seconds = wait.as_secs();
                outcome.reason = Some(format!("{arrived} of {due} copies arrived within {seconds} s").into());
            }
        }
    }
}

/// Runs cases against a target without judging the replies.
pub(crate) async fn drive(target: &Target, cases: &[Case], plan: &Plan) -> Result<Unjudged> {
    let encryption = Encryption::new(plan.certificates).context("TLS")?;
    let politeness = plan.politeness.unwrap_or_else(|| Politeness::towards(target, plan.parallel));
    let until = Instant::now() + plan.wait + plan.limit;
    let (received, sent) = (Cell::new(0), Cell::new(0));
    let addresses = RefCell::default();
    let secrecy = Secrecy::of(target, plan);
    let markers = Markers::new();
    let reader = match &target.delivery {
        Some(delivery) if reads_deliveries(cases, plan) => Some(Reader::begin(delivery, &markers).await?),
        _ => None,
    };
    let runner =
        Runner { target, plan, politeness, encryption, secrecy, until, received, sent, markers, addresses };
    runner.wait().await;
    let mut unjudged = Unjudged::begin(target);
    runner.run(cases, &mut unjudged).await;
    if let Some(reader) = &reader {
        tokio::select! {
            looked = reader.collect(&mut unjudged.dialogues) => unjudged.miss(&looked?, reader.wait()),
            () = plan.interruption.happened() => {}
        }
    }
    unjudged.origin.tls = tls(&runner.encryption);
    unjudged.origin.addresses = runner.addresses.into_inner();
    Ok(unjudged)
}

/// Returns whether a case has messages delivered that are compared.
fn reads_deliveries(cases: &[Case], plan: &Plan) -> bool {
    plan.allowed.contains(&Safety::Delivers) && cases.iter().any(|case| case.needs.contains(&Need::Delivery))
}

/// Returns the first handshake, if one was begun.
fn tls(encryption: &Encryption) -> Option<Tls> {
    let (session, problem) = (encryption.session(), encryption.problem().map(quoted));
    if session.is_none() && problem.is_none() {
        return None;
    }
    let (version, cipher) = session.map(|session| (session.version, session.cipher)).unzip();
    Some(Tls { version, cipher, problem })
}

/// Judges the dialogues of a run and removes the password from everything that will be written.
///
/// # Errors
///
/// Returns an error only if this program is at fault.
pub(crate) fn conclude(unjudged: Unjudged, target: &Target, cases: &[Case], plan: &Plan) -> Result<Outcome> {
    let Unjudged { mut origin, cases: tried, dialogues } = unjudged;
    let mut judgement = judge(&dialogues, &target.knowledge, plan.strictness);
    plan.profile.weigh(&mut judgement.findings);
    let redaction = target.credentials.as_ref().map(Redaction::of).transpose()?;
    if let (Some(tls), Some(redaction)) = (&mut origin.tls, &redaction) {
        tls.problem = tls.problem.as_deref().map(|problem| redaction.redacted(problem));
    }
    let origin = Origin::Run(origin);
    let mut outcome = Outcome { origin, cases: tried, dialogues, judgement, hints: Vec::new() };
    decide(&mut outcome, cases, target);
    if let Some(redaction) = &redaction {
        redact(&mut outcome, redaction, target, plan);
    }
    outcome.hints = suspect_mailboxes(&target.knowledge, &outcome.dialogues);
    Ok(outcome)
}

/// Removes the password from the dialogues and from everything that quotes them.
///
/// The dialogues are judged before that, because the password may be a word of the protocol. They are judged again
/// afterwards, only for the details that the findings quote.
fn redact(outcome: &mut Outcome, redaction: &Redaction, target: &Target, plan: &Plan) {
    if redaction.redact(&mut outcome.dialogues) {
        let again = judge(&outcome.dialogues, &target.knowledge, plan.strictness).findings;
        let mut details: HashMap<(RuleId, Location), String> =
            again.into_iter().map(|finding| ((finding.rule, finding.location), finding.detail)).collect();
        for finding in &mut outcome.judgement.findings {
            finding.detail = match details.remove(&(finding.rule, finding.location)) {
                Some(detail) => detail,
                // The mask may hide what the finding is about, though its detail does not contain the password.
                None if redaction.redacted(&finding.detail) == finding.detail => continue,
                None => "not shown because it contains the password".to_owned(),
            };
        }
    }
    for case in &mut outcome.cases {
        case.reason = case.reason.take().map(|reason| redaction.redacted(&reason.to_string()).into());
    }
}

/// Gives each case its final verdict.
///
/// A case that went as expected passes, warns or fails by the findings of the rules that it names. It only passes if one of
/// these rules could have failed it. A finding at level error or warning counts even if something got in the way of the
/// case, because the violation was seen all the same.
fn decide(outcome: &mut Outcome, cases: &[Case], target: &Target) {
    use Verdict::{Blocked, Fail, Inconclusive, Observed, Pass, Skipped, Warn};
    let mut worst: HashMap<(String, RuleId), Level> = HashMap::new();
    for finding in &outcome.judgement.findings {
        let location = finding.location;
        let dialogue = outcome.dialogues.get(location.dialogue);
        let case = dialogue.and_then(|dialogue| dialogue.case(location.exchange));
        let Some(case) = case else { continue };
        let level = worst.entry((case.to_owned(), finding.rule)).or_insert(finding.level);
        *level = finding.level.max(*level);
    }
    for kept in &mut outcome.cases {
        let Some(case) = cases.iter().find(|case| case.id == kept.id) else { continue };
        let Some(position) = kept.dialogue else { continue };
        let levels = case.rules.iter().filter_map(|rule| worst.get(&(case.id.clone(), *rule)));
        match (levels.max(), kept.verdict) {
            (Some(Level::Error), Observed | Blocked | Inconclusive | Skipped) => kept.verdict = Fail,
            (Some(Level::Warning), Observed | Blocked | Inconclusive) => kept.verdict = Warn,
            (None, Observed) if !case.rules.is_empty() && case.asks() => {
                let challenge =
                    Challenge { case, dialogues: &outcome.dialogues, position, knowledge: &target.knowledge };
                match challenge.could_fail(&kept.subjects) {
                    Ok(()) => kept.verdict = Pass,
                    Err(reason) => {
                        if reason != Reason::TooLong {
                            kept.verdict = Inconclusive;
                        }
                        kept.reason = Some(reason);
                    }
                }
            }
            _ => {}
        }
    }
}
