//! Rules about BURL (RFC 4468).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Burl) {
        success(observation, findings);
        trust(observation, findings);
    }
}

/// RFC 4468 §6: success is 250. The list of refusals is open.
fn success(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.session.offers("BURL") && observation.is_accepted() && !observation.is(&[250]) {
        findings.add(RuleId::BURL_CODES, format!("{} to BURL", observation.codes()));
    }
}

/// RFC 4468, errata 895 and 896: X.7.14, not X.7.8.
fn trust(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.has_detail(&[(7, 8)]) {
        findings.add(RuleId::BURL_TRUST_CODE, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("BURL");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let burl = "C: BURL imap://example.com/x LAST";
        let rows: &[Row<'_>] = &[
            (&[mail, "C: BURL imap://x LAST", "S: 250 2.5.0 Ok"], ""),
            (&[mail, "C: BURL imap://x LAST", "S: 251 2.5.0 Ok"], "burl-codes note"),
            (&[mail, "C: BURL imap://x LAST", "S: 554 5.6.6 No"], ""),
            (&[mail, burl, "S: 554 5.7.8 No"], "burl-trust-code note"),
            (&[mail, burl, "S: 554 5.7.14 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
