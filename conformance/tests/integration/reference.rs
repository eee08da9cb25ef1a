//! Talks to the reference server with a client that is independent of the suite: without faults its replies break no
//! rule, and each fault of a selection breaks the rules it declares.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use smtp_conformance::protocol::Protocol;
use smtp_conformance::protocol::reply::Reader;
use smtp_conformance::readers::transcript;
use smtp_conformance::reference::{Fault, Options, Reference, Tls};
use smtp_conformance::{RuleId, Strictness, judge};
use tokio::runtime::Runtime;

/// Pairs on which the RFCs contradict the registry, so that the server sends them without a fault. RFC 5321
/// §4.5.3.1.10 requires 452 for too many recipients, but the registry lists only 451. The registry describes a full
/// mailbox as a transient failure, but lists only 552.
const CONTRADICTED: [&str; 2] = ["452 4.5.3", "452 4.2.2"];

/// How long the client waits before it concludes that nothing comes.
const SILENCE: Duration = Duration::from_millis(300);

struct Server {
    reference: Reference,
    // The last field, so that the server stops before the runtime does.
    _runtime: Runtime,
}

impl Server {
    fn start(options: Options) -> Server {
        let runtime = Runtime::new().expect("a runtime");
        let reference = runtime.block_on(Reference::start(options)).expect("the reference server starts");
        Server { reference, _runtime: runtime }
    }

    fn with(name: &str) -> Server {
        let fault = Fault::find(name).expect("there is such a fault");
        Server::start(Options { pace: Duration::from_millis(1), ..Options::of(fault) })
    }

    fn connect(&self) -> Client {
        Client::connect(self.reference.address())
    }
}

/// A client that keeps a transcript.
struct Client {
    stream: TcpStream,
    reader: Reader,
    noted: String,
}

impl Client {
    fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server takes connections");
        stream.set_read_timeout(Some(SILENCE)).expect("a time limit");
        Client { stream, reader: Reader::default(), noted: "#: connected\n".to_owned() }
    }

    fn greeted(address: SocketAddr) -> Client {
        let mut client = Client::connect(address);
        client.reply();
        client
    }

    /// Sends octets. Surplus replies that have arrived already are noted first.
    fn send(&mut self, octets: &[u8]) {
        while let Some(reply) = self.reader.next().map(|reply| reply.octets().to_vec()) {
            reply.split_inclusive(|octet| *octet == b'\n').for_each(|line| self.note('S', line));
        }
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            self.note('C', line);
        }
        // If the server has closed, reading its reply shows that.
        let _ = self.stream.write_all(octets);
    }

    /// Returns the next reply, or `None` if the server closes or nothing comes.
    fn reply(&mut self) -> Option<String> {
        loop {
            if let Some(reply) = self.reader.next().map(|reply| reply.octets().to_vec()) {
                reply.split_inclusive(|octet| *octet == b'\n').for_each(|line| self.note('S', line));
                return Some(String::from_utf8_lossy(&reply).into_owned());
            }
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets) {
                Ok(length @ 1..) => self.reader.push(octets.get(..length).unwrap_or_default()),
                Ok(0) => {
                    let rest = self.reader.finish().map(|reply| reply.octets().to_vec());
                    if let Some(rest) = rest {
                        self.note('S', &rest);
                    }
                    self.noted.push_str("#: closed by server\n");
                    return None;
                }
                Err(_) => {
                    if let Some(lines) = self.reader.unfinished().map(|reply| reply.octets().to_vec()) {
                        lines.split_inclusive(|octet| *octet == b'\n').for_each(|line| self.note('S', line));
                        self.reader = Reader::default();
                    }
                    self.noted.push_str("#: timeout\n");
                    return None;
                }
            }
        }
    }

    fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply().unwrap_or_default()
    }

    fn begin_message(&mut self) {
        for line in [EHLO, MAIL, RCPT, "DATA"] {
            self.ask(line);
        }
    }

    /// Returns everything that comes until the server closes or nothing more comes, and whether it closed.
    fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => (rest, true),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                (rest, false)
            }
        }
    }

    fn note(&mut self, side: char, line: &[u8]) {
        let (text, end) = match line.strip_suffix(b"\r\n") {
            Some(text) => (text, ""),
            None => line.strip_suffix(b"\n").map_or((line, "\\+"), |text| (text, "\\n")),
        };
        let _ = write!(self.noted, "{side}: ");
        for octet in text {
            let _ = match octet {
                b'\\' => write!(self.noted, "\\\\"),
                b' '..=b'~' => write!(self.noted, "{}", char::from(*octet)),
                octet => write!(self.noted, "\\x{octet:02x}"),
            };
        }
        let _ = writeln!(self.noted, "{end}");
    }
}

/// Sends lines, reads a reply to each, and returns the transcript. `a|b` means two lines sent at once; `=` sends
/// nothing and reads one more reply.
fn say(address: SocketAddr, lines: &[&str]) -> String {
    let mut client = Client::greeted(address);
    for line in lines {
        if *line == "=" {
            client.reply();
            continue;
        }
        let parts: Vec<&str> = line.split('|').collect();
        client.send(parts.iter().map(|part| format!("{part}\r\n")).collect::<String>().as_bytes());
        for _ in &parts {
            client.reply();
        }
    }
    client.ask("QUIT");
    client.rest();
    client.noted
}

const EHLO: &str = "EHLO client.example.org";
const LHLO: &str = "LHLO client.example.org";
const HELO: &str = "HELO client.example.org";
const MAIL: &str = "MAIL FROM:<bob@example.net>";
const RCPT: &str = "RCPT TO:<alice@example.org>";
const MESSAGE: &str = "From: <bob@example.net>\r\nSubject: test\r\n\r\nHello.\r\n.";
const LOGIN: &str = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";

const SMTP: &[&[&str]] = &[
    &["NOOP", "RSET", "HELP", "VRFY postmaster"],
    &[HELO, "NOOP", "RSET", MAIL, "RSET", "FOOB"],
    &[EHLO, "NOOP", "NOOP x", "HELP", "HELP mail", "HELP nonsense", "FOOB", "XFOOB", "TURN"],
    &["EHLO @@", "EHLO", EHLO, MAIL, "EHLO @@", RCPT, EHLO, RCPT],
    &[EHLO, MAIL, RCPT, "DATA", MESSAGE, MAIL, "RCPT TO:<PostMaster>", RCPT, "DATA", MESSAGE],
    &[EHLO, RCPT, "DATA", MAIL, MAIL, "DATA", "RSET", RCPT],
    &[
        EHLO,
        MAIL,
        "RCPT TO:<nosuch@example.org>",
        "RCPT TO:<someone@elsewhere.example>",
        "RCPT TO:<someone@nonexistent.invalid>",
        "RCPT TO:<moved@example.org>",
    ],
    &[
        EHLO,
        MAIL,
        "RCPT TO:<full@example.org>",
        "RCPT TO:<a@@example.org>",
        "RCPT TO:<alice@example.org> XFOO=1",
    ],
    &[EHLO, MAIL, RCPT, "RCPT TO:<alice@example.org> NOTIFY=FAILURE", "RCPT TO:<alice@example.org> CONNEG"],
    &[
        EHLO,
        "MAIL FROM:<a@@b>",
        "MAIL FROM:<bob@example.net> XFOO=1",
        "MAIL FROM:<bob@example.net> SIZE=999999999",
    ],
    &[EHLO, "MAIL FROM:<bob@example.net> CONPERM", "MAIL FROM:<bob@example.net> TRANSID=<x@example.net>"],
    &[
        EHLO,
        "MAIL FROM:<bob@example.net> SUBMITTER=bob@example.net",
        "RSET",
        "MAIL FROM:<bob@example.net> SOLICIT=org.example:ADV",
    ],
    &[EHLO, "MAIL FROM:<bob@example.net> SIZE=60 BODY=8BITMIME RET=HDRS AUTH=<>", RCPT, "DATA", MESSAGE],
    &[
        EHLO,
        "VRFY alice@example.org",
        "VRFY nosuch@example.org",
        "VRFY moved@example.org",
        "EXPN staff",
        "EXPN all",
    ],
    &[EHLO, "ETRN example.org", "ETRN elsewhere.example", "ETRN", "RSET x", "DATA x", "QUIT x"],
    &[
        EHLO,
        "AUTH XNOSUCH",
        "AUTH PLAIN",
        "*",
        "AUTH PLAIN !!!!",
        "AUTH CRAM-MD5 abcd",
        "AUTH PLAIN AGFsaWNlAHg=",
    ],
    &[EHLO, "AUTH LOGIN", "YWxpY2U=", "c2VjcmV0", LOGIN, MAIL, "RCPT TO:<someone@elsewhere.example>"],
    &[EHLO, "MAIL FROM:<bob@example.net>|RCPT TO:<alice@example.org>|RSET|NOOP"],
    &[EHLO, MAIL, RCPT, "BDAT 8\r\nHello.", "BDAT 8 LAST\r\nHello.", "BDAT 8\r\nHello.", "RSET", "BDAT x"],
];

const SUBMISSION: &[&[&str]] = &[
    &[EHLO, "NOOP", MAIL, "RSET", "FOOB"],
    &[EHLO, LOGIN, MAIL, "RCPT TO:<someone@elsewhere.example>", "DATA", MESSAGE],
    &[
        EHLO,
        LOGIN,
        "MAIL FROM:<>",
        "RSET",
        "MAIL FROM:<bob@nodots>",
        "MAIL FROM:<bob@example.net> HOLDFOR=60",
    ],
    &[EHLO, LOGIN, "MAIL FROM:<bob@example.net> HOLDFOR=999999999", "MAIL FROM:<a@@b>"],
    &[EHLO, LOGIN, MAIL, RCPT, "BURL imap://imap.example.org/x LAST", "RSET"],
];

const LMTP: &[&[&str]] = &[
    &["EHLO me", "HELO me", LHLO, "NOOP", "RSET"],
    &[LHLO, MAIL, "DATA", RCPT, "RCPT TO:<nosuch@example.org>", RCPT, "DATA", MESSAGE, "="],
    &[LHLO, MAIL, RCPT, "RCPT TO:<full@example.org>", "RCPT TO:<late@example.org>", "DATA", MESSAGE, "="],
    &[LHLO, MAIL, RCPT, RCPT, "BDAT 8\r\nHello.", "BDAT 8 LAST\r\nHello.", "="],
];

fn dialogs(protocol: Protocol) -> &'static [&'static [&'static str]] {
    match protocol {
        Protocol::Smtp => SMTP,
        Protocol::Submission => SUBMISSION,
        Protocol::Lmtp => LMTP,
    }
}

/// Returns the rules that the server breaks in the dialogs, without the contradicted pairs, and the transcript.
fn broken(server: &Server, protocol: Protocol) -> (BTreeSet<RuleId>, String) {
    let said =
        dialogs(protocol).iter().map(|lines| say(server.reference.address(), lines)).collect::<String>();
    let dialogues = transcript::read("test", protocol, &said).expect("the transcript is well-formed");
    let findings = judge(&dialogues, &Reference::knowledge(), Strictness::default()).findings;
    let contradicted = |detail: &str| CONTRADICTED.iter().any(|pair| detail.starts_with(pair));
    let counts = |rule: RuleId, detail: &str| rule != RuleId::PAIR_UNLISTED || !contradicted(detail);
    let rules =
        findings.iter().filter(|finding| counts(finding.rule, &finding.detail)).map(|finding| finding.rule);
    (rules.collect(), said)
}

#[test]
fn without_faults_no_rule_is_broken() {
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        let server = Server::start(Options { protocol, tls: Tls::StartTls, ..Options::default() });
        let (rules, said) = broken(&server, protocol);
        assert!(rules.is_empty(), "{protocol:?}: {rules:?}\n{said}");
        assert!(!said.contains("#: timeout"), "{protocol:?}\n{said}");
    }
}

#[test]
fn faults_break_the_rules_they_declare() {
    const NAMES: [&str; 40] = [
        "reply-code-650",
        "separator-colon",
        "mixed-codes",
        "hyphens-missing",
        "bare-lf",
        "terminal-escapes",
        "two-replies",
        "closes-after-unknown-command",
        "code-missing",
        "class-disagrees",
        "letter-class",
        "codes-missing-after-helo",
        "codes-not-announced",
        "pair-unlisted",
        "mail-nested-accepted",
        "unknown-recipient-554",
        "relay-554",
        "data-answered-250",
        "message-answered-twice",
        "noop-needs-hello",
        "ehlo-keeps-transaction",
        "refused-ehlo-resets",
        "size-above-limit-accepted",
        "bdat-after-last-accepted",
        "auth-base64-535",
        "challenge-in-words",
        "dsn-refused",
        "conperm-501",
        "code-before-conneg-word",
        "checkpoint-without-offset",
        "submitter-554",
        "solicitation-554",
        "etrn-answered-555",
        "spf-fail-554",
        "burl-untrusted-5-7-8",
        "burl-answered-251",
        "null-sender-refused",
        "lmtp-helo-accepted",
        "lmtp-replies-for-refused",
        "lmtp-data-554",
    ];
    for name in NAMES {
        let fault = Fault::find(name).expect("there is such a fault");
        let (rules, said) = broken(&Server::with(name), fault.protocol);
        let declared: BTreeSet<RuleId> = fault.trips.iter().copied().collect();
        assert_eq!(rules, declared, "{name}\n{said}");
    }
}

#[test]
fn faults_send_replies_slowly_or_octet_by_octet() {
    for name in ["one-octet-a-second", "octets-apart"] {
        let server = Server::with(name);
        let mut client = Client::greeted(server.reference.address());
        let start = Instant::now();
        assert_eq!(client.ask("NOOP"), "250 2.0.0 Ok\r\n");
        let least = if name == "octets-apart" { 0 } else { 13 };
        assert!(start.elapsed() >= Duration::from_millis(least), "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn faults_close_the_connection() {
    for (name, lines, last) in [
        ("drop-at-greeting", &[][..], ""),
        ("drop-at-ehlo", &[EHLO], ""),
        ("drop-at-mail", &[EHLO, MAIL], ""),
        ("drop-at-message", &[EHLO, MAIL, RCPT, "DATA", MESSAGE], ""),
        ("shutdown-at-greeting", &[], ""),
        ("shutdown-at-rcpt", &[EHLO, MAIL, RCPT], "421 4.3.0 mx.example.org is shutting down\r\n"),
        (
            "shutdown-at-fourth-command",
            &[EHLO, MAIL, RCPT, "NOOP"],
            "421 4.3.0 mx.example.org is shutting down\r\n",
        ),
        ("auth-one-attempt", &[EHLO, "AUTH PLAIN AGFsaWNlAHg="], "535 5.7.8 Wrong name or password\r\n"),
    ] {
        let server = Server::with(name);
        let mut client = Client::greeted(server.reference.address());
        let replies: Vec<String> = lines.iter().map(|line| client.ask(line)).collect();
        assert_eq!(replies.last().map_or("", String::as_str), last, "{name}");
        assert_eq!(client.rest(), (Vec::new(), true), "{name}");
    }
    let server = Server::with("cut-within-ehlo");
    let mut client = Client::greeted(server.reference.address());
    client.send(b"EHLO me\r\n");
    let (octets, ended) = client.rest();
    assert!(ended && octets.starts_with(b"250-mx.example.org") && !octets.ends_with(b"\n"));
}

#[test]
fn faults_stall_the_connection() {
    for (name, lines) in [
        ("stall-at-greeting", &[][..]),
        ("stall-at-ehlo", &[EHLO]),
        ("stall-at-data", &[EHLO, MAIL, RCPT, "DATA"]),
        ("stall-at-quit", &["QUIT"]),
        ("handshake-stall", &[EHLO, "STARTTLS", "no TLS"]),
    ] {
        let server = Server::with(name);
        let mut client = Client::connect(server.reference.address());
        if name != "stall-at-greeting" {
            client.reply();
        }
        let replies: Vec<String> = lines.iter().map(|line| client.ask(line)).collect();
        assert_eq!(replies.last().map_or("", String::as_str), "", "{name}");
        assert_eq!(client.rest(), (Vec::new(), false), "{name}");
    }
}

#[test]
fn a_half_close_leaves_the_other_direction_open() {
    let server = Server::with("half-close-after-rcpt");
    let mut client = Client::greeted(server.reference.address());
    client.ask(EHLO);
    client.ask(MAIL);
    assert_eq!(client.ask(RCPT), "250 2.1.5 Recipient ok\r\n");
    assert_eq!(client.rest(), (Vec::new(), true));
    for _ in 0..3 {
        client.stream.write_all(b"NOOP\r\n").expect("the server still reads");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn endless_replies_do_not_end() {
    for name in ["endless-lines", "endless-text"] {
        let server = Server::with(name);
        let mut client = Client::greeted(server.reference.address());
        client.send(b"HELP\r\n");
        let mut octets = vec![0; 1 << 20];
        client.stream.read_exact(&mut octets).expect("it goes on");
        assert!(octets.starts_with(b"214"), "{name}");
        assert_eq!(octets.contains(&b'\n'), name == "endless-lines");
    }
}

#[test]
fn faults_break_the_handshake() {
    let server = Server::with("handshake-garbage");
    let mut client = Client::greeted(server.reference.address());
    client.ask(EHLO);
    assert_eq!(client.ask("STARTTLS"), "220 2.0.0 Ready to start TLS\r\n");
    client.send(b"\x16\x03\x01\r\n");
    assert_eq!(client.rest(), (b"This is not TLS, and never will be.\r\n".to_vec(), true));
    for (name, first, second) in [
        ("injected-before-starttls", "250 2.0.0 Injected\r\n", "220 2.0.0 Ready to start TLS\r\n"),
        ("injected-after-starttls", "220 2.0.0 Ready to start TLS\r\n", "250 2.0.0 Injected\r\n"),
    ] {
        let server = Server::with(name);
        let mut client = Client::greeted(server.reference.address());
        client.ask(EHLO);
        assert_eq!(client.ask("STARTTLS"), first, "{name}");
        assert_eq!(client.reply().as_deref(), Some(second), "{name}");
    }
}

#[test]
fn greylisting_ends_with_the_next_connection() {
    let server = Server::with("greylist");
    for (carol, alice) in [("450 4.7.0", "450 4.7.0"), ("250 2.1.5", "250 2.1.5")] {
        let mut client = Client::greeted(server.reference.address());
        client.ask(EHLO);
        client.ask(MAIL);
        assert!(client.ask("RCPT TO:<carol@example.org>").starts_with(carol));
        assert!(client.ask(RCPT).starts_with(alice));
    }
}

#[test]
fn recipients_are_limited() {
    let server = Server::with("ten-recipients");
    let mut client = Client::greeted(server.reference.address());
    assert!(client.ask(EHLO).contains("LIMITS RCPTMAX=10\r\n"));
    client.ask(MAIL);
    let replies: Vec<String> = (0..12).map(|_| client.ask(RCPT)).collect();
    let refused = replies.iter().position(|reply| reply.starts_with("452 4.5.3"));
    assert_eq!(refused, Some(10));
}

#[test]
fn a_message_can_be_smuggled_in_only_with_the_fault() {
    let message = b"Subject: x\r\n\r\na\n.\nRSET\r\n.\r\n";
    let send = |server: &Server| {
        let mut client = Client::greeted(server.reference.address());
        client.begin_message();
        client.send(message);
        std::iter::from_fn(|| client.reply()).count()
    };
    assert_eq!(send(&Server::start(Options::default())), 1);
    assert_eq!(send(&Server::with("smuggling")), 3);
}

#[test]
fn faults_can_be_combined() {
    let faults = ["pair-unlisted", "unknown-command-502"]
        .map(|name| Fault::find(name).expect("there is such a fault"));
    let server = Server::start(Options { faults: faults.to_vec(), ..Options::default() });
    let mut client = Client::greeted(server.reference.address());
    assert_eq!(client.ask("TURN"), "502 5.5.1 The command is not implemented\r\n");
    assert_eq!(client.ask("FOOB"), "502 5.5.2 The command is not implemented\r\n");
}

#[test]
fn limits_hold() {
    let server = Server::start(Options::default());
    let mut client = Client::greeted(server.reference.address());
    client.send("x".repeat(200_000).as_bytes());
    assert_eq!(client.ask(""), "500 5.5.2 The line is too long\r\n");
    client.begin_message();
    client.send("0123456789\r\n".repeat(10_000).as_bytes());
    assert_eq!(client.ask("."), "552 5.3.4 Larger than this server accepts\r\n");
    assert_eq!(client.ask("NOOP"), "250 2.0.0 Ok\r\n");
    let mut many: Vec<Client> = (0..64).map(|_| server.connect()).collect();
    let greetings: Vec<Option<String>> = many.iter_mut().map(Client::reply).collect();
    assert_eq!(greetings.iter().filter(|greeting| greeting.is_none()).count(), 1);
}

#[test]
fn a_dropped_server_stops() {
    let runtime = Runtime::new().expect("a runtime");
    let reference =
        runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let address = reference.address();
    let mut client = Client::greeted(address);
    drop(reference);
    assert_eq!(client.rest(), (Vec::new(), true));
    let stopped =
        |_: &u8| TcpStream::connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    assert!((0..50).any(|attempt| {
        std::thread::sleep(Duration::from_millis(20));
        stopped(&attempt)
    }));
    let _ = client.stream.shutdown(Shutdown::Both);
}
