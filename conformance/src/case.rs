//! Cases: dialogues that provoke replies, written as data.

mod definition;
mod form;
pub(crate) mod marker;
pub(crate) mod placeholder;
pub(crate) mod template;

use anyhow::Result;

pub use definition::{Action, Case, Expectation, Happened, Need, Safety, Start, Step, fits};
pub(crate) use form::check;
pub use form::read;

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// Returns the built-in cases.
///
/// # Errors
///
/// Returns an error with file and line if a case is invalid. A test reads all of them.
pub fn built_in() -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for (name, text) in FILES {
        cases.extend(read(name, text)?);
    }
    check(&cases)?;
    Ok(cases)
}
