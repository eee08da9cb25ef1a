//! `registry/reply-codes.toml`: the basic reply codes, for which IANA has no registry.

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::code::ReplyCode;
use crate::data_file::DataFile;

/// C89 guarantees 31 significant characters, and `SMTP_ESC_REPLY_` takes fifteen of them.
const MAX_NAME: usize = 31 - "SMTP_ESC_REPLY_".len();

/// A basic reply code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReplyCodeEntry {
    /// The code.
    pub code: ReplyCode,
    /// The stable name in Rust and C.
    pub name: String,
    /// What a server means by it.
    pub meaning: String,
    /// What a client does when it receives the code.
    pub client: String,
    /// The RFCs and sections that define it for SMTP; empty if no RFC does.
    pub sources: Vec<String>,
    /// Set if no RFC defines the code for SMTP.
    #[serde(default)]
    pub no_definition: bool,
    /// Set by `sync --propose`: a person has to confirm the entry, and then delete this key.
    #[serde(default)]
    pub review: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    reply_code: Vec<toml::Spanned<ReplyCodeEntry>>,
}

/// Parses and checks a file that has been read.
pub fn read(file: &DataFile) -> Result<Vec<ReplyCodeEntry>> {
    let mut entries: Vec<ReplyCodeEntry> = Vec::new();
    for entry in file.parse::<File>()?.reply_code {
        let line = file.line(entry.span().start);
        let entry = entry.into_inner();
        check(&entry, &entries).map_err(|error| file.error(line, &error))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn check(entry: &ReplyCodeEntry, before: &[ReplyCodeEntry]) -> Result<()> {
    let (code, name) = (entry.code, &entry.name);
    ensure!(
        before.last().is_none_or(|last| last.code < code),
        "reply codes must be in ascending order, each once; move {code} to its place"
    );
    ensure!(
        !name.is_empty()
            && name.len() <= MAX_NAME
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'),
        "{name:?} is not a name; write `name = \"...\"`, in upper case, {MAX_NAME} characters at most"
    );
    ensure!(
        before.iter().all(|other| other.name != *name),
        "another code has the name {name}; choose another one for {code}"
    );
    ensure!(
        entry.sources.is_empty() == entry.no_definition,
        "write `sources = [\"RFC ...\"]` for {code}, or `no-definition = true` if no RFC defines it"
    );
    ensure!(
        !entry.meaning.is_empty() && !entry.client.is_empty(),
        "reply code {code} needs `meaning = \"...\"` and `client = \"...\"`"
    );
    Ok(())
}
