//! Reads the events of KumoMTA, Amazon SES and Mailgun: JSON objects. Made from their documentation: untested against
//! real logs.

use std::borrow::Cow;

use smtp_enhanced_status::EnhancedStatusCode;
use smtp_enhanced_status::explain::Stage;

use super::Sink;
use super::code::{is_enhanced, is_reply};
use super::command::stage;
use super::json::{Members, Value};
use crate::readers::mention::{Direction, Mention};

/// Reads a line that is an event, and returns whether it is one.
pub(super) fn read<'a>(line: &'a [u8], sink: &mut Sink<'a, '_>) -> bool {
    let object = Object { line, value: Value::whole(line) };
    if let Some(response) = object.get(b"response").filter(|response| response.get(b"code").is_some()) {
        kumomta(object, response, sink);
        return true;
    }
    let event = object.get(b"event-data").unwrap_or(object);
    if let Some(status) = event.get(b"delivery-status") {
        mailgun(status, sink);
        return true;
    }
    let is_ses = object.get(b"eventType").or(object.get(b"notificationType")).is_some();
    if is_ses {
        ses(object, sink);
    }
    is_ses
}

/// A value in a line.
#[derive(Clone, Copy)]
struct Object<'a> {
    line: &'a [u8],
    value: Value,
}

impl<'a> Object<'a> {
    fn get(self, key: &[u8]) -> Option<Object<'a>> {
        let (_, value) = Members::within(self.line, self.value).find(|(name, _)| *name == key)?;
        Some(Object { line: self.line, value })
    }

    /// Returns the content of a string.
    fn text(self) -> Option<Cow<'a, [u8]>> {
        self.value.text(self.line)
    }

    /// Returns the content of a string in which nothing is escaped.
    fn name(self) -> Option<&'a [u8]> {
        self.value.plain(self.line).filter(|name| !name.is_empty())
    }

    fn code(self) -> Option<EnhancedStatusCode> {
        EnhancedStatusCode::from_bytes(self.name()?).ok()
    }

    /// Returns a number as it is written.
    fn number(self) -> Option<&'a [u8]> {
        let digits = self.value.octets(self.line);
        (!digits.is_empty() && digits.len() < 10 && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
    }
}

/// Reads the `response` of a log record: `{"code":550,"enhanced_code":{..},"content":"..","command":"DATA"}`.
fn kumomta<'a>(record: Object<'a>, response: Object<'a>, sink: &mut Sink<'a, '_>) {
    let direction = match record.get(b"type").and_then(Object::name) {
        Some(b"Reception" | b"Rejection") => Direction::Sent,
        Some(b"Delivery" | b"Bounce" | b"TransientFailure") => Direction::Received,
        // KumoMTA makes the others up.
        _ => return,
    };
    let Some(code) = response.get(b"code").and_then(Object::number) else { return };
    let content = response.get(b"content").and_then(Object::text).unwrap_or_default();
    if content.starts_with(b"KumoMTA internal") {
        return;
    }
    let part = |enhanced: Object<'a>, name: &[u8]| enhanced.get(name).and_then(Object::number);
    let enhanced = response.get(b"enhanced_code").and_then(|enhanced| {
        Some([part(enhanced, b"class")?, part(enhanced, b"subject")?, part(enhanced, b"detail")?].join(&b'.'))
    });
    let mut reply = code.to_vec();
    for part in enhanced.iter().map(Vec::as_slice).chain([&content[..]]) {
        reply.push(b' ');
        reply.extend(part.iter().map(|octet| if matches!(octet, b'\n' | b'\r') { b' ' } else { *octet }));
    }
    let command = response.get(b"command").and_then(Object::text).unwrap_or_default();
    let host = record.get(b"peer_address").and_then(|peer| peer.get(b"name")?.name());
    let host = host.filter(|_| direction == Direction::Received);
    push(sink, Cow::Owned(reply), direction, stage(&command), host, None, response.value);
}

/// Reads the `delivery-status` of an event: `{"code":550,"message":"5.1.1 ..","mx-host":"mx.example.org",..}`. The
/// message may have the reply code, or not.
fn mailgun<'a>(status: Object<'a>, sink: &mut Sink<'a, '_>) {
    let text = |name: &[u8]| status.get(name).and_then(Object::text).filter(|text| !text.is_empty());
    let Some(message) = text(b"message").or_else(|| text(b"description")) else { return };
    let reply = if is_reply(&message) {
        message
    } else {
        let Some(code) = status.get(b"code").and_then(Object::number) else { return };
        Cow::Owned([code, b" ", &message].concat())
    };
    let verdict = status.get(b"enhanced-code").and_then(Object::code);
    let host = status.get(b"mx-host").and_then(Object::name);
    push(sink, reply, Direction::Received, None, host, verdict, status.value);
}

/// Reads a bounce, a delay or a delivery of SES.
fn ses<'a>(event: Object<'a>, sink: &mut Sink<'a, '_>) {
    for (kind, recipients) in
        [(&b"bounce"[..], &b"bouncedRecipients"[..]), (b"deliveryDelay", b"delayedRecipients")]
    {
        let Some(list) = event.get(kind).and_then(|details| details.get(recipients)) else { continue };
        for value in list.value.elements(list.line) {
            let recipient = Object { line: list.line, value };
            let Some(diagnostic) = recipient.get(b"diagnosticCode") else { continue };
            let text = diagnostic.text().unwrap_or_default();
            let verdict = recipient.get(b"status").and_then(Object::code);
            let reply = Cow::Owned(without_type(&text).to_vec());
            push(sink, reply, Direction::Received, None, None, verdict, diagnostic.value);
        }
    }
    if let Some(response) = event.get(b"delivery").and_then(|delivery| delivery.get(b"smtpResponse")) {
        let reply = response.text().unwrap_or_default();
        push(sink, reply, Direction::Received, Some(Stage::Message), None, None, response.value);
    }
}

/// Removes the type of a diagnostic code (RFC 3464 §2.3.6).
pub(super) fn without_type(diagnostic: &[u8]) -> &[u8] {
    match diagnostic.split_at_checked(5) {
        Some((kind, text)) if kind.eq_ignore_ascii_case(b"smtp;") => text.trim_ascii_start(),
        _ => diagnostic,
    }
}

fn push<'a>(
    sink: &mut Sink<'a, '_>,
    reply: Cow<'a, [u8]>,
    direction: Direction,
    stage: Option<Stage>,
    host: Option<&'a [u8]>,
    status: Option<EnhancedStatusCode>,
    value: Value,
) {
    // Some codes are the service's own: Mailgun has 605.
    if is_reply(&reply) || is_enhanced(&reply) {
        let offset = value.start();
        sink.push(Mention { reply, direction, stage, host, status, offset, is_repeat: false });
    }
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn records_of_kumomta_are_read() {
        check(&[
            (
                r#"{"type":"Bounce","id":"1d","peer_address":{"name":"mx.example.org.","addr":"192.0.2.1"},"response":{"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"no \"user\"\nsee","command":"RCPT TO"}}"#,
                &["received rcpt mx.example.org. | 550 5.1.1 no \"user\" see"],
            ),
            (
                r#"{"type":"TransientFailure","response":{"code":451,"enhanced_code":null,"content":"later","command":"."}}"#,
                &["received message | 451 later"],
            ),
            (
                r#"{"type":"Reception","response":{"code":250,"enhanced_code":null,"content":"","command":null}}"#,
                &["sent | 250 "],
            ),
            (r#"{"type":"Expiration","response":{"code":551,"content":"5.4.7 too old"}}"#, &[]),
            (
                r#"{"type":"TransientFailure","response":{"code":400,"content":"KumoMTA internal: failed to connect"}}"#,
                &[],
            ),
        ]);
    }

    #[test]
    fn events_of_mailgun_are_read() {
        check(&[
            (
                r#"{"event":"failed","delivery-status":{"attempt-no":1,"message":"5.1.1 none","code":550,"enhanced-code":"5.1.1","mx-host":"mx.example.org"}}"#,
                &["received mx.example.org dsn=5.1.1 | 550 5.1.1 none"],
            ),
            (
                r#"{"signature":{},"event-data":{"event":"failed","delivery-status":{"message":"550 5.7.1 no","code":550}}}"#,
                &["received | 550 5.7.1 no"],
            ),
            (
                r#"{"delivery-status":{"message":"","description":"Not delivering to previously bounced address","code":605}}"#,
                &[],
            ),
        ]);
    }

    #[test]
    fn events_of_ses_are_read() {
        check(&[
            (
                r#"{"eventType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"u@example.org","action":"failed","status":"5.0.0","diagnosticCode":"smtp; 550 5.1.1 no"},{"diagnosticCode":"Amazon SES has suppressed sending"}]}}"#,
                &["received dsn=5.0.0 | 550 5.1.1 no"],
            ),
            (
                r#"{"eventType":"DeliveryDelay","deliveryDelay":{"delayedRecipients":[{"status":"4.4.1","diagnosticCode":"smtp; 421 4.4.1 no"}]}}"#,
                &["received dsn=4.4.1 | 421 4.4.1 no"],
            ),
            (
                r#"{"Type":"Notification","Message":"{\"notificationType\":\"Delivery\",\"delivery\":{\"smtpResponse\":\"250 2.6.0 Message \\\"a\\\"\"}}"}"#,
                &["received message | 250 2.6.0 Message \"a\""],
            ),
        ]);
    }
}
