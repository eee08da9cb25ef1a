//! Judges replies by their codes alone, with the rules that judge them live.
//!
//! A log shows the codes of a reply, but not its octets, its lines, or what the server announced. So only rules about
//! codes hold there, and where a rule is lenient to servers that announced no enhanced status codes, it is.

use smtp_enhanced_status::{Pairing, judge as judge_pair};

use super::head::Head;
use super::key::{Basis, RuleKey};
use crate::dialogue::{Act, Answer, Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::rules::catalogue::RuleId;
use crate::rules::{Strictness, judge};

/// The rules that need no more than the codes of a reply.
const RULES: [RuleId; 15] = [
    RuleId::REPLY_CODE_RANGE,
    RuleId::REPLY_CODE_SECOND_DIGIT,
    RuleId::REGISTRY_ONLY_REPLY_CODE,
    RuleId::ENHANCED_CODE_CLASS_AGREES,
    RuleId::ENHANCED_CODE_CLASS_ALLOWED,
    RuleId::ENHANCED_CODE_DIGIT_CLASS,
    RuleId::ENHANCED_CODE_FORM,
    RuleId::ENHANCED_CODE_NO_LEADING_ZERO,
    RuleId::ENHANCED_CODE_NOT_DEPRECATED,
    RuleId::ENHANCED_CODE_REGISTERED,
    RuleId::ENHANCED_CODE_THEN_SPACE,
    RuleId::NO_ENHANCED_CODE_IN_3YZ,
    RuleId::PAIR_CLASS_WILDCARD,
    RuleId::PAIR_UNLISTED,
    RuleId::RELAYED_CODE_ONLY_IN_DSN,
];

/// What a rule finds about the codes of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadFinding {
    pub(crate) key: RuleKey,
    pub(crate) detail: String,
}

/// Judges the codes of a reply. A reply to the connection or to EHLO `is_opening`. What was judged as a dialogue has no
/// findings of its own.
pub(crate) fn findings(
    head: &Head,
    basis: Basis,
    is_opening: bool,
    strictness: Strictness,
) -> Vec<HeadFinding> {
    if head.reply_code().is_none() || basis == Basis::Dialogue {
        return Vec::new();
    }
    let exchanges = if is_opening { Vec::new() } else { before(basis == Basis::OwnCodes) };
    let mut dialogue = Dialogue { exchanges, ..Dialogue::default() };
    let act = if is_opening { Act::Connect } else { Act::Command(b"RCPT TO:<a@example.org>\r\n".to_vec()) };
    let mut exchange = Exchange::new(act);
    exchange.answers.push(Answer { octets: reply(head), millis: 0 });
    let position = dialogue.exchanges.len();
    dialogue.exchanges.push(exchange);
    let judgement = judge(&[dialogue], &Knowledge::default(), strictness);
    let about_reply = judgement.findings.into_iter().filter(|finding| {
        finding.location.exchange == position
            && finding.location.reply.is_some()
            && RULES.contains(&finding.rule)
    });
    about_reply
        .map(|finding| HeadFinding {
            key: RuleKey { rule: finding.rule, level: finding.level },
            detail: finding.detail,
        })
        .collect()
}

/// Returns the pairing of the codes in the registry; `None` if one of the two is missing or damaged.
pub(crate) fn pairing(head: &Head) -> Option<Pairing> {
    Some(judge_pair(head.reply_code()?, head.enhanced()?))
}

/// What came before a reply to RCPT.
fn before(is_announced: bool) -> Vec<Exchange> {
    let hello: &[u8] = if is_announced {
        b"250-mx.example.org\r\n250 ENHANCEDSTATUSCODES\r\n"
    } else {
        b"250 mx.example.org\r\n"
    };
    let before: [(Act, &[u8]); 3] = [
        (Act::Connect, b"220 mx.example.org ESMTP\r\n"),
        (Act::Command(b"EHLO client.example.org\r\n".to_vec()), hello),
        (Act::Command(b"MAIL FROM:<a@example.org>\r\n".to_vec()), b"250 2.1.0 Ok\r\n"),
    ];
    let exchange = |(act, octets): (Act, &[u8])| {
        let mut exchange = Exchange::new(act);
        exchange.answers.push(Answer { octets: octets.to_vec(), millis: 0 });
        exchange
    };
    before.into_iter().map(exchange).collect()
}

/// Makes a reply that has the codes of a head.
fn reply(head: &Head) -> Vec<u8> {
    let lines: Vec<&[u8]> = head.as_octets().split(|octet| *octet == b'\n').collect();
    let mut octets = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let (code, rest) = line.split_at(line.len().min(3));
        let separator = if index + 1 < lines.len() { b"-" } else { b" " };
        octets.extend_from_slice(code);
        octets.extend_from_slice(separator);
        if !rest.is_empty() {
            octets.extend_from_slice(rest.trim_ascii_start());
            octets.push(b' ');
        }
        octets.extend_from_slice(b"text\r\n");
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::{findings, pairing};
    use crate::lint::head::Head;
    use crate::lint::key::Basis;
    use crate::rules::Strictness;

    fn found(reply: &str, basis: Basis, is_opening: bool) -> String {
        let head = Head::of(reply.as_bytes());
        let found = findings(&head, basis, is_opening, Strictness::default());
        let texts: Vec<String> =
            found.iter().map(|one| format!("{} {}", one.key.rule, one.key.level)).collect();
        texts.join(", ")
    }

    #[test]
    fn codes_are_judged_as_live() {
        for (reply, codes, own_codes) in [
            ("550 5.1.1 No such user", "", ""),
            ("250 2.1.5 Ok", "", ""),
            ("550 No such user", "", ""),
            ("550 4.2.2 Full", "enhanced-code-class-agrees note", "enhanced-code-class-agrees error"),
            ("554 5.7.1 No", "pair-unlisted note", "pair-unlisted note"),
            ("550 5.01.1 No", "enhanced-code-no-leading-zero note", "enhanced-code-no-leading-zero error"),
            ("550 5.7.606 No", "enhanced-code-registered note", "enhanced-code-registered note"),
            ("5.7.1 No", "", ""),
        ] {
            assert_eq!(found(reply, Basis::Codes, false), codes, "{reply}");
            assert_eq!(found(reply, Basis::OwnCodes, false), own_codes, "{reply}");
            assert_eq!(found(reply, Basis::Dialogue, false), "", "{reply}");
        }
        assert_eq!(found("554 5.7.1 No", Basis::Codes, true), "");
    }

    #[test]
    fn a_pair_has_its_pairing() {
        let of = |reply: &str| pairing(&Head::of(reply.as_bytes())).map(|pairing| pairing.to_string());
        assert_eq!(of("550 5.1.1 No").as_deref(), Some("listed"));
        assert_eq!(of("550 No"), None);
        assert_eq!(of("550 5.01.1 No"), None);
    }
}
