//! When credentials are sent, and that no output ever shows the password.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;
use smtp_conformance::reference::{Options, Reference, Tls};
use smtp_conformance::{Address, Credentials};

/// What a server says: its greeting, the lines of its reply to EHLO, and the text of every other reply.
#[derive(Clone, Debug)]
struct Speech {
    greeting: String,
    offers: Vec<String>,
    text: String,
}

impl Speech {
    fn offering(offers: &[&str]) -> Speech {
        Speech {
            greeting: "mx.example.test ESMTP".to_owned(),
            offers: offers.iter().map(|offer| (*offer).to_owned()).collect(),
            text: "Ok".to_owned(),
        }
    }

    /// Serves on a free port. Returns the port and the lines that arrive.
    fn serve(self) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&lines);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (speech, noted) = (self.clone(), Arc::clone(&noted));
                thread::spawn(move || speech.answer(client, &noted));
            }
        });
        (port, lines)
    }

    fn answer(&self, mut client: TcpStream, noted: &Mutex<Vec<String>>) -> io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(client, "220 {}\r\n", self.greeting)?;
        let mut challenges = 0;
        for line in BufReader::new(client.try_clone()?).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
            noted.lock().expect("no panic").push(line.clone());
            let text = &self.text;
            if challenges > 0 {
                challenges -= 1;
                match challenges {
                    0 => write!(client, "535 5.7.8 {text} {line}\r\n")?,
                    _ => write!(client, "334 {}\r\n", STANDARD.encode("Password:"))?,
                }
                continue;
            }
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => {
                    write!(client, "250-mx.example.test\r\n")?;
                    for offer in &self.offers {
                        write!(client, "250-{offer}\r\n")?;
                    }
                    write!(client, "250 HELP\r\n")?;
                }
                "STAR" => write!(client, "454 4.7.0 TLS is not available\r\n")?,
                "AUTH" if line.split(' ').count() > 2 => write!(client, "535 5.7.8 {text} {line}\r\n")?,
                "AUTH" => {
                    challenges = 2;
                    write!(client, "334 {}\r\n", STANDARD.encode(text))?;
                }
                "QUIT" => return write!(client, "221 2.0.0 {text}\r\n"),
                _ => write!(client, "250-2.0.0 {text}\r\n250 {text}\r\n")?,
            }
        }
        Ok(())
    }
}

fn target(folder: &Path, url: &str, more: &str) {
    let text = format!(
        "url = \"{url}\"\n[known]\nvalid = \"alice@example.test\"\n\
         [credentials]\nuser = \"alice\"\npassword-file = \"password\"\n{more}\n"
    );
    fs::write(folder.join("target.toml"), text).expect("a file");
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    Command::new(program).current_dir(folder).args(arguments).output().expect("the program can be run")
}

const PASSWORD: &str = "S3cr3t-Pa55w0rd";

/// Returns how many lines contain the password.
fn sent(lines: &Mutex<Vec<String>>) -> usize {
    let plain = STANDARD.encode(format!("\0alice\0{PASSWORD}"));
    let alone = STANDARD.encode(PASSWORD);
    let lines = lines.lock().expect("no panic");
    lines.iter().filter(|line| line.contains(&plain) || line.contains(&alone)).count()
}

#[test]
fn clear_text_credentials_need_a_server_without_starttls_or_permission() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("password"), PASSWORD).expect("a file");
    let (with_tls, without) = (&["STARTTLS", "AUTH PLAIN LOGIN"][..], &["AUTH PLAIN LOGIN"][..]);
    let (verified, not_first) =
        ("with --verify-tls, credentials are sent only", "only under TLS to a server that offers STARTTLS");
    for (offers, more, options, reason) in [
        (without, "", &["--allow", "auth"][..], None),
        (without, "", &["--allow", "auth", "--verify-tls"], Some(verified)),
        (with_tls, "", &["--allow", "auth"], Some(not_first)),
        (with_tls, "", &["--allow", "auth", "--verify-tls"], Some(verified)),
        (with_tls, "cleartext = true", &["--allow", "auth"], None),
        (with_tls, "cleartext = true", &["--allow", "auth", "--verify-tls"], Some(verified)),
        (with_tls, "cleartext = false", &["--allow", "auth"], Some(not_first)),
        (without, "cleartext = true", &[], Some("--allow auth")),
    ] {
        let (port, lines) = Speech::offering(offers).serve();
        target(folder.path(), &format!("smtp://127.0.0.1:{port}"), more);
        let output = run(
            folder.path(),
            &[&["run", "target.toml", "--case", "auth-*", "--timeout", "1"], options].concat(),
        );
        let report = String::from_utf8(output.stdout).expect("UTF-8");
        if report.is_empty() && options.contains(&"--verify-tls") {
            // Without root certificates on this machine, no certificate can be verified.
            assert_eq!(sent(&lines), 0);
            continue;
        }
        assert_eq!(sent(&lines) == 0, reason.is_some(), "{offers:?}, {more}, {options:?}: {}", sent(&lines));
        if let Some(reason) = reason {
            let line = report
                .lines()
                .find(|line| line.starts_with("skipped") && line.contains("auth-right-password"));
            let line = line
                .or_else(|| report.lines().find(|line| line.starts_with("skipped") && line.contains(reason)));
            assert!(
                line.is_some_and(|line| line.contains(reason)),
                "{offers:?}, {more}, {options:?}: {report}"
            );
        }
    }
}

/// Forwards octets in both directions, and notes what the client sends.
fn proxy(server: String) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&lines);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (server, noted) = (server.clone(), Arc::clone(&noted));
            thread::spawn(move || -> io::Result<()> {
                let to = TcpStream::connect(server)?;
                let (mut from, mut back) = (to.try_clone()?, client.try_clone()?);
                thread::spawn(move || {
                    io::copy(&mut from, &mut back).map(|_| back.shutdown(std::net::Shutdown::Both))
                });
                let mut to = to;
                let mut client = client;
                let mut octets = [0; 4096];
                loop {
                    let count = io::Read::read(&mut client, &mut octets)?;
                    if count == 0 {
                        return to.shutdown(std::net::Shutdown::Both);
                    }
                    noted
                        .lock()
                        .expect("no panic")
                        .push(String::from_utf8_lossy(&octets[..count]).into_owned());
                    to.write_all(&octets[..count])?;
                }
            });
        }
    });
    (port, lines)
}

#[test]
fn with_starttls_credentials_are_sent_under_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let Credentials { user, password, .. } = Reference::credentials();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options { tls: Tls::StartTls, ..Options::default() };
    let server = runtime.block_on(Reference::start(options)).expect("the reference server starts");
    let Address::Tcp(host, port) = server.target().address else { panic!("it has a port") };
    let (port, lines) = proxy(format!("{host}:{port}"));
    fs::write(folder.path().join("password"), &password).expect("a file");
    for (more, verifies) in [("", false), ("cleartext = true", false), ("cleartext = true", true)] {
        target(folder.path(), &format!("smtp://127.0.0.1:{port}"), more);
        let target = fs::read_to_string(folder.path().join("target.toml")).expect("a file");
        fs::write(folder.path().join("target.toml"), target.replace("\"alice\"", &format!("{user:?}")))
            .expect("a file");
        let mut arguments =
            vec!["run", "target.toml", "--allow", "auth", "--case", "auth-*", "--jsonl", "run.jsonl"];
        arguments.extend(verifies.then_some("--verify-tls"));
        let output = run(folder.path(), &arguments);
        let records = fs::read_to_string(folder.path().join("run.jsonl")).expect("a file");
        let is = |case: &str, verdict: &str| {
            let start = format!("{{\"record\":\"case\",\"id\":\"{case}\"");
            let verdict = format!("\"verdict\":\"{verdict}\"");
            records.lines().any(|line| line.starts_with(&start) && line.contains(&verdict))
        };
        // The certificate is self-signed. Without root certificates on this machine, the run does not even begin.
        let verdict = if verifies { "skipped" } else { "pass" };
        let is_run = !output.stdout.is_empty();
        for case in ["auth-wrong-password", "auth-right-password", "auth-login", "auth-twice"] {
            assert!(!is_run || is(case, verdict), "{case}: {}", String::from_utf8_lossy(&output.stdout));
        }
        assert!(is_run || verifies, "{}", String::from_utf8_lossy(&output.stderr));
        let plain = STANDARD.encode(format!("\0{user}\0{password}"));
        let alone = STANDARD.encode(&password);
        for line in lines.lock().expect("no panic").iter() {
            assert!(!line.contains(&plain) && !line.contains(&alone), "in clear: {line}");
        }
    }
}

/// Returns forms in which a server can repeat a password.
fn forms(password: &str) -> Vec<String> {
    let plain = STANDARD.encode(format!("\0alice\0{password}"));
    let cut = |text: &str, count: usize| text.chars().take(count).collect::<String>();
    let mut forms = vec![
        password.to_owned(),
        password.to_ascii_uppercase(),
        password.to_ascii_lowercase(),
        format!("<{password}>"),
        cut(password, password.chars().count() - 1),
        cut(password, password.chars().count() / 2 + 1),
        STANDARD.encode(password),
        STANDARD_NO_PAD.encode(password),
        STANDARD.encode(password).to_ascii_lowercase(),
        plain.to_ascii_uppercase(),
        cut(&plain, plain.len() - 5),
        cut(&plain, 16),
        plain,
    ];
    forms.extend(["", "a", "ab", "abc"].map(|before| STANDARD.encode(format!("{before}{password}{before}"))));
    forms
}

/// Returns whether a text shows a password: as it is, escaped, or in base64 at any offset.
fn shows(text: &str, password: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let password_lower = password.to_ascii_lowercase();
    let escaped = password_lower.escape_default().to_string();
    if text.contains(&password_lower) || text.contains(&escaped) {
        return true;
    }
    for variant in [password.to_owned(), password_lower, password.to_ascii_uppercase()] {
        for before in 0..3 {
            let encoded = STANDARD_NO_PAD.encode([&[0u8; 2][..before], variant.as_bytes()].concat());
            let own = &encoded[(before * 8).div_ceil(6)..(before + variant.len()) * 8 / 6];
            if text.contains(&own.to_ascii_lowercase()) {
                return true;
            }
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    /// The server repeats the password in each form, in everything that a report quotes.
    #[test]
    fn no_output_shows_the_password(password in "[!-~]{8,16}|[a-zA-Z0-9äöü\"\\\\]{8,12}") {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("password"), &password).expect("a file");
        let forms = forms(&password);
        for first in [0, 1, 6] {
            let mut speech = Speech::offering(&["AUTH PLAIN LOGIN", "SIZE 1000", "PIPELINING"]);
            speech.greeting = format!("{} ESMTP {}", forms[first], forms[first]);
            speech.offers.extend(forms.iter().flat_map(|form| [form.clone(), format!("X{form} {form}")]));
            speech.text = forms.iter().skip(first).cloned().collect::<Vec<_>>().join(" ");
            let (port, _) = speech.serve();
            target(folder.path(), &format!("smtp://127.0.0.1:{port}"), "");
            let arguments = ["run", "target.toml", "--allow", "auth", "--case", "auth-*", "--timeout", "1",
                "--jsonl", "run.jsonl", "--junit", "run.xml"];
            let output = run(folder.path(), &arguments);
            let mut written = vec![
                ("console".to_owned(), String::from_utf8_lossy(&output.stdout).into_owned()),
                ("standard error".to_owned(), String::from_utf8_lossy(&output.stderr).into_owned()),
            ];
            for file in ["run.jsonl", "run.xml"] {
                written.push((file.to_owned(), fs::read_to_string(folder.path().join(file)).expect("a file")));
            }
            for format in ["markdown", "html", "sarif", "results"] {
                let output = run(folder.path(), &["report", "run.jsonl", "--format", format]);
                written.push((format.to_owned(), String::from_utf8_lossy(&output.stdout).into_owned()));
            }
            for (name, text) in written {
                prop_assert!(!text.is_empty() || name == "standard error", "{} is empty", name);
                prop_assert!(!shows(&text, &password), "{} shows {:?}: {}", name, password,
                    text.lines().find(|line| shows(line, &password)).unwrap_or_default());
            }
        }
    }
}
