//! Reads sessions without marks, where what was typed and what the server sent are only told apart by their form: those of
//! telnet, nc, `openssl s_client` and `swaks --no-hints`.
//!
//! ```text
//! Trying 192.0.2.1...
//! Connected to mx.example.org.
//! Escape character is '^]'.
//! 220 mx.example.org ESMTP
//! EHLO client.example.net
//! 250 mx.example.org
//! ```
//!
//! A line with a reply code is the server's, and any other the client's. After 354, all lines up to a lone dot are the
//! message. If nothing that was typed is in the recording, only replies are, and what they answer is not known.
//!
//! `openssl s_client -starttls smtp` shows only the last line of the reply to its EHLO, and then what comes under TLS.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_command, is_reply, lines, port};
use crate::dialogue::Dialogue;
use crate::protocol::Protocol;

const SIGHT: Sight = Sight { hides_tls: false, before_stuffing: false, hides_acts: true };

/// Returns whether a text is such a session, with SMTP.
pub(super) fn is_log(text: &str) -> bool {
    let Some(program) = Program::of(text).filter(|program| program.begins(text)) else { return false };
    let said = lines(text).map(|(_, line)| line.trim_end()).filter(|line| !program.is_remark(line));
    let (replies, typed): (Vec<&str>, Vec<&str>) = said.partition(|line| is_reply(line));
    let is_smtp = typed.is_empty() || typed.iter().any(|line| is_command(line));
    is_smtp
        && replies
            .first()
            .is_some_and(|first| program != Program::Unknown || is_greeting(first, replies.len()))
}

/// Returns whether a reply is the greeting of a session, with others after it.
fn is_greeting(first: &str, count: usize) -> bool {
    let is_named = first.get(4..).is_some_and(|text| !is_reply(text));
    first.starts_with("220") && is_named && count > 1
}

/// Reads one or more sessions.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let program = Program::of(text).unwrap_or(Program::Unknown);
    let is_typed = |line: &str| !is_reply(line) && is_command(line) && !program.is_remark(line);
    let echoes = lines(text).any(|(_, line)| is_typed(line));
    let mut tape = Tape::new(protocol, SIGHT);
    let mut rest = lines(text).peekable();
    while let Some((number, line)) = rest.next() {
        let line = &displayed(line);
        let next = rest.peek().map_or("", |(_, next)| *next);
        if program == Program::OpenSsl && is_keystroke(line, next) {
            continue;
        }
        if echoes && tape.is_in_message() {
            tape.sent(number, line);
        } else if is_reply(line) || (tape.is_replying() && !program.is_remark(line)) {
            program.receive(&mut tape, number, line);
        } else if line.trim_end() == "." && tape.is_open() {
            tape.sent_refused_message(number);
        } else if tape.is_in_response() || program.is_typed(line) {
            program.send(&mut tape, number, line);
        } else {
            listen(&mut tape, number, line.trim_end());
        }
    }
    let mut dialogues = tape.dialogues(name)?;
    dialogues.iter_mut().for_each(doubt_line_ends);
    Ok(dialogues)
}

/// What shows the session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Telnet,
    /// nc, ncat or netcat.
    Netcat,
    OpenSsl,
    /// swaks without its hints.
    Swaks,
    /// Nothing says what it is; nc says nothing unless it is asked to.
    Unknown,
}

/// How the first line of openssl may begin.
const OPENSSL: [&str; 5] =
    ["CONNECTED(", "CONNECTION ESTABLISHED", "Connecting to ", "Can't use SSL_get_servername", "depth="];

/// What may come before and after a session, whatever program shows it.
const AROUND: [&str; 4] = ["Script started on ", "Script done on ", "spawn ", "Connection closed"];

impl Program {
    fn of(text: &str) -> Option<Program> {
        let has = |words: &[&str]| lines(text).any(|(_, line)| begins(line, words));
        let said = [
            (Program::OpenSsl, &OPENSSL[..]),
            (Program::Swaks, &["=== Trying ", "=== Connected to "]),
            (Program::Telnet, &["Escape character is "]),
            (Program::Netcat, &["Connection to ", "Ncat: "]),
        ];
        let found = said.iter().find(|(_, words)| has(words)).map(|(program, _)| *program);
        found.or_else(|| lines(text).any(|(_, line)| is_reply(line)).then_some(Program::Unknown))
    }

    /// Returns whether nothing else comes before the session.
    fn begins(self, text: &str) -> bool {
        let mut before = lines(text).map(|(_, line)| line.trim_end()).take_while(|line| !is_reply(line));
        match self {
            Program::OpenSsl => {
                before.find(|line| !is_around(line)).is_some_and(|first| begins(first, &OPENSSL))
            }
            Program::Unknown => before.all(|line| self.is_remark(line)),
            _ => before.all(|line| self.is_remark(line) || is_command(line)),
        }
    }

    /// Returns whether a line outside of messages is neither a command nor a reply.
    fn is_remark(self, line: &str) -> bool {
        let is_said = match self {
            Program::Telnet => {
                begins(line, &["Trying ", "Connected to ", "Escape character is ", "telnet: ", "telnet> "])
            }
            Program::Netcat => begins(line, &["Connection to ", "Ncat: ", "nc: "]),
            Program::Swaks => begins(line, &["=== ", "*** "]),
            Program::OpenSsl => !is_reply(line) && !is_command(line),
            Program::Unknown => line.ends_with(" open") && line.contains("] "),
        };
        is_said || is_around(line)
    }

    /// Returns whether a line that is not a reply was typed. openssl says too much for that to be told from commands that are
    /// not known.
    fn is_typed(self, line: &str) -> bool {
        !self.is_remark(line) && (self != Program::OpenSsl || is_command(line))
    }

    fn receive(self, tape: &mut Tape, number: usize, line: &str) {
        if self != Program::OpenSsl || tape.is_open() {
            tape.received(number, line);
        } else if line.starts_with("250") {
            // The last line of the reply to the EHLO before STARTTLS.
            tape.connected(number, None);
            tape.joined(number, true);
            tape.received(number, line);
            tape.tls(number);
        } else {
            tape.connected(number, None);
            tape.tls(number);
            tape.received(number, line);
        }
    }

    fn send(self, tape: &mut Tape, number: usize, line: &str) {
        if self == Program::OpenSsl && !tape.is_open() {
            tape.connected(number, None);
            tape.tls(number);
        }
        tape.sent(number, line);
    }
}

/// Follows what a program says.
fn listen(tape: &mut Tape, number: usize, line: &str) {
    if line.starts_with("Connected to ") || line.starts_with("=== Connected to ") {
        tape.connected(number, None);
    } else if let Some(address) = line.strip_prefix("Connection to ") {
        tape.connected(number, address.split(' ').nth(1).and_then(port));
    } else if (line == "closed" || line.contains("losed by foreign host")) && tape.is_waiting() {
        // If the client is not waiting, the server may have closed because the user was slow (RFC 5321 §4.5.3.2.7).
        tape.closed(number);
    }
}

fn begins(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| line.starts_with(word))
}

/// Returns whether a line says nothing, or is of a shell.
fn is_around(line: &str) -> bool {
    line.trim().is_empty() || begins(line, &AROUND) || is_prompt(line)
}

/// Returns a line as a terminal shows it once all is written: a backspace goes one column back.
fn displayed(line: &str) -> String {
    let text = line.trim_end_matches('\r');
    let end = if text.len() < line.len() { "\r" } else { "" };
    if !text.contains('\u{8}') {
        return format!("{text}{end}");
    }
    let mut columns: Vec<char> = Vec::new();
    let mut column: usize = 0;
    for character in text.chars() {
        if character == '\u{8}' {
            column = column.saturating_sub(1);
        } else {
            columns.truncate(column);
            columns.push(character);
            column += 1;
        }
    }
    columns.truncate(column);
    columns.into_iter().chain(end.chars()).collect()
}

/// Returns whether openssl took a line for one of its own commands and sent nothing: a first letter R renegotiates, Q quits,
/// and K changes keys.
fn is_keystroke(line: &str, next: &str) -> bool {
    let done = match line.as_bytes().first() {
        Some(b'R') => "RENEGOTIATING",
        Some(b'Q') => "DONE",
        Some(b'K' | b'k') => "KEYUPDATE",
        _ => return false,
    };
    next.trim_end() == done
}

/// Returns whether a line is a prompt of a shell, with the program that is started.
fn is_prompt(line: &str) -> bool {
    const PROGRAMS: [&str; 7] = ["telnet", "nc", "ncat", "netcat", "openssl", "swaks", "exit"];
    let after = ["$ ", "# ", "% "].iter().find_map(|end| line.split_once(end)).map(|(_, after)| after);
    let word = after.and_then(|after| after.split_whitespace().next());
    word.is_some_and(|word| PROGRAMS.contains(&word))
}

/// What was typed may have been sent with LF alone, as nc and openssl do by default. If the server says that it minds, its
/// reply is not one to the command.
fn doubt_line_ends(dialogue: &mut Dialogue) {
    for exchange in &mut dialogue.exchanges {
        if exchange
            .replies()
            .any(|reply| reply.says(&["bare lf", "bare <lf>", "bare newline", "bare line", "line feed"]))
        {
            exchange.sure = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;
    use super::is_log;

    const SESSION: &str = "\
220 mx.example.org ESMTP\r
EHLO client.exm\u{8} \u{8}ample.net\r
250-mx.example.org\r
250 STARTTLS\r

FOO\r
500 5.5.2 What?\r
DATA\r
354 Go\r
Subject: hi\r
\r
250 is a number\r
QUIT\r
.\r
250 2.0.0 Ok\r
QUIT\r
^D\u{8}\u{8}221 2.0.0 Bye\r
";
    const EXPECTED: &str = "\
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
FOO => 500 5.5.2 What?
DATA => 354 Go
Subject: hi||250 is a number|QUIT|. => 250 2.0.0 Ok
QUIT => 221 2.0.0 Bye";

    #[test]
    fn codes_tell_replies_from_commands() {
        let telnet = "user@host:~$ telnet mx.example.org 25\nTrying 192.0.2.1...\nConnected to mx.example.org.\nEscape \
                      character is '^]'.\n";
        let nc = "Connection to 192.0.2.1 25 port [tcp/smtp] succeeded!\r\n";
        let netcat = "mx.example.org [192.0.2.1] 25 (smtp) open\n";
        let swaks =
            "=== Trying mx.example.org:25...\n=== Connected to mx.example.org.\n=== response in 0.001s\n";
        for (before, connection) in [
            (telnet, "a connection"),
            (nc, "port 25"),
            (netcat, "a connection"),
            (swaks, "a connection"),
            ("", "a connection"),
        ] {
            let text = format!("{before}{SESSION}Connection closed by foreign host.\n");
            assert_eq!(shown(&text), format!("{connection}\n{EXPECTED}"), "{text}");
        }
    }

    #[test]
    fn openssl_hides_what_came_before_tls() {
        let preface = "CONNECTED(00000003)\r\ndepth=0 CN = mx.example.org\r\nverify return:1\r\n---\r\nServer \
                       certificate\r\n250aBcD+/\r\n---\r\n";
        let ticket = "---\r\nPost-Handshake New Session Ticket arrived:\r\nSSL-Session:\r\n    0000 - 3b 4c   \
                      ;L\r\n\r\n---\r\nread R BLOCK\r\n";
        let typed = "mail FROM:<amy@example.org>\n250 2.1.0 Ok\r\r\nRCPT TO:<bob@example.org>\r\nRENEGOTIATING\r\n\
                     rcpt TO:<bob@example.org>\r\n550 5.1.1 No\r\r\nQUIT\r\nDONE\r\n";
        let expected = "\
a connection
... (not shown) => 250 CHUNKING?
handshake
mail FROM:<amy@example.org> => 250 2.1.0 Ok
rcpt TO:<bob@example.org> => 550 5.1.1 No";
        assert_eq!(shown(&format!("{preface}250 CHUNKING\r\r\n{ticket}{typed}")), expected);
        let implicit = shown(&format!("{preface}220 mx.example.org\r\r\n{ticket}"));
        assert_eq!(implicit, "a connection under TLS\nconnect => 220 mx.example.org");
    }

    #[test]
    fn without_what_was_typed_only_replies_are_known() {
        let text = "220 mx.example.org ESMTP\n250 2.1.0\n354 Go\n250 2.0.0 Ok\n421 4.4.2 Bye\n";
        let expected = "\
a connection
connect => 220 mx.example.org ESMTP
... (not shown) => 250 2.1.0 ?
... (not shown) => 354 Go?
... (not shown) => 250 2.0.0 Ok?
wait => 421 4.4.2 Bye?";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn a_bare_lf_may_be_the_clients() {
        let text = "220 mx.example.org\nEHLO me\n501 5.5.2 Bare LF is not allowed\nQUIT\n221 2.0.0 Bye\n";
        let expected = "a connection\nconnect => 220 mx.example.org\nEHLO me => 501 5.5.2 Bare LF is not allowed?\nQUIT => \
                        221 2.0.0 Bye";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn a_message_after_a_refusal_is_in_doubt() {
        let text = "220 mx.example.org\nDATA\n503 5.5.1 No\nMAIL FROM:<a@example.org>\n.\n503 5.5.1 No\n500 5.5.1 What?\nQUIT\n221 \
                    2.0.0 Bye\n";
        let expected = "\
a connection
connect => 220 mx.example.org
DATA => 503 5.5.1 No?
MAIL FROM:<a@example.org> => 503 5.5.1 No?
... (not shown) => 500 5.5.1 What??
QUIT => 221 2.0.0 Bye?";
        assert_eq!(shown(text), expected);
        let alone = "220 mx.example.org\n.\n500 5.5.1 What?\nEHLO me\n250 mx.example.org\n";
        let expected = "a connection\nconnect => 220 mx.example.org\n... (not shown) => 500 5.5.1 What??\nEHLO me => 250 \
                        mx.example.org?";
        assert_eq!(shown(alone), expected);
    }

    #[test]
    fn a_close_is_the_servers_fault_only_while_it_owes_a_reply() {
        let before =
            "Trying 192.0.2.1...\nConnected to mx.\nEscape character is '^]'.\n220 mx.example.org\nNOOP\n";
        let close = "Connection closed by foreign host.\n";
        assert!(shown(&format!("{before}{close}")).ends_with("NOOP Closed"));
        assert!(shown(&format!("{before}250 Ok\n{close}")).ends_with("NOOP => 250 Ok"));
    }

    #[test]
    fn lists_and_other_protocols_are_not_claimed() {
        for text in [
            "550 5.1.1 Unknown\n550 5.7.1 No\n",
            "220 only a greeting\n",
            "220 550 5.1.1 a process id\n221 550 5.1.1 another\n",
            "Trying 192.0.2.1...\nEscape character is '^]'.\n220 ftp.example.org\nUSER anonymous\n331 Password\n",
            "words\n220 mx\nEHLO me\n",
            "smtp: Failed: 550-5.1.1 No\n550 5.1.1 user\nConnection to mx failed\nSend a message\n",
        ] {
            assert!(!is_log(text), "{text}");
        }
    }
}
