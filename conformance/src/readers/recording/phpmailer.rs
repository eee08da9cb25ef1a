//! Reads what PHPMailer prints with `SMTPDebug` 2 or higher.
//!
//! ```text
//! 2026-11-29 09:01:46  SERVER -> CLIENT: 250-mx.example.org
//!                                        250 SIZE 100000
//! 2026-11-29 09:01:46  CLIENT -> SERVER: MAIL FROM:<amy@example.org>
//! ```
//!
//! A tab follows the time. Lines of a reply after the first have no mark. `Debugoutput = 'error_log'` prints neither times
//! nor blanks before them. Refusals are reported once more, after `SMTP ERROR: `. At level 4, a reply is shown line by line
//! before, as `SMTP INBOUND: `.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SENT: &str = "CLIENT -> SERVER:";
const RECEIVED: &str = "SERVER -> CLIENT:";

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let reply = |line: &str| said(line, RECEIVED).is_some_and(is_reply);
    lines(text).any(|(_, line)| reply(line))
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
        let continued = line.trim_start();
        if let Some(received) = said(line, RECEIVED) {
            tape.received(number, received);
        } else if let Some(sent) = said(line, SENT) {
            tape.sent(number, sent);
        } else if tape.is_replying() && is_reply(continued) {
            tape.received(number, continued);
        } else if let Some(server) = said(line, "Connection: opening to") {
            let address = server.split(',').next().unwrap_or_default();
            tape.connected(number, address.rsplit_once(':').and_then(|(_, rest)| port(rest)));
            if address.starts_with("ssl://") {
                tape.tls(number);
            }
        }
    }
    tape.dialogues(name)
}

/// Returns what follows a mark that is at the beginning of a line or after a time.
fn said<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(mark)?;
    let is_time =
        before.chars().all(|character| character.is_ascii_digit() || " \t:-.TZ+[]".contains(character));
    is_time.then(|| after.strip_prefix(' ').unwrap_or(after))
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    const EXPECTED: &str = "\
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
AUTH CRAM-MD5 => 334 PDE+
[credentials hidden] => 535 5.7.8 Wrong?
DATA => 354 Go
Subject: hi||..dot|. => 550-5.7.1 No +1
QUIT => 221 ";

    #[test]
    fn lines_after_the_first_have_no_mark() {
        let text = "\
2026-11-29 09:01:46\tConnection: opening to mx.example.org:2525, timeout=300, options=array (
                   \t                  )
2026-11-29 09:01:46\tConnection: opened
2026-11-29 09:01:46\tSMTP INBOUND: \"220 mx.example.org ESMTP\"
2026-11-29 09:01:46\tSERVER -> CLIENT: 220 mx.example.org ESMTP
2026-11-29 09:01:46\tCLIENT -> SERVER: EHLO client.example.net
2026-11-29 09:01:46\tSERVER -> CLIENT: 250-mx.example.org
                   \t                  250 AUTH CRAM-MD5
2026-11-29 09:01:46\tCLIENT -> SERVER: AUTH CRAM-MD5
2026-11-29 09:01:46\tSERVER -> CLIENT: 334 PDE+
2026-11-29 09:01:46\tCLIENT -> SERVER: [credentials hidden]
2026-11-29 09:01:46\tSERVER -> CLIENT: 535 5.7.8 Wrong
2026-11-29 09:01:46\tSMTP ERROR: Password command failed: 535 5.7.8 Wrong
2026-11-29 09:01:46\tCLIENT -> SERVER: DATA
2026-11-29 09:01:46\tSERVER -> CLIENT: 354 Go
2026-11-29 09:01:46\tCLIENT -> SERVER: Subject: hi
2026-11-29 09:01:46\tCLIENT -> SERVER:
2026-11-29 09:01:46\tCLIENT -> SERVER: ..dot
2026-11-29 09:01:46\tCLIENT -> SERVER: .
2026-11-29 09:01:46\tSERVER -> CLIENT: 550-5.7.1 No
                   \t                  550 5.7.1
2026-11-29 09:01:46\tSMTP ERROR: DATA END command failed: 550-5.7.1 No
                   \t                                     550 5.7.1
2026-11-29 09:01:46\tCLIENT -> SERVER: QUIT
2026-11-29 09:01:46\tSERVER -> CLIENT: 221
";
        assert_eq!(shown(text), format!("port 2525 under TLS\n{EXPECTED}"));
        let bare =
            text.replace("2026-11-29 09:01:46\t", "").replace("                   \t                  ", "");
        assert_eq!(shown(&bare), format!("port 2525 under TLS\n{EXPECTED}"));
    }
}
