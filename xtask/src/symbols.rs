//! `registry/symbols-in-versions`: every identifier that was ever published, and the rows of the constants.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use crate::code::Status;
use crate::data_file::DataFile;

/// The published identifiers, which must not be given to another row.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: BTreeSet<String>,
    rows: BTreeMap<Status, String>,
}

impl Symbols {
    /// Parses a file that has been read.
    pub fn read(file: &DataFile) -> Result<Symbols> {
        let mut symbols = Symbols::default();
        for (index, line) in file.text().lines().enumerate() {
            if !line.starts_with('#') {
                symbols.take(line).map_err(|reason| file.error(index + 1, &anyhow!(reason)))?;
            }
        }
        Ok(symbols)
    }

    /// Returns the identifier that a row was published with.
    pub fn identifier(&self, row: Status) -> Option<&str> {
        self.rows.get(&row).map(String::as_str)
    }

    /// Returns whether the header or the library ever had the identifier, for a row or anything else.
    pub fn has(&self, identifier: &str) -> bool {
        ["Status::", "SMTP_ESC_"].iter().any(|prefix| self.names.contains(&format!("{prefix}{identifier}")))
    }

    /// Returns whether the library ever had the reply code's name.
    pub fn has_reply_code(&self, name: &str) -> bool {
        self.names.contains(&format!("ReplyCode::{name}"))
    }

    /// Adds a line: a name, its versions, and its row if it is a constant of `Status`.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(name), Some(last)) = (words.first(), words.last()) else { return Ok(()) };
        self.names.insert((*name).to_owned());
        let Some(identifier) = name.strip_prefix("Status::") else { return Ok(()) };
        let row = Status::parse(last)
            .ok_or_else(|| format!("{name} has no row; write it at the end of the line, as in X.1.1"))?;
        match self.rows.insert(row, identifier.to_owned()) {
            None => Ok(()),
            Some(other) => {
                Err(format!("{row} already has the name Status::{other}; a row has only one name"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Symbols;
    use crate::code::Status;
    use crate::data_file::DataFile;

    fn read(text: &str) -> Result<Symbols, String> {
        Symbols::read(&DataFile::new(Path::new("symbols"), text)).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_rows_are_read() {
        let text = "# A comment.\n\nSMTP_ESC_STATUS 0.1.0\nStatus::A 0.1.0  X.1.1\nStatus::B 0.1.0 0.2.0 X.1.2\nentries 0.1.0\n";
        let symbols = read(text).unwrap();
        assert_eq!(symbols.identifier(Status::parse("X.1.1").unwrap()), Some("A"));
        assert_eq!(symbols.identifier(Status::parse("X.1.2").unwrap()), Some("B"));
        assert_eq!(symbols.identifier(Status::parse("X.1.3").unwrap()), None);
        assert!(symbols.has("A") && symbols.has("STATUS") && !symbols.has("C") && !symbols.has("entries"));
        let codes = read("ReplyCode::OK 0.1.0\n").unwrap();
        assert!(codes.has_reply_code("OK") && !codes.has_reply_code("A"));
        let bad = read("entries 0.1.0\nStatus::A 0.1.0\n").unwrap_err();
        assert!(bad.starts_with("symbols:2: Status::A has no row; write"), "{bad}");
        let twice = read("Status::A 0.1.0 X.1.1\nStatus::B 0.1.0 X.1.1\n").unwrap_err();
        assert!(twice.starts_with("symbols:2: X.1.1 already has the name Status::A"), "{twice}");
    }
}
