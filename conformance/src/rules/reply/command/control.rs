//! Rules about RSET, NOOP, QUIT, and superfluous arguments.

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{answers_it, is_outside, seen};

/// RFC 5321 §4.1.1.5: RSET gets 250.
pub(super) fn rset(observation: &Observation<'_>, findings: &mut Findings) {
    if is_bare(observation) && fails(observation) {
        findings.add(RuleId::RSET_ANSWERED_250, seen(observation));
    }
}

/// RFC 5321 §4.1.1.9: NOOP gets 250, whatever its argument.
pub(super) fn noop(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    if command.is_plain() && command.octets().len() <= 512 && fails(observation) {
        let argument = !is_bare(observation);
        findings.add_if(argument, RuleId::NOOP_ANSWERED_250, "argument-refused", seen(observation));
    }
}

/// Returns whether the reply is not 250 and has no excuse. Another rule judges 503 before EHLO.
fn fails(observation: &Observation<'_>) -> bool {
    let before_hello = observation.session.hello.is_none() && observation.is(&[503]);
    observation.digit() != Some(4) && is_outside(observation, &[&[250]]) && !before_hello
}

/// RFC 5321 §4.1.1.10: QUIT gets 221 in any state, even from a server that accepts no mail.
pub(super) fn quit(observation: &Observation<'_>, findings: &mut Findings) {
    let about = observation.is_about_command() && answers_it(observation) && !observation.session.shut_down;
    if about && is_bare(observation) && observation.digit() != Some(4) && is_outside(observation, &[&[221]]) {
        findings.add(RuleId::QUIT_ANSWERED_221, seen(observation));
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
