//! Reads text in UTF-16, which programs on Windows write, as UTF-8.

use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Returns a reader of text: without its byte order mark if it has one, and in UTF-8 if the mark says that it is in
/// UTF-16. Other octets stay as they are.
///
/// # Errors
///
/// Fails if the input cannot be read.
pub fn decoded<'a>(mut input: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut start = Vec::new();
    (&mut input).take(3).read_to_end(&mut start)?;
    let (to_unit, rest): (ToUnit, &[u8]) = match start.as_slice() {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        [0xef, 0xbb, 0xbf] => return Ok(Box::new(input)),
        _ => return Ok(Box::new(Cursor::new(start).chain(input))),
    };
    let input = Cursor::new(rest.to_vec()).chain(input);
    Ok(Box::new(BufReader::new(Utf16 { input, to_unit, high: None, text: Cursor::default() })))
}

/// Reads a code unit in one of the two orders of octets.
type ToUnit = fn([u8; 2]) -> u16;

/// Text in UTF-16, read as UTF-8. What is not UTF-16 becomes U+FFFD.
struct Utf16<R> {
    input: R,
    to_unit: ToUnit,
    /// The first half of a character whose second half was not read yet.
    high: Option<u16>,
    /// What was decoded and not returned yet.
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.fill_buf()?.is_empty() {
            self.text = Cursor::new(self.decode()?.into_bytes());
        }
        self.text.read(buffer)
    }
}

impl<R: Read> Utf16<R> {
    /// Decodes more. At the end of the input, the text is empty.
    fn decode(&mut self) -> io::Result<String> {
        const BLOCK: usize = 8192;
        let mut octets = Vec::new();
        (&mut self.input).take(BLOCK as u64).read_to_end(&mut octets)?;
        let (pairs, odd) = octets.as_chunks();
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| (self.to_unit)(*pair)));
        if octets.len() == BLOCK && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        let decoded = char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(decoded.chain((!odd.is_empty()).then_some(char::REPLACEMENT_CHARACTER)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::decoded;

    fn read(octets: &[u8]) -> String {
        let mut text = String::new();
        decoded(octets).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn utf_16_is_read_as_utf_8() {
        let text = format!("550 5.1.1 é \u{1f4e7}\r\n{}", "x\u{1f4e7}y".repeat(5000));
        let units = || text.encode_utf16();
        let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(read(&little), text);
        assert_eq!(read(&big), text);
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()), text);
        assert_eq!(read(text.as_bytes()), text);
    }

    #[test]
    fn any_octets_are_read() {
        for (octets, expected) in [
            (&b""[..], ""),
            (b"5", "5"),
            (b"55", "55"),
            (b"\xff\xfe", ""),
            (b"\xff\xfe5", "\u{fffd}"),
            (b"\xff\xfe5\x005", "5\u{fffd}"),
            (b"\xff\xfe\x00\xd8", "\u{fffd}"),
            (b"\xff\xfe\x00\xdc5\x00", "\u{fffd}5"),
        ] {
            assert_eq!(read(octets), expected, "{octets:?}");
        }
    }
}
