//! The servers of `conformance/live/`, one folder each.
//!
//! `server.toml` says what a server is made from. `setup`, if it exists, and `start` run inside the server's root.
//! Every other TOML file except `baseline.toml` is a target, as `smtp-conformance run` reads it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use crate::data_file::DataFile;

/// A server that can be set up.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name of its folder.
    pub name: String,
    /// The path of its folder.
    pub folder: PathBuf,
    /// What it is made from.
    pub recipe: Recipe,
    /// Its targets, by name.
    pub targets: Vec<Target>,
}

/// The contents of `server.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The Debian release of its root, such as `bookworm`.
    pub suite: String,
    /// Debian packages.
    pub packages: Vec<String>,
    /// PyPI packages, installed in /srv/python.
    #[serde(default)]
    pub pip: Vec<String>,
    /// npm packages, installed in /srv/node_modules.
    #[serde(default)]
    pub npm: Vec<String>,
    /// Whether the folder has a Cargo package, whose programs are installed in /srv/bin.
    #[serde(default)]
    pub cargo: bool,
    /// Servers that must run before this one starts.
    #[serde(default)]
    pub needs: Vec<Spanned<String>>,
    /// A shell command that prints the version.
    pub version: String,
    /// The addresses where it listens, other than its targets.
    #[serde(default)]
    pub listens: Vec<SocketAddr>,
}

/// A listener to test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The names of the server and of the file: `postfix/mx`.
    pub name: String,
    /// The path of its file.
    pub file: PathBuf,
    /// The address of the listener.
    pub address: SocketAddr,
    /// Whether the server sends something before the client does.
    pub greets: bool,
}

/// The part of a target's file that is needed here.
#[derive(Deserialize)]
struct TargetFile {
    url: Spanned<String>,
}

impl Server {
    /// Reads all servers, sorted by name.
    pub fn all(live: &Path) -> Result<Vec<Server>> {
        let mut servers = Vec::new();
        for folder in entries(live)? {
            if folder.join("server.toml").exists() {
                servers.push(Server::read(&folder)?);
            }
        }
        check_needs(&servers)?;
        Ok(servers)
    }

    fn read(folder: &Path) -> Result<Server> {
        let name = file_name(folder);
        let recipe = Recipe::read(&DataFile::read(&folder.join("server.toml"))?)?;
        let start = folder.join("start");
        ensure!(start.exists(), "{} is missing; it must start the server and not return", start.display());
        let mut targets = Vec::new();
        for file in entries(folder)? {
            let is_toml = file.extension().is_some_and(|extension| extension == "toml");
            if is_toml && !["server.toml", "baseline.toml"].contains(&file_name(&file).as_str()) {
                targets.push(Target::read(&name, &DataFile::read(&file)?, &file)?);
            }
        }
        Ok(Server { name, folder: folder.to_owned(), recipe, targets })
    }

    /// Returns the path of the baseline, if there is one.
    pub fn baseline(&self) -> Option<PathBuf> {
        Some(self.folder.join("baseline.toml")).filter(|file| file.exists())
    }
}

impl Recipe {
    pub(super) fn read(file: &DataFile) -> Result<Recipe> {
        let recipe: Recipe = file.parse()?;
        let is_word = |text: &str| text.bytes().all(|octet| octet.is_ascii_lowercase()) && !text.is_empty();
        if !is_word(&recipe.suite) {
            let error = anyhow!(
                "{:?} is not a Debian release; write its code name, such as `bookworm`",
                recipe.suite
            );
            return Err(file.error(1, &error));
        }
        for address in &recipe.listens {
            if !address.ip().is_loopback() {
                return Err(file.error(1, &anyhow!("{address} in `listens` is not on loopback")));
            }
        }
        Ok(recipe)
    }

    /// Returns what a root is made from. If it changes, the root must be made again.
    pub fn ingredients(&self) -> String {
        let Recipe { suite, packages, pip, npm, cargo, .. } = self;
        format!("{suite}\npackages {packages:?}\npip {pip:?}\nnpm {npm:?}\ncargo {cargo}\n")
    }
}

impl Target {
    fn read(server: &str, text: &DataFile, file: &Path) -> Result<Target> {
        let TargetFile { url } = text.parse()?;
        let line = text.line(url.span().start);
        let (address, greets) = address(url.get_ref()).map_err(|error| text.error(line, &error))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Target { name: format!("{server}/{stem}"), file: file.to_owned(), address, greets })
    }
}

/// Returns the address in a URL, and whether the server sends a greeting there.
fn address(url: &str) -> Result<(SocketAddr, bool)> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let address: SocketAddr = rest.trim_end_matches('/').parse().map_err(|_| {
        anyhow!("{url:?} does not have an address and a port; write smtp://127.0.0.1:25101, for instance")
    })?;
    ensure!(address.ip().is_loopback(), "{address} is not on loopback; servers must listen on loopback only");
    Ok((address, scheme != "smtps"))
}

fn check_needs(servers: &[Server]) -> Result<()> {
    for server in servers {
        for need in &server.recipe.needs {
            if !servers.iter().any(|other| other.name == *need.get_ref()) {
                let file = DataFile::read(&server.folder.join("server.toml"))?;
                let line = file.line(need.span().start);
                let error =
                    anyhow!("there is no server {:?}; `cargo xtask live --list` lists them", need.get_ref());
                return Err(file.error(line, &error));
            }
        }
    }
    Ok(())
}

/// Returns the paths in a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    if paths.is_empty() {
        bail!("{} is empty", folder.display());
    }
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Recipe, Server, Target};
    use crate::data_file::DataFile;

    fn recipe(text: &str) -> Result<Recipe, String> {
        let file = DataFile::new(Path::new("exim/server.toml"), text);
        Recipe::read(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn errors_name_file_and_line() {
        let whole = "suite = \"bookworm\"\npackages = [\"exim4\"]\nversion = \"exim -bV\"\n";
        assert_eq!(recipe(whole).unwrap().packages, ["exim4"]);
        let unknown = recipe(&format!("{whole}port = 25\n")).unwrap_err();
        assert!(unknown.starts_with("exim/server.toml:4: unknown field `port`"), "{unknown}");
        let missing = recipe("suite = \"bookworm\"\nversion = \"\"\n").unwrap_err();
        assert!(missing.contains("missing field `packages`"), "{missing}");
        let elsewhere = recipe(&format!("{whole}listens = [\"192.0.2.1:25\"]\n")).unwrap_err();
        assert!(elsewhere.contains("192.0.2.1:25"), "{elsewhere}");
    }

    #[test]
    fn targets_are_on_loopback() {
        let read = |text: &str| {
            let path = Path::new("exim/mx.toml");
            Target::read("exim", &DataFile::new(path, text), path).map_err(|error| error.to_string())
        };
        let target = read("url = \"lmtp://127.0.0.1:2524\"\n[known]\nvalid = \"a@b\"\n").unwrap();
        assert_eq!((target.name.as_str(), target.address.port(), target.greets), ("exim/mx", 2524, true));
        assert!(!read("url = \"smtps://127.0.0.1:2525\"\n").unwrap().greets);
        for bad in ["smtp://192.0.2.1:25", "smtp://127.0.0.1", "127.0.0.1:25", "smtp://mx.example.org:25"] {
            let error = read(&format!("# An MX.\nurl = \"{bad}\"\n")).unwrap_err();
            assert!(error.starts_with("exim/mx.toml:2: "), "{error}");
        }
    }

    #[test]
    fn every_server_of_the_project_can_be_read() {
        let live = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/live");
        let servers = Server::all(&live).unwrap();
        let mut ports: Vec<_> =
            servers.iter().flat_map(|server| &server.targets).map(|target| target.address).collect();
        ports.extend(servers.iter().flat_map(|server| &server.recipe.listens));
        let count = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), count, "two servers listen on the same address");
    }
}
