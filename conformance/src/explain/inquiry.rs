//! What is asked: a code or a reply, and what is known of it.

use smtp_enhanced_status::Status;
use smtp_enhanced_status::explain::{Explanation, Question, Stage};

use super::near_miss;

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
    /// Whether a report has no reply, but only the code of the server that made it. That is no evidence about the
    /// recipient: such servers make up codes.
    pub is_from_status: bool,
    /// How the reply was read, if it was not read as it is written.
    pub read_as: Option<String>,
}

impl Inquiry {
    /// Asks about a reply of which nothing else is known.
    #[must_use]
    pub fn new(reply: &[u8]) -> Inquiry {
        Inquiry {
            reply: reply.to_vec(),
            recipient: None,
            host: None,
            stage: None,
            is_from_status: false,
            read_as: None,
        }
    }

    /// Asks about a reply or a code that somebody typed: `5.1.l` is read as 5.1.1.
    #[must_use]
    pub fn typed(text: &str) -> Inquiry {
        // What transcripts and the output of swaks begin their lines with.
        const PREFIXES: [&str; 6] = ["S: ", "> ", "<- ", "<~ ", "<** ", "<<< "];
        let text = text.trim_start_matches('\u{feff}').trim();
        let text = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
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

#[cfg(test)]
mod tests {
    use super::Inquiry;

    #[test]
    fn a_row_is_asked_without_a_class() {
        assert_eq!(Inquiry::typed("X.1.1").row().map(|row| row.to_string()).as_deref(), Some("X.1.1"));
        assert_eq!(Inquiry::typed("5.1.1").row(), None);
    }
}
