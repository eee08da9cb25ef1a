//! How gently a server is treated.

use std::num::NonZero;
use std::time::Duration;

use crate::target::Target;

/// How gently a server is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Politeness {
    /// How many connections at once.
    pub connections: usize,
    /// How long to wait before a connection.
    pub between: Duration,
    /// How many refusals are enough for one connection.
    pub refusals: usize,
    /// After how many connections with a 421 no other is made.
    pub shutdowns: usize,
}

impl Politeness {
    /// Towards servers elsewhere: one connection, 2 s between two, 8 refusals, and an end at the second 421.
    pub const ELSEWHERE: Politeness =
        Politeness { connections: 1, between: Duration::from_secs(2), refusals: 8, shutdowns: 2 };

    /// Towards a server of this machine: so many connections at once, and nothing else.
    #[must_use]
    pub fn here(connections: usize) -> Politeness {
        Politeness {
            connections: connections.max(1),
            between: Duration::ZERO,
            refusals: usize::MAX,
            shutdowns: usize::MAX,
        }
    }

    /// What a target is due; on this machine so many connections at once, or fewer where the target wants it.
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
    fn one_gentle_connection_but_on_this_machine() {
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
