//! Servers that take only some of the recipients.

use super::accepted::completes_message;
use super::{Connection, Opinion, Reported, Sending};
use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

/// RFC 5321 §4.5.3.1.10: after 452 to RCPT, those who were accepted before get the message.
pub(super) fn judge(connections: &[Connection<'_>], sending: &Sending<'_>, opinion: &mut Opinion) {
    let steps = || connections.iter().flat_map(|connection| &connection.steps);
    if steps().any(serves_some) {
        if steps().any(is_one_too_many) {
            opinion.keep(RuleId::CLIENT_452_RECIPIENTS_RESENT);
        }
        return;
    }
    let was_stopped = matches!(sending.reported, Reported::Hung | Reported::Looped);
    for connection in connections {
        let limited = connection.steps.iter().position(is_one_too_many);
        if let Some(limited) = limited
            && ends_here(connection)
            && !was_stopped
        {
            let accepted = connection.steps[limited].session.recipients();
            let detail = format!("no DATA for the recipients accepted before 452: {accepted}");
            opinion.violate(RuleId::CLIENT_452_RECIPIENTS_RESENT, connection.location(limited), detail);
        }
    }
}

/// Returns whether the client has ended the session.
fn ends_here(connection: &Connection<'_>) -> bool {
    let has_quit = connection.steps.last().is_some_and(|last| last.verb() == Some(Verb::Quit));
    has_quit || connection.ended_by_client()
}

/// Returns whether a recipient is refused with 452 after others were accepted.
fn is_one_too_many(step: &Step<'_>) -> bool {
    step.verb() == Some(Verb::Rcpt) && step.number() == Some(452) && step.session.recipients() > 0
}

/// Returns whether the message is sent, or begun, for recipients who were accepted.
fn serves_some(step: &Step<'_>) -> bool {
    let begins = matches!(step.verb(), Some(Verb::Data | Verb::Bdat));
    (begins || completes_message(step)) && step.session.recipients() > 0
}
