//! Rules about STARTTLS (RFC 3207).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::reason::{differs, has_parameter};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Starttls) => {
            starttls(observation, findings);
            enhanced(observation, findings);
        }
        Some(Verb::Ehlo | Verb::Lhlo) => offered_again(observation, findings),
        _ => {}
    }
    weak(observation, findings);
}

/// RFC 3207 §4: 220, 501 for a parameter, or 454 for a temporary failure. Another rule judges 500 and 502 from a
/// server that offers STARTTLS, and 550 and 554 are a matter of policy. No RFC says what is right under TLS or in a
/// transaction.
fn starttls(observation: &Observation<'_>, findings: &mut Findings) {
    const MISTAKEN: [u16; 7] = [504, 535, 551, 552, 553, 555, 556];
    let session = observation.session;
    if session.tls || !session.offers("STARTTLS") {
        return;
    }
    let parameter = observation.command.is_some_and(|command| !command.argument().is_empty());
    let busy = session.transaction.is_some() || session.authenticated;
    let right = !parameter && observation.is(&[220]);
    let misplaced = !parameter && (observation.is(&[501]) || (!busy && observation.is(&[503])));
    if !right && (observation.is_accepted() || misplaced || observation.is(&MISTAKEN)) {
        let sent = if parameter { "STARTTLS with a parameter" } else { "STARTTLS" };
        let detail = format!("{} to {sent}", observation.codes());
        findings.add_if(observation.is(&[220]), RuleId::STARTTLS_CODES, "argument-accepted", detail);
    }
}

/// Judges whether the enhanced status code is a customary one: RFC 3207 §4 has 5.7.0, and RFC 2034 and the registry's
/// row X.7.0 have the others.
fn enhanced(observation: &Observation<'_>, findings: &mut Findings) {
    const CUSTOMARY: [(u16, &[(u16, u16)]); 3] = [
        (220, &[(0, 0), (7, 0)]),
        (454, &[(0, 0), (3, 0), (7, 0)]),
        (501, &[(0, 0), (5, 0), (5, 2), (5, 4)]),
    ];
    let permitted = CUSTOMARY.iter().find(|(number, _)| observation.is(&[*number]));
    if permitted.is_some_and(|(_, permitted)| differs(observation, permitted)) {
        findings.add(RuleId::STARTTLS_ENHANCED_CODES, observation.codes());
    }
}

/// RFC 3207 §4.2: no STARTTLS in the reply to an EHLO after a TLS handshake. The text does not say how TLS began, but
/// the section is about STARTTLS, and RFC 8314 §3 adds nothing for TLS from the start.
fn offered_again(observation: &Observation<'_>, findings: &mut Findings) {
    let offered = || Capabilities::read(&observation.reply).has("STARTTLS");
    let session = observation.session;
    if session.tls && observation.is(&[250]) && offered() {
        let rule = RuleId::STARTTLS_FORGETS_SESSION;
        findings.add_if(session.implicit_tls, rule, "implicit-tls", "STARTTLS is offered under TLS");
    }
}

/// RFC 3207 §4.1: TLS that is too weak gets 554. Under TLS, X.7.10 (encryption needed) means that, except for a message
/// with REQUIRETLS, where it is about the next hop (RFC 8689 §4.2.1), and for AUTH, where RFC 4954 defines it.
fn weak(observation: &Observation<'_>, findings: &mut Findings) {
    let shown = observation.session.tls && observation.is_refused() && observation.has_detail(&[(7, 10)]);
    let elsewhere = || {
        observation.is_authentication()
            || observation.verb() == Some(Verb::Quit)
            || has_parameter(observation, "REQUIRETLS")
    };
    if shown && !elsewhere() && !observation.is(&[554]) {
        findings.add(RuleId::TLS_LEVEL_554, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::dialogue::Dialogue;
    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::rules::catalogue::RuleId;
    use crate::rules::dialogue::connection::tests::{command, connect};
    use crate::rules::reply::extension::testing::{Line, check, offers};
    use crate::rules::{Strictness, judge};

    fn run(cases: &[(&[Line<'_>], &str)]) {
        let ehlo = offers("STARTTLS");
        check(Protocol::Smtp, &[("", "220 mx.example.org"), ("EHLO me", &ehlo)], cases);
    }

    #[test]
    fn replies_to_starttls() {
        let mail = ("MAIL FROM:<bob@example.org>", "250 2.1.0 Ok");
        run(&[
            (&[("STARTTLS", "220 2.0.0 Go")], ""),
            (&[("STARTTLS", "250 2.0.0 Go")], "starttls-codes"),
            (&[("STARTTLS", "454 4.7.0 Later")], ""),
            (&[("STARTTLS", "451 4.3.0 Later")], ""),
            (&[("STARTTLS", "501 5.5.4 No")], "starttls-codes"),
            (&[("STARTTLS", "503 5.5.1 No")], "starttls-codes"),
            (&[mail, ("STARTTLS", "503 5.5.1 No")], ""),
            (&[("STARTTLS", "550 5.7.1 Not you")], ""),
            (&[("STARTTLS", "421 4.3.2 Bye")], ""),
            (&[("STARTTLS x", "501 5.5.4 No")], ""),
            (&[("STARTTLS x", "500 5.5.2 No")], ""),
            (&[("STARTTLS x", "220 2.0.0 Go")], "starttls-codes/argument-accepted"),
            (&[("STARTTLS x", "250 2.0.0 Go")], "starttls-codes"),
            (&[("STARTTLS x", "555 5.5.4 No")], "starttls-codes"),
            (&[("STARTTLS", "220 2.1.0 Go")], "starttls-enhanced-codes"),
            (&[("STARTTLS", "454 4.4.3 Later")], "starttls-enhanced-codes"),
            (&[("STARTTLS x", "501 5.7.1 No")], "starttls-enhanced-codes"),
        ]);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &[("", "220 mx"), ("EHLO me", &plain)],
            &[(&[("STARTTLS", "502 5.5.1 No")], ""), (&[("STARTTLS", "503 5.5.1 No")], "")],
        );
    }

    #[test]
    fn under_tls() {
        let begin: [Line<'_>; 2] = [("STARTTLS", "220 2.0.0 Go"), ("TLS", "")];
        let ehlo = offers("DSN\nREQUIRETLS");
        let again = offers("STARTTLS");
        let mail = "MAIL FROM:<bob@example.org>";
        let under = |lines: &[Line<'_>], expected: &str| {
            run(&[(&[&begin, lines].concat(), expected)]);
        };
        under(&[("EHLO me", &again)], "starttls-forgets-session");
        let mut from_start = Dialogue { implicit_tls: true, ..Dialogue::default() };
        from_start.exchanges = vec![connect(&["220 mx.example.org"]), command("EHLO me", &[&again])];
        let judgement = judge(&[from_start], &Knowledge::default(), Strictness::default());
        let found: Vec<_> =
            judgement.findings.iter().map(|finding| (finding.rule, finding.condition)).collect();
        assert_eq!(found, [(RuleId::STARTTLS_FORGETS_SESSION, Some("implicit-tls"))]);
        under(&[("EHLO me", &ehlo)], "");
        under(&[(mail, "250 2.1.0 Ok")], "");
        under(&[(mail, "503 5.5.1 EHLO first")], "");
        under(&[("EHLO me", &ehlo), (mail, "250 2.1.0 Ok")], "");
        under(&[("EHLO me", &ehlo), ("STARTTLS", "554 5.5.1 Already")], "");
        under(&[("EHLO me", &ehlo), ("STARTTLS", "220 2.0.0 Go")], "");
        under(&[("EHLO me", &ehlo), (mail, "550 5.7.10 Too weak")], "tls-level-554");
        under(&[("EHLO me", &ehlo), ("MAIL FROM:<bob@example.org> REQUIRETLS", "550 5.7.10 No")], "");
    }
}
