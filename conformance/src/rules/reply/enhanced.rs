//! Reply rules about enhanced status codes (RFC 2034, RFC 3463).

use smtp_enhanced_status::{Class, EnhancedStatusCode, subject_entries};

use crate::protocol::command::Verb;
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
        keyword(observation, findings);
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
        Token::Damaged(damage, _) => damaged(observation, damage, findings),
        Token::Ending(_) => {
            findings.add_under(RuleId::ENHANCED_CODE_THEN_SPACE, "end-of-line", "nothing follows the code");
        }
        Token::Unspaced(code) => {
            let detail = format!("{code} is followed by something other than a space");
            findings.add_if(
                !observation.promises_code(),
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
        Token::Late(code, _) if observation.promises_code() => {
            findings.add(RuleId::ENHANCED_CODE_FIRST, format!("{code} comes later in the text"));
        }
        Token::Code(_) | Token::Late(..) => {}
    }
    if first != Token::Absent || tokens().any(|token| token.exact().is_some()) {
        same_on_lines(observation, first, findings);
    }
    if let Some(code) = first.code() {
        class(observation, code, findings);
        one(observation, code, findings);
        registered(code, findings);
    }
}

/// RFC 5321 §4.2, §4.1.1.1: a domain comes first in a 220 greeting and in a 250 reply to EHLO or LHLO, so a code
/// cannot.
fn domain_comes_first(observation: &Observation<'_>, findings: &mut Findings) {
    let grammar = match observation.verb() {
        None => observation.is(&[220]),
        Some(Verb::Ehlo | Verb::Lhlo) => observation.is(&[250]),
        Some(_) => false,
    };
    if grammar && let Some(code) = observation.enhanced() {
        findings.add(RuleId::NO_ENHANCED_CODE_WHERE_DOMAIN, format!("{code} instead of a domain"));
    }
}

/// RFC 2034 §3 (3): the keyword has no parameter.
fn keyword(observation: &Observation<'_>, findings: &mut Findings) {
    if !matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) || !observation.is(&[250]) {
        return;
    }
    let capabilities = crate::protocol::capabilities::Capabilities::read(&observation.reply);
    if capabilities
        .parameters("ENHANCEDSTATUSCODES")
        .is_some_and(|mut parameters| parameters.next().is_some())
    {
        findings.add(RuleId::ENHANCED_KEYWORD_BARE, "ENHANCEDSTATUSCODES has a parameter");
    }
}

/// RFC 2034 §4: a 3yz reply has no code. RFC 3463 §2: there is no class 3.
fn intermediate(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.reply.lines().next().map(|line| line.token()) {
        // Another rule judges the text of a challenge, which is base64.
        _ if observation.is(&[334]) => {}
        Some(Token::Code(code) | Token::Ending(code)) => {
            findings.add_under(
                RuleId::NO_ENHANCED_CODE_IN_3YZ,
                "class-two",
                format!("{code} in a 3yz reply"),
            );
        }
        Some(Token::Damaged(damage, _)) => damaged(observation, damage, findings),
        _ => {}
    }
}

/// RFC 2034 §4: a code that was announced is missing.
fn absent(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.promises_code() {
        return;
    }
    match observation.verb() {
        Some(Verb::Starttls) if observation.is(&[220]) => {
            findings.add(RuleId::STARTTLS_REPLY_ENHANCED_CODE, "no code");
        }
        _ => findings.add(RuleId::ENHANCED_CODE_PRESENT, "no code at the start of the text"),
    }
}

fn damaged(observation: &Observation<'_>, damage: Damage, findings: &mut Findings) {
    let rule = match damage {
        Damage::LeadingZero => RuleId::ENHANCED_CODE_NO_LEADING_ZERO,
        Damage::LetterClass => RuleId::ENHANCED_CODE_DIGIT_CLASS,
        Damage::Form => RuleId::ENHANCED_CODE_FORM,
    };
    let text = observation.reply.lines().next().map_or(&[][..], |line| line.text());
    let shown = text[..text.len().min(20)].escape_ascii().to_string();
    let lowered = !observation.promises_code() && damage != Damage::LetterClass;
    findings.add_if(lowered, rule, "unadvertised", format!("{shown:?}"));
}

/// RFC 2034 §4: every line begins with the same code.
fn same_on_lines(observation: &Observation<'_>, first: Token, findings: &mut Findings) {
    if !observation.promises_code() {
        return;
    }
    let conneg = |text: &[u8]| text.trim_ascii_start().starts_with(b"CONNEG");
    for (index, line) in observation.reply.lines().enumerate().skip(1) {
        // RFC 4141 §5.2 puts the word CONNEG first.
        if line.token().code() != first.code() && !conneg(line.text()) {
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
        let unadvertised = !observation.promises_code();
        findings.add_if(
            unadvertised,
            RuleId::ENHANCED_CODE_CLASS_AGREES,
            "unadvertised",
            format!("{number} {code}"),
        );
    }
}

/// RFC 7372 §4: a reply has one code.
fn one(observation: &Observation<'_>, code: EnhancedStatusCode, findings: &mut Findings) {
    let Some(line) = observation.reply.lines().next() else { return };
    let second = line.text().split(|octet| *octet == b' ').filter(|word| !word.is_empty()).nth(1);
    if let Some(Ok(second)) = second.map(EnhancedStatusCode::from_bytes)
        && second.class() == code.class()
    {
        findings.add(RuleId::ONE_ENHANCED_CODE, format!("{second} follows {code}"));
    }
}

/// RFC 3463 §2: only registered codes. RFC 6531 §4: not X.6.10. RFC 3886 §3.3.4: X.1.9 only in reports.
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
    if (code.subject(), code.detail()) == (1, 9) && code.class() != Class::Success {
        findings.add(RuleId::RELAYED_CODE_ONLY_IN_DSN, format!("{code}"));
    }
}
