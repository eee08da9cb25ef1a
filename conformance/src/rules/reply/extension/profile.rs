//! Profiles of mail that want enhanced status codes (RFC 5550, RFC 3801). That a server follows one shows in no reply,
//! so the site says it; submission and LMTP have rules of their own.

use crate::knowledge::Policy;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

/// RFC 5550 §4.5, RFC 3801 §5.2.3: ENHANCEDSTATUSCODES is listed. Before TLS a server may keep its list short.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    const PROFILES: [(Policy, &str); 2] = [(Policy::Lemonade, "Lemonade"), (Policy::Vpim, "VPIM")];
    if observation.is_lmtp() || observation.verb() != Some(Verb::Ehlo) || !observation.is(&[250]) {
        return;
    }
    let followed = |(policy, _): &&(Policy, &str)| observation.knowledge.has_policy(*policy);
    let Some((_, profile)) = PROFILES.iter().find(followed) else { return };
    let offered = Capabilities::read(&observation.reply);
    let whole = observation.session.tls || !offered.has("STARTTLS");
    if whole && !offered.has("ENHANCEDSTATUSCODES") {
        let detail = format!("ENHANCEDSTATUSCODES not offered, and the site follows {profile}");
        findings.add(RuleId::PROFILE_ENHANCED_CODES, detail);
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::{Knowledge, Policy};
    use crate::protocol::Protocol;
    use crate::rules::reply::extension::testing::{broken, offers};

    #[test]
    fn a_profile_that_the_site_follows() {
        let found = |policies: &[Policy], ehlo: &str| {
            let known = Knowledge { policies: policies.to_vec(), ..Knowledge::default() };
            broken(Protocol::Smtp, &[("", "220 mx.example.org"), ("EHLO me", ehlo)], &known).join(" ")
        };
        let without = "250-mx.example.org\n250 DSN";
        assert_eq!(found(&[Policy::Lemonade], without), "profile-enhanced-codes");
        assert_eq!(found(&[Policy::Vpim], without), "profile-enhanced-codes");
        assert_eq!(found(&[Policy::Vpim], &offers("DSN")), "");
        assert_eq!(found(&[Policy::Vpim], "250-mx.example.org\n250 STARTTLS"), "");
        assert_eq!(found(&[Policy::Tls], without), "");
    }
}
