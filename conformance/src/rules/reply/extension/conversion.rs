//! Rules about the conversion of content: CONPERM and CONNEG (RFC 4141).

use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, has_only, has_parameter};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation) else { return };
    match observation.verb() {
        Some(Verb::Mail) => permission(observation, &envelope, findings),
        Some(Verb::Rcpt) => negotiation(observation, findings),
        _ => {}
    }
}

/// RFC 4141 §4.2: an unsupported CONPERM gets 504. RFC 5321 §4.1.1.11 has 555.
fn permission(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let extended = observation.session.offered.is_some() && !observation.session.offers("CONPERM");
    let blamed =
        blames_parameter(observation) && !observation.is(&[504, 555]) && has_only(envelope, &["CONPERM"]);
    let asked = envelope.parameter("CONPERM").is_some();
    if asked && extended && (observation.is_accepted() || blamed) {
        findings.add(RuleId::CONPERM_UNSUPPORTED_504, format!("{} to CONPERM", observation.codes()));
    }
}

/// RFC 4141 §5.2: a line that has CONNEG begins with it.
fn negotiation(observation: &Observation<'_>, findings: &mut Findings) {
    let asked = observation.session.offers("CONNEG") && has_parameter(observation, "CONNEG");
    let mut lines = observation.reply.lines().map(|line| line.text());
    let second = |text: &[u8]| {
        let mut words = text.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        let first = words.next().is_some_and(|word| !word.eq_ignore_ascii_case(b"CONNEG"));
        first && words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"CONNEG"))
    };
    if asked && observation.is_accepted() && lines.any(second) {
        findings.add(RuleId::CONNEG_LINE_WORD, "CONNEG is not the first word");
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn permissions() {
        let ehlo = offers("CONNEG");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 504 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 555 5.5.4 No"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> CONPERM", "S: 250 2.1.0 Ok"],
                "conperm-unsupported-504 warning",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> CONPERM", "S: 501 5.5.4 No"],
                "conperm-unsupported-504 warning",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn negotiations() {
        let ehlo = offers("CONNEG");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let conneg = "C: RCPT TO:<amy@example.org> CONNEG";
        let rows: &[Row<'_>] = &[
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250-CONNEG (a=b)\nS: 250 2.1.5 Ok"], ""),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 2.1.5 CONNEG (a=b)"], "conneg-line-word note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail], rows);
    }
}
