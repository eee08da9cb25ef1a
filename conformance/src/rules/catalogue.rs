//! The rule catalogue: what each rule demands, its sources, and the level of a violation.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::data_file::did_you_mean;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Returns every rule, in the order of `rules.toml`.
///
/// ```
/// let rule = smtp_conformance::rules().iter().find(|rule| rule.id == "enhanced-code-class-agrees").unwrap();
/// assert_eq!(rule.label, "ES-05");
/// assert_eq!(rule.sources, ["RFC 2034 §4"]);
/// ```
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// Returns every topic, in the order of `rules.toml`.
#[must_use]
pub fn topics() -> &'static [Topic] {
    TOPICS
}

/// A topic of the catalogue. Its letters begin the labels of its rules.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Two letters: `ES`.
    pub letters: &'static str,
    /// What the rules are about.
    pub title: &'static str,
}

impl Topic {
    /// Returns the rules of the topic.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules().iter().filter(|rule| rule.label.split('-').next() == Some(self.letters))
    }
}

/// A rule of the catalogue.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The rule's slug, which never changes.
    pub id: &'static str,
    /// A short label: the letters of its [`Topic`], and a number. `ES-05`.
    pub label: &'static str,
    /// What must be true.
    pub statement: &'static str,
    /// How strongly the sources demand it.
    pub keyword: Keyword,
    /// The highest level of a finding. `None` if the rule only explains something.
    pub level: Option<Level>,
    /// Why the level is not the one that the keyword stands for: what the source permits. `None` if it is.
    pub level_reason: Option<&'static str>,
    /// What is needed to judge it.
    pub kind: Kind,
    /// Why it is not judged. `None` if it is.
    pub left_out: Option<&'static str>,
    /// The documents and sections that demand it.
    pub sources: &'static [&'static str],
    /// The requirements of these documents that it judges. See `docs/coverage.md`.
    pub requirements: &'static [Requirement],
    /// What goes wrong if the rule is broken.
    pub why: &'static str,
    /// How to fix a violation in any server.
    pub fix: &'static str,
    /// How to fix a violation in particular servers: each server's name and the fix.
    pub fixes: &'static [(&'static str, &'static str)],
    /// More precise rules. If the same reply breaks one of them, this rule is not reported.
    pub yields_to: &'static [RuleId],
    /// Circumstances that lower a finding's level.
    pub conditions: &'static [Condition],
}

/// A requirement of an RFC, in the register of requirements.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// The RFC, the section, and which statement of the section it is: `5321#4.1.1.4/3`.
    pub id: &'static str,
    /// Its requirement words: `MUST NOT`.
    pub words: &'static str,
    /// What it asks, as the end of a sentence that begins with whom it binds.
    pub asks: &'static str,
}

impl Requirement {
    /// Returns the RFC and the section: `RFC 5321 §4.1.1.4`.
    #[must_use]
    pub fn place(&self) -> String {
        let (rfc, section) = self.parts();
        format!("RFC {rfc} §{section}")
    }

    /// Returns the address of the section in the RFC.
    #[must_use]
    pub fn url(&self) -> String {
        let (rfc, section) = self.parts();
        format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}")
    }

    fn parts(&self) -> (&str, &str) {
        let (rfc, place) = self.id.split_once('#').unwrap_or((self.id, ""));
        (rfc, place.split('/').next().unwrap_or_default())
    }
}

/// A circumstance that lowers a finding's level.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The condition's slug.
    pub name: &'static str,
    /// The level of a finding under this circumstance.
    pub level: Level,
    /// What the source permits under this circumstance, if the circumstance does not say so itself.
    pub level_reason: Option<&'static str>,
    /// The circumstance, as text.
    pub when: &'static str,
}

/// A rule by its position in the catalogue. There is a constant for each rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(usize);

impl RuleId {
    /// The rule.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0]
    }

    /// Returns the ids of all rules, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = RuleId> {
        (0..RULES.len()).map(RuleId)
    }

    /// Finds a rule by its slug or label.
    #[must_use]
    pub fn find(name: &str) -> Option<RuleId> {
        RuleId::all().find(|id| id.rule().id == name || id.rule().label.eq_ignore_ascii_case(name))
    }

    /// Returns the error message for a name that no rule has.
    pub(crate) fn unknown(name: &str) -> String {
        let meant = did_you_mean(name, rules().iter().map(|rule| rule.id));
        format!("there is no rule {name:?}{meant}; `smtp-conformance rules` lists the rules")
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule().id)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule().id)
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.rule().id)
    }
}

/// How strongly the sources of a rule demand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Keyword {
    /// A MUST of RFC 2119.
    #[serde(rename = "MUST")]
    Must,
    /// A lower-case "must" of RFC 2034 or RFC 2033, or a statement of what the protocol does.
    #[serde(rename = "must")]
    LowerCaseMust,
    /// A SHOULD of RFC 2119.
    #[serde(rename = "SHOULD")]
    Should,
    /// A MAY of RFC 2119.
    #[serde(rename = "MAY")]
    May,
    /// IANA's registry, or RFC 5248, which defines it.
    #[serde(rename = "registry")]
    Registry,
    /// Advice or an example.
    #[serde(rename = "practice")]
    Practice,
}

impl Keyword {
    /// Returns what the keyword means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Keyword::Must => "the RFC says MUST",
            Keyword::LowerCaseMust => "the RFC says \"must\", or describes the protocol so",
            Keyword::Should => "the RFC says SHOULD",
            Keyword::May => "the RFC says MAY",
            Keyword::Registry => "IANA's registry, or RFC 5248, which defines it",
            Keyword::Practice => "advice or an example of an RFC, or what clients rely on",
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Keyword::Must => "MUST",
            Keyword::LowerCaseMust => "must",
            Keyword::Should => "SHOULD",
            Keyword::May => "MAY",
            Keyword::Registry => "registry",
            Keyword::Practice => "practice",
        })
    }
}

/// The level of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Likely to cause problems, or against a recommendation.
    Warning,
    /// A requirement is broken.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// What is needed to judge a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One reply, its command, and the session before it.
    Reply,
    /// Several exchanges, or several connections.
    Dialogue,
    /// A bounce.
    Report,
    /// What a client sends to a server with a certain behaviour, and what it reports.
    Client,
    /// Nothing: the rule is not judged, and says why.
    None,
}
