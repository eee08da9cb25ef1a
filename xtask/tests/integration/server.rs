//! A server on this machine that sends exactly the octets that a test specifies.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

mod authority;

pub(crate) use authority::Authority;

/// A step of a response. After the last one, the connection is closed.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends octets.
    Send(Vec<u8>),
    /// Sends octets repeatedly.
    Repeat(Vec<u8>, usize),
    /// Sends octets one at a time, each after a pause.
    Drip(Vec<u8>, Duration),
    /// Sends nothing until the server is dropped.
    Stall,
    /// Sends nothing until [`Server::release`].
    Hold,
    /// Resets the connection.
    Reset,
}

/// The response to a request.
pub(crate) type Answer = Vec<Step>;

/// Returns a response with a body and its length. Each line is a header, such as `ETag: "1"`.
pub(crate) fn answer(status: &str, lines: &[&str], body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let length = format!("Content-Length: {}", body.len());
    let lines: Vec<&str> = lines.iter().copied().chain([length.as_str()]).collect();
    vec![head(status, &lines), Step::Send(body.to_vec())]
}

/// Returns the head of a response.
pub(crate) fn head(status: &str, lines: &[&str]) -> Step {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    Step::Send(format!("HTTP/1.1 {status}\r\nConnection: close\r\n{lines}\r\n").into_bytes())
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The request line, such as `GET / HTTP/1.1`.
    pub(crate) line: String,
    lines: Vec<String>,
}

impl Request {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.lines.iter().filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Returns the number in the path: 7 for `/7`, and 0 if there is none.
    pub(crate) fn number(&self) -> usize {
        let path = self.line.split(' ').nth(1).unwrap_or_default();
        path.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
}

type Respond = dyn Fn(&Request) -> Answer + Send + Sync;

struct Shared {
    respond: Box<Respond>,
    tls: Option<Arc<ServerConfig>>,
    requests: Mutex<Vec<Request>>,
    is_released: AtomicBool,
    is_over: AtomicBool,
}

impl Server {
    /// Starts a server that speaks HTTP.
    pub(crate) fn http(respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Server {
        Server::start(None, Box::new(respond))
    }

    /// Starts a server that speaks HTTP over TLS.
    pub(crate) fn https(
        authority: &Authority,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Server {
        Server::start(Some(authority.server()), Box::new(respond))
    }

    /// Starts a server that sends these responses in turn, and repeats the last one.
    pub(crate) fn script(answers: Vec<Answer>) -> Server {
        let next = AtomicUsize::new(0);
        Server::http(move |_| {
            let last = answers.len() - 1;
            answers[next.fetch_add(1, Ordering::Relaxed).min(last)].clone()
        })
    }

    fn start(tls: Option<Arc<ServerConfig>>, respond: Box<Respond>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            respond,
            tls,
            requests: Mutex::default(),
            is_released: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let shared_with_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if shared_with_listener.is_over.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared_with_listener);
                // Errors of a connection are visible to its client.
                thread::spawn(move || shared.serve(connection));
            }
        });
        Server { address, scheme, shared }
    }

    /// Returns the URL of a path, which must begin with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Returns the requests received so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until a request arrives.
    pub(crate) fn await_request(&self) {
        let start = Instant::now();
        while self.requests().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(20), "no request came");
            thread::sleep(TICK);
        }
    }

    /// Ends every [`Step::Hold`].
    pub(crate) fn release(&self) {
        self.shared.is_released.store(true, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Connects, so that the listener wakes up and notices.
        let _ = TcpStream::connect(self.address);
    }
}

/// The interval at which a waiting thread checks its condition.
const TICK: Duration = Duration::from_millis(10);

impl Shared {
    fn serve(&self, connection: TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let plain = connection.try_clone()?;
        let Some(tls) = &self.tls else { return self.converse(connection, &plain) };
        let session = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, connection);
        self.converse(&mut stream, &plain)?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn converse(&self, mut stream: impl Read + Write, plain: &TcpStream) -> io::Result<()> {
        let request = read_request(&mut stream)?;
        self.requests.lock().unwrap().push(request.clone());
        for step in (self.respond)(&request) {
            match step {
                Step::Send(octets) => stream.write_all(&octets)?,
                Step::Repeat(octets, count) => (0..count).try_for_each(|_| stream.write_all(&octets))?,
                Step::Drip(octets, pause) => {
                    for octet in octets {
                        self.wait_until(|waited, _| waited >= pause);
                        stream.write_all(&[octet])?;
                    }
                }
                Step::Stall => self.wait_until(|_, _| false),
                Step::Hold => self.wait_until(|_, is_released| is_released),
                Step::Reset => {
                    // Waits until what was sent has arrived, so that the reset comes after it.
                    self.wait_until(|waited, _| waited >= 10 * TICK);
                    return socket2::SockRef::from(plain).set_linger(Some(Duration::ZERO));
                }
            }
            stream.flush()?;
        }
        Ok(())
    }

    fn wait_until(&self, is_reached: impl Fn(Duration, bool) -> bool) {
        let start = Instant::now();
        let is_over = || self.is_over.load(Ordering::Relaxed);
        while !is_over() && !is_reached(start.elapsed(), self.is_released.load(Ordering::Relaxed)) {
            thread::sleep(TICK);
        }
    }
}

fn read_request(stream: impl Read) -> io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    let lines = lines.take_while(|line| line.as_ref().map_or(true, |line| !line.is_empty()));
    Ok(Request { line, lines: lines.collect::<io::Result<_>>()? })
}
