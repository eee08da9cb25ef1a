//! Dialogue rules: each looks at the ordered exchanges of a connection, or of all the connections of a run.

pub(crate) mod across;
pub(crate) mod connection;
