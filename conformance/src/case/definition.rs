//! What a case is.

use std::{fmt, slice};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::placeholder::Placeholder;
use crate::knowledge::Knowledge;
use crate::rules::catalogue::RuleId;

/// A dialog that provokes replies. It says what is sent and what happened; rules judge the replies.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// An immutable slug.
    pub id: String,
    /// The file and the line of its id: `noop.toml:12`.
    pub place: String,
    /// What it is about, in a few words.
    pub title: String,
    /// The situations of the specification that it provokes: `S82`.
    pub situations: Vec<String>,
    /// What it may do to a server.
    pub safety: Safety,
    /// What must be there for it, what its texts take among it.
    pub needs: Vec<Need>,
    /// The cases that must have gone as expected before.
    pub after: Vec<String>,
    /// The state in which the steps begin.
    pub start: Start,
    /// The rules whose findings decide whether it passes.
    pub rules: Vec<RuleId>,
    /// What is done.
    pub steps: Vec<Step>,
    /// What the replies mean for the case; the first that fits decides.
    pub outcomes: Vec<Expectation>,
}

impl Case {
    /// Whether it sends something of the target's credentials.
    #[must_use]
    pub fn takes_credentials(&self) -> bool {
        self.start == Start::Authenticated || self.steps.iter().any(|step| step.takes_credentials)
    }
}

/// What a case may do to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Nothing is delivered, guessed or flooded.
    Safe,
    /// Credentials are used, or one wrong password is tried.
    Auth,
    /// A message may be accepted.
    Delivers,
    /// Octets are sent that a server may take for an attack.
    Intrusive,
    /// Many commands or recipients are sent.
    Floods,
}

impl fmt::Display for Safety {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Safety::Safe => "safe",
            Safety::Auth => "auth",
            Safety::Delivers => "delivers",
            Safety::Intrusive => "intrusive",
            Safety::Floods => "floods",
        })
    }
}

/// What must be there for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// SMTP or submission.
    Smtp,
    /// SMTP between mail systems.
    Mx,
    /// Submission.
    Submission,
    /// LMTP.
    Lmtp,
    /// STARTTLS, or a connection under TLS.
    Tls,
    /// A capability.
    Offers(String),
    /// An authentication mechanism.
    Mechanism(String),
    /// A limit of SIZE, promised or known.
    SizeLimit,
    /// Something the tester was told: `valid`, `unknown`, ...
    Known(String),
    /// A user's name and password.
    Credentials,
}

impl Need {
    pub(super) fn read(text: &str) -> Result<Need> {
        Ok(match text.split_once(':') {
            None => match text {
                "smtp" => Need::Smtp,
                "mx" => Need::Mx,
                "submission" => Need::Submission,
                "lmtp" => Need::Lmtp,
                "tls" => Need::Tls,
                "size-limit" => Need::SizeLimit,
                "credentials" => Need::Credentials,
                _ => bail!("{}", no_need(text)),
            },
            Some(("offers", name)) if !name.is_empty() => match name.split_once(':') {
                Some(("mechanism", mechanism)) => Need::Mechanism(mechanism.to_owned()),
                _ => Need::Offers(name.to_owned()),
            },
            Some(("known", name)) if Knowledge::MAILBOXES.contains(&name) => Need::Known(name.to_owned()),
            Some(_) => bail!("{}", no_need(text)),
        })
    }

    /// What a placeholder takes to be filled.
    pub(super) fn of(placeholder: Placeholder<'_>) -> Option<Need> {
        match placeholder {
            Placeholder::Mailbox(name) => Some(Need::Known(name.to_owned())),
            Placeholder::Domain => Some(Need::Known("valid".to_owned())),
            Placeholder::TooLarge => Some(Need::SizeLimit),
            Placeholder::User | Placeholder::Plain { .. } | Placeholder::Password { .. } => {
                Some(Need::Credentials)
            }
            Placeholder::Me | Placeholder::Repetition | Placeholder::Sender | Placeholder::Filler { .. } => {
                None
            }
        }
    }
}

fn no_need(text: &str) -> String {
    format!(
        "there is no need {text:?}; there are smtp, mx, submission, lmtp, tls, offers:KEYWORD, \
         offers:mechanism:NAME, size-limit, credentials, known:{}",
        Knowledge::MAILBOXES.join(", known:")
    )
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Smtp => f.write_str("a server of SMTP or submission"),
            Need::Mx => f.write_str("a server of SMTP"),
            Need::Submission => f.write_str("a server of submission"),
            Need::Lmtp => f.write_str("a server of LMTP"),
            Need::Tls => f.write_str("TLS"),
            Need::Offers(keyword) => f.write_str(keyword),
            Need::Mechanism(mechanism) => write!(f, "AUTH {mechanism}"),
            Need::SizeLimit => f.write_str("a limit of SIZE"),
            Need::Known(name) => write!(f, "the target's `{name}` mailbox"),
            Need::Credentials => f.write_str("the target's credentials"),
        }
    }
}

/// The state in which the steps of a case begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Connected, nothing read.
    Early,
    /// The greeting was read.
    Connect,
    /// HELO was accepted.
    Helo,
    /// EHLO or LHLO was accepted.
    #[default]
    Hello,
    /// Then MAIL.
    Transaction,
    /// Then RCPT.
    Recipient,
    /// STARTTLS and EHLO again.
    Tls,
    /// TLS where it is offered, and AUTH.
    Authenticated,
}

/// A step of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// How often.
    pub repeat: usize,
    /// Repeats only while the replies are such.
    pub while_reply: Option<String>,
    /// Only after such a reply: `2yz`, `354`.
    pub only_after: Option<String>,
    /// Whether it sends something of the target's credentials.
    pub takes_credentials: bool,
}

/// What is done in a step. Texts are templates.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A line and its end; one reply.
    Send(String),
    /// Octets, and so many replies.
    Raw(String, usize),
    /// Lines in one write, a reply for each.
    Pipeline(Vec<String>),
    /// A message and the final dot, after 354 only.
    Message(String),
    /// The octets of a message, after 354 only.
    RawMessage(String),
    /// A response to a challenge, after 334 only.
    Response(String),
    /// A chunk, and whether it is the last.
    Chunk(String, bool),
    /// The TLS handshake, after a 220 to STARTTLS only.
    StartTls,
    /// Seconds without doing anything.
    Pause(f64),
    /// Seconds of listening for what comes unasked.
    Listen(f64),
}

impl Action {
    /// Whether it sends command lines.
    pub(crate) fn is_command(&self) -> bool {
        matches!(self, Action::Send(_) | Action::Pipeline(_))
    }

    /// Its texts.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Action::Send(text)
            | Action::Raw(text, _)
            | Action::Message(text)
            | Action::RawMessage(text)
            | Action::Response(text)
            | Action::Chunk(text, _) => slice::from_ref(text),
            Action::Pipeline(lines) => lines,
            Action::StartTls | Action::Pause(_) | Action::Listen(_) => &[],
        }
    }
}

/// What a reply means for a case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The step, from 1; any if absent.
    pub step: Option<usize>,
    /// `421`, `4yz`, `none` for silence, `closed`.
    pub reply: String,
    /// What that means.
    pub is: Happened,
}

/// What happened in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It went as it was meant to.
    Expected,
    /// The server does not have what the case is about.
    Unsupported,
    /// The server wants something first.
    Blocked,
    /// Something else came in the way.
    Inconclusive,
    /// The client may not send what comes next.
    #[serde(skip)]
    Withheld,
    /// The fault is ours, or the case's.
    #[serde(skip)]
    Error,
}

/// Whether a reply code fits a pattern: `2yz`, `421`.
#[must_use]
pub fn fits(number: u16, pattern: &str) -> bool {
    match pattern.strip_suffix("yz") {
        Some(digit) => digit.parse::<u16>().is_ok_and(|digit| number / 100 == digit),
        None => pattern.parse::<u16>().is_ok_and(|wanted| number == wanted),
    }
}
