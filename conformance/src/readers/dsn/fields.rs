//! The fields of a report (RFC 3464 §2.1): groups that empty lines separate.

use super::line::Line;
use super::reply_code::reply_code;
use crate::dsn::{Field, Group, Name, Report};
use crate::limits::BOUNCE_RECIPIENTS;

/// Adds the groups of a part to the report.
pub(super) fn read<'a>(lines: impl Iterator<Item = Line<'a>>, report: &mut Report) {
    let mut group = Group::default();
    let mut last = None;
    for line in lines {
        if line.is_blank() {
            keep(std::mem::take(&mut group), report);
            last = None;
        } else {
            last = add(&mut group, line, last);
        }
    }
    keep(group, report);
}

/// Adds a line to a group. `last` is the field that the line before belongs to; the result is that of this line.
fn add(group: &mut Group, line: Line<'_>, last: Option<Name>) -> Option<Name> {
    if group.line == 0 {
        group.line = line.number;
    }
    if line.is_indented() {
        append(group, last, line);
        return last;
    }
    // nullmailer does not indent the further lines of a reply. Such a line may have a colon.
    let is_reply_line = last == Some(Name::DiagnosticCode) && reply_code(line.text).is_some();
    let field = (!is_reply_line).then(|| split(line.text)).flatten();
    let Some((name, value)) = field else {
        // A boundary that was cut off is none of the report's lines.
        if !line.text.starts_with(b"--") {
            group.stray.get_or_insert(line.number);
        }
        append(group, last, line);
        return last;
    };
    let name = Name::find(name)?;
    if group.get(name).is_some() {
        return None;
    }
    let value = value.trim_ascii().to_vec();
    group.fields.push(Field { name, line: line.number, offset: line.offset, value });
    Some(name)
}

fn append(group: &mut Group, last: Option<Name>, line: Line<'_>) {
    let field = last.and_then(|name| group.fields.iter_mut().find(|field| field.name == name));
    if let Some(field) = field {
        field.value.push(b'\n');
        field.value.extend_from_slice(line.trimmed());
    }
}

/// Splits a line into the name of a field (RFC 5322 §3.6.8) and its value.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&octet| octet == b':')?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| (name, &line[colon + 1..]))
}

fn keep(group: Group, report: &mut Report) {
    if group.line == 0 {
        return;
    }
    if group.fields.iter().any(|field| field.name.is_about_recipient()) {
        if report.recipients.len() < BOUNCE_RECIPIENTS {
            report.recipients.push(group);
        } else {
            report.left_out += 1;
        }
    } else if report.message.line == 0 {
        report.message = group;
    } else {
        // A stray empty line splits the fields about the message.
        let known = &mut report.message;
        for field in group.fields {
            if known.get(field.name).is_none() {
                known.fields.push(field);
            }
        }
        known.stray = known.stray.or(group.stray);
    }
}
