//! Rules about MAIL.

use crate::dialogue::session::Transaction;
use crate::protocol::command::Command;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, demand, is_followed, is_outside, is_policy, parameter, path, seen};

/// RFC 5321 §4.3.2; RFC 3207 §4 and RFC 4954 §6 add 530.
const MAIL: [u16; 13] = [250, 421, 451, 452, 455, 500, 501, 503, 530, 550, 552, 553, 555];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    codes(observation, findings);
    if is_followed(observation) {
        sequence(observation, findings);
        if is_ready(observation) && !demand::asks_first(observation) {
            syntax(observation, findings);
            null_sender(observation, findings);
            parameter::judge(observation, findings);
            path::judge(observation, findings);
        }
    }
}

/// Returns whether the session is in the right state for MAIL.
pub(super) fn is_ready(observation: &Observation<'_>) -> bool {
    observation.session.hello.is_some() && observation.session.transaction.is_none()
}

/// RFC 5321 §4.3.2, with what extensions and RFC 6409 §4.1 add.
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let asks = |keyword| {
        let envelope = observation.command.and_then(|command| command.envelope());
        envelope.is_some_and(|envelope| envelope.parameter(keyword).is_some())
    };
    match observation.number() {
        // RFC 4141 §4.2; RFC 6710 §4.1.
        Some(504) if asks("CONPERM") => {}
        Some(450) if asks("MT-PRIORITY") => {}
        Some(554) if observation.is_submission() => {}
        Some(450 | 554) => findings.add_under(RuleId::MAIL_CODES, "base-list-lacks", seen(observation)),
        _ if is_outside(observation, &[&MAIL]) => {
            findings.add(RuleId::MAIL_CODES, seen(observation));
        }
        _ => {}
    }
}

/// RFC 5321 §4.1.4: MAIL comes after a hello and outside a transaction. Otherwise it gets 503.
fn sequence(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    match &session.transaction {
        Some(transaction) => nested(observation, transaction, findings),
        // Another rule judges what the server must forget after STARTTLS.
        None if session.hello.is_none() && session.offered_before_tls.is_none() => {
            before_hello(observation, findings);
        }
        None => {}
    }
}

fn before_hello(observation: &Observation<'_>, findings: &mut Findings) {
    let detail = format!("{} before EHLO or HELO", seen(observation));
    if observation.is_accepted() {
        findings.add_under(RuleId::BAD_SEQUENCE_503, "mail-before-hello", detail);
    } else if is_clean(observation)
        && observation.is(&[500, 501, 502])
        && !demand::asks_for_security(observation)
    {
        findings.add(RuleId::BAD_SEQUENCE_503, detail);
    }
}

fn nested(observation: &Observation<'_>, transaction: &Transaction, findings: &mut Findings) {
    if transaction.is_in_doubt() {
        return;
    }
    let detail = format!("{} in a transaction", seen(observation));
    // A sender that was accepted a moment before is not a reason for a refusal.
    let line = observation.command.map(|command| command.octets());
    let again = line.is_some_and(|line| line.eq_ignore_ascii_case(&transaction.mail));
    let refused = observation.is(&[500, 501, 502]) || again && observation.is(&[554]);
    if observation.is_accepted() {
        findings.add_under(RuleId::BAD_SEQUENCE_503, "nested-mail", detail);
    } else if refused && is_clean(observation) && !demand::asks_first(observation) {
        findings.add(RuleId::BAD_SEQUENCE_503, detail);
    }
}

fn is_clean(observation: &Observation<'_>) -> bool {
    observation.command.is_some_and(|command| address::is_clean(&command))
}

/// RFC 5321 §4.1.4: an argument that cannot begin a transaction gets 501. 550 and 553 refuse a mailbox (§3.3), and 555
/// refuses the parameters.
fn syntax(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    let malformed = command.envelope().is_none_or(|envelope| !envelope.is_well_formed());
    let detail = format!("{} with a malformed argument", seen(observation));
    if observation.is_accepted() && address::is_broken(&command) {
        findings.add_under(RuleId::MAIL_SYNTAX_501, "accepted", detail);
    } else if observation.is_accepted() && address::lacks_brackets(&command) {
        findings.add_under(
            RuleId::MAIL_SYNTAX_501,
            "without-brackets",
            format!("{} without brackets", seen(observation)),
        );
    } else if address::is_broken(&command) && refuses_mailbox(observation) {
        findings.add_under(RuleId::MAIL_SYNTAX_501, "mailbox-refused", detail);
    } else if malformed && address::is_misread(observation, &command) {
        findings.add(RuleId::MAIL_SYNTAX_501, detail);
    }
}

/// Returns whether a refusal is about the mailbox. Another rule judges submission servers.
fn refuses_mailbox(observation: &Observation<'_>) -> bool {
    observation.is(&[550]) && !is_policy(observation) && !observation.is_submission()
}

/// RFC 5321 §4.1.1.2, RFC 1123 §5.2.9: `<>` is a sender that every server must take. Notifications have no other.
fn null_sender(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let null = command.envelope().is_some_and(|envelope| envelope.path() == Some(b""));
    // Another rule judges submission servers, which may refuse it (RFC 6409 §3.2).
    if !null || observation.is_submission() || !address::is_clean(&command) || is_policy(observation) {
        return;
    }
    let detail = || format!("{} from the null sender", seen(observation));
    if observation.is(&[500, 501, 502, 504, 553, 555]) {
        findings.add(RuleId::NULL_SENDER_ACCEPTED, detail());
    } else if observation.is(&[550, 551, 552, 554]) && !observation.has_detail(&[(3, 4)]) {
        findings.add_under(RuleId::NULL_SENDER_ACCEPTED, "other-reason", detail());
    }
}
