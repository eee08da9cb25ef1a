//! Mailboxes: a Maildir, or a file in mbox format. Nothing in them is changed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

use super::Kept;
use crate::dialogue::arrival::Arrival;
use crate::limits::{ARRIVAL_OCTETS, MAILDIR_FILES, MBOX_OCTETS};

/// How much earlier than the run a message may seem to have been written, because clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

/// A mailbox, and what it had when the run began.
pub(super) enum Mailbox {
    /// The folder, and the earliest time of the files to read.
    Maildir(PathBuf, SystemTime),
    /// The file, and its length in octets.
    Mbox(PathBuf, u64),
}

impl Mailbox {
    /// Notes the time. The folder may come into being later.
    ///
    /// # Errors
    ///
    /// If the path is not a folder.
    pub(super) fn maildir(path: &Path) -> Result<Mailbox> {
        files(path)?;
        let now = SystemTime::now();
        Ok(Mailbox::Maildir(path.to_owned(), now.checked_sub(COARSE).unwrap_or(now)))
    }

    /// Notes the length. The file may come into being later.
    ///
    /// # Errors
    ///
    /// If the path is not a file, or if its length cannot be read.
    pub(super) fn mbox(path: &Path) -> Result<Mailbox> {
        let length = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Ok(Mailbox::Mbox(path.to_owned(), length))
    }

    /// Returns the messages that came since then and whose header section has a marker.
    ///
    /// # Errors
    ///
    /// If the mailbox cannot be read.
    pub(super) fn arrivals(&self, nonce: &str) -> Result<Vec<Arrival>> {
        let mut kept = Kept::default();
        match self {
            Mailbox::Maildir(folder, since) => {
                for path in files(folder)? {
                    if let Some(octets) = message(&path, *since)? {
                        kept.add(nonce, Arrival { octets, ..Arrival::default() });
                    }
                }
            }
            Mailbox::Mbox(path, start) => {
                for octets in messages(&new_octets(path, *start)?) {
                    kept.add(nonce, Arrival { octets, ..Arrival::default() });
                }
            }
        }
        Ok(kept.arrivals)
    }
}

/// Returns the files in `new` and `cur`, in the order of their names, and at most [`MAILDIR_FILES`] of each.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in ["new", "cur"] {
        let folder = folder.join(name);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| folder.display().to_string()),
        };
        files.extend(entries.take(MAILDIR_FILES).filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    Ok(files)
}

/// Returns the message in a file. `None` if it is old, too long, gone, or not a regular file.
fn message(path: &Path, since: SystemTime) -> Result<Option<Vec<u8>>> {
    let read = || -> io::Result<_> {
        let metadata = fs::symlink_metadata(path)?;
        let is_new = metadata.modified().is_ok_and(|modified| modified >= since);
        if !metadata.is_file() || !is_new || metadata.len() > ARRIVAL_OCTETS as u64 {
            return Ok(None);
        }
        let mut octets = Vec::new();
        File::open(path)?.take(ARRIVAL_OCTETS as u64).read_to_end(&mut octets)?;
        Ok(Some(octets))
    };
    match read() {
        // A mail reader may move a message from `new` to `cur` at any time.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        message => message.with_context(|| path.display().to_string()),
    }
}

/// Returns what was added to a file, or all of it if it is shorter than it was.
fn new_octets(path: &Path, start: u64) -> Result<Vec<u8>> {
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let start = if file.metadata()?.len() < start { 0 } else { start };
        file.seek(SeekFrom::Start(start))?;
        let mut octets = Vec::new();
        file.take(MBOX_OCTETS).read_to_end(&mut octets)?;
        Ok(octets)
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        octets => octets.with_context(|| path.display().to_string()),
    }
}

/// Splits a file in mbox format into messages (RFC 4155, Appendix A). Each begins with a line `From `, which is left
/// out, and ends with an empty line, which is left out too.
fn messages(file: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    for line in file.split_inclusive(|octet| *octet == b'\n') {
        if after_empty && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            message.extend_from_slice(line);
        }
        after_empty = line == b"\n";
    }
    for message in &mut messages {
        if message.ends_with(b"\n\n") {
            message.pop();
        }
    }
    messages.retain(|message| message.len() <= ARRIVAL_OCTETS);
    messages
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::{ARRIVAL_OCTETS, Mailbox, messages};

    const NEW: &str = "Message-ID: <nonce-000001>\n\nnew\n";

    fn found(mailbox: &Mailbox) -> Vec<String> {
        let arrivals = mailbox.arrivals("nonce-").expect("it can be read");
        arrivals.iter().map(|arrival| String::from_utf8_lossy(&arrival.octets).into_owned()).collect()
    }

    #[test]
    fn only_new_messages_of_a_maildir_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let mailbox = Mailbox::maildir(folder.path()).expect("it is a folder");
        assert_eq!(found(&mailbox), [""; 0], "the folders are missing");
        for name in ["new", "cur", "tmp"] {
            fs::create_dir(folder.path().join(name)).expect("it can be made");
        }
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("it can be written");
            path
        };
        write("new/2", NEW);
        write("cur/1:2,S", &NEW.replace("new", "seen"));
        write("tmp/3", NEW);
        write("new/4", "Message-ID: <other@example.org>\n\n");
        write("new/5", &NEW.repeat(ARRIVAL_OCTETS / NEW.len() + 1));
        let old = write("new/6", NEW);
        let file = File::options().write(true).open(&old).expect("it can be opened");
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("the time can be set");
        std::os::unix::fs::symlink(folder.path().join("tmp/3"), folder.path().join("new/7")).expect("a link");
        assert_eq!(found(&mailbox), [NEW.replace("new", "seen"), NEW.to_owned()]);
        assert!(Mailbox::maildir(&old).is_err(), "it is a file");
    }

    #[test]
    fn only_what_is_added_to_an_mbox_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mbox");
        let entry = |text: &str| format!("From bob@example.org Mon Nov 23 12:00:00 2026\n{text}\n");
        fs::write(&path, entry(&NEW.replace("new", "old"))).expect("it can be written");
        let mailbox = Mailbox::mbox(&path).expect("it is a file");
        assert_eq!(found(&mailbox), [""; 0]);
        let old = fs::read_to_string(&path).expect("it can be read");
        fs::write(&path, old + &entry(NEW)).expect("it can be written");
        assert_eq!(found(&mailbox), [NEW]);
        fs::write(&path, "").expect("it can be written");
        assert_eq!(found(&mailbox), [""; 0]);
        fs::remove_file(&path).expect("it can be removed");
        assert_eq!(found(&mailbox), [""; 0]);
    }

    #[test]
    fn an_mbox_is_split_at_from_lines_after_empty_lines() {
        let split = messages(b"From a\nA: b\n\nFrom here\n\n\nFrom c\nFrom d\n\n");
        let split: Vec<String> = split.iter().map(|message| message.escape_ascii().to_string()).collect();
        assert_eq!(split, [r"A: b\n", r"\n", r"From d\n"]);
    }
}
