//! Reads a stream on a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::buffer::read_full;

/// A stream that a thread reads a few blocks ahead. What was read before an error comes before it.
pub(crate) struct ReadAhead {
    filled: Receiver<io::Result<Vec<u8>>>,
    /// Blocks that were read, to be filled again.
    used: Sender<Vec<u8>>,
    block: Vec<u8>,
    /// How much of the block was read.
    position: usize,
    is_at_end: bool,
}

/// The octets of a block.
const BLOCK: usize = 256 << 10;

/// How many blocks wait at most.
const WAITING: usize = 4;

impl ReadAhead {
    /// Starts the thread, which ends with the stream, or when nobody reads on.
    pub(crate) fn start(input: impl Read + Send + 'static) -> io::Result<ReadAhead> {
        let (blocks, filled) = sync_channel(WAITING);
        let (used, empty) = channel();
        thread::Builder::new().spawn(move || fill(input, &blocks, &empty))?;
        Ok(ReadAhead { filled, used, block: Vec::new(), position: 0, is_at_end: false })
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.block.len() && !self.is_at_end {
            // The thread may have ended, and needs no more blocks then.
            let _ = self.used.send(std::mem::take(&mut self.block));
            self.position = 0;
            // It ends without a word only if the decoder panics.
            let ended = || io::Error::other("it cannot be decompressed");
            self.block = self.filled.recv().map_err(|_| ended())??;
            self.is_at_end = self.block.is_empty();
        }
        let rest = &self.block[self.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}

/// Reads the stream into blocks. The last one is empty, or an error.
fn fill(mut input: impl Read, filled: &SyncSender<io::Result<Vec<u8>>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut block = empty.try_recv().unwrap_or_default();
        block.resize(BLOCK, 0);
        let (length, result) = read_full(&mut input, &mut block);
        block.truncate(length);
        if length > 0 && filled.send(Ok(block)).is_err() {
            return;
        }
        let last = match result {
            Ok(()) if length > 0 => continue,
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        // Nobody may read on, and then nobody needs to know how it ended.
        let _ = filled.send(last);
        return;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::{BLOCK, ReadAhead};

    /// Gives octets without end, and says when it is dropped.
    struct Endless(Sender<()>);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }

    impl Drop for Endless {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    struct Panics;

    impl Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("as a decoder with a defect does");
        }
    }

    #[test]
    fn the_thread_ends_when_nobody_reads_on() {
        let (dropped, is_dropped) = channel();
        let mut ahead = ReadAhead::start(Endless(dropped)).unwrap();
        let mut octets = vec![0; 3 * BLOCK];
        ahead.read_exact(&mut octets).unwrap();
        assert!(octets.iter().all(|octet| *octet == b'x'));
        drop(ahead);
        is_dropped.recv_timeout(Duration::from_secs(60)).expect("the thread ends");
    }

    #[test]
    fn a_panic_is_not_the_end_of_the_stream() {
        let mut ahead = ReadAhead::start(Panics).unwrap();
        assert!(ahead.read(&mut [0; 10]).is_err());
    }
}
