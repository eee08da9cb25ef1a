//! The greeting, EHLO and HELO, and the end of a session.

use super::{Connection, Envelope, Opinion, Sending};
use crate::dialogue::End;
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    refused_greeting(connection, opinion);
    refused_hello(connection, sending, opinion);
    quit(connection, sending, opinion);
}

/// RFC 5321 §3.1: a greeting with 554 refuses the session. A client may still introduce itself, but not send mail.
fn refused_greeting(connection: &Connection<'_>, opinion: &mut Opinion) {
    let Some(first) = connection.steps.first() else { return };
    let Some(number) = first.number().filter(|number| (400..600).contains(number)) else { return };
    match position(connection, Verb::Mail, 0) {
        Some(mail) => {
            let detail = format!("MAIL after {number} as the greeting");
            opinion.violate(RuleId::CLIENT_HEEDS_REFUSED_GREETING, connection.location(mail), detail);
        }
        None => opinion.keep(RuleId::CLIENT_HEEDS_REFUSED_GREETING),
    }
}

/// RFC 5321 §3.2, §4.1.4: a server that does not know EHLO gets HELO. After any other refusal there is no mail.
fn refused_hello(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    let is_refused = |step: &Step<'_>| {
        step.verb() == Some(Verb::Ehlo) && step.number().is_some_and(|number| (400..600).contains(&number))
    };
    let Some(refused) = connection.steps.iter().position(is_refused) else { return };
    let step = &connection.steps[refused];
    let number = step.number().unwrap_or_default();
    let is_unknown = matches!(number, 500 | 502);
    let may_go_on = step.exchange.end == End::Answered && !step.session.shut_down;
    if is_unknown && may_go_on && !needs_extension(sending) {
        // It may be on another connection.
        if sending.has_sent(Verb::Helo) {
            opinion.keep(RuleId::CLIENT_HELLO_FALLBACK);
        } else {
            let detail = format!("no HELO after {number} to EHLO");
            opinion.violate(RuleId::CLIENT_HELLO_FALLBACK, connection.location(refused), detail);
        }
    }
    let is_mail = |step: &Step<'_>| step.verb() == Some(Verb::Mail) && step.session.hello.is_none();
    match connection.steps.iter().position(is_mail).filter(|mail| *mail > refused) {
        Some(mail) => {
            let detail = format!("MAIL after {number} to EHLO, without an accepted EHLO or HELO");
            opinion.violate(RuleId::CLIENT_HEEDS_REFUSED_HELLO, connection.location(mail), detail);
        }
        None => opinion.keep(RuleId::CLIENT_HEEDS_REFUSED_HELLO),
    }
}

/// Returns whether the message cannot be sent after HELO.
fn needs_extension(sending: &Sending<'_>) -> bool {
    let Envelope { sender, recipients, .. } = sending.envelope;
    let is_ascii = sender.is_ascii() && recipients.iter().all(|recipient| recipient.is_ascii());
    sending.needs_extension || !is_ascii || !sending.message.is_ascii()
}

/// RFC 5321 §4.1.1.10: a client does not close a connection before it has sent QUIT.
///
/// This is judged only if the attempt tests it, because a client that gives up on a server that misbehaves may hang up.
/// After a handshake there is nothing to answer yet, and the client may have refused the certificate.
fn quit(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    if !sending.expected.rules.contains(&RuleId::CLIENT_QUITS) {
        return;
    }
    if position(connection, Verb::Quit, 0).is_some() {
        return opinion.keep(RuleId::CLIENT_QUITS);
    }
    if !connection.ended_by_client() {
        return;
    }
    let is_accepted = |step: &Step<'_>| {
        step.verb().is_some_and(Verb::is_hello) && step.number().is_some_and(|number| number < 300)
    };
    let condition = (!connection.steps.iter().any(is_accepted)).then_some("no-session");
    let location = connection.location(connection.steps.len() - 1);
    let detail = "the client closed the connection without QUIT";
    opinion.violate_under(condition, RuleId::CLIENT_QUITS, location, detail);
}

/// Returns the first step with a command at or after a step.
fn position(connection: &Connection<'_>, verb: Verb, from: usize) -> Option<usize> {
    let mut steps = connection.steps.iter().enumerate().skip(from);
    steps.find_map(|(index, step)| (step.verb() == Some(verb)).then_some(index))
}
