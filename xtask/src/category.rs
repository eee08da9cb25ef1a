//! `registry/categories.toml`: what a refusal is about, whether to try again, and what the owner of a list does.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::data_file::DataFile;

/// The taxonomies that a category can have a name in.
pub const TAXONOMIES: [&str; 9] =
    ["kumomta", "powermta", "sparkpost", "sisimai", "ses", "sendgrid", "mailgun", "postmark", "mandrill"];

/// C89 guarantees 31 significant characters, and `SMTP_ESC_CAT_` takes thirteen of them.
const MAX_IDENTIFIER: usize = 31 - "SMTP_ESC_CAT_".len();

/// A category.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Category {
    /// The stable name.
    pub id: String,
    /// The name in C, if the id would make one that is too long.
    #[serde(skip_serializing)]
    identifier: Option<String>,
    /// What a reply of this category says, in one sentence.
    pub meaning: String,
    /// What the sender does, if nothing more precise is known.
    pub sender: String,
    /// What the administrator of the receiving server does, if nothing more precise is known.
    pub administrator: String,
    /// Whose matter it is.
    pub matter: Matter,
    /// How long until another try makes sense.
    pub wait: Option<String>,
    /// What to do after a temporary refusal. Success needs nothing.
    pub transient: Option<Action>,
    /// What to do after a permanent refusal.
    pub permanent: Option<Action>,
    /// The names that other taxonomies have for it.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

/// What to do after a refusal.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Whether to try again.
    pub retry: Retry,
    /// What the owner of a list does with the address.
    pub list: ListAction,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Not to this recipient.
    Never,
    /// Later; nothing else is needed.
    Later,
    /// The queue tries again, but it helps only after something was changed.
    LaterAndFix,
    /// Not before something was changed.
    AfterFix,
}

impl Retry {
    /// Returns the name in data files and products.
    pub fn name(self) -> &'static str {
        match self {
            Retry::Never => "never",
            Retry::Later => "later",
            Retry::LaterAndFix => "later-and-fix",
            Retry::AfterFix => "after-fix",
        }
    }
}

/// What the owner of a list does with an address.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ListAction {
    /// Removes it.
    Remove,
    /// Counts, and removes it after repeats.
    Pause,
    /// Keeps it.
    Keep,
}

impl ListAction {
    /// Returns the name in data files and products.
    pub fn name(self) -> &'static str {
        match self {
            ListAction::Remove => "remove",
            ListAction::Pause => "pause",
            ListAction::Keep => "keep",
        }
    }
}

/// Whose matter a refusal is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// The address of the recipient.
    RecipientAddress,
    /// The mailbox of the recipient.
    RecipientMailbox,
    /// The content of the message.
    SenderContent,
    /// What is known of the sender.
    SenderReputation,
    /// SPF, DKIM, DMARC or ARC of the sender.
    SenderAuthentication,
    /// The sender's set-up: names, DNS, logins, TLS.
    SenderConfiguration,
    /// The receiver's rules.
    ReceiverPolicy,
    /// The receiver's machines.
    ReceiverSystem,
    /// The way between the two.
    Network,
    /// The commands of either side.
    Protocol,
    /// Nobody's: nothing failed.
    Nobody,
    /// It cannot be told.
    Unknown,
}

impl Matter {
    /// Returns the name in data files and products.
    pub fn name(self) -> &'static str {
        match self {
            Matter::RecipientAddress => "recipient-address",
            Matter::RecipientMailbox => "recipient-mailbox",
            Matter::SenderContent => "sender-content",
            Matter::SenderReputation => "sender-reputation",
            Matter::SenderAuthentication => "sender-authentication",
            Matter::SenderConfiguration => "sender-configuration",
            Matter::ReceiverPolicy => "receiver-policy",
            Matter::ReceiverSystem => "receiver-system",
            Matter::Network => "network",
            Matter::Protocol => "protocol",
            Matter::Nobody => "nobody",
            Matter::Unknown => "unknown",
        }
    }

    /// Returns whether a refusal says something about the recipient, so that the address may be removed for it.
    pub fn is_about_recipient(self) -> bool {
        matches!(self, Matter::RecipientAddress | Matter::RecipientMailbox)
    }
}

impl Category {
    /// Returns the name in C, without its prefix: `MAILBOX_FULL`.
    pub fn identifier(&self) -> String {
        self.identifier.clone().unwrap_or_else(|| self.id.to_ascii_uppercase().replace('-', "_"))
    }
}

/// Parses and checks a file that has been read.
pub fn read(file: &DataFile) -> Result<Vec<Category>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        category: Vec<toml::Spanned<Category>>,
    }
    let mut categories: Vec<Category> = Vec::new();
    for category in file.parse::<File>()?.category {
        let line = file.line(category.span().start);
        let category = category.into_inner();
        check(&category, &categories).map_err(|error| file.error(line, &error))?;
        categories.push(category);
    }
    Ok(categories)
}

fn check(category: &Category, before: &[Category]) -> Result<()> {
    let Category { id, meaning, sender, administrator, matter, transient, permanent, names, .. } = category;
    ensure!(
        !id.is_empty() && id.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-'),
        "id {id:?}: write lower case letters and hyphens"
    );
    ensure!(before.iter().all(|other| other.id != *id), "{id} is there already: remove one of them");
    let identifier = category.identifier();
    ensure!(
        identifier.len() <= MAX_IDENTIFIER
            && identifier.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'_')
            && before.iter().all(|other| other.identifier() != identifier),
        "{id}: {identifier} cannot be its name in C: write identifier = \"...\" with {MAX_IDENTIFIER} upper case \
         letters and underscores at most, another one than those of the other categories"
    );
    for (key, text) in [("meaning", meaning), ("sender", sender), ("administrator", administrator)] {
        ensure!(text.ends_with('.'), "{id}: {key} has to be a sentence");
    }
    let is_success = *matter == Matter::Nobody;
    ensure!(
        transient.is_none() == is_success && permanent.is_none() == is_success,
        "{id}: write transient and permanent = {{ retry = \"...\", list = \"...\" }}, or matter = \"nobody\""
    );
    for action in [transient, permanent].into_iter().flatten() {
        ensure!(
            action.list != ListAction::Remove || matter.is_about_recipient(),
            "{id}: an address is removed only for what is about the recipient: write list = \"keep\" or \"pause\""
        );
    }
    for taxonomy in names.keys() {
        ensure!(
            TAXONOMIES.contains(&taxonomy.as_str()),
            "{id}: there is no taxonomy {taxonomy:?}: write one of {}",
            TAXONOMIES.join(", ")
        );
    }
    Ok(())
}
