//! Rules about the form of a bounce: which fields it has, and how they are written.

use super::{Found, Recipient};
use crate::dsn::{Field, Group, Name, StatusPart};
use crate::rules::catalogue::RuleId;

const ACTIONS: [&str; 5] = ["failed", "delayed", "delivered", "relayed", "expanded"];

pub(super) fn judge(recipient: &Recipient<'_>, found: &mut Found) {
    let fields = recipient.fields;
    for name in [Name::FinalRecipient, Name::Action] {
        present(fields, name, fields.line, found);
    }
    match fields.get(Name::Status) {
        Some(field) => status(field, found),
        None => found.add(RuleId::DSN_STATUS_PRESENT, fields.line, format!("no Status{}", of(fields))),
    }
    if let Some(action) = recipient.action() {
        let line = recipient.line(Name::Action);
        if !ACTIONS.contains(&action.as_str()) {
            found.add(RuleId::DSN_ACTION_KNOWN, line, format!("Action is {action:?}"));
        } else if action != "delayed" && fields.get(Name::WillRetryUntil).is_some() {
            let line = recipient.line(Name::WillRetryUntil);
            found.add(
                RuleId::DSN_RETRY_WHILE_DELAYED,
                line,
                format!("Will-Retry-Until, but Action is {action}"),
            );
        }
    }
    form(fields, found);
}

pub(super) fn judge_message(part: &StatusPart, fields: &Group, found: &mut Found) {
    present(fields, Name::ReportingMta, part.line, found);
    form(fields, found);
    if let Some(line) = part.eight_bit.filter(|_| !part.is_global) {
        found.add(RuleId::DSN_SEVEN_BIT, line, "octets above 127 in message/delivery-status");
    }
    // The report may be a part of another message, such as one that passes it on.
    match (part.container.as_deref(), part.report_type.as_deref()) {
        (Some("multipart/report"), Some("delivery-status")) | (None, _) => {}
        (Some("multipart/report"), _) if part.is_global => {}
        (Some("multipart/report"), Some(other)) => {
            found.add(RuleId::DSN_IN_REPORT, part.line, format!("report-type is {other}"));
        }
        (Some("multipart/report"), None) => {
            found.add(RuleId::DSN_IN_REPORT, part.line, "multipart/report without report-type");
        }
        (Some(other), _) => found.add(RuleId::DSN_IN_REPORT, part.line, format!("the fields are in {other}")),
    }
}

fn present(fields: &Group, name: Name, line: usize, found: &mut Found) {
    if fields.get(name).is_none() {
        let of = if name == Name::Action { of(fields) } else { String::new() };
        found.add(RuleId::DSN_FIELDS_PRESENT, line, format!("no {}{of}", name.as_str()));
    }
}

/// Names the recipient of a group.
fn of(fields: &Group) -> String {
    let recipient =
        fields.get(Name::FinalRecipient).map(|field| String::from_utf8_lossy(field.untyped()).into_owned());
    recipient.map_or_else(String::new, |recipient| format!(" for {recipient}"))
}

fn status(field: &Field, found: &mut Found) {
    let code = field.without_comment();
    if !is_status(&code) {
        found.add(RuleId::DSN_STATUS_FORM, field.line, format!("Status is {:?}", field.unfolded()));
    } else if !code.starts_with(['2', '4', '5']) {
        found.add(RuleId::DSN_STATUS_CLASS, field.line, format!("Status is {code}"));
    }
}

/// Returns whether a text is a status-code of RFC 3464 §2.3.4, whatever its class is.
fn is_status(text: &str) -> bool {
    let mut numbers = text.split('.');
    let is_class = numbers.next().is_some_and(|class| matches!(class.as_bytes(), [b'0'..=b'9']));
    let is_number = |number: &str| {
        let is_digits = number.bytes().all(|octet| octet.is_ascii_digit());
        is_digits && (1..=3).contains(&number.len()) && (number == "0" || !number.starts_with('0'))
    };
    let rest: Vec<bool> = numbers.take(3).map(is_number).collect();
    is_class && rest == [true, true]
}

/// Checks types and lines, which all fields have.
fn form(fields: &Group, found: &mut Found) {
    const TYPED: [Name; 5] = [
        Name::ReportingMta,
        Name::OriginalRecipient,
        Name::FinalRecipient,
        Name::RemoteMta,
        Name::DiagnosticCode,
    ];
    for field in fields.fields.iter().filter(|field| TYPED.contains(&field.name) && field.typed().is_none()) {
        let detail = format!("{} has no type: {:?}", field.name.as_str(), field.unfolded());
        found.add(RuleId::DSN_FIELDS_TYPED, field.line, detail);
    }
    if let Some(line) = fields.stray {
        found.add(RuleId::DSN_LINES_FOLDED, line, "the line is neither a field nor indented");
    }
}
