//! MAIL and RCPT: their parameters and addresses.

use super::{Connection, Envelope, Opinion, Sending};
use crate::dialogue::session::Step;
use crate::protocol::command::{self, Parameter, Verb};
use crate::protocol::notation::shown;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    for (index, step) in connection.steps.iter().enumerate() {
        if let Some(envelope) = step.command.and_then(|command| command.envelope()) {
            // What follows a `>` within such an address looks like parameters.
            if sending.envelope.injected.is_none() {
                parameters(connection, index, &envelope, opinion);
            }
            non_ascii(connection, index, &envelope, opinion);
        }
    }
    refused_locally(connection, sending, opinion);
    if let Some(argument) = &sending.envelope.injected {
        injection(connection, argument.as_bytes(), opinion);
    }
}

/// RFC 5321 §3.3: a client uses parameters only of extensions that the server offers. Those that begin with X are up to
/// client and server (§2.2.2).
fn parameters(
    connection: &Connection<'_>,
    index: usize,
    envelope: &command::Envelope<'_>,
    opinion: &mut Opinion,
) {
    let session = &connection.steps[index].session;
    let unoffered = |parameter: &Parameter<'_>| {
        let is_private = parameter.keyword.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'x'));
        !is_private && !session.offers(&extension(parameter))
    };
    match envelope.parameters().find(unoffered) {
        Some(parameter) => {
            let (name, keyword) = (shown(parameter.keyword), extension(&parameter));
            let detail = format!("{name} though {keyword} is not offered");
            opinion.violate(RuleId::CLIENT_UNOFFERED_PARAMETER, connection.location(index), detail);
        }
        None => opinion.keep(RuleId::CLIENT_UNOFFERED_PARAMETER),
    }
}

/// Returns the keyword of EHLO that a parameter needs.
fn extension(parameter: &Parameter<'_>) -> String {
    let name = String::from_utf8_lossy(parameter.keyword).to_ascii_uppercase();
    let is_binary = parameter.value.is_some_and(|value| value.eq_ignore_ascii_case(b"BINARYMIME"));
    let keyword = match name.as_str() {
        "BODY" if is_binary => "BINARYMIME",
        "BODY" => "8BITMIME",
        "RET" | "ENVID" | "NOTIFY" | "ORCPT" => "DSN",
        "BY" => "DELIVERBY",
        "HOLDFOR" | "HOLDUNTIL" => "FUTURERELEASE",
        "SOLICIT" => "NO-SOLICITING",
        "TRANSID" => "CHECKPOINT",
        // Not a parameter that a client may use if it cannot use another one, so its own name is right.
        _ => return name,
    };
    keyword.to_owned()
}

/// RFC 6531 §3.1: an address with other octets than ASCII needs SMTPUTF8, both in the list of EHLO and as a parameter.
fn non_ascii(
    connection: &Connection<'_>,
    index: usize,
    envelope: &command::Envelope<'_>,
    opinion: &mut Opinion,
) {
    let step = &connection.steps[index];
    if envelope.path().is_none_or(<[u8]>::is_ascii) {
        return;
    }
    let detail = if !step.session.offers("SMTPUTF8") {
        "an address that is not ASCII, though SMTPUTF8 is not offered"
    } else if !has_parameter(step, envelope) {
        "an address that is not ASCII, and MAIL without the parameter SMTPUTF8"
    } else {
        return opinion.keep(RuleId::CLIENT_UTF8_NEEDS_SMTPUTF8);
    };
    opinion.violate(RuleId::CLIENT_UTF8_NEEDS_SMTPUTF8, connection.location(index), detail);
}

/// A client that was given such an address, and ends without sending it, keeps the rule too.
fn refused_locally(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    let Envelope { sender, recipients, .. } = sending.envelope;
    let is_ascii = sender.is_ascii() && recipients.iter().all(|recipient| recipient.is_ascii());
    let is_told = |step: &Step<'_>| step.session.offered.is_some() && !step.session.offers("SMTPUTF8");
    let names_path = |step: &Step<'_>| {
        let envelope = step.command.and_then(|command| command.envelope());
        envelope.and_then(|envelope| envelope.path()).is_some_and(|path| !path.is_ascii())
    };
    if !is_ascii && connection.steps.iter().any(is_told) && !connection.steps.iter().any(names_path) {
        opinion.keep(RuleId::CLIENT_UTF8_NEEDS_SMTPUTF8);
    }
}

fn has_parameter(step: &Step<'_>, envelope: &command::Envelope<'_>) -> bool {
    if step.verb() == Some(Verb::Mail) {
        return envelope.parameter("SMTPUTF8").is_some();
    }
    step.session.transaction.as_ref().is_none_or(|transaction| transaction.has("SMTPUTF8"))
}

/// An address with CR LF must not become a command of its own (RFC 5321 §4.1.2).
fn injection(connection: &Connection<'_>, argument: &[u8], opinion: &mut Opinion) {
    let is_injected = |step: &Step<'_>| {
        step.command
            .is_some_and(|command| command.verb() == Verb::Noop && command.argument().starts_with(argument))
    };
    let position = |is_wrong: &dyn Fn(&Step<'_>) -> bool| connection.steps.iter().position(is_wrong);
    let (index, detail) = if let Some(index) = position(&is_injected) {
        (index, "a line within an address was sent as a command")
    } else if let Some(index) = position(&has_control) {
        (index, "a control character of an address was sent")
    } else {
        return opinion.keep(RuleId::CLIENT_ADDRESS_INJECTION);
    };
    opinion.violate(RuleId::CLIENT_ADDRESS_INJECTION, connection.location(index), detail);
}

/// Returns whether MAIL or RCPT has a control character before its end.
fn has_control(step: &Step<'_>) -> bool {
    let Some(command) = step.command else { return false };
    let line = command.octets();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    matches!(command.verb(), Verb::Mail | Verb::Rcpt) && line.iter().any(u8::is_ascii_control)
}
