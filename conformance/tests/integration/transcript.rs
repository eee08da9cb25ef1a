//! Writes the connections of a run as a transcript, as `docs/transcripts.md` describes the notation.

use smtp_conformance::dialogue::arrival::Arrived;
use smtp_conformance::dialogue::{Act, Dialogue, End, Exchange};

/// Returns the transcript of connections.
pub(crate) fn written(dialogues: &[Dialogue]) -> String {
    let mut lines = Vec::new();
    for dialogue in dialogues {
        let port = dialogue.port.map(|port| format!(" to port {port}")).unwrap_or_default();
        lines.push(format!("#: connected{port}"));
        if dialogue.implicit_tls {
            lines.push("#: tls".to_owned());
        }
        let mut early = 0;
        // What is sent in one packet is sent before the first reply to it.
        for batch in dialogue.exchanges.chunk_by(|exchange, _| exchange.pipelined) {
            for exchange in batch {
                send(exchange, early, &mut lines);
                early = exchange.ahead.len();
            }
            if let Some(last) = batch.last().filter(|last| !last.ahead.is_empty()) {
                lines.push(line("C", &last.ahead));
            }
            for exchange in batch {
                receive(exchange, &mut lines);
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes what the client sent, without the octets that it sent early.
fn send(exchange: &Exchange, early: usize, lines: &mut Vec<String>) {
    match &exchange.act {
        Act::Handshake if exchange.end == End::Failed => lines.push("#: tls failed".to_owned()),
        Act::Handshake => lines.push("#: tls".to_owned()),
        // What is one act stays on one line.
        Act::Command(octets) | Act::Response(octets) => lines.push(line("C", &octets[early..])),
        Act::Message(octets) => lines.extend(each("C", octets)),
        Act::Chunk { command, octets } => {
            lines.push(line("C", command));
            lines.extend(each("C", octets));
        }
        Act::Connect | Act::Wait => {}
    }
}

fn receive(exchange: &Exchange, lines: &mut Vec<String>) {
    for answer in &exchange.answers {
        lines.extend(each("S", &answer.octets));
    }
    match exchange.end {
        End::TimedOut => lines.push("#: timeout".to_owned()),
        End::Closed => lines.push("#: closed by server".to_owned()),
        End::Answered | End::Failed | End::Overflow => {}
    }
    if let Some(arrived) = &exchange.arrived {
        arrive(arrived, lines);
    }
}

fn arrive(arrived: &Arrived, lines: &mut Vec<String>) {
    let by = arrived.by.name();
    if arrived.copies.is_empty() {
        lines.push(format!("#: nothing arrived by {by}"));
    }
    for copy in &arrived.copies {
        let path = |path: &String| format!(" <{path}>");
        let sender = copy.sender.iter().map(|sender| format!(" from{}", path(sender)));
        let recipients: String = copy.recipients.iter().map(path).collect();
        let recipients = if recipients.is_empty() { recipients } else { format!(" for{recipients}") };
        lines.push(format!("#: arrived by {by}{}{recipients}", sender.collect::<String>()));
        lines.extend(each("A", &copy.octets));
    }
}

fn each(speaker: &str, octets: &[u8]) -> impl Iterator<Item = String> {
    octets.split_inclusive(|octet| *octet == b'\n').map(move |octets| line(speaker, octets))
}

fn line(speaker: &str, octets: &[u8]) -> String {
    let (text, end) = match octets {
        [text @ .., b'\r', b'\n'] => (text, ""),
        [text @ .., b'\n'] => (text, "\\n"),
        text => (text, "\\+"),
    };
    let shown = text.iter().map(|octet| match octet {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*octet).to_string(),
        octet => format!("\\x{octet:02x}"),
    });
    format!("{speaker}: {}{end}", shown.collect::<String>())
}
