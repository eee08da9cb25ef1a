//! Profiles, which lower the levels of some rules.

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;

use crate::data_file;
use crate::rules::catalogue::{Level, RuleId};
use crate::rules::finding::Finding;

const PROFILES: &str = include_str!("../../profiles.toml");

/// Lower levels for the findings of some rules. No finding is removed.
///
/// ```
/// use smtp_conformance::Profile;
///
/// assert!(Profile::find("rfc").is_ok());
/// assert!(Profile::find("lenient").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// Some rules, each with the highest level that its findings have in this profile.
    pub levels: Vec<(RuleId, Level)>,
}

impl Profile {
    /// Finds a profile by name: `rfc`, which changes nothing, or one of `profiles.toml`.
    ///
    /// # Errors
    ///
    /// Refuses any other name and lists the known ones.
    pub fn find(name: &str) -> Result<Profile> {
        if name == "rfc" {
            return Ok(Profile { name: name.to_owned(), levels: Vec::new() });
        }
        let profiles = read()?;
        let names: Vec<String> = profiles.iter().map(|profile| profile.name.clone()).collect();
        let found = profiles.into_iter().find(|profile| profile.name == name);
        found.ok_or_else(|| anyhow!("there is no profile {name:?}; use one of: rfc, {}", names.join(", ")))
    }

    /// Lowers the levels of findings to those of this profile.
    pub fn weigh(&self, findings: &mut [Finding]) {
        for finding in findings {
            if let Some((_, level)) = self.levels.iter().find(|(rule, _)| *rule == finding.rule) {
                finding.level = finding.level.min(*level);
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    profile: Vec<RawProfile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    #[serde(rename = "about")]
    _about: String,
    levels: Vec<RawLevel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    rule: String,
    level: Level,
    #[serde(rename = "why")]
    _why: String,
}

fn read() -> Result<Vec<Profile>> {
    let file: File = data_file::parse("profiles.toml", PROFILES)?;
    let level = |raw: &RawLevel| match RuleId::find(&raw.rule) {
        Some(rule) => Ok((rule, raw.level)),
        None => bail!("profiles.toml: there is no rule {:?}", raw.rule),
    };
    let profile = |raw: RawProfile| {
        Ok(Profile { levels: raw.levels.iter().map(level).collect::<Result<_>>()?, name: raw.name })
    };
    file.profile.into_iter().map(profile).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn profiles_lower_the_levels_of_existing_rules() {
        for profile in read().unwrap_or_else(|error| panic!("{error:#}")) {
            for (rule, level) in profile.levels {
                assert!(
                    rule.rule().level > Some(level),
                    "{}: {rule} is not above {level} anyway",
                    profile.name
                );
            }
        }
    }
}
