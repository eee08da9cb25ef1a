//! A sink: a server that accepts every message and keeps those with a marker.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::Kept;
use crate::dialogue::arrival::Arrival;
use crate::limits::{ARRIVAL_OCTETS, LINE_OCTETS, SINK_CONNECTIONS};
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(60);
/// The most recipients that are kept for one message.
const RECIPIENTS: usize = 200;

/// A running sink. It stops when this value is dropped.
pub(super) struct Sink {
    kept: Arc<Mutex<Kept>>,
    serving: JoinHandle<()>,
}

impl Sink {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If the address is in use or does not belong to this machine.
    pub(super) async fn start(address: SocketAddr, protocol: Protocol, nonce: &str) -> Result<Sink> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("delivery: cannot listen on {address}"))?;
        let kept = Arc::new(Mutex::new(Kept::default()));
        let receiver = Receiver { protocol, nonce: nonce.into(), kept: kept.clone() };
        Ok(Sink { kept, serving: tokio::spawn(serve(listener, receiver)) })
    }

    /// Returns the messages with a marker that have arrived so far.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).arrivals.clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Accepts connections. All connections end when this future does.
async fn serve(listener: TcpListener, receiver: Receiver) {
    let room = Arc::new(Semaphore::new(SINK_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let receiver = receiver.clone();
        connections.spawn(async move {
            // It is not an error if a server goes away.
            let _ = receiver.receive(stream).await;
            drop(permit);
        });
    }
}

#[derive(Clone)]
struct Receiver {
    protocol: Protocol,
    nonce: Arc<str>,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    async fn receive(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut copy = Arrival::default();
        say(&mut stream, "220 sink ready").await?;
        loop {
            let line = piece(&mut stream).await?;
            let command = Command::read(&line);
            let path = || {
                let path = command.envelope().and_then(|envelope| envelope.path()).unwrap_or_default();
                String::from_utf8_lossy(path).into_owned()
            };
            let reply = match command.verb() {
                Verb::Ehlo | Verb::Lhlo => "250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING",
                Verb::Mail => {
                    copy = Arrival { sender: Some(path()), ..Arrival::default() };
                    "250 ok"
                }
                Verb::Rcpt if copy.recipients.len() >= RECIPIENTS => "452 too many recipients",
                Verb::Rcpt => {
                    copy.recipients.push(path());
                    "250 ok"
                }
                Verb::Data if copy.recipients.is_empty() => "503 no recipients",
                Verb::Data => {
                    say(&mut stream, "354 go ahead").await?;
                    let replies = if self.protocol == Protocol::Lmtp { copy.recipients.len() } else { 1 };
                    let octets = content(&mut stream).await?;
                    self.keep(std::mem::take(&mut copy), octets);
                    say(&mut stream, &vec!["250 ok"; replies].join("\r\n")).await?;
                    continue;
                }
                Verb::Rset => {
                    copy = Arrival::default();
                    "250 ok"
                }
                Verb::Quit => return say(&mut stream, "221 bye").await,
                Verb::Helo | Verb::Noop => "250 ok",
                _ => "500 unknown command",
            };
            say(&mut stream, reply).await?;
        }
    }

    /// Keeps a message unless it was too long.
    fn keep(&self, copy: Arrival, octets: Option<Vec<u8>>) {
        let Some(octets) = octets else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.add(&self.nonce, Arrival { octets, ..copy });
    }
}

async fn say(stream: &mut BufReader<TcpStream>, reply: &str) -> io::Result<()> {
    timeout(IDLE, stream.write_all(format!("{reply}\r\n").as_bytes())).await?
}

/// Reads up to LF, or a piece of a line that is very long.
async fn piece(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    let mut bounded = stream.take(LINE_OCTETS as u64);
    if timeout(IDLE, bounded.read_until(b'\n', &mut piece)).await?? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(piece)
}

/// Reads a message up to the line with the final dot, without the dots that transparency adds (RFC 5321 §4.5.2). Only
/// CR LF ends a line. `None` if the message is longer than [`ARRIVAL_OCTETS`].
async fn content(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let mut is_too_long = false;
    // What comes before the next piece: the end of a line, or CR.
    let (mut at_start, mut after_cr) = (true, false);
    loop {
        let piece = piece(stream).await?;
        if at_start && piece == b".\r\n" {
            return Ok((!is_too_long).then_some(content));
        }
        let text = if at_start { piece.strip_prefix(b".").unwrap_or(&piece) } else { &piece };
        is_too_long |= content.len() + text.len() > ARRIVAL_OCTETS;
        if !is_too_long {
            content.extend_from_slice(text);
        }
        at_start = piece.ends_with(b"\r\n") || after_cr && piece == b"\n";
        after_cr = piece.ends_with(b"\r");
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::{ARRIVAL_OCTETS, Protocol, Sink};

    /// Sends everything at once, and returns the replies and the messages that were kept.
    async fn deliver(protocol: Protocol, sent: &[u8]) -> (String, Vec<(String, String, String)>) {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address: SocketAddr = free.local_addr().expect("an address");
        drop(free);
        let sink = Sink::start(address, protocol, "nonce-").await.expect("the port is free");
        let mut client = TcpStream::connect(address).await.expect("it listens");
        client.write_all(sent).await.expect("it reads");
        client.shutdown().await.expect("it can be closed");
        let mut replies = String::new();
        client.read_to_string(&mut replies).await.expect("it answers");
        let kept = sink.arrivals().into_iter().map(|copy| {
            let sender = copy.sender.unwrap_or_else(|| "none".to_owned());
            (sender, copy.recipients.join(" "), copy.octets.escape_ascii().to_string())
        });
        (replies, kept.collect())
    }

    #[tokio::test]
    async fn messages_are_kept_as_they_come() {
        let sent = b"EHLO me\r\nMAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<Al@a.example>\r\nRCPT TO:<b@a.example>\r\nDATA\r\n\
                     A: nonce-000001\r\n\r\n..\r\n.b\n.\nc\r.\r\n\r\n.\r\n\
                     MAIL FROM:<x@y>\r\nDATA\r\nRCPT TO:<z@y>\r\nDATA\r\nA: none\r\n.\r\nQUIT\r\n";
        let message = r"A: nonce-000001\r\n\r\n.\r\nb\n.\nc\r.\r\n\r\n";
        let expected = vec![(String::new(), "Al@a.example b@a.example".to_owned(), message.to_owned())];
        let codes =
            |replies: &str| replies.lines().map(|line| line[..3].to_owned()).collect::<Vec<_>>().join(" ");
        let (replies, kept) = deliver(Protocol::Smtp, sent).await;
        assert_eq!(codes(&replies), "220 250 250 250 250 250 250 250 354 250 250 503 250 354 250 221");
        assert_eq!(kept, expected);
        let (replies, kept) = deliver(Protocol::Lmtp, sent).await;
        assert_eq!(codes(&replies), "220 250 250 250 250 250 250 250 354 250 250 250 503 250 354 250 221");
        assert_eq!(kept, expected);
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_is_accepted_and_forgotten() {
        let long = "x".repeat(ARRIVAL_OCTETS);
        let sent = format!(
            "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nA: nonce-000001\r\n\r\n{long}\r\n.\r\nNOOP\r\n"
        );
        let (replies, kept) = deliver(Protocol::Smtp, sent.as_bytes()).await;
        assert_eq!(replies.lines().last(), Some("250 ok"));
        assert_eq!(replies.lines().count(), 6);
        assert_eq!(kept, []);
    }
}
