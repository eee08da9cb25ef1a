//! Rules about what a server announced and did not keep.

use crate::dialogue::Act;
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Envelope, Parameter, Verb};
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use crate::rules::reply::extension::dsn::blames_notification;

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
    listed_parameters(connection, findings);
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

/// A MAIL without parameters, or with one of an extension that EHLO lists.
struct Sender<'a> {
    location: Location,
    circumstances: Circumstances<'a>,
    keyword: Option<&'static str>,
    number: u16,
    /// Whether the reply gives the parameter as the reason of a refusal.
    blames: bool,
}

/// RFC 1870 §4, RFC 6152 §2, RFC 6531 §3.1: a server that lists SIZE, 8BITMIME, BINARYMIME or SMTPUTF8 takes its parameter.
fn listed_parameters(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let senders: Vec<Sender<'_>> = connection
        .observations()
        .filter(|(location, _)| location.reply == Some(0))
        .filter_map(|(location, observation)| sender(location, &observation))
        .collect();
    for refused in senders.iter().filter(|sender| sender.number >= 500) {
        let Some(keyword) = refused.keyword else { continue };
        let same =
            |other: &&Sender<'_>| other.keyword.is_none() && other.circumstances == refused.circumstances;
        let mut bare = senders.iter().filter(same).peekable();
        let taken = bare.peek().is_some() && bare.all(|other| other.number / 100 == 2);
        if refused.blames || taken {
            let why = if taken { ", but accepted without it" } else { "" };
            let detail = format!("{} to MAIL with {keyword}, which EHLO lists{why}", refused.number);
            findings.at(refused.location).add(RuleId::LISTED_PARAMETER_ACCEPTED, detail);
        }
    }
}

fn sender<'a>(location: Location, observation: &Observation<'a>) -> Option<Sender<'a>> {
    let command = observation.command.filter(|command| command.verb() == Verb::Mail && command.is_plain())?;
    let envelope = command.envelope().filter(Envelope::is_well_formed)?;
    let (session, path, number) = (observation.session, envelope.path()?, observation.number()?);
    let mut parameters = envelope.parameters();
    let keyword = match (parameters.next(), parameters.next()) {
        (None, _) => None,
        (Some(parameter), None) => Some(listed_keyword(observation, &parameter)?),
        _ => return None,
    };
    // The sequence, a login, the size, a policy and a limit are other reasons.
    let policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let other =
        matches!(number, 503 | 521 | 530 | 535 | 552) || policy || observation.says(&["auth", "too many"]);
    let telling = number / 100 == 2 || number / 100 == 5 && !other;
    let ready = session.hello.is_some() && session.transaction.is_none() && observation.exchange.sure;
    let blames = matches!(number, 504 | 555) || observation.has_detail(&[(5, 4)]);
    let circumstances = Circumstances {
        verb: Verb::Mail,
        path,
        tls: session.tls,
        authenticated: session.authenticated,
        hello: session.hello,
        begun: None,
    };
    (ready && telling).then_some(Sender { location, circumstances, keyword, number, blames })
}

/// Returns the keyword of a parameter that a server takes because of what its EHLO reply lists.
fn listed_keyword(observation: &Observation<'_>, parameter: &Parameter<'_>) -> Option<&'static str> {
    let session = observation.session;
    let value = parameter.value.unwrap_or_default();
    let is = |wanted: &[u8]| value.eq_ignore_ascii_case(wanted);
    let size = str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
    let offered = session.offered.as_ref().and_then(|offered| offered.size_limit());
    let limits = [offered, observation.knowledge.size_limit];
    let fits = size.is_some_and(|size| limits.into_iter().flatten().all(|limit| size <= limit));
    let takes_body = session.offers("8BITMIME") && (is(b"8BITMIME") || is(b"7BIT"))
        || session.offers("BINARYMIME") && is(b"BINARYMIME");
    if parameter.is("SIZE") && session.offers("SIZE") && fits {
        Some("SIZE")
    } else if parameter.is("BODY") && takes_body {
        Some("BODY")
    } else if parameter.is("SMTPUTF8") && session.offers("SMTPUTF8") && parameter.value.is_none() {
        Some("SMTPUTF8")
    } else {
        None
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

/// What the reply to an attempt may depend on besides the parameters.
#[derive(PartialEq, Eq)]
struct Circumstances<'a> {
    verb: Verb,
    path: &'a [u8],
    tls: bool,
    authenticated: bool,
    hello: Option<Verb>,
    /// The MAIL of the transaction.
    begun: Option<&'a [u8]>,
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
        is_valid(command.verb(), &parameter)
            && str::from_utf8(parameter.keyword).is_ok_and(|keyword| !envelope.repeats(keyword))
    });
    // A refusal that blames the parameters needs no comparison.
    let plain = !blames_notification(observation, &envelope);
    let usable = in_order && telling && valid && plain && !other && observation.exchange.sure;
    usable.then_some(Attempt {
        location,
        command,
        circumstances: Circumstances {
            verb: command.verb(),
            path,
            tls: session.tls,
            authenticated: session.authenticated,
            hello: session.hello,
            begun,
        },
        notified: envelope.parameters().next().is_some(),
        number,
    })
}

/// Returns whether a parameter is a notification parameter of the command, in a form that RFC 3461 §4 allows.
fn is_valid(verb: Verb, parameter: &Parameter<'_>) -> bool {
    let value = parameter.value.unwrap_or_default();
    let is = |keyword: &str| parameter.is(keyword);
    match verb {
        Verb::Mail if is("RET") => value.eq_ignore_ascii_case(b"FULL") || value.eq_ignore_ascii_case(b"HDRS"),
        Verb::Mail if is("ENVID") => is_xtext(value) && value.len() <= 100,
        Verb::Rcpt if is("NOTIFY") => value.eq_ignore_ascii_case(b"NEVER") || is_notify_list(value),
        Verb::Rcpt if is("ORCPT") => {
            let address = value.strip_prefix(b"rfc822;").or_else(|| value.strip_prefix(b"RFC822;"));
            address.is_some_and(is_xtext) && value.len() <= 500
        }
        _ => false,
    }
}

fn is_notify_list(value: &[u8]) -> bool {
    let mut seen = Vec::new();
    value.split(|octet| *octet == b',').all(|word| {
        let word = word.to_ascii_uppercase();
        let known = [&b"SUCCESS"[..], b"FAILURE", b"DELAY"].contains(&word.as_slice());
        let fresh = !seen.contains(&word);
        seen.push(word);
        known && fresh
    })
}

/// Returns whether a value is xtext (RFC 3461 §4): printable, with `+` and `=` written as `+2B` and `+3D`.
fn is_xtext(value: &[u8]) -> bool {
    let mut octets = value.iter();
    let hexadecimal =
        |octet: Option<&u8>| octet.is_some_and(|octet| matches!(octet, b'0'..=b'9' | b'A'..=b'F'));
    let mut good = !value.is_empty();
    while let Some(octet) = octets.next() {
        good &= match octet {
            b'+' => hexadecimal(octets.next()) && hexadecimal(octets.next()),
            octet => octet.is_ascii_graphic() && *octet != b'=',
        };
    }
    good
}
