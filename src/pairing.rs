//! The judgement of a pair: what the registry says of a reply code and an enhanced status code together.

use crate::{EnhancedStatusCode, ReplyCode};

/// What the registry says of a pair; of several that hold, the first.
///
/// Only [`ClassMismatch`](Pairing::ClassMismatch) breaks a requirement. The registry's list is not exclusive
/// (RFC 5248 §2.1): an unlisted pair is information, never an error by itself.
///
/// ```
/// use smtp_enhanced_status::{Pairing, ReplyCode, Status, judge};
///
/// let refused = Status::SEC_UNAUTHORIZED.permanent();
/// assert_eq!(judge(ReplyCode::MAILBOX_UNAVAIL, refused), Pairing::Listed);
/// assert_eq!(judge(ReplyCode::FAILED, refused), Pairing::Unlisted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pairing {
    /// The first digits differ, which RFC 2034 §4 forbids. A 3yz reply differs from every code.
    ClassMismatch,
    /// The registry has no row of this subject and detail.
    Unregistered,
    /// The row lists the reply code: by itself, by its class, or by `Any`. [`AssociatedCodes::listing`] of the
    /// entry says which.
    ///
    /// [`AssociatedCodes::listing`]: crate::AssociatedCodes::listing
    Listed,
    /// The row has a list and the reply code is not on it.
    Unlisted,
    /// The row has no list: `Not given`, or an empty cell.
    NoList,
}

/// Judges a pair.
///
/// ```
/// use smtp_enhanced_status::{Pairing, ReplyCode, Status, judge};
///
/// let unavailable = ReplyCode::MAILBOX_UNAVAIL;
/// assert_eq!(judge(unavailable, Status::ADDR_DEST_MAILBOX.permanent()), Pairing::Listed);
/// assert_eq!(judge(unavailable, Status::ADDR_DEST_NULL_MX.permanent()), Pairing::Unlisted);
/// assert_eq!(judge(unavailable, Status::ADDR_DEST_SYSTEM.permanent()), Pairing::NoList);
/// assert_eq!(judge(unavailable, Status::MBOX_FULL.transient()), Pairing::ClassMismatch);
/// assert_eq!(judge(unavailable, "5.7.606".parse()?), Pairing::Unregistered);
/// # Ok::<(), smtp_enhanced_status::ParseError>(())
/// ```
#[must_use]
pub const fn judge(reply_code: ReplyCode, code: EnhancedStatusCode) -> Pairing {
    if reply_code.get() / 100 != code.class().digit() as u16 {
        return Pairing::ClassMismatch;
    }
    let Some(entry) = code.entry() else { return Pairing::Unregistered };
    if !entry.associated.has_list() {
        return Pairing::NoList;
    }
    match entry.associated.listing(reply_code) {
        Some(_) => Pairing::Listed,
        None => Pairing::Unlisted,
    }
}
