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
    use crate::rules::reply::extension::testing::{Line, check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("ETRN\nATRN\nBURL\nAUTH PLAIN");
        let mail = ("MAIL FROM:<bob@example.org>", "250 2.1.0 Ok");
        let logged_in = ("AUTH PLAIN AGEAYg==", "235 2.7.0 Ok");
        let cases: &[(&[Line<'_>], &str)] = &[
            (&[("ETRN example.org", "253 2.0.0 Ok")], ""),
            (&[("ETRN example.org", "459 4.7.1 No")], ""),
            (&[("ETRN", "501 5.5.4 What?")], ""),
            (&[("ETRN example.org", "554 5.7.1 No")], ""),
            (&[("ETRN example.org", "220 2.0.0 Ok")], "etrn-codes"),
            (&[("ETRN example.org", "504 5.5.4 No")], "etrn-codes"),
            (&[("ETRN example.org", "503 5.5.1 No")], "etrn-codes"),
            (&[mail, ("ETRN example.org", "503 5.5.1 No")], ""),
            (&[("ATRN", "530 5.7.0 Log in")], ""),
            (&[("ATRN", "250 2.0.0 Ok")], "atrn-needs-login"),
            (&[("ATRN", "453 4.3.2 None")], "atrn-needs-login"),
            (&[("ATRN", "451 4.3.0 Later")], ""),
            (&[logged_in, ("ATRN", "250 2.0.0 Ok")], ""),
            (&[logged_in, ("ATRN", "252 2.0.0 Ok")], "atrn-codes"),
            (&[logged_in, ("ATRN", "503 5.5.1 No")], "atrn-codes"),
            (&[mail, ("BURL imap://x LAST", "250 2.5.0 Ok")], ""),
            (&[mail, ("BURL imap://x LAST", "251 2.5.0 Ok")], "burl-codes"),
            (&[mail, ("BURL imap://x LAST", "554 5.6.6 No")], ""),
        ];
        check(Protocol::Smtp, &[("", "220 mx.example.org"), ("EHLO me", &ehlo)], cases);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &[("", "220 mx"), ("EHLO me", &plain)],
            &[(&[("ETRN example.org", "503 5.5.1 No")], ""), (&[("ATRN", "250 2.0.0 Ok")], "")],
        );
    }
}
