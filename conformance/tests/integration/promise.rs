//! Checks what SECURITY.md, README.md and `--help` promise about a default run, with a server that accepts everything
//! and notes every act.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const USER: &str = "gwendolyn";
const PASSWORD: &str = "S3cr3t-Pa55w0rd";

/// Every extension that a case needs.
const OFFERS: [&str; 23] = [
    "PIPELINING",
    "SIZE 1000000",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "CHUNKING",
    "BINARYMIME",
    "ENHANCEDSTATUSCODES",
    "AUTH PLAIN LOGIN CRAM-MD5",
    "ETRN",
    "ATRN",
    "VRFY",
    "EXPN",
    "HELP",
    "DELIVERBY",
    "MT-PRIORITY",
    "RRVS",
    "CONPERM",
    "CONNEG",
    "CHECKPOINT",
    "NO-SOLICITING",
    "SUBMITTER",
    "FUTURERELEASE 1 2",
];

/// Something that the client did.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// A command line, including CR LF.
    Line(Vec<u8>),
    /// A line in an AUTH exchange.
    Response(Vec<u8>),
    /// A line of a message, or a chunk.
    Content(Vec<u8>),
    /// The end of a message, with the number of its recipients.
    Completed(usize),
}

/// A server that accepts everything, or every recipient but unknown ones.
#[derive(Clone, Copy, Debug)]
struct Server {
    starttls: bool,
    refuses_unknown: bool,
}

impl Server {
    /// Returns the port, and the acts of each connection.
    fn start(self) -> (u16, Arc<Mutex<Vec<Vec<Act>>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acts = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&acts);
        thread::spawn(move || {
            for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let noted = Arc::clone(&noted);
                noted.lock().expect("no panic").push(Vec::new());
                let note = move |act| noted.lock().expect("no panic")[number].push(act);
                thread::spawn(move || self.serve(client, note));
            }
        });
        (port, acts)
    }

    fn serve(self, mut client: TcpStream, note: impl Fn(Act)) -> io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut from = BufReader::new(client.try_clone()?);
        let line = |from: &mut BufReader<TcpStream>| {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line).map(|_| line)
        };
        client.write_all(b"220 mx.example.test ESMTP\r\n")?;
        let mut recipients = 0;
        loop {
            let command = line(&mut from)?;
            if command.is_empty() {
                return Ok(());
            }
            note(Act::Line(command.clone()));
            let text = String::from_utf8_lossy(&command).to_uppercase();
            let mut words = text.split_ascii_whitespace();
            let answer = match words.next().unwrap_or_default() {
                "EHLO" | "LHLO" => self.offers(),
                // So that a case goes on with the next malformed line.
                "MAIL" | "RCPT" if !is_well_formed(&command) => "501 5.5.4 Malformed\r\n".to_owned(),
                "MAIL" | "RSET" => {
                    recipients = 0;
                    "250 2.1.0 Ok\r\n".to_owned()
                }
                "RCPT" if self.refuses_unknown && text.contains("NOSUCH@") => "550 5.1.1 No\r\n".to_owned(),
                "RCPT" => {
                    recipients += 1;
                    "250 2.1.5 Ok\r\n".to_owned()
                }
                "DATA" => {
                    client.write_all(b"354 Go ahead\r\n")?;
                    loop {
                        let content = line(&mut from)?;
                        if content.is_empty() {
                            return Ok(());
                        }
                        note(Act::Content(content.clone()));
                        if content == b".\r\n" {
                            break;
                        }
                    }
                    note(Act::Completed(recipients));
                    match recipients {
                        0 => "554 5.5.1 Nobody to deliver to\r\n".to_owned(),
                        _ => "250 2.0.0 Queued\r\n".to_owned(),
                    }
                }
                "BDAT" => {
                    let length = words.next().and_then(|length| length.parse().ok()).unwrap_or_default();
                    let mut chunk = vec![0; length];
                    from.read_exact(&mut chunk)?;
                    note(Act::Content(chunk));
                    if words.next() == Some("LAST") {
                        note(Act::Completed(recipients));
                    }
                    "250 2.0.0 Ok\r\n".to_owned()
                }
                "AUTH" if words.clone().count() == 1 => {
                    client.write_all(b"334 \r\n")?;
                    note(Act::Response(line(&mut from)?));
                    "501 5.7.0 Cancelled\r\n".to_owned()
                }
                "AUTH" => "235 2.7.0 Welcome\r\n".to_owned(),
                "STARTTLS" if text.trim_end() == "STARTTLS" && self.starttls => {
                    // It closes instead of beginning TLS, so that everything that follows is readable.
                    return client.write_all(b"220 2.0.0 Go ahead\r\n");
                }
                "QUIT" => return client.write_all(b"221 2.0.0 Bye\r\n"),
                _ => "250 2.0.0 Ok\r\n".to_owned(),
            };
            client.write_all(answer.as_bytes())?;
        }
    }

    fn offers(self) -> String {
        let mut lines = vec!["mx.example.test"];
        lines.extend(OFFERS);
        lines.extend(self.starttls.then_some("STARTTLS"));
        let (last, others) = lines.split_last().expect("there are some");
        let others: String = others.iter().map(|line| format!("250-{line}\r\n")).collect();
        format!("{others}250 {last}\r\n")
    }
}

/// Returns every act of a default run as the server sees it, by connection.
fn default_run(server: Server, scheme: &str) -> Vec<Vec<Act>> {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, acts) = server.start();
    let target = format!(
        "url = \"{scheme}://127.0.0.1:{port}\"\n\
         [known]\nvalid = \"alice@example.test\"\nunknown = \"nosuch@example.test\"\n\
         foreign = \"someone@elsewhere.test\"\nforwarded = \"carol@example.test\"\nfull = \"dave@example.test\"\n\
         [credentials]\nuser = \"{USER}\"\npassword-env = \"PROMISE_PASSWORD\"\ncleartext = true\n"
    );
    fs::write(folder.path().join("target.toml"), target).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .current_dir(folder.path())
        .env("PROMISE_PASSWORD", PASSWORD)
        .args(["run", "target.toml", "--timeout", "2"])
        .output()
        .expect("the program can be run");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let acts = acts.lock().expect("no panic").clone();
    let count: usize = acts.iter().map(Vec::len).sum();
    assert!(count > 200, "{count} acts");
    acts
}

#[test]
fn a_default_run_keeps_its_promises() {
    let mut runs = Vec::new();
    for (starttls, refuses_unknown) in [(false, false), (false, true), (true, false), (true, true)] {
        for scheme in ["smtp", "submission", "lmtp"] {
            let server = Server { starttls, refuses_unknown };
            runs.push((server, thread::spawn(move || default_run(server, scheme))));
        }
    }
    let mut malformed = BTreeSet::new();
    for (server, run) in runs {
        for acts in run.join().expect("the run is as it should be") {
            check(server, &acts, &mut malformed);
        }
    }
    // The response AAA=BBB is listed as well.
    malformed.insert("AAA=BBB\\r\\n".to_owned());
    // REQUIRETLS is listed only under TLS, which this server has not.
    malformed.insert("MAIL FROM:<sender@example.org> REQUIRETLS=1\\r\\n".to_owned());
    // "These are all of them"
    assert_eq!(malformed, listed(), "SECURITY.md lists other lines");
}

/// Checks each act of a connection against the promises, and collects the malformed lines.
fn check(server: Server, acts: &[Act], malformed: &mut BTreeSet<String>) {
    for (place, act) in acts.iter().enumerate() {
        match act {
            // "It completes a message only after the server has refused every recipient, and that message is empty."
            Act::Completed(recipients) => {
                assert_eq!(*recipients, 0, "a message was delivered");
                assert!(server.refuses_unknown, "a message was completed, and no recipient was refused");
                assert_eq!(acts.get(place - 1), Some(&Act::Content(b".\r\n".to_vec())));
            }
            Act::Content(octets) => assert!(octets.len() < 100, "{} octets", octets.len()),
            // "AUTH, which is begun and cancelled"
            Act::Response(line) => {
                assert!([&b"*\r\n"[..], b"AAA=BBB\r\n"].contains(&line.as_slice()), "{line:?}");
            }
            Act::Line(line) => {
                // "No line is longer than 513 octets."
                assert!(line.len() <= 513, "{} octets", line.len());
                if !is_well_formed(line) {
                    malformed.insert(line.escape_ascii().to_string());
                }
            }
        }
        // "sends no user name or password"
        let sent = format!("{act:?}").to_ascii_lowercase();
        for secret in [USER, PASSWORD, "Z3dlbmRvbHlu", "UzNjcjN0LVBhNTV3MHJk"] {
            assert!(!sent.contains(&secret.to_ascii_lowercase()), "{act:?}");
        }
    }
}

/// Returns the malformed lines that SECURITY.md lists.
fn listed() -> BTreeSet<String> {
    let text = include_str!("../../../SECURITY.md");
    let block = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let fill = |line: &str| {
        let mut line =
            line.replace("{sender}", "sender@example.org").replace("{valid}", "alice@example.test");
        line = line.replace("{domain}", "example.test");
        while let Some((before, rest)) = line.split_once("{pad:") {
            let (count, after) = rest.split_once('}').expect("a closing brace");
            line = format!("{before}{}{after}", "x".repeat(count.parse().expect("a number")));
        }
        let has_end = line.ends_with("\\n") || line.ends_with("\\r");
        if has_end { line } else { line.replace("\\x20", " ") + "\\r\\n" }
    };
    block.lines().map(fill).collect()
}

#[test]
fn every_document_makes_the_same_promise() {
    let promise = "By default a run delivers nothing and sends no user name or password. It completes a message only \
                   after the server has refused every recipient, and that message is empty. No line is longer than 513 \
                   octets. Some lines are malformed on purpose: an empty line, lines that end in CR or LF alone, \
                   arguments that are missing, superfluous or misspelled, and addresses that are invalid, too \
                   long or not ASCII.";
    let help = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .current_dir(Path::new("/"))
        .args(["run", "--help"])
        .output()
        .expect("the program can be run");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    for (name, text) in [
        ("README.md", include_str!("../../../README.md")),
        ("SECURITY.md", include_str!("../../../SECURITY.md")),
        ("run --help", help.as_str()),
    ] {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        assert!(words.join(" ").contains(promise), "{name} does not contain the promise");
    }
}

/// Returns whether a line is a valid command of SMTP or of an extension that the server offers.
fn is_well_formed(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(b"\r\n").filter(|line| line.len() <= 510) else { return false };
    let Ok(line) = str::from_utf8(line) else { return false };
    // VRFY needs no parameter if EHLO lists SMTPUTF8 (RFC 6531 §3.7.4.2).
    let allows_utf8 = line.to_uppercase().ends_with(" SMTPUTF8") || line.starts_with("VRFY ");
    if !allows_utf8 && !line.bytes().all(|octet| (b' '..=b'~').contains(&octet)) {
        return false;
    }
    let (verb, argument) = line.split_once(' ').map_or((line, None), |(verb, rest)| (verb, Some(rest)));
    let words: Vec<&str> = argument.map(|argument| argument.split(' ').collect()).unwrap_or_default();
    if words.iter().any(|word| word.is_empty()) && !line.contains('"') {
        return false;
    }
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "LHLO" => matches!(words[..], [name] if is_domain(name) || is_literal(name)),
        "HELO" => matches!(words[..], [name] if is_domain(name)),
        "DATA" | "RSET" | "QUIT" | "STARTTLS" | "TURN" => words.is_empty(),
        "MAIL" | "SEND" | "SOML" | "SAML" => argument.is_some_and(|text| is_envelope(text, "FROM:")),
        "RCPT" => argument.is_some_and(|text| is_envelope(text, "TO:")),
        "VRFY" | "EXPN" | "ETRN" | "ATRN" => !words.is_empty(),
        "BDAT" => match words[..] {
            [length] | [length, "LAST"] => length.parse::<u32>().is_ok(),
            _ => false,
        },
        "AUTH" => match words[..] {
            [_] => true,
            [_, initial] => initial == "=" || initial.len() % 4 == 0 && initial.bytes().all(is_base64),
            _ => false,
        },
        // NOOP, HELP and unknown commands.
        verb => !verb.is_empty() && verb.bytes().all(|octet| octet.is_ascii_alphabetic()),
    }
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"+/=".contains(&octet)
}

/// Returns whether a text has the form `FROM:<path> KEY=value` of RFC 5321 §4.1.2, within the lengths of §4.5.3.1.
fn is_envelope(text: &str, keyword: &str) -> bool {
    let Some((begin, rest)) = text.split_at_checked(keyword.len()) else { return false };
    if !begin.eq_ignore_ascii_case(keyword) {
        return false;
    }
    let Some((path, parameters)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return false;
    };
    let is_null = path.is_empty() && keyword == "FROM:";
    let is_postmaster = path.eq_ignore_ascii_case("postmaster") && keyword == "TO:";
    // A source route and a colon may come before the mailbox.
    let mailbox =
        path.strip_prefix('@').and_then(|route| route.split_once(':')).map_or(path, |(_, mailbox)| mailbox);
    let is_mailbox = mailbox.rsplit_once('@').is_some_and(|(local, domain)| {
        let is_dotted = local.split('.').all(|atom| !atom.is_empty() && !atom.contains(['@', ' ', '"']));
        let is_quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
        (is_dotted || is_quoted) && local.len() <= 64 && (is_domain(domain) || is_literal(domain))
    });
    let mut seen = BTreeSet::new();
    let mut parameters = parameters.split(' ');
    let is_apart = parameters.next() == Some("");
    let are_good = parameters.all(|parameter| {
        let (key, value) =
            parameter.split_once('=').map_or((parameter, None), |(key, value)| (key, Some(value)));
        seen.insert(key.to_owned()) && is_parameter(key, value)
    });
    (is_null || is_postmaster || is_mailbox) && path.len() + 2 <= 256 && is_apart && are_good
}

/// Returns whether the RFC of the extension allows a parameter and its value.
fn is_parameter(key: &str, value: Option<&str>) -> bool {
    let is_number =
        |value: &str| (1..=20).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
    match (key, value) {
        ("SIZE", Some(value)) => is_number(value),
        ("BODY", Some(value)) => ["7BIT", "8BITMIME", "BINARYMIME"].contains(&value),
        ("RET", Some(value)) => ["FULL", "HDRS"].contains(&value),
        ("NOTIFY", Some(value)) => value == "NEVER" || !value.split(',').any(|word| word == "NEVER"),
        ("MT-PRIORITY", Some(value)) => value.parse().is_ok_and(|number: i32| (-9..=9).contains(&number)),
        ("RRVS", value) => value.is_some_and(is_time),
        ("SOLICIT", value) => value.is_some_and(|value| value.split(',').all(|class| class.contains(':'))),
        ("SMTPUTF8" | "CONPERM" | "CONNEG" | "REQUIRETLS", value) => value.is_none(),
        (_, Some("")) => false,
        (key, _) => {
            !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        }
    }
}

/// Returns whether a text is a date and time of RFC 7293 §3.1, perhaps with an action.
fn is_time(text: &str) -> bool {
    let time = text.split_once(';').map_or(text, |(time, _)| time);
    let has_action = text.len() == time.len() || [";C", ";R"].contains(&&text[time.len()..]);
    let has_zone = time.ends_with('Z') || time.get(19..).is_some_and(|zone| zone.starts_with(['+', '-']));
    has_action && has_zone && time.contains('T') && !time.contains('.')
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 255 && name.split('.').all(is_label)
}

fn is_literal(name: &str) -> bool {
    name.len() > 2 && name.starts_with('[') && name.ends_with(']')
}
