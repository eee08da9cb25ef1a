//! The server's mailboxes.

/// The domain that it serves.
pub(super) const DOMAIN: &str = "example.org";

/// The kinds of mailboxes, by what the server does with mail for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mailbox {
    Valid,
    Postmaster,
    /// Accepted at RCPT, but full when the message arrives (LMTP).
    Late,
    Forwarded,
    Full,
    Unknown,
    Foreign,
}

impl Mailbox {
    /// Returns the kind of a mailbox with a domain, or of a local part alone.
    pub(super) fn of(address: &str) -> Mailbox {
        match address.rsplit_once('@') {
            None => Mailbox::of_local(address),
            Some((local, domain)) if is_own(domain) => Mailbox::of_local(local),
            Some(_) => Mailbox::Foreign,
        }
    }

    fn of_local(local: &str) -> Mailbox {
        // RFC 5321 §4.1.2: quotes and backslashes are not part of the name.
        let local = local.replace(['"', '\\'], "");
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
