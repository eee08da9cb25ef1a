//! What MAIL and RCPT carry beside a path: parameters, octets that are not ASCII, a blank behind the colon.

use crate::protocol::command::{Command, Parameter, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{accepts, address, has_detail, is_policy, says, seen};

/// The parameters that extensions of SMTP define, in use or not; PRDR, VERP and XVERP are of Exim, Courier,
/// Postfix.
const KNOWN: [&str; 24] = [
    "ALT-ADDRESS",
    "AUTH",
    "BODY",
    "BY",
    "CONNEG",
    "CONPERM",
    "ENVID",
    "HOLDFOR",
    "HOLDUNTIL",
    "MT-PRIORITY",
    "MTRK",
    "NOTIFY",
    "ORCPT",
    "PRDR",
    "REQUIRETLS",
    "RET",
    "RRVS",
    "SIZE",
    "SMTPUTF8",
    "SOLICIT",
    "SUBMITTER",
    "TRANSID",
    "VERP",
    "XVERP",
];

/// The rules on a MAIL or RCPT that comes when it may come.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    unknown(observation, &command, findings);
    unavailable(observation, &command, findings);
    space_after_colon(observation, &command, findings);
}

/// Whether parameters follow the path, in any form.
pub(super) fn follow(command: &Command<'_>) -> bool {
    command.envelope().is_some_and(|envelope| envelope.parameters().next().is_some())
}

/// RFC 5321 §4.1.1.11: a parameter that the server does not know gets 555.
fn unknown(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let Some(envelope) = command.envelope().filter(|_| address::has_clean_path(command)) else { return };
    let extended = matches!(observation.session.hello, Some(Verb::Ehlo | Verb::Lhlo));
    if !extended
        || !envelope.path().is_some_and(|path| path.is_empty() || address::domain(path).contains(&b'.'))
    {
        return;
    }
    let is_unknown = |parameter: &Parameter<'_>| {
        let offered =
            str::from_utf8(parameter.keyword).is_ok_and(|keyword| observation.session.offers(keyword));
        !offered && !KNOWN.iter().any(|known| parameter.is(known))
    };
    // A keyword with X may be known to client and server alone.
    let private = |parameter: &Parameter<'_>| {
        parameter.keyword.first().is_some_and(|first| matches!(first, b'X' | b'x'))
    };
    let rule = RuleId::UNKNOWN_PARAMETER_555;
    if accepts(observation) {
        let taken = envelope.parameters().find(|parameter| is_unknown(parameter) && !private(parameter));
        if let Some(parameter) = taken {
            let detail = format!("{} with {}", seen(observation), parameter.keyword.escape_ascii());
            findings.add(rule, detail);
        }
        return;
    }
    let mut parameters = envelope.parameters().peekable();
    let only = parameters.peek().is_some() && parameters.all(|parameter| is_unknown(&parameter));
    if only && !is_policy(observation) && observation.is(&[500, 501, 502, 503, 504]) {
        let detail = format!("{} with an unknown parameter", seen(observation));
        findings.add_under(rule, "other-refusal", detail);
    }
}

/// RFC 5321 §4.1.1.11: a parameter that cannot be honoured for the moment gets 455, unless its own standard has
/// another code. That it is for the moment shows where 555 is said to pass, or where 4yz names the arguments.
fn unavailable(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    // RFC 1870 §6.1, RFC 6710 §4.1.
    const OWN_CODE: [&str; 2] = ["SIZE", "MT-PRIORITY"];
    let blamable = follow(command) && address::has_clean_path(command);
    let Some(envelope) = command.envelope().filter(|_| blamable) else { return };
    let other = OWN_CODE.iter().any(|keyword| envelope.parameter(keyword).is_some());
    let passes = observation.is(&[555]) && says(observation, &["temporar", "try again", "try later"]);
    let for_now = observation.digit() == Some(4) && !observation.is(&[421, 455]);
    if !other && (passes || for_now && has_detail(observation, &[(5, 4)])) {
        let detail = format!("{} to a parameter that cannot be had for now", seen(observation));
        findings.add(RuleId::PARAMETER_UNAVAILABLE_455, detail);
    }
}

/// RFC 5321 §3.3: a blank behind the colon is forgiven or gets 501.
fn space_after_colon(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let Some(envelope) = command.envelope().filter(|_| command.is_plain() && !follow(command)) else {
        return;
    };
    let else_good = envelope.is_well_formed() && envelope.path().is_some_and(address::is_short);
    if envelope.is_indented() && else_good && observation.is(&[500, 502, 504, 555]) {
        findings.add(RuleId::SPACE_AFTER_COLON, seen(observation));
    }
}

/// RFC 5321 §2.4: without an extension that allows it, an octet above 127 has the command refused.
pub(super) fn non_ascii(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(|command| !command.octets().is_ascii()) else { return };
    let allowed = match command.verb() {
        Verb::Mail => command.envelope().is_some_and(|envelope| envelope.parameter("SMTPUTF8").is_some()),
        _ => observation.session.transaction.as_ref().is_none_or(|transaction| transaction.has("SMTPUTF8")),
    };
    if accepts(observation) && !allowed {
        let detail = format!("{}, which has octets above 127 and no SMTPUTF8", seen(observation));
        findings.add(RuleId::NON_ASCII_COMMAND_REFUSED, detail);
    }
}
