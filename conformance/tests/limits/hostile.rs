//! Hostile servers and files: a run ends in time, uses little memory, and reports what was cut.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::measured::measured;
use rustix::process::{Pid, Signal, kill_process};
use smtp_conformance::limits;

/// The peak of resident memory, in octets, that a run with one connection and a whole run may reach.
const CONNECTION: u64 = 64 << 20;
const RUN: u64 = 256 << 20;

/// What a server does instead of its usual answer to a line. It gets an empty line when a client connects.
type Instead = fn(line: &str, client: &mut TcpStream) -> Option<io::Result<()>>;

/// Starts a server on a free port that misbehaves in one respect, and returns its URL.
fn server(instead: Instead) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(client, instead));
        }
    });
    format!("smtp://127.0.0.1:{port}")
}

fn serve(mut client: TcpStream, instead: Instead) -> io::Result<()> {
    client.set_write_timeout(Some(Duration::from_secs(20)))?;
    let lines = BufReader::new(client.try_clone()?);
    match instead("", &mut client) {
        Some(done) => done?,
        None => client.write_all(b"220 mx.example.test ESMTP\r\n")?,
    }
    for line in lines.lines() {
        let line = line?.to_ascii_uppercase();
        if let Some(done) = instead(&line, &mut client) {
            done?;
            continue;
        }
        let answer = match line.get(..4).unwrap_or_default() {
            "EHLO" => {
                "250-mx.example.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN\r\n"
            }
            "DATA" => "354 2.0.0 Go ahead\r\n",
            "QUIT" => "221 2.0.0 Bye\r\n",
            _ => "250 2.0.0 Ok\r\n",
        };
        client.write_all(answer.as_bytes())?;
        if line.starts_with("QUIT") {
            break;
        }
    }
    Ok(())
}

/// Sends the same octets until the client closes.
fn flood(client: &mut TcpStream, octets: &[u8]) -> io::Result<()> {
    let many = octets.repeat((16 << 10) / octets.len() + 1);
    loop {
        client.write_all(&many)?;
    }
}

/// Like [`flood`], but at a rate in octets per second.
fn trickle(client: &mut TcpStream, octets: &[u8], rate: usize) -> io::Result<()> {
    let many = octets.repeat(rate / 100 / octets.len() + 1);
    loop {
        client.write_all(&many)?;
        thread::sleep(Duration::from_millis(10));
    }
}

fn after(line: &str, verb: &str, answer: &[u8], client: &mut TcpStream) -> Option<io::Result<()>> {
    line.starts_with(verb).then(|| client.write_all(answer))
}

/// The servers, and whether they send more than a limit allows.
const SERVERS: [(&str, Instead, bool); 15] = [
    (
        "replies after 221",
        |line, client| after(line, "QUIT", b"221 2.0.0 Bye\r\n", client).map(|_| flood(client, b"250 x\r\n")),
        true,
    ),
    (
        "replies after 221 at 1 MB a second",
        |line, client| {
            after(line, "QUIT", b"221 2.0.0 Bye\r\n", client)
                .map(|_| trickle(client, b"250 x\r\n", 1_000_000))
        },
        true,
    ),
    (
        "replies after 221 at 10 MB a second",
        |line, client| {
            after(line, "QUIT", b"221 2.0.0 Bye\r\n", client)
                .map(|_| trickle(client, b"250 x\r\n", 10_000_000))
        },
        true,
    ),
    (
        "line feeds after 221",
        |line, client| after(line, "QUIT", b"221 2.0.0 Bye\r\n", client).map(|_| flood(client, b"\n")),
        true,
    ),
    (
        "60000 line feeds after 221",
        |line, client| {
            after(line, "QUIT", b"221 2.0.0 Bye\r\n", client).map(|_| {
                client.write_all(&[b'\n'; 60_000])?;
                thread::sleep(Duration::from_millis(300));
                client.shutdown(std::net::Shutdown::Both)
            })
        },
        true,
    ),
    (
        "an endless line after 221",
        |line, client| after(line, "QUIT", b"221 2.0.0 Bye\r\n", client).map(|_| flood(client, b"a")),
        true,
    ),
    (
        "replies from the greeting on",
        |line, client| {
            line.is_empty().then(|| {
                client.write_all(b"220 mx.example.test ESMTP\r\n")?;
                flood(client, b"250 x\r\n")
            })
        },
        true,
    ),
    ("greetings", |line, client| line.is_empty().then(|| flood(client, b"220 mx.example.test\r\n")), true),
    ("zeros", |line, client| line.is_empty().then(|| flood(client, b"\0")), true),
    ("334 after AUTH", |line, client| line.starts_with("AUTH").then(|| flood(client, b"334 \r\n")), true),
    (
        "replies while the client listens",
        |line, client| {
            line.is_empty().then(|| {
                client.write_all(b"220 mx.example.test ESMTP\r\n")?;
                let mut unasked = client.try_clone()?;
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(20));
                    flood(&mut unasked, b"250 2.0.0 x\r\n")
                });
                Ok(())
            })
        },
        true,
    ),
    (
        "a line that does not end",
        |line, client| line.starts_with("NOOP").then(|| flood(client, b"250 ")),
        true,
    ),
    (
        "a reply that does not end",
        |line, client| line.starts_with("RSET").then(|| flood(client, b"250-x\r\n")),
        true,
    ),
    (
        "an EHLO reply of 200 KiB",
        |line, client| {
            let mut reply = b"250-AUTH PLAIN ABCDEFGHIJKLMNOPQRSTUVWXYZ ABCDEFGHIJKLMNOPQR\r\n".repeat(3300);
            reply.extend_from_slice(b"250 SIZE 1\r\n");
            line.starts_with("EHLO").then(|| client.write_all(&reply))
        },
        false,
    ),
    (
        "255 KiB for each reply",
        |line, client| {
            let mut reply = vec![b'x'; 60 << 10];
            reply.splice(..4, *b"250-");
            reply.extend_from_slice(b"\r\n");
            let mut reply = reply.repeat(4);
            reply.extend_from_slice(b"250 x\r\n");
            (!line.is_empty()).then(|| client.write_all(&reply))
        },
        true,
    ),
];

#[test]
fn no_server_fills_the_memory_of_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, instead, is_cut) in SERVERS {
        let target = server(instead);
        let ended = measured(
            folder.path(),
            &[
                "run",
                &target,
                "--jsonl",
                "run.jsonl",
                "--junit",
                "run.xml",
                "--timeout",
                "1",
                "--connection-timeout",
                "3",
                "--run-timeout",
                "8",
                "--parallel",
                "16",
            ],
        );
        println!("{name}: {} MiB, {:.1} s", ended.peak >> 20, ended.time.as_secs_f32());
        assert!(matches!(ended.status, Some(0 | 1 | 4)), "{name}: {:?}\n{}", ended.status, ended.report);
        assert!(ended.peak < RUN, "{name}: {} octets", ended.peak);
        assert!(ended.time < Duration::from_secs(20), "{name}: {:?}", ended.time);
        let is_reported = ended.report.contains("Beyond the limits: ");
        assert_eq!(is_reported, is_cut, "{name}: {}", ended.report);
        let length = |file| fs::metadata(folder.path().join(file)).expect("a file").len();
        assert!(length("run.jsonl") < 64 << 20 && length("run.xml") < 64 << 20, "{name}");
        let again = measured(folder.path(), &["report", "run.jsonl"]);
        assert_eq!(again.report, ended.report, "{name}");
        assert!(again.peak < RUN, "{name}: {} octets", again.peak);
        for format in ["junit", "markdown", "html", "sarif"] {
            let other = measured(folder.path(), &["report", "run.jsonl", "--format", format]);
            let is_reported =
                ["Beyond the limits: ", "beyondLimits"].iter().any(|text| other.report.contains(text));
            assert_eq!(is_reported, is_cut, "{name}, {format}");
            assert!(
                other.peak < RUN && other.time < Duration::from_secs(10),
                "{name}, {format}: {} octets",
                other.peak
            );
        }
    }
}

#[test]
fn no_server_fills_the_memory_of_a_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, instead, _) in SERVERS {
        let target = server(instead);
        for case in ["noop", "silence-after-greeting"] {
            let arguments = ["run", &target, "--case", case, "--timeout", "1", "--run-timeout", "5"];
            let ended = measured(folder.path(), &arguments);
            assert!(matches!(ended.status, Some(0 | 1 | 4)), "{name}, {case}: {:?}", ended.status);
            assert!(ended.peak < CONNECTION, "{name}, {case}: {} octets", ended.peak);
        }
    }
}

/// Each of these replies breaks rules, is long, and grows when it is escaped.
#[test]
fn a_junit_report_of_long_replies_is_bounded() {
    let server = server(|line, client| {
        if !line.starts_with("QUIT") {
            return None;
        }
        let line_of = |separator: &str| format!("299{separator}{}\n", "\"".repeat(156));
        let long = (line_of("-").repeat(7) + &line_of(" ")).repeat(8);
        let short = "999 5.9.999.1 \u{80}\n".repeat(56);
        Some(client.write_all(format!("221 2.0.0 Bye\r\n{long}{short}").as_bytes()))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let ended = measured(folder.path(), &["run", &server, "--timeout", "2", "--junit", "junit.xml"]);
    assert_eq!(ended.status, Some(1), "{}", ended.report);
    assert!(ended.peak < CONNECTION, "{} octets of memory", ended.peak);
    let length = fs::metadata(folder.path().join("junit.xml")).expect("a report").len();
    assert!(length < 32 << 20, "{length} octets of JUnit");
}

#[test]
fn a_survey_goes_on_past_a_server_that_floods() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut targets: Vec<String> = (0..6).map(|_| server(|_, _| None)).collect();
    targets.extend([0, 3, 6].map(|index| server(SERVERS[index].1)));
    fs::write(folder.path().join("targets"), targets.join("\n")).expect("a file");
    let survey = ["run", "--targets", "targets", "--out", "out", "--timeout", "1", "--run-timeout", "30"];
    let ended = measured(folder.path(), &survey);
    assert!(matches!(ended.status, Some(0 | 1)), "{:?}\n{}", ended.status, ended.report);
    assert!(ended.peak < RUN, "{} octets", ended.peak);
    for target in &targets {
        assert!(ended.report.contains(target.as_str()), "{target} is not in {}", ended.report);
    }
    let again = measured(folder.path(), &[&survey[..], &["--resume"]].concat());
    assert_eq!(again.status, ended.status);
    assert!(again.time < ended.time && again.peak < RUN, "{:?}", again.time);
}

/// Nothing reads standard output, so printing the report blocks. One signal ends the program.
#[test]
fn a_signal_ends_a_report_that_is_being_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
        .args(["run", &server(SERVERS[4].1), "--format", "jsonl", "--jsonl", "run.jsonl"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let start = Instant::now();
    // When the records in the file are complete, the program has begun to print them.
    let is_written = || {
        fs::read_to_string(folder.path().join("run.jsonl")).is_ok_and(|text| {
            text.lines().last().is_some_and(|last| last.starts_with("{\"record\":\"summary\""))
        })
    };
    while !is_written() {
        assert!(start.elapsed() < Duration::from_secs(60), "no records");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("a child").is_none(), "the report fits into the pipe");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a child");
    let killed = Instant::now();
    assert_eq!(child.wait().expect("a child").code(), Some(143));
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    Command::new(program).current_dir(folder).args(arguments).output().expect("the program can be run")
}

#[test]
fn unwritable_outputs_are_reported_before_the_first_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = server(|line, _| {
        assert!(!line.is_empty(), "a connection was made");
        None
    });
    for arguments in [
        &["--jsonl", "none/run.jsonl"][..],
        &["--junit", "none/run.xml"],
        &["--baseline", "none/b.toml", "--update-baseline"],
    ] {
        let output = run(folder.path(), &[&["run", &target][..], arguments].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("cannot write none/"), "{error}");
    }
    // If the disk is full at the end, the file is lost but the report is printed.
    let output = run(folder.path(), &["run", "--case", "noop", "--jsonl", "/dev/full"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Cases: 1 pass"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/dev/full"));
}

#[test]
fn files_are_read_and_quoted_within_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["report", "/dev/zero"][..],
        &["compare", "/dev/zero", "/dev/zero"],
        &["judge", "/dev/zero"],
        &["run", "/dev/zero"],
        &["run", "--targets", "/dev/zero", "--out", "out"],
        &["run", "--baseline", "/dev/zero"],
    ] {
        let ended = measured(folder.path(), arguments);
        assert!(matches!(ended.status, Some(2 | 5)), "{arguments:?}: {:?}", ended.status);
        assert!(ended.peak < RUN, "{arguments:?}: {} octets", ended.peak);
    }
    let long = "a".repeat(400_000);
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    fs::create_dir(folder.path().join("cases")).expect("a folder");
    file("target.toml", &format!("url = \"smtp://127.0.0.1\"\n{long} = 1\n"));
    file("url.toml", &format!("url = \"smtp://{long}@\"\n"));
    file("baseline.toml", &format!("[[accepted]]\ntarget = \"{long}"));
    file("cases/a.toml", &format!("[[case]]\nid = \"{long}\"\n"));
    file("targets", &format!("smtp://{long}:b\n"));
    file("out.txt", &format!("192.0.2.0/24\n{long} {long}\n"));
    file("run.jsonl", &format!("{{\"record\":\"{long}\"}}\n"));
    file("run.txt", &format!("{long}\n"));
    for arguments in [
        &["run", "target.toml"][..],
        &["run", "url.toml"],
        &["run", "--baseline", "baseline.toml"],
        &["run", "--cases", "cases"],
        &["run", "--targets", "targets", "--out", "out"],
        &["run", "--targets", "targets", "--out", "out", "--opt-out", "out.txt"],
        &["report", "run.jsonl"],
        &["judge", "run.txt"],
    ] {
        let output = run(folder.path(), arguments);
        assert!(matches!(output.status.code(), Some(2 | 5)), "{arguments:?}: {:?}", output.status);
        assert!(
            !output.stderr.is_empty() && output.stderr.len() < 4000,
            "{arguments:?}: {}",
            output.stderr.len()
        );
    }
}

/// SECURITY.md states the actual value of each limit.
#[test]
fn the_limits_are_documented() {
    let text = include_str!("../../../SECURITY.md");
    let octets = |number: u64| match number {
        number if number >= 1 << 20 => format!("{} MiB", number >> 20),
        number => format!("{} KiB", number >> 10),
    };
    for (what, limit) in [
        ("A line of a reply", octets(limits::LINE_OCTETS as u64)),
        ("A reply", format!("{} lines, {}", limits::REPLY_LINES, octets(limits::REPLY_OCTETS as u64))),
        ("Replies that answer nothing, kept of a connection", limits::SURPLUS_REPLIES.to_string()),
        ("Received on a connection", octets(limits::CONNECTION_OCTETS as u64)),
        ("Received from a server in a run", octets(limits::RUN_OCTETS as u64)),
        ("Sent by a step of a case", octets(limits::STEP_OCTETS as u64)),
        ("Sent on a connection", octets(limits::SENT_OCTETS as u64)),
        ("Sent to a server in a run", octets(limits::RUN_SENT_OCTETS as u64)),
        ("A message that `send` sends", octets(limits::SENT_MESSAGE_OCTETS)),
        ("Findings of a rule and level, kept of a case", limits::FINDINGS.to_string()),
        ("Characters of a reply that a finding quotes", limits::QUOTED.to_string()),
        ("A TOML file", octets(limits::FILE_OCTETS)),
        ("A user's name, a password", octets(limits::CREDENTIAL_OCTETS as u64)),
        ("Transcripts that are judged together", format!("{} exchanges", limits::JUDGED_EXCHANGES)),
        ("A list of targets", octets(limits::LIST_OCTETS)),
        (
            "A transcript",
            format!("{}, {} exchanges", octets(limits::TRANSCRIPT_OCTETS), limits::TRANSCRIPT_EXCHANGES),
        ),
        ("A connection in a transcript of `serve`", octets(limits::SERVED_TRANSCRIPT_OCTETS as u64)),
        ("A message of a mailbox", octets(limits::MESSAGE_OCTETS as u64)),
        ("Recipients of a bounce", limits::BOUNCE_RECIPIENTS.to_string()),
        ("The records of a run", octets(limits::RECORDS_OCTETS)),
    ] {
        let row = format!("| {what} | {limit} |");
        assert!(text.contains(&row), "SECURITY.md lacks the row: {row}");
    }
}
