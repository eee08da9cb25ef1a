//! Rules about 8BITMIME (RFC 6152).

use crate::dialogue::Act;
use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, has_only};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        body(observation, &envelope, findings);
    }
    if observation.is_end_of_data() {
        message(observation, findings);
    }
}

/// RFC 6152 §3: a server that lists 8BITMIME accepts MIME messages with octets above 127. Only the code or the text shows
/// that they are the reason of a refusal.
fn message(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 5] = ["8bit", "8-bit", "8 bit", "eight-bit", "eight bit"];
    const CONVERSION: [(u16, u16); 2] = [(6, 1), (6, 3)];
    let session = observation.session;
    let declared = session.transaction.as_ref().is_some_and(|begun| {
        let envelope = begun.command().envelope();
        envelope
            .and_then(|envelope| envelope.value("BODY"))
            .is_some_and(|body| body.eq_ignore_ascii_case(b"8BITMIME"))
    });
    let Act::Message(octets) = &observation.exchange.act else { return };
    let octets = [session.text(), octets.as_slice()].concat();
    let end = octets.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap_or(octets.len());
    let (head, text) = octets.split_at(end);
    let head = head.to_ascii_lowercase();
    let has_field = |field: &[u8]| head.split(|octet| *octet == b'\n').any(|line| line.starts_with(field));
    // Octets above 127 in the header section are another matter.
    let whole = head.is_ascii() && !text.is_ascii() && has_field(b"mime-version:");
    let blamed = observation.has_detail(&CONVERSION) || observation.says(&WORDS);
    if session.offers("8BITMIME") && declared && whole && observation.is_refused() && blamed {
        let detail = format!("{} to an 8-bit message", observation.codes());
        findings.add(RuleId::EIGHTBIT_MESSAGE_ACCEPTED, detail);
    }
}

/// RFC 6152 §3 and RFC 3030 §3 define the values, and RFC 5321 §4.1.1.11 the code for a value that is not implemented.
fn body(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let session = observation.session;
    let known = |value: &[u8]| {
        let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
        is("7BIT") || is("8BITMIME") || (is("BINARYMIME") && session.offers("BINARYMIME"))
    };
    let unknown = envelope.value("BODY").is_some_and(|value| !known(value));
    let blamed =
        blames_parameter(observation) && !observation.is(&[501, 504, 555]) && has_only(envelope, &["BODY"]);
    let detail = || format!("{} to an unknown BODY", observation.codes());
    if !unknown || !session.offers("8BITMIME") {
    } else if observation.is_accepted() {
        findings.add(RuleId::EIGHTBIT_BODY_VALUE, detail());
    } else if blamed {
        findings.add_under(RuleId::EIGHTBIT_BODY_VALUE, "other-refusal", detail());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn bodies() {
        let ehlo = offers("8BITMIME");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 250 2.1.0 Ok"], "eightbit-body-value error"),
            (
                &["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 503 5.5.4 No"],
                "eightbit-body-value/other-refusal warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=8bitmime", "S: 250 2.1.0 Ok"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn eight_bit_messages() {
        let ehlo = offers("8BITMIME");
        let mail = "C: MAIL FROM:<bob@example.org> BODY=8BITMIME\nS: 250 2.1.0 Ok";
        let seven = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let begun = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go";
        let message = "C: MIME-Version: 1.0\nC: \nC: Gr\\xc3\\xbc\\xc3\\x9fe\nC: .";
        let plain = "C: MIME-Version: 1.0\nC: \nC: hello\nC: .";
        let header = "C: MIME-Version: 1.0\nC: Subject: \\xc3\\xbc\nC: \nC: \\xc3\\xbc\nC: .";
        let rule = "eightbit-message-accepted error";
        let rows: &[Row<'_>] = &[
            (&[mail, begun, message, "S: 554 5.6.3 No"], rule),
            (&[mail, begun, message, "S: 550 8bit data not supported"], rule),
            (&[mail, begun, message, "S: 550 5.7.1 Spam"], ""),
            (&[mail, begun, message, "S: 250 2.0.0 Ok"], ""),
            (&[mail, begun, plain, "S: 554 5.6.3 No"], ""),
            (&[mail, begun, header, "S: 554 5.6.3 No"], ""),
            (&[seven, begun, message, "S: 554 5.6.3 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let ehlo = offers("SIZE");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        check(Protocol::Smtp, &before, &[(&[mail, begun, message, "S: 554 5.6.3 No"], "")]);
    }
}
