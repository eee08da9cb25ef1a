//! Rules about limits (RFC 5321 §4.5.3.1).

use crate::counted::counted;
use crate::dialogue::Act;
use crate::knowledge::Policy;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, seen};

/// The number of recipients that a server must accept (RFC 5321 §4.5.3.1.8).
const RECIPIENTS: usize = 100;
/// The octets that a command line may have, including its line end (RFC 5321 §4.5.3.1.4). Extensions only raise it.
const LINE: usize = 512;

/// RFC 5321 §4.5.3.1.8, §4.5.3.1.10: a server accepts a hundred recipients, and sends 452 for those beyond its limit.
pub(super) fn recipients(observation: &Observation<'_>, findings: &mut Findings) {
    // Any other enhanced status code means another limit, such as one on the rate.
    let is_limit = match observation.enhanced() {
        Some(_) => observation.has_detail(&[(5, 3)]),
        None => observation.says(&["too many recipients"]),
    };
    if !is_limit || observation.digit() < Some(4) {
        return;
    }
    let rule = RuleId::RECIPIENT_LIMIT_452;
    let policy = observation.knowledge.has_policy(Policy::Recipients);
    let count = observation.session.recipients();
    let detail = format!("{} after {}", seen(observation), counted(count, "recipient"));
    match observation.number() {
        Some(452) if count >= RECIPIENTS || !is_plain_list(observation) => {}
        // IANA's row X.5.3 lists 451.
        Some(451) if observation.has_detail(&[(5, 3)]) => findings.add_under(rule, "registry-code", detail),
        _ => findings.add_if(policy, rule, "site-policy", detail),
    }
}

/// Returns whether nothing explains a lower limit: the message is not a bounce, all recipients are in one domain, and
/// the server announces no limits (RFC 9422 §4).
fn is_plain_list(observation: &Observation<'_>) -> bool {
    let domain_of = |line: &[u8]| {
        let path = Command::read(line).envelope().and_then(|envelope| envelope.path().map(<[u8]>::to_vec));
        path.map(|path| address::domain(&path).to_ascii_lowercase())
    };
    let Some(transaction) = &observation.session.transaction else { return false };
    let bounce = transaction.command().envelope().is_none_or(|envelope| envelope.path() == Some(b""));
    let own = observation.command.and_then(|command| domain_of(command.octets()));
    let announced = observation.session.offers("LIMITS");
    !bounce && !announced && transaction.recipients.iter().all(|line| domain_of(line) == own)
}

/// RFC 5321 §4.5.3.1.4, §4.3.2: 500 says that a line is too long, which is wrong for 512 octets or fewer.
pub(super) fn line(observation: &Observation<'_>, findings: &mut Findings) {
    let Act::Command(octets) = &observation.exchange.act else { return };
    if observation.is(&[500])
        && octets.len() <= LINE
        && observation.says(&["too long"])
        && has_short_parts(octets)
    {
        let detail = format!("{} says that {} octets are too long", seen(observation), octets.len());
        findings.add(RuleId::COMMAND_LENGTH_LIMIT, detail);
    }
}

/// Returns whether no part of a command exceeds a limit of its own.
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

/// RFC 5321 §4.5.3.1.9: a path that is too long gets 501. 553 also refuses a path, and 500 a line.
pub(super) fn path(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(command) = observation.command else { return };
    let Some(path) = command.envelope().and_then(|envelope| envelope.path()) else { return };
    let other = observation.is_refused() && !observation.is(&[500, 501, 553]);
    if other && !address::is_short(path) && observation.says(&["too long"]) {
        findings.add(RuleId::LIMIT_CODES, format!("{} with a path that is too long", seen(observation)));
    }
}

/// RFC 5321 §4.5.3.1.9: too much mail data gets 552.
pub(super) fn data(observation: &Observation<'_>, findings: &mut Findings) {
    let is_limit = observation.has_detail(&[(2, 3), (3, 4)]);
    if is_limit && observation.is_refused() && !observation.is(&[552]) {
        findings.add(RuleId::LIMIT_CODES, format!("{}, which is too big", seen(observation)));
    }
}
