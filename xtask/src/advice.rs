//! `registry/advice.toml`: what happened and what to do, for each registry row and class, for pairs that mean something
//! else than their row, and for reply codes by the stage at which they come.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::category::{Category, ListAction, Retry};
use crate::code::{Class, ReplyCode, Status};
use crate::data_file::DataFile;

/// The category of codes that say nothing.
const UNKNOWN: &str = "unknown";
/// The maximum length, in characters, of what happened.
const LONGEST_EVENT: usize = 160;
/// The maximum length, in characters, of what somebody should do.
const LONGEST_ADVICE: usize = 240;

/// An entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Advice {
    reply_code: Option<ReplyCode>,
    status: Option<Status>,
    class: Option<Class>,
    stage: Option<Stage>,
    /// The id of the category.
    pub category: String,
    /// What happened, in plain words.
    pub happened: String,
    /// What the sender does.
    pub sender: String,
    /// What the administrator of the receiving server does.
    pub administrator: String,
    /// Whether to try again, if the category says otherwise.
    pub retry: Option<Retry>,
    /// What the owner of a list does, if the category says otherwise.
    pub list: Option<ListAction>,
    /// Set by `sync --propose`: a person has to confirm the entry, and then delete this key.
    #[serde(default, skip_serializing)]
    pub review: bool,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A registry row with a class.
    Row(Status, Class),
    /// A reply code with a row and class.
    Pair(ReplyCode, Status, Class),
    /// A reply code without an enhanced status code, at a stage.
    ReplyCode(ReplyCode, Stage),
    /// Any reply code of a class that has no entry, at a stage.
    Class(Class, Stage),
}

/// The command that a reply answers.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Any command that no other entry names.
    Any,
    /// The connection: the reply comes instead of the greeting.
    Connect,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH, and responses to its challenges.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA or BDAT.
    Data,
    /// The end of the message.
    Message,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Any => "any",
            Stage::Connect => "connect",
            Stage::Hello => "hello",
            Stage::StartTls => "starttls",
            Stage::Auth => "auth",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Data => "data",
            Stage::Message => "message",
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Row(status, class) => write!(f, "status = \"{status}\", class = {class}"),
            Subject::Pair(code, status, class) => {
                write!(f, "reply-code = {code}, status = \"{status}\", class = {class}")
            }
            Subject::ReplyCode(code, stage) => write!(f, "reply-code = {code}, stage = \"{stage}\""),
            Subject::Class(class, stage) => write!(f, "class = {class}, stage = \"{stage}\""),
        }
    }
}

impl Subject {
    /// Returns the codes that a reply has: `5.1.1`, `550 5.1.1`, `550`, or `5yz`.
    pub fn codes(&self) -> String {
        match self {
            Subject::Row(status, class) => code(*status, *class),
            Subject::Pair(reply_code, status, class) => format!("{reply_code} {}", code(*status, *class)),
            Subject::ReplyCode(code, _) => code.to_string(),
            Subject::Class(class, _) => format!("{class}yz"),
        }
    }

    /// Returns the class, or `None` for a reply code 3yz.
    pub fn class(&self) -> Option<Class> {
        match self {
            Subject::Row(_, class) | Subject::Pair(_, _, class) | Subject::Class(class, _) => Some(*class),
            Subject::ReplyCode(code, _) => code.class(),
        }
    }

    /// Returns the reply code, if the entry is about one.
    pub fn reply_code(&self) -> Option<ReplyCode> {
        match self {
            Subject::Pair(code, ..) | Subject::ReplyCode(code, _) => Some(*code),
            Subject::Row(..) | Subject::Class(..) => None,
        }
    }

    /// Returns the enhanced status code, such as `5.1.1`, if the entry is about one.
    pub fn enhanced_code(&self) -> Option<String> {
        match self {
            Subject::Row(status, class) | Subject::Pair(_, status, class) => Some(code(*status, *class)),
            Subject::ReplyCode(..) | Subject::Class(..) => None,
        }
    }

    /// Returns the stage, if the entry is about replies without an enhanced status code.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Subject::ReplyCode(_, stage) | Subject::Class(_, stage) => Some(*stage),
            Subject::Row(..) | Subject::Pair(..) => None,
        }
    }

    /// Returns the row, if the entry is about one.
    pub fn status(&self) -> Option<Status> {
        match self {
            Subject::Row(status, _) | Subject::Pair(_, status, _) => Some(*status),
            Subject::ReplyCode(..) | Subject::Class(..) => None,
        }
    }
}

fn code(status: Status, class: Class) -> String {
    format!("{class}.{}.{}", status.subject, status.detail)
}

impl Advice {
    /// Returns an entry that says nothing, for what has no advice yet.
    pub fn empty(subject: Subject) -> Advice {
        let (status, class, stage) = (subject.status(), subject.class(), subject.stage());
        Advice {
            reply_code: subject.reply_code(),
            status,
            class: class.filter(|_| !matches!(subject, Subject::ReplyCode(..))),
            stage,
            category: UNKNOWN.to_owned(),
            happened: String::new(),
            sender: String::new(),
            administrator: String::new(),
            retry: None,
            list: None,
            review: false,
        }
    }

    /// Returns what the entry is about. Fails if its keys do not say one thing.
    pub fn subject(&self) -> Result<Subject> {
        Ok(match (self.reply_code, self.status, self.class, self.stage) {
            (None, Some(status), Some(class), None) => Subject::Row(status, class),
            (Some(code), Some(status), Some(class), None) => Subject::Pair(code, status, class),
            (Some(code), None, None, Some(stage)) => Subject::ReplyCode(code, stage),
            (None, None, Some(class), Some(stage)) => Subject::Class(class, stage),
            _ => bail!(
                "write status and class, perhaps with reply-code, or stage with either reply-code or class"
            ),
        })
    }
}

/// Parses and checks a file that has been read.
pub fn read(file: &DataFile, categories: &[Category]) -> Result<Vec<Advice>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        advice: Vec<toml::Spanned<Advice>>,
    }
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for entry in file.parse::<File>()?.advice {
        let line = file.line(entry.span().start);
        let entry = entry.into_inner();
        check(&entry, categories, &mut seen).map_err(|error| file.error(line, &error))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn check(entry: &Advice, categories: &[Category], seen: &mut BTreeSet<Subject>) -> Result<()> {
    let subject = entry.subject()?;
    ensure!(seen.insert(subject), "{subject} is there already: remove one of them");
    let Some(category) = categories.iter().find(|category| category.id == entry.category) else {
        bail!("{subject}: there is no category {:?}", entry.category);
    };
    for (key, text, longest) in [
        ("happened", &entry.happened, LONGEST_EVENT),
        ("sender", &entry.sender, LONGEST_ADVICE),
        ("administrator", &entry.administrator, LONGEST_ADVICE),
    ] {
        let length = text.chars().count();
        ensure!(
            (1..=longest).contains(&length),
            "{subject}: {key} has {length} characters; write 1 to {longest}"
        );
        ensure!(text.ends_with('.'), "{subject}: {key} has to be a sentence");
    }
    ensure!(
        category.transient.is_some() && subject.class().is_some_and(|class| class.digit() != 2),
        "{subject}: advice is about refusals: write a code of class 4 or 5, and the category of a refusal"
    );
    ensure!(
        entry.list != Some(ListAction::Remove) || category.matter.is_about_recipient(),
        "{subject}: an address is removed only for what is about the recipient: write list = \"keep\" or \"pause\""
    );
    Ok(())
}

/// Returns the rows with each class of refusals, and the reply codes of refusals, that have no entry.
pub fn missing(
    entries: &[Advice],
    rows: &[Status],
    codes: impl IntoIterator<Item = ReplyCode>,
) -> Vec<Subject> {
    let present: BTreeSet<Subject> = entries.iter().filter_map(|entry| entry.subject().ok()).collect();
    let refusals = || Class::ALL.into_iter().filter(|class| class.digit() != 2);
    let rows = rows.iter().flat_map(|row| refusals().map(|class| Subject::Row(*row, class)));
    let codes = codes.into_iter().filter(|code| refusals().any(|class| code.class() == Some(class)));
    let codes = codes.map(|code| Subject::ReplyCode(code, Stage::Any));
    let classes = refusals().map(|class| Subject::Class(class, Stage::Any));
    rows.chain(codes).chain(classes).filter(|subject| !present.contains(subject)).collect()
}
