//! Provoke, read, judge, report: a conformance suite for the replies of SMTP, submission and LMTP servers.
//!
//! Octets become replies in [`reply`], replies and the acts they answer become a [`dialogue`], and [`judge`] holds
//! dialogues against the [`rules`](rules()).

mod capabilities;
mod catalogue;
pub mod command;
pub mod dialogue;
mod finding;
mod knowledge;
mod observation;
pub mod reply;
mod rules;
mod session;

pub use capabilities::Capabilities;
pub use catalogue::{Condition, Keyword, Kind, Level, Rule, RuleId, rules};
pub use finding::{Finding, Place};
pub use knowledge::Knowledge;
pub use observation::Observation;
pub use rules::{Agreement, Judgement, Strictness, judge};
pub use session::{Session, Step, Transaction};
