//! Octets that are printable, many at a time.

/// The highest bit of each octet.
const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;
const SPACES: u64 = 0x2020_2020_2020_2020;

/// How many octets from SP to `~` a text begins with.
#[inline]
pub(super) fn printable(octets: &[u8]) -> usize {
    let mut rest = octets;
    // A loop over a fixed number of octets becomes vector instructions.
    while let Some((chunk, behind)) = rest.split_first_chunk::<32>() {
        if chunk.iter().fold(false, |any, octet| any | !is_printable(*octet)) {
            break;
        }
        rest = behind;
    }
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        // The high bit of an octet stays unset below SP, and is set from DEL on; the lowest such octet is exact.
        let others = (!((word | HIGH) - SPACES) | word.wrapping_add(ONES) | word) & HIGH;
        if others != 0 {
            return octets.len() - rest.len() + others.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    octets.len() - rest.len() + rest.iter().take_while(|octet| is_printable(**octet)).count()
}

fn is_printable(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::{is_printable, printable};

    #[test]
    fn the_first_other_octet_ends_the_text() {
        for length in 0..80 {
            for octet in 0..=u8::MAX {
                for place in 0..length {
                    let mut octets = vec![b'a'; length];
                    octets[place] = octet;
                    if let Some(last) = octets.last_mut().filter(|_| place + 1 < length) {
                        *last = 0xff;
                    }
                    let expected = octets.iter().take_while(|octet| is_printable(**octet)).count();
                    assert_eq!(printable(&octets), expected, "{octets:?}");
                }
            }
        }
    }
}
