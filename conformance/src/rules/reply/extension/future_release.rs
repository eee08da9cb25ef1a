//! Rules about FUTURERELEASE (RFC 4865).

use crate::dialogue::session::Session;
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Envelope, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::deliver_by::Deadline;
use super::parameter_value::{is_number, number};
use super::refusal::{
    blames_parameter, differs, envelope, has_only, has_parameter, is_about_mail, is_sound, promised,
};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Ehlo | Verb::Lhlo) if observation.is(&[250]) => advertised(observation, findings),
        Some(Verb::Mail) => {
            if let Some(envelope) = envelope(observation) {
                time(observation, &envelope, findings);
                valid_time(observation, &envelope, findings);
                other_quota(observation, &envelope, findings);
            }
        }
        _ => {}
    }
    if is_about_mail(observation) {
        quota(observation, findings);
    }
    without_time(observation, findings);
}

/// RFC 4865 §4.2 (2), (3): only a submission server lists the keyword, with its two limits.
fn advertised(observation: &Observation<'_>, findings: &mut Findings) {
    const SMTP_PORT: u16 = 25;
    let offered = Capabilities::read(&observation.reply);
    let Some(mut limits) = offered.parameters("FUTURERELEASE") else { return };
    let (seconds, date) = (limits.next(), limits.next());
    let has_limits = seconds.is_some_and(|seconds| is_number(seconds.as_bytes(), 20))
        && date.is_some_and(|date| is_date_time(date.as_bytes()));
    let rule = RuleId::FUTURE_RELEASE_ADVERTISED;
    let port = observation.knowledge.port.or(observation.session.port);
    let elsewhere = match observation.session.protocol {
        Protocol::Smtp => port == Some(SMTP_PORT),
        Protocol::Lmtp => true,
        Protocol::Submission => false,
    };
    if elsewhere {
        findings.add(rule, "FUTURERELEASE is listed, but this is not a submission server");
    } else if !has_limits {
        findings.add(rule, "FUTURERELEASE is listed without its two limits");
    }
}

/// RFC 4865 §4.2 (4): MAIL with a valid HOLDFOR and no other error is accepted. Whether a date of HOLDUNTIL has passed
/// is not known here.
fn valid_time(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let session = observation.session;
    let limit = session.offered.as_ref().and_then(|offered| offered.parameters("FUTURERELEASE")?.next());
    let Some(limit) = limit.and_then(|limit| number(limit.as_bytes())) else { return };
    let is_valid =
        envelope.value("HOLDFOR").and_then(number).is_some_and(|seconds| (1..=limit).contains(&seconds));
    let blamed = blames_parameter(observation)
        || observation.is(&[501])
            && observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 5));
    if is_valid && blamed && fault(envelope, session).is_none() && is_sound(envelope, &["HOLDFOR"]) {
        let detail = format!("{} to a valid HOLDFOR", observation.codes());
        findings.add(RuleId::FUTURE_RELEASE_ACCEPTED, detail);
    }
}

/// RFC 4865 §4.2 (7) to (10), §5.2.2: a malformed, repeated or too distant time, or one after the time of BY, is refused
/// with 501 and 5.5.4.
fn time(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let Some(fault) = fault(envelope, observation.session) else { return };
    let detail = format!("{} to {fault}", observation.codes());
    let only = has_only(envelope, &["HOLDFOR", "HOLDUNTIL", "BY"]);
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
        if longest.is_some_and(|longest| number(seconds) > Some(longest)) {
            return Some("a HOLDFOR beyond the limit");
        }
        let due = by_time(envelope).filter(|_| session.offers("DELIVERBY"));
        let is_late = due.is_some_and(|due| number(seconds).is_some_and(|seconds| seconds > due));
        return is_late.then_some("a HOLDFOR after the time of BY");
    }
    let until = envelope.value("HOLDUNTIL")?;
    if !is_date_time(until) {
        return Some("a malformed HOLDUNTIL");
    }
    let in_utc = |time: &[u8]| time.len() == 20 && is_date_time(time);
    let latest = latest.map(str::as_bytes).filter(|latest| in_utc(latest) && in_utc(until));
    latest.filter(|latest| until > *latest).map(|_| "a HOLDUNTIL beyond the limit")
}

/// Returns the seconds of a valid BY that are left, or 0 if the time has passed (RFC 2852 §4).
fn by_time(envelope: &Envelope<'_>) -> Option<u128> {
    let deadline = Deadline::read(envelope)?;
    Some(u128::try_from(deadline.seconds).unwrap_or(0))
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

/// RFC 4865 §6: a quota has X.7.16 or X.7.17. The registry gave both to others, so X.2.2 and X.3.4 do as well. It is about
/// nothing else if the command has no other parameter.
fn other_quota(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let held = envelope.parameters().next().is_some() && is_sound(envelope, &["HOLDFOR", "HOLDUNTIL"]);
    let valid = held && fault(envelope, observation.session).is_none();
    let quota = observation.session.offers("FUTURERELEASE") && observation.is(&[552]);
    if valid && quota && differs(observation, &[(7, 16), (7, 17), (2, 2), (3, 4)]) {
        let detail = format!("{} for a quota of held mail", observation.codes());
        findings.add_under(RuleId::FUTURE_RELEASE_QUOTA_552, "other-code", detail);
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

    const LOGIN: &str = "C: AUTH XOAUTH2 eA==\nS: 235 2.7.0 Ok";
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
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 552 5.2.2 Quota"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 552 Quota"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10 SIZE=1", "S: 552 5.3.1 Quota"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 552 5.3.1 Quota"],
                "future-release-quota-552/other-code note",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 550 5.7.17 Quota"],
                "future-release-quota-552 warning",
            ),
        ]);
    }

    #[test]
    fn valid_times() {
        let rule = "future-release-accepted error";
        run(&[
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 501 5.5.4 No"], rule),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 501 No"], rule),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 555 5.5.4 No"], rule),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 501 5.1.7 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10", "S: 550 5.7.1 Not you"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=10 FOO=1", "S: 555 5.5.4 No"], ""),
        ]);
    }

    #[test]
    fn conflicts_with_by() {
        let ehlo = offers("DELIVERBY\nFUTURERELEASE 1000 2030-01-01T00:00:00Z");
        let (refused, code) = ("future-release-value-refused error", "future-release-value-501 warning");
        let both = "C: MAIL FROM:<bob@example.org> HOLDFOR=900 BY=60;R";
        let rows: &[Row<'_>] = &[
            (&[both, "S: 250 2.1.0 Ok"], refused),
            (&[both, "S: 555 5.5.4 No"], code),
            (&[both, "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=900 BY=-60;N", "S: 250 2.1.0 Ok"], refused),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=60 BY=900;N", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> HOLDFOR=60 BY=60;NT", "S: 250 2.1.0 Ok"], ""),
        ];
        check(Protocol::Submission, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, LOGIN], rows);
        run(&[(&[both, "S: 250 2.1.0 Ok"], "")]);
    }

    #[test]
    fn advertisements() {
        let rule = "future-release-advertised error";
        let whole = format!("S: 250-mx.example.org\nS: 250 {KEYWORD}");
        let bare = "S: 250-mx.example.org\nS: 250 FUTURERELEASE";
        let half = "S: 250-mx.example.org\nS: 250 FUTURERELEASE 1000";
        let before = ["#: connected to port 25", "S: 220 mx.example.org", "C: EHLO me"];
        check(Protocol::Smtp, &before, &[(&[&whole], rule), (&["S: 250 mx.example.org"], "")]);
        let before = ["S: 220 mx.example.org", "C: EHLO me"];
        check(Protocol::Smtp, &before, &[(&[&whole], ""), (&[bare], rule), (&[half], rule)]);
        check(Protocol::Lmtp, &["S: 220 mx", "C: LHLO me"], &[(&[&whole], rule)]);
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
