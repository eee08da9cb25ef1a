//! Commands with octets that no grammar of RFC 5321 §4.1.2 allows.

use crate::protocol::command::{Command, Verb, is_domain, is_literal};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::seen;

/// RFC 5321 §2.4, §4.1.2: a command with invalid character codes is refused, unless an extension permits them.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    garbage(observation, &command, findings);
    let names_mailbox = matches!(command.verb(), Verb::Mail | Verb::Rcpt | Verb::Vrfy | Verb::Expn);
    // 252 answers VRFY without looking at the name.
    if !observation.is_accepted() || observation.is(&[252]) || !names_mailbox && !command.verb().is_hello() {
        return;
    }
    let rule = RuleId::NON_ASCII_COMMAND_REFUSED;
    if !command.octets().is_ascii() && !permits_utf8(observation, &command) {
        findings.add(rule, format!("{} with octets above 127 and without SMTPUTF8", seen(observation)));
    } else if str::from_utf8(command.octets()).is_err() {
        findings.add(rule, format!("{} with octets that are not UTF-8", seen(observation)));
    } else if has_control(&command) {
        findings.add(rule, format!("{} with control characters", seen(observation)));
    } else if command.verb().is_hello() && !is_name(command.argument()) {
        let level = if is_underscored(command.argument()) { "underscore" } else { "not-a-name" };
        findings.add_under(rule, level, format!("{} with an argument that is not a name", seen(observation)));
    }
}

/// RFC 3030 §2 wants a server to cope with binary octets where a command belongs. They are not a command, so they succeed
/// in nothing.
fn garbage(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let word = command.octets().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let binary = !word.is_ascii() || word.iter().any(u8::is_ascii_control);
    // 221 says that the server has had enough.
    let taken = matches!(observation.digit(), Some(2 | 3)) && !observation.is(&[221]);
    if command.verb() == Verb::Other && binary && taken {
        let detail = format!("{} that has octets of no command", seen(observation));
        findings.add(RuleId::NON_ASCII_COMMAND_REFUSED, detail);
    }
}

/// Returns whether the command, or the MAIL of the transaction, has the parameter SMTPUTF8 (RFC 6531 §3.4). VRFY and EXPN
/// need only the keyword in the EHLO reply; their parameter is about the reply (§3.7.4.2).
fn permits_utf8(observation: &Observation<'_>, command: &Command<'_>) -> bool {
    match command.verb() {
        Verb::Mail => command.envelope().is_some_and(|envelope| envelope.parameter("SMTPUTF8").is_some()),
        Verb::Rcpt => {
            observation.session.transaction.as_ref().is_none_or(|transaction| transaction.has("SMTPUTF8"))
        }
        Verb::Vrfy | Verb::Expn => {
            let asked = command.words().any(|word| word.eq_ignore_ascii_case(b"SMTPUTF8"));
            asked || observation.session.offers("SMTPUTF8")
        }
        _ => false,
    }
}

/// Returns whether a line has a control character other than those that servers take for blanks and line ends.
fn has_control(command: &Command<'_>) -> bool {
    command.octets().iter().any(|octet| octet.is_ascii_control() && !octet.is_ascii_whitespace())
}

/// Returns whether the argument of EHLO is a name that its grammar allows, or is missing.
fn is_name(argument: &[u8]) -> bool {
    let name = argument.strip_suffix(b".").unwrap_or(argument);
    argument.is_empty() || is_domain(name) || is_literal(argument) || argument.starts_with(b"[")
}

fn is_underscored(argument: &[u8]) -> bool {
    let without: Vec<u8> = argument.iter().copied().filter(|octet| *octet != b'_').collect();
    argument.contains(&b'_') && is_domain(&without)
}
