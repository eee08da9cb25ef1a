//! Tests of what also builds without the feature `run`: the suite judges recordings, and connects nowhere.

#[path = "../../../tests/support/mod.rs"]
mod support;

mod commands;
mod lint;
mod recordings;
mod suggestions;
