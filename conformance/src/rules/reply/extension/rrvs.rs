//! Rules about RRVS (RFC 7293): requests that a mailbox still has its owner.

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::future_release::is_held;
use super::refusal::is_about_mail;

/// RFC 7293 §5.1: 550 for a mailbox or a domain that has a new owner. In a reply to MAIL, the enhanced status codes
/// cannot mean that.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let changed = observation.has_detail(&[(7, 17), (7, 18), (7, 19)]) && observation.is_turned_down();
    let elsewhere = observation.verb() == Some(Verb::Mail) || is_held(observation);
    if changed && is_about_mail(observation) && !elsewhere && !observation.is(&[550]) {
        findings.add(RuleId::RRVS_OWNER_CHANGED_550, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn owners() {
        let ehlo = offers("RRVS");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rrvs = "C: RCPT TO:<amy@example.org> RRVS=2014-04-03T23:01:00Z";
        let rows: &[Row<'_>] = &[
            (&[rrvs, "S: 550 5.7.17 No"], ""),
            (&[rrvs, "S: 450 4.7.17 No"], "rrvs-owner-changed-550 warning"),
            (&[rrvs, "S: 554 5.7.18 No"], "rrvs-owner-changed-550 warning"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail], rows);
    }
}
