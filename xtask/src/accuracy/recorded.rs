//! The recorded replies of vendors, with the categories that they were judged to have.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::category::Category;
use crate::file::{self, MAX_PRODUCT};

/// The file, relative to the project's root.
pub const PATH: &str = "tests/explain/vendor-replies.tsv";

/// A recorded reply.
pub struct Recorded {
    /// The host that sent it, if it is known.
    pub host: Option<String>,
    /// The id of the category that it was judged to have.
    pub category: String,
    /// The reply, cut to what tells it apart.
    pub reply: String,
}

/// Reads the file.
pub fn read(root: &Path, categories: &[Category]) -> Result<Vec<Recorded>> {
    let text = file::read(&root.join(PATH), MAX_PRODUCT).with_context(|| format!("cannot read {PATH}"))?;
    let text = String::from_utf8(text).context(PATH)?;
    let mut replies = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let cells: Vec<&str> = line.splitn(3, '\t').collect();
        let [host, category, reply] = cells[..] else {
            anyhow::bail!("{PATH}:{}: write host, category and reply, with tabs between them", index + 1);
        };
        ensure!(
            categories.iter().any(|known| known.id == category),
            "{PATH}:{}: there is no category {category:?}",
            index + 1
        );
        replies.push(Recorded {
            host: (host != "-").then(|| host.to_owned()),
            category: category.to_owned(),
            reply: reply.to_owned(),
        });
    }
    Ok(replies)
}
