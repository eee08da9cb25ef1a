//! Rules about what ends a transaction.

use crate::dialogue::session::Step;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings};

/// RFC 5321 §4.1.4: an accepted EHLO ends a transaction, and a refused one changes nothing. The reply to the next
/// command shows whether the server follows this.
pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let steps: Vec<(usize, &Step<'_>)> =
        connection.sure().filter(|(_, step)| step.verb() != Some(Verb::Noop)).collect();
    for pair in steps.windows(2) {
        if let [(_, hello), (position, next)] = pair
            && hello.verb().is_some_and(Verb::is_hello)
            && let Some(detail) = next_shows(hello, next)
        {
            findings.at(connection.location(*position, Some(0))).add(RuleId::HELLO_RESETS_STATE, detail);
        }
    }
}

/// Returns what the reply to a command shows to be wrong with the state after a hello.
fn next_shows(hello: &Step<'_>, next: &Step<'_>) -> Option<String> {
    let transaction = hello.session.transaction.as_ref();
    let transaction = transaction.filter(|transaction| !transaction.data && !transaction.is_in_doubt())?;
    let needs_transaction = match next.verb()? {
        Verb::Rcpt => true,
        // Without a recipient, 503 is right even in a transaction.
        Verb::Data => !transaction.recipients.is_empty(),
        _ => false,
    };
    let other = next.replies.first()?.says(&["auth", "login", "too many"]);
    match (hello.number()?, next.number()?) {
        (refused @ 500..600, 503) if needs_transaction && !other => {
            Some(format!("503 after a hello that was refused with {refused}"))
        }
        (250, accepted @ (250 | 251)) if next.verb() == Some(Verb::Rcpt) => {
            Some(format!("{accepted} to RCPT, although the hello before it ended the transaction"))
        }
        _ => None,
    }
}
