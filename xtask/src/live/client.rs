//! The mail clients of `conformance/live/clients/`, one folder each.
//!
//! `recipe.toml` says what a client's root is made from, as `server.toml` does for a server. `setup`, if it exists, runs
//! inside the root. `client.toml` says how the client is started, as `smtp-conformance clients` reads it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::root::{self, Roots};
use super::server::{Recipe, Server};
use super::{isolated, running};
use crate::data_file::DataFile;

/// A client that can be tried.
#[derive(Clone, Debug)]
pub struct Client {
    /// What names it on the command line: `clients/curl`.
    pub name: String,
    /// The root that it runs in.
    pub root: Server,
}

impl Client {
    /// Reads all clients, sorted by name. `clients` is `conformance/live/clients`.
    pub fn all(clients: &Path) -> Result<Vec<Client>> {
        if !clients.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(clients).with_context(|| format!("cannot read {}", clients.display()))?;
        let mut folders: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        folders.retain(|folder| folder.is_dir());
        folders.sort();
        folders.iter().map(|folder| Client::read(folder)).collect()
    }

    fn read(folder: &Path) -> Result<Client> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let recipe = Recipe::read(&DataFile::read(&folder.join("recipe.toml"))?)?;
        let file = folder.join("client.toml");
        ensure!(file.exists(), "{} is missing; it must say how the client is started", file.display());
        let root =
            Server { name: format!("client-{name}"), folder: folder.to_owned(), recipe, targets: Vec::new() };
        Ok(Client { name: format!("clients/{name}"), root })
    }

    /// Returns the path of `client.toml`.
    pub fn file(&self) -> PathBuf {
        self.root.folder.join("client.toml")
    }

    /// Sets the client up in a root of its own, and returns its version.
    pub fn set_up(&self, roots: &Roots) -> Result<String> {
        roots.make_root(&self.root)?;
        running::prepare(&self.root, roots)
    }

    /// Returns the command line that runs a command in the mounts of the root, but outside the root. It is given what
    /// begins a command line within the root.
    pub fn beside(&self, roots: &Roots, command: impl FnOnce(OsString) -> Vec<OsString>) -> Vec<OsString> {
        roots.beside(&self.root, command)
    }

    /// Removes the root.
    pub fn remove(&self, roots: &Roots) -> Result<()> {
        root::remove(&roots.run(&self.root.name))
    }

    /// Returns the last lines of the log of a step, for errors.
    pub fn last_lines(&self, roots: &Roots, step: &str) -> String {
        isolated::last_lines(&roots.log(&self.root.name, step))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Client;

    #[test]
    fn every_client_of_the_project_can_be_read() {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/live/clients");
        let clients = Client::all(&clients).unwrap();
        assert!(clients.iter().any(|client| client.name == "clients/smtplib"), "{clients:?}");
    }
}
