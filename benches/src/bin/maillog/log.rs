//! The log: lines of sessions and deliveries, in Postfix's form.

use std::fmt::{self, Arguments, Display, Formatter, Write as _};
use std::io::Write as _;

use crate::mix::{BOUNCED, Choices, DEFERRED, GREETING, LOST, RECIPIENTS, REFUSED, SENT, UNREACHED};
use crate::random::Random;

const SECOND: u64 = 1000;
const DAY: u64 = 86_400;

/// The days of a year's months, of which no leap year is one.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// A log that grows by a session at a time.
pub(crate) struct Log {
    /// The lines since it was emptied.
    pub(crate) text: Vec<u8>,
    random: Random,
    /// Milliseconds since the year began.
    clock: u64,
    /// A second since the year began, and what its lines begin with.
    stamp: (u64, String),
}

/// A message in the queue.
struct Message {
    id: QueueId,
    sender: Option<Address>,
    size: u64,
    recipients: u64,
}

/// The name of a message in the queue.
#[derive(Clone, Copy)]
struct QueueId(u64);

/// An address elsewhere.
#[derive(Clone, Copy)]
struct Address {
    user: u64,
    domain: u64,
}

/// A host that sends to us.
#[derive(Clone, Copy)]
struct Client(u64);

/// A server that we send to.
#[derive(Clone, Copy)]
struct Server(u64);

impl Log {
    pub(crate) fn new() -> Self {
        let third_of_november = (304 + 2) * DAY * SECOND;
        Self { text: vec![], random: Random::new(19), clock: third_of_november, stamp: (0, String::new()) }
    }

    /// Adds the lines of a session, and of the message that it brings.
    pub(crate) fn session(&mut self) {
        let client = Client(self.random.seldom_below(5000));
        let smtpd = 1000 + self.random.below(60);
        self.line("smtpd", smtpd, format_args!("connect from {client}"));
        match self.random.below(1000) {
            0..700 => self.submission(client, smtpd),
            700..780 => self.refusal(client, smtpd),
            780..880 => {
                let stage = self.random.choose(LOST);
                self.line("smtpd", smtpd, format_args!("lost connection after {stage} from {client}"));
                self.line("smtpd", smtpd, format_args!("disconnect from {client} ehlo=1 commands=1"));
            }
            _ => self.line("smtpd", smtpd, format_args!("disconnect from {client} ehlo=1 quit=1 commands=2")),
        }
    }

    fn refusal(&mut self, client: Client, smtpd: u64) {
        let (from, to) = (self.address(), self.address());
        let text = *self.random.choose(REFUSED);
        let reply = self.fill(text, to);
        let envelope = format!("from=<{from}> to=<{to}> proto=ESMTP helo=<host{}.example>", client.0);
        self.line("smtpd", smtpd, format_args!("NOQUEUE: reject: RCPT from {client}: {reply}; {envelope}"));
        let commands = "ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4";
        self.line("smtpd", smtpd, format_args!("disconnect from {client} {commands}"));
    }

    fn submission(&mut self, client: Client, smtpd: u64) {
        let id = QueueId(self.random.next());
        self.line("smtpd", smtpd, format_args!("{id}: client={client}"));
        let (sender, recipients) = (self.address(), *self.random.choose(RECIPIENTS));
        let message = self.message(id, Some(sender), recipients);
        let commands = format!("ehlo=1 mail=1 rcpt={recipients} data=1 quit=1 commands={}", recipients + 4);
        self.line("smtpd", smtpd, format_args!("disconnect from {client} {commands}"));
        self.deliver(&message);
    }

    /// Adds the lines of a message that comes into the queue.
    fn message(&mut self, id: QueueId, sender: Option<Address>, recipients: u64) -> Message {
        let (token, host) = (self.random.next() >> 24, self.random.below(5000));
        self.line("cleanup", 1100, format_args!("{id}: message-id=<{token:010x}.{id}@host{host}.example>"));
        let size = 600 + self.random.seldom_below(1 << 17);
        let message = Message { id, sender, size, recipients };
        self.activate(&message);
        message
    }

    fn activate(&mut self, message: &Message) {
        let Message { id, size, recipients, .. } = message;
        let sender = message.sender.map(|sender| sender.to_string()).unwrap_or_default();
        let text = format_args!("{id}: from=<{sender}>, size={size}, nrcpt={recipients} (queue active)");
        self.line("qmgr", 113, text);
    }

    fn deliver(&mut self, message: &Message) {
        let id = message.id;
        let mut bounces = false;
        let mut later = vec![];
        for _ in 0..message.recipients {
            let to = self.address();
            match self.random.below(1000) {
                0..800 => self.sent(id, to, 0),
                800..900 => self.local(id, to),
                900..940 => {
                    self.refused(id, to, BOUNCED);
                    bounces = true;
                }
                940..980 => {
                    self.refused(id, to, DEFERRED);
                    later.push(to);
                }
                980..985 => {
                    let text = *self.random.choose(GREETING);
                    let (reply, server) = (self.fill(text, to), to.server());
                    let status = format_args!("deferred (host {server} refused to talk to me: {reply})");
                    self.delivery(id, to, Some(server), 0, verdict(&reply), status);
                    later.push(to);
                }
                _ => {
                    let text = *self.random.choose(UNREACHED);
                    let reason = self.fill(text, to);
                    self.delivery(id, to, None, 30, "4.4.1", format_args!("deferred ({reason})"));
                    later.push(to);
                }
            }
        }
        if bounces && message.sender.is_some() {
            self.notify(message);
        }
        if !later.is_empty() {
            self.activate(message);
            for to in later {
                self.sent(id, to, 300);
            }
        }
        self.line("qmgr", 113, format_args!("{id}: removed"));
    }

    fn sent(&mut self, id: QueueId, to: Address, seconds: u64) {
        let text = *self.random.choose(SENT);
        let reply = self.fill(text, to);
        self.delivery(id, to, Some(to.server()), seconds, verdict(&reply), format_args!("sent ({reply})"));
    }

    fn local(&mut self, id: QueueId, to: Address) {
        let times = "delay=0.05, delays=0.04/0.01/0/0";
        let text = format_args!(
            "{id}: to=<user{}@mail.example>, relay=local, {times}, dsn=2.0.0, status=sent (delivered to maildir)",
            to.user
        );
        self.line("local", 1200, text);
    }

    fn refused(&mut self, id: QueueId, to: Address, choices: &Choices<(&str, &str)>) {
        let (text, stage) = *self.random.choose(choices);
        let (reply, server) = (self.fill(text, to), to.server());
        let status = if reply.starts_with('4') { "deferred" } else { "bounced" };
        let reason = format_args!("{status} (host {server} said: {reply} (in reply to {stage} command))");
        self.delivery(id, to, Some(server), 0, verdict(&reply), reason);
    }

    /// Adds the line of an attempt to deliver to a recipient.
    fn delivery(
        &mut self,
        id: QueueId,
        to: Address,
        server: Option<Server>,
        seconds: u64,
        dsn: &str,
        status: Arguments<'_>,
    ) {
        let smtp = 1300 + self.random.below(90);
        let (connect, transfer) = (self.random.below(90), 10 + self.random.below(90));
        let relay = server.map_or("none".to_owned(), |server| format!("{server}:25"));
        let delay = format!("{}.{:02}", seconds + (connect + transfer) / 100, (connect + transfer) % 100);
        let delays = format!("{seconds}/0/0.{connect:02}/0.{transfer:02}");
        let times = format!("delay={delay}, delays={delays}");
        let text = format_args!("{id}: to=<{to}>, relay={relay}, {times}, dsn={dsn}, status={status}");
        self.line("smtp", smtp, text);
    }

    /// Adds the lines of a non-delivery notification.
    fn notify(&mut self, message: &Message) {
        let id = QueueId(self.random.next());
        let notification = self.message(id, None, 1);
        self.line("bounce", 1150, format_args!("{}: sender non-delivery notification: {id}", message.id));
        self.deliver(&notification);
    }

    fn line(&mut self, service: &str, process: u64, text: Arguments<'_>) {
        self.clock += self.random.below(20);
        let second = self.clock / SECOND;
        if second != self.stamp.0 {
            self.stamp = (second, stamp(second));
        }
        writeln!(self.text, "{}{service}[{process}]: {text}", self.stamp.1).expect("memory can be written");
    }

    fn address(&mut self) -> Address {
        Address { user: self.random.below(100_000), domain: self.random.seldom_below(4000) }
    }

    /// Replaces the placeholders of a text.
    fn fill(&mut self, text: &str, to: Address) -> String {
        let mut filled = String::with_capacity(2 * text.len());
        let mut pieces = text.split(['{', '}']);
        while let Some(piece) = pieces.next() {
            filled.push_str(piece);
            let Some(name) = pieces.next() else { break };
            let number = self.random.next();
            let written = match name {
                "user" => write!(filled, "user{}", to.user),
                "domain" => write!(filled, "domain{}.example", to.domain),
                "ip" => write!(filled, "192.0.2.{}", number % 256),
                "id" => write!(filled, "{}", QueueId(number)),
                "token" => write!(filled, "{:09x}", number >> 28),
                "number" => write!(filled, "{}", 10_000 + number % 1_000_000),
                "small" => write!(filled, "{}", 10 + number % 90),
                _ => panic!("{{{name}}} is not a placeholder"),
            };
            written.expect("memory can be written");
        }
        filled
    }
}

impl Address {
    fn server(self) -> Server {
        Server(self.domain)
    }
}

impl Display for QueueId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:011X}", self.0 >> 20)
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "user{}@domain{}.example", self.user, self.domain)
    }
}

impl Display for Client {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "host{}.example[203.0.113.{}]", self.0, self.0 % 256)
    }
}

impl Display for Server {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "mx.domain{}.example[198.51.100.{}]", self.0, self.0 % 256)
    }
}

/// Returns what Postfix writes as `dsn=`: the reply's enhanced status code if it has one of its class.
fn verdict(reply: &str) -> &str {
    let other = match &reply[..1] {
        "2" => "2.0.0",
        "4" => "4.0.0",
        _ => "5.0.0",
    };
    let code = reply[4..].split(' ').next().unwrap_or_default();
    let is_code = code.starts_with(&other[..2]) && code.split('.').count() == 3;
    if is_code { code } else { other }
}

/// Returns what a line of a second begins with, up to the name of a service.
fn stamp(second: u64) -> String {
    let mut day = second / DAY % 365;
    let mut months = MONTHS.iter();
    let month = loop {
        let (name, days) = months.next().expect("365 days");
        if day < *days {
            break name;
        }
        day -= days;
    };
    let (hours, minutes, seconds) = (second % DAY / 3600, second / 60 % 60, second % 60);
    format!("{month} {:2} {hours:02}:{minutes:02}:{seconds:02} mail postfix/", day + 1)
}
