//! Reply rules that check pairs of reply code and enhanced status code against IANA's registry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smtp_enhanced_status::{
    ConflictKind, EnhancedStatusCode, Entry, Pairing, ReplyCode, judge as judge_pair, known_conflict,
};

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

/// The beginning of the basis that annotations.toml gives for a row whose text leaves the class open.
const NO_CLASS: &str = "its text names no class";

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    registry_only(observation, findings);
    let Some((reply_code, code)) = pair(observation) else { return };
    if judge_pair(reply_code, code) == Pairing::Unlisted && !observation.refuses_weak_tls() {
        let rule = if has_wide_list(code) { RuleId::PAIR_CLASS_WILDCARD } else { RuleId::PAIR_UNLISTED };
        findings.add(rule, unlisted(reply_code, code));
    }
    if let Some(entry) = code.entry() {
        class_allowed(reply_code, code, entry, findings);
    }
}

/// RFC 5248 §2.4 names reply codes that no RFC defines for SMTP.
fn registry_only(observation: &Observation<'_>, findings: &mut Findings) {
    if let Some(code) = observation.reply.code()
        && code.entry().is_some_and(|entry| entry.sources.is_empty())
    {
        findings.add(RuleId::REGISTRY_ONLY_REPLY_CODE, format!("only the registry names {code}"));
    }
}

/// Names the known conflict in each finding about a pair, so that nobody is blamed for one side of it without knowing the
/// other.
pub(super) fn name_conflict(observation: &Observation<'_>, findings: &mut Findings) {
    if let Some((reply_code, code)) = pair(observation)
        && let Some(conflict) = known_conflict(reply_code, code)
    {
        let remark = format!("{}: {}", conflict.source, conflict.summary);
        findings.remark_on(&format!("{reply_code} {code}"), &remark);
    }
}

/// How the pairs of a run agree with the registry: for each pairing, its pairs and how often each occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Pairs whose row lists the reply code.
    pub listed: BTreeMap<String, usize>,
    /// Pairs whose row has a list without the reply code.
    pub unlisted: BTreeMap<String, usize>,
    /// Pairs whose row has no list.
    pub no_list: BTreeMap<String, usize>,
    /// Pairs without a row.
    pub unregistered: BTreeMap<String, usize>,
    /// Pairs whose first digits differ.
    pub class_mismatch: BTreeMap<String, usize>,
}

impl Agreement {
    /// Returns the pairs of each pairing, with the pairing's name in reports.
    pub(crate) fn by_pairing(&self) -> [(&'static str, &BTreeMap<String, usize>); 5] {
        [
            ("listed", &self.listed),
            ("unlisted", &self.unlisted),
            ("no list", &self.no_list),
            ("unregistered", &self.unregistered),
            ("class mismatch", &self.class_mismatch),
        ]
    }

    pub(crate) fn count(&mut self, observation: &Observation<'_>) {
        let Some((reply_code, code)) = pair(observation) else { return };
        let pairs = match judge_pair(reply_code, code) {
            Pairing::Listed => &mut self.listed,
            Pairing::Unlisted => &mut self.unlisted,
            Pairing::NoList => &mut self.no_list,
            Pairing::Unregistered => &mut self.unregistered,
            Pairing::ClassMismatch => &mut self.class_mismatch,
        };
        *pairs.entry(format!("{reply_code} {code}")).or_default() += 1;
    }
}

/// Returns the pair of a reply, if the reply should have a code.
fn pair(observation: &Observation<'_>) -> Option<(ReplyCode, EnhancedStatusCode)> {
    if !observation.is_sure() || observation.is_exempt() {
        return None;
    }
    Some((observation.reply.code()?, observation.enhanced()?))
}

/// Returns whether a row lists a whole class or alternatives: `5XX`, `250 or 251`, `451/550`.
fn has_wide_list(code: EnhancedStatusCode) -> bool {
    let list = code.entry().map_or("", |entry| entry.raw.associated);
    ["XX", " or ", "/"].iter().any(|notation| list.contains(notation))
}

fn unlisted(reply_code: ReplyCode, code: EnhancedStatusCode) -> String {
    let list = code.entry().map_or("", |entry| entry.raw.associated);
    let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{reply_code} {code}: the row lists {list}")
}

/// Judges whether the row's text or its defining RFC allows the class. If the row's list has a reply code of this class
/// against them, or they leave the class open, the level is lower.
fn class_allowed(reply_code: ReplyCode, code: EnhancedStatusCode, entry: &Entry, findings: &mut Findings) {
    if entry.deprecated.is_some() || entry.classes.contains(code.class()) {
        return;
    }
    if reply_code.class() != Some(code.class()) {
        return;
    }
    let exceeds = entry.conflicts.iter().any(|conflict| conflict.kind == ConflictKind::ListExceedsText);
    let mut listed = entry.associated.codes.iter().filter_map(|listed| listed.class());
    let contradicts = exceeds && listed.any(|class| class == code.class());
    let unstated = entry.classes_basis.starts_with(NO_CLASS);
    let detail = format!("{code}: {}", entry.classes_basis);
    let condition = if contradicts { "list-contradicts-text" } else { "class-unstated" };
    findings.add_if(contradicts || unstated, RuleId::ENHANCED_CODE_CLASS_ALLOWED, condition, detail);
}

#[cfg(test)]
mod tests {
    use smtp_enhanced_status::{EnhancedStatusCode, entries};

    use crate::knowledge::Knowledge;
    use crate::protocol::Protocol;
    use crate::readers::testing::{Place, Table};

    #[test]
    fn only_a_listed_class_lowers_the_level() {
        let rule = "enhanced-code-class-allowed";
        let mail = "C: MAIL FROM:<bob@example.org>";
        let before =
            ["S: 220 mx.example.org", "C: EHLO me\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES"];
        Table {
            protocol: Protocol::Smtp,
            knowledge: Knowledge::default(),
            before: &before,
            rules: |rule| rule.id == "enhanced-code-class-allowed",
            place: Place::Last,
        }
        .check(&[
            // The row X.1.1 lists 451, although its text is about permanent errors.
            (&[mail, "S: 451 4.1.1 Later"], &format!("{rule}/list-contradicts-text note")),
            (&[mail, "S: 250 2.1.1 Ok"], &format!("{rule} warning")),
            (&[mail, "S: 550 5.1.1 No"], ""),
        ]);
    }

    #[test]
    fn wide_lists_are_recognized() {
        let wide = |text: &str| text.parse::<EnhancedStatusCode>().is_ok_and(super::has_wide_list);
        assert!(["2.3.6", "5.7.15", "5.7.17", "5.7.24"].into_iter().all(wide));
        assert!(!["5.1.1", "2.5.0", "5.7.28", "5.6.10", "5.9.9", "2.0.0"].into_iter().any(wide));
    }

    #[test]
    fn some_rows_name_no_class_and_others_do() {
        let unstated =
            entries().iter().filter(|entry| entry.classes_basis.starts_with(super::NO_CLASS)).count();
        assert!(unstated > 0 && unstated < entries().len());
    }

    #[test]
    fn findings_name_the_conflict() {
        let seen = |text: &str| {
            let hello = "S: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250-SIZE 1000000\nS: 250-AUTH PLAIN\n\
                         S: 250 ENHANCEDSTATUSCODES\n";
            let judgement =
                crate::readers::judge_transcript(crate::protocol::Protocol::Smtp, &format!("{hello}{text}"));
            let findings = judgement.expect("the transcript is well-formed").findings;
            findings
                .into_iter()
                .map(|finding| format!("{}: {}", finding.rule, finding.detail))
                .collect::<Vec<_>>()
        };
        let full = seen(
            "C: MAIL FROM:<b@example.org>\nS: 250 2.1.0 Ok\nC: RCPT TO:<a@example.org>\nS: 452 4.2.2 Full",
        );
        assert!(full.iter().any(|found| found.contains("the row lists 552; RFC 2033 §4.2: ")), "{full:?}");
        assert!(full.iter().all(|found| found.matches("The row has 552 only").count() < 2), "{full:?}");
        let plain = seen("C: RCPT TO:<a@example.org>\nS: 554 5.7.1 No");
        assert!(plain.iter().all(|found| !found.contains("The pair is")), "{plain:?}");
    }

    #[test]
    fn codes_of_the_registry_alone_need_no_enhanced_code() {
        use crate::protocol::Protocol;
        use crate::readers::testing::{Place, Table};
        let table = Table {
            protocol: Protocol::Smtp,
            knowledge: crate::Knowledge::default(),
            before: &["S: 220 mx.example.org", "C: EHLO me", "S: 250 mx.example.org"],
            rules: |rule| rule.id == "registry-only-reply-code",
            place: Place::Last,
        };
        table.check(&[
            (&["C: NOOP", "S: 430 no"], "registry-only-reply-code note"),
            (&["C: NOOP", "S: 533 5.7.1 no"], "registry-only-reply-code note"),
            (&["C: NOOP", "S: 450 no"], ""),
            (&["C: NOOP", "S: 523 no"], ""),
        ]);
    }
}
