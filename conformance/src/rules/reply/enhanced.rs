//! Reply rules about enhanced status codes (RFC 2034, RFC 3463).

use smtp_enhanced_status::{Class, EnhancedStatusCode, subject_entries};

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::protocol::notation::quoted;
use crate::protocol::reply::{Damage, Token};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    // Whether the reply should have a code depends on the command.
    if !observation.is_sure() {
        return;
    }
    if observation.is_greeting() || observation.is_hello() {
        domain_comes_first(observation, findings);
        lost_under_tls(observation, findings);
        return;
    }
    let tokens = || observation.reply.lines().map(|line| line.token());
    if observation.digit() == Some(3) {
        intermediate(observation, findings);
        return;
    }
    let Some(first) = tokens().next() else { return };
    match first {
        Token::Absent => absent(observation, findings),
        Token::Damaged(damage, position) => damaged(observation, damage, position, findings),
        Token::Ending(_) => {
            findings.add_under(RuleId::ENHANCED_CODE_THEN_SPACE, "end-of-line", "nothing follows the code");
        }
        Token::Unspaced(code) => {
            let detail = format!("{code} is followed by something other than a space");
            findings.add_if(
                !observation.owes_code(),
                RuleId::ENHANCED_CODE_THEN_SPACE,
                "unadvertised",
                detail,
            );
        }
        Token::Indented(code, _) => {
            findings.add_under(
                RuleId::ENHANCED_CODE_FIRST,
                "two-spaces",
                format!("more than one space before {code}"),
            );
        }
        Token::Late(code, _) if observation.owes_code() => {
            findings.add(RuleId::ENHANCED_CODE_FIRST, format!("{code} comes later in the text"));
        }
        Token::Code(_) | Token::Late(..) => {}
    }
    // If the first line has its code too late, so have the others, or they have none.
    let late = matches!(first, Token::Late(..));
    if !late && (first != Token::Absent || tokens().any(|token| token.exact().is_some())) {
        same_on_lines(observation, first, findings);
    }
    if let Some(code) = first.code() {
        class(observation, code, findings);
        one(observation, first, findings);
        registered(code, findings);
    }
}

/// RFC 5321 §4.2, §4.1.1.1: a domain comes first in a 220 greeting and in a 250 reply to EHLO or LHLO, so a code
/// cannot.
fn domain_comes_first(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(code) = observation.enhanced() else { return };
    let rule = RuleId::NO_ENHANCED_CODE_WHERE_DOMAIN;
    let detail = format!("{code} instead of a domain");
    match observation.verb() {
        _ if observation.is_greeting() && observation.is(&[220]) => findings.add(rule, detail),
        Some(Verb::Ehlo | Verb::Lhlo) if observation.is(&[250]) => findings.add(rule, detail),
        Some(Verb::Helo) if observation.is(&[250]) => findings.add_under(rule, "helo-reply", detail),
        _ => {}
    }
}

/// RFC 3207 §4.2: the list after TLS may differ from the one before, but codes need no TLS and suffer none.
fn lost_under_tls(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(before) = &observation.session.offered_before_tls else { return };
    let extended = matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) && observation.is(&[250]);
    if extended && before.has(KEYWORD) && !Capabilities::read(&observation.reply).has(KEYWORD) {
        findings.add(RuleId::ENHANCED_CODE_AFTER_TLS, format!("{KEYWORD} is listed only before TLS"));
    }
}

const KEYWORD: &str = "ENHANCEDSTATUSCODES";

/// RFC 2034 §4: a 3yz reply needs no code, and a code agrees with the reply code. RFC 3463 §2: there is no class 3.
fn intermediate(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::NO_ENHANCED_CODE_IN_3YZ;
    match observation.reply.lines().next().map(|line| line.token()) {
        // Another rule judges the text of a challenge, which is base64.
        _ if observation.is(&[334]) => {}
        Some(Token::Code(code) | Token::Ending(code)) => {
            let detail = format!("{code} in a 3yz reply");
            if !observation.owes_code() {
                findings.add_under(rule, "unadvertised", detail);
            } else {
                findings.add_if(code.class() == Class::Success, rule, "class-two", detail);
            }
        }
        Some(Token::Damaged(damage, position)) => damaged(observation, damage, position, findings),
        _ => {}
    }
}

/// RFC 2034 §4: a code that was announced is missing.
fn absent(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.owes_code() {
        return;
    }
    match observation.verb() {
        Some(Verb::Starttls) if observation.is(&[220]) => {
            findings.add(RuleId::STARTTLS_REPLY_ENHANCED_CODE, "no code");
        }
        _ if observation.promises_code() => {
            findings.add(RuleId::ENHANCED_CODE_PRESENT, "no code at the start of the text");
        }
        // 421 may come from something in front of the server.
        _ if observation.is(&[421]) => {}
        _ => {
            let detail = "no code, but a reply to EHLO announces codes";
            findings.add(RuleId::ENHANCED_CODE_WITHOUT_EHLO, detail);
        }
    }
}

fn damaged(observation: &Observation<'_>, damage: Damage, position: usize, findings: &mut Findings) {
    let rule = match damage {
        Damage::LeadingZero => RuleId::ENHANCED_CODE_NO_LEADING_ZERO,
        Damage::LetterClass => RuleId::ENHANCED_CODE_DIGIT_CLASS,
        Damage::Form | Damage::Short => RuleId::ENHANCED_CODE_FORM,
    };
    let text = observation.reply.lines().next().map_or(&[][..], |line| line.text());
    let owed = observation.owes_code();
    if owed || is_surely_meant(observation, damage, text.get(position..).unwrap_or_default()) {
        findings.add_if(!owed, rule, "unadvertised", quoted(&text[..text.len().min(20)]));
    }
}

/// Returns whether a text that nothing announced is no number or version: it has three parts, of which the first is the
/// class of the reply or the letter X.
fn is_surely_meant(observation: &Observation<'_>, damage: Damage, text: &[u8]) -> bool {
    let class = text.iter().find(|octet| matches!(octet, b'1'..=b'9'));
    let agrees = class.is_some_and(|class| observation.digit() == Some(u16::from(class - b'0')));
    damage == Damage::LetterClass || (damage != Damage::Short && agrees)
}

/// RFC 2034 §4: every line begins with the same code.
fn same_on_lines(observation: &Observation<'_>, first: Token, findings: &mut Findings) {
    if !observation.owes_code() {
        return;
    }
    let conneg = |text: &[u8]| text.trim_ascii_start().starts_with(b"CONNEG");
    for (index, line) in observation.reply.lines().enumerate().skip(1) {
        // RFC 4141 §5.2 puts the word CONNEG first.
        if !line.is_broken_off() && line.token().code() != first.code() && !conneg(line.text()) {
            let has = |token: Token| token.code().map_or("no code".to_owned(), |code| code.to_string());
            let detail = format!("line 1 has {}, line {} has {}", has(first), index + 1, has(line.token()));
            return findings.add(RuleId::ENHANCED_CODE_SAME_ON_LINES, detail);
        }
    }
}

/// RFC 2034 §4: the class agrees with the first digit of the reply code.
fn class(observation: &Observation<'_>, code: EnhancedStatusCode, findings: &mut Findings) {
    if observation.digit() != Some(u16::from(code.class().digit())) {
        let number = observation.number().unwrap_or_default();
        let unadvertised = !observation.owes_code();
        findings.add_if(
            unadvertised,
            RuleId::ENHANCED_CODE_CLASS_AGREES,
            "unadvertised",
            format!("{number} {code}"),
        );
    }
}

/// RFC 7372 §4: a reply has one code.
fn one(observation: &Observation<'_>, first: Token, findings: &mut Findings) {
    let Some(line) = observation.reply.lines().next() else { return };
    // A code that comes late is the only one.
    let Some(code) = first.code().filter(|_| !matches!(first, Token::Late(..))) else { return };
    let second = line.text().split(|octet| *octet == b' ').filter(|word| !word.is_empty()).nth(1);
    if let Some(Ok(second)) = second.map(EnhancedStatusCode::from_bytes)
        && second.class() == code.class()
    {
        findings.add(RuleId::ONE_ENHANCED_CODE, format!("{second} follows {code}"));
    }
}

/// RFC 3463 §2: only registered codes. RFC 6531 §4: not X.6.10. RFC 3886 §3.3.4: X.1.9 only in reports of tracking.
fn registered(code: EnhancedStatusCode, findings: &mut Findings) {
    match code.entry() {
        None => {
            let known_subject = subject_entries().iter().any(|entry| entry.subject == code.subject());
            let detail =
                format!("{code} is not in the registry of {}", smtp_enhanced_status::REGISTRY_UPDATED);
            findings.add_if(known_subject, RuleId::ENHANCED_CODE_REGISTERED, "newer-than-snapshot", detail);
        }
        Some(entry) if entry.deprecated.is_some() => {
            findings.add(RuleId::ENHANCED_CODE_NOT_DEPRECATED, format!("{code} is deprecated"));
        }
        Some(_) => {}
    }
    if (code.subject(), code.detail()) == (1, 9) {
        findings.add(RuleId::RELAYED_CODE_ONLY_IN_DSN, format!("{code}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::{Place, Row, Table};
    use crate::rules::catalogue::Rule;

    const GREETING: &str = "#: connected\nS: 220 mx.example.org ESMTP";
    const PLAIN: &str = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 SIZE 1000000";
    const CODED: &str = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES";
    const HELO: &str = "C: HELO me.example.org\nS: 250 mx.example.org";
    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const NOOP: &str = "C: NOOP";

    fn is_ours(rule: &Rule) -> bool {
        rule.label.starts_with("ES-") || rule.id == "relayed-code-only-in-dsn"
    }

    fn check(place: Place, rows: &[Row<'_>]) {
        let knowledge = crate::Knowledge::default();
        Table { protocol: Protocol::Smtp, knowledge, before: &[], rules: is_ours, place }.check(rows);
    }

    #[test]
    fn a_late_code_is_the_only_one() {
        let rcpt = "C: RCPT TO:<amy@example.org>";
        let late = "enhanced-code-first error at";
        let lines = "S: 550-Blocked 5.7.1 by\nS: 550 policy";
        check(
            Place::Anywhere,
            &[
                (&[GREETING, CODED, MAIL, rcpt, "S: 550 Blocked 5.7.1 by policy"], &format!("{late} 3")),
                (&[GREETING, CODED, MAIL, rcpt, lines], &format!("{late} 3")),
                (&[GREETING, CODED, "C: FOO", "S: 503 Error 5.5.1 bad"], &format!("{late} 2")),
                (&[GREETING, PLAIN, "C: FOO", "S: 550 Rspamd 5.1.1 says no"], ""),
                (&[GREETING, CODED, "C: FOO", "S: 550 5.7.1 5.5.1 No"], "one-enhanced-code note at 2"),
            ],
        );
    }

    #[test]
    fn numbers_are_not_broken_codes() {
        let missing = "enhanced-code-present error";
        let form = "enhanced-code-form error";
        for reply in ["S: 250 2.0 kB received", "S: 250 2.5 GB free", "S: 250 4.5 ms", "S: 250 2.0 seconds."]
        {
            check(
                Place::Last,
                &[(&[GREETING, PLAIN, NOOP, reply], ""), (&[GREETING, CODED, NOOP, reply], missing)],
            );
        }
        for reply in ["S: 250 2.0 Ok", "S: 250 1.2.3 is the version", "S: 250 4.98 Ok"] {
            check(
                Place::Last,
                &[(&[GREETING, PLAIN, NOOP, reply], ""), (&[GREETING, CODED, NOOP, reply], form)],
            );
        }
        check(
            Place::Last,
            &[
                (&[GREETING, PLAIN, "C: FOO", "S: 550 #5.1.0 What?"], "enhanced-code-form/unadvertised note"),
                (
                    &[GREETING, PLAIN, "C: FOO", "S: 550 5.01.0 What?"],
                    "enhanced-code-no-leading-zero/unadvertised note",
                ),
                (&[GREETING, PLAIN, NOOP, "S: 250 X.0.0 Ok"], "enhanced-code-digit-class/unadvertised note"),
                (&[GREETING, CODED, NOOP, "S: 250 X.0.0 Ok"], "enhanced-code-digit-class error"),
            ],
        );
    }

    #[test]
    fn codes_do_not_depend_on_ehlo() {
        let without = "enhanced-code-without-ehlo error at";
        let mismatch = ["C: MAIL FROM:<bob@example.org>", "S: 502 2.5.1 Please introduce yourself first."];
        let [mail, refused] = mismatch;
        let tls = "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls";
        check(
            Place::Anywhere,
            &[
                (&[GREETING, CODED, HELO, NOOP, "S: 250 Ok"], &format!("{without} 3")),
                (&[GREETING, CODED, GREETING, HELO, NOOP, "S: 250 Ok"], &format!("{without} 1:2")),
                (&[GREETING, NOOP, "S: 250 Ok", GREETING, CODED], &format!("{without} 0:1")),
                (&[GREETING, NOOP, "S: 421 Busy", GREETING, CODED], ""),
                (&[GREETING, NOOP, "S: 250 Ok", GREETING, PLAIN], ""),
                (&[GREETING, CODED, GREETING, PLAIN, NOOP, "S: 250 Ok"], ""),
                (&[GREETING, CODED, GREETING, PLAIN, tls, NOOP, "S: 250 Ok"], ""),
                (&[GREETING, mail, refused, GREETING, CODED], "enhanced-code-class-agrees error at 0:1"),
                (&[GREETING, mail, refused, CODED], "enhanced-code-class-agrees error at 1"),
                (
                    &[GREETING, mail, refused, GREETING, PLAIN],
                    "enhanced-code-class-agrees/unadvertised note at 0:1",
                ),
                (
                    &[GREETING, CODED, GREETING, PLAIN, mail, refused],
                    "enhanced-code-class-agrees/unadvertised note at 1:2",
                ),
            ],
        );
    }

    #[test]
    fn the_list_keeps_the_keyword_under_tls() {
        let tls = "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls";
        let lost = "enhanced-code-after-tls note at 4";
        check(
            Place::Anywhere,
            &[
                (&[GREETING, CODED, tls, PLAIN, NOOP, "S: 250 Ok"], lost),
                (&[GREETING, CODED, tls, CODED], ""),
                (&[GREETING, PLAIN, "C: STARTTLS\nS: 220 Go\n#: tls", PLAIN], ""),
                (&[GREETING, CODED, tls, CODED, NOOP, "S: 250 Ok"], "enhanced-code-present error at 5"),
            ],
        );
    }

    #[test]
    fn codes_do_not_come_where_a_domain_does() {
        let helo = "no-enhanced-code-where-domain/helo-reply note";
        check(
            Place::Last,
            &[
                (&["S: 220 2.0.0 mx.example.org"], "no-enhanced-code-where-domain error"),
                (&[GREETING, "C: HELO me.example.org", "S: 250 2.0.0 mx.example.org"], helo),
                (&[GREETING, "C: HELO me.example.org", "S: 501 5.5.4 What?"], ""),
                (&["S: 554 5.3.2 No"], ""),
            ],
        );
    }

    #[test]
    fn codes_of_intermediate_replies_are_told_apart() {
        let data = |reply| {
            [GREETING, CODED, MAIL, "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok", "C: DATA", reply]
        };
        check(
            Place::Last,
            &[
                (&data("S: 354 2.0.0 Go"), "no-enhanced-code-in-3yz/class-two warning"),
                (&data("S: 354 5.0.0 go"), "no-enhanced-code-in-3yz error"),
                (&data("S: 354 3.0.0 go"), "enhanced-code-form error"),
                (&data("S: 354 go"), ""),
                (
                    &[GREETING, PLAIN, "C: DATA", "S: 354 2.0.0 Go"],
                    "no-enhanced-code-in-3yz/unadvertised note",
                ),
            ],
        );
    }

    #[test]
    fn replies_do_not_have_the_code_of_tracking_reports() {
        let rcpt = "C: RCPT TO:<amy@example.org>";
        check(
            Place::Last,
            &[
                (&[GREETING, CODED, MAIL, rcpt, "S: 250 2.1.9 relayed"], "relayed-code-only-in-dsn warning"),
                (&[GREETING, CODED, MAIL, rcpt, "S: 550 5.1.9 No"], "relayed-code-only-in-dsn warning"),
                (&[GREETING, CODED, MAIL, rcpt, "S: 250 2.1.5 Ok"], ""),
            ],
        );
    }

    #[test]
    fn a_new_greeting_after_xclient_needs_no_code() {
        let xclient = "C: XCLIENT ADDR=192.0.2.9\nS: 220 mx.example.org ESMTP";
        check(
            Place::Anywhere,
            &[
                (&[GREETING, CODED, xclient], ""),
                (&[GREETING, CODED, xclient, CODED, NOOP, "S: 250 Ok"], "enhanced-code-present error at 4"),
                (&[GREETING, PLAIN, xclient, NOOP, "S: 250 Ok"], ""),
                (
                    &[GREETING, CODED, "C: XCLIENT ADDR=192.0.2.9", "S: 250 Ok"],
                    "enhanced-code-present error at 2",
                ),
                (
                    &[GREETING, CODED, "C: FOO", "S: 220 mx.example.org ESMTP"],
                    "enhanced-code-present error at 2",
                ),
            ],
        );
    }
}
