//! Real servers and clients on loopback, to run the conformance suite against.
//!
//! `conformance/live/` has a folder for each server, and `clients/` one for each client: see [`server`] and [`client`]. Each
//! runs in a private root ([`root`]) and in namespaces of its own ([`isolated`]), so that this machine is not changed and nothing is left behind.

pub mod choice;
pub mod client;
pub mod interruption;
pub mod isolated;
pub mod progress;
pub mod root;
pub mod running;
pub mod server;
pub mod summary;
