//! What was sent in clear text after STARTTLS (RFC 3207 §4.2).

use crate::dialogue::session::{Step, begins_starttls};
use crate::dialogue::{Act, End};
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings};

/// Reports a reply under TLS that comes before the client sends anything there, if the client had sent something in clear
/// text after STARTTLS.
pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let Some(handshake) = connection.steps.iter().position(is_handshake) else { return };
    let before = connection.steps.get(..handshake).unwrap_or_default();
    let is_starttls =
        |step: &Step<'_>| matches!(&step.exchange.act, Act::Command(line) if begins_starttls(line));
    let starttls = before.iter().rposition(is_starttls);
    let sent = starttls.and_then(|starttls| before.get(starttls..)).unwrap_or_default();
    let after = connection.steps.iter().enumerate().skip(handshake);
    let unasked = after
        .take_while(|(_, step)| is_handshake(step) || step.exchange.act == Act::Wait)
        .find_map(|(position, step)| Some((position, step.number().filter(|number| *number != 421)?)));
    if let Some((position, number)) = unasked
        && is_followed(sent)
    {
        let detail = format!("{number} under TLS, to what was sent in clear text");
        let location = connection.location(position, Some(0));
        findings.at(location).add(RuleId::STARTTLS_DISCARDS_CLEAR_TEXT, detail);
    }
}

fn is_handshake(step: &Step<'_>) -> bool {
    step.exchange.act == Act::Handshake && step.exchange.end != End::Failed
}

/// Returns whether something followed the STARTTLS line at once, or as a command that got no reply.
fn is_followed(sent: &[Step<'_>]) -> bool {
    let [starttls, rest @ ..] = sent else { return false };
    let [line, _] = starttls.exchange.act.parts();
    let end = memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
    end < line.len() || rest.iter().any(|step| step.exchange.answers.is_empty() && step.verb().is_some())
}
