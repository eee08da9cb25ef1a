//! Limits (RFC 5321 §4.5.3.1).

use crate::dialogue::Act;
use crate::knowledge::Policy;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, has_detail, refuses_for_good, says, seen};

/// RFC 5321 §4.5.3.1.8: how many recipients a server must take.
const RECIPIENTS: usize = 100;
/// RFC 5321 §4.5.3.1.4: how long a command line may be, its end included; extensions only raise it.
const LINE: usize = 512;

/// RFC 5321 §4.5.3.1.8, §4.5.3.1.10: a server takes a hundred recipients, and says 452 to more than it can
/// take.
pub(super) fn recipients(observation: &Observation<'_>, findings: &mut Findings) {
    // Another enhanced status code says that the limit is another one, of a rate for instance.
    let told = match observation.enhanced() {
        Some(_) => has_detail(observation, &[(5, 3)]),
        None => says(observation, &["too many recipients"]),
    };
    if !told || observation.digit() < Some(4) {
        return;
    }
    let rule = RuleId::RECIPIENT_LIMIT_452;
    let policy = observation.knowledge.has_policy(Policy::Recipients);
    let count = observation.session.recipients();
    let detail = format!("{} after {count} recipients", seen(observation));
    match observation.number() {
        Some(452) if count >= RECIPIENTS || !is_plain_list(observation) => {}
        // IANA's row X.5.3 lists 451.
        Some(451) if has_detail(observation, &[(5, 3)]) => findings.add_under(rule, "registry-code", detail),
        _ => findings.add_if(policy, rule, "site-policy", detail),
    }
}

/// Whether nothing about the recipients explains a lower limit: no bounce, no other domain, no limit that was
/// told (RFC 9422 §4).
fn is_plain_list(observation: &Observation<'_>) -> bool {
    let domain_of = |line: &[u8]| {
        let path = Command::read(line).envelope().and_then(|envelope| envelope.path().map(<[u8]>::to_vec));
        path.map(|path| address::domain(&path).to_ascii_lowercase())
    };
    let Some(transaction) = &observation.session.transaction else { return false };
    let bounce = transaction.command().envelope().is_none_or(|envelope| envelope.path() == Some(b""));
    let own = observation.command.and_then(|command| domain_of(command.octets()));
    let told = observation.session.offers("LIMITS");
    !bounce && !told && transaction.recipients.iter().all(|line| domain_of(line) == own)
}

/// RFC 5321 §4.5.3.1.4, §4.3.2: 500 says that a line is too long, and never of one of 512 octets or fewer.
pub(super) fn line(observation: &Observation<'_>, findings: &mut Findings) {
    let Act::Command(octets) = &observation.exchange.act else { return };
    if observation.is(&[500])
        && octets.len() <= LINE
        && says(observation, &["too long"])
        && has_short_parts(octets)
    {
        let detail = format!("{} of {} octets: too long", seen(observation), octets.len());
        findings.add(RuleId::COMMAND_LENGTH_LIMIT, detail);
    }
}

/// Whether no part of a command has a limit of its own that it is above.
fn has_short_parts(octets: &[u8]) -> bool {
    let command = Command::read(octets);
    match command.verb() {
        Verb::Mail | Verb::Rcpt => {
            command.envelope().and_then(|envelope| envelope.path()).is_some_and(address::is_short)
        }
        Verb::Ehlo | Verb::Helo | Verb::Lhlo => command.argument().len() <= 255,
        Verb::Vrfy | Verb::Expn => address::is_short(command.argument()),
        _ => true,
    }
}

/// RFC 5321 §4.5.3.1.9: a path that is too long gets 501. 553 refuses it too, 500 the line.
pub(super) fn path(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let Some(path) = command.envelope().and_then(|envelope| envelope.path()) else { return };
    let other = refuses_for_good(observation) && !observation.is(&[500, 501, 553]);
    if other && !address::is_short(path) && says(observation, &["too long"]) {
        findings.add(RuleId::LIMIT_CODES, format!("{} whose path is too long", seen(observation)));
    }
}

/// RFC 5321 §4.5.3.1.9: too much mail data gets 552.
pub(super) fn data(observation: &Observation<'_>, findings: &mut Findings) {
    let told = has_detail(observation, &[(2, 3), (3, 4)]);
    if told && refuses_for_good(observation) && !observation.is(&[552]) {
        findings.add(RuleId::LIMIT_CODES, format!("{}, which is too big", seen(observation)));
    }
}
