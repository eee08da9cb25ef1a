//! Reads what Ruby's `Net::SMTP` prints after `set_debug_output`.
//!
//! ```text
//! Connection opened: mx.example.org:25
//! -> "220 mx.example.org ESMTP\r\n"
//! <- "EHLO client.example.net\r\n"
//! writing message from String
//! wrote 35 bytes
//! ```
//!
//! The arrow `->` shows what was received. Octets are shown as they were on the wire, with their line ends. The message is
//! not shown.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines, literal, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SENT: &str = "<- ";
const RECEIVED: &str = "-> ";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let first = lines(text).find_map(|(_, line)| octets(line, RECEIVED));
    first.is_some_and(|octets| is_reply(&String::from_utf8_lossy(&octets)))
}

/// Reads output of one or more connections.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let sight = Sight { hides_tls: true, ..Sight::default() };
    let mut tape = Tape::new(protocol, sight);
    for (number, line) in lines(text) {
        if let Some(received) = octets(line, RECEIVED) {
            tape.received_octets(number, received);
        } else if let Some(sent) = octets(line, SENT) {
            tape.sent_octets(number, sent, false);
        } else if let Some(address) = line.strip_prefix("Connection opened: ") {
            tape.connected(number, address.rsplit_once(':').and_then(|(_, rest)| port(rest)));
        } else if line.starts_with("TLS connection started") {
            tape.tls(number);
        }
    }
    tape.dialogues(name)
}

/// Returns the octets of the literal after a mark.
fn octets(line: &str, mark: &str) -> Option<Vec<u8>> {
    literal::octets(line.strip_prefix(mark)?).map(|(octets, _)| octets)
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn literals_show_all_but_the_message() {
        let text = r#"Connection opened: mx.example.org:587
-> "220 mx.example.org ESMTP\r\n"
<- "EHLO client.example.net\r\n"
-> "250-mx.example.org\r\n"
-> "250 STARTTLS\r\n"
<- "STARTTLS\r\n"
-> "220 Go\r\n"
TLS connection started
<- "EHLO client.example.net\r\n"
-> "250 mx.example.org\r\n"
<- "DATA\r\n"
-> "354 Go\r\n"
writing message from String
wrote 35 bytes
-> "250\n"
Net::SMTPFatalError: 550 5.1.1 No
Connection opened: mx.example.org:4650
TLS connection started
-> "554 No\r\n"
"#;
        let expected = "\
port 587
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
STARTTLS => 220 Go
handshake
EHLO client.example.net => 250 mx.example.org
DATA => 354 Go
... (not shown)|. => 250
port 4650 under TLS
connect => 554 No";
        assert_eq!(shown(text), expected);
    }
}
