//! Baselines: lists of accepted findings, each with the section that the server breaks and the reason to accept it.

mod entry;
mod form;
mod update;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::civil::Date;

use crate::data_file;
use crate::limits::FILE_OCTETS;
use crate::record::outcome::{Outcome, Reviewed};
use crate::rules::catalogue::{Level, RuleId};
use crate::rules::finding::Accepted;

use entry::Entry;
pub use update::Update;

/// A list of accepted findings. They are reported as accepted and do not fail a run.
///
/// ```toml
/// [[accepted]]
/// target = "postfix/*"          # the target's name
/// rule = "enhanced-code-present"
/// case = "etrn*"                # or the name of the connection, if no case provoked the finding
/// section = "RFC 2034 §4"       # what the server breaks
/// reason = "Replies to ETRN carry no enhanced status code."
/// link = "https://example.org/1"  # optional
/// expires = 2027-12-31          # optional: the last day on which it is accepted
/// ```
///
/// `target`, `rule` and `case` are globs.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: PathBuf,
    text: String,
    entries: Vec<Entry>,
}

impl Baseline {
    /// Reads a file. A file that does not exist is an empty baseline, so that `--update-baseline` can create it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or with the file, the line and what to write instead if it is
    /// invalid.
    pub fn read(path: &Path) -> Result<Baseline> {
        let text = if path.exists() { data_file::text(path, FILE_OCTETS)? } else { String::new() };
        Baseline::parse(path, text)
    }

    /// Returns the baseline that the same file holds with another text.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is invalid, as [`read`](Baseline::read) does.
    pub fn with_text(&self, text: &str) -> Result<Baseline> {
        Baseline::parse(&self.path, text.to_owned())
    }

    fn parse(path: &Path, text: String) -> Result<Baseline> {
        let entries = form::entries(&path.display().to_string(), &text)?;
        Ok(Baseline { path: path.to_owned(), text, entries })
    }

    /// Marks the accepted findings of an outcome, and collects messages about the stale entries for its target.
    ///
    /// An entry is stale if it has expired. It is also stale if it matches no finding and no case or connection has a
    /// name that matches `case`, or if it matches no finding although at least one case that it names was judged and
    /// none is inconclusive, blocked or in error. If the run was `narrowed` to some cases, only expired entries are
    /// stale.
    #[must_use]
    pub fn review(&self, target: &str, today: Date, narrowed: bool, mut outcome: Outcome) -> Reviewed {
        let stale = self.mark_each(target, today, narrowed, &mut outcome);
        let stale = stale.into_iter().map(|(_, message)| message).collect();
        Reviewed { outcome, entries: Some(self.entries(target)), stale }
    }

    /// Returns for each of some findings, which have a target, a rule and the name of a case, why it is accepted, and
    /// messages about the entries that have expired or match none of them.
    pub(crate) fn accept<'a>(
        &self,
        today: Date,
        findings: impl Iterator<Item = (&'a str, RuleId, String)>,
    ) -> (Vec<Option<Accepted>>, Vec<String>) {
        let is_expired = |entry: &Entry| entry.expires.is_some_and(|day| day < today);
        let mut has_matched = vec![false; self.entries.len()];
        let mut accepted = Vec::new();
        for (target, rule, case) in findings {
            let mut reason = None;
            for (entry, has_matched) in self.entries.iter().zip(&mut has_matched) {
                let is_match = entry.target.is_match(target)
                    && entry.rule.is_match(rule.rule().id)
                    && entry.case.is_match(&case);
                if is_match && !is_expired(entry) {
                    reason.get_or_insert_with(|| entry.accepted.clone());
                    *has_matched = true;
                }
            }
            accepted.push(reason);
        }
        let mut stale = Vec::new();
        for (entry, has_matched) in self.entries.iter().zip(has_matched) {
            if is_expired(entry) {
                stale.push(self.stale(entry, "it has expired; fix the server, or set a later `expires`"));
            } else if !has_matched {
                stale.push(self.stale(entry, "no finding matches it any longer; remove it"));
            }
        }
        (accepted, stale)
    }

    /// Marks the accepted findings. Returns the position of each stale entry in the file, and a message about it.
    fn mark_each(
        &self,
        target: &str,
        today: Date,
        narrowed: bool,
        outcome: &mut Outcome,
    ) -> Vec<(usize, String)> {
        let names: Vec<String> = outcome
            .judgement
            .findings
            .iter()
            .map(|finding| outcome.case_of(finding.location).to_owned())
            .collect();
        let mut stale = Vec::new();
        let entries = self.entries.iter().enumerate();
        for (place, entry) in entries.filter(|(_, entry)| entry.target.is_match(target)) {
            let mut report = |what: &str| stale.push((place, self.stale(entry, what)));
            if entry.expires.is_some_and(|day| day < today) {
                report("it has expired; fix the server, or set a later `expires`");
                continue;
            }
            let mut matched = false;
            for (finding, case) in outcome.judgement.findings.iter_mut().zip(&names) {
                if entry.rule.is_match(finding.rule.rule().id) && entry.case.is_match(case) {
                    finding.accepted.get_or_insert_with(|| entry.accepted.clone());
                    matched = true;
                }
            }
            if matched || narrowed || outcome.says_nothing() {
                continue;
            }
            if !entry.is_about(outcome) {
                report(&format!(
                    "no case or connection is named {}; correct it, or remove it with --update-baseline",
                    entry.case.glob()
                ));
            } else if entry.was_tried(outcome) {
                report("no finding matches it any longer; --update-baseline removes it");
            }
        }
        stale
    }

    /// Returns the text of the file with entries added for the findings at or above `level` that are not accepted, and
    /// without the [stale](Baseline::review) entries for the target. Everything else stays as it is written.
    ///
    /// # Errors
    ///
    /// Returns an error only if the text of the baseline is not valid TOML, which [`read`](Baseline::read) excludes.
    pub fn updated(
        &self,
        target: &str,
        today: Date,
        narrowed: bool,
        level: Option<Level>,
        outcome: &Outcome,
    ) -> Result<Update> {
        let mut outcome = outcome.clone();
        let stale: BTreeSet<usize> = self
            .mark_each(target, today, narrowed, &mut outcome)
            .into_iter()
            .map(|(position, _)| position)
            .collect();
        update::updated(&self.text, &stale, target, today, level, &outcome)
    }

    /// Returns the current day in UTC, with which `expires` is compared.
    #[must_use]
    pub fn today() -> Date {
        jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of entries for a target.
    #[must_use]
    pub fn entries(&self, target: &str) -> usize {
        self.entries.iter().filter(|entry| entry.target.is_match(target)).count()
    }

    /// Returns a message if the baseline has entries, but none for the target.
    #[must_use]
    pub fn is_for_others(&self, target: &str) -> Option<String> {
        let others: BTreeSet<&str> = self.entries.iter().map(|entry| entry.target.glob().glob()).collect();
        (!others.is_empty() && self.entries(target) == 0).then(|| {
            let mut named = others.iter().copied().take(3).collect::<Vec<_>>().join(", ");
            if others.len() > 3 {
                named.push_str(", ...");
            }
            format!(
                "{}: no entry is for the target {target}, only for {named}; set a matching `name` in the target file, \
                 or correct `target` in the entries",
                self.path.display()
            )
        })
    }

    /// Returns the message about a stale entry: `baseline.toml:5: enhanced-code-present in noop: ...`.
    fn stale(&self, entry: &Entry, what: &str) -> String {
        let (rule, case) = (entry.rule.glob(), entry.case.glob());
        format!("{}:{}: {rule} in {case}: {what}", self.path.display(), entry.line)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::{Date, date};

    use super::Baseline;
    use crate::dialogue::{Dialogue, Part};
    use crate::knowledge::Knowledge;
    use crate::readers::testing::dialogue;
    use crate::record::outcome::{CaseOutcome, Outcome, Verdict};
    use crate::rules::catalogue::Level;
    use crate::rules::{Strictness, judge};

    const TODAY: Date = date(2026, 11, 24);

    const TEXT: &str = "\
# What we know.

[[accepted]]
target = \"postfix/*\"
rule = \"enhanced-code-present\"
case = \"noop\" # a comment stays
section = \"RFC 2034 §4\"
reason = \"NOOP has no code.\"
";

    fn baseline(text: &str) -> Baseline {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("baseline.toml");
        std::fs::write(&file, text).expect("a file");
        Baseline { path: Path::new("b.toml").to_owned(), ..Baseline::read(&file).expect("a valid baseline") }
    }

    /// Returns NOOP and RSET without an enhanced status code, each in its case, and an inconclusive case.
    fn outcome() -> Outcome {
        let part = |case: &str, first| Part { case: case.to_owned(), first };
        let dialogue = Dialogue {
            name: "session".to_owned(),
            cases: vec![part("noop", 2), part("rset", 3)],
            ..dialogue(
                "\
S: 220 mx.example.org
C: EHLO me
S: 250-mx.example.org
S: 250 ENHANCEDSTATUSCODES
C: NOOP
S: 250 Ok
C: RSET
S: 250 Ok",
            )
        };
        let case = |id: &str, verdict| CaseOutcome {
            id: id.to_owned(),
            title: String::new(),
            verdict,
            safety: None,
            reason: None,
            reported: None,
            dialogue: Some(0),
            rules: Vec::new(),
            outcomes: Vec::new(),
            subjects: Vec::new(),
        };
        let cases = vec![
            case("noop", Verdict::Fail),
            case("rset", Verdict::Fail),
            case("quit", Verdict::Pass),
            case("data", Verdict::Inconclusive),
        ];
        let judgement = judge(std::slice::from_ref(&dialogue), &Knowledge::default(), Strictness::default());
        Outcome { cases, ..Outcome::of_recordings(vec![dialogue], judgement) }
    }

    fn marked(text: &str, target: &str) -> (Vec<bool>, Vec<String>) {
        let reviewed = baseline(text).review(target, TODAY, false, outcome());
        let findings = reviewed.outcome.judgement.findings.iter();
        (findings.map(|finding| finding.accepted.is_some()).collect(), reviewed.stale)
    }

    #[test]
    fn only_matching_findings_are_marked() {
        assert_eq!(marked(TEXT, "postfix/mx"), (vec![true, false], vec![]));
        assert_eq!(marked(TEXT, "exim/mx"), (vec![false, false], vec![]));
        assert_eq!(marked(&TEXT.replace("\"noop\"", "\"*\""), "postfix/mx"), (vec![true, true], vec![]));
    }

    #[test]
    fn stale_entries_are_reported() {
        let stale = |case: &str| marked(&TEXT.replace("noop", case), "postfix/mx").1;
        let unmatched = |case: &str| {
            format!(
                "b.toml:5: enhanced-code-present in {case}: no finding matches it any longer; --update-baseline \
                 removes it"
            )
        };
        assert_eq!(stale("quit"), [unmatched("quit")]);
        assert_eq!(
            stale("nop"),
            [
                "b.toml:5: enhanced-code-present in nop: no case or connection is named nop; correct it, or remove it \
                 with --update-baseline"
            ]
        );
        assert_eq!(stale("session"), [unmatched("session")]);
        // An inconclusive case does not make an entry stale.
        assert!(stale("data").is_empty());
        let over = TEXT.replace("reason", "expires = 2026-11-23\nreason");
        let (accepted, stale) = marked(&over, "postfix/mx");
        assert_eq!(accepted, [false, false]);
        assert!(stale[0].starts_with("b.toml:5: enhanced-code-present in noop: it has expired"), "{stale:?}");
        let (accepted, stale) = marked(&over.replace("11-23", "11-24"), "postfix/mx");
        assert_eq!((accepted, stale), (vec![true, false], vec![]));
        let narrowed = baseline(&TEXT.replace("noop", "quit")).review("postfix/mx", TODAY, true, outcome());
        assert_eq!((narrowed.stale, narrowed.entries), (vec![], Some(1)));
    }

    #[test]
    fn an_update_changes_no_more_than_it_must() {
        let updated = |text: &str| {
            baseline(text)
                .updated("postfix/mx", TODAY, false, Some(Level::Error), &outcome())
                .expect("it is updated")
                .text
        };
        let added = "
[[accepted]]
target = \"postfix/mx\"
rule = \"enhanced-code-present\"
case = \"rset\"
section = \"RFC 2034 §3\"
reason = \"Found on 2026-11-24, not yet reviewed.\"
";
        let new = updated(TEXT);
        let section = new.lines().rfind(|line| line.starts_with("section")).unwrap_or_default();
        assert_eq!(new, format!("{TEXT}{}", added.replace("section = \"RFC 2034 §3\"", section)));
        let update = baseline(TEXT).updated("postfix/mx", TODAY, false, Some(Level::Error), &outcome());
        assert_eq!(update.map(|update| (update.added, update.gone)).ok(), Some((1, 0)));
        // A second update changes nothing.
        assert_eq!(updated(&new), new);
        // Stale entries are removed, and new ones are inserted in order.
        let stale = TEXT.replace("\"noop\"", "\"quit\"");
        let other = updated(&stale);
        assert!(
            !other.contains("quit") && other.contains("\"noop\"") && other.contains("\"rset\""),
            "{other}"
        );
        assert_eq!(updated("").matches("[[accepted]]").count(), 2);
    }

    #[test]
    fn an_update_keeps_the_comment_at_the_head() {
        let updated = |target: &str, text: &str| {
            let update = baseline(text).updated(target, TODAY, false, Some(Level::Error), &outcome());
            update.expect("it is updated").text
        };
        let head = "# What we know.\n\n";
        let own = TEXT.replace("[[accepted]]", "# Of NOOP.\n[[accepted]]");
        for (target, text) in [
            // New entries are inserted before the first entry or after it; the first entry is removed; there is none.
            ("a", TEXT),
            ("a", &own),
            ("postfix/mx", TEXT),
            ("postfix/mx", &TEXT.replace("\"noop\"", "\"quit\"")),
            ("a", "# What we know.\n"),
        ] {
            let new = updated(target, text);
            assert!(new.starts_with(head) && new.matches(head).count() == 1, "{new}");
            assert_eq!(
                new.contains("\n\n# Of NOOP.\n[[accepted]]\ntarget = \"postfix/*\""),
                text == own,
                "{new}"
            );
            assert_eq!(updated(target, &new), new);
        }
        // A comment that a blank line separates from a removed entry is kept, and so are CRLF line ends.
        let other = TEXT.replace("# What we know.\n\n", "").replace("\"noop\"", "\"quit\"");
        let text =
            format!("{TEXT}# Of the entry above.\n \n# Of this one.\n{other}").replace("a comment stays", "");
        let expected = format!("{}# Of the entry above.\n \n", TEXT.replace("a comment stays", ""));
        let update = |text: &str| baseline(text).updated("postfix/mx", TODAY, false, None, &outcome());
        let updated = update(&text).expect("it is updated");
        assert_eq!((updated.text.as_str(), updated.gone), (expected.as_str(), 1));
        let updated = update(&text.replace('\n', "\r\n")).expect("it is updated");
        assert_eq!(updated.text, expected.replace('\n', "\r\n"));
        // Two entries on one line.
        let entry = |case: &str| {
            format!(
                "{{ target = \"*\", rule = \"enhanced-code-present\", case = \"{case}\", section = \"a\", reason = \"b\" }}"
            )
        };
        let text = format!("accepted = [ {}, {} ]\n", entry("quit"), entry("noop"));
        let updated = update(&text).expect("it is updated");
        assert!(updated.text.contains("noop") && !updated.text.contains("quit"), "{}", updated.text);
        assert_eq!(updated.gone, 1);
        // If no entry is left, the comment remains.
        let text = TEXT.replace("\"noop\"", "\"quit\"");
        let update = baseline(&text).updated("postfix/mx", TODAY, false, None, &outcome());
        assert_eq!(update.expect("it is updated").text.trim_end(), head.trim_end());
    }

    #[test]
    fn a_baseline_without_entries_for_the_target_is_reported() {
        let message = |target: &str| baseline(TEXT).is_for_others(target).unwrap_or_default();
        assert!(
            message("smtp://127.0.0.1")
                .contains("b.toml: no entry is for the target smtp://127.0.0.1, only for postfix/*")
        );
        assert_eq!(message("postfix/mx"), "");
        assert_eq!(baseline("").is_for_others("a"), None);
    }

    #[test]
    fn a_bad_entry_is_refused_with_its_line() {
        let refused = |text: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("b.toml");
            std::fs::write(&file, text).expect("a file");
            format!("{:#}", Baseline::read(&file).expect_err("it is refused"))
        };
        assert!(refused(&TEXT.replace("NOOP has no code.", " ")).contains("b.toml:5: reason is empty"));
        let unknown = refused(&TEXT.replace("code-present", "codes-present"));
        assert!(unknown.contains("b.toml:5: there is no rule"), "{unknown}");
        assert!(unknown.contains("did you mean enhanced-code-present?"), "{unknown}");
        assert!(refused(&TEXT.replace("\"noop\"", "\"[\"")).contains("b.toml:5: case = \"[\""));
        assert!(refused(&TEXT.replace("reason", "excuse")).contains("b.toml:8: unknown field"));
        assert!(refused(&TEXT.replace("reason", "expires = 10:00:00\nreason")).contains("write a day"));
    }
}
