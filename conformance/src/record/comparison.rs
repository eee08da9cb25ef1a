//! Two streams of records held against each other: which findings are new, gone, or changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::dialogue::shape::shape;
use crate::protocol::reply::Reply;
use crate::record::FindingRecord;
use crate::record::fingerprint::{Fingerprint, owner};
use crate::record::index::RecordIndex;
use crate::rules::catalogue::Level;

/// What differs between the findings of two streams. Each list is sorted by level, worst first, then by identity.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison<'a> {
    /// Findings of the second stream alone.
    pub new: Vec<Difference<'a>>,
    /// Findings of both, with other levels or other codes.
    pub changed: Vec<Difference<'a>>,
    /// Findings of the first stream alone.
    pub gone: Vec<Difference<'a>>,
    /// How many findings both have alike.
    pub same: usize,
}

/// A finding that differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference<'a> {
    /// What makes it the same finding.
    #[serde(flatten)]
    pub identity: Fingerprint,
    /// The identity in short.
    pub fingerprint: String,
    /// How it was seen in the first stream.
    pub before: BTreeSet<Sighting>,
    /// How it was seen in the second stream.
    pub after: BTreeSet<Sighting>,
    /// Whether the stream that lacks the finding has an exchange of that shape on a connection of that name. If not,
    /// it could not be seen there. True where both streams have the finding.
    pub tried: bool,
    /// One of the findings: of the second stream if it has one.
    #[serde(rename = "finding")]
    pub found: &'a FindingRecord,
}

/// How a finding was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sighting {
    /// Its weight.
    pub level: Level,
    /// The reply code; `None` if the finding is about something else than one reply, or the reply has none.
    pub reply_code: Option<u16>,
    /// The enhanced status code of that reply.
    pub enhanced_code: Option<String>,
}

impl Sighting {
    /// The codes of the reply: `550 5.1.1`, or `550` alone. `None` if the finding is not about a reply with a code.
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
    /// Compares the findings of two streams.
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

    /// The highest level of what is new or raised; `None` if nothing is.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        let raised = self.changed.iter().filter(|difference| difference.is_raised());
        self.new.iter().chain(raised).map(Difference::level).max()
    }
}

impl Difference<'_> {
    /// Its highest level: after, if it is there, else before.
    #[must_use]
    pub fn level(&self) -> Level {
        let seen = if self.after.is_empty() { &self.before } else { &self.after };
        seen.iter().map(|sighting| sighting.level).max().unwrap_or(Level::Note)
    }

    /// Returns whether its level is higher than before.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.before.iter().map(|sighting| sighting.level).max()
            < self.after.iter().map(|sighting| sighting.level).max()
    }
}

/// What a stream says of one identity: a finding of the highest level, and how it was seen.
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

/// The cases of a stream, in a recording its files, each with the shapes of its acts.
fn tried<'a>(index: &RecordIndex<'a>) -> BTreeSet<(&'a str, String)> {
    index.exchanges().map(|(location, exchange)| (owner(index, location), shape(&exchange.act))).collect()
}
