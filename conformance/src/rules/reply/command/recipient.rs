//! Rules about RCPT.

use crate::protocol::Protocol;
use crate::protocol::command::Command;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, demand, is_followed, is_outside, is_policy, limit, parameter, path, seen};

/// RFC 5321 §4.3.2, RFC 7504 §5.1; RFC 3207 §4 and RFC 4954 §6 add 530.
const RCPT: [u16; 16] = [250, 251, 421, 450, 451, 452, 455, 500, 501, 503, 530, 550, 551, 552, 553, 555];
/// RFC 7504 §4, and 454, with which servers defer what they do not relay.
const RCPT_MORE: [u16; 2] = [556, 454];
/// Refusals about something other than the path: the sequence, the login, a limit, or the parameters.
const ELSEWHERE: [u16; 4] = [503, 530, 552, 555];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    codes(observation, findings);
    if !is_followed(observation) {
        return;
    }
    needs_mail(observation, findings);
    if is_ready(observation) && !demand::asks_first(observation) {
        syntax(observation, findings);
        parameter::judge(observation, findings);
        path::judge(observation, findings);
        limit::recipients(observation, findings);
        paths(observation, findings);
    }
}

/// Returns whether the session is in the right state for RCPT.
pub(super) fn is_ready(observation: &Observation<'_>) -> bool {
    observation.session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_none())
}

/// RFC 5321 §4.3.2, with what extensions and RFC 6409 §4.1 add.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let envelope = observation.command.and_then(|command| command.envelope());
    match observation.number() {
        // RFC 4141 §5.2.
        Some(504) if envelope.is_some_and(|envelope| envelope.parameter("CONNEG").is_some()) => {}
        Some(554) if observation.is_submission() => {}
        Some(554) => findings.add_under(RuleId::RCPT_CODES, "base-list-lacks", seen(observation)),
        _ if is_outside(observation, &[&RCPT, &RCPT_MORE]) => {
            findings.add(RuleId::RCPT_CODES, seen(observation));
        }
        _ => {}
    }
}

/// RFC 5321 §3.3: RCPT without MAIL gets 503. It does not say what RCPT gets after a MAIL that was refused.
fn needs_mail(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::RCPT_NEEDS_MAIL;
    let session = observation.session;
    let asks = observation.is_turned_down() && demand::asks_for_security(observation);
    if session.transaction.is_some() || asks {
        return;
    }
    if session.mail_refused {
        if observation.is_accepted() {
            let detail = format!("{} after a refused MAIL", seen(observation));
            findings.add_under(rule, "mail-refused", detail);
        }
        return;
    }
    let clean = observation.command.is_some_and(|command| address::is_clean(&command));
    let detail = format!("{} without MAIL", seen(observation));
    if observation.is_accepted() || clean && observation.is_refused() && !observation.is(&[503]) {
        let policy = observation.is_refused() && is_policy(observation) && !observation.says(&["relay"]);
        findings.add_if(policy, rule, "policy", detail);
    } else if clean && observation.digit() == Some(4) {
        findings.add_under(rule, "temporary", detail);
    }
}

/// RFC 5321 §4.3.2: a malformed argument gets 501. Servers tolerate an address without brackets.
fn syntax(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::RCPT_SYNTAX_501;
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    let envelope = command.envelope();
    let null = envelope.is_some_and(|envelope| envelope.path() == Some(b""));
    let malformed = envelope.is_none_or(|envelope| !envelope.is_well_formed());
    let detail = format!("{} with a malformed argument", seen(observation));
    if observation.is_accepted() && (null || address::is_broken(&command)) {
        findings.add(rule, detail);
    } else if observation.is_accepted() && address::lacks_brackets(&command) {
        findings.add_under(rule, "without-brackets", format!("{} without brackets", seen(observation)));
    } else if malformed && address::is_misread(observation, &command) {
        findings.add(rule, detail);
    }
}

/// Judges a path that the target's file says something about.
fn paths(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(address::is_clean) else { return };
    let Some(path) = command.envelope().and_then(|envelope| envelope.path()) else { return };
    let knowledge = observation.knowledge;
    if address::is_mailbox(path, knowledge.unknown.as_ref()) {
        unknown(observation, findings);
    }
    if address::is_mailbox(path, knowledge.forwarded.as_ref()) {
        forwarded(observation, findings);
    }
    if address::is_mailbox(path, knowledge.foreign.as_ref()) && !observation.session.authenticated {
        foreign(observation, findings);
    }
    if is_postmaster(observation, path) {
        postmaster(observation, findings);
    }
}

/// Returns whether the server refuses the path for good, and not by a policy that may have another reason.
fn refuses_path(observation: &Observation<'_>) -> bool {
    observation.is_refused() && !is_policy(observation) && !observation.is(&ELSEWHERE)
}

/// RFC 5321 §3.3: a mailbox that does not exist gets 550. 551 and 553 also refuse a path. RFC 6409 §4.1 adds 554. A server
/// that looks up recipients later, or a site that wants all mail, accepts it.
fn unknown(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_accepted() {
        let others = match observation.session.recipients() {
            0 => "",
            _ => " after another recipient",
        };
        let detail = format!("{} for a mailbox that does not exist{others}", seen(observation));
        findings.add(RuleId::UNKNOWN_RECIPIENT_REFUSED, detail);
    }
    let submission = observation.is_submission() && observation.is(&[554]);
    if refuses_path(observation) && !submission && !observation.is(&[550, 551, 553]) {
        findings.add(
            RuleId::UNKNOWN_RECIPIENT_550,
            format!("{} for a mailbox that does not exist", seen(observation)),
        );
    }
}

/// RFC 5321 §3.4: 250 and 251 forward the message, 551 names the new address, and 550 does not.
fn forwarded(observation: &Observation<'_>, findings: &mut Findings) {
    let refused = refuses_path(observation) && !observation.is(&[550, 551]);
    if refused || observation.is_accepted() && !observation.is(&[250, 251]) {
        findings.add(RuleId::FORWARDING_CODES, format!("{} for a forwarded mailbox", seen(observation)));
    }
}

/// RFC 5321 §3.6.2, §7.9: a recipient that the server does not relay to gets 550. RFC 6409 §4.1 adds 554.
fn foreign(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_accepted() && observation.session.protocol == Protocol::Smtp {
        let detail = format!("{} for a recipient elsewhere, without a login", seen(observation));
        findings.add(RuleId::FOREIGN_RECIPIENT_REFUSED, detail);
    }
    let other = observation.is_refused() && !observation.is(&ELSEWHERE) && !observation.is(&[550, 551, 556]);
    let submission = observation.is_submission() && observation.is(&[554]);
    if (other || observation.is(&[454])) && !submission {
        findings.add(RuleId::RELAY_REFUSAL_550, seen(observation));
    }
}

/// Returns whether a path is the postmaster, without a domain or in a domain that the server is known to serve.
fn is_postmaster(observation: &Observation<'_>, path: &[u8]) -> bool {
    let knowledge = observation.knowledge;
    let (local, domain) = path.split_at(path.len().min(b"postmaster".len()));
    let served = [&knowledge.valid, &knowledge.unknown].into_iter().flatten();
    let mut served = served.map(|mailbox| address::domain(mailbox.as_bytes()));
    local.eq_ignore_ascii_case(b"postmaster")
        && match domain.strip_prefix(b"@") {
            Some(domain) => served.any(|served| served.eq_ignore_ascii_case(domain)),
            None => domain.is_empty(),
        }
}

/// RFC 5321 §4.5.1: mail for the postmaster is accepted. A submission server may demand a login first, and LMTP has no
/// such rule. A refusal by policy, one about the sender, and a 554 that is not about the path may be about the client.
fn postmaster(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let logged_in = !observation.is_submission() || session.authenticated;
    let about_sender = observation.has_detail(&[(1, 7), (1, 8)]);
    let about_path = observation.enhanced().is_some_and(|code| matches!(code.subject(), 1 | 2));
    let client = observation.is(&[554]) && !about_path;
    if !observation.is_lmtp() && logged_in && refuses_path(observation) && !about_sender && !client {
        findings.add(RuleId::POSTMASTER_ACCEPTED, seen(observation));
    }
}
