//! How gently a run treats a server.

use std::num::NonZero;
use std::time::Duration;

use crate::target::Target;

/// How gently a run treats a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Politeness {
    /// The maximum number of concurrent connections.
    pub connections: usize,
    /// How long to wait before a connection.
    pub between: Duration,
    /// The number of refusals after which a connection is given up.
    pub refusals: usize,
    /// The number of connections with a 421 after which no more are made.
    pub shutdowns: usize,
}

impl Politeness {
    /// The limits for servers on other hosts: one connection at a time, two seconds apart, given up after eight
    /// refusals, and no more connections after two with a 421.
    pub const ELSEWHERE: Politeness =
        Politeness { connections: 1, between: Duration::from_secs(2), refusals: 8, shutdowns: 2 };

    /// Returns the limits for a server on this machine: only the number of concurrent connections, which is at least
    /// one.
    #[must_use]
    pub fn here(connections: usize) -> Politeness {
        Politeness {
            connections: connections.max(1),
            between: Duration::ZERO,
            refusals: usize::MAX,
            shutdowns: usize::MAX,
        }
    }

    /// Returns how to treat a target. On this machine it gets up to `connections` concurrent connections, or fewer if
    /// [`Target::parallel`] says so. On other hosts it is [`Politeness::ELSEWHERE`].
    #[must_use]
    pub fn towards(target: &Target, connections: usize) -> Politeness {
        let most = target.parallel.map_or(usize::MAX, NonZero::get);
        if target.is_loopback() { Politeness::here(connections.min(most)) } else { Politeness::ELSEWHERE }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::Politeness;
    use crate::target::Target;

    #[test]
    fn only_servers_on_this_machine_get_several_connections() {
        let towards = |url| Politeness::towards(&Target::read(url).expect("a URL"), 4);
        for url in ["smtp://127.0.0.1", "smtp://[::1]:2525", "smtp://localhost", "unix:/run/lmtp"] {
            assert_eq!(towards(url), Politeness::here(4), "{url}");
        }
        let alone = Target { parallel: NonZero::new(1), ..Target::read("smtp://[::1]").expect("a URL") };
        assert_eq!(Politeness::towards(&alone, 4), Politeness::here(1));
        for url in
            ["smtp://192.0.2.1", "smtp://[2001:db8::1]", "smtp://mx.example.org", "smtp://localhost.example"]
        {
            assert_eq!(towards(url), Politeness::ELSEWHERE, "{url}");
        }
    }
}
