//! Output files, which a run opens at its start and writes at its end.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A file that is opened before a run and written after it, so that an unwritable path is reported before the first
/// connection.
///
/// Until it is written, an existing file keeps its content. A new file is removed again if nothing is written to it.
pub(super) struct OutputFile {
    path: PathBuf,
    file: Option<File>,
    is_new: bool,
}

impl OutputFile {
    pub(super) fn open(path: &Path) -> Result<OutputFile> {
        let mut is_new = true;
        let mut opened = OpenOptions::new().write(true).create_new(true).open(path);
        if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
            is_new = false;
            opened = OpenOptions::new().write(true).open(path);
        }
        let file = opened.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(OutputFile { path: path.to_owned(), file: Some(file), is_new })
    }

    /// Replaces the content of the file.
    pub(super) fn write(mut self, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        replace(file, write).with_context(|| self.path.display().to_string())
    }
}

fn replace(file: File, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    // A pipe or a device has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    let mut to = BufWriter::new(file);
    write(&mut to)?;
    Ok(to.flush()?)
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if self.is_new && self.file.is_some() {
            // If it cannot be removed, an empty file remains.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use super::OutputFile;

    #[test]
    fn a_file_keeps_its_content_until_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "as it was").expect("a file");
        drop(OutputFile::open(&old).expect("it can be written"));
        drop(OutputFile::open(&new).expect("it can be written"));
        assert_eq!(fs::read_to_string(&old).expect("a file"), "as it was");
        assert!(!new.exists());
        for path in [&old, &new] {
            let file = OutputFile::open(path).expect("it can be written");
            file.write(|to| Ok(to.write_all(b"news")?)).expect("it is written");
            assert_eq!(fs::read_to_string(path).expect("a file"), "news");
        }
        let full = OutputFile::open(Path::new("/dev/full")).expect("a device");
        assert!(full.write(|to| Ok(to.write_all(b"news")?)).is_err());
        assert!(OutputFile::open(&folder.path().join("none/new")).is_err());
    }
}
