//! Reads transcripts: recorded connections as text, with one line of text per line on the wire.
//!
//! ```text
//! #: connected
//! S: 220 mx.example.org ESMTP
//! C: EHLO me.example.org
//! S: 250 mx.example.org
//! C: NOOP\n
//! S: 250 Ok
//! #: closed by server
//! ```
//!
//! A line begins with `C: ` if the client sent it, with `S: ` if the server did, and with `#: ` if it is an event:
//! `connected`, `connected to port 25`, `tls`, `tls failed`, `timeout` or `closed by server`. Other events are remarks.
//! `tls` directly after `connected` says that the connection is under TLS from the start.
//!
//! What arrived of the last message comes after `arrived by lmtp from <amy@example.org> for <bob@example.org>`, with
//! `A: ` before each line; `smtp` has the same form. From a mailbox it is `arrived by maildir` or `arrived by mbox`.
//! `nothing arrived by lmtp` says that nothing came in time.
//!
//! Each line ends in CRLF on the wire, unless its text ends in `\n` (LF alone) or `\+` (no line end). A backslash is
//! written `\\`, and `\xHH` is any octet. Lines of the client may be shortened, `... (900 octets)` or `... (40 lines)`, or left
//! out, `... (not shown)`.
//! If the client sent the first part of a line before it awaited a reply, `C: NO\+` comes before that reply, and the rest
//! of the line, `C: OP`, after it.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::dialogue::arrival::{Arrival, Arrived, By};
use crate::dialogue::octets::is_shortened;
use crate::dialogue::{Act, Answer, Dialogue, End, Exchange};
use crate::limits::TRANSCRIPT_EXCHANGES;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{Reader, Reply, is_tls_record};

/// Reads a transcript. Each `connected` event begins a dialogue.
///
/// A recording shows what each side sent, but not which act a reply answers. Replies are matched to acts in order
/// (RFC 5321 §4.3.1). Once the client sent octets that can be read as a different number of commands, matches are no
/// longer [sure](Exchange::sure).
///
/// # Errors
///
/// Refuses a line of any other form, with its line number, and more exchanges than [`TRANSCRIPT_EXCHANGES`].
pub fn read(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    read_on(None, name, protocol, text)
}

/// Reads a transcript of one connection that begins with the greeting, without a `connected` event.
pub(super) fn read_connected(name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    read_on(Some(Matcher::new(name, protocol, None, 1)), name, protocol, text)
}

fn read_on(matcher: Option<Matcher>, name: &str, protocol: Protocol, text: &str) -> Result<Vec<Dialogue>> {
    let events = text.lines().enumerate().map(|(index, line)| (index + 1, event(line)));
    read_events(matcher, name, protocol, events)
}

/// Reads events, each with the number of its line.
pub(super) fn read_events(
    mut matcher: Option<Matcher>,
    name: &str,
    protocol: Protocol,
    events: impl Iterator<Item = (usize, Result<Event>)>,
) -> Result<Vec<Dialogue>> {
    let mut dialogues = Vec::new();
    // The number of exchanges in finished connections.
    let mut before = 0;
    for (number, event) in events {
        let event = event.with_context(|| format!("{name}:{number}"))?;
        if let Event::Connected(port) = event {
            if let Some(matcher) = matcher.take() {
                before += matcher.exchanges();
                dialogues.push(matcher.finish());
            }
            matcher = Some(Matcher::new(name, protocol, port, number));
            continue;
        }
        match (&mut matcher, event) {
            (_, Event::Remark) => {}
            (Some(matcher), Event::Arrived(by, copy)) => matcher
                .arrive(by, copy)
                .with_context(|| format!("{name}:{number}: expected the reply to a message before it"))?,
            (Some(matcher), Event::Content(octets)) => matcher
                .continue_copy(&octets)
                .with_context(|| format!("{name}:{number}: expected `#: arrived by` before `A: `"))?,
            (Some(matcher), event) => {
                matcher.take(event, number);
                let exchanges = before + matcher.exchanges();
                ensure!(
                    exchanges <= TRANSCRIPT_EXCHANGES,
                    "{name}:{number}: more than {TRANSCRIPT_EXCHANGES} exchanges; split the file before a line `#: connected`"
                );
            }
            (None, _) => {
                bail!("{name}:{number}: expected `#: connected` before the first `C: ` or `S: `")
            }
        }
    }
    dialogues.extend(matcher.map(Matcher::finish));
    Ok(dialogues)
}

/// What a line of a recording says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A connection begins, to a port if that is known.
    Connected(Option<u16>),
    Tls,
    /// The TLS handshake failed.
    TlsFailed,
    TimedOut,
    Closed,
    /// The recording begins after the greeting.
    Joined,
    /// The recording leaves out some of what was sent, so that later matches are not sure.
    Doubt,
    Remark,
    /// The client sent a line, which may be shortened.
    Sent {
        octets: Vec<u8>,
        shortened: bool,
    },
    /// The server sent a line.
    Received(Vec<u8>),
    /// A copy of the last message arrived, or nothing did.
    Arrived(By, Option<Arrival>),
    /// A line of that copy.
    Content(Vec<u8>),
}

fn event(line: &str) -> Result<Event> {
    let (kind, rest) = line
        .split_at_checked(2)
        .ok_or_else(|| anyhow!("expected a line that begins with `C: `, `S: ` or `#: `"))?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    Ok(match kind {
        "C:" => {
            let octets = octets(rest)?;
            Event::Sent { shortened: is_shortened(&octets), octets }
        }
        "S:" => Event::Received(octets(rest)?),
        "A:" => Event::Content(octets(rest)?),
        "#:" => match rest.split(' ').next().unwrap_or_default() {
            "connected" => Event::Connected(port(rest)?),
            "tls" if rest == "tls failed" => Event::TlsFailed,
            "tls" => Event::Tls,
            "timeout" => Event::TimedOut,
            "closed" if rest == "closed by server" => Event::Closed,
            "arrived" if rest.starts_with("arrived by ") => arrived(rest)?,
            "nothing" if rest.starts_with("nothing arrived by ") => arrived(rest)?,
            _ => Event::Remark,
        },
        _ => bail!("expected a line that begins with `C: `, `S: ` or `#: `, not {kind:?}"),
    })
}

/// Reads the port of an event such as `connected to port 25`.
fn port(text: &str) -> Result<Option<u16>> {
    let port = text.strip_prefix("connected to port ").map(str::parse).transpose();
    port.map_err(|_| anyhow!("expected a number up to 65535 after `connected to port`"))
}

/// Reads an event such as `arrived by lmtp from <amy@example.org> for <bob@example.org>`, or `nothing arrived by mbox`.
fn arrived(text: &str) -> Result<Event> {
    let mut words = text.split(' ').skip_while(|word| *word != "by").skip(1);
    let by = words.next().and_then(By::find);
    let by = by.ok_or_else(|| anyhow!("expected maildir, mbox, lmtp or smtp after `arrived by`"))?;
    if text.starts_with("nothing") {
        return Ok(Event::Arrived(by, None));
    }
    let mut copy = Arrival::default();
    let mut is_sender = false;
    for word in words {
        match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
            Some(path) if is_sender => copy.sender = Some(path.to_owned()),
            Some(path) => copy.recipients.push(path.to_owned()),
            None if matches!(word, "from" | "for") => is_sender = word == "from",
            None => bail!("expected `from <ADDRESS>` or `for <ADDRESS>`, not {word:?}"),
        }
    }
    Ok(Event::Arrived(by, Some(copy)))
}

/// Returns the octets of a line, including its line end.
fn octets(text: &str) -> Result<Vec<u8>> {
    let (text, end): (&str, &[u8]) = match text.strip_suffix("\\n").filter(|rest| !ends_escaped(rest)) {
        Some(text) => (text, b"\n"),
        None => match text.strip_suffix("\\+").filter(|rest| !ends_escaped(rest)) {
            Some(text) => (text, b""),
            None => (text, b"\r\n"),
        },
    };
    let mut octets = Vec::with_capacity(text.len() + 2);
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'\\' => match rest.next() {
                Some(b'\\') => b'\\',
                Some(b'x') => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    let digits = str::from_utf8(&digits).unwrap_or_default();
                    u8::from_str_radix(digits, 16)
                        .map_err(|_| anyhow!("expected two hexadecimal digits after `\\x`, not {digits:?}"))?
                }
                _ => bail!("expected `\\` or `xHH` after a backslash, or `n` or `+` at the end of the line"),
            },
            octet => octet,
        });
    }
    octets.extend_from_slice(end);
    Ok(octets)
}

/// Returns whether a text ends with a backslash that escapes the next character.
fn ends_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|octet| *octet == b'\\').count() % 2 == 1
}

/// Matches replies to acts.
pub(super) struct Matcher {
    dialogue: Dialogue,
    reader: Reader,
    waiting: Waiting,
    /// What the client is sending, if it is not a command line.
    sending: Option<Sending>,
    /// The number of recipients accepted since MAIL, for LMTP.
    recipients: usize,
    handshake: Handshake,
    /// What the client sent in clear after the reply to STARTTLS.
    clear: Option<Exchange>,
    /// The part of a line that the client has sent while it awaits replies to what it sent before.
    ahead: Vec<u8>,
    sure: bool,
    /// The line that is being read, from 1.
    line: usize,
    /// The line on which what the client sends began.
    begun: usize,
    /// The line on which the reply that is being read began.
    replying: usize,
    /// Whether the client has sent something since then.
    sent_meanwhile: bool,
}

/// The acts that wait for their replies.
struct Waiting {
    acts: VecDeque<Exchange>,
    /// The number of them after which the server may read octets as something else: connecting and DATA.
    openings: usize,
}

impl Waiting {
    fn push(&mut self, exchange: Exchange) {
        self.openings += usize::from(is_opening(&exchange));
        self.acts.push_back(exchange);
    }

    fn pop(&mut self) -> Option<Exchange> {
        let exchange = self.acts.pop_front()?;
        self.openings -= usize::from(is_opening(&exchange));
        Some(exchange)
    }

    fn drain(&mut self) -> impl Iterator<Item = Exchange> {
        self.openings = 0;
        self.acts.drain(..)
    }
}

fn is_opening(exchange: &Exchange) -> bool {
    exchange.act == Act::Connect || exchange.command().is_some_and(|command| command.verb() == Verb::Data)
}

/// The progress of STARTTLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handshake {
    None,
    /// The server sent 220, and TLS comes next.
    Due,
    /// The client sent something other than TLS, so what the server sends are not replies.
    Failed,
}

enum Sending {
    Message(Vec<u8>),
    Chunk { command: Vec<u8>, octets: Vec<u8>, length: usize, shortened: bool },
    Response,
}

impl Matcher {
    fn new(name: &str, protocol: Protocol, port: Option<u16>, line: usize) -> Matcher {
        let connecting = Exchange { line: Some(line), ..Exchange::new(Act::Connect) };
        Matcher {
            dialogue: Dialogue { name: name.to_owned(), protocol, port, ..Dialogue::default() },
            reader: Reader::default(),
            waiting: Waiting { acts: VecDeque::from([connecting]), openings: 1 },
            sending: None,
            recipients: 0,
            handshake: Handshake::None,
            clear: None,
            ahead: Vec::new(),
            sure: true,
            line,
            begun: line,
            replying: line,
            sent_meanwhile: false,
        }
    }

    fn exchanges(&self) -> usize {
        self.dialogue.exchanges.len() + self.waiting.acts.len()
    }

    /// Adds a copy of the last message, or notes that nothing arrived. Returns `None` if there is no message.
    fn arrive(&mut self, by: By, copy: Option<Arrival>) -> Option<()> {
        // The message may lack its end.
        if let Some(Sending::Message(part)) =
            self.sending.take_if(|sending| matches!(sending, Sending::Message(part) if !part.is_empty()))
        {
            self.wait_for_message(part);
            self.dialogue.exchanges.extend(self.waiting.drain());
        }
        let message = self.dialogue.exchanges.iter_mut().rfind(|exchange| is_message(exchange))?;
        message.arrived.get_or_insert(Arrived { by, copies: Vec::new() }).copies.extend(copy);
        Some(())
    }

    /// Adds a line to the last copy. Returns `None` if there is no copy.
    fn continue_copy(&mut self, octets: &[u8]) -> Option<()> {
        let message = self.dialogue.exchanges.iter_mut().rfind(|exchange| is_message(exchange))?;
        message.arrived.as_mut()?.copies.last_mut()?.octets.extend_from_slice(octets);
        Some(())
    }

    fn take(&mut self, event: Event, line: usize) {
        self.line = line;
        match (event, self.handshake) {
            (Event::Sent { octets, .. }, Handshake::Due) => {
                self.handshake = Handshake::Failed;
                self.clear = Some(Exchange { sure: false, ..self.exchange(Act::Command(octets)) });
                let handshake = self.exchange(Act::Handshake);
                self.dialogue.exchanges.push(Exchange { end: End::Failed, ..handshake });
            }
            (Event::Sent { .. } | Event::Received(_), Handshake::Failed) => {}
            // TLS records, which are not replies.
            (Event::Received(octets), Handshake::Due) if is_tls_record(&octets) => {
                self.handshake = Handshake::Failed;
            }
            (event, _) => self.take_reply(event),
        }
    }

    fn take_reply(&mut self, event: Event) {
        match event {
            Event::Sent { octets, shortened } => self.send(octets, shortened),
            Event::Received(octets) => self.receive(&octets),
            Event::Tls if self.is_new() => self.dialogue.implicit_tls = true,
            Event::Tls => self.begin_tls(),
            Event::TlsFailed => self.fail_tls(),
            Event::TimedOut => self.stop(End::TimedOut),
            Event::Closed => self.stop(End::Closed),
            Event::Joined => drop(self.waiting.drain()),
            Event::Doubt => self.sure = false,
            Event::Connected(_) | Event::Remark | Event::Arrived(..) | Event::Content(_) => {}
        }
    }

    fn send(&mut self, octets: Vec<u8>, shortened: bool) {
        self.sent_meanwhile = true;
        let octets = [std::mem::take(&mut self.ahead), octets].concat();
        if self.is_ahead(&octets) {
            if let Some(before) = self.waiting.acts.back_mut() {
                before.ahead.clone_from(&octets);
                before.sure &= before.may_be_followed();
            }
            self.ahead = octets;
            return;
        }
        let is_continued = match &self.sending {
            Some(Sending::Message(before)) => !before.is_empty(),
            Some(Sending::Chunk { .. }) => true,
            Some(Sending::Response) | None => false,
        };
        if !is_continued {
            self.begun = self.line;
        }
        match self.sending.take() {
            Some(Sending::Message(mut message)) => {
                message.extend_from_slice(&octets);
                // A line may be sent in parts.
                if message == b".\r\n" || message.ends_with(b"\r\n.\r\n") {
                    self.wait_for_message(message);
                } else {
                    self.sending = Some(Sending::Message(message));
                }
            }
            Some(Sending::Chunk { command, octets: mut chunk, length, shortened: before }) => {
                chunk.extend_from_slice(&octets);
                let shortened = shortened || before;
                self.send_chunk(command, chunk, length, shortened);
            }
            Some(Sending::Response) => self.wait(Act::Response(octets), !shortened),
            None => self.send_command(octets, shortened),
        }
    }

    /// Returns whether octets are only a part of a line, sent while the client awaits the reply to a command or message.
    fn is_ahead(&self, octets: &[u8]) -> bool {
        let is_awaited = |exchange: &Exchange| match &exchange.act {
            Act::Command(line) => line.ends_with(b"\r\n"),
            act => matches!(act, Act::Message(_)),
        };
        let is_line = octets.ends_with(b"\n");
        !is_line && self.sending.is_none() && self.waiting.acts.back().is_some_and(is_awaited)
    }

    fn wait_for_message(&mut self, octets: Vec<u8>) {
        // A server may see the end of a message at line ends other than CRLF.
        self.sure &= !has_stray_end(&octets);
        self.wait(Act::Message(octets), true);
    }

    fn send_command(&mut self, octets: Vec<u8>, shortened: bool) {
        let command = Command::read(&octets);
        // A server may see the end of a command at NUL too.
        let is_doubtful = |octet: &u8| matches!(octet, b'\r' | b'\n' | 0);
        self.sure &= octets.strip_suffix(b"\r\n").is_some_and(|line| !line.iter().any(is_doubtful));
        // A server may read what is sent before the greeting or after DATA as something else.
        self.sure &= self.waiting.openings == 0;
        match (command.verb(), command.chunk_length()) {
            (Verb::Bdat, Some(length)) => self.send_chunk(octets, Vec::new(), length, shortened),
            _ => self.wait(Act::Command(octets), !shortened),
        }
    }

    fn send_chunk(&mut self, command: Vec<u8>, octets: Vec<u8>, length: usize, shortened: bool) {
        if octets.len() < length {
            self.sending = Some(Sending::Chunk { command, octets, length, shortened });
        } else {
            self.sure &= octets.len() == length || shortened;
            self.wait(Act::Chunk { command, octets }, !shortened);
        }
    }

    fn wait(&mut self, act: Act, sure: bool) {
        if let Some(before) = self.waiting.acts.back_mut() {
            before.pipelined = true;
            before.ahead.clear();
        }
        let line = Some(self.begun);
        self.waiting.push(Exchange { sure: sure && self.sure, line, ..Exchange::new(act) });
    }

    /// Returns an exchange that begins on the line that is being read.
    fn exchange(&self, act: Act) -> Exchange {
        Exchange { line: Some(self.line), ..Exchange::new(act) }
    }

    fn receive(&mut self, octets: &[u8]) {
        if self.join_broken_off(octets) {
            return;
        }
        // A chunk that is shortened in the transcript ends where its reply begins.
        if let Some(Sending::Chunk { command, octets, .. }) =
            self.sending.take_if(|sending| matches!(sending, Sending::Chunk { .. }))
        {
            self.wait(Act::Chunk { command, octets }, false);
        }
        // A reply that comes before the end of a message parts the message.
        let is_in_message = match self.sending.take_if(|sending| matches!(sending, Sending::Message(_))) {
            Some(Sending::Message(part)) if !part.is_empty() => {
                self.wait_for_message(part);
                true
            }
            taken => taken.is_some(),
        };
        if !self.reader.is_waiting() {
            self.replying = self.line;
            self.sent_meanwhile = false;
        }
        self.end_unfinished(octets);
        self.reader.push(octets);
        while let Some(reply) = self.reader.next() {
            let (octets, number) = (reply.octets().to_vec(), reply.number());
            let (waiting, dialogue) = (&mut self.waiting, &mut self.dialogue);
            Matcher::answer(waiting, dialogue, &mut self.recipients, octets, number, self.replying);
            let last = self.dialogue.exchanges.last();
            let verb = last.and_then(crate::dialogue::Exchange::command).map(|command| command.verb());
            if (verb, number, self.waiting.acts.is_empty()) == (Some(Verb::Starttls), Some(220), true) {
                self.handshake = Handshake::Due;
            }
            self.sending = match (last.map(|exchange| &exchange.act), number) {
                (Some(Act::Command(octets)), Some(354)) if Command::read(octets).verb() == Verb::Data => {
                    Some(Sending::Message(Vec::new()))
                }
                (Some(Act::Command(_) | Act::Response(_)), Some(334)) => Some(Sending::Response),
                _ => None,
            };
        }
        if is_in_message && self.sending.is_none() {
            self.sending = Some(Sending::Message(Vec::new()));
        }
    }

    /// Appends octets to the last reply if LF without CR broke them off its last line. Returns whether it did.
    fn join_broken_off(&mut self, octets: &[u8]) -> bool {
        let is_rest =
            !self.reader.is_waiting() && octets.first().is_some_and(|first| !first.is_ascii_digit());
        let last = self.dialogue.exchanges.last_mut().and_then(|exchange| exchange.answers.last_mut());
        match last {
            Some(answer) if is_rest && answer.lacks_cr() => {
                answer.octets.extend_from_slice(octets);
                true
            }
            _ => false,
        }
    }

    /// Ends a reply without a last line if the client has sent more since, and another reply begins: what the client
    /// sent shows that it waits no longer, and the other reply code that the server does not go on.
    fn end_unfinished(&mut self, octets: &[u8]) {
        let Some(unfinished) = self.reader.unfinished() else { return };
        let (before, next) = (unfinished.number(), Reply::read(octets).number());
        if before.is_none() || next.is_none() || before == next || !self.sent_meanwhile {
            return;
        }
        let octets = unfinished.octets().to_vec();
        self.reader = Reader::default();
        let (waiting, dialogue) = (&mut self.waiting, &mut self.dialogue);
        Matcher::answer(waiting, dialogue, &mut self.recipients, octets, before, self.replying);
        if let Some(exchange) = self.dialogue.exchanges.last_mut() {
            exchange.end = End::TimedOut;
        }
        self.replying = self.line;
    }

    /// Gives a reply to the act that has waited longest.
    fn answer(
        waiting: &mut Waiting,
        dialogue: &mut Dialogue,
        recipients: &mut usize,
        octets: Vec<u8>,
        number: Option<u16>,
        line: usize,
    ) {
        let answer = Answer { octets, millis: 0 };
        let protocol = dialogue.protocol;
        // A client that went on after some of the replies does not expect the others, unless it sent the next act before
        // it had any.
        if let Some(last) = dialogue.exchanges.last_mut()
            && last.end == End::Answered
            && (waiting.acts.is_empty() || last.pipelined)
            && lacks_replies(last, protocol, *recipients)
        {
            return last.answers.push(answer);
        }
        let Some(mut exchange) = waiting.pop() else {
            let line = Some(line);
            let unasked = Exchange { answers: vec![answer], sure: false, line, ..Exchange::new(Act::Wait) };
            return dialogue.exchanges.push(unasked);
        };
        let accepted = number.is_some_and(|number| (200..300).contains(&number));
        match exchange.command().map(|command| command.verb()) {
            Some(Verb::Mail | Verb::Rset | Verb::Ehlo | Verb::Helo | Verb::Lhlo) if accepted => {
                *recipients = 0;
            }
            Some(Verb::Rcpt) if accepted => *recipients += 1,
            _ => {}
        }
        exchange.answers.push(answer);
        dialogue.exchanges.push(exchange);
    }

    /// Returns whether nothing was sent yet.
    fn is_new(&self) -> bool {
        self.dialogue.exchanges.is_empty() && self.waiting.acts.len() == 1 && !self.reader.is_waiting()
    }

    /// What follows on the connection is neither a command nor a reply.
    fn fail_tls(&mut self) {
        let handshake = self.exchange(Act::Handshake);
        self.dialogue.exchanges.push(Exchange { end: End::Failed, ..handshake });
        self.handshake = Handshake::Failed;
    }

    fn begin_tls(&mut self) {
        // What was sent in clear after the reply to STARTTLS was not the handshake, which begins now.
        if let Some(clear) = self.clear.take()
            && let Some(failed) = self.dialogue.exchanges.last_mut().filter(|last| last.end == End::Failed)
        {
            *failed = Exchange { end: End::TimedOut, ..clear };
        }
        // The server must discard what was sent in clear after STARTTLS (RFC 3207 §4.2), so it has no reply.
        self.dialogue.exchanges.extend(self.waiting.drain().map(|exchange| Exchange {
            sure: false,
            end: End::TimedOut,
            ..exchange
        }));
        let handshake = self.exchange(Act::Handshake);
        self.dialogue.exchanges.push(handshake);
        self.reader = Reader::default();
        self.handshake = Handshake::None;
    }

    fn stop(&mut self, end: End) {
        let rest = self.reader.finish().map(|reply| reply.octets().to_vec());
        self.reader = Reader::default();
        let unfinished = rest.is_some();
        if let Some(octets) = rest {
            let (waiting, dialogue) = (&mut self.waiting, &mut self.dialogue);
            Matcher::answer(waiting, dialogue, &mut self.recipients, octets, None, self.replying);
        }
        let (protocol, recipients) = (self.dialogue.protocol, self.recipients);
        let lacks = |last: &Exchange| lacks_replies(last, protocol, recipients);
        let unanswered = !self.waiting.acts.is_empty() || self.dialogue.exchanges.last().is_some_and(lacks);
        self.dialogue.exchanges.extend(self.waiting.drain().map(|exchange| Exchange { end, ..exchange }));
        match self.dialogue.exchanges.last_mut() {
            Some(last) if end == End::Closed || unanswered || unfinished => last.end = end,
            _ => {}
        }
        // A late reply may still answer the act that timed out.
        self.sure &= !(end == End::TimedOut && (unanswered || unfinished));
    }

    fn finish(mut self) -> Dialogue {
        let unread = self.reader.finish().map(|reply| reply.octets().to_vec());
        if let Some(octets) = unread {
            let (waiting, dialogue) = (&mut self.waiting, &mut self.dialogue);
            Matcher::answer(waiting, dialogue, &mut self.recipients, octets, None, self.replying);
        }
        self.dialogue.exchanges.extend(self.waiting.drain().map(|exchange| Exchange {
            end: End::TimedOut,
            sure: false,
            ..exchange
        }));
        self.dialogue
    }
}

/// Returns whether an act has some but not all of its replies: in LMTP, a message gets one per recipient.
fn lacks_replies(exchange: &Exchange, protocol: Protocol, recipients: usize) -> bool {
    let due = match (&exchange.act, protocol) {
        (Act::Message(_), Protocol::Lmtp) => recipients,
        (Act::Chunk { command, .. }, Protocol::Lmtp) if Command::read(command).is_last_chunk() => recipients,
        _ => 1,
    };
    (1..due).contains(&exchange.answers.len())
}

/// Returns whether an exchange completes a message.
fn is_message(exchange: &Exchange) -> bool {
    match &exchange.act {
        Act::Message(_) => true,
        Act::Chunk { .. } => exchange.command().is_some_and(|command| command.is_last_chunk()),
        _ => false,
    }
}

/// Returns whether octets have a CR without LF or an LF without CR. A CR at the end may be followed by LF.
fn has_stray_end(octets: &[u8]) -> bool {
    let is_stray = |pair: &[u8]| (pair[0] == b'\r') != (pair[1] == b'\n');
    octets.windows(2).any(is_stray) || octets.first() == Some(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(text: &str) -> Vec<(String, Vec<String>, bool)> {
        let dialogues = read("test", Protocol::Smtp, text).expect("the transcript is well-formed");
        let exchanges = dialogues.into_iter().flat_map(|dialogue| dialogue.exchanges);
        exchanges
            .map(|exchange| {
                let replies = exchange.answers.iter().map(|answer| answer.octets.escape_ascii().to_string());
                let replies = replies.collect();
                (exchange.act.parts().concat().escape_ascii().to_string(), replies, exchange.sure)
            })
            .collect()
    }

    #[test]
    fn messages_and_responses_are_not_commands() {
        let text = "#: connected\nS: 220 mx\nC: AUTH PLAIN\nS: 334 \nC: AGEAYg==\nS: 235 2.7.0 Ok\nC: DATA\nS: 354 Go\n\
                    C: NOOP\nC: .\nS: 250 2.0.0 Ok\nC: QUIT\nS: 221 2.0.0 Bye\n";
        let acts = acts(text);
        let sent: Vec<&str> = acts.iter().map(|(sent, ..)| sent.as_str()).collect();
        assert_eq!(
            sent,
            ["", r"AUTH PLAIN\r\n", r"AGEAYg==\r\n", r"DATA\r\n", r"NOOP\r\n.\r\n", r"QUIT\r\n"]
        );
        assert!(acts.iter().all(|(_, replies, sure)| replies.len() == 1 && *sure));
    }

    #[test]
    fn a_bare_lf_makes_matches_unsure() {
        let acts = acts("#: connected\nS: 220 mx\nC: NOOP\\n\nS: 250 Ok\nS: 250 Ok\n#: closed by server\n");
        let expected = [
            (String::new(), vec![r"220 mx\r\n".to_owned()], true),
            (r"NOOP\n".to_owned(), vec![r"250 Ok\r\n".to_owned()], false),
            (String::new(), vec![r"250 Ok\r\n".to_owned()], false),
        ];
        assert_eq!(acts, expected);
    }

    #[test]
    fn a_message_may_be_sent_in_parts_of_lines() {
        let before = "#: connected\nS: 220 mx\nC: DATA\nS: 354 Go\nC: a\n";
        let acts =
            acts(&format!("{before}C: .\\x0d\\+\n#: timeout\nC: \\n\nS: 250 Ok\nC: NOOP\nS: 250 Ok\n"));
        let [.., message, noop] = acts.as_slice() else { panic!("two acts at least") };
        assert_eq!(message, &(r"a\r\n.\r\n".to_owned(), vec![r"250 Ok\r\n".to_owned()], true));
        assert_eq!(noop, &(r"NOOP\r\n".to_owned(), vec![r"250 Ok\r\n".to_owned()], true));
    }

    #[test]
    fn a_part_of_a_command_may_be_sent_before_a_reply_is_awaited() {
        let before = "#: connected\nS: 220 mx\nC: RSET\n";
        let sent = |text: &str| {
            let text = format!("{before}{text}");
            let dialogues = read("test", Protocol::Smtp, &text).expect("the transcript is well-formed");
            let exchanges = dialogues.into_iter().flat_map(|dialogue| dialogue.exchanges).skip(1);
            let shown = exchanges.map(|exchange| {
                let [act, ahead] =
                    [exchange.act.parts()[0], &exchange.ahead].map(|octets| octets.escape_ascii());
                format!("{act} {ahead} {:?} {}", exchange.number(), exchange.sure)
            });
            shown.collect::<Vec<_>>()
        };
        let parted = ["RSET\\r\\n NO Some(250) true", "NOOP\\r\\n  Some(251) true"];
        assert_eq!(sent("C: NO\\+\nS: 250 Ok\nC: OP\nS: 251 Ok\n"), parted);
        assert_eq!(sent("C: N\\+\nC: O\\+\nS: 250 Ok\nC: OP\nS: 251 Ok\n"), parted);
        let hasty =
            ["RSET\\r\\n  Some(250) true", "VRFY\\r\\n a Some(251) false", "abc\\r\\n  Some(500) true"];
        assert_eq!(sent("C: VRFY\nC: a\\+\nS: 250 Ok\nS: 251 Ok\nC: bc\nS: 500 Ok\n"), hasty);
        let whole = ["RSET\\r\\n  Some(250) true", "NOOP\\r\\n  Some(251) true"];
        assert_eq!(sent("C: NO\\+\nC: OP\nS: 250 Ok\nS: 251 Ok\n"), whole);
        let late = ["RSET\\r\\n NO None true", "NOOP\\r\\n  Some(250) false"];
        assert_eq!(sent("C: NO\\+\n#: timeout\nC: OP\nS: 250 Ok\n"), late);
    }

    #[test]
    fn nul_in_a_command_makes_matches_unsure() {
        let acts = acts("#: connected\nS: 220 mx\nC: NOOP \\x00\nS: 250 Ok\n");
        assert_eq!(acts.last(), Some(&(r"NOOP \x00\r\n".to_owned(), vec![r"250 Ok\r\n".to_owned()], false)));
    }

    #[test]
    fn a_backslash_before_plus_is_no_missing_end() {
        let acts = acts("#: connected\nS: 220 mx\nC: NOOP a\\\\+\nS: 250 Ok\n");
        assert_eq!(acts[1].0, r"NOOP a\\+\r\n");
    }

    #[test]
    fn tls_may_begin_at_once_and_fail() {
        let read = |text: &str| read("test", Protocol::Smtp, text).expect("the transcript is well-formed");
        let at_once = read("#: connected\n#: tls\nS: 220 mx\nC: NOOP\nS: 250 Ok\n");
        assert!(at_once[0].implicit_tls && at_once[0].exchanges.iter().all(|exchange| exchange.sure));
        let [connect, noop] = at_once[0].exchanges.as_slice() else { panic!("two acts") };
        assert_eq!((connect.number(), noop.number()), (Some(220), Some(250)));
        let failed = read("#: connected\nS: 220 mx\nC: STARTTLS\nS: 220 Go\n#: tls failed\nS: 500 What?\n");
        let [.., starttls, handshake] = failed[0].exchanges.as_slice() else { panic!("two acts at least") };
        assert_eq!((starttls.number(), handshake.number()), (Some(220), None));
        assert_eq!((&handshake.act, handshake.end), (&Act::Handshake, End::Failed));
        assert!(!failed[0].implicit_tls);
    }

    /// After a timeout, missing replies to an LMTP message are not taken from those to later commands.
    #[test]
    fn an_act_that_timed_out_takes_no_later_reply() {
        let text = "#: connected to port 24\nS: 220 mx\nC: LHLO me\nS: 250 mx\nC: MAIL FROM:<>\nS: 250 Ok\n\
                    C: RCPT TO:<a@b>\nS: 250 Ok\nC: RCPT TO:<c@d>\nS: 250 Ok\nC: DATA\nS: 354 Go\nC: .\n\
                    S: 250 first\n#: timeout\nC: NOOP\nS: 250 noop\nC: QUIT\nS: 221 Bye\n#: closed by server\n";
        let dialogues = read("test", Protocol::Lmtp, text).expect("the transcript is well-formed");
        let [dialogue] = dialogues.as_slice() else { panic!("one connection") };
        assert_eq!(dialogue.port, Some(24));
        let [.., message, noop, quit] = dialogue.exchanges.as_slice() else { panic!("three acts at least") };
        assert_eq!((message.answers.len(), message.end, message.sure), (1, End::TimedOut, true));
        assert_eq!((noop.answers.len(), noop.number(), noop.sure), (1, Some(250), false));
        assert_eq!((quit.number(), quit.end), (Some(221), End::Closed));
    }

    #[test]
    fn a_message_without_its_end_may_have_arrived() {
        let text = "#: connected\nS: 220 mx\nC: DATA\nS: 354 Go\nC: a\n#: arrived by mbox\nA: a\n";
        let dialogues = read("test", Protocol::Smtp, text).expect("the transcript is well-formed");
        let last = dialogues[0].exchanges.last().expect("there are exchanges");
        assert_eq!((&last.act, last.answers.len()), (&Act::Message(b"a\r\n".to_vec()), 0));
        assert_eq!(last.arrived.as_ref().map(|arrived| arrived.copies.len()), Some(1));
    }

    #[test]
    fn what_arrived_belongs_to_the_message_before_it() {
        let text = "#: connected\nS: 220 mx\nC: DATA\nS: 354 Go\nC: a\nC: .\nS: 250 Ok\n#: arrived by lmtp from <> for <a@b> \
                    <c@d>\nA: Received: x\nA: a\\n\n#: arrived by lmtp from <e@f>\nC: DATA\nS: 354 Go\nC: .\nS: 250 Ok\n\
                    #: nothing arrived by mbox\n";
        let dialogues = read("test", Protocol::Smtp, text).expect("the transcript is well-formed");
        let arrived: Vec<&Arrived> =
            dialogues[0].exchanges.iter().filter_map(|exchange| exchange.arrived.as_ref()).collect();
        let first = Arrival {
            sender: Some(String::new()),
            recipients: vec!["a@b".to_owned(), "c@d".to_owned()],
            octets: b"Received: x\r\na\n".to_vec(),
        };
        let second = Arrival { sender: Some("e@f".to_owned()), ..Arrival::default() };
        assert_eq!(*arrived[0], Arrived { by: By::Lmtp, copies: vec![first, second] });
        assert_eq!(arrived[0].deliveries(), 3);
        assert_eq!(*arrived[1], Arrived { by: By::Mbox, copies: Vec::new() });
    }

    #[test]
    fn exchanges_know_the_line_on_which_they_begin() {
        let text = "#: a comment\n#: connected\nS: 220-mx\nS: 220 mx\nC: DATA\nS: 354 Go\nC: Subject: a\nC: \nC: .\n\
                    S: 250 Ok\nC: BDAT 3\nC: a\nS: 250 Ok\nC: STARTTLS\nS: 220 Go\n#: tls\nC: NOOP\nC: RSET\nS: 250 Ok\n\
                    S: 250 Ok\nS: 421-Bye\nS: 421 Bye\n#: closed by server\n";
        let lines = |dialogues: Vec<Dialogue>| -> Vec<usize> {
            let exchanges = dialogues.into_iter().flat_map(|dialogue| dialogue.exchanges);
            exchanges.filter_map(|exchange| exchange.line).collect()
        };
        let read = lines(read("test", Protocol::Smtp, text).expect("the transcript is well-formed"));
        assert_eq!(read, [2, 5, 7, 11, 14, 16, 17, 18, 21]);
        let bare = read_connected("test", Protocol::Smtp, "S: 220 mx\nC: NOOP\nS: 250 Ok\n");
        assert_eq!(lines(bare.expect("the transcript is well-formed")), [1, 2]);
        let error = read_connected("log", Protocol::Smtp, "S: 220 mx\nX: hi\n").expect_err("it is refused");
        assert!(format!("{error:#}").starts_with("log:2: "), "{error:#}");
    }

    #[test]
    fn errors_name_the_line() {
        let error =
            |text: &str| format!("{:#}", read("log", Protocol::Smtp, text).expect_err("it is refused"));
        assert_eq!(
            error("#: connected\nX: hi\n"),
            "log:2: expected a line that begins with `C: `, `S: ` or `#: `, not \"X:\""
        );
        assert_eq!(error("S: 220 hi\n"), "log:1: expected `#: connected` before the first `C: ` or `S: `");
        assert!(error("#: connected\nS: \\q\n").contains("after a backslash"));
        assert!(error("#: connected\nA: x\n").contains("log:2: expected `#: arrived by` before"));
        assert!(
            error("#: connected\n#: arrived by pigeon\n").contains("expected maildir, mbox, lmtp or smtp")
        );
        assert!(
            error("#: connected\n#: arrived by smtp\n").contains("expected the reply to a message before it")
        );
        assert!(error("#: connected to port smtp\n").contains("expected a number up to 65535"));
    }
}
