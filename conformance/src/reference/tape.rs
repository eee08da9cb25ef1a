//! Records what is said on connections, in the notation of transcripts.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::limits::{LINE_OCTETS, SERVED_TRANSCRIPT_OCTETS, TRANSCRIPT_EXCHANGES, TRANSCRIPT_OCTETS};
use crate::protocol::command::{Command, Verb};
use crate::protocol::notation::shown_line;

/// The longest name of an authentication mechanism, in octets (RFC 4422 §3.1).
const MECHANISM: usize = 20;

/// Writes the transcripts of connections, each as a whole when it ends.
///
/// It writes no more than `judge` reads of one file, and notes that it leaves out the rest. After an error of the writer
/// it writes nothing more.
pub struct Recorder {
    output: Mutex<Output>,
}

struct Output {
    writer: Box<dyn Write + Send>,
    octets: u64,
    lines: usize,
    has_ended: bool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Returns a recorder that writes to `writer`, and flushes it after each connection.
    #[must_use]
    pub fn new(writer: impl Write + Send + 'static) -> Recorder {
        let output = Output { writer: Box::new(writer), octets: 0, lines: 0, has_ended: false };
        Recorder { output: Mutex::new(output) }
    }

    fn write(&self, text: &str, lines: usize) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.has_ended {
            return;
        }
        output.octets += text.len() as u64;
        output.lines += lines;
        // Each exchange has at least a line.
        let is_full = output.octets > TRANSCRIPT_OCTETS - 128 || output.lines > TRANSCRIPT_EXCHANGES;
        let text = if is_full {
            "#: the transcript is full: this connection and later ones are left out\n"
        } else {
            text
        };
        let written = output.writer.write_all(text.as_bytes()).and_then(|()| output.writer.flush());
        output.has_ended = is_full || written.is_err();
    }
}

/// The transcript of a connection. It is written when this value is dropped.
pub(super) struct Tape {
    recorder: Arc<Recorder>,
    begun: Instant,
    /// The time of the last remark that says one.
    noted: Duration,
    text: String,
    lines: usize,
    /// What the client sent since its last line end.
    sent: Vec<u8>,
    /// What the server sent since its last line end.
    received: Vec<u8>,
    /// Whether lines that are not commands may belong to AUTH.
    follows_auth: bool,
    is_full: bool,
}

impl Tape {
    pub(super) fn new(recorder: Arc<Recorder>, client: SocketAddr) -> Tape {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
        Tape {
            recorder,
            begun: Instant::now(),
            noted: Duration::ZERO,
            text: format!("#: from {client}, {now}\n#: connected\n"),
            lines: 0,
            sent: Vec::new(),
            received: Vec::new(),
            follows_auth: false,
            is_full: false,
        }
    }

    /// Notes a line that the client sent outside a message. Credentials are masked.
    pub(super) fn line(&mut self, line: &[u8], is_response: bool) {
        let verb = Command::read(line).verb();
        let is_auth = verb == Verb::Auth || starts_with_auth(line);
        // A client may send its responses without waiting for the challenges, or although it got none.
        let is_response = is_response || self.follows_auth && verb == Verb::Other && !is_auth;
        self.follows_auth = is_auth || is_response;
        if is_response {
            self.sent(&masked(line));
        } else if is_auth {
            self.sent(&without_response(line));
        } else {
            self.sent(line);
        }
    }

    /// Notes octets that the client sent, which may be a part of a line.
    pub(super) fn sent(&mut self, octets: &[u8]) {
        if self.is_full || octets.is_empty() {
            return;
        }
        self.flush_received();
        self.sent.extend_from_slice(octets);
        while let Some(line) = first_line(&mut self.sent) {
            self.push("C", &line);
        }
    }

    /// Notes octets that the server sent, which may be a part of a line.
    pub(super) fn received(&mut self, octets: &[u8]) {
        if self.is_full || octets.is_empty() {
            return;
        }
        self.flush_sent();
        self.received.extend_from_slice(octets);
        while let Some(line) = first_line(&mut self.received) {
            self.push("S", &line);
        }
    }

    /// Notes an event, or a remark.
    pub(super) fn event(&mut self, event: &str) {
        self.flush_sent();
        self.flush_received();
        self.note_time();
        self.add(&format!("#: {event}\n"));
    }

    fn flush_sent(&mut self) {
        let part = std::mem::take(&mut self.sent);
        if !part.is_empty() {
            self.push("C", &part);
        }
    }

    fn flush_received(&mut self) {
        let part = std::mem::take(&mut self.received);
        if !part.is_empty() {
            self.push("S", &part);
        }
    }

    fn push(&mut self, speaker: &str, line: &[u8]) {
        self.note_time();
        self.lines += 1;
        self.add(&format!("{speaker}: {}\n", shown_line(line)));
    }

    /// Adds a remark with the seconds since the connection began, unless less than a millisecond passed since the last.
    fn note_time(&mut self) {
        let now = self.begun.elapsed();
        if now.saturating_sub(self.noted) >= Duration::from_millis(1) {
            self.noted = now;
            self.add(&format!("#: {:.3} s\n", now.as_secs_f64()));
        }
    }

    fn add(&mut self, line: &str) {
        if self.is_full {
            return;
        }
        self.is_full = self.text.len() + line.len() > SERVED_TRANSCRIPT_OCTETS;
        self.text.push_str(if self.is_full {
            "#: the rest of the connection is left out: it is too long\n"
        } else {
            line
        });
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.flush_sent();
        self.flush_received();
        self.recorder.write(&self.text, self.lines);
    }
}

/// Takes the first line out of a buffer, or a part of a line that is too long to wait for its end.
fn first_line(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'\n', buffer).map(|end| end + 1);
    let end = end.or((buffer.len() >= LINE_OCTETS).then_some(buffer.len()))?;
    Some(buffer.drain(..end).collect())
}

fn starts_with_auth(line: &[u8]) -> bool {
    line.trim_ascii_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH"))
}

/// Returns a line that begins with AUTH with everything masked after the name of the mechanism.
fn without_response(line: &[u8]) -> Vec<u8> {
    let blank = line.len() - line.trim_ascii_start().len();
    let word = line.len().min(blank + "AUTH".len());
    let rest = &line[word..];
    let gap = rest.len() - rest.trim_ascii_start().len();
    let is_of_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let name = rest[gap..].split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let is_name = gap > 0 && name.len() <= MECHANISM && name.iter().all(is_of_name);
    let kept = if is_name { word + gap + name.len() } else { word };
    [&line[..kept], &masked(&line[kept..])].concat()
}

/// Returns octets with each one replaced by `x`, as it is done in a run, but for what gives the form of base64: padding
/// and line ends. The response that cancels AUTH stays (RFC 4954 §4).
fn masked(octets: &[u8]) -> Vec<u8> {
    if octets == b"*\r\n" {
        return octets.to_vec();
    }
    let mask = |octet: &u8| if matches!(octet, b' ' | b'=' | b'\r' | b'\n') { *octet } else { b'x' };
    octets.iter().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place to write to that can be read afterwards.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics meanwhile").write(octets)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().expect("no test panics meanwhile")).into_owned()
        }

        /// Returns its lines without the times.
        fn said(&self) -> Vec<String> {
            self.text().lines().filter(|line| !line.ends_with(" s")).skip(1).map(str::to_owned).collect()
        }
    }

    fn tape(recorder: &Arc<Recorder>) -> Tape {
        Tape::new(recorder.clone(), SocketAddr::from(([127, 0, 0, 1], 4000)))
    }

    fn recorded(record: impl FnOnce(&mut Tape)) -> Vec<String> {
        let page = Page::default();
        record(&mut tape(&Arc::new(Recorder::new(page.clone()))));
        page.said()
    }

    #[test]
    fn parts_become_lines() {
        let said = recorded(|tape| {
            tape.received(b"220 a");
            tape.received(b"\r\n250");
            tape.line(b"NOOP\n", false);
            tape.sent(b"one\r\ntw");
            tape.sent(b"o");
            tape.received(b"\\\r\n");
            tape.event("closed by server");
        });
        let expected = [
            "#: connected",
            "S: 220 a",
            "S: 250\\+",
            "C: NOOP\\n",
            "C: one",
            "C: two\\+",
            "S: \\\\",
            "#: closed by server",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn credentials_are_masked() {
        let lines = [
            ("AUTH PLAIN AHRlc3QAc2VjcmV0MQ==", false, "AUTH PLAIN xxxxxxxxxxxxxxxxxx=="),
            (" auth  Plain  c2VjcmV0", false, " auth  Plain  xxxxxxxx"),
            ("AUTH=PLAIN c2VjcmV0", false, "AUTH=xxxxx xxxxxxxx"),
            ("AUTHc2VjcmV0", false, "AUTHxxxxxxxx"),
            ("AUTH c2VjcmV0c2VjcmV0c2VjcmV0", false, "AUTH xxxxxxxxxxxxxxxxxxxxxxxx"),
            ("c2VjcmV0", false, "xxxxxxxx"),
            ("c2VjcmV0", false, "xxxxxxxx"),
            ("NOOP", false, "NOOP"),
            ("What", false, "What"),
            ("QUIT", true, "xxxx"),
            ("*", true, "*"),
        ];
        let said = recorded(|tape| {
            for (line, is_response, _) in lines {
                tape.line(format!("{line}\r\n").as_bytes(), is_response);
            }
        });
        let expected: Vec<String> = lines.iter().map(|(_, _, shown)| format!("C: {shown}")).collect();
        assert_eq!(said[1..], expected);
    }

    #[test]
    fn a_long_connection_is_cut() {
        let said = recorded(|tape| {
            for _ in 0..20 {
                tape.sent(&vec![b'a'; LINE_OCTETS]);
                tape.received(b"250 Ok\r\n");
            }
            tape.event("closed by server");
        });
        assert_eq!(
            said.last().map(String::as_str),
            Some("#: the rest of the connection is left out: it is too long")
        );
        let octets: usize = said.iter().map(String::len).sum();
        assert!(octets < SERVED_TRANSCRIPT_OCTETS + 200, "{octets}");
    }

    #[test]
    fn a_transcript_is_no_longer_than_what_is_judged() {
        let page = Page::default();
        let recorder = Arc::new(Recorder::new(page.clone()));
        // 64 connections of this length fill it.
        for _ in 0..80 {
            tape(&recorder).sent(&vec![b'a'; SERVED_TRANSCRIPT_OCTETS - 1000]);
        }
        let text = page.text();
        assert!(text.len() as u64 <= TRANSCRIPT_OCTETS, "{}", text.len());
        assert!(text.ends_with("\n#: the transcript is full: this connection and later ones are left out\n"));
        assert_eq!(text.matches("is full").count(), 1);
    }

    #[test]
    fn connections_are_not_interleaved() {
        let page = Page::default();
        let recorder = Arc::new(Recorder::new(page.clone()));
        let (mut one, mut two) = (tape(&recorder), tape(&recorder));
        for _ in 0..2 {
            one.sent(b"one\r\n");
            two.sent(b"two\r\n");
        }
        drop(two);
        drop(one);
        let said: Vec<String> = page.said().into_iter().filter(|line| line.starts_with('C')).collect();
        assert_eq!(said, ["C: two", "C: two", "C: one", "C: one"]);
    }
}
