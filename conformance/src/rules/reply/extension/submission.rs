//! Rules about submission (RFC 6409).

use crate::knowledge::Policy;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb, is_mailbox};
use crate::protocol::header::{self, is_incomplete, is_malformed};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{envelope, has_only};

/// Judges any reply, including those that are not about their command.
pub(super) fn judge_anywhere(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_submission() {
        return;
    }
    // RFC 6409 §7, table 1, on RFC 1846, where 521 means that the host does not accept mail. After the greeting it may
    // only mean that the server hangs up.
    if observation.is(&[521]) {
        let after = !observation.is_greeting();
        findings.add_if(after, RuleId::SUBMISSION_NO_521, "after-opening", observation.codes());
    }
    if observation.verb() == Some(Verb::Ehlo) && observation.is(&[250]) {
        extensions(observation, findings);
    }
}

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_submission() {
        return;
    }
    general(observation, findings);
    match observation.verb() {
        Some(Verb::Mail) => {
            without_login(observation, findings);
            address(observation, findings);
            null_sender(observation, findings);
            rights(observation, &[550, 554], findings);
        }
        Some(Verb::Rcpt) => {
            address(observation, findings);
            rights(observation, &[550, 554], findings);
        }
        // 501 is for a syntax error in the message.
        _ if observation.is_end_of_data() => {
            header_address(observation, findings);
            rights(observation, &[501, 550, 554], findings);
        }
        _ => {}
    }
}

/// RFC 6409 §7, table 1: a server supports AUTH, ENHANCEDSTATUSCODES, PIPELINING, 8BITMIME and DSN, but not ETRN and
/// ATRN. Before TLS, it may list fewer keywords, and after the login it may leave AUTH out.
fn extensions(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let offered = Capabilities::read(&observation.reply);
    for keyword in ["ETRN", "ATRN"].iter().filter(|keyword| offered.has(keyword)) {
        findings.add(RuleId::SUBMISSION_NO_521, format!("{keyword} is offered"));
    }
    if !session.tls && offered.has("STARTTLS") {
        return;
    }
    let legacy = |keyword: &str| keyword.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("AUTH="));
    if !offered.has("AUTH") && !offered.keywords().any(legacy) && !session.authenticated {
        findings.add(RuleId::SUBMISSION_OFFERS_AUTH, "EHLO does not list AUTH");
    }
    let missing = ["ENHANCEDSTATUSCODES", "PIPELINING", "8BITMIME", "DSN"].into_iter();
    let missing = missing.filter(|keyword| !offered.has(keyword)).collect::<Vec<_>>().join(", ");
    if !missing.is_empty() {
        findings.add(RuleId::SUBMISSION_EXTENSIONS, format!("EHLO does not list {missing}"));
    }
}

/// RFC 6409 §4.3: MAIL needs a login. A server may trust a client otherwise, for example by its address, which replies
/// do not show, so the site declares the policy `trusted`.
fn without_login(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let followed = session.greeting.is_some() && session.hello.is_some();
    let trusted = session.authenticated || observation.knowledge.has_policy(Policy::Trusted);
    if followed && !trusted && observation.is_accepted() {
        findings
            .add(RuleId::SUBMISSION_NEEDS_LOGIN, format!("{} to MAIL without a login", observation.codes()));
    }
}

fn address(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation) else { return };
    let Some(path) = envelope.path().filter(|path| !path.is_empty()) else { return };
    if is_broken(path) {
        return broken_address(observation, findings);
    }
    // RFC 6409 §4.2: an address whose domain is not fully qualified gets 554. If the server accepts it, it may have
    // completed the domain. 550 and 4yz may be about the completed domain.
    let about_address = observation.has_detail(&[(1, 2), (1, 3), (1, 7), (1, 8)]);
    let mistaken = observation.is(&[504]) || (observation.is(&[501, 553]) && about_address);
    if is_incomplete(path) && mistaken && has_only(&envelope, &[]) {
        findings
            .add(RuleId::SUBMISSION_DOMAIN_554, format!("{} to an unqualified domain", observation.codes()));
    }
}

/// RFC 6409 §5.1: an address with bad syntax gets 501. RFC 5321 §4.2.3 also has 553. A recipient may be accepted and
/// bounced (§3.2), but without a sender there is nobody to bounce it to.
fn broken_address(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::SUBMISSION_SYNTAX_501;
    let detail = format!("{} to an address with bad syntax", observation.codes());
    let about_syntax = observation.has_detail(&[(1, 3), (1, 7)]);
    // 553 with 5.7.1 has another reason: the sender's address does not belong to the user.
    if observation.is(&[553]) && observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 1 | 5))
    {
        findings.add_under(rule, "code-553", detail);
    } else if observation.is_refused() && about_syntax && !observation.is(&[501])
        || observation.is_accepted() && observation.verb() == Some(Verb::Mail)
    {
        findings.add(rule, detail);
    }
}

/// Returns whether an address has an error that servers do not tolerate. They tolerate blanks around it, a source
/// route, a name without a domain, underscores in the domain, and a dot at its end.
fn is_broken(path: &[u8]) -> bool {
    let path = path.trim_ascii();
    let Some(at) = path.iter().rposition(|octet| *octet == b'@') else { return false };
    let (local, domain) = path.split_at(at);
    let domain: Vec<u8> = domain.iter().map(|octet| if *octet == b'_' { b'x' } else { *octet }).collect();
    let tolerated = [local, domain.strip_suffix(b".").unwrap_or(&domain)].concat();
    path.is_ascii() && !path.starts_with(b"@") && !is_mailbox(&tolerated)
}

/// RFC 6409 §5.1: an address with bad syntax in the header gets 554 after the data. If one in the envelope has bad syntax too,
/// it may be the reason.
fn header_address(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 5] =
        ["malformed address", "bad address", "invalid address", "address syntax", "header syntax"];
    let about_syntax = observation.has_detail(&[(1, 3), (1, 7)]) || observation.says(&WORDS);
    if !observation.is_refused() || observation.is(&[554]) || !about_syntax {
        return;
    }
    let (Some(message), Some(begun)) = (observation.whole_message(), &observation.session.transaction) else {
        return;
    };
    let mut lines = [&begun.mail].into_iter().chain(&begun.recipients);
    let is_sound = |line: &Vec<u8>| {
        let envelope = Command::read(line).envelope();
        envelope.and_then(|envelope| envelope.path()).is_some_and(|path| !is_broken(path))
    };
    if lines.all(is_sound) && header::addresses(message).iter().any(|address| is_malformed(address)) {
        let detail = format!("{} to a header with an address with bad syntax", observation.codes());
        findings.add(RuleId::SUBMISSION_SYNTAX_501, detail);
    }
}

/// RFC 6409 §4.1: 554 for an improper message, unless a more precise code applies. A code that blames a parameter or an
/// argument is not more precise if the whole transaction has none.
fn general(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is_refused() {
        return;
    }
    let Some(command) = observation.command else { return };
    let plain = match command.verb() {
        Verb::Mail | Verb::Rcpt => envelope(observation).is_some_and(|envelope| has_only(&envelope, &[])),
        Verb::Data => command.argument().is_empty() && observation.session.recipients() > 0,
        _ => false,
    };
    let begun = observation.session.transaction.iter();
    let mut lines = begun.flat_map(|begun| [&begun.mail].into_iter().chain(&begun.recipients));
    let bare = |line: &Vec<u8>| {
        Command::read(line).envelope().is_some_and(|envelope| envelope.parameters().next().is_none())
    };
    let blames: &[u16] = if command.verb() == Verb::Data { &[501, 504, 555] } else { &[504, 555] };
    // The enhanced status code of a 501 may say that it is about an address. Some servers refuse the name in EHLO only
    // here.
    let about_syntax = observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 5))
        && !observation.says(&["helo", "ehlo"]);
    if plain && observation.is(blames) && about_syntax && lines.all(bare) {
        let detail = format!("{} to {} without parameters", observation.codes(), command.verb().name());
        findings.add(RuleId::SUBMISSION_554, detail);
    }
}

/// RFC 6409 §3.2: an empty return path alone is not a reason to refuse. It is the reason if the code or the text is
/// about the address, and the text does not name another one.
fn null_sender(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 7] =
        ["<>", "null", "empty", "return path", "return-path", "reverse path", "reverse-path"];
    const OTHERS: [&str; 6] = ["account", "spam", "blocked", "quota", "limit", "too many"];
    let Some(envelope) = envelope(observation).filter(|envelope| envelope.path() == Some(b"")) else {
        return;
    };
    let about_path = observation.is(&[501, 553])
        || observation.enhanced().is_some_and(|code| code.subject() == 1)
        || observation.says(&WORDS);
    let whole = observation.session.authenticated && has_only(&envelope, &[]);
    if whole && observation.is_refused() && about_path && !observation.says(&OTHERS) {
        findings.add(RuleId::SUBMISSION_NULL_SENDER, format!("{} to MAIL FROM:<>", observation.codes()));
    }
}

/// RFC 6409 §6.1 to §6.3: missing rights get 550 and 5.7.1. 554 is for anything.
fn rights(observation: &Observation<'_>, permitted: &[u16], findings: &mut Findings) {
    if observation.is_refused() && observation.has_detail(&[(7, 1)]) && !observation.is(permitted) {
        findings.add(RuleId::SUBMISSION_RIGHTS_550, observation.codes());
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::{Knowledge, Policy};
    use crate::protocol::Protocol;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const LOGGED_IN: &str = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";
    const FROM: &str = "C: MAIL FROM:<bob@example.org>";
    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";

    fn run(protocol: Protocol, rows: &[Row<'_>]) {
        let ehlo = offers("PIPELINING\nAUTH PLAIN");
        check(protocol, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn addresses_in_the_header() {
        let begun = [LOGGED_IN, MAIL, "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok", "C: DATA\nS: 354 Go"]
            .join("\n");
        let broken = "C: To: <amy@@example.org>\nC: \nC: x\nC: .";
        let sound = "C: To: <amy@example.org>\nC: \nC: x\nC: .";
        let rule = "submission-syntax-501 warning";
        run(
            Protocol::Submission,
            &[
                (&[&begun, broken, "S: 554 5.6.0 Bad address in To"], ""),
                (&[&begun, broken, "S: 250 2.0.0 Ok"], ""),
                (&[&begun, broken, "S: 550 5.1.3 No"], rule),
                (&[&begun, broken, "S: 501 5.1.7 No"], rule),
                (&[&begun, broken, "S: 550 5.0.0 Malformed address in To"], rule),
                (&[&begun, broken, "S: 550 5.7.1 Spam"], ""),
                (&[&begun, broken, "S: 451 4.1.3 Later"], ""),
                (&[&begun, sound, "S: 550 5.1.3 No"], ""),
            ],
        );
        run(Protocol::Smtp, &[(&[&begun, broken, "S: 550 5.1.3 No"], "")]);
        let recipient = "C: RCPT TO:<amy@@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 Go";
        run(Protocol::Submission, &[(&[LOGGED_IN, MAIL, recipient, broken, "S: 550 5.1.3 No"], "")]);
    }

    #[test]
    fn extensions_of_submission() {
        let plain = "S: 250-mx.example.org\nS: 250 AUTH PLAIN";
        let whole = offers("PIPELINING\n8BITMIME\nDSN\nAUTH PLAIN");
        let without_dsn = offers("PIPELINING\n8BITMIME\nAUTH PLAIN");
        let without_auth = offers("PIPELINING\n8BITMIME\nDSN");
        let legacy = offers("PIPELINING\n8BITMIME\nDSN\nAUTH=LOGIN");
        let before_tls = "S: 250-mx.example.org\nS: 250 STARTTLS";
        let etrn = offers("PIPELINING\n8BITMIME\nDSN\nAUTH PLAIN\nETRN");
        let server = etrn.as_str();
        let auth = "submission-offers-auth warning";
        let rows: &[Row<'_>] = &[
            (&["C: EHLO me", plain], "submission-extensions warning"),
            (&["C: EHLO me", &whole], ""),
            (&["C: EHLO me", &without_dsn], "submission-extensions warning"),
            (&["C: EHLO me", &without_auth], auth),
            (&["C: EHLO me", &legacy], ""),
            (&["C: EHLO me", &whole, LOGGED_IN, "C: EHLO me", &without_auth], ""),
            (&["C: EHLO me", before_tls], ""),
            (&["C: EHLO me", server], "submission-no-521 error"),
            (
                &["C: EHLO me", server, "C: BDAT", "S: 521 5.5.4 What?"],
                "submission-no-521/after-opening warning",
            ),
        ];
        check(Protocol::Submission, &["S: 220 mx.example.org"], rows);
        check(Protocol::Submission, &[], &[(&["S: 521 mx.example.org"], "submission-no-521 error")]);
        check(
            Protocol::Smtp,
            &["S: 220 mx.example.org"],
            &[(&["C: EHLO me", server], ""), (&["C: EHLO me", plain], "")],
        );
    }

    #[test]
    fn mail_without_a_login() {
        let rule = "submission-needs-login warning";
        let wrong = "C: AUTH PLAIN AGEAYg==\nS: 535 5.7.8 No";
        run(
            Protocol::Submission,
            &[
                (&[MAIL], rule),
                (&[wrong, MAIL], rule),
                (&["C: MAIL FROM:<>", "S: 250 2.1.0 Ok"], rule),
                (&[LOGGED_IN, MAIL], ""),
                (&[FROM, "S: 530 5.7.0 Authentication required"], ""),
                (&[FROM, "S: 451 4.3.0 Later"], ""),
            ],
        );
        run(Protocol::Smtp, &[(&[MAIL], "")]);
        let trusted = Knowledge { policies: vec![Policy::Trusted], ..Knowledge::default() };
        let ehlo = offers("AUTH PLAIN");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        Table { protocol: Protocol::Submission, knowledge: trusted, ..table(&before) }
            .check(&[(&[MAIL], "")]);
    }

    #[test]
    fn addresses() {
        let broken = "C: MAIL FROM:<bob@@example.org>";
        let unqualified = "C: MAIL FROM:<bob@nodots>";
        run(
            Protocol::Submission,
            &[
                (&[LOGGED_IN, broken, "S: 501 5.1.7 What?"], ""),
                (&[LOGGED_IN, broken, "S: 250 2.1.0 Ok"], "submission-syntax-501 warning"),
                (&[LOGGED_IN, broken, "S: 553 5.1.7 What?"], "submission-syntax-501/code-553 note"),
                (&[LOGGED_IN, broken, "S: 550 5.1.7 What?"], "submission-syntax-501 warning"),
                (&[LOGGED_IN, broken, "S: 550 5.7.1 No"], ""),
                (&[LOGGED_IN, broken, "S: 553 5.7.1 Not yours"], "submission-rights-550 note"),
                (&[LOGGED_IN, "C: MAIL FROM:< bob@example.org >", "S: 250 2.1.0 Ok"], ""),
                (&[LOGGED_IN, "C: MAIL FROM:<bob>", "S: 250 2.1.0 Ok"], ""),
                (&[LOGGED_IN, "C: MAIL FROM:<@a.example:bob@example.org>", "S: 250 2.1.0 Ok"], ""),
                (&[LOGGED_IN, unqualified, "S: 554 5.1.8 No"], ""),
                (&[LOGGED_IN, unqualified, "S: 250 2.1.0 Ok"], ""),
                (&[LOGGED_IN, unqualified, "S: 504 5.5.2 No"], "submission-domain-554 warning"),
                (&[LOGGED_IN, unqualified, "S: 553 5.1.8 No"], "submission-domain-554 warning"),
                (&[LOGGED_IN, unqualified, "S: 550 5.1.8 No"], ""),
                (
                    &[LOGGED_IN, MAIL, "C: RCPT TO:<amy@nodots>", "S: 504 5.5.2 No"],
                    "submission-domain-554 warning",
                ),
                (&[LOGGED_IN, MAIL, "C: RCPT TO:<amy@@example.org>", "S: 250 2.1.5 Ok"], ""),
                (
                    &[LOGGED_IN, MAIL, "C: RCPT TO:<amy@@example.org>", "S: 550 5.1.3 No"],
                    "submission-syntax-501 warning",
                ),
            ],
        );
        run(Protocol::Smtp, &[(&[broken, "S: 250 2.1.0 Ok"], ""), (&[unqualified, "S: 504 5.5.2 No"], "")]);
    }

    #[test]
    fn codes_that_blame_a_missing_parameter() {
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let recipient = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let rule = "submission-554 warning";
        let rows: &[Row<'_>] = &[
            (&[LOGGED_IN, FROM, "S: 555 5.5.4 What?"], rule),
            (&[LOGGED_IN, FROM, "S: 554 5.0.0 Improper"], ""),
            (&[LOGGED_IN, FROM, "S: 501 5.1.8 No such domain"], ""),
            (&[LOGGED_IN, "C: MAIL FROM:<bob@example.org> FOO=1", "S: 555 5.5.4 What?"], ""),
            (&[LOGGED_IN, MAIL, rcpt, "S: 555 5.5.2 What?"], rule),
            (&[LOGGED_IN, MAIL, recipient, "C: DATA", "S: 501 5.5.4 What?"], rule),
            (&[LOGGED_IN, MAIL, recipient, "C: DATA", "S: 501 What?"], rule),
            (&[LOGGED_IN, MAIL, recipient, "C: DATA", "S: 501 5.1.8 No such domain"], ""),
            (&[LOGGED_IN, MAIL, recipient, "C: DATA", "S: 501 5.5.2 Helo command rejected"], ""),
            (&[LOGGED_IN, MAIL, recipient, "C: DATA x", "S: 501 5.5.4 What?"], ""),
            (&[LOGGED_IN, MAIL, "C: DATA", "S: 501 5.5.4 What?"], ""),
            (
                &[
                    LOGGED_IN,
                    "C: MAIL FROM:<bob@example.org> SIZE=1",
                    "S: 250 Ok",
                    rcpt,
                    "S: 555 5.5.4 What?",
                ],
                "",
            ),
        ];
        run(Protocol::Submission, rows);
        run(Protocol::Smtp, &[(&[LOGGED_IN, FROM, "S: 555 5.5.4 What?"], "")]);
    }

    #[test]
    fn senders() {
        let null = "C: MAIL FROM:<>";
        run(
            Protocol::Submission,
            &[
                (&[LOGGED_IN, null, "S: 250 2.1.0 Ok"], ""),
                (&[LOGGED_IN, null, "S: 550 5.1.7 No"], "submission-null-sender error"),
                (
                    &[LOGGED_IN, null, "S: 553 5.7.1 Not yours"],
                    "submission-rights-550 note, submission-null-sender error",
                ),
                (&[LOGGED_IN, null, "S: 550 5.7.1 Null sender refused"], "submission-null-sender error"),
                (&[LOGGED_IN, null, "S: 550 5.7.1 Account closed"], ""),
                (&[LOGGED_IN, null, "S: 550 5.7.1 This account is blocked, it was a sender of spam"], ""),
                (&[LOGGED_IN, null, "S: 550 5.7.1 Sender rejected"], ""),
                (&[LOGGED_IN, null, "S: 451 4.7.1 Later"], ""),
                (&[null, "S: 550 5.1.7 No"], ""),
                (&[LOGGED_IN, FROM, "S: 553 5.7.1 Not yours"], "submission-rights-550 note"),
                (&[LOGGED_IN, FROM, "S: 550 5.7.1 Not yours"], ""),
                (&[LOGGED_IN, FROM, "S: 554 5.7.1 Not yours"], ""),
            ],
        );
    }
}
