//! Reads what is asked in a text: replies, or a report of failed deliveries.

use memchr::memchr_iter;

use super::bounce;
use super::inquiry::Inquiry;

/// The maximum number of replies that are read from a text.
pub const MOST: usize = 1000;

/// What is asked in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The replies, [`MOST`] at most.
    pub inquiries: Vec<Inquiry>,
    /// Whether the text has more of them.
    pub is_cut: bool,
}

impl Input {
    fn new(mut inquiries: Vec<Inquiry>) -> Input {
        let is_cut = inquiries.len() > MOST;
        inquiries.truncate(MOST);
        Input { inquiries, is_cut }
    }
}

/// Reads what is asked in a text: a report of failed deliveries, or a reply on each line. The lines of one reply, which
/// have a hyphen after the reply code, belong together.
#[must_use]
pub fn read(text: &[u8]) -> Input {
    let reported = bounce::read(text, MOST + 1);
    let inquiries = if reported.is_empty() { lines(text, MOST + 1) } else { reported };
    Input::new(inquiries)
}

/// Reads the replies in lines, but not more than a number of them.
fn lines(text: &[u8], most: usize) -> Vec<Inquiry> {
    let is_mail = is_mail(text);
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
        if reply.is_empty() {
            continue;
        }
        let typed = str::from_utf8(reply).ok().map(Inquiry::typed);
        let inquiry = typed.unwrap_or_else(|| Inquiry::new(reply));
        if !is_mail || has_code(&inquiry) {
            inquiries.push(inquiry);
        }
        if inquiries.len() == most {
            break;
        }
    }
    inquiries
}

fn has_code(inquiry: &Inquiry) -> bool {
    let answer = inquiry.explain();
    answer.reply_code().is_some() || answer.enhanced().is_some()
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
    use super::{Inquiry, MOST};

    fn read(text: &[u8]) -> Vec<Inquiry> {
        super::read(text).inquiries
    }

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

    #[test]
    fn too_many_replies_are_cut() {
        let recipient = "Final-Recipient: rfc822; a@example.net\nStatus: 5.1.1\n\n";
        let paragraph = "<a@example.net>: 550 5.1.1 No\n\n";
        for one in ["550 5.1.1 No\n", recipient, paragraph] {
            for (number, is_cut) in [(MOST, false), (MOST + 1, true), (3 * MOST, true)] {
                let input = super::read(one.repeat(number).as_bytes());
                assert_eq!((input.inquiries.len(), input.is_cut), (MOST, is_cut), "{number} times {one}");
            }
        }
    }
}
