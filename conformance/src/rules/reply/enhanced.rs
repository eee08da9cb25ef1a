//! Enhanced status codes (RFC 2034, RFC 3463): rules about one reply.

use smtp_enhanced_status::{Class, EnhancedStatusCode, subject_entries};

use crate::protocol::command::Verb;
use crate::protocol::reply::{Damage, Token};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Breaches;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, breaches: &mut Breaches) {
    // Whether a code belongs here depends on the command.
    if !observation.is_sure() {
        return;
    }
    if observation.is_greeting() || observation.is_hello() {
        domain_comes_first(observation, breaches);
        keyword(observation, breaches);
        return;
    }
    let tokens = || observation.reply.lines().map(|line| line.token());
    if observation.digit() == Some(3) {
        intermediate(observation, breaches);
        return;
    }
    let Some(first) = tokens().next() else { return };
    match first {
        Token::Absent => absent(observation, breaches),
        Token::Damaged(damage, _) => damaged(observation, damage, breaches),
        Token::Ending(_) => {
            breaches.add_under(RuleId::ENHANCED_CODE_THEN_SPACE, "end-of-line", "nothing follows the code");
        }
        Token::Unspaced(code) => {
            let detail = format!("{code} is followed by something else than SP");
            breaches.add_if(
                !observation.promises_code(),
                RuleId::ENHANCED_CODE_THEN_SPACE,
                "unadvertised",
                detail,
            );
        }
        Token::Indented(code, _) => {
            breaches.add_under(
                RuleId::ENHANCED_CODE_FIRST,
                "two-spaces",
                format!("two spaces before {code}"),
            );
        }
        Token::Late(code, _) if observation.promises_code() => {
            breaches.add(RuleId::ENHANCED_CODE_FIRST, format!("{code} stands later in the text"));
        }
        Token::Code(_) | Token::Late(..) => {}
    }
    if first != Token::Absent || tokens().any(|token| token.exact().is_some()) {
        same_on_lines(observation, first, breaches);
    }
    if let Some(code) = first.code() {
        class(observation, code, breaches);
        one(observation, code, breaches);
        registered(code, breaches);
    }
}

/// In a 220 greeting and a 250 reply to EHLO or LHLO a domain comes first, so a code cannot (RFC 5321 §4.2, §4.1.1.1).
fn domain_comes_first(observation: &Observation<'_>, breaches: &mut Breaches) {
    let grammar = match observation.verb() {
        None => observation.is(&[220]),
        Some(Verb::Ehlo | Verb::Lhlo) => observation.is(&[250]),
        Some(_) => false,
    };
    if let (true, Some(code)) = (grammar, observation.enhanced()) {
        breaches.add(RuleId::NO_ENHANCED_CODE_WHERE_DOMAIN, format!("{code} instead of a domain"));
    }
}

/// RFC 2034 §3 (3): the keyword has no parameter.
fn keyword(observation: &Observation<'_>, breaches: &mut Breaches) {
    if !matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) || !observation.is(&[250]) {
        return;
    }
    let capabilities = crate::protocol::capabilities::Capabilities::read(&observation.reply);
    if capabilities
        .parameters("ENHANCEDSTATUSCODES")
        .is_some_and(|mut parameters| parameters.next().is_some())
    {
        breaches.add(RuleId::ENHANCED_KEYWORD_BARE, "ENHANCEDSTATUSCODES has a parameter");
    }
}

/// 3yz has no code (RFC 2034 §4), and there is no class 3 (RFC 3463 §2).
fn intermediate(observation: &Observation<'_>, breaches: &mut Breaches) {
    match observation.reply.lines().next().map(|line| line.token()) {
        // What stands in a challenge is judged as base64.
        _ if observation.is(&[334]) => {}
        Some(Token::Code(code) | Token::Ending(code)) => {
            breaches.add_under(
                RuleId::NO_ENHANCED_CODE_IN_3YZ,
                "class-two",
                format!("{code} in a 3yz reply"),
            );
        }
        Some(Token::Damaged(damage, _)) => damaged(observation, damage, breaches),
        _ => {}
    }
}

/// A promised code is missing (RFC 2034 §4).
fn absent(observation: &Observation<'_>, breaches: &mut Breaches) {
    if !observation.promises_code() {
        return;
    }
    match observation.verb() {
        Some(Verb::Starttls) if observation.is(&[220]) => {
            breaches.add(RuleId::STARTTLS_REPLY_ENHANCED_CODE, "no code");
        }
        _ => breaches.add(RuleId::ENHANCED_CODE_PRESENT, "no code at the start of the text"),
    }
}

fn damaged(observation: &Observation<'_>, damage: Damage, breaches: &mut Breaches) {
    let rule = match damage {
        Damage::LeadingZero => RuleId::ENHANCED_CODE_NO_LEADING_ZERO,
        Damage::LetterClass => RuleId::ENHANCED_CODE_DIGIT_CLASS,
        Damage::Form => RuleId::ENHANCED_CODE_FORM,
    };
    let text = observation.reply.lines().next().map_or(&[][..], |line| line.text());
    let shown = text[..text.len().min(20)].escape_ascii().to_string();
    let lowered = !observation.promises_code() && damage != Damage::LetterClass;
    breaches.add_if(lowered, rule, "unadvertised", format!("{shown:?}"));
}

/// RFC 2034 §4: every line begins with the same code.
fn same_on_lines(observation: &Observation<'_>, first: Token, breaches: &mut Breaches) {
    if !observation.promises_code() {
        return;
    }
    let conneg = |text: &[u8]| text.trim_ascii_start().starts_with(b"CONNEG");
    for (index, line) in observation.reply.lines().enumerate().skip(1) {
        // RFC 4141 §5.2 puts a word of its own first.
        if line.token().code() != first.code() && !conneg(line.text()) {
            let detail = format!("line {} differs from line 1", index + 1);
            return breaches.add(RuleId::ENHANCED_CODE_SAME_ON_LINES, detail);
        }
    }
}

/// RFC 2034 §4: the class agrees with the first digit.
fn class(observation: &Observation<'_>, code: EnhancedStatusCode, breaches: &mut Breaches) {
    if observation.digit() != Some(u16::from(code.class().digit())) {
        let number = observation.number().unwrap_or_default();
        let unadvertised = !observation.promises_code();
        breaches.add_if(
            unadvertised,
            RuleId::ENHANCED_CODE_CLASS_AGREES,
            "unadvertised",
            format!("{number} {code}"),
        );
    }
}

/// RFC 7372 §4: one code a reply.
fn one(observation: &Observation<'_>, code: EnhancedStatusCode, breaches: &mut Breaches) {
    let Some(line) = observation.reply.lines().next() else { return };
    let second = line.text().split(|octet| *octet == b' ').filter(|word| !word.is_empty()).nth(1);
    if let Some(Ok(second)) = second.map(EnhancedStatusCode::from_bytes)
        && second.class() == code.class()
    {
        breaches.add(RuleId::ONE_ENHANCED_CODE, format!("{second} follows {code}"));
    }
}

/// RFC 3463 §2: registered codes only; RFC 6531 §4: not X.6.10; RFC 3886 §3.3.4: X.1.9 only in reports.
fn registered(code: EnhancedStatusCode, breaches: &mut Breaches) {
    match code.entry() {
        None => {
            let known_subject = subject_entries().iter().any(|entry| entry.subject == code.subject());
            let detail =
                format!("{code} is not in the registry of {}", smtp_enhanced_status::REGISTRY_UPDATED);
            breaches.add_if(known_subject, RuleId::ENHANCED_CODE_REGISTERED, "newer-than-snapshot", detail);
        }
        Some(entry) if entry.deprecated.is_some() => {
            breaches.add(RuleId::ENHANCED_CODE_NOT_DEPRECATED, format!("{code} is deprecated"));
        }
        Some(_) => {}
    }
    if (code.subject(), code.detail()) == (1, 9) && code.class() != Class::Success {
        breaches.add(RuleId::RELAYED_CODE_ONLY_IN_DSN, format!("{code}"));
    }
}
