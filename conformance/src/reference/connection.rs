//! One connection: reads octets and writes octets, within limits of time and size.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use memchr::{memchr, memchr2};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::fault::{Behaviour, Spoil};
use super::machine::{Awaited, Input, Machine, Message, Setting};
use super::tape::Tape;
use super::wire::{Step, Wire};
use super::witness::Witness;
use crate::dialogue::End;

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(60);

/// How long a connection may last.
const LASTING: Duration = Duration::from_secs(1800);

/// How long a client may take to close after the server has closed.
const CLOSING: Duration = Duration::from_secs(2);

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// How many octets of a line or message are kept. The rest is only counted.
const KEPT: usize = 128 << 10;

/// How many octets are read or sent at once.
const BLOCK: usize = 16 << 10;

/// The most octets that are read on one connection.
const MOST: u64 = 64 << 20;

/// How many octets an endless reply has at most.
const ENDLESS: usize = 64 << 20;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Serves a connection until it ends.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    setting: Setting,
    tls: Option<TlsAcceptor>,
    pace: Duration,
    tape: Option<Tape>,
    witness: Option<Witness>,
) {
    let connection = Connection {
        wire: Wire::new(&setting.faults),
        machine: Machine::new(setting.clone()),
        stream,
        setting,
        tls,
        pace,
        tape,
        witness,
        buffer: Vec::new(),
        taken: 0,
    };
    // It is not an error of the server if a client goes away.
    let _ = timeout(LASTING, connection.run()).await;
}

struct Connection {
    stream: Box<dyn Stream>,
    setting: Setting,
    machine: Machine,
    wire: Wire,
    tls: Option<TlsAcceptor>,
    pace: Duration,
    tape: Option<Tape>,
    witness: Option<Witness>,
    buffer: Vec<u8>,
    taken: u64,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    Ended,
}

/// The outcome of reading.
enum Read {
    Octets,
    Idle,
    TooMuch,
}

impl Connection {
    async fn run(mut self) -> io::Result<()> {
        if self.setting.tls == super::Tls::Implicit && self.begin_tls().await? == Goes::Ended {
            return Ok(());
        }
        if self.answer(Input::Connected).await? == Goes::Ended {
            return Ok(());
        }
        loop {
            let goes = match self.machine.awaits() {
                Awaited::Line => self.line().await?,
                Awaited::Message => self.message().await?,
                Awaited::Chunk(length) => self.chunk(length).await?,
            };
            if goes == Goes::Ended {
                return Ok(());
            }
        }
    }

    /// Reads a line up to LF and answers it. Only the beginning of a line that is too long is kept.
    async fn line(&mut self) -> io::Result<Goes> {
        let mut line = Vec::new();
        let at_cr = self.setting.behaves(Behaviour::EndsLinesAtCr).is_some();
        loop {
            let end = line_end(&self.buffer, at_cr);
            let part: Vec<u8> = self.buffer.drain(..end.unwrap_or(self.buffer.len())).collect();
            let room = KEPT.saturating_sub(line.len()).min(part.len());
            line.extend_from_slice(part.get(..room).unwrap_or_default());
            if end.is_some() {
                self.note_line(&line);
                let goes = self.answer(Input::Line(&line)).await?;
                let loses = self.setting.behaves(Behaviour::LosesPipelined).is_some();
                if loses && self.machine.awaits() == Awaited::Line {
                    self.buffer.clear();
                }
                return Ok(goes);
            }
            if let Some(goes) = self.more(&line).await? {
                return Ok(goes);
            }
        }
    }

    fn note_line(&mut self, line: &[u8]) {
        let is_response = self.machine.awaits_response();
        if let Some(tape) = &mut self.tape {
            tape.line(line, is_response);
        }
        if let Some(witness) = &mut self.witness
            && !line.is_empty()
        {
            witness.line(line, is_response);
        }
    }

    /// Reads a message up to the line with the final dot, and answers it.
    async fn message(&mut self) -> io::Result<Goes> {
        let fault = self.setting.behaves(Behaviour::EndsMessageAt);
        let sequence = fault.map_or(&[][..], |fault| fault.sequence.as_slice());
        let is_early = self.setting.behaves(Behaviour::AnswersEarly).is_some();
        let mut reader = MessageReader { sequence, ..MessageReader::default() };
        loop {
            let mut ends = |octet: &u8| reader.take(*octet) || is_early && *octet == b'\n';
            let end = self.buffer.iter().position(&mut ends).map(|end| end + 1);
            let part: Vec<u8> = self.buffer.drain(..end.unwrap_or(self.buffer.len())).collect();
            self.note_sent(&part);
            if end.is_some() {
                let (start, size) = (reader.start, reader.size.saturating_sub(3));
                if self.setting.behaves(Behaviour::LosesAfterMessage).is_some() {
                    self.buffer.clear();
                }
                return self
                    .answer(Input::Message(Message { start: &start, size, stray_ends: reader.stray }))
                    .await;
            }
            if let Some(goes) = self.more(b"").await? {
                if goes == Goes::Ended && self.setting.spoils(Spoil::DeliversInterrupted) {
                    let (start, size) = (reader.start, reader.size);
                    let message = Message { start: &start, size, stray_ends: false };
                    return self.answer(Input::Message(message)).await;
                }
                return Ok(goes);
            }
        }
    }

    async fn chunk(&mut self, length: u64) -> io::Result<Goes> {
        let mut left = length;
        let mut kept = Vec::new();
        loop {
            let here = usize::try_from(left).map_or(self.buffer.len(), |left| left.min(self.buffer.len()));
            let room = here.min(KEPT.saturating_sub(kept.len()));
            kept.extend_from_slice(self.buffer.get(..room).unwrap_or_default());
            let part: Vec<u8> = self.buffer.drain(..here).collect();
            self.note_sent(&part);
            left -= here as u64;
            if left == 0 {
                return self.answer(Input::Chunk(length, &kept)).await;
            }
            if let Some(goes) = self.more(b"").await? {
                return Ok(goes);
            }
        }
    }

    fn note_sent(&mut self, octets: &[u8]) {
        if let Some(tape) = &mut self.tape {
            tape.sent(octets);
        }
        if let Some(witness) = &mut self.witness {
            witness.content(octets);
        }
    }

    fn note(&mut self, event: &str) {
        if let Some(tape) = &mut self.tape {
            tape.event(event);
        }
    }

    fn note_closed(&mut self) {
        self.note("closed by server");
        if let Some(witness) = &mut self.witness {
            witness.end(End::Closed);
        }
    }

    fn note_sent_ahead(&mut self) {
        if let Some(witness) = &mut self.witness
            && !self.buffer.is_empty()
        {
            witness.sent_ahead();
        }
    }

    /// Waits, and reads what the client sends meanwhile.
    async fn wait(&mut self, delay: Duration) -> io::Result<()> {
        let until = Instant::now() + delay;
        while self.buffer.len() < KEPT {
            self.buffer.reserve(BLOCK);
            match timeout_at(until, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) | Err(_) => break,
                Ok(length) => self.taken += length? as u64,
            }
        }
        sleep_until(until).await;
        self.note_sent_ahead();
        Ok(())
    }

    /// Reads more; returns whether the connection goes on if nothing more was read. `part` is a line without its end, which
    /// is noted if its end does not come.
    async fn more(&mut self, part: &[u8]) -> io::Result<Option<Goes>> {
        let read = self.read().await;
        if !matches!(read, Ok(Some(Read::Octets))) {
            self.note_line(part);
        }
        Ok(match read? {
            None => {
                self.note("closed by client");
                Some(Goes::Ended)
            }
            Some(Read::Octets) => None,
            Some(Read::Idle) => Some(self.answer(Input::Idle).await?),
            Some(Read::TooMuch) => Some(self.answer(Input::TooMuch).await?),
        })
    }

    /// Reads once; `None` at the end of the stream.
    async fn read(&mut self) -> io::Result<Option<Read>> {
        if self.taken >= MOST {
            return Ok(Some(Read::TooMuch));
        }
        self.buffer.reserve(BLOCK);
        let reading = self.stream.read_buf(&mut self.buffer);
        let Ok(length) = timeout(IDLE, reading).await else { return Ok(Some(Read::Idle)) };
        let length = length?;
        self.taken += length as u64;
        Ok((length > 0).then_some(Read::Octets))
    }

    async fn answer(&mut self, input: Input<'_>) -> io::Result<Goes> {
        self.note_sent_ahead();
        let actions = self.machine.take(input);
        for step in self.wire.steps(actions, !self.buffer.is_empty()) {
            if self.step(step).await? == Goes::Ended {
                return Ok(Goes::Ended);
            }
        }
        Ok(Goes::On)
    }

    async fn step(&mut self, step: Step) -> io::Result<Goes> {
        match step {
            Step::Send(octets) => self.send(&octets).await?,
            Step::SendOctetByOctet(octets) => {
                for octet in octets {
                    self.send(&[octet]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Step::SendSlowly(octets) => {
                for octet in octets {
                    self.send(&[octet]).await?;
                    sleep(self.pace).await;
                }
            }
            Step::SendEndlessly(octets) => {
                let many = octets.repeat(BLOCK / octets.len().max(1) + 1);
                for _ in 0..ENDLESS / many.len() {
                    self.send(&many).await?;
                }
                return self.swallow(LASTING).await;
            }
            Step::Wait(delay) => self.wait(delay).await?,
            Step::Stall => return self.stall().await,
            Step::HalfClose => {
                self.stream.shutdown().await?;
                self.note_closed();
                return self.swallow(LASTING).await;
            }
            Step::Deliver(letter) => {
                if let Some(destination) = &self.setting.delivery {
                    // What cannot be delivered is lost. The client notices that.
                    let _ = letter.deliver(destination, &self.setting.faults).await;
                }
            }
            Step::BeginTls => return self.begin_tls().await,
            Step::Close => return self.close().await,
        }
        Ok(Goes::On)
    }

    async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        if let Some(tape) = &mut self.tape {
            tape.received(octets);
        }
        if let Some(witness) = &mut self.witness {
            witness.received(octets);
        }
        let writing = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        timeout(IDLE, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Begins TLS. Octets that arrived in clear text after STARTTLS are discarded (RFC 3207 §4.2).
    async fn begin_tls(&mut self) -> io::Result<Goes> {
        if self.setting.behaves(Behaviour::StallHandshake).is_some() {
            return self.swallow(LASTING).await;
        }
        if self.setting.behaves(Behaviour::DropHandshake).is_some() {
            return self.close().await;
        }
        if self.setting.behaves(Behaviour::GarbageHandshake).is_some() {
            // The client's first octets show that it waits for TLS.
            self.read().await?;
            self.send(b"This is not TLS, and never will be.\r\n").await?;
            return self.close().await;
        }
        if self.setting.behaves(Behaviour::KeepsClearText).is_none() {
            self.buffer.clear();
        }
        let Some(acceptor) = self.tls.clone() else { return self.close().await };
        let clear = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let accepting = timeout(HANDSHAKE, acceptor.accept(clear)).await;
        let accepted = accepting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        self.note(if accepted.is_ok() { "tls" } else { "tls failed" });
        if let Some(witness) = &mut self.witness {
            witness.handshake(accepted.is_ok());
        }
        self.stream = Box::new(accepted?);
        self.machine.take(Input::Secured);
        Ok(Goes::On)
    }

    /// Closes the connection. After it has closed its own side, it reads what the client still sends, because unread
    /// octets would reset the connection, and the client could lose the last reply.
    async fn close(&mut self) -> io::Result<Goes> {
        self.note_closed();
        self.stream.shutdown().await?;
        self.swallow(CLOSING).await
    }

    /// Sends nothing any more. A client that closes only its own side still waits. If clients are judged, the connection
    /// stays open for them.
    async fn stall(&mut self) -> io::Result<Goes> {
        let goes = self.swallow(LASTING).await?;
        if self.witness.is_some() {
            sleep(IDLE).await;
        }
        Ok(goes)
    }

    /// Reads and discards octets until the client closes or the time is up.
    async fn swallow(&mut self, duration: Duration) -> io::Result<Goes> {
        let mut octets = self.buffer.len();
        let reading = async {
            loop {
                self.buffer.clear();
                self.buffer.reserve(BLOCK);
                match self.stream.read_buf(&mut self.buffer).await {
                    Ok(length @ 1..) => octets += length,
                    _ => return,
                }
            }
        };
        let is_closed = timeout(duration, reading).await.is_ok();
        if octets > 0 {
            self.note(&format!("the client sent {octets} more octets, which were not read"));
        }
        if is_closed {
            self.note("closed by client");
        }
        Ok(Goes::Ended)
    }
}

/// Returns the number of octets in the first line, if it is complete: up to LF, or up to CR too.
fn line_end(octets: &[u8], at_cr: bool) -> Option<usize> {
    let end = if at_cr { memchr2(b'\r', b'\n', octets) } else { memchr(b'\n', octets) }?;
    let is_crlf = octets.get(end..).is_some_and(|rest| rest.starts_with(b"\r\n"));
    Some(end + if is_crlf { 2 } else { 1 })
}

/// Looks for the end of a message, octet by octet (RFC 5321 §4.1.1.4).
#[derive(Default)]
struct MessageReader<'a> {
    /// Other octets that end the message, because of a fault; none without it.
    sequence: &'a [u8],
    /// The last octets, as many as those that end a message at most.
    last: VecDeque<u8>,
    start: Vec<u8>,
    /// The octets so far, without the dots that make lines transparent (RFC 1870 §3).
    size: u64,
    stray: bool,
    at: At,
}

/// What comes directly before the next octet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// CR LF, or nothing.
    #[default]
    Start,
    /// A dot at the beginning of a line.
    Dot,
    /// Such a dot and CR.
    DotCr,
    /// CR.
    Cr,
    /// Anything else.
    Text,
}

impl MessageReader<'_> {
    /// Takes an octet, and returns whether it is the last one of the message.
    fn take(&mut self, octet: u8) -> bool {
        let follows_dot = self.at == At::Dot && octet != b'\r' || self.at == At::DotCr && octet != b'\n';
        if !follows_dot {
            self.size += 1;
        }
        if self.start.len() < KEPT {
            self.start.push(octet);
        }
        self.last.push_back(octet);
        if self.last.len() > self.sequence.len() {
            self.last.pop_front();
        }
        let is_sequence = !self.sequence.is_empty() && self.last.iter().eq(self.sequence);
        let ends = (self.at, octet) == (At::DotCr, b'\n') || is_sequence;
        let after_cr = matches!(self.at, At::Cr | At::DotCr);
        self.stray |= after_cr && octet != b'\n' || octet == b'\n' && !after_cr;
        // To a server that ends a message there, these are line ends.
        self.stray &= !is_sequence;
        self.at = match (self.at, octet) {
            (At::Start, b'.') => At::Dot,
            (At::Dot, b'\r') => At::DotCr,
            (At::Cr | At::DotCr, b'\n') => At::Start,
            (_, b'\r') => At::Cr,
            _ => At::Text,
        };
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::MessageReader;

    #[test]
    fn a_message_ends_where_it_should() {
        let end = |octets: &[u8], sequence: &[u8]| {
            let mut reader = MessageReader { sequence, ..MessageReader::default() };
            let end = octets.iter().position(|octet| reader.take(*octet)).map(|end| end + 1);
            (end, reader.stray)
        };
        assert_eq!(end(b".\r\nx", b""), (Some(3), false));
        assert_eq!(end(b"a\r\n.\r\nx", b""), (Some(6), false));
        assert_eq!(end(b"a\r\n..\r\n.\r\n", b""), (Some(10), false));
        assert_eq!(end(b"a\n.\nb\r\n.\r\n", b""), (Some(10), true));
        assert_eq!(end(b"a\n.\nb\r\n.\r\n", b"\n.\n").0, Some(4));
        assert_eq!(end(b"a\rb\r\n.\r\n", b""), (Some(8), true));
        assert_eq!(end(b"a\r\n.\rb\r\n.\r\n", b""), (Some(11), true));
        assert_eq!(end(b"a\r\n.x\r\n", b""), (None, false));
    }

    /// RFC 1870 §3.
    #[test]
    fn the_size_leaves_out_added_dots() {
        let size = |octets: &[u8]| {
            let mut reader = MessageReader::default();
            assert_eq!(octets.iter().position(|octet| reader.take(*octet)), Some(octets.len() - 1));
            reader.size - 3
        };
        assert_eq!(size(b".\r\n"), 0);
        assert_eq!(size(b"a\r\n.\r\n"), 3);
        assert_eq!(size(b"..\r\n...a\r\nb.\r\n.\r\n"), 3 + 5 + 4);
    }
}
