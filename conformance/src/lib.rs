//! Provoke, read, judge, report: a conformance suite for the replies of SMTP, submission and LMTP servers.
//!
//! Octets become replies in [`reply`], replies and the acts they answer become a [`dialogue`], and [`judge`] holds
//! dialogues against the [`rules`](rules()).

pub mod baseline;
pub mod case;
mod cli;
pub mod client;
mod counted;
mod data_file;
pub mod dialogue;
mod knowledge;
pub mod limits;
pub mod protocol;
pub mod readers;
pub mod record;
pub mod reference;
pub mod report;
pub mod rules;
pub mod run;
pub mod survey;
mod target;
mod visible;

pub use cli::main;
pub use dialogue::session::{Session, Step, Transaction};
pub use knowledge::{Knowledge, Policy};
pub use protocol::Capabilities;
pub use rules::catalogue::{Condition, Keyword, Kind, Level, Rule, RuleId, rules};
pub use rules::finding::{Finding, Location};
pub use rules::observation::Observation;
pub use rules::profile::Profile;
pub use rules::{Agreement, Judgement, Strictness, judge};
pub use target::{Address, Credentials, Target};
