//! DATA and the message.

use super::{Connection, Opinion, Sending};
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

pub(super) fn judge(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    refused_locally(connection, sending, opinion);
    for (index, step) in connection.steps.iter().enumerate() {
        if step.verb() == Some(Verb::Data) {
            refused_data(connection, index, sending.message, opinion);
        }
        match &step.exchange.act {
            Act::Message(octets) if step.session.is_in_data() && is_first_part(connection, index) => {
                let octets = whole(connection, index, octets);
                lone_dot(connection, index, &octets, opinion);
                line_ends(connection, index, &octets, opinion);
                high_octets(connection, index, sending.message, &octets, opinion);
                dots(connection, index, sending.message, &octets, opinion);
            }
            _ => {}
        }
        bare_line_end(connection, index, opinion);
    }
}

/// RFC 5321 §3.3: without 354, no message follows.
fn refused_data(connection: &Connection<'_>, index: usize, message: &[u8], opinion: &mut Opinion) {
    let step = &connection.steps[index];
    let Some(number) = step.number().filter(|number| *number != 354) else { return };
    if step.exchange.end != End::Answered {
        return;
    }
    let after = connection.steps.iter().enumerate().skip(index + 1);
    let unknown = after.take_while(|(_, step)| step.verb() == Some(Verb::Other));
    let text = unknown.into_iter().find(|(_, step)| is_text(step, message));
    match text {
        Some((place, _)) => {
            let detail = format!("a line of the message after {number} to DATA");
            opinion.violate(RuleId::CLIENT_SENDS_DATA_AFTER_354, connection.location(place), detail);
        }
        None => opinion.keep(RuleId::CLIENT_SENDS_DATA_AFTER_354),
    }
}

/// Returns whether a line that was read as a command is a line of a message: one that the client was given, or a header
/// field.
fn is_text(step: &Step<'_>, message: &[u8]) -> bool {
    let Some(command) = step.command else { return false };
    let line = command.octets().trim_ascii_end();
    let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
    let is_field = name.len() < line.len()
        && !name.is_empty()
        && name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    is_given(step, message) || is_field
}

/// Returns whether a line that was read as a command is a line of the message that the client was given.
fn is_given(step: &Step<'_>, message: &[u8]) -> bool {
    let line = step.command.map(|command| command.octets().trim_ascii_end()).unwrap_or_default();
    !line.is_empty() && lines(message).any(|given| given == line)
}

/// RFC 2920 §3.1: if 354 comes although no recipient was accepted, the client ends the message at once.
fn lone_dot(connection: &Connection<'_>, index: usize, octets: &[u8], opinion: &mut Opinion) {
    if !connection.steps[index].session.has_only_refused_recipients() {
        return;
    }
    if octets == b".\r\n" || octets == b"\r\n.\r\n" {
        return opinion.keep(RuleId::CLIENT_COUNTS_REPLIES);
    }
    // A client may also close the connection instead.
    if !connection.steps[index].session.ends_message(octets) {
        return;
    }
    let detail = "the message was sent although no recipient was accepted";
    let rule = RuleId::CLIENT_COUNTS_REPLIES;
    opinion.violate_under(Some("no-recipient"), rule, connection.location(index), detail);
}

/// RFC 5321 §2.3.8: CR and LF are sent only together.
fn line_ends(connection: &Connection<'_>, index: usize, octets: &[u8], opinion: &mut Opinion) {
    let bare = octets.iter().enumerate().find_map(|(place, octet)| match octet {
        b'\n' if place == 0 || octets[place - 1] != b'\r' => Some("LF without CR"),
        b'\r' if octets.get(place + 1).is_some_and(|next| *next != b'\n') => Some("CR without LF"),
        _ => None,
    });
    match bare {
        Some(which) => {
            let detail = format!("the message has {which}");
            opinion.violate(RuleId::CLIENT_LINES_END_CRLF, connection.location(index), detail);
        }
        None => opinion.keep(RuleId::CLIENT_LINES_END_CRLF),
    }
}

fn bare_line_end(connection: &Connection<'_>, index: usize, opinion: &mut Opinion) {
    let Some(command) = connection.steps[index].command else { return };
    let octets = command.octets();
    if octets.ends_with(b"\n") && !octets.ends_with(b"\r\n") && command.verb() != Verb::Other {
        let detail = format!("{} ends in LF without CR", command.verb().name());
        opinion.violate(RuleId::CLIENT_LINES_END_CRLF, connection.location(index), detail);
    }
}

/// RFC 6152 §3: octets above 127 need 8BITMIME.
fn high_octets(
    connection: &Connection<'_>,
    index: usize,
    message: &[u8],
    octets: &[u8],
    opinion: &mut Opinion,
) {
    if message.is_ascii() || connection.steps[index].session.offers("8BITMIME") {
        return;
    }
    if octets.is_ascii() {
        return opinion.keep(RuleId::CLIENT_8BIT_NEEDS_8BITMIME);
    }
    let detail = "the message has octets above 127, though 8BITMIME is not offered";
    opinion.violate(RuleId::CLIENT_8BIT_NEEDS_8BITMIME, connection.location(index), detail);
}

/// A client that was given a message with such octets, and ends without sending any, keeps the rule too.
fn refused_locally(connection: &Connection<'_>, sending: &Sending<'_>, opinion: &mut Opinion) {
    let is_told = |step: &Step<'_>| step.session.offered.is_some() && !step.session.offers("8BITMIME");
    let has_begun = |step: &Step<'_>| matches!(step.verb(), Some(Verb::Data | Verb::Bdat));
    let steps = || connection.steps.iter();
    if !sending.message.is_ascii() && steps().any(is_told) && !steps().any(has_begun) {
        opinion.keep(RuleId::CLIENT_8BIT_NEEDS_8BITMIME);
    }
}

/// RFC 5321 §4.5.2: a line that begins with a dot gets another one. A message without its end shows too little.
fn dots(connection: &Connection<'_>, index: usize, message: &[u8], octets: &[u8], opinion: &mut Opinion) {
    if dotted(message).next().is_none() || !connection.steps[index].session.ends_message(octets) {
        return;
    }
    let content = octets.strip_suffix(b".\r\n").unwrap_or(octets);
    let wrong = if dotted(content).next().is_none() {
        // A client may have put the text into another form.
        let mut after = connection.steps.iter().skip(index + 1);
        if !after.any(|step| is_given(step, message)) {
            return;
        }
        Some("a line with a dot alone ended the message, and the rest was sent as commands")
    } else {
        wrong_dots(message, content)
    };
    match wrong {
        Some(detail) => {
            opinion.violate(RuleId::CLIENT_DOT_TRANSPARENCY, connection.location(index), detail);
        }
        None => opinion.keep(RuleId::CLIENT_DOT_TRANSPARENCY),
    }
}

/// Returns what is wrong with the lines that begin with a dot.
fn wrong_dots(given: &[u8], sent: &[u8]) -> Option<&'static str> {
    if dotted(sent).any(|line| !line.starts_with(b"..")) {
        return Some("a line that begins with a dot did not get another one");
    }
    let is_doubled = dotted(sent).map(|line| &line[1..]).eq(dotted(given));
    (!is_doubled && !is_encoded(sent))
        .then_some("the lines that begin with a dot are not the given ones with one more dot")
}

/// Returns whether the lines that begin with a dot are not the given ones. `None` if there are none, or if the client has put
/// the text into another form.
pub(super) fn changed_dots(given: &[u8], sent: &[u8]) -> Option<bool> {
    dotted(given).next()?;
    dotted(sent).next()?;
    let is_changed = !dotted(sent).eq(dotted(given));
    (!is_changed || !is_encoded(sent)).then_some(is_changed)
}

/// Returns the lines that begin with a dot, without the blanks at their ends.
fn dotted(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(message).filter(|line| line.starts_with(b".")).map(<[u8]>::trim_ascii_end)
}

/// Returns whether a message has lines that are not those it was made from.
fn is_encoded(content: &[u8]) -> bool {
    lines(content).any(|line| {
        let line = line.to_ascii_lowercase();
        let encoding = line.strip_prefix(b"content-transfer-encoding:").map(<[u8]>::trim_ascii);
        encoding.is_some_and(|one| one.starts_with(b"base64") || one.starts_with(b"quoted-printable"))
    })
}

fn is_first_part(connection: &Connection<'_>, index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| connection.steps.get(before));
    before.is_none_or(|step| !matches!(step.exchange.act, Act::Message(_)))
}

/// Returns a message with the parts that were sent after a reply to its first part.
fn whole(connection: &Connection<'_>, index: usize, first: &[u8]) -> Vec<u8> {
    let mut octets = first.to_vec();
    for step in connection.steps.iter().skip(index + 1) {
        let Act::Message(part) = &step.exchange.act else { break };
        octets.extend_from_slice(part);
    }
    octets
}

/// Returns the lines of a message without their ends.
fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    message.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
