//! Runs the program and measures its memory and its time.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    /// The peak of resident memory, in octets. It includes the memory of the test process that starts the program, so
    /// tests that measure must use little memory.
    pub(crate) peak: u64,
    pub(crate) time: Duration,
    pub(crate) report: String,
}

/// Runs the program and measures it. `prlimit` ends the child if its memory grows without bound.
pub(crate) fn measured(folder: &Path, arguments: &[&str]) -> Ended {
    let start = Instant::now();
    let mut child = Command::new("prlimit")
        .arg("--as=8589934592")
        .arg(env!("CARGO_BIN_EXE_smtp-conformance"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("prlimit of util-linux is there");
    let mut report = String::new();
    child.stdout.take().expect("it is piped").read_to_string(&mut report).expect("UTF-8");
    let used = child.wait4().expect("a child");
    Ended { status: used.status.code(), peak: used.rusage.maxrss, time: start.elapsed(), report }
}
