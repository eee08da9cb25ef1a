//! The protocol on the wire: commands, replies and capabilities.

pub(crate) mod capabilities;
pub mod command;
pub(crate) mod header;
pub(crate) mod notation;
pub mod reply;

use serde::{Deserialize, Serialize};

pub use capabilities::Capabilities;

/// The protocol that a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// SMTP between mail systems (RFC 5321).
    #[default]
    Smtp,
    /// Message submission by users (RFC 6409).
    Submission,
    /// Local delivery to mailboxes (RFC 2033).
    Lmtp,
}
