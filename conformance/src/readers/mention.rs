//! Mentions: replies as logs, bounces and sources show them.

use std::borrow::Cow;

use smtp_enhanced_status::EnhancedStatusCode;
use smtp_enhanced_status::explain::Stage;

/// A reply that a text mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The reply, as far as the text shows it: from its first code to the end of its text, without what the text says about
    /// it. Lines that the text tells apart are separated by LF.
    pub reply: Cow<'a, [u8]>,
    /// Who sent it.
    pub direction: Direction,
    /// What it answers, if the text says so.
    pub stage: Option<Stage>,
    /// The name of the host that sent it, if the text says so.
    pub host: Option<&'a [u8]>,
    /// The verdict of the program that wrote the text, such as Postfix's `dsn=5.0.0`: never a part of the reply.
    pub status: Option<EnhancedStatusCode>,
    /// Where the reply begins in the text, in octets from its start.
    pub offset: usize,
    /// Whether the text shows this reply a further time: another mention has it already.
    pub is_repeat: bool,
}

/// Who sent a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Another server sent it to the program that wrote the text.
    Received,
    /// The program that wrote the text sent it to a client.
    Sent,
    /// The text does not say.
    Unknown,
}

impl Direction {
    /// Returns its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::Received => "received",
            Direction::Sent => "sent",
            Direction::Unknown => "unknown",
        }
    }

    /// Returns the direction with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Direction> {
        [Direction::Received, Direction::Sent, Direction::Unknown]
            .into_iter()
            .find(|one| one.as_str() == name)
    }
}
