//! Records: the primary output of a run, one JSON object per line. Every report is made from them.

pub mod comparison;
pub mod fingerprint;
pub mod index;
pub mod origin;
pub mod outcome;
pub mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use anyhow::{Context as _, Result, anyhow};
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
use crate::visible::{visible, visible_json};

/// One line of the records of a run. The header comes first and the summary last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The target and the tool.
    Header(Header),
    /// The beginning of a connection.
    Dialogue(DialogueRecord),
    /// An act and its replies.
    Exchange(ExchangeRecord),
    /// A violation of a rule.
    Finding(FindingRecord),
    /// The outcome of a case.
    Case(CaseOutcome),
    /// The counts at the end.
    Summary(Summary),
}

/// The target and the tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Header {
    /// The version of the record format.
    pub format: u32,
    /// The version of this tool.
    pub version: String,
    /// The date of the registry that pairs are compared with.
    pub registry_updated: String,
    /// The source of that registry.
    pub registry_origin: String,
    /// The name of the server or of the recordings.
    pub target: String,
    /// The date and the server of a run, or the files that were judged.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The version of the server, as given by the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// The product that the user or the server itself names, if the rules have advice for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// The number of entries in the baseline for the target, or `None` without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_entries: Option<usize>,
    /// The number of those entries that have expired or no longer match anything.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale_entries: usize,
}

/// The server that an outcome is about, as the user describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The name that reports and baselines use.
    pub target: String,
    /// The version of the server.
    pub server_version: Option<String>,
    /// The product.
    pub product: Option<Product>,
}

impl Subject {
    /// Returns a server of which only the name is known.
    #[must_use]
    pub fn named(target: &str) -> Subject {
        Subject { target: target.to_owned(), ..Subject::default() }
    }

    /// Returns the product that the user states, or else the one that the server's version or its dialogues name.
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

    /// Returns whether this version of the tool wrote it with the current registry.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.format == FORMAT
            && self.version == VERSION
            && self.registry_updated == REGISTRY_UPDATED
            && self.registry_origin == REGISTRY_ORIGIN
    }
}

/// The version of the record format.
const FORMAT: u32 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the product that the greetings and the replies to EHLO, HELO and LHLO name, or `None` if they name none or
/// different ones.
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

/// Returns the product that the first line of a reply names after the host name (RFC 5321 §4.2).
fn named_by(exchange: &Exchange) -> Option<Product> {
    let reply = exchange.replies().next()?;
    let line = String::from_utf8_lossy(reply.lines().next()?.octets()).into_owned();
    let (_, text) = line.get(4..)?.trim_start().split_once(' ')?;
    Product::named_in(text)
}

/// The beginning of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DialogueRecord {
    /// Its number, from 0.
    pub dialogue: usize,
    /// Its name: that of a case or of a file.
    pub name: String,
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// The TCP port of the server, if there is one and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether the connection began with TLS.
    pub implicit_tls: bool,
    /// The cases that it was made for, in order. A recording has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Part>,
}

/// An act and its replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// The number of the connection, from 0.
    pub dialogue: usize,
    /// The number of the exchange on that connection, from 0.
    pub number: usize,
    /// The act and the replies to it.
    pub exchange: Exchange,
}

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The id of the rule.
    pub rule: String,
    /// The severity.
    pub level: Level,
    /// The condition of the rule that lowered the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The connection, the exchange and, if the finding is about one, the reply.
    pub location: Location,
    /// The case that provoked it, or `None` in a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The index of the exchange that shows it, if that is not the one of the location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<usize>,
    /// A clause that says what was observed.
    pub detail: String,
    /// The file and line in a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The reason why it is accepted, if the baseline accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// The number of further findings of this rule and level in the same case or connection that were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// What the rule requires.
    pub statement: String,
    /// The sources of the rule, such as `RFC 2034 §4`.
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
            shown: finding.shown,
            detail: finding.detail,
            accepted: finding.accepted,
            more: finding.more,
            statement: rule.statement.to_owned(),
            sources: rule.sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }

    /// Returns the number of findings that it represents: itself and those that were not kept.
    #[must_use]
    pub fn times(&self) -> usize {
        self.more.saturating_add(1)
    }

    /// Returns the rule, or `None` if this version's catalogue lacks it because another version wrote the record.
    #[must_use]
    pub fn catalogued(&self) -> Option<RuleId> {
        RuleId::find(&self.rule)
    }
}

fn case(location: Location, dialogues: &[Dialogue]) -> Option<&str> {
    dialogues.get(location.dialogue)?.case(location.exchange)
}

/// The counts at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The number of connections.
    pub dialogues: usize,
    /// The number of exchanges.
    pub exchanges: usize,
    /// The number of findings at level error.
    pub errors: usize,
    /// The number of findings at level warning.
    pub warnings: usize,
    /// The number of findings at level note.
    pub notes: usize,
    /// The number of cases with each verdict.
    pub cases: BTreeMap<Verdict, usize>,
    /// How the observed pairs agree with the registry.
    pub agreement: Agreement,
    /// Sentences about what may be wrong in the description of the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// The replies that were counted but not kept.
    #[serde(default, skip_serializing_if = "Excess::is_none")]
    pub excess: Excess,
    /// The number of connections that the client ended because the server sent more than the limits allow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overflows: usize,
}

/// Returns the records of a finished run or of judged recordings.
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
    // The canary runs several times but counts once for each verdict.
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

/// Writes records, one per line.
///
/// # Errors
///
/// Returns an error if the writer fails.
pub fn write(records: &[Record], mut to: impl Write) -> io::Result<()> {
    for record in records {
        let line = serde_json::to_string(record)?;
        if line.is_ascii() {
            // serde_json escapes control characters.
            to.write_all(line.as_bytes())?;
        } else {
            to.write_all(visible_json(&line).as_bytes())?;
        }
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// Reads records, one per line. `name` is the name of the file, for errors.
///
/// # Errors
///
/// Returns an error with the file and the line if a line is not a record.
pub fn read(name: &str, text: &str) -> Result<Vec<Record>> {
    let record = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| one_line(&error)).with_context(|| {
            format!("{name}:{}: not a record; give a file that --jsonl or --out wrote", index + 1)
        })
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(record).collect()
}

/// Returns an error without line feeds and hidden characters, which a name that it quotes may have.
fn one_line(error: &serde_json::Error) -> anyhow::Error {
    anyhow!("{}", visible(&error.to_string()).replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn an_error_is_one_line_whatever_it_quotes() {
        let quoting = r#"{"record":"a\u001b[2J\nsmtp-conformance: no finding"}"#;
        let error =
            format!("{:#}", read("run.jsonl", &format!("\n{quoting}\n")).expect_err("it is not a record"));
        assert!(error.starts_with("run.jsonl:2: not a record;"), "{error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}
