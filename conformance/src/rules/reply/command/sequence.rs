//! Rules about 503, which says that a command is out of place.

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, control, demand, is_followed, is_policy, limit, recipient, seen, sender};

/// RFC 5321 §4.1.4: MAIL after EHLO, RCPT after MAIL, and DATA after a recipient are in order, so 503 is not true of them.
/// RSET changes nothing about EHLO (§4.1.1.5).
pub(super) fn in_order(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is(&[503]) || !is_followed(observation) || !is_in_order(observation) {
        return;
    }
    // The server may want a login, or refuse the client, the parameters or the number of recipients.
    let parameter =
        observation.has_detail(&[(5, 4)]) || observation.says(&["parameter", "option", "argument"]);
    let other = demand::asks_for_security(observation)
        || is_policy(observation)
        || parameter
        || limit::is_about_recipients(observation);
    if other {
        return;
    }
    let detail = format!("{} in its place", seen(observation));
    findings.add_if(!claims_disorder(observation), RuleId::NO_503_IN_ORDER, "unexplained", detail);
}

/// Returns whether a command comes where RFC 5321 §4.1.4 wants it, and can be read in one way only.
fn is_in_order(observation: &Observation<'_>) -> bool {
    let Some(command) = observation.command else { return false };
    let session = observation.session;
    let Some(transaction) = &session.transaction else {
        return command.verb() == Verb::Mail && sender::is_ready(observation) && address::is_clean(&command);
    };
    match command.verb() {
        Verb::Rcpt => {
            !transaction.is_in_doubt() && recipient::is_ready(observation) && address::is_clean(&command)
        }
        // RFC 3030 §3: BDAT, and BODY=BINARYMIME, exclude DATA. RFC 5321 §4.5.3.1.10: 503 to DATA may refuse a message
        // for more recipients than a site permits.
        Verb::Data => {
            let binary = transaction.command().envelope().and_then(|envelope| envelope.value("BODY"));
            let binary = binary.is_some_and(|value| value.eq_ignore_ascii_case(b"BINARYMIME"));
            let few = session.recipients() == session.named_recipients()
                && session.recipients() < limit::RECIPIENTS;
            let started = transaction.chunked.is_some() || transaction.is_in_doubt();
            !binary && !started && session.recipients() > 0 && few && control::is_bare(observation)
        }
        _ => false,
    }
}

/// Returns whether a refusal says that a command is missing before this one.
fn claims_disorder(observation: &Observation<'_>) -> bool {
    const MISSING: [&str; 8] = [
        "sequence",
        "out of order",
        "first",
        "no sender",
        "no recipient",
        "need mail",
        "need rcpt",
        "already",
    ];
    observation.has_detail(&[(5, 1)]) || demand::asks_for_hello(observation) || observation.says(&MISSING)
}
