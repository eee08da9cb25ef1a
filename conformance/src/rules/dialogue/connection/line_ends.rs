//! What ends a command and a message: nothing but CR LF (RFC 5321 §2.3.8, §4.1.1.4).

use crate::dialogue::batch::{due, is_plain};
use crate::dialogue::session::Step;
use crate::dialogue::{Act, End};
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;

use super::{Connection, LocatedFindings};

pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    commands(connection, findings);
    messages(connection, findings);
}

/// Reports the first command that the server took for complete at a bare CR or LF.
fn commands(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    for (position, step) in connection.steps.iter().enumerate() {
        let Act::Command(octets) = &step.exchange.act else { continue };
        let Some(end) = bare_end(octets) else { continue };
        // The octets before were read as the client meant them, so the first reply is to this line.
        let is_first = connection.steps.iter().take(position).all(|step| step.exchange.sure);
        let number = step.number().filter(|number| (200..400).contains(number));
        if is_first && let Some(number) = number {
            let detail = format!("{number} to a line that ends in {end} alone");
            let location = connection.location(position, Some(0));
            findings.at(location).add(RuleId::COMMAND_ENDS_AT_CRLF, detail);
        }
        return;
    }
}

/// Returns the bare CR or LF at the end of a line, if the line has no other end.
fn bare_end(octets: &[u8]) -> Option<&'static str> {
    let (last, line) = octets.split_last()?;
    let is_clean = !line.is_empty() && !line.iter().any(|octet| matches!(octet, b'\r' | b'\n'));
    match last {
        b'\n' if is_clean => Some("LF"),
        b'\r' if is_clean => Some("CR"),
        _ => None,
    }
}

/// Reports the first message that the server took for complete before its end, or at octets that only look like its end.
fn messages(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let mut text: Vec<u8> = Vec::new();
    for (position, step) in connection.steps.iter().enumerate() {
        let Act::Message(octets) = &step.exchange.act else { continue };
        text.extend_from_slice(octets);
        let end = lookalike(&text).map(names);
        if step.session.leaves_message_open(&step.exchange.act) {
            if let Some(number) = early(step) {
                let findings = findings.at(connection.location(position, Some(0)));
                // Many replies are to lines of the text. A second one may be to what is left after the lookalike.
                let is_only = step.exchange.received() <= 2;
                match end.filter(|_| number < 400 && is_only) {
                    Some(end) => {
                        findings.add(RuleId::MESSAGE_ENDS_AT_CRLF_DOT_CRLF, format!("{number} after {end}"));
                    }
                    None => findings.add(
                        RuleId::MESSAGE_READ_TO_ITS_END,
                        format!("{number} before the end of the message"),
                    ),
                }
                return;
            }
            continue;
        }
        if let Some(end) = end
            && let Some(Surplus { nth, shown }) = surplus(connection, position, step)
        {
            // How many of them come before the next command is a matter of time.
            let detail = format!("surplus replies to one message, with {end} in it");
            let location = connection.location(position, nth);
            findings.at(location).add_shown(RuleId::MESSAGE_ENDS_AT_CRLF_DOT_CRLF, detail, shown);
            return;
        }
        text.clear();
    }
}

/// Returns the reply code that came before the end of a message. A server may refuse what it reads and close, and it may
/// shut down at any time (RFC 5321 §3.8).
fn early(step: &Step<'_>) -> Option<u16> {
    let number = step.number()?;
    let closes = step.exchange.end == End::Closed && number >= 400;
    (number != 421 && !closes).then_some(number)
}

/// More replies than are due to a message.
struct Surplus {
    /// The index of the first surplus reply, if it is among those to the message.
    nth: Option<usize>,
    /// The exchange that shows it.
    shown: usize,
}

/// Finds surplus replies to a message. If they come late, they follow those to later acts, and only the 221 to QUIT shows
/// how many there are.
fn surplus(connection: &Connection<'_>, position: usize, step: &Step<'_>) -> Option<Surplus> {
    let closes = |step: &Step<'_>| step.replies.iter().any(|reply| reply.number() == Some(421));
    let (own, most) = (step.exchange.received(), *due(step).end());
    if closes(step) {
        return None;
    }
    if own > most {
        return Some(Surplus { nth: Some(most), shown: position });
    }
    let rest = connection.steps.get(position + 1..)?;
    let quit = rest.iter().position(|step| step.verb() == Some(Verb::Quit))?;
    let until = rest.get(..=quit)?;
    let is_fenced = until.last()?.replies.iter().last()?.number() == Some(221);
    let received: usize = until.iter().map(|step| step.exchange.received()).sum();
    let later: usize = until.iter().map(|step| *due(step).end()).sum();
    let is_known = until.iter().all(|step| is_plain(step) && !closes(step));
    if !is_fenced || !is_known || own + received <= most + later {
        return None;
    }
    let first = until.iter().position(|step| step.exchange.received() > *due(step).end()).unwrap_or(quit);
    Some(Surplus { nth: None, shown: position + 1 + first })
}

/// Returns octets that look like the end of a message and are not: a dot, or two, between any of CR LF, CR and LF, and
/// perhaps NUL or blanks after the dot.
fn lookalike(text: &[u8]) -> Option<&[u8]> {
    memchr::memchr_iter(b'.', text).find_map(|dot| {
        let before = text.get(..dot)?;
        let start = match before {
            [.., b'\r', b'\n'] => dot - 2,
            [.., b'\n' | b'\r'] => dot - 1,
            _ => return None,
        };
        let rest = text.get(dot + 1..)?;
        let rest = rest.strip_prefix(b".").unwrap_or(rest);
        let blanks = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | 0)).count();
        let length = match rest.get(blanks..)? {
            [b'\r', b'\n', ..] => 2,
            [b'\r', 0, b'\n', ..] => 3,
            [b'\r' | b'\n', ..] => 1,
            _ => return None,
        };
        let end = text.len() - rest.len() + blanks + length;
        let octets = text.get(start..end)?;
        let is_stuffed = octets == b"\r\n..\r\n";
        (octets != b"\r\n.\r\n" && !is_stuffed).then_some(octets)
    })
}

/// Names the octets of a lookalike: `LF . CR LF`.
fn names(octets: &[u8]) -> String {
    let name = |octet: &u8| match octet {
        b'\r' => "CR".to_owned(),
        b'\n' => "LF".to_owned(),
        b' ' => "SP".to_owned(),
        b'\t' => "TAB".to_owned(),
        0 => "NUL".to_owned(),
        other => char::from(*other).to_string(),
    };
    octets.iter().map(name).collect::<Vec<_>>().join(" ")
}
