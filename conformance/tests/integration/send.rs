//! The reference client: what it sends to the reference server, what it reports, and what its faults change.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use smtp_conformance::protocol::Protocol;
use smtp_conformance::reference::{self, SIZE, Script, Withheld};
use smtp_conformance::sender::faults;

use super::serve::Server;

const MESSAGE: &str = "Subject: x\n\n.hidden\nlast\n";
const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.net";
/// Another mailbox of the server.
const POSTMASTER: &str = "postmaster@example.org";
const TLS: &[&str] = &["--tls", "--insecure"];
const LOGIN: &[&str] = &["--user", "alice", "--password", "secret"];

/// A server, and what is sent to it.
#[derive(Clone, Copy)]
struct Setup<'a> {
    /// The choices of `serve --reply`.
    replies: &'a [&'a str],
    /// The keyword that the server does not offer.
    without: &'a str,
    size: u64,
    to: &'a [&'a str],
    message: &'a str,
    options: &'a [&'a str],
}

const BASE: Setup<'_> =
    Setup { replies: &[], without: "", size: SIZE, to: &[ALICE], message: MESSAGE, options: &[] };

/// What the client reported, and what the server saw.
struct Seen {
    status: Option<i32>,
    report: String,
    transcript: String,
}

impl Setup<'_> {
    fn server(&self) -> Server {
        let script = Script::read(self.replies.iter().copied()).expect("the choices are well-formed");
        let keyword = Some(self.without).filter(|keyword| !keyword.is_empty());
        let protocol = if self.options.contains(&"--lmtp") { Protocol::Lmtp } else { Protocol::Smtp };
        Server::start(reference::Options {
            script,
            protocol,
            withheld: Withheld::read(keyword).expect("the server knows the keyword"),
            size: self.size,
            ..reference::Options::default()
        })
    }

    fn command(&self, server: &Server) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
        command.args(["send", "--server", &server.address().to_string(), "--from", BOB]);
        for recipient in self.to {
            command.args(["--to", recipient]);
        }
        command.args(self.options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Sends the message with one connection, with a fault or with none.
    fn send(&self, fault: Option<&str>) -> Seen {
        let server = self.server();
        let mut command = self.command(&server);
        if let Some(fault) = fault {
            command.args(["--fault", fault]);
        }
        let output = finish(&mut command, self.message);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{:?}", self.options);
        Seen {
            status: output.status.code(),
            report: String::from_utf8(output.stdout).expect("UTF-8"),
            transcript: server.transcript(1),
        }
    }
}

fn finish(command: &mut Command, message: &str) -> Output {
    let mut child = command.spawn().expect("the program can be run");
    // A client that refuses the message locally may be gone.
    let _ = child.stdin.take().expect("a pipe").write_all(message.as_bytes());
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_message_is_sent() {
    let seen = Setup { to: &[ALICE, POSTMASTER], ..BASE }.send(None);
    assert_eq!(seen.status, Some(0));
    assert_eq!(
        seen.report,
        "alice@example.org: accepted: 250 2.0.0 Message accepted\n\
         postmaster@example.org: accepted: 250 2.0.0 Message accepted\n"
    );
    let sent: Vec<&str> = seen.transcript.lines().filter(|line| line.starts_with("C: ")).collect();
    assert_eq!(
        sent,
        [
            "C: EHLO [127.0.0.1]",
            "C: MAIL FROM:<bob@example.net> SIZE=29",
            "C: RCPT TO:<alice@example.org>",
            "C: RCPT TO:<postmaster@example.org>",
            "C: DATA",
            "C: Subject: x",
            "C: ",
            "C: ..hidden",
            "C: last",
            "C: .",
            "C: QUIT",
        ]
    );
}

#[test]
fn the_message_comes_from_a_file_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mail.eml");
    fs::write(&file, MESSAGE.replace('\n', "\r\n")).expect("a file");
    let server = BASE.server();
    let output = BASE.command(&server).arg("--message").arg(&file).output().expect("the program can be run");
    assert_eq!(output.status.code(), Some(0));
    assert!(server.transcript(1).contains("\nC: ..hidden\n"));
    let output = BASE.command(&server).args(["--message", "no-such-file"]).output().expect("it can be run");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("smtp-conformance: no-such-file: "));
}

#[test]
fn the_exit_status_follows_from_the_replies() {
    let both: &[&str] = &[ALICE, POSTMASTER];
    for (replies, to, status) in [
        (&["greeting=554"][..], &[ALICE][..], 69),
        (&["greeting=421"], &[ALICE], 75),
        (&[r"greeting=220-mx\r\n220 mx"], &[ALICE], 0),
        (&["ehlo=500"], &[ALICE], 0),
        (&["ehlo=502"], &[ALICE], 0),
        (&["ehlo=500", "helo=550"], &[ALICE], 69),
        (&["ehlo=550"], &[ALICE], 69),
        (&["ehlo=451"], &[ALICE], 75),
        (&["mail=550"], &[ALICE], 69),
        (&["mail=451"], &[ALICE], 75),
        (&["mail=354"], &[ALICE], 75),
        (&["mail=299"], &[ALICE], 0),
        (&["rcpt=252"], &[ALICE], 0),
        (&["rcpt=458"], &[ALICE], 75),
        (&["rcpt=577"], &[ALICE], 69),
        (&["rcpt=650"], &[ALICE], 75),
        (&["rcpt[2]=421"], both, 75),
        (&["rcpt[1]=550", "rcpt[2]=450"], both, 75),
        (&["rcpt[2]=550"], both, 70),
        (&["rcpt[2]=450"], both, 71),
        (&["rcpt[2+]=452"], both, 71),
        (&["rcpt[2]=552 5.2.2 Mailbox full"], both, 70),
        (&["data=250"], &[ALICE], 75),
        (&["data=451"], &[ALICE], 75),
        (&["data=554"], &[ALICE], 69),
        (&["eod=299"], &[ALICE], 0),
        (&["eod=354"], &[ALICE], 75),
        (&["eod=450 5.1.1 No"], &[ALICE], 75),
        (&["eod=554"], &[ALICE], 69),
        (&[r"eod=250-a\r\n550 b"], &[ALICE], 75),
        (&[r"eod=\x48ello"], &[ALICE], 75),
        (&["eod=endless-lines"], &[ALICE], 75),
        (&["eod=endless-text"], &[ALICE], 75),
        (&["mail=drop"], &[ALICE], 75),
        (&["rcpt[2]=drop"], both, 75),
        (&["data=drop"], &[ALICE], 75),
        (&["eod=drop"], &[ALICE], 75),
        (&["eod=cut"], &[ALICE], 75),
        (&["eod=close"], &[ALICE], 0),
        (&["quit=drop"], &[ALICE], 0),
        (&["quit=500"], &[ALICE], 0),
        (&["all=no-text"], both, 0),
        (&["all=multi-line"], both, 0),
        (&["all=octets"], both, 0),
        (&["rcpt=250 {pad:3000}"], both, 0),
    ] {
        let seen = Setup { replies, to, ..BASE }.send(None);
        assert_eq!(seen.status, Some(status), "{replies:?}: {}\n{}", seen.report, seen.transcript);
    }
}

#[test]
fn a_silent_server_is_given_up() {
    for replies in
        [&["greeting=stall"], &["mail=stall"], &["eod=stall"], &["eod=stall-within"], &["eod=slow"]]
    {
        let start = Instant::now();
        let seen = Setup { replies, options: &["--timeout", "1"], ..BASE }.send(None);
        assert_eq!(seen.status, Some(75), "{replies:?}");
        assert!(start.elapsed() < Duration::from_secs(6), "{replies:?}: {:?}", start.elapsed());
        assert!(seen.report.ends_with("the server did not answer in time\n"), "{}", seen.report);
    }
    let seen = Setup { replies: &["quit=stall"], options: &["--timeout", "1"], ..BASE }.send(None);
    assert_eq!(seen.status, Some(0));
}

/// A server may refuse a message before it has read all of it, and close.
#[test]
fn an_early_refusal_counts() {
    let message = "x\n".repeat(8 << 20);
    for (last, status) in [("552 5.3.4 Too large\r\n", 69), ("250 2.0.0 Ok\r\n", 75), ("", 75)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            for reply in ["220 mx", "250 mx", "250 Ok", "250 Ok", "354 Go ahead"] {
                stream.write_all(format!("{reply}\r\n").as_bytes()).expect("the client reads");
                let mut octets = [0; 1000];
                assert!(stream.read(&mut octets).expect("the client sends") > 0);
            }
            stream.write_all(last.as_bytes()).expect("the client is there");
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
        command.args(["send", "--server", &address, "--from", BOB, "--to", ALICE]);
        let output = finish(command.stdin(Stdio::piped()).stdout(Stdio::piped()), &message);
        server.join().expect("the server ends");
        assert_eq!(output.status.code(), Some(status), "{last}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn quit_ends_every_session_that_is_alive() {
    for choice in ["greeting=554", "ehlo=550", "mail=451", "rcpt=550", "data=554", "eod=650", "starttls=454"]
    {
        let options = if choice.starts_with("starttls") { TLS } else { &[] };
        let seen = Setup { replies: &[choice], options, ..BASE }.send(None);
        assert!(seen.transcript.contains("\nC: QUIT\n"), "{choice}: {}", seen.transcript);
    }
}

#[test]
fn recipients_that_are_too_many_are_sent_another_transaction() {
    let to: &[&str] = &[ALICE, POSTMASTER];
    for reply in ["rcpt[2]=452 4.5.3 Too many recipients", "rcpt[2]=552 5.5.3 Too many recipients"] {
        for without in ["", "PIPELINING"] {
            let seen = Setup { replies: &[reply], without, to, ..BASE }.send(None);
            assert_eq!(seen.status, Some(0), "{reply} {without}: {}", seen.report);
            assert_eq!(seen.transcript.matches("\nC: MAIL ").count(), 2, "{}", seen.transcript);
            assert_eq!(seen.transcript.matches("\nC: RCPT TO:<alice").count(), 1, "{}", seen.transcript);
        }
    }
    let seen = Setup { replies: &["rcpt=452"], to, ..BASE }.send(None);
    assert_eq!((seen.status, seen.transcript.matches("\nC: MAIL ").count()), (Some(75), 1));
}

#[test]
fn many_recipients_are_sent_in_groups() {
    let recipients: Vec<String> = (0..250).map(|number| format!("r{number}@example.org")).collect();
    let to: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let seen = Setup { replies: &["rcpt=250", "rcpt[150]=550"], to: &to, ..BASE }.send(None);
    assert_eq!(seen.status, Some(70));
    let refused: Vec<&str> = seen.report.lines().filter(|line| !line.contains(": accepted: ")).collect();
    assert_eq!(refused, ["r149@example.org: permanent failure: RCPT: 550 5.0.0 Chosen by --reply"]);
}

#[test]
fn a_message_for_nobody_is_a_lone_dot() {
    let seen = Setup { replies: &["rcpt=550", "data=354"], ..BASE }.send(None);
    assert_eq!(seen.status, Some(69));
    assert!(
        seen.transcript.contains("\nC: .\n") && !seen.transcript.contains("Subject"),
        "{}",
        seen.transcript
    );
    let seen = Setup { replies: &["rcpt=550"], without: "PIPELINING", ..BASE }.send(None);
    assert_eq!(seen.status, Some(69));
    assert!(!seen.transcript.contains("C: DATA"), "{}", seen.transcript);
}

/// The server waits for the message when the client sees a reply that ends the session.
#[test]
fn a_pipelined_transaction_is_abandoned() {
    for (replies, accepted, last) in [
        (&["rcpt=650"][..], 0, "QUIT"),
        (&["rcpt[1]=650"], 1, "DATA"),
        (&["mail=650", "rcpt=550", "data=354"], 0, "QUIT"),
    ] {
        let seen = Setup { replies, to: &[ALICE, POSTMASTER], ..BASE }.send(None);
        assert_eq!(seen.status, Some(75), "{replies:?}: {}", seen.report);
        let sent: Vec<&str> = seen.transcript.lines().filter_map(|line| line.strip_prefix("C: ")).collect();
        assert_eq!(sent.last(), Some(&last), "{replies:?}: {}", seen.transcript);
        assert_eq!(
            sent.contains(&"."),
            accepted == 0 && seen.transcript.contains("S: 354"),
            "{}",
            seen.transcript
        );
    }
}

#[test]
fn what_a_server_does_not_take_is_refused_here() {
    let eight_bit = "Subject: x\n\n\u{fc}\n";
    let header = "Subject: \u{fc}\n\nx\n";
    let wrong = "a@example.org>\r\nRSET";
    let utf8 = "\u{fc}ser@example.org";
    for (setup, status, reason) in [
        (Setup { message: eight_bit, ..BASE }, 0, "accepted"),
        (Setup { message: eight_bit, without: "8BITMIME", ..BASE }, 69, "does not offer 8BITMIME"),
        (Setup { message: header, without: "SMTPUTF8", ..BASE }, 69, "does not offer SMTPUTF8"),
        (Setup { to: &[utf8], without: "SMTPUTF8", ..BASE }, 69, "does not offer SMTPUTF8"),
        (Setup { to: &[utf8, ALICE], without: "SMTPUTF8", ..BASE }, 70, "does not offer SMTPUTF8"),
        (Setup { to: &[utf8], replies: &["rcpt=250"], ..BASE }, 0, "accepted"),
        (Setup { size: 28, ..BASE }, 69, "the message has 29 octets, and the server takes 28"),
        (Setup { size: 29, ..BASE }, 0, "accepted"),
        (Setup { to: &[wrong, ALICE], ..BASE }, 70, "control character U+000D"),
    ] {
        let seen = setup.send(None);
        assert_eq!(seen.status, Some(status), "{}\n{}", seen.report, seen.transcript);
        assert!(seen.report.contains(reason), "{reason}: {}", seen.report);
        assert_eq!(seen.report.lines().count(), setup.to.len(), "{}", seen.report);
    }
    let seen = Setup { message: eight_bit, to: &[utf8], replies: &["rcpt=250"], ..BASE }.send(None);
    assert!(seen.transcript.contains(" BODY=8BITMIME SMTPUTF8\n"), "{}", seen.transcript);
}

#[test]
fn tls_is_demanded() {
    for (replies, without, status) in [
        (&[][..], "", 0),
        (&["starttls=454"], "", 75),
        (&["starttls=554"], "", 69),
        (&["starttls=250"], "", 75),
        (&[], "STARTTLS", 75),
        (&["ehlo=500"], "", 75),
    ] {
        let seen = Setup { replies, without, options: TLS, ..BASE }.send(None);
        assert_eq!(seen.status, Some(status), "{replies:?} {without}: {}", seen.report);
        assert_eq!(seen.transcript.contains("C: MAIL"), status == 0, "{}", seen.transcript);
        assert_eq!(seen.transcript.matches("C: EHLO").count(), if status == 0 { 2 } else { 1 });
    }
}

#[test]
fn certificates_are_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, pem: &str| {
        let file = folder.path().join(name);
        fs::write(&file, pem).expect("a file");
        file.into_os_string().into_string().expect("UTF-8")
    };
    let own = write("own.pem", &BASE.server().certificate());
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let other = write("other.pem", &other.cert.pem());
    let send = |file| Setup { options: &["--tls", "--ca", file], ..BASE }.send(None);
    assert_eq!(send(&own).status, Some(0));
    let refused = send(&other);
    assert_eq!(refused.status, Some(75));
    assert!(
        refused.report.contains("the TLS handshake failed: invalid peer certificate"),
        "{}",
        refused.report
    );
    let empty = write("empty.pem", "");
    let server = BASE.server();
    let output = finish(BASE.command(&server).args(["--tls", "--ca", &empty]), "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("empty.pem: the file has no certificate"));
}

#[test]
fn what_came_in_clear_does_not_count_under_tls() {
    let injected = r"starttls=220 Ready\r\n250 mx\r\n250 Ok\r\n250 Ok\r\n354 Go on\r\n250 Ok";
    let seen = Setup { replies: &[injected, "rcpt=550"], options: TLS, ..BASE }.send(None);
    assert_eq!(seen.status, Some(69), "{}", seen.report);
    let seen = Setup { replies: &[injected], options: TLS, ..BASE }.send(None);
    assert_eq!(seen.status, Some(0), "{}", seen.report);
}

#[test]
fn credentials_are_tried_once_with_each_mechanism() {
    let offer = |mechanisms: &str| format!(r"ehlo=250-mx\r\n250 AUTH {mechanisms}");
    for (mechanisms, reply, status, sent) in [
        ("CRAM-MD5 PLAIN LOGIN", "noop=250", 0, 1),
        ("PLAIN", "noop=250", 0, 1),
        ("LOGIN", "noop=250", 0, 1),
        ("GSSAPI", "noop=250", 75, 0),
        ("CRAM-MD5 PLAIN LOGIN", "auth=432", 75, 1),
        ("CRAM-MD5 PLAIN LOGIN", "auth=454", 75, 1),
        ("CRAM-MD5 PLAIN LOGIN", "auth=535", 69, 1),
        ("CRAM-MD5 PLAIN LOGIN", "auth-response=535", 69, 1),
        ("CRAM-MD5 PLAIN LOGIN", "auth=534", 69, 3),
        ("CRAM-MD5 PLAIN LOGIN", "auth[1]=534", 0, 2),
        ("LOGIN", "auth-response=334", 75, 1),
        ("CRAM-MD5", "auth=334 !", 75, 1),
    ] {
        let seen = Setup { replies: &[&offer(mechanisms), reply], options: LOGIN, ..BASE }.send(None);
        assert_eq!(seen.status, Some(status), "{mechanisms} {reply}: {}\n{}", seen.report, seen.transcript);
        assert_eq!(seen.transcript.matches("C: AUTH ").count(), sent, "{mechanisms} {reply}");
    }
    let both = [TLS, LOGIN].concat();
    for replies in [&[][..], &["starttls=454"]] {
        let seen = Setup { replies, options: &both, ..BASE }.send(None);
        assert_eq!(seen.status, Some(if replies.is_empty() { 0 } else { 75 }), "{}", seen.report);
        assert_eq!(seen.transcript.contains("C: AUTH"), replies.is_empty(), "{}", seen.transcript);
    }
}

#[test]
fn lmtp_has_a_reply_for_each_recipient() {
    for (replies, report) in [
        (&[][..], "accepted accepted"),
        (&["lmtp.eod[2]=550"], "accepted permanent"),
        (&["lmtp.eod[1]=450"], "temporary accepted"),
        (&["lmtp.rcpt[1]=550"], "permanent accepted"),
        (&["lmtp.eod[2]=drop"], "accepted temporary"),
        (&["lmtp.eod[1]=close"], "accepted temporary"),
        (&["lmtp.ehlo=500"], "permanent permanent"),
    ] {
        for (options, stage) in [(&["--lmtp"][..], "eod"), (&["--lmtp", "--bdat"], "bdat-last")] {
            let replies: Vec<String> = replies.iter().map(|reply| reply.replace("eod", stage)).collect();
            let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
            let seen = Setup { replies: &replies, to: &[ALICE, POSTMASTER], options, ..BASE }.send(None);
            let word = |line: &str| line.split(' ').nth(1).map(|word| word.trim_end_matches(':').to_owned());
            let words: Vec<String> = seen.report.lines().filter_map(word).collect();
            assert_eq!(words.join(" "), report, "{replies:?} {options:?}: {}", seen.transcript);
        }
    }
}

#[test]
fn chunks_are_sent_only_if_offered_and_none_after_a_refusal() {
    let options = &["--bdat"];
    let seen = Setup { options, ..BASE }.send(None);
    assert_eq!(seen.status, Some(0));
    assert!(seen.transcript.contains("\nC: BDAT 14\n") && seen.transcript.contains("\nC: BDAT 15 LAST\n"));
    let seen = Setup { options, without: "CHUNKING", ..BASE }.send(None);
    assert_eq!((seen.status, seen.transcript.contains("\nC: DATA\n")), (Some(0), true));
    for (reply, status, last) in
        [("bdat=554", 69, "RSET"), ("bdat=451", 75, "RSET"), ("bdat-last=554", 69, "BDAT 15 LAST")]
    {
        let seen = Setup { options, replies: &[reply], ..BASE }.send(None);
        assert_eq!(seen.status, Some(status), "{reply}: {}", seen.report);
        let verbs: Vec<&str> = seen.transcript.lines().filter_map(|line| line.strip_prefix("C: ")).collect();
        let before_quit =
            verbs.iter().rev().skip(1).find(|verb| verb.starts_with("RSET") || verb.contains("LAST"));
        assert_eq!(before_quit, Some(&last), "{reply}: {}", seen.transcript);
    }
}

#[test]
fn the_list_names_faults_and_rules() {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let output = Command::new(program).args(["send", "--list"]).output().expect("the program can be run");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("closes without QUIT [client-quits]"), "{text}");
    assert_eq!(text.lines().count(), faults().expect("they are well-formed").len());
}

/// How a fault shows.
enum Show<'a> {
    /// The client ends with the first status without the fault, and with the second with it.
    Status(i32, i32),
    /// Only with the fault it sends this.
    Sends(&'a str),
    /// Only with the fault it does not send this.
    Omits(&'a str),
    /// Only with the fault it sends this more than once.
    Repeats(&'a str),
}

#[test]
fn every_fault_shows() {
    let rows = fault_rows();
    for (fault, setup, show) in &rows {
        let (right, wrong) = (setup.send(None), setup.send(Some(fault)));
        let context =
            || format!("{fault}\n{}{}\n{}{}", right.report, right.transcript, wrong.report, wrong.transcript);
        let count = |seen: &Seen, text: &str| seen.transcript.matches(text).count();
        let sends = |text: &str| (count(&right, text), count(&wrong, text));
        match show {
            Show::Status(with, without) => {
                assert_eq!([right.status, wrong.status], [Some(*with), Some(*without)], "{}", context());
            }
            Show::Sends(text) => assert!(matches!(sends(text), (0, 1..)), "{}", context()),
            Show::Omits(text) => assert!(matches!(sends(text), (1.., 0)), "{}", context()),
            Show::Repeats(text) => assert!(matches!(sends(text), (1, 2..)), "{}", context()),
        }
    }
    let mut shown: Vec<&str> = rows.iter().map(|(fault, ..)| *fault).collect();
    // It never ends, and has a test of its own.
    shown.push("no-time-limit");
    shown.sort_unstable();
    let mut all: Vec<&str> =
        faults().expect("they are well-formed").iter().map(|fault| fault.name.as_str()).collect();
    all.sort_unstable();
    assert_eq!(shown, all);
}

#[test]
fn a_client_without_a_time_limit_waits() {
    let setup = Setup { replies: &["eod=stall"], options: &["--timeout", "1"], ..BASE };
    let server = setup.server();
    let mut child = setup.command(&server).args(["--fault", "no-time-limit"]).spawn().expect("it can be run");
    drop(child.stdin.take());
    thread::sleep(Duration::from_secs(3));
    assert_eq!(child.try_wait().expect("its status"), None);
    child.kill().expect("it is running");
    child.wait().expect("it was killed");
}

fn fault_rows() -> Vec<(&'static str, Setup<'static>, Show<'static>)> {
    use Show::{Omits, Repeats, Sends, Status};
    let replies = |replies: &'static [&'static str]| Setup { replies, ..BASE };
    let two = |replies: &'static [&'static str]| Setup { replies, to: &[ALICE, POSTMASTER], ..BASE };
    let tls = |replies: &'static [&'static str]| Setup { replies, options: TLS, ..BASE };
    let login = |replies: &'static [&'static str]| Setup { replies, options: LOGIN, ..BASE };
    let lmtp = |choices: &'static [&'static str]| Setup { options: &["--lmtp"], ..two(choices) };
    let without = |without: &'static str| Setup { without, ..BASE };
    let text = |message: &'static str| Setup { message, ..BASE };
    let many_lines: &'static str = format!("rcpt={}250 Ok", r"250-Ok\r\n".repeat(100)).leak();
    let injected = r"starttls=220 Ready\r\n250 mx\r\n250 Ok\r\n250 Ok\r\n354 Go on\r\n250 Ok";
    vec![
        ("needs-text", replies(&["all=no-text"]), Status(0, 75)),
        ("reads-one-line", replies(&["all=multi-line"]), Status(0, 75)),
        ("limits-line", replies(&["rcpt=250 {pad:400}"]), Status(0, 75)),
        ("limits-lines", replies(vec![many_lines].leak()), Status(0, 75)),
        ("packet-is-reply", replies(&["eod=octets"]), Status(0, 75)),
        ("needs-capitals", replies(&[r"ehlo=250-mx\r\n250 size 100"]), Omits(" SIZE=")),
        ("rare-success-is-failure", replies(&["eod=299"]), Status(0, 69)),
        ("enhanced-code-decides", replies(&["rcpt=450 5.1.1 Later"]), Status(75, 69)),
        ("other-digit-is-success", replies(&["eod=650"]), Status(75, 0)),
        ("intermediate-is-success", replies(&["eod=354"]), Status(75, 0)),
        ("temporary-is-permanent", replies(&["eod=451"]), Status(75, 69)),
        ("permanent-is-temporary", replies(&["eod=554"]), Status(69, 75)),
        (
            "speaks-first",
            Setup { options: &["--timeout", "1"], ..replies(&["greeting=stall"]) },
            Sends("#: the client sent 24 more octets"),
        ),
        ("ignores-greeting", replies(&["greeting=554"]), Sends("C: MAIL")),
        ("no-helo", replies(&["ehlo=500"]), Status(0, 69)),
        ("ignores-refused-hello", replies(&["ehlo=550"]), Sends("C: MAIL")),
        ("continues-in-clear", tls(&["starttls=454"]), Sends("C: MAIL")),
        ("repeats-starttls", tls(&["starttls=454", "starttls[4]=drop"]), Repeats("C: STARTTLS")),
        ("keeps-clear-text", tls(vec![injected, "rcpt=550"].leak()), Status(69, 0)),
        ("no-hello-under-tls", tls(&[]), Sends("S: 503 ")),
        (
            "logs-in-before-tls",
            Setup { options: [TLS, LOGIN].concat().leak(), ..replies(&["starttls=454"]) },
            Sends("C: AUTH"),
        ),
        ("repeats-login", login(&["auth-response=535", "auth[4]=drop"]), Repeats("C: AUTH")),
        ("temporary-login-is-permanent", login(&["auth=454"]), Status(75, 69)),
        (
            "unchecked-addresses",
            Setup { to: &["a@example.org>\r\nRSET\r\nNOOP <", ALICE], ..BASE },
            Sends("C: RSET"),
        ),
        ("sends-size-always", without("SIZE"), Sends(" SIZE=")),
        ("sends-body-always", without("8BITMIME"), Sends(" BODY=8BITMIME")),
        ("sends-eight-bit", Setup { without: "8BITMIME", ..text("\n\u{fc}\n") }, Sends("C: DATA")),
        ("sends-utf8", Setup { to: &["\u{fc}@example.org"], ..without("SMTPUTF8") }, Sends("C: RCPT")),
        ("pipelines-always", Setup { without: "PIPELINING", ..replies(&["mail=550"]) }, Sends("C: RCPT")),
        ("limit-is-permanent", replies(&["rcpt=452"]), Status(75, 69)),
        ("stops-at-recipient-limit", two(&["rcpt[2]=452"]), Status(0, 75)),
        ("old-limit-is-permanent", two(&["rcpt[2]=552 5.5.3 Too many recipients"]), Status(0, 69)),
        ("old-limit-refuses-recipient", two(&["rcpt[2]=552 5.5.3 Too many recipients"]), Status(0, 70)),
        ("partial-is-success", two(&["rcpt[2]=550"]), Status(70, 0)),
        ("pipelines-message", replies(&["data=554"]), Sends("C: Subject: x")),
        ("sends-data-after-success", replies(&["data=250"]), Sends("C: Subject: x")),
        ("sends-data-after-refusal", replies(&["data=554"]), Sends("C: Subject: x")),
        ("sends-data-to-nobody", replies(&["rcpt=550", "data=354"]), Sends("C: Subject: x")),
        ("keeps-dots", BASE, Sends("\nC: .hidden\n")),
        ("keeps-line-ends", text("a\rb"), Status(0, 69)),
        ("ignores-final-reply", replies(&["eod=554"]), Status(69, 0)),
        ("sends-chunks-always", Setup { options: &["--bdat"], ..without("CHUNKING") }, Sends("C: BDAT")),
        (
            "stuffs-chunks",
            Setup { options: &["--bdat"], ..text("Subject: A longer one\n\n.hidden\n") },
            Sends("\nC: ..hidden\n"),
        ),
        (
            "sends-after-refused-chunk",
            Setup { options: &["--bdat"], ..replies(&["bdat=554"]) },
            Sends(" LAST\n"),
        ),
        ("reads-one-lmtp-reply", lmtp(&["lmtp.eod[2]=550"]), Status(70, 0)),
        ("missing-reply-is-success", lmtp(&["lmtp.eod[2]=drop"]), Status(71, 0)),
        ("lost-connection-is-success", replies(&["data=drop"]), Status(75, 0)),
        ("lost-connection-is-permanent", replies(&["data=drop"]), Status(75, 69)),
        ("no-quit", BASE, Omits("C: QUIT")),
        ("needs-quit-reply", replies(&["quit=500"]), Status(0, 75)),
    ]
}
