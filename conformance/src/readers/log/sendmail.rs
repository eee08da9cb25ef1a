//! Reads the log of Sendmail.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;
use smtp_enhanced_status::EnhancedStatusCode;
use smtp_enhanced_status::explain::Stage;

use super::Sink;
use super::code::{is_reply, rfind};
use super::folding::unescape;
use crate::readers::mention::{Direction, Mention};

static REPLY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", reply="));
static LOCAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", mailer=local,"));
static VERDICT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", dsn="));
static RELAY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", relay="));
static REJECT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b", reject="));

/// Returns whether a tag is Sendmail's: `sendmail`, `sm-mta`, `sm-msp-queue`.
pub(super) fn is_program(tag: &[u8]) -> bool {
    tag.starts_with(b"sendmail") || tag.starts_with(b"sm-")
}

/// Reads the message of a line.
pub(super) fn read<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = delivery(message).or_else(|| rejection(message)) {
        sink.push(mention);
    }
}

/// Reads a delivery: `to=<..>, .., relay=mx.example.org. [192.0.2.1], dsn=5.1.1, reply=550-5.1.1 .., stat=..`.
///
/// `reply=` has the first line of the server's reply; `stat=` shows it again, or says what Sendmail thinks. Releases
/// without `reply=` have the server's reply to a deferral in `stat=`.
fn delivery(message: &[u8]) -> Option<Mention<'_>> {
    const DEFERRED: &[u8] = b"Deferred: ";
    const STATUS: &[u8] = b", stat=";
    let status = rfind(message, b',', STATUS)?;
    let (text, end) = if let Some(reply) = REPLY.find(&message[..status]) {
        (reply + REPLY.needle().len(), status)
    } else {
        let text = status + STATUS.len();
        (text + message[text..].starts_with(DEFERRED).then_some(DEFERRED.len())?, message.len())
    };
    let reply = &message[text..end];
    if !is_reply(reply) || is_own(reply) {
        return None;
    }
    let direction = Direction::Received;
    let head = &message[..text];
    // What a local mailer says was never sent over SMTP.
    if LOCAL.find(head).is_some() {
        return None;
    }
    let (host, status) = (host(head), verdict(head));
    Some(Mention {
        reply: unescape(reply),
        direction,
        stage: None,
        host,
        status,
        offset: text,
        is_repeat: false,
    })
}

/// Returns whether Sendmail made a reply up, because the server gave none or did not satisfy its policy.
fn is_own(reply: &[u8]) -> bool {
    const OWN: [&[u8]; 7] = [
        b"421 4.4.1 Connection reset by ",
        b"421 4.4.2 Connection timed out",
        b"451 4.4.1 reply: read error from ",
        b"454 4.7.0 encryption too weak",
        b"454 4.7.0 TLS handshake failed",
        b"403 4.7.0 ",
        b"451 4.4.0 Local socket",
    ];
    OWN.iter().any(|own| reply.starts_with(own))
}

/// Returns the name in `, relay=mx.example.org. [192.0.2.1]`.
fn host(head: &[u8]) -> Option<&[u8]> {
    let start = RELAY.find(head)? + RELAY.needle().len();
    let length = head[start..].iter().position(|octet| matches!(octet, b',' | b' '))?;
    let name = &head[start..start + length];
    let name = name.strip_suffix(b".").unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

fn verdict(head: &[u8]) -> Option<EnhancedStatusCode> {
    let start = VERDICT.find(head)? + VERDICT.needle().len();
    let length = memchr(b',', &head[start..])?;
    EnhancedStatusCode::from_bytes(&head[start..start + length]).ok()
}

/// Reads what a ruleset or a milter rejects: `ruleset=check_rcpt, arg1=<..>, relay=.., reject=550 5.7.1 ..`,
/// `Milter: to=<..>, reject=451 4.3.2 ..`.
fn rejection(message: &[u8]) -> Option<Mention<'_>> {
    let position = REJECT.find(message)?;
    let text = position + REJECT.needle().len();
    let reply = &message[text..];
    if !is_reply(reply) {
        return None;
    }
    let subject = subject(&message[..position]);
    // These judge the server that Sendmail delivers to: nobody says it.
    if [&b"ruleset=tls_server"[..], b"ruleset=tls_rcpt", b"ruleset=try_tls"]
        .iter()
        .any(|own| subject.starts_with(own))
    {
        return None;
    }
    let (direction, stage) = (Direction::Sent, stage(subject));
    Some(Mention {
        reply: unescape(reply),
        direction,
        stage,
        host: None,
        status: None,
        offset: text,
        is_repeat: false,
    })
}

/// Returns the message without the queue identifier.
fn subject(message: &[u8]) -> &[u8] {
    match memchr(b':', message) {
        Some(colon) if !message[..colon].contains(&b'=') && !message.starts_with(b"Milter") => {
            message[colon + 1..].trim_ascii_start()
        }
        _ => message,
    }
}

fn stage(subject: &[u8]) -> Option<Stage> {
    const STAGES: [(&[u8], Stage); 10] = [
        (b"ruleset=check_rcpt", Stage::Rcpt),
        (b"ruleset=check_mail", Stage::Mail),
        (b"ruleset=check_relay", Stage::Connect),
        (b"ruleset=check_data", Stage::Data),
        (b"ruleset=check_eom", Stage::Message),
        (b"Milter: to=", Stage::Rcpt),
        (b"Milter: from=", Stage::Mail),
        (b"Milter: data", Stage::Message),
        (b"Milter: connect", Stage::Connect),
        (b"Milter: helo", Stage::Hello),
    ];
    STAGES.iter().find(|(start, _)| subject.starts_with(start)).map(|(_, stage)| *stage)
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_of_servers_are_read() {
        let head = "Nov 28 14:44:23 mx sm-mta[37]: 6ASEiNrk000035: to=<u@example.org>, mailer=esmtp, relay=mx.example.org. \
                    [192.0.2.1], ";
        for (rest, expected) in [
            (
                "dsn=5.1.1, reply=550-5.1.1 none, stat=User unknown",
                &["received mx.example.org dsn=5.1.1 | 550-5.1.1 none"][..],
            ),
            (
                "dsn=4.5.0, reply=421 4.3.2 later, stat=Deferred: 421 4.3.2 later",
                &["received mx.example.org dsn=4.5.0 | 421 4.3.2 later"],
            ),
            ("dsn=5.1.1, reply=550, stat=User unknown", &["received mx.example.org dsn=5.1.1 | 550"]),
            (
                "dsn=5.1.1, reply=550 5.1.1 Bo\\303\\256te back\\\\slash tab\\there, stat=User unknown",
                &["received mx.example.org dsn=5.1.1 | 550 5.1.1 Boîte back\\slash tab\there"],
            ),
            (
                "dsn=4.7.0, reply=454 4.7.0 no TLS now, stat=Deferred: 454 4.7.0 encryption too weak 0 less than 112",
                &["received mx.example.org dsn=4.7.0 | 454 4.7.0 no TLS now"],
            ),
            // Before there was `reply=`.
            (
                "dsn=4.7.1, stat=Deferred: 451 4.7.1 later",
                &["received mx.example.org dsn=4.7.1 | 451 4.7.1 later"],
            ),
            // Sendmail's own.
            ("dsn=4.4.2, reply=421 4.4.1 Connection reset by mx.example.org., stat=Deferred", &[]),
            ("dsn=4.7.0, stat=Deferred: 454 4.7.0 encryption too weak 0 less than 112", &[]),
            ("mailer=local, dsn=5.1.1, reply=550 5.1.1 User unknown, stat=User unknown", &[]),
            ("dsn=2.0.0, stat=Sent (2.0.0 Ok: queued)", &[]),
            ("dsn=4.4.1, stat=Deferred: Connection refused by mx.example.org.", &[]),
        ] {
            check(&[(&format!("{head}{rest}"), expected)]);
        }
    }

    #[test]
    fn own_replies_are_read() {
        for (rest, expected) in [
            (
                "6ASE: ruleset=check_rcpt, arg1=<u@example.org>, relay=a [192.0.2.1], reject=452 4.2.2 Full",
                &["sent rcpt | 452 4.2.2 Full"][..],
            ),
            (
                "ruleset=check_relay, arg1=a, arg2=192.0.2.1, reject=554 5.7.1 no",
                &["sent connect | 554 5.7.1 no"],
            ),
            ("6ASE: Milter: to=<u@example.org>, reject=451 4.3.2 later", &["sent rcpt | 451 4.3.2 later"]),
            (
                "ruleset=tls_server, arg1=TEMP, relay=mx.example.org, reject=454 4.7.0 encryption too weak",
                &[],
            ),
            ("6ASE: <u@example.org>... User unknown", &[]),
        ] {
            check(&[(&format!("Nov 28 14:44:23 mx mail.notice sendmail[37]: {rest}"), expected)]);
        }
    }
}
