//! Runs a client's process, within limits of time and output.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Octets of output that are kept.
const OUTPUT: usize = 64 << 10;

/// How long output may come after the end of the process, from processes that it has started.
const LATE: Duration = Duration::from_millis(200);

/// A client that runs. Its process and all that it has started end when this value is dropped.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    output: JoinHandle<Vec<u8>>,
    errors: JoinHandle<Vec<u8>>,
}

/// How a client's process ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// The exit status, or `None` if a signal ended it.
    pub(super) status: Option<i32>,
    /// What it wrote to standard output, and then to standard error.
    pub(super) output: Vec<u8>,
}

impl Process {
    /// Starts a program with the message as its standard input.
    pub(super) fn start(command: &[OsString], folder: Option<&Path>, input: Vec<u8>) -> Result<Process> {
        let (program, arguments) = command.split_first().ok_or_else(|| anyhow!("the command is empty"))?;
        let mut starting = Command::new(program);
        starting
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = folder {
            starting.current_dir(folder);
        }
        let mut child =
            starting.spawn().with_context(|| format!("cannot run {}", program.to_string_lossy()))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(mut stdin) = child.stdin.take() {
            // A client that takes its message from a file need not read this one.
            tokio::spawn(async move { stdin.write_all(&input).await });
        }
        let output = tokio::spawn(kept(child.stdout.take()));
        let errors = tokio::spawn(kept(child.stderr.take()));
        Ok(Process { child, group, output, errors })
    }

    /// Waits until the process ends.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context("cannot wait for the client")
    }

    /// Returns the exit status and the output of a process that has ended, or ends it.
    pub(super) async fn conclude(mut self) -> Ended {
        let status = self.child.try_wait().ok().flatten();
        if status.is_none() {
            self.kill();
        }
        let mut ended = Ended { status: status.and_then(|status| status.code()), output: Vec::new() };
        for reading in [&mut self.output, &mut self.errors] {
            match timeout(LATE, &mut *reading).await {
                Ok(octets) => ended.output.extend(octets.unwrap_or_default()),
                Err(_) => reading.abort(),
            }
        }
        ended
    }

    fn kill(&mut self) {
        if let Some(group) = self.group {
            // It fails if all have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end, and returns the first octets.
async fn kept(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut octets = Vec::new();
    let Some(mut from) = from else { return octets };
    let mut block = vec![0; 8 << 10];
    while let Ok(length @ 1..) = from.read(&mut block).await {
        let room = OUTPUT.saturating_sub(octets.len()).min(length);
        octets.extend_from_slice(block.get(..room).unwrap_or_default());
    }
    octets
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn command(script: &str) -> Vec<OsString> {
        ["sh", "-c", script].map(OsString::from).to_vec()
    }

    #[tokio::test]
    async fn status_and_output_are_kept() {
        let mut process =
            Process::start(&command("cat; echo no >&2; exit 75"), None, b"in ".to_vec()).expect("it starts");
        process.ended().await.expect("it ends");
        let ended = process.conclude().await;
        assert_eq!(ended.status, Some(75));
        assert_eq!(ended.output, b"in no\n");
    }

    #[tokio::test]
    async fn a_process_is_ended_with_its_children() {
        let begun = Instant::now();
        let process = Process::start(&command("sleep 30 & sleep 30"), None, Vec::new()).expect("it starts");
        let ended = process.conclude().await;
        assert_eq!(ended.status, None);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn endless_output_takes_no_memory() {
        let process = Process::start(&command("yes & sleep 0.2; kill $!"), None, Vec::new());
        let mut process = process.expect("it starts");
        process.ended().await.expect("it ends");
        assert_eq!(process.conclude().await.output.len(), OUTPUT);
    }
}
