//! Reads what Perl's `Net::SMTP` prints with `Debug => 1`.
//!
//! ```text
//! Net::SMTP=GLOB(0x5565584f7750)<<< 220 mx.example.org ESMTP
//! Net::SMTP=GLOB(0x5565584f7750)>>> EHLO client.example.net
//! ```
//!
//! The address in memory tells connections apart. Under TLS the class is `Net::SMTP::_SSL`. A message is shown before dots
//! are added.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SIGHT: Sight = Sight { hides_tls: false, before_stuffing: true, hides_acts: false };

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let mut said = lines(text).filter_map(|(_, line)| said(line));
    said.any(|said| !said.is_sent && is_reply(said.text))
}

/// Reads output of one or more connections, one after the other.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, SIGHT);
    let mut last = "";
    for (number, line) in lines(text) {
        let Some(said) = said(line) else { continue };
        if said.object != last {
            last = said.object;
            tape.connected(number, None);
            if said.is_under_tls {
                tape.tls(number);
            }
        }
        if said.is_sent {
            tape.sent(number, said.text);
        } else {
            tape.received(number, said.text);
        }
    }
    tape.dialogues(name)
}

/// A line of the protocol.
struct Said<'a> {
    object: &'a str,
    is_under_tls: bool,
    is_sent: bool,
    text: &'a str,
}

fn said(line: &str) -> Option<Said<'_>> {
    let start = line.find("Net::SMTP")?;
    let (class, rest) = line[start..].split_once("=GLOB(")?;
    let (object, rest) = rest.split_once(')')?;
    let (mark, text) = rest.split_at_checked(3)?;
    let is_sent = match mark {
        ">>>" => true,
        "<<<" => false,
        _ => return None,
    };
    Some(Said {
        object,
        is_under_tls: class.contains("SSL"),
        is_sent,
        text: text.strip_prefix(' ').unwrap_or(text),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn arrows_show_both_sides() {
        let text = "\
Net::SMTP>>> Net::SMTP(3.14)
Net::SMTP>>>   Net::Cmd(3.14)
Net::SMTP=GLOB(0x55a0)<<< 220 mx.example.org ESMTP
Net::SMTP=GLOB(0x55a0)>>> EHLO client.example.net\r
Net::SMTP=GLOB(0x55a0)<<< 250 mx.example.org
Net::SMTP=GLOB(0x55a0)>>> DATA\r
Net::SMTP=GLOB(0x55a0)<<< 354 Go
Net::SMTP=GLOB(0x55a0)>>> Subject: dots
Net::SMTP=GLOB(0x55a0)>>> 
Net::SMTP=GLOB(0x55a0)>>> .
Net::SMTP=GLOB(0x55a0)>>> .two
Net::SMTP=GLOB(0x55a0)>>> .
Net::SMTP=GLOB(0x55a0)<<< 250 2.0.0
Net::SMTP=GLOB(0x55a0)>>> QUIT\r
Net::SMTP=GLOB(0x55a0)<<< 221 2.0.0 Bye
Net::SMTP::_SSL=GLOB(0x66b0)<<< 220 mx.example.org ESMTP\r
Net::SMTP::_SSL=GLOB(0x66b0)>>> QUIT\r
Net::SMTP::_SSL=GLOB(0x66b0)<<< 221\r
";
        let expected = "\
a connection
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250 mx.example.org
DATA => 354 Go
Subject: dots||..|..two|. => 250 2.0.0 
QUIT => 221 2.0.0 Bye
a connection under TLS
connect => 220 mx.example.org ESMTP
QUIT => 221";
        assert_eq!(shown(text), expected);
    }
}
