//! Rules about null MX (RFC 7505).

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{is_about_mail, promised};

/// X.1.10: the recipient's domain has a null MX.
const RECIPIENT: (u16, u16) = (1, 10);
/// X.7.27: the sender's domain has a null MX.
const SENDER: (u16, u16) = (7, 27);

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if is_about_mail(observation) && observation.is_turned_down() {
        sender(observation, findings);
        recipient(observation, findings);
    }
}

/// RFC 7505 §4.1: a sender's domain with a null MX gets 550 and X.7.27.
fn sender(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.has_detail(&[SENDER]) && !observation.is(&[550]) {
        findings.add(RuleId::NULL_MX_SENDER_550, observation.codes());
    }
}

/// RFC 7505 §4.1: a recipient's domain with a null MX gets 556 and X.1.10, and a sender's gets 550 and X.7.27.
fn recipient(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.has_detail(&[RECIPIENT]) {
        // 556 may also pass on a 521 of the recipient's host (RFC 7504 §4).
        if observation.verb() == Some(Verb::Rcpt) && observation.is(&[556]) && promised(observation).is_some()
        {
            findings.add_under(RuleId::NULL_MX_556, "other-enhanced-code", observation.codes());
        }
        return;
    }
    let recipient = observation.command.and_then(|command| command.envelope()?.path());
    let unknown = observation.knowledge.unknown.as_deref().map(str::as_bytes);
    match observation.verb() {
        Some(Verb::Mail) => {
            findings.add(RuleId::NULL_MX_SENDER_550, format!("{} to MAIL", observation.codes()));
        }
        Some(Verb::Rcpt) if recipient.is_some() && recipient == unknown => {
            findings.add(
                RuleId::NULL_MX_556,
                format!("{} to a mailbox that does not exist", observation.codes()),
            );
        }
        _ if !observation.is(&[556]) => findings.add(RuleId::NULL_MX_556, observation.codes()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const MESSAGE: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go\nC: ab\nC: .";

    #[test]
    fn recipients() {
        let ehlo = offers("DSN");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        let rows: &[Row<'_>] = &[(&["S: 554 5.1.10 No"], "null-mx-556 warning"), (&["S: 556 5.1.10 No"], "")];
        check(Protocol::Smtp, &[&before[..], &[MAIL, MESSAGE]].concat(), rows);
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let other = "null-mx-556/other-enhanced-code note";
        let rows: &[Row<'_>] = &[
            (&[MAIL, rcpt, "S: 556 5.1.2 The domain takes no mail"], other),
            (&[MAIL, rcpt, "S: 556 5.1.10 The domain takes no mail"], ""),
            (&[MAIL, rcpt, "S: 556 The domain takes no mail"], ""),
        ];
        check(Protocol::Smtp, &before, rows);
        let knowledge = Knowledge { unknown: Some("nobody@example.org".to_owned()), ..Knowledge::default() };
        let nobody = "C: RCPT TO:<nobody@example.org>\nS: 556 5.1.10 Who?";
        Table { knowledge, ..table(&before) }.check(&[(&[MAIL, nobody], "null-mx-556 warning")]);
    }

    #[test]
    fn senders() {
        let ehlo = offers("DSN");
        let from = "C: MAIL FROM:<bob@example.org>";
        let rows: &[Row<'_>] = &[
            (&[from, "S: 556 5.1.10 No"], "null-mx-sender-550 warning"),
            (&[from, "S: 550 5.7.27 No"], ""),
            (&[from, "S: 556 5.7.27 No"], "null-mx-sender-550 warning"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
