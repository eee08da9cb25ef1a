//! Opens what is linted, and decompresses it.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::PathBuf;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use zstd::stream::read::Decoder as ZstdDecoder;

use super::ahead::ReadAhead;
use super::buffer::read_full;
use crate::limits::DECOMPRESSION_OCTETS;

/// A stream of octets that can be read by any thread.
pub(crate) type Input = Box<dyn Read + Send>;

/// Something to lint.
pub enum Source {
    /// A file, which may be compressed.
    File(PathBuf),
    /// A stream with a name, which may be compressed.
    Stream(String, Box<dyn Read + Send>),
    /// Something that was not found, and why.
    Missing(String, String),
}

impl Source {
    pub(crate) fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Stream(name, _) | Source::Missing(name, _) => name.clone(),
        }
    }

    /// Opens it, and decompresses it if it begins as a compressed file does.
    pub(crate) fn open(self, decompression: Decompression) -> io::Result<Input> {
        match self {
            Source::File(path) => decompressed(File::open(path)?, decompression),
            Source::Stream(_, input) => decompressed(input, decompression),
            Source::Missing(_, reason) => Err(io::Error::other(reason)),
        }
    }
}

/// Where a stream is decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decompression {
    /// On the thread that reads it.
    Here,
    /// On a thread of its own, a few blocks ahead of those that read it.
    Ahead,
}

/// Decompresses a stream if it begins as a compressed file does: gzip, Zstandard, xz or bzip2.
pub(crate) fn decompressed(
    mut input: impl Read + Send + 'static,
    decompression: Decompression,
) -> io::Result<Input> {
    let mut start = [0; 6];
    let (length, result) = read_full(&mut input, &mut start);
    result?;
    let start = start[..length].to_vec();
    let Some(form) = Form::of(&start) else { return Ok(Box::new(Cursor::new(start).chain(input))) };
    let input = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(input));
    let decoder = form.decoder(input)?;
    match decompression {
        Decompression::Here => Ok(decoder),
        Decompression::Ahead => Ok(Box::new(ReadAhead::start(decoder)?)),
    }
}

/// A form of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Gzip,
    Zstandard,
    Xz,
    Bzip2,
}

impl Form {
    fn of(start: &[u8]) -> Option<Form> {
        match start {
            [0x1f, 0x8b, 8, ..] => Some(Form::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Form::Zstandard),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Form::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1' | 0x17, ..] => Some(Form::Bzip2),
            _ => None,
        }
    }

    fn decoder<R: Read + Send + 'static>(
        self,
        input: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    ) -> io::Result<Input> {
        Ok(match self {
            Form::Gzip => Box::new(MultiGzDecoder::new(input)),
            Form::Bzip2 => Box::new(MultiBzDecoder::new(input)),
            Form::Xz => {
                let stream = Stream::new_stream_decoder(DECOMPRESSION_OCTETS, CONCATENATED)?;
                Box::new(XzDecoder::new_stream(input, stream))
            }
            Form::Zstandard => {
                let mut decoder = ZstdDecoder::with_buffer(input)?;
                decoder.window_log_max(DECOMPRESSION_OCTETS.ilog2())?;
                Box::new(decoder)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use super::{Decompression, decompressed};

    fn read(octets: &[u8]) -> std::io::Result<Vec<u8>> {
        let [here, ahead] = [Decompression::Here, Decompression::Ahead].map(|decompression| {
            let mut text = Vec::new();
            let result = decompressed(Cursor::new(octets.to_vec()), decompression)
                .and_then(|mut input| input.read_to_end(&mut text));
            (text, result.map_err(|error| error.to_string()))
        });
        assert_eq!(here, ahead);
        here.1.map(|_| here.0).map_err(std::io::Error::other)
    }

    #[test]
    fn every_form_is_read() {
        let text = b"550 5.1.1 No such user\n".repeat(1000);
        let gzip = {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        };
        let bzip2 = {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        };
        let xz = {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        };
        let zstandard = zstd::encode_all(text.as_slice(), 1).unwrap();
        for compressed in [&gzip, &bzip2, &xz, &zstandard] {
            assert_eq!(read(compressed).unwrap(), text);
            assert_eq!(read(&compressed.repeat(2)).unwrap(), text.repeat(2), "two files in one");
            let cut = &compressed[..compressed.len() - 3];
            assert!(read(cut).is_err());
        }
        assert_eq!(read(&text).unwrap(), text);
        assert_eq!(read(b"55").unwrap(), b"55");
        assert_eq!(read(b"").unwrap(), b"");
    }

    #[test]
    fn a_large_window_is_refused() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![b'x'; 1 << 20]).unwrap();
        assert!(read(&encoder.finish().unwrap()).is_err());
    }
}
