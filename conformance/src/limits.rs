//! How much is read and kept, whoever sends it. SECURITY.md has the same numbers in a table.

/// Octets of one line of a reply. RFC 5321 §4.5.3.1.5 allows 512.
pub const LINE_OCTETS: usize = 64 << 10;
/// Lines of one reply.
pub const REPLY_LINES: usize = 4096;
/// Octets of one reply.
pub const REPLY_OCTETS: usize = 256 << 10;
/// Replies of one connection that answer nothing and are kept all the same. Further ones are counted.
pub const SURPLUS_REPLIES: usize = 64;
/// Octets that are read on one connection. The client hangs up on a server that sends more.
pub const CONNECTION_OCTETS: usize = 1 << 20;
/// Octets that are received from one server. A run in which it sends more ends.
pub const RUN_OCTETS: usize = 4 << 20;
/// Octets that one placeholder of a case stands for.
pub const FILLER_OCTETS: usize = 1 << 20;
/// Octets that a step of a case sends, once its placeholders are filled.
pub const STEP_OCTETS: usize = 16 << 20;
/// Octets that a case sends on one connection, give or take one step.
pub const SENT_OCTETS: usize = 16 << 20;
/// Octets that a run sends to one server, give or take one connection.
pub const RUN_SENT_OCTETS: usize = 64 << 20;
/// Findings of one rule and level that are kept in one case, or in one connection of a recording. Further ones are
/// counted.
pub const FINDINGS: usize = 100;
/// Characters of what was seen that a finding, a reason or an error message quotes.
pub const QUOTED: usize = 300;
/// Octets of a TOML file (a target, a baseline, cases) or of a password.
pub const FILE_OCTETS: u64 = 1 << 20;
/// Octets of a user's name, and of a password. A server takes at least 255 (RFC 4616 §2).
pub const CREDENTIAL_OCTETS: usize = 1024;
/// Octets of a list of targets, or of those who are left out.
pub const LIST_OCTETS: u64 = 64 << 20;
/// Octets of a transcript.
pub const TRANSCRIPT_OCTETS: u64 = 16 << 20;
/// Acts and replies that nothing asked for, in a transcript.
pub const TRANSCRIPT_EXCHANGES: usize = 200_000;
/// The same in all the transcripts that are judged together.
pub const JUDGED_EXCHANGES: usize = 1_000_000;
/// Octets of the records of one run.
pub const RECORDS_OCTETS: u64 = 128 << 20;

/// A text, or its first [`QUOTED`] characters and how many follow.
pub(crate) fn quoted(text: String) -> String {
    let Some((end, _)) = text.char_indices().nth(QUOTED) else { return text };
    let (start, rest) = text.split_at(end);
    format!("{start}... ({} more characters)", rest.chars().count())
}

#[cfg(test)]
mod tests {
    use super::{QUOTED, quoted};

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(quoted("ä".repeat(QUOTED)), "ä".repeat(QUOTED));
        assert_eq!(quoted("ä".repeat(QUOTED + 7)), "ä".repeat(QUOTED) + "... (7 more characters)");
    }
}
