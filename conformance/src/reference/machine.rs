//! The server without input and output: lines, messages and chunks go in, replies come out.
//!
//! It goes by what it says: a fault that turns a refusal into 250 makes it accept, one that turns 354 into 250
//! makes it wait for no message. So every fault gives a server that is wrong in one place and coherent in all
//! others.

mod authentication;
mod envelope;
mod mailbox;

use std::sync::Arc;

use super::fault::{Behaviour, Fault, State};
use super::key::Key;
use super::memory::Memory;
use super::replies::{Replies, Values};
use super::{RECIPIENTS, SIZE, Tls};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb, is_domain, is_literal};

use authentication::Stage;
use mailbox::Mailbox;

/// The longest command line that is taken, its end included. RFC 5321 §4.5.3.1.4 wants 512, the extensions add
/// to that.
const LINE: usize = 2048;

/// The longest response to a challenge, its end included (RFC 4954 §4).
const RESPONSE: usize = 12288 + 2;

/// What filters of spam agree to take for it, so that they can be tried.
const SPAM: &[u8] = b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL";

/// So many Received fields show that a message goes in circles (RFC 5321 §6.3).
const HOPS: usize = 100;

/// What a server is set up to do.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) protocol: Protocol,
    pub(super) tls: Tls,
    pub(super) faults: Vec<&'static Fault>,
    pub(super) replies: &'static Replies,
    pub(super) memory: Arc<Memory>,
}

impl Setting {
    /// The fault that has a behaviour.
    pub(super) fn behaves(&self, behaviour: Behaviour) -> Option<&'static Fault> {
        self.faults.iter().copied().find(|fault| fault.behaviour == Some(behaviour))
    }
}

/// What comes in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    /// The client connected.
    Connected,
    /// A line, its end included; of one that is far too long the beginning.
    Line(&'a [u8]),
    /// A message.
    Message(Message<'a>),
    /// A chunk of so many octets.
    Chunk(u64),
    /// TLS has begun.
    Secured,
    /// Nothing came for too long.
    Idle,
    /// More came than one connection may bring.
    TooMuch,
}

/// A message as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message<'a> {
    /// Its first octets.
    pub(super) start: &'a [u8],
    /// How many octets it has, the final dot apart.
    pub(super) size: u64,
    /// Whether CR or LF stands alone in it.
    pub(super) stray_ends: bool,
}

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A reply.
    Reply { key: Key, octets: Vec<u8>, states: Vec<State> },
    /// TLS begins.
    BeginTls,
    /// The connection is closed.
    Close,
}

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A command, or a response to a challenge.
    Line,
    /// A message.
    Message,
    /// So many octets.
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    commands: usize,
    actions: Vec<Action>,
}

#[derive(Debug, Default)]
struct Transaction {
    recipients: Vec<Mailbox>,
    refused: usize,
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
            commands: 0,
            actions: Vec::new(),
        }
    }

    /// What it waits for.
    pub(super) fn awaits(&self) -> Awaited {
        match self.waiting {
            Waiting::Command | Waiting::Response(_) => Awaited::Line,
            Waiting::Message => Awaited::Message,
            Waiting::Chunk { length, .. } => Awaited::Chunk(length),
        }
    }

    /// Takes what came, and tells what goes out.
    pub(super) fn take(&mut self, input: Input<'_>) -> Vec<Action> {
        match (input, self.waiting) {
            (Input::Connected, _) => self.greet(),
            (Input::Line(line), Waiting::Response(stage)) => self.response(line, stage),
            (Input::Line(line), _) => self.line(line),
            (Input::Message(message), _) => self.message(message),
            (Input::Chunk(length), Waiting::Chunk { last, .. }) => self.chunk(length, last),
            (Input::Chunk(_), _) => {}
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

    /// RFC 3207 §4.2: what was said before is forgotten.
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
        let limits = self.behaves(Behaviour::LimitsLines).map_or(LINE, |fault| fault.count);
        let limit = if command.verb() == Verb::Auth { RESPONSE } else { limits };
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match command.verb() {
            Verb::Auth if line.len() > limit => self.settle(Key::AuthLineTooLong),
            _ if line.len() > limit => self.settle(Key::LineTooLong),
            _ if !line.ends_with(b"\r\n") => self.settle(Key::BareLf),
            Verb::Quit => self.quit(&command),
            _ if self.refuses => self.settle(Key::Refused),
            Verb::Ehlo | Verb::Lhlo | Verb::Helo if self.is_own_hello(command.verb()) => self.hello(&command),
            Verb::Ehlo | Verb::Helo if self.is_lmtp() => self.settle(Key::HelloUnknown),
            verb if self.wants_tls(verb) => self.settle(Key::TlsRequired),
            verb if self.wants_login(verb) => self.settle(Key::AuthRequired),
            Verb::Mail => self.mail(&command),
            Verb::Rcpt => self.rcpt(&command),
            Verb::Data => self.data(&command),
            Verb::Bdat => self.bdat(&command),
            Verb::Rset => self.rset(&command),
            Verb::Noop if command.argument().is_empty() => self.settle(Key::Noop),
            Verb::Noop => self.settle(Key::NoopArgument),
            Verb::Vrfy => self.vrfy(&command),
            Verb::Expn => self.expn(&command),
            Verb::Help => self.help(&command),
            Verb::Starttls if self.setting.tls != Tls::None => self.starttls(&command),
            Verb::Auth if !self.is_lmtp() => self.auth(&command),
            Verb::Etrn if self.setting.protocol == Protocol::Smtp => self.etrn(&command),
            Verb::Burl if self.setting.protocol == Protocol::Submission => self.burl(&command),
            Verb::Atrn if self.setting.protocol == Protocol::Smtp => self.atrn(),
            Verb::Lhlo | Verb::Other if word.is_empty() => self.settle(Key::EmptyLine),
            Verb::Other if word.first().is_some_and(|letter| letter.eq_ignore_ascii_case(&b'X')) => {
                self.settle(Key::UnknownPrivateCommand);
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

    /// RFC 3207 §4 spares these commands alone.
    fn wants_tls(&self, verb: Verb) -> bool {
        let spared = matches!(verb, Verb::Noop | Verb::Starttls | Verb::Rset | Verb::Help | Verb::Other);
        !self.tls && !spared && self.hello.is_some() && self.behaves(Behaviour::DemandsTls).is_some()
    }

    /// RFC 4954 §6, RFC 6409 §4.3: mail only behind a login. A session without EHLO lacks that first.
    fn wants_login(&self, verb: Verb) -> bool {
        let mail = matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Burl) && self.hello.is_some();
        let asks = matches!(verb, Verb::Vrfy | Verb::Expn);
        (mail || asks) && self.demands_login()
    }

    fn demands_login(&self) -> bool {
        self.setting.protocol == Protocol::Submission
            && !self.logged_in
            && self.behaves(Behaviour::DemandsNoLogin).is_none()
    }

    /// RFC 5321 §4.1.4: an EHLO that is taken begins anew, one that is refused changes nothing.
    fn hello(&mut self, command: &Command<'_>) {
        let name = command.argument();
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

    fn data(&mut self, command: &Command<'_>) {
        let key = match &self.transaction {
            _ if !command.argument().is_empty() => Key::DataArgument,
            None => Key::DataBeforeMail,
            Some(transaction) if transaction.chunked.is_some() => Key::DataAfterBdat,
            Some(transaction) if transaction.binary => Key::DataBinarymime,
            Some(transaction) if transaction.recipients.is_empty() => Key::DataNoRecipient,
            Some(_) => Key::Data,
        };
        if self.say(key) == 354 {
            self.waiting = Waiting::Message;
        }
    }

    fn message(&mut self, message: Message<'_>) {
        self.waiting = Waiting::Command;
        let transaction = self.transaction.take().unwrap_or_default();
        let has = |field: &[u8]| {
            let names =
                message.start.split(|octet| *octet == b'\n').take_while(|line| !line.trim_ascii().is_empty());
            names
                .into_iter()
                .any(|line| line.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field)))
        };
        let key = match transaction {
            _ if transaction.recipients.is_empty() => Key::MessageNoRecipient,
            _ if message.size > SIZE => Key::MessageTooBig,
            _ if message.stray_ends => Key::MessageLineEnds,
            _ if contains(message.start, SPAM) => Key::MessageSpam,
            _ if count(message.start, b"\nReceived:") >= HOPS => Key::MessageLoop,
            _ if has(b"Resent-") => Key::MessageResent,
            _ if transaction.utf8 => Key::MessageUtf8,
            _ if transaction.size.is_some() => Key::MessageDeclaredSize,
            _ => Key::Message,
        };
        self.deliver(&transaction, key);
    }

    /// One reply; in LMTP one for each recipient (RFC 2033 §4.2, §4.3). Tells whether one takes the message.
    fn deliver(&mut self, transaction: &Transaction, key: Key) -> bool {
        let miscounts = self.behaves(Behaviour::MiscountsRecipients);
        let miscounts = miscounts.is_some_and(|fault| fault.is_at(key, |state| self.is(state)));
        if self.is_lmtp() == miscounts || transaction.recipients.is_empty() {
            return is_positive(self.say(key));
        }
        let mut taken = false;
        for recipient in &transaction.recipients {
            let full =
                self.is_lmtp() && *recipient == Mailbox::Late && matches!(key, Key::Message | Key::BdatLast);
            taken |= is_positive(self.say(if full { Key::MessageFull } else { key }));
        }
        if self.behaves(Behaviour::CountsRefusedRecipients).is_some() {
            (0..transaction.refused).for_each(|_| self.settle(Key::RcptUnknown));
        }
        taken
    }

    /// RFC 3030 §2: the octets come first, whatever becomes of them.
    fn bdat(&mut self, command: &Command<'_>) {
        let mut words = command.words();
        let length = words.next().filter(|word| word.len() <= 18 && word.iter().all(u8::is_ascii_digit));
        let length = length.and_then(|word| str::from_utf8(word).ok()?.parse::<u64>().ok());
        let last = words.next();
        let well_formed =
            last.is_none_or(|word| word.eq_ignore_ascii_case(b"LAST")) && words.next().is_none();
        let (Some(length), true) = (length, well_formed) else { return self.settle(Key::BdatSyntax) };
        let last = last.is_some();
        let refused = !matches!(self.chunk_key(length, last), Key::Bdat | Key::BdatLast);
        if refused && self.behaves(Behaviour::ObeysRefusedChunks).is_some() {
            return self.chunk(length, last);
        }
        self.waiting = Waiting::Chunk { length, last };
        if length == 0 {
            self.chunk(length, last);
        }
    }

    fn chunk_key(&self, length: u64, last: bool) -> Key {
        match &self.transaction {
            None if self.demands_login() => Key::AuthRequired,
            None if self.after_last_chunk => Key::BdatAfterLast,
            None => Key::BdatBeforeMail,
            Some(transaction) if transaction.chunk_failed => Key::BdatAfterFailure,
            Some(transaction) if transaction.recipients.is_empty() => Key::BdatNoRecipient,
            Some(transaction) if transaction.chunked.unwrap_or(0).saturating_add(length) > SIZE => {
                Key::BdatTooBig
            }
            Some(_) if last => Key::BdatLast,
            Some(_) => Key::Bdat,
        }
    }

    fn chunk(&mut self, length: u64, last: bool) {
        self.waiting = Waiting::Command;
        let key = self.chunk_key(length, last);
        let Some(mut transaction) = self.transaction.take() else { return self.settle(key) };
        // RFC 2033 §4.3: without a recipient the last chunk has no reply.
        let taken = match last {
            true if self.is_lmtp() && transaction.recipients.is_empty() => {
                return self.transaction = Some(transaction);
            }
            true => self.deliver(&transaction, key),
            false => is_positive(self.say(key)),
        };
        transaction.chunked = Some(transaction.chunked.unwrap_or(0).saturating_add(length));
        transaction.chunk_failed |= !taken;
        match last && taken {
            true => self.after_last_chunk = true,
            false => self.transaction = Some(transaction),
        }
    }

    /// RFC 4468: no IMAP server is trusted here. A refusal ends the transaction as that of a chunk does.
    fn burl(&mut self, command: &Command<'_>) {
        let words = command.words().count();
        let key = match &self.transaction {
            _ if !matches!(words, 1 | 2) => Key::BurlSyntax,
            None => Key::BurlBeforeMail,
            Some(transaction) if transaction.recipients.is_empty() => Key::BurlNoRecipient,
            Some(_) => Key::BurlUntrusted,
        };
        self.settle(key);
        if let (Key::BurlUntrusted, Some(transaction)) = (key, &mut self.transaction) {
            transaction.chunked.get_or_insert(0);
            transaction.chunk_failed = true;
        }
    }

    fn rset(&mut self, command: &Command<'_>) {
        let key = if command.argument().is_empty() { Key::Rset } else { Key::RsetArgument };
        if is_positive(self.say(key)) {
            self.transaction = None;
            self.after_last_chunk = false;
        }
    }

    fn quit(&mut self, command: &Command<'_>) {
        if !command.argument().is_empty() {
            return self.settle(Key::QuitArgument);
        }
        self.say(Key::Quit);
        self.close();
    }

    fn vrfy(&mut self, command: &Command<'_>) {
        let words: Vec<&[u8]> = command.words().collect();
        let Some(first) = words.first() else { return self.settle(Key::VrfyArgument) };
        let utf8 = words.len() > 1 && words.last().is_some_and(|word| word.eq_ignore_ascii_case(b"SMTPUTF8"));
        let mailbox =
            words.iter().find_map(|word| word.strip_prefix(b"<")?.strip_suffix(b">")).unwrap_or(first);
        let name = String::from_utf8_lossy(mailbox).into_owned();
        if !name.is_ascii() && !utf8 {
            return self.settle(Key::VrfyUtf8);
        }
        match Mailbox::of(&name) {
            Mailbox::Forwarded => self.settle(Key::VrfyForwarded),
            Mailbox::Foreign => self.settle(Key::VrfyForeign),
            Mailbox::Unknown => self.settle(Key::VrfyUnknown),
            _ => {
                let (local, _) = name.split_once('@').unwrap_or((&name, ""));
                let full = format!("{}@{}", local.to_lowercase(), mailbox::DOMAIN);
                self.say_of(Key::Vrfy, &full);
            }
        }
    }

    fn expn(&mut self, command: &Command<'_>) {
        let key = match command.argument() {
            b"" => Key::ExpnArgument,
            list if list.eq_ignore_ascii_case(b"staff") => Key::Expn,
            _ => Key::ExpnUnknown,
        };
        self.settle(key);
    }

    fn help(&mut self, command: &Command<'_>) {
        let key = match command.argument() {
            b"" => Key::Help,
            topic if Command::read(topic).verb() != Verb::Other => Key::HelpTopic,
            _ => Key::HelpUnknown,
        };
        self.settle(key);
    }

    /// RFC 1985 §5.
    fn etrn(&mut self, command: &Command<'_>) {
        let node = command.argument();
        let name = node.strip_prefix(b"@").unwrap_or(node);
        let key = match name {
            _ if self.hello.is_none() => Key::EtrnBeforeHello,
            _ if self.transaction.is_some() => Key::EtrnInTransaction,
            name if !is_domain(name) => Key::EtrnSyntax,
            name if name.eq_ignore_ascii_case(mailbox::DOMAIN.as_bytes()) => Key::Etrn,
            _ => Key::EtrnForeign,
        };
        self.settle(key);
    }

    /// RFC 2645 §5.2.1: for users who have logged in, and the mail of no domain is kept for one.
    fn atrn(&mut self) {
        let key = match &self.transaction {
            Some(_) => Key::AtrnInTransaction,
            None if self.logged_in => Key::AtrnForeign,
            None => Key::AtrnWithoutLogin,
        };
        self.settle(key);
    }

    fn starttls(&mut self, command: &Command<'_>) {
        let key = match self.tls {
            _ if !command.argument().is_empty() => Key::StarttlsArgument,
            true => Key::StarttlsActive,
            false if self.hello.is_none() => Key::StarttlsBeforeHello,
            false => Key::Starttls,
        };
        if self.say(key) == 220 && key == Key::Starttls {
            self.actions.push(Action::BeginTls);
        }
    }

    /// The lines of EHLO's list, each with its code.
    fn capabilities(&self) -> String {
        let (protocol, smtp) = (self.setting.protocol, !self.is_lmtp());
        let tls =
            self.setting.tls != Tls::None && (!self.tls || self.behaves(Behaviour::OffersTlsAgain).is_some());
        let lines = [
            ("PIPELINING", true, String::new()),
            ("SIZE", true, SIZE.to_string()),
            ("ENHANCEDSTATUSCODES", true, String::new()),
            ("8BITMIME", true, String::new()),
            ("SMTPUTF8", true, String::new()),
            ("DSN", true, String::new()),
            ("CHUNKING", true, String::new()),
            ("BINARYMIME", true, String::new()),
            ("DELIVERBY", true, String::new()),
            ("MT-PRIORITY", true, String::new()),
            ("RRVS", true, String::new()),
            ("NO-SOLICITING", true, String::new()),
            ("LIMITS", true, format!("RCPTMAX={RECIPIENTS}")),
            ("STARTTLS", tls, String::new()),
            ("AUTH", smtp, "PLAIN LOGIN CRAM-MD5".to_owned()),
            ("FUTURERELEASE", protocol == Protocol::Submission, "604800 2030-12-31T23:59:59Z".to_owned()),
            ("BURL", protocol == Protocol::Submission, "imap".to_owned()),
            ("ETRN", protocol == Protocol::Smtp, String::new()),
            ("ATRN", protocol == Protocol::Smtp, String::new()),
            ("CHECKPOINT", protocol == Protocol::Smtp, String::new()),
            ("CONNEG", protocol == Protocol::Smtp, String::new()),
            ("SUBMITTER", protocol == Protocol::Smtp, String::new()),
            ("VRFY", true, String::new()),
            ("EXPN", true, String::new()),
            ("HELP", true, String::new()),
        ];
        let removed = |keyword: &str| self.setting.faults.iter().any(|fault| fault.removes(keyword));
        let own = lines.into_iter().filter(|(keyword, offered, _)| *offered && !removed(keyword));
        let own = own.map(|(keyword, _, value)| format!("{keyword} {value}").trim_end().to_owned());
        let added = self.setting.faults.iter().flat_map(|fault| fault.adds().map(str::to_owned));
        let all: Vec<String> = own.chain(added).collect();
        let last = all.len().saturating_sub(1);
        let line =
            |(index, text): (usize, &String)| format!("250{}{text}", if index == last { ' ' } else { '-' });
        all.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
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

    fn settle(&mut self, key: Key) {
        self.say(key);
    }

    /// Replies, and gives the number of the code that is sent.
    fn say(&mut self, key: Key) -> u16 {
        self.say_of(key, "")
    }

    fn say_of(&mut self, key: Key, mailbox: &str) -> u16 {
        let capabilities = if key == Key::Ehlo { self.capabilities() } else { String::new() };
        let values = Values { client: &self.client, mailbox, capabilities: &capabilities };
        let own = self.setting.replies.text(key);
        let states = || State::all().filter(|state| self.is(*state));
        let wrong = self.setting.faults.iter().find_map(|fault| fault.reply(key, |state| self.is(state)));
        let mut octets = values.fill(wrong.unwrap_or(own));
        let without =
            self.behaves(Behaviour::DropsCodes).filter(|fault| fault.is_at(key, |state| self.is(state)));
        if without.is_some() {
            octets = without_codes(&octets);
        }
        if self.behaves(Behaviour::VagueCodes).is_some() {
            octets = with_vague_codes(&octets);
        }
        let number = number(&octets).or_else(|| number(own.as_bytes())).unwrap_or_default();
        self.actions.push(Action::Reply { key, octets, states: states().collect() });
        if number == 421 && self.behaves(Behaviour::StaysOpen).is_none() {
            self.close();
        }
        number
    }

    fn close(&mut self) {
        let open = self.behaves(Behaviour::StaysOpen).is_none();
        if open && !self.actions.contains(&Action::Close) {
            self.actions.push(Action::Close);
        }
    }
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(octets, wanted).is_some()
}

/// How often octets are there.
fn count(octets: &[u8], wanted: &[u8]) -> usize {
    memchr::memmem::find_iter(octets, wanted).count()
}

fn is_positive(number: u16) -> bool {
    (200..300).contains(&number)
}

/// The code that octets begin with.
fn number(octets: &[u8]) -> Option<u16> {
    let digits = octets.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// A refusal with X.0.0 instead of its enhanced status code.
fn with_vague_codes(octets: &[u8]) -> Vec<u8> {
    let (code, text) = octets.split_at_checked(4).unwrap_or((octets, b""));
    match smtp_enhanced_status::EnhancedStatusCode::parse_prefix(text) {
        Some((enhanced, rest)) if matches!(enhanced.class().digit(), 4 | 5) => {
            [code, format!("{}.0.0", enhanced.class().digit()).as_bytes(), rest].concat()
        }
        _ => octets.to_vec(),
    }
}

/// A reply without the enhanced status code of each line.
fn without_codes(octets: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        let (code, text) = line.split_at_checked(4).unwrap_or((line, b""));
        let rest =
            smtp_enhanced_status::EnhancedStatusCode::parse_prefix(text).map_or(text, |(_, rest)| rest);
        [code, rest.strip_prefix(b" ").filter(|_| rest.len() < text.len()).unwrap_or(rest)].concat()
    };
    octets.split_inclusive(|octet| *octet == b'\n').flat_map(line).collect()
}

#[cfg(test)]
mod tests;
