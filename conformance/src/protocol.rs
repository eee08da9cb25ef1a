//! What goes over the wire: commands, replies, and what a server says it can do.

pub(crate) mod capabilities;
pub mod command;
pub mod reply;

use serde::{Deserialize, Serialize};

pub use capabilities::Capabilities;

/// The protocol a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 5321, between mail systems.
    #[default]
    Smtp,
    /// RFC 6409, from a user.
    Submission,
    /// RFC 2033, to mailboxes.
    Lmtp,
}
