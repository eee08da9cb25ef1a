//! The rule catalogue: what each rule demands, who says so, and how much a violation weighs.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::data_file::did_you_mean;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Every rule, in the order of `rules.toml`.
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

/// A rule of the catalogue.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// An immutable slug.
    pub id: &'static str,
    /// The rule's location in the project's specification: `ES-05`.
    pub label: &'static str,
    /// What must be true.
    pub statement: &'static str,
    /// How strongly the source puts it.
    pub keyword: Keyword,
    /// The highest level of a finding; `None` if the rule only explains.
    pub level: Option<Level>,
    /// What it takes to judge it.
    pub kind: Kind,
    /// Why it is not judged.
    pub left_out: Option<&'static str>,
    /// Documents and sections.
    pub sources: &'static [&'static str],
    /// What goes wrong where the rule is broken.
    pub why: &'static str,
    /// How to fix it, in any server.
    pub fix: &'static str,
    /// How to fix it in a server of that name.
    pub fixes: &'static [(&'static str, &'static str)],
    /// More exact rules: where one of them is broken by the same reply, this one is not reported.
    pub yields_to: &'static [RuleId],
    /// Circumstances that lower a finding's level.
    pub conditions: &'static [Condition],
}

/// A circumstance that lowers a finding's level.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// A slug.
    pub name: &'static str,
    /// The level under this circumstance.
    pub level: Level,
    /// The circumstance.
    pub when: &'static str,
}

/// A rule by its place in the catalogue; there is a constant for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(usize);

impl RuleId {
    /// The rule.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0]
    }

    /// Every rule's id, in the catalogue's order.
    pub fn all() -> impl Iterator<Item = RuleId> {
        (0..RULES.len()).map(RuleId)
    }

    /// The rule of a slug or of a label.
    #[must_use]
    pub fn find(name: &str) -> Option<RuleId> {
        RuleId::all().find(|id| id.rule().id == name || id.rule().label.eq_ignore_ascii_case(name))
    }

    /// What to say of a name that no rule has.
    pub(crate) fn unknown(name: &str) -> String {
        let meant = did_you_mean(name, rules().iter().map(|rule| rule.id));
        format!("there is no rule {name:?}{meant}: `smtp-conformance rules` lists them")
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

/// How strongly a source puts a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Keyword {
    /// A MUST of RFC 2119.
    #[serde(rename = "MUST")]
    Must,
    /// A lower-case must of RFC 2034 or RFC 2033, or a statement of what the protocol does.
    #[serde(rename = "must")]
    LowerCaseMust,
    /// A SHOULD of RFC 2119.
    #[serde(rename = "SHOULD")]
    Should,
    /// A MAY of RFC 2119.
    #[serde(rename = "MAY")]
    May,
    /// IANA's registry, or RFC 5248 about it.
    #[serde(rename = "registry")]
    Registry,
    /// Advice and examples.
    #[serde(rename = "practice")]
    Practice,
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

/// What a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Likely to hurt, or against a recommendation.
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

/// What it takes to judge a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One reply, with its command and the session before it.
    Reply,
    /// Several exchanges, or several connections.
    Dialogue,
    /// Nothing: the rule is left out, and says why.
    None,
}
