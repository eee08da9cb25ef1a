//! Rules about enhanced status codes for which RFCs differ in the meaning or in the reply code, and about conditions
//! for which several RFCs agree on the codes.

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{is_about_mail, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    burl(observation, findings);
    utf8(observation, findings);
    utf8_header(observation, findings);
    authentication(observation, findings);
}

/// RFC 4468, errata 895 and 896: X.7.14, not X.7.8.
fn burl(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Burl) && observation.has_detail(&[(7, 8)]) {
        findings.add(RuleId::BURL_TRUST_CODE, observation.codes());
    }
}

/// RFC 5336 used X.6.7 for a missing ALT-ADDRESS. X.6.8 is about a reply that would need UTF-8, which replies to
/// MAIL, to DATA and to the message never do (RFC 6531 §3.7.4).
fn utf8(observation: &Observation<'_>, findings: &mut Findings) {
    let alternative = observation.has_detail(&[(6, 7)]) && observation.says(&["alt-address"]);
    let message = matches!(observation.verb(), Some(Verb::Mail | Verb::Data)) || observation.is_end_of_data();
    if alternative || (message && observation.has_detail(&[(6, 8)])) {
        findings.add(RuleId::UTF8_CODES_CURRENT, observation.codes());
    }
}

/// RFC 6531: §3.5 has 554 with X.6.9, and the registration in §4.2 has 550.
fn utf8_header(observation: &Observation<'_>, findings: &mut Findings) {
    let refused = is_about_mail(observation) && observation.is_turned_down();
    if refused && observation.has_detail(&[(6, 9)]) && !observation.is(&[550, 554]) {
        findings.add(RuleId::UTF8_REJECTION_PAIR, observation.codes());
    }
}

/// RFC 6376 §6.3, RFC 6377 §5.11, RFC 7208 §8.4 to §8.7, RFC 7372 §3: subject 7, 4.4.3 or 5.5.2. Only the text shows
/// that an SPF or DKIM check failed.
fn authentication(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(code) = promised(observation) else { return };
    let permitted =
        code.subject() == 7 || matches!((code.subject(), code.detail()), (0, 0) | (4, 3) | (5, 2));
    if permitted || !is_about_mail(observation) || !observation.is_turned_down() {
        return;
    }
    let text = observation.reply.text();
    let method = |word: &str| matches!(word, "spf" | "dkim");
    let named = text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(method);
    if named && text.contains("fail") {
        findings.add(RuleId::AUTHENTICATION_REJECTION_CODES, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn meanings() {
        let ehlo = offers("FUTURERELEASE 1000 2030-01-01T00:00:00Z\nBURL");
        let mail = "C: MAIL FROM:<bob@example.org>";
        let begun = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let burl = "C: BURL imap://example.com/x LAST";
        let rows: &[Row<'_>] = &[
            (&[begun, burl, "S: 554 5.7.8 No"], "burl-trust-code note"),
            (&[begun, burl, "S: 554 5.7.14 No"], ""),
            (&[mail, "S: 553 5.6.7 ALT-ADDRESS required"], "utf8-codes-current note"),
            (&[mail, "S: 550 5.6.7 Not here"], ""),
            (&[begun, "C: DATA", "S: 550 5.6.8 No"], "utf8-codes-current note"),
            (&[begun, "C: DATA", "S: 550 5.6.9 No"], ""),
            (&[begun, "C: DATA", "S: 554 5.6.9 No"], ""),
            (&[begun, "C: DATA", "S: 552 5.6.9 No"], "utf8-rejection-pair note"),
            (&[mail, "S: 550 5.1.8 SPF check failed"], "authentication-rejection-codes note"),
            (&[mail, "S: 550 5.7.1 SPF check failed"], ""),
            (&[mail, "S: 550 5.5.2 SPF check failed"], ""),
            (&[mail, "S: 550 5.1.8 No SPF record and no MX"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
