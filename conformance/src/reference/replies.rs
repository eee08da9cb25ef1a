//! The texts of the replies, and the placeholders in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Result, anyhow, bail};
use toml::Spanned;

use super::key::Key;
use crate::data_file::{self, line_of};

/// The name of the server.
pub(super) const DOMAIN: &str = "mx.example.org";

const NAME: &str = "replies.toml";
const TEXT: &str = include_str!("replies.toml");

/// The longest padding, in octets.
const PADDING: usize = 1 << 20;

static REPLIES: LazyLock<Result<Replies, String>> =
    LazyLock::new(|| Replies::read(NAME, TEXT).map_err(|error| format!("{error:#}")));

/// The reply of each situation.
#[derive(Debug)]
pub(super) struct Replies {
    texts: BTreeMap<Key, String>,
}

impl Replies {
    /// Returns the built-in replies.
    pub(super) fn built_in() -> Result<&'static Replies> {
        REPLIES.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// Returns the text of a reply with CR LF at the ends of its lines, and with its placeholders.
    pub(super) fn text(&self, key: Key) -> &str {
        self.texts.get(&key).map_or("", String::as_str)
    }

    fn read(name: &str, text: &str) -> Result<Replies> {
        let lines: BTreeMap<Spanned<String>, String> = data_file::parse(name, text)?;
        let mut texts = BTreeMap::new();
        for (spanned, lines) in &lines {
            let line = line_of(text.as_bytes(), spanned.span().start);
            let Some(key) = Key::find(spanned.get_ref()) else {
                bail!("{name}:{line}: there is no situation {:?}", spanned.get_ref());
            };
            check(lines).map_err(|error| anyhow!("{name}:{line}: {error}"))?;
            texts.insert(key, format!("{}\r\n", lines.trim_end_matches('\n').replace('\n', "\r\n")));
        }
        match Key::ALL.iter().find(|key| !texts.contains_key(key)) {
            Some(key) => bail!("{name}: the situation {:?} has no reply: add one", key.name()),
            None => Ok(Replies { texts }),
        }
    }
}

/// The values of the placeholders.
#[derive(Clone, Debug, Default)]
pub(super) struct Values<'a> {
    /// The name that the client gave in EHLO.
    pub(super) client: &'a str,
    /// The mailbox in question.
    pub(super) mailbox: &'a str,
    /// The lines of the list of capabilities, each with its reply code.
    pub(super) capabilities: &'a str,
}

impl Values<'_> {
    /// Returns the octets of a text, with each placeholder replaced by its value and each `\xHH` by the octet.
    pub(super) fn fill(&self, text: &str) -> Vec<u8> {
        let filled = parts(text).map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Value(name) => self.value(name).unwrap_or_else(|| format!("{{{name}}}")),
        });
        octets(&filled.collect::<String>())
    }

    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "domain" => DOMAIN.to_owned(),
            "client" => self.client.to_owned(),
            "mailbox" => self.mailbox.to_owned(),
            "capabilities" => self.capabilities.to_owned(),
            "priority" => "0".to_owned(),
            _ => {
                let length = name.strip_prefix("pad:")?.parse().ok().filter(|length| *length <= PADDING)?;
                "x".repeat(length)
            }
        })
    }
}

/// Refuses a text with an unknown placeholder.
pub(super) fn check(text: &str) -> Result<()> {
    let unknown = parts(text).find_map(|part| match part {
        Part::Value(name) if Values::default().value(name).is_none() => Some(name),
        _ => None,
    });
    match unknown {
        Some(name) => bail!("there is no placeholder {{{name}}}"),
        None => Ok(()),
    }
}

enum Part<'a> {
    Text(&'a str),
    Value(&'a str),
}

fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            rest = after;
            return Some(Part::Value(name));
        }
        let end =
            rest.char_indices().skip(1).find(|(_, letter)| *letter == '{').map_or(rest.len(), |(end, _)| end);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Part::Text(text))
    })
}

fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        octets.extend_from_slice(before.as_bytes());
        let named = after.split_at_checked(2).and_then(|(digits, after)| Some((hexadecimal(digits)?, after)));
        match named {
            Some((octet, _)) => octets.push(octet),
            None => octets.extend_from_slice(b"\\x"),
        }
        rest = named.map_or(after, |(_, after)| after);
    }
    octets.extend_from_slice(rest.as_bytes());
    octets
}

fn hexadecimal(digits: &str) -> Option<u8> {
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Replies, Values};
    use crate::protocol::reply::{Defect, Reply};
    use crate::reference::key::Key;

    #[test]
    fn every_reply_is_one_reply_without_defects() {
        let replies = Replies::built_in().expect("replies.toml is well-formed");
        let values = Values { client: "me", mailbox: "a@example.org", capabilities: "250 SIZE" };
        for key in Key::ALL {
            let octets = values.fill(replies.text(*key));
            let reply = Reply::read(&octets);
            assert_eq!(reply.octets().len(), octets.len(), "{}: more than one reply", key.name());
            // RFC 4141 §5.2: a line begins with the word CONNEG.
            let negotiates = *key == Key::RcptConneg && reply.defects() == Defect::MixedEnhancedCodes.into();
            assert!(reply.defects().is_empty() || negotiates, "{}: {:?}", key.name(), reply.defects());
            let exempt = [Key::Greeting, Key::Ehlo, Key::Helo].contains(key)
                || reply.number().is_some_and(|number| number / 100 == 3);
            assert_eq!(reply.enhanced().is_none(), exempt, "{}", key.name());
        }
    }

    #[test]
    fn octets_and_values() {
        let values = Values { mailbox: "a@b", ..Values::default() };
        assert_eq!(values.fill("250 {mailbox} \\xff\\x0 {pad:3}\r\n"), b"250 a@b \xff\\x0 xxx\r\n");
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| format!("{:#}", Replies::read("x.toml", text).expect_err("it is refused"));
        assert_eq!(error("noop = \"250 Ok\"\nnop = \"250 Ok\"\n"), "x.toml:2: there is no situation \"nop\"");
        assert_eq!(error("noop = \"250 {ok}\"\n"), "x.toml:1: there is no placeholder {ok}");
        assert_eq!(error("noop = \"250 Ok\"\n"), "x.toml: the situation \"greeting\" has no reply: add one");
    }
}
