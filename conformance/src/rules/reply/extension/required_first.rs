//! Rules about servers that demand TLS or a login first: 530 and codes used instead (RFC 3207 §4, RFC 4954 §6).

use crate::knowledge::Policy;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{differs, has_parameter};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let lack = lack(observation);
    if forgets_login(observation, lack) {
        let detail = format!("{} after a successful login", observation.codes());
        findings.add(RuleId::AUTH_STAYS_IN_FORCE, detail);
    } else if observation.is(&[530]) {
        enhanced(observation, lack, findings);
        exempt(observation, lack, findings);
        public(observation, findings);
    } else if observation.is_refused() {
        starttls_without_530(observation, findings);
        login_without_530(observation, findings);
    }
}

/// Returns whether the text of a refusal shows that TLS or a login is missing, so that it is about no command but AUTH,
/// nor ATRN, which has a rule of its own about logins.
pub(super) fn explains(observation: &Observation<'_>) -> bool {
    let own = observation.is_authentication() || observation.verb() == Some(Verb::Atrn);
    observation.is_refused() && !own && (observation.demands_login() || demands_tls(observation))
}

/// What a 530 asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack {
    Tls,
    Login,
}

/// Returns what a 530 asks for, if the text or the session shows it.
fn lack(observation: &Observation<'_>) -> Option<Lack> {
    let session = observation.session;
    if session.tls {
        Some(Lack::Login)
    } else if observation.says(&["tls"]) {
        Some(Lack::Tls)
    } else if observation.says(&["auth", "log in", "login"]) {
        Some(Lack::Login)
    } else {
        session.offered.as_ref().map(|offered| if offered.has("STARTTLS") { Lack::Tls } else { Lack::Login })
    }
}

/// Returns whether a reply demands a login although the client has logged in. RFC 4954 §6: 530 is for when
/// authentication is not in force.
fn forgets_login(observation: &Observation<'_>, lack: Option<Lack>) -> bool {
    const DEMANDS: [&str; 7] = [
        "authentication required",
        "authentication is required",
        "must authenticate",
        "please authenticate",
        "authenticate first",
        "must issue an auth",
        "login required",
    ];
    let demanded = observation.is(&[530]) && lack == Some(Lack::Login)
        || observation.demands_login() && observation.says(&DEMANDS);
    observation.session.authenticated && observation.verb() != Some(Verb::Auth) && demanded
}

/// RFC 3207 §4, RFC 4954 §6: 530 goes with 5.7.0.
fn enhanced(observation: &Observation<'_>, lack: Option<Lack>, findings: &mut Findings) {
    if !differs(observation, &[(7, 0)]) {
        return;
    }
    let rule = match lack {
        Some(Lack::Tls) => RuleId::STARTTLS_REQUIRED_530,
        Some(Lack::Login) | None => RuleId::AUTH_ENHANCED_CODES,
    };
    findings.add(rule, observation.codes());
}

/// Some commands do not get 530: NOOP, EHLO, STARTTLS and QUIT (RFC 3207 §4); AUTH, EHLO, HELO, NOOP, RSET and QUIT
/// (RFC 4954 §6).
fn exempt(observation: &Observation<'_>, lack: Option<Lack>, findings: &mut Findings) {
    let Some(verb) = observation.verb() else { return };
    let detail = || format!("530 to {}", verb.name());
    match (verb, lack) {
        (Verb::Noop | Verb::Ehlo | Verb::Starttls | Verb::Quit, Some(Lack::Tls)) => {
            findings.add(RuleId::STARTTLS_530_SCOPE, detail());
        }
        (Verb::Noop | Verb::Ehlo | Verb::Quit | Verb::Helo | Verb::Rset, Some(Lack::Login)) => {
            findings.add(RuleId::AUTH_REQUIRED_530, detail());
        }
        (Verb::Auth, Some(Lack::Login)) if observation.session.tls => {
            findings.add(RuleId::AUTH_REQUIRED_530, detail());
        }
        _ => {}
    }
}

/// RFC 3207 §4: a publicly referenced server does not demand STARTTLS. Whether it is one is not visible from outside,
/// so a site that demands TLS on purpose declares the policy `tls`.
fn public(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let knowledge = observation.knowledge;
    let mail = match observation.verb() {
        Some(Verb::Mail) => true,
        Some(Verb::Rcpt) => recipient(observation) != knowledge.foreign.as_deref().map(str::as_bytes),
        _ => false,
    };
    let wanted = has_parameter(observation, "REQUIRETLS") || observation.says(&["auth"]);
    let for_tls = waits_for_tls(observation) && !wanted;
    if mail && for_tls && session.protocol == Protocol::Smtp && !knowledge.has_policy(Policy::Tls) {
        findings.add(RuleId::STARTTLS_NOT_REQUIRED, observation.codes());
    }
}

/// RFC 3207 §4: a command that must wait for STARTTLS gets 530. Only the text shows that this is the reason.
fn starttls_without_530(observation: &Observation<'_>, findings: &mut Findings) {
    let waits = matches!(
        observation.verb(),
        Some(Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::Vrfy | Verb::Expn | Verb::Etrn)
    );
    if waits && demands_tls(observation) {
        findings
            .add(RuleId::STARTTLS_REQUIRED_530, format!("{} because TLS is missing", observation.codes()));
    }
}

/// Returns whether the text of a reply demands TLS of a client that does not use it. With REQUIRETLS, it may be about the
/// next hop.
fn demands_tls(observation: &Observation<'_>) -> bool {
    let demanded = observation.says(&["must ", "require", "need", " first"]);
    let wanted = has_parameter(observation, "REQUIRETLS") || observation.says(&["requiretls"]);
    demanded && waits_for_tls(observation) && !wanted
}

/// Returns whether the text of a reply in clear speaks of TLS or encryption, and the server offers STARTTLS.
fn waits_for_tls(observation: &Observation<'_>) -> bool {
    const WORDS: [&str; 5] =
        ["tls", "encryption", "encrypted connection", "encrypted session", "secure connection"];
    let session = observation.session;
    !session.tls && session.offers("STARTTLS") && observation.says(&WORDS)
}

/// RFC 4954 §6: a server that demands a login sends 530. Only the text shows that this is the reason, or the refusal of
/// an existing mailbox by a submission server to a client without a login.
fn login_without_530(observation: &Observation<'_>, findings: &mut Findings) {
    let verb = observation.verb();
    let waits = matches!(verb, Some(Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat));
    if !waits || observation.session.authenticated {
        return;
    }
    // On a server that is not for submission, a login is often only one way to be allowed to relay, and 550 refuses
    // that (RFC 5321 §3.6.2).
    let relaying = verb == Some(Verb::Rcpt) && observation.is(&[550, 551, 553, 554]);
    let demanded = observation.demands_login() && (observation.is_submission() || !relaying);
    let valid = observation.knowledge.valid.as_deref().map(str::as_bytes);
    let denied = observation.is_submission()
        && verb == Some(Verb::Rcpt)
        && recipient(observation).is_some_and(|path| Some(path) == valid)
        && observation.session.offers("AUTH")
        && observation.has_detail(&[(7, 1)])
        && observation.says(&["access denied"]);
    if demanded || denied {
        let detail = format!("{} because the login is missing", observation.codes());
        findings.add(RuleId::AUTH_REQUIRED_530, detail);
    }
}

/// Returns the path of RCPT.
fn recipient<'a>(observation: &Observation<'a>) -> Option<&'a [u8]> {
    observation.command?.envelope()?.path()
}

#[cfg(test)]
mod tests {
    use crate::knowledge::{Knowledge, Policy};
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const GREETING: &str = "S: 220 mx.example.org";
    const MAIL: &str = "C: MAIL FROM:<bob@example.org>";
    const RCPT: &str = "C: RCPT TO:<amy@example.org>";
    const BEGUN: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";

    fn run(protocol: Protocol, keywords: &str, rows: &[Row<'_>]) {
        check(protocol, &[GREETING, "C: EHLO me", &offers(keywords)], rows);
    }

    #[test]
    fn tls_first() {
        let required = "starttls-required-530 warning";
        run(
            Protocol::Smtp,
            "STARTTLS",
            &[
                (
                    &[MAIL, "S: 530 5.7.0 Must issue a STARTTLS command first"],
                    "starttls-not-required warning",
                ),
                (
                    &["C: MAIL FROM:<bob@example.org> REQUIRETLS", "S: 530 5.7.0 REQUIRETLS needs STARTTLS"],
                    "",
                ),
                (&["C: VRFY bob", "S: 530 5.5.1 Must issue a STARTTLS command first"], required),
                (&["C: VRFY bob", "S: 530 5.7.0 Must issue a STARTTLS command first"], ""),
                (&[MAIL, "S: 554 5.7.0 Must issue a STARTTLS command first"], required),
                (&[MAIL, "S: 554 5.7.1 TLS required"], required),
                (&[MAIL, "S: 550 5.7.1 Encryption required"], required),
                (&[MAIL, "S: 530 5.7.0 Encryption required"], "starttls-not-required warning"),
                (&[MAIL, "S: 550 5.7.1 TLS handshakes from you fail too often"], ""),
                (&[MAIL, "S: 550 5.7.1 Not you"], ""),
                (&["C: FOO", "S: 500 5.5.1 Try STARTTLS first"], ""),
                (
                    &["C: NOOP", "S: 530 5.7.0 Must issue a STARTTLS command first"],
                    "starttls-530-scope warning",
                ),
                (&["C: RSET", "S: 530 5.7.0 Must issue a STARTTLS command first"], ""),
                (&["C: AUTH PLAIN", "S: 530 5.7.0 Must issue a STARTTLS command first"], ""),
            ],
        );
        run(
            Protocol::Submission,
            "STARTTLS",
            &[(&[MAIL, "S: 530 5.7.0 Must issue a STARTTLS command first"], "")],
        );
        let private = Knowledge { policies: vec![Policy::Tls], ..Knowledge::default() };
        let ehlo = offers("STARTTLS");
        Table { knowledge: private, ..table(&[GREETING, "C: EHLO me", &ehlo]) }
            .check(&[(&[MAIL, "S: 530 5.7.0 Must issue a STARTTLS command first"], "")]);
    }

    #[test]
    fn login_first() {
        let rule = "auth-required-530 warning";
        run(
            Protocol::Submission,
            "AUTH PLAIN",
            &[
                (&[MAIL, "S: 530 5.7.0 Authentication required"], ""),
                (&[MAIL, "S: 530 5.5.1 Must issue an AUTH command first"], "auth-enhanced-codes warning"),
                (&[MAIL, "S: 550 5.7.1 Authentication required"], rule),
                (&[MAIL, "S: 550 5.7.26 Sender is not authenticated by SPF or DKIM"], ""),
                (&[MAIL, "S: 550 5.7.1 Not you"], ""),
                (&[MAIL, "S: 502 5.7.0 Please authenticate first"], rule),
                (&[BEGUN, RCPT, "S: 530 5.7.0 Authentication required"], ""),
                (&[BEGUN, RCPT, "S: 550 5.7.1 Authentication required"], rule),
                (&[BEGUN, RCPT, "S: 535 Authentication required."], rule),
                (&[BEGUN, RCPT, "S: 554 5.7.1 Access denied"], ""),
                (&["C: RSET", "S: 530 5.7.0 Authentication required"], rule),
                (&["C: NOOP", "S: 530 5.7.0 Authentication required"], rule),
                (&["C: AUTH PLAIN", "S: 530 5.7.0 Not now"], ""),
                (
                    &[
                        "C: AUTH PLAIN AGEAYg==",
                        "S: 235 2.7.0 Ok",
                        MAIL,
                        "S: 550 5.7.1 Not authenticated as the owner of that address",
                    ],
                    "",
                ),
            ],
        );
        run(
            Protocol::Smtp,
            "AUTH PLAIN",
            &[
                (&[MAIL, "S: 550 5.7.1 Authentication required"], rule),
                (&[BEGUN, RCPT, "S: 550 5.7.1 Authentication required to relay"], ""),
                (&[BEGUN, RCPT, "S: 535 Authentication required."], rule),
                (&[MAIL, "S: 550 5.7.1 Blocked"], ""),
            ],
        );
        let known = Knowledge { valid: Some("amy@example.org".to_owned()), ..Knowledge::default() };
        let ehlo = offers("AUTH PLAIN");
        let before = [GREETING, "C: EHLO me", &ehlo];
        Table { protocol: Protocol::Submission, knowledge: known, ..table(&before) }
            .check(&[(&[BEGUN, RCPT, "S: 554 5.7.1 Client host rejected: Access denied"], rule)]);
    }

    #[test]
    fn a_login_stays_in_force() {
        let rule = "auth-stays-in-force error";
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        for protocol in [Protocol::Smtp, Protocol::Submission] {
            run(
                protocol,
                "AUTH PLAIN",
                &[
                    (&[logged_in, MAIL, "S: 530 5.7.0 Authentication required"], rule),
                    (&[logged_in, MAIL, "S: 530 No"], rule),
                    (&[logged_in, MAIL, "S: 550 5.7.1 Authentication required"], rule),
                    (&[logged_in, "C: NOOP", "S: 530 5.7.0 Authentication required"], rule),
                    (&[logged_in, MAIL, "S: 550 5.7.1 Not your address"], ""),
                    (&[MAIL, "S: 530 5.7.0 Authentication required"], ""),
                ],
            );
        }
        run(
            Protocol::Submission,
            "AUTH PLAIN\nSTARTTLS",
            &[(&[logged_in, MAIL, "S: 530 5.7.0 Must issue a STARTTLS command first"], "")],
        );
    }
}
