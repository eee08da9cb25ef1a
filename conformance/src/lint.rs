//! Lints what servers have said, wherever it was written down: in logs, bounces, recordings and source code.
//!
//! The input is cut into units: parts of a log, messages, recordings, source files. Each is read on its own, on any thread,
//! and what is found is counted. Counts of parts can be merged, in any order.

mod bounded;
mod buffer;
pub mod counts;
mod counts_file;
pub mod finder;
mod head;
mod hour;
pub mod input;
mod judged;
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
use read::{Known, Reading};
use units::{Unit, Units};

pub use input::Source;
pub use kind::Kind;
pub use read::Seen;

/// How input is linted.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What all files hold. By default, that is told by their names and their content.
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
    let shared = Shared {
        units: Mutex::new(Units::new(sources, settings.kind)),
        turn: Mutex::new(Turn { number: 0, output, result: Ok(()) }),
        changed: Condvar::new(),
        settings,
        control,
        listing,
    };
    let mut counts = thread::scope(|scope| {
        let others: Vec<_> = (1..settings.threads).map(|_| scope.spawn(|| shared.work())).collect();
        let mut counts = shared.work();
        for other in others {
            match other.join() {
                Ok(other) => counts.merge(other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        counts
    });
    let turn = shared.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    turn.result?;
    counts.is_whole = !control.stop.load(Ordering::Relaxed);
    Ok(counts)
}

/// What the threads share.
struct Shared<'s, 'a> {
    units: Mutex<Units<'a>>,
    turn: Mutex<Turn<'s>>,
    /// Notified when the turn changes.
    changed: Condvar,
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
    /// Reads units until there are no more, and returns what was counted.
    fn work(&self) -> Counts {
        let mut counts = Counts::new(self.settings.by, self.settings.with_places);
        let mut known = Known::default();
        let mut buffer = Buffer::default();
        let mut text = Vec::new();
        while !self.control.stop.load(Ordering::Relaxed) {
            let before = counts.totals.octets;
            let next = lock(&self.units).next(&mut buffer, &mut counts);
            self.control.octets.fetch_add(counts.totals.octets - before, Ordering::Relaxed);
            let Some(unit) = next else { break };
            text.clear();
            let mut reading = Reading {
                unit: &unit,
                settings: &self.settings,
                counts: &mut counts,
                listing: self.listing,
                text: &mut text,
                known: &mut known,
            };
            reading.read(buffer.octets());
            if self.listing.is_some() && !self.write(&unit, &text) {
                break;
            }
        }
        counts
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

/// Locks a mutex. No thread leaves what it holds in disorder, even if it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
