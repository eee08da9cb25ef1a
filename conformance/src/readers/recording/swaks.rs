//! Reads the output of swaks, which begins each line with a mark.
//!
//! ```text
//! === Trying mx.example.org:25...
//! === Connected to mx.example.org.
//! <-  220 mx.example.org ESMTP
//!  -> EHLO client.example.net
//! <** 550 5.7.1 Not you
//! ```
//!
//! Under TLS the marks are ` ~>`, `<~ ` and `<~*`. What swaks says itself begins with `===` or `***`. With
//! `--suppress-data`, the number of its lines replaces the message. With `--auth-plaintext`, base64 is shown decoded. With `--no-hints` there are no marks, which
//! [`unmarked`](super::unmarked) reads.

use anyhow::Result;

use super::tape::{Sight, Tape};
use super::{is_reply, lines};
use crate::dialogue::{Dialogue, Exchange};
use crate::protocol::Protocol;
use crate::protocol::reply::Reply;

const SENT: [&str; 4] = [" ->", " ~>", "**>", "*~>"];
const RECEIVED: [&str; 4] = ["<- ", "<~ ", "<**", "<~*"];

/// Returns whether a text is such output.
pub(super) fn is_log(text: &str) -> bool {
    let has = |is_it: fn(&str) -> bool| lines(text).any(|(_, line)| is_it(line));
    let is_received = |line: &str| after(line, &RECEIVED).is_some_and(is_reply);
    let is_introduced = |line: &str| line.starts_with("=== Trying ") || line.starts_with("=== Connected to ");
    let is_sent = |line: &str| after(line, &SENT).is_some();
    let is_failure = |line: &str| line.starts_with("*** Error connecting to ");
    has(is_received) && (has(is_introduced) || has(is_sent)) || has(is_introduced) && has(is_failure)
}

/// Reads output of one or more runs.
///
/// # Errors
///
/// If there are too many exchanges.
pub(super) fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let mut tape = Tape::new(protocol, Sight::default());
    for (number, line) in lines(text) {
        if let Some(sent) = after(line, &SENT) {
            if tape.is_in_message() && is_count(sent) {
                tape.sent_hidden_message(number);
            } else {
                tape.sent(number, sent);
            }
        } else if let Some(received) = after(line, &RECEIVED) {
            tape.received(number, received);
        } else if line.starts_with("=== Connected to ") {
            tape.connected(number, None);
        } else if line.starts_with("=== TLS started") {
            tape.tls(number);
        } else if line.starts_with("*** TLS startup failed") {
            tape.tls_failed(number);
        } else if line.starts_with("*** Remote host closed connection unexpectedly") {
            tape.closed(number);
        }
    }
    let mut dialogues = tape.dialogues(name)?;
    dialogues.iter_mut().for_each(doubt_decoded);
    Ok(dialogues)
}

/// With `--auth-plaintext`, swaks shows challenges and responses decoded. Then their form says nothing about what was sent.
fn doubt_decoded(dialogue: &mut Dialogue) {
    let is_challenge = |exchange: &Exchange| exchange.number() == Some(334);
    let is_decoded =
        |exchange: &Exchange| is_challenge(exchange) && exchange.replies().any(|reply| !is_base64(&reply));
    let mut is_doubtful = false;
    for exchange in &mut dialogue.exchanges {
        is_doubtful |= is_decoded(exchange);
        exchange.sure &= !is_doubtful;
        is_doubtful &= is_challenge(exchange);
    }
}

/// Returns whether the text of a reply may be base64, or is empty.
fn is_base64(reply: &Reply<'_>) -> bool {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    reply.lines().all(|line| line.text().len() % 4 == 0 && line.text().iter().all(is_digit))
}

/// Returns what follows a mark and a space. Blanks at the end of a line may have been lost.
fn after<'a>(line: &'a str, marks: &[&str]) -> Option<&'a str> {
    let rest = marks.iter().find_map(|mark| line.strip_prefix(mark))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// Returns whether a line says how many lines were sent.
fn is_count(line: &str) -> bool {
    line.strip_suffix(" lines sent").is_some_and(|count| count.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read, shown};

    const LOG: &str = "\
=== Trying mx.example.org:25...
=== Connected to mx.example.org.
<-  220 mx.example.org ESMTP
 -> EHLO client.example.net
<-  250-mx.example.org
<-  250 STARTTLS
 -> STARTTLS
<-  220 Go
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
 ~> EHLO client.example.net
<~  250-mx.example.org
<~  250 AUTH PLAIN
 ~> MAIL FROM:<amy@example.org>
<~  250 2.1.0 Ok
 ~> RCPT TO:<nobody@example.org>
<~* 550-5.1.1 No such
<~* 550 5.1.1 user
 ~> RCPT TO:<bob@example.org>
<~  250 2.1.5 Ok
 ~> DATA
<~  354 Go
 ~> Subject: hi\r
 ~> \r
 ~> 250 is a number\r
 ~> .
<~  250
*** Remote host closed connection unexpectedly.
";

    #[test]
    fn marks_show_both_sides_and_tls() {
        let expected = "\
a connection
connect => 220 mx.example.org ESMTP
EHLO client.example.net => 250-mx.example.org +1
STARTTLS => 220 Go
handshake
EHLO client.example.net => 250-mx.example.org +1
MAIL FROM:<amy@example.org> => 250 2.1.0 Ok
RCPT TO:<nobody@example.org> => 550-5.1.1 No such +1
RCPT TO:<bob@example.org> => 250 2.1.5 Ok
DATA => 354 Go
Subject: hi||250 is a number|. => 250  Closed";
        assert_eq!(shown(LOG), expected);
        assert_eq!(read(LOG)[0].exchanges[6].line, Some(15));
    }

    #[test]
    fn a_message_may_be_counted_only() {
        let shown = shown(
            "=== Trying mx:25...\n=== Connected to mx.\n=== TLS started with cipher X\n<~  220 mx\n ~> DATA\n<~  354 Go\n \
             ~> 11 lines sent\n<~  250 Ok\n",
        );
        let expected =
            "a connection under TLS\nconnect => 220 mx\nDATA => 354 Go\n... (not shown)|. => 250 Ok";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_shown_decoded_is_in_doubt() {
        let shown = shown(
            "=== Connected to mx.\n<-  220 mx\n -> AUTH LOGIN\n<-  334 Username:\n -> amy\n<-  334 Password:\n -> secret\n<** \
             535 5.7.8 No\n -> QUIT\n<-  221 2.0.0 Bye\n",
        );
        let expected = "a connection\nconnect => 220 mx\nAUTH LOGIN => 334 Username:?\namy => 334 Password:?\nsecret => 535 \
                        5.7.8 No?\nQUIT => 221 2.0.0 Bye";
        assert_eq!(shown, expected);
    }

    #[test]
    fn no_connection_is_no_dialogue() {
        let text =
            "=== Trying 192.0.2.1:25...\n*** Error connecting to 192.0.2.1:25:\n*** \tConnection refused\n";
        assert_eq!(read(text), []);
    }
}
