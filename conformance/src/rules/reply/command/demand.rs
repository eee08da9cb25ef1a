//! Refusals that ask for something else first: a login, TLS or EHLO. They say nothing about the command's syntax, its
//! parameters or its place.

use crate::rules::observation::Observation;

/// Returns whether a refusal asks for a login, TLS or EHLO first.
pub(super) fn asks_first(observation: &Observation<'_>) -> bool {
    observation.is_turned_down() && (asks_for_security(observation) || asks_for_hello(observation))
}

/// Returns whether a refusal asks for a login or for TLS.
pub(super) fn asks_for_security(observation: &Observation<'_>) -> bool {
    const LOGIN: [&str; 6] = ["authenticat", "log in", "login", "logged in", "auth first", "auth command"];
    const TLS: [&str; 4] = ["starttls", "tls required", "tls first", "encryption required"];
    // X.7.20 to X.7.29 are about the authentication of messages, not of clients.
    let of_message = observation.enhanced().is_some_and(|code| code.subject() == 7 && code.detail() >= 20);
    let session = observation.session;
    let login = observation.is(&[535, 538]) || observation.says(&LOGIN);
    let tls = observation.says(&TLS) && !observation.says(&["requiretls"]);
    !session.authenticated && login && !of_message || !session.tls && tls
}

/// Returns whether a refusal asks for EHLO or HELO.
pub(super) fn asks_for_hello(observation: &Observation<'_>) -> bool {
    observation.says(&["hello", "helo", "ehlo", "lhlo", "introduce yourself"]) && !is_mismatch(observation)
}

/// Returns whether a refusal is about the name in EHLO or HELO.
fn is_mismatch(observation: &Observation<'_>) -> bool {
    observation.says(&["match", "resolve", "reject", "name"])
}
