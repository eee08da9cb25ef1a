use super::*;

/// Sends lines, messages and chunks to a machine, and returns the keys of the replies.
fn spoken(protocol: Protocol, tls: Tls, lines: &[&str]) -> Vec<&'static str> {
    let replies = Replies::built_in().expect("replies.toml is well-formed");
    let mut machine = Machine::new(Setting {
        protocol,
        tls,
        faults: Vec::new(),
        replies,
        memory: Arc::default(),
        delivery: None,
        script: Arc::default(),
        withheld: Arc::default(),
        size: 100_000,
        welcomes_all: false,
        ledger: None,
    });
    let mut keys = Vec::new();
    let mut take = |machine: &mut Machine, input: Input<'_>| {
        for action in machine.take(input) {
            match action {
                Action::Reply { key, .. } => keys.push(key.name()),
                Action::Deliver(_) => keys.push("(deliver)"),
                Action::BeginTls => keys.push("(tls)"),
                Action::Close => keys.push("(close)"),
            }
        }
    };
    take(&mut machine, Input::Connected);
    for line in lines {
        let octets = format!("{line}\r\n");
        match machine.awaits() {
            Awaited::Message => {
                let stray_ends = octets.replace("\r\n", "").contains('\n');
                let message = Message { start: octets.as_bytes(), size: octets.len() as u64, stray_ends };
                take(&mut machine, Input::Message(message));
            }
            Awaited::Chunk(length) => take(&mut machine, Input::Chunk(length, b"")),
            Awaited::Line => take(&mut machine, Input::Line(octets.as_bytes())),
        }
        if begins_tls(machine.tls, line) {
            take(&mut machine, Input::Secured);
        }
    }
    keys
}

fn begins_tls(tls: bool, line: &str) -> bool {
    !tls && line == "STARTTLS"
}

fn smtp(lines: &[&str]) -> Vec<&'static str> {
    spoken(Protocol::Smtp, Tls::StartTls, &[&["EHLO me.example"], lines].concat()).split_off(2)
}

const MAIL: &str = "MAIL FROM:<bob@example.net>";
const RCPT: &str = "RCPT TO:<alice@example.org>";

#[test]
fn a_transaction() {
    assert_eq!(
        smtp(&[MAIL, RCPT, "DATA", "Subject: x", "QUIT"]),
        ["mail", "rcpt", "data", "message", "quit", "(close)"]
    );
    assert_eq!(
        smtp(&[RCPT, "DATA", MAIL, MAIL, "DATA", "RSET", RCPT]),
        [
            "rcpt-before-mail",
            "data-before-mail",
            "mail",
            "mail-nested",
            "data-no-recipient",
            "rset",
            "rcpt-before-mail",
        ]
    );
    assert_eq!(
        smtp(&[MAIL, "EHLO @@", RCPT, "EHLO me", RCPT]),
        ["mail", "hello-syntax", "rcpt", "ehlo", "rcpt-before-mail",]
    );
}

#[test]
fn recipients() {
    for (recipient, key) in [
        ("<nosuch@example.org>", "rcpt-unknown"),
        ("<someone@elsewhere.example>", "relay-denied"),
        ("<moved@example.org>", "rcpt-forwarded"),
        ("<full@example.org>", "rcpt-full"),
        ("<PostMaster>", "rcpt-postmaster"),
        ("<Carol@EXAMPLE.ORG>", "rcpt-domain-case"),
        ("<Carol@Example.org>", "rcpt"),
        ("<\"\\carol\"@example.org>", "rcpt-quoted"),
        ("<@relay.example:alice@example.org>", "rcpt-route"),
        ("<a@@example.org>", "rcpt-path"),
        ("<>", "rcpt-path"),
        ("alice@example.org", "rcpt-path"),
        ("<\u{fc}ser@example.org>", "rcpt-non-ascii"),
        ("<alice@example.org> XFOO=1", "rcpt-parameter-unknown"),
        ("<alice@example.org> NOTIFY=NEVER,SUCCESS", "rcpt-dsn-value"),
        ("<alice@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@example.org", "rcpt-dsn"),
        ("<alice@example.org> RRVS=2014-04-03T23:01:00Z", "owner-changed"),
        ("<alice@example.org>NOTIFY=NEVER", "rcpt-syntax"),
    ] {
        assert_eq!(smtp(&[MAIL, &format!("RCPT TO:{recipient}")]), ["mail", key], "{recipient}");
    }
}

#[test]
fn parameters_of_mail() {
    for (parameters, key) in [
        ("", "mail"),
        (" SIZE=100000 BODY=8BITMIME", "mail-body"),
        (" SIZE=100001", "size-above-limit"),
        (" SIZE=99999999999999999999", "size-above-limit"),
        (" SIZE=abc", "size-value"),
        (" SIZE=", "size-value"),
        (" SIZE=1 SIZE=2", "size-value"),
        ("SIZE=1", "mail-syntax"),
        (" BODY=9BIT", "body-value"),
        (" SMTPUTF8=1", "utf8-value"),
        (" RET=HDRS ENVID=abc", "mail-dsn"),
        (" RET=HDRS RET=FULL", "mail-dsn-value"),
        (" AUTH=<>", "mail-auth"),
        (" AUTH=a+zz", "mail-auth-value"),
        (" BY=0;R", "deliver-by-value"),
        (" BY=-60;N", "mail-deliver-by"),
        (" MT-PRIORITY=99", "priority-value"),
        (" MT-PRIORITY=3", "mail-priority-changed"),
        (" SOLICIT=net.example:ADV", "mail"),
        (" SOLICIT=a,ORG.example:ADV", "solicitation"),
        (" XFOO=1", "mail-parameter-unknown"),
        (" =1", "mail-parameter-syntax"),
        (" HOLDFOR=10", "mail-parameter-unknown"),
    ] {
        assert_eq!(smtp(&[&format!("{MAIL}{parameters}")]), [key], "{parameters}");
    }
    for (path, key) in [
        ("<>", "mail-null-sender"),
        ("<a@@b>", "mail-path"),
        ("<\u{fc}@b.example>", "mail-non-ascii"),
        ("<\u{fc}@b.example> SMTPUTF8", "mail-international"),
        ("<\"a b\"@b.example>", "mail-quoted"),
        ("<a@[192.0.2.1]>", "mail-literal"),
        (" <a@b.example>", "mail-indented"),
        ("<a@nodots>", "mail"),
    ] {
        assert_eq!(smtp(&[&format!("MAIL FROM:{path}")]), [key], "{path}");
    }
}

#[test]
fn chunks() {
    assert_eq!(
        smtp(&[MAIL, RCPT, "BDAT 2", "", "BDAT 2 LAST", "", "BDAT 0", "RSET", "BDAT 2", ""]),
        ["mail", "rcpt", "bdat", "bdat-last", "bdat-after-last", "rset", "bdat-before-mail",]
    );
    assert_eq!(
        smtp(&[MAIL, "BDAT 2", "", RCPT, "BDAT 2", "", "RSET"]),
        ["mail", "bdat-no-recipient", "rcpt-after-bdat", "bdat-after-failure", "rset",]
    );
    assert_eq!(
        smtp(&[MAIL, RCPT, "BDAT 2", "", "DATA", "BDAT x", "BDAT 200000", ""]),
        ["mail", "rcpt", "bdat", "data-after-bdat", "bdat-syntax", "bdat-too-big",]
    );
    assert_eq!(smtp(&["MAIL FROM:<> BODY=BINARYMIME", RCPT, "DATA"]).last(), Some(&"data-binarymime"));
}

#[test]
fn lmtp_replies_for_each_recipient() {
    let lmtp =
        |lines: &[&str]| spoken(Protocol::Lmtp, Tls::None, &[&["LHLO me"], lines].concat()).split_off(2);
    let late = "RCPT TO:<late@example.org>";
    assert_eq!(
        lmtp(&[MAIL, RCPT, late, "RCPT TO:<nosuch@example.org>", "DATA", "x"]),
        ["mail", "rcpt", "rcpt", "rcpt-unknown", "data", "message", "message-full",]
    );
    assert_eq!(
        lmtp(&[MAIL, RCPT, RCPT, "BDAT 1", "", "BDAT 1 LAST", ""]),
        ["mail", "rcpt", "rcpt", "bdat", "bdat-last", "bdat-last",]
    );
    // The transaction ends if the message is accepted for one recipient.
    assert_eq!(
        lmtp(&[MAIL, late, RCPT, "BDAT 1 LAST", "", MAIL]),
        ["mail", "rcpt", "rcpt", "message-full", "bdat-last", "mail"]
    );
    assert_eq!(
        lmtp(&[MAIL, "BDAT 1 LAST", "", "EHLO me", "ETRN a", "AUTH PLAIN", "STARTTLS"]),
        ["mail", "hello-unknown", "not-implemented", "not-implemented", "not-implemented",]
    );
}

#[test]
fn logging_in() {
    let good = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";
    assert_eq!(
        smtp(&[good, good, MAIL, "RCPT TO:<someone@elsewhere.example>"]),
        ["auth-success", "auth-twice", "mail", "rcpt-relayed",]
    );
    assert_eq!(
        smtp(&["AUTH LOGIN", "YWxpY2U=", "c2VjcmV0"]),
        ["auth-login-user", "auth-login-password", "auth-success",]
    );
    let response = "YWxpY2UgMjIyMjM3NTdhNGY4YjkwMzJmNWI1MWY0NDY3MzVmNzM=";
    assert_eq!(smtp(&["AUTH CRAM-MD5", response]), ["auth-cram-challenge", "auth-success"]);
    for (lines, key) in [
        (["AUTH PLAIN", "*"], "auth-cancelled"),
        (["AUTH PLAIN", "AAA=BBB"], "auth-base64"),
        (["AUTH PLAIN", "AGFsaWNlAHdyb25n"], "auth-failure"),
        (["NOOP", "AUTH CRAM-MD5 abcd"], "auth-initial-response"),
        (["NOOP", "AUTH XNOSUCH"], "auth-mechanism-unknown"),
        (["NOOP", "AUTH"], "auth-syntax"),
        ([MAIL, good], "auth-in-transaction"),
    ] {
        assert_eq!(smtp(&lines).last(), Some(&key), "{lines:?}");
    }
}

#[test]
fn submission_requires_a_login() {
    let submission = |lines: &[&str]| spoken(Protocol::Submission, Tls::None, lines).split_off(1);
    assert_eq!(
        submission(&[MAIL, "EHLO me", MAIL, RCPT, "NOOP", "RSET", "ETRN example.org"]),
        ["mail-before-hello", "ehlo", "auth-required", "auth-required", "noop", "rset", "not-implemented",]
    );
    let login = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";
    for (line, key) in [
        ("MAIL FROM:<a@nodots>", "mail-domain"),
        ("MAIL FROM:<a@b.example> HOLDFOR=60", "mail-hold"),
        ("MAIL FROM:<a@b.example> HOLDUNTIL=2027-01-01T00:00:00Z", "mail-hold"),
        ("MAIL FROM:<a@b.example> HOLDFOR=60 HOLDUNTIL=2027-01-01T00:00:00Z", "hold-value"),
        ("MAIL FROM:<a@b.example> HOLDFOR=999999999", "hold-value"),
    ] {
        assert_eq!(submission(&["EHLO me", login, line]).last(), Some(&key), "{line}");
    }
}

#[test]
fn rare_extensions() {
    let login = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";
    assert_eq!(
        smtp(&[login, "ATRN example.org", MAIL, "ATRN"]).split_off(1),
        ["atrn-foreign", "mail", "atrn-in-transaction",]
    );
    for (line, key) in [
        ("MAIL FROM:<a@b.example> TRANSID=<1@b.example>", "mail-transid"),
        ("MAIL FROM:<a@b.example> TRANSID=1", "mail-parameter-syntax"),
        ("MAIL FROM:<a@b.example> SUBMITTER=a@b.example", "mail-submitter"),
        ("MAIL FROM:<a@b.example> CONPERM", "conperm"),
    ] {
        assert_eq!(smtp(&[line]), [key], "{line}");
    }
    assert_eq!(smtp(&[MAIL, "RCPT TO:<alice@example.org> CONNEG"]).last(), Some(&"rcpt-conneg"));
    let elsewhere =
        spoken(Protocol::Lmtp, Tls::None, &["LHLO me", MAIL, "RCPT TO:<alice@example.org> CONNEG"]);
    assert_eq!(elsewhere.last(), Some(&"rcpt-parameter-unknown"));
}

#[test]
fn messages_that_are_refused() {
    let hops = |count: usize| format!("Subject: x\r\n{}\r\n", "Received: from a by b\r\n".repeat(count));
    for (message, key) in [
        (hops(29), "message"),
        (hops(99), "message-hops"),
        (hops(100), "message-loop"),
        (
            "\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X".to_owned(),
            "message-spam",
        ),
    ] {
        assert_eq!(smtp(&[MAIL, RCPT, "DATA", &message]).last(), Some(&key));
    }
}

#[test]
fn tls_forgets() {
    assert_eq!(
        smtp(&[MAIL, "STARTTLS", RCPT, MAIL, "EHLO me", "STARTTLS", MAIL]),
        [
            "mail",
            "starttls",
            "(tls)",
            "rcpt-before-mail",
            "mail-before-hello",
            "ehlo",
            "starttls-active",
            "mail",
        ]
    );
    assert_eq!(spoken(Protocol::Smtp, Tls::None, &["EHLO me", "STARTTLS"]).last(), Some(&"not-implemented"));
}

#[test]
fn other_commands() {
    for (line, key) in [
        ("VRFY alice", "vrfy-local"),
        ("VRFY alice@example.org", "vrfy"),
        ("VRFY moved@example.org", "vrfy-forwarded"),
        ("VRFY nosuch", "vrfy-unknown"),
        ("VRFY a@elsewhere.example", "vrfy-foreign"),
        ("VRFY \u{fc}ser", "vrfy-utf8"),
        ("VRFY", "vrfy-argument"),
        ("EXPN staff", "expn"),
        ("EXPN all", "expn-unknown"),
        ("HELP", "help"),
        ("HELP mail", "help-topic"),
        ("HELP nonsense", "help-unknown"),
        ("ETRN example.org", "etrn"),
        ("ETRN elsewhere.example", "etrn-foreign"),
        ("ETRN", "etrn-syntax"),
        ("ATRN elsewhere.example", "atrn-without-login"),
        ("TURN", "not-implemented"),
        ("FOOB", "unknown-command"),
        ("XFOO", "unknown-private-command"),
        ("", "empty-line"),
        ("noop x", "noop-argument"),
        ("RSET x", "rset-argument"),
        ("QUIT x", "quit-argument"),
        ("DATA x", "data-argument"),
        ("STARTTLS x", "starttls-argument"),
        ("LHLO me", "unknown-command"),
    ] {
        assert_eq!(smtp(&[line]), [key], "{line}");
    }
    let long = format!("NOOP {}", "x".repeat(2041));
    assert_eq!(smtp(&[&long, &format!("{long}x")]), ["noop-argument", "line-too-long"]);
}
