//! Tests of the library, the C header and the tables, held against each other and against the registry.

mod codes;
mod explain;
mod links;
mod replies;
mod serialization;
mod support;
mod symbols;

// These need xtask, which builds on Unix only.
#[cfg(unix)]
mod accuracy;
#[cfg(unix)]
mod agreement;
#[cfg(unix)]
mod c_header;
#[cfg(unix)]
mod dialects;
#[cfg(unix)]
#[path = "support/driver.rs"]
mod driver;
#[cfg(unix)]
mod grid;
#[cfg(unix)]
mod site;
#[cfg(unix)]
mod suggestions;
#[cfg(unix)]
mod tables;
