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

/// RFC 2033 §4.1: HELO and EHLO get no 2yz, and 500 is recommended.
fn helo(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_accepted() {
        findings.add(RuleId::LMTP_REFUSES_HELO, seen(observation));
    } else if observation.is_refused() && !observation.is(&[500]) {
        findings.add_under(RuleId::LMTP_REFUSES_HELO, "other-code", seen(observation));
    }
}

/// RFC 2033 §5: a server offers PIPELINING and ENHANCEDSTATUSCODES, and should offer 8BITMIME; before TLS it may leave
/// them out. Whether a server replies for each recipient as soon as it can is not visible from outside.
fn extensions(observation: &Observation<'_>, findings: &mut Findings) {
    let offered = Capabilities::read(&observation.reply);
    let missing = |keyword: &&str| !offered.has(keyword);
    let missing: Vec<&str> = ["PIPELINING", "ENHANCEDSTATUSCODES"].into_iter().filter(missing).collect();
    // RFC 3207 §4.2: the list may be different under TLS.
    if !observation.session.tls && offered.has("STARTTLS") {
        return;
    }
    if !missing.is_empty() {
        findings.add(RuleId::LMTP_REQUIRED_EXTENSIONS, format!("no {}", missing.join(", no ")));
    }
    if !offered.has("8BITMIME") {
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
    use super::super::command::tests::{DATA, FULL, GREETING, MAIL, RCPT, check, knowledge};
    use crate::protocol::Protocol;
    use crate::readers::testing::{Place, Table};

    const LHLO: &str = "C: LHLO me.example.org\nS: 250-mx.example.test\nS: 250 ENHANCEDSTATUSCODES";

    /// A table of replies after the greeting, about the rules of LMTP.
    fn table(protocol: Protocol) -> Table<'static> {
        Table {
            protocol,
            knowledge: knowledge(),
            before: &[GREETING],
            rules: |rule| rule.kind == crate::Kind::Reply && rule.label.starts_with("LM"),
            place: Place::Last,
        }
    }

    #[test]
    fn replies_follow_rfc_2033() {
        table(Protocol::Lmtp).check(&[
            (&["C: HELO me", "S: 500 5.5.1 no"], ""),
            (&["C: HELO me", "S: 502 5.5.1 no"], "lmtp-refuses-helo/other-code note"),
            (&["C: EHLO me", "S: 503 5.5.1 no"], "lmtp-refuses-helo/other-code note"),
            (&["C: EHLO me", "S: 421 4.3.2 no"], ""),
            (&["C: EHLO me", "S: 250 mx"], "lmtp-refuses-helo error"),
            (
                &["C: LHLO me", "S: 250-mx\nS: 250-8BITMIME\nS: 250-pipelining\nS: 250 ENHANCEDSTATUSCODES"],
                "",
            ),
            (
                &["C: LHLO me", "S: 250-mx\nS: 250-8BITMIME\nS: 250 PIPELINING"],
                "lmtp-required-extensions error",
            ),
            (
                &["C: LHLO me", "S: 250-mx\nS: 250-PIPELINING\nS: 250 ENHANCEDSTATUSCODES"],
                "lmtp-replies-at-once warning",
            ),
            (
                &["C: LHLO me", "S: 250-mx\nS: 250-PIPELINING\nS: 250-STARTTLS\nS: 250 ENHANCEDSTATUSCODES"],
                "",
            ),
            (&["C: LHLO me", "S: 250-mx\nS: 250 STARTTLS"], ""),
            (&["C: LHLO me", "S: 501 no"], ""),
            (&[LHLO, MAIL, "C: DATA", "S: 503 5.5.1 no"], ""),
            (&[LHLO, MAIL, "C: DATA", "S: 554 5.5.1 no"], "lmtp-data-needs-recipient error"),
            (&[LHLO, MAIL, "C: DATA", "S: 354 go"], "lmtp-data-needs-recipient error"),
            (&[LHLO, "C: DATA", "S: 530 5.7.0 login"], ""),
            (&[LHLO, MAIL, "C: DATA x", "S: 501 5.5.4 no"], ""),
            (&[LHLO, MAIL, RCPT, "C: DATA", "S: 354 go"], ""),
            (&[LHLO, MAIL, "C: RCPT TO:<full@example.test>", "S: 452 4.2.2 full"], ""),
            (&[LHLO, MAIL, "C: RCPT TO:<full@example.test>", "S: 552 5.2.2 full"], ""),
            (&[LHLO, MAIL, "C: RCPT TO:<full@example.test>", "S: 250 2.1.5 Ok"], ""),
            (&[LHLO, MAIL, "C: RCPT TO:<full@example.test>", "S: 450 4.7.1 later"], ""),
            (&[LHLO, MAIL, "C: RCPT TO:<full@example.test>", "S: 550 5.1.1 no"], "lmtp-quota-code note"),
            (&[LHLO, MAIL, "C: RCPT TO:<alice@example.test>", "S: 550 5.2.2 full"], "lmtp-quota-code note"),
            (
                &[LHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 250 2.0.0 Ok\nS: 552 5.2.2 full"],
                "",
            ),
            (
                &[LHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 250 2.0.0 Ok\nS: 550 5.2.0 full"],
                "lmtp-quota-code note",
            ),
            (&[LHLO, MAIL, RCPT, FULL, DATA, "C: Subject: x\nC: .", "S: 550 5.2.1 no\nS: 250 2.0.0 Ok"], ""),
        ]);
        table(Protocol::Smtp).check(&[(&["C: EHLO me", "S: 250 mx"], "")]);
    }

    #[test]
    fn lmtp_does_not_use_the_smtp_port() {
        let accepted = "S: 250-mx\nS: 250-8BITMIME\nS: 250-PIPELINING\nS: 250 ENHANCEDSTATUSCODES";
        let refused = "S: 500 5.5.1 no";
        let on_smtp_port = ["#: connected to port 25", GREETING, "C: LHLO me"];
        let table = |protocol| Table {
            before: &on_smtp_port,
            rules: |rule| rule.id == "lmtp-not-on-smtp-port",
            ..table(protocol)
        };
        let lmtp = table(Protocol::Lmtp);
        lmtp.check(&[(&[accepted], "lmtp-not-on-smtp-port error"), (&[refused], "")]);
        Table { before: &["#: connected to port 24", GREETING, "C: LHLO me"], ..lmtp.clone() }
            .check(&[(&[accepted], "")]);
        Table { before: &[GREETING, "C: LHLO me"], ..lmtp }.check(&[(&[accepted], "")]);
        table(Protocol::Smtp)
            .check(&[(&[accepted], "lmtp-not-on-smtp-port/speaks-smtp warning"), (&[refused], "")]);
    }

    #[test]
    fn smtp_rules_allow_for_lmtp() {
        check(
            Protocol::Lmtp,
            &[
                (&["C: EHLO me", "S: 500 5.5.1 no"], ""),
                (&["C: LHLO me", "S: 250 mx"], ""),
                (&["C: LHLO me", "S: 554 no"], "hello-codes error"),
                (&[LHLO, MAIL, "C: DATA", "S: 554 5.5.1 no"], ""),
                (&[LHLO, MAIL, "C: RCPT TO:<postmaster>", "S: 550 5.1.1 no"], ""),
                (
                    &[
                        LHLO,
                        MAIL,
                        RCPT,
                        FULL,
                        DATA,
                        "C: Subject: x\nC: .",
                        "S: 250 2.0.0 Ok\nS: 550 5.1.1 no",
                    ],
                    "",
                ),
            ],
        );
    }
}
