//! What arrived of a message, if the target says how to read that.

use serde::{Deserialize, Serialize};

use super::octets;

/// What arrived of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// How it was read.
    pub by: By,
    /// The copies, in the order in which they were read. There is none if nothing arrived in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Arrival>,
}

impl Arrived {
    /// The number of deliveries: a copy for several recipients counts once for each.
    #[must_use]
    pub fn deliveries(&self) -> usize {
        self.copies.iter().map(|copy| copy.recipients.len().max(1)).sum()
    }
}

/// How a message was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// From a Maildir. Its lines end as is usual on the machine.
    Maildir,
    /// From a file in mbox format, which changes lines that begin with `From `.
    Mbox,
    /// The server delivered it by LMTP.
    Lmtp,
    /// The server relayed it by SMTP.
    Smtp,
}

impl By {
    /// Returns whether the message was stored in a mailbox, so that it is not known how its lines ended.
    #[must_use]
    pub fn is_mailbox(self) -> bool {
        matches!(self, By::Maildir | By::Mbox)
    }

    /// The name in transcripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            By::Maildir => "maildir",
            By::Mbox => "mbox",
            By::Lmtp => "lmtp",
            By::Smtp => "smtp",
        }
    }

    /// Finds a name.
    #[must_use]
    pub fn find(name: &str) -> Option<By> {
        [By::Maildir, By::Mbox, By::Lmtp, By::Smtp].into_iter().find(|by| by.name() == name)
    }
}

/// One copy of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The address in MAIL; absent in a mailbox. It is empty for the null sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// The addresses in RCPT; none in a mailbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The message, without the dots that transparency adds.
    #[serde(with = "octets")]
    pub octets: Vec<u8>,
}
