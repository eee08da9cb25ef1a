//! Which reply code and which enhanced status code a server should send in a situation.
//!
//! A [`Situation`] has the pair to send, the other pairs that are right, and pairs that servers send and should not. Each
//! suggestion has a [`Level`] and the RFC and section that decide it. The same table is in the C header.
//!
//! ```
//! use smtp_enhanced_status::{ReplyCode, ReplyWriter, Status, suggest::{Level, Situation}};
//!
//! let unknown_user = Situation::from_id("unknown-user").expect("there is such a situation");
//! let best = unknown_user.best;
//! assert_eq!((best.reply_code, best.code), (ReplyCode::MAILBOX_UNAVAIL, Some(Status::ADDR_DEST_MAILBOX.permanent())));
//! assert_eq!((best.level, best.source), (Level::Should, "RFC 5321 §3.3"));
//!
//! let reply = best.reply("No such user here");
//! assert_eq!(reply.to_string(), "550 5.1.1 No such user here\r\n");
//! ```

use core::fmt;

use crate::generated::suggest::SITUATIONS;
use crate::{EnhancedStatusCode, ReplyCode, ReplyWriter};

/// Returns the situations, in the order of a session.
///
/// ```
/// use smtp_enhanced_status::suggest::{Command, situations};
///
/// let mut about_rcpt = situations().iter().filter(|situation| situation.command == Command::Rcpt);
/// assert!(about_rcpt.any(|situation| situation.id == "mailbox-full"));
/// ```
#[must_use]
pub const fn situations() -> &'static [Situation] {
    SITUATIONS
}

/// Something that happens in a session and has a reply of its own.
///
/// ```
/// use smtp_enhanced_status::suggest::Situation;
///
/// let full = Situation::from_id("mailbox-full").expect("there is such a situation");
/// assert_eq!(full.title, "the mailbox is full");
/// assert_eq!(full.best.to_string(), "452 4.2.2");
/// assert_eq!(full.alternatives[0].to_string(), "552 5.2.2");
/// assert_eq!(full.avoid[0].to_string(), "550 5.1.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Situation {
    /// The stable name: lower case letters, digits and hyphens.
    pub id: &'static str,
    /// What the reply answers.
    pub command: Command,
    /// What happened, as a clause.
    pub title: &'static str,
    /// The pair to send.
    pub best: Suggestion,
    /// The other pairs that are right, best first.
    pub alternatives: &'static [Suggestion],
    /// Pairs that servers send and should not.
    pub avoid: &'static [Mistake],
    /// What else to do or to know, in a sentence.
    pub note: Option<&'static str>,
    /// The RFCs and sections that define the situation and the enhanced status code.
    pub sources: &'static [&'static str],
}

impl Situation {
    /// Returns the situation with this id, or `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::suggest::Situation;
    /// assert_eq!(Situation::from_id("greylisted").map(|situation| situation.best.reply_code.as_u16()), Some(450));
    /// assert_eq!(Situation::from_id("Greylisted"), None);
    /// ```
    #[must_use]
    pub fn from_id(id: &str) -> Option<&'static Situation> {
        SITUATIONS.iter().find(|situation| situation.id == id)
    }

    /// Returns all pairs that are right, the pair to send first.
    ///
    /// ```
    /// # use smtp_enhanced_status::{ReplyCode, suggest::Situation};
    /// let denied = Situation::from_id("relay-denied").expect("there is such a situation");
    /// assert!(denied.suggestions().any(|suggestion| suggestion.reply_code == ReplyCode::NOT_LOCAL));
    /// ```
    pub fn suggestions(&self) -> impl Iterator<Item = Suggestion> {
        core::iter::once(self.best).chain(self.alternatives.iter().copied())
    }
}

/// A pair that is right in a situation. It is written as in a reply: `550 5.1.1`.
///
/// ```
/// use smtp_enhanced_status::suggest::Situation;
///
/// let ready = Situation::from_id("ready").expect("there is such a situation").best;
/// assert_eq!(ready.code, None);
/// assert_eq!(ready.to_string(), "220");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suggestion {
    /// The reply code.
    pub reply_code: ReplyCode,
    /// The enhanced status code, of the same class, or `None` if the reply needs none: the greeting, a reply to EHLO, or
    /// a 3yz reply (RFC 2034 §3, §4).
    pub code: Option<EnhancedStatusCode>,
    /// How strongly the reply code is demanded.
    pub level: Level,
    /// The RFC and section that decide the level: `RFC 5321 §3.3`.
    pub source: &'static str,
}

impl Suggestion {
    /// Returns a reply with these codes and a text, which is written as [`ReplyWriter`] describes.
    ///
    /// ```
    /// # use smtp_enhanced_status::suggest::Situation;
    /// let go_on = Situation::from_id("data-accepted").expect("there is such a situation").best;
    /// assert_eq!(go_on.reply("End with a dot").to_string(), "354 End with a dot\r\n");
    /// ```
    #[must_use]
    pub fn reply(self, text: &str) -> ReplyWriter<'_> {
        let reply = ReplyWriter::new(self.reply_code, text);
        match self.code.map(|code| reply.with_enhanced(code)) {
            Some(Ok(with_code)) => with_code,
            // Never `Some(Err)`: the table has no pair whose first digits differ.
            _ => reply,
        }
    }
}

/// Writes the pair, or the reply code alone: `550 5.1.1`, `354`.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_codes(f, self.reply_code, self.code)
    }
}

/// A pair that servers send in a situation and should not.
///
/// ```
/// use smtp_enhanced_status::suggest::Situation;
///
/// let failed = Situation::from_id("auth-failed").expect("there is such a situation");
/// let mistake = failed.avoid[0];
/// assert_eq!(mistake.to_string(), "535 5.7.3");
/// assert!(mistake.reason.ends_with('.'));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The reply code.
    pub reply_code: ReplyCode,
    /// The enhanced status code, or `None` if the reply code is wrong with any.
    pub code: Option<EnhancedStatusCode>,
    /// Why it is wrong, in a sentence.
    pub reason: &'static str,
}

/// Writes the pair, or the reply code alone: `450 4.1.1`, `354`.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_codes(f, self.reply_code, self.code)
    }
}

fn write_codes(
    f: &mut fmt::Formatter<'_>,
    reply_code: ReplyCode,
    code: Option<EnhancedStatusCode>,
) -> fmt::Result {
    match code {
        Some(code) => write!(f, "{reply_code} {code}"),
        None => write!(f, "{reply_code}"),
    }
}

/// How strongly a reply code is demanded in a situation. The enhanced status code is the row whose text fits best.
///
/// ```
/// use smtp_enhanced_status::suggest::Level;
///
/// assert_eq!(Level::Must.as_str(), "must");
/// assert!(Level::Must < Level::Seen);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The RFC says MUST, or describes the protocol so that no other reply code is left.
    Must,
    /// The RFC says SHOULD, or names the reply code and leaves others possible.
    Should,
    /// The RFC permits the reply code, among others.
    May,
    /// No RFC names the pair for this situation, or the row's text excludes the class; servers send it.
    Seen,
}

impl Level {
    /// Returns the level's name: `must`, `should`, `may` or `seen`.
    ///
    /// ```
    /// # use smtp_enhanced_status::suggest::Level;
    /// assert_eq!(Level::Seen.as_str(), "seen");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
            Level::Seen => "seen",
        }
    }
}

/// Writes the name, as [`as_str`](Level::as_str) returns it.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a reply answers.
///
/// ```
/// use smtp_enhanced_status::suggest::Command;
///
/// assert_eq!(Command::Rcpt.as_str(), "rcpt");
/// assert_eq!(Command::from_name("RCPT"), Some(Command::Rcpt));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Command {
    /// The connection: the reply is the greeting.
    Connect,
    /// EHLO, HELO or LHLO.
    Ehlo,
    /// STARTTLS (RFC 3207).
    Starttls,
    /// AUTH (RFC 4954), and responses to its challenges.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the message, after DATA or with the last BDAT.
    Message,
    /// BDAT (RFC 3030).
    Bdat,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// EXPN.
    Expn,
    /// HELP.
    Help,
    /// ETRN (RFC 1985).
    Etrn,
    /// More than one command.
    Any,
}

impl Command {
    /// All commands, in the order of a session.
    pub const ALL: &'static [Command] = &[
        Command::Connect,
        Command::Ehlo,
        Command::Starttls,
        Command::Auth,
        Command::Mail,
        Command::Rcpt,
        Command::Data,
        Command::Message,
        Command::Bdat,
        Command::Rset,
        Command::Noop,
        Command::Quit,
        Command::Vrfy,
        Command::Expn,
        Command::Help,
        Command::Etrn,
        Command::Any,
    ];

    /// Returns the name in lower case: `rcpt`; for the end of the message, `message`.
    ///
    /// ```
    /// # use smtp_enhanced_status::suggest::Command;
    /// assert_eq!(Command::Connect.as_str(), "connect");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Command::Connect => "connect",
            Command::Ehlo => "ehlo",
            Command::Starttls => "starttls",
            Command::Auth => "auth",
            Command::Mail => "mail",
            Command::Rcpt => "rcpt",
            Command::Data => "data",
            Command::Message => "message",
            Command::Bdat => "bdat",
            Command::Rset => "rset",
            Command::Noop => "noop",
            Command::Quit => "quit",
            Command::Vrfy => "vrfy",
            Command::Expn => "expn",
            Command::Help => "help",
            Command::Etrn => "etrn",
            Command::Any => "any",
        }
    }

    /// Returns the command with this name, in upper or lower case, or `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::suggest::Command;
    /// assert_eq!(Command::from_name("message"), Some(Command::Message));
    /// assert_eq!(Command::from_name("TURN"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Command> {
        Command::ALL.iter().copied().find(|command| command.as_str().eq_ignore_ascii_case(name))
    }
}

/// Writes the name, as [`as_str`](Command::as_str) returns it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
