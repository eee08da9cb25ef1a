//! Rules about SIZE (RFC 1870).

use crate::dialogue::Act;
use crate::dialogue::octets::is_shortened;
use crate::dialogue::session::Transaction;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::number;
use super::refusal::{blames_parameter, envelope, has_only};

/// X.3.1: the system is full.
const SYSTEM_FULL: (u16, u16) = (3, 1);
/// X.2.2: the mailbox is full.
const MAILBOX_FULL: (u16, u16) = (2, 2);
/// X.3.4 and X.2.3: the message is too big for the system or for an administrative limit.
const TOO_BIG: [(u16, u16); 2] = [(3, 4), (2, 3)];

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.session.offers("SIZE") {
        return;
    }
    match observation.verb() {
        Some(Verb::Mail) => {
            if let Some(envelope) = envelope(observation) {
                above_limit(observation, &envelope, findings);
                unlimited(observation, &envelope, findings);
                faulty_value(observation, &envelope, findings);
            }
            if envelope(observation).is_some_and(|envelope| envelope.parameter("SIZE").is_some()) {
                no_space(observation, &[SYSTEM_FULL], &[452], findings);
            }
        }
        // RFC 1870 §6.4 is about messages whose size was declared.
        Some(Verb::Rcpt) if is_declared(observation) => {
            no_space(observation, &[SYSTEM_FULL, MAILBOX_FULL], &[452, 552], findings);
        }
        _ if observation.is_end_of_data() => declared(observation, findings),
        _ => {}
    }
}

/// RFC 1870 §6.1 (2): a size above the fixed maximum gets 552. Refusals with another code count only if they show
/// that the size is their reason.
fn above_limit(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let offered = observation.session.offered.as_deref();
    let known = observation.knowledge.size_limit;
    let limit = offered.and_then(Capabilities::size_limit).or(known);
    let (Some(size), Some(limit)) = (size(envelope), limit) else { return };
    if size <= u128::from(limit) || observation.is(&[552]) {
        return;
    }
    // After login, users may have a larger limit than the one announced before.
    let granted = observation.session.authenticated && known.is_none_or(|known| size <= u128::from(known));
    let parameter = observation.is(&[504, 555]) && has_only(envelope, &["SIZE"]);
    if (observation.is_accepted() && !granted) || observation.has_detail(&TOO_BIG) || parameter {
        let detail = format!("{} to SIZE={size}, above the limit of {limit}", observation.codes());
        // The registry's row X.3.4 lists 554.
        let listed = observation.is(&[554]) && observation.has_detail(&[(3, 4)]);
        findings.add_if(listed, RuleId::SIZE_ABOVE_LIMIT_552, "listed-pair", detail);
    }
}

/// RFC 1870 §3 (3): a server that lists SIZE 0 has no fixed maximum. X.3.4 and X.2.3 are about one; 452 and X.3.1 are about
/// the space of the moment.
fn unlimited(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let offered = observation.session.offered.as_deref();
    let mut values = offered.and_then(|offered| offered.parameters("SIZE"));
    let zero =
        values.as_mut().and_then(Iterator::next).is_some_and(|value| number(value.as_bytes()) == Some(0));
    if zero && size(envelope).is_some() && observation.is(&[552]) && observation.has_detail(&TOO_BIG) {
        findings
            .add(RuleId::SIZE_ZERO_UNLIMITED, format!("{}, although EHLO lists SIZE 0", observation.codes()));
    }
}

/// RFC 1870 §3, `size-value`: a number of at most 20 digits, once.
fn faulty_value(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    if envelope.parameter("SIZE").is_none() || size(envelope).is_some() {
        return;
    }
    let blamed = blames_parameter(observation) && has_only(envelope, &["SIZE"]);
    if observation.is_accepted() || (blamed && !observation.is(&[501, 555])) {
        let fault = if envelope.repeats("SIZE") { "a repeated SIZE" } else { "a SIZE that is not a number" };
        findings.add(RuleId::SIZE_VALUE_501, format!("{} to {fault}", observation.codes()));
    }
}

/// RFC 1870 §6.1 (1), §6.4: a temporary lack of space gets 452.
fn no_space(observation: &Observation<'_>, full: &[(u16, u16)], permitted: &[u16], findings: &mut Findings) {
    if observation.is_turned_down() && observation.has_detail(full) && !observation.is(permitted) {
        findings.add(RuleId::SIZE_NO_SPACE_452, format!("{} for lack of space", observation.codes()));
    }
}

/// RFC 1870 §6.3: a message that is no larger than declared does not get 552, unless a mailbox is full or the enhanced
/// status code is about content or policy.
fn declared(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is(&[552]) {
        return;
    }
    let Some(transaction) = observation.session.transaction.as_deref() else { return };
    let about_size = observation.enhanced().is_none_or(|code| match (code.subject(), code.detail()) {
        MAILBOX_FULL => false,
        (subject, _) => matches!(subject, 0 | 2 | 3),
    });
    let full = observation.says(&["quota", "mailbox full", "mailbox is full"]);
    let declared = transaction.command().envelope().and_then(|envelope| size(&envelope));
    let (Some(declared), Some(sent)) = (declared, sent(observation, transaction)) else { return };
    if about_size && !full && sent <= declared {
        let detail = format!("{} to {sent} octets, after SIZE={declared} was accepted", observation.codes());
        findings.add(RuleId::SIZE_DECLARED_ACCEPTED, detail);
    }
}

/// Returns whether MAIL of this transaction declared a size.
fn is_declared(observation: &Observation<'_>) -> bool {
    observation.session.transaction.as_ref().is_some_and(|transaction| transaction.has("SIZE"))
}

/// Returns the declared size in octets. `None` unless there is exactly one, and it is valid.
fn size(envelope: &Envelope<'_>) -> Option<u128> {
    if envelope.repeats("SIZE") {
        return None;
    }
    number(envelope.value("SIZE")?)
}

/// Returns the size of the message in octets as RFC 1870 §5 counts it: with line ends, but without the dots added for
/// transparency and the final dot. `None` if a recording shortened the message.
fn sent(observation: &Observation<'_>, transaction: &Transaction) -> Option<u128> {
    let octets = match &observation.exchange.act {
        Act::Message(octets) => {
            let text =
                octets.strip_suffix(b".\r\n").filter(|text| text.is_empty() || text.ends_with(b"\r\n"))?;
            let whole = !text.split(|octet| *octet == b'\n').any(is_shortened);
            let doubled = text.windows(3).filter(|octets| octets == b"\r\n.").count();
            whole.then(|| text.len() - doubled - usize::from(text.starts_with(b".")))?
        }
        // The BDAT line gives the size of a chunk, even if a recording shortened its octets.
        Act::Chunk { command, .. } if !transaction.chunk_failed => {
            transaction.chunked.unwrap_or(0).checked_add(Command::read(command).chunk_length()?)?
        }
        _ => return None,
    };
    u128::try_from(octets).ok()
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers("SIZE 1000\nCHUNKING");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn sizes_above_the_limit() {
        let mail = "C: MAIL FROM:<bob@example.org> SIZE=1001";
        run(&[
            (&[mail, "S: 552 5.3.4 Too big"], ""),
            (&[mail, "S: 250 2.1.0 Ok"], "size-above-limit-552 error"),
            (&[mail, "S: 554 5.3.4 Too big"], "size-above-limit-552/listed-pair note"),
            (&[mail, "S: 452 4.2.3 Too big"], "size-above-limit-552 error"),
            (&[mail, "S: 555 5.5.4 What?"], "size-above-limit-552 error"),
            (&[mail, "S: 550 5.7.1 Not you"], ""),
            (&[mail, "S: 452 4.3.1 Full"], ""),
            (&[mail, "S: 530 5.7.0 Log in"], ""),
            (&[mail, "S: 421 4.3.4 Bye"], ""),
            (&["C: MAIL FROM:<bob@example.org> SIZE=1000", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> SIZE=1001 FOO=1", "S: 555 5.5.4 What?"], ""),
            (&[mail, "S: 250 2.1.0 Ok", mail, "S: 503 5.5.1 Nested"], ""),
            (&["C: AUTH PLAIN AGEAYg==", "S: 235 2.7.0 Ok", mail, "S: 250 2.1.0 Ok"], ""),
        ]);
        let unlimited = offers("SIZE");
        let logged_in = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
        let before = ["S: 220 mx.example.org", "C: EHLO me", &unlimited, logged_in];
        let knowledge = Knowledge { size_limit: Some(1000), ..Knowledge::default() };
        Table { knowledge, ..table(&before) }
            .check(&[(&[mail, "S: 250 2.1.0 Ok"], "size-above-limit-552 error")]);
        table(&before).check(&[(&[mail, "S: 250 2.1.0 Ok"], "")]);
    }

    #[test]
    fn zero_is_no_limit() {
        let ehlo = offers("SIZE 0");
        let mail = "C: MAIL FROM:<bob@example.org> SIZE=99999999999999999999";
        let rule = "size-zero-unlimited warning";
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        check(
            Protocol::Smtp,
            &before,
            &[
                (&[mail, "S: 552 5.3.4 Too big"], rule),
                (&[mail, "S: 552 5.2.3 Too big"], rule),
                (&[mail, "S: 552 5.3.1 No space"], "size-no-space-452 note"),
                (&[mail, "S: 452 4.3.1 No space"], ""),
                (&[mail, "S: 552 Too big"], ""),
                (&[mail, "S: 250 2.1.0 Ok"], ""),
                (&["C: MAIL FROM:<bob@example.org>", "S: 552 5.3.4 Too big"], ""),
            ],
        );
        let ehlo = offers("SIZE");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        check(Protocol::Smtp, &before, &[(&[mail, "S: 552 5.3.4 Too big"], "")]);
    }

    #[test]
    fn values_and_space() {
        let mail = "C: MAIL FROM:<bob@example.org>";
        let sized = "C: MAIL FROM:<bob@example.org> SIZE=100";
        let abc = "C: MAIL FROM:<bob@example.org> SIZE=abc";
        run(&[
            (&[abc, "S: 501 5.5.4 What?"], ""),
            (&[abc, "S: 555 5.5.4 What?"], ""),
            (&[abc, "S: 250 2.1.0 Ok"], "size-value-501 note"),
            (&[abc, "S: 503 5.5.4 What?"], "size-value-501 note"),
            (&[abc, "S: 550 5.1.8 Who?"], ""),
            (&["C: MAIL FROM:<bob@example.org> SIZE=1 SIZE=1", "S: 250 2.1.0 Ok"], "size-value-501 note"),
            (&["C: MAIL FROM:<bob@example.org> SIZE=-1", "S: 552 5.3.4 Too big"], ""),
            (&[mail, "S: 451 4.3.1 Full"], ""),
            (&[sized, "S: 451 4.3.1 Full"], "size-no-space-452 note"),
            (&[sized, "S: 452 4.3.1 Full"], ""),
            (&[mail, "S: 250 2.1.0 Ok", "C: RCPT TO:<amy@example.org>", "S: 450 4.2.2 Full"], ""),
            (
                &[sized, "S: 250 2.1.0 Ok", "C: RCPT TO:<amy@example.org>", "S: 450 4.2.2 Full"],
                "size-no-space-452 note",
            ),
            (&[mail, "S: 250 2.1.0 Ok", "C: RCPT TO:<amy@example.org>", "S: 552 5.2.2 Full"], ""),
        ]);
    }

    #[test]
    fn declared_and_sent() {
        let recipient = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let data = "C: DATA\nS: 354 Go";
        // Five octets: one dot is added for transparency, and the last one ends the message.
        let message = "C: ..ab\nC: .";
        let five = "C: MAIL FROM:<bob@example.org> SIZE=5\nS: 250 2.1.0 Ok";
        let four = "C: MAIL FROM:<bob@example.org> SIZE=4\nS: 250 2.1.0 Ok";
        let large = "C: MAIL FROM:<bob@example.org> SIZE=900\nS: 250 2.1.0 Ok";
        let rule = "size-declared-accepted warning";
        run(&[
            (&[five, recipient, data, message, "S: 552 5.3.4 Too big"], rule),
            (&[five, recipient, data, message, "S: 552 Too big"], rule),
            (&[five, recipient, data, "C: \nC: ..\nC: .", "S: 552 5.3.4 Too big"], rule),
            (&[four, recipient, data, "C: \nC: ..\nC: .", "S: 552 5.3.4 Too big"], ""),
            (&[five, recipient, data, message, "S: 552 Over quota"], ""),
            (&[four, recipient, data, message, "S: 552 5.3.4 Too big"], ""),
            (&[five, recipient, data, message, "S: 552 5.2.2 Full"], ""),
            (&[five, recipient, data, message, "S: 552 5.7.0 Content"], ""),
            (&[five, recipient, data, message, "S: 452 4.3.1 Full"], ""),
            (&[large, recipient, data, "C: aaa... (2000 octets)\nC: .", "S: 552 5.3.4 Too big"], ""),
            (&[large, recipient, data, "C: ... (400 lines)\nC: .", "S: 552 5.3.4 Too big"], ""),
            (
                &[
                    five,
                    recipient,
                    "C: BDAT 2\nC: ab\\+",
                    "S: 250 2.0.0 Ok",
                    "C: BDAT 3 LAST\nC: c",
                    "S: 552 5.3.4 Big",
                ],
                rule,
            ),
            (&[large, recipient, "C: BDAT 2000 LAST\nC: ab... (1998 octets)", "S: 552 5.3.4 Too big"], ""),
            (
                &[
                    large,
                    recipient,
                    "C: BDAT 2000\nC: ab... (1998 octets)",
                    "S: 250 2.0.0 Ok",
                    "C: BDAT 0 LAST",
                    "S: 552 5.3.4 Too big",
                ],
                "",
            ),
            (
                &[
                    four,
                    recipient,
                    "C: BDAT 2\nC: ab\\+",
                    "S: 250 2.0.0 Ok",
                    "C: BDAT 3 LAST\nC: c",
                    "S: 552 5.3.4 Big",
                ],
                "",
            ),
        ]);
    }
}
