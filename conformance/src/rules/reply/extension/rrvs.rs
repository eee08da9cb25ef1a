//! Rules about RRVS (RFC 7293): requests that a mailbox still has its owner.

use crate::protocol::command::{Command, Verb};
use crate::protocol::header;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::future_release::is_held;
use super::refusal::{envelope, is_about_mail};

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    owner(observation, findings);
    role_account(observation, findings);
    field(observation, findings);
}

/// RFC 7293 §5.1, §5.1.1: 550 to RCPT with RRVS, or to DATA, for a mailbox or a domain that has a new owner. A test that
/// cannot be made has no reply code of its own (§5), so X.7.19 goes with any. Without RRVS, a header field has asked, for
/// which §5.2 names no reply code. In a reply to MAIL, the codes cannot mean that.
fn owner(observation: &Observation<'_>, findings: &mut Findings) {
    let changed = observation.is_turned_down() && observation.has_detail(&[(7, 17), (7, 18)]);
    let elsewhere = observation.verb() == Some(Verb::Mail) || is_held(observation);
    if changed && is_about_mail(observation) && !elsewhere && !observation.is(&[550]) {
        let by_header = !is_asked(observation);
        findings.add_if(by_header, RuleId::RRVS_OWNER_CHANGED_550, "without-parameter", observation.codes());
    }
}

/// RFC 7293 §5.1 (1): RRVS is ignored for a role account of RFC 2142. Every domain has the postmaster.
fn role_account(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation).filter(|_| observation.verb() == Some(Verb::Rcpt)) else {
        return;
    };
    let path = envelope.path().unwrap_or_default();
    let (local, domain) = path.split_at(path.len().min("postmaster".len()));
    let is_role =
        local.eq_ignore_ascii_case(b"postmaster") && (domain.is_empty() || domain.starts_with(b"@"));
    let asked = observation.session.offers("RRVS") && envelope.parameter("RRVS").is_some();
    if is_role
        && asked
        && observation.is_turned_down()
        && observation.has_detail(&[(7, 17), (7, 18), (7, 19)])
    {
        findings
            .add(RuleId::RRVS_ROLE_ACCOUNT_IGNORED, format!("{} for the postmaster", observation.codes()));
    }
}

/// RFC 7293 §5.2 (2): a server ignores a field that is malformed, or that names a role account or no recipient.
fn field(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let (Some(message), Some(begun)) = (observation.whole_message(), &session.transaction) else { return };
    let blamed = observation.is_turned_down() && observation.has_detail(&[(7, 17), (7, 18), (7, 19)]);
    let are_known = session.recipients() == begun.recipients.len();
    let asked = begun.recipients.iter().any(|line| asks(Command::read(line)));
    if !session.offers("RRVS") || !blamed || !are_known || asked {
        return;
    }
    let domains: Vec<Vec<u8>> = begun.recipients.iter().filter_map(|line| domain(line)).collect();
    let fields = header::values(message, "Require-Recipient-Valid-Since");
    if !fields.is_empty() && fields.iter().all(|field| is_ignored(field, &domains)) {
        findings
            .add(RuleId::RRVS_FIELD_IGNORED, format!("{} for a field to be ignored", observation.codes()));
    }
}

/// Returns the domain in a RCPT line.
fn domain(line: &[u8]) -> Option<Vec<u8>> {
    let path = Command::read(line).envelope()?.path()?;
    Some(path.rsplit(|octet| *octet == b'@').next()?.to_owned())
}

/// Returns whether a field certainly has no time, or names the postmaster or an address at none of the domains.
fn is_ignored(field: &[u8], domains: &[Vec<u8>]) -> bool {
    let Some(end) = field.iter().position(|octet| *octet == b';') else { return true };
    let (address, _) = field.split_at(end);
    let Some(address) = header::address(address) else { return false };
    let mut parts = address.rsplitn(2, |octet| *octet == b'@');
    let (domain, local) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    local.eq_ignore_ascii_case(b"postmaster")
        || !domains.iter().any(|other| other.eq_ignore_ascii_case(domain))
}

/// Returns whether a RCPT has the parameter.
fn asks(command: Command<'_>) -> bool {
    command.envelope().is_some_and(|envelope| envelope.parameter("RRVS").is_some())
}

/// Returns whether a RCPT had the parameter: this one, or one of those before DATA.
fn is_asked(observation: &Observation<'_>) -> bool {
    match observation.verb() {
        Some(Verb::Rcpt) => observation.command.is_some_and(asks),
        Some(Verb::Data) => observation
            .session
            .transaction
            .as_deref()
            .is_some_and(|begun| begun.recipients.iter().any(|line| asks(Command::read(line)))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn fields() {
        let ehlo = offers("RRVS");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rcpt = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let rrvs = "C: RCPT TO:<amy@example.org> RRVS=2014-04-03T23:01:00Z\nS: 250 2.1.5 Ok";
        let data = "C: DATA\nS: 354 Go";
        let refused = "S: 550 5.7.17 No";
        let time = "Mon, 1 Jan 1990 00:00:00 +0000";
        let message = |fields: &[&str]| {
            let lines = fields.iter().map(|field| format!("C: Require-Recipient-Valid-Since: {field}\n"));
            lines.collect::<String>() + "C: \nC: x\nC: ."
        };
        let other = format!("eve@example.net; {time}");
        let own = format!("amy@example.org; {time}");
        let role = format!("Postmaster@example.org; {time}");
        let error = "rrvs-field-ignored error";
        for (recipient, fields, reply, expected) in [
            (rcpt, &[other.as_str()][..], refused, error),
            (rcpt, &[other.as_str()], "S: 451 4.7.19 No", "rrvs-field-ignored error"),
            (rcpt, &[other.as_str()], "S: 550 5.7.1 No", ""),
            (rcpt, &[other.as_str()], "S: 250 2.0.0 Ok", ""),
            (rcpt, &["amy@example.org"], refused, error),
            (rcpt, &[&role], refused, error),
            (rcpt, &[&own], refused, ""),
            (rcpt, &[&own, &other], refused, ""),
            (rcpt, &["Amy <amy@example.org>; then"], refused, ""),
            (rcpt, &[], refused, ""),
            (rrvs, &[other.as_str()], refused, ""),
        ] {
            let message = message(fields);
            let rows: &[Row<'_>] = &[(&[mail, recipient, data, &message, reply], expected)];
            check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        }
    }

    #[test]
    fn owners() {
        let ehlo = offers("RRVS");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rrvs = "C: RCPT TO:<amy@example.org> RRVS=2014-04-03T23:01:00Z";
        let rows: &[Row<'_>] = &[
            (&[rrvs, "S: 550 5.7.17 No"], ""),
            (&[rrvs, "S: 450 4.7.17 No"], "rrvs-owner-changed-550 error"),
            (&[rrvs, "S: 554 5.7.18 No"], "rrvs-owner-changed-550 error"),
            (&[rrvs, "S: 554 5.7.19 No"], ""),
            (&[rrvs, "S: 451 4.7.19 The database is unavailable"], ""),
            (&[rrvs, "S: 250 2.1.5 Ok", "C: DATA", "S: 554 5.7.17 No"], "rrvs-owner-changed-550 error"),
            (&[rrvs, "S: 250 2.1.5 Ok", "C: DATA", "S: 550 5.7.17 No"], ""),
            (
                &["C: RCPT TO:<postmaster@example.org> RRVS=1990-01-01T00:00:00Z", "S: 550 5.7.17 No"],
                "rrvs-role-account-ignored error",
            ),
            (
                &["C: RCPT TO:<Postmaster> RRVS=1990-01-01T00:00:00Z", "S: 451 4.7.19 No"],
                "rrvs-role-account-ignored error",
            ),
            (&["C: RCPT TO:<postmaster@example.org> RRVS=1990-01-01T00:00:00Z", "S: 550 5.7.1 No"], ""),
            (&["C: RCPT TO:<postmaster2@example.org> RRVS=1990-01-01T00:00:00Z", "S: 550 5.7.17 No"], ""),
            (
                &["C: RCPT TO:<amy@example.org>", "S: 554 5.7.17 No"],
                "rrvs-owner-changed-550/without-parameter note",
            ),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo, mail], rows);
    }
}
