//! What the tester was told about a server.

use anyhow::{Result, ensure};
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
    /// The TCP port that it serves at where it is used, if it is tested at another.
    pub port: Option<u16>,
    /// The most octets a message may have.
    pub size_limit: Option<u64>,
    /// What the site does on purpose, or promises beside what its server says.
    pub policies: Vec<Policy>,
}

/// What a site does on purpose, or promises beside what its server says. Rules that cannot see it ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It limits the recipients of a message, so that a refusal of more may be for good (RFC 5321 §4.5.3.1.10).
    Recipients,
    /// It wants TLS before mail of anybody, so that it is no server of the public (RFC 3207 §4).
    Tls,
    /// It follows the Lemonade profile (RFC 5550).
    Lemonade,
    /// It follows the profile of voice mail, VPIM (RFC 3801).
    Vpim,
}

impl Knowledge {
    /// What the mailboxes are called.
    pub const MAILBOXES: [&str; 5] = ["valid", "unknown", "foreign", "forwarded", "full"];

    /// The mailbox of a name, if it is known.
    #[must_use]
    pub fn mailbox(&self, name: &str) -> Option<&str> {
        let mailbox = match name {
            "valid" => &self.valid,
            "unknown" => &self.unknown,
            "foreign" => &self.foreign,
            "forwarded" => &self.forwarded,
            "full" => &self.full,
            _ => &None,
        };
        mailbox.as_deref()
    }

    /// Refuses mailboxes without a domain.
    ///
    /// # Errors
    ///
    /// The first such mailbox, with what to write.
    pub fn check(&self) -> Result<()> {
        let mailboxes = Knowledge::MAILBOXES.map(|name| (name, self.mailbox(name)));
        for (key, mailbox) in mailboxes.into_iter().chain([("sender", self.sender.as_deref())]) {
            let Some(mailbox) = mailbox else { continue };
            let is_whole = mailbox
                .rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
            ensure!(
                is_whole,
                "{key} = {mailbox:?}: write a mailbox with its domain, as \"alice@example.org\""
            );
        }
        Ok(())
    }

    /// Returns whether the site declares a policy.
    #[must_use]
    pub fn has_policy(&self, policy: Policy) -> bool {
        self.policies.contains(&policy)
    }
}

#[cfg(test)]
mod tests {
    use super::{Knowledge, Policy};

    #[test]
    fn each_mailbox_has_its_name() {
        for name in Knowledge::MAILBOXES {
            let known: Knowledge =
                toml::from_str(&format!("{name} = \"a@example.org\"")).expect("it is known");
            let named: Vec<&str> =
                Knowledge::MAILBOXES.into_iter().filter(|name| known.mailbox(name).is_some()).collect();
            assert_eq!(named, [name]);
            let half: Knowledge = toml::from_str(&format!("{name} = \"a\"")).expect("it is known");
            assert!(half.check().is_err_and(|error| error.to_string().starts_with(name)), "{name}");
        }
    }

    #[test]
    fn a_policy_that_nothing_asks_for_is_refused_with_those_that_there_are() {
        let known: Knowledge =
            toml::from_str("policies = [\"tls\", \"recipients\"]").expect("they are known");
        assert!(known.has_policy(Policy::Tls) && !known.has_policy(Policy::Vpim));
        let error = toml::from_str::<Knowledge>("policies = [\"recipient\"]")
            .expect_err("there is no such")
            .to_string();
        assert!(error.contains("line 1, column 13"), "{error}");
        assert!(error.contains("expected one of `recipients`, `tls`, `lemonade`, `vpim`"), "{error}");
    }
}
