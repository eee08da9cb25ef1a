//! A fast path for lines without defects: most lines are, and they are read in one pass, many octets at a time.

use smtp_enhanced_status::EnhancedStatusCode;

use super::line::LONGEST;

/// A line without a defect: reply code, SP or a hyphen, enhanced status code, SP, text, CR LF.
pub(super) struct PlainLine {
    pub(super) number: u16,
    pub(super) code: EnhancedStatusCode,
    /// Whether it is the last line of its reply.
    pub(super) last: bool,
    /// Its length in octets, including CR LF.
    pub(super) length: usize,
}

impl PlainLine {
    /// Reads the line that the octets begin with, if it is plain.
    #[expect(clippy::inline_always, reason = "a call would move the line through memory, part by part")]
    #[inline(always)]
    pub(super) fn read(octets: &[u8]) -> Option<PlainLine> {
        let [a @ b'2'..=b'5', b @ b'0'..=b'5', c @ b'0'..=b'9', separator @ (b' ' | b'-'), ref text @ ..] =
            *octets
        else {
            return None;
        };
        let (code, [b' ', ..]) = EnhancedStatusCode::parse_prefix(text)? else { return None };
        let end = printable(octets);
        let length = end + 2;
        if !octets.get(end..)?.starts_with(b"\r\n") || length > LONGEST {
            return None;
        }
        let number = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
        Some(PlainLine { number, code, last: separator == b' ', length })
    }

    /// Returns the length of the reply that this line begins, if its other lines are plain and have the same codes.
    #[inline(never)]
    pub(super) fn read_rest(&self, octets: &[u8]) -> Option<usize> {
        let mut length = self.length;
        loop {
            let line = PlainLine::read(octets.get(length..)?)?;
            if (line.number, line.code) != (self.number, self.code) {
                return None;
            }
            length += line.length;
            if line.last {
                return Some(length);
            }
        }
    }
}

/// The highest bit of each octet.
const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;
const SPACES: u64 = 0x2020_2020_2020_2020;

/// Counts the octets from SP to `~` that a text begins with.
#[inline]
fn printable(octets: &[u8]) -> usize {
    let mut rest = octets;
    // A loop over a fixed number of octets becomes vector instructions.
    while let Some((chunk, tail)) = rest.split_first_chunk::<32>() {
        if chunk.iter().fold(false, |any, octet| any | !is_printable(*octet)) {
            break;
        }
        rest = tail;
    }
    while let Some((chunk, tail)) = rest.split_first_chunk() {
        if let Some(position) = unprintable(*chunk) {
            return octets.len() - rest.len() + position;
        }
        rest = tail;
    }
    match octets.last_chunk() {
        // The octets in it that were checked before are printable.
        Some(chunk) => {
            unprintable(*chunk).map_or(octets.len(), |position| octets.len() - chunk.len() + position)
        }
        None => octets.iter().take_while(|octet| is_printable(**octet)).count(),
    }
}

/// Returns the index of the first of eight octets that is not printable.
#[inline]
fn unprintable(octets: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(octets);
    // Below SP, the subtraction leaves an octet's high bit unset; from DEL on, the octet or the sum has it set.
    // Carries only run upwards, so the lowest marked octet is exact.
    let others = (!((word | HIGH) - SPACES) | word.wrapping_add(ONES) | word) & HIGH;
    (others != 0).then(|| others.trailing_zeros() as usize / 8)
}

fn is_printable(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::{is_printable, printable};

    #[test]
    fn counting_stops_at_the_first_unprintable_octet() {
        for length in 0..80 {
            for octet in 0..=u8::MAX {
                for position in 0..length {
                    let mut octets = vec![b'a'; length];
                    octets[position] = octet;
                    if let Some(last) = octets.last_mut().filter(|_| position + 1 < length) {
                        *last = 0xff;
                    }
                    let expected = octets.iter().take_while(|octet| is_printable(**octet)).count();
                    assert_eq!(printable(&octets), expected, "{octets:?}");
                }
            }
        }
    }
}
