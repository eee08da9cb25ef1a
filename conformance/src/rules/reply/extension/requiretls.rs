//! Rules about REQUIRETLS (RFC 8689).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::is_about_mail;

/// The registry's row X.7.30 lists 550. RFC 8689 §4.2.1 gives the code for bounces, and says nothing about replies.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let refused = is_about_mail(observation) && observation.is_turned_down();
    if refused && observation.has_detail(&[(7, 30)]) && !observation.is(&[550]) {
        findings.add(RuleId::REQUIRETLS_FAILURE_CODES, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const MESSAGE: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go\nC: ab\nC: .";

    #[test]
    fn failures() {
        let ehlo = offers("REQUIRETLS");
        let rows: &[Row<'_>] = &[
            (&["S: 550 5.7.30 No"], ""),
            (&["S: 554 5.7.30 No"], "requiretls-failure-codes note"),
            (&["S: 451 4.7.30 No"], "requiretls-failure-codes note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, MAIL, MESSAGE], rows);
    }
}
