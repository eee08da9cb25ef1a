//! A running server.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::isolated::{self, Isolated};
use super::root::{self, Roots};
use super::server::Server;
use crate::file::{self, MAX_DATA};

/// A server that runs in its root. Dropping it stops the server and removes the root.
#[derive(Debug)]
pub struct Running {
    /// The version that it reports.
    pub version: String,
    /// `None` if it is to run on.
    process: Option<Isolated>,
    folder: PathBuf,
}

/// How long a server may take to start or to stop.
const START: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);
/// How long a server may take to send its greeting; some wait on purpose.
const GREETING: Duration = Duration::from_secs(12);
/// The file with the process id of a server that runs on.
const KEPT: &str = "kept";

impl Running {
    /// Sets the server up in a root of its own, starts it, and waits until all its listeners answer.
    pub fn start(server: &Server, roots: &Roots) -> Result<Running> {
        for (address, _) in listeners(server) {
            let is_free = TcpStream::connect_timeout(&address, GREETING).is_err();
            ensure!(is_free, "something else is listening on {address}; stop it, and try again");
        }
        let mut running = Running { version: String::new(), process: None, folder: roots.run(&server.name) };
        roots.make_root(server)?;
        running.version = prepare(server, roots)?;
        let log = roots.log(&server.name, "start");
        let mut process = Isolated::start(&roots.shared, roots.inside(server, ["./start"]), &log, None)?;
        let ready = wait_for(server, &mut process, roots);
        running.process = Some(process);
        ready.map_err(|error| anyhow!("start: {error:#}\n{}", isolated::last_lines(&log)))?;
        Ok(running)
    }

    /// Lets the server run on after this process ends, until [`stop_kept`].
    pub fn keep(mut self) -> Result<()> {
        if let Some(process) = self.process.take() {
            let id = process.keep()?;
            let file = self.folder.join(KEPT);
            fs::write(&file, id.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        }
        self.folder = PathBuf::new();
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process = None;
        if !self.folder.as_os_str().is_empty() {
            // If it cannot be removed now, the next run will remove it.
            let _ = root::remove(&self.folder);
        }
    }
}

/// Runs `setup` in a root, and returns the version of what it holds.
pub fn prepare(server: &Server, roots: &Roots) -> Result<String> {
    if server.folder.join("setup").exists() {
        let log = roots.log(&server.name, "setup");
        isolated::run(&roots.shared, roots.inside(server, ["./setup"]), &log, &roots.interruption)
            .context("setup")?;
    }
    let log = roots.log(&server.name, "version");
    let command = roots.inside(server, ["sh", "-c", &server.recipe.version]);
    isolated::run(&roots.shared, command, &log, &roots.interruption).context("version")?;
    let said = file::read_text(&log, MAX_DATA).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(said.lines().last().unwrap_or_default().trim().to_owned())
}

/// Returns the names of the servers that an earlier command left running.
pub fn kept(folder: &Path) -> Vec<String> {
    let runs = fs::read_dir(folder.join("run")).into_iter().flatten().flatten();
    let mut names: Vec<String> = runs
        .filter(|run| process_of(&run.path()).is_some())
        .map(|run| run.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Stops a server that an earlier command left running, and removes its root.
pub fn stop_kept(folder: &Path, name: &str) -> Result<()> {
    let folder = folder.join("run").join(name);
    if let Some(id) = process_of(&folder) {
        // Kills the first process in the namespaces. The process outside ends when all of those have.
        let children = PathBuf::from(format!("/proc/{id}/task/{id}/children"));
        let children = file::read_text(&children, MAX_DATA).unwrap_or_default();
        for child in
            children.split_whitespace().filter_map(|child| child.parse().ok()).filter_map(Pid::from_raw)
        {
            kill_process(child, Signal::KILL).with_context(|| format!("cannot kill process {child:?}"))?;
        }
        let started = Instant::now();
        while process_of(&folder).is_some() {
            ensure!(started.elapsed() < START, "process {id} does not end");
            thread::sleep(LOOK);
        }
    }
    root::remove(&folder)
}

/// Returns the process id of a server that was left running. Ids are reused, so its command line must name this folder.
fn process_of(folder: &Path) -> Option<u32> {
    let id: u32 = file::read_text(&folder.join(KEPT), MAX_DATA).ok()?.trim().parse().ok()?;
    let line = file::read(&PathBuf::from(format!("/proc/{id}/cmdline")), MAX_DATA).ok()?;
    let root = folder.join("root");
    let is_ours = line.split(|octet| *octet == 0).any(|word| word == root.as_os_str().as_encoded_bytes());
    is_ours.then_some(id)
}

/// Returns the addresses where the server listens, each with whether it sends a greeting there.
fn listeners(server: &Server) -> impl Iterator<Item = (SocketAddr, bool)> {
    let untested = server.recipe.listens.iter().map(|address| (*address, false));
    untested.chain(server.targets.iter().map(|target| (target.address, target.greets)))
}

fn wait_for(server: &Server, process: &mut Isolated, roots: &Roots) -> Result<()> {
    let started = Instant::now();
    for (address, greets) in listeners(server) {
        while !answers(address, greets) {
            roots.interruption.check()?;
            if let Some(status) = process.ended()? {
                bail!("it ended with {status}");
            }
            ensure!(started.elapsed() < START, "nothing answers at {address} after {} s", START.as_secs());
            thread::sleep(LOOK);
        }
    }
    Ok(())
}

fn answers(address: SocketAddr, greets: bool) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, GREETING) else {
        return false;
    };
    !greets
        || (stream.set_read_timeout(Some(GREETING)).is_ok()
            && matches!(stream.read(&mut [0]), Ok(octets) if octets > 0))
}
