//! Judges what SMTP, submission and LMTP servers reply, by the RFCs and by IANA's registry of enhanced status codes.
//!
//! A mail server's own unit tests can check its replies against the [rules](rules()). Write what both sides say on a
//! connection as a [transcript](readers::transcript), and judge it:
//!
//! ```
//! use smtp_conformance::{Level, Protocol, judge_transcript};
//!
//! let judgement = judge_transcript(
//!     Protocol::Smtp,
//!     "\
//! S: 220 mx.example.org ESMTP
//! C: EHLO client.example.org
//! S: 250-mx.example.org
//! S: 250 ENHANCEDSTATUSCODES
//! C: NOOP
//! S: 250 2.1.0 Ok
//! C: FOO
//! S: 500 Command not recognized
//! ",
//! )?;
//! let finding = &judgement.findings[0];
//! assert_eq!(finding.rule.rule().id, "enhanced-code-present");
//! assert_eq!((finding.level, finding.location.exchange), (Level::Error, 3));
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! For this, depend on the crate with `default-features = false`.
//!
//! # Features
//!
//! * `run` (default): connects to servers, runs cases against them, serves as a reference server, and sends as a
//!   reference client.
//! * `cli` (default): the program `smtp-conformance`. Without `run`, it has the commands that connect nowhere.
//!
//! Without features, the crate judges, compares and reports dialogues, transcripts and records, and opens no
//! connections.

pub mod baseline;
#[cfg(feature = "run")]
pub mod case;
#[cfg(feature = "cli")]
#[allow(rustdoc::broken_intra_doc_links, reason = "its comments are the text of --help")]
mod cli;
#[cfg(feature = "run")]
pub mod client;
#[cfg(feature = "run")]
pub mod clients;
mod counted;
mod data_file;
#[cfg(feature = "run")]
mod delivery;
pub mod dialogue;
pub mod dsn;
pub mod explain;
mod knowledge;

pub mod limits;
pub mod lint;
mod product;
pub mod protocol;
pub mod readers;
pub mod record;
#[cfg(feature = "run")]
pub mod reference;
pub mod report;
pub mod rules;
#[cfg(feature = "run")]
pub mod run;
#[cfg(feature = "run")]
pub mod sender;
#[cfg(feature = "run")]
pub mod survey;
#[cfg(feature = "run")]
mod target;
mod visible;

#[cfg(feature = "cli")]
pub use cli::main;
pub use dialogue::session::{Session, Step, Transaction};
pub use knowledge::{Knowledge, Policy};
pub use product::Product;
pub use protocol::{Capabilities, Protocol};
pub use readers::judge_transcript;
pub use rules::catalogue::{Condition, Keyword, Kind, Level, Rule, RuleId, Topic, rules, topics};
pub use rules::client::{Reported, judge_client};
pub use rules::finding::{Finding, Location};
pub use rules::observation::Observation;
pub use rules::profile::Profile;
pub use rules::report::{ReportFinding, judge_report};
pub use rules::{Agreement, Judgement, Strictness, judge};
#[cfg(feature = "run")]
pub use target::{Address, Credentials, Delivery, Destination, Target};
