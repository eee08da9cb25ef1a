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
    let Some((policy, profile)) = PROFILES.iter().find(followed) else { return };
    let offered = Capabilities::read(&observation.reply);
    let whole = observation.session.tls || !offered.has("STARTTLS");
    if whole && !offered.has("ENHANCEDSTATUSCODES") {
        let detail = format!("ENHANCEDSTATUSCODES is not offered, although the site follows {profile}");
        let recommended = *policy == Policy::Vpim;
        findings.add_if(recommended, RuleId::PROFILE_ENHANCED_CODES, "recommended", detail);
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::{Knowledge, Policy};
    use crate::readers::testing::Table;
    use crate::rules::reply::extension::testing::{offers, table};

    #[test]
    fn profiles_demand_enhanced_codes() {
        let under = |policy: Policy| {
            let knowledge = Knowledge { policies: vec![policy], ..Knowledge::default() };
            Table { knowledge, ..table(&["S: 220 mx.example.org", "C: EHLO me"]) }
        };
        let without = "S: 250-mx.example.org\nS: 250 DSN";
        let before_tls = "S: 250-mx.example.org\nS: 250 STARTTLS";
        let rule = "profile-enhanced-codes/recommended warning";
        under(Policy::Lemonade).check(&[(&[without], "profile-enhanced-codes error")]);
        under(Policy::Vpim).check(&[(&[without], rule), (&[&offers("DSN")], ""), (&[before_tls], "")]);
        under(Policy::Tls).check(&[(&[without], "")]);
    }
}
