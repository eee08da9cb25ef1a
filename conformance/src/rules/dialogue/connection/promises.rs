//! Rules about what a server announced and did not keep.

use crate::dialogue::Act;
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Envelope, Verb};
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use crate::rules::reply::extension::dsn::{blames_notification, is_notification};

use super::parameters::Circumstances;
use super::{Connection, LocatedFindings};

/// How long a server may take to answer ETRN, in milliseconds. RFC 1985 §5.1 says "promptly" and gives no number.
const PROMPT: u64 = 30_000;

/// The longest time that a submission server may take to reply, in milliseconds (RFC 6409 §5.3).
const TWO_MINUTES: u64 = 120_000;

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    for (location, observation) in connection.observations() {
        listed_capability(location, &observation, findings);
        two_minutes(location, &observation, findings);
        queue_started_at_once(location, &observation, findings);
    }
    replies_alike(connection, findings);
    notification_parameters(connection, findings);
}

/// RFC 5321 §4.2.4: a command that EHLO lists is neither unknown (500) nor unimplemented (502).
fn listed_capability(location: Location, observation: &Observation<'_>, findings: &mut LocatedFindings) {
    let (Some(command), Some(offered)) = (observation.command, &observation.session.offered) else {
        return;
    };
    let keyword = match command.verb() {
        Verb::Bdat => "CHUNKING",
        verb @ (Verb::Vrfy
        | Verb::Expn
        | Verb::Help
        | Verb::Etrn
        | Verb::Burl
        | Verb::Atrn
        | Verb::Auth
        | Verb::Starttls) => verb.name(),
        _ => return,
    };
    let number = observation.number().unwrap_or_default();
    if location.reply == Some(0)
        && matches!(number, 500 | 502)
        && offered.has(keyword)
        && is_well_formed(observation, &command, offered)
    {
        let detail = format!("{number}, although EHLO lists {keyword}");
        findings.at(location).add(RuleId::LISTED_CAPABILITY_WORKS, detail);
    }
}

/// Returns whether 500 cannot mean a syntax error in the command or that the command comes at the wrong time.
fn is_well_formed(observation: &Observation<'_>, command: &Command<'_>, offered: &Capabilities) -> bool {
    let (session, words) = (observation.session, command.words().count());
    let idle = session.transaction.is_none();
    match command.verb() {
        Verb::Vrfy | Verb::Expn | Verb::Etrn => words == 1,
        Verb::Help => words == 0,
        Verb::Atrn => words <= 1 && idle,
        Verb::Starttls => words == 0 && idle && !session.tls,
        Verb::Auth => {
            let mechanism = command.words().next().and_then(|word| str::from_utf8(word).ok());
            words == 1
                && idle
                && !session.authenticated
                && mechanism.is_some_and(|name| offered.has_mechanism(name))
        }
        // A chunk that was sent as such states its length.
        Verb::Bdat => matches!(observation.exchange.act, Act::Chunk { .. }),
        Verb::Burl => words == 2 && command.is_last_chunk(),
        _ => false,
    }
}

/// RFC 6409 §5.3.
fn two_minutes(location: Location, observation: &Observation<'_>, findings: &mut LocatedFindings) {
    let answer = observation.exchange.answers.get(observation.nth);
    let millis = answer.map(|answer| answer.millis).unwrap_or_default();
    if observation.session.protocol == Protocol::Submission
        && millis > TWO_MINUTES
        && !observation.is_greeting()
    {
        let detail = format!("the reply took {} s", millis / 1000);
        findings.at(location).add(RuleId::SUBMISSION_TWO_MINUTES, detail);
    }
}

/// RFC 1985 §5.1: the reply to ETRN does not wait until the queue has been processed.
fn queue_started_at_once(location: Location, observation: &Observation<'_>, findings: &mut LocatedFindings) {
    let answer = observation.exchange.answers.get(observation.nth);
    let millis = answer.map(|answer| answer.millis).unwrap_or_default();
    let queues = observation.verb() == Some(Verb::Etrn) && observation.session.offers("ETRN");
    if queues && millis > PROMPT {
        let detail = format!("the reply took {} s", millis / 1000);
        findings.at(location).add(RuleId::ETRN_ANSWERED_AT_ONCE, detail);
    }
}

/// RFC 2920 §3.2 (10): replies should show which command they answer. The last of the three commands has the finding.
fn replies_alike(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let mut first: Option<&[u8]> = None;
    let mut seen = Vec::new();
    for (location, observation) in connection.observations() {
        let Some(verb @ (Verb::Mail | Verb::Rcpt | Verb::Rset)) = observation.verb() else { continue };
        let octets = observation.reply.octets();
        if !observation.session.offers("PIPELINING") || !observation.is(&[250]) || seen.contains(&verb) {
            continue;
        }
        if *first.get_or_insert(octets) != octets {
            return;
        }
        seen.push(verb);
        if seen.len() == 3 {
            let detail =
                format!("MAIL, RCPT and RSET are all answered with {}", quoted(octets.trim_ascii_end()));
            return findings.at(location).add(RuleId::REPLIES_TELL_COMMANDS, detail);
        }
    }
}

/// A MAIL or RCPT with notification parameters only, or with no parameters.
struct Attempt<'a> {
    location: Location,
    command: Command<'a>,
    circumstances: Circumstances<'a>,
    notified: bool,
    number: u16,
}

/// RFC 3461 §5.1: valid notification parameters do not change the reply code.
fn notification_parameters(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let attempts: Vec<Attempt<'_>> = connection
        .observations()
        .filter(|(location, observation)| location.reply == Some(0) && observation.session.offers("DSN"))
        .filter_map(|(location, observation)| attempt(location, &observation))
        .collect();
    for refused in attempts.iter().filter(|attempt| attempt.number >= 500) {
        let same = |other: &&Attempt<'_>| other.circumstances == refused.circumstances;
        let all = |notified: bool, digit: u16| {
            let mut alike =
                attempts.iter().filter(same).filter(|other| other.notified == notified).peekable();
            alike.peek().is_some() && alike.all(|other| other.number / 100 == digit)
        };
        if all(refused.notified, 5) && all(!refused.notified, 2) {
            let other = if refused.notified { "without" } else { "with" };
            let detail =
                format!("{}, but accepted {other} the parameters: {}", refused.number, refused.command);
            findings.at(refused.location).add(RuleId::DSN_PARAMETER_NEUTRAL, detail);
            return;
        }
    }
}

fn attempt<'a>(location: Location, observation: &Observation<'a>) -> Option<Attempt<'a>> {
    let command = observation.command?;
    let envelope = command.envelope().filter(Envelope::is_well_formed)?;
    let (session, path) = (observation.session, envelope.path()?);
    let begun: Option<&[u8]> = session.transaction.as_ref().map(|transaction| transaction.mail.as_slice());
    let in_order = begun.is_some() == (command.verb() == Verb::Rcpt) && session.hello.is_some();
    let number = observation.number()?;
    let telling = matches!(number / 100, 2 | 5) && !matches!(number, 503 | 521 | 530 | 552);
    // A second RCPT for the same recipient may be refused because it is the second.
    let other = observation.says(&["too many", "duplicate", "already"]);
    let valid = envelope.parameters().all(|parameter| {
        is_notification(observation, &parameter)
            && str::from_utf8(parameter.keyword).is_ok_and(|keyword| !envelope.repeats(keyword))
    });
    // A refusal that blames the parameters needs no comparison.
    let plain = !blames_notification(observation, &envelope);
    let usable = in_order && telling && valid && plain && !other && observation.exchange.sure;
    usable.then_some(Attempt {
        location,
        command,
        circumstances: Circumstances::of(session, command.verb(), path, begun),
        notified: envelope.parameters().next().is_some(),
        number,
    })
}
