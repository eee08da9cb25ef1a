//! xtask in a process of its own, watched: how it ends, what it says, how long it takes, how much memory it holds.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit status; none if it was killed.
    pub(crate) status: Option<i32>,
    /// What it said.
    pub(crate) stdout: String,
    /// What it said of errors, and beside its result.
    pub(crate) stderr: String,
    /// From start to end.
    pub(crate) took: Duration,
    /// The most memory it held at a time, in octets, code included; 0 if it ended unseen, or the system does not
    /// tell.
    pub(crate) peak: u64,
}

/// A process that runs. It is killed when it is dropped, and so when it takes too long or too much memory.
pub(crate) struct Running {
    child: Child,
    start: Instant,
    stdout: File,
    stderr: File,
}

const PATIENCE: Duration = Duration::from_secs(40);
const MAX_PEAK: u64 = 1 << 30;

impl Running {
    /// Starts a command. Files take what it says, so that it never waits for a reader.
    pub(crate) fn start(mut command: Command) -> Running {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let start = Instant::now();
        let child = command.spawn().unwrap();
        Running { child, start, stdout, stderr }
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Run {
        let mut peak = 0;
        let status = loop {
            peak = self.peak().unwrap_or_default().max(peak);
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(self.start.elapsed() < PATIENCE, "no end after {PATIENCE:?}");
            assert!(peak < MAX_PEAK, "more than {MAX_PEAK} octets of memory");
            thread::sleep(Duration::from_millis(2));
        };
        Run {
            status: status.code(),
            took: self.start.elapsed(),
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
            peak,
        }
    }

    /// The kernel's own high-water mark, so that no peak between two looks is missed.
    fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command with nothing on its standard input.
pub(crate) fn run(mut command: Command) -> Run {
    command.stdin(Stdio::null());
    Running::start(command).end()
}

fn text(file: &mut File) -> String {
    let mut text = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}
