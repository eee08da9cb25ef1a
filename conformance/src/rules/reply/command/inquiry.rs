//! Rules about VRFY, EXPN and HELP.

use crate::protocol::command::{Command, Verb, is_mailbox, is_path};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, demand, is_outside, is_policy, seen};

/// RFC 5321 §4.3.2, §3.5. Any command may get 421, 500, 501 or 530.
const VRFY: [u16; 11] = [250, 251, 252, 500, 501, 502, 504, 530, 550, 551, 553];
const EXPN: [u16; 11] = [250, 251, 252, 500, 501, 502, 504, 530, 550, 551, 553];
const HELP: [u16; 7] = [211, 214, 500, 501, 502, 504, 530];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    codes(observation, findings);
    supported(observation, findings);
    if observation.verb() != Some(Verb::Help) {
        truthful(observation, findings);
        names_mailbox(observation, findings);
    }
}

/// RFC 5321 §4.3.2, §3.5.1, §4.1.1.8. Another rule judges 503 before EHLO.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let before_hello = observation.session.hello.is_none() && observation.is(&[503]);
    if observation.digit() == Some(4) || before_hello {
        return;
    }
    let (rule, list): (RuleId, &[u16]) = match observation.verb() {
        Some(Verb::Vrfy) => (RuleId::VRFY_EXPN_CODES, &VRFY),
        Some(Verb::Expn) => (RuleId::VRFY_EXPN_CODES, &EXPN),
        _ => (RuleId::HELP_CODES, &HELP),
    };
    // The server may not know the parameter SMTPUTF8 (RFC 5321 §4.1.1.11).
    let parameter = observation.command.is_some_and(|command| command.words().nth(1).is_some());
    if is_outside(observation, &[list]) && !(parameter && observation.is(&[555])) {
        findings.add(rule, seen(observation));
    }
}

/// RFC 5321 §3.5.1, §4.1.1.8: a server supports HELP without arguments, and EXPN. Other rules judge VRFY, which it must
/// support, and what EHLO lists.
fn supported(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    if !observation.is(&[500, 502]) || demand::asks_first(observation) {
        return;
    }
    let rule = RuleId::HELP_AND_EXPN_SUPPORTED;
    match command.verb() {
        Verb::Help if command.argument().is_empty() => findings.add(rule, seen(observation)),
        Verb::Expn if command.words().count() == 1 => findings.add_under(rule, "expn", seen(observation)),
        _ => {}
    }
}

/// RFC 5321 §3.5.3, §7.3: 250 means that the address was verified. A server that does not verify sends 252.
fn truthful(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let word = command.words().next().unwrap_or_default();
    let word = word.strip_prefix(b"<").and_then(|word| word.strip_suffix(b">")).unwrap_or(word);
    let is_unknown = address::is_mailbox(word, observation.knowledge.unknown.as_ref());
    if is_unknown && observation.is(&[250]) {
        let detail = format!("{} for a mailbox that does not exist", seen(observation));
        findings.add(RuleId::VRFY_TRUTHFUL, detail);
    }
    let is_valid = address::is_mailbox(word, observation.knowledge.valid.as_ref());
    let denied = is_policy(observation) || demand::asks_first(observation);
    if command.verb() == Verb::Vrfy && is_valid && observation.is(&[550, 551, 553]) && !denied {
        let detail = format!("{} for a mailbox that exists", seen(observation));
        findings.add_under(RuleId::VRFY_TRUTHFUL, "said-to-exist", detail);
    }
    let well_formed = command.is_plain() && (is_mailbox(word) || word.iter().all(u8::is_ascii_alphanumeric));
    let asks = command.verb() == Verb::Vrfy && !word.is_empty() && command.words().count() == 1;
    if asks && well_formed && observation.is(&[500, 502]) && !demand::asks_first(observation) {
        findings.add_under(RuleId::VRFY_TRUTHFUL, "not-implemented", seen(observation));
    }
}

/// RFC 5321 §3.5.1, §3.5.2: each line names a mailbox that was verified, in one of two forms, and never a source route. The
/// text of 252 is free.
fn names_mailbox(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::VRFY_NAMES_MAILBOX;
    let verified = observation.is_accepted() && !observation.is(&[252]) || observation.is(&[551]);
    if !verified {
        return;
    }
    let seen = seen(observation);
    for (number, line) in (1..).zip(observation.reply.lines()) {
        let text = line.text_after_code().trim_ascii();
        if has_route(text) {
            return findings.add(rule, format!("{seen}: a source route in line {number}"));
        }
        // The texts of 251 and 551 have their own form (§4.2.3), and may continue on the next line.
        if observation.is(&[250]) && !is_normal(text) {
            let what = if text.contains(&b'@') { "more than a mailbox" } else { "no mailbox" };
            return findings.add_under(rule, "free-form", format!("{seen}: {what} in line {number}"));
        }
        // §3.5.1 allows this form, and §3.5.2 recommends the other one.
        if observation.is(&[250]) && is_mailbox(text) {
            return findings.add_under(rule, "without-brackets", format!("{seen}: line {number}"));
        }
    }
    if !observation.reply.octets().contains(&b'@') {
        findings.add_under(rule, "free-form", format!("{seen}: no mailbox"));
    }
}

/// Returns whether a text has a source route and a mailbox in angle brackets.
fn has_route(text: &[u8]) -> bool {
    let start = text.windows(2).position(|pair| pair == b"<@");
    let path = start.and_then(|start| text.get(start + 1..)).unwrap_or_default();
    let path = path.split(|octet| *octet == b'>').next().unwrap_or_default();
    is_path(path) && !is_mailbox(path)
}

/// Returns whether a text is `User Name <local-part@domain>` or `local-part@domain`.
fn is_normal(text: &[u8]) -> bool {
    let bracketed = text.strip_suffix(b">").and_then(|rest| {
        let start = rest.iter().rposition(|octet| *octet == b'<')?;
        rest.get(start + 1..)
    });
    let mailbox = bracketed.unwrap_or(text);
    // Under SMTPUTF8 a mailbox may have octets above 127.
    is_mailbox(mailbox) || !mailbox.is_ascii()
}
