//! Reads files that people write, within a limit, and with errors that name the file and the line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::de::DeserializeOwned;

use crate::limits::quoted;

/// Returns the text of a file of at most `limit` octets.
///
/// # Errors
///
/// If the file cannot be read, is longer, or is not UTF-8, with its name.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String> {
    let name = || path.display().to_string();
    read(File::open(path).with_context(name)?, limit).with_context(name)
}

/// Reads to the end, and returns the text if it is at most `limit` octets of UTF-8.
pub(crate) fn read(from: impl Read, limit: u64) -> Result<String> {
    let mut octets = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut octets)?;
    ensure!(octets.len() as u64 <= limit, "it is longer than the limit of {limit} octets");
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = line_of(error.as_bytes(), good);
        anyhow!("line {line}: octet {good} is not UTF-8")
    })
}

/// Parses the text of a TOML file.
///
/// # Errors
///
/// If the text does not have the form of `T`, with the file's name, the line, and the text of the line.
pub(crate) fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let place = error.span().map_or(0, |span| span.start);
        let line = line_of(text.as_bytes(), place);
        let written = text.lines().nth(line - 1).unwrap_or_default().trim();
        let message = quoted(error.message().replace('\n', "; "));
        // The line may contain a password.
        if written.contains("password") {
            return anyhow!("{name}:{line}: {message}");
        }
        anyhow!("{name}:{line}: {message}; the line is: {}", quoted(written.to_owned()))
    })
}

/// Returns the number of the line that has an octet, from 1.
pub(crate) fn line_of(text: &[u8], place: usize) -> usize {
    memchr::memchr_iter(b'\n', text.get(..place).unwrap_or(text)).count() + 1
}

/// Returns ` (did you mean NAME?)` if a name is similar to what was written, or an empty string.
pub(crate) fn did_you_mean<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> String {
    const ALIKE: f64 = 0.85;
    /// All names are shorter.
    const LONGEST: usize = 100;
    if written.len() > LONGEST {
        return String::new();
    }
    let likeness = |name: &str| strsim::jaro_winkler(name, written);
    let closest = names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let meant = closest.filter(|name| likeness(name) > ALIKE);
    meant.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::{parse, read, text};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(rename = "url")]
        _url: String,
    }

    #[test]
    fn an_error_names_the_line_and_quotes_little() {
        let error = |text: &str| format!("{:#}", parse::<Form>("mx.toml", text).expect_err("it is refused"));
        assert_eq!(
            error("url = \"a\"\n\nurI = 1\n"),
            "mx.toml:3: unknown field `urI`, expected `url`; the line is: urI = 1"
        );
        assert!(!error("url = \"a\"\npassword = \"S3cr3t\"\n").contains("S3cr3t"));
        for long in [format!("url = \"{}", "a".repeat(400_000)), format!("{} = 1", "b".repeat(400_000))] {
            assert!(error(&long).len() < 800, "{}", error(&long).len());
        }
    }

    #[test]
    fn reading_ends_at_the_limit() {
        assert_eq!(read(&b"abc"[..], 3).expect("it fits"), "abc");
        let error = |octets: &[u8], limit| format!("{:#}", read(octets, limit).expect_err("it is refused"));
        assert!(error(b"abcd", 3).contains("longer than the limit of 3 octets"));
        assert_eq!(error(b"a\n\xFFb", 9), "line 2: octet 2 is not UTF-8");
        assert!(text(Path::new("/dev/zero"), 1 << 20).is_err());
    }
}
