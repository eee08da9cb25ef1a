//! Maintains `registry/` and `generated/`: reads IANA's registry and renders every product from it.
//!
//! `registry/` is the source, and `generated/` is a pure function of it: see [`model`] for what is read, and
//! [`render`] for the products. The binary is `cargo xtask`.

#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    reason = "internals of a tool, not a published interface"
)]

pub mod accuracy;
pub mod advice;
pub mod annotation;
pub mod associated;
pub mod category;
pub mod check;
pub mod claim;
pub mod code;
pub mod command;
pub mod coverage;
pub mod data_file;
pub mod date;
pub mod diff;
pub mod diff_report;
pub mod explanation;
pub mod fetch;
pub mod file;
pub mod gap;
pub mod gate;
pub mod identifier;
pub mod impact;
pub mod live;
pub mod meaning;
pub mod model;
pub mod phrase;
pub mod prerequisite;
pub mod proposal;
pub mod quirk;
pub mod register;
pub mod registry;
pub mod render;
pub mod reply_code;
pub mod revision;
pub mod situation;
pub mod snapshot;
pub mod source;
pub mod statement;
pub mod suite;
pub mod symbols;
pub mod sync;
pub mod terminal;
pub mod text;
pub mod transaction;
pub mod tree;
pub mod vendor;
pub mod xml;
