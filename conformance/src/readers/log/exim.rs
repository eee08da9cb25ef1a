//! Reads the main log and the reject log of Exim, as files and through syslog.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memmem, memrchr};
use smtp_enhanced_status::explain::Stage;

use super::code::is_reply;
use super::command::stage;
use super::envelope::Envelope;
use super::folding::{split_at, unescape_octal};
use super::mapped::Mapped;
use super::{Sink, first_line};
use crate::readers::mention::{Direction, Mention};

static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"MTP error "));
static CONFIRMATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" C=\""));
static REJECTED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"rejected "));
static RESPONSE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"response to \""));
static AUTHENTICATOR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" authenticator failed "));
static HOST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"H="));
static LINE_FEED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\n"));
static ESCAPED_LINE_FEED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\\\n"));

/// Returns whether a tag is Exim's: `exim`, `exim4`.
pub(super) fn is_program(tag: &[u8]) -> bool {
    tag.starts_with(b"exim")
}

/// Returns whether a line is one of Exim's main log or reject log that has to do with a reply. Many other programs
/// begin their lines with the same stamp.
pub(super) fn is_main_log(line: &[u8]) -> bool {
    let entry = without_stamp(line);
    entry.len() < line.len()
        && (without_id(entry).len() < entry.len()
            || [&b"H="[..], b"rejected ", b"temporarily rejected "]
                .iter()
                .any(|word| entry.starts_with(word))
            || AUTHENTICATOR.find(&entry[..entry.len().min(80)]).is_some())
}

/// Returns what follows `2026-11-28 14:41:43 `, with or without milliseconds, zone and process.
fn without_stamp(line: &[u8]) -> &[u8] {
    const FORM: &[u8; 19] = b"dddd-dd-dd dd:dd:dd";
    let fits = |(octet, form): (&u8, &u8)| if *form == b'd' { octet.is_ascii_digit() } else { octet == form };
    if line.len() <= FORM.len() || !line.iter().zip(FORM).all(fits) {
        return line;
    }
    let mut rest = &line[FORM.len()..];
    if let [b'.', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    if let [b' ', b'+' | b'-', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    let Some(mut rest) = rest.strip_prefix(b" ") else { return line };
    if let Some(process) = rest.strip_prefix(b"[")
        && let Some(close) = process.iter().take(12).position(|octet| !octet.is_ascii_digit())
        && let Some(after) = process[close..].strip_prefix(b"] ")
    {
        rest = after;
    }
    rest
}

/// Returns what follows the identifier of a message: `1xXJcV-00000Z-1p `, longer since Exim 4.97.
fn without_id(entry: &[u8]) -> &[u8] {
    let Some(space) = entry.iter().take(24).position(|octet| *octet == b' ') else { return entry };
    let mut parts = entry[..space].split(|octet| *octet == b'-');
    let sizes = [(); 4]
        .map(|()| parts.next().filter(|part| part.iter().all(u8::is_ascii_alphanumeric)).map(<[u8]>::len));
    match sizes {
        [Some(6), Some(6), Some(2), None] | [Some(6), Some(11), Some(4), None] => &entry[space + 1..],
        _ => entry,
    }
}

/// Reads an entry, which begins with its stamp or its identifier.
pub(super) fn read<'a>(line: &'a [u8], sink: &mut Sink<'a, '_>) {
    if let Some(mention) = mention(line) {
        sink.push(mention);
    }
}

fn mention(line: &[u8]) -> Option<Mention<'_>> {
    let entry = without_id(without_stamp(line));
    let begin = line.len() - entry.len();
    let mention = match entry {
        [b'=' | b'-' | b'>' | b'*', b'>', b' ', ..] => confirmation(entry)?,
        _ => refusal(entry)?,
    };
    Some(Mention { offset: mention.offset + begin, ..mention })
}

/// Reads a delivery: `=> user@example.org R=.. T=.. H=mx.example.org [192.0.2.1] C="250 2.0.0 Ok" QT=0s`.
fn confirmation(entry: &[u8]) -> Option<Mention<'_>> {
    let head = CONFIRMATION.find(entry)?;
    let start = head + CONFIRMATION.needle().len();
    let end = memrchr(b'"', entry).filter(|end| *end > start)?;
    let reply = &entry[start..end];
    if !is_reply(reply) {
        return None;
    }
    let lines = match split_at(reply, &ESCAPED_LINE_FEED) {
        Cow::Borrowed(_) => split_at(reply, &LINE_FEED),
        lines @ Cow::Owned(_) => lines,
    };
    // Each further recipient of the same delivery has a line with an arrow of its own.
    let is_repeat = entry.starts_with(b"->");
    let stage = Some(Stage::Message);
    Some(Mention { stage, host: host(&entry[..head]), is_repeat, ..received(lines, start) })
}

/// Reads anything else that shows a reply.
fn refusal(entry: &[u8]) -> Option<Mention<'_>> {
    if let Some(position) = ERROR.find(entry) {
        return error(entry, position + ERROR.needle().len());
    }
    if let Some(position) = RESPONSE.find(entry) {
        return response(entry, position + RESPONSE.needle().len());
    }
    if let Some(position) = REJECTED.find(entry) {
        return rejection(entry, position);
    }
    let position = AUTHENTICATOR.find(entry)?;
    let text = position + memmem::find(&entry[position..], b"]: ")? + 3;
    let reply = &entry[text..];
    let reply = &reply[..memmem::find(reply, b" (set_id=").unwrap_or(reply.len())];
    let direction = if entry[position..].starts_with(b" authenticator failed for ") {
        Direction::Sent
    } else {
        Direction::Received
    };
    is_reply(reply).then(|| Mention {
        stage: Some(Stage::Auth),
        direction,
        ..received(Cow::Borrowed(reply), text)
    })
}

/// Reads `SMTP error from remote mail server after RCPT TO:<user@example.org>: 550 5.1.1 no such user DT=0s`, from
/// `from` on.
fn error(entry: &[u8], from: usize) -> Option<Mention<'_>> {
    const AFTER: &[u8] = b"after ";
    let command = from + memmem::find(&entry[from..entry.len().min(from + 40)], AFTER)? + AFTER.len();
    // Old versions name the host between the command and the reply.
    let colon =
        memmem::find_iter(&entry[command..], b": ").find(|colon| is_reply(&entry[command + colon + 2..]))?;
    let text = command + colon + 2;
    let stage = stage(&entry[command..command + colon]);
    let reply = without_times(&entry[text..]);
    let is_repeat = match stage {
        // The host's own line comes before that of each recipient, because the host is given up, ...
        Some(Stage::Connect | Stage::Hello) => entry.starts_with(b"== ") || entry.starts_with(b"** "),
        Some(Stage::Rcpt) => false,
        // ... or because another host may take the message.
        _ => entry.starts_with(b"== "),
    };
    Some(Mention { stage, host: host(&entry[..from]), is_repeat, ..received(unfold(reply), text) })
}

/// Reads the answer to a callout, from the command on: `response to "RCPT TO:<user@example.org>" from mx was: 550 no`.
fn response(entry: &[u8], from: usize) -> Option<Mention<'_>> {
    const WAS: &[u8] = b" was: ";
    let text = from + memmem::find(&entry[from..], WAS)? + WAS.len();
    let reply = without_times(&entry[text..]);
    is_reply(reply).then(|| Mention { stage: stage(&entry[from..]), ..received(unfold(reply), text) })
}

/// Reads what Exim told a client: `rejected RCPT <user@example.org>: 550 5.7.1 no`. Most texts have no reply code.
fn rejection(entry: &[u8], position: usize) -> Option<Mention<'_>> {
    let command = position + REJECTED.needle().len();
    let named = &entry[command..];
    // A local part may have a colon.
    let path = if named.starts_with(b"RCPT <") { memmem::find(named, b">: ")? } else { 0 };
    let colon = path + memmem::find(&named[path..], b": ")?;
    let text = command + colon + 2;
    let reply = &entry[text..];
    if !is_reply(reply) {
        return None;
    }
    let stage = stage(named.strip_prefix(b"after DATA").map_or(named, |_| b"end of DATA"));
    // Only a blank makes a reply code of the digits that a text begins with. Otherwise Exim puts its own before it.
    let reply = if reply.get(3) == Some(&b'-') {
        let code = if entry[..position].ends_with(b"temporarily ") { &b"451 "[..] } else { b"550 " };
        Cow::Owned([code, reply].concat())
    } else {
        unfold(reply)
    };
    Some(Mention { direction: Direction::Sent, stage, ..received(reply, text) })
}

fn received(reply: Cow<'_, [u8]>, offset: usize) -> Mention<'_> {
    let direction = Direction::Received;
    Mention { reply, direction, stage: None, host: None, status: None, offset, is_repeat: false }
}

fn unfold(reply: &[u8]) -> Cow<'_, [u8]> {
    unescape_octal(split_at(reply, &LINE_FEED))
}

/// Returns the name in `H=mx.example.org [192.0.2.1]`.
fn host(before: &[u8]) -> Option<&[u8]> {
    let start = HOST.find_iter(before).find(|start| *start == 0 || before[start - 1] == b' ')? + 2;
    let length = memchr(b' ', &before[start..])?;
    (length > 0).then(|| &before[start..start + length])
}

/// Removes the times after a reply: ` QT=1m2s DT=0.003s`.
fn without_times(reply: &[u8]) -> &[u8] {
    let mut rest = reply.trim_ascii_end();
    while let Some(space) = memrchr(b' ', rest)
        && let [b'A'..=b'Z', b'T', b'=', time @ ..] = &rest[space + 1..]
        && time.iter().all(|octet| octet.is_ascii_digit() || b"wdhms.".contains(octet))
    {
        rest = &rest[..space];
    }
    rest
}

/// Reads the entry at the start of a text of syslog, which may take several lines, and the same entry in the reject
/// log. Returns where the text goes on.
pub(super) fn read_syslog<'a>(
    text: &'a [u8],
    line: &'a [u8],
    envelope: Envelope<'_>,
    sink: &mut Sink<'a, '_>,
) -> usize {
    let message = &line[envelope.message..];
    let Some(part) = Part::read(message) else {
        if let Some(mention) = mention(message) {
            sink.at(envelope.message).push(mention);
        }
        return read_again(text, line.len(), envelope, message, sink);
    };
    if part.number > 1 {
        // The beginning of the entry is not next to it.
        if let Some(mention) = mention(part.text) {
            sink.at(line.len() - part.text.len()).push(mention);
        }
        return line.len();
    }
    let (entry, end) = gather(text, envelope, part.count);
    entry.read(text, sink, |entry, sink| {
        if let Some(mention) = mention(first_line(entry)) {
            sink.push(mention);
        }
    });
    read_again(text, end, envelope, first_line(entry.octets()), sink)
}

/// Reads the entry that the reject log has of the same rejection: syslog gets both, one after the other.
fn read_again<'a>(
    text: &'a [u8],
    end: usize,
    envelope: Envelope<'_>,
    entry: &[u8],
    sink: &mut Sink<'a, '_>,
) -> usize {
    if REJECTED.find(entry).is_none() {
        return end;
    }
    let start = text.len().min(end + 1 + usize::from(text[end..].starts_with(b"\r")));
    let rest = &text[start..];
    let Some((next, message)) = same_process(first_line(rest), envelope) else { return end };
    let is_same = match Part::read(message) {
        None => message == entry,
        Some(part) => part.number == 1 && !part.text.is_empty() && entry.starts_with(part.text),
    };
    if !is_same {
        return end;
    }
    let (again, length) = match Part::read(message) {
        None => (Mapped::default(), message.len() + next.message),
        Some(part) => gather(rest, next, part.count),
    };
    let mut sink = sink.at(start);
    if again.octets().is_empty() {
        if let Some(mention) = mention(message) {
            sink.at(next.message).push(Mention { is_repeat: true, ..mention });
        }
    } else {
        again.read(rest, &mut sink, |entry, sink| {
            if let Some(mention) = mention(first_line(entry)) {
                sink.push(Mention { is_repeat: true, ..mention });
            }
        });
    }
    start + length
}

/// A part of an entry that is too long for syslog or has several lines: `[1/2] ...`, `[1\8] ...`.
struct Part<'a> {
    number: usize,
    count: usize,
    /// Whether a line ends with the part.
    ends_line: bool,
    text: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(message: &'a [u8]) -> Option<Part<'a>> {
        let (number, rest) = small_number(message.strip_prefix(b"[")?)?;
        let (separator, rest) = rest.split_first()?;
        let (count, rest) = small_number(rest)?;
        let text = rest.strip_prefix(b"] ")?;
        let ends_line = match separator {
            b'/' => false,
            b'\\' => true,
            _ => return None,
        };
        (0 < number && number <= count && count > 1).then_some(Part { number, count, ends_line, text })
    }
}

fn small_number(text: &[u8]) -> Option<(usize, &[u8])> {
    let digits = text.iter().take(5).take_while(|octet| octet.is_ascii_digit()).count();
    let number = text[..digits].iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    (1..=4).contains(&digits).then(|| (number, &text[digits..]))
}

/// Joins the parts of the entry at the start of a text as far as they follow each other, and returns where they end.
fn gather(text: &[u8], envelope: Envelope<'_>, count: usize) -> (Mapped, usize) {
    let mut entry = Mapped::default();
    let mut start = 0;
    let mut end = 0;
    for number in 1..=count {
        let line = first_line(&text[start..]);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some((_, message)) = same_process(line, envelope) else { break };
        let Some(part) = Part::read(message).filter(|part| part.number == number && part.count == count)
        else {
            break;
        };
        let offset = start + line.len() - part.text.len();
        entry.push(part.text, offset);
        if part.ends_line {
            entry.push(b"\n", offset + part.text.len());
        }
        end = start + line.len();
        start = text.len().min(start + first_line(&text[start..]).len() + 1);
    }
    (entry, end)
}

/// Returns the message of a line if the process of this envelope wrote it.
fn same_process<'a>(line: &'a [u8], envelope: Envelope<'_>) -> Option<(Envelope<'a>, &'a [u8])> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let next = Envelope::read(line);
    let is_same = next.program == envelope.program && next.process == envelope.process;
    (is_same && !next.program.is_empty()).then(|| (next, &line[next.message..]))
}

/// Returns whether two lines of syslog have parts of one entry, or the same rejection twice.
pub(super) fn joins(line: &[u8], next: &[u8]) -> bool {
    let envelope = Envelope::read(line);
    if !is_program(envelope.program) {
        return false;
    }
    let message = &line[envelope.message..];
    let Some((_, next)) = same_process(next, envelope) else { return false };
    match (Part::read(message), Part::read(next)) {
        (Some(part), Some(next)) if part.number + 1 == next.number => part.count == next.count,
        _ => REJECTED.find(message).is_some() && REJECTED.find(next).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use crate::readers::log::testing::check;

    #[test]
    fn replies_of_servers_are_read() {
        for (rest, expected) in [
            (
                "** u@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<u@example.org>: 550-5.1.1 a\\n550 5.1.1  b DT=0.2s",
                "received rcpt mx.example.org | 550-5.1.1 a\n550 5.1.1  b",
            ),
            (
                "** u@example.org: SMTP error from remote mailer after MAIL FROM:<a@example.org> SIZE=1: host mx.example.org [192.0.2.1]: 550 no",
                "received mail | 550 no",
            ),
            (
                "** u@example.org R=r T=t H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after end of data: 550 Bo\\303\\256te QT=1m2s DT=0s",
                "received message mx.example.org | 550 Boîte",
            ),
            (
                "H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after pipelined MAIL FROM:<a@example.org> SIZE=1497: 451 4.7.500 busy",
                "received mail mx.example.org | 451 4.7.500 busy",
            ),
            (
                "== u@example.org R=r T=t defer (-45) H=mx.example.org [192.0.2.1] DT=0s: SMTP error from remote mail server after pipelined MAIL FROM:<a@example.org> SIZE=1497: 451 4.7.500 busy",
                "received mail mx.example.org again | 451 4.7.500 busy",
            ),
            (
                "== u@example.org R=r T=t defer (-44) H=mx.example.org [192.0.2.1] DT=0s: SMTP error from remote mail server after RCPT TO:<u@example.org>: 451 4.7.1 later",
                "received rcpt mx.example.org | 451 4.7.1 later",
            ),
            (
                "** u@example.org R=r T=t H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after initial connection: 554 5.7.1 no DT=0s",
                "received connect mx.example.org again | 554 5.7.1 no",
            ),
            (
                "=> u@example.org R=r T=t H=mx.example.org [192.0.2.1] C=\"250-2.6.0 \"a\"\\\\n250 2.6.0 b\" QT=0s DT=0s",
                "received message mx.example.org | 250-2.6.0 \"a\"\n250 2.6.0 b",
            ),
            (
                "-> v@example.org R=r T=t H=mx.example.org [192.0.2.1] C=\"250 ok\" QT=0s",
                "received message mx.example.org again | 250 ok",
            ),
        ] {
            for id in ["1xXJcV-00000Z-1p", "1xXJcV-000000000Zz-1p2q"] {
                check(&[(&format!("2026-11-28 14:41:43 {id} {rest}"), &[expected])]);
                check(&[(&format!("Nov 28 14:41:43 mx exim[12]: {id} {rest}"), &[expected])]);
            }
        }
    }

    #[test]
    fn own_replies_are_read_if_the_log_has_their_code() {
        for (rest, expected) in [
            (
                "H=a [192.0.2.1] F=<a@example.org> rejected RCPT <\"u: 450 x\"@example.org>: 550 4.7.1 no",
                "sent rcpt | 550 4.7.1 no",
            ),
            (
                "H=a [192.0.2.1] F=<a@example.org> temporarily rejected RCPT <u@example.org>: 451 4.7.1 later",
                "sent rcpt | 451 4.7.1 later",
            ),
            (
                "1xXJcV-00000Z-1p H=a [192.0.2.1] F=<a@example.org> rejected after DATA: 550 5.7.1 spam",
                "sent message | 550 5.7.1 spam",
            ),
            // A hyphen does not make a code of it.
            (
                "H=a [192.0.2.1] F=<a@example.org> rejected RCPT <u@example.org>: 550-5.7.1 first",
                "sent rcpt | 550 550-5.7.1 first",
            ),
            (
                "login authenticator failed for (a) [192.0.2.1]: 535 Incorrect authentication data (set_id=u)",
                "sent auth | 535 Incorrect authentication data",
            ),
            (
                "H=a [192.0.2.1] sender verify fail for <a@example.org>: response to \"RCPT TO:<a@example.org>\" from mx.example.org [192.0.2.2] was: 550 5.1.1 none",
                "received rcpt | 550 5.1.1 none",
            ),
        ] {
            check(&[(&format!("2026-11-28 14:41:43 {rest}"), &[expected])]);
        }
    }

    #[test]
    fn what_is_no_reply_is_left_out() {
        for rest in [
            "1xXJcV-00000Z-1p == u@example.org R=r T=t defer (110): Connection timed out H=mx.example.org [192.0.2.1] DT=4s: SMTP timeout after end of data (469 bytes written)",
            "1xXJcV-00000Z-1p H=mx.example.org [192.0.2.1]: Malformed SMTP reply in response to initial connection: HTTP/1.1 400 Bad Request",
            "1xXJcV-00000Z-1p <= a@example.org H=a [192.0.2.1] P=esmtp S=550 id=x T=\"said: 550 5.1.1 no\"",
            "1xXJcV-00000Z-1p ** u@example.org: retry timeout exceeded DT=0s",
            "H=a [192.0.2.1] F=<a@example.org> rejected RCPT <u@example.org>: Unknown user",
            "1xXJcV-00000Z-1p rejected from <a@example.org> H=a [192.0.2.1]: message too big: read=148104 max=100000",
        ] {
            check(&[(&format!("2026-11-28 14:41:43 {rest}"), &[])]);
        }
    }

    #[test]
    fn an_entry_in_parts_is_put_together() {
        let head = "Nov 28 14:41:43 mx exim[12]: ";
        let expected = "received rcpt mx.example.org | 550-5.1.1 a\n550 5.1.1 b";
        let start = "2026-11-28 14:41:43 1xXJcV-00000Z-1p ** u@example.org R=r T=t H=mx.example.org [192.0.2.1]: \
                     SMTP error from remote mail server after RCPT TO:<u@example.org>: 55";
        let rest = "0-5.1.1 a\\n550 5.1.1 b DT=0s";
        check(&[
            (
                &format!("{head}[1/2] {start}\n{head}[2/2] {rest}\n{head}Start queue run: pid=1\n"),
                &[expected],
            ),
            // The lines of another process are between them.
            (&format!("{head}[1/2] {start}\nNov 28 14:41:43 mx exim[13]: x\n{head}[2/2] {rest}\n"), &[]),
        ]);
    }

    #[test]
    fn a_rejection_that_syslog_gets_twice_is_one() {
        let head = "Nov 28 14:41:43 mx exim[12]: ";
        let entry =
            "2026-11-28 14:41:43 H=a [192.0.2.1] F=<a@example.org> rejected after DATA: 550 5.7.1 spam";
        let twice: &[&str] = &["sent message | 550 5.7.1 spam", "sent message again | 550 5.7.1 spam"];
        check(&[
            (&format!("{head}{entry}\n{head}{entry}\n"), twice),
            (&format!("{head}{entry}\n{head}[1\\2] {entry}\n{head}[2\\2] F From: 550 5.1.1 x\n"), twice),
            (&format!("{head}{entry}\nNov 28 14:41:43 mx exim[13]: {entry}\n"), &[twice[0], twice[0]]),
        ]);
    }
}
