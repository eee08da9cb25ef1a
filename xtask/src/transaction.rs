//! Several files replaced together: all of them or none, whenever the process is killed.
//!
//! New contents are written beside their files and synced; then a journal names them, and from that moment on they
//! count. Renaming them into place can be repeated, so that [`recover`] finishes what a journal names, and removes
//! what no journal names. Every step that touches the disk goes through [`Disk`].

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

/// The steps that change the disk. Contents are durable when they are written, names when their folder is synced.
pub trait Disk {
    /// Creates a folder and those above it.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a new file.
    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()>;
    /// Renames a file over another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes what was created, renamed or removed in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The disk itself.
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

/// What [`recover`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing was left over.
    Clean,
    /// A replacement was finished.
    Finished,
    /// A replacement that did not count yet was removed.
    Undone,
}

/// Keeps other commands from replacing files; gone when dropped or when the process ends.
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, or says that somebody else has it.
    pub fn acquire(root: &Path) -> Result<Lock> {
        let path = root.join(tree::FOLDER).join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}; nothing was changed", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => {
                bail!("another `cargo xtask` command is replacing files; wait for it and try again")
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}; nothing was changed", path.display()))
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is just being started may have a copy of the descriptor.
        let _ = self.file.unlock();
    }
}

/// Replaces all files or none. The caller holds the [`Lock`].
pub fn replace(disk: &dyn Disk, root: &Path, files: &[Replacement], _lock: &Lock) -> Result<()> {
    if journal_path(root).exists() {
        // Somebody was killed between this command's own recovery and its lock.
        bail!("another command was interrupted meanwhile; nothing was changed; run the same again");
    }
    check_targets(root, files).context(UNCHANGED)?;
    if let Err(error) = stage(disk, root, files) {
        // A rename that failed may have been done all the same, and then what is staged counts.
        if journal_path(root).exists() {
            return Err(error.context(UNFINISHED));
        }
        // What was written so far does not count; the next command removes what cannot be removed now.
        for file in files {
            let _ = disk.remove(&staged(&root.join(&file.path)));
        }
        let _ = disk.remove(&staged(&journal_path(root)));
        return Err(error.context(UNCHANGED));
    }
    let names = files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    finish(disk, root, &names).context(UNFINISHED)
}

/// Fails if something else stands where a file has to be replaced.
pub fn check_targets(root: &Path, files: &[Replacement]) -> Result<()> {
    files.iter().try_for_each(|file| check_target(root, &file.path))
}

/// Finishes or undoes what a killed command left over.
pub fn recover(disk: &dyn Disk, root: &Path) -> Result<Recovery> {
    if !journal_path(root).exists() && leftovers(root).is_empty() {
        return Ok(Recovery::Clean);
    }
    let _lock = Lock::acquire(root)?;
    // Looked at again: whoever held the lock may have finished meanwhile.
    let is_counted = journal_path(root).exists();
    if is_counted {
        finish(disk, root, &read_journal(root)?).context(UNFINISHED)?;
    }
    let leftovers = leftovers(root);
    for path in &leftovers {
        disk.remove(path).with_context(|| format!("cannot remove {}", path.display())).context(
            "an interrupted sync is not undone; fix this and run any `cargo xtask` command to undo it",
        )?;
    }
    Ok(match (is_counted, leftovers.is_empty()) {
        (true, _) => Recovery::Finished,
        (false, false) => Recovery::Undone,
        (false, true) => Recovery::Clean,
    })
}

const UNCHANGED: &str = "nothing was changed";
const UNFINISHED: &str =
    "the replacement is not finished; fix this and run any `cargo xtask` command to finish it";

/// The paths that stand in the journal, each with the hash of its new contents.
#[derive(Serialize, Deserialize)]
struct Journal {
    files: Vec<JournalEntry>,
}

#[derive(Serialize, Deserialize)]
struct JournalEntry {
    path: PathBuf,
    sha256: String,
}

/// Writes every new file beside its target, then the journal; once that is in place, the replacement counts.
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

/// Renames what is staged into place and removes the journal.
fn finish(disk: &dyn Disk, root: &Path, paths: &[PathBuf]) -> Result<()> {
    let journal = journal_path(root);
    // The journal must outlast a power cut before anything is in place.
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

/// Reads the journal; every file must be there, staged or in place, with the contents that were meant.
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
            return Err(anyhow!("{} does not hold what the journal says", now.display()))
                .with_context(damaged);
        }
    }
    Ok(journal.files.into_iter().map(|entry| entry.path).collect())
}

/// The folders that targets stay in.
const FOLDERS: [&str; 2] = [tree::FOLDER, render::FOLDER];

/// A target stays in the two folders, and neither a folder nor a link is in its way, nor in that of its folders.
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
            bail!("{} is in the way: it is no {right}; move it", part.display());
        }
    }
    Ok(())
}

/// Syncs the folders of some files, and those above, which may be new themselves.
fn sync_folders<'a>(disk: &dyn Disk, root: &Path, paths: impl Iterator<Item = &'a Path>) -> Result<()> {
    let folders: BTreeSet<&Path> = paths.flat_map(|path| path.ancestors().skip(1)).collect();
    folders.into_iter().try_for_each(|folder| sync_folder(disk, &root.join(folder)))
}

fn sync_folder(disk: &dyn Disk, folder: &Path) -> Result<()> {
    disk.sync_folder(folder).with_context(|| format!("cannot sync {}", folder.display()))
}

/// Files that were staged and never renamed.
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

/// `.name.xtask-new` beside the file.
fn staged(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}{STAGED}"))
}

fn journal_path(root: &Path) -> PathBuf {
    root.join(tree::FOLDER).join(".journal")
}
