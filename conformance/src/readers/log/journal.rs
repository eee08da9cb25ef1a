//! Reads log lines that are JSON objects: what journald exports, events, and lines inside the JSON of others.

use super::envelope::Envelope;
use super::json::Members;
use super::{Sink, events, read_message, read_nested};

/// Reads a line that is an object, and returns whether its form is known.
pub(super) fn read<'a>(line: &'a [u8], sink: &mut Sink<'a, '_>, depth: u8) -> bool {
    let mut program = None;
    let mut command = None;
    let mut message = None;
    let mut content = None;
    let mut is_event = false;
    for (key, value) in Members::of(line) {
        match key {
            b"MESSAGE" => message = Some(value),
            b"SYSLOG_IDENTIFIER" => program = value.plain(line),
            b"_COMM" => command = value.plain(line),
            b"response" | b"event-data" | b"delivery-status" | b"eventType" | b"notificationType" => {
                is_event = true;
            }
            b"log" | b"message" | b"msg" | b"Message" => content = content.or(Some(value)),
            _ => {}
        }
    }
    if let Some(message) = message {
        let program = program.or(command).unwrap_or_default();
        return message.read(line, sink, |text, sink| {
            let envelope = Envelope { program, process: b"", message: 0 };
            // Programs may be in containers whose lines have a stamp of their own.
            let envelope = if program.is_empty() { Envelope::read(text) } else { envelope };
            read_message(text, text, envelope, sink);
        });
    }
    if is_event && events::read(line, sink) {
        return true;
    }
    match content {
        Some(content) => content.read(line, sink, |text, sink| {
            let mut position = 0;
            while position < text.len() {
                position += read_nested(&text[position..], &mut sink.at(position), depth - 1);
            }
        }),
        None => false,
    }
}
