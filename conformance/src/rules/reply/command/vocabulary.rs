//! Rules about which commands a server implements and how it says so.

use crate::protocol::command::{Command, Verb, is_mailbox};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, control, demand, is_followed, is_outside, is_policy, limit, recipient, seen, sender};

/// Commands that RFC 5321 §4.5.1 does not require, each with the EHLO keyword that announces it.
const OPTIONAL: [(Verb, &str); 12] = [
    (Verb::Expn, "EXPN"),
    (Verb::Help, "HELP"),
    (Verb::Etrn, "ETRN"),
    (Verb::Atrn, "ATRN"),
    (Verb::Bdat, "CHUNKING"),
    (Verb::Burl, "BURL"),
    (Verb::Auth, "AUTH"),
    (Verb::Starttls, "STARTTLS"),
    (Verb::Turn, "TURN"),
    (Verb::Send, "SEND"),
    (Verb::Soml, "SOML"),
    (Verb::Saml, "SAML"),
];
/// Words that some servers know or regard as an attack.
const KNOWN: [&str; 24] = [
    "CONNECT", "DEBUG", "DELETE", "EMAL", "ESAM", "ESND", "ESOM", "EVFY", "FETR", "GET", "HEAD", "ONEX",
    "OPTIONS", "POST", "PROXY", "PUT", "QUEUE", "SHOWQ", "VERB", "WIZ", "XCLIENT", "XFORWARD", "XADR",
    "XUSR",
];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    before_hello(observation, findings);
    listed(observation, findings);
    unknown(observation, &command, findings);
    obsolete(observation, findings);
    turn(observation, findings);
    required(observation, &command, findings);
    parameter_504(observation, &command, findings);
    limit::line(observation, findings);
    limit::path(observation, findings);
}

/// RFC 5321 §4.1.4: NOOP, HELP, EXPN, VRFY and RSET work before EHLO.
fn before_hello(observation: &Observation<'_>, findings: &mut Findings) {
    let works =
        matches!(observation.verb(), Some(Verb::Noop | Verb::Help | Verb::Expn | Verb::Vrfy | Verb::Rset));
    let before = observation.session.hello.is_none() && is_followed(observation);
    let asks = observation.is_refused() && demand::asks_for_hello(observation);
    if works && before && (observation.is(&[503]) || asks) {
        findings.add(RuleId::WORKS_BEFORE_HELLO, format!("{} before EHLO", seen(observation)));
    }
}

/// RFC 5321 §3.5.2, §4.1.1.1: EHLO lists what the server supports beyond the required commands.
fn listed(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let Some(verb) = observation.verb() else { return };
    let Some((_, keyword)) = OPTIONAL.iter().find(|(optional, _)| *optional == verb) else { return };
    let done = match verb {
        Verb::Help => observation.is(&[211, 214]),
        Verb::Expn => observation.is(&[250]),
        Verb::Auth => !session.authenticated && (observation.is_accepted() || observation.is(&[334])),
        Verb::Starttls => !session.tls && observation.is(&[220]),
        _ => observation.is_accepted(),
    };
    if !done {
        return;
    }
    let Some(offered) = &session.offered else { return };
    // Before RFC 4954, mechanisms were listed after `AUTH=`.
    let old = offered.keywords().any(|offered| offered.to_ascii_uppercase().starts_with("AUTH="));
    let listed = offered.has(keyword) || verb == Verb::Auth && old;
    if !listed {
        let detail = format!("{}, but EHLO does not list {keyword}", seen(observation));
        findings.add_if(verb == Verb::Help, RuleId::SUPPORTED_COMMAND_LISTED, "help", detail);
    }
}

/// RFC 5321 §4.1.5, §4.2.4: an unknown command gets 500. Whether a server knows a private command, which begins with X, is
/// not visible from outside.
fn unknown(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let rule = RuleId::UNKNOWN_COMMAND_500;
    // Before EHLO, some servers check the sequence first.
    let too_early = observation.session.hello.is_none() && observation.is(&[503]);
    // To an SMTP server, LHLO is a word that it need not know, or knows but does not offer.
    let lmtp = command.verb() == Verb::Lhlo && !observation.is_lmtp();
    let unknown = command.verb() == Verb::Other || lmtp && !observation.is(&[502]);
    if !unknown || !is_nonsense(command) || observation.digit() == Some(4) || too_early {
        return;
    }
    if is_outside(observation, &[&[500]]) {
        let private = command.octets().first().is_some_and(|first| matches!(first, b'X' | b'x'));
        findings.add_if(private, rule, "private", seen(observation));
    }
}

/// RFC 5321 §4.2.4: a command that is known but not implemented gets 502, and one that is not even known 500. Whether a
/// server knows one of these four is not visible, so both are right. A refusal that asks for something else first, or is
/// by policy, may come from a server that implements the command and does not list it. RFC 821 has 503 for TURN.
fn obsolete(observation: &Observation<'_>, findings: &mut Findings) {
    const TURN: [u16; 3] = [503, 550, 554];
    let Some(verb @ (Verb::Turn | Verb::Send | Verb::Soml | Verb::Saml)) = observation.verb() else { return };
    let other = demand::asks_first(observation)
        || is_policy(observation)
        || observation.session.offers(verb.name())
        || observation.session.hello.is_none() && observation.is(&[503])
        || verb == Verb::Turn && observation.is(&TURN);
    if observation.is_refused() && !other && !observation.is(&[500, 502]) {
        findings.add(RuleId::UNIMPLEMENTED_COMMAND_502, seen(observation));
    }
}

/// RFC 5321 §10.2: the roles are not reversed for a client that the server cannot authenticate.
fn turn(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Turn)
        && observation.is_accepted()
        && !observation.session.authenticated
    {
        findings.add(RuleId::TURN_NEEDS_LOGIN, format!("{} without a login", seen(observation)));
    }
}

/// Returns whether a line begins with a word that no server knows: letters of one case that are not a command of another
/// protocol.
fn is_nonsense(command: &Command<'_>) -> bool {
    let line = command.octets().trim_ascii_end();
    let word = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    let one_case = word.iter().all(u8::is_ascii_uppercase) || word.iter().all(u8::is_ascii_lowercase);
    let known = KNOWN.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    let short = command.is_plain() && line.len() < 512;
    short && (3..=12).contains(&word.len()) && one_case && !known
}

/// RFC 5321 §4.5.1: a required command is neither unknown (500) nor unimplemented (502). Another rule judges HELO and
/// EHLO.
fn required(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    if !observation.is(&[500, 502]) || demand::asks_first(observation) {
        return;
    }
    let bare = control::is_bare(observation);
    let followed = is_followed(observation);
    // For MAIL and RCPT, 500 may also be about the address.
    let is_about_verb =
        observation.is(&[502]) || observation.has_detail(&[(5, 1)]) || says_unknown(observation);
    let good = match command.verb() {
        Verb::Mail => {
            is_about_verb && followed && sender::is_ready(observation) && address::is_clean(command)
        }
        Verb::Rcpt => {
            is_about_verb && followed && recipient::is_ready(observation) && address::is_clean(command)
        }
        Verb::Data => followed && bare && observation.session.recipients() > 0,
        Verb::Rset | Verb::Noop | Verb::Quit => bare,
        Verb::Vrfy => command.is_plain() && is_mailbox(command.argument()),
        _ => false,
    };
    if good {
        let vrfy = command.verb() == Verb::Vrfy;
        findings.add_if(vrfy, RuleId::REQUIRED_COMMANDS, "vrfy", seen(observation));
    }
}

fn says_unknown(observation: &Observation<'_>) -> bool {
    observation.says(&[
        "recogni",
        "unknown command",
        "not implemented",
        "unimplemented",
        "unsupported command",
    ])
}

/// RFC 5321 §4.2.1, §4.2.2: a command that EHLO lists is implemented, so 500 and 502 can only be about the parameter,
/// for which 504 is the code.
fn parameter_504(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let mut words = command.words();
    let parameter = match command.verb() {
        Verb::Help => words.next(),
        Verb::Vrfy => words.nth(1),
        _ => None,
    };
    let listed = observation.session.offers(command.verb().name());
    if parameter.is_some() && listed && command.is_plain() && observation.is(&[500, 502]) {
        findings.add(RuleId::UNIMPLEMENTED_PARAMETER_504, format!("{} with a parameter", seen(observation)));
    }
}
