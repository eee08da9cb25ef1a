//! Runs commands in namespaces of their own: when a command ends, so do its processes and its mounts.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::interruption::Interruption;
use crate::file;

/// A running command. Dropping it ends the command and its processes.
#[derive(Debug)]
pub struct Isolated {
    child: Child,
    /// The command ends when this pipe is closed.
    lifeline: Option<ChildStdin>,
}

/// The time limit for a step; only one that hangs takes longer.
const LIMIT: Duration = Duration::from_secs(900);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// How long to wait for the processes to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of lines of a log that an error shows.
const LAST_LINES: usize = 15;
const END: u64 = 16 << 10;

impl Isolated {
    /// Starts a command, a program with its arguments. Its output goes to the log; if `output` is set, standard output
    /// goes to that file instead.
    pub fn start<I>(shared: &Path, command: I, log: &Path, output: Option<&Path>) -> Result<Isolated>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let log = created(log)?;
        let output = match output {
            Some(output) => created(output)?,
            None => log.try_clone().context("cannot duplicate the log's descriptor")?,
        };
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--mount",
            "--mount-proc",
            "--uts",
            "--ipc",
            "--pid",
            "--fork",
            "--kill-child=SIGKILL",
        ]);
        unshare.arg(shared.join("until-input-ends")).args(command);
        unshare.stdin(Stdio::piped()).stdout(output).stderr(log);
        // On a terminal, Ctrl-C must reach only this process, which then stops the others in order.
        std::os::unix::process::CommandExt::process_group(&mut unshare, 0);
        let mut child = unshare.spawn().context("cannot run unshare (Debian: util-linux)")?;
        let lifeline = child.stdin.take();
        Ok(Isolated { child, lifeline })
    }

    /// Returns the exit status if the command has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot wait for a child process")
    }

    /// Waits until the command ends. Fails if it takes too long or a signal arrives.
    pub fn finish(mut self, interruption: &Interruption) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            interruption.check()?;
            if started.elapsed() > LIMIT {
                bail!("not done after {} s", LIMIT.as_secs());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Lets the command run on after this process ends, and returns its process id.
    pub fn keep(mut self) -> Result<u32> {
        if let Some(mut lifeline) = self.lifeline.take() {
            lifeline.write_all(b"keep\n").context("the command has closed its standard input")?;
        }
        Ok(self.child.id())
    }

    fn end(&mut self) {
        let kept = self.lifeline.take().is_none();
        let started = Instant::now();
        while !kept && started.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        if !kept {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Isolated {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a step to its end. If it fails, the error has the last lines of its log.
pub fn run<I>(shared: &Path, command: I, log: &Path, interruption: &Interruption) -> Result<()>
where
    I: IntoIterator,
    I::Item: AsRef<OsStr>,
{
    let status = Isolated::start(shared, command, log, None)?.finish(interruption)?;
    if !status.success() {
        bail!("it ended with {status}\n{}", last_lines(log));
    }
    Ok(())
}

/// Returns the last lines of a log, for an error.
pub fn last_lines(log: &Path) -> String {
    let text = file::read_end(log, END).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
    if last.is_empty() {
        return format!("{} is empty", log.display());
    }
    format!("{} ends with\n  {}", log.display(), last.join("\n  "))
}

fn created(file: &Path) -> Result<File> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    File::create(file).with_context(|| format!("cannot write {}", file.display()))
}
