//! Reply rules about what LMTP does differently from SMTP (RFC 2033).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::command::{is_about_act, is_followed, seen};

/// The TCP port of SMTP (RFC 5321 §4.5.4.2).
const SMTP_PORT: u16 = 25;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    port(observation, findings);
    if !observation.is_lmtp() || !is_about_act(observation) {
        return;
    }
    match observation.verb() {
        Some(Verb::Helo | Verb::Ehlo) => helo(observation, findings),
        Some(Verb::Lhlo) if observation.is(&[250]) => extensions(observation, findings),
        Some(Verb::Data) => data(observation, findings),
        Some(Verb::Rcpt) => quota(observation, findings),
        _ if observation.is_end_of_data() => quota(observation, findings),
        _ => {}
    }
}

/// RFC 2033 §5: a server does not speak LMTP on the port of SMTP, even if it speaks both protocols.
fn port(observation: &Observation<'_>, findings: &mut Findings) {
    let accepted = observation.verb() == Some(Verb::Lhlo) && observation.is(&[250]);
    if accepted && observation.knowledge.port.or(observation.session.port) == Some(SMTP_PORT) {
        let rule = RuleId::LMTP_NOT_ON_SMTP_PORT;
        let detail = format!("LHLO is accepted on port {SMTP_PORT}");
        findings.add_if(!observation.is_lmtp(), rule, "speaks-smtp", detail);
    }
}

/// RFC 2033 §4.1: HELO and EHLO get no 2yz.
fn helo(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.digit() == Some(2) {
        findings.add(RuleId::LMTP_REFUSES_HELO, seen(observation));
    }
}

/// RFC 2033 §5: a server offers PIPELINING and ENHANCEDSTATUSCODES, and should offer 8BITMIME; before TLS it may leave
/// 8BITMIME out. Whether a server replies for each recipient as soon as it can is not visible from outside.
fn extensions(observation: &Observation<'_>, findings: &mut Findings) {
    let offered = Capabilities::read(&observation.reply);
    let missing = |keyword: &&str| !offered.has(keyword);
    let missing: Vec<&str> = ["PIPELINING", "ENHANCEDSTATUSCODES"].into_iter().filter(missing).collect();
    if !missing.is_empty() {
        findings.add(RuleId::LMTP_REQUIRED_EXTENSIONS, format!("no {}", missing.join(", no ")));
    }
    let whole = observation.session.tls || !offered.has("STARTTLS");
    if whole && !offered.has("8BITMIME") {
        findings.add(RuleId::LMTP_REPLIES_AT_ONCE, "no 8BITMIME");
    }
}

/// RFC 2033 §4.2: DATA without a recipient gets 503, unless the server refuses an argument first.
fn data(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let chunked = session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_some());
    let argument = observation.command.is_some_and(|command| !command.argument().is_empty());
    let excused =
        observation.digit() == Some(4) || observation.is(&[503]) || argument && observation.is(&[500, 501]);
    if is_followed(observation) && session.recipients() == 0 && !chunked && !excused {
        findings.add(RuleId::LMTP_DATA_NEEDS_RECIPIENT, format!("{} without a recipient", seen(observation)));
    }
}

/// RFC 2033 §4.2, RFC 3463 §3.3: a full mailbox gets 452 with 4.2.2, or 552 with 5.2.2.
fn quota(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.digit() < Some(4) {
        return;
    }
    let says_full = observation.has_detail(&[(2, 2)]);
    if says_full && !observation.is(&[452, 552]) {
        return findings.add(RuleId::LMTP_QUOTA_CODE, seen(observation));
    }
    if says_full || !is_full(observation) {
        return;
    }
    // A full mailbox may be refused for another reason: the sequence, the system, the protocol, or policy.
    let other_reason = observation.is(&[501, 503, 555])
        || observation.enhanced().is_some_and(|code| matches!(code.subject(), 3..=7));
    let vague = observation.enhanced().is_none_or(|code| code.detail() == 0);
    let allowed = vague && observation.is(&[450, 451, 452, 552]);
    if !(other_reason || allowed) {
        findings.add(RuleId::LMTP_QUOTA_CODE, format!("{} for a full mailbox", seen(observation)));
    }
}

/// Returns whether the reply is about the recipient that is known to be full.
fn is_full(observation: &Observation<'_>) -> bool {
    let recipients = observation.session.transaction.as_ref().map(|transaction| &transaction.recipients);
    let command = match observation.verb() {
        Some(Verb::Rcpt) => observation.command,
        _ => {
            recipients.and_then(|recipients| recipients.get(observation.nth)).map(|line| Command::read(line))
        }
    };
    let path = command.and_then(|command| command.envelope()).and_then(|envelope| envelope.path());
    let full = observation.knowledge.full.as_ref();
    path.zip(full).is_some_and(|(path, full)| path.eq_ignore_ascii_case(full.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::command::tests::State::{Connected, DataOfTwo, Greeted, Recipient, Sender};
    use super::super::command::tests::{check, dialogue, found, knowledge};
    use crate::dialogue::Dialogue;
    use crate::protocol::Protocol;

    #[test]
    fn replies_follow_rfc_2033() {
        check(
            "LM",
            Protocol::Lmtp,
            &[
                (Connected, "HELO me", "500 5.5.1 no", ""),
                (Connected, "EHLO me", "250 mx", "lmtp-refuses-helo error"),
                (
                    Connected,
                    "LHLO me",
                    "250-mx\r\n250-8BITMIME\r\n250-pipelining\r\n250 ENHANCEDSTATUSCODES",
                    "",
                ),
                (
                    Connected,
                    "LHLO me",
                    "250-mx\r\n250-8BITMIME\r\n250 PIPELINING",
                    "lmtp-required-extensions error",
                ),
                (
                    Connected,
                    "LHLO me",
                    "250-mx\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES",
                    "lmtp-replies-at-once note",
                ),
                (
                    Connected,
                    "LHLO me",
                    "250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 ENHANCEDSTATUSCODES",
                    "",
                ),
                (Connected, "LHLO me", "501 no", ""),
                (Sender, "DATA", "503 5.5.1 no", ""),
                (Sender, "DATA", "554 5.5.1 no", "lmtp-data-needs-recipient error"),
                (Sender, "DATA", "354 go", "lmtp-data-needs-recipient error"),
                (Greeted, "DATA", "530 5.7.0 login", ""),
                (Sender, "DATA x", "501 5.5.4 no", ""),
                (Recipient, "DATA", "354 go", ""),
                (Sender, "RCPT TO:<full@example.test>", "452 4.2.2 full", ""),
                (Sender, "RCPT TO:<full@example.test>", "552 5.2.2 full", ""),
                (Sender, "RCPT TO:<full@example.test>", "250 2.1.5 Ok", ""),
                (Sender, "RCPT TO:<full@example.test>", "450 4.7.1 later", ""),
                (Sender, "RCPT TO:<full@example.test>", "550 5.1.1 no", "lmtp-quota-code note"),
                (Sender, "RCPT TO:<alice@example.test>", "550 5.2.2 full", "lmtp-quota-code note"),
                (DataOfTwo, "Subject: x", "250 2.0.0 Ok|552 5.2.2 full", ""),
                (DataOfTwo, "Subject: x", "250 2.0.0 Ok|550 5.2.0 full", "lmtp-quota-code note"),
                (DataOfTwo, "Subject: x", "550 5.2.1 no|250 2.0.0 Ok", ""),
            ],
        );
        check("LM", Protocol::Smtp, &[(Connected, "EHLO me", "250 mx", "")]);
    }

    #[test]
    fn lmtp_does_not_use_the_smtp_port() {
        let found = |protocol, port, reply| {
            let steps = [("", "220 mx.example.test"), ("LHLO me", reply)];
            let dialogue = Dialogue { port, ..dialogue(protocol, &steps) };
            found("LM-06", &dialogue, &knowledge())
        };
        let accepted = "250-mx\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES";
        assert_eq!(found(Protocol::Lmtp, Some(25), accepted), "lmtp-not-on-smtp-port error");
        assert_eq!(found(Protocol::Lmtp, Some(25), "500 5.5.1 no"), "");
        assert_eq!(found(Protocol::Lmtp, Some(24), accepted), "");
        assert_eq!(found(Protocol::Lmtp, None, accepted), "");
        assert_eq!(found(Protocol::Smtp, Some(25), accepted), "lmtp-not-on-smtp-port warning");
        assert_eq!(found(Protocol::Smtp, Some(25), "500 5.5.1 no"), "");
    }

    #[test]
    fn smtp_rules_allow_for_lmtp() {
        check(
            "CM",
            Protocol::Lmtp,
            &[
                (Connected, "EHLO me", "500 5.5.1 no", ""),
                (Connected, "LHLO me", "250 mx", ""),
                (Connected, "LHLO me", "554 no", "hello-codes warning"),
                (Sender, "DATA", "554 5.5.1 no", ""),
                (Sender, "RCPT TO:<postmaster>", "550 5.1.1 no", ""),
                (DataOfTwo, "Subject: x", "250 2.0.0 Ok|550 5.1.1 no", ""),
            ],
        );
    }
}
