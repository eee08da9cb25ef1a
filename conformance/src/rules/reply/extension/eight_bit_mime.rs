//! Rules about 8BITMIME (RFC 6152).

use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, has_only};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        body(observation, &envelope, findings);
    }
}

/// RFC 6152 §3 and RFC 3030 §3 define the values, and RFC 5321 §4.1.1.11 the code for a value that is not implemented.
fn body(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let session = observation.session;
    let known = |value: &[u8]| {
        let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
        is("7BIT") || is("8BITMIME") || (is("BINARYMIME") && session.offers("BINARYMIME"))
    };
    let unknown = envelope.value("BODY").is_some_and(|value| !known(value));
    let blamed =
        blames_parameter(observation) && !observation.is(&[501, 504, 555]) && has_only(envelope, &["BODY"]);
    let detail = || format!("{} to an unknown BODY", observation.codes());
    if !unknown || !session.offers("8BITMIME") {
    } else if observation.is_accepted() {
        findings.add(RuleId::EIGHTBIT_BODY_VALUE, detail());
    } else if blamed {
        findings.add_under(RuleId::EIGHTBIT_BODY_VALUE, "other-refusal", detail());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn bodies() {
        let ehlo = offers("8BITMIME");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 250 2.1.0 Ok"], "eightbit-body-value error"),
            (
                &["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 503 5.5.4 No"],
                "eightbit-body-value/other-refusal warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=8bitmime", "S: 250 2.1.0 Ok"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
