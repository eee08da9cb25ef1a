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
    /// Who wrote the descriptions.
    pub origin: Origin,
    /// Where IANA publishes the registry.
    pub url: String,
    /// The server's validators, if it was downloaded.
    pub etag: Option<String>,
    /// Likewise.
    pub last_modified: Option<String>,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Octets of the file.
    pub size: usize,
    /// `<updated>` of the registry.
    pub updated: String,
}

/// Whose words the snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The facts are IANA's, the descriptions summaries of ours.
    Transcribed,
    /// The file is IANA's own.
    Iana,
}

impl Snapshot {
    /// Reads the record.
    pub fn load(path: &Path) -> Result<Snapshot> {
        DataFile::read(path)?.parse()
    }

    /// Fails if the record is not that of this file; the error has the lines to write.
    pub fn check(&self, path: &Path, octets: &[u8], updated: &str) -> Result<()> {
        let sha256 = sha256(octets);
        let size = octets.len();
        if self.sha256 == sha256 && self.size == size && self.updated == updated {
            return Ok(());
        }
        Err(anyhow!(
            "{} does not describe the snapshot beside it. If the snapshot was changed on purpose, write:\n\
             sha256 = \"{sha256}\"\nsize = {size}\nupdated = \"{updated}\"",
            path.display()
        ))
    }

    /// The origin in words, for products: `transcribed from the registry of 2024-12-06`.
    pub fn provenance(&self) -> String {
        match self.origin {
            Origin::Transcribed => format!("transcribed from the registry of {}", self.updated),
            Origin::Iana => format!("IANA's registry of {}", self.updated),
        }
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}
