//! Reads lines that no known product wrote.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::{memchr, memmem};
use smtp_enhanced_status::ReplyCode;

use super::code::{is_enhanced, is_pair, is_reply, may_begin};
use super::envelope::Envelope;
use super::folding::{split_at, split_at_spaces};
use super::{Sink, first_line, json};
use crate::readers::mention::{Direction, Mention};

/// Reads the replies in the line at the start of a text, and returns where the text goes on. A reply code makes a
/// reply if an enhanced status code follows it, or if the words before it announce one.
pub(super) fn read<'a>(text: &'a [u8], line: &'a [u8], sink: &mut Sink<'a, '_>) -> usize {
    let mut position = 0;
    while let Some((start, announced)) = find(line, position) {
        let end = start + length(line, start);
        position = end;
        let direction = match announced {
            Some(Announced::ByServer) => Direction::Received,
            Some(Announced::ByProcess) => Direction::Sent,
            Some(Announced::Otherwise) | None => Direction::Unknown,
        };
        let reply = &line[start..end];
        if end == line.len() && is_open(reply) {
            let (reply, end) = further_lines(text, line, start);
            sink.push(mention(reply, direction, start));
            return end;
        }
        let is_json = line.starts_with(b"{") && start > 0 && line[start - 1] == b'"';
        let reply = if is_json && memchr(b'\\', reply).is_some() {
            Cow::Owned(json::unescape(reply))
        } else {
            lines(reply)
        };
        sink.push(mention(reply, direction, start));
    }
    line.len()
}

/// Takes a reply apart whose lines were joined by `\n`, or by a space.
fn lines(reply: &[u8]) -> Cow<'_, [u8]> {
    static LINE_FEED: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\\n"));
    match split_at(reply, &LINE_FEED) {
        Cow::Borrowed(reply) => split_at_spaces(reply),
        lines @ Cow::Owned(_) => lines,
    }
}

fn mention(reply: Cow<'_, [u8]>, direction: Direction, offset: usize) -> Mention<'_> {
    Mention { reply, direction, stage: None, host: None, status: None, offset, is_repeat: false }
}

/// Finds the next reply from a position on.
fn find(line: &[u8], from: usize) -> Option<(usize, Option<Announced>)> {
    for position in from..line.len() {
        if !matches!(line[position], b'2'..=b'5')
            || !may_begin(line, position)
            || !is_reply(&line[position..])
        {
            continue;
        }
        let announced = announced(line, position);
        if announced.is_some() || is_likely_pair(&line[position..]) {
            return Some((position, announced));
        }
    }
    None
}

/// Returns whether a text begins with a pair that a server may send: numbers of other meanings stand together too.
fn is_likely_pair(text: &[u8]) -> bool {
    if !is_pair(text) || !ReplyCode::from_bytes(&text[..3]).is_ok_and(|code| code.entry().is_some()) {
        return false;
    }
    let class = text[3..].iter().find(|octet| octet.is_ascii_digit());
    class.is_some_and(|class| *class == text[0] || matches!((text[0], class), (b'4', b'5') | (b'5', b'4')))
}

/// What announces a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    /// Words such as `said:` and `response from server:`, which are about another server.
    ByServer,
    /// A process id at the start of the line: qpsmtpd logs what it says like that.
    ByProcess,
    /// A name such as `reply="` or `SMTP error:`.
    Otherwise,
}

/// Returns what announces the reply code at this position, if the code can be that of a reply.
fn announced(line: &[u8], position: usize) -> Option<Announced> {
    let code = &line[position..];
    let is_known = ReplyCode::from_bytes(&code[..3]).is_ok_and(|code| code.entry().is_some());
    if !is_known || is_http(code) {
        return None;
    }
    let before = &line[..position];
    if is_process(before) {
        return (is_pair(code) || is_refusal(code)).then_some(Announced::ByProcess);
    }
    let unquoted = before.trim_ascii_end();
    let is_quoted = matches!(unquoted.last(), Some(b'"' | b'\''));
    let unquoted = unquoted.strip_suffix(b"\"").or(unquoted.strip_suffix(b"'")).unwrap_or(unquoted);
    let (name, separator) = match unquoted.trim_ascii_end() {
        [name @ .., separator @ (b':' | b'=')] => (name, *separator),
        _ => return None,
    };
    let name = name.strip_suffix(b"\"").unwrap_or(name).trim_ascii_end();
    let word =
        &name[name.iter().rposition(|octet| !octet.is_ascii_alphanumeric()).map_or(0, |start| start + 1)..];
    let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()));
    if separator == b':' && is(&["said", "replied", "answered", "responded", "returned"]) {
        return Some(Announced::ByServer);
    }
    if is(&["reply", "response", "diagnostic"]) && (separator == b':' || is_quoted) {
        return Some(Announced::Otherwise);
    }
    if is_quoted && is(&["status", "stat", "result", "diag", "error", "smtp"]) {
        let has_text =
            matches!(code.get(3), Some(b' ' | b'-')) && code.get(4).is_some_and(u8::is_ascii_alphanumeric);
        return has_text.then_some(Announced::Otherwise);
    }
    if separator == b':' && is(&["failed"]) {
        return matches!(code[0], b'4' | b'5').then_some(Announced::Otherwise);
    }
    let is_error =
        separator == b':' && memmem::rfind(&name[name.len().saturating_sub(600)..], b"SMTP error").is_some();
    is_error.then_some(Announced::Otherwise)
}

/// Returns whether nothing but a process id is before a reply; in a line of syslog, nothing else after qpsmtpd's tag.
fn is_process(before: &[u8]) -> bool {
    let Some(head) = before.strip_suffix(b" ") else { return false };
    let digits = head.iter().rev().take(8).take_while(|octet| octet.is_ascii_digit()).count();
    let head = &head[..head.len() - digits];
    let is_start = match head {
        [] => true,
        [.., b':', b' '] => memmem::find(&head[..head.len().min(200)], b"qpsmtpd").is_some(),
        _ => false,
    };
    is_start && (1..=7).contains(&digits)
}

/// Returns whether a reply refuses something in several words: other numbers at the start of a line are counts.
fn is_refusal(reply: &[u8]) -> bool {
    let [b'4' | b'5', _, _, b' ' | b'-', text @ ..] = reply else { return false };
    text.first()
        .is_some_and(|octet| octet.is_ascii_alphabetic() || matches!(octet, b'<' | b'(' | b'[' | b'#'))
        && text.contains(&b' ')
}

/// Returns whether a status is one of HTTP, which shares some of the numbers.
fn is_http(status: &[u8]) -> bool {
    const PHRASES: [&[u8]; 9] = [
        b"200 OK",
        b"500 Internal Server Error",
        b"501 Not Implemented",
        b"502 Bad Gateway",
        b"500 Server Error",
        b"503 Service Unavailable",
        b"503 Service Temporarily",
        b"504 Gateway Time",
        b"421 Misdirected Request",
    ];
    PHRASES.iter().any(|phrase| status.starts_with(phrase))
}

/// Returns how long the reply at this position is. What is before it says what ends it: a quote or a bracket, or the
/// next name of a list.
fn length(line: &[u8], start: usize) -> usize {
    let reply = &line[start..];
    let before = start.checked_sub(1).map(|before| line[before]);
    if let Some(end) = closed_pair(reply) {
        return end;
    }
    let length = match before {
        Some(quote @ (b'"' | b'\'' | b'`')) => {
            closing_quote(reply, if quote == b'`' { b'\'' } else { quote })
        }
        Some(b'(') => closing_bracket(reply, b'(', b')'),
        Some(b'[') => closing_bracket(reply, b'[', b']'),
        Some(b'=') => memmem::find_iter(reply, b", ").find(|comma| begins_with_name(&reply[comma + 2..])),
        _ => None,
    };
    reply[..length.unwrap_or(reply.len())].trim_ascii_end().len()
}

/// Returns where a pair ends that a closing bracket follows at once: the bracket was opened before the reply, which has no
/// text.
fn closed_pair(reply: &[u8]) -> Option<usize> {
    let text = reply.get(4..)?.trim_ascii_start();
    if !is_enhanced(text) {
        return None;
    }
    let code = text.iter().take_while(|octet| octet.is_ascii_digit() || **octet == b'.').count();
    matches!(text.get(code), Some(b')' | b']' | b'}' | b'>')).then(|| reply.len() - text.len() + code)
}

/// Finds the quote that closes: no text follows it at once, and no backslash is before it.
fn closing_quote(reply: &[u8], quote: u8) -> Option<usize> {
    memchr::memchr_iter(quote, reply).find(|&end| {
        reply[end - 1] != b'\\'
            && matches!(
                reply.get(end + 1),
                None | Some(b' ' | b'\t' | b',' | b';' | b')' | b']' | b'}' | b'>')
            )
    })
}

fn closing_bracket(reply: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for position in memchr::memchr2_iter(open, close, reply) {
        if reply[position] == open {
            depth += 1;
        } else if depth == 0 {
            return Some(position);
        } else {
            depth -= 1;
        }
    }
    None
}

/// Returns whether a text begins with a name and an equals sign.
fn begins_with_name(text: &[u8]) -> bool {
    let length =
        text.iter().take(32).take_while(|octet| octet.is_ascii_alphanumeric() || **octet == b'_').count();
    length > 0 && text.get(length) == Some(&b'=')
}

/// Returns whether the last line of a reply is missing.
fn is_open(reply: &[u8]) -> bool {
    if reply.get(3) != Some(&b'-') {
        return false;
    }
    let lines = lines(reply);
    let last = lines.rsplit(|octet| *octet == b'\n').next().unwrap_or_default();
    last.get(3) == Some(&b'-')
}

/// Adds the lines that go on with the reply at the end of the first line, and returns where they end. Nothing is before
/// their reply code but the tag of the same program, or the same process id.
fn further_lines<'a>(text: &'a [u8], first: &'a [u8], start: usize) -> (Cow<'a, [u8]>, usize) {
    let code = &first[start..start + 3];
    let program = Envelope::read(first).program;
    let process = if is_process(&first[..start]) { &first[..start] } else { b"" };
    let mut reply = Cow::Borrowed(&first[start..]);
    let mut end = first.len();
    let mut is_last = false;
    while !is_last {
        let begin = end + first_line(&text[end..]).len() + 1;
        let Some(rest) = text.get(begin..) else { break };
        let line = first_line(rest).trim_ascii_end();
        let Some(message) = further_line(line, code, program, process) else { break };
        end = begin + line.len();
        is_last = line.get(line.len() - message.len() + 3) != Some(&b'-');
        match reply {
            Cow::Borrowed(_) if message.len() == line.len() => reply = Cow::Borrowed(&text[start..end]),
            _ => {
                let lines = reply.to_mut();
                lines.push(b'\n');
                lines.extend_from_slice(message);
            }
        }
    }
    (reply, end)
}

/// Returns the part of a line that goes on with a reply.
fn further_line<'a>(line: &'a [u8], code: &[u8], program: &[u8], process: &[u8]) -> Option<&'a [u8]> {
    let continues = |text: &[u8]| text.starts_with(code) && matches!(text.get(3), None | Some(b' ' | b'-'));
    if let Some(message) = line.strip_prefix(process)
        && continues(message)
    {
        return Some(message);
    }
    let envelope = Envelope::read(line);
    let message = &line[envelope.message..];
    (!program.is_empty() && envelope.program == program && continues(message)).then_some(message)
}

/// Returns whether the next line goes on with a reply of this one.
pub(super) fn joins(line: &[u8], next: &[u8]) -> bool {
    let next = next.trim_ascii_end();
    let program = Envelope::read(line).program;
    let number = next.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let process = next.get(..=number).filter(|process| is_process(process) && line.starts_with(process));
    let tag = Envelope::read(next).message;
    [0, tag, process.map_or(0, <[u8]>::len)]
        .into_iter()
        .map(|start| &next[start..])
        .filter(|text| is_reply(text))
        .any(|text| {
            let code = &text[..3];
            further_line(next, code, program, process.unwrap_or_default()).is_some()
                && memmem::find(line, &[code, b"-"].concat()).is_some()
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::readers::log::testing::{check, mentions};
    use crate::readers::log::{joins, read};

    #[test]
    fn pairs_are_found_in_any_line() {
        check(&[
            ("delivery failed: 550 5.1.1 no such user", &["unknown | 550 5.1.1 no such user"]),
            ("failed (550 5.1.1 no (such) user) after 3 s", &["unknown | 550 5.1.1 no (such) user"]),
            ("failed #550 5.1.1 no", &["unknown | 550 5.1.1 no"]),
            ("failed (code 550 5.0.0)", &["unknown | 550 5.0.0"]),
            ("failed [code 550-5.0.0] twice", &["unknown | 550-5.0.0"]),
            ("failed {550  5.0.0}", &["unknown | 550  5.0.0"]),
            ("failed.550 5.1.1 no", &["unknown | 550 5.1.1 no"]),
            ("code=550 5.1.1 no, host=mx.example.org", &["unknown | 550 5.1.1 no"]),
            (
                "error \"550 5.1.1 the \\\"user\\\" is unknown\", next",
                &["unknown | 550 5.1.1 the \\\"user\\\" is unknown"],
            ),
            ("{\"error\":\"550 5.1.1 the \\\"user\\\"\",\"n\":1}", &["unknown | 550 5.1.1 the \"user\""]),
            ("550 (#5.1.1) no", &["unknown | 550 (#5.1.1) no"]),
            ("failed: 550-5.7.1 a 550 5.7.1 b", &["unknown | 550-5.7.1 a\n550 5.7.1 b"]),
            ("failed: 550-5.7.1 a\\n550 5.7.1 b", &["unknown | 550-5.7.1 a\n550 5.7.1 b"]),
            ("'450 4.2.0 a' then '550 5.1.1 b'", &["unknown | 450 4.2.0 a", "unknown | 550 5.1.1 b"]),
            ("31 550 5.7.1 no", &["sent | 550 5.7.1 no"]),
            (
                "451 550-5.7.1 a\n451 550 5.7.1 b c\n31 550 5.7.1 d",
                &["sent | 550-5.7.1 a\n550 5.7.1 b c", "sent | 550 5.7.1 d"],
            ),
        ]);
    }

    #[test]
    fn a_reply_code_alone_has_to_be_announced() {
        check(&[
            ("mx.example.org said: 550 no such user", &["received | 550 no such user"]),
            ("reply: '452 too many'", &["unknown | 452 too many"]),
            ("response=\"421 go away\"", &["unknown | 421 go away"]),
            ("SMTP error from 192.0.2.1 after RCPT TO: 550 no", &["unknown | 550 no"]),
            ("31 550 relaying denied (#5.7.1)", &["sent | 550 relaying denied (#5.7.1)"]),
            ("Nov 28 14:53:19 mx qpsmtpd[31]: 31 550 relaying denied", &["sent | 550 relaying denied"]),
            ("total: 31 450 messages left", &[]),
            ("smtp: Failed: 550 no such user", &["unknown | 550 no such user"]),
            ("tests failed: 250 of 300", &[]),
            ("failed 550 no such user", &[]),
            ("response: 502 Bad Gateway", &[]),
            ("31 450 12", &[]),
        ]);
    }

    #[test]
    fn other_numbers_are_no_replies() {
        for line in [
            "250 10.0.0.1 hello",
            "smtp 4.96.1 since 2026-11-28 14:41:43.250 5.1.1",
            "id=<250.2.0.0@example.org> size=550 4.5 MB",
            "12:41:250 2.0.0 x 1.550 5.1.1 x a550 5.1.1 x",
            "550",
            "",
        ] {
            check(&[(line, &[])]);
        }
    }

    #[test]
    fn lines_that_begin_with_the_code_go_on_with_a_reply() {
        let text = "smtp: Failed: 550-5.1.1 a\n550-5.1.1 b\r\n550 5.1.1 c\n550 5.1.1 another\n";
        check(&[(
            text,
            &["unknown | 550-5.1.1 a\n550-5.1.1 b\r\n550 5.1.1 c", "unknown | 550 5.1.1 another"],
        )]);
        let head = "Nov 28 14:53:19 mx nullmailer[1]: ";
        let text =
            format!("{head}smtp: Failed: 550-a\n{head}550-5.1.1 b\n{head}550 5.1.1 c\n{head}550 5.1.1 d\n");
        check(&[(&text, &["unknown | 550-a\n550-5.1.1 b\n550 5.1.1 c", "unknown | 550 5.1.1 d"])]);
        assert!(joins(format!("{head}550-a").as_bytes(), format!("{head}550 b").as_bytes()));
        assert!(joins(b"31 550-a", b"31 550 b") && !joins(b"31 550-a", b"32 550 b"));
        assert!(joins(b"smtp: Failed: 550-5.1.1 a\n", b"550 5.1.1 b\n"));
        assert!(!joins(b"smtp: Failed: 550 5.1.1 a\n", b"550 5.1.1 b\n"));
    }

    proptest! {
        #[test]
        fn nothing_panics_wherever_a_text_begins(text: Vec<u8>) {
            for start in 0..text.len() {
                let rest = &text[start..];
                let length = read(rest, &mut |mention| assert!(mention.offset <= rest.len()));
                prop_assert!(0 < length && length <= rest.len());
                let _ = joins(&text[..start], rest);
            }
        }

        /// Made of what readers look for, in any order.
        #[test]
        fn nothing_panics_on_parts_of_lines(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..24)) {
            let text = parts.concat();
            for (start, _) in text.char_indices() {
                let rest = &text.as_bytes()[start..];
                let length = read(rest, &mut |mention| assert!(mention.offset <= rest.len()));
                prop_assert!(0 < length && length <= rest.len());
                let _ = joins(&text.as_bytes()[..start], rest);
            }
        }

        #[test]
        fn a_pair_in_noise_is_found_once(
            before in "[a-zA-Z =:;,.!-]{0,60}[ =\"(#]",
            code in "(220|250|251|421|450|451|452|550|551|552|553|554)",
            enhanced in "\\.[0-9]\\.[0-9]{1,2}",
            after in "[a-zA-Z =:;!-]{0,60}",
        ) {
            let pair = format!("{code} {}{enhanced}", &code[..1]);
            let found = mentions(format!("{before}{pair} {after}").as_bytes());
            prop_assert_eq!(found.len(), 1);
            let reply = found[0].split(" | ").nth(1).unwrap_or_default();
            prop_assert!(reply.starts_with(&pair), "{}", reply);
        }

        #[test]
        fn noise_gives_none(line in "([a-z]{1,8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9]{1,3}|[0-9]{1,2}\\.[0-9]{1,2}|[ :;=]){0,30}") {
            prop_assume!(!line.contains("said") && !line.contains("re"));
            prop_assert_eq!(mentions(line.as_bytes()), Vec::<String>::new());
        }
    }

    const PARTS: &[&str] = &[
        "550",
        "550 ",
        "550-",
        "5.1.1",
        "5.1.1 ",
        " ",
        ": ",
        "]: ",
        "[",
        "]",
        "[1/2] ",
        "[2/2] ",
        "[1\\2] ",
        "\\n",
        "\\303\\256",
        "\"",
        "\\",
        "(",
        ")",
        "\n",
        "\r\n",
        "{\"MESSAGE\":\"",
        "\"}",
        ",\"SYSLOG_IDENTIFIER\":\"",
        "{\"log\":\"",
        "[1,2,300,",
        "Nov 28 14:41:09 mx ",
        "postfix/smtp[1]: ",
        "postfix/smtpd[1]: ",
        "exim[1]: ",
        "postfix/cleanup[1]: ",
        "2026-11-28 14:41:43 ",
        "1xXJcV-00000Z-1p ",
        "** ",
        "== ",
        "=> ",
        " C=\"",
        " H=mx.example.org [192.0.2.1]",
        "SMTP error from remote mail server after ",
        "RCPT TO:<u@example.org>: ",
        " rejected RCPT <u@example.org>: ",
        ", dsn=5.1.1, status=bounced (",
        "host mx.example.org[192.0.2.1] said: ",
        " (in reply to RCPT TO command))",
        "NOQUEUE: reject: RCPT from a[192.0.2.1]: ",
        "; from=<",
        " helo=<a>: ",
        "replacing server reply \"",
        "\" with \"",
        "warning: ",
        " response longer than 2048 ",
        "delivery temporarily suspended: ",
        "é",
        "\u{feff}",
        "<22>1 a b c ",
    ];
}
