//! Rules about MAIL.

use crate::dialogue::session::Transaction;
use crate::protocol::command::Command;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, is_followed, is_outside, parameter, seen};

/// RFC 5321 §4.3.2; RFC 3207 §4 and RFC 4954 §6 add 530.
const MAIL: [u16; 13] = [250, 421, 451, 452, 455, 500, 501, 503, 530, 550, 552, 553, 555];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    codes(observation, findings);
    if is_followed(observation) {
        sequence(observation, findings);
        syntax(observation, findings);
        if is_ready(observation) {
            parameter::judge(observation, findings);
        }
    }
    parameter::non_ascii(observation, findings);
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
    } else if is_clean(observation) && observation.is(&[500, 501, 502]) {
        findings.add_under(RuleId::BAD_SEQUENCE_503, "other-refusal", detail);
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
        findings.add(RuleId::BAD_SEQUENCE_503, detail);
    } else if refused && is_clean(observation) {
        findings.add_under(RuleId::BAD_SEQUENCE_503, "other-refusal", detail);
    }
}

fn is_clean(observation: &Observation<'_>) -> bool {
    observation.command.is_some_and(|command| address::is_clean(&command))
}

/// RFC 5321 §4.1.4: an argument that cannot begin a transaction gets 501. 550 and 553 refuse a mailbox (§3.3), and 555
/// refuses the parameters.
fn syntax(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    if !is_ready(observation) {
        return;
    }
    let malformed = command.envelope().is_none_or(|envelope| !envelope.is_well_formed());
    if observation.is_accepted() && address::is_broken(&command) {
        findings.add(RuleId::MAIL_SYNTAX_501, format!("{} with a malformed argument", seen(observation)));
    } else if malformed && !parameter::follow(&command) && observation.is(&[500, 502, 504, 552]) {
        let detail = format!("{} with a malformed argument", seen(observation));
        findings.add_under(RuleId::MAIL_SYNTAX_501, "refused-otherwise", detail);
    }
}
