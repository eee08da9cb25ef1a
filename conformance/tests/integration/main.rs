//! Tests of the suite as its users see it. Those that measure memory are in `tests/limits`.

#[path = "../../../tests/support/mod.rs"]
mod support;

mod architecture;
mod browser;
mod command_line;
mod comparison;
mod credentials;
mod gate;
mod promise;
mod readme;
mod recordings;
mod records;
mod reference;
mod runs;
mod situations;
mod survey;
mod terminal;
