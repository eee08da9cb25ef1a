//! Rules about ATRN (RFC 2645).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Atrn) && observation.session.offers("ATRN") {
        codes(observation, findings);
    }
}

/// RFC 2645 §5.2.1: 530 before a login, and 250, 450, 451 and 453 after it.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
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

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("ATRN\nAUTH PLAIN");
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let rows: &[Row<'_>] = &[
            (&["C: ATRN", "S: 530 5.7.0 Log in"], ""),
            (&["C: ATRN", "S: 250 2.0.0 Ok"], "atrn-needs-login error"),
            (&["C: ATRN", "S: 453 4.3.2 None"], "atrn-needs-login error"),
            (&["C: ATRN", "S: 451 4.3.0 Later"], ""),
            (&[logged_in, "C: ATRN", "S: 250 2.0.0 Ok"], ""),
            (&[logged_in, "C: ATRN", "S: 252 2.0.0 Ok"], "atrn-codes note"),
            (&[logged_in, "C: ATRN", "S: 503 5.5.1 No"], "atrn-codes note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let plain = offers("DSN");
        let before = ["S: 220 mx", "C: EHLO me", &plain];
        check(Protocol::Smtp, &before, &[(&["C: ATRN", "S: 250 2.0.0 Ok"], "")]);
    }
}
