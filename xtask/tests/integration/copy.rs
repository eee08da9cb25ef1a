//! A copy of the project in a temporary folder, for tests that change or render it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask::snapshot::sha256;

/// A copy of some folders and files of the project.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    /// Copies what `render` reads and writes.
    pub(crate) fn to_render() -> Copy {
        Copy::of(&["Cargo.toml", "registry", "generated", "src"])
    }

    /// Copies files and folders, whose paths are relative to the project's root.
    pub(crate) fn of(paths: &[&str]) -> Copy {
        let folder = TempDir::new().unwrap();
        for path in paths {
            copy(&crate::support::root().join(path), &folder.path().join(path));
        }
        Copy { folder }
    }

    /// Returns the copy's root.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a path in the copy.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Replaces a text in a file. Fails if the file does not have it.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        fs::write(self.path(path), text.replacen(from, to, 1)).unwrap();
    }

    /// Confirms the proposals of `sync --propose`. Returns how many there are.
    pub(crate) fn confirm(&self) -> usize {
        let mut count = 0;
        for name in ["annotations.toml", "reply-codes.toml", "advice.toml"] {
            let path = self.path("registry").join(name);
            let text = fs::read_to_string(&path).unwrap();
            count += text.matches("review = true\n").count();
            fs::write(&path, text.replace("review = true\n", "")).unwrap();
        }
        count
    }

    /// Replaces the snapshot with a registry, and writes its record.
    pub(crate) fn replace_snapshot(&self, xml: &str, updated: &str, origin: &str) {
        fs::write(self.path("registry/smtp-enhanced-status-codes.xml"), xml).unwrap();
        let record = format!(
            "origin = \"{origin}\"\nurl = \"https://www.iana.org/\"\nsha256 = \"{}\"\nsize = {}\nupdated = \"{updated}\"\n",
            sha256(xml.as_bytes()),
            xml.len()
        );
        fs::write(self.path("registry/snapshot.toml"), record).unwrap();
    }

    /// Runs xtask on the copy.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Returns the command that [`Copy::xtask`] runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(self.root()).args(arguments);
        command
    }

    /// Returns every file in a folder with its contents, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path(folder), &mut files);
        files.sort();
        files
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
}
