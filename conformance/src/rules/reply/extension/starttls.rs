//! Rules about STARTTLS (RFC 3207).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{differs, has_parameter};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Starttls) => {
            starttls(observation, findings);
            enhanced(observation, findings);
        }
        Some(Verb::Ehlo | Verb::Lhlo) => offered_again(observation, findings),
        _ => {}
    }
    kept(observation, findings);
    weak(observation, findings);
}

/// RFC 3207 §4: 220, 501 for a parameter, or 454 for a temporary failure. 500 is a syntax error too. Without a parameter,
/// another rule judges 500 and 502, and 550 and 554 are a matter of policy. No RFC says what is right under TLS or in a
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
    let unoffered = parameter && observation.is(&[502]);
    if !right && (observation.is_accepted() || misplaced || unoffered || observation.is(&MISTAKEN)) {
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

/// RFC 3207 §4.2: the login and the EHLO before TLS no longer count, so 503 for them shows that the server has kept
/// them.
fn kept(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    if session.offered_before_tls.is_none() || !observation.is(&[503]) {
        return;
    }
    let again = observation.says(&["already", "duplicate", "twice", "again"]);
    let kept = match observation.verb() {
        Some(Verb::Auth) if session.authenticated_before_tls => {
            let first = session.hello.is_some() && session.transaction.is_none() && !session.authenticated;
            first && (again || session.offers("AUTH"))
        }
        Some(verb) if verb.is_hello() => session.hello.is_none() && again,
        _ => false,
    };
    if kept {
        let what = if observation.verb() == Some(Verb::Auth) { "the login" } else { "the EHLO" };
        let detail = format!("{}: {what} before TLS is remembered", observation.codes());
        findings.add(RuleId::STARTTLS_FORGETS_SESSION, detail);
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
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, dialogue};
    use crate::rules::reply::extension::testing::{check, offers, table};

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers("STARTTLS");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn replies_to_starttls() {
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        run(&[
            (&["C: STARTTLS", "S: 220 2.0.0 Go"], ""),
            (&["C: STARTTLS", "S: 250 2.0.0 Go"], "starttls-codes error"),
            (&["C: STARTTLS", "S: 454 4.7.0 Later"], ""),
            (&["C: STARTTLS", "S: 451 4.3.0 Later"], ""),
            (&["C: STARTTLS", "S: 501 5.5.4 No"], "starttls-codes error"),
            (&["C: STARTTLS", "S: 503 5.5.1 No"], "starttls-codes error"),
            (&[mail, "C: STARTTLS", "S: 503 5.5.1 No"], ""),
            (&["C: STARTTLS", "S: 550 5.7.1 Not you"], ""),
            (&["C: STARTTLS", "S: 421 4.3.2 Bye"], ""),
            (&["C: STARTTLS x", "S: 501 5.5.4 No"], ""),
            (&["C: STARTTLS x", "S: 454 4.7.0 Later"], ""),
            (&["C: STARTTLS x", "S: 500 5.5.2 No"], ""),
            (&["C: STARTTLS x", "S: 502 5.5.1 No"], "starttls-codes error"),
            (&["C: STARTTLS x", "S: 220 2.0.0 Go"], "starttls-codes/argument-accepted warning"),
            (&["C: STARTTLS x", "S: 250 2.0.0 Go"], "starttls-codes error"),
            (&["C: STARTTLS x", "S: 555 5.5.4 No"], "starttls-codes error"),
            (&["C: STARTTLS", "S: 220 2.1.0 Go"], "starttls-enhanced-codes note"),
            (&["C: STARTTLS", "S: 454 4.4.3 Later"], "starttls-enhanced-codes note"),
            (&["C: STARTTLS x", "S: 501 5.7.1 No"], "starttls-enhanced-codes note"),
        ]);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &["S: 220 mx", "C: EHLO me", &plain],
            &[(&["C: STARTTLS", "S: 502 5.5.1 No"], ""), (&["C: STARTTLS", "S: 503 5.5.1 No"], "")],
        );
    }

    #[test]
    fn under_tls() {
        let ehlo = offers("DSN\nREQUIRETLS");
        let again = offers("STARTTLS");
        let mail = "C: MAIL FROM:<bob@example.org>";
        let begun = "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls";
        run(&[
            (&[begun, "C: EHLO me", &again], "starttls-forgets-session error"),
            (&[begun, "C: EHLO me", &ehlo], ""),
            (&[begun, mail, "S: 250 2.1.0 Ok"], ""),
            (&[begun, mail, "S: 503 5.5.1 EHLO first"], ""),
            (&[begun, "C: EHLO me", &ehlo, mail, "S: 250 2.1.0 Ok"], ""),
            (&[begun, "C: EHLO me", &ehlo, "C: STARTTLS", "S: 554 5.5.1 Already"], ""),
            (&[begun, "C: EHLO me", &ehlo, "C: STARTTLS", "S: 220 2.0.0 Go"], ""),
            (&[begun, "C: EHLO me", &ehlo, mail, "S: 550 5.7.10 Too weak"], "tls-level-554 warning"),
            (
                &[
                    begun,
                    "C: EHLO me",
                    &ehlo,
                    "C: MAIL FROM:<bob@example.org> REQUIRETLS",
                    "S: 550 5.7.10 No",
                ],
                "",
            ),
        ]);
        let auth = offers("AUTH PLAIN");
        let login = "C: AUTH PLAIN AGEAYg==";
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let already = "S: 503 5.5.1 Already authenticated";
        run(&[
            (&[logged_in, begun, "C: EHLO me", &auth, login, already], "starttls-forgets-session error"),
            (
                &[logged_in, begun, "C: EHLO me", &auth, login, "S: 503 5.5.1 No"],
                "starttls-forgets-session error",
            ),
            (&[logged_in, begun, "C: EHLO me", &ehlo, login, "S: 503 5.5.1 Not enabled"], ""),
            (&[logged_in, begun, "C: EHLO me", &auth, login, "S: 235 2.7.0 Ok"], ""),
            (&[logged_in, begun, login, "S: 503 5.5.1 EHLO first"], ""),
            (&[begun, "C: EHLO me", &auth, logged_in, login, already], ""),
            (&[begun, "C: EHLO me", "S: 503 5.5.1 Duplicate EHLO"], "starttls-forgets-session error"),
            (&[begun, "C: EHLO me", "S: 503 5.5.1 Not now"], ""),
        ]);
        // A transcript does not say that a connection was under TLS from the start.
        let text = ["S: 220 mx.example.org", "C: EHLO me", &again].join("\n");
        let from_start = Dialogue { implicit_tls: true, ..dialogue(&text) };
        assert_eq!(table(&[]).found_in(&[from_start]), "starttls-forgets-session/implicit-tls warning");
    }
}
