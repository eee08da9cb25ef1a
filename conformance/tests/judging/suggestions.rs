//! The pairs that `suggest` names break no rule in the situation that they are for, and the command prints them.

use smtp_conformance::readers::transcript;
use smtp_conformance::{Knowledge, Level, Policy, Protocol, Strictness, judge};
use smtp_enhanced_status::suggest::{Command, Situation, Suggestion, situations};

const TLS: &str = "#: tls";
const GREETING: &str = "S: 220 mx.example.org";
const EHLO: &str = "C: EHLO client.example.net
S: 250-mx.example.org
S: 250-SIZE 100000
S: 250-8BITMIME
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-DSN
S: 250-SMTPUTF8
S: 250-DELIVERBY
S: 250-MT-PRIORITY
S: 250-RRVS
S: 250-NO-SOLICITING org.example.adv
S: 250-STARTTLS
S: 250-ETRN
S: 250-EXPN
S: 250-HELP
S: 250-AUTH PLAIN CRAM-MD5
S: 250 ENHANCEDSTATUSCODES";
const EHLO_WITHOUT_AUTH: &str = "C: EHLO client.example.net
S: 250-mx.example.org
S: 250-STARTTLS
S: 250 ENHANCEDSTATUSCODES";
const LOGIN: &str = "C: AUTH PLAIN AHUAcA==";
const MAIL: &str = "C: MAIL FROM:<a@example.net>\nS: 250 2.1.0 Ok";
const RCPT: &str = "C: RCPT TO:<alice@example.org>\nS: 250 2.1.5 Ok";
const DATA: &str = "C: DATA\nS: 354 Go on";
const MESSAGE: &str = "C: Subject: words\nC: \nC: Words\nC: .";

/// Returns what comes before the reply in a situation: the connection up to then, and the command.
fn before(situation: &Situation) -> Vec<&'static str> {
    let command = own_command(situation.id);
    let (opening, default): (&[&str], &str) = match situation.command {
        Command::Connect => (&[], ""),
        Command::Ehlo => (&[GREETING], "C: EHLO client.example.net"),
        Command::Starttls => (&[GREETING, EHLO], "C: STARTTLS"),
        Command::Auth => (&[TLS, GREETING, EHLO], LOGIN),
        Command::Mail | Command::Any => (&[GREETING, EHLO], "C: MAIL FROM:<a@example.net>"),
        Command::Rcpt => (&[GREETING, EHLO, MAIL], "C: RCPT TO:<alice@example.org>"),
        Command::Data => (&[GREETING, EHLO, MAIL, RCPT], "C: DATA"),
        Command::Message => (&[GREETING, EHLO, MAIL, RCPT, DATA], MESSAGE),
        Command::Bdat => (&[GREETING, EHLO, MAIL, RCPT], "C: BDAT 2\nC: ab\\+"),
        Command::Rset => (&[GREETING, EHLO], "C: RSET"),
        Command::Noop => (&[GREETING, EHLO], "C: NOOP"),
        Command::Quit => (&[GREETING, EHLO], "C: QUIT"),
        Command::Vrfy => (&[GREETING, EHLO], "C: VRFY alice@example.org"),
        Command::Expn => (&[GREETING, EHLO], "C: EXPN list"),
        Command::Help => (&[GREETING, EHLO], "C: HELP"),
        Command::Etrn => (&[GREETING, EHLO], "C: ETRN example.org"),
        other => panic!("{}: write what comes before a reply to {other}", situation.id),
    };
    let many = if situation.id.starts_with("too-many-rec") || situation.id == "recipients-over-policy" {
        100
    } else {
        0
    };
    match command {
        Some(lines) => lines.to_vec(),
        None => [opening, &[RCPT].repeat(many), &[default]].concat(),
    }
}

/// Returns the whole beginning of the connection for a situation that the usual command does not bring about.
fn own_command(id: &str) -> Option<&'static [&'static str]> {
    Some(match id {
        "hello-syntax" => &[GREETING, "C: EHLO"],
        "starttls-argument" => &[GREETING, EHLO, "C: STARTTLS now"],
        "auth-challenge" => &[TLS, GREETING, EHLO, "C: AUTH CRAM-MD5"],
        "auth-needs-tls" => &[GREETING, EHLO_WITHOUT_AUTH, "C: AUTH PLAIN"],
        "auth-base64" => &[TLS, GREETING, EHLO, "C: AUTH PLAIN", "S: 334 ", "C: #"],
        "auth-cancelled" => &[TLS, GREETING, EHLO, "C: AUTH PLAIN", "S: 334 ", "C: *"],
        "auth-line-too-long" => {
            &[TLS, GREETING, EHLO, "C: AUTH PLAIN", "S: 334 ", "C: AHUAcA== ... (20000 octets)"]
        }
        "auth-mechanism-unknown" => &[TLS, GREETING, EHLO, "C: AUTH NOSUCH"],
        "auth-syntax" => &[TLS, GREETING, EHLO, "C: AUTH"],
        "auth-initial-response" => &[TLS, GREETING, EHLO, "C: AUTH CRAM-MD5 AHUAcA=="],
        "auth-twice" => &[TLS, GREETING, EHLO, LOGIN, "S: 235 2.7.0 Ok", LOGIN],
        "auth-in-transaction" => &[TLS, GREETING, EHLO, MAIL, LOGIN],
        "sender-syntax" => &[GREETING, EHLO, "C: MAIL FROM:<a b@>"],
        "mail-before-ehlo" => &[GREETING, "C: MAIL FROM:<a@example.net>"],
        "nested-mail" => &[GREETING, EHLO, MAIL, "C: MAIL FROM:<a@example.net>"],
        "mail-parameter-unknown" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> NOSUCH=1"],
        "mail-parameter-value" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> SIZE=abc"],
        "parameter-unavailable" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> BODY=8BITMIME"],
        "declared-size-too-big" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> SIZE=100001"],
        "no-space" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> SIZE=99999"],
        "priority-changed" | "priority-too-low" => {
            &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> MT-PRIORITY=-3"]
        }
        "too-big-for-priority" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> SIZE=9999 MT-PRIORITY=6"],
        "solicitation-refused" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> SOLICIT=org.example.adv"],
        "deliver-by-refused" => &[GREETING, EHLO, "C: MAIL FROM:<a@example.net> BY=60;N"],
        "sender-non-ascii" => &[GREETING, EHLO, "C: MAIL FROM:<\\xc3\\xa9@example.net>"],
        "sender-domain-incomplete" => &[GREETING, EHLO, "C: MAIL FROM:<a@squeaky.sales>"],
        "recipient-syntax" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<a b@>"],
        "unknown-user" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<nosuch@example.org>"],
        "relay-denied" | "unknown-domain" | "recipient-null-mx" => {
            &[GREETING, EHLO, MAIL, "C: RCPT TO:<a@elsewhere.example>"]
        }
        "recipient-domain-incomplete" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<a@squeaky.sales>"],
        "recipient-non-ascii" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<\\xc3\\xa9@example.org>"],
        "rcpt-before-mail" | "bad-sequence" => &[GREETING, EHLO, "C: RCPT TO:<alice@example.org>"],
        "rcpt-parameter-unknown" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<alice@example.org> NOSUCH=1"],
        "rcpt-parameter-value" => &[GREETING, EHLO, MAIL, "C: RCPT TO:<alice@example.org> NOTIFY=SOMETIMES"],
        "mailbox-owner-changed" | "domain-owner-changed" | "owner-unknown" => {
            &[GREETING, EHLO, MAIL, "C: RCPT TO:<alice@example.org> RRVS=2014-04-03T23:01:00Z"]
        }
        "message-too-big" => &[GREETING, EHLO, MAIL, RCPT, DATA, "C: Words ... (200000 octets)", "C: ."],
        "no-valid-recipients" => &[GREETING, EHLO, MAIL, "C: DATA"],
        "data-after-bdat" => {
            &[GREETING, EHLO, MAIL, RCPT, "C: BDAT 2", "C: ab\\+", "S: 250 2.0.0 Ok", "C: DATA"]
        }
        "data-with-binarymime" => &[
            GREETING,
            EHLO,
            "C: MAIL FROM:<a@example.net> BODY=BINARYMIME",
            "S: 250 2.1.0 Ok",
            RCPT,
            "C: DATA",
        ],
        "bdat-after-last" => &[
            GREETING,
            EHLO,
            MAIL,
            RCPT,
            "C: BDAT 2 LAST",
            "C: ab\\+",
            "S: 250 2.0.0 Ok",
            "C: BDAT 2",
            "C: ab\\+",
        ],
        "bdat-without-recipients" => &[GREETING, EHLO, MAIL, "C: BDAT 2", "C: ab\\+"],
        "bdat-syntax" => &[GREETING, EHLO, MAIL, RCPT, "C: BDAT"],
        "starttls-active" => &[TLS, GREETING, EHLO, "C: STARTTLS"],
        "help-unknown" => &[GREETING, EHLO, "C: HELP NOSUCH"],
        "etrn-syntax" => &[GREETING, EHLO, "C: ETRN"],
        "vrfy-needs-utf8" => &[GREETING, EHLO, "C: VRFY andre"],
        "expn-unknown" => &[GREETING, EHLO, "C: EXPN nosuch"],
        "vrfy-unknown" => &[GREETING, EHLO, "C: VRFY nosuch"],
        "unknown-command" => &[GREETING, EHLO, "C: NOSUCH"],
        "not-implemented" => &[GREETING, EHLO, "C: TURN"],
        "superfluous-argument" => &[GREETING, EHLO, "C: RSET now"],
        "line-too-long" => &[GREETING, EHLO, "C: NOOP ... (9000 octets)"],
        "idle-timeout" | "shutting-down" | "too-many-errors" => &[GREETING, EHLO],
        _ => return None,
    })
}

/// Returns a text that the RFCs demand of some replies.
fn text(situation: &Situation, suggestion: &Suggestion) -> &'static str {
    match (situation.id, suggestion.reply_code.as_u16()) {
        ("ready" | "hello-accepted", _) => "mx.example.org",
        ("auth-challenge", _) => "PDEuMUBteC5leGFtcGxlLm9yZz4=",
        ("priority-changed", _) => "0 is the priority now",
        ("solicitation-refused", _) => "No, SOLICIT=org.example.adv",
        ("vrfy-verified" | "expn-expanded", _) => "<alice@example.org>",
        (_, 251 | 551) => "Now <carol@elsewhere.example>",
        (_, 221 | 421) => "mx.example.org closes the connection",
        _ => "Words",
    }
}

/// Returns the protocols in which a situation arises.
fn protocol(id: &str) -> Protocol {
    match id {
        "ehlo-to-lmtp" => Protocol::Lmtp,
        "sender-domain-incomplete"
        | "recipient-domain-incomplete"
        | "sender-not-allowed"
        | "priority-too-low"
        | "content-malformed" => Protocol::Submission,
        _ => Protocol::Smtp,
    }
}

/// Returns what is known of the server.
fn knowledge(id: &str) -> Knowledge {
    match id {
        "recipients-over-policy" => Knowledge { policies: vec![Policy::Recipients], ..Knowledge::default() },
        _ => Knowledge::default(),
    }
}

/// Returns the findings, at a level or above, of the reply in its situation.
fn findings(situation: &Situation, reply: &str, level: Level) -> Vec<String> {
    let mut lines = vec!["#: connected"];
    lines.extend(before(situation));
    lines.retain(|line| !line.is_empty());
    lines.push(reply);
    if reply.starts_with("S: 421") || reply.starts_with("S: 221") {
        lines.push("#: closed by server");
    }
    let text = lines.join("\n") + "\n";
    let dialogues = transcript::read("suggestion", protocol(situation.id), &text)
        .unwrap_or_else(|error| panic!("{}: {error:#}\n{text}", situation.id));
    let judgement = judge(&dialogues, &knowledge(situation.id), Strictness::default());
    let last = dialogues[0].exchanges.len() - 1;
    let here = judgement.findings.iter().filter(|finding| finding.location.exchange == last);
    let serious = here.filter(|finding| finding.level >= level);
    serious.map(|finding| format!("{}: {} in\n{text}", situation.id, finding.rule)).collect()
}

fn reply(situation: &Situation, suggestion: &Suggestion) -> String {
    let reply = suggestion.reply(text(situation, suggestion)).to_string();
    format!("S: {}", reply.trim_end())
}

#[test]
fn every_pair_to_send_breaks_no_rule_in_its_situation() {
    let wrong: Vec<String> = situations()
        .iter()
        .flat_map(|situation| findings(situation, &reply(situation, &situation.best), Level::Warning))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_other_right_pair_breaks_no_rule_in_its_situation() {
    let pairs = situations()
        .iter()
        .flat_map(|situation| situation.alternatives.iter().map(move |alternative| (situation, alternative)));
    let wrong: Vec<String> = pairs
        .flat_map(|(situation, pair)| findings(situation, &reply(situation, pair), Level::Warning))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The check above can fail: these pairs are to be avoided, and the rules say why.
#[test]
fn pairs_to_avoid_break_rules() {
    for (id, pair, rule) in [
        ("ready", "220 2.0.0", "no-enhanced-code-where-domain"),
        ("client-refused", "550 5.7.1", "opening-codes"),
        ("auth-mechanism-unknown", "535 5.7.8", "auth-mechanism-504"),
        ("auth-cancelled", "535 5.7.8", "auth-cancel-501"),
        ("mail-parameter-unknown", "503 5.5.4", "unknown-parameter-555"),
        ("declared-size-too-big", "554 5.3.4", "size-above-limit-552"),
        ("sender-null-mx", "556 5.1.10", "null-mx-sender-550"),
        ("unknown-user", "450 4.1.1", "enhanced-code-class-allowed"),
        ("unknown-user", "554 5.1.1", "rcpt-codes"),
        ("greylisted", "451 4.7.1", "enhanced-code-class-allowed"),
        ("too-many-recipients", "552 5.5.3", "recipient-limit-452"),
        ("vrfy-disabled", "502 5.5.1", "vrfy-truthful"),
        ("vrfy-needs-utf8", "550 5.6.10", "enhanced-code-not-deprecated"),
        ("unknown-command", "502 5.5.2", "unknown-command-500"),
        ("quit", "250 2.0.0", "quit-answered-221"),
    ] {
        let situation = Situation::from_id(id).unwrap_or_else(|| panic!("there is no situation {id}"));
        assert!(
            situation.avoid.iter().any(|mistake| mistake.to_string() == pair),
            "{id} does not avoid {pair}"
        );
        let found = findings(situation, &format!("S: {pair} Words"), Level::Note);
        assert!(
            found.iter().any(|finding| finding.starts_with(&format!("{id}: {rule} "))),
            "{id} {pair}: {found:?}"
        );
    }
}
