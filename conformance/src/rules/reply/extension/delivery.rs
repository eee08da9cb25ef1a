//! Rules about parameters of MAIL and RCPT that govern delivery: FUTURERELEASE, DELIVERBY, MT-PRIORITY, RRVS, 8BITMIME,
//! CONPERM, CONNEG, CHECKPOINT, SUBMITTER.

use crate::dialogue::session::Session;
use crate::protocol::command::{Envelope, Verb};
use crate::protocol::reply::Token;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::{is_number, number};
use super::refusal::{blames_parameter, differs, envelope, has_only, has_parameter, is_about_mail, promised};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match (observation.verb(), envelope(observation)) {
        (Some(Verb::Mail), Some(envelope)) => {
            hold(observation, &envelope, findings);
            deliver_by(observation, &envelope, findings);
            priority(observation, &envelope, findings);
            body(observation, &envelope, findings);
            conversion(observation, &envelope, findings);
            restart(observation, &envelope, findings);
        }
        (Some(Verb::Rcpt), Some(_)) => negotiation(observation, findings),
        _ => {}
    }
    if is_about_mail(observation) {
        hold_quota(observation, findings);
        priority_changed(observation, findings);
        priority_too_low(observation, findings);
        priority_too_big(observation, findings);
        owner(observation, findings);
        submitter(observation, findings);
    }
}

/// RFC 4865 §4.2 (7) to (10): a malformed, repeated or too distant time is refused with 501 and 5.5.4.
fn hold(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let Some(fault) = hold_fault(envelope, observation.session) else { return };
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
fn hold_fault(envelope: &Envelope<'_>, session: &Session) -> Option<&'static str> {
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
fn hold_quota(observation: &Observation<'_>, findings: &mut Findings) {
    let quota = observation.is_refused() && observation.has_detail(&[(7, 16), (7, 17)]);
    if quota && is_held(observation) && !observation.is(&[552]) {
        findings.add(RuleId::FUTURE_RELEASE_QUOTA_552, observation.codes());
    }
}

/// RFC 2852 §4: BY in mode R with a time that has passed gets 501.
fn deliver_by(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let over = envelope.value("BY").filter(|_| !envelope.repeats("BY")).is_some_and(|value| {
        let mut parts = value.split(|octet| *octet == b';');
        let time = parts.next().and_then(|time| str::from_utf8(time).ok()?.parse::<i64>().ok());
        let returns = parts
            .next()
            .is_some_and(|mode| mode.first().is_some_and(|mode| mode.eq_ignore_ascii_case(&b'R')));
        time.is_some_and(|time| time <= 0) && returns && parts.next().is_none()
    });
    let blamed = blames_parameter(observation) && !observation.is(&[501]) && has_only(envelope, &["BY"]);
    if over && observation.session.offers("DELIVERBY") && (observation.is_accepted() || blamed) {
        findings.add(
            RuleId::DELIVER_BY_VALUE_501,
            format!("{} to a BY time that has passed", observation.codes()),
        );
    }
}

/// RFC 6710 §4.1 (1): an invalid or repeated value is an error.
fn priority(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let offered = observation.session.offers("MT-PRIORITY");
    let value = envelope.value("MT-PRIORITY");
    let is_faulty = value.is_some_and(|value| envelope.repeats("MT-PRIORITY") || !is_priority(value));
    if offered && observation.is_accepted() && is_faulty {
        findings.add(
            RuleId::PRIORITY_VALUE_REFUSED,
            format!("{} to an invalid MT-PRIORITY", observation.codes()),
        );
    }
}

/// Returns whether octets are a `priority-value` (RFC 6710 §7): -9 to 9.
fn is_priority(octets: &[u8]) -> bool {
    matches!(octets, [b'0'..=b'9'] | [b'-', b'1'..=b'9'])
}

/// RFC 6710 §4.1: with X.3.6, the reply is 250 or 251 and its text begins with the new priority.
fn priority_changed(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_accepted() || !observation.has_detail(&[(3, 6)]) {
        return;
    }
    let Some(first) = observation.reply.lines().next() else { return };
    let Token::Code(_) = first.token() else { return };
    let mut words = first.text().split(|octet| *octet == b' ').skip(1).filter(|word| !word.is_empty());
    let has_priority = words.next().is_none_or(is_priority);
    if !has_priority || !observation.is(&[250, 251]) {
        findings
            .add(RuleId::PRIORITY_CHANGE_TOLD, format!("{} without the new priority", observation.codes()));
    }
}

/// RFC 6710 §4.1: a submission server that refuses a message only for its low priority sends X.7.15 with 450 or 550.
/// The registry's row allows other reply codes. Without X.7.15, only the text shows the reason.
fn priority_too_low(observation: &Observation<'_>, findings: &mut Findings) {
    const LOW: [&str; 4] = ["too low", "low priority", "low a priority", "priority is low"];
    let offered = observation.is_submission() && observation.session.offers("MT-PRIORITY");
    if !offered || !observation.is_turned_down() {
        return;
    }
    let rule = RuleId::PRIORITY_TOO_LOW_CODE;
    if observation.has_detail(&[(7, 15)]) {
        if !observation.is(&[450, 550]) {
            findings.add_under(rule, "other-reply-code", observation.codes());
        }
    } else if observation.says(&["priority"]) && observation.says(&LOW) && promised(observation).is_some() {
        findings.add(rule, format!("{} for a low priority", observation.codes()));
    }
}

/// RFC 6710 §5: 552 for a message that is too big for its priority. The registry's row allows other 4yz codes.
fn priority_too_big(observation: &Observation<'_>, findings: &mut Findings) {
    let too_big = observation.has_detail(&[(7, 16)]) && observation.session.offers("MT-PRIORITY");
    if too_big && observation.is_refused() && !is_held(observation) && !observation.is(&[552]) {
        findings.add(RuleId::PRIORITY_TOO_BIG_552, observation.codes());
    }
}

/// RFC 7293 §5.1: 550 for a mailbox or a domain that has a new owner. In a reply to MAIL, the enhanced status codes
/// cannot mean that.
fn owner(observation: &Observation<'_>, findings: &mut Findings) {
    let changed = observation.has_detail(&[(7, 17), (7, 18), (7, 19)]) && observation.is_turned_down();
    let recipient = || observation.verb() != Some(Verb::Mail) && !is_held(observation);
    if changed && recipient() && !observation.is(&[550]) {
        findings.add(RuleId::RRVS_OWNER_CHANGED_550, observation.codes());
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
    if unknown && session.offers("8BITMIME") && (observation.is_accepted() || blamed) {
        findings.add(RuleId::EIGHTBIT_BODY_VALUE, format!("{} to an unknown BODY", observation.codes()));
    }
}

/// RFC 4141 §4.2: an unsupported CONPERM gets 504. RFC 5321 §4.1.1.11 has 555.
fn conversion(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let extended = observation.session.offered.is_some() && !observation.session.offers("CONPERM");
    let blamed =
        blames_parameter(observation) && !observation.is(&[504, 555]) && has_only(envelope, &["CONPERM"]);
    let asked = envelope.parameter("CONPERM").is_some();
    if asked && extended && (observation.is_accepted() || blamed) {
        findings.add(RuleId::CONPERM_UNSUPPORTED_504, format!("{} to CONPERM", observation.codes()));
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

/// RFC 1845 §3: the text of 355 begins with the offset.
fn restart(observation: &Observation<'_>, envelope: &Envelope<'_>, findings: &mut Findings) {
    let offset = observation.reply.lines().next().is_some_and(|line| {
        line.text().split(|octet| *octet == b' ').next().is_some_and(|word| is_number(word, usize::MAX))
    });
    if observation.is(&[355]) && envelope.parameter("TRANSID").is_some() && !offset {
        findings.add(RuleId::CHECKPOINT_OFFSET_FIRST, "355 without an offset");
    }
}

/// RFC 4405 §4.2: 550 5.7.1 or 554 5.7.7. Only the text shows that SUBMITTER is the reason, and only X.7.7 that the
/// message contradicts it.
fn submitter(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_refused() || !has_parameter(observation, "SUBMITTER") {
        return;
    }
    let contradicted = observation.has_detail(&[(7, 7)]);
    let wrong = match (observation.number(), contradicted) {
        (Some(554), true) => false,
        (_, true) => true,
        (Some(550), false) => observation.says(&["submitter"]) && differs(observation, &[(7, 1)]),
        (_, false) => {
            observation.says(&["submitter"]) && !blames_parameter(observation) && !observation.is(&[501])
        }
    };
    if wrong {
        findings.add(RuleId::SUBMITTER_CODES, observation.codes());
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

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const KEYWORDS: &str =
        "FUTURERELEASE 1000 2030-01-01T00:00:00Z\nDELIVERBY 100\nMT-PRIORITY\n8BITMIME\nCONNEG";

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers(KEYWORDS);
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
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=0;R", "S: 250 2.1.0 Ok"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=-5;RT", "S: 555 5.5.4 No"], "deliver-by-value-501 warning"),
            (&["C: MAIL FROM:<bob@example.org> BY=0;N", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> BY=120;R", "S: 555 5.5.4 No"], ""),
        ]);
    }

    #[test]
    fn values() {
        run(&[
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=99", "S: 250 2.1.0 Ok"],
                "priority-value-refused error",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=1 MT-PRIORITY=1", "S: 250 2.1.0 Ok"],
                "priority-value-refused error",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=-9", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=99", "S: 501 5.5.2 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 250 2.3.6 3 is the new priority"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 250 2.3.6 The new priority is 3"],
                "priority-change-told warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 552 5.7.16 Too big"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 550 5.7.16 Too big"],
                "priority-too-big-552 warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> MT-PRIORITY=9", "S: 450 4.7.16 Too big"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 250 2.1.0 Ok"], "eightbit-body-value note"),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 503 5.5.4 No"], "eightbit-body-value note"),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 501 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=9BIT", "S: 555 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> BODY=8bitmime", "S: 250 2.1.0 Ok"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 504 5.5.4 No"], ""),
            (&["C: MAIL FROM:<bob@example.org> CONPERM", "S: 555 5.5.4 No"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> CONPERM", "S: 250 2.1.0 Ok"],
                "conperm-unsupported-504 warning",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> CONPERM", "S: 501 5.5.4 No"],
                "conperm-unsupported-504 warning",
            ),
            (&["C: MAIL FROM:<bob@example.org> TRANSID=<a@b>", "S: 355 120 is the offset"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> TRANSID=<a@b>", "S: 355 Go on"],
                "checkpoint-offset-first note",
            ),
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.1 No such submitter"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.1 No such submitter"],
                "submitter-codes note",
            ),
            (&["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 554 5.7.7 Contradicts"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 550 5.7.7 Contradicts"],
                "submitter-codes note",
            ),
            (
                &["C: MAIL FROM:<bob@example.org> SUBMITTER=a@b", "S: 555 5.5.4 Unknown parameter SUBMITTER"],
                "",
            ),
        ]);
    }

    #[test]
    fn low_priorities() {
        let ehlo = offers(KEYWORDS);
        let low = "C: MAIL FROM:<bob@example.org> MT-PRIORITY=-9";
        let rule = "priority-too-low-code error";
        let rows: &[Row<'_>] = &[
            (&[low, "S: 550 5.7.15 The priority is too low"], ""),
            (&[low, "S: 450 4.7.15 The priority is too low"], ""),
            (&[low, "S: 451 4.7.15 The priority is too low"], "priority-too-low-code/other-reply-code note"),
            (&[low, "S: 550 5.7.1 The priority is too low"], rule),
            (&[low, "S: 450 4.7.0 Low priority mail has to wait"], rule),
            (&[low, "S: 550 The priority is too low"], ""),
            (&[low, "S: 550 5.7.1 Your reputation is too low"], ""),
            (&[low, "S: 501 5.5.4 No such priority"], ""),
            (&[low, "S: 250 2.3.6 0 is the priority, -9 is too low"], ""),
        ];
        check(Protocol::Submission, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let elsewhere: &[Row<'_>] = &[(&[low, "S: 550 5.7.1 The priority is too low"], "")];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], elsewhere);
    }

    #[test]
    fn recipients() {
        let ehlo = offers(KEYWORDS);
        let rrvs = "C: RCPT TO:<amy@example.org> RRVS=2014-04-03T23:01:00Z";
        let conneg = "C: RCPT TO:<amy@example.org> CONNEG";
        let rows: &[Row<'_>] = &[
            (&[rrvs, "S: 550 5.7.17 No"], ""),
            (&[rrvs, "S: 450 4.7.17 No"], "rrvs-owner-changed-550 warning"),
            (&[rrvs, "S: 554 5.7.18 No"], "rrvs-owner-changed-550 warning"),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250-CONNEG (a=b)\nS: 250 2.1.5 Ok"], ""),
            (&[conneg, "S: 250-2.1.5 Ok\nS: 250 2.1.5 CONNEG (a=b)"], "conneg-line-word note"),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, MAIL], rows);
    }
}
