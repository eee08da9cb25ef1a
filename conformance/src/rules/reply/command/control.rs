//! Rules about RSET, NOOP, QUIT, and superfluous arguments.

use crate::protocol::command::{Command, Verb, is_domain};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, answers_it, demand, is_outside, recipient, seen, sender};

/// RFC 5321 §4.1.1.5: RSET gets 250, at any time.
pub(super) fn rset(observation: &Observation<'_>, findings: &mut Findings) {
    if is_bare(observation) && is_outside(observation, &[&[250]]) {
        add(observation, RuleId::RSET_ANSWERED_250, findings);
    }
}

/// RFC 5321 §4.1.1.9: NOOP gets 250, whatever its argument. Another rule judges 503 before EHLO.
pub(super) fn noop(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let before_hello = observation.session.hello.is_none() && observation.is(&[503]);
    if before_hello
        || !command.is_plain()
        || command.octets().len() > 512
        || !is_outside(observation, &[&[250]])
    {
        return;
    }
    if is_bare(observation) {
        add(observation, RuleId::NOOP_ANSWERED_250, findings);
    } else if observation.digit() != Some(4) {
        findings.add_under(RuleId::NOOP_ANSWERED_250, "argument-refused", seen(observation));
    }
}

/// RFC 5321 §4.1.1.10: QUIT gets 221 in any state, even from a server that accepts no mail.
pub(super) fn quit(observation: &Observation<'_>, findings: &mut Findings) {
    let about = observation.is_about_command() && answers_it(observation) && !observation.session.shut_down;
    if about && is_bare(observation) && is_outside(observation, &[&[221]]) {
        add(observation, RuleId::QUIT_ANSWERED_221, findings);
    }
}

/// Adds a finding. RFC 6647 §2.1 to §2.3: while it greylists a client, a server may answer every command with 4yz.
fn add(observation: &Observation<'_>, rule: RuleId, findings: &mut Findings) {
    findings.add_if(observation.digit() == Some(4), rule, "temporary", seen(observation));
}

/// RFC 5321 §4.1.1: blanks before the line end are tolerated. Only a command that is good without them shows this.
pub(super) fn trailing_blank(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    let line = command.octets().strip_suffix(b"\r\n").unwrap_or_default();
    let stripped = [line.trim_ascii_end(), b"\r\n"].concat();
    if !line.ends_with(b" ") || !observation.is(&[500, 501, 504, 555]) || demand::asks_first(observation) {
        return;
    }
    let session = observation.session;
    let good = match command.verb() {
        Verb::Noop | Verb::Rset | Verb::Quit => command.argument().is_empty(),
        Verb::Data => command.argument().is_empty() && session.recipients() > 0,
        Verb::Ehlo | Verb::Helo => is_domain(command.argument()),
        Verb::Mail => sender::is_ready(observation) && address::is_clean(&Command::read(&stripped)),
        Verb::Rcpt => recipient::is_ready(observation) && address::is_clean(&Command::read(&stripped)),
        _ => false,
    };
    let about_address = observation.enhanced().is_some_and(|code| code.subject() == 1);
    if good && !about_address {
        let detail = format!("{} with a blank at its end", seen(observation));
        findings.add(RuleId::TRAILING_BLANKS_TOLERATED, detail);
    }
}

/// RFC 5321 §4.3.2: DATA, RSET and QUIT with an argument get 501.
pub(super) fn arguments(observation: &Observation<'_>, findings: &mut Findings) {
    let takes_none = matches!(observation.verb(), Some(Verb::Data | Verb::Rset | Verb::Quit));
    if !takes_none || !has_argument(observation) {
        return;
    }
    if observation.is_accepted() || observation.is(&[354, 500, 502, 504]) {
        findings.add(RuleId::ARGUMENT_REFUSED_501, format!("{} with an argument", seen(observation)));
    }
}

/// Returns whether nothing follows the verb, not even a blank, which a server may read as an argument.
pub(super) fn is_bare(observation: &Observation<'_>) -> bool {
    let Some(command) = observation.command else { return false };
    let line = command.octets().strip_suffix(b"\r\n").unwrap_or(command.octets());
    line.len() == command.verb().name().len()
}

fn has_argument(observation: &Observation<'_>) -> bool {
    observation.command.is_some_and(|command| !command.argument().is_empty())
}
