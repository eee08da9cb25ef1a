//! Cases: dialogs that provoke replies, as data.

mod definition;
mod form;
mod placeholder;
pub(crate) mod template;

use anyhow::Result;

pub use definition::{Action, Case, Expectation, Happened, Need, Safety, Start, Step, fits};
pub(crate) use form::check;
pub use form::read;

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// The cases that are built in.
///
/// # Errors
///
/// A file that does not follow the form is refused with its name and line; a test reads them all.
pub fn built_in() -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for (name, text) in FILES {
        cases.extend(read(name, text)?);
    }
    check(&cases)?;
    Ok(cases)
}
