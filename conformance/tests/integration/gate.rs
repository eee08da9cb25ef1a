//! The gate: without faults the reference server breaks no rule, and each fault breaks exactly the rules it declares.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use smtp_conformance::case::{self, Case, Safety, Start};
use smtp_conformance::client::Timeouts;
use smtp_conformance::dialogue::arrival::By;
use smtp_conformance::dialogue::{Act, Dialogue, End, Exchange};
use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::record::outcome::{CaseOutcome, Outcome, Verdict};
use smtp_conformance::reference::{Fault, Options, Reference, Tls, faults};
use smtp_conformance::run::{self, Plan};
use smtp_conformance::{Destination, Finding, Kind, Level, Location, RuleId, Strictness, Target, judge};

use crate::transcript::written;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// The faults whose runs are judged again from a transcript, as are the runs without faults: replies that are malformed,
/// wrong, doubled, late or missing, and messages that end or arrive otherwise.
const TRANSCRIBED: [&str; 21] = [
    "reply-code-650",
    "bare-lf",
    "hyphens-missing",
    "control-octets",
    "two-replies",
    "reply-twice",
    "no-reply",
    "late-reply",
    "reply-kept-while-more-came",
    "replies-to-group-kept",
    "codes-missing",
    "codes-missing-under-tls",
    "mail-answered-551",
    "arguments-ignored",
    "tls-demanded",
    "arc-554",
    "received-omitted",
    "message-answered-early",
    "smuggling-crlf-dot-cr",
    "smuggled-message-delivered-lf-lf",
    "interrupted-delivered",
];

/// Pairs on which the RFCs contradict the registry. RFC 5321 §4.5.3.1.10 requires 452 for too many recipients, but the
/// registry lists only 451. The registry describes a full mailbox as a transient failure, but lists only 552.
const CONTRADICTED: [&str; 2] = ["452 4.5.3", "452 4.2.2"];

fn plan() -> Plan {
    Plan {
        allowed: vec![Safety::Auth, Safety::Delivers, Safety::Intrusive, Safety::Floods],
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            reply: Duration::from_secs(1),
            connection: Duration::from_secs(20),
            ..Timeouts::default()
        },
        limit: Duration::from_secs(120),
        parallel: 16,
        ..Plan::default()
    }
}

/// Returns the outcome of a run against a server that delivers in this way, if in any.
async fn outcome(options: Options, by: Option<By>, cases: &[Case]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let delivery = by.map(|by| destination(by, folder.path()));
    let options = Options { delivery, ..options };
    let faults = options.faults.clone();
    let mut plan = plan();
    let delay: Duration = options.faults.iter().map(|fault| fault.delay()).sum();
    for limit in [&mut plan.timeouts.reply, &mut plan.timeouts.connection, &mut plan.limit] {
        *limit += delay;
    }
    let server = Reference::start(options).await.expect("the reference server starts");
    let mut target = server.target();
    // As with mail from elsewhere, the server is not the host of the sender's mailbox.
    target.knowledge.sender = Some("sender@elsewhere.example".to_owned());
    let outcome = run::run(&target, cases, &plan).await.expect("TLS can be set up");
    assert_eq!(seen(&outcome.judgement.findings), seen(&judged_again(&outcome, &target)));
    let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    if names.iter().all(|name| TRANSCRIBED.contains(name)) {
        assert_eq!(
            differences(&outcome, &target),
            [],
            "live and read from a transcript, with the faults {names:?}"
        );
    }
    outcome
}

/// What a finding is about that a transcript can tell: the connection, the rule, the level, and the reply, if it is about
/// one.
type Told = (usize, RuleId, Level, String);

/// Judges the connections of a run as their transcript has them, and returns what is found only in one of the two.
fn differences(outcome: &Outcome, target: &Target) -> Vec<Told> {
    let text = written(&outcome.dialogues);
    let read = transcript::read("run", target.protocol, &text).expect("the transcript follows the notation");
    assert_eq!(read.len(), outcome.dialogues.len());
    let found = judge(&read, &target.knowledge, Strictness::default()).findings;
    let told = |findings: &[Finding], dialogues: &[Dialogue]| -> BTreeSet<Told> {
        let told = findings.iter().filter(|one| is_told(one.rule, &outcome.dialogues[one.location.dialogue]));
        told.map(|finding| told_of(finding, dialogues)).collect()
    };
    let (live, read) = (told(&outcome.judgement.findings, &outcome.dialogues), told(&found, &read));
    live.symmetric_difference(&read).cloned().collect()
}

fn told_of(finding: &Finding, dialogues: &[Dialogue]) -> Told {
    let Location { dialogue, exchange, reply } = finding.location;
    let answer = reply.and_then(|reply| dialogues[dialogue].exchanges[exchange].answers.get(reply));
    let octets = answer.map(|answer| answer.octets.escape_ascii().to_string()).unwrap_or_default();
    (dialogue, finding.rule, finding.level, octets)
}

/// Returns whether a transcript tells what a rule goes by. It has no times, and it does not say which act a reply is to: its
/// reader takes replies that come late or unasked for others than the client did.
fn is_told(rule: RuleId, live: &Dialogue) -> bool {
    let exchanges = &live.exchanges;
    match rule {
        RuleId::SUBMISSION_TWO_MINUTES => false,
        RuleId::ONE_REPLY_PER_COMMAND => {
            let is_missing =
                |exchange: &Exchange| exchange.end == End::TimedOut && exchange.answers.is_empty();
            !exchanges.iter().any(is_missing)
        }
        RuleId::MESSAGE_ENDS_AT_CRLF_DOT_CRLF | RuleId::MESSAGE_READ_TO_ITS_END => {
            !exchanges.iter().any(|exchange| exchange.act == Act::Wait || exchange.received() > 1)
        }
        _ => true,
    }
}

/// Judges the connections of a run as its records have them.
fn judged_again(outcome: &Outcome, target: &Target) -> Vec<Finding> {
    let records = serde_json::to_string(&outcome.dialogues).expect("dialogues can be written");
    let dialogues: Vec<Dialogue> = serde_json::from_str(&records).expect("dialogues can be read");
    judge(&dialogues, &target.knowledge, Strictness::default()).findings
}

/// Returns what findings are about, without details, which do not quote passwords.
fn seen(findings: &[Finding]) -> Vec<(RuleId, Level, Location, Option<usize>)> {
    findings.iter().map(|finding| (finding.rule, finding.level, finding.location, finding.shown)).collect()
}

fn destination(by: By, folder: &Path) -> Destination {
    // A port that was free a moment ago is not given to another socket soon.
    let free = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.local_addr().expect("an address")
    };
    match by {
        By::Maildir => Destination::Maildir(folder.join("maildir")),
        By::Mbox => Destination::Mbox(folder.join("mbox")),
        By::Lmtp => Destination::Lmtp(free()),
        By::Smtp => Destination::Smtp(free()),
    }
}

/// Returns the rules that are broken, without the contradicted pairs.
fn broken(outcome: &Outcome) -> BTreeSet<RuleId> {
    let contradicted = |detail: &str| CONTRADICTED.iter().any(|pair| detail.starts_with(pair));
    let counts = |rule: RuleId, detail: &str| rule != RuleId::PAIR_UNLISTED || !contradicted(detail);
    let findings = outcome.judgement.findings.iter();
    findings.filter(|finding| counts(finding.rule, &finding.detail)).map(|finding| finding.rule).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_faults_no_rule_is_broken() {
    let cases = case::built_in().expect("the cases follow the form");
    let mut reached = BTreeSet::new();
    for (protocol, tls, by) in [
        (Protocol::Smtp, Tls::None, None),
        (Protocol::Smtp, Tls::StartTls, Some(By::Smtp)),
        (Protocol::Smtp, Tls::Implicit, Some(By::Maildir)),
        (Protocol::Submission, Tls::StartTls, Some(By::Lmtp)),
        (Protocol::Submission, Tls::Implicit, None),
        (Protocol::Lmtp, Tls::None, Some(By::Mbox)),
        (Protocol::Lmtp, Tls::StartTls, Some(By::Lmtp)),
    ] {
        let outcome = outcome(Options { protocol, tls, ..Options::default() }, by, &cases).await;
        let findings: Vec<_> = outcome
            .judgement
            .findings
            .iter()
            .filter(|finding| broken(&outcome).contains(&finding.rule))
            .map(|finding| {
                let exchange =
                    &outcome.dialogues[finding.location.dialogue].exchanges[finding.location.exchange];
                format!("{} {}: {}", finding.rule, finding.detail, shown(exchange))
            })
            .collect();
        assert!(findings.is_empty(), "{protocol:?} {tls:?}: {findings:#?}");
        for case in &outcome.cases {
            let good = matches!(case.verdict, Verdict::Pass | Verdict::Observed);
            let idle = matches!(case.verdict, Verdict::Unsupported | Verdict::Skipped);
            assert!(good || idle || blocked(case, &cases), "{protocol:?} {tls:?}: {case:?}");
            if good {
                reached.insert(case.id.clone());
            }
        }
    }
    let missed: Vec<&str> =
        cases.iter().map(|case| case.id.as_str()).filter(|id| !reached.contains(*id)).collect();
    assert!(
        missed.is_empty(),
        "these cases pass or are observed on no set-up of the reference server: {missed:?}"
    );
}

/// Returns whether a case is blocked because submission requires AUTH before a transaction: a case that starts before
/// EHLO cannot log in first.
fn blocked(outcome: &CaseOutcome, cases: &[Case]) -> bool {
    let case = cases.iter().find(|case| case.id == outcome.id);
    outcome.verdict == Verdict::Blocked
        && outcome.reason_text().contains("530")
        && case.is_some_and(|case| matches!(case.start, Start::Connect | Start::Helo))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_breaks_the_rules_it_declares() {
    if std::env::var_os("SMTP_TEST_SWAPPED").is_some() {
        println!("skipped: the outer test run covers the faults, and the facts of the registry are the same");
        return;
    }
    let cases = Arc::new(case::built_in().expect("the cases follow the form"));
    let mut faults: Vec<&Fault> = faults().expect("the faults follow the form").iter().collect();
    let chosen = std::env::var("SMTP_TEST_FAULTS").ok();
    if let Some(names) = &chosen {
        faults.retain(|fault| names.split(',').any(|name| name == fault.name));
        assert!(!faults.is_empty(), "SMTP_TEST_FAULTS={names} names no fault");
    }
    // The slowest come first, so that they run in parallel with all others.
    faults.sort_by_key(|fault| Reverse(fault.delay()));
    let runs = stream::iter(faults.iter().copied()).map(|fault| {
        let cases = Arc::clone(&cases);
        // A run stays on its thread, so several need several.
        let run = move || Handle::current().block_on(outcome(options(fault), fault.delivery, &cases));
        async move { (fault, spawn_blocking(run).await.expect("no panic")) }
    });
    let mut wrong = BTreeMap::new();
    let mut reached = BTreeSet::new();
    let mut proved = BTreeSet::new();
    let mut runs = std::pin::pin!(runs.buffer_unordered(12));
    while let Some((fault, outcome)) = runs.next().await {
        let outcomes =
            |case: &CaseOutcome| case.outcomes.iter().map(|nth| (case.id.clone(), *nth)).collect::<Vec<_>>();
        reached.extend(outcome.cases.iter().flat_map(outcomes));
        proved.extend(broken_cases(&outcome, &cases));
        let declared: BTreeSet<RuleId> = fault.trips.iter().copied().collect();
        let broken = broken(&outcome);
        if broken != declared {
            let more: Vec<_> = outcome
                .judgement
                .findings
                .iter()
                .filter(|finding| broken.contains(&finding.rule) && !declared.contains(&finding.rule))
                .take(3)
                .map(|finding| {
                    let exchange =
                        &outcome.dialogues[finding.location.dialogue].exchanges[finding.location.exchange];
                    format!("{} {}: {}", finding.rule, finding.detail, shown(exchange))
                })
                .collect();
            let missing: Vec<RuleId> = declared.difference(&broken).copied().collect();
            wrong.insert(fault.name.as_str(), (missing, more));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: (missing, too many) {wrong:#?}", wrong.len(), faults.len());
    if chosen.is_some() {
        println!("these cases fail, warn or are noted: {proved:?}");
        return;
    }
    let all = cases.iter().flat_map(|case| (0..case.outcomes.len()).map(|nth| (case.id.clone(), nth)));
    let missed: Vec<(String, usize)> = all.filter(|outcome| !reached.contains(outcome)).collect();
    assert!(missed.is_empty(), "no fault leads to these outcomes of cases (counted from 0): {missed:?}");
    let unproved: Vec<&str> =
        cases.iter().map(|case| case.id.as_str()).filter(|id| !proved.contains(*id)).collect();
    assert_eq!(unproved, [""; 0], "no fault breaks a rule of these cases in them");
}

/// Returns the cases that fail or warn, and those whose rules are only notes and find something there: a note changes no
/// verdict.
fn broken_cases(outcome: &Outcome, cases: &[Case]) -> BTreeSet<String> {
    let is_broken = |case: &&CaseOutcome| matches!(case.verdict, Verdict::Fail | Verdict::Warn);
    let mut broken: BTreeSet<String> =
        outcome.cases.iter().filter(is_broken).map(|case| case.id.clone()).collect();
    for finding in &outcome.judgement.findings {
        let id = outcome.case_of(finding.location);
        let only_notes = |case: &Case| case.rules.iter().all(|rule| rule.rule().level == Some(Level::Note));
        let case = cases.iter().find(|case| case.id == id && case.rules.contains(&finding.rule));
        if case.is_some_and(only_notes) {
            broken.insert(id.to_owned());
        }
    }
    broken
}

fn shown(exchange: &Exchange) -> String {
    let answers = exchange.answers.iter().map(|answer| answer.octets.escape_ascii().to_string());
    format!("{} -> {}", exchange.act.parts().concat().escape_ascii(), answers.collect::<Vec<_>>().join(" + "))
}

fn options(fault: &'static Fault) -> Options {
    Options { pace: Duration::from_millis(5), ..Options::of(fault) }
}

/// If a rule were switched off, the gate would miss it only through a fault that declares the rule. So every rule needs
/// one.
#[test]
fn every_implemented_rule_has_a_fault() {
    let declared: BTreeSet<RuleId> = faults()
        .expect("the faults follow the form")
        .iter()
        .flat_map(|fault| fault.trips.iter().copied())
        .collect();
    // Rules about bounces are proved in `rules/report/tests.rs`: the reference server sends none. Rules about clients need a
    // client with a fault.
    let implemented = RuleId::all().filter(|rule| [Kind::Reply, Kind::Dialogue].contains(&rule.rule().kind));
    let unproved: Vec<&str> =
        implemented.filter(|rule| !declared.contains(rule)).map(|rule| rule.rule().id).collect();
    assert_eq!(unproved, [""; 0]);
}
