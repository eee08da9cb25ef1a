//! What a reply shows about its reason, and which reasons are possible for its command.

use smtp_enhanced_status::EnhancedStatusCode;

use crate::protocol::command::{Command, Envelope, Parameter, Verb, is_mailbox};
use crate::rules::observation::Observation;

/// Returns whether the command was accepted.
pub(super) fn is_accepted(observation: &Observation<'_>) -> bool {
    observation.digit() == Some(2)
}

/// Returns whether the command was refused for good.
pub(super) fn is_refused(observation: &Observation<'_>) -> bool {
    observation.digit() == Some(5)
}

/// Returns whether the command was refused, for good or for now.
pub(super) fn is_turned_down(observation: &Observation<'_>) -> bool {
    matches!(observation.digit(), Some(4 | 5))
}

/// Returns whether the enhanced status code has one of these subjects and details, of any class.
pub(super) fn names(observation: &Observation<'_>, wanted: &[(u16, u16)]) -> bool {
    observation.enhanced().is_some_and(|code| wanted.contains(&(code.subject(), code.detail())))
}

/// Returns the enhanced status code, if the server announced codes and its class agrees with the reply code.
pub(super) fn promised(observation: &Observation<'_>) -> Option<EnhancedStatusCode> {
    let agrees = |code: &EnhancedStatusCode| observation.digit() == Some(u16::from(code.class().digit()));
    observation.enhanced().filter(|code| observation.promises_code() && agrees(code))
}

/// Returns whether [`promised`] gives a code that is none of these.
pub(super) fn differs(observation: &Observation<'_>, permitted: &[(u16, u16)]) -> bool {
    promised(observation).is_some_and(|code| !permitted.contains(&(code.subject(), code.detail())))
}

/// Returns whether the text contains one of `words`, which are in lower case.
pub(super) fn says(observation: &Observation<'_>, words: &[&str]) -> bool {
    let text = text(observation);
    words.iter().any(|word| text.contains(word))
}

/// Returns the text of all lines in lower case.
pub(super) fn text(observation: &Observation<'_>) -> String {
    let lines = observation.reply.lines().map(|line| String::from_utf8_lossy(line.text()).to_lowercase());
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the codes of the reply, for a finding's detail.
pub(super) fn codes(observation: &Observation<'_>) -> String {
    let number = observation.number().unwrap_or_default();
    match observation.enhanced() {
        Some(code) => format!("{number} {code}"),
        None => number.to_string(),
    }
}

/// Returns the envelope of a MAIL or RCPT that comes in the right state and can be read in only one way.
pub(super) fn envelope<'a>(observation: &Observation<'a>) -> Option<Envelope<'a>> {
    let command = observation.command.filter(Command::is_plain)?;
    let session = observation.session;
    let in_place = match command.verb() {
        Verb::Mail => session.hello.is_some() && session.transaction.is_none(),
        _ => session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_none()),
    };
    if in_place { command.envelope() } else { None }
}

/// Returns whether only these parameters can be wrong with the form of an envelope.
pub(super) fn has_only(envelope: &Envelope<'_>, keywords: &[&str]) -> bool {
    let path = envelope.path().is_some_and(|path| path.is_empty() || is_mailbox(path));
    let known = |parameter: Parameter<'_>| keywords.iter().any(|keyword| parameter.is(keyword));
    path && !envelope.is_indented() && envelope.parameters().all(known)
}

/// Returns whether a refusal of MAIL or RCPT gives a parameter as its reason: 504 and 555 do by their meaning (RFC 5321
/// §4.2.2), and any code does with X.5.4, invalid command arguments (RFC 3463 §3.6).
pub(super) fn blames_parameter(observation: &Observation<'_>) -> bool {
    is_refused(observation) && (observation.is(&[504, 555]) || names(observation, &[(5, 4)]))
}

/// Returns whether the command, or the MAIL of this transaction, has a parameter.
pub(super) fn has_parameter(observation: &Observation<'_>, keyword: &str) -> bool {
    let here = observation.command.and_then(|command| command.envelope());
    here.is_some_and(|envelope| envelope.parameter(keyword).is_some())
        || observation.session.transaction.as_ref().is_some_and(|transaction| transaction.has(keyword))
}

/// Returns whether the reply decides about the message, its sender, or a recipient.
pub(super) fn is_about_mail(observation: &Observation<'_>) -> bool {
    matches!(observation.verb(), Some(Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::Burl))
        || observation.is_end_of_data()
}
