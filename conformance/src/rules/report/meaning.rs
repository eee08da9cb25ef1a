//! Rules about what a bounce says: whether its fields agree with each other and with the reply.

use smtp_enhanced_status::{Class, EnhancedStatusCode, REGISTRY_UPDATED, ReplyCode};

use super::{Found, Recipient};
use crate::dsn::{Name, Reply};
use crate::rules::catalogue::RuleId;

pub(super) fn judge(recipient: &Recipient<'_>, found: &mut Found) {
    diagnostic(recipient, found);
    let Some(status) = recipient.fields.status() else { return };
    let line = recipient.line(Name::Status);
    if let Some(action) = recipient.action() {
        agreement(&action, status, line, found);
        relayed(&action, status, line, found);
        expiry(recipient, &action, status, found);
    }
    registered(recipient, status, found);
    from_remote(recipient, status, found);
    null_mx(recipient, status, found);
}

/// Compares Action and Status. A message may be relayed although its conversion lost something (RFC 3464 §2.3.3).
fn agreement(action: &str, status: EnhancedStatusCode, line: usize, found: &mut Found) {
    const MEDIA: u16 = 6;
    let class = status.class();
    let agrees = match action {
        "failed" => class != Class::Success,
        "delayed" => class == Class::Transient,
        "delivered" | "expanded" => class == Class::Success,
        "relayed" => class == Class::Success || status.subject() == MEDIA,
        _ => true,
    };
    if !agrees {
        found.add(RuleId::DSN_ACTION_FITS_STATUS, line, format!("Action is {action}, and Status {status}"));
    }
}

fn relayed(action: &str, status: EnhancedStatusCode, line: usize, found: &mut Found) {
    if action != "relayed" && status.to_string() == "2.1.9" {
        found.add(RuleId::DSN_RELAYED_CODE, line, format!("Status is 2.1.9, and Action {action}"));
    }
}

/// DELIVERBY demands 5.4.7 of a message that failed, and 4.4.7 of one that is delayed (RFC 2852 §4.1.3). A bounce does not
/// say whether the sender used it, but it never leads to a failure with 4.4.7.
fn expiry(recipient: &Recipient<'_>, action: &str, status: EnhancedStatusCode, found: &mut Found) {
    if action != "failed" || status.to_string() != "4.4.7" {
        return;
    }
    if let Some(code) = recipient.remote().and_then(|reply| sound_code(reply.codes()?))
        && code.status() != status.status()
    {
        let line = recipient.line(Name::Status);
        found.add(
            RuleId::DSN_EXPIRY_NAMES_CAUSE,
            line,
            format!("Status is {status}, but the last reply had {code}"),
        );
    }
}

/// Finds codes that nobody has defined. Those of the other server's reply are its own.
fn registered(recipient: &Recipient<'_>, status: EnhancedStatusCode, found: &mut Found) {
    const SUBJECTS: std::ops::RangeInclusive<u16> = 0..=7;
    let code = status.to_string();
    let is_copied =
        recipient.reply.is_some_and(|reply| memchr::memmem::find(&reply.text, code.as_bytes()).is_some());
    if status.class() == Class::Success || status.entry().is_some() || is_copied {
        return;
    }
    found.add_if(
        SUBJECTS.contains(&status.subject()),
        RuleId::DSN_STATUS_GENERAL,
        "newer-than-snapshot",
        recipient.line(Name::Status),
        format!("Status is {status}, which the registry of {REGISTRY_UPDATED} does not have"),
    );
}

/// Compares Status with the other server's reply.
fn from_remote(recipient: &Recipient<'_>, status: EnhancedStatusCode, found: &mut Found) {
    let Some(codes) = recipient.remote().and_then(Reply::codes) else { return };
    let line = recipient.line(Name::Status);
    match sound_code(codes) {
        Some(code) if code != status => {
            let detail = format!("Status is {status}, but the reply had {} {code}", codes.0);
            found.add(RuleId::DSN_STATUS_FROM_REMOTE, line, detail);
        }
        None if codes.0.class().is_some_and(|class| class != status.class()) => {
            let detail = format!("Status is {status}, but the reply had {}", codes.0);
            found.add(RuleId::DSN_STATUS_FROM_REMOTE, line, detail);
        }
        _ => {}
    }
}

/// Returns the enhanced status code of a reply, unless it contradicts the reply code.
fn sound_code((code, enhanced): (ReplyCode, Option<EnhancedStatusCode>)) -> Option<EnhancedStatusCode> {
    enhanced.filter(|enhanced| code.class() == Some(enhanced.class()))
}

/// Compares Diagnostic-Code with the reply that the text shows.
fn diagnostic(recipient: &Recipient<'_>, found: &mut Found) {
    let Some(reply) = recipient.remote() else { return };
    let Some(field) = recipient.fields.get(Name::DiagnosticCode) else {
        let first = String::from_utf8_lossy(&reply.text);
        let first = first.lines().next().unwrap_or_default();
        let detail = format!("the text shows a reply, but there is no Diagnostic-Code: {first}");
        found.add(RuleId::DSN_DIAGNOSTIC_VERBATIM, recipient.fields.line, detail);
        return;
    };
    let copied = String::from_utf8_lossy(field.untyped());
    let Some((code, rest)) = copied.split_once('-').filter(|(code, _)| code.len() == 3) else { return };
    // Only a text that shows the last line proves that there were more.
    let last = format!("{code} ");
    let shows_last = reply
        .text
        .rsplit(|&octet| octet == b'\n')
        .next()
        .is_some_and(|line| line.starts_with(last.as_bytes()));
    if shows_last && !rest.contains(&last) {
        let detail = "Diagnostic-Code lacks the last line of the reply, which the text shows";
        found.add(RuleId::DSN_DIAGNOSTIC_VERBATIM, field.line, detail);
    }
}

/// Finds failures for which the server itself names a null MX as the reason.
fn null_mx(recipient: &Recipient<'_>, status: EnhancedStatusCode, found: &mut Found) {
    let Some(field) = recipient.fields.get(Name::DiagnosticCode) else { return };
    let is_own = field.typed().is_some_and(|(kind, _)| kind != "smtp" && kind != "lmtp");
    let text = field.unfolded().to_ascii_lowercase().replace(' ', "");
    if is_own && text.contains("nullmx") && (status.subject(), status.detail()) != (1, 10) {
        let line = recipient.line(Name::Status);
        found.add(
            RuleId::DSN_DOMAIN_FAILURE_CODES,
            line,
            format!("Status is {status}, and Diagnostic-Code names a null MX"),
        );
    }
}
