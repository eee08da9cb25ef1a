//! Limits on what is read, kept and sent. SECURITY.md has the same numbers in a table.

/// Octets in one line of a reply. RFC 5321 §4.5.3.1.5 allows 512.
pub const LINE_OCTETS: usize = 64 << 10;
/// Lines in one reply.
pub const REPLY_LINES: usize = 4096;
/// Octets in one reply.
pub const REPLY_OCTETS: usize = 256 << 10;
/// Replies on one connection that answer nothing and are kept. Further ones are only counted.
pub const SURPLUS_REPLIES: usize = 64;
/// Octets that are read on one connection. The client hangs up on a server that sends more.
pub const CONNECTION_OCTETS: usize = 1 << 20;
/// Octets that are received from one server. A run ends if the server sends more.
pub const RUN_OCTETS: usize = 4 << 20;
/// Octets that replace one placeholder of a case.
pub const FILLER_OCTETS: usize = 1 << 20;
/// Octets that a step of a case sends, after its placeholders are replaced.
pub const STEP_OCTETS: usize = 16 << 20;
/// Octets that a case sends on one connection. The last step may exceed the limit.
pub const SENT_OCTETS: usize = 16 << 20;
/// Octets that a run sends to one server. The last connections may exceed the limit.
pub const RUN_SENT_OCTETS: usize = 64 << 20;
/// Octets of a message that `send` sends. Longer ones are refused.
pub const SENT_MESSAGE_OCTETS: u64 = 64 << 20;
/// Octets of a message that arrives. Longer ones are not compared.
pub const ARRIVAL_OCTETS: usize = 1 << 20;
/// Messages of one run that are kept when they arrive. Further ones are accepted and forgotten.
pub const ARRIVALS: usize = 500;
/// Octets of the messages of one run that are kept when they arrive.
pub const ARRIVALS_OCTETS: usize = 16 << 20;
/// Files of a Maildir that are looked at.
pub const MAILDIR_FILES: usize = 10_000;
/// Octets that are read of a file in mbox format, from where it ended when the run began.
pub const MBOX_OCTETS: u64 = 64 << 20;
/// Connections of a server that delivers to the suite.
pub const SINK_CONNECTIONS: usize = 16;
/// Findings of one rule and level that are kept per case, or per connection of a recording. Further ones are only
/// counted.
pub const FINDINGS: usize = 100;
/// Characters of observed text that a finding, a reason or an error message quotes.
pub const QUOTED: usize = 300;
/// Octets in a TOML file (a target, a baseline, cases) or in a password file.
pub const FILE_OCTETS: u64 = 1 << 20;
/// Octets in a user's name or in a password. A server accepts at least 255 (RFC 4616 §2).
pub const CREDENTIAL_OCTETS: usize = 1024;
/// Octets in a list of targets, or in a list of hosts that are left out.
pub const LIST_OCTETS: u64 = 64 << 20;
/// Octets in the transcript of one connection that `serve` records. The rest is left out.
pub const SERVED_TRANSCRIPT_OCTETS: usize = 256 << 10;
/// Octets of one act of a client that is tested, or of one reply to it, that are kept. Further ones are only counted.
pub const CLIENT_ACT_OCTETS: usize = 256 << 10;
/// Acts on one connection of a client that is tested that are kept. Further ones are only counted.
pub const CLIENT_EXCHANGES: usize = 500;
/// Octets in a transcript.
pub const TRANSCRIPT_OCTETS: u64 = 16 << 20;
/// Exchanges in a transcript, that is, acts, and replies that answer no act.
pub const TRANSCRIPT_EXCHANGES: usize = 200_000;
/// Exchanges in all transcripts that are judged together.
pub const JUDGED_EXCHANGES: usize = 1_000_000;
/// Octets of a message that may be a bounce. Of a longer one, the start is read: the message that it returns comes last.
pub const MESSAGE_OCTETS: usize = 1 << 20;
/// Recipients of one bounce. Further ones are only counted.
pub const BOUNCE_RECIPIENTS: usize = 10_000;
/// Octets in the records of one run.
pub const RECORDS_OCTETS: u64 = 128 << 20;
/// Octets of a line of a log that are read. The rest of a longer line is left out, and reported.
pub const LOG_LINE_OCTETS: usize = 64 << 10;
/// Octets of a recording that is linted. Longer ones are left out, and reported.
pub const RECORDING_OCTETS: usize = 512 << 10;
/// Octets of a source file. Longer ones are left out, and reported.
pub const SOURCE_OCTETS: usize = 8 << 20;
/// Octets of memory that the decompression of a file may take. Files that need more are left out, and reported.
pub const DECOMPRESSION_OCTETS: u64 = 32 << 20;
/// Rows of replies that `lint` counts apart. Further ones are counted together.
pub const LINT_ROWS: usize = 4096;
/// Hosts or hours that `lint` counts apart. Further ones are counted together.
pub const LINT_GROUPS: usize = 16_384;
/// Places of broken rules that `lint` lists. Further ones are only counted.
pub const LINT_PLACES: usize = 10_000;
/// Problems with input that `lint` lists. Further ones are only counted.
pub const LINT_TROUBLES: usize = 100;

/// Returns a text, or its first [`QUOTED`] characters and the number of those that follow.
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
