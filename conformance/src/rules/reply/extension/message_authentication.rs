//! Rules about refusals because a message or its sender fails authentication: SPF, DKIM, ARC, reverse DNS.

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{is_about_mail, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !is_about_mail(observation) || !observation.is_turned_down() {
        return;
    }
    one_code(observation, findings);
    several(observation, findings);
    spf_error(observation, findings);
    dkim(observation, findings);
    named_check(observation, findings);
}

/// Some conditions have their own enhanced status code and only 550: SPF (RFC 7208 §8.4, RFC 7372 §3.2), reverse DNS
/// (RFC 7372 §3.3), and ARC (RFC 8617 §5.2.2).
fn one_code(observation: &Observation<'_>, findings: &mut Findings) {
    const CONDITIONS: [((u16, u16), RuleId); 3] = [
        ((7, 23), RuleId::SPF_FAIL_550),
        ((7, 25), RuleId::REVERSE_DNS_550),
        ((7, 29), RuleId::ARC_FAILURE_550),
    ];
    for (_, rule) in CONDITIONS.iter().filter(|(code, _)| observation.has_detail(&[*code])) {
        if !observation.is(&[550]) {
            findings.add(*rule, observation.codes());
        }
    }
}

/// RFC 7372 §4: if several checks failed, the code is X.7.26 and not that of one of them. Only a text that names both
/// shows this. §3.4 and the registry pair X.7.26 with 550.
fn several(observation: &Observation<'_>, findings: &mut Findings) {
    const BOTH: [&str; 6] = [
        "spf and dkim",
        "dkim and spf",
        "spf, dkim and",
        "neither spf nor dkim",
        "neither dkim nor spf",
        "spf nor dkim",
    ];
    const FAILED: [&str; 4] = ["fail", "neither", "not pass", "n't pass"];
    let rule = RuleId::SEVERAL_METHODS_OWN_CODE;
    if observation.has_detail(&[(7, 26)]) {
        if !observation.is(&[550]) {
            findings.add_under(rule, "reply-code", observation.codes());
        }
        return;
    }
    let one = observation.enhanced().filter(|code| code.subject() == 7 && (20..=25).contains(&code.detail()));
    if one.is_some() && observation.says(&BOTH) && observation.says(&FAILED) {
        findings.add(rule, format!("{}, although more than one check failed", observation.codes()));
    }
}

/// RFC 7208: X.7.24 goes with 451 for a temporary error (§8.6) and with 550 for a permanent one (§8.7).
fn spf_error(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.has_detail(&[(7, 24)]) || observation.is(&[451, 550]) {
        return;
    }
    let rule = if observation.is_refused() { RuleId::SPF_PERMERROR_550 } else { RuleId::SPF_TEMPERROR_451 };
    findings.add(rule, observation.codes());
}

/// RFC 6376 §6.3: a refusal because of a signature has 550. A signature that fails to verify is never a reason for 4yz,
/// and only a failure of this system is one. With X.7.21 and X.7.22, signatures have passed (RFC 7372 §3.1). X.7.20 alone
/// does not say whether a signature failed, is missing, or has a key that could not be fetched; only the text does.
fn dkim(observation: &Observation<'_>, findings: &mut Findings) {
    const FAILED: [&str; 5] = ["fail", "invalid", "bad", "did not verify", "does not verify"];
    const SYSTEM: [&str; 9] =
        ["key", "dns", "temp", "unavailable", "unable", "timeout", "timed out", "lookup", "no "];
    let passed = observation.has_detail(&[(7, 21), (7, 22)]);
    let named = observation.has_detail(&[(7, 20)]) || observation.says(&["dkim"]);
    let failed = named && observation.says(&FAILED) && !observation.says(&SYSTEM);
    if observation.is_refused() {
        if (passed || observation.has_detail(&[(7, 20)])) && !observation.is(&[550]) {
            findings.add(RuleId::DKIM_REFUSAL_550, observation.codes());
        }
    } else if passed {
        findings.add_under(RuleId::DKIM_FAILURE_PERMANENT, "passed", observation.codes());
    } else if failed {
        findings.add(RuleId::DKIM_FAILURE_PERMANENT, observation.codes());
    }
}

/// RFC 6376 §6.3, RFC 6377 §5.11, RFC 7208 §8.4 to §8.7, RFC 7372 §3: subject 7, 4.4.3 or 5.5.2. Only the text shows
/// that an SPF or DKIM check failed.
fn named_check(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(code) = promised(observation) else { return };
    let permitted =
        code.subject() == 7 || matches!((code.subject(), code.detail()), (0, 0) | (4, 3) | (5, 2));
    if permitted {
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

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const MESSAGE: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go\nC: ab\nC: .";

    #[test]
    fn named_conditions() {
        let ehlo = offers("DSN");
        let rows: &[Row<'_>] = &[
            (&["S: 550 5.7.23 No"], ""),
            (&["S: 554 5.7.23 No"], "spf-fail-550 warning"),
            (&["S: 450 4.7.23 No"], "spf-fail-550 warning"),
            (&["S: 421 4.7.23 Bye"], ""),
            (&["S: 451 4.7.24 No"], ""),
            (&["S: 450 4.7.24 No"], "spf-temperror-451 warning"),
            (&["S: 550 5.7.24 No"], ""),
            (&["S: 554 5.7.24 No"], "spf-permerror-550 warning"),
            (&["S: 550 5.7.20 No"], ""),
            (&["S: 554 5.7.20 No"], "dkim-refusal-550 warning"),
            (&["S: 451 4.7.20 No signature that passes"], ""),
            (&["S: 451 4.7.20 Signature verification failed"], "dkim-failure-permanent error"),
            (&["S: 451 4.7.1 DKIM signature is invalid"], "dkim-failure-permanent error"),
            (&["S: 451 4.7.20 Signature verification failed: no key"], ""),
            (&["S: 451 4.7.21 No"], "dkim-failure-permanent/passed warning"),
            (&["S: 451 4.7.22 No author signature"], "dkim-failure-permanent/passed warning"),
            (&["S: 451 4.7.5 No key"], ""),
            (&["S: 450 4.7.25 No"], "reverse-dns-550 note"),
            (&["S: 554 5.7.26 No"], "several-methods-own-code/reply-code note"),
            (&["S: 550 5.7.26 SPF and DKIM failed"], ""),
            (&["S: 550 5.7.23 SPF and DKIM failed"], "several-methods-own-code warning"),
            (&["S: 550 5.7.20 SPF failed and DKIM passed"], ""),
            (&["S: 550 5.7.1 SPF and DKIM failed"], ""),
            (&["S: 554 5.7.29 No"], "arc-failure-550 note"),
            (&["S: 554 5.7.1 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, MAIL, MESSAGE], rows);
        check(
            Protocol::Smtp,
            &["S: 220 mx.example.org", "C: EHLO me", &ehlo],
            &[(&["C: NOOP", "S: 554 5.7.25 No"], "")],
        );
    }

    #[test]
    fn checks_named_in_the_text() {
        let ehlo = offers("DSN");
        let mail = "C: MAIL FROM:<bob@example.org>";
        let rows: &[Row<'_>] = &[
            (&[mail, "S: 550 5.1.8 SPF check failed"], "authentication-rejection-codes note"),
            (&[mail, "S: 550 5.7.1 SPF check failed"], ""),
            (&[mail, "S: 550 5.5.2 SPF check failed"], ""),
            (&[mail, "S: 550 5.1.8 No SPF record and no MX"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
