//! Reads files up to a limit, so that no file can fill the memory, whatever its path refers to.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The maximum size, in octets, of what people write or download: a registry, a data file.
pub const MAX_DATA: usize = 4 << 20;
/// The maximum size of a product, in octets.
pub const MAX_PRODUCT: usize = 64 << 20;

/// Reads the whole file. Fails if it has more octets than the limit.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut octets)?;
    within(octets, limit)
}

/// Returns the octets. Fails if there are more than the limit.
pub fn within(octets: Vec<u8>, limit: usize) -> io::Result<Vec<u8>> {
    if octets.len() > limit {
        let reason = format!("it has more than {limit} octets, the limit for such a file");
        return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(octets)
}

/// Reads the whole file as UTF-8. Fails if it has more octets than the limit.
pub fn read_text(path: &Path, limit: usize) -> io::Result<String> {
    read(path, limit).and_then(text)
}

/// Returns the octets as text. Fails if they are not UTF-8.
pub fn text(octets: Vec<u8>) -> io::Result<String> {
    String::from_utf8(octets).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Reads the last octets of a file.
pub fn read_end(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut octets = Vec::new();
    file.take(limit).read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{read, read_end, read_text};

    #[test]
    fn a_file_larger_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().to_string().contains("more than 4 octets"));
        assert_eq!(read_end(&path, 9).unwrap(), b"12345");
        assert_eq!(read_end(&path, 2).unwrap(), b"45");
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().to_string(), "it is not UTF-8");
    }
}
