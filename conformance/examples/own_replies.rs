//! A mail server whose unit tests check its replies against the RFCs and IANA's registry.
//!
//! `cargo test -p smtp-conformance --example own_replies` runs the tests, and `cargo run -p smtp-conformance --example
//! own_replies` prints a transcript. In your own project, depend on smtp-conformance under `[dev-dependencies]` with
//! `default-features = false`. Then nothing opens connections, and neither tokio nor rustls is built.

const GREETING: &str = "220 mx.example.org ESMTP";

/// A server without a network. It takes lines and returns replies.
#[derive(Default)]
struct Server {
    has_sender: bool,
}

impl Server {
    fn answer(&mut self, line: &str) -> &'static str {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => "250-mx.example.org\n250 ENHANCEDSTATUSCODES",
            "NOOP" => "250 2.0.0 Ok",
            "MAIL" if line.contains("<>") || line.contains('@') => {
                self.has_sender = true;
                "250 2.1.0 Ok"
            }
            "MAIL" => "501 5.1.7 Write MAIL FROM:<mailbox>",
            "RCPT" if !self.has_sender => "503 5.5.1 MAIL first",
            "RCPT" => "550 5.1.1 No such mailbox",
            "RSET" => {
                self.has_sender = false;
                "250 2.0.0 Ok"
            }
            "QUIT" => "221 2.0.0 Bye",
            _ => "500 5.5.2 Command not recognized",
        }
    }
}

/// Returns the transcript of a connection on which the client sends these lines.
fn converse(lines: &[&str]) -> String {
    let mut server = Server::default();
    let mut transcript = vec!["#: connected".to_owned(), format!("S: {GREETING}")];
    for line in lines {
        transcript.push(format!("C: {line}"));
        transcript.extend(server.answer(line).lines().map(|reply| format!("S: {reply}")));
    }
    transcript.push("#: closed by server".to_owned());
    transcript.join("\n") + "\n"
}

fn main() {
    print!("{}", converse(&["EHLO client.example.org", "MAIL FROM:<a@example.org>", "QUIT"]));
}

#[cfg(test)]
mod tests {
    use smtp_conformance::{Level, Protocol, judge_transcript};

    use super::converse;

    #[test]
    fn a_session_has_no_findings() {
        let session = [
            "EHLO client.example.org",
            "NOOP",
            "RCPT TO:<a@example.org>",
            "MAIL FROM:<b@example.com>",
            "RCPT TO:<nosuch@example.org>",
            "RSET",
            "FOO",
            "QUIT",
        ];
        let judgement = judge_transcript(Protocol::Smtp, &converse(&session)).expect("it is a transcript");
        let mut findings = judgement.findings.iter().filter(|finding| finding.level >= Level::Warning);
        assert_eq!(findings.next(), None);
    }

    #[test]
    fn a_wrong_class_is_found() {
        let transcript = converse(&[
            "EHLO client.example.org",
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<b@example.org>",
            "QUIT",
        ]);
        let wrong = transcript.replace("550 5.1.1", "550 4.1.1");
        let judgement = judge_transcript(Protocol::Smtp, &wrong).expect("it is a transcript");
        assert_eq!(judgement.findings[0].rule.to_string(), "enhanced-code-class-agrees");
    }
}
