//! Reads what Jakarta Mail, or JavaMail, prints with `mail.debug` set to `true`.
//!
//! ```text
//! DEBUG SMTP: trying to connect to host "mx.example.org", port 25, isSSL false
//! 220 mx.example.org ESMTP
//! DEBUG SMTP: connected to host "mx.example.org", port: 25
//! EHLO client.example.net
//! 250 mx.example.org
//! ```
//!
//! Commands and replies have no marks. Refusals are reported once more, in the traces of exceptions, which end where the
//! client sends its next command. Unless `mail.debug.auth` is set, AUTH is left out with its replies.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_command, is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SIGHT: Sight = Sight { hides_tls: false, before_stuffing: false, hides_acts: true };
const SAID: &str = "DEBUG SMTP: ";
const CONNECTED: &str = "trying to connect to host ";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    lines(text).any(|(_, line)| line.strip_prefix(SAID).is_some_and(|said| said.starts_with(CONNECTED)))
}

/// Reads output of one or more connections.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, SIGHT);
    let mut is_trace = false;
    for (number, line) in lines(text) {
        if let Some(said) = line.strip_prefix(SAID).filter(|_| !tape.is_in_message()) {
            is_trace = said.contains("Exception");
            listen(&mut tape, number, said);
        } else if is_command(line) || (!is_trace && (tape.is_in_message() || tape.is_in_response())) {
            is_trace = false;
            tape.sent(number, line);
        } else if !is_trace && (is_reply(line) || tape.is_replying()) {
            tape.received(number, line);
        } else {
            is_trace |= line.contains("Exception");
        }
    }
    tape.dialogues(name)
}

fn listen(tape: &mut Tape, number: usize, said: &str) {
    if let Some(address) = said.strip_prefix(CONNECTED) {
        tape.connected(number, address.split(", port ").nth(1).and_then(port));
        if address.contains("isSSL true") {
            tape.tls(number);
        }
    } else if said.contains("command trace suppressed") {
        tape.left_out(number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn traces_of_exceptions_repeat_replies() {
        let text = "\
DEBUG: Jakarta Mail version 1.6.5
DEBUG SMTP: useEhlo true, useAuth false
DEBUG SMTP: trying to connect to host \"mx.example.org\", port 2525, isSSL false
220 mx.example.org ESMTP
DEBUG SMTP: connected to host \"mx.example.org\", port: 2525
EHLO client.example.net
250-mx.example.org
250 STARTTLS
DEBUG SMTP: Found extension \"STARTTLS\", arg \"\"
MAIL FROM:<amy@example.org>
250 2.1.0 Ok
RCPT TO:<nobody@example.org>
550-5.1.1 No such
550 5.1.1 user
DEBUG SMTP: Invalid Addresses
DEBUG SMTP:   nobody@example.org
RSET
250 2.0.0 Ok
DEBUG SMTP: MessagingException while sending, THROW: 
javax.mail.SendFailedException: Invalid Addresses;
  nested exception is:
\tcom.sun.mail.smtp.SMTPAddressFailedException: 550-5.1.1 No such
550 5.1.1 user

\tat com.sun.mail.smtp.SMTPTransport.rcptTo(SMTPTransport.java:2064)
DATA
354 Go
Subject: hi

250 line
DEBUG SMTP: quoted
QUIT
.
250 2.0.0 Ok
QUIT
221 2.0.0 Bye
";
        let expected = "\
port 2525
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
MAIL FROM:<amy@example.org> => 250 2.1.0 Ok
RCPT TO:<nobody@example.org> => 550-5.1.1 No such +1
RSET => 250 2.0.0 Ok
DATA => 354 Go
Subject: hi||250 line|DEBUG SMTP: quoted|QUIT|. => 250 2.0.0 Ok
QUIT => 221 2.0.0 Bye";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn authentication_may_be_left_out() {
        let text = "\
DEBUG SMTP: trying to connect to host \"mx.example.org\", port 465, isSSL true
220 mx
EHLO me
250 mx
DEBUG SMTP: AUTH LOGIN command trace suppressed
DEBUG SMTP: AUTH LOGIN succeeded
MAIL FROM:<amy@example.org>
250 2.1.0 Ok
";
        let expected = "port 465 under TLS\nconnect => 220 mx\nEHLO me => 250 mx\nMAIL FROM:<amy@example.org> => 250 2.1.0 Ok?";
        assert_eq!(shown(text), expected);
    }
}
