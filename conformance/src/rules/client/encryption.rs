//! STARTTLS (RFC 3207).

use super::{Connection, Opinion, Sending};
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    if sending.demands_tls {
        clear_text(connection, opinion);
        password(connection, opinion);
    }
    injected(connection, opinion);
    capabilities(connection, opinion);
}

/// A client that was told to send nothing without TLS sends no mail in clear, whatever the server offers (RFC 3207 §6).
fn clear_text(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_clear = |step: &Step<'_>| !step.session.tls && step.verb() == Some(Verb::Mail);
    match connection.steps.iter().position(is_clear) {
        Some(mail) => {
            let detail = "MAIL in clear, though the client was told to use TLS";
            opinion.violate(RuleId::CLIENT_TLS_REQUIRED, connection.location(mail), detail);
        }
        None if connection.steps.iter().any(|step| step.command.is_some()) => {
            opinion.keep(RuleId::CLIENT_TLS_REQUIRED);
        }
        None => {}
    }
}

/// RFC 4954 §4: a password that the mechanism does not protect is not sent without TLS.
fn password(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_bare = |step: &Step<'_>| {
        let mechanism = step.command.filter(|command| command.verb() == Verb::Auth);
        let mechanism = mechanism.and_then(|command| command.words().next()).unwrap_or_default();
        !step.session.tls && [&b"PLAIN"[..], b"LOGIN"].iter().any(|one| mechanism.eq_ignore_ascii_case(one))
    };
    match connection.steps.iter().position(is_bare) {
        Some(auth) => {
            let detail = "AUTH with the password in clear";
            opinion.violate(RuleId::CLIENT_NO_PASSWORD_IN_CLEAR, connection.location(auth), detail);
        }
        None if connection.steps.iter().any(|step| step.verb().is_some_and(Verb::is_hello)) => {
            opinion.keep(RuleId::CLIENT_NO_PASSWORD_IN_CLEAR);
        }
        None => {}
    }
}

/// RFC 3207 §4.2: what came in clear after 220 to STARTTLS is discarded. A client that keeps it is ahead of the server's
/// replies under TLS. A client may also give up.
fn injected(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_injected = |step: &Step<'_>| {
        step.verb() == Some(Verb::Starttls) && step.number() == Some(220) && step.replies.len() > 1
    };
    let Some(starttls) = connection.steps.iter().position(is_injected) else { return };
    let after = || connection.steps.iter().enumerate().skip(starttls + 1);
    let is_ahead =
        |step: &Step<'_>| step.session.tls && step.exchange.pipelined && !step.exchange.may_be_followed();
    match after().find(|(_, step)| is_ahead(step)) {
        Some((index, _)) => {
            let detail = "under TLS, the client went on before the server replied: it took what came in clear for the reply";
            opinion.violate(RuleId::CLIENT_DISCARDS_CLEAR_TEXT, connection.location(index), detail);
        }
        None if after().all(|(_, step)| !step.session.tls || step.number().is_some()) => {
            opinion.keep(RuleId::CLIENT_DISCARDS_CLEAR_TEXT);
        }
        None => {}
    }
}

/// RFC 3207 §4.2: what the server offered before TLS does not count under TLS, so the client asks again.
fn capabilities(connection: &Connection<'_>, opinion: &mut Opinion) {
    let mut under_tls = connection.steps.iter().enumerate().filter(|(_, step)| step.session.tls);
    let Some((index, first)) = under_tls.find(|(_, step)| step.command.is_some()) else { return };
    match first.verb() {
        Some(Verb::Ehlo | Verb::Lhlo | Verb::Helo | Verb::Quit) => {
            opinion.keep(RuleId::CLIENT_ASKS_CAPABILITIES_AGAIN);
        }
        _ => {
            let command = first.command.map(|command| command.to_string()).unwrap_or_default();
            let detail = format!("{command} is the first command under TLS");
            opinion.violate(RuleId::CLIENT_ASKS_CAPABILITIES_AGAIN, connection.location(index), detail);
        }
    }
}
