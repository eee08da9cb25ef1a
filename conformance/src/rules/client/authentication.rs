//! AUTH (RFC 4954).

use std::ops::Range;

use super::{Connection, Opinion};
use crate::dialogue::Act;
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// The most attempts to log in that are refused on one connection. A client may try each of its mechanisms, and some twice.
const ATTEMPTS: usize = 10;

/// The most challenges that the client answers. No mechanism in use has more than a few.
const RESPONSES: usize = 50;

pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_auth = |index: &usize| connection.steps[*index].verb() == Some(Verb::Auth);
    let attempts: Vec<usize> = (0..connection.steps.len()).filter(is_auth).collect();
    let has_result = |index: &usize, results: Range<u16>| {
        result(&connection.steps[*index..]).is_some_and(|number| results.contains(&number))
    };
    let refused: Vec<usize> = attempts.iter().copied().filter(|index| has_result(index, 500..600)).collect();
    if let Some(index) = refused.get(ATTEMPTS) {
        let detail = format!("AUTH was refused {} times on one connection", refused.len());
        opinion.violate(RuleId::CLIENT_AUTH_ENDS, connection.location(*index), detail);
    } else if attempts.iter().any(|index| !has_result(index, 200..300)) {
        opinion.keep(RuleId::CLIENT_AUTH_ENDS);
    }
    challenges(connection, opinion);
}

/// Returns the reply that ends an exchange of AUTH, which begins with the first step.
fn result(steps: &[Step<'_>]) -> Option<u16> {
    let (auth, after) = steps.split_first()?;
    let is_response = |step: &&Step<'_>| matches!(step.exchange.act, Act::Response(_));
    let last = after.iter().take_while(is_response).last().unwrap_or(auth);
    last.number()
}

fn challenges(connection: &Connection<'_>, opinion: &mut Opinion) {
    let is_response = |step: &&Step<'_>| matches!(step.exchange.act, Act::Response(_));
    let responses = connection.steps.iter().filter(is_response).count();
    if responses > RESPONSES {
        let location = connection.location(connection.steps.len() - 1);
        let detail = format!("{responses} challenges were answered");
        opinion.violate_under(Some("challenges"), RuleId::CLIENT_AUTH_ENDS, location, detail);
    }
}
