//! Markers, by which messages are recognized when they arrive.

use std::cell::Cell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The number of digits in a marker.
const DIGITS: usize = 6;

/// The markers of one run. They all begin with the same random text, which no other run has.
pub(crate) struct Markers {
    nonce: String,
    count: Cell<usize>,
}

impl Markers {
    /// Chooses the text with which the markers begin.
    pub(crate) fn new() -> Markers {
        let nonce = format!("conformance-{:016x}-", RandomState::new().build_hasher().finish());
        Markers { nonce, count: Cell::new(0) }
    }

    /// Returns the text with which the markers begin.
    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Returns a new marker.
    pub(crate) fn next(&self) -> String {
        self.count.set(self.count.get() + 1);
        format!("{}{:0DIGITS$}", self.nonce, self.count.get())
    }
}

/// Returns the first marker in a text that begins with `nonce`.
pub(crate) fn find<'t>(nonce: &str, text: &'t [u8]) -> Option<&'t [u8]> {
    let start = memchr::memmem::find(text, nonce.as_bytes())?;
    text.get(start..start + nonce.len() + DIGITS)
}

#[cfg(test)]
mod tests {
    use super::{Markers, find};

    #[test]
    fn a_marker_is_found_again() {
        let markers = Markers::new();
        let (first, second) = (markers.next(), markers.next());
        assert_ne!(first, second);
        let text = format!("Message-ID: <{second}@example.org>\r\n{first}");
        assert_eq!(find(markers.nonce(), text.as_bytes()), Some(second.as_bytes()));
        assert_eq!(find(markers.nonce(), &text.as_bytes()[..45]), None);
        assert_eq!(find(Markers::new().nonce(), text.as_bytes()), None);
    }
}
