//! Private roots: a small Debian of each suite, over it each server's packages, over both what a run writes.
//!
//! The lower two are kept under `target/live/cache`, so that the second time is fast.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::interruption::Interruption;
use super::isolated;
use super::server::Server;
use crate::file::{self, MAX_DATA};

/// Where roots are, and how they are made.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The scripts of `conformance/live/shared`.
    pub shared: PathBuf,
    /// `target/live`.
    pub folder: PathBuf,
    /// Whether folders are laid over each other; otherwise they are copied.
    pub overlay: bool,
    /// What ends every step early.
    pub interruption: Interruption,
}

/// How long the roots of a suite are used: an archive drops what newer packages replace.
const BASE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Roots {
    /// Roots under `target/live`; the cache is made, and what an earlier run left over is removed.
    pub fn new(root: &Path, interruption: &Interruption) -> Result<Roots> {
        let shared = root.join("conformance/live/shared");
        let mut roots = Roots {
            shared,
            folder: root.join("target/live"),
            overlay: false,
            interruption: interruption.clone(),
        };
        fs::create_dir_all(roots.cache())
            .with_context(|| format!("cannot make {}", roots.cache().display()))?;
        remove(&roots.folder.join("run"))?;
        roots.overlay = roots.can_overlay()?;
        Ok(roots)
    }

    /// The file that a step of a server writes what it says to.
    pub fn log(&self, server: &str, step: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{server}.{step}.log"))
    }

    /// Whether the suite's small Debian is there already.
    pub fn has_base(&self, suite: &str) -> bool {
        let made = fs::metadata(self.base(suite)).and_then(|metadata| metadata.modified());
        made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < BASE_AGE))
    }

    /// Makes the suite's small Debian, unless it is there.
    pub fn make_base(&self, suite: &str) -> Result<()> {
        if self.has_base(suite) {
            return Ok(());
        }
        replace(&self.base(suite), |new| {
            let command = [self.script("base"), suite.into(), new.into(), self.cache().into()];
            isolated::run(&self.shared, command, &self.log(suite, "base"), &self.interruption)
        })
    }

    /// Whether the server's packages are there already.
    pub fn has_packages(&self, server: &Server) -> bool {
        file::read_text(&self.layer(server).join("ingredients"), MAX_DATA)
            .is_ok_and(|text| text == self.ingredients(server))
    }

    /// Makes the layer of a server's packages, unless it is there.
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
            fs::write(new.join("ingredients"), self.ingredients(server)).context("the list of ingredients")
        })
    }

    /// Makes an empty root for a run of the server.
    pub fn make_root(&self, server: &Server) -> Result<()> {
        self.prepare(&self.run(&server.name), &self.layer(server).join("root"))
    }

    /// The command line that runs a command inside the server's root.
    pub fn inside<const N: usize>(&self, server: &Server, command: [&str; N]) -> Vec<OsString> {
        let layers = [self.layer(server).join("upper"), self.base(&server.recipe.suite)];
        let mut line = self.mounted(&self.run(&server.name), &layers.each_ref().map(PathBuf::as_path));
        line.extend([self.script("inside"), server.folder.clone().into()]);
        line.extend(command.map(OsString::from));
        line
    }

    /// The folder of a run of the server.
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

    /// What a layer was made of, that of a suite made anew included.
    fn ingredients(&self, server: &Server) -> String {
        let made =
            fs::metadata(self.base(&server.recipe.suite)).and_then(|metadata| metadata.modified()).ok();
        format!("{}base {made:?}\noverlay {}\n", server.recipe.ingredients(), self.overlay)
    }

    fn script(&self, name: &str) -> OsString {
        self.shared.join(name).into()
    }

    /// The command line that runs what follows where the folder's root is whole.
    fn mounted(&self, folder: &Path, layers: &[&Path]) -> Vec<OsString> {
        let layers: Vec<_> = layers.iter().map(|layer| layer.as_os_str()).collect();
        let layers = if self.overlay { layers.join(":".as_ref()) } else { OsString::new() };
        vec![self.script("mounted"), folder.join("root").into(), layers]
    }

    /// Makes the folder anew; with a copy of what would otherwise lie under it.
    fn prepare(&self, folder: &Path, copied: &Path) -> Result<()> {
        remove(folder)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if !self.overlay {
            let status = Command::new("cp").arg("--archive").arg(copied).arg(folder.join("root")).status();
            let status = status.context("cp cannot be run")?;
            ensure!(status.success(), "{} cannot be copied to {}", copied.display(), folder.display());
        }
        Ok(())
    }

    /// Tries whether folders can be laid over each other here.
    fn can_overlay(&self) -> Result<bool> {
        let folder = self.folder.join("overlay");
        for name in ["lower", "upper", "work", "root"] {
            fs::create_dir_all(folder.join(name))
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let status = Command::new("unshare")
            .current_dir(&folder)
            .args(["--mount", "mount", "-t", "overlay"])
            .args(["-o", "lowerdir=lower,upperdir=upper,workdir=work", "overlay", "root"])
            .stderr(Stdio::null())
            .status();
        remove(&folder)?;
        Ok(status.context("unshare cannot be run (Debian: util-linux)")?.success())
    }
}

/// Removes a folder with everything in it, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Replaces a folder by one that is made beside it, or not at all.
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
