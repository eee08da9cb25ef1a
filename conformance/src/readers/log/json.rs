//! The members of JSON objects in a line, as far as logs need them: nothing is copied, and errors end the search.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::Sink;
use super::mapped::Mapped;

/// The members of an object: their keys, escaped as they are, and where their values are.
pub(super) struct Members<'a> {
    text: &'a [u8],
    position: usize,
}

/// Where a value is in a text.
#[derive(Clone, Copy)]
pub(super) struct Value {
    start: usize,
    end: usize,
}

impl<'a> Members<'a> {
    /// Returns the members of the object that a text begins with. They end where the text is not JSON.
    pub(super) fn of(text: &'a [u8]) -> Members<'a> {
        Members { text, position: 0 }
    }

    /// Returns the members of an object in a text.
    pub(super) fn within(text: &'a [u8], object: Value) -> Members<'a> {
        Members { text: &text[..object.end], position: object.start }
    }

    fn skip(&mut self, octets: &[u8]) {
        let rest = &self.text[self.position..];
        self.position +=
            rest.iter().take_while(|octet| octet.is_ascii_whitespace() || octets.contains(octet)).count();
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Value);

    fn next(&mut self) -> Option<(&'a [u8], Value)> {
        self.skip(b"{,");
        let key = string(self.text, self.position)?;
        self.position = key.end;
        self.skip(b":");
        let value = Value::at(self.text, self.position)?;
        self.position = value.end;
        Some((&self.text[key.start + 1..key.end - 1], value))
    }
}

impl Value {
    /// Returns the whole of a text.
    pub(super) const fn whole(text: &[u8]) -> Value {
        Value { start: 0, end: text.len() }
    }

    fn at(text: &[u8], start: usize) -> Option<Value> {
        Some(Value { start, end: end_of_value(text, start)? })
    }

    /// Returns where it begins.
    pub(super) const fn start(self) -> usize {
        self.start
    }

    /// Returns it as it is written.
    pub(super) fn octets(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.end]
    }

    /// Returns the elements of an array.
    pub(super) fn elements(self, text: &[u8]) -> impl Iterator<Item = Value> {
        let text = &text[..self.end];
        let mut position = self.start + usize::from(text[self.start..].starts_with(b"["));
        std::iter::from_fn(move || {
            let is_between = |octet: &&u8| octet.is_ascii_whitespace() || **octet == b',';
            position += text[position..].iter().take_while(is_between).count();
            let value = Value::at(text, position)?;
            position = value.end;
            Some(value)
        })
    }

    /// Returns the content of a string, without its escapes.
    pub(super) fn text(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        let content = text[self.start..self.end].strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(if memchr(b'\\', content).is_some() {
            Cow::Owned(unescape(content))
        } else {
            Cow::Borrowed(content)
        })
    }

    /// Returns the content of a string without escapes.
    pub(super) fn plain(self, text: &[u8]) -> Option<&[u8]> {
        let content = text[self.start..self.end].strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        memchr(b'\\', content).is_none().then_some(content)
    }

    /// Reads the content of a string, or of an array of octets, as a text of its own. Returns whether it is one.
    pub(super) fn read<'a>(
        self,
        line: &'a [u8],
        sink: &mut Sink<'a, '_>,
        reader: impl for<'b> FnOnce(&'b [u8], &mut Sink<'b, '_>),
    ) -> bool {
        if let Some(content) = self.plain(line) {
            reader(content, &mut sink.at(self.start + 1));
            return true;
        }
        let value = &line[self.start..self.end];
        let mapped = match value.first() {
            Some(b'"') => unescaped(&value[1..value.len() - 1], self.start + 1),
            Some(b'[') => octets(value, self.start),
            _ => return false,
        };
        mapped.read(line, sink, |text, sink| reader(text, sink));
        true
    }
}

/// Returns where the string at a position is, with its quotes.
fn string(text: &[u8], start: usize) -> Option<Value> {
    if text.get(start) != Some(&b'"') {
        return None;
    }
    let mut position = start + 1;
    loop {
        position += memchr2(b'"', b'\\', text.get(position..)?)?;
        if text[position] == b'"' {
            return Some(Value { start, end: position + 1 });
        }
        position += 2;
    }
}

/// Returns where the value at a position ends.
fn end_of_value(text: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut position = start;
    loop {
        match text.get(position)? {
            b'"' => position = string(text, position)?.end,
            b'{' | b'[' => {
                depth += 1;
                position += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                position += 1;
            }
            b',' | b':' if depth == 0 => return None,
            b',' | b':' | b' ' | b'\t' => {
                position += 1;
                continue;
            }
            _ => {
                let is_part =
                    |octet: &&u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'+' | b'-');
                let length = text[position..].iter().take_while(is_part).count();
                if length == 0 {
                    return None;
                }
                position += length;
            }
        }
        if depth == 0 {
            return Some(position);
        }
    }
}

/// Replaces the escapes of a string's content, which is at this offset.
fn unescaped(content: &[u8], offset: usize) -> Mapped {
    let mut mapped = Mapped::default();
    let mut position = 0;
    while let Some(length) = memchr(b'\\', &content[position..]) {
        mapped.push(&content[position..position + length], offset + position);
        position += length;
        let (escaped, size) = escape(&content[position..]);
        let mut buffer = [0; 4];
        mapped.push(escaped.encode_utf8(&mut buffer).as_bytes(), offset + position);
        position += size;
    }
    mapped.push(&content[position..], offset + position);
    mapped
}

/// Replaces the escapes of a part of a string.
pub(super) fn unescape(content: &[u8]) -> Vec<u8> {
    unescaped(content, 0).octets().to_vec()
}

/// Reads the escape at the start of a text, and returns how long it is.
fn escape(text: &[u8]) -> (char, usize) {
    match text.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match (unit(text), unit(text.get(6..).unwrap_or_default())) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            (None, _) => (char::REPLACEMENT_CHARACTER, 2),
        },
        Some(other) if other.is_ascii() => (char::from(*other), 2),
        _ => ('\\', 1),
    }
}

/// Reads `\u0041`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

/// Reads the octets of an array: journald exports a text with control characters like that.
fn octets(value: &[u8], offset: usize) -> Mapped {
    let mut mapped = Mapped::default();
    let mut number = None;
    let mut start = 0;
    for (position, octet) in value.iter().enumerate() {
        if octet.is_ascii_digit() {
            if number.is_none() {
                start = position;
            }
            number = Some((number.unwrap_or(0_u32) * 10 + u32::from(octet - b'0')).min(256));
        } else if let Some(octet) = number.take().and_then(|number| u8::try_from(number).ok()) {
            mapped.push(&[octet], offset + start);
        }
    }
    mapped
}
