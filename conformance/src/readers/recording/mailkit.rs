//! Reads the protocol logs of MailKit's `SmtpClient`, whose lines are almost those of a transcript.
//!
//! ```text
//! Connected to smtp://mx.example.org:25/?starttls=when-available
//! S: 220 mx.example.org ESMTP
//! C: EHLO [192.0.2.1]
//! ```
//!
//! Nothing in it is escaped, asterisks mask secrets, and no line says when TLS begins: after a 220 reply to STARTTLS, the
//! client sends nothing that is not under TLS.

use anyhow::{Result, bail};

use super::tape::is_masked;
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::readers::transcript::{Event, read_events};

const IN_CLEAR: &str = "Connected to smtp://";
const UNDER_TLS: &str = "Connected to smtps://";

/// Returns whether a text is such a log.
pub(super) fn is_log(text: &str) -> bool {
    lines(text).map(|(_, line)| line).find(|line| !line.is_empty()).is_some_and(is_beginning)
}

/// Reads a log. Each `Connected to` begins a dialogue.
///
/// # Errors
///
/// If a line has another form, with its number.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut starttls = Starttls::default();
    let events = lines(text).flat_map(|(number, line)| {
        let event = event(line);
        let begins = event.as_ref().is_ok_and(|event| starttls.begins_before(event));
        begins.then_some((number, Ok(Event::Tls))).into_iter().chain([(number, event)])
    });
    let mut dialogues = read_events(None, name, protocol, events)?;
    let beginnings = lines(text).map(|(_, line)| line).filter(|line| is_beginning(line));
    for (dialogue, beginning) in dialogues.iter_mut().zip(beginnings) {
        dialogue.implicit_tls = beginning.starts_with(UNDER_TLS);
    }
    Ok(dialogues)
}

/// Returns the lines with their numbers, from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.trim_start_matches('\u{feff}').lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn is_beginning(line: &str) -> bool {
    line.starts_with(IN_CLEAR) || line.starts_with(UNDER_TLS)
}

fn event(line: &str) -> Result<Event> {
    let octets = |text: &str| [text.as_bytes(), b"\r\n"].concat();
    if is_beginning(line) {
        Ok(Event::Connected(port(line)))
    } else if let Some(sent) = line.strip_prefix("C: ") {
        Ok(Event::Sent { octets: octets(sent), shortened: is_masked(sent) })
    } else if let Some(received) = line.strip_prefix("S: ") {
        Ok(Event::Received(octets(received)))
    } else if line.is_empty() {
        Ok(Event::Remark)
    } else {
        bail!("expected `C: `, `S: ` or `{IN_CLEAR}` at the beginning of the line, as MailKit writes it");
    }
}

/// Returns the port in the URL of a first line.
fn port(line: &str) -> Option<u16> {
    let host = line.split("://").nth(1)?.split(['/', '?']).next()?;
    host.rsplit_once(':')?.1.parse().ok()
}

/// How far STARTTLS has come.
#[derive(Default)]
struct Starttls {
    asked: bool,
    accepted: bool,
}

impl Starttls {
    /// Returns whether TLS begins before an event, and follows the event.
    fn begins_before(&mut self, event: &Event) -> bool {
        let mut begins = false;
        match event {
            Event::Sent { octets, .. } => {
                begins = self.accepted;
                self.asked = Command::read(octets).verb() == Verb::Starttls;
                self.accepted = false;
            }
            Event::Received(octets) => self.accepted = self.asked && octets.starts_with(b"220 "),
            _ => *self = Starttls::default(),
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::{is_log, read};
    use crate::dialogue::{Act, Dialogue};
    use crate::protocol::Protocol;

    const LOG: &str = "\
Connected to smtp://mx.example.org:587/?starttls=when-available
S: 220 mx.example.org ESMTP
C: EHLO [192.0.2.1]
S: 250-mx.example.org
S: 250 STARTTLS
C: STARTTLS
S: 220 Go
C: EHLO [192.0.2.1]
S: 250-mx.example.org
S: 250 AUTH PLAIN
C: AUTH PLAIN ********
S: 235 a\\b
";

    fn acts(dialogue: &Dialogue) -> Vec<&Act> {
        dialogue.exchanges.iter().map(|exchange| &exchange.act).collect()
    }

    #[test]
    fn a_log_is_read_like_a_transcript() {
        assert!(is_log(LOG) && !is_log("#: connected\nS: 220 mx\n"));
        let dialogues = read("log", Protocol::Smtp, LOG).expect("it is a log");
        let [dialogue] = dialogues.as_slice() else { panic!("there is one connection") };
        assert_eq!((dialogue.port, dialogue.implicit_tls), (Some(587), false));
        let acts = acts(dialogue);
        assert_eq!(acts.len(), 6, "{acts:?}");
        assert_eq!(acts[3], &Act::Handshake);
        let login = &dialogue.exchanges[5];
        assert!(!login.sure && login.line == Some(11), "{login:?}");
        assert_eq!(login.answers[0].octets, b"235 a\\b\r\n");
    }

    #[test]
    fn each_beginning_is_a_connection() {
        let twice = LOG.to_owned() + "\n" + &LOG.replace("smtp://", "smtps://");
        let dialogues = read("log", Protocol::Smtp, &twice).expect("it is a log");
        let implicit: Vec<bool> = dialogues.iter().map(|dialogue| dialogue.implicit_tls).collect();
        assert_eq!(implicit, [false, true]);
    }

    #[test]
    fn a_line_of_another_form_is_refused() {
        let error =
            read("log", Protocol::Smtp, &(LOG.to_owned() + "words\n")).expect_err("it has other lines");
        assert!(format!("{error:#}").starts_with("log:13: expected `C: `"), "{error:#}");
    }
}
