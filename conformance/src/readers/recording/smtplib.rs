//! Reads what Python's `smtplib` prints after `set_debuglevel(1)`, or with times before each line, `set_debuglevel(2)`.
//!
//! ```text
//! connect: to ('mx.example.org', 25) None
//! reply: b'220 mx.example.org ESMTP\r\n'
//! reply: retcode (220); Msg: b'mx.example.org ESMTP'
//! send: 'ehlo client.example.net\r\n'
//! ```
//!
//! Octets are shown as they were on the wire, with their line ends. Each reply is shown once more, after `retcode`. If
//! printing begins after the connection, the greeting is missing.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines, literal, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SENT: &str = "send: ";
const RECEIVED: &str = "reply: ";
const CONNECTED: [&str; 2] = ["connect: to (", "connect: ("];

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let is_reply = |line: &str| {
        let octets = timeless(line).strip_prefix(RECEIVED).and_then(octets);
        octets.is_some_and(|octets| is_reply(&String::from_utf8_lossy(&octets)))
    };
    lines(text).any(|(_, line)| is_reply(line))
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
        let line = timeless(line);
        if let Some(received) = line.strip_prefix(RECEIVED).and_then(octets) {
            tape.received_octets(number, received);
        } else if let Some(sent) = line.strip_prefix(SENT).and_then(octets) {
            tape.sent_octets(number, sent, false);
        } else if let Some(address) = CONNECTED.iter().find_map(|words| line.strip_prefix(words)) {
            tape.connected(number, address.split("', ").nth(1).and_then(port));
        }
    }
    tape.dialogues(name)
}

/// Returns the octets of a literal, with or without the `b` of Python 3.
fn octets(text: &str) -> Option<Vec<u8>> {
    literal::octets(text.strip_prefix('b').unwrap_or(text)).map(|(octets, _)| octets)
}

/// Returns a line without the time before it.
fn timeless(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if time.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b':' | b'.')) => rest,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read, shown};

    #[test]
    fn octets_are_shown_as_they_were() {
        let text = r"14:57:55.397783 connect: to ('mx.example.org', 25) None
14:57:55.401138 reply: b'220 mx.example.org ESMTP\r\n'
14:57:55.401184 reply: retcode (220); Msg: b'mx.example.org ESMTP'
14:57:55.401190 connect: b'mx.example.org ESMTP'
14:57:55.401202 send: 'ehlo client.example.net\r\n'
14:57:55.401346 reply: b'250-mx.example.org\r\n'
14:57:55.401361 reply: b'250 STARTTLS\r\n'
14:57:55.401412 reply: retcode (250); Msg: b'mx.example.org\nSTARTTLS'
14:57:55.402827 send: 'data\r\n'
14:57:55.402975 reply: b'354 Go\r\n'
14:57:55.402985 reply: retcode (354); Msg: b'Go'
14:57:55.402989 data: (354, b'Go')
14:57:55.403084 send: b'Subject: it\'s\r\n\r\n\xe4\r\n.\r\n'
14:57:55.403949 reply: b'550 5.7.1 N\xf6\n'
14:57:55.403980 reply: retcode (550); Msg: b'5.7.1 N\xf6'
";
        let expected = r"port 25
connect => 220 mx.example.org ESMTP
ehlo client.example.net => 250-mx.example.org +1
data => 354 Go
Subject: it's||�|. => 550 5.7.1 N\xf6";
        assert_eq!(shown(text), expected);
        assert_eq!(read(text)[0].exchanges[3].answers[0].octets, b"550 5.7.1 N\xf6\n");
    }

    #[test]
    fn the_greeting_may_be_missing() {
        let hello = "send: 'ehlo me\\r\\n'\nreply: b'250-mx\\r\\n'\nreply: b'250 STARTTLS\\r\\n'\n";
        let mail = "send: 'mail FROM:<>\\r\\n'\nreply: b'250 Ok\\r\\n'\n";
        let quit = "send: 'quit\\r\\n'\nreply: b'221 Bye\\r\\n'\n";
        let known = "a connection\nehlo me => 250-mx +1\nmail FROM:<> => 250 Ok\nquit => 221 Bye";
        assert_eq!(shown(&[hello, mail, quit].concat()), known);
        // Nothing is known of the session, and the next one begins after QUIT.
        let unknown = "a connection under TLS\nmail FROM:<> => 250 Ok?\nquit => 221 Bye?\n";
        assert_eq!(shown(&[mail, quit, hello, mail, quit].concat()), [unknown, known].concat());
    }
}
