//! Lines of a message, with their places.

/// A line without its line end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    /// Its number in the message, from 1.
    pub(super) number: usize,
    /// Where it begins in the message, in octets.
    pub(super) offset: usize,
}

impl<'a> Line<'a> {
    pub(super) fn trimmed(&self) -> &'a [u8] {
        self.text.trim_ascii()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }

    pub(super) fn is_indented(&self) -> bool {
        self.text.first().is_some_and(|octet| b" \t".contains(octet))
    }

    /// Returns the line with another text, which is a part of its own.
    pub(super) fn with(self, text: &'a [u8]) -> Line<'a> {
        Line { text, ..self }
    }
}

/// Returns the lines of a text, which end in LF or CR LF. `start` is the place of the first.
pub(super) fn lines<'a>(text: &'a [u8], start: Line<'_>) -> impl Iterator<Item = Line<'a>> {
    let mut offset = start.offset;
    text.split_inclusive(|&octet| octet == b'\n').enumerate().map(move |(index, line)| {
        let begins = offset;
        offset += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Line { text: line, number: start.number + index, offset: begins }
    })
}
