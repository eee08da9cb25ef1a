//! Reply rules about the keywords that a reply to EHLO or LHLO announces, and their parameters.

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Verb, is_keyword};
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::extension::parameter_value::is_class_list;
use super::syntax::KEYWORDS;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) || !observation.is(&[250]) {
        return;
    }
    let announced = Capabilities::read(&observation.reply);
    bare_keywords(&announced, findings);
    grammar(&announced, findings);
    companions(&announced, findings);
    registered(&announced, findings);
    lost_under_tls(observation, &announced, findings);
    size_on_two_lines(observation, findings);
}

/// Keywords for which an RFC says that they have no parameters. [`RuleId::ENHANCED_KEYWORD_BARE`] is about another.
const BARE: [&str; 13] = [
    "PIPELINING", // RFC 2920 §2 (3)
    "STARTTLS",   // RFC 3207 §2 (3)
    "8BITMIME",   // RFC 6152 §2 (3)
    "BINARYMIME", // RFC 3030 §3 (4)
    "DSN",        // RFC 3461 §2 (3)
    "SMTPUTF8",   // RFC 6531 §3.1 (3)
    "UTF8SMTP",   // RFC 5336 §3.1 (3)
    "ETRN",       // RFC 1985 §2 (2)
    "RRVS",       // RFC 7293 §3.1
    "REQUIRETLS", // RFC 8689 §7
    "MTRK",       // RFC 3885 §2 (3)
    "SUBMITTER",  // RFC 4405 §2 (3)
    "CHECKPOINT", // RFC 1845 §2 (3)
];

/// Keywords whose RFCs define no parameters, but do not say that there are none.
const UNDEFINED: [&str; 3] = ["CHUNKING", "CONPERM", "CONNEG"];

fn bare_keywords(announced: &Capabilities, findings: &mut Findings) {
    let has_parameter = |keyword: &&str| {
        announced.parameters(keyword).is_some_and(|mut parameters| parameters.next().is_some())
    };
    if has_parameter(&"ENHANCEDSTATUSCODES") {
        findings.add(RuleId::ENHANCED_KEYWORD_BARE, "ENHANCEDSTATUSCODES has a parameter");
    }
    let rule = RuleId::KEYWORDS_WITHOUT_PARAMETERS;
    let said = |keywords: Vec<&str>| format!("{} with a parameter", keywords.join(", "));
    let bare: Vec<&str> = BARE.into_iter().filter(has_parameter).collect();
    let undefined: Vec<&str> = UNDEFINED.into_iter().filter(has_parameter).collect();
    if !bare.is_empty() {
        findings.add(rule, said(bare));
    } else if !undefined.is_empty() {
        findings.add_under(rule, "undefined", said(undefined));
    }
}

/// A keyword, and a function that returns whether the words after it follow the grammar.
type Grammar = (&'static str, fn(&[&str]) -> bool);

/// The grammars of what may follow a keyword. [`RuleId::FUTURE_RELEASE_ADVERTISED`] is about another.
const GRAMMARS: [Grammar; 4] = [
    ("SIZE", is_size),             // RFC 1870 §3 (3)
    ("DELIVERBY", is_deliver_by),  // RFC 2852 §2 (3)
    ("MT-PRIORITY", is_profile),   // RFC 6710 §7
    ("NO-SOLICITING", is_classes), // RFC 3865 §2, §2.2
];

fn grammar(announced: &Capabilities, findings: &mut Findings) {
    let rule = RuleId::KEYWORD_PARAMETERS_GRAMMAR;
    let words = |keyword: &str| announced.parameters(keyword).map(Iterator::collect::<Vec<_>>);
    for (keyword, is_good) in GRAMMARS {
        if let Some(words) = words(keyword).filter(|words| !is_good(words)) {
            findings.add(rule, format!("{keyword} {}", quoted(words.join(" ").as_bytes())));
        }
    }
    let others = words("BURL").unwrap_or_default();
    if let Some(other) = others.iter().find(|word| !is_imap(word)) {
        findings.add_under(rule, "burl", format!("BURL {}", quoted(other.as_bytes())));
    }
}

fn is_size(words: &[&str]) -> bool {
    matches!(words, []) || matches!(words, [limit] if limit.bytes().all(|octet| octet.is_ascii_digit()))
}

/// The smallest time, which may be left out, and further options after commas.
fn is_deliver_by(words: &[&str]) -> bool {
    let [options] = words else { return words.is_empty() };
    let mut options = options.split(',');
    let minimum = options.next().unwrap_or_default();
    let is_time = minimum.len() <= 9 && minimum.bytes().all(|octet| octet.is_ascii_digit());
    is_time && options.all(|option| !option.is_empty())
}

fn is_profile(words: &[&str]) -> bool {
    let [profile] = words else { return words.is_empty() };
    let is_sign = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    profile.len() <= 20 && profile.bytes().all(is_sign)
}

fn is_classes(words: &[&str]) -> bool {
    matches!(words, []) || matches!(words, [classes] if is_class_list(classes.as_bytes()))
}

/// RFC 4468 §3.5.
fn is_imap(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word == "imap" || word.strip_prefix("imap://").is_some_and(|host| !host.is_empty())
}

/// Keywords that come only with another one, and the rule and the condition under which their absence is found.
const COMPANIONS: [(&str, &str, RuleId, Option<&str>); 4] = [
    ("SMTPUTF8", "8BITMIME", RuleId::SMTPUTF8_WITH_8BITMIME, None), // RFC 6531 §3.1 (8)
    ("BINARYMIME", "CHUNKING", RuleId::KEYWORD_WITH_COMPANION, None), // RFC 3030 §3 (3)
    ("BURL", "8BITMIME", RuleId::KEYWORD_WITH_COMPANION, None),     // RFC 4468 §4
    ("RRVS", "ENHANCEDSTATUSCODES", RuleId::KEYWORD_WITH_COMPANION, Some("rrvs")), // RFC 7293 §5.2
];

/// [`RuleId::ATRN_WITH_AUTH`] is about another pair, which depends on TLS.
fn companions(announced: &Capabilities, findings: &mut Findings) {
    for (keyword, companion, rule, condition) in COMPANIONS {
        if !announced.has(keyword) || announced.has(companion) {
            continue;
        }
        let detail = format!("{keyword} is listed, but not {companion}");
        findings.add_with(rule, condition, detail);
    }
}

/// RFC 5321 §2.2.2. Another rule judges what has not the form of a keyword, and the value of SIZE on a line of its own.
fn registered(announced: &Capabilities, findings: &mut Findings) {
    let is_known = |keyword: &&str| KEYWORDS.iter().any(|known| keyword.eq_ignore_ascii_case(known));
    let is_strange = |keyword: &&str| {
        is_keyword(keyword.as_bytes())
            && !keyword.starts_with(['X', 'x'])
            && !keyword.bytes().all(|octet| octet.is_ascii_digit())
    };
    let strange: Vec<&str> =
        announced.keywords().filter(is_strange).filter(|keyword| !is_known(keyword)).collect();
    if !strange.is_empty() {
        findings.add(RuleId::KEYWORD_REGISTERED, quoted(strange.join(", ").as_bytes()));
    }
}

/// RFC 8689 §2: a server that supports REQUIRETLS lists it after STARTTLS.
fn lost_under_tls(observation: &Observation<'_>, announced: &Capabilities, findings: &mut Findings) {
    const KEYWORD: &str = "REQUIRETLS";
    let before = observation.session.offered_before_tls.as_ref();
    if before.is_some_and(|before| before.has(KEYWORD)) && !announced.has(KEYWORD) {
        findings.add(RuleId::REQUIRETLS_AFTER_STARTTLS, format!("{KEYWORD} is listed only before STARTTLS"));
    }
}

/// RFC 1870 §4: the limit is a parameter of SIZE. Digits also have the form of a keyword.
fn size_on_two_lines(observation: &Observation<'_>, findings: &mut Findings) {
    let mut bare_size = false;
    for (index, line) in observation.reply.lines().enumerate().skip(1) {
        let text = line.text().trim_ascii();
        if bare_size && !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
            let detail = format!("line {}: {} after SIZE without a value", index + 1, quoted(text));
            findings.add(RuleId::SIZE_VALUE_ON_ITS_LINE, detail);
        }
        bare_size = text.eq_ignore_ascii_case(b"SIZE");
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::{Place, Row, Table};
    use crate::rules::catalogue::Rule;

    fn check(protocol: Protocol, rows: &[Row<'_>]) {
        let ours = |rule: &Rule| {
            [
                "keywords-without-parameters",
                "enhanced-keyword-bare",
                "smtputf8-with-8bitmime",
                "size-value-on-its-line",
                "ehlo-reply-grammar",
                "keyword-parameters-grammar",
                "keyword-with-companion",
                "keyword-registered",
                "requiretls-after-starttls",
            ]
            .contains(&rule.id)
        };
        let knowledge = crate::Knowledge::default();
        let before = &["S: 220 mx.example.org ESMTP"];
        Table { protocol, knowledge, before, rules: ours, place: Place::Last }.check(rows);
    }

    #[test]
    fn keywords_without_parameters_have_none() {
        let hello = |line: &'static str| ["C: EHLO me.example.org", "S: 250-mx.example.org", line];
        let error = "keywords-without-parameters error";
        for line in [
            "S: 250 PIPELINING foo",
            "S: 250 STARTTLS y",
            "S: 250 8bitmime z",
            "S: 250 DSN q",
            "S: 250 ETRN x",
            "S: 250-ENHANCEDSTATUSCODES\nS: 250 RRVS x",
            "S: 250-CHUNKING\nS: 250 BINARYMIME x",
            "S: 250 REQUIRETLS x",
        ] {
            check(Protocol::Smtp, &[(&hello(line), error)]);
        }
        check(
            Protocol::Smtp,
            &[
                (&hello("S: 250-8BITMIME\nS: 250 SMTPUTF8 q"), error),
                (&hello("S: 250 CHUNKING q"), "keywords-without-parameters/undefined note"),
                (&hello("S: 250 ENHANCEDSTATUSCODES 1"), "enhanced-keyword-bare error"),
                (
                    &hello("S: 250-SIZE 1000\nS: 250-AUTH PLAIN\nS: 250-LIMITS RCPTMAX=9\nS: 250 PIPELINING"),
                    "",
                ),
                (&hello("S: 250 PIPELINING "), "ehlo-reply-grammar/trailing-space note"),
                (&["C: EHLO me.example.org", "S: 550-No", "S: 550 PIPELINING foo"], ""),
            ],
        );
        check(
            Protocol::Lmtp,
            &[(&["C: LHLO me.example.org", "S: 250-mx.example.org", "S: 250 PIPELINING x"], error)],
        );
    }

    #[test]
    fn smtputf8_comes_with_8bitmime() {
        let hello = ["C: EHLO me.example.org", "S: 250-mx.example.org", "S: 250-SIZE"];
        let [ehlo, first, size] = hello;
        check(
            Protocol::Smtp,
            &[
                (&[ehlo, first, size, "S: 250 SMTPUTF8"], "smtputf8-with-8bitmime error"),
                (&[ehlo, first, size, "S: 250 BINARYMIME"], "keyword-with-companion error"),
                (&[ehlo, first, "S: 250-chunking", "S: 250 BINARYMIME"], ""),
                (&[ehlo, first, size, "S: 250 BURL imap"], "keyword-with-companion error"),
                (&[ehlo, first, "S: 250-8BITMIME", "S: 250 BURL imap"], ""),
                (&[ehlo, first, size, "S: 250 RRVS"], "keyword-with-companion/rrvs warning"),
                (&[ehlo, first, "S: 250-ENHANCEDSTATUSCODES", "S: 250 RRVS"], ""),
                (&[ehlo, first, "S: 250-SMTPUTF8", "S: 250 8BITMIME"], ""),
                (&[ehlo, first, size, "S: 250 8BITMIME"], ""),
            ],
        );
    }

    #[test]
    fn parameters_follow_their_grammar() {
        let hello = |line: &'static str| ["C: EHLO me.example.org", "S: 250-mx.example.org", line];
        let rule = "keyword-parameters-grammar error";
        for wrong in [
            "S: 250 SIZE 10M",
            "S: 250 SIZE 10 20",
            "S: 250 DELIVERBY 1 2",
            "S: 250 DELIVERBY soon",
            "S: 250 DELIVERBY 1234567890",
            "S: 250 DELIVERBY 10,",
            "S: 250 MT-PRIORITY MIXER STANAG",
            "S: 250 MT-PRIORITY a+b",
            "S: 250 MT-PRIORITY aaaaaaaaaaaaaaaaaaaaa",
            "S: 250 NO-SOLICITING a b",
            "S: 250 NO-SOLICITING a,,b",
            "S: 250 NO-SOLICITING 1a",
        ] {
            check(Protocol::Smtp, &[(&hello(wrong), rule)]);
        }
        for right in [
            "S: 250 SIZE",
            "S: 250 SIZE 0",
            "S: 250 SIZE 99999999999999999999999",
            "S: 250 DELIVERBY",
            "S: 250 DELIVERBY 60",
            "S: 250 DELIVERBY 60,trace,x=1",
            "S: 250 DELIVERBY ,trace",
            "S: 250 MT-PRIORITY",
            "S: 250 MT-PRIORITY STANAG_4406.x-1",
            "S: 250 NO-SOLICITING",
            "S: 250 NO-SOLICITING net.example:ADV,org.example:ADV:ADLT",
            "S: 250-8BITMIME\nS: 250 BURL imap imap://imap.example.org",
        ] {
            check(Protocol::Smtp, &[(&hello(right), "")]);
        }
        let burl = hello("S: 250-8BITMIME\nS: 250 BURL imap pop");
        check(Protocol::Smtp, &[(&burl, "keyword-parameters-grammar/burl note")]);
    }

    #[test]
    fn keywords_are_registered_or_private() {
        let hello = |line: &'static str| ["C: EHLO me.example.org", "S: 250-mx.example.org", line];
        let rule = "keyword-registered note";
        check(
            Protocol::Smtp,
            &[
                (&hello("S: 250 PRDR"), rule),
                (&hello("S: 250-VRFY\nS: 250-XCLIENT NAME\nS: 250-x-mine\nS: 250-limits\nS: 250 HELP"), ""),
                (&hello("S: 250-AUTH PLAIN\nS: 250 AUTH=PLAIN"), "ehlo-reply-grammar/legacy-auth-line note"),
                (&hello("S: 250-SIZE\nS: 250 50000000"), "size-value-on-its-line note"),
            ],
        );
    }

    #[test]
    fn requiretls_is_listed_after_starttls() {
        let before = "C: EHLO me.example.org\nS: 250-mx.example.org\nS: 250-REQUIRETLS\nS: 250 STARTTLS";
        let starttls = "C: STARTTLS\nS: 220 Go\n#: tls";
        let [ehlo, first] = ["C: EHLO me.example.org", "S: 250-mx.example.org"];
        check(
            Protocol::Smtp,
            &[
                (&[before, starttls, ehlo, first, "S: 250 SIZE"], "requiretls-after-starttls error"),
                (&[before, starttls, ehlo, first, "S: 250 REQUIRETLS"], ""),
                (&[ehlo, first, "S: 250 STARTTLS", starttls, ehlo, first, "S: 250 SIZE"], ""),
            ],
        );
    }

    #[test]
    fn the_value_of_size_is_on_its_line() {
        let [ehlo, first] = ["C: EHLO me.example.org", "S: 250-mx.example.org"];
        check(
            Protocol::Smtp,
            &[
                (&[ehlo, first, "S: 250-SIZE", "S: 250 50000000"], "size-value-on-its-line note"),
                (&[ehlo, first, "S: 250-SIZE 100", "S: 250 50000000"], ""),
                (&[ehlo, first, "S: 250-DSN", "S: 250 8BITMIME"], ""),
            ],
        );
    }
}
