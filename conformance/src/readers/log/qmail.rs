//! Reads the log of qmail-send. Made from its documentation: untested against real logs.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use smtp_enhanced_status::explain::Stage;

use super::Sink;
use super::code::is_reply;
use crate::readers::mention::{Direction, Mention};

static SAID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"/Remote_host_said:_"));
static DELIVERY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"delivery "));

/// Returns where the report of a delivery begins in a line: `delivery 12: failure: ..`, after any stamp.
pub(super) fn message(line: &[u8]) -> Option<usize> {
    let position = DELIVERY.find(&line[..line.len().min(120)])?;
    let rest = &line[position + DELIVERY.needle().len()..];
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let rest = rest[digits..].strip_prefix(b": ")?;
    let outcomes = [&b"success: "[..], b"failure: ", b"deferral: "];
    let outcome = outcomes.into_iter().find(|outcome| rest.starts_with(outcome))?;
    (digits > 0).then(|| line.len() - rest.len() + outcome.len())
}

/// Reads `192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_..../Giving_up_on_192.0.2.1./`: blanks are
/// underscores, and line ends are slashes.
pub(super) fn read<'a>(message: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = mention(message) {
        sink.push(mention);
    }
}

fn mention(message: &[u8]) -> Option<Mention<'_>> {
    let said = SAID.find(message)?;
    let text = said + SAID.needle().len();
    let rest = &message[text..];
    let ends = [&b"/Giving_up_on_"[..], b"/I'm_not_going_to_try_again"];
    let end = ends.into_iter().find_map(|end| memmem::rfind(rest, end)).unwrap_or(rest.len());
    let mut lines = rest[..end].to_vec();
    while lines.last() == Some(&b'/') {
        lines.pop();
    }
    for octet in &mut lines {
        if *octet == b'_' {
            *octet = b' ';
        }
    }
    if !is_reply(&lines) {
        return None;
    }
    let code = [lines[0], lines[1], lines[2]];
    for slash in memchr::memchr_iter(b'/', &lines.clone()) {
        if lines[slash + 1..].starts_with(&code) && matches!(lines.get(slash + 4), None | Some(b' ' | b'-')) {
            lines[slash] = b'\n';
        }
    }
    let (host, stage) = circumstances(&message[..said]);
    let (reply, direction) = (Cow::Owned(lines), Direction::Received);
    Some(Mention { reply, direction, stage, host, status: None, offset: text, is_repeat: false })
}

/// Returns the address of the host and the stage: `192.0.2.1_does_not_like_recipient.`.
fn circumstances(before: &[u8]) -> (Option<&[u8]>, Option<Stage>) {
    const STAGES: [(&[u8], Stage); 7] = [
        (b"_does_not_like_recipient", Stage::Rcpt),
        (b"_failed_after_I_sent_the_message", Stage::Message),
        (b"_accepted_message", Stage::Message),
        (b"_failed_on_DATA_command", Stage::Data),
        (b"_but_sender_was_rejected", Stage::Mail),
        (b"_but_my_name_was_rejected", Stage::Hello),
        (b"_but_greeting_failed", Stage::Connect),
    ];
    let named = STAGES.iter().find_map(|(words, stage)| Some((memmem::find(before, words)?, *stage)));
    let Some((end, stage)) = named else { return (None, None) };
    let host = &before[..end];
    let host = host.strip_prefix(b"Connected_to_").unwrap_or(host);
    let is_address = !host.is_empty()
        && host.iter().all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b'.' | b':'));
    (is_address.then_some(host), Some(stage))
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_are_read() {
        for (rest, expected) in [
            (
                "failure: 192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_no_such_user/Giving_up_on_192.0.2.1./",
                &["received rcpt 192.0.2.1 | 550 5.1.1 no such user"][..],
            ),
            (
                "deferral: 192.0.2.1_failed_after_I_sent_the_message./Remote_host_said:_450-4.2.0_see_http://example.org/450/450_4.2.0_b/",
                &["received message 192.0.2.1 | 450-4.2.0 see http://example.org/450\n450 4.2.0 b"],
            ),
            (
                "success: 192.0.2.1_accepted_message./Remote_host_said:_250_ok/",
                &["received message 192.0.2.1 | 250 ok"],
            ),
            (
                "deferral: Connected_to_192.0.2.1_but_my_name_was_rejected./Remote_host_said:_550_no/",
                &["received hello 192.0.2.1 | 550 no"],
            ),
            ("deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/", &[]),
        ] {
            check(&[
                (&format!("@400000005a0c6f8d0f1e2d3c delivery 12: {rest}"), expected),
                (&format!("Nov 28 14:53:19 mx qmail: 1511842399.123456 delivery 12: {rest}"), expected),
            ]);
        }
    }
}
