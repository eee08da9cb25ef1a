//! Follows a log that is still written, through rotation.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use memchr::{memchr, memchr_iter, memrchr};

use super::buffer::Buffer;
use super::counts::{Counts, Place};
use super::kind::Kind;
use super::read::{Known, Reading};
use super::units::{Unit, cut};
use super::{Control, Settings};
use crate::limits::LOG_LINE_OCTETS;

/// How many octets are read at a time.
const BLOCK: usize = 256 << 10;
/// How long to wait for more.
const PAUSE: Duration = Duration::from_millis(250);
/// How long nothing must come before the last lines are taken for whole replies, and before another file is read that
/// took the name: who writes the log may still write to the old one.
const IDLE: Duration = Duration::from_secs(2);

/// Reads a log from its start, and goes on as it grows, until it is to stop. If another file takes the name, that one is
/// read from its start, after what is left of the first. `publish` is called with what was counted, whenever all that was
/// there has been read.
///
/// # Errors
///
/// Fails if the file cannot be opened or read at first. Later, a file that is missing is waited for.
pub fn follow(
    path: &Path,
    settings: Settings,
    control: &Control,
    publish: &mut dyn FnMut(&Counts),
) -> io::Result<Counts> {
    let mut counts = Counts::new(settings.by, settings.with_places);
    counts.totals.files = 1;
    let mut follower = Follower::open(path)?;
    let mut known = Known::default();
    let mut has_news = true;
    let mut last = Instant::now();
    let mut is_replaced = false;
    while !control.stop.load(Ordering::Relaxed) {
        let read = follower.read(&mut counts);
        control.octets.fetch_add(read as u64, Ordering::Relaxed);
        if read > 0 {
            follower.count_lines(settings, &mut counts, &mut known, Extent::Surely);
            has_news = true;
            last = Instant::now();
            continue;
        }
        if last.elapsed() >= IDLE {
            if has_news {
                follower.count_lines(settings, &mut counts, &mut known, Extent::Lines);
                publish(&counts);
                has_news = false;
            }
            match follower.next_file() {
                Some(next) if is_replaced => {
                    follower.count_lines(settings, &mut counts, &mut known, Extent::All);
                    follower = next;
                    is_replaced = false;
                    counts.totals.files += 1;
                    has_news = true;
                    continue;
                }
                // What comes until then is still read from the old file.
                Some(_) => {
                    is_replaced = true;
                    last = Instant::now();
                }
                None => {}
            }
        }
        thread::sleep(PAUSE);
    }
    follower.count_lines(settings, &mut counts, &mut known, Extent::All);
    Ok(counts)
}

/// How much of what was read is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Lines after which no reply continues.
    Surely,
    /// All whole lines.
    Lines,
    /// Everything.
    All,
}

struct Follower {
    path: PathBuf,
    name: Arc<str>,
    file: File,
    /// The device and the number of the file: another file has others.
    identity: (u64, u64),
    /// How much of the file was read.
    position: u64,
    buffer: Buffer,
    rest: Buffer,
    line: u64,
    /// Whether the rest of a line that is too long is left out.
    skips: bool,
    units: u64,
}

impl Follower {
    fn open(path: &Path) -> io::Result<Follower> {
        // To open a pipe may take forever.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("only a file can be followed"));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok(Follower {
            path: path.to_owned(),
            name: Arc::from(path.display().to_string()),
            file,
            identity: (metadata.dev(), metadata.ino()),
            position: 0,
            buffer: Buffer::default(),
            rest: Buffer::default(),
            line: 1,
            skips: false,
            units: 0,
        })
    }

    /// Reads what there is, and returns how many octets.
    fn read(&mut self, counts: &mut Counts) -> usize {
        match self.buffer.read(&mut self.file, BLOCK) {
            Ok(read) => {
                self.position += read as u64;
                counts.totals.octets += read as u64;
                read
            }
            Err(error) => {
                counts.troubles.add((self.place(), error.to_string()));
                0
            }
        }
    }

    /// Counts lines that were read, and keeps the rest.
    fn count_lines(&mut self, settings: Settings, counts: &mut Counts, known: &mut Known, extent: Extent) {
        if self.skips {
            let Some(end) = memchr(b'\n', self.buffer.octets()) else { return self.buffer.clear() };
            self.buffer.split_off(end, &mut self.rest);
            std::mem::swap(&mut self.buffer, &mut self.rest);
            self.skips = false;
        }
        let end = match extent {
            Extent::Surely => cut(self.buffer.octets()).unwrap_or(0),
            Extent::Lines => memrchr(b'\n', self.buffer.octets()).map_or(0, |end| end + 1),
            Extent::All => self.buffer.len(),
        };
        self.buffer.split_off(end, &mut self.rest);
        if memchr(b'\n', self.rest.octets()).is_none() && self.rest.len() > LOG_LINE_OCTETS {
            let what = format!("the line has more than {LOG_LINE_OCTETS} octets; its rest is not read");
            counts.troubles.add((self.place(), what));
            self.rest.truncate(LOG_LINE_OCTETS);
            self.skips = true;
        }
        let unit =
            Unit { number: self.units, file: Arc::clone(&self.name), kind: Kind::Log, first_line: self.line };
        self.units += 1;
        let mut reading = Reading { unit: &unit, settings: &settings, counts, known, each: None };
        reading.read(self.buffer.octets());
        let lines = memchr_iter(b'\n', self.buffer.octets()).count() as u64;
        counts.totals.lines += lines;
        self.line += lines;
        std::mem::swap(&mut self.buffer, &mut self.rest);
    }

    /// Opens the file that has the name now, if it is another one, or if it was cut.
    fn next_file(&self) -> Option<Follower> {
        let metadata = fs::metadata(&self.path).ok()?;
        let is_same = (metadata.dev(), metadata.ino()) == self.identity;
        if is_same && metadata.len() >= self.position {
            return None;
        }
        let next = Follower::open(&self.path).ok()?;
        Some(Follower { units: self.units, ..next })
    }

    fn place(&self) -> Place {
        Place { file: Arc::clone(&self.name), line: self.line, column: None }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::atomic::Ordering;

    use super::follow;
    use crate::lint::{Control, Settings};

    const LINE: &str = "Nov 28 07:42:13 mx postfix/smtp[1]: A1B2C3D4E5: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, \
                        delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 \
                        No such user (in reply to RCPT TO command))\n";

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_log_is_followed_through_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("mail.log"), folder.path().join("mail.log.1"));
        append(&path, LINE);
        append(&path, &LINE[..100]);
        let control = Control::default();
        let mut step = 0;
        let counts = follow(&path, Settings::default(), &control, &mut |counts| {
            step += 1;
            match step {
                1 => {
                    assert_eq!(counts.totals.replies.replies, 1);
                    append(&path, &LINE[100..]);
                }
                2 => {
                    assert_eq!(counts.totals.replies.replies, 2);
                    append(&path, LINE);
                    fs::rename(&path, &old).unwrap();
                    append(&path, LINE);
                }
                // What was written to the old file after it got another name.
                3 => assert_eq!(counts.totals.replies.replies, 3),
                4 => {
                    assert_eq!(counts.totals.replies.replies, 4);
                    // Some programs copy a log, and then cut it.
                    fs::write(&path, "").unwrap();
                    append(&path, &LINE[..50]);
                }
                5 => append(&path, &LINE[50..]),
                _ => control.stop.store(true, Ordering::Relaxed),
            }
        });
        let counts = counts.unwrap();
        assert_eq!((counts.totals.replies.replies, counts.totals.lines, counts.totals.files), (5, 5, 3));
        for none in [folder.path().join("none"), folder.path().to_owned()] {
            assert!(follow(&none, Settings::default(), &control, &mut |_| {}).is_err());
        }
    }
}
