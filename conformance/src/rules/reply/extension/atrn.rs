//! Rules about ATRN (RFC 2645).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Atrn) if observation.session.offers("ATRN") => codes(observation, findings),
        Some(Verb::Ehlo) if observation.is(&[250]) => advertised(observation, findings),
        _ => {}
    }
}

/// RFC 2645 §5.2.1: 530 before a login, and 250, 450, 451 and 453 after it. Another rule judges 500 and 502 from a server
/// that offers ATRN.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let detail = format!("{} to ATRN", observation.codes());
    // In a transaction, the sequence is wrong in any case.
    let busy = session.transaction.is_some();
    let other = observation.is(&[500, 502]) || observation.says(&["starttls"]);
    let refused = observation.is_refused() && !other && !(busy && observation.is(&[503]));
    let deferred = observation.digit() == Some(4) && !other && !observation.is(&[450, 451, 453]);
    if !session.authenticated && !busy && (refused || observation.is(&[453]) || observation.is_accepted()) {
        let refused = !observation.is_accepted();
        findings.add_if(
            refused,
            RuleId::ATRN_NEEDS_LOGIN,
            "other-refusal",
            format!("{detail} without a login"),
        );
    } else if session.authenticated && refused && denies_access(observation) {
        findings.add(RuleId::ATRN_NEEDS_LOGIN, format!("{detail} because the user has no access"));
    } else if refused || deferred || observation.is_accepted() && !observation.is(&[250]) {
        findings.add(RuleId::ATRN_CODES, detail);
    }
}

/// Returns whether ATRN names a domain, and the code or the text says that the user has no right to it.
fn denies_access(observation: &Observation<'_>) -> bool {
    const WORDS: [&str; 5] = ["access", "authorized", "authorised", "not allowed", "permission"];
    let named = observation.command.is_some_and(|command| !command.argument().is_empty());
    let security = observation.enhanced().is_some_and(|code| code.subject() == 7);
    named && (security || observation.says(&WORDS))
}

/// RFC 2645 §5.1.1: a server that lists ATRN lists AUTH, too. Before TLS, it may list fewer keywords.
fn advertised(observation: &Observation<'_>, findings: &mut Findings) {
    let offered = Capabilities::read(&observation.reply);
    let whole = observation.session.tls || !offered.has("STARTTLS");
    if offered.has("ATRN") && !offered.has("AUTH") && whole && !observation.session.authenticated {
        findings.add(RuleId::ATRN_WITH_AUTH, "EHLO lists ATRN, but not AUTH");
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
            (&["C: ATRN", "S: 453 4.3.2 None"], "atrn-needs-login/other-refusal warning"),
            (&["C: ATRN", "S: 503 5.5.1 Authenticate first"], "atrn-needs-login/other-refusal warning"),
            (&["C: ATRN", "S: 550 5.7.1 No"], "atrn-needs-login/other-refusal warning"),
            (&["C: ATRN", "S: 501 5.5.4 No"], "atrn-needs-login/other-refusal warning"),
            (
                &[logged_in, "C: ATRN other.example", "S: 550 5.7.1 You have no access"],
                "atrn-needs-login error",
            ),
            (&[logged_in, "C: ATRN other.example", "S: 450 4.7.0 You have no access"], ""),
            (&[logged_in, "C: ATRN other.example", "S: 554 5.3.0 Broken"], "atrn-codes note"),
            (&["C: ATRN", "S: 451 4.3.0 Later"], ""),
            (&["C: ATRN", "S: 454 4.7.0 Later"], "atrn-codes note"),
            (&["C: ATRN", "S: 454 4.7.0 Must issue a STARTTLS command first"], ""),
            (&[logged_in, "C: ATRN", "S: 452 4.3.1 Later"], "atrn-codes note"),
            (&[logged_in, "C: ATRN", "S: 455 4.3.0 Later"], "atrn-codes note"),
            (&[logged_in, "C: ATRN", "S: 453 4.2.0 Nothing for you"], ""),
            (&[logged_in, "C: ATRN", "S: 250 2.0.0 Ok"], ""),
            (&[logged_in, "C: ATRN", "S: 252 2.0.0 Ok"], "atrn-codes note"),
            (&[logged_in, "C: ATRN", "S: 503 5.5.1 No"], "atrn-codes note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let both = offers("ATRN\nAUTH PLAIN");
        let tls = offers("ATRN\nSTARTTLS");
        let alone = offers("ATRN");
        let before = ["S: 220 mx.example.org", "C: EHLO me"];
        check(Protocol::Smtp, &before, &[(&[&alone], "atrn-with-auth error"), (&[&both], ""), (&[&tls], "")]);
        let plain = offers("DSN");
        let before = ["S: 220 mx", "C: EHLO me", &plain];
        check(Protocol::Smtp, &before, &[(&["C: ATRN", "S: 250 2.0.0 Ok"], "")]);
    }
}
