//! Rules about BURL (RFC 4468).

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Burl) => {
            success(observation, findings);
            trust(observation, findings);
        }
        Some(Verb::Bdat) => fails_transaction(observation, findings),
        Some(Verb::Ehlo) if observation.is(&[250]) => port(observation, findings),
        _ => {}
    }
}

/// RFC 4468 §3.1: a server on port 25 does not offer BURL.
fn port(observation: &Observation<'_>, findings: &mut Findings) {
    const SMTP_PORT: u16 = 25;
    let port = observation.knowledge.port.or(observation.session.port);
    if port == Some(SMTP_PORT) && Capabilities::read(&observation.reply).has("BURL") {
        findings.add(RuleId::BURL_NOT_ON_SMTP_PORT, format!("EHLO lists BURL on port {SMTP_PORT}"));
    }
}

/// RFC 4468 §3.2: if a URL cannot be fetched, the whole transaction fails.
fn fails_transaction(observation: &Observation<'_>, findings: &mut Findings) {
    let failed = observation.session.transaction.as_ref().is_some_and(|transaction| transaction.burl_failed);
    let last = observation.command.is_some_and(|command| command.is_last_chunk());
    if failed && last && observation.is_accepted() {
        let detail = format!("{} to BDAT after a BURL that failed", observation.codes());
        findings.add(RuleId::BURL_CODES, detail);
    }
}

/// RFC 4468 §3.2, §3.5: BURL fails without a URL, without a valid recipient, and if its URL cannot be fetched. §6: success is 250, and the list
/// of refusals is open.
fn success(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    if !session.offers("BURL") || !observation.is_accepted() {
        return;
    }
    let detail = format!("{} to BURL", observation.codes());
    if observation.command.is_some_and(|command| is_malformed(&command)) {
        return findings.add(RuleId::BURL_CODES, format!("{detail} that is malformed"));
    }
    let begun = session.greeting.is_some() && session.hello.is_some();
    if begun && session.recipients() == 0 {
        findings.add(RuleId::BURL_CODES, format!("{detail} without an accepted recipient"));
    } else if observation.command.is_some_and(|command| names_no_host(&command)) {
        findings.add(RuleId::BURL_CODES, format!("{detail} with a URL of a host that does not exist"));
    } else if !observation.is(&[250]) {
        findings.add_under(RuleId::BURL_CODES, "other-success", detail);
    }
}

/// Returns whether the URL is missing, or something other than LAST follows it (RFC 4468 §3.5).
fn is_malformed(command: &Command<'_>) -> bool {
    let mut words = command.words();
    let (url, last, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    let is_last = |word: &[u8]| word.eq_ignore_ascii_case(b"LAST");
    !url.contains(&b':') || last.is_some_and(|word| !is_last(word)) || more.is_some()
}

/// Returns whether the host of the URL is below `invalid`, where no names exist (RFC 6761 §6.4).
fn names_no_host(command: &Command<'_>) -> bool {
    let url = command.words().next().unwrap_or_default();
    let authority = url.split(|octet| *octet == b'/').nth(2).unwrap_or_default();
    let server = authority.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
    let host = server.split(|octet| *octet == b':').next().unwrap_or_default();
    host.to_ascii_lowercase().ends_with(b".invalid")
}

/// RFC 4468, errata 895 and 896: X.7.14, not X.7.8.
fn trust(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.has_detail(&[(7, 8)]) {
        findings.add(RuleId::BURL_TRUST_CODE, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    #[test]
    fn replies() {
        let ehlo = offers("BURL");
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        let rcpt = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let refused = "C: RCPT TO:<amy@example.org>\nS: 550 5.1.1 Who?";
        let burl = "C: BURL imap://example.com/x LAST";
        let nowhere = "C: BURL imap://amy;auth=*@IMAP.Nonexistent.invalid:143/x LAST";
        let rows: &[Row<'_>] = &[
            (&[mail, rcpt, burl, "S: 250 2.5.0 Ok"], ""),
            (&[mail, rcpt, burl, "S: 251 2.5.0 Ok"], "burl-codes/other-success note"),
            (&[mail, refused, burl, "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[burl, "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[mail, rcpt, "C: BURL", "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[mail, rcpt, "C: BURL LAST", "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[mail, rcpt, "C: BURL imap://example.com/x FIRST", "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[mail, rcpt, "C: BURL imap://example.com/x FIRST", "S: 501 5.5.4 No"], ""),
            (&[mail, rcpt, "C: BURL imap://example.com/x last", "S: 250 2.5.0 Ok"], ""),
            (
                &[mail, rcpt, nowhere, "S: 554 5.6.6 No", "C: BDAT 0 LAST", "S: 250 2.0.0 Ok"],
                "burl-codes error",
            ),
            (&[mail, rcpt, nowhere, "S: 554 5.6.6 No", "C: BDAT 0 LAST", "S: 503 5.5.1 No"], ""),
            (&[mail, rcpt, "C: BURL", "S: 501 5.5.4 No", "C: BDAT 0 LAST", "S: 250 2.0.0 Ok"], ""),
            (&[mail, rcpt, nowhere, "S: 250 2.5.0 Ok"], "burl-codes error"),
            (&[mail, rcpt, nowhere, "S: 554 5.6.6 No"], ""),
            (&[mail, rcpt, "C: BURL imap://example.com/x.invalid LAST", "S: 250 2.5.0 Ok"], ""),
            (&[mail, burl, "S: 503 5.5.0 Valid RCPT TO required"], ""),
            (&[mail, "C: BURL imap://x LAST", "S: 554 5.6.6 No"], ""),
            (&[mail, burl, "S: 554 5.7.8 No"], "burl-trust-code note"),
            (&[mail, burl, "S: 554 5.7.14 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let before = ["#: connected to port 25", "S: 220 mx.example.org", "C: EHLO me"];
        check(Protocol::Smtp, &before, &[(&[&ehlo], "burl-not-on-smtp-port error")]);
        let before = ["#: connected to port 587", "S: 220 mx.example.org", "C: EHLO me"];
        check(Protocol::Smtp, &before, &[(&[&ehlo], "")]);
    }
}
