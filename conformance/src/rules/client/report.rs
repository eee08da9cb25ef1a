//! What a client reports.

use super::accepted::{Acceptance, acceptance, completes_message};
use super::{Connection, Opinion, Reported, Sending};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;

pub(super) fn judge(connections: &[Connection<'_>], sending: &Sending<'_>, opinion: &mut Opinion) {
    let Some((location, is_about_message)) = decisive(connections) else { return };
    let accepted = acceptance(sending.dialogues);
    let is_expected = sending.is_reached && !sending.expected.right.is_empty();
    if is_expected && sending.reported != Reported::Looped {
        expectation(sending, accepted, (location, is_about_message), opinion);
    }
    match sending.reported {
        Reported::Looped => {
            let detail = "the client went on and on, and was stopped";
            opinion.violate(RuleId::CLIENT_TERMINATES, location, detail);
        }
        // A client that waits for more of a reply breaks the rule that the attempt is about.
        Reported::Hung if is_expected => {}
        Reported::Hung => {
            opinion.violate(RuleId::CLIENT_TERMINATES, location, "the client did not end in time");
        }
        reported => {
            opinion.keep(RuleId::CLIENT_TERMINATES);
            success(reported, accepted, location, opinion);
            partial(sending, accepted, location, opinion);
        }
    }
}

/// Returns where the client got the reply that decides, and whether it is one to a message: the last such reply, or else the
/// last reply.
fn decisive(connections: &[Connection<'_>]) -> Option<(Location, bool)> {
    let last = |connection: &Connection<'_>| {
        let message = connection.steps.iter().rposition(completes_message)?;
        Some((connection.location(message), true))
    };
    let any = connections.iter().rfind(|connection| !connection.steps.is_empty());
    let location = any.map(|connection| (connection.location(connection.steps.len() - 1), false));
    connections.iter().rev().find_map(last).or(location)
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

fn expectation(
    sending: &Sending<'_>,
    accepted: Acceptance,
    (location, is_about_message): (Location, bool),
    opinion: &mut Opinion,
) {
    let (reported, expected) = (sending.reported, sending.expected);
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
    // RFC 5321 §4.2.5: after 4yz to the message, the client may also give it back to the user.
    let gives_back = rule == RuleId::CLIENT_TEMPORARY_IS_NOT_PERMANENT && reported == Reported::Permanent;
    let condition = (gives_back && is_about_message).then_some("end-of-data");
    opinion.violate_under(condition, rule, location, detail);
}
