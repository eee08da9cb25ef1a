//! What a client reports.

use super::accepted::{Acceptance, completes_message};
use super::{Connection, Expected, Opinion, Reported, Sending};
use crate::dialogue::session::Step;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;

pub(super) fn judge(connections: &[Connection<'_>], sending: &Sending<'_>, opinion: &mut Opinion) {
    let Some(decision) = Decision::of(connections) else { return };
    let accepted = Acceptance::of(connections);
    let is_expected = sending.is_reached && !sending.expected.right.is_empty();
    // A refusal of what the server does not offer says nothing about the replies that the attempt is about.
    let is_about_these = !was_refused_for_more(connections, opinion);
    if is_expected && is_about_these && sending.reported != Reported::Looped {
        expectation(sending, &accepted, decision, opinion);
    }
    let ends = match sending.reported {
        Reported::Looped => Some("the client went on and on, and was stopped"),
        Reported::Hung => Some("the client did not end in time"),
        _ => None,
    };
    if let Some(detail) = ends {
        return opinion.violate(RuleId::CLIENT_TERMINATES, decision.location, detail);
    }
    opinion.keep(RuleId::CLIENT_TERMINATES);
    if accepted.is_unclear {
        return;
    }
    // What an attempt calls right is not wrong by another rule, but nothing is sent in part if nothing was accepted.
    let may_be_wrong = !(is_expected && sending.reported.satisfies(&sending.expected.right));
    let is_claim = may_be_wrong || sending.reported.is_partial();
    success(sending.reported, &accepted, is_claim.then_some(decision.location), opinion);
    partial(sending, &accepted, may_be_wrong.then_some(decision.location), opinion);
}

/// Returns whether the server has refused something that it does not offer.
fn was_refused_for_more(connections: &[Connection<'_>], opinion: &Opinion) -> bool {
    opinion.findings.iter().any(|found| {
        let step = connections
            .get(found.location.dialogue)
            .and_then(|connection| connection.steps.get(found.location.exchange));
        let is_refused = step.and_then(Step::number).is_some_and(|number| number >= 400);
        found.rule == RuleId::CLIENT_UNOFFERED_PARAMETER && is_refused
    })
}

/// The reply that decides: the last one to a message, or else the last one.
#[derive(Clone, Copy)]
struct Decision {
    location: Location,
    /// Whether it refuses a message for now.
    defers_message: bool,
}

impl Decision {
    fn of(connections: &[Connection<'_>]) -> Option<Decision> {
        let about_message = |connection: &Connection<'_>| {
            let message = connection.steps.iter().rposition(completes_message)?;
            let number = connection.steps[message].number();
            let defers_message = number.is_some_and(|number| (400..500).contains(&number));
            Some(Decision { location: connection.location(message), defers_message })
        };
        let last = connections.iter().rfind(|connection| !connection.steps.is_empty());
        let last = last.map(|connection| connection.location(connection.steps.len() - 1));
        let other = last.map(|location| Decision { location, defers_message: false });
        connections.iter().rev().find_map(about_message).or(other)
    }
}

/// A message was sent only if the server says so (RFC 5321 §4.2.5). A violation is noted only with its location.
fn success(reported: Reported, accepted: &Acceptance, location: Option<Location>, opinion: &mut Opinion) {
    let is_claimed = reported == Reported::Ok || reported.is_partial();
    match (is_claimed, accepted.recipients(), location) {
        (true, 0, Some(location)) => {
            let detail = format!("reported {reported}, though no message was accepted");
            opinion.violate(RuleId::CLIENT_SUCCESS_NEEDS_ACCEPTANCE, location, detail);
        }
        (true, 1.., _) | (false, 0, _) => opinion.keep(RuleId::CLIENT_SUCCESS_NEEDS_ACCEPTANCE),
        (true, 0, None) | (false, 1.., _) => {}
    }
}

/// A client that could send the message to some recipients says which ones are left. A client that was not made to name
/// every recipient does not know about the others.
fn partial(sending: &Sending<'_>, accepted: &Acceptance, location: Option<Location>, opinion: &mut Opinion) {
    let (some, all) = (accepted.recipients(), sending.envelope.recipients.len());
    if some == 0 || some >= all || !accepted.leaves_some() {
        return;
    }
    match location.filter(|_| sending.reported == Reported::Ok) {
        Some(location) => {
            let detail = format!("reported ok, though {some} of {all} recipients were accepted");
            opinion.violate(RuleId::CLIENT_PARTIAL_ACCEPTANCE, location, detail);
        }
        None => opinion.keep(RuleId::CLIENT_PARTIAL_ACCEPTANCE),
    }
}

fn expectation(sending: &Sending<'_>, accepted: &Acceptance, decision: Decision, opinion: &mut Opinion) {
    let (reported, expected) = (sending.reported, sending.expected);
    if reported.satisfies(&expected.right) {
        let tested = expected.breaks.iter().chain(expected.but.iter().map(|(_, rule)| rule));
        return tested.for_each(|rule| opinion.keep(*rule));
    }
    if is_true(sending, accepted) {
        return;
    }
    let other = expected.but.iter().find(|(wrong, _)| *wrong == reported).map(|(_, rule)| *rule);
    let Some(rule) = other.or(expected.breaks).filter(|rule| may_break(reported, *rule, expected)) else {
        return;
    };
    let right: Vec<String> = expected.right.iter().map(ToString::to_string).collect();
    let so_far = match accepted.recipients() {
        0 => "no message was accepted",
        _ => "the message was accepted",
    };
    let detail = format!("reported {reported}; right is {} ({so_far})", right.join(" or "));
    // RFC 5321 §4.2.5: after 4yz to the message, the client may also give it back to the user.
    let gives_back = rule == RuleId::CLIENT_TEMPORARY_IS_NOT_PERMANENT
        && matches!(reported, Reported::Permanent | Reported::PartialPermanent);
    let condition = (gives_back && decision.defers_message).then_some("end-of-data");
    opinion.violate_under(condition, rule, decision.location, detail);
}

/// Returns whether a client reports what became of the message in the end, because it tried again and succeeded. How it got
/// there is judged by other rules.
fn is_true(sending: &Sending<'_>, accepted: &Acceptance) -> bool {
    let (some, all) = (accepted.recipients(), sending.envelope.recipients.len());
    match sending.reported {
        _ if accepted.is_unclear => false,
        Reported::Ok => some >= all,
        // Where the class of the others matters, the right number of recipients is not enough.
        reported if reported.is_partial() && !sending.expected.right.iter().any(|one| one.is_partial()) => {
            (1..all).contains(&some)
        }
        _ => false,
    }
}

/// Returns whether a report can break a rule. A client that hangs reports nothing, so it breaks only rules by which it waits
/// for what does not come, and only the two classes of failures can be taken for each other.
fn may_break(reported: Reported, rule: RuleId, expected: &Expected) -> bool {
    let is_about_class = rule == RuleId::CLIENT_TEMPORARY_IS_NOT_PERMANENT;
    match reported {
        Reported::Hung => RuleId::CLIENT_TERMINATES.rule().yields_to.contains(&rule),
        Reported::Ok => !is_about_class,
        reported if reported.is_partial() => {
            !is_about_class || expected.right.iter().any(|one| one.is_partial())
        }
        _ => true,
    }
}
