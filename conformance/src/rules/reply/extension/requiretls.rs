//! Rules about REQUIRETLS (RFC 8689).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::is_about_mail;

/// RFC 8689 §4.2.1: 5.7.30 means that the next host does not support REQUIRETLS, which a later attempt will not change.
/// The registry's row lists 550.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let refused = is_about_mail(observation) && observation.is_turned_down();
    if refused && observation.has_detail(&[(7, 30)]) && !observation.is(&[550]) {
        let rule = RuleId::REQUIRETLS_FAILURE_CODES;
        findings.add_if(observation.is_refused(), rule, "other-5yz", observation.codes());
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
            (&["S: 554 5.7.30 No"], "requiretls-failure-codes/other-5yz note"),
            (&["S: 451 4.7.30 No"], "requiretls-failure-codes warning"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, MAIL, MESSAGE], rows);
    }
}
