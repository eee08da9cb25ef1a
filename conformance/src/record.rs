//! The one primary output: a stream of records, one JSON object a line. Every report is made from it.

pub mod comparison;
pub mod fingerprint;
pub mod index;
pub mod origin;
pub mod outcome;
pub mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use smtp_enhanced_status::{REGISTRY_ORIGIN, REGISTRY_UPDATED};

use crate::dialogue::{Act, Dialogue, End, Excess, Exchange, Part};
use crate::product::Product;
use crate::protocol::Protocol;
use crate::protocol::command::{Command, Verb};
use crate::record::origin::Origin;
use crate::record::outcome::{CaseOutcome, Outcome, Reviewed, Verdict};
use crate::rules::Agreement;
use crate::rules::catalogue::{Level, RuleId};
use crate::rules::finding::Accepted;
use crate::rules::finding::{Finding, Location, is_zero};
use crate::visible::visible_json;

/// A line of the stream. The header comes first, the summary last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// What was run, against what.
    Header(Header),
    /// A connection begins.
    Dialogue(DialogueRecord),
    /// An act and its replies.
    Exchange(ExchangeRecord),
    /// A violation of a rule.
    Finding(FindingRecord),
    /// What came of a case.
    Case(CaseOutcome),
    /// The end, with counts.
    Summary(Summary),
}

/// What was run, against what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Header {
    /// The version of this stream's form.
    pub format: u32,
    /// The version of this tool.
    pub version: String,
    /// The date of the registry that pairs are held against.
    pub registry_updated: String,
    /// Where that registry comes from.
    pub registry_origin: String,
    /// What was run against: a server, or recordings.
    pub target: String,
    /// When and with which server the run was, or which files were judged.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The version of the server, as whoever ran it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// The product that the server is, if whoever ran it or the server itself says so and rules have advice for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// How many entries the baseline has for the target; none without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_entries: Option<usize>,
    /// How many of those have expired or match nothing any more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale_entries: usize,
}

/// The server that an outcome is about, as whoever ran it describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The name that reports and baselines use.
    pub target: String,
    /// The version of the server.
    pub server_version: Option<String>,
    /// The product that it is.
    pub product: Option<Product>,
}

impl Subject {
    /// A server of which nothing but the name is known.
    #[must_use]
    pub fn named(target: &str) -> Subject {
        Subject { target: target.to_owned(), ..Subject::default() }
    }

    /// The product, as it is described, or as its version or its dialogues name it.
    fn recognized(&self, dialogues: &[Dialogue]) -> Option<Product> {
        let version = self.server_version.as_deref();
        self.product.or_else(|| version.and_then(Product::named_in)).or_else(|| product(dialogues))
    }
}

impl Header {
    fn new(subject: &Subject, reviewed: &Reviewed) -> Header {
        Header {
            format: FORMAT,
            version: VERSION.to_owned(),
            registry_updated: REGISTRY_UPDATED.to_owned(),
            registry_origin: REGISTRY_ORIGIN.to_owned(),
            target: subject.target.clone(),
            origin: Some(reviewed.outcome.origin.clone()),
            server_version: subject.server_version.clone(),
            product: subject.recognized(&reviewed.outcome.dialogues),
            baseline_entries: reviewed.entries,
            stale_entries: reviewed.stale.len(),
        }
    }

    /// Returns whether this version of this tool wrote it, with its registry.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.format == FORMAT
            && self.version == VERSION
            && self.registry_updated == REGISTRY_UPDATED
            && self.registry_origin == REGISTRY_ORIGIN
    }
}

/// The version of the form of records.
const FORMAT: u32 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The product that greetings, or the replies to the hello commands, name; `None` if they name different ones.
fn product(dialogues: &[Dialogue]) -> Option<Product> {
    let exchanges = dialogues.iter().flat_map(|dialogue| &dialogue.exchanges);
    let mut products = exchanges.filter(|exchange| is_opening(exchange)).filter_map(named_by);
    let first = products.next()?;
    products.all(|product| product == first).then_some(first)
}

fn is_opening(exchange: &Exchange) -> bool {
    let is_hello = |command: Command<'_>| matches!(command.verb(), Verb::Ehlo | Verb::Helo | Verb::Lhlo);
    exchange.act == Act::Connect || exchange.command().is_some_and(is_hello)
}

/// The product that the first line of a reply names after the host name (RFC 5321 §4.2).
fn named_by(exchange: &Exchange) -> Option<Product> {
    let reply = exchange.replies().next()?;
    let line = String::from_utf8_lossy(reply.lines().next()?.octets()).into_owned();
    let (_, text) = line.get(4..)?.trim_start().split_once(' ')?;
    Product::named_in(text)
}

/// A connection begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DialogueRecord {
    /// Its number, from 0.
    pub dialogue: usize,
    /// What it is called: a case, a file.
    pub name: String,
    /// What the server speaks.
    pub protocol: Protocol,
    /// The TCP port of the server, where there is one and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether TLS was there from the start.
    pub implicit_tls: bool,
    /// The cases that it was made for, in order; none in a recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Part>,
}

/// An act and its replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// The number of the connection.
    pub dialogue: usize,
    /// Its own number there, from 0.
    pub number: usize,
    /// What was done, and what came of it.
    pub exchange: Exchange,
}

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The rule's slug.
    pub rule: String,
    /// Its weight.
    pub level: Level,
    /// The condition of the rule that lowers the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Where it was seen.
    pub location: Location,
    /// The case that brought it about; none in a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What was seen, in a clause.
    pub detail: String,
    /// Where it is in a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Why it is accepted, if a baseline has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Further findings of this rule and level in the same case or connection, which were counted but not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// What must be true.
    pub statement: String,
    /// Who says so.
    pub sources: Vec<String>,
}

/// A place in a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line on which the exchange begins, from 1.
    pub line: usize,
}

impl Place {
    fn of(location: Location, dialogues: &[Dialogue]) -> Option<Place> {
        let dialogue = dialogues.get(location.dialogue)?;
        let line = dialogue.exchanges.get(location.exchange)?.line?;
        Some(Place { file: dialogue.name.clone(), line })
    }
}

/// Formats a place as `session.txt:12`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl FindingRecord {
    fn new(finding: Finding, dialogues: &[Dialogue]) -> FindingRecord {
        let rule = finding.rule.rule();
        FindingRecord {
            rule: rule.id.to_owned(),
            level: finding.level,
            condition: finding.condition.map(str::to_owned),
            location: finding.location,
            case: case(finding.location, dialogues).map(str::to_owned),
            place: Place::of(finding.location, dialogues),
            detail: finding.detail,
            accepted: finding.accepted,
            more: finding.more,
            statement: rule.statement.to_owned(),
            sources: rule.sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }

    /// How many findings it stands for: itself and those that were only counted.
    #[must_use]
    pub fn times(&self) -> usize {
        self.more.saturating_add(1)
    }

    /// The rule in this tool's catalogue; a stream of another version may have rules that are not there.
    #[must_use]
    pub fn catalogued(&self) -> Option<RuleId> {
        RuleId::find(&self.rule)
    }
}

fn case(location: Location, dialogues: &[Dialogue]) -> Option<&str> {
    dialogues.get(location.dialogue)?.case(location.exchange)
}

/// The end, with counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Connections.
    pub dialogues: usize,
    /// Acts.
    pub exchanges: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level note.
    pub notes: usize,
    /// How many cases came to each verdict.
    pub cases: BTreeMap<Verdict, usize>,
    /// How the pairs seen agree with the registry.
    pub agreement: Agreement,
    /// What whoever described the target may have got wrong, each as a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Replies that were counted, but not kept.
    #[serde(default, skip_serializing_if = "Excess::is_none")]
    pub excess: Excess,
    /// Connections that the client ended because the server sent more than the limits allow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overflows: usize,
}

/// The records of a run that is over, or of recordings.
#[must_use]
pub fn records(subject: &Subject, reviewed: Reviewed) -> Vec<Record> {
    let header = Header::new(subject, &reviewed);
    let Outcome { origin: _, dialogues, cases, judgement, hints } = reviewed.outcome;
    let count = |level| {
        let of_level = judgement.findings.iter().filter(|finding| finding.level == level);
        of_level.map(Finding::times).sum()
    };
    let (mut excess, mut overflows) = (Excess::default(), 0);
    for exchange in dialogues.iter().flat_map(|dialogue| &dialogue.exchanges) {
        excess += exchange.excess;
        overflows += usize::from(exchange.end == End::Overflow);
    }
    // The canary runs several times, and counts once for each verdict.
    let once: BTreeSet<_> = cases.iter().map(|case| (case.verdict, &case.id)).collect();
    let mut verdicts = BTreeMap::new();
    for (verdict, _) in once {
        *verdicts.entry(verdict).or_default() += 1;
    }
    let exchanges = dialogues.iter().map(|dialogue| dialogue.exchanges.len()).sum();
    let summary = Summary {
        dialogues: dialogues.len(),
        exchanges,
        errors: count(Level::Error),
        warnings: count(Level::Warning),
        notes: count(Level::Note),
        cases: verdicts,
        agreement: judgement.agreement,
        hints,
        excess,
        overflows,
    };
    let found = |finding| Record::Finding(FindingRecord::new(finding, &dialogues));
    let findings: Vec<Record> = judgement.findings.into_iter().map(found).collect();
    let all = 2 + dialogues.len() + exchanges + findings.len() + cases.len();
    let mut records = Vec::with_capacity(all);
    records.push(Record::Header(header));
    for (number, dialogue) in dialogues.into_iter().enumerate() {
        let Dialogue { name, protocol, port, implicit_tls, cases, exchanges } = dialogue;
        records.push(Record::Dialogue(DialogueRecord {
            dialogue: number,
            name,
            protocol,
            port,
            implicit_tls,
            cases,
        }));
        let spoken = |(index, exchange)| {
            Record::Exchange(ExchangeRecord { dialogue: number, number: index, exchange })
        };
        records.extend(exchanges.into_iter().enumerate().map(spoken));
    }
    records.extend(findings);
    records.extend(cases.into_iter().map(Record::Case));
    records.push(Record::Summary(summary));
    records
}

/// Writes records, one a line.
///
/// # Errors
///
/// Those of the writer.
pub fn write(records: &[Record], mut to: impl Write) -> io::Result<()> {
    for record in records {
        let line = serde_json::to_string(record)?;
        match line.is_ascii() {
            // serde_json escapes control characters.
            true => to.write_all(line.as_bytes())?,
            false => to.write_all(visible_json(&line).as_bytes())?,
        }
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// Reads a stream of records back.
///
/// # Errors
///
/// A line that is no record is refused, with its number.
pub fn read(name: &str, text: &str) -> Result<Vec<Record>> {
    let record = |(index, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{name}:{}: no record of a run", index + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(record).collect()
}
