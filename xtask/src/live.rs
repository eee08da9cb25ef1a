//! Real servers on loopback, to run the conformance suite against.
//!
//! `conformance/live/` has a folder for each server: see [`server`]. Each server runs in a private root ([`root`]) and
//! in namespaces of its own ([`isolated`]), so that this machine is not changed and nothing is left behind.

pub mod choice;
pub mod interruption;
pub mod isolated;
pub mod progress;
pub mod root;
pub mod running;
pub mod server;
pub mod summary;
