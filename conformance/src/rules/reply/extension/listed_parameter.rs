//! Rules about parameters of MAIL that belong to listed extensions: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030) and
//! SMTPUTF8 (RFC 6531).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Envelope, Parameter, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::number;
use super::refusal::{blames_parameter, envelope, is_sound};

const KEYWORDS: [&str; 3] = ["SIZE", "BODY", "SMTPUTF8"];

/// A server that lists an extension accepts its parameter. The parameter is the reason for a refusal if the code blames
/// the syntax, all parameters are valid, and nothing else can be wrong.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() != Some(Verb::Mail) || !blames_syntax(observation) {
        return;
    }
    let Some(envelope) = envelope(observation).filter(|envelope| is_sound(envelope, &KEYWORDS)) else {
        return;
    };
    let Some(offered) = observation.session.offered.as_deref() else { return };
    let known_limit = observation.knowledge.size_limit;
    let valid = envelope
        .parameters()
        .all(|parameter| is_valid(&parameter, offered, known_limit) && !repeats(&envelope, &parameter));
    if let Some(first) = envelope.parameters().next().filter(|_| valid) {
        let keyword = first.keyword.escape_ascii();
        findings.add(RuleId::LISTED_PARAMETER_ACCEPTED, format!("{} to {keyword}", observation.codes()));
    }
}

/// Returns whether the code of a refusal is about syntax, and the enhanced status code gives no other reason.
fn blames_syntax(observation: &Observation<'_>) -> bool {
    let reason = observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 5));
    let for_now = observation.says(&["temporar", "try again", "try later"]);
    !for_now && (blames_parameter(observation) || observation.is(&[500, 501, 502]) && reason)
}

fn repeats(envelope: &Envelope<'_>, parameter: &Parameter<'_>) -> bool {
    str::from_utf8(parameter.keyword).is_ok_and(|keyword| envelope.repeats(keyword))
}

/// Returns whether the extension of a parameter is listed and the value is certainly valid.
fn is_valid(parameter: &Parameter<'_>, offered: &Capabilities, known_limit: Option<u64>) -> bool {
    let value = parameter.value.unwrap_or_default();
    let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
    if parameter.is("SIZE") {
        let limit = offered.size_limit().or(known_limit).map(u128::from);
        let fits = |size: u128| limit.is_none_or(|limit| size <= limit);
        offered.has("SIZE") && number(value).is_some_and(fits)
    } else if parameter.is("BODY") {
        let binary = is("BINARYMIME") && offered.has("BINARYMIME");
        binary || offered.has("8BITMIME") && (is("7BIT") || is("8BITMIME"))
    } else {
        offered.has("SMTPUTF8") && parameter.value.is_none()
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn listed_parameters() {
        let rule = "listed-parameter-accepted error";
        let ehlo = offers("SIZE 1000\n8BITMIME\nSMTPUTF8");
        let body = "C: MAIL FROM:<bob@example.org> BODY=8BITMIME";
        let rows: &[Row<'_>] = &[
            (&[body, "S: 501 5.5.4 What?"], rule),
            (&[body, "S: 555 What?"], rule),
            (&[body, "S: 501 What?"], rule),
            (&[body, "S: 250 2.1.0 Ok"], ""),
            (&[body, "S: 501 5.1.7 No"], ""),
            (&[body, "S: 550 5.7.1 Not you"], ""),
            (&[body, "S: 451 4.3.0 Later"], ""),
            (&["C: MAIL FROM:<bob@example.org> SIZE=100", "S: 555 5.5.4 What?"], rule),
            (&["C: MAIL FROM:<bob@example.org> SIZE=100 BODY=7BIT", "S: 555 5.5.4 What?"], rule),
            (&["C: MAIL FROM:<bob@example.org> SMTPUTF8", "S: 504 5.5.4 What?"], rule),
            (&["C: MAIL FROM:<bob@example.org> SIZE=100 FOO=1", "S: 555 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=BINARYMIME", "S: 555 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org> SIZE=1 SIZE=1", "S: 501 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@@example.org> BODY=7BIT", "S: 501 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org>", "S: 501 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org>SIZE=10", "S: 501 5.5.4 What?"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let plain = offers("DSN");
        check(Protocol::Smtp, &["S: 220 mx", "C: EHLO me", &plain], &[(&[body, "S: 555 5.5.4 What?"], "")]);
    }
}
