//! Rules about the conversion of content: CONPERM and CONNEG (RFC 4141).

use crate::protocol::command::{Envelope, Verb};
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, envelope, has_parameter, is_sound};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation) else { return };
    match observation.verb() {
        Some(Verb::Mail) => {
            unsupported(observation, &envelope, "CONPERM", RuleId::CONPERM_UNSUPPORTED_504, findings);
        }
        Some(Verb::Rcpt) => {
            unsupported(observation, &envelope, "CONNEG", RuleId::CONNEG_UNSUPPORTED_504, findings);
            negotiation(observation, findings);
            capabilities(observation, &envelope, findings);
        }
        _ => {}
    }
}

/// RFC 4141 §4.2, §5.2: an unsupported CONPERM or CONNEG gets 504. RFC 5321 §4.1.1.11 has 555, and its rule judges a
/// server that accepts the parameter although it does not know it, and one whose code gives no reason.
fn unsupported(
    observation: &Observation<'_>,
    envelope: &Envelope<'_>,
    keyword: &str,
    rule: RuleId,
    findings: &mut Findings,
) {
    let session = observation.session;
    let extended = session.offered.is_some() && !session.offers(keyword);
    let asked = envelope.parameter(keyword).is_some_and(|parameter| parameter.value.is_none());
    let other =
        blames_parameter(observation) && !observation.is(&[504, 555]) && is_sound(envelope, &[keyword]);
    if extended && asked && other {
        findings.add(rule, format!("{} to {keyword}", observation.codes()));
    }
}

/// RFC 4141 §5.2: a line that has CONNEG begins with it.
fn negotiation(observation: &Observation<'_>, findings: &mut Findings) {
    let asked = observation.session.offers("CONNEG") && has_parameter(observation, "CONNEG");
    let mut lines = observation.reply.lines().map(|line| line.text());
    let second = |text: &[u8]| {
        let mut words = text.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        let first = words.next().is_some_and(|word| !word.eq_ignore_ascii_case(b"CONNEG"));
        first && words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"CONNEG"))
    };
    if asked && observation.is_accepted() && lines.any(second) {
        findings.add(RuleId::CONNEG_LINE_WORD, "CONNEG is not the first word");
    }
}

/// RFC 4141 §5.2: the first line of an accepting reply is about the recipient, and what follows CONNEG on the further lines
/// is, together, a filter of RFC 2533.
fn capabilities(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let asked = observation.session.offers("CONNEG") && envelope.parameter("CONNEG").is_some();
    if !asked || !observation.is(&[250]) {
        return;
    }
    let rule = RuleId::CONNEG_REPLY_FORM;
    let after = |text: &[u8]| {
        let (word, rest) = text.split_at_checked("CONNEG".len())?;
        let whole = rest.first().is_none_or(|octet| *octet == b' ');
        (word.eq_ignore_ascii_case(b"CONNEG") && whole).then(|| rest.trim_ascii().to_vec())
    };
    let texts = || observation.reply.lines().map(|line| line.text());
    if texts().next().is_some_and(|first| after(first).is_some()) {
        return findings.add(rule, format!("{} with CONNEG on its first line", observation.codes()));
    }
    let lines: Vec<Vec<u8>> = texts().filter_map(after).collect();
    if !lines.is_empty() && !is_filter(&lines.join(&b' ')) {
        findings.add(rule, format!("{} with {}", observation.codes(), quoted(&lines.join(&b' '))));
    }
}

/// Returns whether a text may be a filter of RFC 2533 §4: it is in parentheses, which are balanced outside of quoted strings,
/// and parameters follow them after semicolons.
fn is_filter(text: &[u8]) -> bool {
    let (mut depth, mut quoted, mut ended) = (0_usize, false, false);
    for octet in text {
        match octet {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' if !ended => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                ended = depth == 0;
            }
            b'(' | b')' => return false,
            b';' if ended => return true,
            octet if depth == 0 && !octet.is_ascii_whitespace() => return false,
            _ => {}
        }
    }
    ended && !quoted
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn permissions() {
        let ehlo = offers("CONNEG");
        let rows: &[Row<'_>] = &[
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 504 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 550 5.7.1 Not you"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 501 5.1.7 What?"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> CONPERM", "S: 501 5.5.4 No"],
                "conperm-unsupported-504 warning",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn unsupported_negotiations() {
        let ehlo = offers("DSN");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let conneg = "C: RCPT TO:<amy@example.org> CONNEG";
        let rows: &[Row<'_>] = &[
            (&[conneg, "S: 504 5.5.4 No"], ""),
            (&[conneg, "S: 555 5.5.4 No"], ""),
            (&[conneg, "S: 501 5.5.4 No"], "conneg-unsupported-504 warning"),
            (&[conneg, "S: 501 No"], ""),
            (&[conneg, "S: 550 5.1.1 Who?"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail], rows);
    }

    #[test]
    fn negotiations() {
        let ehlo = offers("CONNEG");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let conneg = "C: RCPT TO:<amy@example.org> CONNEG";
        let rows: &[Row<'_>] = &[
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250-CONNEG (a=b)\nS: 250 2.1.5 Ok"], ""),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 2.1.5 CONNEG (a=b)"], "conneg-line-word note"),
            (&[conneg, "S: 250 2.1.5 Ok"], ""),
            (&[conneg, "S: 250-CONNEG (a=b)\nS: 250 2.1.5 Ok"], "conneg-reply-form error"),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250-CONNEG (& (a=b)\nS: 250 CONNEG (c=\"()\"));q=0.5"], ""),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 CONNEG"], "conneg-reply-form error"),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 CONNEG (& (a=b)"], "conneg-reply-form error"),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 CONNEG (a=b))"], "conneg-reply-form error"),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 CONNEG color=Binary"], "conneg-reply-form error"),
            (&["C: RCPT TO:<amy@example.org>", "S: 250-CONNEG a\nS: 250 2.1.5 Ok"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail], rows);
    }
}
