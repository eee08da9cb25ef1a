//! A reply, and what it means to the client.

use super::fault::{Behaviour, Event, Faults};
use super::outcome::Meaning;
use super::stop::Stop;
use crate::limits::quoted;
use crate::protocol::Capabilities;
use crate::protocol::reply::{Defect, DefectSet, Reply};

/// The replies with 2yz that the fault of a client that knows few codes leaves as they are.
const FREQUENT: [u16; 5] = [220, 221, 235, 250, 251];

/// A reply that the client can go by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    octets: Vec<u8>,
    code: u16,
    class: Class,
}

/// What the first digit of a reply code means (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Success,
    Intermediate,
    Temporary,
    Permanent,
}

impl Answer {
    /// Reads a whole reply.
    ///
    /// A reply whose form leaves in doubt what it says ends the session, as does a first digit other than 2 to 5: what it
    /// means is unknown, so the message can only be sent again.
    pub(super) fn read(octets: Vec<u8>, faults: &Faults) -> Result<Answer, Stop> {
        let reply = Reply::read(&octets);
        let unclear = reply.defects().intersects(DefectSet::FRAMING)
            || faults.has(Behaviour::NeedsText) && reply.defects().contains(Defect::BareCode);
        let Some(code) = reply.number().filter(|_| !unclear) else {
            return Err(Stop::misunderstood(format!("the reply is malformed: {}", first_line(&octets))));
        };
        let Some(class) = class(&reply, code, faults) else {
            return Err(Stop::misunderstood(format!("the reply code is unknown: {}", first_line(&octets))));
        };
        Ok(Answer { octets, code, class })
    }

    pub(super) fn code(&self) -> u16 {
        self.code
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    pub(super) fn is_success(&self) -> bool {
        self.class == Class::Success
    }

    /// Returns what the reply means for a recipient. 3yz where none belongs accepts nothing.
    pub(super) fn meaning(&self) -> Meaning {
        match self.class {
            Class::Success => Meaning::Accepted,
            Class::Intermediate | Class::Temporary => Meaning::Temporary,
            Class::Permanent => Meaning::Permanent,
        }
    }

    /// Returns the end of a session in which this refuses a command. A reply with 2yz or 3yz that does not belong there is
    /// an error of the server, and may be gone next time.
    pub(super) fn refusal(&self, command: &str) -> Stop {
        let meaning = match self.meaning() {
            Meaning::Permanent => Meaning::Permanent,
            Meaning::Accepted | Meaning::Temporary => Meaning::Temporary,
        };
        Stop { meaning, ..Stop::temporary(format!("{command}: {}", self.text())) }
    }

    /// Returns whether the reply to RCPT says that the recipient is one too many for this transaction: with 452, or as in
    /// RFC 821 with 552, which is also that of a full mailbox (RFC 5321 §4.5.3.1.10).
    pub(super) fn is_recipient_limit(&self) -> bool {
        self.code == 452 || self.code == 552 && self.says_recipient_limit()
    }

    fn says_recipient_limit(&self) -> bool {
        let reply = Reply::read(&self.octets);
        let detail = reply.enhanced().map(|code| (code.subject(), code.detail()));
        detail == Some((5, 3)) || reply.says(&["too many recipients"])
    }

    /// Returns the text of a challenge.
    pub(super) fn challenge(&self) -> Vec<u8> {
        Reply::read(&self.octets)
            .lines()
            .next()
            .map(|line| line.text().trim_ascii().to_vec())
            .unwrap_or_default()
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        Capabilities::read(&Reply::read(&self.octets))
    }

    /// Returns its first line, for people.
    pub(super) fn text(&self) -> String {
        first_line(&self.octets)
    }
}

fn first_line(octets: &[u8]) -> String {
    let line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    quoted(String::from_utf8_lossy(line).trim_end().to_owned())
}

/// Returns the class of a reply: the first digit decides, whether the client knows the rest or not (RFC 5321 §4.3.2).
fn class(reply: &Reply<'_>, code: u16, faults: &Faults) -> Option<Class> {
    let enhanced = reply.enhanced().filter(|_| faults.has(Behaviour::EnhancedCodeDecides));
    let digit = enhanced.map_or(code / 100, |code| u16::from(code.class().digit()));
    let (class, event) = match digit {
        2 if FREQUENT.contains(&code) => return Some(Class::Success),
        2 => (Some(Class::Success), Event::RareSuccess),
        3 => (Some(Class::Intermediate), Event::Intermediate),
        4 => (Some(Class::Temporary), Event::Temporary),
        5 => (Some(Class::Permanent), Event::Permanent),
        _ => (None, Event::OtherDigit),
    };
    match faults.takes(event) {
        None => class,
        Some(Meaning::Accepted) => Some(Class::Success),
        Some(Meaning::Temporary) => Some(Class::Temporary),
        Some(Meaning::Permanent) => Some(Class::Permanent),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Class};
    use crate::sender::fault::{Fault, Faults};

    fn read(text: &str, fault: Option<&str>) -> Option<Class> {
        let faults: Vec<_> = fault.iter().map(|name| Fault::find(name).expect("it exists")).collect();
        let answer = Answer::read(text.as_bytes().to_vec(), &Faults::new(&faults));
        answer.ok().map(|answer| answer.class())
    }

    #[test]
    fn the_first_digit_decides() {
        for (text, class) in [
            ("250 Ok\r\n", Some(Class::Success)),
            ("250\r\n", Some(Class::Success)),
            ("250 \r\n", Some(Class::Success)),
            ("250-a\r\n250\r\n", Some(Class::Success)),
            ("299 Ok\n", Some(Class::Success)),
            ("399 Go\r\n", Some(Class::Intermediate)),
            ("450 5.1.1 Later\r\n", Some(Class::Temporary)),
            ("499\r\n", Some(Class::Temporary)),
            ("577 4.0.0 No\r\n", Some(Class::Permanent)),
            ("650 What\r\n", None),
            ("150 What\r\n", None),
            ("25 Ok\r\n", None),
            ("2500 Ok\r\n", None),
            ("250:Ok\r\n", None),
            ("250Ok\r\n", None),
            ("Ok\r\n", None),
            ("\r\n", None),
            ("250 Ok", None),
            ("250-a\r\n550 b\r\n", None),
            ("550-a\r\n250 b\r\n", None),
        ] {
            assert_eq!(read(text, None), class, "{text:?}");
        }
    }

    #[test]
    fn faults_change_the_meaning() {
        for (fault, text, class) in [
            ("temporary-is-permanent", "450 No\r\n", Some(Class::Permanent)),
            ("permanent-is-temporary", "550 No\r\n", Some(Class::Temporary)),
            ("intermediate-is-success", "354 Go\r\n", Some(Class::Success)),
            ("other-digit-is-success", "650 Ok\r\n", Some(Class::Success)),
            ("rare-success-is-failure", "252 Ok\r\n", Some(Class::Permanent)),
            ("rare-success-is-failure", "250 Ok\r\n", Some(Class::Success)),
            ("enhanced-code-decides", "450 5.1.1 No\r\n", Some(Class::Permanent)),
            ("enhanced-code-decides", "450 No\r\n", Some(Class::Temporary)),
            ("needs-text", "250\r\n", None),
            ("needs-text", "250 Ok\r\n", Some(Class::Success)),
        ] {
            assert_eq!(read(text, Some(fault)), class, "{fault} {text:?}");
        }
    }

    #[test]
    fn too_many_recipients() {
        for (text, is_limit) in [
            ("452 4.5.3 Too many recipients\r\n", true),
            ("452 No space\r\n", true),
            ("552 5.5.3 No more\r\n", true),
            ("552-5.0.0 There are too\r\n552 5.0.0 many RECIPIENTS\r\n", true),
            ("552 5.2.2 Mailbox full\r\n", false),
            ("550 5.5.3 Too many recipients\r\n", false),
        ] {
            let answer = Answer::read(text.as_bytes().to_vec(), &Faults::default()).expect("it is a reply");
            assert_eq!(answer.is_recipient_limit(), is_limit, "{text:?}");
        }
    }
}
