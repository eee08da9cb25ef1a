//! SMTP enhanced status codes, basic reply codes, and their pairing, generated from IANA's registry.
//!
//! * [`EnhancedStatusCode`] is a code as a reply has it: `5.1.1`. It can hold any code, registered or not.
//! * [`Status`] is the code of a registry row, which has no class: `X.1.1`. There is a constant for each row,
//!   and [`Status::entry`] returns the row with all its columns.
//! * [`ReplyCode`] is the basic reply code at the start of a reply: `550`.
//! * [`judge`] compares a pair of reply code and enhanced status code with the registry.
//!
//! * [`Reply`] reads a whole reply, and [`ReplyWriter`] writes one.
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
//! use smtp_enhanced_status::{ReplyCode, ReplyWriter, Status};
//!
//! let reply = ReplyWriter::new(ReplyCode::MAILBOX_UNAVAIL, "No such user")
//!     .with_enhanced(Status::ADDR_DEST_MAILBOX.permanent())?;
//! assert_eq!(reply.to_string(), "550 5.1.1 No such user\r\n");
//! # Ok::<(), smtp_enhanced_status::ClassMismatch>(())
//! ```
//!
//! # Features
//!
//! * `explain`, off by default, adds the module `explain`: what a reply means, what to do, and its category.
//!
//! * `serde`, off by default, implements `Serialize` and `Deserialize`:
//!
//!   | Type | Form |
//!   | --- | --- |
//!   | [`EnhancedStatusCode`] | a string: `"5.1.1"` |
//!   | [`Status`] | a string: `"X.1.1"` |
//!   | [`ReplyCode`] | a number: `550` |
//!   | [`Class`] | a number: `5` |
//!   | [`Classes`] | a list of classes: `[4, 5]` |
//!   | [`Pairing`] | a string, as [`Pairing::as_str`] returns it: `"class-mismatch"` |
//!
//!   Strings are parsed strictly: `"5.07.1"` is refused. Rows can be serialized only: [`Entry`], [`ReplyCodeEntry`],
//!   [`ClassEntry`], [`SubjectEntry`] and what they contain. They have the members that they have in the project's
//!   `smtp-enhanced-status.json`, whose schema describes each; in [`ClassEntry`] and [`SubjectEntry`] some are missing.
//!
//! * `suggest`, off by default, adds the module `suggest`: which pair to send in which situation, as a table.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(test)]
extern crate std;

mod class;
mod enhanced_status_code;
mod entry;
#[cfg(feature = "explain")]
pub mod explain;
mod format;
mod pairing;
mod parse;
mod reply;
mod reply_code;
mod reply_writer;
#[cfg(feature = "serde")]
mod serde;
mod status;
#[cfg(feature = "suggest")]
pub mod suggest;

// After the types, so that their pages have the methods before the generated constants.
#[rustfmt::skip]
#[path = "../generated/rust/mod.rs"]
mod generated;

pub use class::{Class, Classes, ClassesIter};
pub use enhanced_status_code::EnhancedStatusCode;
pub use entry::{
    AssociatedCodes, AssociatedForm, ClassEntry, Conflict, ConflictKind, Deprecation, Entry, Listing, Piece,
    RawColumns, Reference, SubjectEntry, class_entries, entries, known_conflict, subject_entries,
};
pub use generated::provenance::{REGISTRY_ORIGIN, REGISTRY_SHA256, REGISTRY_UPDATED};
pub use pairing::{Pairing, judge};
pub use parse::{Forgiven, LenientCode, ParseError, ParseErrorKind};
pub use reply::{Reply, ReplyError, ReplyErrorKind, ReplyLine, ReplyLines};
pub use reply_code::{ReplyCode, ReplyCodeEntry, reply_codes};
pub use reply_writer::{ClassMismatch, ReplyWriter};
pub use status::Status;

/// Runs the examples in README.md as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Runs the examples in docs/rust.md as doctests.
#[cfg(doctest)]
#[doc = include_str!("../docs/rust.md")]
struct Guide;

/// Runs the example in docs/explain.md as a doctest.
#[cfg(all(doctest, feature = "explain"))]
#[doc = include_str!("../docs/explain.md")]
struct Explaining;

/// Runs the examples in docs/suggest.md as doctests.
#[cfg(all(doctest, feature = "suggest"))]
#[doc = include_str!("../docs/suggest.md")]
struct Suggestions;
