//! `cargo xtask conformance`: builds and runs the conformance suite.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Outcome, remark};

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask conformance
      Test the built-in reference server.
  cargo xtask conformance smtp://127.0.0.1:2501
      Test a server.
  cargo xtask conformance target.toml --jsonl records.jsonl
      Test the server that a file describes, and keep the records.";

/// Runs `smtp-conformance run` with these arguments, and returns its exit status.
pub(super) fn run(root: &Path, arguments: &[OsString]) -> Result<Outcome> {
    let status = suite(root, arguments)?.status().context("cannot run cargo")?;
    match status.code() {
        Some(0) => Ok(Outcome::Done),
        Some(code) => Ok(Outcome::Status(u8::try_from(code).unwrap_or(1))),
        None => bail!("the conformance suite was killed"),
    }
}

/// Tests the built-in reference server, and returns the end of the report; `None` if conformance/ does not exist.
pub(super) fn summary(root: &Path) -> Result<Option<String>> {
    if !root.join("conformance/Cargo.toml").exists() {
        return Ok(None);
    }
    let output = suite(root, &[])?.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the conformance suite reports failures of its own reference server:\n{report}");
    }
    let lines: Vec<&str> = report.lines().collect();
    // They count rules and cases.
    let last = lines.len().saturating_sub(2);
    Ok(Some(lines.get(last..).unwrap_or_default().join("; ")))
}

/// Builds the suite and returns the command that runs it. Both use cargo, because xtask does not depend on the suite.
fn suite(root: &Path, arguments: &[OsString]) -> Result<Command> {
    // The first build takes a minute or more, so cargo shows its progress.
    remark("building smtp-conformance ...");
    let status = cargo(root).args(BUILD).status().context("cannot run cargo")?;
    ensure!(status.success(), "cannot build smtp-conformance; see cargo's error above");
    let mut command = cargo(root);
    command.args(RUN).args(arguments);
    Ok(command)
}

const BUILD: [&str; 3] = ["build", "--package", "smtp-conformance"];

const RUN: [&str; 6] = ["run", "--quiet", "--package", "smtp-conformance", "--", "run"];

/// Returns the command line that builds the suite, to run in the project's root.
pub(super) fn build_line() -> Vec<OsString> {
    line(&BUILD)
}

/// Returns the command line that runs the suite, to run in the project's root.
pub(super) fn run_line(arguments: Vec<OsString>) -> Vec<OsString> {
    line(&RUN).into_iter().chain(arguments).collect()
}

/// Returns the command line that tries a client, to run in the project's root.
pub(super) fn clients_line(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut line = line(&RUN);
    line.pop();
    line.push("clients".into());
    line.into_iter().chain(arguments).collect()
}

/// Makes a report in a format from these records.
pub(super) fn report(root: &Path, format: &str, records: &[PathBuf]) -> Result<Vec<u8>> {
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--package", "smtp-conformance", "--", "report"]);
    command.args(["--format", format]).args(records).stderr(Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "smtp-conformance report ended with {}", output.status);
    Ok(output.stdout)
}

/// Returns a command that runs cargo in the workspace.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new("env");
    command.current_dir(root).args(arguments_of_env());
    command
}

fn line(arguments: &[&str]) -> Vec<OsString> {
    let arguments = arguments.iter().map(OsString::from);
    ["env".into()].into_iter().chain(arguments_of_env()).chain(arguments).collect()
}

/// Returns the arguments with which `env` runs cargo as from a shell, without the variables that cargo set for xtask.
/// Otherwise cargo would rebuild crates that depend on these variables, such as ring, every time.
fn arguments_of_env() -> Vec<OsString> {
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let set = names.filter(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_"));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    set.map(|name| format!("--unset={name}").into()).chain([cargo]).collect()
}
