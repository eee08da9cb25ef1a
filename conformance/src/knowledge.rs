//! What the user says about a server.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Passwords that no user has. The suite sends one to find out how a server refuses a wrong password.
pub(crate) const WRONG_PASSWORDS: [&str; 3] = ["not-the-password", "a-mistyped-secret", "zkq7vjx3wzkq9vjx5w"];

/// Returns whether octets, such as the message of SASL PLAIN, end in one of the [`WRONG_PASSWORDS`]. So a record shows
/// that a password was wrong, without any knowledge of the right one. The first three letters may be masked.
pub(crate) fn ends_in_wrong_password(octets: &[u8]) -> bool {
    WRONG_PASSWORDS.iter().any(|wrong| octets.ends_with(&wrong.as_bytes()[3..]))
}

/// What is known about a server apart from what it says. A field that is not known is `None` or empty.
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
    /// The TCP port on which it is used, if it is tested on a different one.
    pub port: Option<u16>,
    /// The largest message that it accepts, in octets.
    pub size_limit: Option<u64>,
    /// What the site does on purpose, or promises in addition to what its server says.
    pub policies: Vec<Policy>,
}

/// What a site does on purpose, or promises in addition to what its server says. Replies do not show it, but some rules
/// depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It limits the recipients of a message, so it may refuse more of them permanently (RFC 5321 §4.5.3.1.10).
    Recipients,
    /// Its sessions are protected from snooping by other means than TLS, so it takes passwords in clear (RFC 4954 §4).
    Cleartext,
    /// It trusts the client that tests it by its address, so its submission server requires no login (RFC 6409 §4.3).
    Trusted,
    /// It requires TLS before any mail, so it is not a publicly referenced server (RFC 3207 §4).
    Tls,
    /// It follows the Lemonade profile (RFC 5550).
    Lemonade,
    /// It follows the Voice Profile for Internet Mail, VPIM (RFC 3801).
    Vpim,
}

impl Knowledge {
    /// The names of the mailboxes.
    pub const MAILBOXES: [&str; 5] = ["valid", "unknown", "foreign", "forwarded", "full"];

    /// Returns the mailbox with a name, if it is known.
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
    /// If there is such a mailbox, with what to write instead.
    pub fn check(&self) -> Result<()> {
        let mailboxes = Knowledge::MAILBOXES.map(|name| (name, self.mailbox(name)));
        for (key, mailbox) in mailboxes.into_iter().chain([("sender", self.sender.as_deref())]) {
            let Some(mailbox) = mailbox else { continue };
            let is_whole = mailbox
                .rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
            ensure!(
                is_whole,
                "{key} = {mailbox:?}: write a mailbox with its domain, such as \"alice@example.org\""
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
    use super::{Knowledge, Policy, WRONG_PASSWORDS, ends_in_wrong_password};

    #[test]
    fn wrong_passwords_are_recognized() {
        for wrong in WRONG_PASSWORDS {
            assert!(ends_in_wrong_password(format!("\0alice\0{wrong}").as_bytes()), "{wrong}");
            assert!(ends_in_wrong_password(format!("xxx{}", &wrong[3..]).as_bytes()), "{wrong}");
        }
        for other in ["", "secret", "the-password", "\0alice\0password"] {
            assert!(!ends_in_wrong_password(other.as_bytes()), "{other:?}");
        }
    }

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
    fn an_unknown_policy_is_refused_with_a_list_of_policies() {
        let known: Knowledge =
            toml::from_str("policies = [\"tls\", \"recipients\"]").expect("they are known");
        assert!(known.has_policy(Policy::Tls) && !known.has_policy(Policy::Vpim));
        let error = toml::from_str::<Knowledge>("policies = [\"recipient\"]")
            .expect_err("there is no such policy")
            .to_string();
        assert!(error.contains("line 1, column 13"), "{error}");
        assert!(
            error.contains("expected one of `recipients`, `cleartext`, `trusted`, `tls`, `lemonade`, `vpim`"),
            "{error}"
        );
    }
}
