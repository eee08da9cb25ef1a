//! Rules about NO-SOLICITING (RFC 3865).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, has_parameter, is_about_mail};

/// RFC 3865 §2.4: the text of a refusal has the SOLICIT parameter with the classes that matched. Only the text shows that
/// they are the reason. The codes are free: 550 and 5.7.1 are usual.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 4] = ["solicit", "advert", "commercial", "marketing"];
    let asked = is_about_mail(observation)
        && has_parameter(observation, "SOLICIT")
        && observation.session.offers("NO-SOLICITING");
    let refused = observation.is_turned_down() && !blames_parameter(observation);
    if asked && refused && observation.says(&WORDS) && !observation.says(&["solicit="]) {
        findings
            .add(RuleId::NO_SOLICITING_550, format!("{} without SOLICIT= in its text", observation.codes()));
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
            (&[solicit, "S: 554 5.7.1 SOLICIT=org.example:ADV"], ""),
            (&[solicit, "S: 552 5.3.4 SOLICIT=org.example:ADV too big for its class"], ""),
            (&[solicit, "S: 550 5.7.1 No advertising here"], "no-soliciting-550 warning"),
            (&[solicit, "S: 450 4.7.1 No solicitations now"], "no-soliciting-550 warning"),
            (&[solicit, "S: 555 5.5.4 What is SOLICIT?"], ""),
            (&[solicit, "S: 554 5.7.1 Not you"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
