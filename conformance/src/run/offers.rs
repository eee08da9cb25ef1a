//! The capabilities that a server offers.

use crate::protocol::Capabilities;

/// The capabilities that a server offers, in clear and under TLS.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    pub(super) clear: Capabilities,
    /// `None` if the server offers no STARTTLS, or the handshake or the EHLO after it failed.
    pub(super) tls: Option<Capabilities>,
    /// Whether the server is on this machine.
    pub(super) is_local: bool,
}
