//! Texts of cases, with what is known of the target put in.

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::target::{Credentials, Target};

/// The name that the client gives itself.
const ME: &str = "client.example.org";
/// The sender, where the target names none.
const SENDER: &str = "sender@example.org";
/// The longest filler.
const PADDING: usize = 1 << 20;

/// What placeholders stand for.
pub(crate) struct Template<'a> {
    pub(crate) target: &'a Target,
    /// The limit of SIZE, known or promised.
    pub(crate) size_limit: Option<u64>,
}

impl Template<'_> {
    /// The name that the client gives itself.
    pub(crate) fn me() -> &'static str {
        ME
    }

    /// The sender.
    pub(crate) fn sender(&self) -> &str {
        self.target.knowledge.sender.as_deref().unwrap_or(SENDER)
    }

    /// The text, in its `n`th repetition. `{{` and `}}` are braces.
    pub(crate) fn fill(&self, text: &str, n: usize) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            filled.push_str(&rest[..position]);
            rest = &rest[position..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                filled.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let Some((name, after)) = inside else { bail!("{text:?}: a brace of its own is written twice") };
            filled.push_str(&self.value(name, n)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str, n: usize) -> Result<String> {
        let known = &self.target.knowledge;
        let missing = || anyhow!("the target does not say {name:?}");
        let mailbox = |mailbox: &Option<String>| mailbox.clone().ok_or_else(missing);
        let credentials = || self.target.credentials.as_ref().ok_or_else(missing);
        Ok(match name {
            "me" => ME.to_owned(),
            "n" => n.to_string(),
            "sender" => self.sender().to_owned(),
            "valid" => mailbox(&known.valid)?,
            "unknown" => mailbox(&known.unknown)?,
            "foreign" => mailbox(&known.foreign)?,
            "forwarded" => mailbox(&known.forwarded)?,
            "full" => mailbox(&known.full)?,
            "domain" => {
                let valid = mailbox(&known.valid)?;
                valid.rsplit_once('@').map(|(_, domain)| domain.to_owned()).ok_or_else(missing)?
            }
            "size+1" => (self.size_limit.ok_or_else(missing)? + 1).to_string(),
            "plain" => plain(credentials()?, ""),
            "plain-wrong" => plain(credentials()?, "-wrong"),
            "user" => STANDARD.encode(&credentials()?.user),
            "password" => STANDARD.encode(&credentials()?.password),
            "password-wrong" => STANDARD.encode(format!("{}-wrong", credentials()?.password)),
            _ => filler(name).ok_or_else(|| anyhow!("there is no placeholder {{{name}}}"))?,
        })
    }
}

/// `pad:N` is N letters, and `lines:N:TEXT` is N lines of a text.
fn filler(name: &str) -> Option<String> {
    let (count, text) = match name.split_once(':')? {
        ("pad", count) => (count, "x".to_owned()),
        ("lines", rest) => rest.split_once(':').map(|(count, text)| (count, format!("{text}\r\n")))?,
        _ => return None,
    };
    let count: usize = count.parse().ok()?;
    (count.checked_mul(text.len())? <= PADDING).then(|| text.repeat(count))
}

/// The forms in which a password may stand in a record: as it is, and in base64 alone and in AUTH PLAIN.
pub(crate) fn encoded(credentials: &Credentials) -> Vec<String> {
    let password = &credentials.password;
    let wrong = format!("{password}-wrong");
    [plain(credentials, ""), plain(credentials, "-wrong"), STANDARD.encode(&wrong), STANDARD.encode(password)]
        .into_iter()
        .chain([password.clone()])
        .filter(|form| !form.is_empty())
        .collect()
}

fn plain(credentials: &Credentials, end: &str) -> String {
    STANDARD.encode(format!("\0{}\0{}{end}", credentials.user, credentials.password))
}

#[cfg(test)]
mod tests {
    #[test]
    fn fillers() {
        let filler = super::filler;
        assert_eq!(filler("pad:3").as_deref(), Some("xxx"));
        assert_eq!(filler("lines:2:a: b").as_deref(), Some("a: b\r\na: b\r\n"));
        assert_eq!(filler("pad:1048576").map(|text| text.len()), Some(super::PADDING));
        for name in ["pad", "pad:", "pad:-1", "pad:1048577", "lines:2", "lines:99999999:a", "fill:3"] {
            assert_eq!(filler(name), None, "{name}");
        }
    }
}
