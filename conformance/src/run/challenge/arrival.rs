//! What could have arrived instead of what did: the same message with something changed.

use crate::dialogue::arrival::{Arrival, Arrived};
use crate::dialogue::content::{content, interrupted};
use crate::dialogue::{Dialogue, Exchange};
use crate::protocol::command::Verb;

/// What the client sent.
struct Sent {
    content: Vec<u8>,
    /// The addresses in all RCPT of the connection.
    recipients: Vec<String>,
    /// The address in the last MAIL of the connection.
    sender: String,
}

/// The changes. Each can break other rules.
const CHANGES: [fn(&mut Arrived, &Sent); 16] = [
    another_copy,
    another_message,
    other_header,
    other_sender,
    other_recipients,
    other_received,
    routed_paths,
    completed_sender,
    recipient_of_header,
    |arrived, _| each_body(arrived, |body| replaced(body, is_special, b'?')),
    |arrived, _| each_body(arrived, |body| replaced(body, |octet| octet == b'e', b'x')),
    |arrived, _| each_body(arrived, |body| each_line(body, |line| line.trim_ascii_end().to_vec())),
    |arrived, _| each_body(arrived, |body| each_line(body, more_dots)),
    |arrived, _| each_body(arrived, |body| [body, b"more\r\n"].concat()),
    |arrived, _| each_body(arrived, |body| [body, b"mo\rre\r\n"].concat()),
    |arrived, sent| each_body(arrived, |_| with_line_ends(body(&sent.content))),
];

/// Returns a dialogue for each thing that could have arrived of a message. There is none if nobody looked.
pub(super) fn others(dialogue: &Dialogue, subject: usize) -> Vec<Dialogue> {
    let exchanges: Vec<&Exchange> = dialogue.exchanges.iter().collect();
    let is_read = exchanges.get(subject).is_some_and(|exchange| exchange.arrived.is_some());
    let content = content(&exchanges, subject).or_else(|| interrupted(&exchanges, subject));
    let Some(content) = content.filter(|_| is_read) else { return Vec::new() };
    let paths = |verb| {
        exchanges.iter().filter_map(move |exchange| {
            let command = exchange.command().filter(|command| command.verb() == verb)?;
            Some(String::from_utf8_lossy(command.envelope()?.path()?).into_owned())
        })
    };
    let sender = paths(Verb::Mail).next_back().unwrap_or_default();
    let sent = Sent { content, recipients: paths(Verb::Rcpt).collect(), sender };
    let other = |change: &fn(&mut Arrived, &Sent)| {
        let mut other = dialogue.clone();
        let exchange = other.exchanges.get_mut(subject);
        if let Some(arrived) = exchange.and_then(|exchange| exchange.arrived.as_mut()) {
            change(arrived, &sent);
        }
        other
    };
    CHANGES.iter().map(other).collect()
}

fn another_copy(arrived: &mut Arrived, sent: &Sent) {
    let copy = arrived
        .copies
        .first()
        .cloned()
        .unwrap_or_else(|| Arrival { octets: sent.content.clone(), ..Arrival::default() });
    let recipients = if arrived.by.is_mailbox() { Vec::new() } else { sent.recipients.clone() };
    arrived.copies.push(Arrival { recipients, ..copy });
}

fn another_message(arrived: &mut Arrived, sent: &Sent) {
    another_copy(arrived, sent);
    if let Some(copy) = arrived.copies.last_mut() {
        copy.octets.extend_from_slice(b"\r\nmore\r\n");
    }
}

fn other_header(arrived: &mut Arrived, _: &Sent) {
    for copy in &mut arrived.copies {
        copy.octets = [b"X: other\r\n\r\n", body(&copy.octets)].concat();
    }
}

fn other_sender(arrived: &mut Arrived, _: &Sent) {
    for copy in &mut arrived.copies {
        copy.sender = copy.sender.as_deref().map(other_address);
        copy.octets = each_line(&copy.octets, |line| match line.strip_prefix(b"Return-Path: ") {
            Some(path) => {
                let path = String::from_utf8_lossy(path);
                let path = other_address(path.trim_start_matches('<').trim_end_matches('>'));
                format!("Return-Path: <{path}>").into_bytes()
            }
            None => line.to_vec(),
        });
    }
}

fn other_recipients(arrived: &mut Arrived, _: &Sent) {
    for path in arrived.copies.iter_mut().flat_map(|copy| &mut copy.recipients) {
        *path = other_address(path);
    }
}

/// The message arrives with a Received field that has hardly anything right, and with Apparently-To.
fn other_received(arrived: &mut Arrived, sent: &Sent) {
    let added = b"Received: from x with SMTP for <a@b> <c@d>\r\nApparently-To: <a@b>\r\n";
    for copy in &mut arrived.copies {
        copy.octets = [&added[..], &sent.content].concat();
    }
}

fn routed_paths(arrived: &mut Arrived, _: &Sent) {
    for copy in &mut arrived.copies {
        let paths = copy.sender.iter_mut().chain(&mut copy.recipients);
        paths.filter(|path| !path.is_empty()).for_each(|path| path.insert_str(0, "@example.org:"));
    }
}

fn completed_sender(arrived: &mut Arrived, sent: &Sent) {
    for copy in &mut arrived.copies {
        copy.sender = copy.sender.as_ref().map(|_| format!("{}.example", sent.sender));
    }
}

/// The address in To gets a copy.
fn recipient_of_header(arrived: &mut Arrived, sent: &Sent) {
    let text = String::from_utf8_lossy(&sent.content);
    let to = text.lines().find_map(|line| line.strip_prefix("To: <")?.strip_suffix('>'));
    let Some(to) = to else { return };
    arrived.copies.iter_mut().filter(|copy| copy.sender.is_some()).for_each(|copy| {
        copy.recipients.push(to.to_owned());
    });
}

/// Returns an address with the other letter case, or an address instead of none.
fn other_address(path: &str) -> String {
    let swap = |letter: char| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        letter => letter.to_ascii_lowercase(),
    };
    if path.is_empty() { "other@example.org".to_owned() } else { path.chars().map(swap).collect() }
}

fn each_body(arrived: &mut Arrived, change: impl Fn(&[u8]) -> Vec<u8>) {
    for copy in &mut arrived.copies {
        let body = body(&copy.octets);
        let header = copy.octets.len() - body.len();
        let changed = change(body);
        copy.octets.truncate(header);
        copy.octets.extend(changed);
    }
}

/// Returns what follows the first empty line.
fn body(message: &[u8]) -> &[u8] {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let end = ends.iter().filter_map(|end| Some(memchr::memmem::find(message, end)? + end.len())).min();
    end.and_then(|end| message.get(end..)).unwrap_or_default()
}

/// Changes each line, and keeps its end.
fn each_line(text: &[u8], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut changed = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        let content = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        changed.extend(change(content));
        changed.extend_from_slice(line.get(content.len()..).unwrap_or_default());
    }
    changed
}

fn replaced(text: &[u8], is_old: impl Fn(u8) -> bool, new: u8) -> Vec<u8> {
    text.iter().map(|octet| if is_old(*octet) { new } else { *octet }).collect()
}

fn is_special(octet: u8) -> bool {
    !octet.is_ascii() || octet.is_ascii_control() && !matches!(octet, b'\r' | b'\n' | b'\t')
}

fn more_dots(line: &[u8]) -> Vec<u8> {
    let dot: &[u8] = if line.starts_with(b".") { b"." } else { b"" };
    [dot, line].concat()
}

/// Returns a text in which each CR and LF alone has become CR LF.
fn with_line_ends(text: &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(text.len());
    let mut octets = text.iter().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\r' | b'\n' => {
                octets.next_if(|next| *octet == b'\r' && **next == b'\n');
                changed.extend(b"\r\n");
            }
            octet => changed.push(*octet),
        }
    }
    changed
}
