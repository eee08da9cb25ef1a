//! Reply rules about syntax (RFC 5321 §4.2, §4.3).

use std::cell::LazyCell;
use std::collections::BTreeSet;

use memchr::memmem;
use smtp_enhanced_status::EnhancedStatusCode;

use crate::protocol::command::{Verb, is_domain, is_keyword, is_literal};
use crate::protocol::reply::{Defect, DefectSet, Line};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    defects(observation, findings);
    if observation.reply.code().is_none() {
        return;
    }
    known_code(observation, findings);
    if !observation.is_sure() {
        return;
    }
    first_digit(observation, findings);
    machine_read_text(observation, findings);
    if observation.is_greeting() {
        greeting(observation, findings);
    }
    if observation.reply.defects().intersects(DefectSet::FRAMING) {
        return;
    }
    match observation.verb() {
        Some(Verb::Ehlo | Verb::Lhlo) if observation.is(&[250]) => ehlo(observation, findings),
        Some(Verb::Helo) if observation.is(&[250]) => helo(observation, findings),
        _ => {}
    }
}

/// Reports the defects that have a rule of their own here.
fn defects(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.reply.defects().is_empty() {
        return;
    }
    let challenge = observation.is(&[334]);
    // Each of these looks at the whole reply or command, which may be long, so it does so once.
    let may_be_utf8 = LazyCell::new(|| may_be_utf8(observation));
    let is_echo = LazyCell::new(|| is_echo(observation));
    for (defect, line, column) in observation.reply.positions() {
        let location = format!("line {}, octet {}", line + 1, column + 1);
        match defect {
            Defect::BlankLine | Defect::NoCode => {
                findings.add(RuleId::REPLY_CODE_RANGE, format!("{location}: no reply code"));
            }
            Defect::DigitCount => {
                findings.add(RuleId::REPLY_CODE_RANGE, format!("{location}: not three digits"));
            }
            Defect::FirstDigit => {
                findings.add(RuleId::REPLY_CODE_RANGE, format!("{location}: the first digit is not 2 to 5"));
            }
            Defect::SecondDigit => {
                findings.add(
                    RuleId::REPLY_CODE_SECOND_DIGIT,
                    format!("{location}: the second digit is not 0 to 5"),
                );
            }
            Defect::Separator => findings.add(RuleId::SEPARATOR_SPACE_OR_HYPHEN, location),
            Defect::BareCode if challenge => {}
            Defect::BareCode => findings.add(RuleId::TEXT_OR_SPACE_AFTER_CODE, location),
            Defect::MixedCodes => {
                let early = observation.is_greeting() && observation.exchange.pipelined;
                findings.add_if(early, RuleId::LINES_SHARE_CODE, "early-talk", location);
            }
            Defect::BareLf => findings.add(RuleId::LINES_END_CRLF, format!("{location}: LF without CR")),
            Defect::BareCr => findings.add(RuleId::LINES_END_CRLF, format!("{location}: CR without LF")),
            Defect::LongLine if !challenge => {
                findings.add(RuleId::LINE_LENGTH, format!("line {} is longer than 512 octets", line + 1));
            }
            Defect::EightBit if *may_be_utf8 => {}
            Defect::Control if line == 0 && is_ehlo_reply(observation) => {}
            Defect::Control | Defect::EightBit => {
                findings.add_if(*is_echo, RuleId::TEXT_PRINTABLE_ASCII, "echo", location);
            }
            _ => {}
        }
    }
}

/// Returns whether RFC 6531 §3.7.4 allows UTF-8 in the reply.
fn may_be_utf8(observation: &Observation<'_>) -> bool {
    let asked = |keyword: &[u8]| keyword.eq_ignore_ascii_case(b"SMTPUTF8");
    match observation.verb() {
        Some(Verb::Vrfy | Verb::Expn) => {
            observation.command.is_some_and(|command| command.words().any(asked))
        }
        _ => {
            observation.is(&[251, 551])
                && observation
                    .session
                    .transaction
                    .as_ref()
                    .is_some_and(|transaction| transaction.has("SMTPUTF8"))
        }
    }
}

/// Returns whether all octets that are not printable ASCII are echoed from the command or from MAIL.
fn is_echo(observation: &Observation<'_>) -> bool {
    /// A reply with more runs of such octets is not an echo of a command.
    const RUNS: usize = 64;
    let [line, chunk] = observation.exchange.act.parts();
    let mail = observation.session.transaction.as_ref().map_or(&[][..], |transaction| &transaction.mail);
    let is_sent =
        |octets: &&[u8]| [line, chunk, mail].iter().any(|sent| memmem::find(sent, octets).is_some());
    let is_proper = |octet: &u8| matches!(octet, b'\t' | b' '..=b'~');
    let mut runs = BTreeSet::new();
    for line in observation.reply.lines() {
        for run in line.text().split(is_proper).filter(|run| !run.is_empty()) {
            runs.insert(run);
            if runs.len() > RUNS {
                return false;
            }
        }
    }
    runs.iter().all(is_sent)
}

fn is_ehlo_reply(observation: &Observation<'_>) -> bool {
    observation.verb() == Some(Verb::Ehlo) && observation.is(&[250])
}

/// Judges whether an RFC defines the code for SMTP, or IANA's registry names it.
fn known_code(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(code) = observation.reply.code() else { return };
    let command = OWNED.iter().find(|(codes, _)| codes.contains(&code.as_u16()));
    if let Some((_, command)) = command.filter(|(_, owner)| !is_of(observation, *owner)) {
        findings.add(RuleId::REPLY_CODE_KNOWN, format!("{code} is defined only for {}", command.name()));
    }
    if code.entry().is_none() {
        findings.add(RuleId::REPLY_CODE_KNOWN, format!("{code} is not defined anywhere"));
        if code.as_u16() / 10 % 10 <= 5 {
            findings.add(RuleId::NO_INVENTED_CODES, format!("{code} is not defined anywhere"));
        }
    }
}

/// Codes that extensions define for a single command.
const OWNED: [(&[u16], Verb); 3] =
    [(&[235, 432, 534, 535, 538], Verb::Auth), (&[253, 458, 459], Verb::Etrn), (&[453], Verb::Atrn)];

fn is_of(observation: &Observation<'_>, owner: Verb) -> bool {
    !observation.is_sure()
        || observation.verb() == Some(owner)
        || (owner == Verb::Auth && observation.is_authentication())
}

/// 3yz is for DATA, AUTH, and a MAIL that resumes a message (RFC 1845).
fn first_digit(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.digit() != Some(3) {
        return;
    }
    let number = observation.number().unwrap_or_default();
    let expected = match observation.verb() {
        Some(Verb::Data) => Some(354),
        _ if observation.is_authentication() => Some(334),
        Some(Verb::Mail) if number == 355 => Some(355),
        _ => None,
    };
    match expected {
        Some(expected) if expected == number => {}
        Some(expected) => {
            findings
                .add(RuleId::INTERMEDIATE_REPLY_ONLY_FOR_INPUT, format!("{number} instead of {expected}"));
        }
        None => findings.add(
            RuleId::FIRST_DIGIT_FITS_COMMAND,
            format!("{number}, but the client has nothing more to send"),
        ),
    }
}

/// RFC 5321 §4.2.3: 251 and 551 name an address.
fn machine_read_text(observation: &Observation<'_>, findings: &mut Findings) {
    let asks = matches!(observation.verb(), Some(Verb::Rcpt | Verb::Vrfy));
    if asks && observation.is(&[251, 551]) && !observation.reply.octets().contains(&b'@') {
        findings.add(RuleId::MACHINE_READ_TEXT, "no address in the text");
    }
}

/// RFC 5321 §4.2, `Greeting`: a domain or a literal comes first.
fn greeting(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(first) = observation.reply.lines().next() else { return };
    if !observation.is(&[220]) {
        return;
    }
    let word = first_word(&first);
    if !is_domain(word) && !is_literal(word) {
        findings.add(RuleId::GREETING_NAMES_DOMAIN, format!("first word {:?}", lossy(word)));
    }
}

/// RFC 5321 §4.1.1.1, `ehlo-ok-rsp`.
fn ehlo(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::EHLO_REPLY_GRAMMAR;
    for (index, line) in observation.reply.lines().enumerate() {
        let word = first_word(&line);
        if index == 0 {
            // An EHLO keyword also has the form of a domain, so a missing first line shows only by a known keyword.
            if !is_domain(word) || word.eq_ignore_ascii_case(b"ENHANCEDSTATUSCODES") || is_code(word) {
                findings.add(rule, format!("first word {:?}", lossy(word)));
            }
            continue;
        }
        let text = line.text();
        let parameters = |text: &[u8]| text.split(|octet| *octet == b' ').skip(1).all(is_parameter);
        if word.len() > 5 && word[..5].eq_ignore_ascii_case(b"AUTH=") {
            findings.add_under(rule, "legacy-auth-line", format!("line {}", index + 1));
        } else if !is_keyword(word) || !parameters(text.trim_ascii_end()) {
            findings.add(rule, format!("line {}: {:?}", index + 1, lossy(text)));
        } else if text.ends_with(b" ") {
            findings.add_under(rule, "trailing-space", format!("line {}", index + 1));
        }
    }
}

/// RFC 5321 §3.2: HELO is not answered with a list of keywords.
fn helo(observation: &Observation<'_>, findings: &mut Findings) {
    const KEYWORDS: [&[u8]; 8] = [
        b"SIZE",
        b"PIPELINING",
        b"8BITMIME",
        b"ENHANCEDSTATUSCODES",
        b"STARTTLS",
        b"SMTPUTF8",
        b"CHUNKING",
        b"DSN",
    ];
    let listed =
        |line: Line<'_>| KEYWORDS.iter().any(|keyword| first_word(&line).eq_ignore_ascii_case(keyword));
    if observation.reply.lines().skip(1).any(listed) {
        findings.add(RuleId::HELO_WITHOUT_KEYWORDS, "a list of keywords");
    }
}

fn is_parameter(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_graphic)
}

fn is_code(word: &[u8]) -> bool {
    EnhancedStatusCode::from_bytes(word).is_ok()
}

fn first_word<'a>(line: &Line<'a>) -> &'a [u8] {
    line.text().split(|octet| *octet == b' ').next().unwrap_or_default()
}

fn lossy(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::{Place, Row, Table, dialogue};
    use crate::rules::catalogue::Rule;
    use crate::rules::{Strictness, judge};

    const GREETING: &str = "S: 220 mx.example.test";

    fn check(rules: fn(&Rule) -> bool, rows: &[Row<'_>]) {
        let knowledge = crate::Knowledge::default();
        Table { protocol: Protocol::Smtp, knowledge, before: &[], rules, place: Place::Anywhere }.check(rows);
    }

    #[test]
    fn details_say_what_is_wrong() {
        let hello = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES\nC: NOOP\n";
        let seen = |reply: &str| {
            let dialogue = dialogue(&format!("{hello}{reply}"));
            let findings = judge(&[dialogue], &crate::Knowledge::default(), Strictness::default()).findings;
            findings.into_iter().map(|finding| finding.detail).collect::<Vec<_>>()
        };
        assert_eq!(seen("S: 250 2.0.0 Ok\\n"), ["line 1, octet 13: LF without CR"]);
        assert_eq!(seen("S: 250 2.0.0 \\x0dOk"), ["line 1, octet 11: CR without LF"]);
        assert_eq!(seen("S: 250-Ok\nS: 250 2.0.0 Ok"), ["line 1 has no code, line 2 has 2.0.0"]);
    }

    #[test]
    fn echoed_octets_lower_the_level() {
        check(
            |rule| rule.id == "text-printable-ascii",
            &[
                (
                    &[
                        GREETING,
                        "C: VRFY \u{fc}ser",
                        "S: 501 \u{fc}ser: recipient address must contain a domain",
                    ],
                    "text-printable-ascii/echo warning at 1",
                ),
                (
                    &[
                        GREETING,
                        "C: MAIL FROM:<bob@example.org> X=\\x07",
                        "S: 555 5.5.4 Unsupported option: X=\\x07",
                    ],
                    "text-printable-ascii/echo warning at 1",
                ),
                (
                    &[GREETING, "C: VRFY \u{fc}ser", "S: 501 Empf\u{e4}nger \u{fc}ser unbekannt"],
                    "text-printable-ascii error at 1",
                ),
                (
                    &[GREETING, "C: MAIL FROM:<b\\xffb@example.org>", "S: 250 b\u{fffd}b"],
                    "text-printable-ascii error at 1",
                ),
                (
                    &[
                        GREETING,
                        "C: MAIL FROM:<\u{fc}ser@example.org>",
                        "S: 250 2.1.0 Ok",
                        "C: RCPT TO:<amy@example.org>",
                        "S: 550 5.7.1 <\u{fc}ser@example.org>: Sender refused",
                    ],
                    "text-printable-ascii/echo warning at 2",
                ),
                (&[GREETING, "C: VRFY \u{fc}ser SMTPUTF8", "S: 550 5.1.1 <\u{fc}ser>: Who?"], ""),
            ],
        );
    }

    #[test]
    fn early_talk_makes_replies_run_together() {
        let reply = "S: 220-mx.example.test ESMTP Postfix\nS: 250-mx.example.test\nS: 250 DSN";
        let help = "S: 214-Help\nS: 211 yourself";
        check(
            |rule| rule.id == "lines-share-code",
            &[
                (&["C: EHLO me.example.org", reply], "lines-share-code/early-talk warning at 0"),
                (&[reply], "lines-share-code error at 0"),
                (&[GREETING, "C: HELP\nC: NOOP", help], "lines-share-code error at 1"),
            ],
        );
    }
}
