//! Decides where credentials may be sent (RFC 8314 §5.1, RFC 4954 §4).

use super::Plan;
use super::offers::Offers;
use crate::client::{Certificates, Connection};
use crate::target::Target;

const UNVERIFIED: &str = "with --verify-tls, credentials are sent only under TLS with a verified certificate";
const ELSEWHERE: &str = "credentials are sent to another host only under TLS";
const NOT_FIRST: &str = "credentials are sent only under TLS to a server that offers STARTTLS, unless the target has \
                         `cleartext = true` under [credentials]";

/// Where the credentials of a target may be sent.
///
/// They may always be sent under TLS. They may be sent in clear only to this machine, and only if the target allows it
/// or the server offers no TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secrecy {
    /// Whether the target allows them in clear on this machine.
    cleartext: bool,
    /// Whether a verified certificate is required.
    verified: bool,
}

impl Secrecy {
    pub(super) fn of(target: &Target, plan: &Plan) -> Secrecy {
        Secrecy {
            cleartext: target.credentials.as_ref().is_some_and(|credentials| credentials.cleartext),
            verified: plan.certificates == Certificates::Demanded,
        }
    }

    /// Returns why credentials may not be sent on a connection in its current state, or `None` if they may.
    pub(super) fn objection(self, connection: &Connection, offers: &Offers) -> Option<&'static str> {
        let offers_tls = offers.clear.has("STARTTLS") || connection.session().offers("STARTTLS");
        if connection.session().tls {
            None
        } else {
            self.objection_in_clear(connection.is_local(), offers_tls)
        }
    }

    /// Returns why credentials may not be sent to a server in clear, or `None` if they may. `offers_tls` says whether
    /// the server offers STARTTLS.
    pub(super) fn objection_in_clear(self, is_local: bool, offers_tls: bool) -> Option<&'static str> {
        if self.verified {
            Some(UNVERIFIED)
        } else if !is_local {
            Some(ELSEWHERE)
        } else if offers_tls && !self.cleartext {
            Some(NOT_FIRST)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, NOT_FIRST, Secrecy, UNVERIFIED};

    #[test]
    fn credentials_are_sent_in_clear_only_to_this_machine() {
        let in_clear = |cleartext, verified, is_local, offers_tls| {
            Secrecy { cleartext, verified }.objection_in_clear(is_local, offers_tls)
        };
        for offers_tls in [false, true] {
            for cleartext in [false, true] {
                assert_eq!(in_clear(cleartext, false, false, offers_tls), Some(ELSEWHERE));
                assert_eq!(in_clear(cleartext, true, false, offers_tls), Some(UNVERIFIED));
                assert_eq!(in_clear(cleartext, true, true, offers_tls), Some(UNVERIFIED));
            }
            assert_eq!(in_clear(true, false, true, offers_tls), None);
        }
        assert_eq!(in_clear(false, false, true, false), None);
        assert_eq!(in_clear(false, false, true, true), Some(NOT_FIRST));
    }
}
