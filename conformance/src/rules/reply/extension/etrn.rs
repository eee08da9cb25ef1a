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

/// RFC 1985 §5.1 with erratum 4130 lists the codes, and §5 forbids the command in a transaction, where 503 is right.
/// Any command may also be refused by policy, or because of the system. Another rule judges 500 and 502 from a server
/// that offers ETRN.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::ETRN_CODES;
    let busy =
        observation.session.transaction.as_deref().is_some_and(|transaction| !transaction.is_in_doubt());
    let detail = format!("{} to ETRN", observation.codes());
    if busy && observation.is_accepted() {
        findings.add(rule, format!("{detail} in a transaction"));
    } else if observation.is(&[450, 451, 550, 554]) {
        findings.add_under(rule, "general-refusal", detail);
    } else if !(observation.is(&[250, 251, 252, 253, 458, 459, 500, 501, 502])
        || busy && observation.is(&[503]))
    {
        findings.add(rule, detail);
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
            (&["C: ETRN example.org", "S: 554 5.7.1 No"], "etrn-codes/general-refusal note"),
            (&["C: ETRN example.org", "S: 451 4.3.0 Later"], "etrn-codes/general-refusal note"),
            (&["C: ETRN example.org", "S: 452 4.3.0 Later"], "etrn-codes warning"),
            (&[mail, "C: ETRN example.org", "S: 250 2.0.0 Ok"], "etrn-codes warning"),
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
