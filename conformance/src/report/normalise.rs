//! Replaces what differs from run to run in a server's replies: queue ids, times and challenges.

use std::sync::LazyLock;

use regex::Regex;

/// The patterns by which servers write them, each with its replacement.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
            "<time>",
        ),
        // Haraka appends the number of the message on the connection.
        (r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?:\.\d+)?", "<id>"),
        (r"\bready \([0-9A-F]{6}\)", "ready (<id>)"),
        // Postfix.
        (r"\bqueued as [0-9A-Za-z]+", "queued as <id>"),
        // Exim.
        (r"\bid=[0-9A-Za-z]{6}-[0-9A-Za-z]+-[0-9A-Za-z]+", "id=<id>"),
        // OpenSMTPD.
        (r"\b[0-9a-f]{8} Message accepted", "<id> Message accepted"),
        // Dovecot.
        (r"> [0-9A-Za-z+/]{22} Saved", "> <id> Saved"),
        // The addresses that clients are given.
        (r"\bt\d+-\d+@", "<id>@"),
        (r"\binjected-t\d+-\d+", "injected-<id>"),
        // The prompts of AUTH LOGIN are shorter and never change.
        (r"\b334 [0-9A-Za-z+/]{20,}=*", "334 <challenge>"),
    ]
    .into_iter()
    .filter_map(|(pattern, instead)| Some((Regex::new(pattern).ok()?, instead)))
    .collect()
});

/// Returns the text with placeholders for queue ids, times and challenges.
pub(super) fn normalise(text: &str) -> String {
    PATTERNS
        .iter()
        .fold(text.to_owned(), |text, (pattern, instead)| pattern.replace_all(&text, *instead).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{PATTERNS, normalise};

    #[test]
    fn ids_times_and_challenges_are_replaced() {
        assert_eq!(PATTERNS.len(), 10);
        for (text, expected) in [
            ("220 mx ESMTP Exim 4.96 Tue, 24 Nov 2026 02:42:46 +0000", "220 mx ESMTP Exim 4.96 <time>"),
            ("220 mx ESMTP Haraka/3.3.4 ready (3D4859)", "220 mx ESMTP Haraka/3.3.4 ready (<id>)"),
            ("250 Message Queued (FC80707A-F3CC-4540-94A6-D9BBDF75BC82.1)", "250 Message Queued (<id>)"),
            ("250 2.0.0 Ok: 67 bytes queued as A388862C728", "250 2.0.0 Ok: 67 bytes queued as <id>"),
            ("250 OK id=1xVgUf-00004Z-3B", "250 OK id=<id>"),
            (
                "250 2.0.0 3f6c5ced Message accepted for delivery",
                "250 2.0.0 <id> Message accepted for delivery",
            ),
            ("250 2.0.0 <a@b.example> GEQVOaP5BGs+AAAAqdzKAw Saved", "250 2.0.0 <a@b.example> <id> Saved"),
            ("334 PDc2Y2VhLjFhMjBiN2MxMTMwQG14LmV4YW1wbGUudGVzdD4=", "334 <challenge>"),
            ("MAIL FROM:<sender-t12-345@example.net>", "MAIL FROM:<sender-<id>@example.net>"),
            ("334 VXNlcm5hbWU6", "334 VXNlcm5hbWU6"),
            ("250 SIZE 20480000", "250 SIZE 20480000"),
        ] {
            assert_eq!(normalise(text), expected);
        }
    }
}
