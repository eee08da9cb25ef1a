//! Summaries: counts in the order in which reports show them, without personal data.

use std::collections::BTreeMap;

use jiff::civil::Date;
use smtp_enhanced_status::Pairing;
use smtp_enhanced_status::explain::{Category, Vendor};

use super::counts::{By, Counts, Located, Place, Row, Sample, Tally, Totals};
use super::head::Head;
use super::hour;
use super::judged::{self, HeadFinding};
use super::key::{RowKey, RuleKey};
use super::mask::masked;
use crate::baseline::Baseline;
use crate::counted::counted;
use crate::rules::Strictness;
use crate::rules::catalogue::Level;
use crate::rules::finding::Accepted;
use crate::visible::visible;

/// How counts are summed up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Whether personal data is shown.
    pub is_raw: bool,
    /// How strictly rules judge.
    pub strictness: Strictness,
}

/// What was counted, in the order in which reports show it: what is most frequent comes first.
#[derive(Clone, Debug)]
pub struct Summary {
    pub(crate) totals: Totals,
    pub(crate) is_whole: bool,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) rules: Vec<Broken>,
    pub(crate) categories: Vec<(Category, u64)>,
    pub(crate) vendors: Vec<(&'static Vendor, u64)>,
    pub(crate) rows: Vec<(RowKey, u64)>,
    /// Replies that were not counted by row, because there were too many rows.
    pub(crate) other_rows: u64,
    pub(crate) groups: Option<Grouped>,
    /// What could not be read: the first, and how many there are.
    pub(crate) troubles: (u64, Vec<(Place, String)>),
    /// Where rules are broken: the first places, and how many there are; `None` if that was not asked for.
    pub(crate) places: Option<(u64, Vec<Placed>)>,
}

/// Replies with the same codes.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) head: Head,
    pub(crate) pairing: Option<Pairing>,
    pub(crate) count: u64,
    pub(crate) example: Option<Example>,
}

/// A rule that was broken at a level, by codes or by something else.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) key: RuleKey,
    /// The codes that break it; `None` if something else does.
    pub(crate) head: Option<Head>,
    pub(crate) count: u64,
    pub(crate) detail: Option<String>,
    pub(crate) example: Option<Example>,
    /// Why it is accepted, if it is.
    pub(crate) accepted: Option<Accepted>,
}

/// A place where a rule is broken.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) key: RuleKey,
    pub(crate) head: Option<Head>,
    pub(crate) detail: String,
    pub(crate) text: String,
    /// Why it is accepted, if it is.
    pub(crate) accepted: Option<Accepted>,
}

/// A text that shows what was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// Replies by host or hour.
#[derive(Clone, Debug)]
pub(crate) struct Grouped {
    pub(crate) by: By,
    pub(crate) groups: Vec<(String, Tally)>,
    pub(crate) others: Tally,
}

impl Summary {
    /// Sums up what was counted.
    #[must_use]
    pub fn of(counts: Counts, manner: Manner) -> Summary {
        let (rows, others) = counts.rows.finish();
        let (found, _) = counts.rules.finish();
        let example = |sample: &Sample| Example::of(sample, manner.is_raw);
        Summary {
            totals: counts.totals,
            is_whole: counts.is_whole && counts.troubles.count == 0,
            pairs: pairs(&rows, &example),
            rules: broken(&rows, found, manner.strictness, &example),
            categories: categories(&rows),
            vendors: vendors(&rows),
            rows: sorted(rows.iter().map(|(key, row)| (*key, row.count))),
            other_rows: others.count,
            groups: counts.groups.map(|groups| {
                let (mut found, others) = groups.tallies.finish();
                found.sort_by(|a, b| b.1.replies.cmp(&a.1.replies).then_with(|| a.0.cmp(&b.0)));
                if groups.by == By::Hour {
                    hour::sort(&mut found);
                }
                Grouped { by: groups.by, groups: found, others }
            }),
            troubles: counts.troubles.finish(),
            places: counts.located.map(|located| {
                let (count, first) = located.finish();
                (count, first.into_iter().map(|one| Placed::of(one, manner.is_raw)).collect())
            }),
        }
    }

    /// Marks what a baseline accepts, place by place, and returns messages about its stale entries. What breaks a rule is
    /// accepted if all its places are, so those have to be kept.
    pub fn accept(&mut self, baseline: &Baseline, today: Date) -> Vec<String> {
        let Some((_, places)) = &mut self.places else {
            return vec![
                "counts have no places, so the baseline accepts nothing; lint the files themselves"
                    .to_owned(),
            ];
        };
        let codes = |head: Option<Head>| head.map(|head| head.to_string()).unwrap_or_default();
        let findings = places.iter().map(|one| (&*one.place.file, one.key.rule, codes(one.head)));
        let (accepted, stale) = baseline.accept(today, findings);
        for (place, accepted) in places.iter_mut().zip(accepted) {
            place.accepted = accepted;
        }
        for broken in &mut self.rules {
            let mut own = places.iter().filter(|one| one.key == broken.key && one.head == broken.head);
            let accepted: Vec<&Accepted> = own.by_ref().filter_map(|one| one.accepted.as_ref()).collect();
            if accepted.len() as u64 >= broken.count {
                broken.accepted = accepted.first().map(|accepted| (*accepted).clone());
            }
        }
        stale
    }

    /// Leaves out where rules are broken, unless they are needed.
    pub fn hide_places(&mut self, are_needed: bool) {
        if !are_needed {
            self.places = None;
        }
    }

    /// Returns messages about what could not be read: the first ones, and how many more there are.
    #[must_use]
    pub fn unread(&self, shown: usize) -> Vec<String> {
        let (count, troubles) = &self.troubles;
        let mut messages: Vec<String> =
            troubles.iter().take(shown).map(|(at, what)| format!("{at}: {what}")).collect();
        let more = usize::try_from(*count).unwrap_or(usize::MAX).saturating_sub(messages.len());
        if more > 0 {
            messages.push(format!("{} more could not be read", counted(more, "part")));
        }
        messages
    }

    /// Returns whether a rule is broken at a level or above, and that is not accepted.
    #[must_use]
    pub fn has_findings(&self, level: Level) -> bool {
        self.rules.iter().any(|broken| broken.key.level >= level && broken.accepted.is_none())
    }
}

impl Example {
    fn of(sample: &Sample, is_raw: bool) -> Example {
        let text = if is_raw {
            String::from_utf8_lossy(&sample.text).into_owned()
        } else {
            masked(&sample.text, &sample.local_parts)
        };
        Example {
            text: visible(&text.replace("\r\n", "\n")).replace('\n', "\\n"),
            place: sample.place.clone(),
        }
    }
}

impl Placed {
    fn of(located: Located, is_raw: bool) -> Placed {
        let Located { place, key, head, detail, sample } = located;
        let local_parts = sample.as_ref().map_or(&[][..], |sample| &sample.local_parts);
        let detail = if is_raw { detail } else { masked(detail.as_bytes(), local_parts) };
        let text = sample.as_ref().map(|sample| Example::of(sample, is_raw).text).unwrap_or_default();
        Placed { place, key, head, detail, text, accepted: None }
    }
}

/// Counts the codes of replies. Replies without any code that is known are left out.
fn pairs(rows: &[(RowKey, Row)], example: &impl Fn(&Sample) -> Example) -> Vec<Pair> {
    let mut by_head: BTreeMap<Head, Row> = BTreeMap::new();
    for (key, row) in rows.iter().filter(|(key, _)| key.head.digit().is_some()) {
        *by_head.entry(key.head).or_default() += row.clone();
    }
    let mut pairs: Vec<Pair> = by_head
        .into_iter()
        .map(|(head, row)| Pair {
            head,
            pairing: judged::pairing(&head),
            count: row.count,
            example: row.sample.as_ref().map(example),
        })
        .collect();
    pairs.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.head.cmp(&b.head)));
    pairs
}

/// Returns the rules that are broken: by the codes of replies, and by what was found in other ways.
fn broken(
    rows: &[(RowKey, Row)],
    found: Vec<(RuleKey, Row)>,
    strictness: Strictness,
    example: &impl Fn(&Sample) -> Example,
) -> Vec<Broken> {
    let mut by_codes: BTreeMap<(RuleKey, Option<Head>), (Row, Option<String>)> = BTreeMap::new();
    for (key, row) in found {
        by_codes.entry((key, None)).or_default().0 += row;
    }
    for (key, row) in rows {
        for finding in judged::findings(&key.head, key.basis, key.is_opening, strictness) {
            let HeadFinding { key: rule, detail } = finding;
            let (sum, known_detail) = by_codes.entry((rule, Some(key.head))).or_default();
            *sum += row.clone();
            known_detail.get_or_insert(detail);
        }
    }
    let mut broken: Vec<Broken> = by_codes
        .into_iter()
        .map(|((key, head), (row, detail))| Broken {
            key,
            head,
            count: row.count,
            detail,
            example: row.sample.as_ref().map(example),
            accepted: None,
        })
        .collect();
    broken.sort_by(|a, b| {
        b.key.level.cmp(&a.key.level).then(b.count.cmp(&a.count)).then((a.key, a.head).cmp(&(b.key, b.head)))
    });
    broken
}

fn categories(rows: &[(RowKey, Row)]) -> Vec<(Category, u64)> {
    let mut counts: BTreeMap<Category, u64> = BTreeMap::new();
    for (key, row) in rows.iter().filter(|(key, _)| key.head.digit().is_some()) {
        *counts.entry(key.category).or_default() += row.count;
    }
    sorted(counts.into_iter())
}

fn vendors(rows: &[(RowKey, Row)]) -> Vec<(&'static Vendor, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, row) in rows {
        if let Some(vendor) = key.vendor {
            *counts.entry(vendor).or_default() += row.count;
        }
    }
    let known = |id: &str| Vendor::all().find(|vendor| vendor.id() == id);
    let vendors = sorted(counts.into_iter());
    vendors.into_iter().filter_map(|(id, count)| Some((known(id)?, count))).collect()
}

/// Sorts by count, and what is equally frequent by key.
fn sorted<K: Ord>(counts: impl Iterator<Item = (K, u64)>) -> Vec<(K, u64)> {
    let mut counts: Vec<(K, u64)> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
