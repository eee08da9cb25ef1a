//! The outcome of a run or of judged recordings, and its review against a baseline.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::dialogue::Dialogue;
use crate::limits::quoted;
use crate::record::origin::Origin;
use crate::rules::Judgement;
use crate::rules::finding::Location;

/// The outcome of a run or of judged recordings.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The date and the server of a run, or the files that were judged.
    pub origin: Origin,
    /// The outcomes of the cases, in order, including each run of the canary. Recordings have none.
    pub cases: Vec<CaseOutcome>,
    /// The connections.
    pub dialogues: Vec<Dialogue>,
    /// What the rules find in them.
    pub judgement: Judgement,
    /// Sentences about what may be wrong in the description of the target.
    pub hints: Vec<String>,
}

/// An outcome after its comparison with a baseline, if there is one. Records are made from it.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The outcome, with accepted findings marked.
    pub outcome: Outcome,
    /// The number of entries in the baseline for the target, or `None` without a baseline.
    pub entries: Option<usize>,
    /// A message for each entry that has expired or no longer matches anything.
    pub stale: Vec<String>,
}

impl Outcome {
    /// Returns the outcome of judged recordings. Each dialogue has the name of its file.
    #[must_use]
    pub fn of_recordings(dialogues: Vec<Dialogue>, judgement: Judgement) -> Outcome {
        let mut files: Vec<String> = dialogues.iter().map(|dialogue| dialogue.name.clone()).collect();
        files.dedup();
        let origin = Origin::Recordings(files);
        Outcome { origin, cases: Vec::new(), dialogues, judgement, hints: Vec::new() }
    }

    /// Returns the outcome as it is reported without a baseline.
    #[must_use]
    pub fn without_baseline(self) -> Reviewed {
        Reviewed { outcome: self, entries: None, stale: Vec::new() }
    }

    /// Returns the case that provoked an exchange, or the name of the connection if no case did.
    #[must_use]
    pub fn case_of(&self, location: Location) -> &str {
        let dialogue = self.dialogues.get(location.dialogue);
        dialogue.map_or("", |dialogue| dialogue.case(location.exchange).unwrap_or(&dialogue.name))
    }

    /// Returns the reason why no case was judged, if it is the same for all of them. Cases that were blocked by a
    /// failed canary count as having the canary's reason.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Reason> {
        let first = self.cases.first()?.reason.as_ref()?;
        let is_same = |case: &CaseOutcome| {
            let reason = case.reason.as_ref();
            case.verdict.is_not_judged() && (reason == Some(first) || reason == Some(&Reason::CanaryFailed))
        };
        self.cases.iter().all(is_same).then_some(first)
    }

    /// Returns whether the run was interrupted, or exceeded its time or its limit of octets.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        let ends_run =
            |reason: &Reason| matches!(reason, Reason::Interrupted | Reason::OutOfTime | Reason::OutOfRoom);
        self.cases.iter().any(|case| case.reason.as_ref().is_some_and(ends_run))
    }

    /// Returns whether no case was judged. This is also true if there are no cases.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.cases.iter().all(|case| case.verdict.is_not_judged())
    }
}

/// The outcome of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseOutcome {
    /// The id of the case.
    pub id: String,
    /// The title of the case.
    pub title: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What --allow must name for the case to run, or `None` if it is safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety: Option<String>,
    /// The reason, if the case did not go as expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the client reported, if a client is tested: `temporary (exit status 75)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
    /// The number of its connection, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<usize>,
    /// The rules whose findings decide the verdict.
    pub rules: Vec<String>,
    /// The indexes of the case's expected outcomes that matched a reply.
    #[serde(skip)]
    pub outcomes: Vec<usize>,
    /// The exchanges with expected replies to what the case asks, by their indexes.
    #[serde(skip)]
    pub subjects: Vec<Range<usize>>,
}

impl CaseOutcome {
    /// Returns the reason as text, or an empty string without one.
    #[must_use]
    pub fn reason_text(&self) -> String {
        self.reason.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// The reason why a case did not go as expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Reason {
    /// A signal ended the run.
    Interrupted,
    /// The run exceeded its time limit.
    OutOfTime,
    /// The run exceeded its limit of octets sent or received.
    OutOfRoom,
    /// The connection exceeded its time limit.
    ConnectionTooLong,
    /// The canary failed before the case.
    CanaryFailed,
    /// No rule of the case applies to what the server answered.
    Unjudged,
    /// The connection, or all connections together, are too long to be judged many times.
    TooLong,
    /// Another reason, as a clause.
    Other(String),
}

impl Reason {
    const NAMED: [Reason; 7] = [
        Reason::Interrupted,
        Reason::OutOfTime,
        Reason::OutOfRoom,
        Reason::ConnectionTooLong,
        Reason::CanaryFailed,
        Reason::Unjudged,
        Reason::TooLong,
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
            Reason::TooLong => "too much was received to show that a rule could have failed the case",
            Reason::Unjudged => "none of its rules applies to the replies",
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

/// The verdict on a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It went as expected, and none of its rules is broken.
    Pass,
    /// One of its rules is broken at level error.
    Fail,
    /// One of its rules is broken at level warning.
    Warn,
    /// It went as expected, but it names no rule, or one of its rules is broken at level note.
    Observed,
    /// The server does not have what the case is about.
    Unsupported,
    /// The server demands something else first, a case that it depends on did not go as expected, or a canary failed.
    Blocked,
    /// The run does not allow it, or the target does not state what it needs.
    Skipped,
    /// Something else got in the way.
    Inconclusive,
    /// The case or this program is at fault.
    Error,
}

impl Verdict {
    /// Returns whether the case was not judged.
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
