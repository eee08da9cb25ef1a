//! Rules about messages that are not to arrive yet, or not there.

use super::{Delivered, Findings, RuleId};
use crate::counted::counted;
use crate::dialogue::arrival::{Arrived, By};
use crate::dialogue::session::Step;
use crate::protocol::command::Envelope;

/// The shortest time of HOLDFOR that is judged, in seconds. No run lasts so long after a message.
const LONG: u64 = 3600;

pub(super) fn judge(delivered: &Delivered<'_>, findings: &mut Findings) {
    let Some(transaction) = &delivered.step.session.transaction else { return };
    let Some(envelope) = transaction.command().envelope() else { return };
    let copies = delivered.arrived.deliveries();
    // RFC 4865 §4.2: not before the time is over.
    if let Some(seconds) = held(&envelope).filter(|seconds| *seconds >= LONG) {
        let detail = format!("HOLDFOR={seconds}, but copies arrived during the run: {copies}");
        findings.add(RuleId::HELD_UNTIL_DUE, detail);
    }
    // RFC 2852 §4.1.4.1: the suite's own server does not offer DELIVERBY.
    if delivered.arrived.by == By::Smtp && returns(&envelope) {
        let detail = format!("BY with R, but copies arrived at a server without DELIVERBY: {copies}");
        findings.add(RuleId::DELIVER_BY_RETURN_NOT_RELAYED, detail);
    }
    // RFC 3865 §2.3, §2.6: the Solicitation field decides, with or without SOLICIT.
    if let Some(class) = declared_class(delivered) {
        let detail =
            format!("the message has the class {class}, which EHLO lists, but copies arrived: {copies}");
        findings.add(RuleId::DECLARED_SOLICITATION_NOT_DELIVERED, detail);
    }
}

/// Returns a class in the Solicitation field of a message that EHLO lists after NO-SOLICITING (RFC 3865 §2.2, §2.5).
fn declared_class(delivered: &Delivered<'_>) -> Option<String> {
    let offered = delivered.step.session.offered.as_ref()?;
    let listed = offered.parameters("NO-SOLICITING")?.next()?.to_owned();
    let sent = delivered.sent();
    let fields =
        sent.named("Solicitation").map(|field| String::from_utf8_lossy(&field.unfolded()).into_owned());
    let classes: Vec<String> = fields
        .flat_map(|field| field.split(',').map(|class| class.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    let is_listed = |class: &String| listed.split(',').any(|one| one.eq_ignore_ascii_case(class));
    classes.into_iter().find(is_listed)
}

/// RFC 5321 §4.1.1.10: if the connection is lost, a server acts as if the transaction in progress had got 4yz. It may have
/// taken something else for the end of the message if that has a bare CR or LF, or if it has replied.
pub(super) fn interrupted(step: &Step<'_>, arrived: &Arrived, findings: &mut Findings) {
    if step.exchange.sure && step.replies.is_empty() {
        let copies = counted(arrived.deliveries(), "copy");
        let detail = format!("the connection was lost before the end of the message, but {copies} arrived");
        findings.add(RuleId::REFUSED_NOT_DELIVERED, detail);
    }
}

fn held(envelope: &Envelope<'_>) -> Option<u64> {
    str::from_utf8(envelope.value("HOLDFOR")?).ok()?.parse().ok()
}

/// Returns whether BY has the mode R, with or without a trace (RFC 2852 §4).
fn returns(envelope: &Envelope<'_>) -> bool {
    let mode = envelope.value("BY").and_then(|value| value.split(|octet| *octet == b';').nth(1));
    mode.is_some_and(|mode| mode.first().is_some_and(|letter| letter.eq_ignore_ascii_case(&b'R')))
}
