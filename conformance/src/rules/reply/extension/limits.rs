//! Rules about LIMITS (RFC 9422).

use crate::counted::counted;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Rcpt) {
        recipients(observation, findings);
    }
}

/// RFC 9422 §4: a server accepts RCPTMAX recipients and refuses the rest with 452.
fn recipients(observation: &Observation<'_>, findings: &mut Findings) {
    let too_many = observation.enhanced().is_some_and(|code| (code.subject(), code.detail()) == (5, 3));
    let Some(limit) = recipient_limit(observation) else { return };
    let count = observation.session.recipients();
    if too_many && count < limit {
        let number = observation.number().unwrap_or_default();
        let detail = format!("{number} after {}; RCPTMAX is {limit}", counted(count, "recipient"));
        findings.add(RuleId::LIMITS_CODES, detail);
    }
}

fn recipient_limit(observation: &Observation<'_>) -> Option<usize> {
    let mut limits = observation.session.offered.as_ref()?.parameters("LIMITS")?;
    limits.find_map(|limit| limit.strip_prefix("RCPTMAX=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn an_announced_limit_is_kept() {
        let ehlo = offers("LIMITS RCPTMAX=2");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let accepted = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        check(
            Protocol::Smtp,
            &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail, accepted],
            &[
                (&[rcpt, "S: 452 4.5.3 Too many"], "limits-codes warning"),
                (&[accepted, rcpt, "S: 452 4.5.3 Too many"], ""),
                (&[accepted, rcpt, "S: 451 4.5.3 Too many"], ""),
                (&[rcpt, "S: 452 4.2.2 Full"], ""),
            ],
        );
    }
}
