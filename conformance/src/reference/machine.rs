//! The server without input and output: it takes lines, messages and chunks, and returns replies.
//!
//! It acts as its replies say: if a fault turns a refusal into 250, it accepts; if one turns 354 into 250, it does not
//! wait for a message. So a server with a fault is wrong in one respect and consistent in all others.

mod authentication;
mod content;
mod envelope;
mod inquiry;
mod mailbox;
mod speech;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::delivery::{Letter, without_dot};
use super::fault::{Behaviour, Fault, Spoil, State, Way, spoils};
use super::key::Key;
use super::memory::Memory;
use super::replies::{Replies, Values};
use super::script::{Script, Stage as At};
use super::withheld::Withheld;
use super::witness::Ledger;
use super::{RECIPIENTS, SOLICITATION, Tls};
use crate::dialogue::content::lines;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb, is_domain, is_literal};
use crate::target::Destination;

use authentication::Stage;
use mailbox::Mailbox;
use speech::is_positive;

/// The longest command line that it accepts, including CR LF. RFC 5321 §4.5.3.1.4 requires 512 octets, and extensions
/// add to that.
const LINE: usize = 2048;

/// The longest name in EHLO (RFC 5321 §4.5.3.1.2).
const NAME: usize = 255;

/// The longest response to a challenge that it accepts, including CR LF (RFC 4954 §4).
const RESPONSE: usize = 12288 + 2;

/// What a server is set up to do.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) protocol: Protocol,
    pub(super) tls: Tls,
    pub(super) faults: Vec<&'static Fault>,
    pub(super) replies: &'static Replies,
    pub(super) memory: Arc<Memory>,
    pub(super) delivery: Option<Destination>,
    pub(super) script: Arc<Script>,
    pub(super) withheld: Arc<Withheld>,
    /// The largest message that it accepts, in octets.
    pub(super) size: u64,
    /// Whether it accepts every recipient.
    pub(super) welcomes_all: bool,
    pub(super) ledger: Option<Arc<Ledger>>,
}

impl Setting {
    /// Returns the fault with a behaviour.
    pub(super) fn behaves(&self, behaviour: Behaviour) -> Option<&'static Fault> {
        self.faults.iter().copied().find(|fault| fault.behaviour == Some(behaviour))
    }

    /// Returns whether a fault does something to messages on their way to the mailbox.
    pub(super) fn spoils(&self, spoil: Spoil) -> bool {
        spoils(&self.faults, spoil)
    }
}

/// What the server receives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    /// The client connected.
    Connected,
    /// A line, including its end, or the beginning of a line that is far too long.
    Line(&'a [u8]),
    /// A message.
    Message(Message<'a>),
    /// A chunk, with its length in octets, and those of them that were kept.
    Chunk(u64, &'a [u8]),
    /// TLS has begun.
    Secured,
    /// The client sent nothing for too long.
    Idle,
    /// The client sent more than it may on one connection.
    TooMuch,
}

/// A message as the client sent it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message<'a> {
    /// Its first octets.
    pub(super) start: &'a [u8],
    /// The number of its octets, without the final dot.
    pub(super) size: u64,
    /// Whether it has a bare CR or a bare LF.
    pub(super) stray_ends: bool,
}

impl Message<'_> {
    /// Returns its content, without the final dot, and without the dots that transparency adds unless they are to stay.
    fn content(&self, keeps_dots: bool) -> Vec<u8> {
        let start = self.start;
        let ends = [&b".\r\n"[..], b".\n", b".\r"];
        let whole = ends.iter().find_map(|end| start.strip_suffix(*end)).unwrap_or(start);
        if keeps_dots { whole.to_vec() } else { lines(whole).flat_map(without_dot).copied().collect() }
    }
}

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Sends a reply.
    Reply { key: Key, octets: Vec<u8>, states: Vec<State>, way: Option<Way> },
    /// Delivers a message.
    Deliver(Box<Letter>),
    /// Begins TLS.
    BeginTls,
    /// Closes the connection.
    Close,
}

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A command, or a response to a challenge.
    Line,
    /// A message.
    Message,
    /// A chunk, with its length in octets.
    Chunk(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Command,
    Response(Stage),
    Message,
    Chunk { length: u64, last: bool },
}

/// One session.
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Machine {
    setting: Setting,
    waiting: Waiting,
    refuses: bool,
    tls: bool,
    hello: Option<Verb>,
    client: String,
    logged_in: bool,
    transaction: Option<Transaction>,
    after_last_chunk: bool,
    /// Chunks that a fault keeps.
    chunks: Vec<u8>,
    commands: usize,
    /// Where in the session the next reply is sent.
    at: At,
    /// How many replies were sent at each place.
    replied: BTreeMap<At, u32>,
    actions: Vec<Action>,
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Debug, Default)]
struct Transaction {
    sender: String,
    recipients: Vec<Mailbox>,
    /// The address of each recipient.
    paths: Vec<String>,
    refused: usize,
    /// The addresses of the first hundred recipients that were refused.
    refused_paths: Vec<String>,
    /// The octets of the chunks so far.
    content: Vec<u8>,
    priority: Option<String>,
    /// Whether it is to be kept until later.
    is_held: bool,
    /// The value of BY.
    deliver_by: Option<String>,
    utf8: bool,
    binary: bool,
    size: Option<u64>,
    chunked: Option<u64>,
    chunk_failed: bool,
}

impl Machine {
    pub(super) fn new(setting: Setting) -> Machine {
        Machine {
            tls: setting.tls == Tls::Implicit,
            setting,
            waiting: Waiting::Command,
            refuses: false,
            hello: None,
            client: String::new(),
            logged_in: false,
            transaction: None,
            after_last_chunk: false,
            chunks: Vec::new(),
            commands: 0,
            at: At::Greeting,
            replied: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    /// Returns what it waits for.
    pub(super) fn awaits(&self) -> Awaited {
        match self.waiting {
            Waiting::Command | Waiting::Response(_) => Awaited::Line,
            Waiting::Message => Awaited::Message,
            Waiting::Chunk { length, .. } => Awaited::Chunk(length),
        }
    }

    /// Returns whether the next line is a response to a challenge.
    pub(super) fn awaits_response(&self) -> bool {
        matches!(self.waiting, Waiting::Response(_))
    }

    /// Takes what the client sent, and returns what to do.
    pub(super) fn take(&mut self, input: Input<'_>) -> Vec<Action> {
        self.at = match (input, self.waiting) {
            (Input::Connected | Input::Secured, _) => At::Greeting,
            (Input::Line(_), Waiting::Response(_)) => At::AuthResponse,
            (Input::Line(line), _) => At::of(Command::read(line).verb()),
            (Input::Message(_), _) => At::Eod,
            (Input::Chunk(..), _) => At::Bdat,
            (Input::Idle | Input::TooMuch, _) => At::End,
        };
        match (input, self.waiting) {
            (Input::Connected, _) => self.greet(),
            (Input::Line(line), Waiting::Response(stage)) => self.response(line, stage),
            (Input::Line(line), _) => self.line(line),
            (Input::Message(message), _) => self.message(message),
            (Input::Chunk(length, octets), Waiting::Chunk { last, .. }) => self.chunk(length, octets, last),
            (Input::Chunk(..), _) => {}
            (Input::Secured, _) => self.secured(),
            (Input::Idle, _) => self.end(Key::Idle),
            (Input::TooMuch, _) => self.end(Key::TooMuch),
        }
        std::mem::take(&mut self.actions)
    }

    fn greet(&mut self) {
        let number = self.say(Key::Greeting);
        self.refuses = number >= 500;
    }

    /// After TLS has begun, the server forgets what the client said before (RFC 3207 §4.2).
    fn secured(&mut self) {
        self.tls = true;
        if self.behaves(Behaviour::RemembersAcrossTls).is_none() {
            self.hello = None;
            self.logged_in = false;
            self.transaction = None;
        }
    }

    fn end(&mut self, key: Key) {
        self.say(key);
        self.close();
    }

    fn line(&mut self, line: &[u8]) {
        self.commands += 1;
        let shutdown = self.behaves(Behaviour::Shutdown);
        if shutdown.is_some_and(|fault| self.commands == fault.count) {
            return self.end(Key::Shutdown);
        }
        let command = Command::read(line);
        let inquires = matches!(command.verb(), Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Noop);
        if inquires && self.behaves(Behaviour::ForgetsAtInquiry).is_some() {
            self.transaction = None;
        }
        let limits = self.behaves(Behaviour::LimitsLines).map_or(LINE, |fault| fault.count);
        let limit = if command.verb() == Verb::Auth { RESPONSE } else { limits };
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match command.verb() {
            Verb::Auth if line.len() > limit => self.settle(Key::AuthLineTooLong),
            _ if line.len() > limit => self.settle(Key::LineTooLong),
            _ if !line.ends_with(b"\r\n") => self.settle(Key::BareLf),
            Verb::Quit => self.quit(&command),
            _ if self.refuses => self.settle(Key::Refused),
            verb if self.setting.withheld.has_command(verb) => self.settle(Key::UnknownCommand),
            Verb::Ehlo | Verb::Lhlo | Verb::Helo if self.is_own_hello(command.verb()) => self.hello(&command),
            Verb::Ehlo | Verb::Helo if self.is_lmtp() => self.settle(Key::HelloUnknown),
            verb if self.wants_tls(verb) => self.settle(Key::TlsRequired),
            verb if self.wants_login(verb) => self.settle(Key::AuthRequired),
            Verb::Mail => self.mail(&command),
            Verb::Rcpt => self.rcpt(&command),
            Verb::Data => self.data(&command),
            Verb::Bdat => self.bdat(&command),
            Verb::Rset => self.rset(&command),
            Verb::Noop if command.argument().is_empty() && has_blank(line) => self.settle(Key::NoopBlank),
            Verb::Noop if command.argument().is_empty() => self.settle(Key::Noop),
            Verb::Noop => self.settle(Key::NoopArgument),
            Verb::Vrfy => self.vrfy(&command),
            Verb::Expn => self.expn(&command),
            Verb::Help => self.help(&command),
            Verb::Starttls if self.setting.tls != Tls::None => self.starttls(&command),
            Verb::Auth if !self.is_lmtp() && !self.is_unknown_in(word) => self.auth(&command),
            Verb::Etrn if self.setting.protocol == Protocol::Smtp => self.etrn(&command),
            Verb::Burl if self.setting.protocol == Protocol::Submission => self.burl(&command),
            Verb::Atrn if self.setting.protocol == Protocol::Smtp => self.atrn(),
            Verb::Lhlo | Verb::Other if word.is_empty() => self.settle(Key::EmptyLine),
            Verb::Other if word.first().is_some_and(|letter| letter.eq_ignore_ascii_case(&b'X')) => {
                self.settle(Key::UnknownPrivateCommand);
            }
            Verb::Other if word.iter().any(|octet| !octet.is_ascii_graphic()) => {
                self.settle(Key::UnknownBinary);
            }
            Verb::Lhlo | Verb::Other => self.settle(Key::UnknownCommand),
            _ => self.settle(Key::NotImplemented),
        }
    }

    fn is_lmtp(&self) -> bool {
        self.setting.protocol == Protocol::Lmtp
    }

    fn is_own_hello(&self, verb: Verb) -> bool {
        (verb == Verb::Lhlo) == self.is_lmtp()
    }

    /// RFC 3207 §4 allows only NOOP, EHLO, STARTTLS and QUIT without TLS. The server is more lenient.
    fn wants_tls(&self, verb: Verb) -> bool {
        let spared = matches!(verb, Verb::Noop | Verb::Starttls | Verb::Rset | Verb::Help | Verb::Other);
        !self.tls && !spared && self.hello.is_some() && self.behaves(Behaviour::DemandsTls).is_some()
    }

    /// Returns whether the server knows a word only in capital letters.
    fn is_unknown_in(&self, word: &[u8]) -> bool {
        word.iter().any(u8::is_ascii_lowercase) && self.behaves(Behaviour::NeedsCapitals).is_some()
    }

    /// Mail needs a login (RFC 4954 §6, RFC 6409 §4.3). Without EHLO, the error is that EHLO is missing.
    fn wants_login(&self, verb: Verb) -> bool {
        let mail = matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Burl) && self.hello.is_some();
        let asks = matches!(verb, Verb::Vrfy | Verb::Expn);
        (mail || asks) && self.demands_login()
    }

    fn demands_login(&self) -> bool {
        self.setting.protocol == Protocol::Submission
            && !self.logged_in
            && !self.setting.withheld.has("AUTH")
            && self.behaves(Behaviour::DemandsNoLogin).is_none()
    }

    /// An accepted EHLO resets the session, and a refused one changes nothing (RFC 5321 §4.1.4).
    fn hello(&mut self, command: &Command<'_>) {
        let name = command.argument();
        let longest = self.behaves(Behaviour::LimitsNames).map_or(NAME, |fault| fault.count);
        if name.len() > longest {
            return self.settle(Key::HelloTooLong);
        }
        if !is_domain(name) && !is_literal(name) {
            self.settle(Key::HelloSyntax);
            if self.behaves(Behaviour::ForgetsAtRefusedHello).is_some() {
                self.transaction = None;
            }
            return;
        }
        let elsewhere = name.to_ascii_lowercase().ends_with(b"elsewhere.example");
        self.client = String::from_utf8_lossy(name).into_owned();
        let key = match command.verb() {
            _ if elsewhere && self.behaves(Behaviour::ChecksHello).is_some() => Key::HelloMismatch,
            Verb::Helo => Key::Helo,
            _ => Key::Ehlo,
        };
        if is_positive(self.say(key)) {
            self.hello = Some(command.verb());
            self.after_last_chunk = false;
            if self.behaves(Behaviour::KeepsTransactionAtHello).is_none() {
                self.transaction = None;
            }
        }
    }

    fn rset(&mut self, command: &Command<'_>) {
        let key = if command.argument().is_empty() { Key::Rset } else { Key::RsetArgument };
        if is_positive(self.say(key)) {
            let transaction = self.transaction.take();
            if self.setting.spoils(Spoil::KeepsChunks) {
                self.chunks = transaction.map(|transaction| transaction.content).unwrap_or_default();
            }
            self.after_last_chunk = false;
            if self.behaves(Behaviour::ForgetsHelloAtReset).is_some() {
                self.hello = None;
            }
        }
    }

    fn quit(&mut self, command: &Command<'_>) {
        if !command.argument().is_empty() {
            return self.settle(Key::QuitArgument);
        }
        if is_positive(self.say(Key::Quit)) {
            self.close();
        }
    }

    fn starttls(&mut self, command: &Command<'_>) {
        let key = if !command.argument().is_empty() {
            Key::StarttlsArgument
        } else if self.tls {
            Key::StarttlsActive
        } else if self.hello.is_none() {
            Key::StarttlsBeforeHello
        } else {
            Key::Starttls
        };
        if self.say(key) == 220 && key == Key::Starttls {
            self.actions.push(Action::BeginTls);
        }
    }

    fn behaves(&self, behaviour: Behaviour) -> Option<&'static Fault> {
        self.setting.behaves(behaviour)
    }

    fn is(&self, state: State) -> bool {
        match state {
            State::BeforeHello => self.hello.is_none(),
            State::AfterHelo => self.hello == Some(Verb::Helo),
            State::AfterEhlo => self.hello.is_some_and(|verb| verb != Verb::Helo),
            State::InClear => !self.tls,
            State::UnderTls => self.tls,
            State::BeforeLogin => !self.logged_in,
            State::AfterLogin => self.logged_in,
            State::OutsideTransaction => self.transaction.is_none(),
            State::InTransaction => self.transaction.is_some(),
        }
    }

    fn close(&mut self) {
        let open = self.behaves(Behaviour::StaysOpen).is_none();
        if open && !self.actions.contains(&Action::Close) {
            self.actions.push(Action::Close);
        }
    }
}

/// Returns whether a line has a blank before its end.
fn has_blank(line: &[u8]) -> bool {
    line.ends_with(b" \r\n")
}

#[cfg(test)]
mod tests;
