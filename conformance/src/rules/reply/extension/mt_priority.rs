//! Rules about MT-PRIORITY (RFC 6710).

use crate::protocol::command::{Envelope, Verb};
use crate::protocol::reply::Token;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::future_release::is_held;
use super::refusal::{envelope, is_about_mail, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        value(observation, &envelope, findings);
    }
    if is_about_mail(observation) {
        changed(observation, findings);
        too_low(observation, findings);
        too_big(observation, findings);
    }
}

/// RFC 6710 §4.1 (1): an invalid or repeated value is an error.
fn value(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let offered = observation.session.offers("MT-PRIORITY");
    let value = envelope.value("MT-PRIORITY");
    let is_faulty = value.is_some_and(|value| envelope.repeats("MT-PRIORITY") || !is_priority(value));
    if offered && observation.is_accepted() && is_faulty {
        findings.add(
            RuleId::PRIORITY_VALUE_REFUSED,
            format!("{} to an invalid MT-PRIORITY", observation.codes()),
        );
    }
}

/// Returns whether octets are a `priority-value` (RFC 6710 §7): -9 to 9.
fn is_priority(octets: &[u8]) -> bool {
    matches!(octets, [b'0'..=b'9'] | [b'-', b'1'..=b'9'])
}

/// RFC 6710 §4.1: with X.3.6, the reply is 250 or 251 and its text begins with the new priority.
fn changed(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_accepted() || !observation.has_detail(&[(3, 6)]) {
        return;
    }
    let Some(first) = observation.reply.lines().next() else { return };
    let Token::Code(_) = first.token() else { return };
    let mut words = first.text().split(|octet| *octet == b' ').skip(1).filter(|word| !word.is_empty());
    let has_priority = words.next().is_none_or(is_priority);
    if !has_priority || !observation.is(&[250, 251]) {
        findings
            .add(RuleId::PRIORITY_CHANGE_TOLD, format!("{} without the new priority", observation.codes()));
    }
}

/// RFC 6710 §4.1: a submission server that refuses a message only for its low priority sends X.7.15 with 450 or 550.
/// The registry's row allows other reply codes. Without X.7.15, only the text shows the reason.
fn too_low(observation: &Observation<'_>, findings: &mut Findings) {
    const LOW: [&str; 4] = ["too low", "low priority", "low a priority", "priority is low"];
    let offered = observation.is_submission() && observation.session.offers("MT-PRIORITY");
    if !offered || !observation.is_turned_down() {
        return;
    }
    let rule = RuleId::PRIORITY_TOO_LOW_CODE;
    if observation.has_detail(&[(7, 15)]) {
        if !observation.is(&[450, 550]) {
            findings.add_under(rule, "other-reply-code", observation.codes());
        }
    } else if observation.says(&["priority"]) && observation.says(&LOW) && promised(observation).is_some() {
        findings.add(rule, format!("{} for a low priority", observation.codes()));
    }
}

/// RFC 6710 §5: 552 for a message that is too big for its priority. The registry's row allows other 4yz codes.
fn too_big(observation: &Observation<'_>, findings: &mut Findings) {
    let too_big = observation.has_detail(&[(7, 16)]) && observation.session.offers("MT-PRIORITY");
    if too_big && observation.is_refused() && !is_held(observation) && !observation.is(&[552]) {
        findings.add(RuleId::PRIORITY_TOO_BIG_552, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    /// FUTURERELEASE gives X.7.16 another meaning, but not on a server that has MT-PRIORITY.
    const KEYWORDS: &str = "MT-PRIORITY\nFUTURERELEASE 1000 2030-01-01T00:00:00Z";

    #[test]
    fn values() {
        let ehlo = offers(KEYWORDS);
        let rows: &[Row<'_>] = &[
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=99", "S: 250 2.1.0 Ok"],
                "priority-value-refused error",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=1 MT-PRIORITY=1", "S: 250 2.1.0 Ok"],
                "priority-value-refused error",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=-9", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=99", "S: 501 5.5.2 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 250 2.3.6 3 is the new priority"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 250 2.3.6 The new priority is 3"],
                "priority-change-told warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 552 5.7.16 Too big"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 550 5.7.16 Too big"],
                "priority-too-big-552 warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 450 4.7.16 Too big"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn low_priorities() {
        let ehlo = offers(KEYWORDS);
        let low = "C: MAIL FROM:<bob@example.org> MT-PRIORITY=-9";
        let rule = "priority-too-low-code error";
        let rows: &[Row<'_>] = &[
            (&[low, "S: 550 5.7.15 The priority is too low"], ""),
            (&[low, "S: 450 4.7.15 The priority is too low"], ""),
            (&[low, "S: 451 4.7.15 The priority is too low"], "priority-too-low-code/other-reply-code note"),
            (&[low, "S: 550 5.7.1 The priority is too low"], rule),
            (&[low, "S: 450 4.7.0 Low priority mail has to wait"], rule),
            (&[low, "S: 550 The priority is too low"], ""),
            (&[low, "S: 550 5.7.1 Your reputation is too low"], ""),
            (&[low, "S: 501 5.5.4 No such priority"], ""),
            (&[low, "S: 250 2.3.6 0 is the priority, -9 is too low"], ""),
        ];
        let logged_in = "C: AUTH XOAUTH2 eA==\nS: 235 2.7.0 Ok";
        check(Protocol::Submission, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, logged_in], rows);
        let elsewhere: &[Row<'_>] = &[(&[low, "S: 550 5.7.1 The priority is too low"], "")];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], elsewhere);
    }
}
