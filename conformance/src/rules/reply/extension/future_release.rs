//! Rules about FUTURERELEASE (RFC 4865).

use crate::dialogue::session::Session;
use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::{is_number, number};
use super::refusal::{blames_parameter, envelope, has_only, has_parameter, is_about_mail, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail)
        && let Some(envelope) = envelope(observation)
    {
        time(observation, &envelope, findings);
    }
    if is_about_mail(observation) {
        quota(observation, findings);
    }
    without_time(observation, findings);
}

/// RFC 4865 §4.2 (7) to (10): a malformed, repeated or too distant time is refused with 501 and 5.5.4.
fn time(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let Some(fault) = fault(envelope, observation.session) else { return };
    let detail = format!("{} to {fault}", observation.codes());
    let only = has_only(envelope, &["HOLDFOR", "HOLDUNTIL"]);
    let other_number = blames_parameter(observation) && !observation.is(&[501]);
    let other_code = observation.is(&[501])
        && promised(observation).is_some_and(|code| code.subject() == 5 && !matches!(code.detail(), 0 | 4));
    if observation.is_accepted() {
        findings.add(RuleId::FUTURE_RELEASE_VALUE_REFUSED, detail);
    } else if only && (other_number || other_code) {
        findings.add(RuleId::FUTURE_RELEASE_VALUE_501, detail);
    }
}

/// Returns what is wrong with HOLDFOR or HOLDUNTIL, if they are offered.
fn fault(envelope: &Envelope<'_>, session: &Session) -> Option<&'static str> {
    let mut limits = session.offered.as_ref()?.parameters("FUTURERELEASE")?;
    let (longest, latest) = (limits.next(), limits.next());
    let times =
        envelope.parameters().filter(|parameter| parameter.is("HOLDFOR") || parameter.is("HOLDUNTIL"));
    if times.count() > 1 {
        return Some("more than one release time");
    }
    if let Some(seconds) = envelope.value("HOLDFOR") {
        if !is_number(seconds, 9) || seconds.starts_with(b"0") {
            return Some("a malformed HOLDFOR");
        }
        let longest = longest.and_then(|longest| number(longest.as_bytes()));
        return longest
            .filter(|longest| number(seconds) > Some(*longest))
            .map(|_| "a HOLDFOR beyond the limit");
    }
    let until = envelope.value("HOLDUNTIL")?;
    if !is_date_time(until) {
        return Some("a malformed HOLDUNTIL");
    }
    let in_utc = |time: &[u8]| time.len() == 20 && is_date_time(time);
    let latest = latest.map(str::as_bytes).filter(|latest| in_utc(latest) && in_utc(until));
    latest.filter(|latest| until > *latest).map(|_| "a HOLDUNTIL beyond the limit")
}

/// Returns whether octets have the form of a date and time (RFC 3339 §5.6).
fn is_date_time(octets: &[u8]) -> bool {
    let has_form = |octets: &[u8], form: &[u8]| {
        let fits =
            |(octet, sign): (&u8, &u8)| if *sign == b'0' { octet.is_ascii_digit() } else { octet == sign };
        octets.len() == form.len() && octets.iter().zip(form).all(fits)
    };
    let Some((start, zone)) = octets.split_at_checked(19) else { return false };
    let digits = |octets: &[u8]| octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let zone = match zone {
        [b'.', fraction @ ..] if digits(fraction) > 0 => &fraction[digits(fraction)..],
        zone => zone,
    };
    let upper = [start.to_ascii_uppercase(), zone.to_ascii_uppercase()];
    has_form(&upper[0], b"0000-00-00T00:00:00")
        && [&b"Z"[..], b"+00:00", b"-00:00"].iter().any(|form| has_form(&upper[1], form))
}

/// RFC 4865 §6 (3) to (5): 552 for a quota of held messages. Its enhanced status codes were never registered, but with
/// HOLDFOR or HOLDUNTIL they still mean that.
fn quota(observation: &Observation<'_>, findings: &mut Findings) {
    let quota = observation.is_refused() && observation.has_detail(&[(7, 16), (7, 17)]);
    if quota && is_held(observation) && !observation.is(&[552]) {
        findings.add(RuleId::FUTURE_RELEASE_QUOTA_552, observation.codes());
    }
}

/// RFC 4865 §6 used X.7.16 and X.7.17 for quotas, but the registry assigned them to RFC 6710 and RFC 7293. For MAIL
/// without a release time, X.7.17 has neither meaning, and X.7.16 has one only if priorities are offered.
fn without_time(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    if observation.verb() != Some(Verb::Mail) || !observation.is_turned_down() || is_held(observation) {
        return;
    }
    let quota = session.offers("FUTURERELEASE") && !session.offers("MT-PRIORITY");
    if observation.has_detail(&[(7, 17)]) || (quota && observation.has_detail(&[(7, 16)])) {
        let detail = format!("{} to MAIL without HOLDFOR or HOLDUNTIL", observation.codes());
        findings.add(RuleId::FUTURE_RELEASE_CODES, detail);
    }
}

/// Returns whether the message has a release time.
pub(super) fn is_held(observation: &Observation<'_>) -> bool {
    has_parameter(observation, "HOLDFOR") || has_parameter(observation, "HOLDUNTIL")
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const KEYWORD: &str = "FUTURERELEASE 1000 2030-01-01T00:00:00Z";

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers(KEYWORD);
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn times() {
        let (refused, code) = ("future-release-value-refused error", "future-release-value-501 warning");
        run(&[
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1000", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1001", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=abc", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1 HOLDFOR=1", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1001", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1001", "S: 501 5.5.2 No"], code),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1001", "S: 555 5.5.4 No"], code),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1001", "S: 550 5.7.1 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDUNTIL=2029-12-31T00:00:00Z", "S: 250 2.1.0 Ok"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> HOLDUNTIL=2029-12-31T00:00:00.5+01:00", "S: 250 2.1.0 Ok"],
                "",
            ),
            (&["C: MAIL FROM:<bob@example.org> HOLDUNTIL=2031-01-01T00:00:00Z", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDUNTIL=tomorrow", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 552 5.7.16 Quota"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 550 5.7.17 Quota"],
                "future-release-quota-552 note",
            ),
        ]);
    }

    #[test]
    fn codes_of_another_meaning() {
        let mail = "C: MAIL FROM:<bob@example.org>";
        run(&[
            (&[mail, "S: 552 5.7.16 Quota"], "future-release-codes note"),
            (&[mail, "S: 552 5.7.17 Quota"], "future-release-codes note"),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=1", "S: 552 5.7.17 Quota"], ""),
        ]);
    }
}
