//! Recognizes recordings that are not read, to say how they become transcripts.

/// Returns what a text is and what to do with it, if it is a recording of a known form.
pub(super) fn advice(text: &str) -> Option<&'static str> {
    FORMS.iter().find(|(is_it, _)| text.lines().take(LINES).any(is_it)).map(|(_, advice)| *advice)
}

/// Returns whether a text begins with the header of a message, or a line of a mailbox in mbox format.
pub(super) fn is_message(text: &str) -> bool {
    const FIELDS: [&str; 12] = [
        "return-path",
        "received",
        "delivered-to",
        "from",
        "date",
        "subject",
        "to",
        "message-id",
        "mime-version",
        "content-type",
        "reporting-mta",
        "x-original-to",
    ];
    let first =
        text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let field = first.split(':').next().unwrap_or_default();
    first.starts_with("From ") || FIELDS.iter().any(|name| field.eq_ignore_ascii_case(name))
}

/// The number of lines that are looked at.
const LINES: usize = 200;

/// How a form is recognized by a line, and the advice.
type Form = (fn(&str) -> bool, &'static str);

const FORMS: [Form; 5] = [
    (
        |line| {
            starts_like(line, "reporting-mta:") || starts_like(line, "content-type: message/delivery-status")
        },
        "this is a bounce, which has replies and not the session; judge it with `smtp-conformance lint`",
    ),
    (
        |line| line.contains(" dsn=") && line.contains("status="),
        "this is a log of Postfix, which has replies and not the session; judge it with `smtp-conformance lint`",
    ),
    (
        |line| line.contains("SERVER -&gt; CLIENT: "),
        "this is output of PHPMailer as HTML, which joins the lines of a reply; record it again with \
         $mail->Debugoutput = 'echo'",
    ),
    (
        |line| line.contains("] S: ") || line.contains("] C: "),
        "this is a log with C: and S: after other columns; turn it into a transcript with: (echo '#: connected'; sed -nE \
         's/.*\\] ([CS]: )/\\1/p'), for one connection at a time",
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
                "a bounce",
            ),
            (
                "Nov 28 12:00:00 mx postfix/smtp[7]: A1: to=<a@example.org>, dsn=5.4.1, status=bounced (host \
                 mx.example.net said: 550 5.4.1 No (in reply to RCPT TO command))",
                "Postfix",
            ),
            ("2026-11-29 09:01:46 SERVER -&gt; CLIENT: 220 mx.example.org<br>", "Debugoutput"),
            ("[PROTOCOL] [A1] [core] S: 220 mx\n[PROTOCOL] [A1] [core] C: EHLO me", "other columns"),
            ("words\n220 mx.example.org ESMTP\nEHLO me\n250 mx.example.org", "without marks"),
        ] {
            assert!(advice(text).is_some_and(|advice| advice.contains(word)), "{text}: {:?}", advice(text));
        }
        assert_eq!(advice("words"), None);
    }
}
