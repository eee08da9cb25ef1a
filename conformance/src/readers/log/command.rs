//! The commands that logs name, and the stages that they are.

use smtp_enhanced_status::explain::Stage;

/// Words that a command begins with, in lower case.
const COMMANDS: [(&[u8], Stage); 20] = [
    (b"rcpt", Stage::Rcpt),
    (b"mail", Stage::Mail),
    (b"end of data", Stage::Message),
    (b"end-of-message", Stage::Message),
    (b"final data", Stage::Message),
    (b"data-end", Stage::Message),
    (b"dot", Stage::Message),
    (b"bdat last", Stage::Message),
    (b"message", Stage::Message),
    (b".", Stage::Message),
    (b"data", Stage::Data),
    (b"bdat", Stage::Data),
    (b"ehlo", Stage::Hello),
    (b"helo", Stage::Hello),
    (b"lhlo", Stage::Hello),
    (b"starttls", Stage::StartTls),
    (b"auth", Stage::Auth),
    (b"connect", Stage::Connect),
    (b"initial connection", Stage::Connect),
    (b"banner", Stage::Connect),
];

/// Returns the stage of a command that a log names: `RCPT TO`, `end of DATA`, `pipelined MAIL FROM:<>`.
pub(super) fn stage(command: &[u8]) -> Option<Stage> {
    let command = command.strip_prefix(b"pipelined ").unwrap_or(command);
    let named = |(word, _): &&(&[u8], Stage)| {
        command.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !command.get(word.len()).is_some_and(u8::is_ascii_alphanumeric)
    };
    COMMANDS.iter().find(named).map(|(_, stage)| *stage)
}

#[cfg(test)]
mod tests {
    use smtp_enhanced_status::explain::Stage;

    use super::stage;

    #[test]
    fn commands_are_stages() {
        for (command, expected) in [
            ("RCPT TO:<a@example.org>", Some(Stage::Rcpt)),
            ("pipelined MAIL FROM:<> SIZE=1", Some(Stage::Mail)),
            ("end of DATA", Some(Stage::Message)),
            ("end of data", Some(Stage::Message)),
            ("DATA", Some(Stage::Data)),
            ("HELO mx.example.org", Some(Stage::Hello)),
            ("initial connection", Some(Stage::Connect)),
            ("END-OF-MESSAGE", Some(Stage::Message)),
            ("MAILBOX", None),
            ("QUIT", None),
            ("", None),
        ] {
            assert_eq!(stage(command.as_bytes()), expected, "{command}");
        }
    }
}
