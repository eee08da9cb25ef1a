//! A baseline: findings that are accepted, each with what the server breaks and why that is left as it is.

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
use crate::rules::catalogue::Level;

use entry::Entry;
pub use update::Update;

/// Findings that are accepted: they are reported as such and fail no run.
///
/// ```toml
/// [[accepted]]
/// target = "postfix/*"          # the target's name
/// rule = "enhanced-code-present"
/// case = "etrn*"                # or the name of the connection, where no case brought it about
/// section = "RFC 2034 §4"       # what the server breaks
/// reason = "Replies to ETRN carry no enhanced status code."
/// link = "https://example.org/1"  # optional
/// expires = 2027-12-31          # optional: the last day on which it is accepted
/// ```
///
/// Target, rule and case are globs.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: PathBuf,
    text: String,
    entries: Vec<Entry>,
}

impl Baseline {
    /// Reads a file; one that is not there is an empty baseline, so that `--update-baseline` can begin one.
    ///
    /// # Errors
    ///
    /// A file that does not follow the form is refused with its name, the line, and what to write instead.
    pub fn read(path: &Path) -> Result<Baseline> {
        let text = if path.exists() { data_file::text(path, FILE_OCTETS)? } else { String::new() };
        Baseline::parse(path, text)
    }

    /// The baseline that the same file is with another text.
    ///
    /// # Errors
    ///
    /// As [`read`](Baseline::read).
    pub fn with_text(&self, text: &str) -> Result<Baseline> {
        Baseline::parse(&self.path, text.to_owned())
    }

    fn parse(path: &Path, text: String) -> Result<Baseline> {
        let entries = form::entries(&path.display().to_string(), &text)?;
        Ok(Baseline { path: path.to_owned(), text, entries })
    }

    /// Marks the findings of an outcome that are accepted, and says which entries for its target are stale: those that
    /// are past their day, and those that match nothing although a case that they fit was concluded and none was left
    /// open. The latter are not reported of a run that was `narrowed` to some cases.
    #[must_use]
    pub fn review(&self, target: &str, today: Date, narrowed: bool, mut outcome: Outcome) -> Reviewed {
        let stale = self.mark_each(target, today, narrowed, &mut outcome);
        let stale = stale.into_iter().map(|(_, message)| message).collect();
        Reviewed { outcome, entries: Some(self.entries(target)), stale }
    }

    /// Marks the findings that are accepted. Returns the position of each stale entry in the file, and a message.
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
            let mut told = |what: &str| stale.push((place, self.stale(entry, what)));
            if entry.expires.is_some_and(|day| day < today) {
                told("it has expired; fix the server, or set a later `expires`");
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
                told(&format!(
                    "no case and no connection is called {}; correct it, or remove it with --update-baseline",
                    entry.case.glob()
                ));
            } else if entry.was_tried(outcome) {
                told("no finding matches it any more; --update-baseline removes it");
            }
        }
        stale
    }

    /// What the file becomes with an entry for each finding at `level` or above that is not accepted, and without those
    /// entries for the target that are [stale](Baseline::review). Everything else stays as it is written.
    ///
    /// # Errors
    ///
    /// None, if the file could be read.
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

    /// The day that entries are held against.
    #[must_use]
    pub fn today() -> Date {
        jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
    }

    /// Where it is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many entries there are for a target.
    #[must_use]
    pub fn entries(&self, target: &str) -> usize {
        self.entries.iter().filter(|entry| entry.target.is_match(target)).count()
    }

    /// What to say of a baseline all of whose entries are for targets of other names.
    #[must_use]
    pub fn is_for_others(&self, target: &str) -> Option<String> {
        let others: BTreeSet<&str> = self.entries.iter().map(|entry| entry.target.glob().glob()).collect();
        (!others.is_empty() && self.entries(target) == 0).then(|| {
            let mut named = others.iter().copied().take(3).collect::<Vec<_>>().join(", ");
            if others.len() > 3 {
                named.push_str(", ...");
            }
            format!(
                "{}: no entry is for the target {target}, all are for {named}; `name` in a target file sets what it is called",
                self.path.display()
            )
        })
    }

    /// The message about a stale entry: `baseline.toml:5: enhanced-code-present in noop: ...`.
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
        Baseline { path: Path::new("b.toml").to_owned(), ..Baseline::read(&file).expect("the form is kept") }
    }

    /// NOOP and RSET without a code, each in its case, and a case that was left open.
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
            reason: None,
            dialogue: Some(0),
            rules: Vec::new(),
            outcomes: Vec::new(),
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
    fn known_findings_are_marked_and_others_not() {
        assert_eq!(marked(TEXT, "postfix/mx"), (vec![true, false], vec![]));
        assert_eq!(marked(TEXT, "exim/mx"), (vec![false, false], vec![]));
        assert_eq!(marked(&TEXT.replace("\"noop\"", "\"*\""), "postfix/mx"), (vec![true, true], vec![]));
    }

    #[test]
    fn entries_that_are_no_longer_true_are_told() {
        let stale = |case: &str| marked(&TEXT.replace("noop", case), "postfix/mx").1;
        let unmatched = |case: &str| {
            format!(
                "b.toml:5: enhanced-code-present in {case}: no finding matches it any more; --update-baseline removes it"
            )
        };
        assert_eq!(stale("quit"), [unmatched("quit")]);
        assert_eq!(
            stale("nop"),
            [
                "b.toml:5: enhanced-code-present in nop: no case and no connection is called nop; correct it, or remove \
              it with --update-baseline"
            ]
        );
        assert_eq!(stale("session"), [unmatched("session")]);
        // What was left open, and what was not run, says nothing.
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
                .expect("it can be written")
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
        // Updated once, there is nothing more to do.
        assert_eq!(updated(&new), new);
        // What is stale goes, what is new comes where it belongs.
        let stale = TEXT.replace("\"noop\"", "\"quit\"");
        let other = updated(&stale);
        assert!(
            !other.contains("quit") && other.contains("\"noop\"") && other.contains("\"rset\""),
            "{other}"
        );
        assert_eq!(updated("").matches("[[accepted]]").count(), 2);
    }

    #[test]
    fn the_comment_at_the_head_stays_there() {
        let updated = |target: &str, text: &str| {
            let update = baseline(text).updated(target, TODAY, false, Some(Level::Error), &outcome());
            update.expect("it can be written").text
        };
        let head = "# What we know.\n\n";
        let own = TEXT.replace("[[accepted]]", "# Of NOOP.\n[[accepted]]");
        for (target, text) in [
            // New entries come before the first, and behind it; it is taken out; there is none.
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
        // What an empty line parts from an entry stays where that goes; so do line ends.
        let other = TEXT.replace("# What we know.\n\n", "").replace("\"noop\"", "\"quit\"");
        let text =
            format!("{TEXT}# Of the entry above.\n \n# Of this one.\n{other}").replace("a comment stays", "");
        let expected = format!("{}# Of the entry above.\n \n", TEXT.replace("a comment stays", ""));
        let update = |text: &str| baseline(text).updated("postfix/mx", TODAY, false, None, &outcome());
        let updated = update(&text).expect("it can be written");
        assert_eq!((updated.text.as_str(), updated.gone), (expected.as_str(), 1));
        let updated = update(&text.replace('\n', "\r\n")).expect("it can be written");
        assert_eq!(updated.text, expected.replace('\n', "\r\n"));
        // Two entries on one line.
        let entry = |case: &str| {
            format!(
                "{{ target = \"*\", rule = \"enhanced-code-present\", case = \"{case}\", section = \"a\", reason = \"b\" }}"
            )
        };
        let text = format!("accepted = [ {}, {} ]\n", entry("quit"), entry("noop"));
        let updated = update(&text).expect("it can be written");
        assert!(updated.text.contains("noop") && !updated.text.contains("quit"), "{}", updated.text);
        assert_eq!(updated.gone, 1);
        // Without an entry the comment is all that is left.
        let text = TEXT.replace("\"noop\"", "\"quit\"");
        let update = baseline(&text).updated("postfix/mx", TODAY, false, None, &outcome());
        assert_eq!(update.expect("it can be written").text.trim_end(), head.trim_end());
    }

    #[test]
    fn entries_for_others_are_told() {
        let told = |target: &str| baseline(TEXT).is_for_others(target).unwrap_or_default();
        assert!(
            told("smtp://127.0.0.1")
                .contains("b.toml: no entry is for the target smtp://127.0.0.1, all are for postfix/*")
        );
        assert_eq!(told("postfix/mx"), "");
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
