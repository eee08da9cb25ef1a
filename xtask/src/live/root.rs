//! Private roots, in three layers: a small Debian for each suite, each server's packages, and what a run writes.
//!
//! The first two layers are kept in `target/live/cache`, so that the next run starts faster.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::interruption::Interruption;
use super::isolated;
use super::server::Server;
use crate::file::{self, MAX_DATA};

/// The location of the roots, and how they are made.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The folder of scripts, `conformance/live/shared`.
    pub shared: PathBuf,
    /// `target/live`.
    pub folder: PathBuf,
    /// Whether layers are mounted with overlayfs; otherwise they are copied.
    pub overlay: bool,
    /// Aborts a step when a signal arrives.
    pub interruption: Interruption,
}

/// How long the base of a suite is reused. After that, the archive may no longer have the packages it lists.
const BASE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Roots {
    /// Prepares `target/live`: makes the cache, and removes what an earlier run left behind.
    pub fn new(root: &Path, interruption: &Interruption) -> Result<Roots> {
        let shared = root.join("conformance/live/shared");
        let mut roots = Roots {
            shared,
            folder: root.join("target/live"),
            overlay: false,
            interruption: interruption.clone(),
        };
        fs::create_dir_all(roots.cache())
            .with_context(|| format!("cannot create {}", roots.cache().display()))?;
        remove(&roots.folder.join("run"))?;
        roots.overlay = roots.can_overlay()?;
        Ok(roots)
    }

    /// Returns the path of the log of a step of a server.
    pub fn log(&self, server: &str, step: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{server}.{step}.log"))
    }

    /// Returns whether the base of a suite is in the cache.
    pub fn has_base(&self, suite: &str) -> bool {
        let made = fs::metadata(self.base(suite)).and_then(|metadata| metadata.modified());
        made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < BASE_AGE))
    }

    /// Makes the base of a suite, unless it is in the cache.
    pub fn make_base(&self, suite: &str) -> Result<()> {
        if self.has_base(suite) {
            return Ok(());
        }
        replace(&self.base(suite), |new| {
            let command = [self.script("base"), suite.into(), new.into(), self.cache().into()];
            isolated::run(&self.shared, command, &self.log(suite, "base"), &self.interruption)
        })
    }

    /// Returns whether the layer with a server's packages is in the cache.
    pub fn has_packages(&self, server: &Server) -> bool {
        file::read_text(&self.layer(server).join("ingredients"), MAX_DATA)
            .is_ok_and(|text| text == self.ingredients(server))
    }

    /// Makes the layer with a server's packages, unless it is in the cache.
    pub fn make_packages(&self, server: &Server) -> Result<()> {
        if self.has_packages(server) {
            return Ok(());
        }
        replace(&self.layer(server), |new| {
            let base = self.base(&server.recipe.suite);
            self.prepare(new, &base)?;
            let recipe = &server.recipe;
            for (script, packages) in
                [("packages", &recipe.packages), ("pip", &recipe.pip), ("npm", &recipe.npm)]
            {
                let mut command = self.mounted(new, &[&base]);
                command.extend([self.script(script), self.cache().into()]);
                command.extend(packages.iter().map(OsString::from));
                if !packages.is_empty() {
                    let log = self.log(&server.name, script);
                    isolated::run(&self.shared, command, &log, &self.interruption).context(script)?;
                }
            }
            if recipe.cargo {
                let mut command = self.mounted(new, &[&base]);
                command.extend([self.script("cargo"), self.cache().into(), server.folder.clone().into()]);
                let log = self.log(&server.name, "cargo");
                isolated::run(&self.shared, command, &log, &self.interruption).context("cargo")?;
            }
            fs::write(new.join("ingredients"), self.ingredients(server))
                .context("cannot write the list of ingredients")
        })
    }

    /// Makes a new root for a run of the server. Next to it, `files` leads to what the run writes, which the suite can
    /// read.
    pub fn make_root(&self, server: &Server) -> Result<()> {
        let folder = self.run(&server.name);
        self.prepare(&folder, &self.layer(server).join("root"))?;
        let link = folder.join("files");
        symlink(if self.overlay { "upper" } else { "root" }, &link)
            .with_context(|| format!("cannot create {}", link.display()))
    }

    /// Returns the command line that runs a command inside the server's root.
    pub fn inside<const N: usize>(&self, server: &Server, command: [&str; N]) -> Vec<OsString> {
        let mut line = self.prepared(server);
        line.push(self.script("within"));
        line.extend(command.map(OsString::from));
        line
    }

    /// Returns the command line that runs a command in the mounts of the server's root, but outside the root. Both share
    /// /tmp. The command is given what begins a command line inside the root.
    pub fn beside(&self, server: &Server, command: impl FnOnce(OsString) -> Vec<OsString>) -> Vec<OsString> {
        let mut line = self.prepared(server);
        line.push(self.script("sharing-tmp"));
        line.extend(command(self.script("within")));
        line
    }

    /// Returns the start of a command line, which mounts the root of a server with the server's folder in it.
    fn prepared(&self, server: &Server) -> Vec<OsString> {
        let layers = [self.layer(server).join("upper"), self.base(&server.recipe.suite)];
        let mut line = self.mounted(&self.run(&server.name), &layers.each_ref().map(PathBuf::as_path));
        line.extend([self.script("prepared"), server.folder.clone().into()]);
        line
    }

    /// Returns the folder of a run of the server.
    pub fn run(&self, server: &str) -> PathBuf {
        self.folder.join("run").join(server)
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    fn base(&self, suite: &str) -> PathBuf {
        self.cache().join("bases").join(suite)
    }

    fn layer(&self, server: &Server) -> PathBuf {
        self.cache().join("layers").join(&server.name)
    }

    /// Returns what the layer is made from. This includes the time at which the base was made.
    fn ingredients(&self, server: &Server) -> String {
        let made =
            fs::metadata(self.base(&server.recipe.suite)).and_then(|metadata| metadata.modified()).ok();
        format!("{}base {made:?}\noverlay {}\n", server.recipe.ingredients(), self.overlay)
    }

    fn script(&self, name: &str) -> OsString {
        self.shared.join(name).into()
    }

    /// Returns the start of a command line. It mounts the root of a folder, and runs what is appended to it.
    fn mounted(&self, folder: &Path, layers: &[&Path]) -> Vec<OsString> {
        let layers: Vec<_> = layers.iter().map(|layer| layer.as_os_str()).collect();
        let layers = if self.overlay { layers.join(":".as_ref()) } else { OsString::new() };
        vec![self.script("mounted"), folder.join("root").into(), layers]
    }

    /// Makes the folder empty. Without overlayfs, copies the layers below into it.
    fn prepare(&self, folder: &Path, copied: &Path) -> Result<()> {
        remove(folder)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        if !self.overlay {
            let status = Command::new("cp").arg("--archive").arg(copied).arg(folder.join("root")).status();
            let status = status.context("cannot run cp")?;
            ensure!(status.success(), "cannot copy {} to {}", copied.display(), folder.display());
        }
        Ok(())
    }

    /// Tries whether overlayfs works here.
    fn can_overlay(&self) -> Result<bool> {
        let folder = self.folder.join("overlay");
        for name in ["lower", "upper", "work", "root"] {
            fs::create_dir_all(folder.join(name))
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let status = Command::new("unshare")
            .current_dir(&folder)
            .args(["--mount", "mount", "-t", "overlay"])
            .args(["-o", "lowerdir=lower,upperdir=upper,workdir=work", "overlay", "root"])
            .stderr(Stdio::null())
            .status();
        remove(&folder)?;
        Ok(status.context("cannot run unshare (Debian: util-linux)")?.success())
    }
}

/// Removes a folder with everything in it, if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Replaces a folder with one that is made next to it. If that fails, the folder is not changed.
fn replace(folder: &Path, make: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let new = folder.with_extension("new");
    remove(&new)?;
    if let Err(error) = make(&new) {
        remove(&new)?;
        return Err(error);
    }
    remove(folder)?;
    fs::rename(&new, folder).with_context(|| format!("cannot rename {}", new.display()))
}
