//! Counts: what was seen, added up so that counts of parts can be merged.

use std::fmt;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::head::Head;
use super::key::{RowKey, RuleKey};
use super::mask;
use super::observed::Observed;
use crate::limits::{LINT_GROUPS, LINT_PLACES, LINT_ROWS, LINT_TROUBLES};
use crate::readers::mention::Direction;
use crate::report::escape::escaped;

/// What was counted in a text, in a file, or in all files.
#[derive(Clone, Debug)]
pub struct Counts {
    pub(crate) rows: Bounded<RowKey, Row>,
    pub(crate) rules: Bounded<RuleKey, Row>,
    pub(crate) groups: Option<Groups>,
    pub(crate) totals: Totals,
    /// What could not be read.
    pub(crate) troubles: First<(Place, String)>,
    /// Where rules were broken, if that is asked for.
    pub(crate) located: Option<First<Located>>,
    /// Whether all input was read, and nobody stopped it.
    pub(crate) is_whole: bool,
}

/// How often something was seen, with a sample of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) count: u64,
    pub(crate) sample: Option<Sample>,
}

/// A text that shows what was counted, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sample {
    /// How far its length is from one that is good to read.
    distance: usize,
    pub(crate) text: Vec<u8>,
    /// The number of the unit that it is from: of equal texts, the first one is kept.
    unit: u64,
    pub(crate) place: Place,
    /// The local parts of addresses around the text, which may be in it.
    pub(crate) local_parts: Vec<String>,
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    /// The number of the line, from 1; 0 for the file as a whole.
    pub(crate) line: u64,
    /// The number of the character in its line, from 1; `None` if it is not known.
    pub(crate) column: Option<u64>,
}

/// Replies counted by something else that they have in common.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub(crate) by: By,
    pub(crate) tallies: Bounded<String, Tally>,
}

/// What replies are grouped by, besides their codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The host that sent the reply.
    Host,
    /// The hour in which the log says that it came.
    Hour,
    /// What the reply is about.
    Category,
    /// The codes.
    Pair,
}

impl By {
    /// Returns its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            By::Host => "host",
            By::Hour => "hour",
            By::Category => "category",
            By::Pair => "pair",
        }
    }

    /// Returns what has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<By> {
        [By::Host, By::Hour, By::Category, By::Pair].into_iter().find(|by| by.as_str() == name)
    }
}

/// How many replies said what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Tally {
    pub(crate) replies: u64,
    pub(crate) accepted: u64,
    pub(crate) transient: u64,
    pub(crate) permanent: u64,
    /// Refusals without an enhanced status code.
    pub(crate) without_enhanced: u64,
}

/// What was read, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) octets: u64,
    pub(crate) lines: u64,
    /// Reports of deliveries, and recorded connections.
    pub(crate) reports: u64,
    pub(crate) connections: u64,
    pub(crate) replies: Tally,
    /// Lines that show again what another one shows.
    pub(crate) repeats: u64,
    /// Replies whose enhanced status code is not what the program that wrote the text made of it.
    pub(crate) other_status: u64,
    pub(crate) binary_files: u64,
}

/// The first of many, in their order, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First<T> {
    limit: usize,
    pub(crate) count: u64,
    kept: Vec<T>,
}

/// A broken rule at its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Located {
    pub(crate) place: Place,
    pub(crate) key: RuleKey,
    pub(crate) head: Option<Head>,
    pub(crate) detail: String,
    pub(crate) sample: Option<Sample>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&escaped(&self.file))?;
        if self.line > 0 {
            write!(formatter, ":{}", self.line)?;
        }
        match self.column {
            Some(column) => write!(formatter, ":{column}"),
            None => Ok(()),
        }
    }
}

impl Place {
    /// Returns the place of a file as a whole.
    pub(crate) fn of_file(file: &Arc<str>) -> Place {
        Place { file: Arc::clone(file), line: 0, column: None }
    }
}

impl Counts {
    /// Creates counts of nothing.
    #[must_use]
    pub fn new(by: Option<By>, with_places: bool) -> Counts {
        Counts {
            rows: Bounded::new(LINT_ROWS),
            rules: Bounded::new(LINT_ROWS),
            groups: by.map(|by| Groups { by, tallies: Bounded::new(LINT_GROUPS) }),
            totals: Totals::default(),
            troubles: First::new(LINT_TROUBLES),
            located: with_places.then(|| First::new(LINT_PLACES)),
            is_whole: true,
        }
    }

    /// Returns how many rows, groups and places it has.
    pub(crate) fn size(&self) -> usize {
        let groups = self.groups.as_ref().map_or(0, |groups| groups.tallies.len());
        let places = self.located.as_ref().map_or(0, |located| located.kept.len());
        self.rows.len() + self.rules.len() + groups + places
    }

    /// Returns what replies are grouped by, besides their codes.
    #[must_use]
    pub fn by(&self) -> Option<By> {
        self.groups.as_ref().map(|groups| groups.by)
    }

    /// Adds what another part has counted. The order in which parts are merged does not matter, if all are grouped
    /// [by](Counts::by) the same. Groups by something else are left out.
    pub fn merge(&mut self, other: Counts) {
        self.rows.merge(other.rows);
        self.rules.merge(other.rules);
        match (&mut self.groups, other.groups) {
            (Some(groups), Some(other)) if groups.by == other.by => groups.tallies.merge(other.tallies),
            (None, Some(other)) => self.groups = Some(other),
            _ => {}
        }
        self.totals += other.totals;
        self.troubles.merge(other.troubles);
        match (&mut self.located, other.located) {
            (Some(located), Some(other)) => located.merge(other),
            (located @ None, other) => *located = other,
            (Some(_), None) => {}
        }
        self.is_whole &= other.is_whole;
    }

    /// Counts a reply of the unit with this number. `place` is called if the reply becomes the sample of its row.
    #[inline]
    pub(crate) fn add(&mut self, observed: &Observed<'_>, unit: u64, place: impl FnOnce() -> Place) {
        if observed.mention.is_repeat {
            self.totals.repeats += 1;
            return;
        }
        let tally = Tally::of(&observed.key.head);
        self.totals.replies += tally;
        if let Some(status) = observed.mention.status
            && observed.key.head.enhanced().is_some_and(|code| code != status)
        {
            self.totals.other_status += 1;
        }
        if let Some(groups) = &mut self.groups {
            groups.add(observed, tally);
        }
        self.rows.at(&observed.key).add(&observed.mention.reply, observed.context, unit, place);
    }

    /// Counts a finding about something other than the codes of one reply.
    pub(crate) fn find(&mut self, key: RuleKey, shown: &[u8], context: &[u8], unit: u64, place: Place) {
        self.rules.at(&key).add(shown, context, unit, || place);
    }
}

impl Groups {
    fn add(&mut self, observed: &Observed<'_>, tally: Tally) {
        let unknown = "(unknown)";
        let codes;
        let key = match self.by {
            By::Host if observed.key.direction == Direction::Sent => "(this server)",
            By::Host => match observed.mention.host.and_then(|host| str::from_utf8(host).ok()) {
                Some(host) if is_address(host) => "(no name)",
                host => host.unwrap_or(unknown),
            },
            By::Hour => observed.hour.as_ref().map_or(unknown, |hour| hour.as_str()),
            By::Category => observed.key.category.id(),
            By::Pair => {
                codes = observed.key.head.to_string();
                &codes
            }
        };
        *self.tallies.at(key) += tally;
    }
}

/// Returns whether a host is named by its IP address, which is personal data.
pub(super) fn is_address(host: &str) -> bool {
    let is_likely = host.starts_with(|first: char| first.is_ascii_digit()) || host.contains(':');
    is_likely && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

impl Row {
    #[inline]
    fn add(&mut self, text: &[u8], context: &[u8], unit: u64, place: impl FnOnce() -> Place) {
        self.count += 1;
        let text = text.get(..Sample::LENGTH).unwrap_or(text);
        let distance = Sample::distance(text);
        if let Some(sample) = &self.sample
            && (sample.distance, sample.text.as_slice(), sample.unit) <= (distance, text, unit)
        {
            return;
        }
        let (text, local_parts) = (text.to_vec(), mask::local_parts(context));
        self.sample = Some(Sample { distance, text, unit, place: place(), local_parts });
    }
}

impl AddAssign for Row {
    fn add_assign(&mut self, other: Row) {
        self.count += other.count;
        self.sample = match (self.sample.take(), other.sample) {
            (Some(mine), Some(other)) => Some(mine.min(other)),
            (mine, other) => mine.or(other),
        };
    }
}

impl Sample {
    /// The maximum number of octets that are kept.
    pub(super) const LENGTH: usize = 300;
    /// The number of octets that is best to read.
    const BEST: usize = 70;

    pub(crate) fn new(text: &[u8], context: &[u8], place: Place) -> Sample {
        let text = text.get(..Sample::LENGTH).unwrap_or(text);
        let local_parts = mask::local_parts(context);
        Sample { distance: Sample::distance(text), text: text.to_vec(), unit: 0, place, local_parts }
    }

    fn distance(text: &[u8]) -> usize {
        text.len().abs_diff(Sample::BEST)
    }
}

impl Tally {
    #[inline]
    fn of(head: &Head) -> Tally {
        let is = |digit| u64::from(head.digit() == Some(digit));
        let (accepted, transient, permanent) = (is(b'2'), is(b'4'), is(b'5'));
        let is_without = head.as_octets().len() == 3 && transient + permanent > 0;
        Tally { replies: 1, accepted, transient, permanent, without_enhanced: u64::from(is_without) }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.transient + self.permanent
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.replies += other.replies;
        self.accepted += other.accepted;
        self.transient += other.transient;
        self.permanent += other.permanent;
        self.without_enhanced += other.without_enhanced;
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.files += other.files;
        self.octets += other.octets;
        self.lines += other.lines;
        self.reports += other.reports;
        self.connections += other.connections;
        self.replies += other.replies;
        self.repeats += other.repeats;
        self.other_status += other.other_status;
        self.binary_files += other.binary_files;
    }
}

impl<T: Ord> First<T> {
    pub(crate) fn new(limit: usize) -> First<T> {
        First { limit, count: 0, kept: Vec::new() }
    }

    pub(crate) fn add(&mut self, one: T) {
        self.count += 1;
        self.kept.push(one);
        self.keep_first();
    }

    fn merge(&mut self, other: First<T>) {
        self.count += other.count;
        self.kept.extend(other.kept);
        self.keep_first();
    }

    fn keep_first(&mut self) {
        if self.kept.len() >= self.limit + self.limit / 4 {
            self.kept.sort();
            self.kept.truncate(self.limit);
        }
    }

    pub(crate) fn finish(mut self) -> (u64, Vec<T>) {
        self.kept.sort();
        self.kept.truncate(self.limit);
        (self.count, self.kept)
    }
}
