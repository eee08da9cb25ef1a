//! Rules about CHECKPOINT (RFC 1845).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::is_number;
use super::refusal::envelope;

/// RFC 1845 §3: the text of 355 begins with the offset.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let offset = observation.reply.lines().next().is_some_and(|line| {
        line.text().split(|octet| *octet == b' ').next().is_some_and(|word| is_number(word, usize::MAX))
    });
    let resumed = observation.verb() == Some(Verb::Mail)
        && envelope(observation).is_some_and(|envelope| envelope.parameter("TRANSID").is_some());
    if observation.is(&[355]) && resumed && !offset {
        findings.add(RuleId::CHECKPOINT_OFFSET_FIRST, "355 without an offset");
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn offsets() {
        let ehlo = offers("CHECKPOINT");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> TRANSID=<a@b>", "S: 355 120 is the offset"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> TRANSID=<a@b>", "S: 355 Go on"],
                "checkpoint-offset-first note",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
