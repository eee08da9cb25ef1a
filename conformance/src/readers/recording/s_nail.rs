//! Reads what s-nail prints with `-vv`.
//!
//! ```text
//! s-nail: Connecting to mx.example.org:25 ... connected.
//! s-nail: >>> SERVER: 220 mx.example.org ESMTP
//! s-nail: >>> EHLO client.example.net
//! ```
//!
//! A refusal is reported once more, after `SMTP server: `. A message is shown before dots are added.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SIGHT: Sight = Sight { hides_tls: true, before_stuffing: true, hides_acts: false };
const SENT: &str = ">>> ";
const RECEIVED: &str = ">>> SERVER: ";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    lines(text).any(|(_, line)| said(line).strip_prefix(RECEIVED).is_some_and(is_reply))
}

/// Reads output of one or more connections.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, SIGHT);
    for (number, line) in lines(text) {
        let said = said(line);
        if let Some(received) = said.strip_prefix(RECEIVED) {
            tape.received(number, received);
        } else if let Some(sent) = said.strip_prefix(SENT) {
            tape.sent(number, sent);
        } else if said.starts_with("Connecting to ") && said.trim_end().ends_with("connected.") {
            let host = said.split(" ... ").next().unwrap_or_default();
            tape.connected(number, host.rsplit_once(':').and_then(|(_, rest)| port(rest)));
        } else if said.starts_with("TLS connection using ") {
            tape.tls(number);
        }
    }
    tape.dialogues(name)
}

/// Returns a line without the name of the program, which it may have been given by the user.
fn said(line: &str) -> &str {
    let names = ["s-nail: ", "mailx: ", "mail: ", "Mail: ", "nail: "];
    names.iter().find_map(|name| line.strip_prefix(name)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn servers_lines_are_named() {
        let text = "\
s-nail: Connecting to mx.example.org:2525 ... connected.
s-nail: >>> SERVER: 220 mx.example.org ESMTP
s-nail: >>> EHLO client.example.net
s-nail: >>> SERVER: 250-mx.example.org
s-nail: >>> SERVER: 250 STARTTLS
s-nail: >>> STARTTLS
s-nail: >>> SERVER: 220 Go
s-nail: TLS connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
s-nail: >>> EHLO client.example.net
s-nail: >>> SERVER: 250 mx.example.org
s-nail: >>> AUTH PLAIN
s-nail: >>> SERVER: 334
s-nail: >>> AGEAYg==
s-nail: >>> SERVER: 535 5.7.8 Wrong
s-nail: SMTP server: 535 5.7.8 Wrong
s-nail: >>> DATA
s-nail: >>> SERVER: 354 Go
s-nail: >>> .dot
s-nail: >>> .
s-nail: >>> SERVER: 250 Ok
";
        let expected = "\
port 2525
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
STARTTLS => 220 Go
handshake
EHLO client.example.net => 250 mx.example.org
AUTH PLAIN => 334 
AGEAYg== => 535 5.7.8 Wrong
DATA => 354 Go
..dot|. => 250 Ok";
        assert_eq!(shown(text), expected);
    }
}
