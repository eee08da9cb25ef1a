//! `cargo xtask live`: tests real servers on loopback.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;

use super::{Outcome, conformance};
use crate::live::choice::Choice;
use crate::live::client::Client;
use crate::live::interruption::Interruption;
use crate::live::isolated::{self, Isolated};
use crate::live::progress::Progress;
use crate::live::root::Roots;
use crate::live::running::{self, Running};
use crate::live::server::{Server, Target};
use crate::live::summary::{Row, Tested, new_errors, table};
use crate::terminal::say;

/// The kinds of cases to allow: all of them, because they can harm nothing but these servers.
const ALLOWED: &str = "auth,delivers,intrusive,floods";
/// Where roots, reports and logs are.
const FOLDER: &str = "target/live";
/// How many servers are set up or tested at once. Setting up keeps a processor busy, while testing is mostly waiting.
const SET_UP_AT_ONCE: usize = 2;
const TESTED_AT_ONCE: usize = 4;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask live --list
      List the servers and targets.
  cargo xtask live
      Test all of them, and write conformance/live/RESULTS.md and CLIENTS.md.
  cargo xtask live postfix exim/mx
      Test all targets of one server, and one target of another.
  cargo xtask live clients/curl
      Try one client.
  cargo xtask live postfix/mx --keep
      Leave the server running; `cargo xtask live --stop` stops it.";

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Options {
    /// Servers to test, single targets as SERVER/TARGET, single clients as clients/CLIENT, or `clients` for all of them.
    /// Without names, everything is tested.
    names: Vec<String>,
    /// Print the servers, targets and clients instead of testing them.
    #[arg(long)]
    list: bool,
    /// Leave the servers running afterwards.
    #[arg(long, conflicts_with = "list")]
    keep: bool,
    /// Stop the servers that an earlier --keep left running.
    #[arg(long, conflicts_with_all = ["names", "list", "keep"])]
    stop: bool,
    /// Write conformance/live/RESULTS.md and CLIENTS.md from the last run of each target and client. A run of everything
    /// writes them too.
    #[arg(long, conflicts_with_all = ["names", "list", "keep", "stop"])]
    results: bool,
    /// Copy the roots instead of mounting them with overlayfs. This is the default if overlayfs does not work.
    #[arg(long)]
    copy: bool,
}

/// Sets up, starts, tests and stops servers. The command fails if a server cannot be set up or a run fails, but the
/// other servers are tested too.
pub(super) fn run(root: &Path, options: &Options) -> Result<Outcome> {
    let root = root.canonicalize().with_context(|| root.display().to_string())?;
    let live = root.join("conformance/live");
    let (servers, clients) = (Server::all(&live)?, Client::all(&live.join("clients"))?);
    let choice = Choice::new(&servers, &clients, &options.names)?;
    if options.list {
        list(&choice);
        return Ok(Outcome::Done);
    }
    if options.results {
        return write_results(&root, &choice);
    }
    ensure!(
        rustix::process::geteuid().is_root(),
        "servers run in mounts and namespaces of their own, which only root may create; run this as root, preferably \
         in a container or a virtual machine"
    );
    let folder = root.join(FOLDER);
    let _lock = locked(&folder)?;
    if options.stop {
        return stop(&folder);
    }
    let kept = running::kept(&folder);
    ensure!(kept.is_empty(), "still running: {}; run `cargo xtask live --stop`", kept.join(", "));

    let interruption = Interruption::listen()?;
    let mut roots = Roots::new(&root, &interruption)?;
    roots.overlay &= !options.copy;
    std::env::set_current_dir(&root).with_context(|| format!("cannot change to {}", root.display()))?;
    let session = Session { roots: &roots, progress: Progress::default() };
    let (started, mut failed) = session.set_up(&choice);
    let mut rows = session.test(&choice, &started, &mut failed);
    rows.extend(session.try_clients(&choice));
    ensure!(!interruption.came(), "interrupted; all servers were stopped and removed");
    write_issues(&root, &rows)?;
    if options.names.is_empty() && rows.iter().all(|row| row.result.is_ok()) {
        write_results(&root, &choice)?;
    }
    finish(&choice, &rows, started, &failed, options.keep)
}

fn list(choice: &Choice<'_>) {
    for server in &choice.servers {
        say(&server.name);
        for (_, target) in choice.targets.iter().filter(|(owner, _)| owner.name == server.name) {
            say(format_args!("  {:<30} {}", target.name, target.address));
        }
    }
    choice.clients.iter().for_each(|client| say(&client.name));
}

/// Takes a lock, because two commands at once would use the same folders and ports.
fn locked(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `cargo xtask live` is running; wait until it has finished")
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn stop(folder: &Path) -> Result<Outcome> {
    for name in running::kept(folder) {
        running::stop_kept(folder, &name)?;
        say(format_args!("stopped {name}"));
    }
    Ok(Outcome::Done)
}

/// Writes the pages of results from the last run of each target and client.
fn write_results(root: &Path, choice: &Choice<'_>) -> Result<Outcome> {
    let targets = choice.targets.iter().map(|(_, target)| target.name.as_str()).collect();
    let clients = choice.clients.iter().map(|client| client.name.as_str()).collect();
    let pages: [(&str, Vec<&str>); 2] = [("RESULTS.md", targets), ("CLIENTS.md", clients)];
    for (page, names) in pages {
        let records: Vec<PathBuf> =
            names.iter().map(|name| report(&root.join(FOLDER), name, "jsonl")).collect();
        let file = root.join("conformance/live").join(page);
        let text = conformance::report(root, "results", &records)?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        say(format_args!("wrote {}", file.display()));
    }
    Ok(Outcome::Done)
}

/// Writes a report to the maintainers of each server with errors, next to its records.
fn write_issues(root: &Path, rows: &[Row]) -> Result<()> {
    let folder = root.join(FOLDER);
    for row in rows.iter().filter(|row| row.result.as_ref().is_ok_and(|tested| tested.errors > 0)) {
        let text = conformance::report(root, "issue", &[report(&folder, &row.target, "jsonl")])?;
        let file = report(&folder, &row.target, "issue.md");
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Returns the path of a target's report.
fn report(folder: &Path, target: &str, extension: &str) -> PathBuf {
    folder.join("reports").join(format!("{target}.{extension}"))
}

/// Stops the servers or leaves them running, and prints the results.
fn finish(
    choice: &Choice<'_>,
    rows: &[Row],
    started: Started,
    failed: &HashMap<String, String>,
    keep: bool,
) -> Result<Outcome> {
    if keep {
        for (server, target) in &choice.targets {
            if started.contains_key(&server.name) {
                say(format_args!(
                    "{:<32} {} is still running; {}",
                    target.name,
                    target.address,
                    target.file.display()
                ));
            }
        }
        started.into_values().try_for_each(Running::keep)?;
        say("to stop them, run `cargo xtask live --stop`");
    }
    say(format_args!("\n{}{}", table(rows), new_errors(rows)));
    let passed = rows.iter().all(|row| row.result.as_ref().is_ok_and(|tested| tested.status == 0));
    Ok(if failed.is_empty() && passed { Outcome::Done } else { Outcome::Status(1) })
}

type Started = HashMap<String, Running>;
/// Why servers could not be set up, by server.
type Failed = HashMap<String, String>;

struct Session<'a> {
    roots: &'a Roots,
    progress: Progress,
}

impl Session<'_> {
    /// Makes the roots, several at once, then starts the servers, each after those that it needs.
    fn set_up(&self, choice: &Choice<'_>) -> (Started, Failed) {
        let failed = Mutex::new(Failed::new());
        let fail = |name: &str, error: &anyhow::Error| {
            if !self.roots.interruption.came() {
                self.progress.say(format_args!("error: {name}: {error:#}"));
            }
            failed.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), first_line(error));
        };
        let clients = choice.clients.iter().map(|client| &client.root);
        let roots: Vec<&Server> = choice.servers.iter().copied().chain(clients).collect();
        let mut suites: Vec<&str> = roots.iter().map(|server| server.recipe.suite.as_str()).collect();
        suites.sort_unstable();
        suites.dedup();
        // The suite is built at the same time: it takes about as long, and one processor.
        thread::scope(|scope| {
            scope.spawn(|| self.build().map_err(|error| fail("smtp-conformance", &error)));
            at_once(SET_UP_AT_ONCE, &suites, |suite| {
                self.make_base(suite).map_err(|error| fail(suite, &error)).unwrap_or_default();
            });
        });
        at_once(SET_UP_AT_ONCE, &roots, |server| {
            self.make_packages(server).map_err(|error| fail(&server.name, &error)).unwrap_or_default();
        });
        let mut started = Started::new();
        for server in &choice.servers {
            let known = failed.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&server.name);
            if known || self.roots.interruption.came() {
                continue;
            }
            match self.start(server, &started) {
                Ok(running) => {
                    started.insert(server.name.clone(), running);
                }
                Err(error) => fail(&server.name, &error),
            }
        }
        (started, failed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn build(&self) -> Result<()> {
        let doing = self.progress.begin("smtp-conformance");
        let log = self.roots.log("smtp-conformance", "build");
        isolated::run(&self.roots.shared, conformance::build_line(), &log, &self.roots.interruption)?;
        doing.done("built");
        Ok(())
    }

    fn make_base(&self, suite: &str) -> Result<()> {
        if self.roots.has_base(suite) {
            return Ok(());
        }
        let doing = self.progress.begin(&format!("{suite}, a small Debian"));
        self.roots.make_base(suite)?;
        doing.done("made");
        Ok(())
    }

    fn make_packages(&self, server: &Server) -> Result<()> {
        self.roots.interruption.check()?;
        if self.roots.has_packages(server) {
            return Ok(());
        }
        let doing = self.progress.begin(&format!("{}, packages", server.name));
        self.roots.make_packages(server)?;
        doing.done("installed");
        Ok(())
    }

    fn start(&self, server: &Server, started: &Started) -> Result<Running> {
        for need in &server.recipe.needs {
            ensure!(started.contains_key(need.get_ref()), "needs {}, which is not running", need.get_ref());
        }
        let doing = self.progress.begin(&server.name);
        let running = Running::start(server, self.roots)?;
        doing.done(format_args!("{} is running", running.version));
        Ok(running)
    }

    /// Tests the targets, several at once.
    fn test(&self, choice: &Choice<'_>, started: &Started, failed: &mut Failed) -> Vec<Row> {
        let rows = Mutex::new(HashMap::new());
        at_once(TESTED_AT_ONCE, &choice.targets, |(server, target)| {
            let begun = Instant::now();
            let running = started.get(&server.name);
            let result = match running {
                Some(running) => {
                    self.test_one(server, target, &running.version).map_err(|error| first_line(&error))
                }
                None => Err(failed.get(&server.name).cloned().unwrap_or_else(|| "not started".to_owned())),
            };
            let row = Row {
                version: running.map_or("-", |running| &running.version).to_owned(),
                target: target.name.clone(),
                result,
                time: begun.elapsed(),
            };
            rows.lock().unwrap_or_else(PoisonError::into_inner).insert(target.name.clone(), row);
        });
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        choice.targets.iter().filter_map(|(_, target)| rows.remove(&target.name)).collect()
    }

    /// Tries the clients, one after the other, because each makes many attempts at once.
    fn try_clients(&self, choice: &Choice<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        for client in &choice.clients {
            let begun = Instant::now();
            let (version, result) = match self.try_client(client) {
                Ok((version, tested)) => (version, Ok(tested)),
                Err(error) => {
                    self.progress.say(format_args!("error: {}: {error:#}", client.name));
                    ("-".to_owned(), Err(first_line(&error)))
                }
            };
            rows.push(Row { version, target: client.name.clone(), result, time: begun.elapsed() });
        }
        rows
    }

    fn try_client(&self, client: &Client) -> Result<(String, Tested)> {
        self.roots.interruption.check()?;
        ensure!(self.roots.has_packages(&client.root), "its packages are not installed");
        let version = client.set_up(self.roots)?;
        let doing = self.progress.begin(&format!("{} {version}, behaviours", client.name));
        let report = |extension: &str| report(&self.roots.folder, &client.name, extension);
        if let Some(folder) = report("jsonl").parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let arguments = |within: OsString| {
            let mut arguments: Vec<OsString> = vec![client.file().into(), "--through".into(), within];
            arguments.extend(["--name".into(), client.name.clone().into()]);
            arguments.extend(["--jsonl".into(), report("jsonl").into()]);
            arguments.extend(["--client-version".into(), version.clone().into()]);
            if let Some(baseline) = client.root.baseline() {
                arguments.extend(["--baseline".into(), baseline.into()]);
            }
            conformance::clients_line(arguments)
        };
        let log = self.roots.log(&client.root.name, "behaviours");
        let command = client.beside(self.roots, arguments);
        let process = Isolated::start(&self.roots.shared, command, &log, Some(&report("txt")))?;
        let status = process.finish(&self.roots.interruption)?;
        let status = status.code().ok_or_else(|| anyhow!("smtp-conformance was killed"))?;
        client.remove(self.roots)?;
        ensure!(
            [0, 1, 3].contains(&status),
            "exit status {status}: {}",
            client.last_lines(self.roots, "behaviours")
        );
        let tested = Tested::read(status, &report("jsonl"))?;
        doing.done(format_args!("{}", counted(tested.errors, "error")));
        Ok((version, tested))
    }

    fn test_one(&self, server: &Server, target: &Target, version: &str) -> Result<Tested> {
        self.roots.interruption.check()?;
        let doing = self.progress.begin(&format!("{}, cases", target.name));
        let report = |extension: &str| report(&self.roots.folder, &target.name, extension);
        let mut arguments: Vec<OsString> = vec![target.file.clone().into(), "--allow".into(), ALLOWED.into()];
        arguments.extend(["--jsonl".into(), report("jsonl").into()]);
        arguments.extend(["--server-version".into(), version.into()]);
        if let Some(baseline) = server.baseline() {
            arguments.extend(["--baseline".into(), baseline.into()]);
        }
        let command = conformance::run_line(arguments);
        let log = self.roots.log(&target.name.replace('/', "-"), "cases");
        let process = Isolated::start(&self.roots.shared, command, &log, Some(&report("txt")))?;
        let status = process.finish(&self.roots.interruption)?;
        let status = status.code().ok_or_else(|| anyhow!("smtp-conformance was killed"))?;
        if ![0, 1, 4].contains(&status) {
            self.progress.say(format_args!("error: {}: {}", target.name, isolated::last_lines(&log)));
            bail!("exit status {status}");
        }
        let tested = Tested::read(status, &report("jsonl"))?;
        doing.done(format_args!(
            "{}, {}, {}",
            counted(tested.errors, "error"),
            counted(tested.warnings, "warning"),
            counted(tested.notes, "note")
        ));
        Ok(tested)
    }
}

/// Returns `1 error` or `2 errors`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Works on all items, up to `many` at once.
fn at_once<T: Sync>(many: usize, all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..many.min(all.len()) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

fn first_line(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}
