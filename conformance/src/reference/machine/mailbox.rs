//! The mailboxes of the server.

/// The domain that it serves.
pub(super) const DOMAIN: &str = "example.org";

/// A mailbox, by what becomes of mail for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mailbox {
    Valid,
    Postmaster,
    /// Accepted, but full when the message comes (LMTP).
    Late,
    Forwarded,
    Full,
    Unknown,
    Foreign,
}

impl Mailbox {
    /// The mailbox of an address, or of a name without a domain.
    pub(super) fn of(address: &str) -> Mailbox {
        match address.rsplit_once('@') {
            None => Mailbox::of_local(address),
            Some((local, domain)) if is_own(domain) => Mailbox::of_local(local),
            Some(_) => Mailbox::Foreign,
        }
    }

    fn of_local(local: &str) -> Mailbox {
        match local.to_lowercase().as_str() {
            "alice" | "carol" => Mailbox::Valid,
            "postmaster" => Mailbox::Postmaster,
            "late" => Mailbox::Late,
            "moved" => Mailbox::Forwarded,
            "full" => Mailbox::Full,
            _ => Mailbox::Unknown,
        }
    }
}

fn is_own(domain: &str) -> bool {
    [DOMAIN, super::super::replies::DOMAIN, "[127.0.0.1]"].iter().any(|own| domain.eq_ignore_ascii_case(own))
}
