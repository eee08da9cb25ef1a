//! Rules about refusals whose enhanced status code or text names the check that failed.

use crate::protocol::command::Verb;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{differs, has_parameter, is_about_mail};

/// X.1.10: the recipient's domain has a null MX.
const NULL_MX: (u16, u16) = (1, 10);

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !is_about_mail(observation) || !observation.is_turned_down() {
        return;
    }
    one_code(observation, findings);
    spf_error(observation, findings);
    dkim(observation, findings);
    null_mx(observation, findings);
    greylisting(observation, findings);
    solicitation(observation, findings);
    requiretls(observation, findings);
}

/// Some conditions have their own enhanced status code and only 550: SPF (RFC 7208 §8.4, RFC 7372 §3.2), reverse DNS
/// (RFC 7372 §3.3), several methods (RFC 7372 §4), a sender with a null MX (RFC 7505 §4.1), and ARC (RFC 8617
/// §5.2.2).
fn one_code(observation: &Observation<'_>, findings: &mut Findings) {
    const CONDITIONS: [((u16, u16), RuleId); 5] = [
        ((7, 23), RuleId::SPF_FAIL_550),
        ((7, 25), RuleId::REVERSE_DNS_550),
        ((7, 26), RuleId::SEVERAL_METHODS_OWN_CODE),
        ((7, 27), RuleId::NULL_MX_SENDER_550),
        ((7, 29), RuleId::ARC_FAILURE_550),
    ];
    for (_, rule) in CONDITIONS.iter().filter(|(code, _)| observation.has_detail(&[*code])) {
        if !observation.is(&[550]) {
            findings.add(*rule, observation.codes());
        }
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

/// RFC 6376 §6.3: a failed signature is never a reason for 4yz, and the code is 550.
fn dkim(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.has_detail(&[(7, 20), (7, 21), (7, 22)]) || observation.is(&[550]) {
        return;
    }
    let rule =
        if observation.is_refused() { RuleId::DKIM_REFUSAL_550 } else { RuleId::DKIM_FAILURE_PERMANENT };
    findings.add(rule, observation.codes());
}

/// RFC 7505 §4.1: a recipient's domain with a null MX gets 556 and X.1.10, and a sender's gets 550 and X.7.27.
fn null_mx(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.has_detail(&[NULL_MX]) {
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

/// RFC 6647 §5: greylisting uses 450, or 421 and closing, and spares clients that have logged in. Only the text shows
/// that a reply is about greylisting.
fn greylisting(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 6] = ["greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list"];
    let authenticated = observation.session.authenticated;
    if observation.says(&WORDS) && (authenticated || !observation.is(&[450])) {
        let to = if authenticated { " after a login" } else { "" };
        findings.add(RuleId::GREYLISTING_CODES, format!("{} for greylisting{to}", observation.codes()));
    }
}

/// RFC 8689 §4.2.1: 5.7.30 means that the next host does not support REQUIRETLS, which a later attempt will not change.
/// The registry's row lists 550.
fn requiretls(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.has_detail(&[(7, 30)]) && !observation.is(&[550]) {
        let rule = RuleId::REQUIRETLS_FAILURE_CODES;
        findings.add_if(observation.is_refused(), rule, "other-5yz", observation.codes());
    }
}

/// RFC 3865 §2.3, §2.4: 550 and 5.7.1, with the keyword in the text, which shows the reason.
fn solicitation(observation: &Observation<'_>, findings: &mut Findings) {
    let asked = has_parameter(observation, "SOLICIT") && observation.session.offers("NO-SOLICITING");
    if !asked || !observation.is_refused() || !observation.says(&["solicit="]) {
        return;
    }
    if !observation.is(&[550]) || differs(observation, &[(7, 1)]) {
        findings.add(RuleId::NO_SOLICITING_550, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const FROM: &str = "C: MAIL FROM:<bob@example.org>";
    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const RCPT: &str = "C: RCPT TO:<amy@example.org>";
    const MESSAGE: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go\nC: ab\nC: .";

    #[test]
    fn named_conditions() {
        let ehlo = offers("NO-SOLICITING");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
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
            (&["S: 451 4.7.20 No"], "dkim-failure-permanent error"),
            (&["S: 451 4.7.5 No key"], ""),
            (&["S: 450 4.7.25 No"], "reverse-dns-550 note"),
            (&["S: 554 5.7.26 No"], "several-methods-own-code warning"),
            (&["S: 554 5.7.29 No"], "arc-failure-550 note"),
            (&["S: 554 5.7.1 No"], ""),
            (&["S: 550 5.7.30 No"], ""),
            (&["S: 554 5.7.30 No"], "requiretls-failure-codes/other-5yz note"),
            (&["S: 451 4.7.30 No"], "requiretls-failure-codes warning"),
            (&["S: 554 5.1.10 No"], "null-mx-556 warning"),
            (&["S: 556 5.1.10 No"], ""),
            (&["S: 450 4.7.1 Greylisted, try again"], ""),
            (&["S: 451 4.7.1 Greylisted, try again"], "greylisting-codes note"),
            (&["S: 550 5.7.1 Gray-listed"], "greylisting-codes note"),
        ];
        check(Protocol::Smtp, &[&before[..], &[MAIL, MESSAGE]].concat(), rows);
        let knowledge = Knowledge { unknown: Some("nobody@example.org".to_owned()), ..Knowledge::default() };
        let nobody = "C: RCPT TO:<nobody@example.org>\nS: 556 5.1.10 Who?";
        Table { knowledge, ..table(&before) }.check(&[(&[MAIL, nobody], "null-mx-556 warning")]);
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let solicit = "C: MAIL FROM:<bob@example.org> SOLICIT=org.example:ADV";
        check(
            Protocol::Smtp,
            &before,
            &[
                (&[FROM, "S: 556 5.1.10 No"], "null-mx-sender-550 warning"),
                (&[FROM, "S: 550 5.7.27 No"], ""),
                (&[FROM, "S: 556 5.7.27 No"], "null-mx-sender-550 warning"),
                (&[logged_in, MAIL, RCPT, "S: 450 4.7.1 Greylisted"], "greylisting-codes note"),
                (&[solicit, "S: 550 5.7.1 SOLICIT=org.example:ADV"], ""),
                (&[solicit, "S: 554 5.7.1 SOLICIT=org.example:ADV"], "no-soliciting-550 note"),
                (&[solicit, "S: 554 5.7.1 Not you"], ""),
                (&["C: NOOP", "S: 554 5.7.25 No"], ""),
            ],
        );
    }
}
