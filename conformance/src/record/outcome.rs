//! What a run, or the judgement of recordings, brought, and what a baseline makes of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dialogue::Dialogue;
use crate::limits::quoted;
use crate::record::origin::Origin;
use crate::rules::Judgement;
use crate::rules::finding::Location;

/// What a run brought, or recordings, as the rules judge it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When and with which server it was, or which files were judged.
    pub origin: Origin,
    /// The cases, in their order, the canary's repetitions among them. Recordings have none.
    pub cases: Vec<CaseOutcome>,
    /// The connections.
    pub dialogues: Vec<Dialogue>,
    /// What the rules say of them.
    pub judgement: Judgement,
    /// What whoever described the target may have got wrong, each as a sentence.
    pub hints: Vec<String>,
}

/// An outcome that was held against a baseline, if there is one: what a report is made of.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The outcome, with the findings that are accepted marked.
    pub outcome: Outcome,
    /// How many entries the baseline has for the target; `None` without a baseline.
    pub entries: Option<usize>,
    /// The entries that have expired or match nothing any more, each as a message.
    pub stale: Vec<String>,
}

impl Outcome {
    /// What recordings brought. The names of their dialogues are those of their files.
    #[must_use]
    pub fn of_recordings(dialogues: Vec<Dialogue>, judgement: Judgement) -> Outcome {
        let mut files: Vec<String> = dialogues.iter().map(|dialogue| dialogue.name.clone()).collect();
        files.dedup();
        let origin = Origin::Recordings(files);
        Outcome { origin, cases: Vec::new(), dialogues, judgement, hints: Vec::new() }
    }

    /// The outcome as it is reported without a baseline.
    #[must_use]
    pub fn without_baseline(self) -> Reviewed {
        Reviewed { outcome: self, entries: None, stale: Vec::new() }
    }

    /// The case that brought a location about; where none did, the connection's name.
    #[must_use]
    pub fn case_of(&self, location: Location) -> &str {
        let dialogue = self.dialogues.get(location.dialogue);
        dialogue.map_or("", |dialogue| dialogue.case(location.exchange).unwrap_or(&dialogue.name))
    }

    /// Why nothing can be said, where that is the same for every case, or what the canary ended with.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Reason> {
        let first = self.cases.first()?.reason.as_ref()?;
        let is_same = |case: &CaseOutcome| {
            let reason = case.reason.as_ref();
            case.verdict.is_not_judged() && (reason == Some(first) || reason == Some(&Reason::CanaryFailed))
        };
        self.cases.iter().all(is_same).then_some(first)
    }

    /// Returns whether it was interrupted, or ran out of time or of room.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        let ends_run =
            |reason: &Reason| matches!(reason, Reason::Interrupted | Reason::OutOfTime | Reason::OutOfRoom);
        self.cases.iter().any(|case| case.reason.as_ref().is_some_and(ends_run))
    }

    /// Returns whether nothing can be said: no case passed, failed, warned or was observed.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.cases.iter().all(|case| case.verdict.is_not_judged())
    }
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseOutcome {
    /// The case's slug.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, where the verdict does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The number of its connection, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<usize>,
    /// The rules that decide it.
    pub rules: Vec<String>,
    /// The outcomes that the case tells and that came about, from 0.
    #[serde(skip)]
    pub outcomes: Vec<usize>,
}

impl CaseOutcome {
    /// Why it was not judged, as text; empty where the verdict says it.
    #[must_use]
    pub fn reason_text(&self) -> String {
        self.reason.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// Why a case was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Reason {
    /// A signal ended the run.
    Interrupted,
    /// The time for the run was over.
    OutOfTime,
    /// The run had taken more octets than it may.
    OutOfRoom,
    /// The time for the connection was over.
    ConnectionTooLong,
    /// The server did not answer the canary before.
    CanaryFailed,
    /// Anything else, as a clause.
    Other(String),
}

impl Reason {
    const NAMED: [Reason; 5] = [
        Reason::Interrupted,
        Reason::OutOfTime,
        Reason::OutOfRoom,
        Reason::ConnectionTooLong,
        Reason::CanaryFailed,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Interrupted => "the run was interrupted",
            Reason::OutOfTime => "the time for the run is over",
            Reason::OutOfRoom => "the run has taken more octets than a run may",
            Reason::ConnectionTooLong => {
                "the time for the connection is over; --connection-timeout gives more"
            }
            Reason::CanaryFailed => "the canary failed before",
            Reason::Other(clause) => clause,
        })
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Reason {
        let named = Reason::NAMED.into_iter().find(|reason| reason.to_string() == text);
        named.unwrap_or_else(|| Reason::Other(quoted(text)))
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Reason {
        Reason::from(text.to_owned())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> String {
        reason.to_string()
    }
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went as expected, and none of its rules is broken.
    Pass,
    /// One of its rules is broken, at level error.
    Fail,
    /// One of its rules is broken, at level warning.
    Warn,
    /// It went as expected; there is a note, or it names no rule.
    Observed,
    /// The server does not promise what the case is about.
    Unsupported,
    /// The server wants something first, or a canary failed before.
    Blocked,
    /// The run does not allow it, or does not know enough.
    Skipped,
    /// Something else came in the way.
    Inconclusive,
    /// The fault is ours.
    Error,
}

impl Verdict {
    /// Returns whether nothing was judged.
    #[must_use]
    pub fn is_not_judged(self) -> bool {
        use Verdict::{Blocked, Error, Fail, Inconclusive, Observed, Pass, Skipped, Unsupported, Warn};
        match self {
            Pass | Fail | Warn | Observed => false,
            Unsupported | Blocked | Skipped | Inconclusive | Error => true,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Observed => "observed",
            Verdict::Unsupported => "unsupported",
            Verdict::Blocked => "blocked",
            Verdict::Skipped => "skipped",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Error => "error",
        })
    }
}
