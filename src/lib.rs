//! SMTP enhanced status codes, basic reply codes, and their pairing, generated from IANA's registry.
//!
//! * [`EnhancedStatusCode`] is a code as a reply has it: `5.1.1`. It can hold any code, registered or not.
//! * [`Status`] is the code of a registry row, which has no class: `X.1.1`. There is a constant for each row,
//!   and [`Status::entry`] returns the row with all its columns.
//! * [`ReplyCode`] is the basic reply code at the start of a reply: `550`.
//! * [`judge`] compares a pair of reply code and enhanced status code with the registry.
//!
//! The crate is `no_std`, allocates nothing, and has no dependencies unless the feature `serde` is enabled.
//!
//! ```
//! use smtp_enhanced_status::{EnhancedStatusCode, Pairing, ReplyCode, judge};
//!
//! // A reply, split at the separator after its reply code.
//! let reply_code: ReplyCode = "550".parse()?;
//! let text = b"5.7.27 Sender address has null MX";
//!
//! let (code, rest) = EnhancedStatusCode::parse_prefix(text).expect("the text begins with a code");
//! assert_eq!(code.to_string(), "5.7.27");
//! assert_eq!(rest, b" Sender address has null MX");
//! assert_eq!(judge(reply_code, code), Pairing::Listed);
//!
//! let entry = code.entry().expect("the row is registered");
//! assert_eq!(entry.identifier, "SEC_SENDER_NULL_MX");
//! assert_eq!(entry.reference, "[RFC7505] (Standards Track)");
//! # Ok::<(), smtp_enhanced_status::ParseError>(())
//! ```
//!
//! To send the right code, use the constants:
//!
//! ```
//! use smtp_enhanced_status::{ReplyCode, Status};
//!
//! let reply = format!("{} {} No such user", ReplyCode::MAILBOX_UNAVAIL, Status::ADDR_DEST_MAILBOX.permanent());
//! assert_eq!(reply, "550 5.1.1 No such user");
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod class;
mod enhanced_status_code;
mod entry;
mod format;
#[rustfmt::skip]
#[path = "../generated/rust/mod.rs"]
mod generated;
mod pairing;
mod parse;
mod reply_code;
#[cfg(feature = "serde")]
mod serde;
mod status;

pub use class::{Class, Classes};
pub use enhanced_status_code::EnhancedStatusCode;
pub use entry::{
    AssociatedCodes, AssociatedForm, ClassEntry, Conflict, ConflictKind, Deprecation, Entry, Listing, Piece,
    RawColumns, Reference, SubjectEntry, class_entries, entries, known_conflict, subject_entries,
};
pub use generated::provenance::{REGISTRY_ORIGIN, REGISTRY_SHA256, REGISTRY_UPDATED};
pub use pairing::{Pairing, judge};
pub use parse::{Forgiven, LenientCode, ParseError, ParseErrorKind};
pub use reply_code::{ReplyCode, ReplyCodeEntry, reply_codes};
pub use status::Status;

/// Runs the examples in README.md as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
