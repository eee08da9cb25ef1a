//! Dialogues: what happened on a connection, as the acts of the client with the replies to each.

pub mod arrival;
pub(crate) mod batch;
pub mod content;
pub(crate) mod matching;
pub(crate) mod octets;
pub(crate) mod session;
pub mod shape;
pub(crate) mod wrong_service;

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::{self, Reply};

use arrival::Arrived;

/// What happened on one connection, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// Its name in reports: a case or a file.
    pub name: String,
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// The TCP port that the server listens on; absent if there is none or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether the connection was under TLS from the start.
    pub implicit_tls: bool,
    /// The cases that the connection was opened for, in order; empty in a recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Part>,
    /// The acts of the client and the replies to them.
    pub exchanges: Vec<Exchange>,
}

/// The exchanges of a connection that belong to one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The case's id.
    pub case: String,
    /// The index of its first exchange, from 0. Its last one precedes the first of the next case.
    pub first: usize,
}

impl Dialogue {
    /// The case that an exchange belongs to.
    #[must_use]
    pub fn case(&self, exchange: usize) -> Option<&str> {
        Part::owner(&self.cases, exchange)
    }

    /// The number of octets of its replies.
    #[must_use]
    pub fn received_octets(&self) -> usize {
        let answers = self.exchanges.iter().flat_map(|exchange| &exchange.answers);
        answers.map(|answer| answer.octets.len()).sum()
    }

    /// The number of octets that the client sent.
    #[must_use]
    pub fn sent_octets(&self) -> usize {
        self.exchanges.iter().map(|exchange| exchange.act.length()).sum()
    }
}

impl Part {
    /// Finds the case in `parts` that an exchange belongs to.
    #[must_use]
    pub fn owner(parts: &[Part], exchange: usize) -> Option<&str> {
        let part = parts.get(Part::position(parts, exchange).checked_sub(1)?)?;
        Some(&part.case)
    }

    /// Counts the parts that begin at or before an exchange.
    pub(crate) fn position(parts: &[Part], exchange: usize) -> usize {
        parts.partition_point(|part| part.first <= exchange)
    }
}

/// An act of the client and the replies to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the client did.
    pub act: Act,
    /// The replies: usually one, but one per recipient after an LMTP message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// How waiting for replies ended.
    pub end: End,
    /// Whether the replies certainly belong to this act. They may not if the octets sent can be read as a different
    /// number of commands.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub sure: bool,
    /// Whether the client sent more before it read the reply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pipelined: bool,
    /// The first octets of the next act, if the client sent them in one write with this act and awaited the reply before
    /// it sent the rest.
    #[serde(default, with = "octets", skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<u8>,
    /// How many of the replies the server had sent when it saw that the client had sent more. Only a server knows this.
    #[serde(skip)]
    pub ahead_of: Option<usize>,
    /// Replies that exceeded the [limits](crate::limits).
    #[serde(default, skip_serializing_if = "Excess::is_none")]
    pub excess: Excess,
    /// What arrived of the message that the act completes; `None` if nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Arrived>,
    /// The line of the recording on which it begins, from 1; the dialogue has the name of the file. `None` in a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Replies that were received and counted, but not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// The number of replies.
    pub replies: usize,
    /// The number of octets, which includes those of a last reply that did not end.
    pub octets: usize,
}

impl Excess {
    /// Returns whether everything was kept.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Excess::default()
    }
}

impl AddAssign for Excess {
    fn add_assign(&mut self, other: Excess) {
        self.replies = self.replies.saturating_add(other.replies);
        self.octets = self.octets.saturating_add(other.octets);
    }
}

fn yes() -> bool {
    true
}

impl Exchange {
    /// An exchange that is answered, sure and not pipelined, without replies yet.
    #[must_use]
    pub fn new(act: Act) -> Exchange {
        Exchange {
            act,
            answers: Vec::new(),
            end: End::Answered,
            sure: true,
            pipelined: false,
            ahead: Vec::new(),
            ahead_of: None,
            excess: Excess::default(),
            arrived: None,
            line: None,
        }
    }

    /// The number of replies received, including those that were not kept.
    #[must_use]
    pub fn received(&self) -> usize {
        self.answers.len().saturating_add(self.excess.replies)
    }

    /// Reads the replies.
    pub fn replies(&self) -> impl Iterator<Item = Reply<'_>> {
        self.answers.iter().map(|answer| Reply::read(&answer.octets))
    }

    /// The number of the first reply. `None` if there is no reply or it does not begin with a number.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.answers.first()?.number()
    }

    /// The command line, if the act is a command; for BDAT, the line before the chunk.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        self.act.command()
    }

    /// Returns whether a client may send more before it has the reply: the act is a message, a chunk or a command that may
    /// be anywhere in a group (RFC 2920 §3.1, RFC 3030 §2).
    pub(crate) fn may_be_followed(&self) -> bool {
        let anywhere = [Verb::Mail, Verb::Rcpt, Verb::Rset, Verb::Send, Verb::Soml, Verb::Saml, Verb::Bdat];
        match &self.act {
            Act::Message(_) => true,
            act => act.command().is_some_and(|command| anywhere.contains(&command.verb())),
        }
    }
}

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It connected and waits for the greeting.
    Connect,
    /// It sent a command line, including the line end.
    Command(#[serde(with = "octets")] Vec<u8>),
    /// It sent a BDAT line and its chunk.
    Chunk {
        /// The line, including the line end.
        #[serde(with = "octets")]
        command: Vec<u8>,
        /// The octets of the chunk.
        #[serde(with = "octets")]
        octets: Vec<u8>,
    },
    /// It answered a 334 challenge.
    Response(#[serde(with = "octets")] Vec<u8>),
    /// It sent a message after 354, including the final dot. If a part of the message was sent, and a reply awaited
    /// or read, before the rest, each part is an act.
    Message(#[serde(with = "octets")] Vec<u8>),
    /// It began TLS. There is no reply to a handshake; `end` says whether it failed.
    Handshake,
    /// It sent nothing, and received a reply or waited for one.
    Wait,
}

impl Act {
    /// The command line, if the act is a command; for BDAT, the line before the chunk.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        match self {
            Act::Command(octets) | Act::Chunk { command: octets, .. } => Some(Command::read(octets)),
            _ => None,
        }
    }

    /// The octets sent: a BDAT line and its chunk, or one part and an empty one.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 2] {
        match self {
            Act::Command(octets) | Act::Response(octets) | Act::Message(octets) => [octets, &[]],
            Act::Chunk { command, octets } => [command, octets],
            Act::Connect | Act::Handshake | Act::Wait => [&[], &[]],
        }
    }

    /// The number of octets sent.
    #[must_use]
    pub fn length(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

/// A reply as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its octets. If they are cut short, the reply is incomplete.
    #[serde(with = "octets")]
    pub octets: Vec<u8>,
    /// Milliseconds from the act to the reply's last octet; 0 in a recording without times.
    #[serde(default)]
    pub millis: u64,
}

impl Answer {
    /// The number of the reply, as [`Reply::number`] gives it, without reading the rest.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        reply::number(&self.octets)
    }

    /// Returns whether its last line ends in LF without CR. What follows and begins no reply is the rest of that line.
    pub(crate) fn lacks_cr(&self) -> bool {
        self.number().is_some() && self.octets.ends_with(b"\n") && !self.octets.ends_with(b"\r\n")
    }
}

/// How waiting for replies ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All replies were received, and the connection is open.
    Answered,
    /// The client stopped waiting.
    TimedOut,
    /// The server closed the connection after the replies in the exchange.
    Closed,
    /// The connection broke, or TLS could not be set up.
    Failed,
    /// The client hung up because the server sent more than the [limits](crate::limits) allow.
    Overflow,
}
