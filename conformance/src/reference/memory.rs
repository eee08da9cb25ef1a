//! What a server remembers from one connection to the next.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most mailboxes that are remembered.
const MOST: usize = 10_000;

/// What connections have in common: the mailboxes that were greylisted, and how many lists were sent.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: Mutex<HashSet<Vec<u8>>>,
    lists: AtomicUsize,
}

impl Memory {
    /// Counts a reply to EHLO, and returns whether its number is even.
    pub(super) fn is_every_second_list(&self) -> bool {
        self.lists.fetch_add(1, Ordering::Relaxed) % 2 == 1
    }

    /// Returns whether a mailbox is asked for the first time. Once [`MOST`] are remembered, no other is new.
    pub(super) fn is_new(&self, path: &[u8]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.len() < MOST && seen.insert(path.to_ascii_lowercase())
    }
}
