//! The tests of xtask: a module for each subject, and the modules that they share.

mod copy;
#[path = "../../../tests/dialects/mod.rs"]
mod dialects;
mod explanation;
mod fixture;
mod line_scan;
mod run;
mod server;
#[path = "../../../tests/support/mod.rs"]
mod support;

mod bad_xml;
#[cfg(unix)]
mod conformance;
mod diff;
mod download;
mod history;
mod hostile;
mod irregular;
mod kumomta;
#[cfg(unix)]
mod limits;
mod live;
mod news;
mod proposal;
mod render;
mod requirements;
mod situation;
mod swap;
mod terminal;
#[cfg(unix)]
mod transaction;
mod transcription;
mod whole;
