//! Reads the replies in source code and configuration: in string literals of any language, and in the texts with which
//! configurations refuse mail.
//!
//! No language is parsed. A reply is a reply code and an enhanced status code next to each other:
//!
//! ```text
//! "550 5.1.1 No such user"           one literal, or a word of a configuration
//! reply(550, "5.1.1", "No")          two arguments
//! 550 => '5.1.1 No such user'        a key and a value
//! ERROR:5.1.1:550 No such user       Sendmail writes the enhanced status code first
//! reply(code=550, enhanced="5.1.1")  a keyword before the enhanced status code
//! REJECT 5.7.1 No                    Postfix has a word in place of the reply code
//! ```
//!
//! Comments are left out: whole lines, and what is outside of literals after a comment mark. Outside of literals, a reply
//! has to be where configurations have one. In a literal, it has to be at the beginning, or after a separator.

mod place;

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};
use smtp_enhanced_status::ReplyCode;

use self::place::Scan;
use super::mention::{Direction, Mention};

/// Reads the replies of a text.
pub fn read<'a>(text: &'a [u8], mentions: &mut impl FnMut(Mention<'a>)) {
    let mut start = 0;
    let mut open = None;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(start..end).unwrap_or_default();
        if !is_comment(line) {
            read_line(text, start, line, &mut open, mentions);
        }
        start = end + 1;
    }
}

/// A reply of several lines whose last line was not read yet.
#[derive(Clone, Copy)]
struct Open {
    /// Where its first line begins in the text.
    offset: usize,
    code: [u8; 3],
    /// Where the lines that were read end.
    end: usize,
}

/// Reads a line, which begins at an offset of the text.
fn read_line<'a>(
    text: &'a [u8],
    start: usize,
    line: &'a [u8],
    open: &mut Option<Open>,
    mentions: &mut impl FnMut(Mention<'a>),
) {
    let mut position = 0;
    let mut scan = Scan::new(line);
    while let Some(found) = memchr(b'.', &line[position..]) {
        let dot = position + found;
        position = dot + 1;
        let Some(code) = code_around(line, dot) else { continue };
        let Some(reply) = reply_with(line, &code, &mut scan) else { continue };
        position = reply.end.max(code.end);
        let is_repeat = reply.continues && is_continued(text, start + position, &reply.octets);
        let offset = first_offset(open.take(), &reply, start);
        if let Some(&code) = reply.octets.first_chunk()
            && is_repeat
        {
            *open = Some(Open { offset, code, end: start + position });
        }
        mentions(Mention {
            reply: reply.octets,
            direction: Direction::Sent,
            stage: None,
            host: None,
            status: None,
            offset,
            is_repeat,
        });
    }
}

/// Returns where a reply begins: if it goes on with lines before, where they begin.
fn first_offset(open: Option<Open>, reply: &Found<'_>, start: usize) -> usize {
    let offset = start + reply.start;
    match open {
        Some(open) if reply.octets.starts_with(&open.code) && offset.saturating_sub(open.end) <= DISTANCE => {
            open.offset
        }
        _ => offset,
    }
}

/// A whole enhanced status code, and where it is in its line.
struct Code {
    start: usize,
    end: usize,
}

/// A reply in a line.
struct Found<'a> {
    start: usize,
    end: usize,
    octets: Cow<'a, [u8]>,
    /// Whether its code has a hyphen, so that more lines follow.
    continues: bool,
}

/// Returns the enhanced status code whose first dot is here, damaged ones too: `5.01.1`.
fn code_around(line: &[u8], dot: usize) -> Option<Code> {
    let start = dot.checked_sub(1)?;
    let is_class = matches!(line[start], b'2' | b'4' | b'5');
    let before = start.checked_sub(1).map(|before| line[before]);
    if !is_class || before.is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_'))
    {
        return None;
    }
    let rest = &line[dot + 1..];
    let subject = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let rest = rest.get(subject..)?.strip_prefix(b".")?;
    let detail = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let is_code = (1..=3).contains(&subject) && (1..=3).contains(&detail);
    let ends = !rest
        .get(detail)
        .is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'/'));
    (is_code && ends).then_some(Code { start, end: dot + 1 + subject + 1 + detail })
}

/// Returns the reply that an enhanced status code belongs to.
fn reply_with<'a>(line: &'a [u8], code: &Code, scan: &mut Scan<'a>) -> Option<Found<'a>> {
    after_reply_code(line, code, scan)
        .or_else(|| before_reply_code(line, code, scan))
        .or_else(|| after_word(line, code, scan))
}

/// What may be between a reply code and an enhanced status code, apart from blanks.
const BETWEEN: &[u8] = b",\"'`:=>()";

/// Reads `550 5.1.1 text`, `550, "5.1.1 text"` and `550, enhanced_code="5.1.1"`.
fn after_reply_code<'a>(line: &'a [u8], code: &Code, scan: &mut Scan<'a>) -> Option<Found<'a>> {
    let before = &line[..code.start];
    let is_between = |octet: &u8| octet.is_ascii_whitespace() || BETWEEN.contains(octet) || *octet == b'-';
    let gap = before.iter().rev().take(8).take_while(|octet| is_between(octet)).count();
    let start = before.len().checked_sub(gap + 3).filter(|_| gap > 0);
    let start = start.filter(|&start| is_reply_code(line, start)).or_else(|| before_keyword(before))?;
    let reply_code = &line[start..start + 3];
    if !scan.has_reply(start, code.start) {
        return None;
    }
    let end = text_end(line, code.end, quote_before(line, start).or_else(|| quote_before(line, code.start)));
    let continues = &line[start + 3..code.start] == b"-";
    let octets = if matches!(&line[start + 3..code.start], b" " | b"-") {
        Cow::Borrowed(&line[start..end])
    } else {
        Cow::Owned([reply_code, b" ", &line[code.start..end]].concat())
    };
    Some(Found { start, end, octets, continues })
}

/// Returns where the reply code is before a keyword: `550, enhanced_code="`. The keyword has to name the enhanced status
/// code: other numbers may be arguments next to each other.
fn before_keyword(before: &[u8]) -> Option<usize> {
    const NAMES: [&[u8]; 3] = [b"enhanced", b"status", b"dsn"];
    let rest = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"))?.trim_ascii_end();
    let rest = rest.strip_suffix(b"=").or(rest.strip_suffix(b":"))?.trim_ascii_end();
    let rest = rest.strip_suffix(b"\"").or(rest.strip_suffix(b"'")).unwrap_or(rest);
    let is_of_name = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
    let length = rest.iter().rev().take(25).take_while(|octet| is_of_name(octet)).count();
    let (rest, keyword) = rest.split_at(rest.len() - length);
    let keyword = keyword.to_ascii_lowercase();
    let rest = rest.strip_suffix(b"\"").or(rest.strip_suffix(b"'")).unwrap_or(rest).trim_ascii_end();
    let start = rest.strip_suffix(b",")?.trim_ascii_end().len().checked_sub(3)?;
    let is_known = length <= 24 && NAMES.iter().any(|name| memmem::find(&keyword, name).is_some());
    (is_known && is_reply_code(before, start)).then_some(start)
}

/// Reads `5.1.1:550 text` and `$@ 5.7.1 $: "550 text"`.
fn before_reply_code<'a>(line: &'a [u8], code: &Code, scan: &mut Scan<'a>) -> Option<Found<'a>> {
    let is_between = |octet: &u8| octet.is_ascii_whitespace() || b":$\",'".contains(octet);
    let gap = line[code.end..].iter().take(8).take_while(|octet| is_between(octet)).count();
    let start = code.end + gap;
    let names_error = line[code.end..start].contains(&b':');
    if !names_error || !is_reply_code(line, start) || !scan.has_reply(code.start, start) {
        return None;
    }
    let end = text_end(line, start + 3, quote_before(line, start).or_else(|| quote_before(line, code.start)));
    let text = line[start + 3..end].trim_ascii();
    let octets = [&line[start..start + 3], b" ", &line[code.start..code.end], b" ", text].concat();
    Some(Found { start: code.start, end, octets: Cow::Owned(octets), continues: false })
}

/// Reads `REJECT 5.7.1 text`.
fn after_word<'a>(line: &'a [u8], code: &Code, scan: &mut Scan<'a>) -> Option<Found<'a>> {
    const WORDS: [&[u8]; 4] = [b"REJECT", b"DEFER", b"DEFER_IF_PERMIT", b"DEFER_IF_REJECT"];
    let before = line[..code.start].trim_ascii_end();
    let start = before
        .iter()
        .rposition(|octet| !octet.is_ascii_alphabetic() && *octet != b'_')
        .map_or(0, |at| at + 1);
    let word = &before[start..];
    if !WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) || before.len() == code.start {
        return None;
    }
    if !scan.has_action(start) {
        return None;
    }
    let end = text_end(line, code.end, quote_before(line, start));
    Some(Found { start: code.start, end, octets: Cow::Borrowed(&line[code.start..end]), continues: false })
}

/// Returns whether a reply code is at an offset, as a word of its own.
fn is_reply_code(line: &[u8], start: usize) -> bool {
    let Some(code) = line.get(start..start + 3) else { return false };
    let before = start.checked_sub(1).map(|before| line[before]);
    let is_alone = !before
        .is_some_and(|octet| octet.is_ascii_alphanumeric() && !is_escape(line, start) || octet == b'.');
    let ends = !line.get(start + 3).is_some_and(u8::is_ascii_alphanumeric);
    is_alone && ends && ReplyCode::from_bytes(code).is_ok() && matches!(code[0], b'2' | b'4' | b'5')
}

/// Returns whether the letter before an offset belongs to an escape: `\n550`.
fn is_escape(line: &[u8], start: usize) -> bool {
    start.checked_sub(2).is_some_and(|at| line[at] == b'\\' && matches!(line[at + 1], b'n' | b'r' | b't'))
}

/// Returns the quotation mark right before an offset.
fn quote_before(line: &[u8], start: usize) -> Option<u8> {
    let octet = line[start.checked_sub(1)?];
    matches!(octet, b'"' | b'\'' | b'`').then_some(octet)
}

/// Returns where the text ends: at its quotation mark, at a line end that is escaped, or at the end of the line.
fn text_end(line: &[u8], start: usize, quote: Option<u8>) -> usize {
    let mut position = start;
    while let Some(&octet) = line.get(position) {
        let next = line.get(position + 1);
        match octet {
            b'\\' if matches!(next, Some(b'r' | b'n')) => break,
            b'\\' => position += 1,
            b'"' if quote.is_none_or(|quote| quote == b'"') => break,
            other if quote == Some(other) => break,
            _ => {}
        }
        position += 1;
    }
    let end = position.min(line.len());
    start + line[start..end].trim_ascii_end().len()
}

/// Returns whether a line is a comment as a whole.
fn is_comment(line: &[u8]) -> bool {
    const MARKS: [&[u8]; 7] = [b"//", b"/*", b"* ", b"# ", b"## ", b"-- ", b"dnl "];
    let line = line.trim_ascii_start();
    MARKS.iter().any(|mark| line.starts_with(mark))
}

/// How far from each other the lines of a reply may be, in octets.
const DISTANCE: usize = 1000;

/// Returns whether the last line of a reply follows soon: the same code without a hyphen.
fn is_continued(text: &[u8], end: usize, reply: &[u8]) -> bool {
    let Some(code) = reply.get(..3) else { return false };
    let after = &text[end..text.len().min(end + DISTANCE)];
    let end = [code[0], code[1], code[2], b' '];
    let more = [code[0], code[1], code[2], b'-'];
    memmem::find(after, &end).is_some() || memmem::find(after, &more).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::read;

    fn found(text: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        read(text.as_bytes(), &mut |mention| {
            if !mention.is_repeat {
                found.push((mention.offset, String::from_utf8_lossy(&mention.reply).into_owned()));
            }
        });
        found
    }

    #[test]
    fn replies_of_many_languages_are_found() {
        for (source, reply) in [
            ("    return \"550 5.1.1 No such user\";", "550 5.1.1 No such user"),
            ("reply(\"550 5.1.1 No such user\\r\\n\");", "550 5.1.1 No such user"),
            ("send(550, \"5.1.1\", \"No\")", "550 5.1.1"),
            ("send(550, '5.1.1 It\\'s unknown')", "550 5.1.1 It\\'s unknown"),
            ("  550 => '5.1.1 No such user',", "550 5.1.1 No such user"),
            ("a = \"550 5.1.1 \" + text", "550 5.1.1"),
            ("smtpd_banner = 550 5.7.1 Go away", "550 5.7.1 Go away"),
            ("R$* $#error $@ 5.7.1 $: \"550 Relaying denied\"", "550 5.7.1 Relaying denied"),
            ("spam@example.org ERROR:5.7.1:550 No spam", "550 5.7.1 No spam"),
            ("spam@example.org REJECT 5.7.1 No spam", "5.7.1 No spam"),
            ("#define NO \"550 5.01.1 No\"", "550 5.01.1 No"),
            ("x = \"hello\\n451 4.3.0 Later\"", "451 4.3.0 Later"),
            ("x = \"It said: 451 4.3.0 Later\"", "451 4.3.0 Later"),
            ("message: 550 5.7.1 Don't", "550 5.7.1 Don't"),
            ("smtpd_x = 550 5.7.1 No # y", "550 5.7.1 No # y"),
            ("help = http://example.org/ 'x': 550 5.7.1 No", "550 5.7.1 No"),
            ("spam@example.org  550 5.7.1 No spam", "550 5.7.1 No spam"),
            ("/^Subject: free money/ REJECT 5.7.1 No", "5.7.1 No"),
            ("say('//', \"# \", '550 5.7.1 No')", "550 5.7.1 No"),
            ("$text // '550 5.7.1 No'", "550 5.7.1 No"),
            ("tail\" + \"550 5.7.1 No\"", "550 5.7.1 No"),
            ("$#error $@ 5.7.1 $: 550 No", "550 5.7.1 No"),
            ("reply(code=550, enhanced_code=\"5.7.1\")", "550 5.7.1"),
            ("{\"code\": 550, \"status\": \"5.7.1 No\"}", "550 5.7.1 No"),
            ("send(\"%d %s\", 550, \"5.1.1\")", "550 5.1.1"),
            ("x = \"550 \" \"5.1.1 No\"", "550 5.1.1 No"),
        ] {
            let replies: Vec<String> = found(source).into_iter().map(|(_, reply)| reply).collect();
            assert_eq!(replies, [reply], "{source}");
        }
    }

    #[test]
    fn other_numbers_are_no_replies() {
        for source in [
            "version = \"5.1.1\"",
            "// 550 5.1.1 in a comment",
            "# 550 5.1.1 in a comment",
            "addr = \"10.550 5.1.1.1\"",
            "x = 250 10.0.0.1",
            "1550 5.1.1",
            "550 5.1.1.2",
            "depends(>= 4.5.6), 550",
            "int x; /* 550 5.7.1 */",
            "x = 1 # 550 5.7.1",
            "x = 1 # don't: 550 5.7.1",
            "y(); // 550 5.7.1 no",
            "SELECT 1 -- = 550 5.7.1",
            "y('\\'') // reply(550, '5.7.1')",
            "version 500 5.0.1",
            "\"listening on port 250 5.0.0\"",
            "'it listens on port 250 5.0.0'",
            "we always REJECT 5.7.1 replies",
            "connect(port=250, version=\"5.0.0\")",
            "connect(250, a_name_that_has_more_octets_status=\"5.0.0\")",
            "",
        ] {
            assert_eq!(found(source), [], "{source}");
        }
    }

    #[test]
    fn the_lines_of_a_reply_are_one() {
        let source = "say(\"550-5.1.1 No\\r\\n550 5.1.1 such user\\r\\n\");\nx(\"451 4.3.0 No\");\n";
        assert_eq!(found(source), [(5, "550 5.1.1 such user".to_owned()), (51, "451 4.3.0 No".to_owned())]);
        let source =
            "x(\"550-5.1.1 No\\n\"\n  \"550-5.1.1 such\\n\"\n  \"550 5.1.1 user\");\ny(\"550 5.1.1 No\")";
        assert_eq!(found(source), [(3, "550 5.1.1 user".to_owned()), (64, "550 5.1.1 No".to_owned())]);
    }

    #[test]
    fn long_lines_take_little_time() {
        let started = std::time::Instant::now();
        for part in [
            "250 5.0.0 x ",
            "250-5.0.0,",
            "\"a 250 5.0.0 x",
            "\"250 5.0.0\"",
            "a REJECT 5.0.0 ",
            "5.0.0:550 ",
        ] {
            read(format!("y z {}", part.repeat(200_000)).as_bytes(), &mut |_| {});
        }
        assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn any_octets_are_read(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&text, &mut |_| {});
        }

        #[test]
        fn likely_octets_are_read(text in "[245 .\"'0$:,\\\\nr-]{0,80}") {
            read(text.as_bytes(), &mut |mention| assert!(mention.offset < text.len()));
        }
    }
}
