//! What a client is given to send: addresses and messages.

use serde::Deserialize;

use crate::rules::client::Envelope;

/// The domain of senders.
const SENDERS: &str = "example.net";

/// The domain of recipients.
const RECIPIENTS: &str = "example.org";

/// A kind of message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// A short text in ASCII.
    #[default]
    Plain,
    /// Lines that begin with dots, and one that is a dot alone.
    Dots,
    /// Bare CR and bare LF within lines.
    BareLf,
    /// Octets above 127, declared as 8bit.
    EightBit,
    /// A line of 2 000 octets.
    LongLine,
    /// No line end after the last line.
    NoFinalNewline,
    /// About 170 KiB of short lines that begin with dots. Wherever a client divides it, a line is likely to begin there.
    Large,
}

/// A kind of address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// Letters, digits and hyphens.
    #[default]
    Plain,
    /// A local part that is not ASCII.
    Utf8,
    /// A line end and another command within the local part.
    Injection,
}

/// Returns the addresses of an attempt. The token tells its recipients from all others.
pub(super) fn envelope(sender: Address, recipient: Address, recipients: usize, token: &str) -> Envelope {
    let injected = format!("injected-{token}");
    let has_injection = [sender, recipient].contains(&Address::Injection);
    Envelope {
        sender: sender.text("sender", token, SENDERS, &injected),
        recipients: (1..=recipients)
            .map(|number| recipient.text(&format!("r{number}"), token, RECIPIENTS, &injected))
            .collect(),
        injected: has_injection.then_some(injected),
    }
}

impl Address {
    fn text(self, name: &str, token: &str, domain: &str, injected: &str) -> String {
        match self {
            Address::Plain => format!("{name}-{token}@{domain}"),
            Address::Utf8 => format!("{name}-übung-{token}@{domain}"),
            // Whatever encloses the address, the second line is a command of its own.
            Address::Injection => format!("{name}-{token}@{domain}>\r\nNOOP {injected}"),
        }
    }
}

impl Message {
    /// Returns the message with CR LF at the ends of its lines, unless it has others on purpose.
    pub(super) fn octets(self, envelope: &Envelope) -> Vec<u8> {
        let is_plain = |address: &str| address.is_ascii() && !address.contains('\r');
        let shown = |address: &str, other: &str| {
            if is_plain(address) { address.to_owned() } else { other.to_owned() }
        };
        let from = shown(&envelope.sender, "sender@example.net");
        let to = shown(envelope.recipients.first().map_or("", String::as_str), "recipient@example.org");
        let mut text = format!(
            "From: <{from}>\r\nTo: <{to}>\r\nSubject: A test of a client\r\n\
             Date: Fri, 27 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{token}@example.net>\r\nMIME-Version: 1.0\r\n",
            token = from.split('@').next().unwrap_or_default()
        )
        .into_bytes();
        text.extend_from_slice(match self {
            Message::EightBit => {
                b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            }
            _ => b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
        });
        match self {
            Message::Plain => text.extend_from_slice(b"This is the first line.\r\nThis is the last line.\r\n"),
            Message::Dots => text.extend_from_slice(
                b"Before the dots.\r\n.\r\n.One dot\r\n..Two dots\r\nBetween.\r\n.\r\nNOOP after a dot\r\nThe end.\r\n",
            ),
            Message::BareLf => text.extend_from_slice(b"A bare LF\nis here.\r\nA bare CR\ris here.\r\nThe end.\r\n"),
            Message::EightBit => text.extend_from_slice("Grüße aus Köln.\r\nThe end.\r\n".as_bytes()),
            Message::LongLine => {
                text.extend_from_slice(&[b'a'; 2000]);
                text.extend_from_slice(b"\r\nThe end.\r\n");
            }
            Message::Large => {
                for number in 0..27_000 {
                    text.push(b'.');
                    text.extend_from_slice(&b"abcdef"[..=number % 6]);
                    text.extend_from_slice(b"\r\n");
                }
            }
            Message::NoFinalNewline => text.extend_from_slice(b"This is the first line.\r\nThis line has no end."),
        }
        text
    }
}

/// Returns a message with LF at the ends of its lines, as programs expect it on standard input.
pub(super) fn with_lf(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len());
    for (index, octet) in message.iter().enumerate() {
        if !(*octet == b'\r' && message.get(index + 1) == Some(&b'\n')) {
            octets.push(*octet);
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::CLIENT_ACT_OCTETS;

    #[test]
    fn an_address_hides_a_command() {
        let envelope = envelope(Address::Plain, Address::Injection, 1, "t1");
        assert_eq!(envelope.sender, "sender-t1@example.net");
        assert_eq!(envelope.recipients, ["r1-t1@example.org>\r\nNOOP injected-t1"]);
        assert_eq!(envelope.injected.as_deref(), Some("injected-t1"));
    }

    #[test]
    fn the_large_message_is_recorded_as_a_whole() {
        let message = Message::Large.octets(&envelope(Address::Plain, Address::Plain, 1, "t1"));
        let stuffed = message.len() + message.windows(2).filter(|pair| pair == b"\n.").count();
        assert!(message.len() > 160 << 10);
        assert!(stuffed + 1000 < CLIENT_ACT_OCTETS, "{stuffed}");
    }

    #[test]
    fn messages_have_no_lines_of_the_protocol_in_their_header() {
        let envelope = envelope(Address::Injection, Address::Utf8, 2, "t1");
        let message = Message::Plain.octets(&envelope);
        assert!(message.is_ascii());
        assert!(!with_lf(&message).contains(&b'\r'));
        assert_eq!(with_lf(b"a\rb\r\n\r\n"), b"a\rb\n\n");
    }
}
