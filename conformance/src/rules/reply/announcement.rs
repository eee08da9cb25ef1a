//! Reply rules about the keywords that a reply to EHLO or LHLO announces, and their parameters.

use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::Verb;
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if !matches!(observation.verb(), Some(Verb::Ehlo | Verb::Lhlo)) || !observation.is(&[250]) {
        return;
    }
    let announced = Capabilities::read(&observation.reply);
    bare_keywords(&announced, findings);
    utf8_needs_8bit(&announced, findings);
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

/// RFC 6531 §3.1 (8): a server with SMTPUTF8 announces 8BITMIME.
fn utf8_needs_8bit(announced: &Capabilities, findings: &mut Findings) {
    if announced.has("SMTPUTF8") && !announced.has("8BITMIME") {
        findings.add(RuleId::SMTPUTF8_WITH_8BITMIME, "SMTPUTF8 is listed, but not 8BITMIME");
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
            "S: 250 RRVS x",
            "S: 250 BINARYMIME x",
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
                (&[ehlo, first, "S: 250-SMTPUTF8", "S: 250 8BITMIME"], ""),
                (&[ehlo, first, size, "S: 250 8BITMIME"], ""),
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
