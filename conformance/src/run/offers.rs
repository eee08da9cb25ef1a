//! What a server offers.

use crate::protocol::Capabilities;

/// What is offered, in clear and under TLS.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    pub(super) clear: Capabilities,
    pub(super) tls: Option<Capabilities>,
    /// Whether the server is on this machine.
    pub(super) is_local: bool,
}
