//! Rules about MAIL and RCPT apart from the path: parameters, and a blank after the colon.

use crate::protocol::command::{Command, Parameter, Verb, is_keyword, is_mailbox};
use crate::protocol::notation::{quoted, shown};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;
use crate::rules::reply::extension::parameter_value::{is_class_list, is_since};

use super::{address, is_policy, seen};

/// The parameters that SMTP extensions define, whether in use or not. PRDR, VERP and XVERP come from Exim, Courier and
/// Postfix. CONPERM and CONNEG are left out, because RFC 4141 demands that a server without them refuses them; another
/// rule judges its code.
const KNOWN: [&str; 22] = [
    "ALT-ADDRESS",
    "AUTH",
    "BODY",
    "BY",
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

/// Judges a MAIL or RCPT that comes in the right state.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    unknown(observation, &command, findings);
    malformed(observation, &command, findings);
    unavailable(observation, &command, findings);
    space_after_colon(observation, &command, findings);
}

/// RFC 5321 §4.1.1.11: an unknown parameter gets 555.
fn unknown(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    if !address::has_clean_path(command) {
        return;
    }
    let Some(envelope) = command.envelope() else { return };
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
    // A keyword that begins with X may be private to client and server.
    let private = |parameter: &Parameter<'_>| {
        parameter.keyword.first().is_some_and(|first| matches!(first, b'X' | b'x'))
    };
    let rule = RuleId::UNKNOWN_PARAMETER_555;
    if observation.is_accepted() {
        let taken = envelope.parameters().find(|parameter| is_unknown(parameter) && !private(parameter));
        if let Some(parameter) = taken {
            let detail = format!("{} with {}", seen(observation), shown(parameter.keyword));
            findings.add(rule, detail);
        }
        return;
    }
    let mut parameters = envelope.parameters().peekable();
    // RFC 4141 §4.2, §5.2.
    let has_own_code = |parameter: &Parameter<'_>| {
        observation.is(&[504]) && (parameter.is("CONPERM") || parameter.is("CONNEG"))
    };
    let only = parameters.peek().is_some()
        && parameters.all(|parameter| is_unknown(&parameter) && !has_own_code(&parameter));
    // 503 may be about the sequence, whatever the parameters.
    let blames = !observation.is(&[503])
        || observation.has_detail(&[(5, 4)])
        || observation.says(&["parameter", "option", "argument", "support"]);
    if only && blames && !is_policy(observation) && observation.is(&[500, 501, 502, 503, 504]) {
        let detail = format!("{} with an unknown parameter", seen(observation));
        findings.add_under(rule, "other-refusal", detail);
    }
}

/// Parameters with a value, or without one, that no other rule judges: the command, the parameter, the keyword that EHLO
/// lists, and a function that returns whether a value is good.
type Grammar = (Verb, &'static str, &'static str, fn(Option<&[u8]>) -> bool);

const GRAMMARS: [Grammar; 5] = [
    (Verb::Mail, "SOLICIT", "NO-SOLICITING", |value| value.is_some_and(is_class_list)), // RFC 3865 §2.3
    (Verb::Mail, "REQUIRETLS", "REQUIRETLS", |value| value.is_none()),                  // RFC 8689 §2
    (Verb::Mail, "CONPERM", "CONPERM", |value| value.is_none()),                        // RFC 4141 §4.3
    (Verb::Rcpt, "CONNEG", "CONNEG", |value| value.is_none()),                          // RFC 4141 §5.3
    (Verb::Rcpt, "RRVS", "RRVS", |value| value.is_some_and(is_since)),                  // RFC 7293 §3.1
];

/// RFC 5321 §4.1.2, §4.1.4: a parameter that does not follow its grammar is refused, and not as an unknown command.
fn malformed(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let Some(envelope) = command.envelope().filter(|_| command.is_plain()) else { return };
    let path = envelope.path().is_some_and(|path| is_mailbox(path) && address::is_short(path));
    let extended = matches!(observation.session.hello, Some(Verb::Ehlo | Verb::Lhlo));
    // Text that sticks to the path is not a parameter.
    let spaced = command.argument().windows(2).any(|octets| octets == b"> ");
    if !path || !extended || !spaced || envelope.is_indented() {
        return;
    }
    let is_faulty = |parameter: &Parameter<'_>| {
        let known = GRAMMARS.iter().find(|(verb, keyword, listed, _)| {
            command.verb() == *verb && parameter.is(keyword) && observation.session.offers(listed)
        });
        match known {
            Some((_, _, _, is_good)) => !is_good(parameter.value),
            None => is_misshapen(parameter),
        }
    };
    let Some(faulty) = envelope.parameters().find(is_faulty) else { return };
    let only = envelope.parameters().count() == 1;
    let misread = only && observation.is(&[500, 502, 504]) && !is_policy(observation);
    if observation.is_accepted() || misread {
        let sign = if faulty.value.is_some() { "=" } else { "" };
        let octets = [faulty.keyword, sign.as_bytes(), faulty.value.unwrap_or_default()].concat();
        let detail = format!("{} with the malformed parameter {}", seen(observation), quoted(&octets));
        findings.add(RuleId::MALFORMED_PARAMETER_REFUSED, detail);
    }
}

/// Returns whether a parameter has no keyword, one with a sign that keywords do not have, or, if no extension defines it, an
/// equals sign and no value. Private parameters may have any form.
fn is_misshapen(parameter: &Parameter<'_>) -> bool {
    let private = parameter.keyword.first().is_some_and(|first| matches!(first, b'X' | b'x'));
    let known = KNOWN.iter().any(|known| parameter.is(known));
    let empty = parameter.value.is_some_and(<[u8]>::is_empty);
    !private && (!is_keyword(parameter.keyword) || empty && !known)
}

/// RFC 5321 §4.1.1.11: a parameter that the server temporarily cannot honour gets 455, unless the parameter's standard
/// has another code. A 555 whose text calls it temporary, or a 4yz about the arguments, shows that it is temporary.
fn unavailable(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    // RFC 1870 §6.1, RFC 6710 §4.1.
    const OWN_CODE: [&str; 2] = ["SIZE", "MT-PRIORITY"];
    if !address::has_parameters(command) || !address::has_clean_path(command) {
        return;
    }
    let Some(envelope) = command.envelope() else { return };
    let other = OWN_CODE.iter().any(|keyword| envelope.parameter(keyword).is_some());
    let passes = observation.is(&[555]) && observation.says(&["temporar", "try again", "try later"]);
    let for_now = observation.digit() == Some(4) && !observation.is(&[421, 455]);
    if !other && (passes || for_now && observation.has_detail(&[(5, 4)])) {
        let detail = format!("{} for a parameter that is temporarily unavailable", seen(observation));
        findings.add(RuleId::PARAMETER_UNAVAILABLE_455, detail);
    }
}

/// RFC 5321 §3.3: a blank after the colon is tolerated or gets 501.
fn space_after_colon(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    if !command.is_plain() || address::has_parameters(command) {
        return;
    }
    let Some(envelope) = command.envelope() else { return };
    let otherwise_good = envelope.is_well_formed() && envelope.path().is_some_and(address::is_short);
    if envelope.is_indented() && otherwise_good && observation.is(&[500, 502, 504, 555]) {
        findings.add(RuleId::SPACE_AFTER_COLON, seen(observation));
    }
}
