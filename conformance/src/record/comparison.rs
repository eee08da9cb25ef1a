//! Compares the records of two runs: which findings are new, changed or gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::dialogue::shape::shape;
use crate::protocol::reply::Reply;
use crate::record::FindingRecord;
use crate::record::fingerprint::{Fingerprint, owner};
use crate::record::index::RecordIndex;
use crate::rules::catalogue::Level;

/// The differences between the findings of two runs. Each list is sorted by level, worst first, then by identity.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison<'a> {
    /// The findings of the second run only.
    pub new: Vec<Difference<'a>>,
    /// The findings of both runs whose levels or codes differ.
    pub changed: Vec<Difference<'a>>,
    /// The findings of the first run only.
    pub gone: Vec<Difference<'a>>,
    /// The number of findings that are the same in both runs.
    pub same: usize,
}

/// A finding that differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference<'a> {
    /// The identity of the finding.
    #[serde(flatten)]
    pub identity: Fingerprint,
    /// The [digest](Fingerprint::digest) of the identity.
    pub fingerprint: String,
    /// The levels and codes in the first run.
    pub before: BTreeSet<Sighting>,
    /// The levels and codes in the second run.
    pub after: BTreeSet<Sighting>,
    /// Whether the run that lacks the finding has an exchange of that shape in the same case or recording. If not, the
    /// finding could not occur there. True if both runs have the finding.
    pub tried: bool,
    /// One of the findings, from the second run if it has one.
    #[serde(rename = "finding")]
    pub found: &'a FindingRecord,
}

/// The level and codes with which a finding was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sighting {
    /// The level.
    pub level: Level,
    /// The reply code, or `None` if the finding is not about a single reply or the reply has no valid code.
    pub reply_code: Option<u16>,
    /// The enhanced status code of that reply, if it has one.
    pub enhanced_code: Option<String>,
}

impl Sighting {
    /// Returns the codes of the reply, such as `550 5.1.1` or `550`, or `None` if there is no reply code.
    #[must_use]
    pub fn codes(&self) -> Option<String> {
        let reply = self.reply_code?;
        let enhanced = self.enhanced_code.as_ref().map(|code| format!(" {code}"));
        Some(format!("{reply}{}", enhanced.unwrap_or_default()))
    }
}

/// Formats a sighting as `error with 550 5.1.1`.
impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        self.codes().map_or(Ok(()), |codes| write!(f, " with {codes}"))
    }
}

impl<'a> Comparison<'a> {
    /// Compares the findings of two runs.
    #[must_use]
    pub fn of(first: &RecordIndex<'a>, second: &RecordIndex<'a>) -> Comparison<'a> {
        let (mut before, after) = (seen(first), seen(second));
        let mut comparison = Comparison { new: Vec::new(), changed: Vec::new(), gone: Vec::new(), same: 0 };
        let (tried_first, tried_second) = (tried(first), tried(second));
        let difference = |identity: Fingerprint, before, after, tried, found| Difference {
            fingerprint: identity.digest(),
            identity,
            before,
            after,
            tried,
            found,
        };
        for (identity, Seen { sightings, found }) in after {
            match before.remove(&identity) {
                Some(old) if old.sightings == sightings => comparison.same += 1,
                Some(old) => {
                    comparison.changed.push(difference(identity, old.sightings, sightings, true, found));
                }
                None => {
                    let tried = tried_first.contains(&(identity.dialogue.as_str(), identity.act.clone()));
                    comparison.new.push(difference(identity, BTreeSet::new(), sightings, tried, found));
                }
            }
        }
        for (identity, Seen { sightings, found }) in before {
            let tried = tried_second.contains(&(identity.dialogue.as_str(), identity.act.clone()));
            comparison.gone.push(difference(identity, sightings, BTreeSet::new(), tried, found));
        }
        for list in [&mut comparison.new, &mut comparison.changed, &mut comparison.gone] {
            list.sort_by_key(|difference| std::cmp::Reverse(difference.level()));
        }
        comparison
    }

    /// Returns the highest level of the findings that are new or have a raised level, or `None` if there are none.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        let raised = self.changed.iter().filter(|difference| difference.is_raised());
        self.new.iter().chain(raised).map(Difference::level).max()
    }
}

impl Difference<'_> {
    /// Returns its highest level in the second run, or in the first if only that one has it.
    #[must_use]
    pub fn level(&self) -> Level {
        let seen = if self.after.is_empty() { &self.before } else { &self.after };
        seen.iter().map(|sighting| sighting.level).max().unwrap_or(Level::Note)
    }

    /// Returns whether its highest level rose from the first run to the second.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.before.iter().map(|sighting| sighting.level).max()
            < self.after.iter().map(|sighting| sighting.level).max()
    }
}

/// The findings of a run that share one identity: how they were seen, and the first one of the highest level.
struct Seen<'a> {
    sightings: BTreeSet<Sighting>,
    found: &'a FindingRecord,
}

fn seen<'a>(index: &RecordIndex<'a>) -> BTreeMap<Fingerprint, Seen<'a>> {
    let mut all = BTreeMap::new();
    for found in &index.findings {
        let seen = all
            .entry(Fingerprint::of(found, index))
            .or_insert_with(|| Seen { sightings: BTreeSet::new(), found });
        if found.level > seen.found.level {
            seen.found = found;
        }
        seen.sightings.insert(sighting(found, index));
    }
    all
}

fn sighting(found: &FindingRecord, index: &RecordIndex<'_>) -> Sighting {
    let exchange = index.exchange(found.location);
    let answer = found.location.reply.and_then(|nth| exchange?.answers.get(nth));
    let reply = answer.map(|answer| Reply::read(&answer.octets));
    Sighting {
        level: found.level,
        reply_code: reply.and_then(|reply| reply.number()),
        enhanced_code: reply.and_then(|reply| reply.enhanced()).map(|code| code.to_string()),
    }
}

/// Returns the cases of a run, or the files of recordings, each paired with the shapes of its acts.
fn tried<'a>(index: &RecordIndex<'a>) -> BTreeSet<(&'a str, String)> {
    index.exchanges().map(|(location, exchange)| (owner(index, location), shape(&exchange.act))).collect()
}
