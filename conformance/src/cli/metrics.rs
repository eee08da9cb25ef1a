//! Serves metrics over HTTP, to be scraped.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Octets of a request's head that are read.
const HEAD_OCTETS: u64 = 8 << 10;
/// How long a client may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// A text that others change, and that is served at `/metrics`.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    text: Mutex<String>,
}

impl Metrics {
    pub(super) fn publish(&self, text: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Listens on an address.
    pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    /// Answers requests, one after the other, for ever.
    pub(super) fn serve(&self, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            // A client that hangs up gets no answer.
            let _ = self.answer(&stream);
        }
    }

    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream.take(HEAD_OCTETS)).lines();
        let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let mut words = request.split(' ');
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default().split('?').next().unwrap_or_default();
        let (status, body) = match (method, path) {
            ("GET" | "HEAD", "/metrics") => {
                ("200 OK", self.text.lock().unwrap_or_else(PoisonError::into_inner).clone())
            }
            _ => ("404 Not Found", "The metrics are at /metrics.\n".to_owned()),
        };
        let body = if request.starts_with("HEAD ") { "" } else { &body };
        write!(
            &mut &*stream,
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::sync::Arc;
    use std::thread;

    use super::Metrics;

    #[test]
    fn metrics_are_served() {
        let metrics = Arc::new(Metrics::default());
        metrics.publish("smtp_replies_total 1\n".to_owned());
        let listener = Metrics::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&metrics);
        thread::spawn(move || served.serve(&listener));
        let get = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = get("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nsmtp_replies_total 1\n"), "{answer}");
        assert!(get("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(get("nonsense\r\n\r\n").starts_with("HTTP/1.1 404 "));
    }
}
