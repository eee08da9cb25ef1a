//! Runs xtask and observes its exit status, its output, the time it takes and the memory it uses.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit status; `None` if it was killed.
    pub(crate) status: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
    /// The time from start to end.
    pub(crate) took: Duration,
    /// Its peak memory in octets, including code; 0 if it ended before it was measured, or if the system does not
    /// report it.
    pub(crate) peak: u64,
}

/// A running process. It is killed when it is dropped, for instance because it takes too long or too much memory.
pub(crate) struct Running {
    child: Child,
    start: Instant,
    stdout: File,
    stderr: File,
}

const PATIENCE: Duration = Duration::from_secs(40);
const MAX_PEAK: u64 = 1 << 30;

impl Running {
    /// Starts a command. Its output goes to files, so that it never waits for a reader.
    pub(crate) fn start(mut command: Command) -> Running {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let start = Instant::now();
        let child = command.spawn().unwrap();
        Running { child, start, stdout, stderr }
    }

    /// Waits until the process ends.
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

    /// Returns the kernel's high-water mark, which includes peaks between two calls.
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
