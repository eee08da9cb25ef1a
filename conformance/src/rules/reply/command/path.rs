//! Rules about paths and names that RFC 5321 §4.1.2 and §4.5.3.1 make every server accept: source routes, and lengths up
//! to the limits.

use crate::protocol::command::{Command, is_domain, split_route};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, is_policy, seen};

/// From these lengths on, a path that is refused as misspelled is probably too long for the server. No limit of RFC 5321
/// §4.5.3.1 is smaller.
const LONG_LOCAL_PART: usize = 64;
const LONG_PATH: usize = 200;
/// The longest name that the DNS has room for. With the octets before its labels and after the last it takes 255 (RFC 1035
/// §2.3.4), so a server may call a longer one malformed.
const LONGEST_NAME: usize = 253;

/// Judges a MAIL or RCPT that comes in the right state.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(address::is_clean) else { return };
    let Some(path) = command.envelope().and_then(|envelope| envelope.path()) else { return };
    if !observation.is_refused() || is_policy(observation) {
        return;
    }
    source_route(observation, path, findings);
    if !has_short_labels(address::domain(path)) {
        return;
    }
    let (local, _) = path.split_at(path.iter().rposition(|octet| *octet == b'@').unwrap_or(path.len()));
    let long = local.len() >= LONG_LOCAL_PART || path.len() >= LONG_PATH;
    length(observation, "path", path.len() + 2, long, findings);
}

/// Judges a reply to EHLO, HELO or LHLO with a domain of at most 255 octets (RFC 5321 §4.5.3.1.2).
pub(super) fn hello(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command.filter(Command::is_plain) else { return };
    let name = command.argument();
    if command.verb().is_hello()
        && observation.is_refused()
        && name.len() <= 255
        && is_domain(name)
        && has_short_labels(name)
    {
        let long = (LONG_PATH..=LONGEST_NAME).contains(&name.len());
        length(observation, "name", name.len(), long, findings);
    }
}

/// Returns whether each label of a domain has at most 63 octets, which is all that the DNS has room for (RFC 1035 §2.3.4).
fn has_short_labels(domain: &[u8]) -> bool {
    domain.split(|octet| *octet == b'.').all(|label| label.len() <= 63)
}

/// RFC 5321 §4.1.1.3, §4.1.2: a server recognizes source routes. It may decline to relay along them (§3.6.1), which 550
/// says, but they are not malformed.
fn source_route(observation: &Observation<'_>, path: &[u8], findings: &mut Findings) {
    let (route, _) = split_route(path);
    if !route.is_empty() && observation.is(&[500, 501, 502, 504, 555]) {
        findings.add(RuleId::SOURCE_ROUTE_ACCEPTED, format!("{} with a source route", seen(observation)));
    }
}

/// RFC 5321 §4.5.3.1: what stays within the limits is not too long.
fn length(observation: &Observation<'_>, what: &str, octets: usize, long: bool, findings: &mut Findings) {
    const TOO_LONG: [&str; 4] = ["too long", "longer than", "too large", "exceeds"];
    let detail = format!("{} with a {what} of {octets} octets", seen(observation));
    let misspelled = observation.is(&[501]) && !observation.has_detail(&[(1, 8)]);
    // 552 and X.3.4 are about the size of the message, 452 and X.5.3 about the number of recipients.
    let other = observation.is(&[552]) || observation.has_detail(&[(3, 4), (5, 3)]);
    if observation.says(&TOO_LONG) && !other {
        findings.add(RuleId::PATH_LENGTH_LIMIT, detail);
    } else if long && misspelled {
        findings.add_under(RuleId::PATH_LENGTH_LIMIT, "unexplained", detail);
    }
}
