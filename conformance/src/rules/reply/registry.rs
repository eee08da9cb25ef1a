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
    let Some((reply_code, code)) = pair(observation) else { return };
    if judge_pair(reply_code, code) == Pairing::Unlisted && !observation.refuses_weak_tls() {
        let rule = if has_wide_list(code) { RuleId::PAIR_CLASS_WILDCARD } else { RuleId::PAIR_UNLISTED };
        findings.add(rule, unlisted(reply_code, code));
    }
    if let Some(entry) = code.entry() {
        class_allowed(reply_code, code, entry, findings);
    }
    if reply_code.entry().is_some_and(|entry| entry.sources.is_empty()) {
        findings.add(RuleId::REGISTRY_ONLY_REPLY_CODE, format!("only the registry names {reply_code}"));
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
    let pair = format!("{reply_code} {code}: the row lists {list}");
    match known_conflict(reply_code, code) {
        Some(conflict) => format!("{pair}; {}: {}", conflict.source, conflict.summary),
        None => pair,
    }
}

/// Judges whether the row's text or its defining RFC allows the class. If the row's list contradicts them, or they
/// leave the class open, the level is lower.
fn class_allowed(reply_code: ReplyCode, code: EnhancedStatusCode, entry: &Entry, findings: &mut Findings) {
    if entry.deprecated.is_some() || entry.classes.contains(code.class()) {
        return;
    }
    if reply_code.class() != Some(code.class()) {
        return;
    }
    let contradicts = entry.conflicts.iter().any(|conflict| conflict.kind == ConflictKind::ListExceedsText);
    let unstated = entry.classes_basis.starts_with(NO_CLASS);
    let detail = format!("{code}: {}", entry.classes_basis);
    let condition = if contradicts { "list-contradicts-text" } else { "class-unstated" };
    findings.add_if(contradicts || unstated, RuleId::ENHANCED_CODE_CLASS_ALLOWED, condition, detail);
}

#[cfg(test)]
mod tests {
    use smtp_enhanced_status::{EnhancedStatusCode, entries};

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
}
