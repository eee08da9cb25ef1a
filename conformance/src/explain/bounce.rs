//! Finds the replies in the report of a failed delivery: in the fields of a delivery status notification (RFC 3464), or in
//! paragraphs that begin with the address of a recipient.

use smtp_enhanced_status::EnhancedStatusCode;
use smtp_enhanced_status::explain::explain;

use super::inquiry::Inquiry;

/// Returns the reply for each recipient that a text reports, but not more than a number of them; nothing if it is no such
/// report.
pub(super) fn read(text: &[u8], most: usize) -> Vec<Inquiry> {
    let text = without_returned(&String::from_utf8_lossy(text));
    let inquiries = fields(&text, most);
    if inquiries.is_empty() { paragraphs(&text, most) } else { inquiries }
}

/// Removes the message that a report returns, whose sender may have written anything into it.
fn without_returned(text: &str) -> String {
    const TYPES: [&str; 4] =
        ["message/rfc822", "text/rfc822-headers", "message/global-headers", "message/global\""];
    let mut kept = String::new();
    let mut boundary = None;
    let mut is_returned = false;
    // Only in a mailbox does no line of a message begin like the line between two messages.
    let is_mailbox = text.starts_with("From ");
    for line in text.lines() {
        let lower = line.to_ascii_lowercase();
        if is_returned {
            let is_next_part = boundary.is_some_and(|boundary| line.starts_with(boundary));
            let is_next_message = is_mailbox && line.starts_with("From ");
            is_returned = !is_next_part && !is_next_message;
        } else if lower.contains("copy of the message") || lower.contains("copy of your message") {
            (boundary, is_returned) = (None, true);
        } else if line.len() > 2 && line.starts_with("--") {
            boundary = Some(line);
        } else if lower.starts_with("content-type:") {
            let value = lower.trim_start_matches("content-type:").trim();
            let value = format!("{}\"", value.split(';').next().unwrap_or_default().trim());
            is_returned = TYPES.iter().any(|returned| value.starts_with(returned));
        }
        if !is_returned {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Reads paragraphs such as `<a@example.org>: host mx.example.org said: 550 5.1.1 No such user`.
fn paragraphs(text: &str, most: usize) -> Vec<Inquiry> {
    let mut inquiries = Vec::new();
    for paragraph in text.split("\n\n") {
        let paragraph = paragraph.trim();
        let (first, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let start = match first.split_once(':') {
            Some((address, after)) => Some((address, format!("{after}\n{rest}"))),
            None => Some((first, rest.to_owned())),
        };
        let Some((address, reply)) = start else { continue };
        let address = address.trim().trim_start_matches('<').trim_end_matches('>');
        let is_address = address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !address.contains([' ', '<', '>'])
        });
        if inquiries.len() == most {
            break;
        }
        if is_address && has_code(&reply) {
            let reply = reply.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            inquiries.push(Inquiry { recipient: Some(address.to_owned()), ..Inquiry::new(reply.as_bytes()) });
        }
    }
    inquiries
}

fn has_code(reply: &str) -> bool {
    let answer = explain(reply.as_bytes());
    answer.reply_code().is_some() || answer.enhanced().is_some()
}

fn fields(text: &str, most: usize) -> Vec<Inquiry> {
    let mut inquiries = Vec::new();
    let mut fields = Fields::default();
    for line in text.lines() {
        if line.trim().is_empty() {
            inquiries.extend(std::mem::take(&mut fields).inquiry());
        } else {
            fields.add(line);
        }
        if inquiries.len() == most {
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
        let (status, comment) = self.status.split_once([' ', '(']).unwrap_or((&self.status, ""));
        let comment = comment.trim_matches(['(', ')', ' ']);
        let is_from_status = self.diagnostic.is_empty();
        let reply = if is_from_status { comment } else { without_type(&self.diagnostic) };
        let own = EnhancedStatusCode::from_bytes(status.as_bytes()).ok();
        let reply = match own {
            Some(own) if reply.is_empty() => own.to_string(),
            Some(own) if class_of(reply) != Some(own.class().digit()) && !reply.contains(" said: ") => {
                format!("{own} said: {reply}")
            }
            _ => reply.to_owned(),
        };
        // Some write the address in brackets after the name.
        let host = without_type(&self.host).split([' ', '(']).next().unwrap_or_default();
        Some(Inquiry {
            recipient: Some(without_type(&self.recipient).to_owned()),
            is_from_status,
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
    use super::Inquiry;

    fn read(text: &[u8]) -> Vec<Inquiry> {
        super::read(text, 1000)
    }

    const REPORT: &str = "\
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sun, 29 Nov 2026 05:00:00 +0000

Final-Recipient: rfc822; a@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net (192.0.2.1)
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
        assert_eq!(inquiries.iter().map(|one| one.is_from_status).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn the_returned_message_is_not_read() {
        let returned = format!(
            "--b1\nContent-Type: message/delivery-status\n\n{REPORT}\n--b1\nContent-Type: message/rfc822\n\n\
             Final-Recipient: rfc822; victim@example.org\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No\n\n--b1--\n"
        );
        let recipients = |text: &str| -> Vec<String> {
            read(text.as_bytes()).into_iter().filter_map(|one| one.recipient).collect()
        };
        assert_eq!(recipients(&returned), ["a@example.net", "b@example.net", "c@example.net"]);
        // What looks like the next message of a mailbox may be a line of the returned one.
        let forged = returned.replace("rfc822\n\nFinal", "rfc822\n\nFrom x\n\nFinal");
        assert_ne!(forged, returned);
        assert_eq!(recipients(&forged), ["a@example.net", "b@example.net", "c@example.net"]);
        assert_eq!(recipients(&format!("From x\n{returned}From y\n{returned}")).len(), 6);
    }

    #[test]
    fn paragraphs_name_their_recipients() {
        let qmail = "Hi. This is the qmail-send program.\n\n<a@example.net>:\n192.0.2.1 does not like recipient.\n\
                     Remote host said: 550 5.1.1 No such user\nGiving up on 192.0.2.1.\n\n\
                     --- Below this line is a copy of the message.\n\n<victim@example.org>: 550 5.1.1 No\n";
        let inquiries = read(qmail.as_bytes());
        assert_eq!(inquiries.len(), 1);
        assert_eq!(inquiries[0].recipient.as_deref(), Some("a@example.net"));
        assert!(inquiries[0].reply.ends_with(b"Giving up on 192.0.2.1."));
    }

    #[test]
    fn the_comment_of_a_status_is_read() {
        let report = b"Final-Recipient: rfc822; a@example.net\nStatus: 5.1.2 (550 Tried all MXs)\n";
        assert_eq!(read(report)[0].reply, b"550 Tried all MXs");
    }
}
