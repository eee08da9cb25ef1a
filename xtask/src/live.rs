//! Real servers on loopback, to run the conformance suite against.
//!
//! What they are made from stands in `conformance/live/`, a folder a server: see [`server`]. Each runs in a private root
//! ([`root`]) and in namespaces of its own ([`isolated`]); nothing of this machine is changed, and nothing is left over.

pub mod choice;
pub mod interruption;
pub mod isolated;
pub mod progress;
pub mod root;
pub mod running;
pub mod server;
pub mod summary;
