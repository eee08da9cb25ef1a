//! Rules about the greeting, EHLO, HELO and LHLO.

use crate::protocol::command::{Verb, is_domain, is_literal};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{is_outside, limit, path, seen};

/// RFC 5321 §4.3.2, §3.1; RFC 7504 §3; RFC 6647 §2.1.
const GREETING: [u16; 4] = [220, 421, 521, 554];
/// RFC 5321 §4.3.2.
const HELLO: [u16; 6] = [250, 500, 501, 502, 504, 550];

/// The greeting is 220, 521 or 554, or 421 if the server closes the connection.
pub(super) fn greeting(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.nth == 0 && is_outside(observation, &[&GREETING]) {
        findings.add(RuleId::OPENING_CODES, seen(observation));
    }
}

/// RFC 7504 §3: 521 means that the host never accepts mail, so it is the greeting or is not sent at all.
pub(super) fn stays_open(observation: &Observation<'_>, findings: &mut Findings) {
    let opened = observation.session.greeting.is_some_and(|number| number != 521);
    if opened && observation.is(&[521]) {
        findings.add(RuleId::NO_521_AFTER_OPENING, seen(observation));
    }
}

/// Judges the replies to EHLO, HELO and LHLO, but not those of LMTP servers to EHLO and HELO or of SMTP servers to
/// LHLO.
pub(super) fn hello(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_lmtp() != (observation.verb() == Some(Verb::Lhlo)) {
        return;
    }
    // RFC 6647 §2.2: greylisting may begin here.
    if observation.digit() != Some(4) && is_outside(observation, &[&HELLO]) {
        findings.add_if(observation.is_accepted(), RuleId::HELLO_CODES, "other-success", seen(observation));
    }
    implemented(observation, findings);
    limit::announced(observation, findings);
    path::hello(observation, findings);
}

/// RFC 5321 §4.5.1: a server implements EHLO and HELO. If it accepted the command before, it implements it, and §4.1.4 lets
/// it refuse a second one.
fn implemented(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let name = command.argument();
    let good = command.is_plain() && name.len() <= 255 && (is_domain(name) || is_literal(name));
    let repeated = observation.session.hello == observation.verb();
    if good && !repeated && observation.is_refused() && observation.is(&[500, 502]) {
        findings.add(RuleId::HELLO_IMPLEMENTED, seen(observation));
    }
}

/// RFC 3207 §4, RFC 4954 §6: 530 asks for TLS or a login, which EHLO offers as STARTTLS and AUTH. Otherwise a client can do
/// nothing about it.
pub(super) fn remedy(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let offered = session.offered.iter().chain(&session.offered_before_tls).any(|offered| {
        offered.has("STARTTLS")
            || offered.keywords().any(|keyword| keyword.to_ascii_uppercase().starts_with("AUTH"))
    });
    let extended = matches!(session.hello, Some(Verb::Ehlo | Verb::Lhlo)) && session.offered.is_some();
    if observation.is(&[530]) && observation.exchange.sure && extended && !offered {
        findings.add(
            RuleId::ACCESS_DENIED_530_HAS_REMEDY,
            format!("{}, but EHLO lists no AUTH or STARTTLS", seen(observation)),
        );
    }
}
