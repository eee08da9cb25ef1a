//! The report as JUnit XML for CI servers, with a test case for each case and rule.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::console;
use super::digest::{cut, times};
use super::escape::escaped;
use crate::dialogue::Part;
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::outcome::{CaseOutcome, Verdict};
use crate::record::{FindingRecord, Header, Record};
use crate::rules::catalogue::Level;

/// The maximum number of findings that the output of a test case lists.
const LISTED: usize = 20;
/// The maximum number of characters of an exchange in a test case.
const SHOWN: usize = 2000;

/// Returns the report.
///
/// A test case fails if its rule is broken at or above the level `fails`. It is an error if its case has the verdict
/// [`Verdict::Error`], and is skipped with the reason if its case was not judged. Findings below that level and
/// accepted findings are listed in its output. Findings without a case, or about rules that their case does not name,
/// make one test case for each rule and case or recording.
///
/// # Errors
///
/// Returns an error if the XML cannot be written.
pub fn render(records: &[Record], fails: Option<Level>) -> Result<String> {
    let index = &RecordIndex::of(records);
    let target = if index.target().is_empty() { "smtp-conformance" } else { index.target() };
    let mut suite = TestSuite::new(escaped(target));
    describe(&mut suite, index.header);
    let mut times = times_of_cases(records);
    let (broken, others) = by_case(index);
    let broken: HashMap<Key<'_>, Broken> =
        broken.into_iter().map(|(key, found)| (key, Broken::of(index, &found, fails))).collect();
    for case in &index.cases {
        let rules: Vec<&str> = match case.rules.as_slice() {
            [] => vec!["observed"],
            rules => rules.iter().map(String::as_str).collect(),
        };
        for rule in rules {
            let mut test_case = test_case(case, rule, broken.get(&(case.id.as_str(), rule)));
            // The time of a case counts only once, although the case has a test case for each rule.
            test_case.set_time(times.remove(case.id.as_str()).unwrap_or_default());
            suite.add_test_case(test_case);
        }
    }
    for ((rule, name), found) in by_connection(index, &others) {
        let broken = Broken::of(index, &found, fails);
        let mut test_case = TestCase::new(format!("found in {}", escaped(name)), broken.status.clone());
        test_case.set_classname(escaped(rule));
        broken.remark(&mut test_case);
        suite.add_test_case(test_case);
    }
    if let Some(cut) = index.summary.and_then(cut) {
        suite.set_system_out(format!("Beyond the limits: {cut}"));
    }
    suite.set_time(suite.test_cases.iter().filter_map(|case| case.time).sum());
    // Jenkins's schema allows `skipped` on a suite, but not on the root element.
    let skipped = format!(" skipped=\"{}\"", suite.skipped);
    let mut report = Report::new("smtp-conformance");
    report.add_test_suite(suite);
    Ok(report.to_string().context("JUnit")?.replacen(&skipped, "", 1))
}

/// Adds the date of the run, and the server or the client, to a suite.
fn describe(suite: &mut TestSuite, header: Option<&Header>) {
    let Some(Header { origin: Some(origin), server_version, .. }) = header else { return };
    let mut properties: Vec<(String, String)> = Vec::new();
    let (date, what) = match origin {
        Origin::Run(run) => {
            properties.push(("server".to_owned(), run.to_string()));
            properties.push(("tls".to_owned(), run.tls_or_none()));
            (run.date, "server")
        }
        Origin::Client(client) => {
            let commands = client.commands.iter();
            properties.extend(commands.map(|(name, command)| (format!("template-{name}"), command.clone())));
            (client.date, "client")
        }
        Origin::Recordings(_) => return,
    };
    if let Some(version) = server_version {
        properties.push((format!("{what}-version"), version.clone()));
    }
    suite.timestamp = date.to_string().parse().ok();
    for (name, value) in properties {
        suite.add_property((name.as_str(), escaped(&value).as_str()));
    }
}

/// Returns how long the replies took in each case.
fn times_of_cases(records: &[Record]) -> HashMap<&str, Duration> {
    let mut times: HashMap<&str, Duration> = HashMap::new();
    let mut parts: &[Part] = &[];
    for record in records {
        match record {
            Record::Dialogue(opening) => parts = &opening.cases,
            Record::Exchange(spoken) => {
                let Some(case) = Part::owner(parts, spoken.number) else { continue };
                // The time of each reply counts from the act.
                let millis = spoken.exchange.answers.iter().map(|answer| answer.millis).max();
                *times.entry(case).or_default() += Duration::from_millis(millis.unwrap_or_default());
            }
            Record::Header(_) | Record::Finding(_) | Record::Case(_) | Record::Summary(_) => {}
        }
    }
    times
}

/// The ids of a case and of a rule that it names.
type Key<'a> = (&'a str, &'a str);

/// Returns the findings of each case by the rules that it names, and the other findings.
fn by_case<'a>(
    index: &RecordIndex<'a>,
) -> (HashMap<Key<'a>, Vec<&'a FindingRecord>>, Vec<&'a FindingRecord>) {
    let mut broken: HashMap<Key<'a>, Vec<&'a FindingRecord>> = HashMap::new();
    for case in &index.cases {
        for rule in &case.rules {
            broken.entry((&case.id, rule)).or_default();
        }
    }
    let mut others = Vec::new();
    for found in &index.findings {
        let key = (found.case.as_deref().unwrap_or_default(), found.rule.as_str());
        if found.case.is_some()
            && let Some(of_case) = broken.get_mut(&key)
        {
            of_case.push(found);
        } else {
            others.push(*found);
        }
    }
    broken.retain(|_, found| !found.is_empty());
    (broken, others)
}

/// Groups the other findings by rule and by the name of their case or recording, in the order of the first finding.
fn by_connection<'a>(
    index: &RecordIndex<'a>,
    others: &[&'a FindingRecord],
) -> Vec<((&'a str, &'a str), Vec<&'a FindingRecord>)> {
    let mut positions = HashMap::new();
    let mut groups: Vec<((&str, &str), Vec<&FindingRecord>)> = Vec::new();
    for found in others {
        let recording = index.dialogue(found.location).map(|dialogue| dialogue.name.as_str());
        let key = (found.rule.as_str(), found.case.as_deref().or(recording).unwrap_or("a connection"));
        let position = *positions.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[position].1.push(found);
    }
    groups
}

/// The effect of findings on a test case.
struct Broken {
    status: TestCaseStatus,
    /// The findings, for the output of a test case that does not fail.
    output: String,
}

impl Broken {
    fn of(index: &RecordIndex<'_>, found: &[&FindingRecord], fails: Option<Level>) -> Broken {
        let line = |found: &&FindingRecord| {
            let place = found.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
            let seen = format!("{}: {}{place}", found.level, found.detail);
            escaped(&match &found.accepted {
                Some(accepted) => format!("accepted {seen}: {} [{}]", accepted.reason, accepted.section),
                None => seen,
            })
        };
        let mut output: Vec<String> = found.iter().take(LISTED).map(line).collect();
        let listed: usize = found.iter().take(LISTED).count();
        if let Some(more @ 1..) = times(found).checked_sub(listed) {
            output.push(format!("and {more} more"));
        }
        Broken { status: status(index, found, fails), output: output.join("\n") }
    }

    fn remark(&self, test_case: &mut TestCase) {
        if matches!(test_case.status, TestCaseStatus::Success { .. }) {
            test_case.set_system_out(&self.output);
        }
    }
}

fn test_case(case: &CaseOutcome, rule: &str, broken: Option<&Broken>) -> TestCase {
    let status = match broken {
        Some(broken) => broken.status.clone(),
        None => status_without_findings(case),
    };
    let mut test_case = TestCase::new(escaped(&case.id), status);
    test_case.set_classname(escaped(rule));
    if let Some(broken) = broken {
        broken.remark(&mut test_case);
    }
    test_case
}

fn status_without_findings(case: &CaseOutcome) -> TestCaseStatus {
    let reason = case.reason_text();
    match case.verdict {
        Verdict::Error => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(escaped(&reason));
            status
        }
        Verdict::Pass | Verdict::Warn | Verdict::Fail | Verdict::Observed => TestCaseStatus::success(),
        Verdict::Unsupported | Verdict::Blocked | Verdict::Skipped | Verdict::Inconclusive => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(escaped(&format!("{}: {reason}", case.verdict)));
            status
        }
    }
}

fn status(index: &RecordIndex<'_>, broken: &[&FindingRecord], fails: Option<Level>) -> TestCaseStatus {
    let broken = broken.iter().filter(|found| found.accepted.is_none());
    let worst = broken.clone().map(|found| found.level).max();
    let Some(first) = broken.clone().find(|found| Some(found.level) == worst) else {
        return TestCaseStatus::success();
    };
    if fails.is_none_or(|fails| Some(fails) > worst) {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(first.level.to_string());
    status.set_message(escaped(&format!("{} Seen: {}", first.statement, first.detail)));
    status.set_description(shortened(&console::evidence(index, first)));
    status
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
