//! Dialogue rules: each looks at the ordered exchanges of one connection, or of all connections of a run.

pub(crate) mod across;
pub(crate) mod connection;
