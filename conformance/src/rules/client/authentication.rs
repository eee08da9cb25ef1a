//! AUTH (RFC 4954).

use super::{Connection, Opinion};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// The most attempts to log in on one connection. A client may try each of its mechanisms, and some twice.
const ATTEMPTS: usize = 10;

pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_auth = |(_, step): &(usize, &crate::dialogue::session::Step<'_>)| step.verb() == Some(Verb::Auth);
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
}
