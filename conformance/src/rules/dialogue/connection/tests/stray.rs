//! A property: one stray reply anywhere in a clean connection is one finding.

use crate::protocol::Protocol;
use crate::readers::testing::{LIVE, spoken};
use crate::rules::finding::Finding;
use crate::rules::{Strictness, judge};

const SMTP: &str = "\
S: 220 mx.example.org
C: EHLO me.example.org
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-STARTTLS
S: 250-8BITMIME
S: 250 ENHANCEDSTATUSCODES
C: NOOP
S: 250 2.0.0 Ok
C: STARTTLS
S: 220 2.0.0 Go
#: tls
C: EHLO me.example.org
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-8BITMIME
S: 250-AUTH PLAIN
S: 250 ENHANCEDSTATUSCODES
C: AUTH PLAIN
S: 334 VXNlcg==
C: AGFsaWNlAHNlY3JldA==
S: 235 2.7.0 Welcome
C: MAIL FROM:<bob@example.org>
S: 250 2.1.0 Ok
C: RCPT TO:<amy@example.org>
S: 250 2.1.5 Ok
C: VRFY amy@example.org
S: 252 2.5.0 Perhaps
C: RCPT TO:<nosuch@example.org>
S: 550 5.1.1 No such user
C: DATA
S: 354 Go
C: Subject: x
C: .
S: 250 2.0.0 Taken
C: MAIL FROM:<bob@example.org>
C: RCPT TO:<amy@example.org>
C: RSET
S: 250 2.1.0 Ok
S: 250 2.1.5 Ok
S: 250 2.0.0 Ok
C: MAIL FROM:<bob@example.org>
S: 250 2.1.0 Ok
C: RCPT TO:<amy@example.org>
S: 250 2.1.5 Ok
C: BDAT 3 LAST
C: x
S: 250 2.0.0 Taken
C: NOOP
S: 250 2.0.0 Ok
C: QUIT
S: 221 2.0.0 Bye
#: closed by server";

const LMTP: &str = "\
S: 220 mx.example.org
C: LHLO me.example.org
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-8BITMIME
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<bob@example.org>
S: 250 2.1.0 Ok
C: RCPT TO:<amy@example.org>
S: 250 2.1.5 Ok
C: RCPT TO:<joe@example.org>
S: 250 2.1.5 Ok
C: DATA
S: 354 Go
C: Subject: x
C: .
S: 250 2.0.0 Taken
S: 451 4.3.0 Later
C: RSET
S: 250 2.0.0 Ok
C: QUIT
S: 221 2.0.0 Bye
#: closed by server";

const STRAYS: [&str; 9] = [
    "S: 250 Ok",
    "S: 250 2.0.0 Ok",
    "S: 500 5.5.1 What?",
    "S: 550 5.7.1 No",
    "S: 451 4.3.0 Later",
    "S: 220 mx.example.org",
    "S: 221 2.0.0 Bye",
    "S: 354 Go",
    "S: 235 2.7.0 Welcome",
];

fn findings(protocol: Protocol, text: &str) -> Vec<Finding> {
    judge(&spoken(protocol, text), &crate::Knowledge::default(), Strictness::default()).findings
}

/// Returns whether a stray reply can come before a line: not within a reply, and not after the server has closed. Before
/// the first line it would be the greeting. Within a chunk, it shows that the transcript leaves out the rest of the chunk.
fn can_stray(lines: &[&str], place: usize) -> bool {
    let before = lines[..place].iter().rfind(|line| line.starts_with("S: "));
    let is_within = before.is_some_and(|line| line.as_bytes().get(6) == Some(&b'-'));
    let is_in_chunk = lines.get(place).is_some_and(|line| *line == "C: x");
    place > 0 && !is_in_chunk && place < lines.len() && !is_within
}

#[test]
fn one_stray_reply_is_one_finding() {
    let mut wrong = Vec::new();
    for (protocol, clean) in [(Protocol::Smtp, SMTP), (Protocol::Lmtp, LMTP)] {
        let before = findings(protocol, clean);
        let lines: Vec<&str> = clean.lines().collect();
        for place in (0..lines.len()).filter(|place| can_stray(&lines, *place)) {
            for (stray, live) in STRAYS.iter().flat_map(|stray| [(stray, ""), (stray, LIVE)]) {
                let mut said = lines.clone();
                said.insert(place, stray);
                said.push(live);
                let text = said.join("\n");
                let found = findings(protocol, text.trim_end());
                if found.len() != before.len() + 1 {
                    let found: Vec<String> =
                        found.iter().map(|one| format!("{} at {}", one.rule, one.location)).collect();
                    wrong.push(format!("{protocol:?} {place} {:?}, {stray} {live}: {found:?}", lines[place]));
                }
            }
        }
        assert!(before.is_empty(), "{before:?}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
