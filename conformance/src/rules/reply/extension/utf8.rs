//! Rules about SMTPUTF8 (RFC 6531).

use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{differs, envelope, envelope_of, has_parameter, is_about_mail, is_sound};

/// X.6.7: a non-ASCII address is not permitted here.
const ADDRESS: (u16, u16) = (6, 7);
/// X.6.8: the reply would need UTF-8.
const REPLY: (u16, u16) = (6, 8);
/// X.6.9: the message's header is UTF-8 and cannot be relayed.
const HEADER: (u16, u16) = (6, 9);

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Mail) => {
            parameter(observation, findings);
            address(observation, findings);
            understood(observation, findings);
        }
        Some(Verb::Rcpt) => {
            address(observation, findings);
            understood(observation, findings);
            forward_address(observation, findings);
        }
        Some(Verb::Vrfy | Verb::Expn) => verification(observation, findings),
        Some(Verb::Ehlo | Verb::Lhlo) if observation.is(&[250]) => domain(observation, findings),
        _ if observation.is_greeting() && observation.is(&[220]) => domain(observation, findings),
        _ if observation.is_end_of_data() => message(observation, findings),
        _ => {}
    }
    outdated(observation, findings);
    header(observation, findings);
}

/// RFC 6531 §3.4: the parameter has no value.
fn parameter(observation: &Observation<'_>, findings: &mut Findings) {
    let value = envelope(observation).and_then(|envelope| envelope.parameter("SMTPUTF8")?.value);
    if value.is_some() && observation.is_accepted() && observation.session.offers("SMTPUTF8") {
        findings.add(RuleId::UTF8_PARAMETER_BARE, format!("{} to a value of SMTPUTF8", observation.codes()));
    }
}

/// RFC 6531 §3.5: 550 or 553 with X.6.7. Without SMTPUTF8, octets above 127 are also a syntax error (RFC 5321 §2.4).
fn address(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_refused() {
        return;
    }
    if !observation.has_detail(&[ADDRESS]) {
        if is_refused_as_utf8(observation) && differs(observation, &[HEADER]) {
            findings.add(RuleId::UTF8_ADDRESS_REFUSED, observation.codes());
        }
        return;
    }
    let permitted: &[u16] =
        if has_parameter(observation, "SMTPUTF8") { &[550, 553] } else { &[500, 501, 550, 553] };
    if !observation.is(permitted) {
        findings.add(RuleId::UTF8_ADDRESS_REFUSED, observation.codes());
    }
}

/// Returns whether a server with SMTPUTF8 refuses an internationalized address, and its text says that this is why.
fn is_refused_as_utf8(observation: &Observation<'_>) -> bool {
    const WORDS: [&str; 4] = ["non-ascii", "must be ascii", "internationalized", "internationalised"];
    let path = observation.command.and_then(|command| command.envelope()?.path());
    observation.is(&[550, 553])
        && observation.session.offers("SMTPUTF8")
        && has_parameter(observation, "SMTPUTF8")
        && path.is_some_and(|path| !path.is_ascii())
        && observation.says(&WORDS)
}

/// RFC 6531 §3.2, §3.3: a server with SMTPUTF8 takes UTF-8 in addresses. It may refuse the mailbox, but not as a syntax
/// error.
fn understood(observation: &Observation<'_>, findings: &mut Findings) {
    const LONGEST: usize = 200;
    let session = observation.session;
    let policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    // X.6.7 shows that the server understands the address. The others are about its domain.
    let explained = policy || observation.has_detail(&[ADDRESS, (1, 2), (1, 8), (1, 10)]);
    if !session.offers("SMTPUTF8") || explained || !observation.is(&[500, 501, 502, 504, 555]) {
        return;
    }
    let Some(command) = observation.command.filter(|command| str::from_utf8(command.octets()).is_ok()) else {
        return;
    };
    // A letter for each octet of a character makes an ASCII address of the same form.
    let octets: Vec<u8> =
        command.octets().iter().map(|octet| if octet.is_ascii() { *octet } else { b'x' }).collect();
    let same = envelope_of(Command::read(&octets), session);
    let Some(same) = same.filter(|same| is_sound(same, &["SMTPUTF8"])) else { return };
    let internationalized = command.envelope().and_then(|envelope| envelope.path()).is_some_and(|path| {
        !path.is_ascii() && path.len() <= LONGEST && same.path().is_some_and(|same| same.len() == path.len())
    });
    let asked = has_parameter(observation, "SMTPUTF8") && same.value("SMTPUTF8").is_none_or(<[u8]>::is_empty);
    if internationalized && asked {
        let detail = format!("{} to a UTF-8 address with SMTPUTF8", observation.codes());
        findings.add(RuleId::UTF8_ADDRESS_UNDERSTOOD, detail);
    }
}

/// RFC 6531: §3.5 has 554 with X.6.9, and the registration in §4.2 has 550.
fn message(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_turned_down() && observation.has_detail(&[HEADER]) && !observation.is(&[550, 554]) {
        findings.add(RuleId::UTF8_MESSAGE_554, observation.codes());
    }
}

/// RFC 6531 §3.7.4.1: a reply to a client that did not ask for UTF-8 has no UTF-8 address.
fn forward_address(observation: &Observation<'_>, findings: &mut Findings) {
    let transaction = observation.session.transaction.as_ref();
    let asked = transaction.is_none_or(|transaction| transaction.has("SMTPUTF8"));
    if observation.is(&[251, 551]) && !asked && !observation.reply.octets().is_ascii() {
        findings.add(RuleId::UTF8_FORWARD_ADDRESS, format!("{} with UTF-8", observation.codes()));
    }
}

/// RFC 6531 §3.7.4.2: without the parameter, 252 or 550 with X.6.8. The registry's row adds 553.
fn verification(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::UTF8_VRFY_CODES;
    if observation.is(&[250, 251]) && has_value(observation) && observation.session.offers("SMTPUTF8") {
        let detail = format!("{} to a value of SMTPUTF8", observation.codes());
        findings.add_under(RuleId::UTF8_PARAMETER_BARE, "verification", detail);
    }
    let asked = |word: &[u8]| word.eq_ignore_ascii_case(b"SMTPUTF8");
    if observation.command.is_none_or(|command| command.words().any(asked)) {
        return;
    }
    // These texts name a mailbox, or list those that 553 offers. Others need not be about a mailbox.
    let tells = observation.is_accepted() || observation.is(&[551, 553]);
    if tells && !observation.reply.octets().is_ascii() {
        findings.add(rule, format!("{} with UTF-8", observation.codes()));
    } else if observation.has_detail(&[REPLY])
        && !observation.is(&[252, 550])
        && observation.digit() != Some(4)
    {
        findings.add_if(observation.is(&[553]), rule, "code-553", observation.codes());
    }
}

/// Returns whether the last word of VRFY or EXPN is SMTPUTF8 with a value, which it does not accept (RFC 6531 §3.7.4.2).
fn has_value(observation: &Observation<'_>) -> bool {
    const KEYWORD: &[u8] = b"SMTPUTF8=";
    let last = observation.command.and_then(|command| command.words().skip(1).last()).unwrap_or_default();
    last.get(..KEYWORD.len()).is_some_and(|start| start.eq_ignore_ascii_case(KEYWORD))
}

/// RFC 6531 §3.7.1: the domain at the start of the reply to EHLO is ASCII. In the greeting it is a `Domain` of RFC 5321
/// §4.2.
fn domain(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(first) = observation.reply.lines().next() else { return };
    let word = first.text().split(|octet| *octet == b' ').next().unwrap_or_default();
    if !word.is_ascii() {
        findings.add(RuleId::UTF8_DOMAIN_ASCII, format!("{:?}", String::from_utf8_lossy(word)));
    }
}

/// RFC 5336 used X.6.7 for a missing ALT-ADDRESS. X.6.8 is about a reply that would need UTF-8, which replies to
/// MAIL, to DATA and to the message never do (RFC 6531 §3.7.4).
fn outdated(observation: &Observation<'_>, findings: &mut Findings) {
    let alternative = observation.has_detail(&[ADDRESS]) && observation.says(&["alt-address"]);
    let message = matches!(observation.verb(), Some(Verb::Mail | Verb::Data)) || observation.is_end_of_data();
    if alternative || (message && observation.has_detail(&[REPLY])) {
        findings.add(RuleId::UTF8_CODES_CURRENT, observation.codes());
    }
}

/// RFC 6531: §3.5 has 554 with X.6.9, and the registration in §4.2 has 550.
fn header(observation: &Observation<'_>, findings: &mut Findings) {
    let refused = is_about_mail(observation) && observation.is_turned_down();
    if refused && observation.has_detail(&[HEADER]) && !observation.is(&[550, 554]) {
        findings.add(RuleId::UTF8_REJECTION_PAIR, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const UTF8: &str = "C: MAIL FROM:<bob@example.org> SMTPUTF8\nS: 250 2.1.0 Ok";

    #[test]
    fn replies() {
        let ehlo = offers("SMTPUTF8");
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let other = "C: RCPT TO:<\u{e4}my@example.org>";
        let recipient = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let data = "C: DATA\nS: 354 Go";
        let message = "C: ab\nC: .";
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> SMTPUTF8=1", "S: 250 2.1.0 Ok"], "utf8-parameter-bare error"),
            (&["C: MAIL FROM:<bob@example.org> SMTPUTF8=1", "S: 555 5.5.4 What?"], ""),
            (&[UTF8, other, "S: 553 5.6.7 No"], ""),
            (&[UTF8, other, "S: 550 5.6.7 No"], ""),
            (&[UTF8, other, "S: 550 5.1.1 Who?"], ""),
            (&[UTF8, other, "S: 553 5.1.3 No non-ASCII addresses"], "utf8-address-refused warning"),
            (&[UTF8, other, "S: 553 No non-ASCII addresses"], ""),
            (&[UTF8, rcpt, "S: 553 5.1.3 No non-ASCII addresses"], ""),
            (&[UTF8, other, "S: 501 5.6.7 No"], "utf8-address-refused warning"),
            (&[MAIL, other, "S: 501 5.6.7 No"], ""),
            (&[MAIL, other, "S: 554 5.6.7 No"], "utf8-address-refused warning"),
            (&[MAIL, rcpt, "S: 551 5.1.6 Try <\u{e4}my@example.org>"], "utf8-forward-address error"),
            (&[UTF8, rcpt, "S: 551 5.1.6 Try <\u{e4}my@example.org>"], ""),
            (&[MAIL, rcpt, "S: 551 5.1.6 Try <ann@example.org>"], ""),
            (&[UTF8, recipient, data, message, "S: 554 5.6.9 No"], ""),
            (&[UTF8, recipient, data, message, "S: 550 5.6.9 No"], ""),
            (&[UTF8, recipient, data, message, "S: 552 5.6.9 No"], "utf8-message-554 warning"),
            (&["C: VRFY amy", "S: 252 2.6.8 Ask with SMTPUTF8"], ""),
            (&["C: VRFY amy", "S: 550 5.6.8 Ask with SMTPUTF8"], ""),
            (&["C: VRFY amy", "S: 553 5.6.8 Ask with SMTPUTF8"], "utf8-vrfy-codes/code-553 warning"),
            (&["C: VRFY amy", "S: 501 5.6.8 Ask with SMTPUTF8"], "utf8-vrfy-codes error"),
            (&["C: VRFY amy", "S: 250 2.1.5 <\u{e4}my@example.org>"], "utf8-vrfy-codes error"),
            (
                &["C: VRFY amy SMTPUTF8=1", "S: 250 2.1.5 <amy@example.org>"],
                "utf8-parameter-bare/verification warning",
            ),
            (&["C: VRFY amy SMTPUTF8=1", "S: 252 2.5.0 Perhaps"], ""),
            (&["C: VRFY SMTPUTF8=1", "S: 250 2.1.5 <amy@example.org>"], ""),
            (&["C: VRFY amy SMTPUTF8", "S: 250 2.1.5 <\u{e4}my@example.org>"], ""),
            (&["C: VRFY amy", "S: 250 2.1.5 <amy@example.org>"], ""),
            (
                &["C: EHLO me", "S: 250-m\u{e4}x.example\nS: 250-8BITMIME\nS: 250 SMTPUTF8"],
                "utf8-domain-ascii error",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        check(Protocol::Smtp, &[], &[(&["S: 220 m\u{e4}x.example"], "utf8-domain-ascii error")]);
    }

    #[test]
    fn utf8_addresses_are_understood() {
        let ehlo = offers("SMTPUTF8");
        let rule = "utf8-address-understood error";
        let mail = "C: MAIL FROM:<\u{fc}ser@b\u{fc}cher.example> SMTPUTF8";
        let quoted = "C: MAIL FROM:<\"\u{fc} ser\"@example.org> SMTPUTF8";
        let rcpt = "C: RCPT TO:<\u{fc}ser@example.org>";
        let rows: &[Row<'_>] = &[
            (&[mail, "S: 501 5.1.7 What?"], rule),
            (&[mail, "S: 501 What?"], rule),
            (&[quoted, "S: 555 5.5.4 What?"], rule),
            (&[mail, "S: 550 5.1.7 No"], ""),
            (&[mail, "S: 501 5.1.8 No such domain"], ""),
            (&[mail, "S: 501 5.7.1 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> SMTPUTF8", "S: 501 5.1.7 What?"], ""),
            (&["C: MAIL FROM:<\u{fc}ser@example.org>", "S: 501 5.1.7 What?"], ""),
            (&["C: MAIL FROM:<\u{fc}@ser@example.org> SMTPUTF8", "S: 501 5.1.7 What?"], ""),
            (&["C: MAIL FROM:<\u{fc}ser@example.org> SMTPUTF8=1", "S: 501 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<\u{fc}ser@example.org> SMTPUTF8 FOO", "S: 555 5.5.4 What?"], ""),
            (&[UTF8, rcpt, "S: 501 5.1.3 What?"], rule),
            (&[UTF8, rcpt, "S: 553 5.1.3 What?"], ""),
            (&[MAIL, rcpt, "S: 501 5.1.3 What?"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let ehlo = offers("DSN");
        check(Protocol::Smtp, &["S: 220 mx", "C: EHLO me", &ehlo], &[(&[mail, "S: 501 5.1.7 What?"], "")]);
    }

    #[test]
    fn codes_without_smtputf8() {
        let ehlo = offers("UTF8SMTP");
        let mail = "C: MAIL FROM:<bob@example.org>";
        let rows: &[Row<'_>] = &[
            (&[mail, "S: 553 5.6.7 ALT-ADDRESS required"], "utf8-codes-current note"),
            (&[mail, "S: 550 5.6.7 Not here"], ""),
            (&[MAIL, "C: DATA", "S: 550 5.6.8 No"], "utf8-codes-current note"),
            (&[MAIL, "C: DATA", "S: 550 5.6.9 No"], ""),
            (&[MAIL, "C: DATA", "S: 554 5.6.9 No"], ""),
            (&[MAIL, "C: DATA", "S: 552 5.6.9 No"], "utf8-rejection-pair note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }
}
