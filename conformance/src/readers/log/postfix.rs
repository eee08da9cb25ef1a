//! Reads the log of Postfix.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use memchr::{memchr, memrchr};
use smtp_enhanced_status::EnhancedStatusCode;
use smtp_enhanced_status::explain::Stage;

use super::code::{find_pair, is_code, is_reply, rfind};
use super::command::stage;
use super::folding::split_at_spaces;
use super::{Sink, generic};
use crate::readers::mention::{Direction, Mention};

static STATUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", status="));
static FROM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" from "));
static RELAY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", relay="));

/// Returns whether a tag is that of a program of Postfix: `postfix/smtp`, `mx-out/submission/smtpd`.
pub(super) fn is_program(tag: &[u8]) -> bool {
    memrchr(b'/', tag).is_some_and(|slash| Program::of(&tag[slash + 1..]).is_some())
}

/// The programs of Postfix, by what their lines report.
enum Program {
    /// Delivers to a server: lines show its replies.
    Client,
    /// Talks to clients: lines show Postfix's own replies.
    Server,
    /// Delivers otherwise: a line shows a reply if what it delivers to gave one.
    Agent,
    /// Knows of no replies. A line may quote the header of a message, in which there is a reply.
    Other,
}

impl Program {
    fn of(name: &[u8]) -> Option<Program> {
        Some(match name {
            b"smtp" | b"lmtp" | b"error" | b"retry" | b"discard" => Program::Client,
            b"smtpd" | b"postscreen" | b"cleanup" => Program::Server,
            b"pipe" | b"local" | b"virtual" => Program::Agent,
            b"qmgr" | b"oqmgr" | b"bounce" | b"trace" | b"defer" | b"pickup" | b"anvil" | b"master"
            | b"scache" | b"tlsmgr" | b"tlsproxy" | b"verify" | b"trivial-rewrite" | b"proxymap"
            | b"dnsblog" | b"flush" | b"postfix-script" | b"sendmail" | b"postdrop" | b"postsuper"
            | b"postqueue" | b"showq" | b"postlog" | b"postlogd" => Program::Other,
            _ => return None,
        })
    }
}

/// Reads the message of a line of a program.
pub(super) fn read<'a>(tag: &[u8], message: &'a [u8], sink: &mut Sink<'a, '_>) {
    let name = memrchr(b'/', tag).map_or(tag, |slash| &tag[slash + 1..]);
    match Program::of(name) {
        Some(Program::Client) => read_client(message, sink),
        Some(Program::Server) => read_server(message, sink),
        Some(Program::Agent) => {
            generic::read(message, message, sink);
        }
        Some(Program::Other) | None => {}
    }
}

fn read_client<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    let start = after_recipient(message);
    let mention = match STATUS.find(&message[start..]) {
        Some(position) => delivery(message, start + position),
        None => remark(message),
    };
    if let Some(mention) = mention {
        sink.push(mention);
    }
}

/// Returns where the recipient ends: `to=<a@example.org>`. A quoted local part may have anything in it, such as
/// `, status=sent (250 Ok)`, and who sends a message chooses it.
fn after_recipient(message: &[u8]) -> usize {
    let Some(start) = memmem::find(message, b"to=<").map(|start| start + 4) else { return 0 };
    let mut position = start;
    let mut is_quoted = false;
    while let Some(octet) = message.get(position) {
        match octet {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => position += 1,
            b'>' if !is_quoted => return position,
            _ => {}
        }
        position += 1;
    }
    // There is no second quote.
    start
}

/// Reads the report of a delivery: `to=<...>, relay=..., dsn=5.1.1, status=bounced (host ... said: ...)`.
fn delivery(message: &[u8], position: usize) -> Option<Mention<'_>> {
    let value = position + STATUS.needle().len();
    let open = value + memchr(b'(', &message[value..])? + 1;
    let reason = &message[open..];
    let reason = reason.strip_suffix(b")").unwrap_or(reason);
    let mention = if is_reply(reason) {
        // What Postfix makes up itself has no relay.
        if relay(&message[..position]) == Some(b"none") {
            return None;
        }
        // A probe of an address ends after RCPT.
        let is_probe = message[value..].starts_with(b"deliverable ");
        Mention {
            stage: Some(if is_probe { Stage::Rcpt } else { Stage::Message }),
            host: relay(&message[..position]),
            ..received(split_at_spaces(reason), 0)
        }
    } else {
        quoted(reason)?
    };
    Some(Mention { offset: mention.offset + open, status: verdict(&message[..position]), ..mention })
}

/// Returns the name in `, relay=mx.example.org[192.0.2.1]:25`.
fn relay(message: &[u8]) -> Option<&[u8]> {
    let start = RELAY.find(message)? + RELAY.needle().len();
    let end = message[start..].iter().position(|octet| matches!(octet, b'[' | b','))?;
    (end > 0).then(|| &message[start..start + end])
}

/// Returns the code in `dsn=5.1.1` at the end of a text.
fn verdict(before: &[u8]) -> Option<EnhancedStatusCode> {
    let equals = memrchr(b'=', before)?;
    before[..equals].ends_with(b"dsn").then(|| EnhancedStatusCode::from_bytes(&before[equals + 1..]).ok())?
}

/// Reads the reason for a failed delivery: `host mx.example.org[192.0.2.1] said: 550 5.1.1 ... (in reply to ...)`.
fn quoted(reason: &[u8]) -> Option<Mention<'_>> {
    const SUSPENDED: &[u8] = b"delivery temporarily suspended: ";
    const SAID: &[u8] = b" said: ";
    const IN_REPLY_TO: &[u8] = b"(in reply to ";
    let is_repeat = reason.starts_with(SUSPENDED);
    let start = if is_repeat { SUSPENDED.len() } else { 0 };
    let (skipped, named) = match &reason[start..] {
        [b'h', b'o', b's', b't', b' ', ..] => (5, None),
        rest if rest.starts_with(b"TLS is required, but host ") => (26, Some(Stage::StartTls)),
        rest if rest.starts_with(b"SASL authentication failed; server ") => (35, Some(Stage::Auth)),
        _ => return None,
    };
    let start = start + skipped;
    let name = start + reason[start..].iter().position(|octet| matches!(octet, b'[' | b' '))?;
    let space = name + memchr(b' ', &reason[name..])?;
    let after = &reason[space..];
    let words = [SAID, b" refused to talk to me: ", b" refused to start TLS: "];
    let words = words.into_iter().find(|words| after.starts_with(words))?;
    let text = space + words.len();
    let reply = &reason[text..];
    let (end, command) = match rfind(reply, b'(', IN_REPLY_TO) {
        Some(open) if words == SAID => (open, stage(&reply[open + IN_REPLY_TO.len()..])),
        _ => (reply.len(), named),
    };
    let host = (name > start).then(|| &reason[start..name]);
    let reply = reply[..end].strip_suffix(b" ").unwrap_or(&reply[..end]);
    if is_reply(reply) {
        let mention = received(split_at_spaces(reply), text);
        return Some(Mention { stage: command, host, is_repeat, ..mention });
    }
    // Lines without a code come before the reply, which may answer a later command.
    let begin = find_pair(reply)?;
    Some(Mention { host, is_repeat, ..received(split_at_spaces(&reply[begin..]), text + begin) })
}

/// Reads a line of a client that is not about a delivery.
fn remark(message: &[u8]) -> Option<Mention<'_>> {
    if let Some(mention) = replaced(message).or_else(|| too_long(message)) {
        return Some(mention);
    }
    // `QUEUE-ID: host ... said: ...`: there is another server to try.
    let start = memchr(b' ', message)? + 1;
    let mention = quoted(&message[start..])?;
    Some(Mention { offset: mention.offset + start, ..mention })
}

/// Reads `mx.example.org[192.0.2.1]:25: replacing server reply "550 5.1.1 ..." with "..."`: the first is the server's.
fn replaced(message: &[u8]) -> Option<Mention<'_>> {
    static REPLACING: LazyLock<Finder<'static>> =
        LazyLock::new(|| Finder::new(b": replacing server reply \""));
    static WITH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\" with \""));
    let text = REPLACING.find(message)? + REPLACING.needle().len();
    let reply = &message[text..];
    let reply = &reply[..WITH.find(reply).unwrap_or(reply.len())];
    let host = memchr(b'[', &message[..text]).map(|end| &message[..end]);
    is_reply(reply).then(|| Mention { host, ..received(split_at_spaces(reply), text) })
}

/// Reads `warning: mx.example.org[192.0.2.1]:25: multi-line response longer than 2048 550-5.7.1 ...`: the beginning of
/// a reply that the line about the delivery shows.
fn too_long(message: &[u8]) -> Option<Mention<'_>> {
    static LONGER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" response longer than "));
    let rest = message.strip_prefix(b"warning: ")?;
    let number = LONGER.find(rest)? + LONGER.needle().len();
    let text = number + memchr(b' ', &rest[number..])? + 1;
    let host = memchr(b'[', &rest[..text]).map(|end| &rest[..end]);
    let reply = &rest[text..];
    let offset = message.len() - reply.len();
    let reply = reply.strip_suffix(b"...").unwrap_or(reply);
    is_reply(reply).then(|| Mention { host, is_repeat: true, ..received(Cow::Borrowed(reply), offset) })
}

fn received(reply: Cow<'_, [u8]>, offset: usize) -> Mention<'_> {
    let direction = Direction::Received;
    Mention { reply, direction, stage: None, host: None, status: None, offset, is_repeat: false }
}

/// Reads a rejection: `NOQUEUE: reject: RCPT from client.example.org[192.0.2.1]: 550 5.1.1 ...; from=<...> to=<...>`, or
/// what a proxy filter decided. Whatever another verb reports, the client was told something else.
fn read_server<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some((stage, start, reply)) = filtered(message).or_else(|| rejection(message)) {
        let reply = split_at_spaces(reply);
        let direction = Direction::Sent;
        sink.push(Mention {
            reply,
            direction,
            stage,
            host: None,
            status: None,
            offset: start,
            is_repeat: false,
        });
    }
}

fn rejection(message: &[u8]) -> Option<(Option<Stage>, usize, &[u8])> {
    let verb = memchr(b' ', message)? + 1;
    let colon = verb + memchr(b':', &message[verb..])?;
    if !matches!(&message[verb..colon], b"reject" | b"milter-reject" | b"proxy-reject") {
        return None;
    }
    let event = message.get(colon + 2..)?;
    let begin = colon + 2;
    if event.starts_with(b"header ") || event.starts_with(b"body ") || event.starts_with(b"mime-") {
        return content_rejection(event).map(|(start, reply)| (Some(Stage::Message), begin + start, reply));
    }
    let from = FROM.find(event)?;
    let client = from + FROM.needle().len();
    let mut text = client + memchr(b']', &event[client..])? + 1;
    // postscreen adds the port.
    text += memchr(b' ', &event[text..])? + 1;
    let reply = before_details(&event[text..]);
    is_code(reply).then(|| (stage(&event[..from]), begin + text, reply))
}

/// Reads the reply of a proxy filter, which smtpd passes on to the client: `proxy-reject: END-OF-MESSAGE: 554 5.7.1 ...;
/// from=<...> to=<...>`. An identifier of the message may be before it.
fn filtered(message: &[u8]) -> Option<(Option<Stage>, usize, &[u8])> {
    let verb = if message.starts_with(b"proxy-") { 0 } else { memchr(b' ', message)? + 1 };
    let rest = &message[verb..];
    let event = rest.strip_prefix(b"proxy-reject: ").or(rest.strip_prefix(b"proxy-accept: "))?;
    let colon = memchr(b':', event)?;
    let reply = before_details(event[colon + 1..].strip_prefix(b" ")?);
    let start = message.len() - event.len() + colon + 2;
    is_reply(reply).then(|| (stage(&event[..colon]), start, reply))
}

/// Returns a reply without what smtpd adds: `; from=<...> to=<...> proto=ESMTP helo=<...>`.
fn before_details(reply: &[u8]) -> &[u8] {
    let end = [&b"; from=<"[..], b"; proto="].into_iter().find_map(|words| rfind(reply, b';', words));
    &reply[..end.unwrap_or(reply.len())]
}

/// Reads what cleanup rejects: `body ... from ...; from=<...> ... helo=<...>: 5.7.1 text`. It knows no reply code.
fn content_rejection(event: &[u8]) -> Option<(usize, &[u8])> {
    static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b">: "));
    let name = rfind(event, b'h', b"helo=<")?;
    let text = name + TEXT.find(&event[name..])? + TEXT.needle().len();
    is_code(&event[text..]).then(|| (text, &event[text..]))
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    /// What a delivery begins with.
    const TO: &str = "Nov 28 14:41:09 mx postfix/smtp[122]: B5C86AB2518: to=<u@example.org>, \
                      relay=mx.example.org[192.0.2.1]:25, delay=0.03, delays=0/0.01/0/0.02";

    #[test]
    fn replies_of_servers_are_read() {
        for (rest, expected) in [
            (
                "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4X)",
                "received message mx.example.org dsn=2.0.0 | 250 2.0.0 Ok: queued as 4X",
            ),
            (
                "dsn=2.1.5, status=deliverable (250 2.1.5 Ok)",
                "received rcpt mx.example.org dsn=2.1.5 | 250 2.1.5 Ok",
            ),
            (
                "dsn=5.0.0, status=bounced (host mx2.example.org[192.0.2.2] said: 550 4.2.2 Full (really) (in reply to RCPT TO command))",
                "received rcpt mx2.example.org dsn=5.0.0 | 550 4.2.2 Full (really)",
            ),
            (
                "dsn=5.7.26, status=undeliverable (host mx.example.org[192.0.2.1] said: 550-5.7.26 a 550-5.7.26   550 5.7.26 b (in reply to end of DATA command))",
                "received message mx.example.org dsn=5.7.26 | 550-5.7.26 a\n550-5.7.26  \n550 5.7.26 b",
            ),
            (
                "dsn=4.7.1, status=deferred (host mx.example.org[192.0.2.1] refused to talk to me: 554 5.7.1 no)",
                "received mx.example.org dsn=4.7.1 | 554 5.7.1 no",
            ),
            (
                "dsn=4.7.0, status=deferred (TLS is required, but host mx.example.org[192.0.2.1] refused to start TLS: 454 4.7.0 later)",
                "received starttls mx.example.org dsn=4.7.0 | 454 4.7.0 later",
            ),
            (
                "dsn=4.7.8, status=deferred (SASL authentication failed; server mx.example.org[192.0.2.1] said: 535 5.7.8 no)",
                "received auth mx.example.org dsn=4.7.8 | 535 5.7.8 no",
            ),
            (
                "dsn=4.7.1, status=deferred (delivery temporarily suspended: host mx.example.org[192.0.2.1] refused to talk to me: 421 4.7.0 no)",
                "received mx.example.org dsn=4.7.1 again | 421 4.7.0 no",
            ),
            (
                "dsn=5.0.0, status=bounced (host mx.example.org[192.0.2.1] said: 550 (in reply to RCPT TO command))",
                "received rcpt mx.example.org dsn=5.0.0 | 550",
            ),
            (
                "dsn=5.5.1, status=bounced (host mx.example.org[192.0.2.1] said: Hello 503 5.5.1 need RCPT (in reply to RCPT TO command))",
                "received mx.example.org dsn=5.5.1 | 503 5.5.1 need RCPT",
            ),
            // Cut by the logger.
            (
                "dsn=5.7.1, status=bounced (host mx.example.org[192.0.2.1] said: 550-5.7.1 a 550-5.7.1 b 550-5.7",
                "received mx.example.org dsn=5.7.1 | 550-5.7.1 a\n550-5.7.1 b",
            ),
        ] {
            check(&[(&format!("{TO}, {rest}"), &[expected])]);
        }
    }

    #[test]
    fn what_is_no_reply_is_left_out() {
        for rest in [
            "dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection refused)",
            "dsn=5.3.4, status=bounced (message size 5422 exceeds size limit 1000 of server mx.example.org[192.0.2.1])",
            "dsn=4.4.2, status=deferred (lost connection with mx.example.org[192.0.2.1] while sending RCPT TO)",
            "dsn=2.0.0, status=sent (delivered to mailbox)",
        ] {
            check(&[(&format!("{TO}, {rest}"), &[])]);
        }
        let forged = "Nov 28 14:41:09 mx postfix/smtp[1]: B5: to=<\"a, status=sent (250 2.0.0 forged)\"@example.org>, relay=none, \
                      delay=1, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection refused)";
        let made_up = "Nov 28 14:41:09 mx postfix/error[1]: B5: to=<a@example.org>, relay=none, delay=1, dsn=5.1.1, \
                       status=bounced (550 5.1.1 no such domain)";
        check(&[(forged, &[]), (made_up, &[])]);
        check(&[
            (
                "Nov 28 14:41:09 mx postfix/smtpd[1]: NOQUEUE: warn: RCPT from a.example.org[192.0.2.1]: 550 5.7.1 x; from=<a@example.org>",
                &[],
            ),
            (
                "Nov 28 14:41:09 mx postfix/smtpd[1]: NOQUEUE: reject_warning: RCPT from a.example.org[192.0.2.1]: 550 5.7.1 x; from=<a@example.org>",
                &[],
            ),
            (
                "Nov 28 14:41:09 mx postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [192.0.2.1]:3666: too many connections",
                &[],
            ),
            (
                "Nov 28 14:41:09 mx postfix/cleanup[1]: B5: warning: header Subject: said: 550 5.1.1 x from a[192.0.2.1]; from=<>",
                &[],
            ),
            (
                "Nov 28 14:41:09 mx postfix/qmgr[1]: B5: from=<550 5.1.1@example.org>, size=250, nrcpt=1 (queue active)",
                &[],
            ),
        ]);
    }

    #[test]
    fn remarks_of_the_client_are_read() {
        check(&[
            (
                "Nov 28 14:41:09 mx postfix/smtp[1]: mx.example.org[192.0.2.1]:25: replacing server reply \"552 5.3.4 \"big\"\" with \"452 4.3.4 big\"",
                &["received mx.example.org | 552 5.3.4 \"big\""],
            ),
            (
                "Nov 28 14:41:09 mx postfix/smtp[1]: warning: mx.example.org[192.0.2.1]:25: multi-line response longer than 2048 550-5.7.1 Line 01: thi...",
                &["received mx.example.org again | 550-5.7.1 Line 01: thi"],
            ),
            (
                "Nov 28 14:41:09 mx postfix/smtp[1]: B5: host mx.example.org[192.0.2.1] said: 451 4.3.0 x (in reply to DATA command)",
                &["received data mx.example.org | 451 4.3.0 x"],
            ),
        ]);
    }

    #[test]
    fn own_replies_are_read() {
        for (rest, expected) in [
            (
                "smtpd[1]: NOQUEUE: reject: RCPT from a.example.org[192.0.2.1]: 550 5.1.1 <u@example.org>: no; from=<a@example.org> to=<u@example.org> proto=ESMTP helo=<a>",
                "sent rcpt | 550 5.1.1 <u@example.org>: no",
            ),
            (
                "smtpd[1]: B5: reject: RCPT from a[2001:db8::1]: 450 4.1.1 <u@example.org>: unverified address: host mx.example.org[192.0.2.1] said: 451 4.7.1 x (in reply to RCPT TO command); from=<a@example.org> to=<u@example.org>",
                "sent rcpt | 450 4.1.1 <u@example.org>: unverified address: host mx.example.org[192.0.2.1] said: 451 4.7.1 x (in reply to RCPT TO command)",
            ),
            (
                "smtpd[1]: NOQUEUE: reject: CONNECT from a[192.0.2.1]: 554 5.7.1 no; proto=SMTP",
                "sent connect | 554 5.7.1 no",
            ),
            (
                "submission/smtpd[1]: B5: reject: END-OF-MESSAGE from a[192.0.2.1]: 554 5.7.0 no; from=<a@example.org>",
                "sent message | 554 5.7.0 no",
            ),
            (
                "smtpd[1]: proxy-reject: END-OF-MESSAGE: 554 5.7.1 spam from you; from=<a@example.org> to=<u@example.org> proto=ESMTP helo=<a>",
                "sent message | 554 5.7.1 spam from you",
            ),
            (
                "smtpd[1]: NOQUEUE: proxy-accept: END-OF-MESSAGE: 250-2.0.0 a 250 2.0.0 b; from=<a@example.org> to=<u@example.org>",
                "sent message | 250-2.0.0 a\n250 2.0.0 b",
            ),
            (
                "smtpd[1]: B5: proxy-reject: END-OF-MESSAGE from a[192.0.2.1]: 554 5.7.1 no; from=<a@example.org>",
                "sent message | 554 5.7.1 no",
            ),
            (
                "postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.1]:37957: 550 5.5.1 Protocol error; from=<a@example.org>, to=<u@example.org>",
                "sent rcpt | 550 5.5.1 Protocol error",
            ),
            (
                "cleanup[1]: B5: reject: body 550 5.9.9 x from a[192.0.2.1]; from=<a@example.org> to=<u@example.org> proto=ESMTP helo=<a>: 5.7.1 spam",
                "sent message | 5.7.1 spam",
            ),
            (
                "cleanup[1]: B5: milter-reject: END-OF-MESSAGE from a[192.0.2.1]: 5.7.1 Blocked; from=<a@example.org> to=<u@example.org>",
                "sent message | 5.7.1 Blocked",
            ),
        ] {
            check(&[(&format!("Nov 28 14:41:09 mx postfix/{rest}"), &[expected])]);
        }
    }

    #[test]
    fn the_form_of_the_log_does_not_matter() {
        let message =
            "B5: host mx.example.org[192.0.2.1] said: 550 5.1.1 \\\"x\\\" (in reply to RCPT TO command)";
        let plain = message.replace('\\', "");
        let octets: Vec<String> = plain.bytes().map(|octet| octet.to_string()).collect();
        let expected = "received rcpt mx.example.org | 550 5.1.1 \"x\"";
        for line in [
            format!("2026-11-28T14:41:09.123456+01:00 mx postfix/smtp[1]: {plain}"),
            format!("2026-11-28T14:41:09+0000 mx postfix-out/relay/smtp[1]: {plain}"),
            format!("<22>1 2026-11-28T14:41:09Z mx postfix/lmtp 12 - - {plain}"),
            format!("Nov 28 14:41:09 mx mail.info postfix/smtp[1]: {plain}\r"),
            format!("{{\"MESSAGE\":\"{message}\",\"SYSLOG_IDENTIFIER\":\"postfix/smtp\"}}"),
            format!("{{\"log\":\"Nov 28 14:41:09 mx postfix/smtp[1]: {message}\\n\",\"stream\":\"stdout\"}}"),
        ] {
            check(&[(&line, &[expected])]);
        }
        // The name of the host is not in the line as it is.
        let line =
            format!("{{\"MESSAGE\" : [ {} ], \"SYSLOG_IDENTIFIER\" : \"postfix/smtp\"}}", octets.join(", "));
        check(&[(&line, &["received rcpt | 550 5.1.1 \"x\""])]);
    }
}
