//! Replaces several files together: all of them or none, even if the process is killed.
//!
//! The new contents are written next to the files they replace, and synced. Then a journal that lists them is written,
//! which commits the replacement. After that, they are renamed into place. Renaming can be repeated, so [`recover`]
//! finishes a replacement that has a journal, and removes the files of one that has none. Every step that touches the
//! disk goes through [`Disk`].

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::file::{self, MAX_DATA, MAX_PRODUCT};
use crate::render;
use crate::snapshot::sha256;
use crate::tree::{self, Replacement};

/// The operations that change the disk. Contents are durable once they are written, names once their folder is synced.
pub trait Disk {
    /// Creates a folder and its parents.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a new file.
    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()>;
    /// Renames a file over another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the creation, renaming and removal of files in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The real disk.
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(contents)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }
}

/// What [`recover`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing, because no replacement was interrupted.
    Clean,
    /// It finished a replacement.
    Finished,
    /// It removed the files of a replacement that was not committed.
    Undone,
}

/// Keeps other commands from replacing files, until it is dropped or the process ends.
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock. Fails if another command has it.
    pub fn acquire(root: &Path) -> Result<Lock> {
        let path = root.join(tree::FOLDER).join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}; nothing was changed", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another `cargo xtask` command is replacing files; wait until it has finished, and try again"
                )
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}; nothing was changed", path.display()))
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough, because a process that is just being started may have a copy of the
        // descriptor.
        let _ = self.file.unlock();
    }
}

/// Replaces all the files or none. The caller must hold the [`Lock`].
pub fn replace(disk: &dyn Disk, root: &Path, files: &[Replacement], _lock: &Lock) -> Result<()> {
    if journal_path(root).exists() {
        // Another command was killed after this one ran `recover` and before it took the lock.
        bail!("another command was interrupted meanwhile; nothing was changed; run the same command again");
    }
    check_targets(root, files).context(UNCHANGED)?;
    if let Err(error) = stage(disk, root, files) {
        // A rename that reported an error may have been done. In that case, the replacement is committed.
        if journal_path(root).exists() {
            return Err(error.context(UNFINISHED));
        }
        // The replacement is not committed. If a file cannot be removed now, the next command will remove it.
        for file in files {
            let _ = disk.remove(&staged(&root.join(&file.path)));
        }
        let _ = disk.remove(&staged(&journal_path(root)));
        return Err(error.context(UNCHANGED));
    }
    let names = files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    finish(disk, root, &names).context(UNFINISHED)
}

/// Fails if something that is not a regular file is in the place of one of the files.
pub fn check_targets(root: &Path, files: &[Replacement]) -> Result<()> {
    files.iter().try_for_each(|file| check_target(root, &file.path))
}

/// Finishes or undoes a replacement that was interrupted.
pub fn recover(disk: &dyn Disk, root: &Path) -> Result<Recovery> {
    if !journal_path(root).exists() && leftovers(root).is_empty() {
        return Ok(Recovery::Clean);
    }
    let _lock = Lock::acquire(root)?;
    // Checks again, because the command that held the lock may have finished meanwhile.
    let is_committed = journal_path(root).exists();
    if is_committed {
        finish(disk, root, &read_journal(root)?).context(UNFINISHED)?;
    }
    let leftovers = leftovers(root);
    for path in &leftovers {
        disk.remove(path).with_context(|| format!("cannot remove {}", path.display())).context(
            "an interrupted sync could not be undone; fix this and run any `cargo xtask` command to undo it",
        )?;
    }
    Ok(match (is_committed, leftovers.is_empty()) {
        (true, _) => Recovery::Finished,
        (false, false) => Recovery::Undone,
        (false, true) => Recovery::Clean,
    })
}

const UNCHANGED: &str = "nothing was changed";
const UNFINISHED: &str =
    "the replacement is not finished; fix this and run any `cargo xtask` command to finish it";

/// The journal: the paths to replace, each with the hash of its new contents.
#[derive(Serialize, Deserialize)]
struct Journal {
    files: Vec<JournalEntry>,
}

#[derive(Serialize, Deserialize)]
struct JournalEntry {
    path: PathBuf,
    sha256: String,
}

/// Writes each new file next to its target, then the journal. Once that is in place, the replacement is committed.
fn stage(disk: &dyn Disk, root: &Path, files: &[Replacement]) -> Result<()> {
    for Replacement { path, contents } in files {
        let target = root.join(path);
        let folder = target.parent().unwrap_or(root);
        disk.create_folder(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let staged = staged(&target);
        disk.write(&staged, contents).with_context(|| format!("cannot write {}", staged.display()))?;
    }
    sync_folders(disk, root, files.iter().map(|file| file.path.as_path()))?;
    let entries = files
        .iter()
        .map(|Replacement { path, contents }| JournalEntry { path: path.clone(), sha256: sha256(contents) });
    let journal = serde_json::to_vec_pretty(&Journal { files: entries.collect() })?;
    let path = journal_path(root);
    let write = || -> io::Result<()> {
        disk.write(&staged(&path), &journal)?;
        disk.rename(&staged(&path), &path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Renames the staged files into place and removes the journal.
fn finish(disk: &dyn Disk, root: &Path, paths: &[PathBuf]) -> Result<()> {
    let journal = journal_path(root);
    // The journal must be durable before the first file is replaced.
    sync_folder(disk, &root.join(tree::FOLDER))?;
    for path in paths {
        let target = root.join(path);
        if staged(&target).exists() {
            disk.rename(&staged(&target), &target)
                .with_context(|| format!("cannot replace {}", target.display()))?;
        }
    }
    sync_folders(disk, root, paths.iter().map(PathBuf::as_path))?;
    disk.remove(&journal).with_context(|| format!("cannot remove {}", journal.display()))?;
    sync_folder(disk, &root.join(tree::FOLDER))
}

/// Reads the journal. Fails unless every file is there, staged or in place, with the contents that the journal names.
fn read_journal(root: &Path) -> Result<Vec<PathBuf>> {
    let path = journal_path(root);
    let damaged = || {
        let (path, [registry, generated]) = (path.display(), FOLDERS);
        format!("{path} is damaged; delete it and restore {registry}/ and {generated}/ with git")
    };
    let text = file::read(&path, MAX_DATA)
        .with_context(|| format!("cannot read {}", path.display()))
        .with_context(damaged)?;
    let journal: Journal = serde_json::from_slice(&text).with_context(damaged)?;
    for JournalEntry { path, sha256: expected } in &journal.files {
        check_target(root, path).with_context(damaged)?;
        let target = root.join(path);
        let now = if staged(&target).exists() { staged(&target) } else { target };
        let octets = file::read(&now, MAX_PRODUCT)
            .with_context(|| format!("cannot read {}", now.display()))
            .with_context(damaged)?;
        if sha256(&octets) != *expected {
            return Err(anyhow!("{} does not have the contents that the journal names", now.display()))
                .with_context(damaged);
        }
    }
    Ok(journal.files.into_iter().map(|entry| entry.path).collect())
}

/// The folders that files may be replaced in.
const FOLDERS: [&str; 2] = [tree::FOLDER, render::FOLDER];

/// Fails if the target is outside the two folders, if it exists and is not a regular file, or if one of its parents
/// exists and is not a folder. Links count as neither.
fn check_target(root: &Path, path: &Path) -> Result<()> {
    let mut components = path.components();
    let below =
        components.next().is_some_and(|first| FOLDERS.iter().any(|folder| first.as_os_str() == *folder));
    if !below || !components.all(|component| matches!(component, Component::Normal(_))) {
        bail!("{} is outside {}/ and {}/", path.display(), tree::FOLDER, render::FOLDER);
    }
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        let Ok(data) = fs::symlink_metadata(root.join(part)) else { continue };
        let (is_right, right) =
            if part == path { (data.is_file(), "regular file") } else { (data.is_dir(), "folder") };
        if !is_right {
            bail!("{} is in the way, because it is not a {right}; move it", part.display());
        }
    }
    Ok(())
}

/// Syncs the folders of some files and their parents, which may be new too.
fn sync_folders<'a>(disk: &dyn Disk, root: &Path, paths: impl Iterator<Item = &'a Path>) -> Result<()> {
    let folders: BTreeSet<&Path> = paths.flat_map(|path| path.ancestors().skip(1)).collect();
    folders.into_iter().try_for_each(|folder| sync_folder(disk, &root.join(folder)))
}

fn sync_folder(disk: &dyn Disk, folder: &Path) -> Result<()> {
    disk.sync_folder(folder).with_context(|| format!("cannot sync {}", folder.display()))
}

/// Returns the files that were staged and not renamed.
fn leftovers(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(tree::FOLDER), root.join(render::FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                folders.push(entry.path());
            } else if entry.file_name().as_encoded_bytes().ends_with(STAGED.as_bytes()) {
                found.push(entry.path());
            }
        }
    }
    found
}

const STAGED: &str = ".xtask-new";

/// Returns the path where a file is staged: `.name.xtask-new`, next to it.
fn staged(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{STAGED}"))
}

fn journal_path(root: &Path) -> PathBuf {
    root.join(tree::FOLDER).join(".journal")
}
