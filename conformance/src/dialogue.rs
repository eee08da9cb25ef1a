//! What happened on a connection: the acts of the client, each with the replies that answered it.

pub(crate) mod octets;
pub(crate) mod session;
pub mod shape;
pub(crate) mod wrong_service;

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::protocol::command::Command;
use crate::protocol::reply::{self, Reply};

/// One connection, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// What it is called in a report: a case, a file.
    pub name: String,
    /// What the server speaks.
    pub protocol: Protocol,
    /// The TCP port that the server listens on; absent where there is none, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether TLS was there from the start.
    pub implicit_tls: bool,
    /// The cases that it was made for, in order; none in a recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Part>,
    /// What was done, and what came of it.
    pub exchanges: Vec<Exchange>,
}

/// The exchanges of a connection that a case brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The case's id.
    pub case: String,
    /// The first of its exchanges, from 0; they end where the next case's begin.
    pub first: usize,
}

impl Dialogue {
    /// The case that brought an exchange about.
    #[must_use]
    pub fn case(&self, exchange: usize) -> Option<&str> {
        Part::owner(&self.cases, exchange)
    }

    /// How many octets of replies it holds.
    #[must_use]
    pub fn received_octets(&self) -> usize {
        let answers = self.exchanges.iter().flat_map(|exchange| &exchange.answers);
        answers.map(|answer| answer.octets.len()).sum()
    }

    /// How many octets were sent.
    #[must_use]
    pub fn sent_octets(&self) -> usize {
        self.exchanges.iter().map(|exchange| exchange.act.length()).sum()
    }
}

impl Part {
    /// The case among some that an exchange belongs to.
    #[must_use]
    pub fn owner(parts: &[Part], exchange: usize) -> Option<&str> {
        let part = parts.get(Part::position(parts, exchange).checked_sub(1)?)?;
        Some(&part.case)
    }

    /// How many parts begin up to an exchange.
    pub(crate) fn position(parts: &[Part], exchange: usize) -> usize {
        parts.partition_point(|part| part.first <= exchange)
    }
}

/// An act of the client and the replies to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the client did.
    pub act: Act,
    /// The replies, usually one; after an LMTP message one a recipient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// How waiting for replies ended.
    pub end: End,
    /// Whether the replies surely answer this act. They may not where octets were sent that a server can take for
    /// more or fewer commands than they are.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub sure: bool,
    /// Whether more was sent before the reply was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pipelined: bool,
    /// Replies beyond the [limits](crate::limits).
    #[serde(default, skip_serializing_if = "Excess::is_none")]
    pub excess: Excess,
}

/// Replies that came and were counted, but not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// How many replies.
    pub replies: usize,
    /// How many octets; more than those of the replies if the last one had not ended.
    pub octets: usize,
}

impl Excess {
    /// Whether everything was kept.
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
    /// An act that is answered, surely and by itself.
    #[must_use]
    pub fn new(act: Act) -> Exchange {
        Exchange {
            act,
            answers: Vec::new(),
            end: End::Answered,
            sure: true,
            pipelined: false,
            excess: Excess::default(),
        }
    }

    /// How many replies came, those that were not kept among them.
    #[must_use]
    pub fn received(&self) -> usize {
        self.answers.len().saturating_add(self.excess.replies)
    }

    /// The replies, read.
    pub fn replies(&self) -> impl Iterator<Item = Reply<'_>> {
        self.answers.iter().map(|answer| Reply::read(&answer.octets))
    }

    /// The number of the first reply's code; `None` if there is no reply or it has no code.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.answers.first()?.number()
    }

    /// The command line of this act, if it is one; of a BDAT, the line before its octets.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        self.act.command()
    }
}

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It connected, and waits for the greeting.
    Connect,
    /// It sent a command line, its end included.
    Command(#[serde(with = "octets")] Vec<u8>),
    /// It sent a BDAT line and the octets of its chunk.
    Chunk {
        /// The line, its end included.
        #[serde(with = "octets")]
        command: Vec<u8>,
        /// What follows it.
        #[serde(with = "octets")]
        octets: Vec<u8>,
    },
    /// It answered a 334 challenge.
    Response(#[serde(with = "octets")] Vec<u8>),
    /// It sent a message after 354, the final dot included.
    Message(#[serde(with = "octets")] Vec<u8>),
    /// It began TLS. There is no reply to that; if it fails, `end` says so.
    Handshake,
    /// It sent nothing, and a reply came or was waited for.
    Wait,
}

impl Act {
    /// The command line, if it is one; of a BDAT, the line before its octets.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        match self {
            Act::Command(octets) | Act::Chunk { command: octets, .. } => Some(Command::read(octets)),
            _ => None,
        }
    }

    /// The octets sent, in order: a BDAT line and its chunk, or one part and nothing else.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 2] {
        match self {
            Act::Command(octets) | Act::Response(octets) | Act::Message(octets) => [octets, &[]],
            Act::Chunk { command, octets } => [command, octets],
            Act::Connect | Act::Handshake | Act::Wait => [&[], &[]],
        }
    }

    /// How many octets were sent.
    #[must_use]
    pub fn length(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

/// A reply as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its octets. Cut short, they are a reply that is incomplete.
    #[serde(with = "octets")]
    pub octets: Vec<u8>,
    /// Milliseconds from the act to its last octet; 0 in a recording without times.
    #[serde(default)]
    pub millis: u64,
}

impl Answer {
    /// The reply's number, as [`Reply::number`], without reading the rest.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        reply::number(&self.octets)
    }
}

/// How waiting for replies ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The replies are all there, and the connection is open.
    Answered,
    /// The client stopped waiting.
    TimedOut,
    /// The server closed the connection, after the replies that are there.
    Closed,
    /// The connection broke, or TLS could not be set up.
    Failed,
    /// The client hung up, because the server sent more than the [limits](crate::limits) allow.
    Overflow,
}
