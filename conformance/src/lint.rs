//! Lints what servers have said, wherever it was written down: in logs, bounces, recordings and source code.
//!
//! The input is cut into units: parts of a log, messages, recordings, source files. Each is read on its own, on any thread,
//! and what is found is counted. Counts of parts can be merged, in any order.

mod address;
mod ahead;
mod bounded;
mod buffer;
pub mod counts;
mod counts_file;
pub mod finder;
pub mod follow;
mod head;
mod hour;
pub mod input;
mod judged;
mod key;
mod kind;
mod mask;
mod observed;
mod read;
pub mod report;
pub mod summary;
mod units;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::protocol::Protocol;
use crate::rules::Strictness;

use buffer::Buffer;
use counts::{By, Counts};
use input::Decompression;
use read::{Known, Reading};
use units::{Unit, Units};

pub use input::Source;
pub use kind::Kind;
pub use read::Seen;

/// How input is linted.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What all files hold. By default, their names and their content show it.
    pub kind: Option<Kind>,
    /// The protocol that recorded servers speak.
    pub protocol: Protocol,
    /// What replies are grouped by, besides their codes.
    pub by: Option<By>,
    /// How strictly rules judge.
    pub strictness: Strictness,
    /// Whether the places of broken rules are kept.
    pub with_places: bool,
    /// The number of threads, from 1.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            kind: None,
            protocol: Protocol::Smtp,
            by: None,
            strictness: Strictness::default(),
            with_places: false,
            threads: 1,
        }
    }
}

/// What others may see of a lint that goes on, and how they stop it.
#[derive(Debug, Default)]
pub struct Control {
    /// Whether it is to stop. What was counted is kept.
    pub stop: Arc<AtomicBool>,
    /// How many octets were read.
    pub octets: AtomicU64,
}

/// Writes what was seen of a reply.
pub type Listing<'a> = &'a (dyn Fn(&Seen<'_>, &mut Vec<u8>) + Sync);

/// Lints all sources, and returns what was counted. If there is a listing, it writes each reply to the output, in the
/// order of the input.
///
/// Memory is bounded, whatever the input has.
///
/// # Errors
///
/// Fails if the output cannot be written. What cannot be read is counted.
pub fn lint<'a>(
    sources: impl Iterator<Item = Source> + Send + 'a,
    settings: Settings,
    control: &Control,
    listing: Option<Listing<'_>>,
    output: &mut (dyn Write + Send),
) -> io::Result<Counts> {
    let decompression = if settings.threads > 1 { Decompression::Ahead } else { Decompression::Here };
    let shared = Shared {
        units: Mutex::new(Units::new(sources, settings.kind, decompression)),
        turn: Mutex::new(Turn { number: 0, output, result: Ok(()) }),
        changed: Condvar::new(),
        sum: Mutex::new(Counts::new(settings.by, settings.with_places)),
        settings,
        control,
        listing,
    };
    thread::scope(|scope| {
        for _ in 1..settings.threads {
            scope.spawn(|| shared.work());
        }
        shared.work();
    });
    let turn = shared.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    turn.result?;
    let mut counts = shared.sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    counts.is_whole = !control.stop.load(Ordering::Relaxed);
    Ok(counts)
}

/// Lints a text that is in memory: a log, a message, a recording or a source file. Calls `each` with each reply, and
/// returns what was counted.
///
/// It reads nothing else and prints nothing, and uses one thread. A text may be cut into parts, if each part has whole
/// lines, or whole messages; the counts can be [merged](Counts::merge).
///
/// ```
/// use smtp_conformance::lint::{Kind, Settings, observe};
///
/// let log = b"2026-11-28T07:42:13Z mx relay: mx.example.org said: 550 5.1.1 No such user\n";
/// let mut codes = Vec::new();
/// let counts = observe(Kind::Log, log, &Settings::default(), &mut |seen| {
///     codes.push((seen.line(), seen.reply_code().unwrap().as_u16(), seen.category().id()));
/// });
/// assert_eq!(codes, [(1, 550, "no-such-recipient")]);
/// assert!(counts.to_json(false)?.contains("\"550 5.1.1\""));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[must_use]
pub fn observe(kind: Kind, octets: &[u8], settings: &Settings, each: &mut dyn FnMut(&Seen<'_>)) -> Counts {
    let mut counts = Counts::new(settings.by, settings.with_places);
    let unit = Unit { number: 0, file: Arc::from(""), kind, first_line: 1 };
    let known = &mut Known::default();
    let mut reading = Reading { unit: &unit, settings, counts: &mut counts, known, each: Some(each) };
    reading.read(octets);
    counts
}

/// What the threads share.
struct Shared<'s, 'a> {
    units: Mutex<Units<'a>>,
    turn: Mutex<Turn<'s>>,
    /// Notified when the turn changes.
    changed: Condvar,
    /// What all threads have counted.
    sum: Mutex<Counts>,
    settings: Settings,
    control: &'s Control,
    listing: Option<Listing<'s>>,
}

/// Whose turn it is to write: units are written in their order.
struct Turn<'s> {
    number: u64,
    output: &'s mut (dyn Write + Send),
    result: io::Result<()>,
}

impl Shared<'_, '_> {
    /// Reads units until there are no more, and counts.
    fn work(&self) {
        let mut counts = Counts::new(self.settings.by, self.settings.with_places);
        let mut known = Known::default();
        let mut buffer = Buffer::default();
        let mut text = Vec::new();
        while !self.control.stop.load(Ordering::Relaxed) {
            let before = counts.totals.octets;
            let mut units = lock(&self.units);
            let next = units.next(&mut buffer, &mut counts);
            // While a large unit is read, no thread takes another one, so that memory holds only one of them.
            let is_large = |unit: &Unit| buffer.len() > LARGE || unit.kind == Kind::Recording;
            let large = next.as_ref().is_some_and(is_large).then_some(units);
            self.control.octets.fetch_add(counts.totals.octets - before, Ordering::Relaxed);
            let Some(unit) = next else { break };
            text.clear();
            let mut list = self.listing.map(|listing| |seen: &Seen<'_>| listing(seen, &mut text));
            let mut reading = Reading {
                unit: &unit,
                settings: &self.settings,
                counts: &mut counts,
                known: &mut known,
                each: list.as_mut().map(|list| list as &mut dyn FnMut(&Seen<'_>)),
            };
            reading.read(buffer.octets());
            if large.is_some() {
                buffer = Buffer::default();
            }
            drop(large);
            // No thread keeps much by itself.
            if counts.size() > OWN_COUNTS {
                let new = Counts::new(self.settings.by, self.settings.with_places);
                lock(&self.sum).merge(std::mem::replace(&mut counts, new));
            }
            if self.listing.is_some() && !self.write(&unit, &text) {
                break;
            }
        }
        lock(&self.sum).merge(counts);
    }

    /// Writes the text of a unit when its turn comes, and returns whether to go on.
    fn write(&self, unit: &Unit, text: &[u8]) -> bool {
        let mut turn = lock(&self.turn);
        while turn.number < unit.number {
            turn = self.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        turn.number += 1;
        if turn.result.is_ok() {
            turn.result = turn.output.write_all(text);
        }
        self.changed.notify_all();
        turn.result.is_ok()
    }
}

/// How many rows, groups and places a thread keeps before it adds them to the sum.
const OWN_COUNTS: usize = 4000;
/// How many octets make a unit a large one.
const LARGE: usize = 300 << 10;

/// Locks a mutex. No thread leaves what it holds in disorder, even if it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write as _};

    use proptest::prelude::*;

    use super::counts::By;
    use super::summary::{Manner, Summary};
    use super::{Control, Kind, Settings, Source, lint, observe};

    const REPLIES: [&str; 8] = [
        "550 5.1.1 <amy@example.org>: No such user",
        "250 2.0.0 Ok: queued as A1B2C3D4E5",
        "452 4.2.2 Mailbox full",
        "550 4.2.2 Mailbox full",
        "550-5.7.26 a 550 5.7.26 b",
        "554 No",
        "550 5.01.1 No",
        "451 4.7.500 Server busy (S77719)",
    ];

    fn line(reply: &str, host: usize, hour: usize) -> String {
        format!(
            "Nov 28 {hour:02}:42:13 mx postfix/smtp[4312]: A1B2C3D4E5: to=<amy@example.org>, \
             relay=mx{host}.example.net[192.0.2.{host}]:25, delay=2.3, delays=0.1/0/1/1.2, dsn=5.1.1, status=bounced \
             (host mx{host}.example.net[192.0.2.{host}] said: {reply} (in reply to RCPT TO command))\n"
        )
    }

    /// Returns a log that is longer than several units.
    fn log(seed: &[usize]) -> String {
        let noise =
            "Nov 28 07:42:13 mx postfix/qmgr[4312]: A1B2C3D4E5: from=<>, size=2345, nrcpt=1 (queue active)\n";
        let mut log = String::new();
        while log.len() < 700_000 {
            for &number in seed {
                log.push_str(&line(REPLIES[number % REPLIES.len()], number % 40, number % 24));
                for _ in 0..number % 5 {
                    log.push_str(noise);
                }
            }
            log.push_str(noise);
        }
        log
    }

    /// A reader that gives few octets at a time.
    struct Drops(Cursor<Vec<u8>>, usize);

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.1 = self.1 % 7919 + 13;
            self.0.read(&mut buffer[..length])
        }
    }

    fn counted(octets: Vec<u8>, drop: usize, settings: Settings) -> String {
        let source = Source::Stream("log".to_owned(), Box::new(Drops(Cursor::new(octets), drop)));
        let counts = lint(std::iter::once(source), settings, &Control::default(), None, &mut std::io::sink());
        counts.unwrap().to_json(false).unwrap()
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn neither_threads_nor_parts_nor_compression_matter(
            seed in proptest::collection::vec(any::<usize>(), 1..20),
            by in proptest::option::of(prop_oneof![Just(By::Host), Just(By::Hour)]),
        ) {
            let settings = Settings { by, ..Settings::default() };
            let log = log(&seed);
            let one = counted(log.clone().into_bytes(), 1 << 20, settings);
            for threads in [2, 3] {
                let settings = Settings { threads, ..settings };
                prop_assert_eq!(&counted(log.clone().into_bytes(), 17, settings), &one);
            }
            prop_assert_eq!(&counted(gzip(&log), 1 << 20, settings), &one);
            prop_assert_eq!(&counted(zstd::encode_all(log.as_bytes(), 1).unwrap(), 5000, settings), &one);
        }

        #[test]
        fn counts_of_parts_are_merged_in_any_order(
            seed in proptest::collection::vec(any::<usize>(), 1..20),
            parts in 2..6_usize,
        ) {
            let log = log(&seed);
            let settings = Settings { by: Some(By::Host), ..Settings::default() };
            let lines: Vec<&str> = log.split_inclusive('\n').collect();
            let texts: Vec<String> = lines.chunks(lines.len().div_ceil(parts)).map(<[&str]>::concat).collect();
            let count = |text: &str| observe(Kind::Log, text.as_bytes(), &settings, &mut |_| {});
            let merged = |texts: &mut dyn Iterator<Item = &String>| {
                let mut sum = super::Counts::new(None, false);
                for text in texts {
                    let json = count(text).to_json(false).unwrap();
                    sum.merge(super::Counts::from_json("part", &json).unwrap());
                }
                sum
            };
            let forwards = merged(&mut texts.iter());
            let backwards = merged(&mut texts.iter().rev());
            prop_assert_eq!(forwards.clone().to_json(false).unwrap(), backwards.to_json(false).unwrap());
            let rows = |counts| Summary::of(counts, Manner::default()).rows;
            prop_assert_eq!(rows(forwards), rows(count(&log)));
        }
    }

    #[test]
    fn a_reply_has_its_line() {
        let text = format!("no reply here\n{}\n{}", line(REPLIES[0], 1, 7), line(REPLIES[2], 1, 7));
        let mut seen = Vec::new();
        let _ = observe(Kind::Log, text.as_bytes(), &Settings::default(), &mut |one| {
            let enhanced = one.enhanced().map(|code| code.to_string()).unwrap_or_default();
            seen.push((one.line(), enhanced, one.category().id()));
        });
        assert_eq!(
            seen,
            [(2, "5.1.1".to_owned(), "no-such-recipient"), (4, "4.2.2".to_owned(), "mailbox-full")]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_read() {
        let long = format!("{}{}\n{}", line(REPLIES[0], 1, 7), "x".repeat(600_000), line(REPLIES[2], 1, 7));
        let mut cut = gzip(&line(REPLIES[0], 1, 7).repeat(100));
        cut.truncate(cut.len() - 9);
        let stream =
            |name: &str, octets: Vec<u8>| Source::Stream(name.to_owned(), Box::new(Cursor::new(octets)));
        // A report comes before the message that it returns, and after a text.
        let boundary = "Content-Type: multipart/report; boundary=b\n\n--b\n";
        let text = format!("{}\n", "x".repeat(99)).repeat(20_000);
        let part = "--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n\n";
        let early = format!("Received: by mx\n{boundary}{part}--b\n\n{text}--b--\n");
        let late = format!("Received: by mx\n{boundary}\n{text}{part}--b--\n");
        let sources = [
            stream("early.eml", early.into_bytes()),
            stream("late.eml", late.into_bytes()),
            stream("long", long.into_bytes()),
            stream("cut", cut),
            stream("binary", b"\x7fELF\0\0".to_vec()),
            Source::File("/nonexistent/file".into()),
            Source::Missing("here".to_owned(), "not there".to_owned()),
        ];
        let control = Control::default();
        let settings = Settings::default();
        let counts = lint(sources.into_iter(), settings, &control, None, &mut std::io::sink()).unwrap();
        assert_eq!((counts.totals.files, counts.totals.binary_files), (5, 1));
        assert!(counts.totals.replies.replies >= 2);
        let (count, troubles) = counts.troubles.finish();
        let troubles: Vec<String> =
            troubles.iter().map(|(place, what)| format!("{}:{}: {what}", place.file, place.line)).collect();
        assert_eq!(count, 5, "{troubles:#?}");
        assert!(
            troubles.iter().any(|one| one.starts_with("late.eml:1: the report is not in the first")),
            "{troubles:#?}"
        );
        assert!(
            troubles.iter().any(|one| one.starts_with("long:2: the line has more than")),
            "{troubles:#?}"
        );
        assert!(
            troubles.iter().any(|one| one.starts_with("cut:") && one.contains("the rest is not read")),
            "{troubles:#?}"
        );
        assert!(
            troubles.iter().any(|one| one.starts_with("/nonexistent/file:0: No such file")),
            "{troubles:#?}"
        );
        assert!(troubles.iter().any(|one| one == "here:0: not there"), "{troubles:#?}");
    }
}
