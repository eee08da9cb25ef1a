//! Fills the placeholders in the texts of cases with what is known about the target.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::marker::Markers;
use super::placeholder::{Piece, Placeholder, Spelling, pieces};
use crate::target::{CLIENT, Credentials, Target};

/// The sender if the target states none.
const SENDER: &str = "sender@example.org";

/// The values of placeholders.
pub(crate) struct Template<'a> {
    pub(crate) target: &'a Target,
    /// The SIZE limit that the target states or the server announces.
    pub(crate) size_limit: Option<u64>,
    /// The first class of solicitations that the server does not want.
    pub(crate) solicitation: Option<String>,
    /// The markers of the run, if messages are to be recognized when they arrive.
    pub(crate) markers: Option<&'a Markers>,
}

impl Template<'_> {
    /// Returns the address of the sender.
    pub(crate) fn sender(&self) -> &str {
        self.target.knowledge.sender.as_deref().unwrap_or(SENDER)
    }

    /// Returns the text with its placeholders filled, for repetition `n`.
    pub(crate) fn fill(&self, text: &str, n: usize) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut marker = None;
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(Placeholder::Marker) => {
                    let markers = self.markers.with_context(|| unknown("[delivery]"))?;
                    filled.push_str(marker.get_or_insert_with(|| markers.next()));
                }
                Piece::Placeholder(placeholder) => filled.push_str(&self.value(placeholder, n)?),
            }
        }
        Ok(filled)
    }

    /// Returns the text for people to read, with the placeholders filled that have a value for the target. Credentials,
    /// fillers and the number of the repetition stay as they are written.
    ///
    /// # Errors
    ///
    /// Returns an error for a single brace or an unknown placeholder.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn fill_known(&self, text: &str) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(placeholder) => match self.value(placeholder, 1) {
                    Ok(value) if placeholder.is_of_target() => filled.push_str(&value),
                    _ => filled.push_str(&placeholder.to_string()),
                },
            }
        }
        Ok(filled)
    }

    fn value(&self, placeholder: Placeholder<'_>, n: usize) -> Result<String> {
        let mailbox =
            |name| self.target.knowledge.mailbox(name).with_context(|| unknown(&format!("`{name}` mailbox")));
        let credentials = || self.target.credentials.as_ref().with_context(|| unknown("credentials"));
        let password = |wrong| {
            let credentials = credentials()?;
            Ok::<_, anyhow::Error>(if wrong { credentials.wrong_password() } else { &credentials.password })
        };
        Ok(match placeholder {
            Placeholder::Me => CLIENT.to_owned(),
            Placeholder::Repetition => n.to_string(),
            Placeholder::Sender => self.sender().to_owned(),
            Placeholder::Mailbox(name) => mailbox(name)?.to_owned(),
            Placeholder::Swapped { sender: true } => swapped(self.sender()),
            Placeholder::Swapped { sender: false } => swapped(mailbox("valid")?),
            Placeholder::Spelled(spelling) => {
                let (local, domain) =
                    mailbox("valid")?.rsplit_once('@').with_context(|| unknown("domain"))?;
                spelled(local, domain, spelling)
            }
            Placeholder::Marker => bail!("a marker has no value of its own"),
            Placeholder::Domain => {
                let (_, domain) = mailbox("valid")?.rsplit_once('@').with_context(|| unknown("domain"))?;
                domain.to_owned()
            }
            Placeholder::TooLarge => {
                (self.size_limit.with_context(|| unknown("SIZE limit"))? + 1).to_string()
            }
            Placeholder::Solicitation => {
                self.solicitation.clone().context("the server lists no class of solicitations")?
            }
            Placeholder::User => STANDARD.encode(&credentials()?.user),
            Placeholder::Plain { wrong } => {
                Credentials::plain_message(&credentials()?.user, password(wrong)?)
            }
            Placeholder::PlainAs(identity) => {
                Credentials::plain_message_as(identity.text(), &credentials()?.user, password(false)?)
            }
            Placeholder::Password { wrong } => STANDARD.encode(password(wrong)?),
            Placeholder::Filler { count, text, end } => format!("{text}{end}").repeat(count),
        })
    }
}

/// Returns a mailbox with the other letter case in its local part.
fn swapped(mailbox: &str) -> String {
    let (local, domain) = mailbox.rsplit_once('@').unwrap_or((mailbox, ""));
    format!("{}@{domain}", other_case(local))
}

fn other_case(text: &str) -> String {
    let swap = |letter: char| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        letter => letter.to_ascii_lowercase(),
    };
    text.chars().map(swap).collect()
}

/// Returns another spelling of a mailbox (RFC 5321 §2.4, §3.5.1, §4.1.2). A local part in quotes stays as it is.
fn spelled(local: &str, domain: &str, spelling: Spelling) -> String {
    let is_plain = !local.starts_with('"');
    match spelling {
        Spelling::DomainCase => format!("{local}@{}", other_case(domain)),
        Spelling::Quoted if is_plain => format!("\"{local}\"@{domain}"),
        Spelling::Escaped if is_plain => format!("\"\\{local}\"@{domain}"),
        Spelling::Quoted | Spelling::Escaped => format!("{local}@{domain}"),
        Spelling::Local => local.to_owned(),
    }
}

fn unknown(what: &str) -> String {
    format!("the target does not state its {what}")
}

#[cfg(test)]
mod tests {
    use super::Template;
    use crate::target::{Credentials, Target};

    #[test]
    fn fill_known_fills_in_the_target_but_no_credentials() {
        let mut target = Target::read("smtp://127.0.0.1").expect("a URL");
        target.knowledge.valid = Some("alice@example.test".to_owned());
        target.credentials =
            Some(Credentials { user: "alice".to_owned(), password: "secret".to_owned(), cleartext: false });
        let template = Template { target: &target, size_limit: Some(99), solicitation: None, markers: None };
        let text = "{me} {sender} {sender-case} {marker} {valid} {valid-domain-case} {valid-quoted} {valid-escaped} {valid-local} {domain} {size+1} {unknown} {plain} {plain-wrong} {password} {user} {n} {pad:9} \
                    {lines:2:a} {{}}";
        assert_eq!(
            template.fill_known(text).expect("it is well-formed"),
            "client.example.org sender@example.org SENDER@example.org {marker} alice@example.test alice@EXAMPLE.TEST \"alice\"@example.test \"\\alice\"@example.test alice example.test 100 {unknown} {plain} {plain-wrong} \
             {password} {user} {n} {pad:9} {lines:2:a} {}"
        );
    }
}
