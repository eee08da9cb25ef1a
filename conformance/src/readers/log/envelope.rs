//! What syslog and its relatives put before a message: stamp, host, program and process.

use memchr::{memchr, memchr_iter, memrchr, memrchr2};

/// The program that wrote a line, and where its message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    /// The program's tag, such as `postfix/smtp`; empty if the line has none.
    pub(super) program: &'a [u8],
    /// The process; empty if the line has none.
    pub(super) process: &'a [u8],
    /// Where the message begins, in octets from the start of the line: 0 if the line has no tag.
    pub(super) message: usize,
}

/// How far from the start of a line a tag may end.
const REACH: usize = 200;

impl<'a> Envelope<'a> {
    /// Reads the tag of a line. It is in front of the first colon that a blank follows, in all forms but RFC 5424:
    /// `Nov 28 14:41:09 host postfix/smtp[122]: `, `2026-11-28T14:41:09+00:00 host dma: `.
    pub(super) fn read(line: &'a [u8]) -> Envelope<'a> {
        if let Some(envelope) = Envelope::structured(line) {
            return envelope;
        }
        let head = &line[..line.len().min(REACH)];
        let end =
            memchr_iter(b':', head).find(|&colon| matches!(line.get(colon + 1), None | Some(b' ' | b'\t')));
        end.and_then(|colon| Envelope::before(line, colon)).unwrap_or(Envelope::none())
    }

    const fn none() -> Envelope<'a> {
        Envelope { program: b"", process: b"", message: 0 }
    }

    /// Reads `program[process]` in front of a colon.
    fn before(line: &'a [u8], colon: usize) -> Option<Envelope<'a>> {
        let head = &line[..colon];
        let message = line.len().min(colon + 2);
        let (tag, process) = match head.strip_suffix(b"]") {
            Some(inner) => {
                // The identifier of a message is in its place in the log of dma.
                let open =
                    inner.iter().rposition(|octet| !octet.is_ascii_alphanumeric() && *octet != b'.')?;
                if inner[open] != b'[' || open + 1 == inner.len() {
                    return None;
                }
                (&inner[..open], &inner[open + 1..])
            }
            None => (head, &head[..0]),
        };
        let mut program = memrchr2(b' ', b'\t', tag).map_or(tag, |blank| &tag[blank + 1..]);
        // The priority of RFC 3164: `<22>sendmail[1]`.
        if let Some(priority) = memrchr(b'>', program) {
            program = &program[priority + 1..];
        }
        if program.is_empty() { None } else { Some(Envelope { program, process, message }) }
    }

    /// Reads the form of RFC 5424: `<22>1 2026-11-28T14:41:09Z host postfix/smtp 122 - - `.
    fn structured(line: &'a [u8]) -> Option<Envelope<'a>> {
        let rest = line.strip_prefix(b"<")?;
        let digits = rest.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
        let rest = rest.get(digits..)?.strip_prefix(b">1 ")?;
        let mut fields = rest.splitn(6, |octet| *octet == b' ').skip(2);
        let (program, process, _, data) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let mut message = after_structured_data(data)?;
        if let Some(text) = message.strip_prefix(b" ") {
            message = text;
        }
        if let Some(text) = message.strip_prefix(b"\xef\xbb\xbf") {
            message = text;
        }
        let process = if process == b"-" { &process[..0] } else { process };
        Some(Envelope { program, process, message: line.len() - message.len() })
    }
}

/// Returns what follows `-`, or elements such as `[origin x="1"]`.
fn after_structured_data(data: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = data.strip_prefix(b"-") {
        return Some(rest);
    }
    let mut rest = data;
    while rest.starts_with(b"[") {
        let mut end = 0;
        loop {
            end += memchr(b']', &rest[end..])? + 1;
            if rest[end - 2] != b'\\' {
                break;
            }
        }
        rest = &rest[end..];
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn the_tag_is_found_in_every_form() {
        for (line, program, process, message) in [
            ("Nov 28 14:41:09 mx postfix/smtp[12]: x: y", "postfix/smtp", "12", "x: y"),
            ("2026-11-28T14:41:09.123456+00:00 mx postfix/smtp[12]: x", "postfix/smtp", "12", "x"),
            ("2026-11-28T14:41:09+0000 mx postfix/smtp[12]: x", "postfix/smtp", "12", "x"),
            ("<22>Nov 28 14:41:09 mx exim[12]: x", "exim", "12", "x"),
            ("Nov 28 14:41:09 mx mail.info sm-mta[12]: x", "sm-mta", "12", "x"),
            ("Nov 28 14:41:09 mx courierd: x", "courierd", "", "x"),
            ("postfix/smtp[12]: x", "postfix/smtp", "12", "x"),
            ("<22>postfix/smtp[12]: x", "postfix/smtp", "12", "x"),
            ("<22>1 2026-11-28T14:41:09Z mx postfix/smtp 12 - - x", "postfix/smtp", "12", "x"),
            ("<22>1 2026-11-28T14:41:09Z mx dma - - - \u{feff}x", "dma", "", "x"),
            ("<22>1 2026-11-28T14:41:09Z mx dma 1 ID [a b=\"c\\] d\"][e] x", "dma", "1", "x"),
            ("Nov 28 14:41:09 mx smtpd[12]:", "smtpd", "12", ""),
        ] {
            let envelope = Envelope::read(line.as_bytes());
            assert_eq!(envelope.program, program.as_bytes(), "{line}");
            assert_eq!(envelope.process, process.as_bytes(), "{line}");
            assert_eq!(&line.as_bytes()[envelope.message..], message.as_bytes(), "{line}");
        }
        for line in
            ["", "no tag", "2026-11-28 H=mx.example.org [192.0.2.1]: x", "at 10:20 [12]: x", "<22>1 a b"]
        {
            assert_eq!(Envelope::read(line.as_bytes()), Envelope::none(), "{line}");
        }
    }
}
