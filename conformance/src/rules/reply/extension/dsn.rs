//! Rules about DSN (RFC 3461).

use crate::protocol::command::{Envelope, Parameter, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::{Xtext, xtext};
use super::refusal::{blames_parameter, envelope, has_only, is_sound, promised};

/// The lengths of the values of ENVID and ORCPT that every server accepts. RFC 3461 §5.4 gives 100 and 500 characters for
/// the parameters with their keywords: NOTIFY with all its words has 28, which is what it gives for NOTIFY.
const ENVID_LENGTH: usize = 100 - "ENVID=".len();
const ORCPT_LENGTH: usize = 500 - "ORCPT=".len();

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.session.offers("DSN") {
        return;
    }
    let Some(envelope) = envelope(observation) else { return };
    match observation.verb() {
        Some(Verb::Mail) => mail(observation, &envelope, findings),
        _ => recipient(observation, &envelope, findings),
    }
    neutral(observation, &envelope, findings);
}

/// RFC 3461 §5.1, §5.4: valid parameters are no reason to refuse. They are the reason if the code blames a parameter and
/// the command has no others. Another rule compares commands with and without parameters.
fn neutral(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    if blames_notification(observation, envelope) {
        let detail = format!("{} to valid parameters", observation.codes());
        findings.add(RuleId::DSN_PARAMETER_NEUTRAL, detail);
    }
}

/// Returns whether MAIL or RCPT is refused because of notification parameters, although they are valid and no others
/// are there.
pub(crate) fn blames_notification(observation: &Observation<'_>, envelope: &Envelope<'_>) -> bool {
    let keywords: [&str; 2] = match observation.verb() {
        Some(Verb::Mail) => ["RET", "ENVID"],
        Some(Verb::Rcpt) => ["NOTIFY", "ORCPT"],
        _ => return false,
    };
    let asks = envelope.parameters().next().is_some() && is_sound(envelope, &keywords);
    let once = keywords.iter().all(|keyword| !envelope.repeats(keyword));
    let valid = envelope.parameters().all(|parameter| is_notification(observation, &parameter));
    // Without an enhanced status code, 501 may be about the path or the size of the line.
    let for_now =
        observation.is(&[455]) || observation.digit() == Some(4) && observation.has_detail(&[(5, 4)]);
    asks && once && valid && (for_now || blames_parameter(observation))
}

/// Returns whether a parameter is a notification parameter of the command, in a form that every server with DSN takes.
pub(crate) fn is_notification(observation: &Observation<'_>, parameter: &Parameter<'_>) -> bool {
    let value = parameter.value.unwrap_or_default();
    let is = |keyword: &str| parameter.is(keyword);
    match observation.verb() {
        Some(Verb::Mail) if is("RET") => is_ret(value),
        Some(Verb::Mail) if is("ENVID") => is_whole_envid(value),
        Some(Verb::Rcpt) if is("NOTIFY") => is_notify(value) && !repeats_word(value),
        Some(Verb::Rcpt) if is("ORCPT") => {
            is_whole_orcpt(value, b"rfc822;")
                || takes_utf8_address(observation) && is_whole_orcpt(value, b"utf-8;")
        }
        _ => false,
    }
}

/// RFC 6531 §3.2, RFC 6533 §3: a server with both SMTPUTF8 and DSN takes addresses of type utf-8, also ASCII ones.
fn takes_utf8_address(observation: &Observation<'_>) -> bool {
    let begun = observation.session.transaction.as_ref();
    observation.session.offers("SMTPUTF8") && begun.is_some_and(|begun| begun.has("SMTPUTF8"))
}

/// Returns whether a value is certainly valid for ENVID.
fn is_whole_envid(value: &[u8]) -> bool {
    !value.is_empty() && value.len() <= ENVID_LENGTH && xtext(value) == Xtext::Valid
}

/// Returns whether a value is certainly valid for ORCPT with this type of address. In type utf-8, a backslash begins
/// another notation of a character.
fn is_whole_orcpt(value: &[u8], wanted: &[u8]) -> bool {
    let Some((kind, address)) = value.split_at_checked(wanted.len()) else { return false };
    let whole = !address.is_empty() && !address.contains(&b'\\') && xtext(address) == Xtext::Valid;
    kind.eq_ignore_ascii_case(wanted) && value.len() <= ORCPT_LENGTH && whole
}

fn repeats_word(value: &[u8]) -> bool {
    let words: Vec<Vec<u8>> = value.split(|octet| *octet == b',').map(<[u8]>::to_ascii_uppercase).collect();
    words.iter().enumerate().any(|(index, word)| words[..index].contains(word))
}

/// RFC 3461 §5.1 (a): an invalid or repeated RET or ENVID gets 501.
fn mail(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let rule = RuleId::DSN_MAIL_PARAMETER_501;
    let Some(keyword) = fault(envelope, &[("RET", is_ret), ("ENVID", is_envid)]) else { return };
    let only = has_only(envelope, &["RET", "ENVID"]);
    // 501 with an enhanced status code that is about neither the command nor the address.
    let other = observation.is(&[501])
        && promised(observation).is_some_and(|code| matches!(code.subject(), 2..=4 | 6 | 7));
    let blamed = blames_parameter(observation) && !observation.is(&[501]);
    let detail = format!("{} to an invalid {keyword}", observation.codes());
    if observation.is_accepted() {
        findings.add(rule, detail);
    } else if only && (blamed || other) {
        findings.add_under(rule, "other-refusal", detail);
    }
}

/// RFC 3461 §5.1 (b): an invalid or repeated NOTIFY or ORCPT gets 501. A code about the address blames the parameter
/// if the address is known to be good and the text has the keyword.
fn recipient(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let Some(keyword) = fault(envelope, &[("NOTIFY", is_notify), ("ORCPT", is_orcpt)]) else { return };
    let valid = observation.knowledge.valid.as_deref().map(str::as_bytes);
    let other = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let address = observation.is(&[551, 553, 556])
        && valid.is_some()
        && envelope.path() == valid
        && observation.says(&[keyword.to_ascii_lowercase().as_str()]);
    let refused = ((address && !other) || blames_parameter(observation)) && !observation.is(&[501]);
    if observation.is_accepted() || (refused && has_only(envelope, &["NOTIFY", "ORCPT"])) {
        findings
            .add(RuleId::DSN_RCPT_PARAMETER_501, format!("{} to an invalid {keyword}", observation.codes()));
    }
}

/// The keyword of a parameter, and a function that returns whether a value may be valid.
type Grammar = (&'static str, fn(&[u8]) -> bool);

/// Returns the keyword of the first parameter that is repeated or certainly invalid.
fn fault(envelope: &Envelope<'_>, grammar: &[Grammar]) -> Option<&'static str> {
    // Each of these parameters has a value.
    let faulty = |(keyword, is_good): &&Grammar| {
        envelope.repeats(keyword)
            || envelope.parameter(keyword).is_some_and(|parameter| !parameter.value.is_some_and(is_good))
    };
    grammar.iter().find(faulty).map(|(keyword, _)| *keyword)
}

/// Returns whether a value is valid for RET (RFC 3461 §4.3).
fn is_ret(value: &[u8]) -> bool {
    [&b"FULL"[..], b"HDRS"].iter().any(|good| value.eq_ignore_ascii_case(good))
}

/// Returns whether a value may be valid for ENVID (RFC 3461 §4.4). Its grammar allows an empty value, but that of RFC
/// 5321 §4.1.2 does not.
fn is_envid(value: &[u8]) -> bool {
    xtext(value) != Xtext::Invalid
}

/// Returns whether a value is valid for NOTIFY (RFC 3461 §4.1).
fn is_notify(value: &[u8]) -> bool {
    const EVENTS: [&[u8]; 3] = [b"SUCCESS", b"FAILURE", b"DELAY"];
    let is_event = |word: &[u8]| EVENTS.iter().any(|event| word.eq_ignore_ascii_case(event));
    value.eq_ignore_ascii_case(b"NEVER") || value.split(|octet| *octet == b',').all(is_event)
}

/// Returns whether a value may be valid for ORCPT (RFC 3461 §4.2). Addresses of type utf-8 have their own grammar
/// (RFC 6533 §3).
fn is_orcpt(value: &[u8]) -> bool {
    let Some(end) = value.iter().position(|octet| *octet == b';') else { return false };
    let (kind, address) = (&value[..end], &value[end + 1..]);
    !kind.is_empty() && (kind.eq_ignore_ascii_case(b"utf-8") || xtext(address) != Xtext::Invalid)
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";

    #[test]
    fn parameters_of_mail() {
        let ret = "C: MAIL FROM:<bob@example.org> RET=FOO";
        let rule = "dsn-mail-parameter-501 error";
        let other = "dsn-mail-parameter-501/other-refusal warning";
        let rows: &[Row<'_>] = &[
            (&[ret, "S: 250 2.1.0 Ok"], rule),
            (&[ret, "S: 501 5.5.4 What?"], ""),
            (&[ret, "S: 501 What?"], ""),
            (&[ret, "S: 501 5.7.1 No"], other),
            (&[ret, "S: 501 5.1.7 No"], ""),
            (&[ret, "S: 555 5.5.4 No"], other),
            (&[ret, "S: 503 5.5.4 No"], other),
            (&[ret, "S: 550 5.7.1 No"], ""),
            (&[ret, "S: 451 4.3.0 Later"], ""),
            (&["C: MAIL FROM:<bob@example.org> RET=FOO BAR=1", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> RET=HDRS RET=FULL", "S: 250 2.1.0 Ok"], rule),
            (&["C: MAIL FROM:<bob@example.org> ENVID=a+ZZ", "S: 250 2.1.0 Ok"], rule),
            (&["C: MAIL FROM:<bob@example.org> ENVID", "S: 250 2.1.0 Ok"], rule),
            (&["C: MAIL FROM:<bob@example.org> RET", "S: 250 2.1.0 Ok"], rule),
            (&["C: MAIL FROM:<bob@example.org> ENVID", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> ENVID=a+2b ret=hdrs", "S: 250 2.1.0 Ok"], ""),
            (&[MAIL, ret, "S: 250 2.1.0 Ok"], ""),
        ];
        let ehlo = offers("DSN");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let ehlo = offers("SIZE");
        check(Protocol::Smtp, &["S: 220 mx", "C: EHLO me", &ehlo], &[(&[ret, "S: 250 2.1.0 Ok"], "")]);
    }

    #[test]
    fn valid_parameters() {
        let rule = "dsn-parameter-neutral error";
        let long = format!("C: MAIL FROM:<bob@example.org> ENVID={}", "a".repeat(94));
        let longer = format!("C: MAIL FROM:<bob@example.org> ENVID={}", "a".repeat(95));
        let original = format!("C: RCPT TO:<amy@example.org> ORCPT=rfc822;{}", "a".repeat(487));
        let too_long = format!("C: RCPT TO:<amy@example.org> ORCPT=rfc822;{}", "a".repeat(488));
        let ret = "C: MAIL FROM:<bob@example.org> RET=FULL";
        let rows: &[Row<'_>] = &[
            (&[ret, "S: 501 5.5.4 RET not supported"], rule),
            (&[ret, "S: 555 Unknown parameter"], rule),
            (&[ret, "S: 455 4.5.4 Not now"], rule),
            (&[&long, "S: 501 5.5.4 Too long"], rule),
            (&[&longer, "S: 501 5.5.4 Too long"], ""),
            (&[ret, "S: 501 5.1.7 No"], ""),
            (&[ret, "S: 501 No"], ""),
            (&["C: MAIL FROM:<bob@example.org>RET=FULL", "S: 501 5.5.4 What?"], ""),
            (&[ret, "S: 550 5.7.1 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> RET=FULL FOO=1", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org>", "S: 501 5.5.4 No"], ""),
            (&[MAIL, "C: RCPT TO:<amy@example.org> NOTIFY=NEVER", "S: 555 5.5.4 No"], rule),
            (&[MAIL, "C: RCPT TO:<amy@example.org> NOTIFY=FAILURE,DELAY", "S: 504 5.5.4 No"], rule),
            (&[MAIL, &original, "S: 501 5.5.4 Too long"], rule),
            (&[MAIL, &too_long, "S: 501 5.5.4 Too long"], ""),
            (&[MAIL, "C: RCPT TO:<amy@example.org> ORCPT=utf-8;amy@example.org", "S: 501 5.5.4 No"], ""),
            (&[MAIL, "C: RCPT TO:<amy@example.org> NOTIFY=NEVER", "S: 550 5.1.1 Who?"], ""),
        ];
        let ehlo = offers("DSN");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let ehlo = offers("SIZE");
        let before = ["S: 220 mx", "C: EHLO me", &ehlo];
        check(Protocol::Smtp, &before, &[(&[ret, "S: 555 5.5.4 No"], "")]);
        let ehlo = offers("DSN\nSMTPUTF8");
        let utf8 = "C: MAIL FROM:<bob@example.org> SMTPUTF8\nS: 250 2.1.0 Ok";
        let before = ["S: 220 mx", "C: EHLO me", &ehlo, utf8];
        let original = "C: RCPT TO:<amy@example.org> ORCPT=UTF-8;amy@example.org";
        check(
            Protocol::Smtp,
            &before,
            &[(&[original, "S: 501 5.5.4 No"], rule), (&[original, "S: 250 2.1.5 Ok"], "")],
        );
    }

    #[test]
    fn parameters_of_rcpt() {
        let notify = "C: RCPT TO:<amy@example.org> NOTIFY=NEVER,SUCCESS";
        let rule = "dsn-rcpt-parameter-501 warning";
        let ehlo = offers("DSN");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo, MAIL];
        let rows: &[Row<'_>] = &[
            (&[notify, "S: 250 2.1.5 Ok"], rule),
            (&[notify, "S: 501 5.5.4 What?"], ""),
            (&[notify, "S: 555 5.5.4 What?"], rule),
            (&[notify, "S: 553 5.1.3 What?"], ""),
            (&[notify, "S: 550 5.1.1 Who?"], ""),
            (&["C: RCPT TO:<amy@example.org> NOTIFY=success,DELAY ORCPT=rfc822;a@b", "S: 250 2.1.5 Ok"], ""),
            (&["C: RCPT TO:<amy@example.org> ORCPT=amy", "S: 250 2.1.5 Ok"], rule),
            (&["C: RCPT TO:<amy@example.org> NOTIFY=NEVER NOTIFY=NEVER", "S: 250 2.1.5 Ok"], rule),
        ];
        check(Protocol::Smtp, &before, rows);
        let knowledge = Knowledge { valid: Some("amy@example.org".to_owned()), ..Knowledge::default() };
        Table { knowledge, ..table(&before) }.check(&[
            (&[notify, "S: 553 NOTIFY option NEVER cannot be combined"], rule),
            (&[notify, "S: 553 5.7.1 Sender not owned, NOTIFY or not"], ""),
            (&[notify, "S: 553 Sender not owned"], ""),
        ]);
    }
}
