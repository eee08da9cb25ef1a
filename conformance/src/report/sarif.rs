//! The report as SARIF 2.1.0 for code scanning services and editors.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

use super::Source;
use super::digest::{cut, fix_for, times};
use super::escape::escaped;
use super::evidence::Evidence;
use crate::record::fingerprint::Fingerprint;
use crate::record::index::RecordIndex;
use crate::record::origin::Origin;
use crate::record::outcome::Verdict;
use crate::record::{FindingRecord, Header};
use crate::rules::catalogue::{self, Level, RuleId};
use crate::rules::finding::Accepted;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The characters to escape in a relative reference. A colon is among them because it would end a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The characters to escape in the URL of a target.
const URL: &AsciiSet = &PATH.remove(b':').remove(b'[').remove(b']');

/// Returns the report: a log with one SARIF run per run.
///
/// Findings that share a [`Fingerprint`] are one result, with the number of findings as its occurrence count. The
/// result is suppressed if all of them are accepted. Results are located in the file `base`. Without it, a result is
/// located in the line of its recording, or else in a file with the name of the target.
///
/// # Errors
///
/// Returns an error only if the JSON cannot be written, which is a bug in this program.
pub fn render(sources: &[Source<'_>], base: Option<&str>) -> Result<String> {
    let runs = sources.iter().map(|source| Run::of(&RecordIndex::of(source.records), base)).collect();
    let log = Log { schema: SCHEMA, version: "2.1.0", runs };
    Ok(format!("{}\n", serde_json::to_string_pretty(&log).context("SARIF")?))
}

/// A finding at a place of a file.
pub(crate) struct PlacedFinding<'a> {
    pub(crate) rule: RuleId,
    pub(crate) level: Level,
    pub(crate) file: &'a str,
    /// The number of the line, from 1.
    pub(crate) line: u64,
    /// The number of the character in its line, from 1.
    pub(crate) column: Option<u64>,
    pub(crate) detail: &'a str,
    /// The reply.
    pub(crate) text: Cow<'a, str>,
    pub(crate) accepted: Option<&'a Accepted>,
    /// What distinguishes it from others.
    pub(crate) fingerprint: String,
}

/// Writes a log with one run, whose results are at places of files. If not all are known, it says how many are missing.
/// `unread` says what could not be read.
///
/// # Errors
///
/// Fails if the output cannot be written.
pub(crate) fn write_placed<'a>(
    findings: impl Iterator<Item = &'a PlacedFinding<'a>> + Clone,
    is_whole: bool,
    missing: u64,
    unread: &[String],
    mut output: impl Write,
) -> Result<()> {
    let broken: BTreeSet<RuleId> = findings.clone().map(|found| found.rule).collect();
    let position = |rule| broken.iter().position(|other| *other == rule).unwrap_or_default();
    let mut properties =
        BTreeMap::from([("registryUpdated", smtp_enhanced_status::REGISTRY_UPDATED.to_owned())]);
    if missing > 0 {
        properties.insert("beyondLimits", format!("{missing} results are missing"));
    }
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "smtp-conformance",
                version: env!("CARGO_PKG_VERSION").to_owned(),
                rules: broken.iter().map(|rule| Rule::of_catalogue(rule.rule(), None)).collect(),
            },
        },
        automation_details: Automation { id: "smtp-conformance/lint/".to_owned() },
        invocations: [Invocation {
            execution_successful: is_whole,
            start_time_utc: None,
            tool_execution_notifications: unread
                .iter()
                .map(|what| Notification { level: "error", message: Message::of(what) })
                .collect(),
        }],
        column_kind: "unicodeCodePoints",
        results: Made(findings.map(|found| Finding::placed(found, position(found.rule)))),
        properties,
    };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: vec![run] };
    serde_json::to_writer_pretty(&mut output, &log).context("SARIF")?;
    Ok(writeln!(output)?)
}

/// Results that are made when they are written, so that memory never holds all of them.
struct Made<I>(I);

impl<I: Iterator<Item = Finding> + Clone> Serialize for Made<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run<R>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Tool,
    automation_details: Automation,
    invocations: [Invocation; 1],
    /// What columns count.
    column_kind: &'static str,
    results: R,
    properties: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: String,
    rules: Vec<Rule>,
}

/// An id that distinguishes the runs of one log.
#[derive(Serialize)]
struct Automation {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time_utc: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

/// Something about the run itself.
#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_configuration: Option<Configuration>,
    help: Message,
    properties: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: String,
    rule_index: usize,
    level: Level,
    message: Message,
    locations: [Location; 1],
    related_locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    occurrence_count: usize,
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Clone, Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u64>,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

impl Run<Vec<Finding>> {
    fn of(index: &RecordIndex<'_>, base: Option<&str>) -> Run<Vec<Finding>> {
        let mut results: BTreeMap<Fingerprint, Vec<&FindingRecord>> = BTreeMap::new();
        for found in &index.findings {
            results.entry(Fingerprint::of(found, index)).or_default().push(found);
        }
        let mut broken: BTreeMap<&str, &FindingRecord> = BTreeMap::new();
        for found in &index.findings {
            broken.entry(&found.rule).or_insert(found);
        }
        let positions: BTreeMap<&str, usize> =
            broken.keys().enumerate().map(|(position, id)| (*id, position)).collect();
        let finding = |(fingerprint, all): (Fingerprint, Vec<&FindingRecord>)| {
            let at = positions.get(fingerprint.rule.as_str()).copied().unwrap_or_default();
            Finding::of(&fingerprint, &all, at, base, index)
        };
        let header = |text: fn(&Header) -> &str| index.header.map_or("unknown", text);
        let mut properties = BTreeMap::from([("target", escaped(index.target()))]);
        properties.insert("registryUpdated", escaped(header(|header| &header.registry_updated)));
        properties.insert("registryOrigin", escaped(header(|header| &header.registry_origin)));
        if let Some(version) = index.header.and_then(|header| header.server_version.as_ref()) {
            properties.insert("serverVersion", escaped(version));
        }
        let origin = index.header.and_then(|header| header.origin.as_ref());
        let run = origin.and_then(|origin| match origin {
            Origin::Run(run) => Some(run),
            Origin::Recordings(_) | Origin::Client(_) => None,
        });
        if let Some(run) = run {
            properties.insert("server", escaped(&run.to_string()));
            properties.insert("tls", escaped(&run.tls_or_none()));
        }
        if let Some(cut) = index.summary.and_then(cut) {
            properties.insert("beyondLimits", cut);
        }
        Run {
            tool: Tool {
                driver: Driver {
                    name: "smtp-conformance",
                    version: escaped(header(|header| &header.version)),
                    rules: broken.values().map(|found| Rule::of(found, index.header)).collect(),
                },
            },
            automation_details: Automation { id: format!("smtp-conformance/{}/", uri(index.target())) },
            invocations: [Invocation {
                execution_successful: index.summary.is_some()
                    && index.cases.iter().all(|case| case.verdict != Verdict::Error),
                start_time_utc: run.map(|run| run.date),
                tool_execution_notifications: Vec::new(),
            }],
            column_kind: "unicodeCodePoints",
            results: results.into_iter().filter_map(finding).collect(),
            properties,
        }
    }
}

impl Rule {
    /// Returns the rule as the catalogue describes it, or as the finding does if the catalogue lacks it.
    fn of(found: &FindingRecord, header: Option<&Header>) -> Rule {
        let rule = found.catalogued().map(RuleId::rule).filter(|rule| rule.id == found.rule);
        if let Some(rule) = rule {
            return Rule::of_catalogue(rule, header);
        }
        let paragraphs = vec![found.statement.clone(), format!("Sources: {}", found.sources.join("; "))];
        Rule {
            id: escaped(&found.rule),
            short_description: Message::of(&found.statement),
            default_configuration: None,
            help: Message::of_lines(paragraphs, "\n\n"),
            properties: Rule::tags(),
        }
    }

    fn of_catalogue(rule: &catalogue::Rule, header: Option<&Header>) -> Rule {
        Rule {
            id: rule.id.to_owned(),
            short_description: Message::of(rule.statement),
            default_configuration: rule.level.map(|level| Configuration { level }),
            help: Message::of_lines(help(rule, header), "\n\n"),
            properties: Rule::tags(),
        }
    }

    fn tags() -> BTreeMap<&'static str, Vec<String>> {
        BTreeMap::from([("tags", vec!["smtp".to_owned()])])
    }
}

fn help(rule: &catalogue::Rule, header: Option<&Header>) -> Vec<String> {
    let mut paragraphs = vec![rule.statement.to_owned(), format!("Why: {}", rule.why)];
    if !rule.fix.is_empty() {
        paragraphs.push(format!("Fix: {}", rule.fix));
    }
    paragraphs.extend(fix_for(header, rule).map(|(server, fix)| format!("{server}: {fix}")));
    paragraphs.push(format!("Sources: {}", rule.sources.join("; ")));
    paragraphs
}

impl Finding {
    /// Returns the result for findings that share a fingerprint. It shows the first finding of the highest level.
    fn of(
        fingerprint: &Fingerprint,
        all: &[&FindingRecord],
        rule_index: usize,
        base: Option<&str>,
        index: &RecordIndex<'_>,
    ) -> Option<Finding> {
        let worst = all.iter().map(|found| found.level).max()?;
        let found = all.iter().find(|found| found.level == worst)?;
        let place = PhysicalLocation::of(found, base, index);
        let evidence = Evidence::of(found, index);
        let lines = std::iter::once(evidence.location).chain(evidence.lines.iter().map(ToString::to_string));
        let is_accepted = all.iter().all(|found| found.accepted.is_some());
        Some(Finding {
            rule_id: escaped(&found.rule),
            rule_index,
            level: worst,
            message: Message::of(&format!("{} Seen: {}", found.statement, found.detail)),
            locations: [Location { physical_location: place.clone(), message: None }],
            related_locations: [Location {
                physical_location: place,
                message: Some(Message::of_lines(lines, "\n")),
            }],
            // GitHub identifies results by the second fingerprint. Without it, all results of a rule would be one
            // there.
            partial_fingerprints: ["smtpConformance/v1", "primaryLocationLineHash"]
                .map(|name| (name, fingerprint.digest()))
                .into(),
            occurrence_count: times(all),
            suppressions: if is_accepted {
                found.accepted.iter().map(Suppression::of).collect()
            } else {
                Vec::new()
            },
        })
    }
}

impl Finding {
    fn placed(found: &PlacedFinding<'_>, rule_index: usize) -> Finding {
        let place = PhysicalLocation {
            artifact_location: Artifact { uri: uri(found.file) },
            region: Region { start_line: found.line, start_column: found.column },
        };
        let rule = found.rule.rule();
        Finding {
            rule_id: rule.id.to_owned(),
            rule_index,
            level: found.level,
            message: Message::of(&format!("{} Seen: {}", rule.statement, found.detail)),
            locations: [Location { physical_location: place.clone(), message: None }],
            related_locations: [Location {
                physical_location: place,
                message: Some(Message::of(&found.text)),
            }],
            partial_fingerprints: ["smtpConformance/v1", "primaryLocationLineHash"]
                .map(|name| (name, found.fingerprint.clone()))
                .into(),
            occurrence_count: 1,
            suppressions: found.accepted.map(Suppression::of).into_iter().collect(),
        }
    }
}

impl PhysicalLocation {
    fn of(found: &FindingRecord, base: Option<&str>, index: &RecordIndex<'_>) -> PhysicalLocation {
        let (file, line) = match (base, &found.place) {
            // Services that show results in files require a line, even if a result is about the whole file.
            (Some(base), _) => (base, 1),
            (None, Some(place)) => (place.file.as_str(), place.line),
            (None, None) => (index.target(), 1),
        };
        PhysicalLocation {
            artifact_location: Artifact { uri: uri(file) },
            region: Region { start_line: line as u64, start_column: None },
        }
    }
}

impl Suppression {
    fn of(accepted: &Accepted) -> Suppression {
        let link = accepted.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
        let justification = format!("{} [{}]{link}", accepted.reason, accepted.section);
        Suppression { kind: "external", justification: plain(&justification) }
    }
}

impl Message {
    fn of(text: &str) -> Message {
        Message::of_lines([text], "")
    }

    fn of_lines(lines: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> Message {
        let lines: Vec<String> = lines.into_iter().map(|text| plain(text.as_ref())).collect();
        Message { text: lines.join(between) }
    }
}

/// Escapes text from outside for a message, in which single braces are placeholders and brackets before parentheses are
/// links.
fn plain(text: &str) -> String {
    escaped(text).replace("](", "]\\x28").replace('{', "{{").replace('}', "}}")
}

/// Returns a file's path or a target's URL as a URI reference (RFC 3986 §4.1).
fn uri(name: &str) -> String {
    let set = if name.contains("://") { URL } else { PATH };
    match name {
        "" => "smtp-conformance".to_owned(),
        name => utf8_percent_encode(name, set).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, uri};

    #[test]
    fn names_become_uri_references() {
        assert_eq!(uri("tests/a b.toml"), "tests/a%20b.toml");
        assert_eq!(uri("smtp://[::1]:25"), "smtp://[::1]:25");
        assert_eq!(uri("unix:/run/lmtp"), "unix%3A/run/lmtp");
        assert_eq!(uri("\u{1b}é"), "%1B%C3%A9");
    }

    #[test]
    fn messages_have_no_links_or_placeholders() {
        assert_eq!(Message::of("[a](http://b.example) {0}").text, "[a]\\x28http://b.example) {{0}}");
    }
}
