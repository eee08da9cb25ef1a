//! Reads the output of `curl -v`, which begins each line with a mark.
//!
//! ```text
//! * Connected to mx.example.org (192.0.2.1) port 25
//! < 220 mx.example.org ESMTP
//! > EHLO client.example.net
//! } [84 bytes data]
//! ```
//!
//! The message is not shown. Before a mark there may be the time, an id, and a row of the progress meter, which curl ends
//! with CR.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_command, is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

/// Returns whether a text is such output, of a session that speaks SMTP.
pub(super) fn is_log(text: &str) -> bool {
    let marked = || lines(text).filter_map(|(_, line)| marked(line));
    let is_introduced = marked().any(|(mark, rest)| mark == '*' && is_introduction(rest));
    let is_answered = marked().find(|(mark, _)| *mark == '<').is_some_and(|(_, rest)| is_reply(rest));
    is_introduced
        && is_answered
        && marked().find(|(mark, _)| *mark == '>').is_none_or(|(_, rest)| is_command(rest))
}

/// Reads output of one or more connections.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, Sight::default());
    for (number, line) in lines(text) {
        match marked(line) {
            Some(('<', received)) => tape.received(number, received),
            Some(('>', sent)) => tape.sent(number, sent),
            Some(('*', said)) => listen(&mut tape, number, said),
            _ => {}
        }
    }
    tape.dialogues(name)
}

/// Follows what curl says itself.
pub(super) fn listen(tape: &mut Tape, number: usize, said: &str) {
    let said = said.trim();
    if said.starts_with("Connected to ") || said.starts_with("Established connection to ") {
        tape.connected(number, said.split(" port ").nth(1).and_then(port));
    } else if said.starts_with("SSL connection using ") {
        tape.tls(number);
    }
}

fn is_introduction(said: &str) -> bool {
    let said = said.trim_start();
    ["Trying ", "Connected to ", "Established connection to "].iter().any(|words| said.starts_with(words))
}

/// Returns the mark of a line and what follows it.
fn marked(line: &str) -> Option<(char, &str)> {
    let whole = line.trim_end_matches('\r');
    // Of the rows of the progress meter, the last one may be before the mark.
    let last = whole.rfind('\r').map_or(0, |place| place + 1);
    let is_before_mark = |character: char| character.is_ascii_digit() || " .:-%[]kMGTP".contains(character);
    let rest = line[last..].trim_start_matches(is_before_mark);
    let mark = rest.chars().next().filter(|mark| "*<>{}".contains(*mark))?;
    Some((mark, rest[1..].strip_prefix(' ')?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;

    #[test]
    fn marks_show_all_but_the_message() {
        let text = "\
  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     009:01:08.646 *   Trying 192.0.2.1:587...
09:01:08.654 * Connected to mx.example.org (192.0.2.1) port 587 (#0)
09:01:08.654 < 220 mx.example.org ESMTP\r
09:01:08.654 > EHLO client.example.net\r
09:01:08.654 < 250-mx.example.org\r
09:01:08.654 < 250 STARTTLS\r
09:01:08.655 > STARTTLS\r
09:01:08.655 < 220 Go\r
09:01:08.657 } [5 bytes data]
09:01:08.660 * SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
09:01:08.660 > EHLO client.example.net\r
09:01:08.660 < 250 mx.example.org\r
09:01:08.660 > MAIL FROM:<amy@example.org> SIZE=65\r
09:01:08.661 < 250 2.1.0 Ok\r
09:01:08.661 > RCPT TO:<bob@example.org>\r
\r100    65    0     0  100    65      0    400 --:--:-- --:--:-- --:--:--   400\r100    65    0     0  100    65< 250 2.1.5\r
> DATA\r
< 354 Go\r
} [65 bytes data]
* We are completely uploaded and fine
< 550 5.7.1
* Connection #0 to host mx.example.org left intact
curl: (8) Weird server reply
";
        let expected = "\
port 587
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
STARTTLS => 220 Go
handshake
EHLO client.example.net => 250 mx.example.org
MAIL FROM:<amy@example.org> SIZE=65 => 250 2.1.0 Ok
RCPT TO:<bob@example.org> => 250 2.1.5
DATA => 354 Go
... (not shown)|. => 550 5.7.1 ";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn other_protocols_are_not_claimed() {
        for text in [
            "* Connected to www.example.org (192.0.2.1) port 80\n> GET / HTTP/1.1\n< HTTP/1.1 200 OK\n",
            "* Connected to ftp.example.org (192.0.2.1) port 21\n< 220 Hello\n> USER anonymous\n< 331 Password\n",
            "> > * Connected to me\n< 220 mx\n",
        ] {
            assert!(!super::is_log(text), "{text}");
        }
    }
}
