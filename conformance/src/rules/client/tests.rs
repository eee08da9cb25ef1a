//! Attempts of clients, and what the rules say of each.

mod attempt;
mod encryption;
mod message;
mod opening;
mod recipients;
mod report;

use std::collections::BTreeSet;

use super::Opinion;
use crate::rules::catalogue::{Kind, RuleId};
use crate::rules::finding::Location;
use attempt::{Attempt, Row, Says};

fn rows() -> Vec<Row> {
    [opening::rows(), encryption::rows(), recipients::rows(), message::rows(), report::rows()].concat()
}

#[test]
fn attempts_are_judged() {
    let failures: Vec<String> = rows().iter().filter_map(Row::failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_rule_is_broken_and_kept() {
    let rows = rows();
    let has = |rule: RuleId, says: fn(&Says) -> bool| {
        rows.iter().any(|row| row.rule == rule.rule().id && says(&row.says))
    };
    for rule in client_rules() {
        assert!(has(rule, |says| matches!(says, Says::Broken(_))), "no attempt breaks {rule}");
        assert!(has(rule, |says| *says == Says::Kept), "no attempt keeps {rule}");
    }
}

#[test]
fn every_condition_occurs() {
    let rows = rows();
    for rule in client_rules() {
        for condition in rule.rule().conditions {
            let found = format!("{rule}/{} {}", condition.name, condition.level);
            let occurs = |row: &Row| matches!(&row.says, Says::Broken(all) if *all == found);
            assert!(rows.iter().any(occurs), "no attempt is found as {found}");
        }
    }
}

#[test]
fn the_more_precise_rule_is_reported_alone() {
    let place = Location { dialogue: 0, exchange: 0, reply: None };
    for rule in client_rules() {
        for other in rule.rule().yields_to {
            let mut opinion = Opinion::default();
            opinion.violate(rule, place, "general");
            opinion.violate(*other, place, "precise");
            opinion.settle();
            let left: Vec<RuleId> = opinion.findings.iter().map(|finding| finding.rule).collect();
            assert_eq!(left, [*other], "{rule}");
            assert_eq!(opinion.judged, BTreeSet::from([rule, *other]));
        }
    }
}

/// A violation under a condition does not hide a graver one of the same rule.
#[test]
fn the_gravest_finding_is_kept() {
    let place = |exchange| Location { dialogue: 0, exchange, reply: None };
    let rule = RuleId::CLIENT_COUNTS_REPLIES;
    let mut opinion = Opinion::default();
    opinion.violate_under(Some("no-recipient"), rule, place(1), "a note");
    opinion.violate(rule, place(2), "an error");
    opinion.violate(rule, place(3), "another error");
    opinion.settle();
    let [finding] = &opinion.findings[..] else { panic!("one finding: {:?}", opinion.findings) };
    assert_eq!((finding.condition, finding.location), (None, place(2)));
}

#[test]
fn a_client_that_never_connects_is_not_judged() {
    let attempt = Attempt::default().breaks("client-success-needs-acceptance");
    assert_eq!(attempt.judged(), Opinion::default());
}

fn client_rules() -> impl Iterator<Item = RuleId> {
    RuleId::all().filter(|rule| rule.rule().kind == Kind::Client)
}
