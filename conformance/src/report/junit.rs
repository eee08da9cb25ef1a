//! JUnit XML, as CI servers read it: a test case for each case and rule.

use anyhow::{Context as _, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::console;
use crate::catalogue::Level;
use crate::record::{Found, Record};
use crate::run::{CaseOutcome, Verdict};
use crate::stream::Stream;

/// The report. A rule broken at `fails` or above is a failure, our own fault an error, everything not judged is
/// skipped with its reason. What is found below that level, or known, is told in the output of its test case. Findings
/// that no case asked for stand under `findings`.
///
/// # Errors
///
/// Where the XML cannot be written.
pub fn render(records: &[Record], fails: Option<Level>) -> Result<String> {
    let stream = &Stream::of(records);
    let target = if stream.target().is_empty() { "smtp-conformance" } else { stream.target() };
    let mut suite = TestSuite::new(console::escaped(target));
    let mut claimed: Vec<&Found> = Vec::new();
    for case in &stream.cases {
        for rule in case.rules.iter().map(String::as_str) {
            let of_case = |found: &&&Found| found.case.as_deref() == Some(&case.id) && found.rule == rule;
            let broken: Vec<&Found> = stream.findings.iter().filter(of_case).copied().collect();
            claimed.extend(&broken);
            suite.add_test_case(test_case(stream, case, rule, &broken, fails));
        }
        if case.rules.is_empty() {
            suite.add_test_case(test_case(stream, case, "observed", &[], fails));
        }
    }
    for found in stream.findings.iter().filter(|found| !claimed.contains(found)) {
        let mut test_case =
            TestCase::new(format!("finding {}", found.place), status(stream, &[found], fails));
        test_case.set_classname(console::escaped(&found.rule));
        remark(&[found], &mut test_case);
        suite.add_test_case(test_case);
    }
    // Jenkins' schema knows `skipped` of a suite, but not of all of them.
    let skipped = format!(" skipped=\"{}\"", suite.skipped);
    let mut report = Report::new("smtp-conformance");
    report.add_test_suite(suite);
    Ok(report.to_string().context("JUnit")?.replacen(&skipped, "", 1))
}

fn test_case(
    stream: &Stream<'_>,
    case: &CaseOutcome,
    rule: &str,
    broken: &[&Found],
    fails: Option<Level>,
) -> TestCase {
    let status = match case.verdict {
        _ if !broken.is_empty() => status(stream, broken, fails),
        Verdict::Error => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(console::escaped(&case.reason));
            status
        }
        Verdict::Pass | Verdict::Warn | Verdict::Fail | Verdict::Observed => TestCaseStatus::success(),
        Verdict::Unsupported | Verdict::Blocked | Verdict::Skipped | Verdict::Inconclusive => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(console::escaped(&format!("{}: {}", case.verdict, case.reason)));
            status
        }
    };
    let mut test_case = TestCase::new(console::escaped(&case.id), status);
    test_case.set_classname(console::escaped(rule));
    remark(broken, &mut test_case);
    test_case
}

/// What was found and is no failure stands in the output of the test case.
fn remark(broken: &[&Found], test_case: &mut TestCase) {
    if !matches!(test_case.status, TestCaseStatus::Success { .. }) || broken.is_empty() {
        return;
    }
    let line = |found: &&Found| {
        let seen = format!("{}: {}", found.level, found.detail);
        console::escaped(&match &found.known {
            Some(known) => format!("known {seen}: {} [{}]", known.reason, known.section),
            None => seen,
        })
    };
    test_case.set_system_out(broken.iter().map(line).collect::<Vec<_>>().join("\n"));
}

fn status(stream: &Stream<'_>, broken: &[&Found], fails: Option<Level>) -> TestCaseStatus {
    let broken = broken.iter().filter(|found| found.known.is_none());
    let worst = broken.clone().map(|found| found.level).max();
    let Some(first) = broken.clone().find(|found| Some(found.level) == worst) else {
        return TestCaseStatus::success();
    };
    if fails.is_none_or(|fails| Some(fails) > worst) {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(first.level.to_string());
    status.set_message(console::escaped(&format!("{}: {}", first.statement, first.detail)));
    status.set_description(console::evidence(stream, first));
    status
}
