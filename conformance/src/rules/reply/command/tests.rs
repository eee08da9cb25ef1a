//! Tables of commands and replies in each state, with the rules that they break.

use crate::dialogue::{Act, Answer, Dialogue, Exchange};
use crate::protocol::Protocol;
use crate::protocol::reply::Reply;
use crate::{Knowledge, Policy, Strictness, judge};

/// The state of a session.
#[derive(Clone, Copy)]
pub(in crate::rules) enum State {
    Connected,
    Greeted,
    Sender,
    Recipient,
    Data,
    DataOfTwo,
}

use State::{Connected, Data, DataOfTwo, Greeted, Recipient, Sender};

/// Returns the acts and replies that lead to a state.
fn before(state: State, protocol: Protocol) -> Vec<(&'static str, &'static str)> {
    let hello = match protocol {
        Protocol::Lmtp => "LHLO me.example.org",
        _ => "EHLO me.example.org",
    };
    let steps = [
        ("", "220 mx.example.test"),
        (hello, "250-mx.example.test\r\n250 ENHANCEDSTATUSCODES"),
        ("MAIL FROM:<bob@example.org>", "250 2.1.0 Ok"),
        ("RCPT TO:<alice@example.test>", "250 2.1.5 Ok"),
        ("RCPT TO:<full@example.test>", "250 2.1.5 Ok"),
        ("DATA", "354 Go on"),
    ];
    let mut steps = steps.to_vec();
    match state {
        Connected => steps.truncate(1),
        Greeted => steps.truncate(2),
        Sender => steps.truncate(3),
        Recipient => steps.truncate(4),
        Data => steps.retain(|(sent, _)| !sent.contains("full")),
        DataOfTwo => {}
    }
    steps
}

/// Builds a dialogue of acts and replies. The act after 354 is a message.
pub(in crate::rules) fn dialogue(protocol: Protocol, steps: &[(&str, &str)]) -> Dialogue {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (sent, reply) in steps {
        let line = format!("{sent}\r\n").into_bytes();
        let message = exchanges.last().is_some_and(|last| last.number() == Some(354));
        let act = match *sent {
            "" if exchanges.is_empty() => Act::Connect,
            "TLS" => Act::Handshake,
            _ if message => Act::Message([&line, &b".\r\n"[..]].concat()),
            _ if sent.starts_with("BDAT") => Act::Chunk { command: line, octets: b"Subject: x\r\n".to_vec() },
            _ => Act::Command(line),
        };
        let replies = reply.split('|').filter(|reply| !reply.is_empty());
        let answers = replies.map(|reply| Answer { octets: format!("{reply}\r\n").into_bytes(), millis: 0 });
        exchanges.push(Exchange { answers: answers.collect(), ..Exchange::new(act) });
    }
    Dialogue { protocol, exchanges, ..Dialogue::default() }
}

pub(in crate::rules) fn knowledge() -> Knowledge {
    let mailbox = |name: &str| Some(format!("{name}@example.test"));
    Knowledge {
        valid: mailbox("alice"),
        unknown: mailbox("nosuch"),
        foreign: Some("someone@elsewhere.test".to_owned()),
        forwarded: mailbox("moved"),
        full: mailbox("full"),
        ..Knowledge::default()
    }
}

/// Returns the findings about the last exchange, for rules whose label has a prefix: `rcpt-codes warning`.
pub(in crate::rules) fn found(labels: &str, dialogue: &Dialogue, knowledge: &Knowledge) -> String {
    let last = dialogue.exchanges.len() - 1;
    let findings = judge(std::slice::from_ref(dialogue), knowledge, Strictness::default()).findings;
    let of_rule = |finding: &&crate::Finding| {
        let rule = finding.rule.rule();
        let reply = rule.kind == crate::Kind::Reply;
        reply && finding.location.exchange == last && rule.label.starts_with(labels)
    };
    let shown = |finding: &crate::Finding| format!("{} {}", finding.rule, finding.level);
    findings.iter().filter(of_rule).map(shown).collect::<Vec<_>>().join(", ")
}

/// Checks rows of state, command, reply and expected findings, for rules whose label has a prefix.
pub(in crate::rules) fn check(labels: &str, protocol: Protocol, rows: &[(State, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (state, sent, reply, expected) in rows {
        let mut replies = vec![(*reply).to_owned()];
        replies.extend(parted(reply, "\r\n"));
        for reply in &replies {
            let mut steps = before(*state, protocol);
            steps.push((sent, reply));
            let found = found(labels, &dialogue(protocol, &steps), &knowledge());
            if found != *expected {
                wrong.push(format!("{sent:?} {reply:?}: found {found:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns a refusal of one line as replies of two lines, broken at each space of its text. A reply means the same
/// wherever its lines break (RFC 5321 §4.2.1).
pub(in crate::rules) fn parted(reply: &str, line_end: &str) -> Vec<String> {
    let mut parted = Vec::new();
    let code = reply.get(..4).unwrap_or_default();
    if !code.starts_with(['4', '5']) || !code.ends_with(' ') || reply.contains(['\n', '|']) {
        return parted;
    }
    let enhanced = match Reply::read(format!("{reply}\r\n").as_bytes()).enhanced() {
        Some(enhanced) => format!("{enhanced} "),
        None => String::new(),
    };
    let text = &reply[4..];
    let Some(text) = text.strip_prefix(&enhanced) else { return parted };
    for (place, _) in text.match_indices(' ') {
        let (first, second) = (&text[..place], &text[place + 1..]);
        if !first.is_empty() && !second.is_empty() {
            parted.push(format!("{}-{enhanced}{first}{line_end}{code}{enhanced}{second}", &code[..3]));
        }
    }
    parted
}

#[test]
fn openings_and_hellos() {
    let opening = |reply: &str| found("CM", &dialogue(Protocol::Smtp, &[("", reply)]), &knowledge());
    assert_eq!(["220 mx", "421 busy", "521 no", "554 no"].map(opening), [""; 4]);
    assert_eq!(opening("550 no"), "opening-codes warning");
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Connected, "EHLO me", "250 mx", ""),
            (Connected, "EHLO me", "550 5.7.1 no", ""),
            (Connected, "EHLO me", "450 4.7.0 later", ""),
            (Connected, "EHLO me", "421 4.3.2 later", ""),
            (Connected, "EHLO @@", "501 5.5.4 no", ""),
            (Connected, "EHLO @@", "500 no", ""),
            (Connected, "EHLO me", "553 no", "hello-codes warning"),
            (Connected, "EHLO me", "521 no", "hello-codes warning"),
            (Connected, "HELO me", "502 use EHLO", "hello-implemented error"),
            (Connected, "EHLO me", "500 what", "hello-implemented error"),
            (Connected, "LHLO me", "500 what", ""),
            (Greeted, "EHLO me", "503 already", "hello-codes warning"),
            (Greeted, "NOOP", "521 5.7.1 no", "no-521-after-opening note, noop-answered-250 error"),
        ],
    );
}

#[test]
fn commands_that_work_at_any_time() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Connected, "NOOP", "250 Ok", ""),
            (Connected, "NOOP", "503 hello?", "works-before-hello warning"),
            (Connected, "RSET", "503 hello?", "works-before-hello warning"),
            (Connected, "HELP", "503 hello?", "works-before-hello warning"),
            (Connected, "RSET", "530 5.7.0 TLS", ""),
            (Greeted, "RSET", "250 2.0.0 Ok", ""),
            (Greeted, "RSET", "421 4.3.2 bye", ""),
            (Greeted, "RSET", "450 4.3.2 busy", ""),
            (Greeted, "RSET", "503 5.5.1 no", "rset-answered-250 error"),
            (Sender, "RSET", "221 bye", "rset-answered-250 error"),
            (Greeted, "RSET x", "501 5.5.4 no", ""),
            (Greeted, "RSET x", "250 2.0.0 Ok", "argument-refused-501 warning"),
            (Greeted, "RSET x", "500 5.5.2 no", "argument-refused-501 warning"),
            (Greeted, "NOOP", "251 Ok", "noop-answered-250 error"),
            (Greeted, "NOOP x", "250 2.0.0 Ok", ""),
            (Greeted, "NOOP x", "501 5.5.4 no", "noop-answered-250 warning"),
            (Greeted, "NOOP ", "500 5.5.4 no", "noop-answered-250 warning"),
            (Greeted, "NOOP", "554 Too many nonmail commands", ""),
            (Greeted, "RSET", "554 SMTP synchronization error", ""),
            (Connected, "QUIT", "221 2.0.0 Bye", ""),
            (Sender, "QUIT", "421 4.3.2 Bye", ""),
            (Sender, "QUIT", "250 2.0.0 Bye", "quit-answered-221 error"),
            (Greeted, "QUIT x", "221 2.0.0 Bye", "argument-refused-501 warning"),
            (Greeted, "QUIT x", "501 5.5.4 no", ""),
            (Greeted, "NOOP", "504 no", "noop-answered-250 error"),
        ],
    );
}

#[test]
fn mail() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Greeted, "MAIL FROM:<bob@example.org>", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<bob@example.org>", "530 5.7.0 TLS", ""),
            (Greeted, "MAIL FROM:<bob@example.org>", "451 4.1.8 later", ""),
            (Greeted, "MAIL FROM:<bob@example.org>", "450 4.1.8 later", "mail-codes note"),
            (Greeted, "MAIL FROM:<bob@example.org>", "554 5.7.1 no", "mail-codes note"),
            (Greeted, "MAIL FROM:<bob@example.org>", "551 no", "mail-codes warning"),
            (Greeted, "MAIL FROM:<bob@example.org>", "556 5.1.10 no", "mail-codes warning"),
            (Greeted, "MAIL FROM:<bob@example.org> CONPERM", "504 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> MT-PRIORITY=3", "450 4.7.15 no", ""),
            (Connected, "MAIL FROM:<bob@example.org>", "503 5.5.1 hello?", ""),
            (Connected, "MAIL FROM:<bob@example.org>", "550 5.7.1 no", ""),
            (Connected, "MAIL FROM:<bob@example.org>", "250 2.1.0 Ok", "bad-sequence-503 note"),
            (Connected, "MAIL FROM:<bob@example.org>", "501 hello?", "bad-sequence-503 warning"),
            (Connected, "MAIL FROM:bob", "501 hello?", ""),
            (Sender, "MAIL FROM:<bob@example.org>", "503 5.5.1 no", ""),
            (Sender, "MAIL FROM:<bob@example.org>", "250 2.1.0 Ok", "bad-sequence-503 warning"),
            (Sender, "MAIL FROM:<bob@example.org>", "501 5.5.1 no", "bad-sequence-503 warning"),
            (Sender, "MAIL FROM:<bob@example.org> FOO", "555 5.5.4 no", ""),
            (Sender, "MAIL FROM:<eve@example.org>", "550 5.7.1 no", ""),
            (Greeted, "MAIL FROM:bob@example.org", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<bob>", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<bob@example.org", "250 2.1.0 Ok", "mail-syntax-501 warning"),
            (Greeted, "MAIL FROM:<a@@b>", "250 2.1.0 Ok", "mail-syntax-501 warning"),
            (Greeted, "MAIL FROM:<a@@b>", "501 5.1.7 no", ""),
            (Greeted, "MAIL FROM:<a@@b>", "553 5.1.7 no", ""),
            (Greeted, "MAIL FROM:<a@@b>", "550 5.1.7 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org>x", "555 5.5.4 no", ""),
            (Greeted, "MAIL", "500 what", "mail-syntax-501 warning"),
            (Greeted, "MAIL FROM: <bob@example.org>", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM: <bob@example.org>", "501 5.5.4 no", ""),
            (Greeted, "MAIL FROM: <bob@example.org>", "500 5.5.2 no", "space-after-colon note"),
            (
                Greeted,
                "MAIL FROM:<b\u{f6}b@example.org>",
                "250 2.1.0 Ok",
                "non-ascii-command-refused warning",
            ),
            (Greeted, "MAIL FROM:<b\u{f6}b@example.org> SMTPUTF8", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<b\u{f6}b@example.org>", "553 5.6.7 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org>", "502 5.5.1 no", "required-commands error"),
        ],
    );
}

#[test]
fn parameters() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "555 5.5.4 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "250 2.1.0 Ok", "unknown-parameter-555 error"),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "501 5.5.4 no", "unknown-parameter-555 warning"),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "503 5.5.4 no", "unknown-parameter-555 warning"),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "550 5.7.1 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> BY=9;N", "455 4.5.0 not now", ""),
            (Greeted, "MAIL FROM:<bob@example.org> BY=9;N", "451 4.3.0 not now", ""),
            (
                Greeted,
                "MAIL FROM:<bob@example.org> BY=9;N",
                "451 4.5.4 not now",
                "parameter-unavailable-455 note",
            ),
            (
                Greeted,
                "MAIL FROM:<bob@example.org> BY=9;N",
                "555 5.5.4 temporarily not available",
                "parameter-unavailable-455 note",
            ),
            (Greeted, "MAIL FROM:<bob@example.org> SIZE=9", "452 4.5.4 try again later", ""),
            (
                Sender,
                "RCPT TO:<alice@example.test> NOTIFY=NEVER",
                "451 4.5.4 later",
                "parameter-unavailable-455 note",
            ),
            (Sender, "RCPT TO:<alice@example.test>", "451 4.5.4 later", ""),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1", "451 4.3.0 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=1 SIZE=-1", "501 5.5.4 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> FOO=", "501 5.5.4 no", ""),
            (Greeted, "MAIL FROM:<bob@example.org> XFOO=1", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<bob@example.org> HOLDFOR=1", "250 2.1.0 Ok", ""),
            (Greeted, "MAIL FROM:<bob> FOO=1", "501 5.1.7 no", ""),
            (Sender, "RCPT TO:<alice@example.test> FOO", "503 no", "unknown-parameter-555 warning"),
            (Sender, "RCPT TO:<alice@example.test> FOO", "250 2.1.5 Ok", "unknown-parameter-555 error"),
            (Sender, "RCPT TO:<alice@example.test> CONNEG", "504 no", ""),
        ],
    );
    let after_helo = [("", "220 mx"), ("HELO me", "250 mx"), ("MAIL FROM:<bob@example.org> FOO=1", "501 no")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &after_helo), &knowledge()), "");
}

#[test]
fn rcpt() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Sender, "RCPT TO:<alice@example.test>", "251 2.1.5 will forward to <a@b.org>", ""),
            (Sender, "RCPT TO:<alice@example.test>", "450 4.7.1 greylisted", ""),
            (Sender, "RCPT TO:<alice@example.test>", "556 5.1.10 no", ""),
            (Sender, "RCPT TO:<alice@example.test>", "554 5.7.1 no", "rcpt-codes note"),
            (Sender, "RCPT TO:<alice@example.test>", "571 no", "rcpt-codes warning"),
            (Greeted, "RCPT TO:<alice@example.test>", "503 5.5.1 no", ""),
            (Greeted, "RCPT TO:<alice@example.test>", "250 2.1.5 Ok", "rcpt-needs-mail error"),
            (Greeted, "RCPT TO:<alice@example.test>", "500 no", "rcpt-needs-mail warning"),
            (Greeted, "RCPT TO:<alice@example.test>", "550 5.7.1 no", ""),
            (Greeted, "RCPT TO:<alice@example.test>", "450 4.3.2 no", ""),
            (Greeted, "RCPT TO:alice", "501 5.1.3 no", ""),
            (Sender, "RCPT TO:<nosuch@example.test>", "550 5.1.1 no", ""),
            (Sender, "RCPT TO:<nosuch@example.test>", "250 2.1.5 Ok", ""),
            (Sender, "RCPT TO:<nosuch@example.test>", "450 4.2.0 later", ""),
            (Sender, "RCPT TO:<nosuch@example.test>", "553 5.1.1 no", ""),
            (Sender, "RCPT TO:<nosuch@example.test>", "554 5.1.1 no", "unknown-recipient-550 warning"),
            (Sender, "RCPT TO:<nosuch@example.test>", "554 5.7.1 no", "rcpt-codes note"),
            (Sender, "RCPT TO:<moved@example.test>", "551 5.1.6 try <a@b.org>", ""),
            (Sender, "RCPT TO:<moved@example.test>", "553 5.1.6 no", "forwarding-codes note"),
            (Sender, "RCPT TO:<someone@elsewhere.test>", "550 5.7.1 no", ""),
            (Sender, "RCPT TO:<someone@elsewhere.test>", "530 5.7.0 login", ""),
            (Sender, "RCPT TO:<someone@elsewhere.test>", "454 4.7.1 no", "relay-refusal-550 note"),
            (Sender, "RCPT TO:<someone@elsewhere.test>", "553 5.7.1 no", "relay-refusal-550 note"),
            (Sender, "RCPT TO:<PostMaster>", "250 2.1.5 Ok", ""),
            (Sender, "RCPT TO:<PostMaster>", "450 4.7.1 later", ""),
            (Sender, "RCPT TO:<PostMaster>", "550 5.1.1 no", "postmaster-accepted error"),
            (Sender, "RCPT TO:<postmaster@example.test>", "501 5.1.3 no", "postmaster-accepted error"),
            (Sender, "RCPT TO:<postmaster@elsewhere.test>", "550 5.1.1 no", ""),
            (Sender, "RCPT TO:<postmaster2@example.test>", "550 5.1.1 no", ""),
            (Sender, "RCPT TO:<postmaster>", "554 5.7.1 client blocked", "rcpt-codes note"),
            (
                Sender,
                "RCPT TO:<\u{e4}lice@example.test>",
                "250 2.1.5 Ok",
                "non-ascii-command-refused warning",
            ),
        ],
    );
    check(
        "CM",
        Protocol::Submission,
        &[
            (Sender, "RCPT TO:<someone@elsewhere.test>", "554 5.7.1 no", ""),
            (Sender, "RCPT TO:<postmaster>", "550 5.1.1 no", ""),
        ],
    );
}

#[test]
fn recipient_limits() {
    let after = |count: usize, reply: &str, knowledge: &Knowledge| {
        let mut steps = before(Sender, Protocol::Smtp);
        steps.extend(std::iter::repeat_n(("RCPT TO:<alice@example.test>", "250 2.1.5 Ok"), count));
        steps.push(("RCPT TO:<alice@example.test>", reply));
        found("CM-19", &dialogue(Protocol::Smtp, &steps), knowledge)
    };
    let plain = knowledge();
    assert_eq!(after(100, "452 4.5.3 Too many", &plain), "");
    assert_eq!(after(50, "452 4.5.3 Too many", &plain), "recipient-limit-452 error");
    assert_eq!(after(50, "452 4.3.1 No space", &plain), "");
    assert_eq!(after(50, "452 4.7.1 Too many recipients today", &plain), "");
    assert_eq!(after(100, "451 4.5.3 Too many", &plain), "recipient-limit-452 warning");
    assert_eq!(after(100, "552 5.5.3 Too many", &plain), "recipient-limit-452 error");
    assert_eq!(after(100, "552 Too many recipients", &plain), "recipient-limit-452 error");
    let policy = Knowledge { policies: vec![Policy::Recipients], ..knowledge() };
    assert_eq!(after(100, "552 5.5.3 Too many", &policy), "recipient-limit-452 note");
}

#[test]
fn data_and_its_end() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Recipient, "DATA", "354 Go on", ""),
            (Recipient, "DATA", "451 4.3.0 later", ""),
            (Recipient, "DATA", "250 2.0.0 Ok", "data-answered-354 error"),
            (Recipient, "DATA", "553 no", "end-of-data-codes warning"),
            (Recipient, "DATA x", "354 Go on", "argument-refused-501 warning"),
            (Recipient, "DATA x", "501 5.5.4 no", ""),
            (Sender, "DATA x", "554 5.5.1 no recipients", ""),
            (Sender, "DATA", "503 5.5.1 no", ""),
            (Sender, "DATA", "554 5.5.1 no", ""),
            (Greeted, "DATA", "503 5.5.1 no", ""),
            (Greeted, "DATA", "554 5.5.1 no", ""),
            (Sender, "DATA", "354 Go on", "data-needs-recipient note"),
            (Data, "Subject: x", "250 2.0.0 Ok", ""),
            (Data, "Subject: x", "550 5.7.1 spam", ""),
            (Data, "Subject: x", "553 5.1.1 no", "end-of-data-codes warning"),
            (Data, "Subject: x", "501 5.6.0 no", "end-of-data-codes warning"),
            (Data, "Subject: x", "500 5.4.6 loop", "end-of-data-codes warning"),
            (Data, "Subject: x", "500 line too long", ""),
            (Data, "Subject: x", "550 5.1.1 no", ""),
            (DataOfTwo, "Subject: x", "550 5.1.1 no", "late-recipient-failure note"),
            (DataOfTwo, "Subject: x", "550 5.7.1 no", ""),
            (Data, "Resent-To: x", "550 5.6.0 bad Resent", "resent-fields-not-refused error"),
            (Data, "Resent-To: x", "550 5.6.0 not as represented", ""),
            (Data, "Subject: x", "552 5.3.4 big", ""),
            (Data, "Subject: x", "550 5.3.4 big", "limit-codes note"),
            (Recipient, "BDAT 12 LAST", "250 2.0.0 Ok", "supported-command-listed warning"),
            (Recipient, "BDAT 12 LAST", "502 5.5.1 no", ""),
        ],
    );
    check("CM", Protocol::Submission, &[(Data, "Subject: x", "501 5.6.0 no", "end-of-data-codes note")]);
}

#[test]
fn inquiries() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Greeted, "VRFY alice@example.test", "250 2.1.5 Alice <alice@example.test>", ""),
            (Greeted, "VRFY alice@example.test", "252 2.5.0 try it", ""),
            (Greeted, "VRFY alice@example.test", "550 5.1.1 no", ""),
            (Greeted, "VRFY alice@example.test", "450 4.3.2 later", ""),
            (Greeted, "VRFY", "501 5.5.4 no", ""),
            (Greeted, "VRFY nosuch@example.test", "250 <nosuch@example.test>", "vrfy-truthful error"),
            (Greeted, "VRFY alice@example.test", "250 2.0.0 Ok", "vrfy-names-mailbox warning"),
            (Greeted, "VRFY alice@example.test", "554 5.7.1 no", "vrfy-expn-codes note"),
            (Greeted, "EXPN staff", "500 5.5.2 what", ""),
            (Greeted, "EXPN staff", "250 <a@b.org>", "supported-command-listed warning"),
            (Greeted, "HELP", "214 2.0.0 help", "supported-command-listed note"),
            (Greeted, "HELP", "502 5.5.1 no", ""),
            (Greeted, "HELP", "250 2.0.0 help", "help-codes note"),
        ],
    );
}

#[test]
fn vocabulary() {
    check(
        "CM",
        Protocol::Smtp,
        &[
            (Greeted, "FOOBAR", "500 5.5.2 what", ""),
            (Greeted, "FOOBAR", "502 5.5.2 what", "unknown-command-500 warning"),
            (Greeted, "FOOBAR", "503 5.5.2 what", "unknown-command-500 warning"),
            (Connected, "FOOBAR", "503 5.5.1 hello?", ""),
            (Greeted, "FOOBAR", "250 Ok", "unknown-command-500 warning"),
            (Greeted, "XCLIENT A=B", "550 5.7.0 no", ""),
            (Greeted, "GET / HTTP/1.1", "221 2.7.0 bye", ""),
            (Greeted, "Subject: hi", "221 2.7.0 bye", ""),
            (Greeted, "TURN", "502 5.5.1 no", ""),
            (Greeted, "STARTTLS", "220 2.0.0 go", "supported-command-listed warning"),
            (Greeted, "NOOP xxxxxxxxxxxxxxxxxxxx", "500 5.5.2 line too long", "command-length-limit error"),
            (Recipient, "DATA", "500 5.5.2 what", "required-commands error"),
        ],
    );
}

#[test]
fn listed_commands_are_implemented() {
    let asked = |sent: &str, reply: &str| {
        let steps = [("", "220 mx"), ("EHLO me", "250-mx\r\n250-HELP\r\n250 AUTH=LOGIN"), (sent, reply)];
        found("CM", &dialogue(Protocol::Smtp, &steps), &knowledge())
    };
    assert_eq!(asked("HELP MAIL", "214 help"), "");
    assert_eq!(asked("HELP MAIL", "504 no"), "");
    assert_eq!(asked("HELP MAIL", "500 no"), "unimplemented-parameter-504 note");
    assert_eq!(asked("AUTH LOGIN", "334 VXNlcm5hbWU6"), "");
}

#[test]
fn servers_that_accept_no_mail_are_not_judged() {
    let refused = [("", "554 no"), ("EHLO me", "503 no"), ("RSET", "503 no")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &refused), &knowledge()), "");
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &refused[..2]), &knowledge()), "");
    let gone = [("", "521 no"), ("EHLO me", "521 no")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &gone), &knowledge()), "");
    let quit = [("", "521 no"), ("QUIT", "521 no")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &quit), &knowledge()), "quit-answered-221 error");
    let weak = [("", "220 mx"), ("TLS", ""), ("EHLO me", "554 5.7.0 weak")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &weak), &knowledge()), "");
    let recorded_late = [("MAIL FROM:<bob@example.org>", "250 Ok")];
    assert_eq!(found("CM", &dialogue(Protocol::Smtp, &recorded_late), &knowledge()), "");
}

/// RFC 5321 §3.3, §4.1.4 do not say whether a refused DATA ends the transaction, and servers differ.
#[test]
fn a_refused_data_leaves_the_transaction_in_doubt() {
    let start = before(Recipient, Protocol::Smtp);
    for refusal in ["451 4.3.0 not now", "503 5.5.1 no", "554 5.5.1 no valid recipients", "550 5.7.1 no"] {
        for reply in ["250 2.1.0 Ok", "503 5.5.1 nested", "501 5.5.1 nested"] {
            let rest = [("DATA", refusal), ("MAIL FROM:<bob@example.org>", reply)];
            let dialogue = dialogue(Protocol::Smtp, &[&start[..], &rest].concat());
            assert_eq!(found("CM", &dialogue, &knowledge()), "", "{refusal}, {reply}");
        }
    }
}
