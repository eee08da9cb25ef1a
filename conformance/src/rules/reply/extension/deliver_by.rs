//! Rules about DELIVERBY (RFC 2852).

use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, is_sound, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        time(observation, &envelope, findings);
    }
}

/// A valid value of BY (RFC 2852 §4), but for the sign of the time.
pub(super) struct Deadline {
    /// The seconds until the time, negative if it has passed.
    pub(super) seconds: i64,
    /// Whether the message is returned if it is not delivered in time.
    returns: bool,
}

impl Deadline {
    /// Reads BY. `None` unless there is exactly one, and it has a time and a mode.
    pub(super) fn read(envelope: &Envelope<'_>) -> Option<Deadline> {
        let value = envelope.value("BY").filter(|_| !envelope.repeats("BY"))?;
        let value = str::from_utf8(value).ok()?.to_ascii_uppercase();
        let (time, mode) = value.split_once(';')?;
        let digits = time.trim_start_matches(['+', '-']);
        let well_formed = time.len() - digits.len() <= 1
            && (1..=9).contains(&digits.len())
            && digits.bytes().all(|octet| octet.is_ascii_digit());
        let returns = match mode {
            "R" | "RT" => true,
            "N" | "NT" => false,
            _ => return None,
        };
        let seconds = time.parse().ok().filter(|_| well_formed)?;
        Some(Deadline { seconds, returns })
    }
}

/// RFC 2852 §4: BY in mode R with a time that has passed gets 501, and a valid BY that is not honoured 455 or 555. §3:
/// a time below the minimum that EHLO announces gets 55z.
fn time(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let session = observation.session;
    let mut limits = session.offered.as_ref().and_then(|offered| offered.parameters("DELIVERBY"));
    let (Some(limits), Some(deadline)) = (&mut limits, Deadline::read(envelope)) else { return };
    let minimum = limits.next().and_then(|minimum| minimum.parse::<i64>().ok());
    let only = is_sound(envelope, &["BY"]);
    let blamed = only && blames_parameter(observation);
    let codes = observation.codes();
    if deadline.returns && deadline.seconds <= 0 {
        let other_code = only && observation.is(&[501]) && has_other_code(observation);
        if observation.is_accepted() || blamed && !observation.is(&[501]) || other_code {
            findings.add(RuleId::DELIVER_BY_VALUE_501, format!("{codes} to a BY time that has passed"));
        }
    } else if deadline.returns && minimum.is_some_and(|minimum| deadline.seconds < minimum) {
        let detail = format!("{codes} to a BY time below the minimum");
        let other = observation.number().is_some_and(|number| number / 10 != 55);
        if observation.is_accepted() {
            findings.add(RuleId::DELIVER_BY_MINIMUM, detail);
        } else if blamed && other {
            findings.add_under(RuleId::DELIVER_BY_MINIMUM, "other-refusal", detail);
        }
    } else if blamed && !observation.is(&[555])
        || only && observation.is(&[501]) && is_about_arguments(observation)
    {
        findings.add(RuleId::DELIVER_BY_VALUE_501, format!("{codes} to a valid BY"));
    }
}

/// Returns whether the enhanced status code is about the command, but not X.5.4, which §4 demands, nor X.5.0.
fn has_other_code(observation: &Observation<'_>) -> bool {
    promised(observation).is_some_and(|code| code.subject() == 5 && !matches!(code.detail(), 0 | 4))
}

/// Returns whether the enhanced status code, if there is one, allows that a parameter is the reason.
fn is_about_arguments(observation: &Observation<'_>) -> bool {
    observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 5))
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
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 501 5.5.2 No"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 501 5.5.0 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 501 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 250 2.1.0 Ok"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=-5;RT", "S: 555 5.5.4 No"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=0;N", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 501 5.5.4 No"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 504 5.5.4 No"], "deliver-by-value-501 warning"),
            (
                &["C: MAIL FROM:<bob@example.org> BY=-120;N", "S: 501 5.5.4 No"],
                "deliver-by-value-501 warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 501 5.1.7 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 455 4.5.4 Later"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;X", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=50;R", "S: 250 2.1.0 Ok"], "deliver-by-minimum error"),
            (
                &["C: MAIL FROM:<bob@example.org> BY=50;R", "S: 501 5.5.4 No"],
                "deliver-by-minimum/other-refusal warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> BY=50;R", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=50;N", "S: 250 2.1.0 Ok"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
