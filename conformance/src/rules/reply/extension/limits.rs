//! Rules about LIMITS (RFC 9422).

use crate::counted::counted;
use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Rcpt) {
        recipients(observation, findings);
    }
}

/// RFC 9422 §4: a server accepts RCPTMAX recipients and refuses the rest with 452.
fn recipients(observation: &Observation<'_>, findings: &mut Findings) {
    let too_many = observation.enhanced().is_some_and(|code| (code.subject(), code.detail()) == (5, 3));
    let Some(limit) = recipient_limit(observation) else { return };
    let count = observation.session.recipients();
    if too_many && count < limit {
        let number = observation.number().unwrap_or_default();
        let detail = format!("{number} after {}; RCPTMAX is {limit}", counted(count, "recipient"));
        findings.add(RuleId::LIMITS_CODES, detail);
    }
}

fn recipient_limit(observation: &Observation<'_>) -> Option<usize> {
    let mut limits = observation.session.offered.as_ref()?.parameters("LIMITS")?;
    limits.find_map(|limit| limit.strip_prefix("RCPTMAX=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use crate::dialogue::{Act, Answer, Dialogue, Exchange};
    use crate::{Knowledge, Level, RuleId, Strictness};

    #[test]
    fn an_announced_limit_is_kept() {
        let exchange = |act: &str, reply: &str| {
            let act = if act.is_empty() { Act::Connect } else { Act::Command(format!("{act}\r\n").into()) };
            Exchange { answers: vec![Answer { octets: reply.into(), millis: 0 }], ..Exchange::new(act) }
        };
        for (accepted, reply, expected) in [
            (1, "452 4.5.3 Too many\r\n", Some(Level::Warning)),
            (2, "452 4.5.3 Too many\r\n", None),
            (2, "451 4.5.3 Too many\r\n", None),
            (1, "452 4.2.2 Full\r\n", None),
        ] {
            let mut exchanges = vec![
                exchange("", "220 mx.example.org\r\n"),
                exchange(
                    "EHLO me",
                    "250-mx.example.org\r\n250-ENHANCEDSTATUSCODES\r\n250 LIMITS RCPTMAX=2\r\n",
                ),
                exchange("MAIL FROM:<bob@example.org>", "250 2.1.0 Ok\r\n"),
            ];
            let rcpt = |reply| exchange("RCPT TO:<amy@example.org>", reply);
            exchanges.extend((0..accepted).map(|_| rcpt("250 2.1.5 Ok\r\n")));
            exchanges.push(rcpt(reply));
            let dialogue = Dialogue { exchanges, ..Dialogue::default() };
            let judgement = crate::judge(&[dialogue], &Knowledge::default(), Strictness::default());
            let found = judgement.findings.iter().find(|finding| finding.rule == RuleId::LIMITS_CODES);
            assert_eq!(found.map(|finding| finding.level), expected, "{reply}");
        }
    }
}
