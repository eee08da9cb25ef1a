//! What the tester was told about a server.

use serde::{Deserialize, Serialize};

/// What is known of a server beside what it says; whatever is not known is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Knowledge {
    /// A mailbox that exists.
    pub valid: Option<String>,
    /// A mailbox in a domain of the server that does not exist.
    pub unknown: Option<String>,
    /// A mailbox in a domain that the server does not serve and may not relay to.
    pub foreign: Option<String>,
    /// A mailbox that is forwarded elsewhere.
    pub forwarded: Option<String>,
    /// A mailbox that is full.
    pub full: Option<String>,
    /// The sender that mail comes from.
    pub sender: Option<String>,
    /// The most octets a message may have.
    pub size_limit: Option<u64>,
    /// Policies of the site that explain a refusal: `recipients` for a limit of recipients set on purpose.
    pub policies: Vec<String>,
}

impl Knowledge {
    /// Whether the site declares a policy.
    #[must_use]
    pub fn has_policy(&self, name: &str) -> bool {
        self.policies.iter().any(|policy| policy == name)
    }
}
