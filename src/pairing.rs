//! Pairing: what the registry says about a reply code and an enhanced status code in one reply.

use core::fmt;

use crate::generated::entries::ENTRIES;
use crate::{EnhancedStatusCode, ReplyCode};

/// What the registry says about a pair. If several variants apply, it is the first of them.
///
/// Only [`ClassMismatch`](Pairing::ClassMismatch) breaks a requirement. The registry's list is not exclusive
/// (RFC 5248 §2.1), so an unlisted pair is not an error by itself.
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
    /// The first digits differ, which RFC 2034 §4 forbids. A 3yz reply code matches no enhanced status code.
    ClassMismatch,
    /// The registry has no row with this subject and detail.
    Unregistered,
    /// The row lists the reply code: by itself, by its class, or by `Any`. [`AssociatedCodes::listing`] says
    /// which.
    ///
    /// [`AssociatedCodes::listing`]: crate::AssociatedCodes::listing
    Listed,
    /// The row has a list, and the reply code is not on it.
    Unlisted,
    /// The row has no list: the cell is empty or says `Not given`.
    NoList,
}

impl Pairing {
    /// The variants, in the order in which [`judge`] decides.
    pub const ALL: [Pairing; 5] =
        [Pairing::ClassMismatch, Pairing::Unregistered, Pairing::Listed, Pairing::Unlisted, Pairing::NoList];

    /// Returns the name: `class-mismatch`, `unregistered`, `listed`, `unlisted` or `no-list`.
    ///
    /// ```
    /// # use smtp_enhanced_status::Pairing;
    /// assert_eq!(Pairing::ClassMismatch.as_str(), "class-mismatch");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Pairing::ClassMismatch => "class-mismatch",
            Pairing::Unregistered => "unregistered",
            Pairing::Listed => "listed",
            Pairing::Unlisted => "unlisted",
            Pairing::NoList => "no-list",
        }
    }
}

/// Writes the name: `class-mismatch`.
impl fmt::Display for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Judges the pairing of a reply code and an enhanced status code.
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
#[inline]
pub const fn judge(reply_code: ReplyCode, code: EnhancedStatusCode) -> Pairing {
    if reply_code.as_u16() / 100 != code.class().digit() as u16 {
        return Pairing::ClassMismatch;
    }
    let Some(position) = code.status().position() else { return Pairing::Unregistered };
    let row = &ROWS[position];
    if !row.has_list {
        Pairing::NoList
    } else if row.lists(reply_code) {
        Pairing::Listed
    } else {
        Pairing::Unlisted
    }
}

/// The part of an entry that [`judge`] needs. All rows together fit into a processor's cache.
#[derive(Clone, Copy)]
struct Row {
    /// One bit for each reply code, beginning with 200.
    listed: [u64; 7],
    has_list: bool,
}

impl Row {
    const fn lists(&self, code: ReplyCode) -> bool {
        let bit = code.as_u16() as usize - 200;
        self.listed[bit / 64] >> (bit % 64) & 1 == 1
    }
}

static ROWS: [Row; ENTRIES.len()] = rows();

const fn rows() -> [Row; ENTRIES.len()] {
    let mut rows = [Row { listed: [0; 7], has_list: false }; ENTRIES.len()];
    let mut position = 0;
    while position < rows.len() {
        let associated = &ENTRIES[position].associated;
        rows[position].has_list = associated.has_list();
        let mut bit = 0;
        while bit < 400 {
            if let Some(code) = ReplyCode::new(200 + bit) {
                if associated.listing(code).is_some() {
                    rows[position].listed[bit as usize / 64] |= 1 << (bit % 64);
                }
            }
            bit += 1;
        }
        position += 1;
    }
    rows
}
