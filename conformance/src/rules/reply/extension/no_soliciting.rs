//! Rules about NO-SOLICITING (RFC 3865).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{differs, has_parameter, is_about_mail};

/// RFC 3865 §2.3, §2.4: 550 and 5.7.1, with the keyword in the text, which shows the reason.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let asked = is_about_mail(observation)
        && has_parameter(observation, "SOLICIT")
        && observation.session.offers("NO-SOLICITING");
    if !asked || !observation.is_refused() || !observation.says(&["solicit="]) {
        return;
    }
    if !observation.is(&[550]) || differs(observation, &[(7, 1)]) {
        findings.add(RuleId::NO_SOLICITING_550, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn refusals() {
        let ehlo = offers("NO-SOLICITING");
        let solicit = "C: MAIL FROM:<bob@example.org> SOLICIT=org.example:ADV";
        let rows: &[Row<'_>] = &[
            (&[solicit, "S: 550 5.7.1 SOLICIT=org.example:ADV"], ""),
            (&[solicit, "S: 554 5.7.1 SOLICIT=org.example:ADV"], "no-soliciting-550 note"),
            (&[solicit, "S: 554 5.7.1 Not you"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
