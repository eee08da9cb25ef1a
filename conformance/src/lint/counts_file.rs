//! Files of counts, which can be merged: one JSON object.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use smtp_enhanced_status::explain::{Category, ListAction, Retry, Vendor};

use super::bounded::Bounded;
use super::counts::{By, Counts, Groups, Place, Row, Sample, Tally, Totals};
use super::head::Head;
use super::key::{Basis, RowKey, RuleKey};
use super::mask::masked;
use crate::limits::LINT_GROUPS;
use crate::readers::mention::Direction;
use crate::rules::catalogue::{Level, RuleId};
use crate::visible::visible_json;

/// The version of the form. Files of another one are refused.
const FORM: u32 = 1;

/// What files of counts begin with.
pub(super) const COUNTS_START: &[u8] = b"{\"smtp-conformance-counts\":";

const RETRIES: [Retry; 4] = [Retry::Never, Retry::Later, Retry::LaterAndFix, Retry::AfterFix];
const LIST_ACTIONS: [ListAction; 3] = [ListAction::Remove, ListAction::Pause, ListAction::Keep];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    /// The name of the form, so that other files are recognized.
    smtp_conformance_counts: u32,
    complete: bool,
    totals: Totals,
    rows: Vec<RowForm>,
    /// Replies that were not counted by row.
    other_rows: u64,
    rules: Vec<RuleForm>,
    groups: Option<GroupsForm>,
    not_read: u64,
    troubles: Vec<TroubleForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RowForm {
    codes: String,
    direction: String,
    basis: String,
    opening: bool,
    category: String,
    retry: Option<String>,
    list: String,
    vendor: Option<String>,
    count: u64,
    sample: Option<SampleForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    rule: String,
    level: Level,
    count: u64,
    sample: Option<SampleForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleForm {
    text: String,
    file: String,
    line: u64,
    column: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupsForm {
    by: String,
    groups: Vec<GroupForm>,
    others: Tally,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    name: String,
    tally: Tally,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TroubleForm {
    file: String,
    line: u64,
    what: String,
}

impl Counts {
    /// Returns the counts as a text that [`from_json`](Counts::from_json) reads. Samples are masked unless they are to be
    /// `raw`. Places of broken rules are left out.
    ///
    /// # Errors
    ///
    /// Returns an error only if the JSON cannot be written, which is a bug in this program.
    pub fn to_json(self, is_raw: bool) -> Result<String> {
        let (mut rows, others) = self.rows.finish();
        rows.sort_by_key(|(key, _)| *key);
        let (mut rules, _) = self.rules.finish();
        rules.sort_by_key(|(key, _)| *key);
        let (not_read, troubles) = self.troubles.finish();
        let file = File {
            smtp_conformance_counts: FORM,
            complete: self.is_whole,
            totals: self.totals,
            rows: rows.iter().map(|(key, row)| RowForm::of(key, row, is_raw)).collect(),
            other_rows: others.count,
            rules: rules.iter().map(|(key, row)| RuleForm::of(*key, row, is_raw)).collect(),
            groups: self.groups.map(GroupsForm::of),
            not_read,
            troubles: troubles
                .into_iter()
                .map(|(place, what)| TroubleForm { file: place.file.to_string(), line: place.line, what })
                .collect(),
        };
        let mut text = visible_json(&serde_json::to_string(&file).context("counts")?);
        text.push('\n');
        Ok(text)
    }

    /// Reads counts that [`to_json`](Counts::to_json) wrote. `name` is that of the file.
    ///
    /// # Errors
    ///
    /// Returns an error with the name if the text is anything else.
    pub fn from_json(name: &str, text: &str) -> Result<Counts> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            anyhow!("{name}: {error}; expected a file that `smtp-conformance lint --emit-counts` wrote")
        })?;
        file.counts().with_context(|| name.to_owned())
    }
}

impl File {
    fn counts(self) -> Result<Counts> {
        ensure!(
            self.smtp_conformance_counts == FORM,
            "the counts have form {}, but this version reads form {FORM}; count again",
            self.smtp_conformance_counts
        );
        let mut counts = Counts::new(None, false);
        counts.totals = self.totals;
        counts.is_whole = self.complete;
        for row in self.rows {
            let (key, row) = row.read()?;
            *counts.rows.at(&key) += row;
        }
        counts.rows.add_to_others(Row { count: self.other_rows, sample: None });
        for rule in self.rules {
            let (key, row) = rule.read()?;
            *counts.rules.at(&key) += row;
        }
        counts.groups = self.groups.map(GroupsForm::read).transpose()?;
        for trouble in self.troubles {
            let place = Place { file: Arc::from(trouble.file), line: trouble.line, column: None };
            counts.troubles.add((place, trouble.what));
        }
        counts.troubles.count = self.not_read;
        Ok(counts)
    }
}

impl RowForm {
    fn of(key: &RowKey, row: &Row, is_raw: bool) -> RowForm {
        RowForm {
            codes: String::from_utf8_lossy(key.head.as_octets()).into_owned(),
            direction: key.direction.as_str().to_owned(),
            basis: key.basis.as_str().to_owned(),
            opening: key.is_opening,
            category: key.category.id().to_owned(),
            retry: key.retry.map(|retry| retry.as_str().to_owned()),
            list: key.list.as_str().to_owned(),
            vendor: key.vendor.map(str::to_owned),
            count: row.count,
            sample: SampleForm::of(row, is_raw),
        }
    }

    fn read(self) -> Result<(RowKey, Row)> {
        let vendor = match &self.vendor {
            Some(id) => {
                let known = Vendor::all().find(|vendor| vendor.id() == id);
                Some(known.ok_or_else(|| unknown("vendor", id))?.id())
            }
            None => None,
        };
        let retry = match &self.retry {
            Some(name) => {
                let known = RETRIES.into_iter().find(|retry| retry.as_str() == name);
                Some(known.ok_or_else(|| unknown("retry", name))?)
            }
            None => None,
        };
        let list = LIST_ACTIONS.into_iter().find(|action| action.as_str() == self.list);
        let key = RowKey {
            retry,
            list: list.ok_or_else(|| unknown("list action", &self.list))?,
            head: Head::new(self.codes.as_bytes()),
            direction: Direction::from_name(&self.direction)
                .ok_or_else(|| unknown("direction", &self.direction))?,
            basis: Basis::from_name(&self.basis).ok_or_else(|| unknown("basis", &self.basis))?,
            is_opening: self.opening,
            category: Category::from_id(&self.category).ok_or_else(|| unknown("category", &self.category))?,
            vendor,
        };
        Ok((key, Row { count: self.count, sample: self.sample.map(SampleForm::read) }))
    }
}

fn unknown(what: &str, name: &str) -> anyhow::Error {
    anyhow!("there is no {what} `{name}` in this version; count again")
}

impl RuleForm {
    fn of(key: RuleKey, row: &Row, is_raw: bool) -> RuleForm {
        RuleForm {
            rule: key.rule.rule().id.to_owned(),
            level: key.level,
            count: row.count,
            sample: SampleForm::of(row, is_raw),
        }
    }

    fn read(self) -> Result<(RuleKey, Row)> {
        let rule = RuleId::all().find(|id| id.rule().id == self.rule);
        let rule = rule.ok_or_else(|| unknown("rule", &self.rule))?;
        let row = Row { count: self.count, sample: self.sample.map(SampleForm::read) };
        Ok((RuleKey { rule, level: self.level }, row))
    }
}

impl SampleForm {
    fn of(row: &Row, is_raw: bool) -> Option<SampleForm> {
        let sample = row.sample.as_ref()?;
        let shown = |text: &[u8]| {
            if is_raw {
                String::from_utf8_lossy(text).into_owned()
            } else {
                masked(text, &sample.local_parts)
            }
        };
        let mut text = shown(&sample.text);
        // A mask may be longer than what it hides, and what is left of a host's name may look like an identifier.
        while text.len() > Sample::LENGTH {
            let end = (0..=Sample::LENGTH).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text = shown(text.as_bytes());
        }
        let Place { file, line, column } = &sample.place;
        Some(SampleForm { text, file: file.to_string(), line: *line, column: *column })
    }

    fn read(self) -> Sample {
        let place = Place { file: Arc::from(self.file), line: self.line, column: self.column };
        Sample::new(self.text.as_bytes(), b"", place)
    }
}

impl GroupsForm {
    fn of(groups: Groups) -> GroupsForm {
        let (mut kept, others) = groups.tallies.finish();
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        let groups_form = kept.into_iter().map(|(name, tally)| GroupForm { name, tally }).collect();
        GroupsForm { by: groups.by.as_str().to_owned(), groups: groups_form, others }
    }

    fn read(self) -> Result<Groups> {
        let by = By::from_name(&self.by).ok_or_else(|| unknown("grouping", &self.by))?;
        let mut tallies = Bounded::new(LINT_GROUPS);
        for GroupForm { name, tally } in self.groups {
            *tallies.at(name.as_str()) += tally;
        }
        tallies.add_to_others(self.others);
        Ok(Groups { by, tallies })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{COUNTS_START, SampleForm};
    use crate::lint::counts::{Counts, Place, Row, Sample};

    #[test]
    fn samples_are_written_again_as_they_were_read() {
        let host = b" [AMS0EPF000001A4.eurprd05.prod.example.org [::1] [2001:db8::1] 4F6Yz12LkPz9sXn";
        // Octets that are not UTF-8 take three when they are written, so a text is cut anywhere in the host.
        let cut = (0..100).map(|length| [vec![0xff; length], host.repeat(3)].concat());
        let texts = [b"a@b.cd ".repeat(60), "\u{fc}".repeat(200).into_bytes(), b"550 No such user".to_vec()];
        for text in cut.chain(texts) {
            let place = Place { file: Arc::from("mail.log"), line: 1, column: None };
            let sample = Sample::new(&text, b"", place);
            let once = SampleForm::of(&Row { count: 1, sample: Some(sample) }, false).expect("a sample");
            let written = once.text.clone();
            let twice =
                SampleForm::of(&Row { count: 1, sample: Some(once.read()) }, false).expect("a sample");
            assert_eq!(twice.text, written);
        }
    }

    #[test]
    fn what_is_no_file_of_counts_is_refused() {
        let error = Counts::from_json("a.json", "{}").unwrap_err().to_string();
        assert!(error.starts_with("a.json: missing field"), "{error}");
        let counts = Counts::new(None, false).to_json(false).unwrap();
        let newer = counts.replace("counts\":1", "counts\":2");
        let error = format!("{:#}", Counts::from_json("a.json", &newer).unwrap_err());
        assert!(error.contains("form 2"), "{error}");
        assert!(Counts::from_json("a.json", &counts).is_ok());
        assert!(counts.as_bytes().starts_with(COUNTS_START));
    }
}
