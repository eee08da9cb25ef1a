//! Rules about SUBMITTER (RFC 4405).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, differs, has_parameter, is_about_mail};

/// RFC 4405 §4.2: 550 5.7.1 or 554 5.7.7. Only the text shows that SUBMITTER is the reason, and only X.7.7 that the
/// message contradicts it.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !is_about_mail(observation) || !observation.is_refused() || !has_parameter(observation, "SUBMITTER") {
        return;
    }
    let contradicted = observation.has_detail(&[(7, 7)]);
    let wrong = match (observation.number(), contradicted) {
        (Some(554), true) => false,
        (_, true) => true,
        (Some(550), false) => observation.says(&["submitter"]) && differs(observation, &[(7, 1)]),
        (_, false) => {
            observation.says(&["submitter"]) && !blames_parameter(observation) && !observation.is(&[501])
        }
    };
    if wrong {
        findings.add(RuleId::SUBMITTER_CODES, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn refusals() {
        let ehlo = offers("SUBMITTER");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.1 No such submitter"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.1 No such submitter"],
                "submitter-codes note",
            ),
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.7 Contradicts"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.7 Contradicts"],
                "submitter-codes note",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 555 5.5.4 Unknown parameter SUBMITTER"],
                "",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
