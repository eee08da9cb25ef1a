//! BDAT (RFC 3030).

use super::{Connection, Opinion};
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// RFC 3030 §2: after a chunk that failed, RSET comes before anything else of the message. Chunks that were sent before the
/// reply are exempt.
pub(super) fn judge(connection: &Connection<'_>, opinion: &mut Opinion) {
    let has_failed = |step: &&Step<'_>| {
        step.verb() == Some(Verb::Bdat) && step.number().is_some_and(|number| number >= 400)
    };
    for (index, step) in connection.steps.iter().enumerate() {
        if !has_failed(&step) || step.exchange.pipelined {
            continue;
        }
        let mut after = connection.steps.iter().skip(index + 1);
        match after.find(|step| step.verb().is_some()).and_then(Step::verb) {
            Some(Verb::Bdat | Verb::Data) => {
                let detail = "another chunk after one that failed";
                opinion.violate(
                    RuleId::CLIENT_STOPS_AFTER_FAILED_BDAT,
                    connection.location(index + 1),
                    detail,
                );
            }
            _ => opinion.keep(RuleId::CLIENT_STOPS_AFTER_FAILED_BDAT),
        }
    }
}
