//! AUTH (RFC 4954).

use super::{Connection, Opinion};
use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// The most attempts to log in on one connection. A client may try each of its mechanisms, and some twice.
const ATTEMPTS: usize = 10;

/// The most challenges that the client answers. No mechanism in use has more than a few.
const RESPONSES: usize = 50;

pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_auth = |(_, step): &(usize, &Step<'_>)| step.verb() == Some(Verb::Auth);
    let attempts: Vec<usize> =
        connection.steps.iter().enumerate().filter(is_auth).map(|(index, _)| index).collect();
    let is_refused = connection.steps.last().is_some_and(|last| !last.session.authenticated);
    match attempts.get(ATTEMPTS) {
        Some(index) => {
            let detail = format!("AUTH was sent {} times on one connection", attempts.len());
            opinion.violate(RuleId::CLIENT_AUTH_ENDS, connection.location(*index), detail);
        }
        None if !attempts.is_empty() && is_refused => opinion.keep(RuleId::CLIENT_AUTH_ENDS),
        None => {}
    }
    let is_response = |step: &&Step<'_>| matches!(step.exchange.act, Act::Response(_));
    let responses = connection.steps.iter().filter(is_response).count();
    if responses > RESPONSES {
        let location = connection.location(connection.steps.len() - 1);
        let detail = format!("{responses} challenges were answered");
        opinion.violate_under(Some("challenges"), RuleId::CLIENT_AUTH_ENDS, location, detail);
    }
}
