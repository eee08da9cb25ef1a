//! Reads the output of `msmtp --debug`.
//!
//! ```text
//! host = mx.example.org
//! port = 25
//! <-- 220 mx.example.org ESMTP
//! --> EHLO client.example.net
//! ```
//!
//! It begins with the settings. Nothing says when TLS begins, but the settings say whether it does so at once. Errors are
//! reported once more, in lines that begin with `msmtp: `.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SENT: &str = "--> ";
const RECEIVED: &str = "<-- ";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let is_received = |line: &str| line.strip_prefix(RECEIVED).is_some_and(is_reply);
    let is_other = |line: &str| line.starts_with(SENT) || line.starts_with("host = ");
    lines(text).any(|(_, line)| is_received(line)) && lines(text).any(|(_, line)| is_other(line))
}

/// Reads output of one or more runs.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, Sight::default());
    let mut settings = Settings::default();
    for (number, line) in lines(text) {
        if let Some(received) = line.strip_prefix(RECEIVED) {
            settings.begin(&mut tape, number);
            tape.received(number, received);
        } else if let Some(sent) = line.strip_prefix(SENT) {
            tape.sent(number, sent);
        } else if let Some((key, value)) = line.trim_end().split_once(" = ") {
            settings.set(key, value);
        }
    }
    tape.dialogues(name)
}

/// The settings that tell connections apart.
#[derive(Default)]
struct Settings {
    /// Whether they are those of a connection that has not begun.
    are_new: bool,
    port: Option<u16>,
    tls: bool,
    starttls: bool,
}

impl Settings {
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "host" => *self = Settings { are_new: true, ..Settings::default() },
            "port" => self.port = value.parse().ok(),
            "tls" => self.tls = value == "on",
            "tls_starttls" => self.starttls = value == "on",
            _ => {}
        }
    }

    /// Begins the connection when the server greets.
    fn begin(&mut self, tape: &mut Tape, number: usize) {
        if std::mem::take(&mut self.are_new) {
            tape.connected(number, self.port);
            if self.tls && !self.starttls {
                tape.tls(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn arrows_show_both_sides() {
        let text = "\
msmtp: server message: 550 5.1.1 No
host = mx.example.org
port = 587
tls = on
tls_starttls = on
<-- 220 mx.example.org ESMTP\r
--> EHLO client.example.net\r
<-- 250-mx.example.org\r
<-- 250-PIPELINING\r
<-- 250 STARTTLS\r
--> STARTTLS\r
<-- 220 Go\r
TLS session parameters:
    (TLS1.3)-(X.509)
--> EHLO client.example.net\r
<-- 250 mx.example.org\r
--> MAIL FROM:<amy@example.org>\r
--> RCPT TO:<bob@example.org>\r
--> DATA\r
<-- 250 2.1.0 Ok\r
<-- 550 5.1.1 No\r
host = mx.example.org
port = 5465
tls = on
tls_starttls = off
<-- 220 mx.example.org ESMTP\r
";
        let expected = "\
port 587
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +2
STARTTLS => 220 Go
handshake
EHLO client.example.net => 250 mx.example.org
MAIL FROM:<amy@example.org> => 250 2.1.0 Ok
RCPT TO:<bob@example.org> => 550 5.1.1 No
DATA? TimedOut
port 5465 under TLS
connect => 220 mx.example.org ESMTP";
        assert_eq!(shown(text), expected);
    }
}
