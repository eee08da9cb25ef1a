//! Tests of the suite as its users see it. Those that measure memory are in `tests/limits`, and those of what builds
//! without the feature `run` in `tests/judging`.

#[path = "../../../tests/support/driver.rs"]
mod driver;
#[path = "../../../tests/support/mod.rs"]
mod support;

mod architecture;
mod browser;
mod clients;
mod command_line;
mod comparison;
mod credentials;
mod explain;
mod gate;
mod pages;
mod promise;
mod readme;
mod records;
mod reference;
mod runs;
mod send;
mod serve;
mod situations;
mod suggestions;
mod survey;
mod terminal;
mod transcript;
