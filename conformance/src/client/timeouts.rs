//! The timeouts of a client.

use std::time::Duration;

/// How long a client waits.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// How long to wait for a connection, and for the handshake of implicit TLS.
    pub connect: Duration,
    /// How long to wait for the replies to an act.
    pub reply: Duration,
    /// How long to wait before an act for surplus replies. With zero, only those that have already come are read. Any
    /// other value waits at least to the next full millisecond.
    /// After a refusal, the wait is at least 20 milliseconds unless this is zero.
    pub settle: Duration,
    /// How long one connection may take in all.
    pub connection: Duration,
}

impl Default for Timeouts {
    /// Allows 10 seconds to connect, 20 seconds per reply and 2 minutes per connection, and waits until the next
    /// millisecond before an act.
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            reply: Duration::from_secs(20),
            settle: Duration::from_micros(100),
            connection: Duration::from_secs(120),
        }
    }
}
