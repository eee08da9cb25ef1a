//! Decides whether a case can run against a target, and how its session is prepared.

use super::attempt::{Attempt, Readiness};
use super::offers::Offers;
use super::secrecy::Secrecy;
use crate::case::{Case, Need, Safety, Start};
use crate::protocol::{Capabilities, Protocol};
use crate::record::outcome::{CaseOutcome, Verdict};
use crate::target::{Delivery, Target};

/// The target and what a run may do to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requirements<'a> {
    pub(super) target: &'a Target,
    pub(super) allowed: &'a [Safety],
    pub(super) secrecy: Secrecy,
}

impl Requirements<'_> {
    /// Returns the best preparation that is possible before a case.
    pub(super) fn best_readiness(&self, offers: &Offers) -> Readiness {
        let mechanisms = offers.tls.as_ref().unwrap_or(&offers.clear);
        if self.target.credentials.is_some()
            && self.allowed.contains(&Safety::Auth)
            && self.objection(offers).is_none()
            && mechanisms.has_mechanism("PLAIN")
        {
            Readiness::Login
        } else if offers.tls.is_some() {
            Readiness::Tls
        } else {
            Readiness::Plain
        }
    }

    /// Returns why credentials may not be sent to the server at all, if so.
    fn objection(&self, offers: &Offers) -> Option<&'static str> {
        if self.target.implicit_tls || offers.tls.is_some() {
            return None;
        }
        self.secrecy.objection_in_clear(offers.is_local, offers.clear.has("STARTTLS"))
    }

    /// Returns what keeps a case from being run, as a verdict and a reason. `before` has the outcomes of earlier cases.
    pub(super) fn obstacle(
        &self,
        case: &Case,
        offers: &Offers,
        before: &[CaseOutcome],
    ) -> Option<(Verdict, String)> {
        if case.safety != Safety::Safe && !self.allowed.contains(&case.safety) {
            return Some((Verdict::Skipped, format!("needs --allow {}", case.safety)));
        }
        let failed =
            before.iter().find(|other| case.after.contains(&other.id) && other.verdict != Verdict::Observed);
        if let Some(other) = failed {
            return Some((
                Verdict::Blocked,
                format!("depends on {}, whose verdict is {}", other.id, other.verdict),
            ));
        }
        let implied = match case.start {
            Start::Recipient => Some(Need::Known("valid".to_owned())),
            Start::Authenticated => Some(Need::Credentials),
            Start::Tls if !self.target.implicit_tls => Some(Need::Tls),
            _ => None,
        };
        let missing = case.needs.iter().chain(&implied).find_map(|need| self.missing(need, case, offers));
        if missing.is_some() || !case.takes_credentials() {
            return missing;
        }
        self.objection(offers).map(|objection| (Verdict::Skipped, objection.to_owned()))
    }

    /// Returns the verdict and reason of a case if the target lacks something that it needs.
    fn missing(&self, need: &Need, case: &Case, offers: &Offers) -> Option<(Verdict, String)> {
        let (target, known) = (self.target, &self.target.knowledge);
        let after_tls = matches!(case.start, Start::Tls | Start::Authenticated);
        let offered = match first(case, offers).readiness {
            Readiness::Plain if !after_tls => &offers.clear,
            _ => offers.tls.as_ref().unwrap_or(&offers.clear),
        };
        let (there, verdict) = match need {
            Need::Smtp => (target.protocol != Protocol::Lmtp, Verdict::Unsupported),
            Need::Mx => (target.protocol == Protocol::Smtp, Verdict::Unsupported),
            Need::Submission => (target.protocol == Protocol::Submission, Verdict::Unsupported),
            Need::Lmtp => (target.protocol == Protocol::Lmtp, Verdict::Unsupported),
            Need::Tls => (target.implicit_tls || offers.clear.has("STARTTLS"), Verdict::Unsupported),
            // Under TLS, servers no longer offer it.
            Need::Offers(keyword) if keyword == "STARTTLS" => {
                (offers.clear.has(keyword), Verdict::Unsupported)
            }
            Need::Offers(keyword) => (offered.has(keyword), Verdict::Unsupported),
            Need::Mechanism(mechanism) => (offered.has_mechanism(mechanism), Verdict::Unsupported),
            Need::SizeLimit => (self.size_limit(Some(offers)).is_some(), Verdict::Unsupported),
            Need::Solicitation => (solicitation(offered).is_some(), Verdict::Unsupported),
            Need::Credentials => (target.credentials.is_some(), Verdict::Skipped),
            Need::Delivery => (target.delivery.is_some(), Verdict::Skipped),
            Need::Sink => (target.delivery.as_ref().is_some_and(Delivery::is_sink), Verdict::Skipped),
            Need::Known(name) => (known.mailbox(name).is_some(), Verdict::Skipped),
        };
        (!there).then(|| (verdict, format!("needs {need}")))
    }

    /// Returns the SIZE limit that the target states or the server announces, if a larger number exists.
    pub(super) fn size_limit(&self, offers: Option<&Offers>) -> Option<u64> {
        let limit = self.target.knowledge.size_limit.or_else(|| offers?.clear.size_limit());
        limit.filter(|limit| *limit < u64::MAX)
    }
}

/// Returns the first class of solicitations that the server does not want (RFC 3865 §2.2).
pub(super) fn solicitation(offered: &Capabilities) -> Option<String> {
    let class = offered.parameters("NO-SOLICITING")?.next()?.split(',').next()?.to_owned();
    let is_of_class = |octet: u8| octet.is_ascii_alphanumeric() || b".-_:".contains(&octet);
    (!class.is_empty() && class.bytes().all(is_of_class)).then_some(class)
}

/// Returns whether a case depends on what the server offers.
pub(super) fn is_about_offers(case: &Case) -> bool {
    let offered = |need: &Need| {
        matches!(
            need,
            Need::Tls | Need::Offers(_) | Need::Mechanism(_) | Need::SizeLimit | Need::Solicitation
        )
    };
    case.start == Start::Tls || case.takes_credentials() || case.needs.iter().any(offered)
}

/// Returns the first attempt at a case. It is made under TLS if the case needs something that is offered only there, or
/// if it sends credentials and the server offers TLS.
pub(super) fn first<'c>(case: &'c Case, offers: &Offers) -> Attempt<'c> {
    let gained = |need: &Need| {
        let offers_it = |capabilities: &Capabilities| match need {
            Need::Offers(keyword) => capabilities.has(keyword),
            Need::Mechanism(mechanism) => capabilities.has_mechanism(mechanism),
            _ => false,
        };
        !offers_it(&offers.clear) && offers.tls.as_ref().is_some_and(offers_it)
    };
    let attempt = Attempt::first(case);
    let better = case.needs.iter().any(gained) || case.takes_credentials() && offers.tls.is_some();
    let readiness = if better && attempt.is_prepared() { Readiness::Tls } else { attempt.readiness };
    Attempt { readiness, ..attempt }
}

#[cfg(test)]
mod tests {
    use super::{Offers, Readiness, first};
    use crate::case::built_in;
    use crate::protocol::capabilities::Capabilities;
    use crate::protocol::reply::Reply;

    #[test]
    fn cases_run_under_tls_if_what_they_need_is_offered_only_there() {
        let read = |octets: &[u8]| Capabilities::read(&Reply::read(octets));
        let clear = read(b"250-mx.example.org\r\n250 STARTTLS\r\n");
        let tls = read(b"250-mx.example.org\r\n250 AUTH PLAIN\r\n");
        let cases = built_in().expect("the cases are valid");
        let readiness = |id: &str, offers: &Offers| {
            cases.iter().find(|case| case.id == id).map(|case| first(case, offers).readiness)
        };
        let hidden = Offers { clear: clear.clone(), tls: Some(tls.clone()), is_local: true };
        assert_eq!(readiness("auth-wrong-password", &hidden), Some(Readiness::Tls));
        assert_eq!(readiness("auth-unknown-mechanism", &hidden), Some(Readiness::Tls));
        assert_eq!(readiness("auth-challenge", &hidden), Some(Readiness::Tls));
        assert_eq!(readiness("starttls", &hidden), Some(Readiness::Plain));
        assert_eq!(readiness("noop", &hidden), Some(Readiness::Plain));
        let open = Offers { clear: tls, tls: Some(clear), is_local: true };
        assert_eq!(readiness("auth-challenge", &open), Some(Readiness::Plain));
        // Credentials are sent under TLS if the server offers it.
        assert_eq!(readiness("auth-wrong-password", &open), Some(Readiness::Tls));
    }
}
