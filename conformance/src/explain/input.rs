//! Reads what is asked in a text: replies, or a report of failed deliveries.

use memchr::memchr_iter;

use super::bounce;
use super::inquiry::Inquiry;

/// Reads what is asked in a text: a report of failed deliveries, or a reply on each line. The lines of one reply, which
/// have a hyphen after the reply code, belong together.
#[must_use]
pub fn read(text: &[u8]) -> Vec<Inquiry> {
    let reported = bounce::read(text);
    if !reported.is_empty() {
        return reported;
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut inquiries = Vec::new();
    let mut start = 0;
    let mut position = 0;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(position..end).unwrap_or_default();
        position = end + 1;
        if is_continued(line) && end < text.len() {
            continue;
        }
        let reply = text.get(start..end).unwrap_or_default().trim_ascii();
        start = position;
        if !reply.is_empty() {
            let typed = str::from_utf8(reply).ok().map(Inquiry::typed);
            inquiries.push(typed.unwrap_or_else(|| Inquiry::new(reply)));
        }
    }
    if is_mail(text) {
        inquiries.retain(|inquiry| {
            let answer = inquiry.explain();
            answer.reply_code().is_some() || answer.enhanced().is_some()
        });
    }
    inquiries
}

/// Returns whether a text begins with the header of a message, most of whose lines are no replies.
fn is_mail(text: &[u8]) -> bool {
    const FIELDS: [&[u8]; 4] = [b"Return-Path:", b"Received:", b"Delivered-To:", b"From "];
    FIELDS.iter().any(|field| text.starts_with(field))
}

/// Returns whether more lines of the reply follow a line.
fn is_continued(line: &[u8]) -> bool {
    matches!(line, [b'2'..=b'5', second, third, b'-', ..] if second.is_ascii_digit() && third.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn each_line_is_a_reply_unless_it_continues() {
        let replies: Vec<Vec<u8>> = read(b"550-5.1.1 No\r\n550 5.1.1 user\r\n\r\n451 Later\n")
            .into_iter()
            .map(|one| one.reply)
            .collect();
        assert_eq!(replies, [&b"550-5.1.1 No\r\n550 5.1.1 user"[..], b"451 Later"]);
        assert_eq!(read(b"550-5.1.1 No\n")[0].reply, b"550-5.1.1 No");
        assert!(read(b"\r\n\n").is_empty());
        assert_eq!(read(b"550 \xff")[0].reply, b"550 \xff");
        let mail =
            b"Received: by mx.example.org\nSubject: returned\n\nYour message:\n550 5.1.1 No such user\n";
        assert_eq!(read(mail).len(), 1);
    }
}
