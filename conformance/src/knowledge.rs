//! What the tester was told about a server.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::dialogue::{Dialogue, Exchange};
use crate::protocol::command::Verb;
use crate::protocol::reply::Reply;

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

    /// Mailboxes that are said to exist and that RCPT refuses wherever it comes to that: who wrote the target's file
    /// may have meant others.
    pub(crate) fn doubts(&self, dialogues: &[Dialogue]) -> Vec<String> {
        let doubt = |name: &&str| {
            let mailbox = self.mailbox(name)?;
            let mut refused = None;
            for reply in replies_to(mailbox, dialogues) {
                match reply.number()? {
                    200..300 => return None,
                    550 | 553 | 554 if is_about_mailbox(&reply) => refused = refused.or(Some(reply)),
                    _ => {}
                }
            }
            let line = refused?.lines().next()?.octets();
            let reply = line.get(..SHOWN).unwrap_or(line).escape_ascii().to_string();
            Some(format!("{name} = {mailbox:?}: RCPT is always refused ({reply}); is it the right mailbox?"))
        };
        ["valid", "forwarded", "full"].iter().filter_map(doubt).collect()
    }

    /// Refuses mailboxes without a domain.
    pub(crate) fn check(&self) -> Result<()> {
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

/// How many octets of a reply are shown.
const SHOWN: usize = 200;

/// Returns whether a refusal is about the mailbox, or its domain: not about the client, the session or what the
/// mailbox is full of.
fn is_about_mailbox(reply: &Reply<'_>) -> bool {
    let relaying = || String::from_utf8_lossy(reply.octets()).to_ascii_lowercase().contains("relay");
    match reply.enhanced().map(|code| (code.subject(), code.detail())) {
        None => reply.number() != Some(554) || relaying(),
        Some((1, _)) => true,
        Some((2, detail)) => detail != 2,
        Some((7, _)) => relaying(),
        Some(_) => false,
    }
}

/// The replies to RCPT of a mailbox, without parameters.
fn replies_to<'d>(mailbox: &str, dialogues: &'d [Dialogue]) -> impl Iterator<Item = Reply<'d>> {
    let is_about = move |exchange: &&Exchange| {
        let command = exchange.command().filter(|command| exchange.sure && command.verb() == Verb::Rcpt);
        let envelope = command.and_then(|command| command.envelope());
        let envelope = envelope.filter(|envelope| envelope.parameters().next().is_none());
        envelope.and_then(|envelope| envelope.path()) == Some(mailbox.as_bytes())
    };
    let exchanges = dialogues.iter().flat_map(|dialogue| &dialogue.exchanges);
    exchanges.filter(is_about).filter_map(|exchange| exchange.replies().next())
}

#[cfg(test)]
mod tests {
    use super::{Knowledge, Policy};
    use crate::dialogue::{Act, Answer, Dialogue, Exchange};

    #[test]
    fn a_mailbox_that_is_refused_wherever_it_is_tried_is_in_doubt() {
        let known: Knowledge = toml::from_str("valid = \"amy@example.org\"").expect("it is known");
        let doubts = |replies: &[&str]| {
            let exchange = |reply: &&str| {
                let answer = Answer { octets: format!("{reply}\r\n").into(), millis: 0 };
                let act = Act::Command("RCPT TO:<amy@example.org>\r\n".into());
                Exchange { answers: vec![answer], ..Exchange::new(act) }
            };
            let exchanges = replies.iter().map(exchange).collect();
            known.doubts(&[Dialogue { exchanges, ..Dialogue::default() }])
        };
        let doubt =
            "valid = \"amy@example.org\": RCPT is always refused (550 5.1.1 Who?); is it the right mailbox?";
        assert_eq!(doubts(&["503 5.5.1 MAIL first", "550 5.1.1 Who?", "550 No"]), [doubt]);
        assert_eq!(doubts(&["554 5.7.1 Relay access denied"]).len(), 1);
        assert!(doubts(&[&format!("550 {}", "a".repeat(9000))]).concat().len() < 400);
        for replies in [
            &["550 5.1.1 Who?", "250 2.1.5 Ok"][..],
            &["530 5.7.0 Login"],
            &["554 5.7.1 Client host blocked"],
            &["554 5.2.2 Mailbox full"],
            &["554 5.5.1 MAIL first"],
            &["450 4.1.1 Later"],
            &[],
        ] {
            assert_eq!(doubts(replies), [""; 0], "{replies:?}");
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
