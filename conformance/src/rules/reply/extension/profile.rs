//! Rules about mail profiles that demand enhanced status codes (RFC 5550, RFC 3801). No reply shows that a server
//! follows one, so the target's file says so. Other rules judge submission and LMTP.

use crate::knowledge::Policy;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

/// RFC 5550 §4.5, RFC 3801 §5.2.3: EHLO lists ENHANCEDSTATUSCODES. Before TLS, a server may list fewer keywords.
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
        let detail = format!("ENHANCEDSTATUSCODES is not offered, although the site follows {profile}");
        findings.add(RuleId::PROFILE_ENHANCED_CODES, detail);
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::{Knowledge, Policy};
    use crate::protocol::Protocol;
    use crate::rules::reply::extension::testing::{broken, offers};

    #[test]
    fn profiles_demand_enhanced_codes() {
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
