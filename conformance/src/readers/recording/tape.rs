//! Collects what a recording shows, line by line, and adds what it leaves out.
//!
//! No client shows everything. Some do not say when TLS begins, some do not print the message, and some are asked to print
//! only after they have connected. What is missing is filled in so that no rule blames the server for it.

use anyhow::{Result, ensure};

use crate::dialogue::octets::NOT_SHOWN;
use crate::dialogue::{Act, Dialogue};
use crate::limits::TRANSCRIPT_EXCHANGES;
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb};
use crate::readers::transcript::{Event, read_events};

/// The port on which TLS begins at once (RFC 8314 §3.3).
const SUBMISSIONS: u16 = 465;

/// The number of events that are kept. An exchange takes at least two, and more if a reply or a message has many lines.
const EVENTS: usize = 4 * TRANSCRIPT_EXCHANGES;

/// The events of a recording so far.
#[derive(Default)]
pub(super) struct Tape {
    protocol: Protocol,
    events: Vec<(usize, Event)>,
    sight: Sight,
    connection: Connection,
}

/// What a client shows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// It does not say whether the connection is under TLS from the start.
    pub hides_tls: bool,
    /// It shows the lines of a message before dots are added to them (RFC 5321 §4.5.2).
    pub before_stuffing: bool,
    /// It does not show all that is sent: a reply may have no act before it in the recording.
    pub hides_acts: bool,
}

/// How far a connection has come.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Default)]
struct Connection {
    is_open: bool,
    /// The index of the event at which it began, until something was received.
    begun: Option<usize>,
    /// The number of acts that have no reply yet.
    awaited: usize,
    sending: Sending,
    starttls: Starttls,
    /// Whether the last reply has more lines.
    is_replying: bool,
    /// Whether the server has closed the connection after QUIT.
    is_over: bool,
    /// Whether the last act that was answered may get more replies: in LMTP, a message gets one per recipient.
    may_get_more: bool,
    /// The index of the last DATA command among the events.
    data: Option<usize>,
    /// The lines of a message, with their numbers, while dots may have to be added to them.
    message: Vec<(usize, String)>,
}

/// What the client sends next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Sending {
    #[default]
    Commands,
    /// DATA, which awaits its reply.
    Data,
    /// A message, of which nothing was sent yet.
    Due,
    Message,
    /// The response to a 334 challenge.
    Response,
}

/// How far STARTTLS has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Starttls {
    #[default]
    None,
    Asked,
    Accepted,
}

impl Tape {
    pub(super) fn new(protocol: Protocol, sight: Sight) -> Tape {
        Tape { protocol, sight, ..Tape::default() }
    }

    /// A connection began.
    pub(super) fn connected(&mut self, line: usize, port: Option<u16>) {
        self.end_message();
        self.connection =
            Connection { is_open: true, begun: Some(self.events.len()), awaited: 1, ..Connection::default() };
        self.record((line, Event::Connected(port)));
        if port == Some(SUBMISSIONS) {
            self.record((line, Event::Tls));
        }
    }

    /// TLS began: with the connection, or after STARTTLS.
    pub(super) fn tls(&mut self, line: usize) {
        let is_known = self.events.last().is_some_and(|(_, event)| *event == Event::Tls);
        if self.connection.is_open && !is_known {
            self.record((line, Event::Tls));
        }
        self.connection.starttls = Starttls::None;
    }

    /// TLS could not be set up. What follows in the recording are not replies to commands.
    pub(super) fn tls_failed(&mut self, line: usize) {
        self.record((line, Event::TlsFailed));
        self.connection.starttls = Starttls::None;
    }

    /// The server closed the connection.
    pub(super) fn closed(&mut self, line: usize) {
        if self.connection.is_open {
            self.end_message();
            self.record((line, Event::Closed));
        }
    }

    /// What was sent and received here is not in the recording.
    pub(super) fn left_out(&mut self, line: usize) {
        self.record((line, Event::Doubt));
    }

    /// The client sent a message although DATA was refused, so that the server took its lines for commands.
    pub(super) fn sent_refused_message(&mut self, line: usize) {
        let index = self.connection.data.take().unwrap_or(self.events.len());
        self.events.insert(index.min(self.events.len()), (line, Event::Doubt));
    }

    /// The recording begins within a session, of which `is_known` says whether its state is that of a new one.
    pub(super) fn joined(&mut self, line: usize, is_known: bool) {
        self.join(self.events.len(), line, is_known);
    }

    /// The client sent a line, shown without its end.
    pub(super) fn sent(&mut self, line: usize, text: &str) {
        let text = text.trim_end_matches('\r');
        if self.sight.before_stuffing && self.is_in_message() {
            self.connection.sending = Sending::Message;
            self.connection.message.push((line, text.to_owned()));
            return;
        }
        self.sent_octets(line, [text.as_bytes(), b"\r\n"].concat(), is_masked(text));
    }

    /// The client sent octets: a line, or a whole message.
    pub(super) fn sent_octets(&mut self, line: usize, octets: Vec<u8>, shortened: bool) {
        let begins = self.connection.is_over && Command::read(&octets).verb() != Verb::Other;
        if begins || !self.connection.is_open {
            self.connected(line, None);
        }
        match self.connection.sending {
            Sending::Due | Sending::Message => {
                let ends = octets == b".\r\n" || octets.ends_with(b"\r\n.\r\n");
                self.connection.sending = if ends { Sending::Commands } else { Sending::Message };
                self.connection.awaited += usize::from(ends);
                self.connection.may_get_more = ends && self.protocol == Protocol::Lmtp;
            }
            Sending::Response => {
                self.connection.sending = Sending::Commands;
                self.connection.awaited += 1;
            }
            Sending::Commands | Sending::Data => self.send_command(line, &octets),
        }
        self.record((line, Event::Sent { octets, shortened }));
    }

    fn send_command(&mut self, line: usize, octets: &[u8]) {
        let verb = Command::read(octets).verb();
        if self.connection.starttls == Starttls::Accepted {
            self.record((line, Event::Tls));
        }
        self.connection.starttls = if verb == Verb::Starttls { Starttls::Asked } else { Starttls::None };
        if verb == Verb::Data {
            self.connection.data = Some(self.events.len());
            self.connection.sending = Sending::Data;
        }
        self.connection.awaited += 1;
        self.connection.may_get_more = false;
    }

    /// The client sent a message that the recording does not show.
    pub(super) fn sent_hidden_message(&mut self, line: usize) {
        if self.connection.sending == Sending::Due {
            self.sent_octets(line, [NOT_SHOWN, b".\r\n"].concat(), false);
        }
    }

    /// The server sent a line, shown without its end. Blanks before the end may have been lost.
    pub(super) fn received(&mut self, line: usize, text: &str) {
        let is_whole = text.ends_with('\r');
        let mut text = text.replace('\r', "");
        if !is_whole && is_code_alone(&text) {
            text.push(' ');
        }
        text.push_str("\r\n");
        self.received_octets(line, text.into_bytes());
    }

    /// The server sent a line, which is known with its end.
    pub(super) fn received_octets(&mut self, line: usize, octets: Vec<u8>) {
        if !self.connection.is_open || (self.connection.is_over && octets.starts_with(b"220")) {
            self.connected(line, None);
        }
        self.end_message();
        self.sent_hidden_message(line);
        self.join_late(line, &octets);
        let begins = !self.connection.is_replying;
        if begins && self.sight.hides_acts && self.lacks_act(&octets) {
            self.sent_octets(line, NOT_SHOWN.to_vec(), true);
        }
        self.connection.is_replying = if has_code(&octets) { octets.get(3) == Some(&b'-') } else { !begins };
        if !self.connection.is_replying {
            self.end_reply(&octets);
        }
        self.record((line, Event::Received(octets)));
    }

    fn end_reply(&mut self, last: &[u8]) {
        let connection = &mut self.connection;
        connection.awaited = connection.awaited.saturating_sub(1);
        connection.is_over = connection.awaited == 0 && last.starts_with(b"221");
        connection.sending = match (connection.sending, last.get(..3)) {
            (Sending::Data, Some(b"354")) => Sending::Due,
            (Sending::Data, _) if connection.awaited > 0 => Sending::Data,
            (_, Some(b"334")) => Sending::Response,
            (Sending::Message, _) => Sending::Message,
            _ => Sending::Commands,
        };
        connection.starttls = match (connection.starttls, last.get(..3)) {
            (Starttls::Asked, Some(b"220")) if connection.awaited == 0 => Starttls::Accepted,
            (Starttls::Asked, _) if connection.awaited > 0 => Starttls::Asked,
            _ => Starttls::None,
        };
    }

    /// Returns whether what the client sends next is a part of a message.
    pub(super) fn is_in_message(&self) -> bool {
        matches!(self.connection.sending, Sending::Due | Sending::Message)
    }

    /// Returns whether what the client sends next is the response to a challenge.
    pub(super) fn is_in_response(&self) -> bool {
        self.connection.sending == Sending::Response
    }

    /// Returns whether the last reply has more lines.
    pub(super) fn is_replying(&self) -> bool {
        self.connection.is_replying
    }

    /// Returns whether a reply is missing.
    pub(super) fn is_waiting(&self) -> bool {
        self.connection.is_open && (self.connection.awaited > 0 || self.connection.is_replying)
    }

    /// Returns whether a connection began.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_open
    }

    /// Returns whether a reply that begins here answers an act that is not in the recording. A server may send 421
    /// whenever it wants (RFC 5321 §3.8).
    fn lacks_act(&self, octets: &[u8]) -> bool {
        self.connection.awaited == 0 && !self.connection.may_get_more && !octets.starts_with(b"421")
    }

    /// If the client spoke first in the recording, the greeting came before it, unless this is the greeting.
    fn join_late(&mut self, line: usize, octets: &[u8]) {
        let Some(begun) = self.connection.begun.take() else { return };
        let first = self.events.iter().skip(begun).find_map(|(line, event)| match event {
            Event::Sent { octets, .. } => Some((*line, Command::read(octets).verb())),
            _ => None,
        });
        match first {
            Some((_, verb)) if octets.starts_with(b"220") && verb != Verb::Starttls => {}
            Some((line, verb)) => self.join(begun + 1, line, verb.is_hello()),
            None if self.sight.hides_acts && octets.starts_with(b"250") => self.join(begun + 1, line, false),
            None => {}
        }
    }

    fn join(&mut self, index: usize, line: usize, is_known: bool) {
        let index = index.min(self.events.len());
        self.connection.begun = None;
        self.connection.awaited = self.connection.awaited.saturating_sub(1);
        if !is_known {
            self.events.insert(index, (line, Event::Doubt));
        }
        self.events.insert(index, (line, Event::Joined));
    }

    /// Adds an event, unless there are too many.
    fn record(&mut self, event: (usize, Event)) {
        if self.events.len() <= EVENTS {
            self.events.push(event);
        }
    }

    /// Adds the lines of a message to the events, and the dots that the client added to them.
    fn end_message(&mut self) {
        let lines = std::mem::take(&mut self.connection.message);
        let end = lines.iter().rposition(|(_, text)| text == ".");
        for (index, (line, text)) in lines.into_iter().enumerate() {
            let is_stuffed = text.starts_with('.') && end.is_some_and(|end| index < end);
            let dot = if is_stuffed { "." } else { "" };
            self.sent_octets(line, format!("{dot}{text}\r\n").into_bytes(), false);
        }
    }

    /// Reads the events.
    ///
    /// # Errors
    ///
    /// If there are too many exchanges.
    pub(super) fn dialogues(mut self, name: &str) -> Result<Vec<Dialogue>> {
        self.end_message();
        ensure!(
            self.events.len() <= EVENTS,
            "{name}: more than {EVENTS} lines of commands and replies; split the file"
        );
        let events = self.events.into_iter().map(|(line, event)| (line, Ok(event)));
        let mut dialogues = read_events(None, name, self.protocol, events)?;
        if self.sight.hides_tls {
            for dialogue in &mut dialogues {
                dialogue.implicit_tls |= may_be_under_tls(dialogue);
            }
        }
        Ok(dialogues)
    }
}

/// Returns whether a connection may have been under TLS from the start: neither is STARTTLS offered, nor does TLS begin
/// later.
fn may_be_under_tls(dialogue: &Dialogue) -> bool {
    let offers_tls = dialogue.exchanges.iter().any(|exchange| {
        let is_hello = exchange.command().is_some_and(|command| command.verb().is_hello());
        is_hello && exchange.replies().any(|reply| Capabilities::read(&reply).has("STARTTLS"))
    });
    !offers_tls && dialogue.exchanges.iter().all(|exchange| exchange.act != Act::Handshake)
}

/// Returns whether asterisks or words are in place of a secret: the last word of AUTH, or a whole response.
pub(super) fn is_masked(sent: &str) -> bool {
    let is_mask = |word: &str| word.len() > 1 && word.bytes().all(|octet| octet == b'*');
    let is_said = |text: &str| text.contains(" hidden]") || text.contains(" hidden>");
    let auth = Command::read(sent.as_bytes()).verb() == Verb::Auth;
    is_mask(sent) || is_said(sent) || (auth && sent.rsplit(' ').next().is_some_and(is_mask))
}

/// Returns whether a line has only a reply code, or that and an enhanced status code, so that a space that followed may
/// have been lost.
fn is_code_alone(text: &str) -> bool {
    let is_enhanced =
        |text: &str| text.contains('.') && text.bytes().all(|octet| octet == b'.' || octet.is_ascii_digit());
    match text.split_at_checked(3) {
        Some((code, rest)) if code.bytes().all(|octet| octet.is_ascii_digit()) => {
            rest.is_empty() || rest.strip_prefix([' ', '-']).is_some_and(is_enhanced)
        }
        _ => false,
    }
}

/// Returns whether a line has a reply code, followed by a space, a hyphen or its end.
pub(super) fn has_code(line: &[u8]) -> bool {
    match line {
        [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', rest @ ..] => {
            matches!(rest.first(), None | Some(b' ' | b'-' | b'\r' | b'\n'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS, Sight, Tape};
    use crate::protocol::Protocol;

    #[test]
    fn too_many_lines_are_refused() {
        let mut tape = Tape::new(Protocol::Smtp, Sight::default());
        for line in 1..=EVENTS {
            tape.received(line, "220-mx");
        }
        let error = tape.dialogues("log").expect_err("with the connection there is one event too many");
        assert_eq!(error.to_string(), "log: more than 800000 lines of commands and replies; split the file");
    }
}
