//! What a client reports.

use super::accepted::{Acceptance, acceptance, completes_message};
use super::{Connection, Opinion, Reported, Sending};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;

pub(super) fn judge(connections: &[Connection<'_>], sending: &Sending<'_>, opinion: &mut Opinion) {
    let Some(location) = decisive(connections) else { return };
    termination(sending.reported, location, opinion);
    if matches!(sending.reported, Reported::Hung | Reported::Looped) {
        return;
    }
    let accepted = acceptance(sending.dialogues);
    success(sending.reported, accepted, location, opinion);
    partial(sending, accepted, location, opinion);
    if sending.is_reached {
        expectation(sending, accepted, location, opinion);
    }
}

/// Returns where the client got the reply that decides: the last one to a message, or else the last one.
fn decisive(connections: &[Connection<'_>]) -> Option<Location> {
    let last = |connection: &Connection<'_>| {
        let message = connection.steps.iter().rposition(completes_message)?;
        Some(connection.location(message))
    };
    let any = connections.iter().rfind(|connection| !connection.steps.is_empty());
    let location = any.map(|connection| connection.location(connection.steps.len() - 1));
    connections.iter().rev().find_map(last).or(location)
}

fn termination(reported: Reported, location: Location, opinion: &mut Opinion) {
    let detail = match reported {
        Reported::Hung => "the client did not end in time",
        Reported::Looped => "the client went on and on, and was stopped",
        _ => return opinion.keep(RuleId::CLIENT_TERMINATES),
    };
    opinion.violate(RuleId::CLIENT_TERMINATES, location, detail);
}

/// A message was sent only if the server says so (RFC 5321 §4.2.5).
fn success(reported: Reported, accepted: Acceptance, location: Location, opinion: &mut Opinion) {
    if accepted.is_unclear {
        return;
    }
    let is_claimed = matches!(reported, Reported::Ok | Reported::Partial);
    match (is_claimed, accepted.recipients) {
        (true, 0) => {
            let detail = format!("reported {reported}, though no message was accepted");
            opinion.violate(RuleId::CLIENT_SUCCESS_NEEDS_ACCEPTANCE, location, detail);
        }
        (true, _) | (false, 0) => opinion.keep(RuleId::CLIENT_SUCCESS_NEEDS_ACCEPTANCE),
        (false, _) => {}
    }
}

/// A client that could send the message to some recipients says which ones are left.
fn partial(sending: &Sending<'_>, accepted: Acceptance, location: Location, opinion: &mut Opinion) {
    let all = sending.envelope.recipients.len();
    if accepted.is_unclear || accepted.recipients == 0 || accepted.recipients >= all {
        return;
    }
    if sending.reported == Reported::Ok {
        let detail = format!("reported ok, though {} of {all} recipients were accepted", accepted.recipients);
        opinion.violate(RuleId::CLIENT_PARTIAL_ACCEPTANCE, location, detail);
    } else {
        opinion.keep(RuleId::CLIENT_PARTIAL_ACCEPTANCE);
    }
}

fn expectation(sending: &Sending<'_>, accepted: Acceptance, location: Location, opinion: &mut Opinion) {
    let (reported, expected) = (sending.reported, sending.expected);
    if expected.right.is_empty() {
        return;
    }
    if reported.satisfies(&expected.right) {
        let tested = expected.breaks.iter().chain(expected.but.iter().map(|(_, rule)| rule));
        return tested.for_each(|rule| opinion.keep(*rule));
    }
    let other = expected.but.iter().find(|(wrong, _)| *wrong == reported).map(|(_, rule)| *rule);
    let Some(rule) = other.or(expected.breaks) else { return };
    let right: Vec<String> = expected.right.iter().map(ToString::to_string).collect();
    let so_far = match accepted.recipients {
        0 => "no message was accepted",
        _ => "the message was accepted",
    };
    let detail = format!("reported {reported}; right is {} ({so_far})", right.join(" or "));
    opinion.violate(rule, location, detail);
}
