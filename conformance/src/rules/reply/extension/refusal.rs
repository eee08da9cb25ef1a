//! What shows why a command was refused: the enhanced status code of the reply, and the parameters of the command.

use smtp_enhanced_status::EnhancedStatusCode;

use crate::dialogue::session::Session;
use crate::protocol::command::{Command, Envelope, Parameter, Verb, is_mailbox};
use crate::rules::observation::Observation;

/// Returns the enhanced status code, if the server announced codes and its class agrees with the reply code.
pub(super) fn promised(observation: &Observation<'_>) -> Option<EnhancedStatusCode> {
    let agrees = |code: &EnhancedStatusCode| observation.digit() == Some(u16::from(code.class().digit()));
    observation.enhanced().filter(|code| observation.promises_code() && agrees(code))
}

/// Returns whether [`promised`] gives a code that is none of these.
pub(super) fn differs(observation: &Observation<'_>, permitted: &[(u16, u16)]) -> bool {
    promised(observation).is_some_and(|code| !permitted.contains(&(code.subject(), code.detail())))
}

/// Returns the envelope of a MAIL or RCPT that comes in the right state and can be read in only one way.
pub(super) fn envelope<'a>(observation: &Observation<'a>) -> Option<Envelope<'a>> {
    envelope_of(observation.command?, observation.session)
}

/// As [`envelope`], for a command that a session could have had.
pub(super) fn envelope_of<'a>(command: Command<'a>, session: &Session) -> Option<Envelope<'a>> {
    let in_place = match command.verb() {
        Verb::Mail => session.hello.is_some() && session.transaction.is_none(),
        _ => session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_none()),
    };
    if in_place && command.is_plain() { command.envelope() } else { None }
}

/// Returns whether only these parameters can be wrong with the form of an envelope.
pub(super) fn has_only(envelope: &Envelope<'_>, keywords: &[&str]) -> bool {
    let path = envelope.path().is_some_and(|path| path.is_empty() || is_mailbox(path));
    let known = |parameter: Parameter<'_>| keywords.iter().any(|keyword| parameter.is(keyword));
    path && !envelope.is_indented() && envelope.parameters().all(known)
}

/// Returns whether the form of an envelope is right and it has no parameters but these, so that only their values, or
/// the extensions that they belong to, can be a reason to refuse it as a syntax error.
pub(super) fn is_sound(envelope: &Envelope<'_>, keywords: &[&str]) -> bool {
    envelope.is_well_formed() && has_only(envelope, keywords)
}

/// Returns whether a refusal of MAIL or RCPT gives a parameter as its reason: 504 and 555 do by their meaning (RFC 5321
/// §4.2.2), and any code does with X.5.4, invalid command arguments (RFC 3463 §3.6).
pub(super) fn blames_parameter(observation: &Observation<'_>) -> bool {
    observation.is_refused() && (observation.is(&[504, 555]) || observation.has_detail(&[(5, 4)]))
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
