//! Reply rules about syntax (RFC 5321 §4.2, §4.3).

use std::cell::LazyCell;
use std::collections::BTreeSet;

use memchr::memmem;
use smtp_enhanced_status::EnhancedStatusCode;

use crate::dialogue::End;
use crate::protocol::command::{Verb, is_domain, is_keyword, is_literal};
use crate::protocol::notation::quoted;
use crate::protocol::reply::{Defect, DefectSet, Line, LineEnd};
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
    if is_extended(observation) {
        ehlo(observation, findings);
    } else if observation.verb() == Some(Verb::Helo) && observation.is(&[250]) {
        helo(observation, findings);
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
            Defect::Incomplete => unfinished(observation, line, findings),
            Defect::BareCode if challenge => {}
            Defect::BareCode => findings.add(RuleId::TEXT_OR_SPACE_AFTER_CODE, location),
            Defect::MixedCodes => {
                let early = observation.is_greeting() && observation.exchange.pipelined;
                let detail = mixed_codes(observation, line);
                findings.add_if(early, RuleId::LINES_SHARE_CODE, "early-talk", detail);
            }
            Defect::BareLf => findings.add(RuleId::LINES_END_CRLF, format!("{location}: LF without CR")),
            Defect::BareCr => findings.add(RuleId::LINES_END_CRLF, format!("{location}: CR without LF")),
            Defect::LongLine if !challenge => {
                findings.add(RuleId::LINE_LENGTH, format!("line {} is longer than 512 octets", line + 1));
            }
            Defect::EightBit if *may_be_utf8 => {}
            // `ehlo-greet` (RFC 5321 §4.1.1.1). RFC 2033 §4.1: LHLO has the semantics of EHLO.
            Defect::Control if line == 0 && is_extended(observation) => {}
            Defect::Control | Defect::EightBit => {
                findings.add_if(*is_echo, RuleId::TEXT_PRINTABLE_ASCII, "echo", location);
            }
            _ => {}
        }
    }
}

/// RFC 5321 §4.2.1: the last line of a reply has a space after its code. A reply that breaks off within a line may have
/// been lost on its way, as may one whose connection broke.
fn unfinished(observation: &Observation<'_>, line: usize, findings: &mut Findings) {
    let ended = matches!(observation.exchange.end, End::TimedOut | End::Closed);
    let last = observation.reply.lines().last();
    let announced = last.is_some_and(|last| last.end() != LineEnd::None && last.separator() == Some(b'-'));
    if ended && announced {
        let detail = format!("line {} has a hyphen, but no line follows", line + 1);
        findings.add(RuleId::SEPARATOR_SPACE_OR_HYPHEN, detail);
    }
}

fn mixed_codes(observation: &Observation<'_>, index: usize) -> String {
    let number = |index: usize| observation.reply.lines().nth(index).and_then(|line| line.number());
    let shown = |number: Option<u16>| number.map_or("no code".to_owned(), |number| format!("{number:03}"));
    format!("line 1 has {}, line {} has {}", shown(number(0)), index + 1, shown(number(index)))
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

/// Returns whether the reply accepts EHLO or LHLO.
fn is_extended(observation: &Observation<'_>) -> bool {
    matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) && observation.is(&[250])
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
    if is_domain(word) {
        if !observation.reply.defects().intersects(DefectSet::FRAMING) {
            qualified(word, findings);
        }
    } else if !is_literal(word) {
        findings.add(RuleId::GREETING_NAMES_DOMAIN, format!("first word {}", quoted(word)));
    }
}

/// RFC 5321 §2.3.5: only fully qualified names appear in SMTP.
fn qualified(domain: &[u8], findings: &mut Findings) {
    if !domain.contains(&b'.') {
        findings.add(RuleId::DOMAIN_FULLY_QUALIFIED, format!("first word {}, without a dot", quoted(domain)));
    }
}

/// RFC 5321 §4.1.1.1, `ehlo-ok-rsp`.
fn ehlo(observation: &Observation<'_>, findings: &mut Findings) {
    let mut lines = observation.reply.lines();
    if let Some(first) = lines.next() {
        ehlo_domain(first_word(&first), findings);
    }
    let mut wrong = WrongLines::default();
    for (index, line) in lines.enumerate() {
        ehlo_line(index + 2, line.text(), &mut wrong, findings);
    }
    if let Some(detail) = wrong.detail() {
        findings.add(RuleId::EHLO_REPLY_GRAMMAR, detail);
    }
}

fn ehlo_domain(word: &[u8], findings: &mut Findings) {
    let detail = || format!("first word {}", quoted(word));
    // Other rules are about octets that are no printable ASCII.
    if !word.iter().all(|octet| matches!(octet, b'!'..=b'~')) && !word.is_empty() {
        return;
    }
    // An EHLO keyword also has the form of a domain, so a missing first line shows only by a known keyword.
    if is_literal(word) {
        findings.add_under(RuleId::EHLO_REPLY_GRAMMAR, "address-literal", detail());
    } else if !is_domain(word) || word.eq_ignore_ascii_case(b"ENHANCEDSTATUSCODES") || is_code(word) {
        findings.add(RuleId::EHLO_REPLY_GRAMMAR, detail());
    } else {
        qualified(word, findings);
    }
}

/// Judges a line after the first. `number` counts from 1.
fn ehlo_line(number: usize, text: &[u8], wrong: &mut WrongLines, findings: &mut Findings) {
    let rule = RuleId::EHLO_REPLY_GRAMMAR;
    let word = text.split(|octet| *octet == b' ').next().unwrap_or_default();
    let parameters = |text: &[u8]| text.split(|octet| *octet == b' ').skip(1).all(is_parameter);
    if word.len() > 5 && word[..5].eq_ignore_ascii_case(b"AUTH=") {
        findings.add_under(rule, "legacy-auth-line", format!("line {number}"));
    } else if !text.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        // Another rule is about octets that are no printable ASCII.
        if text.contains(&b'\t') {
            wrong.add(number, text);
        }
    } else if !is_keyword(word) || !parameters(text.trim_ascii_end()) {
        wrong.add(number, text);
    } else if text.ends_with(b" ") {
        findings.add_under(rule, "trailing-space", format!("line {number}"));
    }
}

/// The lines of a reply that are wrong. The first ones are shown, and all are counted.
#[derive(Default)]
struct WrongLines {
    shown: Vec<String>,
    count: usize,
}

impl WrongLines {
    /// The number of lines that are shown.
    const SHOWN: usize = 5;

    fn add(&mut self, number: usize, text: &[u8]) {
        self.count += 1;
        if self.shown.len() < WrongLines::SHOWN {
            self.shown.push(format!("line {number}: {}", quoted(text)));
        }
    }

    /// Returns what is shown. `None` if no line is wrong.
    fn detail(&self) -> Option<String> {
        let more = self.count - self.shown.len();
        let shown = self.shown.join(", ");
        match (self.count, more) {
            (0, _) => None,
            (_, 0) => Some(shown),
            _ => Some(format!("{shown}, and {more} more")),
        }
    }
}

/// RFC 5321 §3.2: HELO is not answered with a list of keywords.
fn helo(observation: &Observation<'_>, findings: &mut Findings) {
    if let Some(line) = observation.reply.lines().skip(1).find(|line| lists_keyword(line.text())) {
        findings.add(RuleId::HELO_WITHOUT_KEYWORDS, format!("a list of keywords: {}", quoted(line.text())));
    }
}

/// Returns whether a text is a line of an EHLO reply: a registered keyword, and parameters as machines write them. In
/// `SIZE does not matter`, the other words are not parameters.
fn lists_keyword(text: &[u8]) -> bool {
    let mut words = text.trim_ascii_end().split(|octet| *octet == b' ');
    let keyword = words.next().unwrap_or_default();
    let is_listed = KEYWORDS.iter().any(|known| keyword.eq_ignore_ascii_case(known.as_bytes()));
    is_listed && words.all(|word| is_parameter(word) && !word.iter().any(u8::is_ascii_lowercase))
}

/// The keywords of IANA's registry "SMTP Service Extensions".
pub(super) const KEYWORDS: [&str; 36] = [
    "8BITMIME",
    "ATRN",
    "AUTH",
    "BINARYMIME",
    "BURL",
    "CHECKPOINT",
    "CHUNKING",
    "CONNEG",
    "CONPERM",
    "DELIVERBY",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "ETRN",
    "EXPN",
    "FUTURERELEASE",
    "HELP",
    "LIMITS",
    "MT-PRIORITY",
    "MTRK",
    "NO-SOLICITING",
    "ONEX",
    "PIPELINING",
    "REQUIRETLS",
    "RRVS",
    "SAML",
    "SEND",
    "SIZE",
    "SMTPUTF8",
    "SOML",
    "STARTTLS",
    "SUBMITTER",
    "TURN",
    "UTF8SMTP",
    "VERB",
    "VRFY",
    "XCLIENT",
];

fn is_parameter(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_graphic)
}

fn is_code(word: &[u8]) -> bool {
    EnhancedStatusCode::from_bytes(word).is_ok()
}

fn first_word<'a>(line: &Line<'a>) -> &'a [u8] {
    line.text().split(|octet| *octet == b' ').next().unwrap_or_default()
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
        let hello =
            "S: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES\nC: NOOP\n";
        let seen = |reply: &str| {
            let dialogue = dialogue(&format!("{hello}{reply}"));
            let findings = judge(&[dialogue], &crate::Knowledge::default(), Strictness::default()).findings;
            findings.into_iter().map(|finding| finding.detail).collect::<Vec<_>>()
        };
        assert_eq!(seen("S: 250 2.0.0 Ok\\n"), ["line 1, octet 13: LF without CR"]);
        assert_eq!(seen("S: 250 2.0.0 \\x0dOk"), ["line 1, octet 11: CR without LF"]);
        assert_eq!(seen("S: 250-Ok\nS: 250 2.0.0 Ok"), ["line 1 has no code, line 2 has 2.0.0"]);
        assert_eq!(seen("S: 250-2.0.0 Ok\nS: 251 2.0.0 Ok"), ["line 1 has 250, line 2 has 251"]);
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

    #[test]
    fn a_reply_ends_with_a_line_that_has_a_space() {
        let separator = "separator-space-or-hyphen error at";
        let ours = |rule: &Rule| {
            ["separator-space-or-hyphen", "lines-share-code", "reply-code-range", "one-reply-per-command"]
                .contains(&rule.id)
        };
        check(
            ours,
            &[
                (&["S: 220-mx 421 4.2.1 refused", "#: closed by server"], &format!("{separator} 0")),
                (&[GREETING, "C: NOOP", "S: 250-Ok", "#: timeout"], &format!("{separator} 1")),
                (
                    &[GREETING, "C: NOOP", "S: 250-Ok", "S: 250-Ok", "#: closed by server"],
                    &format!("{separator} 1"),
                ),
                (&[GREETING, "C: NOOP", "S: 250-Ok", "C: QUIT", "S: 221 Bye"], &format!("{separator} 1")),
                (&[GREETING, "C: NOOP", "S: 250-Ok", "C: QUIT", "S: 250 Ok", "S: 221 Bye"], ""),
                (&[GREETING, "C: NOOP", "S: 250 O\\+", "#: closed by server"], ""),
                (&[GREETING, "C: NOOP", "S: 250-O\\+", "#: closed by server"], ""),
                (&[GREETING, "C: NOOP", "S: 250-Ok", "S: 250 Ok", "#: timeout"], ""),
            ],
        );
    }

    #[test]
    fn a_line_that_lf_broke_off_belongs_to_its_reply() {
        let ours = |rule: &Rule| rule.label.starts_with("RS-");
        let half = "S: 500 Error: command \"NOOP\\n";
        let crlf = "lines-end-crlf error at 1";
        check(
            ours,
            &[
                (&[GREETING, "C: FOO", half, "S: QUIT\" not recognized"], crlf),
                (
                    &[
                        GREETING,
                        "C: FOO",
                        half,
                        "S: A\\n",
                        "S: QUIT\" not recognized",
                        "C: NOOP",
                        "S: 250 Ok",
                    ],
                    crlf,
                ),
                (&[GREETING, "C: FOO", "S: 500-Error: \"NOOP\\n", "S: QUIT\" not", "S: 500 known"], crlf),
                (
                    &[GREETING, "C: FOO", "S: 500-Error: \"NOOP", "S: QUIT\" not", "S: 500 known"],
                    "reply-code-range error at 1",
                ),
            ],
        );
    }

    #[test]
    fn names_are_qualified() {
        let hello = |first: &'static str| ["S: 220 mx.example.org", "C: EHLO me.example.org", first];
        let ours = |rule: &Rule| {
            ["greeting-names-domain", "domain-fully-qualified", "ehlo-reply-grammar", "text-printable-ascii"]
                .contains(&rule.id)
        };
        check(
            ours,
            &[
                (&["S: 220 At your service"], "domain-fully-qualified warning at 0"),
                (&["S: 220-ESMTP server", "S: 220 ready"], "domain-fully-qualified warning at 0"),
                (&["S: 220 [010.0.0.1] ready"], ""),
                (&["S: 220 [IPv6:2001:db8::1] ready"], ""),
                (&["S: 220 *** ready"], "greeting-names-domain warning at 0"),
                (&["S: 220-mx 421 4.2.1 refused", "#: closed by server"], ""),
                (
                    &hello("S: 250-Hello client.example.org\nS: 250 DSN"),
                    "domain-fully-qualified warning at 1",
                ),
                (&hello("S: 250-[192.0.2.1]\nS: 250 DSN"), "ehlo-reply-grammar/address-literal note at 1"),
                (&hello("S: 250-[192.0.2]\nS: 250 DSN"), "ehlo-reply-grammar error at 1"),
                (&hello("S: 250 mx.example.org Hello \\x07"), ""),
            ],
        );
        let lhlo = ["S: 220 mx.example.org", "C: LHLO me.example.org", "S: 250 mx.example.org Hello \\x07"];
        let knowledge = crate::Knowledge::default();
        let table =
            Table { protocol: Protocol::Lmtp, knowledge, before: &[], rules: ours, place: Place::Anywhere };
        table.check(&[(&lhlo, "")]);
    }

    #[test]
    fn all_bad_lines_of_ehlo_are_named() {
        let hello = "C: EHLO me.example.org\nS: 250-mx.example.org\n";
        let seen = |lines: &str| {
            let dialogue = dialogue(&format!("{GREETING}\n{hello}{lines}"));
            let findings = judge(&[dialogue], &crate::Knowledge::default(), Strictness::default()).findings;
            let ours = findings.into_iter().filter(|finding| finding.rule.rule().id == "ehlo-reply-grammar");
            ours.map(|finding| format!("{}: {}", finding.level, finding.detail)).collect::<Vec<_>>()
        };
        assert_eq!(
            seen("S: 250-X_A\nS: 250-DSN\nS: 250-AUTH=LOGIN\nS: 250 'b'"),
            ["error: line 2: \"X_A\", line 5: \"'b'\""]
        );
        assert_eq!(
            seen("S: 250-X_A\nS: 250-DSN a=\\xc3\nS: 250 Y\\x09B"),
            ["error: line 2: \"X_A\", line 4: \"Y\\x09B\""]
        );
        let many = "S: 250-X_A\n".repeat(8);
        let [found] = <[String; 1]>::try_from(seen(&format!("{many}S: 250 DSN"))).expect("one finding");
        assert!(found.contains("line 6: \"X_A\", and 3 more"), "{found}");
    }

    #[test]
    fn helo_lists_no_keywords() {
        let helo =
            |lines: &'static str| [GREETING, "C: HELO me.example.org", "S: 250-mx.example.test", lines];
        let found = "helo-without-keywords error at 1";
        check(
            |rule| rule.id == "helo-without-keywords",
            &[
                (&helo("S: 250-AUTH PLAIN LOGIN\nS: 250 ok"), found),
                (&helo("S: 250 HELP"), found),
                (&helo("S: 250 SIZE 1000"), found),
                (&helo("S: 250 ETRN"), found),
                (&helo("S: 250 SIZE matters not here"), ""),
                (&helo("S: 250 Help is on its way"), ""),
                (&[GREETING, "C: HELO me.example.org", "S: 250 SIZE"], ""),
            ],
        );
    }
}
