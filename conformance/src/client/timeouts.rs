//! How long a client waits.

use std::time::Duration;

/// How long a client waits.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the replies to an act.
    pub reply: Duration,
    /// Before an act, for replies that nobody asked for: zero takes those that are there, more waits at least to the next
    /// full millisecond.
    pub settle: Duration,
    /// For everything on one connection.
    pub connection: Duration,
}

impl Default for Timeouts {
    /// 10 s to connect, 20 s a reply, to the next millisecond before an act, 2 minutes a connection.
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            reply: Duration::from_secs(20),
            settle: Duration::from_micros(100),
            connection: Duration::from_secs(120),
        }
    }
}
