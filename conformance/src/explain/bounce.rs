//! Finds the replies in the report of a failed delivery: the fields of a delivery status notification (RFC 3464).

use smtp_enhanced_status::EnhancedStatusCode;

use super::inquiry::Inquiry;

/// The maximum number of recipients that are read.
const RECIPIENTS: usize = 1000;

/// Returns the reply for each recipient that a text has the fields of; nothing if it is no such report.
pub(super) fn read(text: &[u8]) -> Vec<Inquiry> {
    let text = String::from_utf8_lossy(text);
    let mut inquiries = Vec::new();
    let mut fields = Fields::default();
    for line in text.lines() {
        if line.trim().is_empty() {
            inquiries.extend(std::mem::take(&mut fields).inquiry());
        } else {
            fields.add(line);
        }
        if inquiries.len() == RECIPIENTS {
            return inquiries;
        }
    }
    inquiries.extend(fields.inquiry());
    inquiries
}

/// The fields about a recipient.
#[derive(Default)]
struct Fields {
    recipient: String,
    status: String,
    diagnostic: String,
    host: String,
    last: Option<Field>,
}

#[derive(Clone, Copy)]
enum Field {
    Recipient,
    Status,
    Diagnostic,
    Host,
}

impl Fields {
    fn add(&mut self, line: &str) {
        // A line that begins with white space continues the field before it (RFC 5322 §2.2.3).
        if line.starts_with([' ', '\t']) {
            if let Some(field) = self.last {
                let value = self.value(field);
                value.push(' ');
                value.push_str(line.trim());
            }
            return;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        self.last = match name.trim_end().to_ascii_lowercase().as_str() {
            "final-recipient" => Some(Field::Recipient),
            "status" => Some(Field::Status),
            "diagnostic-code" => Some(Field::Diagnostic),
            "remote-mta" => Some(Field::Host),
            _ => None,
        };
        if let Some(field) = self.last {
            value.trim().clone_into(self.value(field));
        }
    }

    fn value(&mut self, field: Field) -> &mut String {
        match field {
            Field::Recipient => &mut self.recipient,
            Field::Status => &mut self.status,
            Field::Diagnostic => &mut self.diagnostic,
            Field::Host => &mut self.host,
        }
    }

    /// Returns the reply, if there are fields. The server that made the report has its own code: that decides whether
    /// it tries again.
    fn inquiry(self) -> Option<Inquiry> {
        if self.recipient.is_empty() || (self.status.is_empty() && self.diagnostic.is_empty()) {
            return None;
        }
        let status = self.status.split_ascii_whitespace().next().unwrap_or_default();
        let reply = without_type(&self.diagnostic);
        let own = EnhancedStatusCode::from_bytes(status.as_bytes()).ok();
        let reply = match own {
            Some(own) if reply.is_empty() => own.to_string(),
            Some(own) if class_of(reply) != Some(own.class().digit()) && !reply.contains(" said: ") => {
                format!("{own} said: {reply}")
            }
            _ => reply.to_owned(),
        };
        let host = without_type(&self.host);
        Some(Inquiry {
            recipient: Some(without_type(&self.recipient).to_owned()),
            host: (!host.is_empty()).then(|| host.to_owned()),
            ..Inquiry::new(reply.as_bytes())
        })
    }
}

/// Removes the type in front of a value: `rfc822; a@example.org`.
fn without_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, value)| value).trim()
}

/// Returns the first digit of the code that a reply begins with.
fn class_of(reply: &str) -> Option<u8> {
    let digits = reply.bytes().take_while(u8::is_ascii_digit).count();
    let first = reply.bytes().next()?;
    (digits == 3 || digits == 1).then(|| first - b'0')
}

#[cfg(test)]
mod tests {
    use super::read;

    const REPORT: &str = "\
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sun, 29 Nov 2026 05:00:00 +0000

Final-Recipient: rfc822; a@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1
    No such user

Final-Recipient: rfc822; b@example.net
Action: delayed
Status: 4.0.0
Diagnostic-Code: smtp; 554 Refused

Final-Recipient: rfc822; c@example.net
Action: failed
Status: 5.4.4
";

    #[test]
    fn a_report_has_a_reply_for_each_recipient() {
        let inquiries = read(REPORT.as_bytes());
        let replies: Vec<(Option<&str>, &str, Option<&str>)> = inquiries
            .iter()
            .map(|one| (one.recipient.as_deref(), str::from_utf8(&one.reply).unwrap(), one.host.as_deref()))
            .collect();
        assert_eq!(
            replies,
            [
                (Some("a@example.net"), "550 5.1.1 No such user", Some("mx.example.net")),
                (Some("b@example.net"), "4.0.0 said: 554 Refused", None),
                (Some("c@example.net"), "5.4.4", None),
            ]
        );
        assert!(read(b"550 5.1.1 No such user").is_empty());
        assert!(read(b"Status: 5.1.1\n").is_empty());
    }
}
