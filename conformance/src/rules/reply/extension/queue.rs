//! Rules about commands for queues and for submission by reference: ETRN (RFC 1985), ATRN (RFC 2645), BURL (RFC 4468).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(verb) = observation.verb().filter(|verb| observation.session.offers(verb.name())) else {
        return;
    };
    match verb {
        Verb::Etrn => etrn(observation, findings),
        Verb::Atrn => atrn(observation, findings),
        Verb::Burl => burl(observation, findings),
        _ => {}
    }
}

/// RFC 1985 §5.1 with erratum 4130. 503 is right in a transaction, and 550 and 554 by policy. Another rule judges 500
/// and 502 from a server that offers ETRN.
fn etrn(observation: &Observation<'_>, findings: &mut Findings) {
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

/// RFC 2645 §5.2.1: 530 before a login, and 250, 450, 451 and 453 after it.
fn atrn(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let answered = observation.is_accepted() || observation.is(&[453, 503]);
    if !session.authenticated && session.transaction.is_none() && answered {
        findings.add(RuleId::ATRN_NEEDS_LOGIN, format!("{} to ATRN without a login", observation.codes()));
    }
    let busy = session.transaction.is_some() && observation.is(&[503]);
    let unusual = (observation.is_accepted() && !observation.is(&[250]))
        || (observation.is_refused() && !observation.is(&[500, 501, 502, 550, 554]) && !busy);
    if unusual {
        findings.add(RuleId::ATRN_CODES, format!("{} to ATRN", observation.codes()));
    }
}

/// RFC 4468 §6: success is 250. The list of refusals is open.
fn burl(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_accepted() && !observation.is(&[250]) {
        findings.add(RuleId::BURL_CODES, format!("{} to BURL", observation.codes()));
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("ETRN\nATRN\nBURL\nAUTH PLAIN");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let rows: &[Row<'_>] = &[
            (&["C: ETRN example.org", "S: 253 2.0.0 Ok"], ""),
            (&["C: ETRN example.org", "S: 459 4.7.1 No"], ""),
            (&["C: ETRN", "S: 501 5.5.4 What?"], ""),
            (&["C: ETRN example.org", "S: 554 5.7.1 No"], ""),
            (&["C: ETRN example.org", "S: 220 2.0.0 Ok"], "etrn-codes warning"),
            (&["C: ETRN example.org", "S: 504 5.5.4 No"], "etrn-codes warning"),
            (&["C: ETRN example.org", "S: 503 5.5.1 No"], "etrn-codes warning"),
            (&[mail, "C: ETRN example.org", "S: 503 5.5.1 No"], ""),
            (&["C: ATRN", "S: 530 5.7.0 Log in"], ""),
            (&["C: ATRN", "S: 250 2.0.0 Ok"], "atrn-needs-login error"),
            (&["C: ATRN", "S: 453 4.3.2 None"], "atrn-needs-login error"),
            (&["C: ATRN", "S: 451 4.3.0 Later"], ""),
            (&[logged_in, "C: ATRN", "S: 250 2.0.0 Ok"], ""),
            (&[logged_in, "C: ATRN", "S: 252 2.0.0 Ok"], "atrn-codes note"),
            (&[logged_in, "C: ATRN", "S: 503 5.5.1 No"], "atrn-codes note"),
            (&[mail, "C: BURL imap://x LAST", "S: 250 2.5.0 Ok"], ""),
            (&[mail, "C: BURL imap://x LAST", "S: 251 2.5.0 Ok"], "burl-codes note"),
            (&[mail, "C: BURL imap://x LAST", "S: 554 5.6.6 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &["S: 220 mx", "C: EHLO me", &plain],
            &[(&["C: ETRN example.org", "S: 503 5.5.1 No"], ""), (&["C: ATRN", "S: 250 2.0.0 Ok"], "")],
        );
    }
}
