//! Provoke, read, judge, report: a conformance suite for the replies of SMTP, submission and LMTP servers.
//!
//! Octets become replies in [`reply`], replies and the acts they answer become a [`dialogue`], and [`judge`] holds
//! dialogues against the [`rules`](rules()).

pub mod baseline;
mod capabilities;
pub mod case;
mod catalogue;
mod cli;
pub mod client;
pub mod command;
pub mod comparison;
mod data_file;
pub mod dialogue;
mod finding;
pub mod fingerprint;
mod foreign;
mod knowledge;
pub mod limits;
mod observation;
mod profile;
pub mod record;
pub mod reference;
pub mod reply;
pub mod report;
mod rules;
pub mod run;
mod session;
pub mod stream;
pub mod survey;
mod target;
pub mod transcript;
mod visible;

pub use capabilities::Capabilities;
pub use catalogue::{Condition, Keyword, Kind, Level, Rule, RuleId, rules};
pub use cli::main;
pub use finding::{Finding, Place};
pub use knowledge::{Knowledge, Policy};
pub use observation::Observation;
pub use profile::Profile;
pub use rules::{Agreement, Judgement, Strictness, judge};
pub use session::{Session, Step, Transaction};
pub use target::{Address, Credentials, Target};
