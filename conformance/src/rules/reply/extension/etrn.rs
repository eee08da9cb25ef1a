//! Rules about ETRN (RFC 1985).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Etrn) && observation.session.offers("ETRN") {
        codes(observation, findings);
    }
}

/// RFC 1985 §5.1 with erratum 4130. 503 is right in a transaction, and 550 and 554 by policy. Another rule judges 500
/// and 502 from a server that offers ETRN.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let busy = observation.session.transaction.is_some();
    let good = match observation.digit() {
        Some(2) => observation.is(&[250, 251, 252, 253]),
        Some(5) => observation.is(&[500, 501, 502, 550, 554]) || (busy && observation.is(&[503])),
        _ => true,
    };
    if !good {
        findings.add(RuleId::ETRN_CODES, format!("{} to ETRN", observation.codes()));
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("ETRN");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rows: &[Row<'_>] = &[
            (&["C: ETRN example.org", "S: 253 2.0.0 Ok"], ""),
            (&["C: ETRN example.org", "S: 459 4.7.1 No"], ""),
            (&["C: ETRN", "S: 501 5.5.4 What?"], ""),
            (&["C: ETRN example.org", "S: 554 5.7.1 No"], ""),
            (&["C: ETRN example.org", "S: 220 2.0.0 Ok"], "etrn-codes warning"),
            (&["C: ETRN example.org", "S: 504 5.5.4 No"], "etrn-codes warning"),
            (&["C: ETRN example.org", "S: 503 5.5.1 No"], "etrn-codes warning"),
            (&[mail, "C: ETRN example.org", "S: 503 5.5.1 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let plain = offers("DSN");
        let before = ["S: 220 mx", "C: EHLO me", &plain];
        check(Protocol::Smtp, &before, &[(&["C: ETRN example.org", "S: 503 5.5.1 No"], "")]);
    }
}
