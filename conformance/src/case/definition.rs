//! The definition of a case.

use std::time::Duration;
use std::{fmt, slice};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::placeholder::Placeholder;
use crate::knowledge::Knowledge;
use crate::rules::catalogue::RuleId;

/// A dialogue that provokes replies. It defines what is sent and what the replies mean for the case. Whether a reply is
/// right is judged by rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// A slug that never changes.
    pub id: String,
    /// The file and line of its id: `noop.toml:12`.
    pub place: String,
    /// A short title for reports.
    pub title: String,
    /// The situations that it provokes, by their ids in `situations.toml`: `S82`.
    pub situations: Vec<String>,
    /// What it may do to a server.
    pub safety: Safety,
    /// What it requires of the target, including the values of the placeholders in its texts.
    pub needs: Vec<Need>,
    /// The ids of cases that must have gone as expected before it runs.
    pub after: Vec<String>,
    /// The state in which the steps begin.
    pub start: Start,
    /// Whether it asks about the replies by which that state is reached.
    pub opening: bool,
    /// The rules whose findings decide whether it passes.
    pub rules: Vec<RuleId>,
    /// What the client does, in order.
    pub steps: Vec<Step>,
    /// What the replies mean for the case. The first that matches a reply decides.
    pub outcomes: Vec<Expectation>,
}

impl Case {
    /// Returns whether it says which replies it asks for. If it does not, it can only be observed.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.opening || self.steps.iter().any(|step| !step.expect.is_empty())
    }

    /// Returns whether the case sends the user name or password of the target, or a wrong password.
    #[must_use]
    pub fn takes_credentials(&self) -> bool {
        self.start == Start::Authenticated || self.steps.iter().any(|step| step.takes_credentials)
    }

    /// Returns how long its steps pause and listen in all, each done once.
    pub(crate) fn waits(&self) -> Duration {
        self.steps.iter().map(Step::waits).sum()
    }
}

/// What a case may do to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Delivers, guesses and floods nothing.
    Safe,
    /// Uses the credentials, or tries one wrong password.
    Auth,
    /// Completes a message, which the server may accept.
    Delivers,
    /// Sends octets that a server may take for an attack.
    Intrusive,
    /// Sends many commands or recipients.
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

/// Something that a case requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A server that speaks SMTP or submission.
    Smtp,
    /// A server that speaks SMTP between mail systems.
    Mx,
    /// A server that speaks submission.
    Submission,
    /// A server that speaks LMTP.
    Lmtp,
    /// STARTTLS, or TLS from the start.
    Tls,
    /// A capability that the server announces.
    Offers(String),
    /// An authentication mechanism that the server announces.
    Mechanism(String),
    /// A SIZE limit that the server announces or the target states.
    SizeLimit,
    /// A class of solicitations that the server announces not to want.
    Solicitation,
    /// A mailbox that the target states: `valid`, `unknown`, ...
    Known(String),
    /// The name and password of a user, which the target states.
    Credentials,
    /// A way to read what the server delivers, which the target states.
    Delivery,
    /// Delivery to the suite by LMTP or SMTP, which the target states.
    Sink,
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
                "solicitation" => Need::Solicitation,
                "credentials" => Need::Credentials,
                "delivery" => Need::Delivery,
                "sink" => Need::Sink,
                _ => bail!("{}", unknown_need(text)),
            },
            Some(("offers", name)) if !name.is_empty() => match name.split_once(':') {
                Some(("mechanism", mechanism)) => Need::Mechanism(mechanism.to_owned()),
                _ => Need::Offers(name.to_owned()),
            },
            Some(("known", name)) if Knowledge::MAILBOXES.contains(&name) => Need::Known(name.to_owned()),
            Some(_) => bail!("{}", unknown_need(text)),
        })
    }

    /// Returns what filling a placeholder requires.
    pub(super) fn of(placeholder: Placeholder<'_>) -> Option<Need> {
        match placeholder {
            Placeholder::Mailbox(name) => Some(Need::Known(name.to_owned())),
            Placeholder::Domain | Placeholder::Swapped { sender: false } | Placeholder::Spelled(_) => {
                Some(Need::Known("valid".to_owned()))
            }
            Placeholder::Marker => Some(Need::Delivery),
            Placeholder::TooLarge => Some(Need::SizeLimit),
            Placeholder::Solicitation => Some(Need::Solicitation),
            Placeholder::User
            | Placeholder::Plain { .. }
            | Placeholder::PlainAs(_)
            | Placeholder::Password { .. } => Some(Need::Credentials),
            Placeholder::Me
            | Placeholder::Repetition
            | Placeholder::Sender
            | Placeholder::Swapped { sender: true }
            | Placeholder::Filler { .. } => None,
        }
    }
}

fn unknown_need(text: &str) -> String {
    format!(
        "unknown need {text:?}; write smtp, mx, submission, lmtp, tls, offers:KEYWORD, offers:mechanism:NAME, \
         size-limit, solicitation, credentials, delivery, sink, known:{}",
        Knowledge::MAILBOXES.join(", known:")
    )
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Smtp => f.write_str("an SMTP or submission server"),
            Need::Mx => f.write_str("an SMTP server"),
            Need::Submission => f.write_str("a submission server"),
            Need::Lmtp => f.write_str("an LMTP server"),
            Need::Tls => f.write_str("TLS"),
            Need::Offers(keyword) => f.write_str(keyword),
            Need::Mechanism(mechanism) => write!(f, "AUTH {mechanism}"),
            Need::SizeLimit => f.write_str("a SIZE limit"),
            Need::Solicitation => f.write_str("NO-SOLICITING with a class"),
            Need::Known(name) => write!(f, "the target's `{name}` mailbox"),
            Need::Credentials => f.write_str("the target's credentials"),
            Need::Delivery => f.write_str("the target's [delivery]"),
            Need::Sink => f.write_str("lmtp or smtp in the target's [delivery]"),
        }
    }
}

/// The state in which the steps of a case begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The client has connected and not read the greeting.
    Early,
    /// The greeting was read.
    Connect,
    /// HELO was accepted.
    Helo,
    /// EHLO or LHLO was accepted.
    #[default]
    Hello,
    /// EHLO or LHLO and MAIL were accepted.
    Transaction,
    /// EHLO or LHLO, MAIL and RCPT were accepted.
    Recipient,
    /// TLS was begun with STARTTLS, and EHLO or LHLO was accepted again.
    Tls,
    /// The client has logged in with AUTH, under TLS if the server offers it.
    Authenticated,
}

/// A step of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the client does.
    pub action: Action,
    /// How many times it does that.
    pub repeat: usize,
    /// The pattern that a reply must match for the step to be repeated: `2yz`.
    pub while_reply: Option<String>,
    /// The pattern that the reply before must match for the step to be done: `2yz`, `354`.
    pub only_after: Option<String>,
    /// The patterns of replies that answer what the case asks: `2yz`, `500`, `none`, `closed`. Without any, the step only
    /// prepares others, and has to succeed.
    pub expect: Vec<String>,
    /// How many seconds the client listens after sending a part of a line or message, to which no reply is due yet.
    pub quiet: Option<f64>,
    /// How many of its first octets are sent in one write with the step before, whose replies are awaited before the rest
    /// is sent; usually 0.
    pub early: usize,
    /// Whether it sends the user name or password of the target, or a wrong password.
    pub takes_credentials: bool,
}

impl Step {
    /// Returns whether it is done only after certain replies.
    pub(crate) fn is_guarded(&self) -> bool {
        self.only_after.is_some()
    }

    /// Returns the octets that are sent with the step before; none for most steps.
    pub(crate) fn early_octets(&self) -> &[u8] {
        let text = self.action.texts().first().map_or(&[][..], |text| text.as_bytes());
        text.get(..self.early).unwrap_or_default()
    }

    /// Returns whether no reply is due to it.
    pub(crate) fn may_be_silent(&self) -> bool {
        self.quiet.is_some() || matches!(self.action, Action::Listen(_))
    }

    fn waits(&self) -> Duration {
        let seconds = match self.action {
            Action::Pause(seconds) | Action::Listen(seconds) => seconds,
            _ => self.quiet.unwrap_or_default(),
        };
        Duration::from_secs_f64(seconds)
    }
}

/// What the client does in a step. Texts are templates.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a line, with CR LF added, and reads one reply.
    Send(String),
    /// Sends octets unchanged and reads that many replies; none if the step is `quiet`.
    Raw(String, usize),
    /// Sends lines in one write and reads a reply to each.
    Pipeline(Vec<String>),
    /// Sends a message, with the final dot added. Only done after 354.
    Message(String),
    /// Sends a message, with the final dot added, and lines after it in one write, and reads the replies to each. Only done
    /// after 354.
    MessageThen(Vec<String>),
    /// Sends the octets of a message, or of a part of one, unchanged. Only done after 354.
    RawMessage(String),
    /// Sends a response to a challenge. Only done after 334.
    Response(String),
    /// Sends a chunk with BDAT. The flag says whether it is the last one.
    Chunk(String, bool),
    /// Performs the TLS handshake. Only done after 220.
    StartTls,
    /// Waits that many seconds without reading.
    Pause(f64),
    /// Reads what the server sends unsolicited, for that many seconds.
    Listen(f64),
}

impl Action {
    /// Returns whether it sends command lines.
    pub(crate) fn is_command(&self) -> bool {
        matches!(self, Action::Send(_) | Action::Pipeline(_))
    }

    /// Returns how many acts it sends in one write.
    pub(crate) fn acts(&self) -> usize {
        match self {
            Action::Pipeline(texts) | Action::MessageThen(texts) => texts.len(),
            _ => 1,
        }
    }

    /// Returns whether the server may answer it.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self, Action::StartTls | Action::Pause(_))
    }

    /// Returns its texts.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Action::Send(text)
            | Action::Raw(text, _)
            | Action::Message(text)
            | Action::RawMessage(text)
            | Action::Response(text)
            | Action::Chunk(text, _) => slice::from_ref(text),
            Action::Pipeline(texts) | Action::MessageThen(texts) => texts,
            Action::StartTls | Action::Pause(_) | Action::Listen(_) => &[],
        }
    }
}

/// What a reply means for a case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The number of the step, from 1, or `None` for any step.
    pub step: Option<usize>,
    /// A reply code such as `421`, a class such as `4yz`, `none` for silence, or `closed`.
    pub reply: String,
    /// What such a reply means.
    pub is: Happened,
}

/// What happened in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It went as expected.
    #[serde(skip)]
    Expected,
    /// The server does not have what the case is about.
    Unsupported,
    /// The server demands something else first.
    Blocked,
    /// A reply came that it does not expect.
    #[serde(skip)]
    Otherwise,
    /// Something else got in the way.
    Inconclusive,
    /// The client is not allowed to send the next step.
    #[serde(skip)]
    Withheld,
    /// The case or this program is at fault.
    #[serde(skip)]
    Error,
}

/// Returns whether a reply code matches a pattern, such as `421` or `2yz`.
#[must_use]
pub fn fits(number: u16, pattern: &str) -> bool {
    match pattern.strip_suffix("yz") {
        Some(digit) => digit.parse::<u16>().is_ok_and(|digit| number / 100 == digit),
        None => pattern.parse::<u16>().is_ok_and(|wanted| number == wanted),
    }
}
