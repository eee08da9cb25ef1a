//! Rules about the greeting, EHLO, HELO and LHLO.

use crate::protocol::command::{Command, Verb, is_domain, is_literal};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{demand, is_outside, is_policy, limit, path, seen};

/// RFC 5321 §4.3.2, §3.1; RFC 7504 §3; RFC 6647 §2.1.
const GREETING: [u16; 4] = [220, 421, 521, 554];
/// RFC 5321 §4.3.2.
const HELLO: [u16; 6] = [250, 500, 501, 502, 504, 550];

/// The greeting is 220, 521 or 554, or 421 if the server closes the connection.
pub(super) fn greeting(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.nth == 0 && is_outside(observation, &[&GREETING]) {
        findings.add(RuleId::OPENING_CODES, seen(observation));
    }
    // RFC 5321 §3.1: the text of a 554 opening should help to find out what is wrong. Only its absence can be judged.
    if observation.nth == 0 && observation.is(&[554]) && is_mute(observation) {
        findings
            .add(RuleId::REFUSED_OPENING_EXPLAINED, format!("{} without an explanation", seen(observation)));
    }
}

/// Returns whether a greeting has no text, or only the name of the server.
fn is_mute(observation: &Observation<'_>) -> bool {
    let lines = observation.reply.lines().map(|line| line.text_after_code().trim_ascii());
    let words: Vec<&[u8]> = lines.flat_map(|text| text.split(u8::is_ascii_whitespace)).collect();
    words
        .iter()
        .filter(|word| !word.is_empty())
        .all(|word| words.len() == 1 && word.contains(&b'.') && is_domain(word))
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
    well_formed(observation, findings);
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

/// RFC 5321 §4.1.1.1: a domain or an address literal is good syntax, so 501 is not true of it. A name without a dot, or one
/// that a policy objects to, may be refused for another reason, and another rule judges long names.
fn well_formed(observation: &Observation<'_>, findings: &mut Findings) {
    const OTHER: [&str; 12] = [
        "match", "resolve", "lookup", "look up", "dns", "found", "exist", "polic", "access", "reject",
        "denied", "allowed",
    ];
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    let name = command.argument();
    let is_name = name.contains(&b'.') && name.len() < path::LONG_PATH && is_domain(name);
    let other = is_policy(observation) || observation.says(&OTHER) || demand::asks_first(observation);
    let repeated = observation.session.hello == observation.verb();
    if observation.is(&[501]) && (is_name || is_literal(name)) && !repeated && !other {
        findings.add(RuleId::HELLO_SYNTAX_ACCEPTED, seen(observation));
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
