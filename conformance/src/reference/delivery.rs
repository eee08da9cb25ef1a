//! Delivers what the server accepts: into a mailbox, or by LMTP or SMTP.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, process};

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fault::{Fault, Spoil, spoils};
use super::replies::DOMAIN;
use crate::dialogue::content::lines;
use crate::target::Destination;

/// How long a delivery may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The line length beyond which a fault splits lines.
const WIDTH: usize = 78;

/// A message with its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// The name that the client gave.
    pub(super) client: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) content: Vec<u8>,
    /// What Received says after WITH.
    pub(super) protocol: String,
    /// The value of MT-PRIORITY.
    pub(super) priority: Option<String>,
    /// Whether it was submitted, so that missing fields are added (RFC 6409 §8).
    pub(super) is_submitted: bool,
}

impl Letter {
    /// Delivers the message, and does what the faults of the server do to it.
    ///
    /// # Errors
    ///
    /// If the mailbox cannot be written, or if the next server does not take the message.
    pub(super) async fn deliver(mut self, to: &Destination, faults: &[&Fault]) -> io::Result<()> {
        self.spoil(faults);
        let times = if spoils(faults, Spoil::DeliversTwice) { 2 } else { 1 };
        for _ in 0..times {
            match to {
                Destination::Maildir(folder) => {
                    for _ in &self.recipients {
                        write_new(folder, &self.with_return_path(faults))?;
                    }
                }
                Destination::Mbox(file) => {
                    for _ in &self.recipients {
                        append(file, &self.sender, &self.with_return_path(faults))?;
                    }
                }
                Destination::Lmtp(address) => timeout(LIMIT, self.send(*address, "LHLO")).await??,
                Destination::Smtp(address) => timeout(LIMIT, self.send(*address, "EHLO")).await??,
            }
        }
        Ok(())
    }

    /// Returns the message as it is finally delivered (RFC 5321 §4.4), with the lines of this machine.
    fn with_return_path(&self, faults: &[&Fault]) -> Vec<u8> {
        let has_bare = spoils(faults, Spoil::AddsBareReturnPath);
        let path = if has_bare { self.sender.clone() } else { format!("<{}>", self.sender) };
        let line = format!("Return-Path: {path}\n");
        let times = match () {
            () if spoils(faults, Spoil::OmitsReturnPath) => 0,
            () if spoils(faults, Spoil::DoublesReturnPath) => 2,
            () => 1,
        };
        let is_below = spoils(faults, Spoil::AddsReturnPathBelow);
        let mut octets = if is_below { Vec::new() } else { line.repeat(times).into_bytes() };
        for line in lines(&self.content) {
            if is_below && line == b"\r\n" && !octets.windows(13).any(|part| part == b"\nReturn-Path:") {
                octets.extend(format!("Return-Path: {path}\n").into_bytes());
            }
            match line.strip_suffix(b"\r\n") {
                Some(line) => octets.extend([line, b"\n"].concat()),
                None => octets.extend_from_slice(line),
            }
        }
        octets
    }

    /// Sends the message to the next server.
    async fn send(&self, address: SocketAddr, hello: &str) -> io::Result<()> {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        reply(&mut stream).await?;
        ask(&mut stream, &format!("{hello} {DOMAIN}")).await?;
        ask(&mut stream, &format!("MAIL FROM:<{}> BODY=8BITMIME", self.sender)).await?;
        for recipient in &self.recipients {
            ask(&mut stream, &format!("RCPT TO:<{recipient}>")).await?;
        }
        ask(&mut stream, "DATA").await?;
        for line in lines(&self.content) {
            if line.starts_with(b".") {
                stream.write_all(b".").await?;
            }
            stream.write_all(line).await?;
        }
        if !self.content.ends_with(b"\r\n") {
            stream.write_all(b"\r\n").await?;
        }
        ask(&mut stream, ".").await?;
        for _ in 1..if hello == "LHLO" { self.recipients.len() } else { 1 } {
            reply(&mut stream).await?;
        }
        ask(&mut stream, "QUIT").await
    }

    /// Returns the Received field (RFC 5321 §4.4).
    fn received(&self, faults: &[&Fault]) -> String {
        let own = faults.iter().find_map(|fault| fault.received.as_deref());
        let text =
            own.unwrap_or("from {client} ([127.0.0.1]) by {domain} with {protocol}{priority};\r\n\t{date}");
        format!("Received: {}\r\n", self.fill(text))
    }

    /// Fills in the placeholders of a header field.
    fn fill(&self, text: &str) -> String {
        let priority = self.priority.as_ref().map(|value| format!(" priority {value}")).unwrap_or_default();
        text.replace("{client}", &self.client)
            .replace("{domain}", DOMAIN)
            .replace("{protocol}", &self.protocol)
            .replace("{priority}", &priority)
            .replace("{recipients}", &self.recipients.join(", "))
            .replace("{date}", &now())
    }

    /// Returns the fields that a submitted message lacks (RFC 6409 §8).
    fn missing(&self, header: &[u8], faults: &[&Fault]) -> Vec<u8> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        if !self.is_submitted || spoils(faults, Spoil::CompletesNothing) {
            return Vec::new();
        }
        let has = |name: &[u8]| {
            lines(header)
                .any(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
        };
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let fields = [
            ("From:", format!("From: <{}>\r\n", self.sender)),
            ("Date:", format!("Date: {}\r\n", now())),
            ("Message-ID:", format!("Message-ID: <{}.{id}@{DOMAIN}>\r\n", process::id())),
        ];
        let missing = fields.into_iter().filter(|(name, _)| !has(name.as_bytes()));
        missing.flat_map(|(_, field)| field.into_bytes()).collect()
    }

    /// Adds Received, and does what the faults do.
    fn spoil(&mut self, faults: &[&Fault]) {
        let spoils = |spoil| spoils(faults, spoil);
        if spoils(Spoil::LowersAddresses) {
            self.sender.make_ascii_lowercase();
            self.recipients.iter_mut().for_each(|path| path.make_ascii_lowercase());
        }
        if spoils(Spoil::ReplacesNullSender) && self.sender.is_empty() {
            self.sender = format!("postmaster@{DOMAIN}");
        }
        if spoils(Spoil::AddsRoute) && !self.sender.is_empty() {
            self.sender = format!("@{DOMAIN}:{}", self.sender);
        }
        if spoils(Spoil::CompletesSenders) && !self.sender.is_empty() && !self.sender.ends_with(".example") {
            self.sender.push_str(".example");
        }
        if spoils(Spoil::RoutesByHeader) {
            self.recipients.extend(header_recipients(&self.content, &self.recipients));
        }
        if spoils(Spoil::TakesBareLineEnds) {
            let bare = replaced(&replaced(&self.content, b"\r\n", b"\n"), b"\r", b"\n");
            self.content = replaced(&bare, b"\n", b"\r\n");
        }
        let end = memchr::memmem::find(&self.content, b"\r\n\r\n").map_or(self.content.len(), |end| end + 2);
        let (header, body) = self.content.split_at(end);
        let (empty, body) = body.split_at(body.len().min(2));
        let header = spoiled_header(header, faults);
        let body = spoiled_body(body, faults);
        let field = faults.iter().find_map(|fault| fault.field.as_deref());
        let field = field.map(|field| format!("{}\r\n", self.fill(field))).unwrap_or_default();
        let header = [field.as_bytes(), &header, &self.missing(&header, faults)].concat();
        let received = self.received(faults);
        let received = received.as_bytes();
        self.content = match () {
            () if spoils(Spoil::OmitsReceived) => [&header, empty, &body].concat(),
            () if spoils(Spoil::AddsReceivedBelow) => [&header, received, empty, &body].concat(),
            () => [received, &header, empty, &body].concat(),
        };
    }
}

/// The time as Received and Date have it.
fn now() -> String {
    Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Returns the address in To unless it is among the recipients.
fn header_recipients(content: &[u8], recipients: &[String]) -> Option<String> {
    let line = lines(content).find(|line| line.starts_with(b"To: <"))?;
    let path = String::from_utf8_lossy(line.strip_prefix(b"To: <")?.strip_suffix(b">\r\n")?).into_owned();
    (!recipients.iter().any(|other| other.eq_ignore_ascii_case(&path))).then_some(path)
}

fn spoiled_header(header: &[u8], faults: &[&Fault]) -> Vec<u8> {
    let mut is_dropped = false;
    let mut spoiled = Vec::with_capacity(header.len());
    for line in lines(header) {
        let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_continued {
            let is_rrvs = line.starts_with(b"Require-Recipient-Valid-Since:");
            is_dropped = spoils(faults, Spoil::DropsReceived) && line.starts_with(b"Received:")
                || is_rrvs && !spoils(faults, Spoil::KeepsRrvs);
        }
        if is_dropped {
            continue;
        }
        if spoils(faults, Spoil::TagsSubject)
            && let Some(subject) = line.strip_prefix(b"Subject:")
        {
            spoiled.extend([b"Subject: [x]", subject].concat());
        } else {
            spoiled.extend_from_slice(line);
        }
    }
    spoiled
}

fn spoiled_body(body: &[u8], faults: &[&Fault]) -> Vec<u8> {
    let spoils = |spoil| spoils(faults, spoil);
    let mut spoiled = Vec::with_capacity(body.len());
    for line in lines(body) {
        let (mut text, end) = match line.strip_suffix(b"\r\n") {
            Some(text) => (text.to_vec(), &b"\r\n"[..]),
            None => (line.to_vec(), &b""[..]),
        };
        if spoils(Spoil::RemovesAllDots) {
            text.drain(..text.iter().take_while(|octet| **octet == b'.').count());
        }
        if spoils(Spoil::RemovesDotsOfChunks) {
            text = without_dot(&text).to_vec();
        }
        if spoils(Spoil::TrimsLines) {
            text.truncate(text.trim_ascii_end().len());
        }
        if spoils(Spoil::DropsControls) {
            text.retain(|octet| !octet.is_ascii_control() || *octet == b'\t');
        }
        if spoils(Spoil::ClearsHighBits) {
            for octet in &mut text {
                *octet &= 0x7f;
            }
        }
        if spoils(Spoil::WrapsLines) {
            text = text.chunks(WIDTH).collect::<Vec<_>>().join(&b"\r\n"[..]);
        }
        if spoils(Spoil::LosesEmptyLines) && text.is_empty() {
            continue;
        }
        spoiled.extend(text);
        spoiled.extend_from_slice(if spoils(Spoil::EndsLinesWithLf) { b"\n" } else { end });
    }
    if spoils(Spoil::AddsLine) {
        spoiled.extend(b"\r\n");
    }
    spoiled
}

/// Returns a line without a dot at its beginning.
pub(super) fn without_dot(line: &[u8]) -> &[u8] {
    line.strip_prefix(b".").unwrap_or(line)
}

fn replaced(octets: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(place) = memchr::memmem::find(rest, old) {
        let (before, after) = rest.split_at(place);
        replaced.extend([before, new].concat());
        rest = after.get(old.len()..).unwrap_or_default();
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Writes a message into a Maildir: first into `tmp`, so that readers see only whole messages in `new`.
fn write_new(folder: &Path, octets: &[u8]) -> io::Result<()> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{}.{}.{DOMAIN}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let file = folder.join("tmp").join(&name);
    fs::write(&file, octets)?;
    fs::rename(file, folder.join("new").join(name))
}

/// Appends a message to a file in mbox format (RFC 4155). Lines that begin with `From ` are quoted.
fn append(file: &Path, sender: &str, octets: &[u8]) -> io::Result<()> {
    let mut entry =
        format!("From {sender} {}\n", Timestamp::now().strftime("%a %b %e %H:%M:%S %Y")).into_bytes();
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b"From ") {
            entry.push(b'>');
        }
        entry.extend_from_slice(line);
    }
    entry.push(b'\n');
    fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(&entry)
}

async fn ask(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    reply(stream).await
}

/// Reads a reply, and fails if it is a refusal.
async fn reply(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        stream.take(1000).read_until(b'\n', &mut line).await?;
        match line.first() {
            Some(b'2' | b'3') if line.get(3) == Some(&b'-') => {}
            Some(b'2' | b'3') => return Ok(()),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
