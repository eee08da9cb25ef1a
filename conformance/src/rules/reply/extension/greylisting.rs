//! Rules about greylisting (RFC 6647).

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::is_about_mail;

/// RFC 6647 §5: greylisting uses 450, or 421 and closing, and spares clients that have logged in. Only the text shows
/// that a reply is about greylisting.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 6] = ["greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list"];
    if !is_about_mail(observation) || !observation.is_turned_down() {
        return;
    }
    let authenticated = observation.session.authenticated;
    let detail = format!("{} for greylisting", observation.codes());
    if !observation.says(&WORDS) {
    } else if authenticated {
        findings.add(RuleId::GREYLISTING_CODES, format!("{detail} after a login"));
    } else if !observation.is(&[450]) {
        findings.add_under(RuleId::GREYLISTING_CODES, "other-code", detail);
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const MESSAGE: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go\nC: ab\nC: .";

    #[test]
    fn replies() {
        let ehlo = offers("DSN");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        let rows: &[Row<'_>] = &[
            (&["S: 450 4.7.1 Greylisted, try again"], ""),
            (&["S: 451 4.7.1 Greylisted, try again"], "greylisting-codes/other-code note"),
            (&["S: 550 5.7.1 Gray-listed"], "greylisting-codes/other-code note"),
        ];
        check(Protocol::Smtp, &[&before[..], &[MAIL, MESSAGE]].concat(), rows);
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let rows: &[Row<'_>] =
            &[(&[logged_in, MAIL, rcpt, "S: 450 4.7.1 Greylisted"], "greylisting-codes warning")];
        check(Protocol::Smtp, &before, rows);
    }
}
