//! `cargo xtask conformance`: builds the conformance suite and runs it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Outcome, remark};

/// Runs `smtp-conformance run` with arguments of its own; its exit status becomes this command's.
pub(super) fn run(root: &Path, arguments: &[OsString]) -> Result<Outcome> {
    let status = suite(root, arguments)?.status().context("cargo cannot be run")?;
    match status.code() {
        Some(0) => Ok(Outcome::Done),
        Some(code) => Ok(Outcome::Status(u8::try_from(code).unwrap_or(1))),
        None => bail!("the conformance suite was killed"),
    }
}

/// What the suite says last of its built-in reference server; `None` where conformance/ is not there.
pub(super) fn summary(root: &Path) -> Result<Option<String>> {
    if !root.join("conformance/Cargo.toml").exists() {
        return Ok(None);
    }
    let output = suite(root, &[])?.stderr(Stdio::inherit()).output().context("cargo cannot be run")?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the conformance suite fails against its own reference server:\n{report}");
    }
    let lines: Vec<&str> = report.lines().collect();
    let kept = lines.iter().rposition(|line| line.starts_with("Cases: ")).unwrap_or(lines.len());
    Ok(Some(lines.get(kept..).unwrap_or_default().join("; ")))
}

/// The command that runs the suite, built before: by the workspace's own cargo, as nothing of it is a part of xtask.
fn suite(root: &Path, arguments: &[OsString]) -> Result<Command> {
    // The first time this takes a minute or more, so that cargo's progress is shown.
    remark("building smtp-conformance ...");
    let status = cargo(root).args(BUILD).status().context("cargo cannot be run")?;
    ensure!(status.success(), "smtp-conformance cannot be built; cargo says why above");
    let mut command = cargo(root);
    command.args(RUN).args(arguments);
    Ok(command)
}

const BUILD: [&str; 3] = ["build", "--package", "smtp-conformance"];

const RUN: [&str; 6] = ["run", "--quiet", "--package", "smtp-conformance", "--", "run"];

/// The command line that builds the suite, in the project's root.
pub(super) fn build_line() -> Vec<OsString> {
    line(&BUILD)
}

/// The command line that runs the suite, in the project's root.
pub(super) fn run_line(arguments: Vec<OsString>) -> Vec<OsString> {
    line(&RUN).into_iter().chain(arguments).collect()
}

/// Makes the page of results of these records.
pub(super) fn results(root: &Path, records: &[PathBuf]) -> Result<Vec<u8>> {
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--package", "smtp-conformance", "--", "report"]);
    command.args(["--format", "results"]).args(records).stderr(Stdio::inherit());
    let output = command.output().context("cargo cannot be run")?;
    ensure!(output.status.success(), "smtp-conformance report ended with {}", output.status);
    Ok(output.stdout)
}

/// The workspace's own cargo.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new("env");
    command.current_dir(root).args(arguments_of_env());
    command
}

fn line(arguments: &[&str]) -> Vec<OsString> {
    let arguments = arguments.iter().map(OsString::from);
    ["env".into()].into_iter().chain(arguments_of_env()).chain(arguments).collect()
}

/// What `env` needs to run cargo as a shell would: without what cargo says to xtask about xtask's package. Otherwise cargo
/// builds anew, each time, what depends on these variables, such as ring.
fn arguments_of_env() -> Vec<OsString> {
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let said = names.filter(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_"));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    said.map(|name| format!("--unset={name}").into()).chain([cargo]).collect()
}
