//! What `serve` offers for tests of clients: chosen replies, withheld extensions, and transcripts.

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use smtp_conformance::dialogue::Dialogue;
use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::reference::{Options, Recorder, Reference, Script, Tls, Withheld};
use smtp_conformance::{Level, Strictness, judge};
use tokio::runtime::Runtime;

/// How long a client waits before it concludes that nothing comes, and that nothing more comes.
const PATIENCE: Duration = Duration::from_secs(3);
const SILENCE: Duration = Duration::from_millis(300);

const EHLO: &str = "EHLO me.example";
const MAIL: &str = "MAIL FROM:<bob@example.net>";
const RCPT: &str = "RCPT TO:<alice@example.org>";
const MESSAGE: &str = "Subject: x\r\n\r\nx\r\n.";

/// A running reference server, and the transcript of what was said to it.
pub(super) struct Server {
    reference: Reference,
    page: Page,
    // The last field, so that the server stops before the runtime does.
    _runtime: Runtime,
}

/// A transcript that can be read while it is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics meanwhile").write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Server {
    pub(super) fn start(options: Options) -> Server {
        let page = Page::default();
        let recorder = Some(Arc::new(Recorder::new(page.clone())));
        let runtime = Runtime::new().expect("a runtime");
        let options = Options { tls: Tls::StartTls, recorder, ..options };
        let reference = runtime.block_on(Reference::start(options)).expect("the server starts");
        Server { reference, page, _runtime: runtime }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.reference.address()
    }

    pub(super) fn certificate(&self) -> String {
        self.reference.certificate().expect("the server has TLS").to_owned()
    }

    /// Starts a server with the choices of `--reply`.
    fn with(choices: &[&str]) -> Server {
        let script = Script::read(choices.iter().copied()).expect("the choices are well-formed");
        let protocol = script.protocol().expect("one protocol").unwrap_or(Protocol::Smtp);
        Server::start(Options { script, protocol, ..Options::default() })
    }

    fn without(keyword: &str) -> Server {
        let withheld = Withheld::read([keyword]).expect("the server knows the keyword");
        Server::start(Options { withheld, ..Options::default() })
    }

    /// Sends lines, waits for silence after each, and returns what came at the beginning and after each line. `(closed)`
    /// says that the server closed.
    fn say(&self, lines: &[&str]) -> Vec<String> {
        let mut stream = TcpStream::connect(self.reference.address()).expect("the server takes connections");
        let mut said = vec![reply(&mut stream)];
        for line in lines {
            // If the server has closed, reading shows that.
            let _ = stream.write_all(format!("{line}\r\n").as_bytes());
            said.push(reply(&mut stream));
        }
        said
    }

    /// Returns the reply codes, or `(closed)`, after each line; nothing if nothing came.
    fn codes(&self, lines: &[&str]) -> Vec<String> {
        self.say(lines).iter().map(|said| codes(said)).collect()
    }

    /// Returns the transcript of that many connections, when they have ended.
    pub(super) fn transcript(&self, connections: usize) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let octets = self.page.0.lock().expect("nobody panics meanwhile").clone();
            let text = String::from_utf8(octets).expect("a transcript is ASCII");
            if text.matches("#: connected\n").count() >= connections {
                return text;
            }
            assert!(Instant::now() < deadline, "no transcript of {connections} connections: {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Reads a reply, or what comes until the server closes or is silent.
fn reply(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut octets = [0; 4096];
    loop {
        let wait = if text.is_empty() { PATIENCE } else { SILENCE };
        stream.set_read_timeout(Some(wait)).expect("a time limit");
        match stream.read(&mut octets) {
            Ok(0) | Err(_) if text.ends_with("(closed)") => return text,
            Ok(0) => text.push_str("(closed)"),
            Ok(length) => text.push_str(&String::from_utf8_lossy(&octets[..length])),
            Err(_) => return text,
        }
    }
}

fn codes(said: &str) -> String {
    let last = |line: &&str| line.get(3..4) != Some("-") && !line.is_empty();
    let codes: Vec<&str> = said
        .lines()
        .filter(last)
        .map(|line| if line.starts_with('(') { line } else { &line[..3.min(line.len())] })
        .collect();
    codes.join(" ")
}

#[test]
fn a_reply_code_replaces_that_of_the_server() {
    for (choice, lines, expected) in [
        ("greeting=554", &[EHLO, "QUIT"][..], "554,503,221(closed)"),
        ("ehlo=500", &[EHLO, "HELO me.example", MAIL], "220,500,250,250"),
        ("mail=451", &[EHLO, MAIL, RCPT], "220,250,451,503"),
        ("rcpt[2]=550 5.1.1 No such user", &[EHLO, MAIL, RCPT, RCPT, RCPT], "220,250,250,250,550,250"),
        ("rcpt[2+]=452", &[EHLO, MAIL, RCPT, RCPT, RCPT], "220,250,250,250,452,452"),
        ("rcpt=250", &[EHLO, MAIL, "RCPT TO:<nobody@elsewhere.example>", "DATA"], "220,250,250,250,354"),
        ("data=250", &[EHLO, MAIL, RCPT, "DATA", "NOOP"], "220,250,250,250,250,250"),
        ("eod=299", &[EHLO, MAIL, RCPT, "DATA", MESSAGE], "220,250,250,250,354,299"),
        ("quit=500", &["QUIT", "NOOP"], "220,500,250"),
        ("starttls=454", &[EHLO, "STARTTLS", "NOOP"], "220,250,454,250"),
        ("auth=432", &[EHLO, "AUTH PLAIN AGFsaWNlAHNlY3JldA=="], "220,250,432"),
        ("auth-response=334", &[EHLO, "AUTH LOGIN", "YQ==", "Yg=="], "220,250,334,334,334"),
        ("bdat-last=554", &[EHLO, MAIL, RCPT, "BDAT 0", "BDAT 0 LAST"], "220,250,250,250,250,554"),
        (
            "lmtp.eod[2]=552",
            &["LHLO me.example", MAIL, RCPT, RCPT, "DATA", MESSAGE],
            "220,250,250,250,250,354,250 552",
        ),
        ("other=577", &["WHAT"], "220,577"),
        ("noop=421", &["NOOP"], "220,421(closed)"),
    ] {
        let codes: Vec<String> =
            Server::with(&[choice]).codes(lines).into_iter().map(|code| code.replace(" (", "(")).collect();
        assert_eq!(codes.join(","), expected, "{choice}");
    }
}

#[test]
fn whole_replies_are_sent_as_they_are_written() {
    let said = Server::with(&[r"ehlo=250-mx.example.org\r\n250 SIZE 100", r"noop=250 a\x41\n", r"rset=25\+"])
        .say(&[EHLO, "NOOP", "RSET"]);
    assert_eq!(said[1..], ["250-mx.example.org\r\n250 SIZE 100\r\n", "250 aA\n", "25"]);
}

#[test]
fn effects_change_how_a_reply_is_sent() {
    let ok = "250 2.0.0 Ok\r\n";
    for (effect, expected) in [
        ("drop", ["(closed)", "(closed)"]),
        ("close", ["250 2.0.0 Ok\r\n(closed)", "(closed)"]),
        ("cut", ["250 2.0(closed)", "(closed)"]),
        ("stall", ["", ""]),
        ("stall-within", ["250 2.0", ""]),
        ("silence", ["", ok]),
        ("twice", ["250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n", ok]),
        ("late", ["", "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"]),
        ("octets", [ok, ok]),
        ("no-text", ["250\r\n", ok]),
        ("multi-line", ["250-2.0.0 Ok\r\n250 2.0.0 Ok\r\n", ok]),
    ] {
        let said = Server::with(&[&format!("noop[1]={effect}")]).say(&["NOOP", "NOOP"]);
        assert_eq!(said[1..], expected, "{effect}");
    }
}

#[test]
fn slow_and_endless_replies() {
    for (choice, least) in [("noop=endless-lines", 10_000), ("noop=endless-text", 10_000), ("noop=slow", 1)] {
        let server = Server::with(&[choice]);
        let mut stream =
            TcpStream::connect(server.reference.address()).expect("the server takes connections");
        stream.set_read_timeout(Some(SILENCE)).expect("a time limit");
        reply(&mut stream);
        stream.write_all(b"NOOP\r\n").expect("the server reads");
        let mut octets = vec![0; 10_000];
        let mut length = 0;
        while let Ok(more @ 1..) = stream.read(&mut octets[length..]) {
            length += more;
        }
        assert!(length >= least && (least > 1 || length < 5), "{choice}: {length}");
    }
}

#[test]
fn a_form_applies_to_all_replies_but_those_whose_text_clients_read() {
    let said = Server::with(&["all=no-text"]).say(&[EHLO, MAIL, "AUTH LOGIN"]);
    assert_eq!([&said[0], &said[2]], ["220\r\n", "250\r\n"]);
    assert!(said[1].contains("\r\n250-SIZE 100000\r\n"), "{}", said[1]);
    let said = Server::with(&["all=multi-line"]).say(&["NOOP"]);
    assert_eq!(said[0].lines().count(), 2, "{}", said[0]);
}

#[test]
fn lmtp_may_close_between_the_replies_to_a_message() {
    for (choice, expected) in
        [("lmtp.eod[2]=drop", "250 (closed)"), ("lmtp.eod[2]=close", "250 250 (closed)")]
    {
        let codes =
            Server::with(&[choice]).codes(&["LHLO me.example", MAIL, RCPT, RCPT, RCPT, "DATA", MESSAGE]);
        assert_eq!(codes[7], expected, "{choice}");
    }
}

#[test]
fn what_is_not_offered_is_refused() {
    let chunk = [MAIL, RCPT, "BDAT 0 LAST"];
    for (keyword, lines, expected) in [
        ("8BITMIME", &["MAIL FROM:<bob@example.net> BODY=8BITMIME"][..], "555"),
        ("BINARYMIME", &["MAIL FROM:<bob@example.net> BODY=BINARYMIME"], "501"),
        ("SMTPUTF8", &["MAIL FROM:<bob@example.net> SMTPUTF8"], "555"),
        ("SIZE", &["MAIL FROM:<bob@example.net> SIZE=10"], "555"),
        ("DSN", &[MAIL, "RCPT TO:<alice@example.org> NOTIFY=NEVER"], "555"),
        ("CHUNKING", &chunk, "500"),
        ("STARTTLS", &["STARTTLS"], "500"),
        ("AUTH", &["AUTH PLAIN AGFsaWNlAHNlY3JldA=="], "500"),
        ("VRFY", &["VRFY alice"], "500"),
    ] {
        let server = Server::without(keyword);
        let said = server.say(&[&[EHLO], lines].concat());
        let listed = said[1].lines().any(|line| line[4..].split(' ').next() == Some(keyword));
        assert!(!listed, "{keyword}: {}", said[1]);
        assert_eq!(said.last().map(|said| codes(said)).as_deref(), Some(expected), "{keyword}");
        let offered = Server::with(&[]).say(&[&[EHLO], lines].concat());
        assert!(!offered.last().is_some_and(|said| said.starts_with('5')), "{keyword}: {offered:?}");
    }
    let said = Server::without("ENHANCEDSTATUSCODES").say(&[EHLO, MAIL]);
    assert_eq!(said[2], "250 Sender ok\r\n");
}

#[test]
fn a_small_size_is_offered_and_enforced() {
    let server = Server::start(Options { size: 100, ..Options::default() });
    let long = format!("{}\r\n.", "x".repeat(200));
    let said = server.say(&[EHLO, "MAIL FROM:<bob@example.net> SIZE=101", MAIL, RCPT, "DATA", &long]);
    assert!(said[1].contains("\r\n250-SIZE 100\r\n"), "{}", said[1]);
    let codes: Vec<String> = said[2..].iter().map(|said| codes(said)).collect();
    assert_eq!(codes, ["552", "250", "250", "354", "552"]);
}

#[test]
fn a_transcript_of_a_correct_session_is_clean() {
    for (protocol, hello, message) in
        [(Protocol::Smtp, EHLO, "250"), (Protocol::Lmtp, "LHLO me.example", "250 250")]
    {
        let server = Server::start(Options { protocol, ..Options::default() });
        let lines = [
            hello,
            MAIL,
            RCPT,
            RCPT,
            "DATA",
            MESSAGE,
            MAIL,
            RCPT,
            "BDAT 3\r\na",
            "BDAT 3 LAST\r\nb",
            "RSET",
            "QUIT",
        ];
        assert_eq!(server.codes(&lines)[6], message);
        let text = server.transcript(1);
        let dialogues = transcript::read("session", protocol, &text).expect("it is a transcript");
        assert_eq!(dialogues.len(), 1);
        assert_eq!(findings(&dialogues), [""; 0], "{text}");
        for line in [
            "#: connected",
            "C: Subject: x",
            "C: .",
            "S: 354 End with a dot on a line of its own",
            "#: closed by server",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}: {text}");
        }
        assert!(text.lines().any(|line| line.starts_with("#: 0.") && line.ends_with(" s")), "{text}");
    }
}

#[test]
fn a_transcript_has_no_credentials() {
    let server = Server::with(&[]);
    // alice and secret, as PLAIN, LOGIN and CRAM-MD5 send them, and once without waiting for a challenge.
    let plain = "AGFsaWNlAHNlY3JldA==";
    let cram = "YWxpY2UgMjIyMjM3NTdhNGY4YjkwMzJmNWI1MWY0NDY3MzVmNzM=";
    server.say(&[EHLO, &format!("AUTH PLAIN {plain}"), "QUIT"]);
    server.say(&[EHLO, "AUTH PLAIN", plain, "QUIT"]);
    server.say(&[EHLO, "AUTH LOGIN", "YWxpY2U=", "c2VjcmV0", "QUIT"]);
    server.say(&[EHLO, "AUTH CRAM-MD5", cram, "QUIT"]);
    server.say(&[EHLO, "AUTH NONE\r\nYWxpY2U=\r\nc2VjcmV0", "QUIT"]);
    let text = server.transcript(5);
    for secret in [plain, cram, "c2VjcmV0", "YWxpY2U=", "secret"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("\nC: AUTH PLAIN xxxxxxxxxxxxxxxxxx==\n"), "{text}");
    assert_eq!(text.matches("\nS: 235 2.7.0 Logged in\n").count(), 4, "{text}");
    let dialogues = transcript::read("session", Protocol::Smtp, &text).expect("it is a transcript");
    assert_eq!(findings(&dialogues), [""; 0], "{text}");
}

#[test]
fn a_transcript_shows_what_a_client_should_not_send() {
    let server = Server::with(&["data=250", "starttls=stall"]);
    server.say(&[EHLO, MAIL, RCPT, "DATA", "Subject: x", "STARTTLS", "more"]);
    let text = server.transcript(1);
    for line in [
        "S: 250 2.0.0 Chosen by --reply",
        "C: Subject: x",
        "#: the client sent 6 more octets, which were not read",
        "#: closed by client",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
}

/// Returns the rules that are broken, but for notes.
fn findings(dialogues: &[Dialogue]) -> Vec<&'static str> {
    let findings = judge(dialogues, &Reference::knowledge(), Strictness::default()).findings;
    let serious = findings.iter().filter(|finding| finding.level > Level::Note);
    serious.map(|finding| finding.rule.rule().id).collect()
}

#[test]
fn without_auth_a_submission_server_demands_no_login() {
    let withheld = Withheld::read(["AUTH"]).expect("the server knows the keyword");
    let server = Server::start(Options { withheld, protocol: Protocol::Submission, ..Options::default() });
    assert_eq!(server.codes(&[EHLO, MAIL, "AUTH PLAIN"]), ["220", "250", "250", "500"]);
}

/// RFC 3207 §4.2: what comes in clear together with 220 must not be read under TLS. The reference client does not.
#[test]
fn replies_can_be_injected_before_tls_and_are_recorded() {
    let script = ["starttls=220 Ready\\r\\n250 Injected", "rcpt=250"];
    let server = Server::with(&script);
    let address = server.reference.address().to_string();
    let sent = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .args([
            "send",
            "--tls",
            "--insecure",
            "--server",
            &address,
            "--from",
            "bob@example.net",
            "--to",
            "alice@example.org",
        ])
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(sent.status.code(), Some(0), "{}", String::from_utf8_lossy(&sent.stderr));
    let text = server.transcript(1);
    let said: Vec<&str> = text.lines().filter(|line| !line.ends_with(" s")).collect();
    let starttls = said.iter().position(|line| *line == "C: STARTTLS").expect("it was sent");
    assert_eq!(said[starttls + 1..starttls + 4], ["S: 220 Ready", "S: 250 Injected", "#: tls"]);
    assert!(said[starttls + 4].starts_with("C: EHLO "), "{text}");
    assert!(said[starttls..].contains(&"C: QUIT"), "{text}");
}

#[test]
fn a_signal_ends_the_server_with_the_transcript_of_what_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("session.txt");
    let mut server = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .args(["serve", "--port", "0", "--transcript"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = [0; 64];
    let length = server.stdout.as_mut().expect("a pipe").read(&mut said).expect("it says where it listens");
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    let address = said.trim().strip_prefix("listening on ").expect("an address");
    let mut client = TcpStream::connect(address).expect("it takes connections");
    reply(&mut client);
    client.write_all(b"NOOP\r\n").expect("the server reads");
    reply(&mut client);
    let id = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    assert_eq!(server.wait().expect("it ends").code(), Some(130));
    let text = std::fs::read_to_string(&file).expect("the transcript");
    let said: Vec<&str> = text.lines().filter(|line| !line.starts_with("#: ")).collect();
    let noop = said.iter().position(|line| *line == "C: NOOP").expect("it was sent");
    assert!(said[noop + 1].starts_with("S: 250 "), "{text}");
}
