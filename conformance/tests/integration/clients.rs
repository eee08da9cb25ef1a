//! Clients, judged: the reference client keeps every rule, and each of its faults breaks exactly the rules it declares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use smtp_conformance::clients::behaviour::{self, Behaviour};
use smtp_conformance::clients::client::Client;
use smtp_conformance::clients::exit::Exits;
use smtp_conformance::clients::template::Template;
use smtp_conformance::clients::{self, Plan};
use smtp_conformance::record::comparison::Comparison;
use smtp_conformance::record::index::RecordIndex;
use smtp_conformance::record::outcome::{Outcome, Verdict};
use smtp_conformance::record::{self, Record, Subject};
use smtp_conformance::report::{Format, Source};
use smtp_conformance::sender::{Fault, faults};
use smtp_conformance::{Kind, Level, RuleId};
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_smtp-conformance");

/// How many clients are tried at once, and how many attempts each makes at once.
const AT_ONCE: usize = 6;
const PARALLEL: usize = 6;

/// Returns the reference client, with more options.
fn reference(options: &str) -> Client {
    let send = format!(
        "'{PROGRAM}' send --server {{host}}:{{port}} --from {{from}} {{rcpts:--to}} --message {{message}} \
         --timeout 5 {options}"
    );
    let login = "--user {user} --password {password}";
    let templates = [
        ("plain", send.clone()),
        ("tls", format!("{send} --tls --ca {{ca}}")),
        ("auth", format!("{send} {login}")),
        ("auth-tls", format!("{send} --tls --ca {{ca}} {login}")),
        ("lmtp", format!("{send} --lmtp")),
    ];
    let templates: BTreeMap<String, Template> = templates
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Template::read(&text).expect("a template")))
        .collect();
    let mut client = Client::new("reference client", templates);
    client.exits = Exits::read("ok=0,temporary=75,permanent=69,partial-permanent=70,partial-temporary=71")
        .expect("a map");
    client
}

async fn outcome(client: &Client, behaviours: &[Behaviour], allows_slow: bool) -> Outcome {
    let plan = Plan { allows_slow, parallel: PARALLEL, limit: Duration::from_secs(900), ..Plan::default() };
    clients::run(client, behaviours, &plan).await.expect("it runs")
}

/// Returns the rules that were broken, each with a behaviour and what was seen.
fn broken(outcome: &Outcome) -> BTreeMap<&'static str, String> {
    let findings = outcome.judgement.findings.iter();
    findings
        .map(|found| {
            let case = outcome.case_of(found.location);
            (found.rule.rule().id, format!("in {case}: {}", found.detail))
        })
        .collect()
}

#[test]
fn the_reference_client_keeps_every_rule() {
    let behaviours = behaviour::built_in().expect("they are well-formed");
    let runtime = Runtime::new().expect("a runtime");
    let mut passed: BTreeSet<String> = BTreeSet::new();
    for options in ["", "--bdat"] {
        let outcome = runtime.block_on(outcome(&reference(options), &behaviours, true));
        assert_eq!(broken(&outcome), BTreeMap::new(), "{options}");
        for case in &outcome.cases {
            assert!(
                !matches!(case.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error),
                "{}: {:?}",
                case.id,
                case.verdict
            );
            if case.verdict == Verdict::Pass {
                passed.extend(case.rules.iter().cloned());
            }
        }
    }
    // `client-terminates` is judged by every attempt, and no behaviour is about it alone.
    let untested: Vec<&str> = RuleId::all()
        .map(RuleId::rule)
        .filter(|rule| rule.kind == Kind::Client && rule.id != RuleId::CLIENT_TERMINATES.rule().id)
        .filter(|rule| !passed.contains(rule.id))
        .map(|rule| rule.id)
        .collect();
    assert_eq!(untested, [""; 0]);
}

#[test]
fn each_fault_breaks_the_rules_that_it_declares_and_no_others() {
    let behaviours = behaviour::built_in().expect("they are well-formed");
    let runtime = Runtime::new().expect("a runtime");
    let faults = faults().expect("they are well-formed");
    let wrong: Vec<String> = runtime.block_on(async {
        let tried = faults.iter().map(|fault| problem(fault, &behaviours));
        stream::iter(tried).buffered(AT_ONCE).filter_map(|problem| async { problem }).collect().await
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Returns what is wrong with the rules that a fault declares.
async fn problem(fault: &Fault, behaviours: &[Behaviour]) -> Option<String> {
    // Some faults show only in chunks, and only a server that stalls shows that a client waits for ever.
    let uses_chunks = fault.name.contains("chunk");
    let waits = fault.name == "no-time-limit";
    let chunks = if uses_chunks { " --bdat" } else { "" };
    let client = reference(&format!("--fault {}{chunks}", fault.name));
    let outcome = outcome(&client, behaviours, waits).await;
    let found = broken(&outcome);
    let declared: BTreeSet<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
    let kept: Vec<&&str> = declared.iter().filter(|rule| !found.contains_key(*rule)).collect();
    let others: Vec<_> = found.iter().filter(|(rule, _)| !declared.contains(*rule)).collect();
    (!kept.is_empty() || !others.is_empty()).then(|| {
        format!("{}: declared, but kept: {kept:?}; broken, but not declared: {others:#?}", fault.name)
    })
}

#[test]
fn each_rule_has_a_fault() {
    let tripped: BTreeSet<RuleId> = faults()
        .expect("they are well-formed")
        .iter()
        .flat_map(|fault| fault.trips.iter().copied())
        .collect();
    let without: Vec<RuleId> =
        RuleId::all().filter(|rule| rule.rule().kind == Kind::Client && !tripped.contains(rule)).collect();
    assert_eq!(without, []);
}

/// Records of clients follow the schema, can be read back and compared, and every report takes them.
#[test]
fn records_of_clients_are_reported_as_those_of_servers() {
    let behaviours: Vec<Behaviour> = behaviour::built_in()
        .expect("they are well-formed")
        .into_iter()
        .filter(|behaviour| behaviour.group == "greeting")
        .collect();
    let runtime = Runtime::new().expect("a runtime");
    let run = |options: &str| -> Vec<Record> {
        let outcome = runtime.block_on(outcome(&reference(options), &behaviours, false));
        record::records(&Subject::named("reference client"), outcome.without_baseline())
    };
    let (before, after) = (run("--fault no-quit"), run("--fault no-quit --fault no-helo"));
    let mut written = Vec::new();
    record::write(&before, &mut written).expect("they can be written");
    let written = String::from_utf8(written).expect("UTF-8");
    let read = record::read("client.jsonl", &written).expect("they can be read");
    let mut again = Vec::new();
    record::write(&read, &mut again).expect("they can be written");
    assert_eq!(String::from_utf8(again).expect("UTF-8"), written);
    let schema = serde_json::from_str(include_str!("../../schemas/records.schema.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for line in written.lines() {
        let value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    let (old, new) = (RecordIndex::of(&before), RecordIndex::of(&after));
    let comparison = Comparison::of(&old, &new);
    let rules: Vec<&str> =
        comparison.new.iter().map(|difference| difference.identity.rule.as_str()).collect();
    assert!(rules.iter().all(|rule| *rule == "client-hello-fallback") && !rules.is_empty(), "{rules:?}");
    assert!(comparison.gone.is_empty() && comparison.same > 0);
    let sources = [Source { name: "before.jsonl", records: &before }];
    for (format, expected) in [
        (Format::Html, "Behaviour by behaviour"),
        (Format::Html, "What mail clients send and report"),
        (Format::Junit, "template-plain"),
        (Format::Sarif, "client-quits"),
        (Format::Markdown, "client-quits"),
        (Format::Results, "# What real clients do"),
        (Format::Issue, "client-quits"),
        (Format::Console, "Template plain: "),
    ] {
        let report = format.render(&sources, Some(Level::Error)).expect("a report");
        assert!(report.contains(expected), "{format:?}: {report}");
        assert!(!report.contains("Registry agreement"), "{format:?}");
    }
}

/// A program that ends with 0 and never connects has not passed anything.
#[test]
fn a_client_that_never_connects_is_not_judged() {
    let behaviours = behaviour::built_in().expect("they are well-formed");
    let template = Template::read("true {host}").expect("a template");
    let client = Client::new("true", BTreeMap::from([("plain".to_owned(), template)]));
    let outcome = Runtime::new().expect("a runtime").block_on(outcome(&client, &behaviours, false));
    assert!(outcome.says_nothing(), "{:?}", outcome.cases);
    assert_eq!(broken(&outcome), BTreeMap::new());
}
