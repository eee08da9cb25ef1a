//! Reads what nodemailer prints with `logger: true, debug: true`.
//!
//! ```text
//! [2026-11-29 09:04:00] INFO  [qMdi7TIqxI] Connection established to 192.0.2.1:25
//! [2026-11-29 09:04:00] DEBUG [qMdi7TIqxI] S: 220 mx.example.org ESMTP
//! [2026-11-29 09:04:00] DEBUG [qMdi7TIqxI] C: EHLO client.example.net
//! ```
//!
//! The id in brackets tells connections apart, whose lines may be mixed; in a pool, `[#1]` comes before it. The lines of a
//! message have neither `C:` nor `S:`. Refusals are reported once more, as errors.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SENT: &str = "C: ";
const RECEIVED: &str = "S: ";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let is_received =
        |line: &str| entry(line).is_some_and(|entry| entry.text.strip_prefix(RECEIVED).is_some_and(is_reply));
    lines(text).any(|(_, line)| is_received(line))
}

/// Reads output of one or more connections, in the order in which they began.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut entries: Vec<(usize, Entry<'_>)> =
        lines(text).filter_map(|(number, line)| Some((number, entry(line)?))).collect();
    let mut firsts = std::collections::HashMap::new();
    for (number, entry) in &entries {
        firsts.entry(entry.id).or_insert(*number);
    }
    // The order within a connection is kept.
    entries.sort_by_key(|(_, entry)| firsts.get(entry.id).copied());
    let mut tape = Tape::new(protocol, Sight::default());
    for (number, entry) in entries {
        record(&mut tape, number, &entry);
    }
    tape.dialogues(name)
}

fn record(tape: &mut Tape, number: usize, entry: &Entry<'_>) {
    if let Some(received) = entry.text.strip_prefix(RECEIVED) {
        tape.received(number, received);
    } else if let Some(sent) = entry.text.strip_prefix(SENT) {
        tape.sent(number, sent);
    } else if let Some(address) = entry.text.strip_prefix("Connection established to ") {
        tape.connected(number, address.rsplit_once(':').and_then(|(_, rest)| port(rest)));
    } else if let Some(address) = entry.text.strip_prefix("Secure connection established to ") {
        tape.connected(number, address.rsplit_once(':').and_then(|(_, rest)| port(rest)));
        tape.tls(number);
    } else if tape.is_in_message() && entry.is_debug {
        tape.sent(number, entry.text);
    }
}

/// A line of the log that belongs to a connection.
struct Entry<'a> {
    id: &'a str,
    is_debug: bool,
    text: &'a str,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let (_, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (level, mut rest) = rest.split_at_checked(5)?;
    if !["TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"].contains(&level) {
        return None;
    }
    rest = rest.strip_prefix(' ')?;
    let mut id = None;
    // An empty line may have lost the blank at its end.
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if id.is_some() && !inside.starts_with('#') && !id.is_some_and(|id: &str| id.starts_with('#')) {
            break;
        }
        id = Some(inside);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    Some(Entry { id: id?, is_debug: level == "DEBUG", text: rest })
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn connections_are_told_apart() {
        let text = "\
[2026-11-29 09:04:00] DEBUG Creating transport: nodemailer
[2026-11-29 09:04:00] INFO  [#1] [aaa] Connection established to 192.0.2.1:25
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 220 mx.example.org ESMTP
[2026-11-29 09:04:00] INFO  [#2] [bbb] Secure connection established to 192.0.2.1:8465
[2026-11-29 09:04:00] DEBUG [#1] [aaa] C: EHLO client.example.net
[2026-11-29 09:04:00] DEBUG [#2] [bbb] S: 421 4.3.2
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 250-mx.example.org
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 250 PIPELINING
[2026-11-29 09:04:00] INFO  Sending message <a@example.org> to <bob@example.org>
[2026-11-29 09:04:00] DEBUG [#1] [aaa] C: MAIL FROM:<amy@example.org>
[2026-11-29 09:04:00] DEBUG [#1] [aaa] C: RCPT TO:<bob@example.org>
[2026-11-29 09:04:00] DEBUG [#1] [aaa] C: DATA
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 250 2.1.0 Ok
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 250 2.1.5 Ok
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 354 Go
[2026-11-29 09:04:00] DEBUG [#1] [aaa] Subject: hi
[2026-11-29 09:04:00] DEBUG [#1] [aaa]
[2026-11-29 09:04:00] DEBUG [#1] [aaa] [list] 250 line
[2026-11-29 09:04:00] DEBUG [#1] [aaa] .
[2026-11-29 09:04:00] INFO  [#1] [aaa] <31 bytes encoded mime message (source size 28 bytes)>
[2026-11-29 09:04:00] DEBUG [#1] [aaa] S: 550 5.7.1 No
[2026-11-29 09:04:00] ERROR Send Error: Message failed: 550 5.7.1 No
error 550 550 5.7.1 No
";
        let expected = "\
port 25
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
MAIL FROM:<amy@example.org> => 250 2.1.0 Ok
RCPT TO:<bob@example.org> => 250 2.1.5 Ok
DATA => 354 Go
Subject: hi||[list] 250 line|. => 550 5.7.1 No
port 8465 under TLS
connect => 421 4.3.2 ";
        assert_eq!(shown(text), expected);
    }
}
