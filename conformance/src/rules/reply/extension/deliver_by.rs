//! Rules about DELIVERBY (RFC 2852).

use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, has_only};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        time(observation, &envelope, findings);
    }
}

/// RFC 2852 §4: BY in mode R with a time that has passed gets 501.
fn time(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let over = envelope.value("BY").filter(|_| !envelope.repeats("BY")).is_some_and(|value| {
        let mut parts = value.split(|octet| *octet == b';');
        let time = parts.next().and_then(|time| str::from_utf8(time).ok()?.parse::<i64>().ok());
        let returns = parts
            .next()
            .is_some_and(|mode| mode.first().is_some_and(|mode| mode.eq_ignore_ascii_case(&b'R')));
        time.is_some_and(|time| time <= 0) && returns && parts.next().is_none()
    });
    let blamed = blames_parameter(observation) && !observation.is(&[501]) && has_only(envelope, &["BY"]);
    if over && observation.session.offers("DELIVERBY") && (observation.is_accepted() || blamed) {
        findings.add(
            RuleId::DELIVER_BY_VALUE_501,
            format!("{} to a BY time that has passed", observation.codes()),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn times() {
        let ehlo = offers("DELIVERBY 100");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 250 2.1.0 Ok"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=-5;RT", "S: 555 5.5.4 No"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=0;N", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 555 5.5.4 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
