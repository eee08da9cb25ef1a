//! The connection to the server, in clear or under TLS, with a time limit for everything.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::answer::Answer;
use super::fault::{Behaviour, Faults};
use super::inbox::Inbox;
use super::stop::Stop;

/// Octets that are sent within one time limit. RFC 5321 §4.5.3.2.5 has one for each block of data.
const BLOCK: usize = 16 << 10;
/// Octets that are read at once.
const PACKET: usize = 8 << 10;
/// Octets in clear after the reply to STARTTLS that are discarded. A server that sends more is not let in.
const CLEAR: usize = 1 << 20;

/// A connection.
pub(super) struct Wire {
    stream: Option<Stream>,
    inbox: Inbox,
    /// How long to wait for each reply and for each block to be sent. `None` is a fault.
    timeout: Option<Duration>,
    is_open: bool,
    faults: Faults,
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A TCP connection on which everything fails that takes longer than until a deadline.
struct Timed {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Wire {
    /// Connects to the first address of `host:port` that takes the connection.
    pub(super) fn connect(server: &str, timeout: Duration, faults: &Faults) -> Result<Wire, Stop> {
        let failed = |error: io::Error| Stop::lost(faults, format!("cannot connect to {server}: {error}"));
        let stream = connected(server, timeout).map_err(failed)?;
        // Commands are small, and each is sent as a whole.
        let _ = stream.set_nodelay(true);
        let timeout = Some(timeout).filter(|_| !faults.has(Behaviour::NoTimeLimit));
        Ok(Wire {
            stream: Some(Stream::Clear(Timed { stream, deadline: None })),
            inbox: Inbox::new(faults),
            timeout,
            is_open: true,
            faults: faults.clone(),
        })
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the address of this side.
    pub(super) fn own_address(&self) -> Option<IpAddr> {
        let timed = match self.stream.as_ref()? {
            Stream::Clear(timed) => timed,
            Stream::Tls(stream) => &stream.sock,
        };
        Some(timed.stream.local_addr().ok()?.ip().to_canonical())
    }

    /// Waits no longer than this from now on.
    pub(super) fn limit_timeout(&mut self, most: Duration) {
        self.timeout = self.timeout.map(|timeout| timeout.min(most));
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> Result<(), Stop> {
        for block in octets.chunks(BLOCK) {
            let deadline = self.deadline();
            let Some(stream) = &mut self.stream else { return Err(self.closed()) };
            stream.set_deadline(deadline);
            if let Err(error) = stream.write_all(block).and_then(|()| stream.flush()) {
                return Err(self.broken(&error));
            }
        }
        Ok(())
    }

    /// Reads the next reply.
    pub(super) fn answer(&mut self) -> Result<Answer, Stop> {
        self.read_answer(false)
    }

    /// Reads the reply to EHLO.
    pub(super) fn list(&mut self) -> Result<Answer, Stop> {
        self.read_answer(true)
    }

    fn read_answer(&mut self, is_list: bool) -> Result<Answer, Stop> {
        let deadline = self.deadline();
        let mut packet = [0; PACKET];
        loop {
            if let Some(octets) = self.inbox.next(is_list)? {
                return Answer::read(octets, &self.faults);
            }
            let Some(stream) = &mut self.stream else { return Err(self.closed()) };
            stream.set_deadline(deadline);
            match stream.read(&mut packet) {
                Ok(0) => {
                    self.stream = None;
                    return Err(self.closed());
                }
                Ok(length) => self.inbox.push(packet.get(..length).unwrap_or_default()),
                // QUIT can still be sent, and has to be (RFC 5321 §4.1.1.10).
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    return Err(Stop::lost(&self.faults, "the server did not answer in time"));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Begins TLS. What has come in clear is discarded (RFC 3207 §4.2).
    pub(super) fn encrypt(&mut self, host: &str, config: Arc<ClientConfig>) -> Result<(), Stop> {
        if !self.faults.has(Behaviour::KeepsClearText) {
            self.inbox.clear();
        }
        let deadline = self.deadline();
        let Some(Stream::Clear(mut timed)) = self.stream.take() else { return Err(self.closed()) };
        timed.deadline = deadline;
        match handshake(timed, host, config) {
            Ok(stream) => {
                self.stream = Some(Stream::Tls(Box::new(stream)));
                Ok(())
            }
            Err(error) => {
                self.is_open = false;
                Err(Stop::lost(&self.faults, format!("the TLS handshake failed: {error}")))
            }
        }
    }

    /// Closes the connection, under TLS with the alert that says so.
    pub(super) fn close(&mut self) {
        let deadline = self.deadline();
        self.is_open = false;
        if let Some(Stream::Tls(mut stream)) = self.stream.take() {
            stream.sock.deadline = deadline;
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        // A time too far away to be counted is no limit.
        self.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }

    fn closed(&mut self) -> Stop {
        self.is_open = false;
        Stop::lost(&self.faults, "the server closed the connection")
    }

    fn broken(&mut self, error: &io::Error) -> Stop {
        self.is_open = false;
        if error.kind() == ErrorKind::TimedOut {
            return Stop::lost(&self.faults, "the server did not take what was sent in time");
        }
        Stop::lost(&self.faults, format!("the connection broke: {error}"))
    }
}

fn connected(server: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in server.to_socket_addrs()? {
        let address: SocketAddr = address;
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn handshake(
    mut timed: Timed,
    host: &str,
    config: Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, Timed>> {
    timed.discard()?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, timed);
    while stream.conn.is_handshaking() {
        let (read, written) = stream.conn.complete_io(&mut stream.sock)?;
        if (read, written) == (0, 0) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(stream)
}

impl Stream {
    fn set_deadline(&mut self, deadline: Option<Instant>) {
        match self {
            Stream::Clear(timed) => timed.deadline = deadline,
            Stream::Tls(stream) => stream.sock.deadline = deadline,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Clear(timed) => timed.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Clear(timed) => timed.write(octets),
            Stream::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Clear(timed) => timed.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

impl Timed {
    /// Discards what has arrived. A server says nothing before the client's first TLS record.
    fn discard(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let mut packet = [0; PACKET];
        let mut discarded = 0;
        while let Ok(length @ 1..) = self.stream.read(&mut packet) {
            discarded += length;
            if discarded > CLEAR {
                return Err(io::Error::other("the server goes on in clear"));
            }
        }
        self.stream.set_nonblocking(false)
    }

    /// Returns how long an operation may take, or an error if the time is up. The system takes zero for no limit.
    fn remaining(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.checked_duration_since(Instant::now()) {
            Some(remaining) if !remaining.is_zero() => Ok(Some(remaining)),
            _ => Err(ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.remaining()?)?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.remaining()?)?;
        self.stream.write(octets).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix reports the end of a time limit as an operation that would block.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}
