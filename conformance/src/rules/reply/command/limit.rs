//! Rules about limits (RFC 5321 §4.5.3.1).

use crate::counted::counted;
use crate::dialogue::Act;
use crate::dialogue::octets::is_shortened;
use crate::knowledge::Policy;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{address, seen};

/// The number of recipients that a server must accept (RFC 5321 §4.5.3.1.8).
pub(super) const RECIPIENTS: usize = 100;
/// The octets that a command line may have, including its line end (RFC 5321 §4.5.3.1.4). Extensions only raise it.
const LINE: usize = 512;
/// The octets that a line of a message may have, including its line end (RFC 5321 §4.5.3.1.6).
const TEXT_LINE: usize = 1000;
/// The octets that a message may have at least (RFC 5321 §4.5.3.1.7).
const MESSAGE: usize = 65_536;

/// The octets that the parameters of extensions add to the longest MAIL (RFC 1845, RFC 1870, RFC 2852, RFC 3030, RFC 3865,
/// RFC 3885, RFC 4865, RFC 4954, RFC 6531, RFC 6710, RFC 8689).
const MAIL_PARAMETERS: [(&str, usize); 11] = [
    ("CHECKPOINT", 88),
    ("SIZE", 26),
    ("DELIVERBY", 17),
    ("BINARYMIME", 16),
    ("NO-SOLICITING", 1007),
    ("MTRK", 40),
    ("FUTURERELEASE", 34),
    ("AUTH", 500),
    ("SMTPUTF8", 10),
    ("MT-PRIORITY", 15),
    ("REQUIRETLS", 11),
];
/// The longest command line with the parameters of DSN (RFC 3461 §5.4).
const DSN_LINE: usize = 1036;
/// The octets that RRVS adds to RCPT (RFC 7293 §3.1).
const RRVS: usize = 33;

/// RFC 5321 §4.5.3.1.8, §4.5.3.1.10: a server accepts a hundred recipients, and sends 452 for those beyond its limit. A
/// site that limits them by policy may send 5yz.
pub(super) fn recipients(observation: &Observation<'_>, findings: &mut Findings) {
    // A bounce has one recipient, so a server may want no more.
    if observation.digit() < Some(4) || !is_about_recipients(observation) || is_bounce(observation) {
        return;
    }
    let rule = RuleId::RECIPIENT_LIMIT_452;
    let policy = observation.knowledge.has_policy(Policy::Recipients);
    let count = observation.session.named_recipients();
    let detail = format!("{} after {}", seen(observation), counted(count, "recipient"));
    if count < RECIPIENTS && is_plain_list(observation) {
        return findings.add_if(policy, rule, "site-policy", detail);
    }
    match observation.number() {
        Some(452) => {}
        // IANA's row X.5.3 lists 451.
        Some(451) => findings.add_under(rule, "registry-code", detail),
        _ if observation.is_refused() && policy => {}
        _ => findings.add_if(observation.is_refused(), rule, "permanent", detail),
    }
}

/// RFC 5321 §4.5.3.1.8: DATA, or the message, is not refused for fewer than a hundred recipients either.
pub(super) fn recipients_of_message(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let (count, named) = (session.recipients(), session.named_recipients());
    // A server that refused some of them before may want the client to begin anew (§4.5.3.1.10).
    let few = (1..RECIPIENTS).contains(&count) && named == count;
    let explained = is_bounce(observation) || session.offers("LIMITS");
    // 503 is what a site may say that permits no more recipients in any message (§4.5.3.1.10).
    let refused = observation.is_turned_down() && !observation.is(&[503]);
    if refused && few && !explained && is_about_recipients(observation) {
        let policy = observation.knowledge.has_policy(Policy::Recipients);
        let detail = format!("{} after {}", seen(observation), counted(count, "recipient"));
        findings.add_if(policy, RuleId::RECIPIENT_LIMIT_452, "site-policy", detail);
    }
}

/// Returns whether a refusal is about the number of recipients of one message, and not about a rate.
pub(super) fn is_about_recipients(observation: &Observation<'_>) -> bool {
    const NUMBER: [&str; 7] = [
        "too many recipients",
        "multiple recipients",
        "only one recipient",
        "one recipient at a time",
        "one recipient per",
        "recipients per message",
        "maximum number of recipients",
    ];
    const RATES: [&str; 8] = ["rate", "hour", "minute", "today", "per day", "quota", "null sender", "bounce"];
    if observation.says(&RATES) {
        return false;
    }
    match observation.enhanced() {
        // Any other enhanced status code means another limit.
        Some(_) => observation.has_detail(&[(5, 3)]) || observation.says(&NUMBER[1..5]),
        None => observation.says(&NUMBER),
    }
}

fn is_bounce(observation: &Observation<'_>) -> bool {
    let Some(transaction) = &observation.session.transaction else { return false };
    transaction.command().envelope().is_none_or(|envelope| envelope.path() == Some(b""))
}

/// Returns whether nothing explains a lower limit: all recipients are in one domain, and the server announces no limits
/// (RFC 9422 §4).
fn is_plain_list(observation: &Observation<'_>) -> bool {
    let domain_of = |line: &[u8]| {
        let path = Command::read(line).envelope().and_then(|envelope| envelope.path().map(<[u8]>::to_vec));
        path.map(|path| address::domain(&path).to_ascii_lowercase())
    };
    let Some(transaction) = &observation.session.transaction else { return false };
    let own = observation.command.and_then(|command| domain_of(command.octets()));
    let announced = observation.session.offers("LIMITS");
    !announced && transaction.recipients.iter().all(|line| domain_of(line) == own)
}

/// RFC 5321 §4.5.3.1.4, §4.3.2: 500 says that a line is too long, which is wrong up to 512 octets and what the listed
/// extensions add.
pub(super) fn line(observation: &Observation<'_>, findings: &mut Findings) {
    let Act::Command(octets) = &observation.exchange.act else { return };
    if observation.is(&[500])
        && octets.len() <= longest_line(observation)
        && observation.says(&["too long"])
        && has_short_parts(octets)
    {
        let detail = format!("{} says that {} octets are too long", seen(observation), octets.len());
        findings.add(RuleId::COMMAND_LENGTH_LIMIT, detail);
    }
}

/// Returns the octets that a command line may have. Parameters of extensions that EHLO listed raise the limit.
fn longest_line(observation: &Observation<'_>) -> usize {
    let session = observation.session;
    let line = match observation.verb() {
        Some(Verb::Mail) => {
            let listed = MAIL_PARAMETERS.iter().filter(|(keyword, _)| session.offers(keyword));
            LINE + listed.map(|(_, octets)| octets).sum::<usize>()
        }
        Some(Verb::Rcpt) if session.offers("RRVS") => LINE + RRVS,
        _ => LINE,
    };
    let notifies = matches!(observation.verb(), Some(Verb::Mail | Verb::Rcpt)) && session.offers("DSN");
    if notifies { line.max(DSN_LINE) } else { line }
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

/// RFC 5321 §4.5.3.1.7, §4.5.3.1.9: too much mail data gets 552, but 64K octets are not too much.
pub(super) fn data(observation: &Observation<'_>, findings: &mut Findings) {
    let is_limit = observation.has_detail(&[(2, 3), (3, 4)]);
    if is_limit && observation.is_refused() && !observation.is(&[552]) {
        findings.add(RuleId::LIMIT_CODES, format!("{}, which is too big", seen(observation)));
    }
    let named = is_limit || observation.says(&["too big", "too large", "size limit", "message size"]);
    unannounced(observation, is_limit, named, findings);
    let Act::Message(octets) = &observation.exchange.act else { return };
    text_line(observation, octets, findings);
    let octets = octets.strip_suffix(b".\r\n").unwrap_or(octets);
    let chunked =
        observation.session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_some());
    if observation.is_refused()
        && named
        && octets.len() <= MESSAGE
        && !chunked
        && !exceeds_declared(observation, octets.len())
        && !octets.split(|octet| *octet == b'\n').any(is_shortened)
    {
        let detail = format!("{} of {}", seen(observation), counted(octets.len(), "octet"));
        findings.add(RuleId::MESSAGE_OF_64K_ACCEPTED, detail);
    }
}

/// Returns whether a message is larger than MAIL declared, which is a reason of its own to refuse it (RFC 1870 §6.3).
fn exceeds_declared(observation: &Observation<'_>, octets: usize) -> bool {
    let Some(transaction) = &observation.session.transaction else { return false };
    let value = transaction.command().envelope().and_then(|envelope| envelope.value("SIZE"));
    let declared = value.and_then(|value| str::from_utf8(value).ok()?.parse::<usize>().ok());
    declared.is_some_and(|declared| octets > declared)
}

/// RFC 5321 §4.5.3.1.7: a server that limits the size of messages should offer SIZE. 552 is also for a full mailbox, so a
/// text or the enhanced status code has to name the size.
fn unannounced(observation: &Observation<'_>, is_limit: bool, named: bool, findings: &mut Findings) {
    let session = observation.session;
    let extended = session.offered.is_some() && !session.offers("SIZE");
    let vague = observation.enhanced().is_none_or(|code| code.detail() == 0);
    if extended && observation.is(&[552]) && (is_limit || named && vague) {
        findings
            .add(RuleId::SIZE_LIMIT_OFFERED, format!("{}, but EHLO does not list SIZE", seen(observation)));
    }
}

/// RFC 5321 §4.5.3.1.6: a text line of 1000 octets is not too long.
fn text_line(observation: &Observation<'_>, octets: &[u8], findings: &mut Findings) {
    const TOO_LONG: [&str; 6] =
        ["line too long", "lines too long", "line is too long", "line length", "long line", "line exceeds"];
    let mut lines = octets.split_inclusive(|octet| *octet == b'\n');
    let short = lines.all(|line| line.len() <= TEXT_LINE && !is_shortened(line));
    if observation.is_refused() && short && observation.says(&TOO_LONG) {
        let detail = format!("{}, but no line has more than {TEXT_LINE} octets", seen(observation));
        findings.add(RuleId::TEXT_LINE_LIMIT, detail);
    }
}

/// RFC 5321 §4.5.3.1.7: a server that announces a lower limit does not accept 64K octets either.
pub(super) fn announced(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is(&[250]) || observation.verb() == Some(Verb::Helo) {
        return;
    }
    if let Some(limit) = Capabilities::read(&observation.reply).size_limit()
        && limit < MESSAGE as u64
    {
        let detail = format!("EHLO announces {limit} octets as the largest message");
        findings.add(RuleId::MESSAGE_OF_64K_ACCEPTED, detail);
    }
}
