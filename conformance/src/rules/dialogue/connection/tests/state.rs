use super::*;

const HELLO: &str = "EHLO me.example.org";

#[test]
fn listed_capabilities_work() {
    let rule = RuleId::LISTED_CAPABILITY_WORKS;
    let unknown = &["502 5.5.1 What?"];
    check(
        Protocol::Smtp,
        vec![
            ("VRFY", session(vec![command("VRFY bob", unknown)]), Some((rule, 2))),
            ("VRFY without its argument", session(vec![command("VRFY", &["500 5.5.2 Syntax"])]), None),
            ("EXPN is not listed", session(vec![command("EXPN staff", unknown)]), None),
            ("VRFY refused", session(vec![command("VRFY bob", &["550 5.1.1 No"])]), None),
            ("STARTTLS", session(vec![command("STARTTLS", unknown)]), Some((rule, 2))),
            (
                "STARTTLS within a transaction",
                transaction(HELLO, 0, vec![command("STARTTLS", unknown)]),
                None,
            ),
            (
                "STARTTLS under TLS",
                session(vec![
                    command("STARTTLS", &["220 2.0.0 Go"]),
                    handshake(),
                    command(HELLO, &["250 mx.example.org"]),
                    command("STARTTLS", unknown),
                ]),
                None,
            ),
            ("AUTH", session(vec![command("AUTH PLAIN", unknown)]), Some((rule, 2))),
            ("another mechanism", session(vec![command("AUTH GSSAPI", unknown)]), None),
            ("BDAT", transaction(HELLO, 1, vec![chunk("x\r\n", "", unknown)]), Some((rule, 4))),
            ("before EHLO", vec![connect(&["220 mx.example.org"]), command("VRFY bob", unknown)], None),
        ],
    );
}

#[test]
fn a_hello_in_a_transaction() {
    let rule = RuleId::HELLO_RESETS_STATE;
    let hello = |reply: &str| command("EHLO @", &[reply]);
    let rcpt = |reply: &str| command("RCPT TO:<bob@example.org>", &[reply]);
    let within = |rest| transaction(HELLO, 1, rest);
    check(
        Protocol::Smtp,
        vec![
            ("refused, and kept", within(vec![hello("501 5.5.4 What?"), rcpt("250 2.1.5 Ok")]), None),
            (
                "refused, and reset",
                within(vec![hello("501 5.5.4 What?"), rcpt("503 5.5.1 MAIL first")]),
                Some((rule, 5)),
            ),
            (
                "with NOOP between",
                within(vec![hello("501 What?"), command("NOOP", &["250 2.0.0 Ok"]), rcpt("503 5.5.1 No")]),
                Some((rule, 6)),
            ),
            (
                "DATA",
                within(vec![hello("501 5.5.4 What?"), command("DATA", &["503 5.5.1 MAIL first"])]),
                Some((rule, 5)),
            ),
            (
                "DATA for nobody",
                transaction(HELLO, 0, vec![hello("501 What?"), command("DATA", &["503 5.5.1 RCPT first"])]),
                None,
            ),
            ("login", within(vec![hello("501 5.5.4 What?"), rcpt("503 5.5.1 AUTH first")]), None),
            (
                "accepted, and reset",
                within(vec![command(HELLO, &[OFFERS]), rcpt("503 5.5.1 MAIL first")]),
                None,
            ),
            (
                "accepted, and kept",
                within(vec![command(HELLO, &[OFFERS]), rcpt("250 2.1.5 Ok")]),
                Some((rule, 5)),
            ),
            (
                "MAIL between",
                within(vec![
                    command(HELLO, &[OFFERS]),
                    command("MAIL FROM:<>", &["250 2.1.0 Ok"]),
                    rcpt("250 2.1.5 Ok"),
                ]),
                None,
            ),
            (
                "after a refused DATA, which may end it",
                within(vec![
                    command("DATA", &["451 4.3.0 Not now"]),
                    hello("501 5.5.4 What?"),
                    rcpt("503 5.5.1 MAIL first"),
                ]),
                None,
            ),
            ("no transaction", session(vec![hello("501 5.5.4 What?"), rcpt("503 5.5.1 MAIL first")]), None),
        ],
    );
}

#[test]
fn notification_parameters_are_neutral() {
    let rule = RuleId::DSN_PARAMETER_NEUTRAL;
    let rcpt =
        |parameter: &str, reply: &str| command(&format!("RCPT TO:<bob@example.org>{parameter}"), &[reply]);
    let mail =
        |parameter: &str, reply: &str| command(&format!("MAIL FROM:<bob@example.org>{parameter}"), &[reply]);
    let rset = || command("RSET", &["250 2.0.0 Ok"]);
    let pair = |first: Exchange, second: Exchange| {
        session(vec![mail("", "250 2.1.0 Ok"), first, rset(), mail("", "250 2.1.0 Ok"), second])
    };
    let (ok, no) = ("250 2.1.5 Ok", "501 5.7.1 No");
    check(
        Protocol::Smtp,
        vec![
            ("both", pair(rcpt("", ok), rcpt(" NOTIFY=NEVER", ok)), None),
            (
                "refused with",
                pair(rcpt("", ok), rcpt(" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.org", no)),
                Some((rule, 6)),
            ),
            ("refused without", pair(rcpt("", no), rcpt(" NOTIFY=NEVER", ok)), Some((rule, 3))),
            ("a bad value", pair(rcpt("", ok), rcpt(" NOTIFY=NEVER,DELAY", no)), None),
            ("repeated", pair(rcpt("", ok), rcpt(" NOTIFY=NEVER NOTIFY=NEVER", no)), None),
            ("a bad address", pair(rcpt("", ok), rcpt(" ORCPT=bob@example.org", no)), None),
            ("later", pair(rcpt("", ok), rcpt(" NOTIFY=NEVER", "450 4.7.1 Later")), None),
            (
                "in one transaction",
                session(vec![mail("", "250 2.1.0 Ok"), rcpt("", ok), rcpt(" NOTIFY=NEVER", no)]),
                Some((rule, 4)),
            ),
            ("the second time", pair(rcpt("", ok), rcpt(" NOTIFY=NEVER", "550 5.5.0 Duplicate")), None),
            (
                "inconsistent without parameters",
                session(vec![
                    mail("", "250 2.1.0 Ok"),
                    rcpt("", no),
                    rcpt(" NOTIFY=NEVER", no),
                    rcpt("", ok),
                ]),
                None,
            ),
            (
                "another sender",
                session(vec![
                    mail("", "250 2.1.0 Ok"),
                    rcpt("", ok),
                    rset(),
                    mail(" SIZE=1", "250 2.1.0 Ok"),
                    rcpt(" NOTIFY=NEVER", no),
                ]),
                None,
            ),
            ("MAIL", session(vec![mail(" RET=HDRS ENVID=x+2B", no), mail("", ok)]), Some((rule, 2))),
        ],
    );
}

#[test]
fn codes_stay_after_tls() {
    let rule = RuleId::ENHANCED_CODE_AFTER_TLS;
    let offers = OFFERS.replace("250-STARTTLS\n", "");
    let tls = |before: &str, rest: &[(&str, &str)]| {
        let begin = vec![command("STARTTLS", &[before]), handshake(), command(HELLO, &[&offers])];
        session([begin, rest.iter().map(|(line, reply)| command(line, &[reply])).collect()].concat())
    };
    check(
        Protocol::Smtp,
        vec![
            ("gone", tls("220 2.0.0 Go", &[("NOOP", "250 Ok"), ("FOO", "500 What?")]), Some((rule, 5))),
            ("one has it", tls("220 2.0.0 Go", &[("NOOP", "250 Ok"), ("FOO", "500 5.5.1 What?")]), None),
            ("one kind", tls("220 2.0.0 Go", &[("FOO", "500 What?"), ("BAR", "500 What?")]), None),
            ("never there", tls("220 Go", &[("NOOP", "250 Ok"), ("FOO", "500 What?")]), None),
        ],
    );
}

#[test]
fn submission_servers_reply_within_two_minutes() {
    let slow = |millis: u64| {
        let mut exchange = command("NOOP", &["250 2.0.0 Ok"]);
        exchange.answers.iter_mut().for_each(|answer| answer.millis = millis);
        session(vec![exchange])
    };
    let rule = RuleId::SUBMISSION_TWO_MINUTES;
    check(
        Protocol::Submission,
        vec![("120 s", slow(120_000), None), ("121 s", slow(121_000), Some((rule, 2)))],
    );
    check(Protocol::Smtp, vec![("elsewhere", slow(121_000), None)]);
}
