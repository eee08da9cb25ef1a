//! Runs the program, and checks its exit statuses, its help, and that it always prints a report.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal};
use smtp_conformance::Address;
use smtp_conformance::reference::{Fault, Options, Reference};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    Command::new(program).current_dir(folder).args(arguments).output().expect("the program can be run")
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn exit_statuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    let quiet = "#: connected\nS: 220 mx.example.org\nC: QUIT\nS: 221 Bye\n#: closed by server\n";
    fs::write(folder.path().join("quiet.txt"), quiet).expect("a file");
    fs::write(folder.path().join("broken.txt"), quiet.replace("221 Bye", "250 Bye")).expect("a file");
    fs::write(folder.path().join("bad.txt"), "hello\n").expect("a file");
    fs::create_dir(folder.path().join("cases")).expect("a folder");
    let case = "[[case]]\nid = \"a\"\ntitle = \"A\"\nsituations = []\nsafety = \"safe\"\nrules = []\n\
                steps = [{ send = \"{nonsense}\" }]\n";
    fs::write(folder.path().join("cases/a.toml"), case).expect("a file");

    assert_eq!(status(&run(&["judge", "quiet.txt"])), Some(0));
    assert_eq!(status(&run(&["judge", "broken.txt"])), Some(1));
    assert_eq!(status(&run(&["judge", "broken.txt", "--fail-on", "never"])), Some(0));
    assert_eq!(status(&run(&["run", "no-such-target"])), Some(2));
    assert_eq!(status(&run(&["run", "--profile", "lenient"])), Some(2));
    assert_eq!(status(&run(&["run", "--colour"])), Some(2));
    assert_eq!(status(&run(&["run", "--case", "no-such-case"])), Some(2));
    assert_eq!(status(&run(&["run", "--baseline", "no-such-file"])), Some(2));
    assert_eq!(status(&run(&["run", "--rule", "no-such-rule"])), Some(2));
    assert_eq!(status(&run(&["run", "--jsonl", "no-such-folder/run.jsonl"])), Some(2));
    assert_eq!(status(&run(&["rules", "no-such-rule"])), Some(2));
    assert_eq!(status(&run(&["serve", "--fault", "no-such-fault"])), Some(2));
    assert_eq!(status(&run(&["send", "--server", "127.0.0.1:1", "--from", "a@example.org"])), Some(2));
    fs::write(folder.path().join("empty"), "").expect("a file");
    assert_eq!(status(&run(&["report", "empty"])), Some(5));
    assert_eq!(status(&run(&["judge", "empty"])), Some(5));
    fs::write(folder.path().join("target.toml"), "url = \"smtp://127.0.0.1\"\n[known]\nvalid = \"alice\"\n")
        .expect("a file");
    assert_eq!(status(&run(&["run", "target.toml"])), Some(2));
    assert_eq!(status(&run(&["judge", "bad.txt"])), Some(5));
    assert_eq!(status(&run(&["run", "--cases", "cases", "--case", "a"])), Some(5));
    assert_eq!(status(&run(&["run", "--case", "noop"])), Some(0));
}

#[test]
fn help_has_examples_and_exit_statuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        assert_eq!(status(&output), Some(0), "{arguments:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for command in ["run", "serve", "send", "rules", "suggest", "judge", "report", "compare"] {
        for option in ["-h", "--help"] {
            let help = help(&[command, option]);
            let examples = help.matches(&format!("\n  smtp-conformance {command}")).count();
            assert!(help.contains("\nExamples:\n") && examples >= 2, "{command} {option}: {help}");
        }
    }
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let help = help(arguments);
        assert!(help.contains("\nExit status:\n  0    "), "{arguments:?}: {help}");
    }
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(folder.path(), &["completions", shell]);
        let script = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(script.contains("update-baseline") && script.contains("judge"), "{shell}: {script}");
    }
    assert_eq!(status(&run(folder.path(), &["manual", "man"])), Some(0));
    let page = |name: &str| fs::read_to_string(folder.path().join("man").join(name)).expect("a page");
    assert!(page("smtp-conformance.1").contains("judge"));
    assert!(page("smtp-conformance-run.1").contains("baseline"));
}

#[test]
fn a_report_is_written_even_if_no_server_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    // A port that was bound and released refuses connections.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let target = format!("smtp://{}", port.expect("a port"));
    let output = run(folder.path(), &["run", &target, "--jsonl", "run.jsonl", "--junit", "run.xml"]);
    assert_eq!(status(&output), Some(4));
    let report = run(folder.path(), &["report", "run.jsonl"]);
    assert_eq!(report.stdout, output.stdout);
    assert!(fs::read_to_string(folder.path().join("run.xml")).expect("a file").contains("<skipped"));
}

#[test]
fn rules_cases_and_faults_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |arguments: &[&str]| String::from_utf8(run(folder.path(), arguments).stdout).expect("UTF-8");
    assert!(text(&["rules", "ES-05"]).starts_with("enhanced-code-class-agrees (ES-05)\n"));
    let listed = text(&["rules"]);
    assert!(listed.starts_with("Reply syntax\n\n  RS-01  error    MUST      reply-code-range\n"), "{listed}");
    for rule in smtp_conformance::rules() {
        assert!(listed.lines().any(|line| line.split_whitespace().nth(3) == Some(rule.id)), "{}", rule.id);
    }
    assert!(text(&["run", "--list"]).contains("noop-argument"));
    assert!(text(&["run", "--dry-run", "--case", "noop"]).contains(r"C: NOOP\r\n"));
    assert!(text(&["serve", "--list"]).contains("[enhanced-code-class-agrees]"));
}

/// Servers that send endlessly, octet by octet or not at all. The run still ends in time, with little memory and with a
/// report.
#[test]
fn hostile_servers_bound_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for name in ["endless-lines", "endless-text", "octets-apart", "stall-within-ehlo", "handshake-stall"] {
        let fault = Fault::find(name).expect("there is such a fault");
        let server =
            runtime.block_on(Reference::start(Options::of(fault))).expect("the reference server starts");
        let jsonl = format!("{name}.jsonl");
        let limits =
            ["--timeout", "1", "--connection-timeout", "2", "--run-timeout", "6", "--parallel", "16"];
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"))
            .current_dir(folder.path())
            .args(["run", &url(&server), "--jsonl", &jsonl])
            .args(limits)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program can be run");
        let mut peak = 0;
        let status = loop {
            peak = peak_memory(child.id()).unwrap_or_default().max(peak);
            if let Some(status) = child.try_wait().expect("a child") {
                break status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{name}: no end");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(matches!(status, Some(0 | 1 | 4)), "{name}: {status:?}");
        assert!(peak < 400 << 10, "{name}: {peak} KiB");
        assert!(peak > 0 || !cfg!(target_os = "linux"), "{name}: the peak was not seen");
        let report = run(folder.path(), &["report", &jsonl]);
        assert!(String::from_utf8_lossy(&report.stdout).contains(" connections: "), "{name}");
    }
}

fn url(server: &Reference) -> String {
    match server.target().address {
        Address::Tcp(host, port) => format!("smtp://{host}:{port}"),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}

/// Returns the peak resident memory of a process, in KiB.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn a_baseline_accepts_findings_and_reports_stale_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fault = Fault::find("second-digit-7").expect("there is such a fault");
    let broken = runtime.block_on(Reference::start(Options::of(fault))).expect("the reference server starts");
    let whole = runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let target = |server: &Reference| {
        let text = format!("name = \"one\"\nurl = \"{}\"\n", url(server));
        fs::write(folder.path().join("target.toml"), text).expect("a file");
    };
    let run = |arguments: &[&str]| {
        let all =
            [&["run", "target.toml", "--fail-on", "warning", "--baseline", "b.toml"], arguments].concat();
        run(folder.path(), &all)
    };
    target(&broken);
    assert_eq!(status(&run(&[])), Some(2), "the file does not exist yet");
    fs::write(folder.path().join("b.toml"), "").expect("a file");
    assert_eq!(status(&run(&[])), Some(1));
    fs::remove_file(folder.path().join("b.toml")).expect("a file");
    assert_eq!(status(&run(&["--update-baseline"])), Some(0));
    let output = run(&[]);
    assert_eq!(status(&output), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("accepted warning reply-code-second-digit, 1 x: Found on ")
    );
    for format in ["console", "jsonl", "junit", "markdown", "html", "results", "sarif"] {
        let output = run(&["--format", format]);
        assert_eq!(status(&output), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let markdown = run(&["--format", "markdown"]).stdout;
    assert!(String::from_utf8_lossy(&markdown).contains("<summary>Accepted findings: 1</summary>"));
    target(&whole);
    let output = run(&[]);
    assert_eq!(status(&output), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("b.toml:3: reply-code-second-digit in "));
    assert_eq!(status(&run(&["--case", "noop"])), Some(0));
    assert_eq!(status(&run(&["--update-baseline"])), Some(0));
    assert!(!fs::read_to_string(folder.path().join("b.toml")).expect("a file").contains("[[accepted]]"));
}

#[test]
fn verbose_prints_conversations_without_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let credentials = Reference::credentials();
    let text = format!(
        "url = \"{}\"\n[credentials]\nuser = \"{}\"\npassword-file = \"password\"\ncleartext = true\n",
        url(&server),
        credentials.user
    );
    fs::write(folder.path().join("target.toml"), text).expect("a file");
    fs::write(folder.path().join("password"), &credentials.password).expect("a file");
    let arguments =
        ["run", "target.toml", "--allow", "auth", "--case", "{noop*,auth-*}", "-v", "--parallel", "8"];
    let output = run(folder.path(), &arguments);
    let (report, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(status(&output), Some(0), "{report}");
    assert!(said.contains("\n=== case noop\n -> NOOP\n<-  250 2.0.0 "), "{said}");
    assert!(said.contains("\n<** 535 5.7.8 ") && said.contains("\n -> AUTH PLAIN "), "{said}");
    assert!(!report.contains("-> NOOP"), "{report}");
    let plain = STANDARD.encode(format!("\0{}\0{}", credentials.user, credentials.password));
    for secret in [credentials.password.as_str(), &STANDARD.encode(&credentials.password), &plain] {
        assert!(!said.contains(secret), "{said}");
    }
    // Each case is in one block, in an order that does not depend on which connection was the first to end.
    let cases = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("=== case ")).map(str::to_owned).collect()
    };
    let again = run(folder.path(), &arguments);
    assert_eq!(cases(&said), cases(&String::from_utf8_lossy(&again.stderr)));
}

#[test]
fn a_dry_run_shows_what_the_target_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "url = \"smtp://127.0.0.1:1\"\n[known]\nsender = \"me@example.net\"\nvalid = \"alice@example.test\"\n\
                [credentials]\nuser = \"alice\"\npassword-file = \"password\"\n";
    fs::write(folder.path().join("target.toml"), text).expect("a file");
    fs::write(folder.path().join("password"), "secret").expect("a file");
    let printed = |arguments: &[&str]| {
        let output = run(folder.path(), &[&["run", "--dry-run"], arguments].concat());
        assert_eq!(status(&output), Some(0));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let filled = printed(&["target.toml"]);
    assert!(filled.contains("<me@example.net>") && filled.contains("<alice@example.test>"), "{filled}");
    assert!(!filled.contains("{sender}") && !filled.contains("{valid}"), "{filled}");
    assert!(filled.contains("AUTH PLAIN {plain}") && filled.contains("{unknown}"), "{filled}");
    let open = printed(&[]);
    assert!(open.contains("{sender}") && open.contains("{valid}"), "{open}");
}

#[test]
fn a_target_names_its_product_or_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("t.toml"), "url = \"smtp://127.0.0.1:1\"\nserver = \"postfx\"\n")
        .expect("a file");
    let output = run(folder.path(), &["run", "t.toml"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status(&output), Some(2), "{error}");
    for said in ["t.toml:2", "postfx", "`postfix`", "`opensmtpd`"] {
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_interrupted_run_reports_what_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let (target, asked) = start_server_without_answer();
    fs::write(folder.path().join("list"), format!("{target}\n{target}/\n")).expect("a file");
    for (signal, wanted) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let start = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
            command.current_dir(folder.path()).args(["run", "--timeout", "3600", "--case", "noop*"]);
            let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let child = child.expect("the program can be run");
            asked.recv_timeout(Duration::from_secs(30)).expect("the client sends the unanswered command");
            child
        };
        let end = |child: Child| {
            let process = Pid::from_child(&child);
            rustix::process::kill_process(process, signal).expect("it runs");
            child.wait_with_output().expect("it is over")
        };
        let output = end(start(&[&target, "--jsonl", "run.jsonl"]));
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(status(&output), Some(wanted), "{text}");
        assert!(text.contains("the run was interrupted"), "{text}");
        assert!(text.contains("1 pass"), "the canary was run first: {text}");
        let report = run(folder.path(), &["report", "run.jsonl"]);
        assert_eq!(report.stdout, output.stdout);

        let output = end(start(&["--targets", "list", "--out", "out", "--parallel", "1"]));
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(status(&output), Some(wanted), "{text}");
        assert!(text.contains("interrupted with 2 targets left"), "{text}");
        assert_eq!(fs::read_dir(folder.path().join("out")).expect("a folder").count(), 0);
    }
}

/// Starts a server that never answers NOOP with an argument. Returns its URL, and a channel that gets a message each
/// time such a NOOP arrives.
fn start_server_without_answer() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("smtp://{}", listener.local_addr().expect("a port"));
    let (asking, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let asking = asking.clone();
            thread::spawn(move || answer(&stream, &asking));
        }
    });
    (target, asked)
}

fn answer(mut stream: &TcpStream, asking: &mpsc::Sender<()>) -> io::Result<()> {
    stream.write_all(b"220 mx.example.org ESMTP\r\n")?;
    for line in BufReader::new(stream).lines() {
        match line? {
            line if line.starts_with("NOOP ") => asking.send(()).map_err(io::Error::other)?,
            line if line == "QUIT" => return stream.write_all(b"221 Bye\r\n"),
            _ => stream.write_all(b"250 mx.example.org\r\n")?,
        }
    }
    Ok(())
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for arguments in [&["rules"][..], &["run", "--list"], &["run", "--dry-run"], &["serve", "--list"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
        let output = command.args(arguments).stdout(writer).output().expect("the program can be run");
        assert_eq!((status(&output), output.stderr.len()), (Some(0), 0), "{arguments:?}: {output:?}");
    }
}
