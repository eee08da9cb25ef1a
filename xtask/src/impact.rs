//! What a change of the registry means for pairings, identifiers and versions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use crate::annotation::Annotations;
use crate::code::{Class, Pair, Pairing, ReplyCode, Status};
use crate::diff::{Change, Subject};
use crate::model::Model;
use crate::registry::Registry;
use crate::render::{ALL_KINDS, render};

/// The consequences of a change of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// Pairs whose pairing changes, grouped by code and change.
    pub pairings: Vec<PairingChange>,
    /// New rows, with their identifiers.
    pub identifiers: Vec<NewIdentifier>,
    /// The part of the version that has to be incremented.
    pub semver: Semver,
    /// Why that part.
    pub reason: String,
}

/// Reply codes whose pairing with an enhanced status code changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PairingChange {
    /// The enhanced status code.
    pub code: String,
    /// The old pairing.
    pub old: Pairing,
    /// The new pairing.
    pub new: Pairing,
    /// The reply codes, all of the code's class.
    pub reply_codes: Vec<u16>,
}

/// A new row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewIdentifier {
    /// The row.
    pub row: String,
    /// The identifier; `None` if `annotations.toml` has none yet.
    pub identifier: Option<String>,
}

/// The part of the version that has to be incremented (<https://semver.org>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Semver {
    /// Nothing.
    None,
    /// The patch version: texts, references or lists change.
    Patch,
    /// The minor version: there are new identifiers.
    Minor,
    /// The major version: identifiers disappear.
    Major,
}

impl Impact {
    /// Judges every pair of the changed rows with both registries.
    pub fn of(old: &Registry, new: &Registry, changes: &[Change], annotations: &Annotations) -> Impact {
        let statuses = changes.iter().filter_map(|change| match change.subject {
            Subject::Status(status) => Some(status),
            _ => None,
        });
        let statuses: BTreeSet<Status> = statuses.collect();
        let added: Vec<Status> =
            statuses.iter().copied().filter(|&status| old.status(status).is_none()).collect();
        let removed: Vec<Status> =
            statuses.iter().copied().filter(|&status| new.status(status).is_none()).collect();
        let (semver, reason) = semver(changes, &added, &removed);
        Impact {
            pairings: statuses.iter().flat_map(|&status| pairing_changes(old, new, status)).collect(),
            identifiers: added.iter().map(|status| NewIdentifier::of(*status, annotations)).collect(),
            semver,
            reason,
        }
    }

    /// Adds identifiers that were never published: those of reply codes, and those of a sync before this one.
    pub fn add_unpublished(&mut self, identifiers: &[String]) {
        if self.semver < Semver::Minor && !identifiers.is_empty() {
            self.semver = Semver::Minor;
            self.reason = format!("no version has published {}", identifiers.join(", "));
        }
    }
}

impl PairingChange {
    /// Returns the reply codes in words: `550, 551`, or `every 5yz` and `every other 5yz` for many.
    pub fn reply_codes_in_words(&self) -> String {
        match self.reply_codes.as_slice() {
            codes if codes.len() == 100 => format!("every {}yz", codes[0] / 100),
            codes if codes.len() > 50 => format!("every other {}yz", codes[0] / 100),
            codes => codes.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

impl NewIdentifier {
    fn of(status: Status, annotations: &Annotations) -> NewIdentifier {
        let annotation = annotations.rows.get(&status);
        NewIdentifier {
            row: status.to_string(),
            identifier: annotation.map(|annotation| annotation.identifier.clone()),
        }
    }
}

impl Semver {
    /// Returns the name of the part.
    pub fn name(self) -> &'static str {
        match self {
            Semver::None => "none",
            Semver::Patch => "patch",
            Semver::Minor => "minor",
            Semver::Major => "major",
        }
    }

    /// Returns the version after this one, with the part incremented; `None` if it is not three numbers.
    pub fn next_version(self, version: &str) -> Option<String> {
        let numbers: Vec<u64> =
            version.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [major, minor, patch] = numbers[..] else { return None };
        let [major, minor, patch] = match self {
            Semver::None => [major, minor, patch],
            Semver::Patch => [major, minor, patch.checked_add(1)?],
            Semver::Minor => [major, minor.checked_add(1)?, 0],
            Semver::Major => [major.checked_add(1)?, 0, 0],
        };
        Some(format!("{major}.{minor}.{patch}"))
    }
}

/// A removed row removes an identifier, and a new row adds one. Everything else is data (README, "Data and versions").
fn semver(changes: &[Change], added: &[Status], removed: &[Status]) -> (Semver, String) {
    let list = |statuses: &[Status]| {
        let names: Vec<String> = statuses.iter().map(Status::to_string).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    };
    if !removed.is_empty() {
        let identifiers = if removed.len() == 1 { "identifier" } else { "identifiers" };
        (Semver::Major, format!("the {identifiers} of {} would disappear", list(removed)))
    } else if !added.is_empty() {
        let get = if added.len() == 1 { "gets an identifier" } else { "get identifiers" };
        (Semver::Minor, format!("{} {get}", list(added)))
    } else if !changes.is_empty() {
        (Semver::Patch, "texts, references or lists change, but identifiers do not".into())
    } else {
        (Semver::None, "nothing changes".into())
    }
}

fn pairing_changes(old: &Registry, new: &Registry, status: Status) -> Vec<PairingChange> {
    let mut changes = Vec::new();
    for class in Class::ALL {
        let mut groups: BTreeMap<(Pairing, Pairing), Vec<u16>> = BTreeMap::new();
        let first = u16::from(class.digit()) * 100;
        for reply_code in (first..first + 100).filter_map(ReplyCode::new) {
            let pair = Pair { reply_code, class, status };
            let verdicts = (old.judge(pair), new.judge(pair));
            if verdicts.0 != verdicts.1 {
                groups.entry(verdicts).or_default().push(reply_code.number());
            }
        }
        // The smallest group comes first, because a change of few codes is what a reader looks for.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, codes)| codes.len());
        let code = format!("{class}.{}.{}", status.subject, status.detail);
        changes.extend(groups.into_iter().map(|((old, new), reply_codes)| PairingChange {
            code: code.clone(),
            old,
            new,
            reply_codes,
        }));
    }
    changes
}

/// Returns the paths of the products that differ between two registries, with the same version, record and
/// annotations.
pub fn changed_products(model: &Model, old: &Registry, new: &Registry) -> Result<Vec<String>> {
    let old = render(&model.with_registry(old.clone()), &ALL_KINDS)?;
    let new = render(&model.with_registry(new.clone()), &ALL_KINDS)?;
    let changed = old.iter().zip(&new).filter(|(old, new)| old.contents != new.contents);
    Ok(changed.map(|(_, new)| new.path.display().to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::Semver;

    #[test]
    fn a_version_is_incremented() {
        let next = |part: Semver, version| part.next_version(version);
        assert_eq!(next(Semver::None, "0.1.2").as_deref(), Some("0.1.2"));
        assert_eq!(next(Semver::Patch, "0.1.2").as_deref(), Some("0.1.3"));
        assert_eq!(next(Semver::Minor, "0.1.2").as_deref(), Some("0.2.0"));
        assert_eq!(next(Semver::Major, "0.1.2").as_deref(), Some("1.0.0"));
        for version in ["", "1", "1.2", "1.2.3.4", "1.2.3-alpha", "1.2.18446744073709551616"] {
            assert_eq!(next(Semver::Minor, version), None, "{version}");
        }
        assert_eq!(next(Semver::Minor, "1.18446744073709551615.0"), None);
    }
}
