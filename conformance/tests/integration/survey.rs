//! Many targets in one process: records per target, resumed runs, hosts that are left out, and targets that are not run
//! at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use smtp_conformance::case::{self, Case};
use smtp_conformance::record::Record;
use smtp_conformance::record::status::Status;
use smtp_conformance::reference::{Fault, Options, Reference};
use smtp_conformance::run::{Plan, Politeness};
use smtp_conformance::survey::{OptOut, Survey, TargetState};
use smtp_conformance::{Address, Product, Target};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::support;

fn url(server: &Reference) -> String {
    format!("smtp://{}", server.address())
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtp-conformance"));
    command.current_dir(folder).arg("run").args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the program can be run")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

/// Returns the names of the complete files. Incomplete ones end in `.part`.
fn complete(folder: &Path) -> BTreeSet<String> {
    files(folder).into_iter().filter(|name| Path::new(name).extension() == Some("jsonl".as_ref())).collect()
}

/// Returns a folder with target files that name the same server, and a list of them.
fn targets(server: &Reference, names: &[String]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("targets")).expect("a folder");
    let mut list = String::from("# Of one server.\n\n");
    for name in names {
        let text = format!("name = \"{name}\"\nurl = \"{}\"\n", url(server));
        fs::write(folder.path().join(format!("targets/{name}.toml")), text).expect("a file");
        list = format!("{list}targets/{name}.toml\n");
    }
    fs::write(folder.path().join("list"), list).expect("a file");
    folder
}

#[test]
fn each_target_has_records_and_the_worst_status_is_the_exit_status() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let start = |options| runtime.block_on(Reference::start(options)).expect("the reference server starts");
    let good = start(Options::default());
    let bad = start(Options::of(Fault::find("reply-code-650").expect("there is such a fault")));
    let folder = targets(&good, &["good".to_owned()]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let nobody = format!("smtp://{}", nobody.expect("a port"));
    let survey = |out: &str, more: &[&str]| {
        run(folder.path(), &[&["--targets", "list", "--out", out, "--case", "noop"], more].concat())
    };
    let add = |line: &str| {
        let list = fs::read_to_string(folder.path().join("list")).expect("a file");
        fs::write(folder.path().join("list"), format!("{list}{line}\n")).expect("a file");
    };
    let output = survey("a", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert_eq!(files(&folder.path().join("a")), BTreeSet::from(["good.jsonl".to_owned()]));
    assert!(printed(&output).contains("\n1 target: 1 as expected"), "{}", printed(&output));
    assert_eq!(survey("a", &[]).status.code(), Some(5), "records are not overwritten");
    assert_eq!(survey("a", &["--resume"]).status.code(), Some(0));

    add(&nobody);
    assert_eq!(survey("b", &[]).status.code(), Some(4));
    add(&url(&bad));
    let output = survey("c", &["--fail-on", "warning"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let order: Vec<String> = printed(&output)
        .lines()
        .skip(1)
        .map_while(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(order[..3], [url(&bad), nobody, "good".to_owned()]);
    assert_eq!(files(&folder.path().join("c")).len(), 3);
    let again = survey("c", &["--fail-on", "warning", "--resume"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(printed(&again).contains("3 run before, 0 left out; 0 connections"), "{}", printed(&again));
}

/// A list of one target gives the records that the target alone gives, and the same exit status and hints.
#[test]
fn records_are_those_of_a_single_run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let folder = tempfile::tempdir().expect("a folder");
    let known = Reference::knowledge();
    let missing = known.unknown.expect("it has none of that name");
    let target = format!(
        "name = \"mx\"\nurl = \"{}\"\nserver = \"exim\"\n[known]\nvalid = \"{missing}\"\n",
        url(&server)
    );
    fs::write(folder.path().join("mx.toml"), target).expect("a file");
    fs::write(folder.path().join("list"), "mx.toml\n").expect("a file");
    let entry = |case: &str| {
        format!(
            "[[accepted]]\ntarget = \"mx\"\nrule = \"enhanced-code-present\"\ncase = \"{case}\"\nsection = \"a\"\n\
             reason = \"b\"\n"
        )
    };
    fs::write(folder.path().join("b.toml"), entry("noop") + &entry("rset")).expect("a file");
    let common = ["--baseline", "b.toml", "--server-version", "4.96"];
    let alone = run(folder.path(), &[&["mx.toml", "--jsonl", "alone.jsonl"], &common[..]].concat());
    let listed = run(folder.path(), &[&["--targets", "list", "--out", "out"], &common[..]].concat());
    let header = |file: &str| {
        let name = folder.path().join(file);
        let text = fs::read_to_string(&name).expect("a file");
        let records = smtp_conformance::record::read(file, &text).expect("records");
        let Some(Record::Summary(summary)) = records.last() else { panic!("{file} has no end") };
        let Some(Record::Header(header)) = records.first() else { panic!("{file} has no header") };
        (header.clone(), summary.hints.clone())
    };
    let ((mut one, hints), (other, same_hints)) = (header("alone.jsonl"), header("out/mx.jsonl"));
    assert_eq!((one.baseline_entries, one.stale_entries), (Some(2), 2));
    assert_eq!((one.server_version.as_deref(), one.product), (Some("4.96"), Some(Product::Exim)));
    // A run begins when it begins.
    one.origin.clone_from(&other.origin);
    assert_eq!(one, other);
    assert_eq!(hints, same_hints);
    assert!(hints.first().is_some_and(|hint| hint.contains("RCPT is always refused")), "{hints:?}");
    for output in [&alone, &listed] {
        assert_eq!(output.status.code(), Some(3), "{}", printed(output));
        assert!(printed(output).contains("RCPT is always refused"), "{}", printed(output));
        let stale =
            "b.toml:3: enhanced-code-present in noop: no finding matches it any longer; --update-baseline";
        assert!(printed(output).contains(stale), "{}", printed(output));
    }
    let resumed = ["--targets", "list", "--out", "out", "--resume"];
    assert_eq!(run(folder.path(), &[&resumed[..], &common].concat()).status.code(), Some(3));
}

#[test]
fn errors_in_lists_name_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("list"), "# one\nsmtp://127.0.0.1\nhttp://a\n").expect("a file");
    fs::write(folder.path().join("out-list"), "example.org\n192.0.2.0/33\n").expect("a file");
    fs::write(folder.path().join("one"), "smtp://127.0.0.1\n").expect("a file");
    let refused = |arguments: &[&str], message: &str| {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
        assert!(printed(&output).contains(message), "{}", printed(&output));
    };
    refused(&["--targets", "list", "--out", "a"], "list:3: ");
    refused(&["--targets", "one", "--out", "a", "--opt-out", "out-list"], "out-list:2: ");
    refused(&["--targets", "none", "--out", "a"], "none");
    refused(&["--targets", "one"], "--out");
    refused(&["--targets", "one", "--out", "a", "--jsonl", "b"], "--jsonl");
    refused(&["smtp://127.0.0.1", "--parallel", "65"], "--parallel 65");
    assert!(!folder.path().join("a").exists());
}

#[test]
fn records_that_cannot_be_written_end_the_run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let names: Vec<String> = (0..500).map(|number| format!("t{number}")).collect();
    let folder = targets(&server, &names);
    // A folder has the name of the first file.
    fs::create_dir_all(folder.path().join("out/t0.jsonl.part")).expect("a folder");
    let output =
        run(folder.path(), &["--targets", "list", "--out", "out", "--case", "noop", "--parallel", "4"]);
    assert_eq!(output.status.code(), Some(5), "{}", printed(&output));
    assert!(printed(&output).contains("t0.jsonl.part"), "{}", printed(&output));
    // The other threads stop as well.
    let written = complete(&folder.path().join("out")).len();
    assert!(written < names.len() / 2, "{written}");
}

/// A run that is killed leaves only complete files under their final names. A resumed run keeps these.
#[test]
fn an_interrupted_run_is_resumed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Reference::start(Options::default())).expect("the reference server starts");
    let names: Vec<String> = (0..40).map(|number| format!("t{number:02}")).collect();
    let folder = targets(&server, &names);
    let arguments = ["--targets", "list", "--out", "out", "--case", "{canary,noop*}", "--parallel", "2"];
    let out = folder.path().join("out");
    let mut child =
        command(folder.path(), &arguments).stdout(Stdio::null()).spawn().expect("the program can be run");
    let start = Instant::now();
    while complete(&out).len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(30), "no records");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs, or is over");
    child.wait().expect("it is over");
    let times = |folder: &Path| -> BTreeMap<String, std::time::SystemTime> {
        let time = |name: String| {
            let modified = fs::metadata(folder.join(&name)).and_then(|data| data.modified());
            (name, modified.expect("a time"))
        };
        complete(folder).into_iter().map(time).collect()
    };
    // One file is cut, as if it had been written in place, and one is from a different version.
    let before = times(&out);
    let mut names = before.keys();
    let (cut, old) = (names.next().expect("a file"), names.next().expect("another"));
    let text = fs::read_to_string(out.join(cut)).expect("a file");
    fs::write(out.join(cut), &text[..text.len() / 2]).expect("a file");
    let text = fs::read_to_string(out.join(old)).expect("a file");
    fs::write(out.join(old), text.replacen("\"version\":\"", "\"version\":\"0.", 1)).expect("a file");
    fs::write(out.join("t39.jsonl.part"), "{").expect("a file");

    let output = run(folder.path(), &[&arguments[..], &["--resume"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let kept = format!("{} run before", before.len() - 2);
    assert!(printed(&output).contains(&kept), "{kept}: {}", printed(&output));
    let after = times(&out);
    assert_eq!(files(&out), (0..40).map(|number| format!("t{number:02}.jsonl")).collect());
    for (name, time) in before.iter().filter(|(name, _)| ![cut, old].contains(name)) {
        assert_eq!(after[name], *time, "{name}");
    }
    for name in [cut, old] {
        let text = fs::read_to_string(out.join(name)).expect("a file");
        let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&version) && text.contains("\"record\":\"summary\""), "{name}");
    }
}

/// A proxy in front of a server that counts connections: how many are open at the same time at most, and in total.
#[derive(Clone, Default)]
struct Watch {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

impl Watch {
    async fn start(&self, server: &Reference) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (watch, address) = (self.clone(), server.address());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let watch = watch.clone();
                watch.all.fetch_add(1, Ordering::SeqCst);
                watch.most.fetch_max(watch.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(address).await.expect("the server is there");
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    watch.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        port
    }

    fn seen(&self) -> (usize, usize) {
        (self.most.load(Ordering::SeqCst), self.all.load(Ordering::SeqCst))
    }
}

fn cases() -> Vec<Case> {
    let mut cases = case::built_in().expect("the cases follow the form");
    cases.retain(|case| case.id == "noop");
    cases
}

fn survey(targets: Vec<Target>, folder: &TempDir) -> Survey {
    Survey {
        targets,
        folder: folder.path().to_owned(),
        opt_out: OptOut::default(),
        parallel: 8,
        resume: false,
        baseline: None,
        server_version: None,
        narrowed: true,
        fail_on: None,
    }
}

fn target(name: &str, host: &str, port: u16) -> Target {
    let target = Target::read("smtp://a").expect("a URL");
    Target { name: name.to_owned(), address: Address::Tcp(host.to_owned(), port), ..target }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_one_address_run_at_once_only_if_local() {
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let gentle = Politeness { between: Duration::from_millis(150), ..Politeness::ELSEWHERE };
    let mut hosts = vec!["127.0.0.1", "127.0.0.1"];
    hosts.extend(support::present(&["localhost", "::ffff:127.0.0.1"]));
    for (politeness, paced) in [(Some(gentle), true), (None, false)] {
        let watch = Watch::default();
        let port = watch.start(&server).await;
        let named = |(number, host): (usize, &&str)| target(&number.to_string(), host, port);
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan { politeness, ..Plan::default() };
        let survey = survey(hosts.iter().enumerate().map(named).collect(), &folder);
        let start = Instant::now();
        let table = survey.run(cases(), plan).await.expect("records can be written");
        assert_eq!(table.status(), Status::Expected, "{table}");
        let (most, all) = watch.seen();
        assert_eq!(all, hosts.len());
        assert!(!paced || start.elapsed() >= gentle.between * u32::try_from(all).unwrap());
        assert_eq!(most == 1, paced, "{most} at once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_opted_out_are_not_contacted() {
    if !support::has(["localhost"]) {
        return;
    }
    let server = Reference::start(Options::default()).await.expect("the reference server starts");
    let watch = Watch::default();
    let port = watch.start(&server).await;
    let folder = tempfile::tempdir().expect("a folder");
    let loopback: IpAddr = [127, 0, 0, 1].into();
    let targets = || vec![target("address", "127.0.0.1", port), target("name", "localhost", port)];
    for (list, contacted) in
        [("127.0.0.0/8\n::1\n", 0), ("localhost\n", 1), (&*format!("{loopback}\nlocalhost\n"), 0), ("", 2)]
    {
        let file = folder.path().join("opt-out");
        fs::write(&file, list).expect("a file");
        let before = watch.seen().1;
        let out = tempfile::tempdir().expect("a folder");
        let opt_out = OptOut::read(&file).expect("a list");
        let survey = Survey { opt_out, ..survey(targets(), &out) };
        let table = survey.run(cases(), Plan::default()).await.expect("records can be written");
        let left_out = table.rows.iter().filter(|row| row.state == TargetState::LeftOut).count();
        assert_eq!((watch.seen().1 - before, left_out), (contacted, 2 - contacted), "{list:?}: {table}");
        assert!(left_out == 0 || table.to_string().contains("left out"), "{table}");
        assert_eq!(files(out.path()).len(), contacted);
        let status = if contacted == 0 { Status::NothingJudged } else { Status::Expected };
        assert_eq!(table.status(), status);
    }
}
