//! `registry/snapshot.toml`: where the snapshot came from.

use std::path::Path;

use anyhow::{Result, anyhow};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::data_file::DataFile;

/// The record of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Snapshot {
    /// Who wrote the descriptions: IANA or this project.
    pub origin: Origin,
    /// Where IANA publishes the registry.
    pub url: String,
    /// The server's `ETag`, if the file was downloaded.
    pub etag: Option<String>,
    /// The server's `Last-Modified`, if the file was downloaded.
    pub last_modified: Option<String>,
    /// The SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// The size of the file in octets.
    pub size: usize,
    /// `<updated>` of the registry.
    pub updated: String,
}

/// Where the snapshot's texts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The facts are IANA's; the descriptions are summaries of ours.
    Transcribed,
    /// The file is IANA's own.
    Iana,
}

impl Snapshot {
    /// Reads the record.
    pub fn load(path: &Path) -> Result<Snapshot> {
        Snapshot::read(&DataFile::read(path)?)
    }

    /// Parses a record that has been read.
    pub fn read(file: &DataFile) -> Result<Snapshot> {
        file.parse()
    }

    /// Fails if the record does not match the snapshot. The error has the lines to write.
    pub fn check(&self, path: &Path, octets: &[u8], updated: &str) -> Result<()> {
        let sha256 = sha256(octets);
        let size = octets.len();
        if self.sha256 == sha256 && self.size == size && self.updated == updated {
            return Ok(());
        }
        Err(anyhow!(
            "{} does not match the snapshot. If the snapshot was changed on purpose, write:\n\
             sha256 = \"{sha256}\"\nsize = {size}\nupdated = \"{updated}\"",
            path.display()
        ))
    }

    /// Returns the contents of the record's file.
    pub fn to_toml(&self) -> String {
        let string = |text: &str| toml::Value::from(text).to_string();
        let optional = |key: &str, text: &Option<String>| {
            text.as_ref().map(|text| format!("{key} = {}\n", string(text))).unwrap_or_default()
        };
        let origin = match self.origin {
            Origin::Transcribed => "transcribed",
            Origin::Iana => "iana",
        };
        format!(
            "{HEAD}\norigin = {}\nurl = {}\n{}{}sha256 = {}\nsize = {}\nupdated = {}\n",
            string(origin),
            string(&self.url),
            optional("etag", &self.etag),
            optional("last-modified", &self.last_modified),
            string(&self.sha256),
            self.size,
            string(&self.updated),
        )
    }

    /// Returns the origin in words: `transcribed from the registry of 2024-12-06`.
    pub fn provenance(&self) -> String {
        match self.origin {
            Origin::Transcribed => format!("transcribed from the registry of {}", self.updated),
            Origin::Iana => format!("IANA's registry of {}", self.updated),
        }
    }
}

const HEAD: &str = "\
# Where smtp-enhanced-status-codes.xml came from. Written by `cargo xtask sync`, or by hand and reviewed.
#
# origin         \"transcribed\": the facts are IANA's, the descriptions are summaries in this project's words
#                \"iana\": the file is IANA's own, octet for octet
# url            where IANA publishes the registry
# etag, last-modified   the server's validators, if the file was downloaded from url
# sha256, size   the file's SHA-256, and its size in octets
# updated        the registry's <updated>
";

/// Returns the SHA-256 in lower-case hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}
