//! Where to read a registry from: a file, an address, a git revision, or the snapshot.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::fetch::{Fetched, Request, Validators, fetch};
use crate::file::{self, MAX_DATA};
use crate::gate;
use crate::quirk::Quirks;
use crate::registry::Registry;
use crate::tree::{FOLDER, SNAPSHOT};

/// The location of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// A file.
    File(PathBuf),
    /// An address: `https`, or `http` on this machine.
    Url(String),
    /// The snapshot in a git revision: `git:HEAD`.
    Git(String),
    /// The snapshot in the working tree.
    Snapshot,
}

impl Revision {
    /// Reads the registry's octets.
    pub fn octets(&self, root: &Path) -> Result<Vec<u8>> {
        match self {
            Revision::File(path) => {
                file::read(path, MAX_DATA).with_context(|| format!("cannot read {}", path.display()))
            }
            Revision::Snapshot => Revision::File(root.join(FOLDER).join(SNAPSHOT)).octets(root),
            Revision::Url(url) => download(url),
            Revision::Git(revision) => git_show(root, revision),
        }
    }

    /// Reads and parses the registry.
    pub fn registry(&self, root: &Path, quirks: &mut Quirks) -> Result<Registry> {
        gate::read(&self.octets(root)?, quirks).map_err(|error| anyhow!("{self}: {error:#}"))
    }
}

impl FromStr for Revision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("git:") {
            // A revision never begins with a hyphen; git would take it for an option.
            Some(revision) if revision.is_empty() || revision.starts_with('-') => {
                Err(format!("{text:?} names no revision; write git:HEAD, for instance"))
            }
            Some(revision) => Ok(Revision::Git(revision.to_owned())),
            None if text == "snapshot" => Ok(Revision::Snapshot),
            None if text.contains("://") => Ok(Revision::Url(text.to_owned())),
            None => Ok(Revision::File(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Revision::File(path) => write!(f, "{}", path.display()),
            Revision::Url(url) => write!(f, "{url}"),
            Revision::Git(revision) => write!(f, "git:{revision}"),
            Revision::Snapshot => write!(f, "snapshot"),
        }
    }
}

/// Downloads a registry as `sync` does.
fn download(url: &str) -> Result<Vec<u8>> {
    let request = Request { url: url.to_owned(), validators: Validators::default(), timeout: TIMEOUT };
    match fetch(&request)? {
        Fetched::Body(octets, _) => Ok(octets),
        Fetched::NotModified => bail!("{url} has no registry; check the address"),
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);

fn git_show(root: &Path, revision: &str) -> Result<Vec<u8>> {
    let object = format!("{revision}:./{FOLDER}/{SNAPSHOT}");
    let size = git(root, &["cat-file", "-s"], &object)?;
    let size: usize =
        String::from_utf8_lossy(&size).trim().parse().context("cannot parse the size that git prints")?;
    ensure!(size <= MAX_DATA, "{object} has {size} octets, but a registry may have {MAX_DATA} at most");
    git(root, &["show"], &object)
}

fn git(root: &Path, command: &[&str], object: &str) -> Result<Vec<u8>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(command).args(["--end-of-options", object]);
    let output = git.output().context("cannot run git; name a file instead of git:REV")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let reason = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    bail!("git has no {object}: {reason}")
}
