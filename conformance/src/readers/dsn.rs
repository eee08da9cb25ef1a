//! Reads bounces: delivery status notifications (RFC 3464, RFC 6533), and texts of servers that send none.
//!
//! The replies are in the fields Diagnostic-Code, in the text, or in both; a reply in both is one. The returned message is
//! never read: its sender may have written anything into it.

mod diagnostic;
mod fields;
mod line;
mod paragraph;
mod part;
mod reply_code;

use std::collections::HashMap;
use std::collections::VecDeque;

use memchr::memmem;

use self::paragraph::Shown;
use self::part::{Kind, Part};
use super::mention::{Direction, Mention};
use crate::dsn::{Group, Name, Origin, Reply, Report, StatusPart};
use crate::limits::MESSAGE_OCTETS;

/// Reads a message. `None` if it is not a bounce, or longer than [`MESSAGE_OCTETS`].
#[must_use]
pub fn read(message: &[u8]) -> Option<Report> {
    if message.len() > MESSAGE_OCTETS {
        return None;
    }
    let mut report = Report::default();
    let mut shown: Vec<Shown> = Vec::new();
    let mut has_signature = false;
    let start = after_envelope(message);
    let is_of_server = part::parts(&message[start..], &mut |part| match part.kind {
        Kind::Status { is_global } => read_fields(&part, is_global, &mut report),
        Kind::Text => {
            let body = part.body();
            has_signature |= is_signed(&body);
            shown.extend(paragraph::read(part.lines(&body)));
        }
        Kind::Other => {}
    });
    let is_of_server = is_of_server || has_signature;
    if report.status_part.is_none() && (shown.is_empty() || !is_of_server) {
        return None;
    }
    report.replies = replies(&report.recipients, shown);
    shift(&mut report, message, start);
    Some(report)
}

/// Returns the mentions of the replies of a bounce.
pub fn mentions(report: &Report) -> impl Iterator<Item = Mention<'_>> {
    report.replies.iter().map(|reply| Mention {
        reply: reply.text.as_slice().into(),
        direction: match reply.origin {
            Origin::Remote => Direction::Received,
            Origin::Reporter => Direction::Unknown,
        },
        stage: reply.stage,
        host: reply.host.as_deref(),
        status: reply.group.and_then(|group| report.recipients.get(group)?.status()),
        offset: reply.offset,
        is_repeat: false,
    })
}

/// Returns where the message begins after the envelope that nullmailer writes before it: the sender, who is empty, and a
/// line for each recipient.
fn after_envelope(message: &[u8]) -> usize {
    let envelope = memmem::find(message, b"\n\n").filter(|_| message.starts_with(b"\n"));
    let Some(end) = envelope else { return 0 };
    let mut recipients = message[1..end.max(1)].split(|&octet| octet == b'\n');
    if recipients.all(|line| line.contains(&b'@') && !line.contains(&b' ')) { end + 2 } else { 0 }
}

/// Counts lines and octets from the start of the file, and not of the message in it.
fn shift(report: &mut Report, message: &[u8], start: usize) {
    let lines = memchr::memchr_iter(b'\n', &message[..start]).count();
    if start == 0 {
        return;
    }
    if let Some(part) = &mut report.status_part {
        part.line += lines;
        part.eight_bit = part.eight_bit.map(|line| line + lines);
    }
    for group in report.recipients.iter_mut().chain([&mut report.message]).filter(|group| group.line > 0) {
        group.line += lines;
        group.stray = group.stray.map(|line| line + lines);
        for field in &mut group.fields {
            field.line += lines;
            field.offset += start;
        }
    }
    for reply in &mut report.replies {
        reply.line += lines;
        reply.offset += start;
    }
}

fn read_fields(part: &Part<'_>, is_global: bool, report: &mut Report) {
    let body = part.body();
    let eight_bit = part.lines(&body).find(|line| !line.text.is_ascii()).map(|line| line.number);
    let line = part.start.number;
    let (container, report_type) = match &part.container {
        Some(container) => (Some(container.content_type.clone()), container.report_type.clone()),
        None => (None, None),
    };
    report.status_part.get_or_insert(StatusPart { line, is_global, eight_bit, container, report_type });
    fields::read(part.lines(&body), report);
}

/// Returns whether a text begins like those of qmail (QSBMF), or of dma.
fn is_signed(body: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 2] = [b"Hi. This is the ", b"This is the DragonFly Mail Agent"];
    let text = body.trim_ascii_start();
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Joins what the fields show and what the text shows, so that each reply is there once.
fn replies(recipients: &[Group], shown: Vec<Shown>) -> Vec<Reply> {
    if recipients.is_empty() {
        return shown.into_iter().map(|shown| from_text(shown, None)).collect();
    }
    let mut texts = Texts::new(shown);
    let mut replies = Vec::new();
    for (index, group) in recipients.iter().enumerate() {
        let field = group.get(Name::DiagnosticCode);
        let diagnosed = field.and_then(diagnostic::reply);
        let text = texts.take(group, diagnosed.as_ref().map(|(reply, _)| reply.as_slice()));
        let reply = match (field, diagnosed, text) {
            (_, Some(_), Some(text)) if text.is_transcribed => from_text(text, Some(index)),
            (Some(field), Some((text, origin)), shown) => Reply {
                text,
                origin,
                group: Some(index),
                recipient: Vec::new(),
                stage: shown.as_ref().and_then(|shown| shown.stage),
                host: shown.and_then(|shown| shown.host),
                line: field.line,
                offset: field.offset,
            },
            (None, _, Some(text)) => from_text(text, Some(index)),
            (Some(field), None, Some(text)) if field.untyped().is_empty() => from_text(text, Some(index)),
            // What the field calls something else is no reply in the text either.
            _ => continue,
        };
        replies.push(completed(reply, group));
    }
    replies
}

fn from_text(shown: Shown, group: Option<usize>) -> Reply {
    Reply {
        text: shown.text,
        origin: Origin::Remote,
        group,
        recipient: shown.recipient.unwrap_or_default(),
        stage: shown.stage,
        host: shown.host,
        line: shown.line,
        offset: shown.offset,
    }
}

/// Adds what the fields about the recipient say.
fn completed(reply: Reply, group: &Group) -> Reply {
    let address = address(group, Name::FinalRecipient).or_else(|| address(group, Name::OriginalRecipient));
    let host = group.get(Name::RemoteMta).map(|field| {
        let name = field.untyped();
        let end = name.iter().position(|octet| b" ([\n".contains(octet)).unwrap_or(name.len());
        name[..end].to_vec()
    });
    Reply {
        recipient: address.map_or(reply.recipient, <[u8]>::to_vec),
        host: host.filter(|name| !name.is_empty()).or(reply.host),
        ..reply
    }
}

/// Returns the address of a recipient.
fn address(group: &Group, name: Name) -> Option<&[u8]> {
    let address = group.get(name)?.untyped();
    let address =
        address.strip_prefix(b"<").and_then(|address| address.strip_suffix(b">")).unwrap_or(address);
    (!address.is_empty()).then_some(address)
}

/// The replies of the text that no recipient has yet.
struct Texts {
    shown: Vec<Option<Shown>>,
    /// The indices of those that name a recipient, by the recipient.
    of_recipient: HashMap<Vec<u8>, VecDeque<usize>>,
    /// The index of the first of those that name none, by their beginning.
    of_nobody: HashMap<Vec<u8>, usize>,
    first_of_nobody: Option<usize>,
}

impl Texts {
    fn new(shown: Vec<Shown>) -> Texts {
        let mut texts = Texts {
            shown: Vec::new(),
            of_recipient: HashMap::new(),
            of_nobody: HashMap::new(),
            first_of_nobody: None,
        };
        for (index, one) in shown.into_iter().enumerate() {
            if let Some(recipient) = &one.recipient {
                texts.of_recipient.entry(recipient.to_ascii_lowercase()).or_default().push_back(index);
            } else {
                texts.of_nobody.entry(beginning(&one.text)).or_insert(index);
                texts.first_of_nobody.get_or_insert(index);
            }
            texts.shown.push(Some(one));
        }
        texts
    }

    /// Returns the reply that the text shows for a recipient.
    fn take(&mut self, group: &Group, diagnosed: Option<&[u8]>) -> Option<Shown> {
        for name in [Name::FinalRecipient, Name::OriginalRecipient] {
            let address = address(group, name).map(<[u8]>::to_ascii_lowercase);
            let of_recipient = address.and_then(|address| self.of_recipient.get_mut(&address));
            if let Some(index) = of_recipient.and_then(VecDeque::pop_front) {
                return self.shown.get_mut(index)?.take();
            }
        }
        let index = match diagnosed {
            Some(reply) => self.of_nobody.get(&beginning(reply)).copied(),
            None => self.first_of_nobody.take(),
        };
        self.shown.get_mut(index?)?.take()
    }
}

/// Returns what two copies of a reply have in common: the beginning of the first line.
fn beginning(reply: &[u8]) -> Vec<u8> {
    const OCTETS: usize = 60;
    let line = reply.split(|&octet| octet == b'\n').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let mut joined = words.join(&b' ');
    joined.truncate(OCTETS);
    joined
}

#[cfg(test)]
mod tests;
