//! Behaviours of servers that clients are tried against, written as data.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use super::exit;
use super::material::{Address, Message};
use crate::data_file::{self, did_you_mean, line_of};
use crate::reference::{Fault, SIZE, Script, Withheld};
use crate::rules::catalogue::{Kind as RuleKind, RuleId};
use crate::rules::client::{Expected, Reported};

include!(concat!(env!("OUT_DIR"), "/behaviours.rs"));

/// The most recipients of an attempt.
const RECIPIENTS: usize = 100;

/// What a server does while a client sends a message, and what the client may make of it.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// A slug that never changes.
    pub id: String,
    /// The file and line of its id: `codes.toml:12`.
    pub place: String,
    /// A short title for reports.
    pub title: String,
    /// The group that it belongs to, such as `codes`.
    pub group: String,
    /// The template by which the client is started: `plain`, `tls`, `auth`, `auth-tls` or `lmtp`.
    pub template: String,
    /// The behaviour that must go as expected before this one is judged.
    pub base: Option<String>,
    /// Whether others are judged only if this one went as expected.
    pub is_base: bool,
    /// The replies that the server sends instead of its own.
    pub script: Script,
    /// What the server does not offer.
    pub withheld: Withheld,
    /// The largest message that the server accepts, in octets.
    pub size: u64,
    /// A fault of the server.
    pub fault: Option<&'static Fault>,
    /// The number of recipients.
    pub recipients: usize,
    /// The message that is handed over.
    pub message: Message,
    /// The kind of the sender's address.
    pub sender: Address,
    /// The kind of the recipients' addresses.
    pub recipient: Address,
    /// What the client may report, and which rules this tests.
    pub expected: Expected,
    /// Whether the client waits until its own time is up.
    pub is_slow: bool,
    /// Whether a reply is chosen, so that the attempt says something only if it was sent.
    pub chooses: bool,
}

impl Behaviour {
    /// Returns whether the server does something that other servers do not do.
    pub(super) fn has_obstacle(&self) -> bool {
        self.chooses || self.fault.is_some()
    }
}

/// The names of templates.
pub const TEMPLATES: [&str; 5] = ["plain", "tls", "auth", "auth-tls", "lmtp"];

/// Returns the built-in behaviours.
///
/// # Errors
///
/// Returns an error with file and line if a behaviour is invalid. A test reads all of them.
pub fn built_in() -> Result<Vec<Behaviour>> {
    let mut behaviours = Vec::new();
    for (name, text) in FILES {
        behaviours.extend(read(name, text)?);
    }
    check(&mut behaviours)?;
    Ok(behaviours)
}

/// Reads a file of behaviours.
///
/// # Errors
///
/// Returns an error with the file, the line and what to write instead, if a behaviour is invalid.
pub fn read(name: &str, text: &str) -> Result<Vec<Behaviour>> {
    let file: File = data_file::parse(name, text)?;
    ensure!(
        TEMPLATES.contains(&file.template.as_str()),
        "{name}: template = {:?}: write one of {}",
        file.template,
        TEMPLATES.join(", ")
    );
    let mut behaviours = Vec::new();
    for raw in file.behaviour {
        let place = format!("{name}:{}", line_of(text.as_bytes(), raw.id.span().start));
        let behaviour = raw.check(&file.group, &file.template, file.base.as_deref(), &place);
        behaviours.push(behaviour.with_context(|| place)?);
    }
    Ok(behaviours)
}

/// Checks behaviours against each other, and marks those that others need.
///
/// # Errors
///
/// If two have the same id, if a base does not exist, or if a behaviour is, through others, its own base.
pub fn check(behaviours: &mut [Behaviour]) -> Result<()> {
    let mut places: BTreeMap<&str, &Behaviour> = BTreeMap::new();
    for behaviour in behaviours.iter() {
        if let Some(other) = places.insert(&behaviour.id, behaviour) {
            let Behaviour { place, id, .. } = behaviour;
            bail!("{place}: duplicate id {id:?}, first used at {}: write another", other.place);
        }
    }
    let mut needed = BTreeSet::new();
    for behaviour in behaviours.iter() {
        let mut base = behaviour.base.as_deref();
        let mut steps = 0;
        while let Some(id) = base {
            let Some(other) = places.get(id) else {
                let meant = did_you_mean(id, places.keys().copied());
                bail!("{}: unknown base {id:?}{meant}", behaviour.place);
            };
            needed.insert(id.to_owned());
            base = other.base.as_deref();
            steps += 1;
            ensure!(steps < 10, "{}: base = {id:?}: it depends on itself: break the cycle", behaviour.place);
        }
    }
    for behaviour in behaviours {
        behaviour.is_base = needed.contains(&behaviour.id);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: String,
    template: String,
    base: Option<String>,
    #[serde(default)]
    behaviour: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Spanned<String>,
    title: String,
    template: Option<String>,
    base: Option<String>,
    #[serde(default)]
    replies: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    size: Option<u64>,
    fault: Option<String>,
    recipients: Option<usize>,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    sender: Address,
    #[serde(default)]
    recipient: Address,
    #[serde(default)]
    right: Vec<String>,
    breaks: Option<String>,
    #[serde(default)]
    but: BTreeMap<String, String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    slow: bool,
    /// For readers of the file.
    #[serde(rename = "note")]
    _note: Option<String>,
}

impl Raw {
    fn check(self, group: &str, template: &str, base: Option<&str>, place: &str) -> Result<Behaviour> {
        let id = self.id.into_inner();
        let is_slug = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-');
        ensure!(
            !id.is_empty() && id.bytes().all(is_slug),
            "id {id:?}: use only lower case letters, digits and hyphens"
        );
        let template = self.template.unwrap_or_else(|| template.to_owned());
        ensure!(
            TEMPLATES.contains(&template.as_str()),
            "template = {template:?}: write one of {}",
            TEMPLATES.join(", ")
        );
        let right = self.right.iter().map(|name| exit::outcome(name)).collect::<Result<Vec<_>>>()?;
        let breaks = self.breaks.as_deref().map(rule).transpose()?;
        ensure!(
            right.is_empty() == breaks.is_none(),
            "write both `right`, what a client may report, and `breaks`, the rule that other reports break, or neither"
        );
        ensure!(!right.contains(&Reported::Failed), "right: write temporary or permanent instead of failed");
        let but = self.but.iter().map(|(name, id)| Ok((exit::outcome(name)?, rule(id)?)));
        let recipients = self.recipients.unwrap_or(1);
        ensure!(
            (1..=RECIPIENTS).contains(&recipients),
            "recipients = {recipients}: write a number from 1 to {RECIPIENTS}"
        );
        // A behaviour may be the base of its file.
        let base = self.base.as_deref().or(base).filter(|base| *base != id).map(str::to_owned);
        let script = Script::read(self.replies.iter().map(String::as_str)).context("replies")?;
        let withheld = Withheld::read(self.without.iter().map(String::as_str)).context("without")?;
        Ok(Behaviour {
            id,
            place: place.to_owned(),
            title: self.title,
            group: group.to_owned(),
            template,
            base,
            is_base: false,
            chooses: !self.replies.is_empty(),
            script,
            withheld,
            size: self.size.unwrap_or(SIZE),
            fault: self.fault.as_deref().map(Fault::find).transpose()?,
            recipients,
            message: self.message,
            sender: self.sender,
            recipient: self.recipient,
            expected: Expected {
                right,
                breaks,
                but: but.collect::<Result<_>>()?,
                rules: self.rules.iter().map(|id| rule(id)).collect::<Result<_>>()?,
            },
            is_slow: self.slow,
        })
    }
}

fn rule(id: &str) -> Result<RuleId> {
    let found = RuleId::find(id).filter(|rule| rule.rule().id == id);
    let rule = found.ok_or_else(|| anyhow!("{}", RuleId::unknown(id)))?;
    ensure!(
        rule.rule().kind == RuleKind::Client,
        "{id} is not a rule for clients: their ids begin with client-"
    );
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{RuleKind, built_in, check, read};
    use crate::rules::catalogue::RuleId;

    const HEAD: &str = "group = \"codes\"\ntemplate = \"plain\"\n";

    #[test]
    fn the_built_in_behaviours_are_well_formed_and_test_every_rule() {
        let behaviours = built_in().expect("the files are well-formed");
        let tested: BTreeSet<RuleId> =
            behaviours.iter().flat_map(|behaviour| behaviour.expected.tests()).collect();
        // These apply to every attempt.
        let always = [RuleId::CLIENT_TERMINATES];
        let untested: Vec<RuleId> = RuleId::all()
            .filter(|rule| rule.rule().kind == RuleKind::Client)
            .filter(|rule| !tested.contains(rule) && !always.contains(rule))
            .collect();
        assert_eq!(untested, []);
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| format!("{:#}", read("x.toml", &format!("{HEAD}{text}")).expect_err(text));
        let start = "[[behaviour]]\nid = \"a\"\ntitle = \"b\"\n";
        assert!(
            error(&format!("{start}replies = [\"rpct=550\"]"))
                .starts_with("x.toml:4: replies: rpct=550: there is no stage \"rpct\"")
        );
        assert!(error(&format!("{start}right = [\"ok\"]")).starts_with("x.toml:4: write both `right`"));
        assert!(
            error(&format!("{start}rules = [\"reply-code-range\"]"))
                .starts_with("x.toml:4: reply-code-range is not a rule for clients")
        );
        let mut twice = read("x.toml", &format!("{HEAD}{start}{start}")).expect("each is well-formed");
        let error = check(&mut twice).expect_err("they have the same id");
        assert_eq!(error.to_string(), "x.toml:7: duplicate id \"a\", first used at x.toml:4: write another");
        let mut circle = read(
            "x.toml",
            &format!("{HEAD}{start}base = \"b\"\n{}base = \"a\"", start.replace("\"a\"", "\"b\"")),
        )
        .expect("each is well-formed");
        check(&mut circle).expect_err("each is the base of the other");
    }
}
