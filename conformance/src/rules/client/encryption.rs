//! STARTTLS (RFC 3207).

use super::{Connection, Opinion, Sending};
use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    if sending.demands_tls {
        clear_text(connection, opinion);
        password(connection, opinion);
        letter_case(connection, sending, opinion);
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
    let mut places = 0..connection.steps.len();
    match places.find(|index| sends_password(&connection.steps[*index..])) {
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

/// Returns whether the first step is AUTH in clear, and the password is in it or in a response. LOGIN sends the user's name
/// before it.
fn sends_password(steps: &[Step<'_>]) -> bool {
    let Some((auth, after)) = steps.split_first() else { return false };
    let Some(command) = auth.command.filter(|command| command.verb() == Verb::Auth) else { return false };
    let mut words = command.words();
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    let before = match mechanism.as_slice() {
        b"PLAIN" => 0,
        b"LOGIN" => 1,
        _ => return false,
    };
    let responses = after.iter().map_while(|step| match &step.exchange.act {
        Act::Response(octets) => Some(octets.trim_ascii()),
        _ => None,
    });
    let sent = words.next().into_iter().chain(responses);
    !auth.session.tls && sent.filter(|one| !matches!(*one, b"*" | b"=" | b"")).count() > before
}

/// RFC 5321 §2.4: a client that demands TLS uses STARTTLS if it is offered in lower case.
fn letter_case(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    let is_other_case = |keyword: &str| keyword.eq_ignore_ascii_case("STARTTLS") && keyword != "STARTTLS";
    let is_offer = |step: &Step<'_>| {
        let offered = step.session.offered.as_ref().filter(|_| !step.session.tls);
        offered.is_some_and(|offered| offered.keywords().any(is_other_case))
    };
    let Some(index) = connection.steps.iter().position(is_offer) else { return };
    if sending.has_sent(Verb::Starttls) {
        opinion.keep(RuleId::CLIENT_KEYWORDS_IN_ANY_CASE);
    } else if connection.ended_by_client() {
        let detail = "the client demands TLS, but did not use STARTTLS, which is not offered in upper case";
        opinion.violate(RuleId::CLIENT_KEYWORDS_IN_ANY_CASE, connection.location(index), detail);
    }
}

/// RFC 3207 §4.2: what came in clear after 220 to STARTTLS is discarded. A client that keeps it takes it for the reply to
/// EHLO under TLS, and goes on before the server replies. A client may also give up.
fn injected(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_injected = |step: &Step<'_>| {
        step.verb() == Some(Verb::Starttls) && step.number() == Some(220) && step.replies.len() > 1
    };
    let Some(starttls) = connection.steps.iter().position(is_injected) else { return };
    let under_tls =
        || connection.steps.iter().enumerate().skip(starttls + 1).filter(|(_, step)| step.session.tls);
    match under_tls().next() {
        Some((index, first)) if first.exchange.pipelined && !first.exchange.may_be_followed() => {
            let detail = "under TLS, the client went on before the server replied: it took what came in clear for the reply";
            opinion.violate(RuleId::CLIENT_DISCARDS_CLEAR_TEXT, connection.location(index), detail);
        }
        _ if under_tls().all(|(_, step)| step.number().is_some()) => {
            opinion.keep(RuleId::CLIENT_DISCARDS_CLEAR_TEXT);
        }
        _ => {}
    }
}

/// RFC 3207 §4.2: what the server offered before TLS does not count under TLS, so the client asks again.
fn capabilities(connection: &Connection<'_>, opinion: &mut Opinion) {
    let has_begun = |step: &Step<'_>| step.session.tls && !step.session.implicit_tls;
    let mut under_tls = connection.steps.iter().enumerate().filter(|(_, step)| has_begun(step));
    let Some((index, first)) = under_tls.find(|(_, step)| step.command.is_some()) else { return };
    if first.verb().is_some_and(|verb| verb.is_hello() || verb == Verb::Quit) {
        return opinion.keep(RuleId::CLIENT_ASKS_CAPABILITIES_AGAIN);
    }
    let command = first.command.map(|command| command.to_string()).unwrap_or_default();
    let detail = format!("{command} is the first command under TLS");
    opinion.violate(RuleId::CLIENT_ASKS_CAPABILITIES_AGAIN, connection.location(index), detail);
}
