//! What is asked: a code, a reply, several of them, or a report of failed deliveries.

use memchr::memchr_iter;
use smtp_enhanced_status::Status;
use smtp_enhanced_status::explain::{Explanation, Question, Stage};

use super::{bounce, near_miss};

/// A reply to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The reply, or a code, as it was asked.
    pub reply: Vec<u8>,
    /// Whom the message was for, if a report says so.
    pub recipient: Option<String>,
    /// The host that sent the reply, if it is known.
    pub host: Option<String>,
    /// The command that was answered, if it is known.
    pub stage: Option<Stage>,
    /// How the reply was read, if it was not read as it is written.
    pub read_as: Option<String>,
}

impl Inquiry {
    /// Asks about a reply of which nothing else is known.
    #[must_use]
    pub fn new(reply: &[u8]) -> Inquiry {
        Inquiry { reply: reply.to_vec(), recipient: None, host: None, stage: None, read_as: None }
    }

    /// Asks about a reply or a code that somebody typed: `5.1.l` is read as 5.1.1.
    #[must_use]
    pub fn typed(text: &str) -> Inquiry {
        match near_miss::read(text) {
            Some((reply, read_as)) => Inquiry { read_as: Some(read_as), ..Inquiry::new(reply.as_bytes()) },
            None => Inquiry::new(text.trim().as_bytes()),
        }
    }

    /// Returns the row that is asked for, if it is asked without a class: `X.1.1`.
    #[must_use]
    pub fn row(&self) -> Option<Status> {
        Status::from_bytes(&self.reply).ok()
    }

    /// Answers.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let mut question = Question::new(&self.reply);
        if let Some(stage) = self.stage {
            question = question.at(stage);
        }
        if let Some(host) = &self.host {
            question = question.from_host(host);
        }
        question.explain()
    }
}

/// Reads what is asked in a text: a report of failed deliveries, or a reply on each line. The lines of one reply, which
/// have a hyphen after the reply code, belong together.
#[must_use]
pub fn read(text: &[u8]) -> Vec<Inquiry> {
    let reported = bounce::read(text);
    if !reported.is_empty() {
        return reported;
    }
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
    inquiries
}

/// Returns whether more lines of the reply follow a line.
pub(super) fn is_continued(line: &[u8]) -> bool {
    matches!(line, [b'2'..=b'5', second, third, b'-', ..] if second.is_ascii_digit() && third.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Inquiry, read};

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
    }

    #[test]
    fn a_row_is_asked_without_a_class() {
        assert_eq!(Inquiry::typed("X.1.1").row().map(|row| row.to_string()).as_deref(), Some("X.1.1"));
        assert_eq!(Inquiry::typed("5.1.1").row(), None);
    }
}
