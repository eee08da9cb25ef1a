//! Addresses that a submission server refuses.

use super::command::is_mailbox;

/// Returns whether an address has an error that servers do not tolerate. They tolerate blanks around it, a source
/// route, a name without a domain, underscores in the domain, and a dot at its end.
pub(crate) fn is_broken(path: &[u8]) -> bool {
    let path = path.trim_ascii();
    let Some(at) = path.iter().rposition(|octet| *octet == b'@') else { return false };
    let (local, domain) = path.split_at(at);
    let domain: Vec<u8> = domain.iter().map(|octet| if *octet == b'_' { b'x' } else { *octet }).collect();
    let tolerated = [local, domain.strip_suffix(b".").unwrap_or(&domain)].concat();
    path.is_ascii() && !path.starts_with(b"@") && !is_mailbox(&tolerated)
}

/// Returns whether the domain of an address is a single label.
pub(crate) fn is_incomplete(path: &[u8]) -> bool {
    let domain = path.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
    is_mailbox(path) && domain.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}
