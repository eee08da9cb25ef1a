//! The rule about VRFY and EXPN with UTF-8, and with their parameter SMTPUTF8.

use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use super::{Connection, LocatedFindings};

/// A VRFY or EXPN to a server with SMTPUTF8.
struct Attempt {
    location: Location,
    verb: Verb,
    /// The TLS and the login of the session, and whether the name has a domain.
    circumstances: (bool, bool, bool),
    form: Form,
    number: u16,
}

/// What a command has that SMTPUTF8 adds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Plain,
    /// UTF-8 in its string.
    Name,
    /// The parameter SMTPUTF8.
    Parameter,
}

/// RFC 6531 §3.1, §3.7.4.2: a server with SMTPUTF8 that serves VRFY or EXPN takes UTF-8 in its string, and the parameter.
pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    // A line with octets above 127 is not read in the same way everywhere, so its reply is never certain to answer it.
    let attempts: Vec<Attempt> =
        (0..connection.length()).filter_map(|exchange| attempt(connection, exchange)).collect();
    for refused in attempts.iter().filter(|attempt| is_syntax_error(attempt)) {
        let special = match refused.form {
            Form::Plain => continue,
            Form::Name => "a UTF-8 name",
            Form::Parameter => "SMTPUTF8",
        };
        let same = |other: &&Attempt| {
            other.form == Form::Plain
                && other.verb == refused.verb
                && other.circumstances == refused.circumstances
        };
        let plain = || attempts.iter().filter(same);
        if plain().any(|other| matches!(other.number, 250..=252)) && !plain().any(is_syntax_error) {
            let (number, verb) = (refused.number, refused.verb.name());
            let detail = format!("{number} to {verb} with {special}, but {verb} is served");
            let expn = refused.verb == Verb::Expn;
            findings.at(refused.location).add_if(expn, RuleId::UTF8_VRFY_SERVED, "expn", detail);
        }
    }
}

/// Returns whether a command is refused for its form, and not for the name in it.
fn is_syntax_error(attempt: &Attempt) -> bool {
    matches!(attempt.number, 500 | 501 | 502 | 504 | 555)
}

fn attempt(connection: &Connection<'_>, exchange: usize) -> Option<Attempt> {
    let observation = connection.replies(exchange).next().filter(Observation::is_sure)?;
    let session = observation.session;
    let command = observation.command.filter(|command| matches!(command.verb(), Verb::Vrfy | Verb::Expn))?;
    let form = form(&command).filter(|_| session.offers("SMTPUTF8"))?;
    let policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let number = observation.number()?;
    (!policy).then_some(Attempt {
        location: connection.location(exchange, Some(0)),
        verb: command.verb(),
        circumstances: (session.tls, session.authenticated, command.argument().contains(&b'@')),
        form,
        number,
    })
}

/// Returns the form of a command. `None` if it is none of those that a server with SMTPUTF8 takes.
fn form(command: &Command<'_>) -> Option<Form> {
    let words: Vec<&[u8]> = command.words().collect();
    let name = words.first()?;
    let is_name = str::from_utf8(name).is_ok() && !name.iter().any(u8::is_ascii_control);
    match words.get(1) {
        _ if !is_name || words.len() > 2 => None,
        None if name.is_ascii() => Some(Form::Plain),
        None => Some(Form::Name),
        Some(word) => word.eq_ignore_ascii_case(b"SMTPUTF8").then_some(Form::Parameter),
    }
}
