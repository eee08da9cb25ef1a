//! The client, which drives one connection and records every octet.

mod encryption;
mod inbox;
mod timeouts;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};

pub use encryption::{Certificates, Encryption};
pub use timeouts::Timeouts;

use crate::dialogue::session::Session;
use crate::dialogue::{Act, Answer, Dialogue, End, Exchange, Part};
use crate::protocol::Protocol;
use crate::protocol::command::Command;
use crate::target::{Address, CLIENT, Target};

use inbox::Inbox;

/// How long to wait for octets in clear after the reply to STARTTLS.
const CLEAR: Duration = Duration::from_millis(20);
/// How long to wait for a server to close after it said so with 421 or 521.
const FAREWELL: Duration = Duration::from_millis(100);
/// How long to wait after a refusal for a server that closes then without saying so.
const REFUSED: Duration = Duration::from_millis(20);
/// How long to wait for a server to close after QUIT.
const GOODBYE: Duration = Duration::from_millis(200);

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection to a server under test.
///
/// Its methods do not fail. A problem is recorded in the dialogue, as the [`End`] of an exchange.
pub struct Connection {
    stream: Option<Box<dyn Transport>>,
    inbox: Inbox,
    /// The buffer for the octets of one read.
    buffer: Vec<u8>,
    /// The number of octets sent so far.
    sent: usize,
    /// The number of octets of the next command that were sent already.
    early: usize,
    is_local: bool,
    /// The IP address of the server; `None` on a Unix socket.
    peer: Option<IpAddr>,
    session: Session,
    dialogue: Dialogue,
    /// Why the TLS handshake failed.
    failure: Option<String>,
    host: String,
    encryption: Encryption,
    timeouts: Timeouts,
    deadline: Instant,
    /// When octets arrived last.
    heard: Instant,
    /// Whether a reply to an earlier act may still come, so that it is uncertain which reply answers which act.
    late: bool,
    /// Why the client gave up the connection, if it did.
    given_up: Option<GivenUp>,
}

/// Why a client gives up a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    /// The server does not read what is sent.
    Stuck,
    /// The server sends more than a connection may take.
    Overflow,
}

/// The result of reading once.
enum Heard {
    Octets,
    /// Nothing arrived in time.
    Silence,
    /// The server closed the connection, or it broke.
    End,
}

impl Connection {
    /// Connects, without reading the greeting. `name` is the name of the [`Dialogue`].
    ///
    /// # Errors
    ///
    /// Returns an error if no connection can be established, or if the TLS handshake of a target with implicit TLS
    /// fails.
    pub async fn open(
        name: &str,
        target: &Target,
        encryption: &Encryption,
        timeouts: Timeouts,
    ) -> io::Result<Connection> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection within the time limit");
        let connecting = async {
            let stream = match (&target.address, &target.addresses) {
                (Address::Unix(path), _) => {
                    let stream: Box<dyn Transport> = Box::new(UnixStream::connect(path).await?);
                    return Ok((stream, None));
                }
                (Address::Tcp(host, port), None) => TcpStream::connect((host.as_str(), *port)).await?,
                (Address::Tcp(_, port), Some(addresses)) => {
                    let addresses = addresses.iter().map(|address| SocketAddr::new(*address, *port));
                    TcpStream::connect(&*addresses.collect::<Vec<_>>()).await?
                }
            };
            let peer = stream.peer_addr()?.ip().to_canonical();
            Ok::<_, io::Error>((Box::new(stream) as Box<dyn Transport>, Some(peer)))
        };
        let limit = timeouts.connect.min(timeouts.connection);
        let (mut stream, peer) = timeout(limit, connecting).await.map_err(|_| late())??;
        let host = match &target.address {
            Address::Tcp(host, _) => host.clone(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        if target.implicit_tls {
            let handshake = encryption.begin(&host, stream);
            stream = Box::new(timeout(limit, handshake).await.map_err(|_| late())??);
        }
        Ok(Connection {
            stream: Some(stream),
            inbox: Inbox::default(),
            buffer: Vec::with_capacity(4 << 10),
            sent: 0,
            early: 0,
            is_local: peer.is_none_or(|address| address.is_loopback()),
            peer,
            session: Session::new(target.protocol, target.implicit_tls),
            dialogue: Dialogue {
                name: name.to_owned(),
                protocol: target.protocol,
                port: target.port(),
                implicit_tls: target.implicit_tls,
                ..Dialogue::default()
            },
            failure: None,
            host,
            encryption: encryption.clone(),
            timeouts,
            deadline: Instant::now() + timeouts.connection,
            heard: Instant::now(),
            late: false,
            given_up: None,
        })
    }

    /// Returns the current state of the session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns everything that happened so far.
    #[must_use]
    pub(crate) fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }

    /// Returns the exchanges so far.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        &self.dialogue.exchanges
    }

    /// Returns the last exchange.
    #[must_use]
    pub fn last(&self) -> Option<&Exchange> {
        self.dialogue.exchanges.last()
    }

    /// Returns whether the replies to the last act did not come in time.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.last().is_some_and(is_timed_out)
    }

    /// Returns whether the client gave up the connection because the server did not read what was sent.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.given_up == Some(GivenUp::Stuck)
    }

    /// Returns whether the client hung up because the server sent more than the [limits](crate::limits) allow.
    #[must_use]
    pub fn is_overflowed(&self) -> bool {
        self.given_up == Some(GivenUp::Overflow)
    }

    /// Returns whether the time for the connection has run out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Returns how many octets were sent.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Returns whether the server is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns the IP address of the server, or `None` on a Unix socket.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Returns whether the connection is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Records that the exchanges from here on belong to a case.
    pub fn mark(&mut self, case: &str) {
        self.dialogue.cases.push(Part { case: case.to_owned(), first: self.dialogue.exchanges.len() });
    }

    /// Returns whether the connection is open and every act so far has certainly got the number of replies that is due.
    #[must_use]
    pub fn is_orderly(&self) -> bool {
        let orderly = |exchange: &Exchange| {
            let due = usize::from(!matches!(exchange.act, Act::Handshake | Act::Wait));
            exchange.sure && exchange.end == End::Answered && exchange.received() == due
        };
        self.is_open() && !self.late && self.dialogue.exchanges.iter().all(orderly)
    }

    /// Returns why the TLS handshake failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Reads the greeting and returns its reply code.
    pub async fn greet(&mut self) -> Option<u16> {
        self.act(Act::Connect, &[], 1).await
    }

    /// Opens a session with EHLO, or with LHLO for LMTP, and returns the code of the first reply.
    ///
    /// A server that answers EHLO with 500 or 502 is greeted with HELO (RFC 5321 §3.2), and if it accepts that, its reply
    /// counts. If it does not, other hello commands show whether it speaks a different protocol from the one that the
    /// target names.
    pub async fn hello(&mut self) -> Option<u16> {
        let verbs: &[&str] = match self.dialogue.protocol {
            Protocol::Lmtp => &["LHLO", "EHLO"],
            Protocol::Smtp | Protocol::Submission => &["EHLO", "HELO", "LHLO"],
        };
        let mut first = None;
        for verb in verbs {
            let number = self.command(&format!("{verb} {CLIENT}")).await;
            if *verb == "HELO" && number == Some(250) {
                return number;
            }
            first = first.or(number);
            if !matches!(number, Some(500 | 502)) {
                break;
            }
        }
        first
    }

    /// Sends a line to a server that has sent nothing yet, and listens for `duration`.
    pub async fn speak_first(&mut self, line: &str, duration: Duration) {
        if self.send(format!("{line}\r\n").as_bytes()).await.is_ok() {
            self.listen(duration).await;
        }
    }

    /// Sends a line before the greeting was read, then reads the greeting and the reply to the line.
    ///
    /// A server may treat input before the greeting in any way, so the match of that reply is not sure.
    pub async fn command_early(&mut self, line: &str) -> Option<u16> {
        let octets = [line.as_bytes(), b"\r\n"].concat();
        let sent = self.send(&octets).await;
        let mut greeting = Exchange { pipelined: true, ..Exchange::new(Act::Connect) };
        self.receive(&mut greeting, 1).await;
        self.keep(greeting);
        let mut exchange = Exchange { sure: false, ..Exchange::new(Act::Command(octets)) };
        self.receive(&mut exchange, 1).await;
        if let Err(error) = sent {
            self.give_up(&mut exchange, &error);
        }
        self.late = true;
        let number = exchange.number();
        self.keep(exchange);
        number
    }

    /// Sends a line, adding CR LF, and reads its reply.
    pub async fn command(&mut self, line: &str) -> Option<u16> {
        let octets = [line.as_bytes(), b"\r\n"].concat();
        self.act(Act::Command(octets.clone()), &octets, 1).await
    }

    /// Performs an act: sends octets and reads that many replies. Returns the code of the last one.
    pub async fn act(&mut self, act: Act, octets: &[u8], replies: usize) -> Option<u16> {
        self.settle().await;
        let sent = self.send(octets).await;
        let mut exchange = Exchange { sure: !self.late, ..Exchange::new(act) };
        self.receive(&mut exchange, replies).await;
        // The replies are read first: a server that closed before everything was sent may have said why.
        if let Err(error) = sent {
            self.give_up(&mut exchange, &error);
        }
        let number = exchange.answers.last().and_then(Answer::number);
        self.keep(exchange);
        if matches!(number, Some(421 | 521)) {
            self.gather(FAREWELL).await;
        }
        number
    }

    /// Sends octets that a server may take for a different number of commands. Matches are not sure from then on,
    /// unless the octets are one plain command line with one reply.
    pub async fn act_raw(&mut self, octets: &[u8], replies: usize) -> Option<u16> {
        let plain = Command::read(octets).is_plain() && replies == 1;
        let number = self.act(Act::Command(octets.to_vec()), octets, replies).await;
        if !plain {
            self.doubt_last();
        }
        number
    }

    /// Sends several commands, or a message and commands, in one write, and with them the first octets of the next command,
    /// if any. Then reads the replies to each. Returns the code of the last one.
    pub async fn group(&mut self, acts: Vec<Act>, ahead: &[u8]) -> Option<u16> {
        self.settle().await;
        let start = self.dialogue.exchanges.len();
        let parts = acts.iter().flat_map(Act::parts);
        let sent = self.send(&parts.chain([ahead]).collect::<Vec<_>>().concat()).await;
        self.early = ahead.len();
        let (mut number, mut left) = (None, acts.len());
        for act in acts {
            left -= 1;
            let replies = if matches!(act, Act::Message(_)) { self.due() } else { 1 };
            let mut exchange = Exchange { pipelined: left > 0, sure: !self.late, ..Exchange::new(act) };
            if left == 0 && !ahead.is_empty() {
                exchange.ahead = ahead.to_vec();
                // A server may answer that nothing may follow the act.
                exchange.sure &= exchange.may_be_followed();
            }
            // If a reply is missing, those after it are not waited for again.
            let is_over = self.exchanges().get(start..).is_some_and(|group| group.iter().any(is_timed_out));
            let until = if is_over { Instant::now() } else { self.until() };
            self.receive_until(until, &mut exchange, replies).await;
            if let Err(error) = &sent {
                self.give_up(&mut exchange, error);
            }
            number = exchange.number();
            self.keep(exchange);
        }
        // If a reply is missing, any match of the group may be wrong.
        if let Some(group) = self.dialogue.exchanges.get_mut(start..) {
            let missing = group.iter().any(|exchange| exchange.answers.is_empty());
            for exchange in group {
                exchange.sure &= !missing;
            }
        }
        number
    }

    /// Sends a message and reads one reply, or in LMTP one per accepted recipient.
    pub async fn message(&mut self, octets: &[u8]) -> Option<u16> {
        let act = Act::Message(octets.to_vec());
        let sure = self.session.ends_message(octets) && !self.has_stray_end(octets);
        let number = self.act(act, octets, self.due()).await;
        if !sure {
            self.doubt_last();
        }
        number
    }

    /// Sends a part of a command line, to which no reply is due, and listens for `duration`. Matches are not sure from
    /// then on. Returns the code of the first reply, if one comes all the same.
    pub async fn raw_part(&mut self, octets: &[u8], duration: Duration) -> Option<u16> {
        let number = self.act_part(Act::Command(octets.to_vec()), octets, duration).await;
        self.doubt_last();
        number
    }

    /// Sends a part of a message, to which no reply is due, and listens for `duration`. Returns the code of the first
    /// reply, if one comes all the same.
    pub async fn message_part(&mut self, octets: &[u8], duration: Duration) -> Option<u16> {
        let is_stray = self.has_stray_end(octets);
        let number = self.act_part(Act::Message(octets.to_vec()), octets, duration).await;
        if is_stray {
            self.doubt_last();
        }
        number
    }

    /// Returns whether octets of a message, after those that were sent already, have a CR without LF or an LF without CR. A
    /// CR at the end may be followed by LF in the next part.
    fn has_stray_end(&self, octets: &[u8]) -> bool {
        let text = [self.session.text(), octets].concat();
        let is_stray = |pair: &[u8]| (pair[0] == b'\r') != (pair[1] == b'\n');
        text.windows(2).any(is_stray) || text.first() == Some(&b'\n')
    }

    async fn act_part(&mut self, act: Act, octets: &[u8], duration: Duration) -> Option<u16> {
        self.settle().await;
        let sent = self.send(octets).await;
        let mut exchange = Exchange { sure: !self.late, ..Exchange::new(act) };
        self.hear_out(&mut exchange, (Instant::now() + duration).min(self.deadline)).await;
        if let Err(error) = sent {
            self.give_up(&mut exchange, &error);
        }
        let number = exchange.number();
        self.keep(exchange);
        number
    }

    /// Records that the replies of the last exchange, and those of later ones, may answer other acts.
    fn doubt_last(&mut self) {
        if let Some(last) = self.dialogue.exchanges.last_mut() {
            last.sure = false;
            self.late = true;
        }
    }

    /// Sends a chunk with BDAT. The last one gets as many replies as a message.
    pub async fn chunk(&mut self, chunk: &[u8], last: bool) -> Option<u16> {
        let command = format!("BDAT {}{}\r\n", chunk.len(), if last { " LAST" } else { "" }).into_bytes();
        let octets = [command.as_slice(), chunk].concat();
        let replies = if last { self.due() } else { 1 };
        self.act(Act::Chunk { command, octets: chunk.to_vec() }, &octets, replies).await
    }

    /// Performs the TLS handshake and returns whether it succeeded.
    ///
    /// It first waits a moment for octets that the server sends in clear after its reply to STARTTLS. They are recorded
    /// and then dropped. The wait cannot swallow TLS records, because in TLS the client speaks first.
    pub async fn begin_tls(&mut self) -> bool {
        self.gather(CLEAR).await;
        let mut exchange = Exchange::new(Act::Handshake);
        if let Some(stream) = self.stream.take() {
            match timeout_at(self.until(), self.encryption.begin(&self.host, stream)).await {
                Ok(Ok(stream)) => self.stream = Some(Box::new(stream)),
                Ok(Err(error)) => self.failure = Some(error.to_string()),
                Err(_) => self.failure = Some("the handshake took too long".to_owned()),
            }
        }
        self.inbox.forget();
        if !self.is_open() {
            exchange.end = End::Failed;
        }
        self.keep(exchange);
        self.is_open()
    }

    /// Listens for `duration` for octets that answer nothing. Returns the code of the first reply.
    pub async fn listen(&mut self, duration: Duration) -> Option<u16> {
        let mut exchange = Exchange { sure: !self.late, ..Exchange::new(Act::Wait) };
        self.hear_out(&mut exchange, (Instant::now() + duration).min(self.deadline)).await;
        let number = exchange.number();
        if !exchange.answers.is_empty() || exchange.end != End::Answered {
            self.keep(exchange);
        }
        number
    }

    /// Drops the connection without sending anything. Within a message, QUIT would be one of its lines, and the final
    /// dot would complete it.
    pub fn abandon(&mut self) {
        self.stream = None;
    }

    /// Sends QUIT if the server waits for a command, and ends the connection.
    pub async fn finish(mut self) -> Dialogue {
        let quit = self.dialogue.exchanges.last().and_then(Exchange::command);
        let quit = quit.is_some_and(|command| command.verb() == crate::protocol::command::Verb::Quit);
        let is_within_line = self.early > 0
            || self.last().is_some_and(|last| match &last.act {
                Act::Command(octets) => !octets.ends_with(b"\r\n") && last.answers.is_empty(),
                Act::Message(octets) => !octets.ends_with(b"\r\n"),
                _ => false,
            });
        // After 220 to STARTTLS, the server reads everything as TLS (RFC 3207 §4).
        if self.session.is_in_data() || self.session.awaits_handshake || is_within_line {
            self.abandon();
        }
        // Within AUTH, QUIT would be taken for a response (RFC 4954 §4).
        if self.is_open() && self.session.authenticating.is_some() {
            self.act(Act::Response(b"*\r\n".into()), b"*\r\n", 1).await;
        }
        if self.is_open() && !quit {
            self.command("QUIT").await;
        }
        // Surplus replies may come before the server closes.
        if let Some(mut last) = self.dialogue.exchanges.pop() {
            self.hear_out(&mut last, Instant::now() + GOODBYE).await;
            self.dialogue.exchanges.push(last);
        }
        self.dialogue
    }

    /// Returns how many replies a message of this transaction gets.
    fn due(&self) -> usize {
        match self.session.protocol {
            Protocol::Lmtp => self.session.recipients().max(1),
            Protocol::Smtp | Protocol::Submission => 1,
        }
    }

    async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let until = self.until();
        let octets = octets.get(std::mem::take(&mut self.early)..).unwrap_or_default();
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        self.sent = self.sent.saturating_add(octets.len());
        let writing = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        timeout_at(until, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Returns until when the server may reply to an act that begins now.
    fn until(&self) -> Instant {
        (Instant::now() + self.timeouts.reply).min(self.deadline)
    }

    /// Reads until the exchange has that many replies, or they will not come.
    async fn receive(&mut self, exchange: &mut Exchange, replies: usize) {
        self.receive_until(self.until(), exchange, replies).await;
    }

    async fn receive_until(&mut self, until: Instant, exchange: &mut Exchange, replies: usize) {
        let start = Instant::now();
        loop {
            self.inbox.take_due(exchange, replies, start);
            if self.inbox.is_full() {
                self.hang_up(exchange);
                return;
            }
            if exchange.answers.len() >= replies {
                return;
            }
            if !self.is_open() {
                self.close(exchange, End::Closed);
                return;
            }
            if Instant::now() >= until {
                // A server that still sends will perhaps send the last line, too.
                if self.heard.elapsed() * 2 > start.elapsed() {
                    self.inbox.take_lines(exchange);
                }
                exchange.end = End::TimedOut;
                self.late = true;
                return;
            }
            if let Heard::End = self.read(until).await {
                self.inbox.take_due(exchange, replies, start);
                self.close(exchange, End::Closed);
                return;
            }
        }
    }

    /// Reads everything that comes until a deadline, or until the server closes.
    async fn hear_out(&mut self, exchange: &mut Exchange, until: Instant) {
        self.take_surplus(exchange);
        while self.is_open() && Instant::now() < until {
            match self.read(until).await {
                Heard::End => self.close(exchange, End::Closed),
                Heard::Octets | Heard::Silence => self.take_surplus(exchange),
            }
        }
    }

    /// Waits before an act for what may still belong to the last exchange. Whether a closing is seen there or only at the
    /// act must not be a matter of chance.
    async fn settle(&mut self) {
        let refused = self.last().and_then(Exchange::number).is_some_and(|number| number >= 400);
        let wait = match self.timeouts.settle {
            settle if refused && !settle.is_zero() => settle.max(REFUSED),
            settle => settle,
        };
        self.gather(wait).await;
    }

    /// Adds octets that arrived unsolicited, or that arrive within `wait`, to the last exchange.
    async fn gather(&mut self, wait: Duration) {
        let heard = if !self.is_open() || self.last().is_none() {
            Heard::Silence
        } else if wait.is_zero() {
            // Even a timer of zero would wait, to the next millisecond.
            tokio::select! {
                biased;
                heard = self.read(self.deadline) => heard,
                () = yield_now() => Heard::Silence,
            }
        } else {
            self.read(Instant::now() + wait).await
        };
        let Some(mut last) = self.dialogue.exchanges.pop() else { return };
        match heard {
            Heard::End => self.close(&mut last, End::Closed),
            Heard::Octets | Heard::Silence => self.take_surplus(&mut last),
        }
        self.dialogue.exchanges.push(last);
    }

    /// Reads once, or gives up at a deadline.
    async fn read(&mut self, until: Instant) -> Heard {
        let Some(stream) = &mut self.stream else { return Heard::End };
        self.buffer.clear();
        match timeout_at(until, stream.read_buf(&mut self.buffer)).await {
            Err(_) => Heard::Silence,
            Ok(Ok(1..)) => {
                self.heard = Instant::now();
                self.inbox.push(&self.buffer);
                Heard::Octets
            }
            Ok(Ok(0) | Err(_)) => {
                self.stream = None;
                Heard::End
            }
        }
    }

    fn take_surplus(&mut self, exchange: &mut Exchange) {
        self.inbox.take_surplus(exchange, self.session.awaits_handshake);
        if self.inbox.is_full() {
            self.hang_up(exchange);
        }
    }

    /// Records that not everything could be sent. A server that stopped reading has not closed, so the two are kept
    /// apart.
    fn give_up(&mut self, exchange: &mut Exchange, error: &io::Error) {
        let is_stuck = error.kind() == io::ErrorKind::TimedOut;
        if is_stuck {
            self.given_up.get_or_insert(GivenUp::Stuck);
        }
        if exchange.end != End::Overflow {
            self.close(exchange, if is_stuck { End::TimedOut } else { End::Closed });
        }
    }

    /// Records that nothing more will come, and the reply that was cut off.
    fn close(&mut self, exchange: &mut Exchange, end: End) {
        self.stream = None;
        exchange.end = end;
        self.inbox.take_surplus(exchange, self.session.awaits_handshake);
        self.inbox.take_unfinished(exchange);
    }

    /// Hangs up because the server sends too much.
    fn hang_up(&mut self, exchange: &mut Exchange) {
        self.stream = None;
        self.given_up.get_or_insert(GivenUp::Overflow);
        exchange.end = End::Overflow;
        self.inbox.take_surplus(exchange, self.session.awaits_handshake);
        self.inbox.count_unfinished(exchange);
    }

    fn keep(&mut self, exchange: Exchange) {
        self.session.follow(&exchange);
        self.dialogue.exchanges.push(exchange);
    }
}

fn is_timed_out(exchange: &Exchange) -> bool {
    exchange.end == End::TimedOut
}
