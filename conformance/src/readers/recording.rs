//! Recordings that mail clients make of their sessions, each form in a file named after the client.

mod curl;
mod curl_trace;
mod jakarta_mail;
mod literal;
mod mailkit;
mod msmtp;
mod net_smtp;
mod nodemailer;
mod phpmailer;
mod ruby;
mod s_nail;
mod smtplib;
mod swaks;
mod tape;
#[cfg(test)]
mod testing;
mod unmarked;

use anyhow::Result;

use crate::dialogue::Dialogue;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};

/// A form of recordings.
pub(super) struct Form {
    /// Returns whether a text has the form. It needs only the beginning of the text.
    pub is_log: fn(&str) -> bool,
    /// Reads a text, given its name and the protocol of the server.
    pub read: fn(&str, Protocol, &str) -> Result<Vec<Dialogue>>,
}

/// The forms. A text has the first one that recognizes it.
const FORMS: [Form; 13] = [
    Form { is_log: mailkit::is_log, read: mailkit::read },
    Form { is_log: swaks::is_log, read: swaks::read },
    Form { is_log: curl::is_log, read: curl::read },
    Form { is_log: curl_trace::is_log, read: curl_trace::read },
    Form { is_log: smtplib::is_log, read: smtplib::read },
    Form { is_log: msmtp::is_log, read: msmtp::read },
    Form { is_log: nodemailer::is_log, read: nodemailer::read },
    Form { is_log: phpmailer::is_log, read: phpmailer::read },
    Form { is_log: ruby::is_log, read: ruby::read },
    Form { is_log: net_smtp::is_log, read: net_smtp::read },
    Form { is_log: s_nail::is_log, read: s_nail::read },
    Form { is_log: jakarta_mail::is_log, read: jakarta_mail::read },
    Form { is_log: unmarked::is_log, read: unmarked::read },
];

/// Returns the form of a text, of which the beginning is enough.
pub(super) fn find(text: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| (form.is_log)(text))
}

/// Returns the lines of a text with their numbers, from 1, and without LF at their ends. A CR is kept.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

/// Returns whether a line has a reply code, followed by a space, a hyphen or nothing.
fn is_reply(line: &str) -> bool {
    tape::has_code(line.as_bytes())
}

/// Returns whether a line begins with a verb of SMTP.
fn is_command(line: &str) -> bool {
    Command::read(line.trim_end_matches('\r').as_bytes()).verb() != Verb::Other
}

/// Returns the digits at the beginning of a text as a port.
fn port(text: &str) -> Option<u16> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    text[..digits].parse().ok()
}
