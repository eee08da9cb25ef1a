//! Rules about the parameters of MAIL and RCPT that a server takes because of what its EHLO reply lists.

use crate::dialogue::session::Session;
use crate::protocol::command::{Envelope, Parameter, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;
use crate::rules::reply::extension::dsn::is_notification;
use crate::rules::reply::extension::parameter_value::{is_class_list, is_since};

use super::{Connection, LocatedFindings};

/// What the reply to MAIL or RCPT may depend on besides the parameters.
#[derive(PartialEq, Eq)]
pub(super) struct Circumstances<'a> {
    verb: Verb,
    path: &'a [u8],
    tls: bool,
    authenticated: bool,
    hello: Option<Verb>,
    /// The MAIL of the transaction.
    begun: Option<&'a [u8]>,
}

impl<'a> Circumstances<'a> {
    pub(super) fn of(session: &Session, verb: Verb, path: &'a [u8], begun: Option<&'a [u8]>) -> Self {
        let Session { tls, authenticated, hello, .. } = *session;
        Circumstances { verb, path, tls, authenticated, hello, begun }
    }
}

/// A MAIL or RCPT without parameters, or with those of extensions that EHLO lists.
struct Attempt<'a> {
    location: Location,
    circumstances: Circumstances<'a>,
    /// The keywords of the parameters.
    keywords: Vec<&'static str>,
    number: u16,
    /// Whether the reply gives a parameter as the reason of a refusal.
    blames: bool,
    /// Whether a refusal shows that a parameter is the reason if the command is accepted without it.
    compares: bool,
}

/// RFC 5321 §2.4, §4.2.4, and the RFC of each extension: a server takes the parameters of what it lists, in any letter
/// case and together.
pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let attempts: Vec<Attempt<'_>> = connection
        .observations()
        .filter(|(location, _)| location.reply == Some(0))
        .filter_map(|(location, observation)| attempt(location, &observation))
        .collect();
    for refused in attempts.iter().filter(|attempt| attempt.number >= 500 && !attempt.keywords.is_empty()) {
        let same =
            |other: &&Attempt<'_>| other.keywords.is_empty() && other.circumstances == refused.circumstances;
        let mut bare = attempts.iter().filter(same).peekable();
        let taken = refused.compares && bare.peek().is_some() && bare.all(|other| other.number / 100 == 2);
        if refused.blames || taken {
            let why = if taken { ", but accepted without" } else { "" };
            let (number, verb) = (refused.number, refused.circumstances.verb.name());
            let keywords = refused.keywords.join(", ");
            let detail = format!("{number} to {verb} with {keywords}, listed by EHLO{why}");
            findings.at(refused.location).add(RuleId::LISTED_PARAMETER_ACCEPTED, detail);
        }
    }
}

fn attempt<'a>(location: Location, observation: &Observation<'a>) -> Option<Attempt<'a>> {
    let command =
        observation.command.filter(|command| command.is_plain() && command.octets().len() <= 512)?;
    let envelope = command.envelope().filter(Envelope::is_well_formed)?;
    let (session, path, number) = (observation.session, envelope.path()?, observation.number()?);
    let asked: Vec<Asked> = envelope
        .parameters()
        .map(|parameter| asked(observation, &envelope, &parameter))
        .collect::<Option<_>>()?;
    // Other rules judge notification parameters and AUTH, if they come alone.
    if !asked.is_empty() && asked.iter().all(|asked| asked.other) {
        return None;
    }
    let begun: Option<&[u8]> = session.transaction.as_ref().map(|begun| begun.mail.as_slice());
    let in_order = begun.is_some() == (command.verb() == Verb::Rcpt) && session.hello.is_some();
    let telling = number / 100 == 2 || number / 100 == 5 && !has_other_reason(observation);
    let syntax = matches!(number, 500 | 501 | 502 | 504 | 555);
    let compares = syntax || !asked.iter().any(|asked| asked.decides);
    (in_order && telling && observation.exchange.sure).then_some(Attempt {
        location,
        circumstances: Circumstances::of(session, command.verb(), path, begun),
        keywords: asked.iter().map(|asked| asked.keyword).collect(),
        number,
        blames: matches!(number, 504 | 555) || observation.has_detail(&[(5, 4)]),
        compares,
    })
}

/// Returns whether a refusal is about the sequence, a login, the size, a policy, a limit, a recipient that was named before,
/// a class of solicitations, or something that will pass, whose code another rule judges.
fn has_other_reason(observation: &Observation<'_>) -> bool {
    const WORDS: [&str; 7] =
        ["auth", "too many", "duplicate", "already", "solicit=", "temporar", "try again"];
    let policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    observation.is(&[503, 521, 530, 535, 552]) || policy || observation.says(&WORDS)
}

/// A parameter that a server takes because of what its EHLO reply lists.
struct Asked {
    keyword: &'static str,
    /// Whether a server may refuse the sender or the recipient because of what the parameter says.
    decides: bool,
    /// Whether other rules judge the parameter if it comes alone.
    other: bool,
}

impl Asked {
    const fn of(keyword: &'static str) -> Asked {
        Asked { keyword, decides: false, other: false }
    }
}

/// Reads a parameter with a value that every server with the extension takes. `None` if it is another one, or repeated.
fn asked(observation: &Observation<'_>, envelope: &Envelope<'_>, parameter: &Parameter<'_>) -> Option<Asked> {
    let keyword = str::from_utf8(parameter.keyword).ok().filter(|keyword| !envelope.repeats(keyword))?;
    let verb = observation.verb()?;
    let session = observation.session;
    let value = parameter.value.unwrap_or_default();
    let bare = parameter.value.is_none();
    let asked = match (verb, keyword.to_ascii_uppercase().as_str()) {
        (Verb::Mail, "SIZE") if session.offers("SIZE") && fits(observation, value) => Asked::of("SIZE"),
        (Verb::Mail, "BODY") if takes_body(session, value) => Asked::of("BODY"),
        (Verb::Mail, "SMTPUTF8") if session.offers("SMTPUTF8") && bare => Asked::of("SMTPUTF8"),
        // Any other priority may be too low (RFC 6710 §4.1).
        (Verb::Mail, "MT-PRIORITY") if session.offers("MT-PRIORITY") && value == b"0" => {
            Asked::of("MT-PRIORITY")
        }
        (Verb::Mail, "REQUIRETLS") if session.offers("REQUIRETLS") && session.tls && bare => {
            Asked { decides: true, ..Asked::of("REQUIRETLS") }
        }
        (Verb::Mail, "SOLICIT") if session.offers("NO-SOLICITING") && is_class_list(value) => {
            Asked { decides: true, ..Asked::of("SOLICIT") }
        }
        (Verb::Mail, "CONPERM") if session.offers("CONPERM") && bare => Asked::of("CONPERM"),
        (Verb::Mail, "AUTH") if session.offers("AUTH") && value == b"<>" => {
            Asked { other: true, ..Asked::of("AUTH") }
        }
        (Verb::Rcpt, "RRVS") if session.offers("RRVS") && is_since(value) => {
            Asked { decides: true, ..Asked::of("RRVS") }
        }
        (Verb::Rcpt, "CONNEG") if session.offers("CONNEG") && bare => Asked::of("CONNEG"),
        _ if session.offers("DSN") && is_notification(observation, parameter) => {
            Asked { other: true, ..Asked::of("those of DSN") }
        }
        _ => return None,
    };
    Some(asked)
}

/// Returns whether a size is within all limits that are known.
fn fits(observation: &Observation<'_>, value: &[u8]) -> bool {
    let size = str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
    let offered = observation.session.offered.as_ref().and_then(|offered| offered.size_limit());
    let limits = [offered, observation.knowledge.size_limit];
    size.is_some_and(|size| limits.into_iter().flatten().all(|limit| size <= limit))
}

fn takes_body(session: &Session, value: &[u8]) -> bool {
    let is = |wanted: &[u8]| value.eq_ignore_ascii_case(wanted);
    session.offers("8BITMIME") && (is(b"8BITMIME") || is(b"7BIT"))
        || session.offers("BINARYMIME") && is(b"BINARYMIME")
}
