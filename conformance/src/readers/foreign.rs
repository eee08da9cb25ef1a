//! Recognizes recordings that are not read, to say how they become transcripts.

/// Returns what a text is and what to do with it, if it is a recording of a known form.
pub(super) fn advice(text: &str) -> Option<&'static str> {
    FORMS
        .iter()
        .find(|(is_it, _)| text.lines().take(LINES).any(|line| is_it(line)))
        .map(|(_, advice)| *advice)
}

/// The number of lines that are looked at.
const LINES: usize = 200;

/// How each form is recognized by a line, and the advice.
const FORMS: [(fn(&str) -> bool, &str); 6] = [
    (
        |line| {
            starts_like(line, "reporting-mta:") || starts_like(line, "content-type: message/delivery-status")
        },
        "this is a delivery status notification, and bounces are not read; write the reply that its Diagnostic-Code \
         quotes into a transcript, after the command that it answered",
    ),
    (
        |line| line.contains(" dsn=") && line.contains("status="),
        "this is a log of Postfix, and logs are not read, as a line has one reply and not the session; write the reply \
         after \"said:\" into a transcript, after the command that it answered",
    ),
    (
        |line| {
            line.starts_with("=== Trying ")
                || line.starts_with("=== Connected to ")
                || line.starts_with(" -> ")
        },
        "this is output of swaks; turn it into a transcript with: sed -nE -e 's/^=== Connected to .*/#: connected/p' \
         -e 's/^=== TLS started.*/#: tls/p' -e 's/^ [-~*]> ?/C: /p' -e 's/^<[-~*]{1,2} {0,2}/S: /p'",
    ),
    (
        |line| line.contains("] S: ") || line.contains("] C: "),
        "this is a log with C: and S: after other columns; turn it into a transcript with: (echo '#: connected'; sed -nE \
         's/.*\\] ([CS]: )/\\1/p'), for one connection at a time",
    ),
    (
        |line| line.starts_with("Trying ") || line.starts_with("Escape character is "),
        "this is a session of telnet; write `#: connected` in place of its first lines, `S: ` before each line of the \
         server, which begins with three digits, and `C: ` before each of yours",
    ),
    (
        |line| matches!(line.as_bytes(), [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..]),
        "this is a session without marks; write `#: connected` on a line before it, `S: ` before each line of the \
         server, and `C: ` before each line of the client",
    ),
];

fn starts_like(line: &str, beginning: &str) -> bool {
    line.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn forms_are_told_apart() {
        for (text, word) in [
            (
                "Reporting-MTA: dns; mx.example.org\n\nStatus: 5.0.0\nDiagnostic-Code: smtp; 450 4.2.0 No",
                "bounces",
            ),
            (
                "Nov 28 12:00:00 mx postfix/smtp[7]: A1: to=<a@example.org>, dsn=5.4.1, status=bounced (host \
                 mx.example.net said: 550 5.4.1 No (in reply to RCPT TO command))",
                "Postfix",
            ),
            (
                "=== Trying mx.example.org:25...\n=== Connected to mx.example.org.\n<-  220 mx\n -> EHLO me",
                "swaks",
            ),
            ("[PROTOCOL] [A1] [core] S: 220 mx\n[PROTOCOL] [A1] [core] C: EHLO me", "other columns"),
            (
                "Trying 192.0.2.1...\nConnected to mx.example.org.\nEscape character is '^]'.\n220 mx",
                "telnet",
            ),
            ("220 mx.example.org ESMTP\nEHLO me\n250 mx.example.org", "without marks"),
        ] {
            assert!(advice(text).is_some_and(|advice| advice.contains(word)), "{text}: {:?}", advice(text));
        }
        assert_eq!(advice("words"), None);
    }
}
