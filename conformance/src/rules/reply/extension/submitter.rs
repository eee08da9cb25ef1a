//! Rules about SUBMITTER (RFC 4405).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, differs, has_parameter, is_about_mail};

/// RFC 4405 §4.2: 550 5.7.1 if the client may not send for the submitter, or if the submitter does not match the header;
/// 554 5.7.7 if the header has no responsible address. Only the text shows that SUBMITTER is the reason.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !is_about_mail(observation) || !observation.is_refused() || !has_parameter(observation, "SUBMITTER") {
        return;
    }
    let unverified = observation.has_detail(&[(7, 7)]);
    let named = observation.says(&["submitter"]);
    let mismatched = named && observation.says(&["not match", "mismatch"]);
    let other = named && !blames_parameter(observation) && !observation.is(&[501]);
    let wrong = match observation.number() {
        Some(554) if unverified => mismatched,
        _ if unverified => true,
        Some(550) => named && differs(observation, &[(7, 1)]),
        _ => other,
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
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.7 Cannot verify submitter"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.7 Submitter does not match"],
                "submitter-codes note",
            ),
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.1 Submitter does not match"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.7 Cannot verify it"],
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
