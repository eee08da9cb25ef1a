//! A buffer that is filled again and again.

use std::io::{self, Read};

/// Octets that were read, in memory that is cleared only once.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    length: usize,
}

impl Buffer {
    pub(crate) fn octets(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub(crate) fn extend(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        self.memory[self.length..self.length + octets.len()].copy_from_slice(octets);
        self.length += octets.len();
    }

    /// Moves what follows the first `length` octets to another buffer.
    pub(crate) fn split_off(&mut self, length: usize, rest: &mut Buffer) {
        rest.clear();
        rest.extend(&self.octets()[length..]);
        self.truncate(length);
    }

    /// Reads so many octets, or fewer if the input ends before. If it fails, what was read before is kept.
    pub(crate) fn read(&mut self, input: &mut dyn Read, octets: usize) -> io::Result<usize> {
        self.reserve(octets);
        let (length, result) = read_full(input, &mut self.memory[self.length..self.length + octets]);
        self.length += length;
        result.map(|()| length)
    }

    fn reserve(&mut self, octets: usize) {
        let needed = self.length + octets;
        if self.memory.len() < needed {
            self.memory.resize(needed, 0);
        }
    }
}

/// Reads until the buffer is full, the input ends or fails, and returns how much was read.
pub(crate) fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (length, Err(error)),
        }
    }
    (length, Ok(()))
}
